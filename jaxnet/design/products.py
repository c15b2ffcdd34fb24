"""What designs whose groups see different values share."""

import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Float, Int

from jaxnet.design.base import Design, size_class

_BLOCK = 1024


def place(columns: Int[np.ndarray, " c"], p: int) -> tuple[Int[np.ndarray, " k"], Int[np.ndarray, " p"]]:
    """Some of p columns in k padded places: the column of each place (p if it is empty), the place of each column (k if none)."""
    k = size_class(len(columns))
    at, slot = np.full(k, p), np.full(p, k)
    at[: len(columns)] = columns
    slot[columns] = np.arange(len(columns))
    return at, slot


def take(x: Array, index: Array, empty: float) -> Array:
    """Entries of the last axis; `empty` where the index is out of range."""
    return jnp.take(x, index, axis=-1, mode="fill", fill_value=empty)


def moments_of(
    wide: Float[Array, "p m"], weights: Float[Array, " m"], others: Float[Array, "k m"]
) -> tuple[Float[Array, "p p"], Float[Array, "k p"]]:
    """`wide W wide'` and `others W wide'`."""
    both = jnp.matmul(jnp.concatenate([wide, others]) * weights[None], wide.T, precision=lax.Precision.HIGHEST)
    return both[: len(wide)], both[len(wide) :]


def outer_of(design: Design, weights: Float[Array, " p"], group: Int[Array, ""]) -> Float[Array, "n n"]:
    """`Design.outer`, a block of columns after the other."""
    n, p = design.shape

    def add(i, total):
        index = i * _BLOCK + jnp.arange(_BLOCK)
        part = design.columns(jnp.minimum(index, p), group).astype(weights.dtype)
        weighted = part * take(weights, index, 0.0)[:, None]
        return total + jnp.matmul(part.T, weighted, precision=lax.Precision.HIGHEST)

    return lax.fori_loop(0, -(-p // _BLOCK), add, jnp.zeros((n, n), weights.dtype))
