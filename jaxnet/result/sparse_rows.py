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

    @classmethod
    def pack(cls, rows: list[tuple[np.ndarray, np.ndarray]], n_columns: int) -> SparseRows:
        """From the columns, in any order, and the values of each row."""
        starts = np.concatenate([[0], np.cumsum([len(columns) for columns, _ in rows])])
        columns = np.concatenate([columns for columns, _ in rows]).astype(np.int32)
        order = [np.argsort(columns, kind="stable") for columns, _ in rows]
        shuffled = np.concatenate([o + start for o, start in zip(order, starts[:-1], strict=True)]).astype(np.int64)
        values = np.concatenate([values for _, values in rows])
        return cls(values[shuffled], columns[shuffled], starts, n_columns)

    def __repr__(self) -> str:
        return f"SparseRows: {len(self):,} x {self.n_columns:,}, {len(self.values):,} nonzeros"

    def __len__(self) -> int:
        return len(self.starts) - 1

    def row(self, i: int) -> Float[np.ndarray, " p"]:
        """Row i as a dense vector."""
        dense = np.zeros(self.n_columns)
        columns, values = self.parts(i)
        dense[columns] = values
        return dense

    def parts(self, i: int) -> tuple[Int[np.ndarray, " m"], Float[np.ndarray, " m"]]:
        """The columns and the values of row i."""
        span = slice(self.starts[i], self.starts[i + 1])
        return self.columns[span], self.values[span]

    def toarray(self) -> Float[np.ndarray, "rows p"]:
        """All rows, dense."""
        dense = np.zeros((len(self), self.n_columns))
        dense[np.repeat(np.arange(len(self)), self.counts()), self.columns] = self.values
        return dense

    def block(
        self, rows: Int[np.ndarray, " k"], columns: Int[np.ndarray, " u"] | None = None
    ) -> tuple[Int[np.ndarray, " u"], Float[np.ndarray, "k u"]]:
        """Some rows, dense, on ascending `columns`; by default on those in which any of them has a nonzero.

        Returns the columns and the block. Nonzeros elsewhere than on columns that are given are left out.
        """
        counts = self.counts()[rows]
        before = np.cumsum(counts) - counts
        at = np.arange(counts.sum()) + np.repeat(self.starts[rows] - before, counts)
        held = self.columns[at]
        columns = np.unique(held) if columns is None else columns
        dense = np.zeros((len(rows), len(columns)))
        row, kept = np.repeat(np.arange(len(rows)), counts), np.isin(held, columns)
        dense[row[kept], np.searchsorted(columns, held[kept])] = self.values[at][kept]
        return columns, dense

    def counts(self) -> Int[np.ndarray, " rows"]:
        """Nonzeros per row."""
        return np.diff(self.starts)
