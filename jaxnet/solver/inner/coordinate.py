"""Coordinate descent, lane after lane, written for XLA to compile into one native loop.

A coordinate step costs O(1) where the coefficient stays at zero, and one row otherwise: in the Gram form its change d takes
the gradient of every slot along, q -= d G_j; through the rows, where the working set is large against n, the change of the
residual is carried, carry += d A_j, and a gradient is read off it, q_j = q0_j - A_j carry.

There is no product, no custom call and no scatter in here, and sums are folded (sums.py): what XLA then makes of the loops
is one function of machine code with vectorised rows (benchmarks/NOTES.md has the figures of other ways).
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from jaxnet.penalty import elastic_net
from jaxnet.solver.inner import anderson
from jaxnet.solver.restricted import Lane, Progress, Restricted, lane_of, relative_gap
from jaxnet.solver.sums import total

TIGHT = 1e-6
"""Targets above this bound Anderson's weights, so that rounding is not magnified; below, all that they give is needed."""
CHUNK = 512
"""Slots of a gradient that one step of its update takes; the update ends with the slots in use."""


def solve(problem: Restricted, start: Progress, target: Float[Array, "S L"], limit: Int[Array, ""]) -> Progress:
    """Passes over the slots in use until every active lane's restricted gap is below its target, or has had `limit` passes."""
    sets, lanes = start.active.shape

    def one(t, state):
        s, lane = t // lanes, t % lanes
        cut = lambda x: lax.dynamic_slice(x, (s, lane, *[0] * (x.ndim - 2)), (1, 1, *x.shape[2:]))[0, 0]
        mine = lane_of(problem, s, cut(problem.lam1), cut(problem.lam2))
        end = _solve_lane(problem, s, mine, Progress(*map(cut, state)), cut(target), limit)
        back = lambda x, y: lax.dynamic_update_slice(x, y[None, None], (s, lane, *[0] * (x.ndim - 2)))
        return Progress(*map(back, state, end))

    return lax.fori_loop(0, sets * lanes, one, start)


class _Point(NamedTuple):
    """Coefficients, their gradients (through the rows: each as of its last visit), and the carry (none in the Gram form)."""

    b: Float[Array, " W"]
    q: Float[Array, " W"]
    carry: Float[Array, " m"]


@dataclass(frozen=True)
class _Form(ABC):
    """How the slots of set s are seen. `matrix` holds a row per slot; q0 are the gradients at the start."""

    matrix: Float[Array, "S W m"]
    s: Int[Array, ""]
    lane: Lane
    q0: Float[Array, " W"]
    threshold: Float[Array, " W"]

    affine: ClassVar[str]
    """what of a point, beside its coefficients, is affine in them and kept up to date"""

    def row(self, j, start, size: int) -> Float[Array, " size"]:
        """Part of the row of slot j."""
        return lax.dynamic_slice(self.matrix, (self.s, j.astype(self.s.dtype), start), (1, 1, size))[0, 0]

    @abstractmethod
    def begin(self, b: Float[Array, " W"]) -> _Point:
        """The point at the start."""

    @abstractmethod
    def gradient(self, j, point: _Point) -> Float[Array, ""]:
        """The gradient of slot j."""

    @abstractmethod
    def move(self, j, change, gradient, point: _Point) -> _Point:
        """The point after coefficient j, whose gradient is given, has changed."""

    @abstractmethod
    def renewed(self, point: _Point) -> Float[Array, " W"]:
        """All gradients, exact."""

    @abstractmethod
    def gain(self, b: Float[Array, " W"], affine: Array, point: _Point, start: Float[Array, " W"]) -> Float[Array, ""]:
        """The objective at the point less that at b; `start` are the coefficients whose gradient is q0."""


