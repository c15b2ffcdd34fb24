"""Anderson extrapolation of coordinate-descent iterates (Bertrand, Massias 2021), kept only where it helps.

Once the support has settled, passes converge linearly, slowly on correlated columns. From M + 1 successive iterates the
affine combination with the smallest combined step is a far better point:

    minimise |sum_i c_i (b_i+1 - b_i)|  subject to  sum_i c_i = 1,   b = sum_i c_i b_i+1.

Whatever is affine in the coefficients (gradients, residuals) is combined with the same weights, so no product is needed.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxnet.solver.sums import total

DEPTH = 5
"""Steps combined."""
SPAN = DEPTH + 1
"""Iterates kept; extrapolation is tried every SPAN passes."""


def weights(history: Float[Array, "SPAN W"], ridge: Float[Array, ""]) -> Float[Array, " DEPTH"]:
    """The weights of the DEPTH last iterates; all on the last one where nothing moves any more.

    `ridge`, relative to the steps and never below rounding, keeps the weights small: they magnify what is rounding.
    """
    steps = history[1:] - history[:-1]
    pairs = [(i, j) for i in range(DEPTH) for j in range(i + 1)]
    products = total(jnp.stack([steps[i] * steps[j] for i, j in pairs]))
    gram = [[products[pairs.index((i, j))] for j in range(i + 1)] for i in range(DEPTH)]
    size = sum(gram[i][i] for i in range(DEPTH))
    unit = jnp.where(size > 0, size, 1.0)
    ridge = jnp.maximum(ridge, 10 * jnp.finfo(history.dtype).eps)
    lower = [[gram[i][j] / unit + (ridge if i == j else 0.0) for j in range(i + 1)] for i in range(DEPTH)]
    solved = jnp.stack(_solve_ones(lower))
    chosen = solved / jnp.sum(solved)
    return jnp.where((size > 0) & jnp.all(jnp.isfinite(chosen)), chosen, last(chosen))


def last(like: Float[Array, " DEPTH"]) -> Float[Array, " DEPTH"]:
    """The weights that give the last iterate."""
    return jnp.arange(DEPTH) == DEPTH - 1


def combine(weights: Float[Array, " DEPTH"], history: Float[Array, "SPAN m"]) -> Float[Array, " m"]:
    """The combined iterate, or what is affine in it."""
    return jnp.sum(weights[:, None] * history[1:], axis=0)


def _solve_ones(lower: list[list[Array]]) -> list[Array]:
    """x with A x = 1, A symmetric positive definite, given by its lower triangle; by Cholesky's L D L', entry by entry."""
    size = len(lower)
    factor, pivot = [[None] * size for _ in range(size)], [None] * size
    for j in range(size):
        pivot[j] = lower[j][j] - sum(factor[j][k] ** 2 * pivot[k] for k in range(j))
        for i in range(j + 1, size):
            factor[i][j] = (lower[i][j] - sum(factor[i][k] * factor[j][k] * pivot[k] for k in range(j))) / pivot[j]
    x = [None] * size
    for i in range(size):
        x[i] = 1.0 - sum(factor[i][k] * x[k] for k in range(i))
    x = [x[i] / pivot[i] for i in range(size)]
    for i in reversed(range(size)):
        x[i] = x[i] - sum(factor[k][i] * x[k] for k in range(i + 1, size))
    return x
