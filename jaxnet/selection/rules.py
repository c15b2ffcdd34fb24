"""Rules that choose one point of an (alpha, rho) grid by its held-out errors. A new rule is one function in `RULES`."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.names import SIMPLEST
from jaxnet.scalars import is_number

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxtyping import Float


class Scores(NamedTuple):
    """What a rule looks at, over R values of rho (rows) and A alphas.

    `mean` held-out errors, the smaller the better, nan where there is none; `se` their standard errors, nan where not
    known; `complexity` of the full-data fits, such as their degrees of freedom, or None where the largest alpha is simplest;
    `alphas`.
    """

    mean: Float[np.ndarray, "R A"]
    se: Float[np.ndarray, "R A"]
    complexity: Float[np.ndarray, "R A"] | None
    alphas: Float[np.ndarray, "R A"]


def least(scores: Scores, percent: float) -> tuple[int, int]:
    """The least mean error; ties go to the first rho, then to the larger alpha."""
    return _position(scores.mean, int(np.nanargmin(scores.mean)))


def within_one_se(scores: Scores, percent: float) -> tuple[int, int]:
    """The simplest fit whose mean error is at most the least one plus the standard error of that least one."""
    best = least(scores, percent)
    return simplest_within(scores, scores.mean[best] + np.nan_to_num(scores.se[best]))


def within_percent(scores: Scores, percent: float) -> tuple[int, int]:
    """The simplest fit whose mean error is at most `percent` per cent (of its size) above the least one."""
    best = scores.mean[least(scores, percent)]
    return simplest_within(scores, (1 + np.copysign(percent / 100, best)) * best)


RULES: dict[str, Callable[[Scores, float], tuple[int, int]]] = {
    "min": least,
    "1se": within_one_se,
    "percent": within_percent,
}


def choose(rule: str, scores: Scores, percent: float = 5.0) -> tuple[int, int]:
    """The grid point (i, k) that `rule`, a key of `RULES`, chooses.

    Raises InvalidInput for another rule, a percentage below zero, or if no mean error is finite.

    >>> grid = np.array([[3.0, 1.0, 1.02]])
    >>> choose("min", Scores(grid, 0 * grid, np.array([[0, 2, 1]]), grid))
    (0, 1)
    >>> choose("percent", Scores(grid, 0 * grid, np.array([[0, 2, 1]]), grid), percent=3)
    (0, 2)
    """
    check_rule(rule, percent)
    if not np.isfinite(scores.mean).any():
        raise InvalidInput(
            "No fit of the grid has a finite held-out error, so there is nothing to choose from. If y is beyond 1e150 its "
            "squares overflow: divide it by a constant."
        )
    return RULES[rule](scores, float(percent))


def check_rule(rule: str, percent: float) -> None:
    """Raise InvalidInput unless `rule` is a key of `RULES` and `percent` a number of at least 0."""
    if not isinstance(rule, str) or rule not in RULES:
        raise InvalidInput(f"rule={rule!r} is not known; choose one of {', '.join(map(repr, RULES))}.")
    if not is_number(percent) or not 0 <= percent < np.inf:
        raise InvalidInput(
            f"percent={percent!r} must be a number of at least 0: how far above the least error to look."
        )


def check_simplest(simplest: str | None) -> None:
    """Raise InvalidInput unless this is None or a key of `SIMPLEST`."""
    if simplest is not None and (not isinstance(simplest, str) or simplest not in SIMPLEST):
        raise InvalidInput(
            f"simplest={simplest!r:.60} is not known; choose one of {', '.join(map(repr, SIMPLEST))}, or None."
        )


def simplest_within(scores: Scores, limit: float) -> tuple[int, int]:
    """The point of least complexity among those with mean error <= limit; ties: larger alpha, smaller error.

    Without complexity the largest alpha, on the row of the least error: alphas of different rho do not compare.
    """
    near, complexity = scores.mean <= limit, scores.complexity
    if complexity is None:
        complexity = np.zeros_like(scores.mean)
        near[np.arange(len(near)) != least(scores, 0.0)[0]] = False
    order = np.lexsort((scores.mean[near], -scores.alphas[near], complexity[near]))
    return _position(scores.mean, int(np.flatnonzero(near)[order[0]]))


def _position(grid: np.ndarray, flat: int) -> tuple[int, int]:
    i, k = np.unravel_index(flat, grid.shape)
    return int(i), int(k)
