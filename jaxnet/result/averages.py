"""Errors of several folds in one number, and how sure that number is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxtyping import Float


def fold_mean(
    errors: Float[np.ndarray, "*grid F"], weights: Float[np.ndarray, " F"] | None
) -> Float[np.ndarray, "*grid"]:
    """The mean over folds, each counted by its weight if there are weights; infinite where that overflows."""
    with np.errstate(over="ignore"):
        return np.average(errors, axis=-1, weights=weights)


def fold_se(
    errors: Float[np.ndarray, "*grid F"], weights: Float[np.ndarray, " F"] | None
) -> Float[np.ndarray, "*grid"]:
    """Standard error of `fold_mean`: sqrt(sum_k w_k (e_k - mean)^2 / sum_k w_k / (F - 1)), as in glmnet; nan if F = 1.

    >>> fold_se(np.array([1.0, 2.0, 3.0]), None).round(4).tolist()
    0.5774
    """
    if errors.shape[-1] < 2:
        return np.full(errors.shape[:-1], np.nan)
    # In units of the largest error, so that squares neither overflow nor vanish.
    unit = np.nanmax(errors, axis=-1, initial=0.0)
    unit = np.where((unit > 0) & np.isfinite(unit), unit, 1.0)
    with np.errstate(invalid="ignore"):  # errors that overflowed have no standard error
        scaled = (errors - fold_mean(errors, weights)[..., None]) / unit[..., None]
    return unit * np.sqrt(np.average(scaled**2, axis=-1, weights=weights) / (errors.shape[-1] - 1))
