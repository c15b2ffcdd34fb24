"""The columns of one fit by importance: the size of their standardised coefficients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.scalars import is_number, is_whole
from jaxnet.selection.columns import Columns
from jaxnet.selection.fits import same_columns

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxtyping import Float, Int


def ranked(coef: Float[np.ndarray, " p"], sd: Float[np.ndarray, " p"]) -> Int[np.ndarray, " k"]:
    """The columns with a coefficient, by decreasing |coef * sd|; of equal ones the first comes first.

    >>> ranked(np.array([0.0, 2.0, -3.0, 1.0]), np.array([1.0, 1.0, 1.0, 5.0])).tolist()
    [3, 2, 1]
    """
    columns = np.flatnonzero(coef)
    return columns[np.argsort(-np.abs(coef[columns] * sd[columns]), kind="stable")]


def select_best(result, X, rule: str, *, threshold, top, percent, criteria, simplest, sample_weight):
    """`SweepResult.select`, whose docstring says what the arguments mean."""
    if not is_number(threshold) or not 0 <= threshold < np.inf:
        raise InvalidInput(
            f"threshold={threshold!r} must be a number of at least 0: the least effect of one standard deviation, in "
            "units of y."
        )
    if top is not None and (not is_whole(top) or top < 1):
        raise InvalidInput(f"top={top!r} must be None or a whole number of at least 1: how many columns at most.")
    fits = result.best(rule, percent=percent, criteria=criteria, simplest=simplest)
    X, _, w = same_columns(result, X, sample_weight)
    each = fits if isinstance(fits, list) else [fits]
    selected = [_select(X, w / w.sum(), fit.coef, threshold, top) for fit in each]
    return selected if isinstance(fits, list) else selected[0]


def _select(X: np.ndarray, w: np.ndarray, coef: np.ndarray, threshold: float, top: int | None) -> np.ndarray:
    used = np.flatnonzero(coef)
    if not len(used):
        return used
    sd = Columns.of(X[:, used], w).sd
    order = ranked(coef[used], sd)
    return used[order[np.abs(coef[used] * sd)[order] >= threshold]][:top]
