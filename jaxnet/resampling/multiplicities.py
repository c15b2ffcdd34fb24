"""From any accepted `cv` to how often each row is trained on and scored on."""

from typing import Any, NamedTuple

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.resampling.asking import listed, splits_of
from jaxnet.resampling.fold_numbers import FoldNumbers
from jaxnet.resampling.grouped import GroupKFold
from jaxnet.resampling.splits import KFold
from jaxnet.resampling.splitter import Splitter
from jaxnet.scalars import is_whole


class Resamples(NamedTuple):
    """Row multiplicities of G groups: `train` (G, n) and `test` (G, n), before sample weights are applied.

    Group 0 is the full data (no test rows); the others are the folds, in the order of the splitter.
    """

    train: np.ndarray
    test: np.ndarray


def resamples(
    cv: Any, X: Any, y: Any, *, groups: np.ndarray | None = None, weight: np.ndarray | None = None
) -> Resamples:
    """Turn any accepted `cv` into row multiplicities: None, an int (K contiguous folds, or K folds of whole groups), an object
    with `split`, an array of n fold numbers, or (train, test) pairs.

    groups: labels of the rows (n,), as `as_groups` gives them; none comes on both sides of a split. weight: (n,). Where
    groups, fold numbers or y say what is held out, rows of weight zero take no part, as if they were not there.
    """
    n = len(X)
    splitter = None if cv is None else _splitter(cv, n, groups)
    rows = np.arange(n) if weight is None or not _labelled(splitter, groups) else np.flatnonzero(weight > 0)
    if splitter is None:
        pairs, among = ([] if cv is None else _as_pairs(cv, listed(cv))), np.arange(n)
    else:
        pairs, among = _as_pairs(cv, _split(splitter, X, y, groups, rows)), rows
    train, test = np.zeros((1 + len(pairs), n)), np.zeros((1 + len(pairs), n))
    train[0] = 1.0
    for k, (train_rows, test_rows) in enumerate(pairs):
        for name, part, target in (("train", train_rows, train), ("test", test_rows, test)):
            index = among[_row_index(part, len(among), f"the {name} rows of fold {k} in cv")]
            np.add.at(target[k + 1], index, 1.0)
    if groups is not None:
        _check_apart(train[1:, rows] > 0, test[1:, rows] > 0, groups[rows])
    return Resamples(train, test)


def _splitter(cv: Any, n: int, groups: np.ndarray | None) -> Any | None:
    """The object that splits n rows; None for pairs that are there already."""
    if is_whole(cv):
        return KFold(int(cv)) if groups is None else GroupKFold(int(cv))
    if isinstance(cv, type):
        raise InvalidInput(f"cv is the class {cv.__name__}; give an object of it, {cv.__name__}(...).")
    if not isinstance(cv, str) and callable(getattr(cv, "split", None)):
        return cv
    return FoldNumbers.of(cv, n)


def _labelled(splitter: Any, groups: np.ndarray | None) -> bool:
    """Whether more than the number of rows says what is held out."""
    return groups is not None or (isinstance(splitter, Splitter) and splitter._by_labels)


def _split(splitter: Any, X: Any, y: Any, groups: np.ndarray | None, rows: np.ndarray) -> list[Any]:
    """The splits of these rows, as positions among them."""
    if len(rows) == len(X):
        return splits_of(splitter, X, y, groups)
    splitter = splitter.of_rows(rows) if isinstance(splitter, FoldNumbers) else splitter
    return splits_of(splitter, X[rows], None if y is None else y[rows], None if groups is None else groups[rows])


def _as_pairs(cv: Any, splits: list[Any]) -> list[tuple[Any, Any]]:
    try:
        pairs = [tuple(pair) for pair in splits]
    except TypeError:
        pairs = []
    if not pairs or any(len(pair) != 2 for pair in pairs):
        raise InvalidInput(
            f"cv={cv!r:.100}: give None, a number of folds, an object with split(), an array of one fold number per row, or a "
            "list of (train, test) pairs."
        )
    return pairs


def _row_index(rows: Any, n: int, name: str) -> np.ndarray:
    try:
        rows = np.asarray(rows)
    except ValueError:
        raise InvalidInput(f"{name} must be a one-dimensional array of row numbers, not {rows!r:.100}.") from None
    if rows.dtype == bool:
        if rows.shape != (n,):
            raise InvalidInput(f"{name} are a mask of shape {rows.shape}, but X has {n} rows.")
        rows = np.flatnonzero(rows)
    if rows.size == 0:
        raise InvalidInput(f"{name} are empty; every fold needs rows to train on and rows to be scored on.")
    if not np.issubdtype(rows.dtype, np.integer) or rows.ndim != 1:
        raise InvalidInput(
            f"{name} must be a one-dimensional array of row numbers, not {rows.dtype} of shape {rows.shape}."
        )
    if rows.size and (rows.min() < -n or rows.max() >= n):
        raise InvalidInput(f"{name} name row {rows.max() if rows.max() >= n else rows.min()}, but X has {n} rows.")
    return rows


def _check_apart(train: np.ndarray, test: np.ndarray, groups: np.ndarray) -> None:
    """Refuse splits (K, n) that have rows of a group on both sides."""
    kinds, codes = np.unique(groups, return_inverse=True)
    for k, sides in enumerate(zip(train, test, strict=True)):
        trained, scored = (np.bincount(codes[rows], minlength=len(kinds)) > 0 for rows in sides)
        both = np.flatnonzero(trained & scored)
        if both.size:
            more = f" and {both.size - 1} more" if both.size > 1 else ""
            raise InvalidInput(
                f"cv has rows of the group {kinds.tolist()[both[0]]!r:.60}{more} on both sides of fold {k}: give splits that "
                "keep groups together, such as cv=jaxnet.GroupKFold(5), or leave groups out."
            )
