"""Anderson extrapolation of coordinate-descent iterates (Bertrand, Massias 2021), per lane, kept only where it helps.

Once the support has settled, passes converge linearly, slowly on correlated columns. From M + 1 successive iterates the
affine combination with the smallest combined step is a far better point:

    minimise |sum_i c_i (B_i+1 - B_i)|  subject to  sum_i c_i = 1,   B = sum_i c_i B_i+1.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxnet import penalty
from jaxnet.solver.restricted import Lanes

DEPTH = 5
"""Steps combined; extrapolation is tried every DEPTH + 1 passes."""


def extrapolate(history: Float[Array, "M1 a W"]) -> Float[Array, "a W"]:
    """The combined iterate; lanes that no longer move stay where they are."""
    steps = history[1:] - history[:-1]
    gram = jnp.einsum("iaw,jaw->aij", steps, steps)
    size = jnp.trace(gram, axis1=1, axis2=2)[:, None, None]
    gram = gram / jnp.where(size > 0, size, 1.0)
    ridge = 10 * jnp.finfo(gram.dtype).eps * jnp.eye(DEPTH, dtype=gram.dtype)
    solved = jnp.linalg.solve(gram + ridge[None], jnp.ones((len(gram), DEPTH, 1), gram.dtype))[..., 0]
    weights = solved / jnp.sum(solved, axis=1, keepdims=True)
    usable = (size[..., 0] > 0) & jnp.all(jnp.isfinite(weights), axis=1, keepdims=True)
    last = jnp.zeros((1, DEPTH), gram.dtype).at[:, -1].set(1.0)
    return jnp.einsum("ai,iaw->aw", jnp.where(usable, weights, last), history[1:])


def objective(lanes: Lanes, B: Float[Array, "a W"], q: Float[Array, "a W"]) -> Float[Array, " a"]:
    """1/2 b'Gb - c'b + sum phi(b), from q = c - Gb."""
    cross, _, *pen = lanes.slots
    terms = penalty.Terms.build(lanes.lam1[:, None], lanes.lam2[:, None], *pen)
    return jnp.sum(penalty.value(B, terms), axis=1) - 0.5 * jnp.sum((cross + q) * B, axis=1)
