"""Which fit of a sweep a rule chooses: from its held-out errors, or from information criteria."""

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.selection.criteria import CRITERIA, Criteria
from jaxnet.selection.rules import RULES, Scores, choose


def choose_fit(
    result, rule: str, percent: float, criteria: Criteria | None, response: int | None, row: int | None = None
) -> tuple[int, int]:
    """The grid point (i, k) that `rule` chooses for one response, on the whole grid or on one row of it.

    `SweepResult.best` says what the rules are and what is refused.
    """
    _check(result, rule, criteria)
    rows = slice(None) if row is None else slice(row, row + 1)
    if rule in CRITERIA:
        i, k = criteria.winner(rule, response, rows)
    else:
        pick = lambda x: x[rows] if response is None else x[response, rows]
        complexity = result.nonzeros if criteria is None else criteria.df
        scores = Scores(*map(pick, (result.error_mean, result.error_se, complexity, result.alphas)))
        i, k = choose(rule, scores, percent)
    return i + (row or 0), k


def _check(result, rule: str, criteria: Criteria | None) -> None:
    rules = (*RULES, *CRITERIA)
    if rule not in rules:
        raise InvalidInput(f"rule={rule!r} is not known; choose one of {', '.join(map(repr, rules))}.")
    if criteria is None and rule in CRITERIA:
        raise InvalidInput(
            f"rule={rule!r} needs the data, which a result does not hold: give criteria=result.criteria(X, y)."
        )
    if criteria is not None and not isinstance(criteria, Criteria):
        raise InvalidInput(f"criteria={criteria!r:.60} must be what result.criteria(X, y) returns.")
    if criteria is not None and not np.array_equal(criteria.alphas, result.alphas):
        raise InvalidInput(
            "criteria has other alphas than this result; give what criteria(X, y) of this result returns."
        )
