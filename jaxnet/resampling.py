"""Resampling schemes become row weights: what a group of lanes trains on and what it is scored on."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from jaxnet.errors import InvalidInput, advice
from jaxnet.scalars import is_whole


@dataclass(frozen=True)
class KFold:
    """K folds of nearly equal size; contiguous, or of rows shuffled by `seed`.

    The first `n % n_splits` folds have one row more than the others, as in scikit-learn, so that unshuffled folds
    are the same as its `KFold`'s. `seed` is None (other folds every time) or an integer >= 0, for shuffled folds only.
    `split` raises InvalidInput where `n_splits` is not an integer from 2 to the number of rows, and for a wrong `seed`.

    >>> from jaxnet import KFold
    >>> [test.tolist() for train, test in KFold(2).split([[1.0], [2.0], [3.0]])]
    [[0, 1], [2]]
    """

    n_splits: int = 5
    shuffle: bool = False
    seed: int | None = None

    def split(self, X, y=None):
        """Yield (train, test) index arrays."""
        n = len(X)
        _check_folds(self.n_splits, n, "cv")
        self._check_shuffling()
        order = np.random.default_rng(self.seed).permutation(n) if self.shuffle else np.arange(n)
        yield from _parts(order, self.n_splits)

    def _check_shuffling(self) -> None:
        if not isinstance(self.shuffle, (bool, np.bool_)):
            raise InvalidInput(f"shuffle={self.shuffle!r} of KFold must be True or False.")
        _check_seed(self.seed)
        if self.seed is not None and not self.shuffle:
            raise InvalidInput(f"seed={self.seed} of KFold has no effect on contiguous folds; add shuffle=True.")


@dataclass(frozen=True)
class RepeatedKFold:
    """Shuffled K-fold, `n_repeats` times over: n_splits * n_repeats folds, each round with the rows dealt anew.

    The mean error then depends less on how the rows were dealt. Its standard error does not shrink in earnest: the folds of
    several rounds hold out the same rows, see `SweepResult.error_se`. `seed` is None (other folds every time) or an integer
    >= 0; one repeat is `KFold(n_splits, shuffle=True, seed=seed)`. `split` raises InvalidInput where `n_splits` is not an
    integer from 2 to the number of rows, `n_repeats` not one of at least 1, and for a wrong `seed`.

    >>> from jaxnet import RepeatedKFold
    >>> folds = list(RepeatedKFold(2, 3).split([[0.0]] * 4))
    >>> len(folds), sorted(row for train, test in folds for row in test.tolist())
    (6, [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3])
    """

    n_splits: int = 5
    n_repeats: int = 10
    seed: int | None = 0

    def split(self, X, y=None):
        """Yield (train, test) index arrays, round by round."""
        n = len(X)
        _check_folds(self.n_splits, n, "n_splits")
        _check_count(self.n_repeats, "n_repeats")
        _check_seed(self.seed)
        rng = np.random.default_rng(self.seed)
        for _ in range(self.n_repeats):
            yield from _parts(rng.permutation(n), self.n_splits)


@dataclass(frozen=True)
class Bootstrap:
    """`n_resamples` times n rows drawn with replacement to train on; the rows that were not drawn are the test.

    A row that was drawn m times counts m times in the fit. On average 63% of the rows are drawn, so that errors are somewhat
    larger than those of the fit to all rows; draws that leave no row out are drawn again. The resamples share rows, see
    `SweepResult.error_se`. `seed` is None (others every time) or an integer >= 0. `split` raises InvalidInput for a single
    row, and where `n_resamples` is not an integer of at least 1 or `seed` is wrong.

    Reference: Efron 1983, "Estimating the error rate of a prediction rule: improvement on cross-validation".

    >>> from jaxnet import Bootstrap
    >>> [(len(train), sorted({*train, *test}) == [*range(5)]) for train, test in Bootstrap(2).split([[0.0]] * 5)]
    [(5, True), (5, True)]
    """

    n_resamples: int = 50
    seed: int | None = 0

    def split(self, X, y=None):
        """Yield (train, test) index arrays: the rows drawn, in order and with repeats, and the others."""
        n = len(X)
        _check_count(self.n_resamples, "n_resamples")
        _check_seed(self.seed)
        if n < 2:
            raise InvalidInput(f"X has n_samples = {n} row; a bootstrap that leaves rows out needs at least 2.")
        rng = np.random.default_rng(self.seed)
        for _ in range(self.n_resamples):
            drawn = rng.integers(n, size=n)
            while len(np.unique(drawn)) == n:  # likely for a handful of rows only
                drawn = rng.integers(n, size=n)
            yield np.sort(drawn), np.setdiff1d(np.arange(n), drawn)


@dataclass(frozen=True)
class ComplementaryPairs:
    """Halves of the rows, `n_pairs` times two that have no row in common; each trains once and is the other's test.

    Halves have n // 2 rows; of an odd number one row is left out of each pair. `seed` is None (other halves every time) or
    an integer >= 0. `split` raises InvalidInput for fewer than 4 rows and wrong arguments.

    Reference: Shah and Samworth 2013, "Variable selection with error control: another look at stability selection".

    >>> from jaxnet import ComplementaryPairs
    >>> [(len(train), len(test)) for train, test in ComplementaryPairs(1).split([[0.0]] * 5)]
    [(2, 2), (2, 2)]
    """

    n_pairs: int = 50
    seed: int | None = 0

    def split(self, X, y=None):
        """Yield (train, test) index arrays: a half and its complement, then the two exchanged."""
        n = len(X)
        _check_count(self.n_pairs, "n_pairs")
        _check_seed(self.seed)
        if n < 4:
            raise InvalidInput(f"X has n_samples = {n} rows; halves of at least 2 need at least 4.")
        rng = np.random.default_rng(self.seed)
        for _ in range(self.n_pairs):
            order = rng.permutation(n)
            one, other = np.sort(order[: n // 2]), np.sort(order[n // 2 : 2 * (n // 2)])
            yield one, other
            yield other, one


def _parts(order: np.ndarray, count: int):
    """(train, test) for `count` consecutive parts of `order`; rows in ascending order."""
    for test in np.array_split(order, count):
        mask = np.zeros(len(order), bool)
        mask[test] = True
        yield np.flatnonzero(~mask), np.flatnonzero(mask)


def _check_folds(folds, n: int, name: str) -> None:
    if not is_whole(folds) or folds < 2:
        raise InvalidInput(f"{name}={folds!r}: the number of folds must be an integer of at least 2.")
    if folds > n:
        raise InvalidInput(
            f"{name}={folds} folds need at least as many rows, and X has {n}; use fewer folds"
            + advice(" or cv=None.", ".")
        )


def _check_count(value, name: str) -> None:
    if not is_whole(value) or value < 1:
        raise InvalidInput(f"{name}={value!r} must be an integer of at least 1.")


def _check_seed(seed) -> None:
    if seed is not None and (not is_whole(seed) or seed < 0):
        raise InvalidInput(f"seed={seed!r} must be None or an integer of at least 0.")


class Resamples(NamedTuple):
    """Row multiplicities of G groups: `train` (G, n) and `test` (G, n), before sample weights are applied.

    Group 0 is the full data (no test rows); the others are the folds, in the order of the splitter.
    """

    train: np.ndarray
    test: np.ndarray


def resamples(cv, X, y) -> Resamples:
    """Turn any accepted `cv` (None, an int, an object with `split`, or (train, test) pairs) into row multiplicities."""
    n = len(X)
    pairs = [] if cv is None else _pairs(cv, X, y)
    train, test = np.zeros((1 + len(pairs), n)), np.zeros((1 + len(pairs), n))
    train[0] = 1.0
    for k, (train_rows, test_rows) in enumerate(pairs):
        for name, rows, target in (("train", train_rows, train), ("test", test_rows, test)):
            np.add.at(target[k + 1], _row_index(rows, n, f"the {name} rows of fold {k} in cv"), 1.0)
    return Resamples(train, test)


def _pairs(cv, X, y) -> list:
    if is_whole(cv):
        cv = KFold(int(cv))
    if isinstance(cv, type):
        raise InvalidInput(f"cv is the class {cv.__name__}; give an object of it, {cv.__name__}(...).")
    split = None if isinstance(cv, str) else getattr(cv, "split", None)
    folds = list(split(X, y)) if callable(split) else cv
    try:
        pairs = [tuple(pair) for pair in folds]
    except TypeError:
        pairs = []
    if not pairs or any(len(pair) != 2 for pair in pairs):
        raise InvalidInput(
            f"cv={cv!r:.100}: give None, a number of folds, an object with split(), or a list of (train, test) pairs."
        )
    return pairs


def _row_index(rows, n: int, name: str) -> np.ndarray:
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
