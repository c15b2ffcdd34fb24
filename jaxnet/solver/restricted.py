"""The restricted problem: the columns of a working set, every lane of every set at once, and its own stopping test.

In slots (S sets, L lanes, W slots): minimise 1/2 b'Gb - c'b + sum phi(b), with q = c - Gb kept up to date. The sharp test
of a fit is the certificate; here an estimate of the same gap, restricted to the slots, says when to stop and look.
"""

from typing import NamedTuple

import jax.numpy as jnp
from jaxtyping import Array, Bool, Float, Int

from jaxnet import penalty


class Restricted(NamedTuple):
    """Everything an inner solver reads, in its working precision."""

    atoms: Float[Array, "S W n"] | None
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
    lo: Float[Array, "S W"]
    hi: Float[Array, "S W"]
    used: Int[Array, " S"]
    """slots in use; those beyond the fullest set's are skipped"""

    def terms(self) -> penalty.Terms:
        """The penalties, to broadcast against (S, L, W)."""
        return penalty.Terms(
            self.lam1[..., None] * self.factor1[:, None],
            self.lam2[..., None] * self.factor2[:, None],
            self.lo[:, None],
            self.hi[:, None],
        )


class Progress(NamedTuple):
    """The state of an inner solve: coefficients, their gradient x'r, and per lane whether it still has to move."""

    B: Float[Array, "S L W"]
    q: Float[Array, "S L W"]
    active: Bool[Array, "S L"]
    passes: Int[Array, "S L"]


def relative_gap(problem: Restricted, B: Float[Array, "S L W"], q: Float[Array, "S L W"]) -> Float[Array, "S L"]:
    """An estimate of the duality gap restricted to the slots, relative to the null objective (certificate.py).

    Unpenalised slots have no finite conjugate off q = 0: their term q b is left out, and what one coordinate step on them
    would still gain is added.
    """
    terms = problem.terms()
    rss = problem.moment[:, None] - jnp.sum((problem.cross[:, None] + q) * B, axis=2)
    ridge = jnp.sum(terms.l2 * B * B, axis=2)
    free = (terms.l1 <= 0) & (terms.l2 <= 0)
    held = jnp.where(free, problem.cross[:, None] + q, problem.cross[:, None])
    fitted = problem.moment[:, None] - jnp.sum(held * B, axis=2)
    u = q - terms.l2 * B
    limit = jnp.min(jnp.where(free, jnp.inf, penalty.dual_scale(u, terms)), axis=2)
    dual_a = penalty.scaled_dual(jnp.where(free, 0.0, u), fitted, rss + ridge, limit, terms)
    dual_b = fitted - 0.5 * rss - jnp.sum(penalty.conjugate(jnp.where(free, 0.0, q), terms), axis=2)
    unfitted = jnp.where(free, q * q / jnp.where(problem.diagonal > 0, problem.diagonal, 1.0)[:, None], 0.0)
    primal = 0.5 * rss + jnp.sum(penalty.value(B, terms), axis=2)
    gap = primal - jnp.maximum(dual_a, dual_b) + 0.5 * jnp.sum(unfitted, axis=2)
    null = 0.5 * problem.moment[:, None]
    return gap / jnp.where(null > 0, null, 1.0)
