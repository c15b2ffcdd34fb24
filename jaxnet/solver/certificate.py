"""The certificate of a fit: relative duality gap and KKT residual, in float64, from the data and the coefficients alone.

With r the residual of the given coefficients (weights sum to one, everything centred by the lane's own rows) and
u = x'r, both duals below are valid for every penalty; the larger counts.

- Gap A, any l1 > 0 (Fercoq, Gramfort, Salmon 2015, in the augmented-lasso form): the ridge part joins the loss,
  D(s) = s <y, r> - s^2/2 (|r|^2 + sum l2 b^2) - sum psi*(s (u - l2 b)), psi the L1 term with its bounds, and s the best
  scale that keeps every term finite.
- Gap B, l2 > 0 (Duenner et al. 2016): D = <y, r> - |r|^2/2 - sum phi*(u).

Columns without a penalty (factor zero, or alpha zero) have an infinite conjugate on a side without a bound. Those without
any bound are fitted exactly (place.py), so that u is zero up to rounding. The others, among bounds, are certified within a
box that is wide against the fit (elastic_net.boxed); with bounds on both sides that box is the bounds', and the gap is exact.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Bool, Float

from jaxnet.penalty import elastic_net
from jaxnet.solver.columns import LARGEST, LEAST, SUM, fold
from jaxnet.solver.view import Fit, View


class Certificate(NamedTuple):
    """Per lane: `gap` relative to half the moment of y; `kkt`, the largest violation in units of correlation with y."""

    gap: Float[Array, "S L"]
    kkt: Float[Array, "S L"]
    test_error: Float[Array, "S L"]
    gradient: Float[Array, "S L p"]
    violated: Bool[Array, "S p"]
    """columns that a lane of the set leaves at zero against the KKT conditions"""


class Penalties(NamedTuple):
    """The penalties of a chunk: strengths per lane, factors and bounds per column of each set."""

    lam1: Float[Array, "S L"]
    lam2: Float[Array, "S L"]
    factor1: Float[Array, "S p"]
    factor2: Float[Array, "S p"]
    lo: Float[Array, "S p"] | None = None
    hi: Float[Array, "S p"] | None = None

    def terms(self) -> elastic_net.Terms:
        """The penalties, to broadcast against (S, L, p)."""
        columns = (self.factor1, self.factor2, self.lo, self.hi)
        by_lane = (None if x is None else x[:, None] for x in columns)
        return elastic_net.Terms.build(self.lam1[..., None], self.lam2[..., None], *by_lane)


@jax.jit
def certify(
    view: View, remainder: Array, dense: Float[Array, "S L p"], sd: Float[Array, "S p"], pen: Penalties
) -> Certificate:
    """Judge coefficients `dense` whose remainder (view.py) is given; `sd` are the columns' standard deviations."""
    fit = view.fit(remainder, dense)
    unit = sd * jnp.sqrt(view.moment)[:, None]
    per_unit = jnp.where(unit > 0, 1.0 / jnp.where(unit > 0, unit, 1.0), 0.0)
    span = view.moment[:, None] * per_unit
    strengths, columns = (pen.lam1, pen.lam2), (pen.factor1, pen.factor2, pen.lo, pen.hi)
    sums, violated = fold(
        _of_columns, (SUM, SUM, SUM, LEAST, LARGEST), strengths, (columns, per_unit, span), (dense, fit.gradient)
    )
    value, ridge, conjugate, limit, kkt = sums
    dual_a = _dual_a(fit, ridge, limit, dense, pen, span)
    dual_b = fit.fitted - 0.5 * fit.rss - conjugate
    gap = 0.5 * fit.rss + value - jnp.maximum(dual_a, dual_b)
    null = 0.5 * view.moment[:, None]
    relative = jnp.where(null > 0, gap / jnp.where(null > 0, null, 1.0), 0.0)
    # A valid dual never exceeds the primal but by rounding; the absolute value lets a wrong one show itself.
    return Certificate(jnp.abs(relative), kkt, fit.test_error, fit.gradient, violated)


def _of_columns(strengths, columns, both) -> tuple[Array, ...]:
    """Of every column: penalty, ridge part, conjugate of gap B, largest scale of gap A, KKT residual; and whether it
    should not be zero."""
    (pen, per_unit, span), (b, gradient) = columns, both
    terms = elastic_net.Terms.build(*strengths, *pen)
    u = _without_free(gradient, terms, pen)
    within = elastic_net.boxed(terms, b, span)
    scale = elastic_net.dual_scale(u - terms.l2 * b, within)
    violation = elastic_net.kkt_violation(gradient, b, terms)
    return (
        elastic_net.value(b, terms),
        terms.l2 * b * b,
        elastic_net.conjugate(u, within),
        scale,
        violation * per_unit,
        (b == 0) & (violation > 0),
    )


def _without_free(gradient: Array, terms: elastic_net.Terms, pen: tuple) -> Array:
    """Unpenalised columns were refitted exactly: their gradient is zero up to rounding, and they do not limit the dual.

    `pen` are factors and bounds. Among bounds those without any were, and at alpha = 0 no others.
    """
    factor1, factor2, lo, hi = pen
    if lo is None:
        return jnp.where((terms.l1 <= 0) & (terms.l2 <= 0), 0.0, gradient)
    free = (factor1 <= 0) & (factor2 <= 0) & jnp.isneginf(lo) & jnp.isposinf(hi)
    return jnp.where(free, 0.0, gradient)


def _dual_a(fit: Fit, ridge: Array, limit: Array, b: Array, pen: Penalties, span: Array) -> Float[Array, "S L"]:
    terms = pen.terms()
    columns = (None if x is None else x[:, None] for x in (pen.factor1, pen.factor2, pen.lo, pen.hi))
    u = _without_free(fit.gradient, terms, tuple(columns)) - terms.l2 * b
    return elastic_net.scaled_dual(u, fit.fitted, fit.rss + ridge, limit, elastic_net.boxed(terms, b, span[:, None]))