class _Gram(_Form):
    """Through the Gram matrix: q is exact at any time."""

    affine = "q"

    def begin(self, b):
        return _Point(b, self.q0, jnp.zeros(0, self.q0.dtype))

    def gradient(self, j, point):
        return _at(point.q, j)

    def move(self, j, change, gradient, point):
        size = min(CHUNK, len(point.q))

        def chunk(i, q):
            part = lax.dynamic_slice(q, (i * size,), (size,)) - change * self.row(j, i * size, size)
            return lax.dynamic_update_slice(q, part, (i * size,))

        if size == len(point.q):  # a loop of one step would make XLA before jax 0.12 copy the whole point
            return point._replace(q=chunk(0, point.q))
        return point._replace(q=lax.fori_loop(0, -(-self.lane.used // size), chunk, point.q))

    def renewed(self, point):
        return point.q

    def gain(self, b, affine, point, start):
        objective = lambda b, q: elastic_net.value(b, self.lane.terms) - 0.5 * (self.q0 + q) * (b - start)
        return total(objective(point.b, point.q) - objective(b, affine))


class _Rows(_Form):
    """Through the scaled columns A: the carry is (b - b_start) A, gradients are as of the slot's last visit."""

    affine = "carry"

    def begin(self, b):
        return _Point(b, self.q0, jnp.zeros(self.matrix.shape[2], self.q0.dtype))

    def gradient(self, j, point):
        return _at(self.q0, j) - total(self.row(j, 0, len(point.carry)) * point.carry)

    def move(self, j, change, gradient, point):
        left = gradient - change * _at(self.lane.diagonal, j)
        carry = point.carry + change * self.row(j, 0, len(point.carry))
        return point._replace(q=_put(point.q, left, j), carry=carry)

    def renewed(self, point):
        return lax.fori_loop(0, self.lane.used, lambda j, q: _put(q, self.gradient(j, point), j), point.q)

    def gain(self, b, affine, point, start):
        change = (
            elastic_net.value(point.b, self.lane.terms)
            - elastic_net.value(b, self.lane.terms)
            - self.q0 * (point.b - b)
        )
        return total(change) + 0.5 * total(point.carry * point.carry - affine * affine)


def _at(x, j):
    return lax.dynamic_index_in_dim(x, j, 0, keepdims=False)


def _put(x, value, j):
    return lax.dynamic_update_index_in_dim(x, value, j, 0)


class _State(NamedTuple):
    point: _Point
    going: Bool[Array, ""]
    active: Bool[Array, ""]
    """whether the gap is not known to be below target"""
    exact: Bool[Array, ""]
    """whether all gradients of the point are exact"""
    passes: Int[Array, ""]
    used: Int[Array, ""]
    """passes in this solve"""


History = tuple[Float[Array, "SPAN W"], Float[Array, "SPAN m"]]
"""The points after the last passes: their coefficients, and what is affine in them."""


def _solve_lane(problem: Restricted, s, lane: Lane, start: Progress, target, limit) -> Progress:
    """Passes and Anderson steps of one lane, until the gap of exact gradients is below target."""
    make, matrix = (_Gram, problem.gram) if problem.scaled is None else (_Rows, problem.scaled)
    form = make(matrix, s, lane, start.q, jnp.broadcast_to(lane.terms.l1, lane.diagonal.shape))
    one_pass = _pass(form)
    ridge = jnp.where(target > TIGHT, target, 0.0)
    no, yes = jnp.array(False), jnp.array(True)

    def sweep(state: _State, history: History) -> _State:
        full = (state.used > 0) & (state.used % anderson.SPAN == 0)
        extrapolate = lambda point: _accelerated(form, start.B, history, point, ridge)
        point = one_pass(lax.cond(full, extrapolate, lambda point: point, state.point))
        exact = jnp.array(form.affine == "q")
        return state._replace(point=point, exact=exact, passes=state.passes + 1, used=state.used + 1)

    def renew(state: _State, history: History) -> _State:
        return state._replace(point=state.point._replace(q=form.renewed(state.point)), exact=yes)

    def step(both: tuple[_State, History]) -> tuple[_State, History]:
        """Look at the gap; below target by gradients of which some are old, renew them and look again; else sweep."""
        state, history = both
        small = relative_gap(lane, state.point.b, state.point.q) <= target
        settled, spent = small & state.exact, ~small & (state.passes >= limit)
        state = lax.switch(
            jnp.where(settled, 0, jnp.where(spent, 1, jnp.where(small, 2, 3))),
            (
                lambda x, _: x._replace(going=no, active=no),
                lambda x, _: x._replace(going=no),
                renew,
                sweep,
            ),
            state,
            history,
        )
        # Here and not in `sweep`: what goes through a branch is copied before jax 0.12.
        at = (state.used - 1) % anderson.SPAN
        now = (state.point.b, getattr(state.point, form.affine))
        return state, tuple(lax.dynamic_update_index_in_dim(h, x, at, 0) for h, x in zip(history, now, strict=True))

    point = form.begin(start.B)
    history = tuple(jnp.zeros((anderson.SPAN, len(x)), x.dtype) for x in (point.b, getattr(point, form.affine)))
    state = _State(point, start.active, start.active, yes, start.passes, jnp.zeros_like(limit))
    end, _ = lax.while_loop(lambda x: x[0].going, step, (state, history))
    return Progress(end.point.b, end.point.q, end.active, end.passes)


def _pass(form: _Form) -> Callable[[_Point], _Point]:
    """One pass: every slot that has a coefficient, or whose gradient is beyond its threshold, goes to its minimum in turn.

    The slots to visit are listed first: a branch inside the loop would make XLA before jax 0.12 copy the whole point.
    """
    lane = form.lane
    curvature = lane.diagonal + lane.terms.l2
    inverse = jnp.where(lane.diagonal > 0, 1.0 / jnp.where(curvature > 0, curvature, 1.0), 0.0)

    def visit(j, point: _Point) -> _Point:
        gradient, old = form.gradient(j, point), _at(point.b, j)

        def step(_, state):
            new = elastic_net.soft(gradient + _at(lane.diagonal, j) * old, _at(form.threshold, j)) * _at(inverse, j)
            if lane.terms.bounded:
                new = jnp.clip(new, _at(lane.terms.lo, j), _at(lane.terms.hi, j))
            return new, new - old

        new, change = lax.fori_loop(0, jnp.minimum(j + 1, 1), step, (old, jnp.zeros_like(old)))
        return form.move(j, change, gradient, point._replace(b=_put(point.b, new, j)))

    def one_pass(point: _Point) -> _Point:
        def enlist(j, state):
            order, count = state
            awake = (_at(point.b, j) != 0) | (jnp.abs(_at(point.q, j)) > _at(form.threshold, j))
            return _put(order, j.astype(jnp.int32), count), count + awake

        order, count = lax.fori_loop(0, lane.used, enlist, (jnp.zeros(len(point.b), jnp.int32), jnp.zeros((), int)))
        return lax.fori_loop(0, count, lambda i, p: visit(_at(order, i), p), point)

    return one_pass


def _accelerated(form: _Form, start: Float[Array, " W"], history: tuple, point: _Point, ridge) -> _Point:
    """The extrapolated iterate if it lowers the objective."""
    lane = form.lane
    # Powers of two near the columns' norms: the weights do not depend on those by which X is stored.
    unit = jnp.ldexp(jnp.ones_like(lane.diagonal), jnp.frexp(jnp.sqrt(lane.diagonal))[1])
    weights = anderson.weights(history[0] * unit[None], ridge)
    b = anderson.combine(weights, history[0])
    if lane.terms.bounded:  # a combination leaves the bounds, and what is clipped is no combination any more
        inside = jnp.all((b >= lane.terms.lo) & (b <= lane.terms.hi))
        weights = jnp.where(inside, weights, anderson.last())
        b = jnp.where(inside, b, point.b)
    affine = anderson.combine(weights, history[1])
    better = form.gain(b, affine, point, start) > 0
    return point._replace(
        **{"b": jnp.where(better, b, point.b), form.affine: jnp.where(better, affine, getattr(point, form.affine))}
    )
