"""Which fit of a sweep a rule chooses: from its held-out errors, or from information criteria."""

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.names import RULES, SEEKING
from jaxnet.selection.criteria import CRITERIA, Criteria
from jaxnet.selection.rules import Scores, check_simplest, choose


def notion(rule: str, simplest: str | None, criteria: Criteria | None) -> str | None:
    """What `rule` goes by to find the simplest fit, a key of `names.SIMPLEST`; None for a rule that does not look for one."""
    if rule not in SEEKING:
        return None
    return simplest or ("nonzeros" if criteria is None else "df")


def choose_fit(
    result,
    rule: str,
    percent: float,
    criteria: Criteria | None,
    simplest: str | None,
    response: int | None,
    row: int | None = None,
) -> tuple[int, int]:
    """The grid point (i, k) that `rule` chooses for one response, on the whole grid or on one row of it.

    `SweepResult.best` says what the rules are and what is refused.
    """
    _check(result, rule, criteria, simplest)
    rows = slice(None) if row is None else slice(row, row + 1)
    if rule in CRITERIA:
        i, k = criteria.winner(rule, response, rows)
    else:
        pick = lambda x: x[rows] if response is None else x[response, rows]
        by = notion(rule, simplest, criteria)
        complexity = None if by == "alpha" else pick(criteria.df if by == "df" else result.nonzeros)
        scores = Scores(pick(result.error_mean), pick(result.error_se), complexity, pick(result.alphas))
        i, k = choose(rule, scores, percent)
    return i + (row or 0), k


def _check(result, rule: str, criteria: Criteria | None, simplest: str | None) -> None:
    check_simplest(simplest)
    rules = (*RULES, *CRITERIA)
    if rule not in rules:
        raise InvalidInput(f"rule={rule!r} is not known; choose one of {', '.join(map(repr, rules))}.")
    if criteria is None and rule in CRITERIA:
        raise InvalidInput(
            f"rule={rule!r} needs the data, which a result does not hold: give criteria=result.criteria(X, y)."
        )
    if criteria is None and simplest == "df":
        raise InvalidInput(
            "simplest='df' needs degrees of freedom, and the data for them, which a result does not hold: give "
            "criteria=result.criteria(X, y), or take 'nonzeros' or 'alpha'."
        )
    if criteria is not None and not isinstance(criteria, Criteria):
        raise InvalidInput(f"criteria={criteria!r:.60} must be what result.criteria(X, y) returns.")
    if criteria is not None and not np.array_equal(criteria.alphas, result.alphas):
        raise InvalidInput(
            "criteria has other alphas than this result; give what criteria(X, y) of this result returns."
        )
