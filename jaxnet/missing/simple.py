"""One number per column fills its missing values: the mean, median or mode of what is observed, or a constant."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.missing.fill import Fill, Filler, Layout
from jaxnet.missing.levels import TIE, column_mode
from jaxnet.scalars import is_number

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxtyping import Float

STRATEGIES = ("mean", "median", "mode", "constant")


@dataclass(frozen=True)
class SimpleFill(Fill):
    """Every missing value of a column is filled with one number, learnt from the training rows of each fit.

    - strategy: "mean" (default), "median" or "mode" of the observed values, weighted by the sample weights (integer weights
      act as repeated rows; of equally frequent values the smallest is the mode, and the median lies midway between the two
      in the middle), or "constant".
    - value: what "constant" fills in; default 0.

    The column is X_obs + M fill, M its 0/1 pattern of what is missing, so that X is stored once for all folds, together with
    M of the columns concerned. The mean leaves the fitted values at the mean of the column, but shrinks its variance and its
    correlations; it is a fair choice for prediction with few values missing, and none where what is missing depends on the
    value itself: then add indicators.

    >>> import numpy as np
    >>> X = np.array([[1.0, np.nan], [3.0, 4.0], [np.nan, 6.0]])
    >>> SimpleFill("mean").fit(X, np.ones(3)).fill(X).tolist()
    [[1.0, 5.0], [3.0, 4.0], [2.0, 6.0]]
    """

    strategy: str = "mean"
    value: float = 0.0

    def check(self) -> None:
        if self.strategy not in STRATEGIES:
            raise InvalidInput(
                f"strategy={self.strategy!r:.60} of SimpleFill must be one of {', '.join(map(repr, STRATEGIES))}."
            )
        if not is_number(self.value) or not np.isfinite(self.value):
            raise InvalidInput(f"value={self.value!r:.60} of SimpleFill must be a finite number.")
        if self.value != 0 and self.strategy != "constant":
            raise InvalidInput(f"value={self.value!r} of SimpleFill is for strategy 'constant', not {self.strategy!r}.")

    def fit(self, X, weights):
        return SimpleFiller(np.nan_to_num(self.values(X, weights[None])[0], nan=0.0))

    def lay_out(self, table, *, dtype, centred):
        from jaxnet.design.filled import FilledDesign

        values = np.where(table.blocks >= 0, table.modes(), self.values(table.X, table.train))
        values = np.nan_to_num(values, nan=0.0)  # of no weight: the column is constant there
        design, units = FilledDesign.build(table.X, values, dtype=dtype, centred=centred)
        return Layout(design, units, SimpleFiller(values[0, : table.width]))

    def values(self, X: Float[np.ndarray, "n p"], weights: Float[np.ndarray, "G n"]) -> Float[np.ndarray, "G p"]:
        """What each group fills each column with; nan where no row of positive weight has the column."""
        values = np.full((len(weights), X.shape[1]), np.nan)
        if self.strategy == "constant":
            values[:] = self.value
            return values
        of_column = {"mean": _means, "median": _medians, "mode": column_mode}[self.strategy]
        for j in range(X.shape[1]):
            values[:, j] = of_column(X[:, j], weights)
        return values


@dataclass(frozen=True)
class SimpleFiller(Filler):
    """`values` (p,) has what fills each column."""

    values: Float[np.ndarray, " p"]

    def fill(self, X):
        return np.where(np.isnan(X), self.values, X)


def _means(values: Float[np.ndarray, " n"], weights: Float[np.ndarray, "G n"]) -> Float[np.ndarray, " G"]:
    """Weighted means about a value of the group's own, so that the mean of equal values is that value."""
    known = np.where(np.isnan(values), 0.0, weights)
    mass = known.sum(axis=1)
    anchor = values[np.argmax(known > 0, axis=1)]
    off = np.where(known > 0, values - anchor[:, None], 0.0)
    return anchor + np.sum(known * off, axis=1) / np.where(mass > 0, mass, np.nan)


def _medians(values: Float[np.ndarray, " n"], weights: Float[np.ndarray, "G n"]) -> Float[np.ndarray, " G"]:
    """Midway between the least value with half of the weight up to it and the least with more than half."""
    order = np.argsort(values, kind="stable")[: np.count_nonzero(~np.isnan(values))]
    out = np.full(len(weights), np.nan)
    for g, w in enumerate(weights[:, order]):
        up_to = np.cumsum(w)
        if len(w) and up_to[-1] > 0:
            half = up_to[-1] / 2
            low, high = np.argmax(up_to >= half * TIE), np.argmax(up_to > half * (2 - TIE))
            out[g] = (values[order[low]] + values[order[high]]) / 2
    return out
