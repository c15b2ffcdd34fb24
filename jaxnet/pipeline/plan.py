"""What is walked, and the pure part of a sweep: a job goes in, certified fits come out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jaxnet import lanes
from jaxnet.execution import platform
from jaxnet.pipeline.problem import SMALLEST_RHO, Problem
from jaxnet.solver.mark import Mark
from jaxnet.solver.path import walk
from jaxnet.solver.task import Step, Task

if TYPE_CHECKING:
    from jaxtyping import Float, Int

    from jaxnet.execution.executor import Job

NEAR_ZERO = 1e-4
"""The share of alpha_max down to which a walk goes that is to begin at zero."""


@dataclass(frozen=True)
class Plan:
    """The rows of the grid that are walked, with alphas per response. `far`: alphas may begin far below alpha_max."""

    problem: Problem
    rows: Int[np.ndarray, " L"]
    alphas: Float[np.ndarray, "q L A"]
    far: bool
    solver: str

    @classmethod
    def of(cls, problem: Problem, rows, alphas: Float[np.ndarray, "q L A"], far: bool) -> Plan:
        if not problem.request.bounded:
            # An alpha of zero is solved in closed form; here its row's smallest alpha stands in for it.
            smallest = np.min(np.where(alphas > 0, alphas, np.inf), axis=2, keepdims=True)
            alphas = np.where(alphas > 0, alphas, smallest)
        solver = problem.request.solver
        if solver == "auto":
            # Moments by pairs are near singular and leave the dual little slack: they need Newton's steps.
            descent = platform.on_cpu() and problem.pairwise is None
            solver = "coordinate" if descent else "proximal"
        return cls(problem, rows, alphas, far, solver)

    def solve(self, job: Job) -> Iterator[Step | Mark]:
        """Walk a chunk along its alphas, from where the job says that it stood."""
        task = self.task(job.chunk)
        return walk(task, None if job.start is None else Mark.of(job.start, task))

    def task(self, chunk: lanes.Chunk) -> Task:
        """What the walk of a chunk is asked."""
        sets, rows = chunk.sets, chunk.rows
        view, response = self.problem.view(sets), self.problem.axes.of(sets)[0]
        alphas, rho = self.alphas[np.ix_(response, rows)], self.problem.request.rho[self.rows[rows]]
        lead = alphas[..., :0]
        if self.far:  # from each set's own alpha_max, as its fits must not depend on the rows of others
            top = self.problem.tops(sets, view)[:, None] / np.maximum(rho, SMALLEST_RHO)
            first = alphas[:, :, 0]
            lead = lanes.lead_in(top, np.where(first > 0, first, NEAR_ZERO * top))
        whole = np.concatenate([lead, alphas], axis=2)
        lam1 = whole * rho[:, None] / self.problem.y_scale[response, None, None]
        lam2 = whole * (1 - rho)[:, None]
        unit1, unit2 = strength_unit(lam1), strength_unit(lam2)
        return Task(
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


def strength_unit(strength: np.ndarray) -> float:
    """A power of two near the largest strength, so that strengths and factors are both of order one."""
    largest = strength.max(initial=0.0)
    return float(np.ldexp(1.0, np.frexp(largest)[1])) if largest > 0 else 1.0
