"""Block coordinate descent, set after set, and in a set lane after lane or all lanes together.

Within a block of K slots, coordinate k sees the block's changes so far, D, through `q_k - D @ G_block[k]`, so that a step
costs O(K) per lane; then one product carries the block's changes to the rest: q -= D @ G[block] in the Gram form, or
through the rows, r -= D @ A[block], where the working set is large against n.

Together the lanes share the reading of the Gram matrix until few of them are left; those go on one by one, since a pass
costs about as much as three lanes however few they are (benchmarks/NOTES.md). It pays where the lanes need much the same
passes over much the same columns: in tall problems.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from jaxnet import penalty
from jaxnet.solver import anderson
from jaxnet.solver.restricted import Lanes, Progress, Restricted, lanes_of, relative_gap
from jaxnet.solver.view import FULL

BLOCK = 32
"""Slots per block: neither 16 nor 64 is faster throughout (benchmarks/NOTES.md)."""
STRAGGLERS = 4
"""Lanes go on alone once at most one in so many of those solved together is left."""


def solve(problem: Restricted, start: Progress, target: Float[Array, "S L"], limit: Int[Array, ""]) -> Progress:
    """Passes over the slots in use until every active lane's restricted gap is below its target, or has had `limit` passes."""
    lanes = start.active.shape[1]
    if lanes > 1 and problem.together:
        start = _by_groups(problem, start, target, limit, lanes, lanes // STRAGGLERS)
    return _by_groups(problem, start, target, limit, 1, 0)


def _by_groups(problem: Restricted, start: Progress, target, limit, at_once: int, spare: int) -> Progress:
    """Solve `at_once` lanes of a set after the other, each such group until at most `spare` of its lanes are active."""
    sets, lanes = start.active.shape

    def group(t, state):
        s, first = t // (lanes // at_once), t % (lanes // at_once) * at_once
        part = lambda x: lax.dynamic_slice(x, (s, first, *[0] * (x.ndim - 2)), (1, at_once, *x.shape[2:]))[0]
        mine = lanes_of(problem, s, part(problem.lam1), part(problem.lam2))
        end = _solve_lanes(problem, s, mine, Progress(*map(part, state)), part(target), limit, spare)
        back = lambda x, y: lax.dynamic_update_slice(x, y[None], (s, first, *[0] * (x.ndim - 2)))
        return jax.tree.map(back, state, end)

    return lax.fori_loop(0, sets * (lanes // at_once), group, start)


class _Fixed(NamedTuple):
    """What the passes over some lanes of set s read. `q0` is the gradient at the start, `inverse` 1 / curvature."""

    problem: Restricted
    s: Int[Array, ""]
    lanes: Lanes
    q0: Float[Array, "a W"]
    threshold: Float[Array, "a W"]
    inverse: Float[Array, "a W"]

    def rows(self, i) -> tuple[Float[Array, "K m"], Float[Array, "K K"]]:
        """What block i needs of the problem: its rows of the Gram matrix or of the scaled columns, and its own square."""
        cut = lambda x: lax.dynamic_slice(x, (self.s, i * BLOCK, 0), (1, BLOCK, x.shape[2]))[0]
        if self.problem.scaled is None:
            rows = cut(self.problem.gram)
            return rows, lax.dynamic_slice_in_dim(rows, i * BLOCK, BLOCK, 1)
        return cut(self.problem.scaled), cut(self.problem.gram)

    def image(self, D: Float[Array, "a W"]) -> Float[Array, "a m"]:
        """What a change D of the coefficients adds to the carry, a block after the other."""
        add = lambda i, total: total + jnp.matmul(_columns(D, i), self.rows(i)[0], precision=FULL)
        return lax.fori_loop(0, self.blocks(), add, self.still(len(D)))

    def still(self, lanes: int) -> Float[Array, "a m"]:
        """The carry before any change."""
        m = (self.problem.gram if self.problem.scaled is None else self.problem.scaled).shape[2]
        return jnp.zeros((lanes, m), self.q0.dtype)

    def gradient(self, carry: Float[Array, "a m"]) -> Float[Array, "a W"]:
        """x'r in every slot."""
        if self.problem.scaled is None:
            return self.q0 - carry

        def block(i, q):
            change = jnp.matmul(carry, self.rows(i)[0].T, precision=FULL)
            return lax.dynamic_update_slice_in_dim(q, _columns(q, i) - change, i * BLOCK, 1)

        return lax.fori_loop(0, self.blocks(), block, self.q0)

    def blocks(self) -> Int[Array, ""]:
        return -(-self.lanes.used // BLOCK)


def _columns(x: Float[Array, "a W"], i) -> Float[Array, "a K"]:
    return lax.dynamic_slice_in_dim(x, i * BLOCK, BLOCK, x.ndim - 1)


def _solve_lanes(problem, s, lanes: Lanes, start: Progress, target, limit, spare: int) -> Progress:
    """Passes and Anderson steps. The carry is (B - B_start) G in the Gram form, (B - B_start) A through the rows."""
    _, diagonal, factor1, factor2, _, _ = lanes.slots
    curvature = diagonal + lanes.lam2[:, None] * factor2
    inverse = jnp.where(diagonal > 0, 1.0 / jnp.where(curvature > 0, curvature, 1.0), 0.0)
    fixed = _Fixed(problem, s, lanes, start.q, lanes.lam1[:, None] * factor1, inverse)
    history = jnp.zeros((anderson.DEPTH + 1, *start.B.shape), start.B.dtype)

    def step(state):
        B, carry, _, history, active, passes, used = state
        B, carry = lax.fori_loop(0, fixed.blocks(), lambda i, x: _block(fixed, i, *x), (B, carry))
        history = lax.dynamic_update_index_in_dim(history, B, used % len(history), 0)
        B, carry = lax.cond(
            used % len(history) == len(history) - 1,
            lambda: _accelerated(fixed, start.B, history, B, carry),
            lambda: (B, carry),
        )
        q = fixed.gradient(carry)
        return B, carry, q, history, active & ~(relative_gap(lanes, B, q) <= target), passes + active, used + 1

    def going(state):
        _, _, _, _, active, passes, _ = state
        return jnp.sum(active & (passes < limit)) > spare

    zero = jnp.zeros_like(limit)
    state = (start.B, fixed.still(len(start.B)), start.q, history, start.active, start.passes, zero)
    B, _, q, _, active, passes, _ = lax.while_loop(going, step, state)
    return Progress(B, q, active, passes)


def _accelerated(fixed: _Fixed, B_start, history, B, carry):
    """The extrapolated iterate in the lanes whose objective it lowers."""
    further = anderson.extrapolate(history)
    _, _, _, _, lo, hi = fixed.lanes.slots
    further = further if lo is None else jnp.clip(further, lo, hi)
    there = fixed.image(further - B_start)
    now = anderson.objective(fixed.lanes, B, fixed.gradient(carry))
    better = (anderson.objective(fixed.lanes, further, fixed.gradient(there)) < now)[:, None]
    return jnp.where(better, further, B), jnp.where(better, there, carry)


def _block(fixed: _Fixed, i, B, carry):
    """One block: its gradient, its coordinate steps, and what their changes add to the carry.

    In the Gram form the gradient is at hand, and a block at rest (all zero, and no gradient beyond its threshold) is skipped.
    """

    def visit(B, carry):
        rows, square = fixed.rows(i)
        behind = _columns(carry, i) if fixed.problem.scaled is None else jnp.matmul(carry, rows.T, precision=FULL)
        change = _steps(fixed, i, square, _columns(fixed.q0, i) - behind, _columns(B, i))
        B = lax.dynamic_update_slice_in_dim(B, _columns(B, i) + change, i * BLOCK, 1)
        return B, carry + jnp.matmul(change, rows, precision=FULL)

    if fixed.problem.scaled is not None:
        return visit(B, carry)
    beyond = jnp.abs(_columns(fixed.q0, i) - _columns(carry, i)) > _columns(fixed.threshold, i)
    return lax.cond(jnp.any((_columns(B, i) != 0) | beyond), visit, lambda *x: x, B, carry)


def _steps(fixed: _Fixed, i, square: Float[Array, "K K"], gradient: Float[Array, "a K"], old: Float[Array, "a K"]):
    """The changes of one block: K coordinate steps, each minimising its coordinate exactly."""
    lane = lambda x: _columns(x, i).T
    _, diagonal, _, _, lo, hi = fixed.lanes.slots
    start, threshold, inverse = old.T, lane(fixed.threshold), lane(fixed.inverse)
    ahead = gradient.T + lane(diagonal) * start
    at = lambda x, k: lax.dynamic_index_in_dim(x, k, 0, keepdims=False)

    def coordinate(k, change: Float[Array, "K a"]):
        u = at(ahead, k) - jnp.sum(at(square, k)[:, None] * change, axis=0)
        new = penalty.soft(u, at(threshold, k)) * at(inverse, k)
        if lo is not None:
            new = jnp.clip(new, at(lane(lo), k), at(lane(hi), k))
        return lax.dynamic_update_index_in_dim(change, new - at(start, k), k, 0)

    return lax.fori_loop(0, BLOCK, coordinate, jnp.zeros_like(start)).T
