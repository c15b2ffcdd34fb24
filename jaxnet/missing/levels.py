"""Most frequent values: of categorical variables, whose levels are columns, and of columns of numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxtyping import Float, Int

TIE = 1 - 1e-12
"""Weights that are equal up to rounding count as equal: the first level, or the smallest value, wins."""


def level_modes(
    X: Float[np.ndarray, "n p"], weights: Float[np.ndarray, "G n"], blocks: Int[np.ndarray, " p"]
) -> Float[np.ndarray, "G p"]:
    """Per group, one in the column of the heaviest level of each categorical variable; zeros elsewhere.

    All are zero if that is a level without a column, or if nobody knows the variable on the rows of the group. `blocks` has
    the variable of each column, -1 for those of numbers.
    """
    modes = np.zeros((len(weights), X.shape[1]))
    for block in np.unique(blocks[blocks >= 0]):
        at = np.flatnonzero(blocks == block)
        mass = weights @ np.nan_to_num(X[:, at], nan=0.0)
        most = mass.max(axis=1)
        elsewhere = weights @ ~np.isnan(X[:, at[0]]) - mass.sum(axis=1)
        has_column = (most > 0) & (most >= TIE * elsewhere)
        first = np.argmax(mass >= TIE * most[:, None], axis=1)
        modes[np.flatnonzero(has_column), at[first[has_column]]] = 1.0
    return modes


def column_mode(values: Float[np.ndarray, " n"], weights: Float[np.ndarray, "G n"]) -> Float[np.ndarray, " G"]:
    """The heaviest value of a column for each group, nan where none has weight; nan counts for nothing."""
    known = ~np.isnan(values)
    levels, member = np.unique(values[known], return_inverse=True)
    out = np.full(len(weights), np.nan)
    for g, w in enumerate(weights[:, known]):
        mass = np.bincount(member.reshape(-1), w, minlength=len(levels))
        if mass.max(initial=0.0) > 0:
            out[g] = levels[np.argmax(mass >= TIE * mass.max())]
    return out
