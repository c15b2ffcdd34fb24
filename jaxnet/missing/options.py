"""What a caller asks about missing values: how to fill them, and what comes with it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxnet.errors import InvalidInput, advice
from jaxnet.missing.complete import CompleteCases
from jaxnet.missing.fill import Fill
from jaxnet.missing.iterative import IterativeFill
from jaxnet.missing.multiple import MultipleFill
from jaxnet.missing.neighbours import NeighbourFill
from jaxnet.missing.pairwise import Pairwise
from jaxnet.missing.simple import STRATEGIES, SimpleFill
from jaxnet.scalars import is_number

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxtyping import Bool, Float

    from jaxnet.lanes import Groups

NAMED = {
    **{strategy: SimpleFill(strategy) for strategy in STRATEGIES},
    "neighbours": NeighbourFill(),
    "iterative": IterativeFill(),
    "multiple": MultipleFill(),
    "complete": CompleteCases(),
    "pairwise": Pairwise(),
}
"""Fills by name, with their defaults; a new one is one entry."""


@dataclass(frozen=True)
class Missing:
    """What to do about missing values of X: a fill, indicator columns, a limit on what a column may miss.

    Everything is learnt from the training rows of each fit alone: the full data and every fold have fills, limits and most
    frequent levels of their own, so held-out errors are honest about them.

    - fill: the name of a fill with its defaults, or a fill with options of its own. By default "mean".
      "mean", "median", "mode", "constant": `SimpleFill`; "iterative": `IterativeFill`; "neighbours": `NeighbourFill`;
      "multiple": `MultipleFill`; "complete": `CompleteCases`; "pairwise": `Pairwise`.
      Categorical variables without a level for missing are filled with their most frequent level, whatever fills the
      numbers; complete cases leave out their rows, and pairwise deletion counts them as any others.
    - indicators: add a 0/1 column `missing(name)` for every column with missing values (for arrays without names too, behind
      the columns of X). They let a fit use that a value is missing; a column that is complete in the training rows of a
      fold has an indicator without variation there, whose coefficient is zero.
    - penalise_indicators: whether these have the penalty factor of their column (default), or none.
    - column_limit: the largest share of its (weighted) training rows that a column may miss, in [0, 1]; others get no
      coefficient in that fit, and fill no other column. By default 1: none is left out.

    `jaxnet.sweep` and the estimators take it as `missing=`; a name or a fill alone stands for `Missing(fill)`.

    >>> import jaxnet, numpy as np
    >>> X, y = jaxnet.load_diabetes(return_X_y=True)
    >>> X[::7, 2] = np.nan
    >>> result = jaxnet.sweep(X, y, alphas=20, standardize=True, missing=jaxnet.Missing("median", indicators=True))
    >>> result.n_features, result.predict(X[:2]).shape
    (11, (2,))
    """

    fill: Any = "mean"
    indicators: bool = False
    penalise_indicators: bool = True
    column_limit: float = 1.0

    def checked(self) -> Missing:
        """The same with the fill in place of its name; raises InvalidInput for an option that is wrong."""
        fill = self.fill
        if isinstance(fill, str) and fill in NAMED:
            fill = NAMED[fill]
        if not isinstance(fill, Fill):
            raise InvalidInput(
                f"missing: the fill {self.fill!r:.60} is not known; choose one of {', '.join(map(repr, NAMED))}"
                + advice(", or give a fill with options, such as jaxnet.SimpleFill('constant', value=-1.0).", ".")
            )
        fill.check()
        for name in ("indicators", "penalise_indicators"):
            if not isinstance(getattr(self, name), (bool, np.bool_)):
                raise InvalidInput(f"{name}={getattr(self, name)!r:.60} of Missing must be True or False.")
        if not is_number(self.column_limit) or not 0 <= self.column_limit <= 1:
            raise InvalidInput(
                f"column_limit={self.column_limit!r:.60} of Missing must be in [0, 1]: the share of rows that a column may miss."
            )
        return replace(self, fill=fill)

    def excluded(self, X: Float[np.ndarray, "n p"], weights: Float[np.ndarray, "G n"]) -> Bool[np.ndarray, "G p"]:
        """The columns that miss more than the limit of the rows of each group, by weight."""
        if self.column_limit >= 1:
            return np.zeros((len(weights), X.shape[1]), bool)
        share = weights @ np.isnan(X) / weights.sum(axis=1, keepdims=True)
        return share > self.column_limit + 1e-12

    def rows(self, X: Float[np.ndarray, "n p"], groups: Groups, left_out: Bool[np.ndarray, "G p"]) -> Groups:
        """The groups with the rows that are fitted and scored: all, or those complete in the columns that a group keeps."""
        if not self.fill.complete_rows:
            return groups
        kept = ~left_out
        complete = np.array([~np.isnan(X[:, columns]).any(axis=1) for columns in kept])
        train, test = groups.train * complete, groups.test * complete
        left, mass = train.sum(axis=1), test.sum(axis=1)
        for g, where in enumerate(["all rows", *(f"the training rows of fold {k}" for k in range(len(kept) - 1))]):
            if not left[g] > 0:
                why = f"each misses a value in one of {np.count_nonzero(kept[g])} columns"
                if g == 0:
                    raise InvalidInput(
                        f"missing='complete' leaves none of {where}: {why}. Fill them instead, or set a column_limit."
                    )
                raise NoCompleteRows(f"{where}: {why}")
            if groups.test[g].any() and not mass[g] > 0:
                raise NoCompleteRows(f"the held-out rows of fold {g - 1}")
        unit = np.where(mass > 0, mass, 1.0)
        fitted = {"train": train / left[:, None], "test": test / unit[:, None]}
        return replace(groups, **fitted, test_mass=groups.test_mass * mass)


class NoCompleteRows(InvalidInput):
    """Complete cases leave nothing of `where`, some rows of a fold; `shuffle` is how whoever asked deals rows at random."""

    def __init__(self, where: str, shuffle: str = "jaxnet.KFold(5, shuffle=True)"):
        super().__init__(
            f"missing='complete' leaves none of {where}. Rows that miss values may be next to each other: deal them to the folds "
            f"at random ({shuffle}), use fewer folds, or fill them instead."
        )
        self.where = where


def as_missing(value: Any) -> Missing | None:
    """`missing=` of a call, checked: None, a `Missing`, or a fill or its name, which stand for one."""
    if value is None:
        return None
    return (value if isinstance(value, Missing) else Missing(value)).checked()
