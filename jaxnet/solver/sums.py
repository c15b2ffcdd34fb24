"""Sums by folding: elementwise additions, which XLA vectorises in a native loop where it does not a reduction."""

import jax.numpy as jnp
from jaxtyping import Array, Float

FEW = 16
"""So many terms are added one by one."""


def total(x: Float[Array, "*batch m"]) -> Float[Array, "*batch"]:
    """The sum over the last axis."""
    return folded(x, jnp.add, 0.0)


def least(x: Float[Array, "*batch m"]) -> Float[Array, "*batch"]:
    """The minimum over the last axis."""
    return folded(x, jnp.minimum, jnp.inf)


def folded(x: Float[Array, "*batch m"], combine, empty: float) -> Float[Array, "*batch"]:
    """`combine` of all along the last axis, `empty` of none.

    Up to eight equal parts are combined in pairs, again and again until few terms are left.
    """
    while (size := x.shape[-1]) > FEW:
        parts = next((k for k in range(8, 1, -1) if size % k == 0), size)
        x = _in_pairs([x[..., i * (size // parts) : (i + 1) * (size // parts)] for i in range(parts)], combine)
    return _in_pairs([x[..., i] for i in range(size)], combine) if size else jnp.full(x.shape[:-1], empty, x.dtype)


def _in_pairs(terms: list, combine):
    while len(terms) > 1:
        paired = [combine(*pair) for pair in zip(terms[::2], terms[1::2], strict=False)]
        terms = paired + terms[len(paired) * 2 :]
    return terms[0]
