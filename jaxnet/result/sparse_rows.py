"""Coefficients of many fits, of which only the nonzeros are stored."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxtyping import Float, Int


@dataclass(frozen=True, eq=False)
class SparseRows:
    """Rows of which only the nonzeros are stored (compressed sparse rows): row i holds `columns[starts[i]:starts[i+1]]`."""

    values: Float[np.ndarray, " k"]
    columns: Int[np.ndarray, " k"]
    starts: Int[np.ndarray, " rows+1"]
    n_columns: int

    def __len__(self) -> int:
        return len(self.starts) - 1

    def row(self, i: int) -> Float[np.ndarray, " p"]:
        """Row i as a dense vector."""
        dense = np.zeros(self.n_columns)
        span = slice(self.starts[i], self.starts[i + 1])
        dense[self.columns[span]] = self.values[span]
        return dense

    def toarray(self) -> Float[np.ndarray, "rows p"]:
        """All rows, dense."""
        dense = np.zeros((len(self), self.n_columns))
        dense[np.repeat(np.arange(len(self)), self.counts()), self.columns] = self.values
        return dense

    def block(self, start: int, count: int, columns: Int[np.ndarray, " k"]) -> Float[np.ndarray, "count k"]:
        """Rows `start` to `start + count`, dense, on some columns only, which ascend."""
        dense = np.zeros((count, len(columns)))
        span = slice(self.starts[start], self.starts[start + count])
        rows = np.repeat(np.arange(count), np.diff(self.starts[start : start + count + 1]))
        at = np.searchsorted(columns, self.columns[span])
        kept = np.isin(self.columns[span], columns)
        dense[rows[kept], at[kept]] = self.values[span][kept]
        return dense

    def used(self, start: int, count: int) -> Int[np.ndarray, " k"]:
        """The columns that have a nonzero in rows `start` to `start + count`, ascending."""
        return np.unique(self.columns[self.starts[start] : self.starts[start + count]])

    def counts(self) -> Int[np.ndarray, " rows"]:
        """Nonzeros per row."""
        return np.diff(self.starts)
