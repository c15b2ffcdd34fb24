"""Folds given by numbers: row i is held out in fold number[i], as glmnet's `foldid` says it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from jaxnet.data.arrays import plain_array
from jaxnet.data.factors import is_missing
from jaxnet.data.frames import as_series
from jaxnet.errors import InvalidInput
from jaxnet.resampling.splitter import Split, Splitter, parts
from jaxnet.scalars import is_number


@dataclass(frozen=True, eq=False)
class FoldNumbers(Splitter):
    """One fold for each number >= 0 in `numbers` (n,), in their order; rows of number -1 are never held out.

    >>> [(train.tolist(), test.tolist()) for train, test in FoldNumbers(np.array([2, 1, 2, -1])).split([[0.0]] * 4)]
    [([0, 2, 3], [1]), ([1, 3], [0, 2])]
    """

    _groups: ClassVar = "taken"  # but numbers are what they are: whoever asks sees whether they keep groups together
    _by_labels: ClassVar[bool] = True
    numbers: np.ndarray

    @classmethod
    def of(cls, cv: Any, n: int) -> "FoldNumbers | None":
        """The folds of an array, a column of a frame or a list of n numbers; None for what is none of them."""
        values = _one_dimensional(cv)
        if values is None:
            return None
        if len(values) != n:
            raise InvalidInput(f"cv is an array of {len(values)} fold numbers, but X has {n} rows: give one per row.")
        return cls(_whole(values))

    def of_rows(self, at: np.ndarray) -> "FoldNumbers":
        """The same for some of the rows."""
        return FoldNumbers(self.numbers[at])

    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """How many numbers there are."""
        return len(np.unique(self.numbers[self.numbers >= 0]))

    def _split(self, n: int, y: Any, groups: np.ndarray | None) -> Iterator[Split]:
        kinds, fold = np.unique(self.numbers, return_inverse=True)
        kept = int(kinds[0] < 0)
        if len(kinds) < 2:
            raise InvalidInput(
                f"cv has the fold number {kinds[0]} in every row: a fold needs rows to be scored on, and others to train on."
            )
        yield from parts(fold.reshape(-1) - kept, len(kinds) - kept)


def _one_dimensional(cv: Any) -> np.ndarray | None:
    """The values of what may be fold numbers: not pairs of arrays, splitters, texts or single numbers."""
    if isinstance(cv, (list, tuple)):
        flat = bool(cv) and all(is_number(value) or is_missing(value) or isinstance(value, str) for value in cv)
        return plain_array(cv, "cv") if flat else None
    series = None if isinstance(cv, np.ndarray) else as_series(cv)
    values = cv if series is None else series
    if not hasattr(values, "__array__") or callable(getattr(values, "split", None)):
        return None
    values = plain_array(values, "cv")
    pairs = values.dtype.kind == "O" and any(
        hasattr(value, "__len__") and not isinstance(value, str) for value in values.flat
    )
    return values if values.ndim == 1 and len(values) and not pairs else None


def _whole(values: np.ndarray) -> np.ndarray:
    if values.dtype.kind == "O":
        values = np.array([np.nan if is_missing(v) else v for v in values.tolist()])
    if values.dtype.kind not in "iuf":
        raise InvalidInput(
            f"cv holds {values.tolist()[0]!r:.60}, which is no fold number: give whole numbers from 0 on; of "
            "labels, every one is held out in turn by cv=jaxnet.LeaveOneGroupOut(), groups=labels."
        )
    wrong = np.flatnonzero(~(values >= -1) | (np.floor(values) != values))
    if wrong.size:
        more = f" and {wrong.size - 1} more like it" if wrong.size > 1 else ""
        raise InvalidInput(
            f"cv has the fold number {values[wrong[0]]:g} in row {wrong[0]}{more}: give whole numbers from 0 on, or -1 for rows "
            "that are never held out."
        )
    return values.astype(np.int64)
