"""Block coordinate descent for every lane of every set at once.

Within a block of K slots, coordinate k sees the block's changes so far through `q_k - G_block[k] @ D`, so that a step costs
O(K) per lane; then one product per set carries the block's changes to the rest: q -= D @ G[block] in the Gram form, or
through the rows, r -= D @ A[block], where the working set is large against n.
"""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from jaxnet import penalty
from jaxnet.solver import anderson
from jaxnet.solver.restricted import Progress, Restricted, relative_gap
from jaxnet.solver.view import per_set_matmul

BLOCK = 32
"""Slots per block: 16 and 64 were slower (benchmarks/NOTES.md)."""


def solve(problem: Restricted, start: Progress, target: Float[Array, "S L"], budget: Int[Array, ""]) -> Progress:
    """Passes over all slots until every active lane's restricted gap is below its target, or the budget is spent."""
    inverse = _inverse_curvature(problem)

    def step(state):
        B, carry, history, active, passes, used = state
        B, carry = _pass(problem, inverse, start.q, B, carry)
        history = lax.dynamic_update_index_in_dim(history, B, used % len(history), 0)
        B, carry = lax.cond(
            used % len(history) == len(history) - 1,
            lambda: _accelerated(problem, start, history, B, carry),
            lambda: (B, carry),
        )
        gap = relative_gap(problem, B, _gradient(problem, start.q, carry))
        return B, carry, history, active & ~(gap <= target), passes + active, used + 1

    def going(state):
        return jnp.any(state[3]) & (state[5] < budget)

    history = jnp.zeros((anderson.DEPTH + 1, *start.B.shape), start.B.dtype)
    state = (start.B, _carry(problem, start, start.B), history, start.active, start.passes, jnp.zeros_like(budget))
    B, carry, _, active, passes, _ = lax.while_loop(going, step, state)
    return Progress(B, _gradient(problem, start.q, carry), active, passes)


# What passes keep up to date, the carry, is the gradient q in the Gram form, and through the rows (B - B_start)'A.


def _carry(problem: Restricted, start: Progress, B: Float[Array, "S L W"]) -> Array:
    if problem.atoms is None:
        return start.q - per_set_matmul(B - start.B, problem.gram, transpose=False)
    return per_set_matmul(B - start.B, problem.atoms, transpose=False)


def _gradient(problem: Restricted, q0: Float[Array, "S L W"], carry: Array) -> Float[Array, "S L W"]:
    return carry if problem.atoms is None else q0 - per_set_matmul(carry, problem.atoms, transpose=True)


def _pass(problem, inverse, q0, B, carry):
    return (
        _gram_pass(problem, inverse, B, carry) if problem.atoms is None else _row_pass(problem, inverse, q0, B, carry)
    )


def _accelerated(problem: Restricted, start: Progress, history, B, carry):
    """The extrapolated iterate in the lanes whose objective it lowers."""
    further = jnp.clip(anderson.extrapolate(history), problem.lo[:, None], problem.hi[:, None])
    there = _carry(problem, start, further)
    now = anderson.objective(problem, B, _gradient(problem, start.q, carry))
    better = (anderson.objective(problem, further, _gradient(problem, start.q, there)) < now)[..., None]
    return jnp.where(better, further, B), jnp.where(better, there, carry)


def _inverse_curvature(problem: Restricted) -> Float[Array, "S L W"]:
    total = problem.diagonal[:, None] + problem.lam2[..., None] * problem.factor2[:, None]
    return jnp.where(problem.diagonal[:, None] > 0, 1.0 / jnp.where(total > 0, total, 1.0), 0.0)


def _gram_pass(problem, inverse, B, q):
    def block(i, state):
        B, q = state
        rows = lax.dynamic_slice_in_dim(problem.gram, i * BLOCK, BLOCK, 1)
        square = lax.dynamic_slice_in_dim(rows, i * BLOCK, BLOCK, 2)
        change = _block_steps(problem, inverse, square, _columns(q, i), B, i)
        q = q - per_set_matmul(change, rows, transpose=False)
        return lax.dynamic_update_slice_in_dim(B, _columns(B, i) + change, i * BLOCK, 2), q

    return lax.fori_loop(0, -(-jnp.max(problem.used) // BLOCK), block, (B, q))


def _row_pass(problem, inverse, q0, B, moved):
    def block(i, state):
        B, moved = state
        rows = lax.dynamic_slice_in_dim(problem.atoms, i * BLOCK, BLOCK, 1)
        square = lax.dynamic_slice_in_dim(problem.gram, i * BLOCK, BLOCK, 1)
        gradient = _columns(q0, i) - per_set_matmul(moved, rows, transpose=True)
        change = _block_steps(problem, inverse, square, gradient, B, i)
        moved = moved + per_set_matmul(change, rows, transpose=False)
        return lax.dynamic_update_slice_in_dim(B, _columns(B, i) + change, i * BLOCK, 2), moved

    return lax.fori_loop(0, -(-jnp.max(problem.used) // BLOCK), block, (B, moved))


def _columns(x: Float[Array, "S L W"], i) -> Float[Array, "S L K"]:
    return lax.dynamic_slice_in_dim(x, i * BLOCK, BLOCK, 2)


def _block_steps(problem: Restricted, inverse, square, gradient, B, i) -> Float[Array, "S L K"]:
    """The changes of one block: K coordinate steps, each minimising its coordinate exactly."""
    slot = lambda x: lax.dynamic_slice_in_dim(x, i * BLOCK, BLOCK, 1)
    lane = lambda x: jnp.swapaxes(_columns(x, i), 1, 2)
    old = lane(B)
    ahead = jnp.swapaxes(gradient, 1, 2) + slot(problem.diagonal)[..., None] * old
    scale, threshold = lane(inverse), slot(problem.factor1)[..., None] * problem.lam1[:, None]
    lo, hi = slot(problem.lo)[..., None], slot(problem.hi)[..., None]

    def coordinate(k, change):
        at = lambda x: lax.dynamic_index_in_dim(x, k, 1, keepdims=False)
        u = at(ahead) - jnp.sum(at(square)[..., None] * change, axis=1)
        new = jnp.clip(penalty.soft(u, at(threshold)) * at(scale), at(lo), at(hi))
        return lax.dynamic_update_index_in_dim(change, new - at(old), k, 1)

    zero = jnp.zeros_like(old)
    return jnp.swapaxes(lax.fori_loop(0, BLOCK, coordinate, zero), 1, 2)
