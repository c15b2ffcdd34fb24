"""Solvers that fit one path at a time: their groups, responses and rhos spread over forked processes.

All of these peers hold Python's global lock while they solve (two threads took twice as long as one call, for scikit-learn,
adelie, celer and skglm alike), so two processes is the fastest way to use two cores. X is shared between them; each holds a
training copy of one group at a time, or for tall problems the Gram matrices of all groups, computed once before the fork.
"""

import multiprocessing
from abc import abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, ClassVar

import numpy as np

from benchmarks.fits import Fits, concatenate
from benchmarks.problem import Problem
from benchmarks.solvers.base import Answer, PythonSolver


@dataclass(frozen=True)
class Group:
    """Centred training rows of one group: either X (n_g, p) and Y (n_g, q), or their Gram form (X then is None)."""

    X: np.ndarray | None
    Y: np.ndarray
    gram: np.ndarray | None  # X'X (p, p)
    cross: np.ndarray | None  # X'Y (p, q)
    x_mean: np.ndarray
    y_mean: np.ndarray

    @property
    def n(self) -> int:
        """Training rows."""
        return len(self.Y)


class PathSolver(PythonSolver):
    """Supplies `path`; this class supplies the folds, the held-out errors and the processes."""

    uses_gram: ClassVar[bool]  # can work from the Gram matrix, which is what it should get where n > p

    @abstractmethod
    def path(self, group: Group, j: int, rho: float, alphas: np.ndarray, tol: float, threads: int) -> Fits:
        """Fit response j of a group along `alphas`."""

    @abstractmethod
    def warm_up(self) -> None:
        """Import and compile in the parent, so that forked processes need not do it each for itself."""

    @property
    def keeping_is_free(self) -> bool:
        return True

    def solve(self, problem: Problem, tol: float, *, threads: int, keep_folds: bool) -> Answer:
        self.warm_up()
        run = _Run(self, problem, tol, threads)
        tasks = [
            (g, j, i) for g in range(problem.grid[0]) for j in range(problem.grid[1]) for i in range(problem.grid[2])
        ]
        paths, errors = run.all(tasks)
        held_out = np.mean(np.reshape(errors, problem.grid)[1:], axis=0) if problem.grid[0] > 1 else None
        full = len(tasks) if keep_folds else problem.grid[1] * problem.grid[2]
        return Answer(concatenate(paths[:full]), held_out)


class _Run:
    """The tasks of one call."""

    def __init__(self, solver: PathSolver, problem: Problem, tol: float, threads: int):
        self.solver, self.problem, self.tol, self.threads = solver, problem, tol, threads
        n, p = problem.X.shape
        self.gram = solver.uses_gram and n > p
        self.group = lru_cache(None if self.gram else 1)(self._group)

    def all(self, tasks) -> tuple[list[Fits], list[np.ndarray]]:
        """Paths and held-out errors (A,) of all tasks, in order."""
        if len(tasks) < 2 or self.threads < 2:
            return self._unzip(map(self.one, tasks))
        if self.gram:
            for g in range(self.problem.grid[0]):
                self.group(g)
        global _current
        _current = self
        self.threads, processes = 1, self.threads
        with multiprocessing.get_context("fork").Pool(processes, initializer=_one_thread) as pool:
            return self._unzip(pool.imap(_task, tasks, chunksize=1))

    def one(self, task) -> tuple[Fits, np.ndarray]:
        g, j, i = task
        problem, group = self.problem, self.group(g)
        fits = self.solver.path(group, j, problem.rho[i], problem.alphas[j, i], self.tol, self.threads)
        return fits, self._errors(g, j, fits, group)

    def _group(self, g: int) -> Group:
        rows = self.problem.train[g]
        X = np.array(self.problem.X[rows], dtype=self.problem.X.dtype, order="F")
        Y = np.array(self.problem.Y[rows], dtype=X.dtype, order="F")
        x_mean, y_mean = X.mean(0), Y.mean(0)
        X -= x_mean
        Y -= y_mean
        if self.gram:
            return Group(None, Y, np.ascontiguousarray(X.T @ X), np.asfortranarray(X.T @ Y), x_mean, y_mean)
        return Group(X, Y, None, None, x_mean, y_mean)

    def _errors(self, g: int, j: int, fits: Fits, group: Group) -> np.ndarray:
        """Mean squared error of the held-out rows along a path; nan for the full data."""
        test = ~self.problem.train[g]
        if not test.any():
            return np.full(len(fits), np.nan)
        used, at = np.unique(fits.columns, return_inverse=True)
        B = np.zeros((len(used), len(fits)))
        B[at, np.repeat(np.arange(len(fits)), fits.counts())] = fits.values
        X = self.problem.X[np.ix_(np.flatnonzero(test), used)] - group.x_mean[used]
        return np.mean((self.problem.Y[test, j, None] - group.y_mean[j] - X @ B) ** 2, axis=0)

    @staticmethod
    def _unzip(results) -> tuple[list[Fits], list[np.ndarray]]:
        paths, errors = zip(*results, strict=True)
        return list(paths), list(errors)


_current: Any = None  # the run whose tasks the forked processes take


def _task(task):
    return _current.one(task)


def _one_thread() -> None:
    """One BLAS thread per forked process."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return
    threadpool_limits(1)
