"""skglm: `ElasticNet.path` (working sets, Anderson-accelerated coordinate descent), compiled by numba on first use."""

import numpy as np

from benchmarks.fits import Fits, from_dense
from benchmarks.solvers.paths import Group, PathSolver


class Skglm(PathSolver):
    """`tol` bounds the KKT violation; given here as a share of the largest correlation, max_j |x_j'y|/n."""

    name = "skglm"
    install = "python3 -m venv ENV && ENV/bin/pip install skglm, then --python-skglm ENV/bin/python"
    interpreter = "python-skglm"
    exponent = 1.0
    packages = ("skglm", "numba", "numpy")
    uses_gram = False

    def first_tolerance(self, target: float) -> float:
        return 0.1 * target

    def warm_up(self) -> None:
        X = np.asfortranarray(np.eye(8)[:, :4] - 1 / 8)
        self._path(X, X[:, 0].copy(), 0.5, np.array([0.05, 0.02]), 1e-3)

    def path(self, group: Group, j: int, rho: float, alphas: np.ndarray, tol: float, threads: int) -> Fits:
        y = np.ascontiguousarray(group.Y[:, j])
        return from_dense(self._path(group.X, y, rho, alphas, tol * rho * alphas[0]))

    @staticmethod
    def _path(X, y, rho: float, alphas: np.ndarray, tol: float) -> np.ndarray:
        from skglm import ElasticNet

        model = ElasticNet(l1_ratio=rho, fit_intercept=False, tol=tol, max_iter=1000)
        return model.path(X, y, alphas)[1]
