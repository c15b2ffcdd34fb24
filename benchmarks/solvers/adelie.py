"""adelie: `grpnet`, or where n > p its covariance solver `gaussian_cov`; no early exit, the given path."""

import numpy as np

from benchmarks.fits import Fits
from benchmarks.solvers.paths import Group, PathSolver


class Adelie(PathSolver):
    """`tol` is a bound on the change of the objective by a pass."""

    name = "adelie"
    install = "python3 -m venv ENV && ENV/bin/pip install 'numpy<2' adelie, then --python-adelie ENV/bin/python"
    interpreter = "python-adelie"
    exponent = 0.5
    packages = ("adelie", "numpy")
    uses_gram = True

    def first_tolerance(self, target: float) -> float:
        return 1e-10 if target > 1e-5 else 1e-14

    def warm_up(self) -> None:
        import adelie  # noqa: F401

    def path(self, group: Group, j: int, rho: float, alphas: np.ndarray, tol: float, threads: int) -> Fits:
        import adelie

        common = {
            "alpha": rho, "lmda_path": np.asarray(alphas, group.Y.dtype), "tol": tol, "early_exit": False,
            "n_threads": threads, "progress_bar": False, "max_iters": 10_000_000,
        }  # fmt: skip
        if group.gram is None:
            y = np.ascontiguousarray(group.Y[:, j])
            state = adelie.grpnet(group.X, adelie.glm.gaussian(y), intercept=False, **common)
        else:
            A = np.asfortranarray(group.gram / group.n)
            state = adelie.solver.gaussian_cov(A, group.cross[:, j] / group.n, **common)
        betas = state.betas.tocsr()
        betas.sort_indices()
        return Fits(np.asarray(betas.data, float), betas.indices, betas.indptr.astype(np.int64))
