"""The elastic-net penalty of one coefficient, its proximal step and its conjugates; the three dialects of its parameters.

With `l1 = alpha rho v`, `l2 = alpha (1 - rho) v` (v the column's penalty factor) and bounds `lo <= 0 <= hi`:

    phi(b) = l1 |b| + l2/2 b^2   for lo <= b <= hi,   +inf elsewhere.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

from jaxnet.errors import InvalidInput


class Terms(NamedTuple):
    """The penalty of every coefficient of every lane, ready to broadcast: shapes `... p` or scalars."""

    l1: Float[Array, "..."]
    l2: Float[Array, "..."]
    lo: Float[Array, "..."] | float = -np.inf
    hi: Float[Array, "..."] | float = np.inf

    @property
    def bounded(self) -> bool:
        """Whether there are bounds at all; without, what they add vanishes from the compiled program."""
        return not (isinstance(self.lo, float) and isinstance(self.hi, float))

    @classmethod
    def build(cls, lam1, lam2, factor1, factor2, lo=None, hi=None) -> "Terms":
        """From the strengths of lanes and the factors of columns, which must broadcast; None stands for no bounds."""
        return cls(lam1 * factor1, lam2 * factor2, -np.inf if lo is None else lo, np.inf if hi is None else hi)


def value(b: Array, t: Terms) -> Array:
    """phi(b) for b within its bounds."""
    return t.l1 * jnp.abs(b) + 0.5 * t.l2 * b * b


def soft(u: Array, threshold: Array) -> Array:
    """sign(u) (|u| - threshold)_+, written so that no branch is taken."""
    return u - jnp.clip(u, -threshold, threshold)


def minimiser(u: Array, curvature: Array, t: Terms) -> Array:
    """argmin_b curvature/2 b^2 - u b + phi(b); zero where there is no curvature at all."""
    total = curvature + t.l2
    b = soft(u, t.l1) / jnp.where(total > 0, total, 1.0)
    return jnp.where(total > 0, jnp.clip(b, t.lo, t.hi), 0.0)


def conjugate(u: Array, t: Terms) -> Array:
    """phi*(u) = sup_b u b - phi(b): finite where l2 > 0, where |u| <= l1, or up to a finite bound."""
    over = soft(u, t.l1)
    curved = t.l2 > 0
    inside = jnp.clip(over / jnp.where(curved, t.l2, 1.0), t.lo, t.hi)
    quadratic = over * inside - 0.5 * t.l2 * inside * inside
    return jnp.where(curved, quadratic, box_conjugate(over, t))


def box_conjugate(over: Array, t: Terms) -> Array:
    """Conjugate of l1|b| on [lo, hi], given the excess `over = soft(u, l1)`: 0 inside, linear up to a finite bound, else inf."""
    up = jnp.where(over > 0, jnp.where(t.hi > 0, over * t.hi, 0.0), 0.0)
    down = jnp.where(over < 0, jnp.where(t.lo < 0, over * t.lo, 0.0), 0.0)
    return up + down


def dual_scale(u: Array, t: Terms) -> Array:
    """Per coefficient, the largest s >= 0 for which s u stays in the domain of the box conjugate (inf: no limit)."""
    limited = ((u > 0) & jnp.isposinf(t.hi)) | ((u < 0) & jnp.isneginf(t.lo))
    return jnp.where(limited, t.l1 / jnp.where(limited, jnp.abs(u), 1.0), jnp.inf)


REACH = 10.0
"""How many times as far as a coefficient, or as one that explains all of y by itself, those without a penalty may go."""


def boxed(t: Terms, b: Array, span: Array) -> Terms:
    """The same with an end to what has no penalty at all and no bound on a side: REACH max(span, |b|) there.

    Such a side has no finite conjugate but at u = 0, which a fit meets up to rounding only: the dual of the boxed problem is
    finite everywhere, and tells how far b is from the best within the box. By convexity an optimum that lies outside, b* with
    b + t (b* - b) in the box, is better by at most 1/t times that. `span` are coefficients that would explain all of y, sd(y) /
    sd(x_j). Where there are no bounds at all, columns without a penalty are fitted exactly, and nothing is done.
    """
    if not t.bounded:
        return t
    reach = REACH * jnp.maximum(span, jnp.abs(b))
    none = (t.l1 <= 0) & (t.l2 <= 0)
    return t._replace(
        lo=jnp.where(none & jnp.isneginf(t.lo), -reach, t.lo), hi=jnp.where(none & jnp.isposinf(t.hi), reach, t.hi)
    )


def scaled_dual(u: Array, fitted: Array, smooth: Array, limit: Array, t: Terms) -> Array:
    """The dual along s (r, b): D(s) = s <y, r> - s^2/2 smooth - sum psi*(s u), psi = l1|b| within its bounds, at a good s.

    u is `x'r - l2 b` by column (last axis), `smooth` is |r|^2 + sum l2 b^2, and `limit` the largest s in the domain. D is
    concave; it is taken at the maximum of its smooth part and at s = 1 (best where bounds are active), the better counts.
    Without bounds psi* is zero on its domain, and u is not looked at. A bound far beyond its coefficient makes psi* steep:
    so the smooth part is also maximised over the s at which psi* is zero.
    """
    best = jnp.where(smooth > 0, fitted / jnp.where(smooth > 0, smooth, 1.0), 1.0)

    def dual(s):
        smooth_part = s * fitted - 0.5 * s * s * smooth
        if not t.bounded:
            return smooth_part
        over = soft(s[..., None] * u, t.l1)
        # At its limit s u meets l1 up to rounding: on an unbounded side that excess is none.
        over = jnp.where(jnp.isinf(jnp.where(over > 0, t.hi, t.lo)), 0.0, over)
        return smooth_part - jnp.sum(box_conjugate(over, t), axis=-1)

    value = jnp.maximum(dual(jnp.clip(best, 0.0, limit)), dual(jnp.minimum(1.0, limit)))
    if not t.bounded:
        return value
    steep = ((u > 0) & (t.hi > 0)) | ((u < 0) & (t.lo < 0))
    flat = jnp.min(jnp.where(steep, t.l1 / jnp.where(steep, jnp.abs(u), 1.0), jnp.inf), axis=-1)
    return jnp.maximum(value, dual(jnp.clip(best, 0.0, jnp.minimum(limit, flat))))


AT_BOUND = 1e-6
"""A coefficient within this share of its bound is at it."""


def kkt_violation(u: Array, b: Array, t: Terms) -> Array:
    """Distance of u = x'r from the subdifferential of phi at b (the normal cone of the bounds included)."""
    u = u - t.l2 * b
    at_zero = soft(u, t.l1)
    moving = jnp.where(b == 0, at_zero, u - t.l1 * jnp.sign(b))
    moving = jnp.where(b >= t.hi * (1 - AT_BOUND), jnp.minimum(moving, 0.0), moving)
    return jnp.abs(jnp.where(b <= t.lo * (1 - AT_BOUND), jnp.maximum(moving, 0.0), moving))


