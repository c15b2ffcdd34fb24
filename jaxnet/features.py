"""The columns of a fit from a caller's table: numbers, levels of categories, and indicators of what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Int

from jaxnet.data.arrays import as_matrix, check_finite
from jaxnet.errors import InvalidInput
from jaxnet.missing.options import Missing

if TYPE_CHECKING:
    from jaxnet.data.categories import Categories
    from jaxnet.data.encoding import Encoding


@dataclass(frozen=True)
class Features:
    """`matrix` (n, p), nan where missing: the columns of the table, encoded if it has categories, and then the indicators.

    `source` (p,) is the column of the table that each comes from, of `given`; `blocks` the categorical variable, -1 for
    numbers; the last columns are the indicators of the columns `indicated`.
    """

    matrix: np.ndarray
    names: tuple[str, ...] | None
    given: int
    source: Int[np.ndarray, " p"]
    blocks: Int[np.ndarray, " p"]
    indicated: Int[np.ndarray, " k"]
    encoding: Encoding | None

    @classmethod
    def of(cls, X: Any, missing: Missing | None, categories: Categories | None) -> Features:
        """Check and encode X. Raises InvalidInput where it holds what the options leave no room for."""
        encoding = None
        if categories is not None:
            from jaxnet.data.categories import encode

            matrix, encoding = encode(X, categories)
            names, source, blocks, given = encoding.names, encoding.source, encoding.blocks, len(encoding.levels)
        else:
            matrix, names = as_matrix(X, missing_allowed=True)
            given = matrix.shape[1]
            source, blocks = np.arange(given), np.full(given, -1)
        if missing is None:
            check_finite(matrix, "X", names)
        indicated = np.zeros(0, int)
        if missing is not None and missing.indicators:
            indicated = _indicated(matrix, blocks)
            matrix, names = (
                with_indicators(matrix, indicated),
                _with_indicator_names(names, indicated, blocks, encoding),
            )
            source = np.concatenate([source, source[indicated]])
            blocks = np.concatenate([blocks, np.full(len(indicated), -1)])
        return cls(matrix, names, given, source, blocks, indicated, encoding)

    def left_out(self, train: Float[np.ndarray, "G n"], missing: Missing | None) -> Bool[np.ndarray, "G p"]:
        """The columns that groups of row weights do without: above the limit of what they may miss, or levels that others are
        compared with."""
        excluded = np.zeros((len(train), self.matrix.shape[1]), bool)
        if self.encoding is not None:
            own = len(self.encoding.source)
            excluded[:, :own] = self.encoding.excluded(self.matrix[:, :own], train)
        return excluded if missing is None else excluded | missing.excluded(self.matrix, train)

    @property
    def plain(self) -> bool:
        """Whether the matrix is the table as it was given."""
        return self.encoding is None and not len(self.indicated)

    @property
    def is_indicator(self) -> Bool[np.ndarray, " p"]:
        """Which columns say that a value is missing."""
        return np.arange(self.matrix.shape[1]) >= self.matrix.shape[1] - len(self.indicated)


def with_indicators(matrix: np.ndarray, indicated: Int[np.ndarray, " k"]) -> np.ndarray:
    """The columns, and behind them where those `indicated` are missing."""
    if not len(indicated):
        return matrix
    return np.hstack([matrix, np.isnan(matrix[:, indicated]).astype(matrix.dtype)])


def _indicated(matrix: np.ndarray, blocks: Int[np.ndarray, " p"]) -> Int[np.ndarray, " k"]:
    """Columns with missing values; of a categorical variable, whose columns miss the same rows, the first."""
    first = np.ones(len(blocks), bool)
    first[1:] = (blocks[1:] < 0) | (blocks[1:] != blocks[:-1])
    return np.flatnonzero(np.isnan(matrix).any(axis=0) & first)


def _with_indicator_names(names, indicated, blocks, encoding) -> tuple[str, ...] | None:
    if names is None:
        return None
    label = lambda j: names[j] if blocks[j] < 0 else encoding.columns[encoding.source[j]]
    added = tuple(f"missing({label(j)})" for j in indicated)
    taken = set(names) & set(added)
    if taken:
        raise InvalidInput(
            f"X has a column {min(taken)!r}, which is what the indicator of a column would be called; rename that column."
        )
    return names + added
