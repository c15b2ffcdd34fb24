"""What nested cross-validation returns: the error of a whole procedure, not of one fit."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jaxnet.result.averages import fold_mean, fold_se

if TYPE_CHECKING:  # a loaded result needs no time for annotations
    from jaxtyping import Float, Int


@dataclass(frozen=True, eq=False)
class NestedResult:
    """The error of a procedure (grid, inner folds, rule) on outer folds of which it saw nothing; made by `nested_sweep`.

    Arrays have F entries, one for each outer fold; with q responses all but `fold_weights` have a leading axis q.

    `errors`: the error on the held-out rows of the fit that the rule chose on the fold's own training rows;
    `inner_errors`: the mean error on inner folds by which it was chosen, which flatters the choice, but is of fits to fewer
    rows; `baseline_errors`: that of predicting the mean of the training rows; `alphas`, `rho`: what was chosen; `indices`
    (F, 2): its place (i, k) in the grid; `fold_weights`: the held-out weight of each outer fold, or None where all count
    the same; `rule`, and `simplest`, by what it found the simplest fit (None for "min"); `metric`, the name of
    what errors measure (see `SweepResult`), the smaller the better.

    >>> import jaxnet
    >>> X, y = jaxnet.load_diabetes(return_X_y=True)
    >>> jaxnet.nested_sweep(X, y, rho=[0.5, 1.0], alphas=20, standardize=True)
    NestedResult: mse 3004.84 +- 65 on 5 outer folds, each with a choice of its own by rule 'min'
      predicting the mean: 5982.41; on the inner folds: 3042.88
      chosen: rho 0.5 to 1, alpha 0.0452 to 1.71
    """

    errors: np.ndarray
    inner_errors: np.ndarray
    baseline_errors: np.ndarray
    alphas: np.ndarray
    rho: np.ndarray
    indices: Int[np.ndarray, "*q F 2"]
    fold_weights: np.ndarray | None
    rule: str
    metric: str = "mse"
    simplest: str | None = None

    @property
    def mean(self) -> Float[np.ndarray, "*q"]:
        """The honest error: mean of `errors` over the outer folds, weighted by `fold_weights` if there are any."""
        return fold_mean(self.errors, self.fold_weights)

    @property
    def se(self) -> Float[np.ndarray, "*q"]:
        """Standard error of `mean`, as in `SweepResult.error_se`; nan for a single outer fold."""
        return fold_se(self.errors, self.fold_weights)

    @property
    def baseline(self) -> Float[np.ndarray, "*q"]:
        """The error of predicting the mean of the training rows, averaged as `mean` is."""
        return fold_mean(self.baseline_errors, self.fold_weights)

    def rows(self) -> list[dict]:
        """One dict per outer fold (response, fold, rho, alpha, error, inner_error, baseline), for a data frame."""
        table = []
        for at in np.ndindex(self.errors.shape):
            point = {"response": at[0]} if len(at) == 2 else {}
            point |= {"fold": at[-1], "rho": float(self.rho[at]), "alpha": float(self.alphas[at])}
            errors = {"error": self.errors, "inner_error": self.inner_errors, "baseline": self.baseline_errors}
            table.append({**point, **{name: float(values[at]) for name, values in errors.items()}})
        return table

    def __repr__(self) -> str:
        if self.errors.ndim == 1:
            return f"NestedResult: {self._describe(())}"
        q = len(self.errors)
        lines = [f"NestedResult of {q} responses:", *(self._describe((j,)) for j in range(min(q, 3)))]
        return "\n".join(lines + ["..."] * (q > 3))

    def _describe(self, at: tuple[int, ...]) -> str:
        span = lambda x: f"{x.min():.3g}" if x.min() == x.max() else f"{x.min():.3g} to {x.max():.3g}"
        count = self.errors.shape[-1]
        folds = f"{count} outer folds" if count > 1 else "1 outer fold"
        inner = fold_mean(self.inner_errors, self.fold_weights)[at]
        return (
            f"{self.metric} {self.mean[at]:.6g} +- {self.se[at]:.2g} on {folds}, each with a choice of its own by rule "
            f"{self.rule!r}{'' if self.simplest is None else f', simplest by {self.simplest!r}'}\n"
            f"  predicting the mean: {self.baseline[at]:.6g}; on the inner folds: {inner:.6g}\n"
            f"  chosen: rho {span(self.rho[at])}, alpha {span(self.alphas[at])}"
        )
