"""Sums by halves: elementwise additions, which XLA vectorises in a native loop where it does not a reduction."""

import jax.numpy as jnp
from jaxtyping import Array, Float


def total(x: Float[Array, "*batch m"]) -> Float[Array, "*batch"]:
    """The sum over the last axis."""
    return jnp.sum(_halved(x, jnp.add), axis=-1)


def least(x: Float[Array, "*batch m"]) -> Float[Array, "*batch"]:
    """The minimum over the last axis."""
    return jnp.min(_halved(x, jnp.minimum), axis=-1)


def _halved(x: Float[Array, "*batch m"], combine) -> Float[Array, "*batch k"]:
    """One half of the last axis combined with the other, as long as its length is even."""
    while x.shape[-1] and x.shape[-1] % 2 == 0:
        half = x.shape[-1] // 2
        x = combine(x[..., :half], x[..., half:])
    return x
