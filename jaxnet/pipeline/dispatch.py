"""Who solves what: the path walker for fits with an L1 part or bounds, the closed form for the others."""

from collections.abc import Callable

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float

from jaxnet import lanes
from jaxnet.execution import executor, platform, schedule
from jaxnet.execution.executor import Desk, Job, Work
from jaxnet.pipeline.collect import Collector
from jaxnet.pipeline.journal import Journal, unit_name
from jaxnet.pipeline.plan import Plan, strength_unit
from jaxnet.pipeline.problem import SMALLEST_RHO, Problem
from jaxnet.pipeline.request import Request
from jaxnet.solver.inner import closed_form
from jaxnet.solver.mark import Mark
from jaxnet.solver.task import Step, status_of
from jaxnet.solver.working_set import bytes_per_set

NO_SIGNAL = 1e-15
"""Every alpha of a grid where no column has any correlation with y: any gives zeros (scikit-learn's grid is the same)."""


def alpha_grid(request: Request, top: Float[np.ndarray, " q"]) -> Float[np.ndarray, "q R A"]:
    """The alphas of every response and rho; `top` is alpha_max times rho."""
    if not isinstance(request.alphas, int):
        return np.tile(request.alphas, (len(top), 1, 1))
    first = top[:, None] / np.maximum(request.rho, SMALLEST_RHO)
    grid = lanes.geometric_grid(first, request.alphas, request.alpha_min_ratio)
    return np.where(first[..., None] > 0, grid, NO_SIGNAL)


def solve_all(
    problem: Problem,
    alphas: Float[np.ndarray, "q R A"],
    far: bool,
    collector: Collector,
    journal: Journal,
) -> None:
    """Solve every fit of the sweep that the journal does not know into the collector and into the journal.

    `far`: alphas may begin far below alpha_max, as those that a caller gives.
    """
    closed = np.broadcast_to((problem.request.rho == 0)[:, None] | (alphas == 0), alphas.shape)
    closed = closed & (not problem.request.bounded)
    rows = np.flatnonzero(~closed.all(axis=(0, 2)))
    if len(rows):
        plan = Plan.of(problem, rows, alphas[:, rows], far)
        n, p = problem.design.shape
        size = bytes_per_set(not problem.by_gram, len(rows), n, p)
        if problem.pairwise is not None:  # products of several sets round by the largest working set of them
            size = np.inf
        by_rho = np.argsort(problem.request.rho[rows], kind="stable")
        limits = journal.limits(schedule.limits(problem.request.max_memory))
        chunks = lanes.chunks(problem.axes.count, by_rho, size, limits)
        chunks = [part for chunk in chunks for part in journal.parts(chunk)]
        # Factorisations on a CPU wait for threads of XLA's pool, which those of another program in flight can hold for good.
        alone = plan.solver == "proximal" and platform.on_cpu()
        books = _Books(plan, collector, journal)
        executor.Threads(alone).run(plan.solve, chunks, books)
        if books.raised is not None:
            raise books.raised
    if closed.any():
        for s in range(problem.axes.count):
            unit = journal.unit(f"closed {s}")
            if not unit.done:
                emit = lambda rows, step, s=s, unit=unit: unit.add(collector.add(np.array([s]), rows, step))
                response = problem.axes.of(s)[0]
                _solve_closed(problem, s, alphas[response], closed[response], emit)
                unit.end(True)
                collector.tell()


class _Walked(Work):
    """The walk of one chunk: what is found goes to the collector, and to the chunk's page of the journal."""

    def __init__(self, plan: Plan, chunk: lanes.Chunk, books: "_Books"):
        self._plan, self._chunk, self._books = plan, chunk, books
        self._unit = books.journal.unit(unit_name(chunk))
        self.job = None if self._unit.done else Job(chunk, self._unit.mark)

    def take(self, found: Step | Mark) -> bool:
        if isinstance(found, Mark):
            self._unit.keep(found.arrays)
            return True
        own = self._chunk.own_sets, self._chunk.own_rows
        mine = self._chunk.sets[own[0]], self._plan.rows[self._chunk.rows[own[1]]]
        self._unit.add(self._books.collector.add(*mine, found.part(*own)))
        try:
            self._books.collector.tell()
        except BaseException as error:  # Ctrl-C for one: all walks end at their next knot, with all that they found
            self._books.raised = self._books.raised or error
        return False

    def end(self, finished: bool) -> None:
        self._unit.end(finished)


class _Books(Desk):
    """The collector of a sweep's fits, and its journal."""

    def __init__(self, plan: Plan, collector: Collector, journal: Journal):
        self._plan, self.collector, self.journal = plan, collector, journal
        self.raised: BaseException | None = None
        """what the caller's progress function raised"""

    @property
    def stopped(self) -> bool:
        return self.raised is not None

    def work(self, chunk: lanes.Chunk) -> _Walked:
        return _Walked(self._plan, chunk, self)

    def halved(self, chunk: lanes.Chunk) -> None:
        self.journal.halve(unit_name(chunk))


def _solve_closed(
    problem: Problem,
    s: int,
    alphas: Float[np.ndarray, "R A"],
    closed: Bool[np.ndarray, "R A"],
    emit: Callable[[np.ndarray, Step], None],
) -> None:
    """All closed-form fits of one set, a row of rho after the other so that the lanes of a call have one length."""
    sets, tol = np.array([s]), problem.tol[s]
    view, sd = problem.view(sets), problem.sd(sets)
    free = problem.unpenalised
    for row in np.flatnonzero(closed.any(axis=1)):
        lam2 = np.where(closed[row], alphas[row] * (1 - problem.request.rho[row]), 0.0)
        unit = strength_unit(lam2)
        pen = problem.penalties(sets, 1.0, unit)._replace(
            lam1=jnp.zeros((1, len(lam2))), lam2=jnp.asarray(lam2[None] / unit)
        )
        solution = closed_form.solve(view, pen, sd, jnp.asarray(free))
        seal, dense = solution.certificate, np.asarray(solution.dense)
        gap, kkt, test = (np.asarray(x)[0] for x in (seal.gap, seal.kkt, seal.test_error))
        idle = not (np.asarray(view.moment)[0] > 0 and np.asarray(view.usable).any())
        status = status_of(gap, tol, idle)
        columns = np.arange(problem.request.X.shape[1])[None]
        for k in np.flatnonzero(closed[row]):
            one = lambda x, k=k: np.asarray(x[k]).reshape(1, 1)
            values = dense[k, : columns.shape[1]].reshape(1, 1, -1)
            passes = np.ones((1, 1), np.int32)
            emit(np.array([row]), Step(k, one(gap), one(kkt), passes, one(status), one(test), columns, values))
