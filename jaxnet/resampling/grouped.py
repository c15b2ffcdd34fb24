"""Splits that keep rows of a group on one side: several rows of one patient, plots of one field, days of one week."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.resampling.splitter import (
    OPEN,
    Folds,
    GroupSplitter,
    check_count,
    check_folds,
    generator,
    one_seed,
    parts,
)


@dataclass(frozen=True, init=False)
class GroupKFold(Folds, GroupSplitter):
    """K folds of whole groups: no group has rows on both sides of a split, and the folds have about as many rows each.

    Groups go, the largest first, to the fold that has the fewest rows so far, which is what scikit-learn's `GroupKFold` does,
    with the same folds. What is balanced is the number of rows, not their weights; in `jaxnet.sweep` rows of weight zero
    take no part.

    - n_splits: K, default 5; at most the number of groups.
    - shuffle: deal the groups in random order, each to the fold with the fewest rows so far; default False. Fold sizes then
      differ by no more than the size of the largest group.
    - seed: of shuffled folds only, by default 0; an integer >= 0, or None for other folds every time. `random_state` is another
      name of it.

    `split(X, y, groups)` takes one label per row, as `groups=` of `jaxnet.sweep`. It raises InvalidInput without `groups`,
    where they are of another length, miss values or are fewer than the folds, and for wrong options.

    >>> from jaxnet import GroupKFold
    >>> [test.tolist() for train, test in GroupKFold(2).split([[0.0]] * 5, groups=["a", "b", "a", "c", "c"])]
    [[1, 3, 4], [0, 2]]
    """

    _groups: ClassVar = "needed"

    def _split(self, n, y, groups):
        check_folds(self.n_splits, n)
        rng = self._shuffling()
        kinds, codes = np.unique(groups, return_inverse=True)
        if self.n_splits > len(kinds):
            fewer = f"use at most {len(kinds)} folds" if len(kinds) > 1 else "nothing can be held out"
            raise InvalidInput(
                f"n_splits={self.n_splits} folds of whole groups need at least as many groups, and groups has {len(kinds)}: "
                f"{fewer}."
            )
        sizes = np.bincount(codes)
        order = np.argsort(sizes, kind="stable")[::-1] if rng is None else rng.permutation(len(kinds))
        rows, fold = np.zeros(self.n_splits, int), np.empty(len(kinds), int)
        for group in order:
            fold[group] = np.argmin(rows)
            rows[fold[group]] += sizes[group]
        yield from parts(fold[codes], self.n_splits)


@dataclass(frozen=True)
class LeaveOneGroupOut(GroupSplitter):
    """As many folds as there are groups, each of which holds one group out; in the order of their labels.

    The errors are those for rows of a group that was never seen. `split(X, y, groups)` takes one label per row, as `groups=`
    of `jaxnet.sweep`. It raises InvalidInput without `groups`, where they are of another length, miss values, or are one only.

    >>> from jaxnet import LeaveOneGroupOut
    >>> [test.tolist() for train, test in LeaveOneGroupOut().split([[0.0]] * 4, groups=["b", "a", "a", "c"])]
    [[1, 2], [0], [3]]
    """

    _groups: ClassVar = "needed"

    def get_n_splits(self, X=None, y=None, groups=None) -> int:
        """How many groups there are; needs `groups`."""
        return len(np.unique(self._checked(groups if X is None else X, y, groups)[2]))

    def _split(self, n, y, groups):
        kinds, codes = np.unique(groups, return_inverse=True)
        if len(kinds) < 2:
            raise InvalidInput(
                f"groups puts all {n} rows into one group, {kinds.tolist()[0]!r:.60}: with that left out none are left."
            )
        yield from parts(codes, len(kinds))


@dataclass(frozen=True, init=False)
class ComplementaryPairs(GroupSplitter):
    """Halves of the rows, `n_pairs` times two that have no row in common; each trains once and is the other's test.

    Halves have n // 2 rows; of an odd number one row is left out of each pair. With `groups` they are halves of the groups,
    G // 2 of G, with all rows of each: what is drawn are groups, which are independent where their rows are not.

    - n_pairs: default 50.
    - seed: default 0; an integer >= 0, or None for other halves every time. `random_state` is another name of it.

    `split` raises InvalidInput for fewer than 4 rows, or groups, and for wrong arguments.

    Reference: Shah and Samworth 2013, "Variable selection with error control: another look at stability selection".

    >>> from jaxnet import ComplementaryPairs
    >>> [(len(train), len(test)) for train, test in ComplementaryPairs(1).split([[0.0]] * 5)]
    [(2, 2), (2, 2)]
    """

    _groups: ClassVar = "taken"
    n_pairs: int = 50
    seed: int | None = 0

    def __init__(self, n_pairs=50, seed=OPEN, *, random_state=OPEN):
        vars(self).update(n_pairs=n_pairs, seed=one_seed(seed, random_state))

    def get_n_splits(self, X=None, y=None, groups=None) -> int:
        """2 n_pairs."""
        return 2 * self.n_pairs

    def _split(self, n, y, groups):
        check_count(self.n_pairs, "n_pairs")
        rng = generator(self.seed)
        codes = np.arange(n) if groups is None else np.unique(groups, return_inverse=True)[1]
        units = int(codes.max(initial=-1)) + 1
        if units < 4:
            what = f"X has n_samples = {n} rows" if groups is None else f"groups has {units}"
            raise InvalidInput(f"{what}; halves of at least 2 need at least 4.")
        for _ in range(self.n_pairs):
            order, half = rng.permutation(units), np.zeros(units, int)
            half[order[: units // 2]] = 1
            half[order[units // 2 : 2 * (units // 2)]] = 2
            one, other = (np.flatnonzero(half[codes] == k) for k in (1, 2))
            yield one, other
            yield other, one
