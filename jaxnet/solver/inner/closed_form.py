"""Fits without an L1 part in closed form: ridge (rho = 0) and least squares (alpha = 0), one factorisation for all alphas.

With Z the penalised columns divided by the square roots of their ridge factors (Z = X W), and everything projected off the
unpenalised columns, ridge is b = W Z'(ZZ' + l)^-1 y from the n x n kernel (rows view), or W (Z'Z + l)^-1 Z'y (Gram view).
At l = 0 the pseudo-inverse is meant: the least-norm solution. The unpenalised coefficients then follow exactly.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxnet.solver.certificate import Certificate, Penalties, certify
from jaxnet.solver.place import pseudo_inverse, refit
from jaxnet.solver.view import FULL, RowView, View

RANK = 1e-11
"""Eigenvalues below this share of the largest count as zero where nothing regularises them; so does a ridge strength."""

Step = Callable[[Float[Array, "A m"], Float[Array, "A m"]], Float[Array, "A p"]]
"""(remainder, inverse eigenvalues) -> coefficients: the regularised pseudo-inverse applied to what is left over."""


class Solution(NamedTuple):
    """One set with its alphas as lanes: coefficients by column, and the certificate."""

    dense: Float[Array, "A p"]
    certificate: Certificate


@jax.jit
def solve(view: View, pen: Penalties, sd: Float[Array, "1 p"], unpenalised: Int[Array, " u"]) -> Solution:
    """All alphas of the one set in `view`. `unpenalised` are the column numbers without a penalty."""
    index = unpenalised[None]
    atoms, pinv = pseudo_inverse(view, index)
    penalised = view.usable[0] & (pen.factor2[0] > 0)
    W = jnp.where(penalised, 1.0 / jnp.sqrt(jnp.where(penalised, pen.factor2[0], 1.0)), 0.0)
    values, step = (_kernel if isinstance(view, RowView) else _normal)(view, W, atoms[0], unpenalised, pinv[0])
    strength = pen.lam2[0][:, None]
    regular = strength > RANK * values[-1]
    full_rank = values > RANK * values[-1]
    pseudo = jnp.where(full_rank, 1.0 / jnp.where(full_rank, values, 1.0), 0.0)
    pseudo = jnp.broadcast_to(pseudo[None], (len(strength), len(values)))
    ridge = 1.0 / jnp.where(regular, jnp.maximum(values, 0.0)[None] + strength, 1.0)
    inverse = jnp.where(regular, ridge, pseudo)
    dense = step(jnp.broadcast_to(view.origin(), (len(strength), view.origin().shape[1])), inverse)
    # Least squares: one step of iterative refinement.
    remainder = lambda dense: view.origin()[:, None] - view.explained(dense[None])
    dense = dense + jnp.where(regular, 0.0, step(remainder(dense)[0], pseudo))
    left, shift = refit(view, remainder(dense), atoms, index, pinv)
    dense = dense.at[:, unpenalised].add(shift[0])
    seal = certify(view, left, dense[None], sd, pen)
    # Without a ridge the gap is what the pseudo-inverse would still gain, g'H^+g / 2 with g the gradient.
    gain = jnp.sum(step(left[0], pseudo) * seal.gradient[0], axis=1)
    exact = jnp.where(view.moment[0] > 0, jnp.abs(gain) / jnp.where(view.moment[0] > 0, view.moment[0], 1.0), 0.0)
    return Solution(dense, seal._replace(gap=jnp.where(regular[:, 0], seal.gap, exact)))


def _kernel(view: RowView, W: Array, atoms: Array, unpenalised: Array, pinv: Array) -> tuple[Array, Step]:
    """Eigenvalues of the n x n kernel ZZ' in sqrt(weight) units, and the step through it."""
    root, mean = jnp.sqrt(view.train[0]), view.mean[0]
    tilt = view.design.matmul((W * W * mean)[None, None], view.group)[0, 0]
    kernel = view.design.outer(W * W, view.group[0]) - tilt[:, None] - tilt[None] + jnp.sum((W * mean) ** 2)
    basis = atoms * root[None]

    def off(x):
        return x - jnp.matmul(jnp.matmul(jnp.matmul(x, basis.T, precision=FULL), pinv), basis, precision=FULL)

    values, vectors = jnp.linalg.eigh(off(off(kernel * jnp.outer(root, root)).T))

    def step(remainder, inverse):
        rotated = jnp.matmul(off(remainder * root[None]), vectors, precision=FULL) * inverse
        dual = off(jnp.matmul(rotated, vectors.T, precision=FULL)) * root[None]
        return (W * W)[None] * (view.design.rmatmul(dual[None], view.group)[0] - jnp.outer(jnp.sum(dual, axis=1), mean))

    return values, step


def _normal(view, W: Array, atoms: Array, unpenalised: Array, pinv: Array) -> tuple[Array, Step]:
    """Eigenvalues of the p x p matrix Z'Z, and the step through it."""
    gram = view.train_gram[view.group[0]]
    p = len(W)

    def off(x):
        return x - jnp.matmul(jnp.matmul(x[:, unpenalised], pinv), atoms[:, :p], precision=FULL)

    values, vectors = jnp.linalg.eigh(off(gram) * jnp.outer(W, W))

    def step(remainder, inverse):
        rotated = jnp.matmul(off(remainder[:, :p]) * W[None], vectors, precision=FULL) * inverse
        return W[None] * jnp.matmul(rotated, vectors.T, precision=FULL)

    return values, step
