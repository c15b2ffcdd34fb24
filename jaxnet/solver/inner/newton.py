"""Newton's method on a support: where the nonzeros and their signs have settled, the optimum is one linear system away.

On the orthant of its signs a lane's objective is smooth. With A the nonzeros that are not at a bound,

    d_A = (G_AA + diag l2)^-1 (q_A - l2 b_A - l1 sign b_A),    q = c - G b,

leads to its minimum there. What would cross zero or a bound stops at it, or the whole step ends where the first one does;
the better of the two counts. Cholesky factorisations go in batches of lanes, which is what an accelerator is good at.
"""

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from jaxnet.solver.restricted import Restricted
from jaxnet.solver.view import FULL

LARGEST = 512
"""Supports of more columns are left alone: a factorisation costs their cube."""
BATCH = 64
"""Lanes factorised at once."""


def step(
    problem: Restricted, B: Float[Array, "S L W"], q: Float[Array, "S L W"], wanted: Bool[Array, "S L"]
) -> tuple[Float[Array, "S L W"], Float[Array, "S L W"]]:
    """Two candidates for every wanted lane: the Newton step with what would cross held, and the step up to the first cross.

    Lanes that are not wanted, or whose support is too large, stay where they are.
    """
    terms = problem.terms()
    width = min(LARGEST, B.shape[2])
    inside = (B != 0) & (B - terms.lo > 0) & (terms.hi - B > 0) & (problem.diagonal > 0)[:, None]
    wanted = wanted & (jnp.sum(inside, axis=2) <= width)
    inside = inside & wanted[..., None]
    sign = jnp.sign(B)
    slope = jnp.where(inside, q - terms.l2 * B - terms.l1 * sign, 0.0)
    ridge = jnp.broadcast_to(terms.l2, B.shape)
    # The columns of each support first: of those `width`, others get a row of the identity.
    slots = jnp.argsort(~inside, axis=2, stable=True)[..., :width]

    def of_set(x):
        s, slots, inside, slope, ridge = x
        pick = lambda x: jnp.take_along_axis(x, slots, axis=1)
        chosen = pick(inside)
        gram = jnp.where(chosen[:, :, None] & chosen[:, None], _gram(problem, s, slots), 0.0)
        diagonal = jnp.where(chosen, pick(ridge) + 10 * jnp.finfo(B.dtype).eps * problem.diagonal[s][slots], 1.0)
        factor = jnp.linalg.cholesky(gram + diagonal[:, :, None] * jnp.eye(width, dtype=B.dtype)[None])
        solved = jax.scipy.linalg.cho_solve((factor, True), pick(slope)[..., None])[..., 0]
        return jnp.zeros_like(slope).at[jnp.arange(len(slots))[:, None], slots].set(solved)

    sets, lanes, _ = B.shape
    arguments = (jnp.arange(sets), slots, inside, slope, ridge)
    d = jnp.where(inside, lax.map(of_set, arguments, batch_size=max(BATCH // lanes, 1)), 0.0)
    end = jnp.clip(B + d, jnp.where(B > 0, 0.0, terms.lo), jnp.where(B < 0, 0.0, terms.hi))
    end = jnp.where(inside, end, B)
    crosses = (end != B + d) & (d != 0)
    share = jnp.min(jnp.where(crosses, (end - B) / jnp.where(d != 0, d, 1.0), 1.0), axis=2)
    return end, B + share[..., None] * d


def _gram(problem: Restricted, s, slots) -> Float[Array, "L K K"]:
    """Gram entries between the slots of each lane of set s."""
    if problem.scaled is None:
        return problem.gram[s][slots[:, :, None], slots[:, None]]
    columns = problem.scaled[s][slots]
    return jnp.matmul(columns, jnp.swapaxes(columns, 1, 2), precision=FULL)
