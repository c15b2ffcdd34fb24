"""Splits that look at nothing but the number of rows: K folds, once or repeatedly, and the bootstrap."""

from dataclasses import dataclass

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.resampling.splitter import (
    OPEN,
    Folds,
    Splitter,
    check_count,
    check_folds,
    generator,
    one_seed,
    parts,
)


@dataclass(frozen=True, init=False)
class KFold(Folds):
    """K folds of nearly equal size; contiguous, or of rows dealt at random.

    The first `n % n_splits` folds have one row more than the others, as in scikit-learn, so that unshuffled folds
    are the same as its `KFold`'s.

    - n_splits: K, default 5.
    - shuffle: whether the rows are dealt at random; default False.
    - seed: of shuffled folds only, by default 0; an integer >= 0, or None for other folds every time. `random_state`, as
      scikit-learn calls it, is another name of it.

    `split` raises InvalidInput where `n_splits` is not an integer from 2 to the number of rows, and for a wrong `shuffle` or
    `seed`; so does giving both `seed` and `random_state`.

    >>> from jaxnet import KFold
    >>> [test.tolist() for train, test in KFold(2).split([[1.0], [2.0], [3.0]])]
    [[0, 1], [2]]
    >>> KFold(5, shuffle=True, random_state=1)
    KFold(n_splits=5, shuffle=True, seed=1)
    """

    def _split(self, n, y, groups):
        check_folds(self.n_splits, n, "cv")
        rng = self._shuffling()
        yield from _consecutive(np.arange(n) if rng is None else rng.permutation(n), self.n_splits)


@dataclass(frozen=True, init=False)
class RepeatedKFold(Splitter):
    """Shuffled K-fold, `n_repeats` times over: n_splits * n_repeats folds, each round with the rows dealt anew.

    The mean error then depends less on how the rows were dealt. Its standard error does not shrink in earnest: the folds of
    several rounds hold out the same rows, see `SweepResult.error_se`. One repeat is `KFold(n_splits, shuffle=True,
    seed=seed)`.

    - n_splits: K, default 5; n_repeats: default 10.
    - seed: default 0; an integer >= 0, or None for other folds every time. `random_state` is another name of it.

    `split` raises InvalidInput where `n_splits` is not an integer from 2 to the number of rows, `n_repeats` not one of at
    least 1, and for a wrong `seed`.

    >>> from jaxnet import RepeatedKFold
    >>> folds = list(RepeatedKFold(2, 3).split([[0.0]] * 4))
    >>> len(folds), sorted(row for train, test in folds for row in test.tolist())
    (6, [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3])
    """

    n_splits: int = 5
    n_repeats: int = 10
    seed: int | None = 0

    def __init__(self, n_splits=5, n_repeats=10, seed=OPEN, *, random_state=OPEN):
        vars(self).update(n_splits=n_splits, n_repeats=n_repeats, seed=one_seed(seed, random_state))

    def get_n_splits(self, X=None, y=None, groups=None) -> int:
        """n_splits * n_repeats."""
        return self.n_splits * self.n_repeats

    def _split(self, n, y, groups):
        check_folds(self.n_splits, n)
        check_count(self.n_repeats, "n_repeats")
        rng = generator(self.seed)
        for _ in range(self.n_repeats):
            yield from _consecutive(rng.permutation(n), self.n_splits)


@dataclass(frozen=True, init=False)
class Bootstrap(Splitter):
    """`n_resamples` times n rows drawn with replacement to train on; the rows that were not drawn are the test.

    A row that was drawn m times counts m times in the fit. On average 63% of the rows are drawn, so that errors are somewhat
    larger than those of the fit to all rows; draws that leave no row out are drawn again. The resamples share rows, see
    `SweepResult.error_se`.

    - n_resamples: default 50.
    - seed: default 0; an integer >= 0, or None for others every time. `random_state` is another name of it.

    `split` raises InvalidInput for a single row, and where `n_resamples` is not an integer of at least 1 or `seed` is wrong.

    Reference: Efron 1983, "Estimating the error rate of a prediction rule: improvement on cross-validation".

    >>> from jaxnet import Bootstrap
    >>> [(len(train), sorted({*train, *test}) == [*range(5)]) for train, test in Bootstrap(2).split([[0.0]] * 5)]
    [(5, True), (5, True)]
    """

    n_resamples: int = 50
    seed: int | None = 0

    def __init__(self, n_resamples=50, seed=OPEN, *, random_state=OPEN):
        vars(self).update(n_resamples=n_resamples, seed=one_seed(seed, random_state))

    def get_n_splits(self, X=None, y=None, groups=None) -> int:
        """n_resamples."""
        return self.n_resamples

    def _split(self, n, y, groups):
        check_count(self.n_resamples, "n_resamples")
        rng = generator(self.seed)
        if n < 2:
            raise InvalidInput(f"X has n_samples = {n} row; a bootstrap that leaves rows out needs at least 2.")
        for _ in range(self.n_resamples):
            drawn = rng.integers(n, size=n)
            while len(np.unique(drawn)) == n:  # likely for a handful of rows only
                drawn = rng.integers(n, size=n)
            yield np.sort(drawn), np.setdiff1d(np.arange(n), drawn)


def _consecutive(order: np.ndarray, count: int):
    """The splits that hold out `count` consecutive parts of `order`."""
    fold = np.empty(len(order), int)
    fold[order] = np.repeat(np.arange(count), [len(part) for part in np.array_split(order, count)])
    yield from parts(fold, count)
