"""The walk: sequential in alpha with warm starts, parallel over every set and lane of a chunk.

Knots, alphas not far apart, are solved one after the other, each from the last two solutions extrapolated. The alphas
between two knots are interpolated and certified, all at once; only fits that miss `tol` are solved (between.py).
"""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
from jaxtyping import Float, Int

from jaxnet.solver import between, working_set
from jaxnet.solver.between import Ends
from jaxnet.solver.mark import Mark, State
from jaxnet.solver.place import Base, null_fit
from jaxnet.solver.rounds import Slots, Start, judge, settle
from jaxnet.solver.task import Step, Task, report

KNOT_RATIO = 0.8
"""Knots are at most so far apart in alpha, where the grid is so fine (benchmarks/NOTES.md)."""
KNOT_RATIO_SINGLE, MANY = 0.85, 16
"""The same for MANY sets of a single lane: there one fit that fails between knots costs a pass over all sets."""
LEAD_TOL = 1e-2
SINGLE_LIMIT = 1e-5
SINGLE_FACTOR = 1e15
"""Beyond this relative penalty factor single precision would overflow."""
SINGLE_COLUMNS = 256
"""The inner solver starts in single precision where tol is at least SINGLE_LIMIT and there are so many columns that it pays."""


def walk(task: Task, start: Mark | None = None) -> Iterator[Step | Mark]:
    """Solve the task: every certified alpha as a step, and after every knot a mark, which says where the walk stands.

    A mark is good until the walk is asked to go on, as its memory is used again. Whoever asks for no more has stopped it; from
    the mark where it stood, `start`, a walk goes on as if it had never stopped.
    """
    state, last, before = start or (_begin(task), None, None)
    knots = _knots(task)
    most = int(np.diff(knots).max(initial=1)) - 1
    for k in knots if start is None else knots[knots > start.last]:
        state, step = _advance(task, state, k, last, before)
        last, before = k, last
        if k >= task.skip:
            yield step
            if before is not None and before >= task.skip and k - before > 1:
                pair = between.Pair(before, k, state.slots, state.old, state.now)
                state = state._replace(slots=(yield from between.fill(task, pair, most)))
        if k < knots[-1]:
            yield Mark(state, last, before)


def solve_one(task: Task) -> Step:
    """The fits of a task with one alpha."""
    return next(found for found in walk(task) if isinstance(found, Step))


def _knots(task: Task) -> Int[np.ndarray, " K"]:
    """The alphas to solve: all of the lead-in, the first and the last requested ones, and of those between few enough."""
    strength, (sets, lanes, count) = task.strength, task.lam1.shape
    if task.exact:  # what lies between knots would be as close as its gap
        return np.arange(count)
    ratio = KNOT_RATIO_SINGLE if lanes == 1 and sets >= MANY else KNOT_RATIO
    knots = list(range(min(task.skip + 1, count)))
    while knots[-1] < count - 1:
        last = knots[-1]
        near = np.all(strength[:, :, last + 1 :] >= ratio * strength[:, :, last : last + 1], axis=(0, 1))
        knots.append(last + max(int(near.sum()), 1))
    return np.array(knots)


def _begin(task: Task) -> State:
    """All coefficients zero but the unpenalised ones, which sit in the first slots and are fitted exactly."""
    sets, lanes = task.lam1.shape[:2]
    large = task.view.usable.shape[1] >= SINGLE_COLUMNS
    mild = max(task.penalties.factor1.max(), task.penalties.factor2.max()) < SINGLE_FACTOR
    dtype = np.float32 if large and mild and task.tol.min() >= SINGLE_LIMIT else np.float64
    ws = working_set.build(task.view, [task.unpenalised] * sets, dtype)
    free = np.tile(task.unpenalised.astype(np.int32), (sets, 1))
    gradient, pinv = null_fit(task.view, free, lanes)
    zero = Base.zero(task.view, lanes, ws.width)
    B, remainder, _ = judge(task, task.at(0), Slots(ws, pinv, (zero.B,)), zero)
    here = Ends(gradient, remainder)
    return State(Slots(ws, pinv, (B, B)), here, here)


def _advance(task: Task, state: State, k: int, last: int | None, before: int | None) -> tuple[State, Step]:
    """All lanes at knot k, from the solutions at the knots `last` and, if there is one, `before`."""
    start = Start(_ahead(task, k, last, before), state.now.gradient, state.old.gradient)
    everyone = np.ones(task.lam1.shape[:2], bool)
    solution, older = state.slots.solutions
    # First comes what is to be solved; the last knot's solution also stays as it is.
    slots = Slots(state.slots.ws, state.slots.pinv, (solution, older, solution))
    lead = k < task.skip
    tol, exact = np.maximum(task.tol, LEAD_TOL) if lead else task.tol, task.exact and not lead
    end = settle(replace(task, exact=exact), task.at(k), slots, start, everyone, tol)
    ws, (B, _, previous) = end.slots.ws, end.slots.solutions
    step, here = report(task, k, end.figures, ws.index, B), Ends(end.gradient, end.remainder)
    finite = np.isfinite(step.values).all(axis=2, keepdims=True)
    if not finite.all():  # a diverged lane starts again at zero, where its gradient is x'y
        B = np.where(finite, step.values, 0.0)
        origin = Ends(task.view.cross, task.view.origin())
        here = Ends(*(np.where(finite, x, np.asarray(x0)[:, None]) for x, x0 in zip(here, origin, strict=True)))
    return State(Slots(ws, end.slots.pinv, (B, previous)), here, state.now), step


def _ahead(task: Task, k: int, last: int | None, before: int | None) -> Float[np.ndarray, "S L"]:
    """How far to go on along the last change of the solution: the ratio of the two last steps in alpha."""
    if before is None or before < task.skip:
        return np.zeros(task.lam1.shape[:2])
    strength = task.strength
    change = strength[:, :, last] - strength[:, :, before]
    now = strength[:, :, k] - strength[:, :, last]
    return np.clip(np.divide(now, change, out=np.zeros_like(now), where=change != 0), 0.0, 2.0)
