"""The restricted problem: the columns of a working set, every lane of every set, and its own stopping test.

In slots (S sets, L lanes, W slots): minimise 1/2 b'Gb - c'b + sum phi(b), with q = c - Gb kept up to date. The sharp test
of a fit is the certificate; here an estimate of the same gap, restricted to the slots, says when to stop and look.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from jaxnet import penalty

SPAN = 128
"""Slots that a sum over the slots in use takes at once; every width is a multiple of it."""


class Restricted(NamedTuple):
    """Everything an inner solver reads, in its working precision."""

    scaled: Float[Array, "S W n"] | None
    """centred columns times the square roots of the row weights, for the row form; None in the Gram form"""
    gram: Float[Array, "S W v"]
    """the Gram matrix (v = W), or in the row form its diagonal blocks (v = the block size)"""
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
    together: bool
    """whether the lanes of a set do well to move together"""

    def terms(self) -> penalty.Terms:
        """The penalties, to broadcast against (S, L, W)."""
        return penalty.Terms.build(self.lam1[..., None], self.lam2[..., None], *self.slots()[2:])

    def slots(self) -> tuple[Array, Array, Array, Array, Array | None, Array | None]:
        """cross, diagonal, factor1, factor2, lo and hi with an axis for the lanes: (S, 1, W)."""
        each = (self.cross, self.diagonal, self.factor1, self.factor2, self.lo, self.hi)
        return tuple(None if x is None else x[:, None] for x in each)


class Progress(NamedTuple):
    """The state of an inner solve: coefficients, their gradient x'r, and per lane whether it still has to move."""

    B: Float[Array, "S L W"]
    q: Float[Array, "S L W"]
    active: Bool[Array, "S L"]
    passes: Int[Array, "S L"]


class Lanes(NamedTuple):
    """Some lanes of one set: strengths (a,), per-slot constants (1, W), the moment of y, and the slots in use."""

    lam1: Float[Array, " a"]
    lam2: Float[Array, " a"]
    slots: tuple
    moment: Float[Array, ""]
    used: Int[Array, ""]


def lanes_of(problem: Restricted, s, lam1: Float[Array, " a"], lam2: Float[Array, " a"]) -> Lanes:
    """What concerns lanes of set s with these strengths."""
    return Lanes(
        lam1, lam2, tuple(None if x is None else x[s] for x in problem.slots()), problem.moment[s], problem.used[s]
    )


def relative_gap(lanes: Lanes, B: Float[Array, "a W"], q: Float[Array, "a W"]) -> Float[Array, " a"]:
    """An estimate of the duality gap restricted to the slots, relative to the null objective (certificate.py).

    Unpenalised slots have no finite conjugate off q = 0: their term q b is left out, and what one coordinate step on them
    would still gain is added.
    """
    (inner, fit, ridge, held, value, conjugate, unfitted), limit = _sums(lanes, B, q)
    rss, fitted = lanes.moment - inner - fit, lanes.moment - held
    terms = penalty.Terms.build(lanes.lam1[:, None], lanes.lam2[:, None], *lanes.slots[2:])
    free = (terms.l1 <= 0) & (terms.l2 <= 0)
    dual_a = penalty.scaled_dual(jnp.where(free, 0.0, q - terms.l2 * B), fitted, rss + ridge, limit, terms)
    primal = 0.5 * rss + value
    gap = primal - jnp.maximum(dual_a, fitted - 0.5 * rss - conjugate) + 0.5 * unfitted
    null = 0.5 * lanes.moment
    return gap / jnp.where(null > 0, null, 1.0)


def relative_gaps(problem: Restricted, B: Float[Array, "S L W"], q: Float[Array, "S L W"]) -> Float[Array, "S L"]:
    """The same for every lane of every set."""

    def one(s, b, u):
        lanes = lanes_of(problem, s, problem.lam1[s], problem.lam2[s])
        return relative_gap(lanes._replace(used=B.shape[2]), b, u)

    return jax.vmap(one)(jnp.arange(len(B)), B, q)


def _sums(lanes: Lanes, B, q):
    """The sums over the slots in use that the gap is made of, a span of slots at a time, and the largest dual scale."""
    constants = tuple(x for x in lanes.slots if x is not None)

    def span(i, state):
        total, least = state
        at = lambda x: lax.dynamic_slice_in_dim(x, i * SPAN, SPAN, x.ndim - 1)
        b, u, (cross, diagonal, *pen) = at(B), at(q), map(at, constants)
        terms = penalty.Terms.build(lanes.lam1[:, None], lanes.lam2[:, None], *pen)
        free = (terms.l1 <= 0) & (terms.l2 <= 0)
        parts = (
            cross * b,
            u * b,
            terms.l2 * b * b,
            jnp.where(free, cross + u, cross) * b,
            penalty.value(b, terms),
            penalty.conjugate(jnp.where(free, 0.0, u), terms),
            jnp.where(free, u * u / jnp.where(diagonal > 0, diagonal, 1.0), 0.0),
        )
        total = tuple(t + x for t, x in zip(total, parts, strict=True))
        scale = jnp.where(free, jnp.inf, penalty.dual_scale(u - terms.l2 * b, terms))
        return total, jnp.minimum(least, scale)

    zero = jnp.zeros((len(B), SPAN), B.dtype)
    spans = -(-lanes.used // SPAN)
    total, least = lax.fori_loop(0, spans, span, ((zero,) * 7, zero + jnp.inf))
    return tuple(jnp.sum(t, axis=1) for t in total), jnp.min(least, axis=1)
