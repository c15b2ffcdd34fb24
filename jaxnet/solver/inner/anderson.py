"""Anderson extrapolation of coordinate-descent iterates (Bertrand, Massias 2021), kept only where it helps.

Once the support has settled, passes converge linearly, slowly on correlated columns. From M + 1 successive iterates the
affine combination with the smallest combined step is a far better point:

    minimise |sum_i c_i (b_i+1 - b_i)|  subject to  sum_i c_i = 1,   b = sum_i c_i b_i+1.

Whatever is affine in the coefficients (gradients, residuals) is combined with the same weights, so no product is needed.
"""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

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

    def product(k, gram):
        i, j = k // DEPTH, k % DEPTH
        one = total(
            lax.dynamic_index_in_dim(steps, i, keepdims=False) * lax.dynamic_index_in_dim(steps, j, keepdims=False)
        )
        return lax.dynamic_update_slice(gram, one[None, None], (i, j))

    gram = lax.fori_loop(0, DEPTH * DEPTH, product, jnp.zeros((DEPTH, DEPTH), history.dtype))
    size = total(jnp.diagonal(gram))
    ridge = jnp.maximum(ridge, 10 * jnp.finfo(history.dtype).eps)
    solved = _solve_ones(gram / jnp.where(size > 0, size, 1.0) + ridge * jnp.eye(DEPTH, dtype=history.dtype))
    chosen = solved / total(solved)
    return jnp.where((size > 0) & jnp.all(jnp.isfinite(chosen)), chosen, last())


def last() -> Bool[Array, " DEPTH"]:
    """The weights that give the last iterate."""
    return jnp.arange(DEPTH) == DEPTH - 1


def combine(weights: Float[Array, " DEPTH"], history: Float[Array, "SPAN m"]) -> Float[Array, " m"]:
    """The combined iterate, or what is affine in it."""
    return sum(weights[i] * history[i + 1] for i in range(DEPTH))


def _solve_ones(matrix: Float[Array, "DEPTH DEPTH"]) -> Float[Array, " DEPTH"]:
    """x with A x = 1, A symmetric positive definite, by elimination. In loops, as unrolled scalars take long to compile."""
    joined = jnp.concatenate([matrix, jnp.ones((DEPTH, 1), matrix.dtype)], axis=1)

    def eliminate(k, joined):
        row = lax.dynamic_index_in_dim(joined, k, 0)
        column = lax.dynamic_index_in_dim(joined, k, 1)
        pivot = lax.dynamic_slice(joined, (k, k), (1, 1))
        return joined - jnp.where(jnp.arange(DEPTH)[:, None] == k, 0.0, column / pivot) * row

    end = lax.fori_loop(0, DEPTH, eliminate, joined)
    return end[:, DEPTH] / jnp.diagonal(end)
