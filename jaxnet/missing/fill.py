"""How missing values are filled: an approach with its options, and what it becomes once it was fitted to some rows.

Conventions: X is (n, p) in float64, nan where a value is missing; weights (n,) are at least zero, and rows of weight zero
are not looked at at all, so that what is learnt from training rows does not depend on others by a single bit. Integer
weights act as repeated rows where the method has a meaning for that. A column without any observed value on the rows of
positive weight is filled with zero everywhere: its coefficient is zero too.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from jaxnet.missing.levels import level_modes

if TYPE_CHECKING:  # a loaded model needs no JAX, and no time for annotations
    from jaxtyping import Bool, Float, Int

    from jaxnet.design.base import Conditioning, Design


class Filler(ABC):
    """A fitted fill; a leaf is a frozen dataclass of arrays, so that it can be inspected and saved.

    `costly`: learning it takes longer than filling by it, so that it is worth writing down.
    """

    costly: ClassVar[bool] = False

    @abstractmethod
    def fill(self, X: Float[np.ndarray, "m p"]) -> Float[np.ndarray, "m p"]:
        """A copy of rows, new ones or those of the fit, whose missing values are filled; each row by itself."""


Learn = Callable[[int, int, Callable[[], Filler]], Filler]
"""(g, count, fit): the filler of group g of `count`, by calling `fit` or from where it was written down."""


def learn_anew(g: int, count: int, fit: Callable[[], Filler]) -> Filler:
    """The `Learn` of a sweep that nobody watches."""
    return fit()


@dataclass(frozen=True)
class Gapped:
    """X (n, p) with missing values, and the G groups of row weights that each fill them by themselves.

    `blocks` has the categorical variable of each column, -1 for the columns of numbers; `excluded` the columns that a group
    does without. The last `indicators` columns say what is missing: they are complete, and fill nothing. What takes time to
    learn is learnt through `learn`.
    """

    X: Float[np.ndarray, "n p"]
    blocks: Int[np.ndarray, " p"]
    train: Float[np.ndarray, "G n"]
    excluded: Bool[np.ndarray, "G p"]
    indicators: int = 0
    learn: Learn = learn_anew

    @property
    def width(self) -> int:
        """Columns that are no indicators."""
        return self.X.shape[1] - self.indicators

    def modes(self) -> Float[np.ndarray, "G p"]:
        """What categorical variables are filled with, whatever fills the others: each group's most frequent level."""
        return level_modes(self.X, self.train, self.blocks)

    def seen(self, g: int, modes: Float[np.ndarray, " p"]) -> Float[np.ndarray, "n p"]:
        """What group g fills from: X without indicators and the columns that it excludes, with its categories filled."""
        at = slice(self.width)
        X = np.where(self.excluded[g, at], np.nan, self.X[:, at])
        return np.where(np.isnan(X) & (self.blocks[at] >= 0), modes[at], X)


class Layout(NamedTuple):
    """X stored as every group sees it, and the fill that was fitted to the first group: all rows."""

    design: Design
    units: Conditioning
    filler: Filler


class Fill(ABC):
    """An approach; a leaf is a frozen dataclass of options.

    A new approach is one file, one export and one entry of FILLS in tests/cases.py. `complete_rows`: rows with a missing
    value are left out. `by_pairs`: the fit is of moments by pairwise deletion, not of filled rows.
    """

    complete_rows: ClassVar[bool] = False
    by_pairs: ClassVar[bool] = False
    pool: str | None = None
    """how the fits to several fillings are pooled; None where there is one filling"""

    @abstractmethod
    def check(self) -> None:
        """Raise InvalidInput with a sentence for an option out of its range."""

    @abstractmethod
    def fit(self, X: Float[np.ndarray, "n p"], weights: Float[np.ndarray, " n"]) -> Filler:
        """Learn from the rows of positive weight."""

    @abstractmethod
    def lay_out(self, table: Gapped, *, dtype, centred: bool) -> Layout:
        """Store X as each group sees it."""


class ModelFill(Fill):
    """A fill of every value by itself: each group has its own copy of the columns with missing values."""

    def lay_out(self, table, *, dtype, centred):
        from jaxnet.design.varied import VariedDesign

        modes, holes = table.modes(), np.isnan(table.X[:, : table.width]).any(axis=0)
        fillers: list[Filler] = []

        def version(g: int) -> np.ndarray:
            X = table.seen(g, modes[g])
            fillers.append(table.learn(g, len(table.train), lambda: self.fit(X, table.train[g])))
            return fillers[-1].fill(X)[:, holes]

        design, units = VariedDesign.build(table.X, version, len(table.train), dtype=dtype, centred=centred)
        return Layout(design, units, fillers[0])
