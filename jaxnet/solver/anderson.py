"""Anderson extrapolation of coordinate-descent iterates (Bertrand, Massias 2021), per lane, kept only where it helps.

Once the support has settled, passes converge linearly, slowly on correlated columns. From M + 1 successive iterates the
affine combination with the smallest combined step is a far better point:

    minimise |sum_i c_i (B_i+1 - B_i)|  subject to  sum_i c_i = 1,   B = sum_i c_i B_i+1.
"""

import jax.numpy as jnp
from jaxtyping import Array, Float

from jaxnet import penalty
from jaxnet.solver.restricted import Restricted

DEPTH = 5
"""Steps combined; extrapolation is tried every DEPTH + 1 passes."""


def extrapolate(history: Float[Array, "M1 S L W"]) -> Float[Array, "S L W"]:
    """The combined iterate; lanes that no longer move stay where they are."""
    steps = history[1:] - history[:-1]
    gram = jnp.einsum("islw,jslw->slij", steps, steps)
    size = jnp.trace(gram, axis1=2, axis2=3)[..., None, None]
    gram = gram / jnp.where(size > 0, size, 1.0)
    ridge = 10 * jnp.finfo(gram.dtype).eps
    solved = jnp.linalg.solve(
        gram + ridge * jnp.eye(DEPTH, dtype=gram.dtype)[None, None], jnp.ones((*gram.shape[:2], DEPTH, 1), gram.dtype)
    )
    weights = solved[..., 0] / jnp.sum(solved, axis=(2, 3))[..., None]
    usable = (size[..., 0] > 0) & jnp.all(jnp.isfinite(weights), axis=2, keepdims=True)
    last = jnp.zeros((1, 1, DEPTH), gram.dtype).at[:, :, -1].set(1.0)
    return jnp.einsum("sli,islw->slw", jnp.where(usable, weights, last), history[1:])


def objective(problem: Restricted, B: Float[Array, "S L W"], q: Float[Array, "S L W"]) -> Float[Array, "S L"]:
    """1/2 b'Gb - c'b + sum phi(b), from q = c - Gb."""
    smooth = -0.5 * jnp.sum((problem.cross[:, None] + q) * B, axis=2)
    return smooth + jnp.sum(penalty.value(B, problem.terms()), axis=2)
