"""Sums by halves: elementwise additions, which XLA vectorises in a native loop where it does not a reduction."""

import jax.numpy as jnp
from jaxtyping import Array, Float

WHOLE = 1


def total(x: Float[Array, "*batch m"]) -> Float[Array, "*batch"]:
    """The sum over the last axis."""
    while x.shape[-1] > WHOLE and x.shape[-1] % 2 == 0:
        half = x.shape[-1] // 2
        x = x[..., :half] + x[..., half:]
    return jnp.sum(x, axis=-1)


def least(x: Float[Array, "*batch m"]) -> Float[Array, "*batch"]:
    """The minimum over the last axis."""
    while x.shape[-1] > WHOLE and x.shape[-1] % 2 == 0:
        half = x.shape[-1] // 2
        x = jnp.minimum(x[..., :half], x[..., half:])
    return jnp.min(x, axis=-1)
