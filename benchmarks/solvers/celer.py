"""celer: `celer_path` per fold and rho (its cross-validation classes do not run on current scikit-learn)."""

import numpy as np

from benchmarks.fits import Fits, from_dense
from benchmarks.solvers.paths import Group, PathSolver


class Celer(PathSolver):
    """`tol` bounds the duality gap by tol ||y||^2/n, twice the relative gap of the judge."""

    name = "celer"
    install = "python3 -m venv ENV && ENV/bin/pip install celer, then --python-celer ENV/bin/python"
    interpreter = "python-celer"
    exponent = 1.0
    packages = ("celer", "numpy", "scikit-learn")
    uses_gram = False

    def first_tolerance(self, target: float) -> float:
        return target / 4

    def warm_up(self) -> None:
        import celer  # noqa: F401

    def path(self, group: Group, j: int, rho: float, alphas: np.ndarray, tol: float, threads: int) -> Fits:
        from celer import celer_path

        y = np.ascontiguousarray(group.Y[:, j])
        coefs = celer_path(group.X, y, "lasso", alphas=alphas, l1_ratio=rho, tol=tol, max_iter=1000)[1]
        return from_dense(coefs)
