"""Elastic-net regressions of the columns of one filled matrix on its other columns, by jaxnet's own solver."""

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float

from jaxnet.design.base import size_class
from jaxnet.design.dense import DenseDesign
from jaxnet.execution import platform
from jaxnet.missing.regressions import Regression, Regressions
from jaxnet.solver.certificate import Penalties
from jaxnet.solver.moments import CONSTANT
from jaxnet.solver.path import solve_one
from jaxnet.solver.task import Step, Task
from jaxnet.solver.view import row_view

TOL = 1e-12
"""Relative duality gap of every regression."""
PASSES = 10_000


class ElasticRegressions(Regressions):
    """One fit of the path walker per column, through the rows: all fits have one shape, so one set of programs serves all.

    As in regressions.py with the penalty alpha (rho |b|_1 + (1 - rho)/2 |b|^2); m = 1.
    """

    def __init__(self, Z: Float[np.ndarray, "1 n p"], weights: Float[np.ndarray, " n"], alpha: float, rho: float):
        self.Z, self.weights = Z, weights
        self.strengths = alpha * rho, alpha * (1 - rho)
        n, p = Z.shape[1:]
        self.padded = size_class(n), size_class(p)
        self.refresh()

    def refresh(self) -> None:
        pass

    def regress(self, j, U, Y, traced=False):
        n, p = self.Z.shape[1:]
        rows, columns = self.padded
        share = self.weights.copy()
        share[U] = 0.0
        total = share.sum()
        share = np.pad(share / total, (0, rows - n))
        Z = np.pad(self.Z[0], ((0, rows - n), (0, columns - p)))
        y = np.where(share > 0, np.pad(Y[0], (0, rows - n)), 0.0)
        mean = share @ Z
        variance = share @ (Z - mean) ** 2
        usable = variance > CONSTANT * (variance + mean**2)
        usable[j] = False
        with jax.enable_x64(True):
            step = self._solve(Z, y, share, mean, usable, np.sqrt(variance), total)
            b = np.zeros(columns + 1)  # empty slots point at the column after the last
            b[np.minimum(step.columns[0], columns)] = step.values[0, 0]
        b = b[:columns]
        level = float(share @ y - mean @ b)
        fitted = (level + self.Z[0] @ b[:p])[None]
        rss = np.sum(np.where(share[:n] > 0, self.weights * (Y - fitted) ** 2, 0.0), axis=1)
        return Regression(np.array([level]), fitted[:, U], b[None, :p], rss)

    def _solve(self, Z, y, share, mean, usable, sd, total: float) -> Step:
        one = lambda x: x[None]
        design = DenseDesign(jnp.asarray(np.ascontiguousarray(Z.T)))
        view = row_view(design, np.zeros(1, int), *map(one, (share, np.zeros_like(share), usable, mean, y)), 1.0)
        lam1, lam2 = (np.full((1, 1, 1), strength / total) for strength in self.strengths)
        none, factors = np.zeros((1, 0)), np.ones((1, len(mean)))
        task = Task(
            view=view,
            sd=one(sd),
            lam1=lam1,
            lam2=lam2,
            penalties=Penalties(none, none, factors, factors),
            unpenalised=np.zeros(0, np.int64),
            tol=np.full(1, TOL),
            max_iter=PASSES,
            solver="coordinate" if platform.on_cpu() else "proximal",
        )
        return solve_one(task)

    def replace(self, j, U, values):
        self.Z[:, U, j] = values

    def coefficients(self, solution, columns):
        return solution
