"""What all splitters have in common: how they are called, and the seed under its two names."""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

import numpy as np

from jaxnet.data.groups import as_groups
from jaxnet.errors import InvalidInput, advice
from jaxnet.scalars import is_whole

Split = tuple[np.ndarray, np.ndarray]


class _Open:
    """Stands for an argument that was not given."""

    def __repr__(self) -> str:
        return "0"


OPEN: Any = _Open()


def one_seed(seed: Any, random_state: Any, *, random: bool = True) -> Any:
    """The seed, whichever name it was given under; where neither was, 0, or None for splits that are not `random`."""
    if seed is not OPEN and random_state is not OPEN:
        raise InvalidInput(
            f"seed={seed!r:.60} and random_state={random_state!r:.60} are two names of one option: give one of them."
        )
    given = seed if random_state is OPEN else random_state
    return given if given is not OPEN else 0 if random else None


class Splitter(ABC):
    """How rows are split, again and again, into those to train on and those to score on."""

    _groups: ClassVar[Literal["refused", "taken", "needed"]] = "refused"
    _by_labels: ClassVar[bool] = False  # whether y, or labels of its own, say what goes where

    def split(self, X: Any, y: Any = None, groups: Any = None) -> Iterator[Split]:
        """Yield (train, test) arrays of row numbers; `groups` is one label per row, for splitters that look at it.

        Raises InvalidInput where the options, X, y or `groups` are wrong, and for `groups` that would have no effect.
        """
        yield from self._split(*self._checked(X, y, groups))

    @abstractmethod
    def get_n_splits(self, X: Any = None, y: Any = None, groups: Any = None) -> int:
        """How many splits there are; as scikit-learn's tools ask."""

    @abstractmethod
    def _split(self, n: int, y: Any, groups: np.ndarray | None) -> Iterator[Split]:
        """The splits of n rows, with checked labels."""

    def _checked(self, X: Any, y: Any, groups: Any) -> tuple[int, Any, np.ndarray | None]:
        """The number of rows, y, and the labels of the rows."""
        who = type(self).__name__
        if groups is None and self._groups == "needed":
            raise InvalidInput(f"{who} keeps rows of a group together and needs groups=: one label per row of X.")
        if groups is not None and self._groups == "refused":
            raise InvalidInput(no_effect(who))
        n = int(X.shape[0]) if hasattr(X, "shape") else len(X)
        return n, y, None if groups is None else as_groups(groups, n)


@dataclass(frozen=True, init=False)
class Folds(Splitter):
    """K folds, each held out once, to which rows or groups may be dealt at random."""

    n_splits: int = 5
    shuffle: bool = False
    seed: int | None = None

    def __init__(self, n_splits=5, shuffle=False, seed=OPEN, *, random_state=OPEN):
        seed = one_seed(seed, random_state, random=isinstance(shuffle, (bool, np.bool_)) and bool(shuffle))
        vars(self).update(n_splits=n_splits, shuffle=shuffle, seed=seed)

    def get_n_splits(self, X=None, y=None, groups=None) -> int:
        """K."""
        return self.n_splits

    def _shuffling(self) -> np.random.Generator | None:
        """The random numbers of folds that are shuffled, None of others."""
        who = type(self).__name__
        if not isinstance(self.shuffle, (bool, np.bool_)):
            raise InvalidInput(f"shuffle={self.shuffle!r:.60} of {who} must be True or False.")
        rng = generator(self.seed)
        if self.seed is not None and not self.shuffle:
            raise InvalidInput(
                f"seed={self.seed} (random_state) of {who} has no effect without shuffling; add shuffle=True."
            )
        return rng if self.shuffle else None


class GroupSplitter(Splitter):
    """A splitter that takes `groups`, and says so where scikit-learn's metadata routing asks."""

    def get_metadata_routing(self) -> Any:
        """That `split` wants `groups`, as scikit-learn's own object; only scikit-learn calls this."""
        from sklearn.utils.metadata_routing import MetadataRequest

        request = MetadataRequest(owner=self)
        request.split.add_request(param="groups", alias=True)
        return request


def generator(seed: Any) -> np.random.Generator:
    """Random numbers of a seed: the same for a whole number, others every time for None."""
    if seed is not None and (not is_whole(seed) or seed < 0):
        raise InvalidInput(
            f"seed={seed!r:.60} must be None or an integer of at least 0 (random_state is another name of it)."
        )
    return np.random.default_rng(seed)


def no_effect(who: str) -> str:
    """What is said of groups that are given to a splitter which does not look at them."""
    return (
        f"groups has no effect on {who}, which does not keep groups together: use jaxnet.GroupKFold or LeaveOneGroupOut, or "
        "leave groups out."
    )


def check_folds(folds: Any, n: int, name: str = "n_splits") -> None:
    """Refuse a number of folds that is none, or more than there are rows."""
    if not is_whole(folds) or folds < 2:
        raise InvalidInput(f"{name}={folds!r}: the number of folds must be an integer of at least 2.")
    if folds > n:
        raise InvalidInput(
            f"{name}={folds} folds need at least as many rows, and X has {n}; use fewer folds"
            + advice(" or cv=None.", ".")
        )


def check_count(value: Any, name: str) -> None:
    """Refuse what is no number of repeats."""
    if not is_whole(value) or value < 1:
        raise InvalidInput(f"{name}={value!r} must be an integer of at least 1.")


def parts(fold: np.ndarray, count: int) -> Iterator[Split]:
    """(train, test) for each of `count` folds, where fold[i] is that of row i; rows in ascending order."""
    for k in range(count):
        yield np.flatnonzero(fold != k), np.flatnonzero(fold == k)
