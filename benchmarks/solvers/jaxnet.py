"""jaxnet: one `sweep` for everything; `tol` is the judge's own relative gap, so it needs no calibration."""

import numpy as np

from benchmarks.fits import Fits, concatenate
from benchmarks.problem import Problem
from benchmarks.solvers.base import Answer, PythonSolver


class Jaxnet(PythonSolver):
    """The public call. Fold coefficients are kept in the judged call, and timed only where the workload needs them."""

    name = "jaxnet"
    install = "pip install -e . in this repository"
    interpreter = "python-jaxnet"
    exponent = None
    one_response = False
    packages = ("jaxnet-elasticnet", "jax", "jaxlib", "numpy")
    threads_from_environment = True

    def first_tolerance(self, target: float) -> float:
        return target

    @property
    def keeping_is_free(self) -> bool:
        return False

    def solve(self, problem: Problem, tol: float, *, threads: int, keep_folds: bool) -> Answer:
        import jaxnet

        folds = len(problem.train) > 1
        options = {"cv": problem.pairs, "keep_fold_coefs": keep_folds} if folds else {"cv": None}
        q, R, A = problem.alphas.shape
        if q == 1:
            y, options["alphas"] = problem.Y[:, 0], problem.alphas[0]
        else:  # each response has its own grid, which only a number of alphas asks for
            ratio = float(problem.alphas[0, 0, -1] / problem.alphas[0, 0, 0])
            y, options["alphas"], options["alpha_min_ratio"] = problem.Y, A, ratio
        result = jaxnet.sweep(problem.X, y, rho=problem.rho, tol=tol, **options)
        if not np.allclose(result.alphas.reshape(q, R, A), problem.alphas, rtol=1e-7, atol=0):
            raise ValueError("jaxnet fitted other alphas than those of the workload")
        errors = result.error_mean.reshape(q, R, A) if folds else None
        return Answer(all_fits(result, problem.grid) if folds and keep_folds else _fits(result.coefs), errors)


def all_fits(result, grid: tuple[int, int, int, int]) -> Fits:
    """Full-data and fold fits of a `SweepResult` that kept them, in the order of `Problem.grid`."""
    return _interleave(_fits(result.coefs), _fits(result.fold_coefs), grid)


def _fits(rows) -> Fits:
    return Fits(rows.values, rows.columns, rows.starts)


def _interleave(full: Fits, folds: Fits, grid: tuple[int, int, int, int]) -> Fits:
    """From (q, R, A) and (q, R, A, F) to (G, q, R, A)."""
    G, q, R, A = grid
    order = np.arange(q * R * A * (G - 1)).reshape(q, R, A, G - 1).transpose(3, 0, 1, 2).ravel()
    return concatenate([full, folds.rows(order)])
