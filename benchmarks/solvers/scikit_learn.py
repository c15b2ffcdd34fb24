"""scikit-learn: `enet_path` per fold and rho, from the Gram matrix where n > p (its own rule of `precompute="auto"`)."""

import numpy as np

from benchmarks.fits import Fits, from_dense
from benchmarks.solvers.paths import Group, PathSolver


class ScikitLearn(PathSolver):
    """`tol` bounds the duality gap by tol ||y||^2, twice the relative gap of the judge."""

    name = "scikit-learn"
    install = "pip install scikit-learn"
    interpreter = "python-scikit-learn"
    exponent = 1.0
    packages = ("scikit-learn", "numpy")
    uses_gram = True

    def first_tolerance(self, target: float) -> float:
        return target / 2

    def warm_up(self) -> None:
        import sklearn.linear_model  # noqa: F401

    def path(self, group: Group, j: int, rho: float, alphas: np.ndarray, tol: float, threads: int) -> Fits:
        from sklearn.linear_model import enet_path

        gram = group.gram is not None
        # With a Gram matrix the solver reads X for its number of columns alone.
        X = np.broadcast_to(np.zeros((), group.Y.dtype), (group.n, len(group.gram))) if gram else group.X
        coefs = enet_path(
            X, group.Y[:, j], l1_ratio=rho, alphas=alphas, tol=tol, max_iter=1_000_000, check_input=False,
            precompute=group.gram if gram else False, Xy=np.ascontiguousarray(group.cross[:, j]) if gram else None,
        )[1]  # fmt: skip
        return from_dense(coefs)
