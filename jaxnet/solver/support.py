"""Supports: which coefficients are nonzero is a matter of the solution, not of rounding.

Two things give coefficients to columns that an exact solution leaves out:

- a solver that stops at a gap leaves what its next steps would take away. A coefficient that its own coordinate step would
  set to zero, |x_j'r + |x_j|^2 b_j| <= l1, or whose whole effect on the objective is nothing beside tol, is zero;
- a lasso whose active columns A are collinear has many solutions: where X_A v = 0, all b + t v fit alike, and at the
  optimum, where x_j'r = l1_j sign b_j, they cost alike until a coefficient is zero. One goes there, again and again, until
  the active columns are independent: a basic solution (basic.py). For almost every y all active sets of a lasso have one rank
  (Tibshirani and Taylor 2012), so that no solution has fewer nonzeros than a basic one.

A ridge part makes the solution unique, whatever is collinear: then only the first is done.
"""

import jax.numpy as jnp
from jaxtyping import Array

NOTHING = 1e-6
"""Of tol: the change of the relative objective up to which a coefficient has no effect."""


def pruned(B: Array, q: Array, diagonal: Array, l1: Array, nothing: Array) -> Array:
    """Without the penalised coefficients that their own step sets to zero, or that move the objective by `nothing` at most.

    All broadcast to (S, L, W): q = x'r, the squared norms `diagonal`, and the L1 weights.
    """
    size = jnp.abs(B)
    alone = jnp.abs(q + diagonal * B) <= l1
    idle = size * (jnp.abs(q) + l1 + diagonal * size) <= nothing
    return jnp.where((l1 > 0) & (alone | idle), 0.0, B)
