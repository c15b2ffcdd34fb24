"""The elastic-net penalty of one coefficient, its proximal step and its conjugates.

With `l1 = alpha rho v`, `l2 = alpha (1 - rho) v` (v the column's penalty factor) and bounds `lo <= 0 <= hi`:

    phi(b) = l1 |b| + l2/2 b^2   for lo <= b <= hi,   +inf elsewhere.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float


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
