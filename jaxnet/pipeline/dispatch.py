"""Who solves what: the path walker for fits with an L1 part or bounds, the closed form for the others."""

from collections.abc import Callable
from dataclasses import dataclass

import jax.numpy as jnp
import numpy as np
from jaxtyping import Bool, Float, Int

from jaxnet import lanes
from jaxnet.execution import platform, schedule
from jaxnet.pipeline.collect import Collector
from jaxnet.pipeline.journal import Journal, unit_name
from jaxnet.pipeline.problem import SMALLEST_RHO, Problem
from jaxnet.pipeline.request import Request
from jaxnet.solver.inner import closed_form
from jaxnet.solver.mark import Mark
from jaxnet.solver.path import walk
from jaxnet.solver.task import Status, Step, Task
from jaxnet.solver.working_set import bytes_per_set

NEAR_ZERO = 1e-4
"""The share of alpha_max down to which a walk goes that is to begin at zero."""
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
        plan = _Walk.plan(problem, rows, alphas[:, rows], far, collector, journal)
        n, p = problem.design.shape
        size = bytes_per_set(not problem.by_gram, len(rows), n, p)
        if problem.pairwise is not None:  # products of several sets round by the largest working set of them
            size = np.inf
        by_rho = np.argsort(problem.request.rho[rows], kind="stable")
        limits = journal.limits(schedule.limits(problem.request.max_memory))
        chunks = lanes.chunks(problem.n_sets, by_rho, size, limits)
        chunks = [part for chunk in chunks for part in journal.parts(chunk)]
        # Factorisations on a CPU wait for threads of XLA's pool, which those of another program in flight can hold for good.
        alone = plan.solver == "proximal" and platform.on_cpu()
        schedule.run(plan.solve, chunks, lambda chunk: journal.halve(unit_name(chunk)), alone)
    if closed.any():
        for s in range(problem.n_sets):
            unit = journal.unit(f"closed {s}")
            if not unit.done:
                emit = lambda rows, step, s=s, unit=unit: unit.add(collector.add(np.array([s]), rows, step))
                response = s // len(problem.groups)
                _solve_closed(problem, s, alphas[response], closed[response], emit)
                unit.end(True)
                collector.tell()


@dataclass(frozen=True)
class _Walk:
    """The rows of the grid that are walked, with alphas per response."""

    problem: Problem
    rows: Int[np.ndarray, " L"]
    alphas: Float[np.ndarray, "q L A"]
    far: bool
    solver: str
    collector: Collector
    journal: Journal

    @classmethod
    def plan(
        cls,
        problem: Problem,
        rows,
        alphas: Float[np.ndarray, "q L A"],
        far: bool,
        collector: Collector,
        journal: Journal,
    ) -> "_Walk":
        if not problem.request.bounded:
            # An alpha of zero is solved in closed form; here its row's smallest alpha stands in for it.
            smallest = np.min(np.where(alphas > 0, alphas, np.inf), axis=2, keepdims=True)
            alphas = np.where(alphas > 0, alphas, smallest)
        solver = problem.request.solver
        if solver == "auto":
            # Moments by pairs are near singular and leave the dual little slack: they need Newton's steps.
            descent = platform.on_cpu() and problem.pairwise is None
            solver = "coordinate" if descent else "proximal"
        return cls(problem, rows, alphas, far, solver, collector, journal)

    def solve(self, chunk: lanes.Chunk, stopped: Callable[[], bool]) -> None:
        """Walk one chunk along its alphas, from where the journal says that it stood."""
        unit = self.journal.unit(unit_name(chunk))
        if unit.done:
            return
        sets, rows, own_sets, own_rows = chunk
        view, response = self.problem.view(sets), sets // len(self.problem.groups)
        alphas, rho = self.alphas[np.ix_(response, rows)], self.problem.request.rho[self.rows[rows]]
        lead = alphas[..., :0]
        if self.far:  # from each set's own alpha_max, as its fits must not depend on the rows of others
            top = self.problem.tops(sets, view)[:, None] / np.maximum(rho, SMALLEST_RHO)
            first = alphas[:, :, 0]
            lead = lanes.lead_in(top, np.where(first > 0, first, NEAR_ZERO * top))
        whole = np.concatenate([lead, alphas], axis=2)
        lam1 = whole * rho[:, None] / self.problem.y_scale[response, None, None]
        lam2 = whole * (1 - rho)[:, None]
        unit1, unit2 = _unit(lam1), _unit(lam2)
        task = Task(
            view=view,
            sd=self.problem.sd(sets),
            lam1=lam1 / unit1,
            lam2=lam2 / unit2,
            penalties=self.problem.penalties(sets, unit1, unit2),
            unpenalised=self.problem.unpenalised,
            tol=self.problem.tol[sets],
            max_iter=self.problem.request.max_iter,
            solver=self.solver,
            skip=lead.shape[2],
            exact=self.problem.request.exact,
        )
        mine = sets[own_sets], self.rows[rows[own_rows]]
        raised: list[BaseException] = []

        def emit(step: Step) -> None:
            unit.add(self.collector.add(*mine, step.part(own_sets, own_rows)))
            try:
                self.collector.tell()
            except BaseException as error:  # Ctrl-C for one: the walk ends at its next knot, with all that it found
                raised.append(error)

        start = None if unit.mark is None else Mark.of(unit.mark, task)
        unit.end(walk(task, emit, lambda: bool(raised) or stopped(), start, lambda mark: unit.keep(mark.arrays)))
        if raised:
            raise raised[0]


def _unit(strength: np.ndarray) -> float:
    """A power of two near the largest strength, so that strengths and factors are both of order one."""
    largest = strength.max(initial=0.0)
    return float(np.ldexp(1.0, np.frexp(largest)[1])) if largest > 0 else 1.0


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
        unit = _unit(lam2)
        pen = problem.penalties(sets, 1.0, unit)._replace(
            lam1=jnp.zeros((1, len(lam2))), lam2=jnp.asarray(lam2[None] / unit)
        )
        solution = closed_form.solve(view, pen, sd, jnp.asarray(free))
        seal, dense = solution.certificate, np.asarray(solution.dense)
        gap, kkt, test = (np.asarray(x)[0] for x in (seal.gap, seal.kkt, seal.test_error))
        idle = not (np.asarray(view.moment)[0] > 0 and np.asarray(view.usable).any())
        status = np.where(gap <= tol, Status.DEGENERATE if idle else Status.CONVERGED, Status.MAX_ITER)
        status = np.where(np.isfinite(gap), status, Status.DIVERGED)
        columns = np.arange(problem.request.X.shape[1])[None]
        for k in np.flatnonzero(closed[row]):
            one = lambda x, k=k: np.asarray(x[k]).reshape(1, 1)
            values = dense[k, : columns.shape[1]].reshape(1, 1, -1)
            passes = np.ones((1, 1), np.int32)
            emit(np.array([row]), Step(k, one(gap), one(kkt), passes, one(status), one(test), columns, values))
