"""New rows of a caller's table as the columns of a result, and what a fit makes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from jaxnet.errors import InvalidInput

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxnet.result.fit import BestFit
    from jaxnet.result.sweep_result import SweepResult


def result_columns(result: SweepResult, X: Any) -> np.ndarray:
    """X as the columns that the coefficients of a result are of."""
    from jaxnet.data.arrays import as_matrix

    if result.preparation is not None:
        return result.preparation.transform(X)
    matrix, _ = as_matrix(X, columns=result.feature_names)
    if matrix.shape[1] != result.n_features:
        raise InvalidInput(f"X has {matrix.shape[1]} columns, but the sweep was fitted on {result.n_features}.")
    return matrix


def predictions(X: np.ndarray, fit: BestFit) -> np.ndarray:
    """X b + b0; nan where a column with a coefficient is missing."""
    return linear(X, fit.coef) + fit.intercept


def linear(X: np.ndarray, coef: np.ndarray) -> np.ndarray:
    """X b for coefficients (p,) or (q, p); nan where a column with a coefficient is missing, and only there."""
    if not np.isnan(X).any():
        return X @ coef.T
    missing = np.isnan(X).astype(float) @ (coef != 0).T.astype(float) > 0
    return np.where(missing, np.nan, np.nan_to_num(X, nan=0.0) @ coef.T)