DIALECTS = ("sklearn", "glmnet", "unhalved")


def convert_penalty(alpha, rho, *, from_: str, to: str = "sklearn", y=None, sample_weight=None):
    """Translate (strength, L1 share) between three parametrisations of the elastic net.

    - "sklearn" (and jaxnet):  alpha (rho ||b||_1 + (1-rho)/2 ||b||^2)
    - "glmnet":  R glmnet's lambda and alpha for an unscaled response. glmnet standardises y inside, so that its
      ridge weight acts as lambda (1-a) / sd(y) while its L1 weight stays lambda a (sd with 1/n).
    - "unhalved":  alpha (rho ||b||_1 + (1-rho) ||b||^2), the form of many textbooks.

    Parameters: `alpha`, `rho` scalars or arrays that broadcast; `y` (n,) is needed for "glmnet" only, with
    `sample_weight` if the fit has weights. Returns the pair (alpha, rho) in dialect `to`. Raises InvalidInput for an
    unknown dialect, values outside alpha >= 0, 0 <= rho <= 1, or a missing or constant y.

    >>> from jaxnet import convert_penalty
    >>> alpha, rho = convert_penalty(1.0, 0.5, from_="unhalved")
    >>> round(float(alpha), 6), round(float(rho), 6)
    (1.5, 0.333333)
    """
    for label, name in (("from_", from_), ("to", to)):
        if name not in DIALECTS:
            raise InvalidInput(f"{label}={name!r} is not a dialect; choose one of {', '.join(map(repr, DIALECTS))}.")
    try:
        alpha, rho = np.broadcast_arrays(np.asarray(alpha, float), np.asarray(rho, float))
    except (TypeError, ValueError):
        raise InvalidInput(
            f"alpha={alpha!r} and rho={rho!r} must be numbers, or arrays of shapes that broadcast."
        ) from None
    if not np.all((alpha >= 0) & np.isfinite(alpha) & (rho >= 0) & (rho <= 1)):
        raise InvalidInput("convert_penalty needs finite alpha >= 0 and 0 <= rho <= 1; a value lies outside.")
    ridge_unit = {"sklearn": 1.0, "unhalved": 2.0}
    if "glmnet" in (from_, to):
        ridge_unit["glmnet"] = 1.0 / _population_sd(y, sample_weight)
    l1 = alpha * rho
    l2 = alpha * (1 - rho) * ridge_unit[from_] / ridge_unit[to]
    total = l1 + l2
    share = np.where(total > 0, l1 / np.where(total > 0, total, 1.0), rho)
    return total[()], share[()]


def _population_sd(y, sample_weight) -> float:
    if y is None:
        raise InvalidInput("y is needed to convert to or from 'glmnet', whose ridge weight depends on sd(y).")
    try:
        y = np.asarray(y, float)
        w = np.ones_like(y) if sample_weight is None else np.asarray(sample_weight, float)
    except (TypeError, ValueError):
        raise InvalidInput("y and sample_weight must be arrays of numbers.") from None
    if y.ndim != 1 or w.shape != y.shape or not (np.isfinite(y).all() and np.isfinite(w).all()):
        raise InvalidInput(f"y has shape {y.shape} and sample_weight {w.shape}: both must be (n,) and finite.")
    if (w < 0).any() or not w.sum() > 0:
        raise InvalidInput("sample_weight must be at least 0 and not all zero.")
    sd = float(np.sqrt(np.average((y - np.average(y, weights=w)) ** 2, weights=w)))
    if not sd > 0:
        raise InvalidInput("y is constant: glmnet's parametrisation is undefined for it.")
    return sd
