"""Folds in which y is distributed alike."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from jaxnet.data.groups import as_groups
from jaxnet.errors import InvalidInput
from jaxnet.resampling.splitter import (
    OPEN,
    Folds,
    check_count,
    check_folds,
    parts,
)


@dataclass(frozen=True, init=False)
class StratifiedKFold(Folds):
    """K folds of nearly equal size over which y is distributed alike: of every stratum each fold holds out as many rows.

    Strata are the values of y, if there are at most `bins` of them and at most half as many as rows; else y is cut at its
    quantiles into bins of about equal numbers of rows. Of a stratum, and in all, two folds differ by at most one row. Where
    strata are values, folds are those of scikit-learn's `StratifiedKFold`, which refuses a continuous y. In `jaxnet.sweep` rows
    of weight zero take no part.

    - n_splits: K, default 5.
    - shuffle: whether the rows of a stratum are dealt at random; default False, in blocks of neighbours.
    - seed: of shuffled folds only, by default 0; an integer >= 0, or None for other folds every time. `random_state` is another
      name of it.
    - bins: default 10; fewer where a bin would have fewer rows than there are folds.

    `split(X, y)` raises InvalidInput without y, for several responses, where `n_splits` is not an integer from 2 to the number
    of rows or `bins` not one of at least 1, and for a wrong `shuffle` or `seed`.

    >>> from jaxnet import StratifiedKFold
    >>> y = [3.1, 0.2, 9.7, 1.4, 8.8, 2.5, 7.0, 6.3]
    >>> [sorted(y[i] for i in test) for train, test in StratifiedKFold(2, bins=2).split([[0.0]] * 8, y)]
    [[0.2, 3.1, 8.8, 9.7], [1.4, 2.5, 6.3, 7.0]]
    """

    _by_labels: ClassVar[bool] = True
    bins: int = 10

    def __init__(self, n_splits=5, shuffle=False, seed=OPEN, bins=10, *, random_state=OPEN):
        super().__init__(n_splits, shuffle, seed, random_state=random_state)
        vars(self).update(bins=bins)

    def _split(self, n, y, groups):
        check_folds(self.n_splits, n)
        check_count(self.bins, "bins")
        rng, K = self._shuffling(), self.n_splits
        strata = self._strata(_one_response(y, n))
        # Dealing the sorted strata in turn gives each fold its share of each; the shares go to its rows in blocks.
        dealt = np.sort(strata)
        shares = [np.bincount(dealt[k::K], minlength=strata.max() + 1) for k in range(K)]
        fold = np.empty(n, int)
        for stratum, counts in enumerate(np.transpose(shares)):
            folds = np.repeat(np.arange(K), counts)
            if rng is not None:
                rng.shuffle(folds)
            fold[strata == stratum] = folds
        yield from parts(fold, K)

    def _strata(self, y: np.ndarray) -> np.ndarray:
        """The number of each row's stratum: values in the order of their appearance, or bins from below."""
        kinds, first, codes = np.unique(y, return_index=True, return_inverse=True)
        few = len(kinds) <= self.bins and 2 * len(kinds) <= len(y)
        if few or y.dtype.kind not in "iuf":
            return np.argsort(np.argsort(first))[codes]
        count = max(1, min(self.bins, len(y) // self.n_splits))
        edges = np.quantile(y, np.arange(1, count) / count)
        return np.unique(np.searchsorted(edges, y), return_inverse=True)[1]


def _one_response(y, n: int) -> np.ndarray:
    """y (n,), numbers or labels."""
    if y is None:
        raise InvalidInput("StratifiedKFold needs y, which it distributes alike over the folds.")
    y = np.asarray(y)
    if y.ndim == 2 and y.shape[1] > 1:
        raise InvalidInput(
            f"y has {y.shape[1]} responses, and StratifiedKFold distributes one alike over the folds: sweep them one by one, or "
            "give fold numbers of your own, cv=numbers."
        )
    return as_groups(y.reshape(-1), n, name="y")
