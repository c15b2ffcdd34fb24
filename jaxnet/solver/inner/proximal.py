"""Accelerated proximal gradient for every lane of every set at once: products only, so it suits a GPU.

FISTA (Beck, Teboulle 2009) in coordinates scaled by each column's norm (the penalty is separable, so its proximal step
stays exact), with the gradient restart of O'Donoghue and Candes (2015) per lane and a step size from the largest
eigenvalue of each set's scaled Gram matrix, enlarged whenever an objective rises. A lane whose support has settled but
whose gap has not tries a Newton step on it (newton.py).
"""

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from jaxnet.penalty import elastic_net
from jaxnet.solver.inner import newton
from jaxnet.solver.restricted import Progress, Restricted, relative_gaps
from jaxnet.solver.view import per_set_matmul

CHECK_EVERY = 10
POWER_STEPS = 30
MARGIN = 1.05


def solve(problem: Restricted, start: Progress, target: Float[Array, "S L"], limit: Int[Array, ""]) -> Progress:
    """Steps until every active lane's restricted gap is below its target, or has had `limit` steps."""
    if problem.scaled is not None and problem.scaled.shape[1] <= problem.scaled.shape[2]:  # then G makes steps cheaper
        problem = problem._replace(scaled=None, gram=per_set_matmul(problem.scaled, problem.scaled, transpose=True))
    terms = problem.terms()
    curvature = jnp.where(problem.diagonal > 0, problem.diagonal, 1.0)[:, None]
    bound = _largest_eigenvalue(problem, curvature)[:, None] * jnp.ones_like(start.active, start.B.dtype)

    def one(i, state):
        B, B_old, momentum, bound = state
        theta = 0.5 * (1 + jnp.sqrt(1 + 4 * momentum**2))
        push = ((momentum - 1) / theta)[..., None]
        Y = B + push * (B - B_old)
        q = _gradient(problem, start, Y)
        weight = bound[..., None] * curvature
        new = elastic_net.minimiser(q + weight * Y, weight, terms)
        uphill = jnp.sum((Y - new) * weight * (new - B), axis=2) > 0
        return new, B, jnp.where(uphill, 1.0, theta), bound

    def step(state):
        B, B_old, momentum, bound, active, passes, used, last, support = state
        count = jnp.minimum(CHECK_EVERY, limit - used)
        B, B_old, momentum, bound = lax.fori_loop(0, count, one, (B, B_old, momentum, bound))
        q = _gradient(problem, start, B)
        now = _objective(problem, B, q)
        rose = now > last + 1e-6 * jnp.abs(last)
        bound, momentum = jnp.where(rose, 2 * bound, bound), jnp.where(rose, 1.0, momentum)
        active = active & ~(relative_gaps(problem, B, q) <= target)
        settled = active & jnp.all(jnp.sign(B) == support, axis=2)
        support = jnp.sign(B)
        polish = lambda *now: _polished(problem, start, settled, *now)
        B, q, now, moved = lax.cond(jnp.any(settled), polish, lambda *now: (*now, settled & False), B, q, now)
        B_old, momentum = jnp.where(moved[..., None], B, B_old), jnp.where(moved, 1.0, momentum)
        passes = passes + count * active
        active = active & ~(moved & (relative_gaps(problem, B, q) <= target))
        return B, B_old, momentum, bound, active, passes, used + count, now, support

    def going(state):
        return jnp.any(state[4]) & (state[6] < limit)

    used = jnp.min(jnp.where(start.active, start.passes, limit))
    first = _objective(problem, start.B, start.q)
    state = (start.B, start.B, jnp.ones_like(bound), bound, start.active, start.passes, used, first, jnp.sign(start.B))
    B, _, _, _, active, passes, *_ = lax.while_loop(going, step, state)
    return Progress(B, _gradient(problem, start, B), active, passes)


def _polished(problem: Restricted, start: Progress, wanted, B, q, objective):
    """The wanted lanes after a Newton step where that lowers the objective: B, q, objectives, and which lanes moved."""
    moved = jnp.zeros_like(wanted)
    for candidate in newton.step(problem, B, q, wanted):
        there = _gradient(problem, start, candidate)
        value = _objective(problem, candidate, there)
        better = wanted & (value < objective)
        B, q = (jnp.where(better[..., None], new, old) for new, old in ((candidate, B), (there, q)))
        objective, moved = jnp.where(better, value, objective), moved | better
    return B, q, objective, moved


def _apply(problem: Restricted, D: Float[Array, "S L W"]) -> Float[Array, "S L W"]:
    """D G for every set, in whichever form the problem has."""
    if problem.scaled is None:
        return per_set_matmul(D, problem.gram, transpose=False)
    return per_set_matmul(per_set_matmul(D, problem.scaled, transpose=False), problem.scaled, transpose=True)


def _gradient(problem: Restricted, start: Progress, B: Float[Array, "S L W"]) -> Float[Array, "S L W"]:
    return start.q - _apply(problem, B - start.B)


def _objective(problem: Restricted, B, q) -> Float[Array, "S L"]:
    rss = problem.moment[:, None] - jnp.sum((problem.cross[:, None] + q) * B, axis=2)
    return 0.5 * rss + jnp.sum(elastic_net.value(B, problem.terms()), axis=2)


def _largest_eigenvalue(problem: Restricted, curvature: Float[Array, "S 1 W"]) -> Float[Array, " S"]:
    """Power iteration on D^-1/2 G D^-1/2, from a fixed start with every sign, times a small margin."""
    root = jnp.sqrt(curvature)
    v = jnp.broadcast_to(1.0 + 0.1 * jnp.sin(jnp.arange(curvature.shape[2], dtype=root.dtype)), root.shape)
    v = v * (problem.diagonal > 0)[:, None]

    def one(i, state):
        v, _ = state
        image = _apply(problem, v / root) / root
        size = jnp.linalg.norm(image, axis=2, keepdims=True)
        return image / jnp.where(size > 0, size, 1.0), size[:, 0, 0] / jnp.maximum(
            jnp.linalg.norm(v, axis=2)[:, 0], 1e-30
        )

    _, size = lax.fori_loop(0, POWER_STEPS, one, (v, jnp.ones(v.shape[0], v.dtype)))
    return MARGIN * jnp.maximum(size, 1.0)
