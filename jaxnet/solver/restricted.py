"""The restricted problem: the columns of a working set, every lane of every set, and its own stopping test.

In slots (S sets, L lanes, W slots): minimise 1/2 b'Gb - c'b + sum phi(b), with q = c - Gb kept up to date. The sharp test
of a fit is the certificate; here an estimate of the same gap, restricted to the slots, says when to stop and look.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxnet.penalty import elastic_net
from jaxnet.solver.sums import least, total


class Restricted(NamedTuple):
    """Everything an inner solver reads, in its working precision."""

    scaled: Float[Array, "S W n"] | None
    """centred columns times the square roots of the row weights, in the row form"""
    gram: Float[Array, "S W W"] | None
    """their Gram matrix, in the Gram form"""
    diagonal: Float[Array, "S W"]
    cross: Float[Array, "S W"]
    moment: Float[Array, " S"]
    lam1: Float[Array, "S L"]
    lam2: Float[Array, "S L"]
    factor1: Float[Array, "S W"]
    factor2: Float[Array, "S W"]
    lo: Float[Array, "S W"] | None
    hi: Float[Array, "S W"] | None
    used: Int[Array, " S"]
    """slots in use; those beyond are zero and stay so"""

    def terms(self) -> elastic_net.Terms:
        """The penalties, to broadcast against (S, L, W)."""
        pen = (None if x is None else x[:, None] for x in self.slots()[2:])
        return elastic_net.Terms.build(self.lam1[..., None], self.lam2[..., None], *pen)

    def slots(self) -> tuple[Array, Array, Array, Array, Array | None, Array | None]:
        """cross, diagonal, factor1, factor2, lo and hi (S, W)."""
        return self.cross, self.diagonal, self.factor1, self.factor2, self.lo, self.hi


class Progress(NamedTuple):
    """The state of an inner solve: coefficients, their gradient x'r, and per lane whether it still has to move."""

    B: Float[Array, "S L W"]
    q: Float[Array, "S L W"]
    active: Bool[Array, "S L"]
    passes: Int[Array, "S L"]


class Lane(NamedTuple):
    """One lane of a set, or several with a leading axis: its penalties, and what the data say of the slots."""

    terms: elastic_net.Terms
    cross: Float[Array, "*lanes W"]
    diagonal: Float[Array, "*lanes W"]
    moment: Float[Array, "*lanes"]
    used: Int[Array, ""]


def lane_of(problem: Restricted, s, lam1: Float[Array, ""], lam2: Float[Array, ""]) -> Lane:
    """What concerns the lane of set s with these strengths."""
    cross, diagonal, *pen = (None if x is None else x[s] for x in problem.slots())
    return Lane(elastic_net.Terms.build(lam1, lam2, *pen), cross, diagonal, problem.moment[s], problem.used[s])


def relative_gap(lane: Lane, b: Float[Array, "*lanes W"], q: Float[Array, "*lanes W"]) -> Float[Array, "*lanes"]:
    """An estimate of the duality gap restricted to the slots, relative to the null objective (certificate.py).

    Unpenalised slots have no finite conjugate off q = 0: their term q b is left out, and what one coordinate step on them
    would still gain is added. Those with a bound are ordinary slots in a box.
    """
    terms, cross, diagonal = lane.terms, lane.cross, lane.diagonal
    free = (terms.l1 <= 0) & (terms.l2 <= 0) & jnp.isneginf(terms.lo) & jnp.isposinf(terms.hi)
    span = jnp.sqrt(lane.moment[..., None] / jnp.where(diagonal > 0, diagonal, jnp.inf))
    terms = elastic_net.boxed(terms, b, span)
    unfitted = jnp.where(free, q * q / jnp.where(diagonal > 0, diagonal, 1.0), 0.0)
    rss = lane.moment - total((cross + q) * b)
    fitted = lane.moment - total(jnp.where(free, cross + q, cross) * b)
    ridge = total(terms.l2 * b * b)
    value = total(elastic_net.value(b, terms) + 0.5 * unfitted)
    conjugate = total(elastic_net.conjugate(jnp.where(free, 0.0, q), terms))
    u = q - terms.l2 * b
    limit = least(jnp.where(free, jnp.inf, elastic_net.dual_scale(u, terms)))
    dual_a = elastic_net.scaled_dual(jnp.where(free, 0.0, u), fitted, rss + ridge, limit, terms)
    primal = 0.5 * rss + value
    gap = primal - jnp.maximum(dual_a, fitted - 0.5 * rss - conjugate)
    null = 0.5 * lane.moment
    return gap / jnp.where(null > 0, null, 1.0)


def relative_gaps(problem: Restricted, B: Float[Array, "S L W"], q: Float[Array, "S L W"]) -> Float[Array, "S L"]:
    """The same for every lane of every set."""
    cross, diagonal, *_ = (x if x is None else x[:, None] for x in problem.slots())
    return relative_gap(Lane(problem.terms(), cross, diagonal, problem.moment[:, None], problem.used), B, q)
