"""The columns of a fit from a caller's table: numbers, levels of categories, and indicators of what is missing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from jaxtyping import Bool, Float, Int

from jaxnet.data.arrays import as_matrix, as_weights, check_finite
from jaxnet.data.frames import as_frame
from jaxnet.data.mixed import MixedColumns, holds_labels
from jaxnet.errors import InvalidInput
from jaxnet.missing.fill import Filler, Gapped
from jaxnet.missing.options import Missing, as_missing
from jaxnet.missing.preparation import Preparation, with_indicators

if TYPE_CHECKING:
    from jaxnet.data.categories import Categories
    from jaxnet.data.encoding import Encoding


@dataclass(frozen=True)
class Features:
    """`matrix` (n, p), nan where missing: the columns of the table, encoded if it has categories, and then the indicators.

    The table has `given` columns, called `columns`; the matrix has columns `names`, and each comes from column `source` of
    the table. `blocks` (p,) has its categorical variable, -1 for numbers; the last columns are the indicators of the
    columns `indicated`.
    """

    matrix: np.ndarray
    names: tuple[str, ...] | None
    columns: tuple[str, ...] | None
    given: int
    source: Int[np.ndarray, " p"]
    blocks: Int[np.ndarray, " p"]
    indicated: Int[np.ndarray, " k"]
    encoding: Encoding | None

    @classmethod
    def of(cls, X: Any, missing: Missing | None, categories: Categories | None) -> Features:
        """Check and encode X; what was made by these options before stays as it is.

        Raises InvalidInput where X holds what the options leave no room for.
        """
        if isinstance(X, Features):
            return X
        features = _encoded(X, categories) if categories is not None or _has_labels(X) else _numbers(X)
        if missing is None:
            check_finite(features.matrix, "X", features.names)
        return features if missing is None or not missing.indicators else features._indicating()

    def _indicating(self) -> Features:
        """The same with an indicator of every column that misses values."""
        # The columns of a categorical variable miss the same rows: its first one speaks for it.
        first = np.ones(len(self.blocks), bool)
        first[1:] = (self.blocks[1:] < 0) | (self.blocks[1:] != self.blocks[:-1])
        at = np.flatnonzero(np.isnan(self.matrix).any(axis=0) & first)
        return Features(
            matrix=with_indicators(self.matrix, np.isnan(self.matrix[:, at])),
            names=None if self.names is None else self.names + self._indicator_names(at),
            columns=self.columns,
            given=self.given,
            source=np.concatenate([self.source, self.source[at]]),
            blocks=np.concatenate([self.blocks, np.full(len(at), -1)]),
            indicated=at,
            encoding=self.encoding,
        )

    def _indicator_names(self, at: Int[np.ndarray, " k"]) -> tuple[str, ...]:
        whole = self.columns or tuple(
            f"x{j}" for j in range(self.given)
        )  # a category is missing, not one of its levels
        names = tuple(f"missing({whole[self.source[j]]})" for j in at)
        taken = sorted({*names} & {*self.names})
        if taken:
            raise InvalidInput(f"X has a column {taken[0]!r}, as the indicator of another would be called: rename it.")
        return names

    @property
    def encoded(self) -> np.ndarray:
        """The matrix without the indicators of what is missing."""
        return self.matrix[:, : self.matrix.shape[1] - len(self.indicated)]

    @property
    def is_indicator(self) -> Bool[np.ndarray, " p"]:
        """Which columns say that a value is missing."""
        return np.arange(self.matrix.shape[1]) >= self.matrix.shape[1] - len(self.indicated)

    def left_out(self, train: Float[np.ndarray, "G n"], missing: Missing | None) -> Bool[np.ndarray, "G p"]:
        """The columns that groups of row weights do without: above the limit of what they may miss, or levels that others are
        compared with."""
        excluded = np.zeros((len(train), self.matrix.shape[1]), bool)
        if self.encoding is not None:
            own = len(self.encoding.source)
            excluded[:, :own] = self.encoding.excluded(self.matrix[:, :own], train)
        return excluded if missing is None else excluded | missing.excluded(self.matrix, train)

    def gapped(self, train: Float[np.ndarray, "G n"], left_out: Bool[np.ndarray, "G p"]) -> Gapped:
        """The columns, and the groups of row weights that fill them."""
        X = self.matrix.astype(np.float64, copy=False)
        return Gapped(X, self.blocks, train, left_out, len(self.indicated))

    def preparation(
        self,
        missing: Missing | None,
        filler: Filler | None,
        weights: Float[np.ndarray, " n"],
        left_out: Bool[np.ndarray, " p"],
    ) -> Preparation:
        """What makes these columns of new rows, as fitted to rows of these weights."""
        own = self.matrix.shape[1] - len(self.indicated)
        return Preparation(
            columns=self.columns,
            given=self.given,
            names=self.names,
            encoding=self.encoding,
            missing=missing,
            filler=filler,
            modes=self.gapped(weights[None], left_out[None]).modes()[0, :own],
            categorical=self.blocks[:own] >= 0,
            left_out=left_out[:own],
            indicated=self.indicated,
            rows=int(np.count_nonzero(weights)),
        )


def prepare(
    X: Any, *, missing: Any = "mean", categories: Categories | None = None, sample_weight: Any = None
) -> Preparation:
    """Fit what a sweep would do about the missing values and the categories of a table, without a response.

    - X: as in `jaxnet.sweep`.
    - missing: a `Missing`, or a fill or its name; default "mean"; None if nothing is missing.
    - categories: a `Categories`, or None for its defaults.
    - sample_weight: (n,) >= 0, or None.

    Returns the `Preparation`, whose `transform` makes the columns of any rows. In a cross-validated sweep every fold has one
    of its own: give `missing=` to `jaxnet.sweep`, not columns that were filled with all rows in sight.

    Raises InvalidInput as `jaxnet.sweep` does.

    >>> import numpy as np
    >>> prepare(np.array([[1.0, np.nan], [3.0, 4.0]]), missing="mean").transform([[np.nan, 1.0]]).tolist()
    [[2.0, 1.0]]
    """
    missing = as_missing(missing)
    features = Features.of(X, missing, categories)
    given = as_weights(sample_weight, len(features.matrix))
    weights = np.ones(len(features.matrix)) if given is None else given
    weights = weights / weights.sum()
    left_out = features.left_out(weights[None], missing)[0]
    filler = None
    if missing is not None:
        table = features.gapped(weights[None], left_out[None])
        if missing.fill.complete_rows:
            weights = np.where(np.isnan(table.X[:, ~left_out]).any(axis=1), 0.0, weights)
        filler = missing.fill.fit(table.seen(0, table.modes()[0]), weights)
    return features.preparation(missing, filler, weights, left_out)


def _numbers(X: Any) -> Features:
    matrix, names = as_matrix(X, missing_allowed=True)
    p = matrix.shape[1]
    return Features(matrix, names, names, p, np.arange(p), np.full(p, -1), np.zeros(0, int), None)


def _encoded(X: Any, categories: Categories | None) -> Features:
    from jaxnet.data.categories import encode

    matrix, encoding = encode(X, categories)
    names, columns, given = encoding.names, encoding.columns, len(encoding.levels)
    return Features(matrix, names, columns, given, encoding.source, encoding.blocks, np.zeros(0, int), encoding)


def _has_labels(X: Any) -> bool:
    """Whether X is a frame with text, categories or truth values, or columns of a file. Text in an array is often a mistake."""
    import narwhals as nw

    if isinstance(X, MixedColumns):
        return True
    frame = None if isinstance(X, np.ndarray | list | tuple) else as_frame(X, "X")
    return frame is not None and (nw.Boolean in frame.schema.values() or holds_labels(X))
