"""Sums of few rows of large matrices, as one native loop on a CPU (solver/inner/coordinate.py has what XLA asks of those)."""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int


def combine(
    rows: Float[Array, "G p m"],
    group: Int[Array, " S"],
    index: Int[Array, "S W"],
    B: Float[Array, "S L W"],
    used: Int[Array, " S"],
) -> Float[Array, "S L m"]:
    """`B[s] @ rows[group[s], index[s]]` for every s, over the first `used[s]` slots, for B with many zeros."""
    sets, lanes, width = B.shape
    size = rows.shape[2]
    start = jnp.zeros((sets, lanes, size), B.dtype)
    if not width:
        return start
    moving = jnp.any(B != 0, axis=1)
    one = jnp.ones((), jnp.int64)

    def of_set(s, total):
        def enlist(j, state):
            order, count = state
            return lax.dynamic_update_index_in_dim(order, j, count, 0), count + moving[s, j] * one

        order, count = lax.fori_loop(0, used[s].astype(one.dtype), enlist, (jnp.zeros(width, one.dtype), 0 * one))

        def slot(i, total):
            j = order[i]
            at = (group[s].astype(one.dtype), index[s, j].astype(one.dtype), 0 * one)

            def lane(k, total):
                b = lax.dynamic_slice(B, (s, k, j), (1, 1, 1))

                def add(total):
                    row = lax.dynamic_slice(rows, at, (1, 1, size)).astype(B.dtype)
                    mine = lax.dynamic_slice(total, (s, k, 0 * one), (1, 1, size))
                    return lax.dynamic_update_slice(total, mine + b * row, (s, k, 0 * one))

                return lax.cond(b[0, 0, 0] != 0, add, lambda x: x, total)

            return lax.fori_loop(0 * one, lanes * one, lane, total)

        return lax.fori_loop(0 * one, count, slot, total)

    return lax.fori_loop(0 * one, sets * one, of_set, start)
