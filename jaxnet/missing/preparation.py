"""What turns rows of a caller's table into the complete columns that a fit's coefficients are of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxnet.data.arrays import as_matrix, check_finite
from jaxnet.errors import InvalidInput

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxtyping import Bool, Float, Int

    from jaxnet.data.encoding import Encoding
    from jaxnet.missing.fill import Filler
    from jaxnet.missing.options import Missing


@dataclass(frozen=True, eq=False)
class Preparation:
    """Categories as columns, missing values filled, indicators of what was missing: as fitted to all rows of a sweep.

    `columns`: names of the table's columns, or None; `given`: how many they are. `names`: those of the columns made, or None.
    `encoding`: the `Encoding` of categorical columns, or None if all are numbers. `missing`: the `Missing` that was asked
    for, or None, and `filler` what it has learnt (`values` of a SimpleFill, for one). Of the encoded columns: `modes` fill
    categories, `left_out` got no coefficient (above the column limit, or reference levels), `indicated` have an indicator.
    `rows`: how many rows were fitted.

    Made by `jaxnet.prepare`, or found as `SweepResult.preparation`.
    """

    columns: tuple[str, ...] | None
    given: int
    names: tuple[str, ...] | None
    encoding: Encoding | None
    missing: Missing | None
    filler: Filler | None
    modes: Float[np.ndarray, " m"]
    categorical: Bool[np.ndarray, " m"]
    left_out: Bool[np.ndarray, " m"]
    indicated: Int[np.ndarray, " k"]
    rows: int

    @property
    def width(self) -> int:
        """How many columns are made."""
        return len(self.modes) + len(self.indicated)

    @property
    def labels(self) -> tuple[str, ...]:
        """A name for every column made: `names`, or x0, x1, ... and missing(x0) for indicators."""
        own = tuple(f"x{j}" for j in range(len(self.modes)))
        return self.names or own + tuple(f"missing({own[j]})" for j in self.indicated)

    def __repr__(self) -> str:
        how = "categories encoded" if self.missing is None else repr(self.missing)
        return f"Preparation: {self.given:,} columns into {self.width:,} ({how}), as fitted to {self.rows:,} rows"

    def transform(self, X: Any, *, name: str = "X") -> Float[np.ndarray, "n p"]:
        """The columns of new rows, in the order of the coefficients.

        Columns of a frame are matched by name and others ignored, if the fit was given a frame; else they go by position. With
        `CompleteCases` missing values stay nan. Raises InvalidInput for other columns, infinite values, and missing ones
        where the fit had no `missing`.
        """
        return self.complete(self._encoded(X, name))

    def fillings(self, X: Any, *, name: str = "X") -> Float[np.ndarray, "m n p"]:
        """The m fillings of the rows of the fit, as multiple imputation drew them.

        Raises InvalidInput for other rows, and where there was another fill.
        """
        if self.missing is None or self.missing.fill.pool is None:
            raise InvalidInput("There is one filling, not several: missing was no MultipleFill; use transform.")
        matrix = self._encoded(X, name)
        missing = np.isnan(matrix[:, self.indicated])
        return np.stack(
            [
                with_indicators(np.where(self.left_out, 0.0, x), missing)
                for x in self.filler.training(self._open(matrix))
            ]
        )

    def _encoded(self, X: Any, name: str) -> np.ndarray:
        if self.encoding is not None:
            matrix = self.encoding.transform(X, name=name)
            if self.missing is None:  # columns as the caller knows them, not those made of them
                columns = self.encoding.columns or range(self.given)
                check_finite(matrix, name, [columns[j] for j in self.encoding.source])
            return matrix
        matrix, _ = as_matrix(X, name=name, columns=self.columns, missing_allowed=self.missing is not None)
        if matrix.shape[1] != self.given:
            raise InvalidInput(f"{name} has {matrix.shape[1]} columns, but the fit was given {self.given}.")
        return matrix

    def _open(self, matrix: np.ndarray) -> np.ndarray:
        """What the fill is given: without columns that are left out, categories filled but in complete cases."""
        X = np.where(self.left_out, np.nan, matrix.astype(np.float64, copy=False))
        return X if self.missing.fill.complete_rows else np.where(np.isnan(X) & self.categorical, self.modes, X)

    def complete(self, matrix: np.ndarray) -> np.ndarray:
        """The same of rows that were encoded already."""
        if self.filler is None:
            return matrix
        filled = np.where(self.left_out, 0.0, self.filler.fill(self._open(matrix)))
        return with_indicators(filled, np.isnan(matrix[:, self.indicated]))


def with_indicators(columns: np.ndarray, missing: Bool[np.ndarray, "n k"]) -> np.ndarray:
    """The columns, and behind them where those with an indicator are missing."""
    return np.hstack([columns, missing.astype(columns.dtype)]) if missing.shape[1] else columns
