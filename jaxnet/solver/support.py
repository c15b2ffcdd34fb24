"""Supports: which coefficients are nonzero is a matter of the solution, not of rounding.

Two things give coefficients to columns that an exact solution leaves out:

- a solver that stops at a gap leaves what its next steps would take away. A coefficient that its own coordinate step would
  set to zero, |x_j'r + |x_j|^2 b_j| <= l1, or whose whole effect on the objective is nothing beside tol, is zero;
- a lasso whose active columns A are collinear has many solutions: where X_A v = 0, all b + t v fit alike, and at the
  optimum, where x_j'r = l1_j sign b_j, they cost alike until a coefficient is zero. One goes there, again and again, until
  the active columns are independent: a basic solution. For almost every y all active sets of a lasso have one rank
  (Tibshirani and Taylor 2012), so that no solution has fewer nonzeros than a basic one.

A ridge part makes the solution unique, whatever is collinear: then only the first is done.
"""

from typing import NamedTuple

import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float

NOTHING = 1e-6
"""Of tol: the change of the relative objective up to which a coefficient has no effect."""
STILL = 1e-8
"""Of a unit column: a smaller part in the null space is none."""


def pruned(B: Array, q: Array, diagonal: Array, l1: Array, nothing: Array) -> Array:
    """Without the penalised coefficients that their own step sets to zero, or that move the objective by `nothing` at most.

    All broadcast to (S, L, W): q = x'r, the squared norms `diagonal`, and the L1 weights.
    """
    size = jnp.abs(B)
    alone = jnp.abs(q + diagonal * B) <= l1
    idle = size * (jnp.abs(q) + l1 + diagonal * size) <= nothing
    return jnp.where((l1 > 0) & (alone | idle), 0.0, B)


def basic(
    z: Float[np.ndarray, " k"],
    null: Float[np.ndarray, "k d"],
    cost: Float[np.ndarray, " k"],
    bounds: tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]],
    nothing: float,
) -> Float[np.ndarray, " k"]:
    """From nonzero z along the null space to where it moves none: coefficients go to zero, or to a bound, one by one.

    The next is the one that is the nearest to zero there. Of the two ends of its line, where the first coefficient meets
    zero or a bound, the nearer counts if the penalty, the sum of cost |z|, rises by `nothing` at most, else the other.
    """
    z, lower, upper = z.copy(), *bounds
    for j in np.flatnonzero((z <= lower) | (z >= upper)):
        null = _without(null, j)
    while null.shape[1]:
        part = np.linalg.norm(null, axis=1)
        moving = part > STILL
        if not moving.any():
            break
        nearest = np.argmin(np.where(moving, np.abs(z) / np.where(moving, part, 1.0), np.inf))
        line = np.where(moving, null @ null[nearest], 0.0)
        near, far = sorted((_end(z, way, lower, upper) for way in (line, -line)), key=lambda end: end.length)
        end = near if near.length * float(np.sum(cost * np.sign(z) * near.way)) <= nothing else far
        if not np.isfinite(end.length):
            break
        z += end.length * end.way
        z[end.hit] = end.value
        null = _without(null, end.hit)
    return z


class _End(NamedTuple):
    """Where z goes along `way`: how far, until which coefficient meets zero or a bound, and what that is then."""

    length: float
    way: Float[np.ndarray, " k"]
    hit: int
    value: float


def _end(z, way, lower, upper) -> _End:
    target = np.where(z * way < 0, 0.0, np.where(way > 0, upper, lower))
    length = np.full(len(z), np.inf)
    np.divide(target - z, way, out=length, where=(way != 0) & np.isfinite(target))
    hit = int(np.argmin(length))
    return _End(float(length[hit]), way, hit, float(target[hit]))


def _without(null: Float[np.ndarray, "k d"], j: int) -> Float[np.ndarray, "k e"]:
    """The part of the space in which coefficient j stays: a reflection takes row j to its first column, which goes."""
    row = null[j].copy()
    size = np.linalg.norm(row)
    if size <= STILL:
        return null
    row[0] += np.copysign(size, row[0])
    kept = null - np.outer(null @ row, row) * (2 / (row @ row))
    kept[j] = 0.0
    return kept[:, 1:]
