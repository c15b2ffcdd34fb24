"""The models that a finished run chose, by rule. Needs no JAX."""

from typing import Any

from jaxnet.errors import InvalidInput
from jaxnet.names import SEEKING
from jaxnet.result import BestFit
from jaxnet.selection.choice import notion
from jaxnet.selection.criteria import Criteria
from jaxnet.selection.rules import check_simplest


def simplest_of(model: dict[str, Any]) -> str:
    """By what the rules of a run found the simplest fit; runs of earlier versions went by nonzeros."""
    simplest = model.get("simplest", "nonzeros")
    check_simplest(simplest)
    return simplest or "nonzeros"


def check_simplest_acts(simplest: str | None, rule: str) -> None:
    """Refuse --simplest where all that is shown is what a rule chose that looks for no simplest fit."""
    if simplest is not None and rule not in SEEKING:
        raise InvalidInput(
            f"--simplest {simplest} has no part in what --rule {rule} chose; it is for {' and '.join(sorted(SEEKING))}: "
            "leave it out."
        )


def chosen_fits(
    model: dict[str, Any], simplest: str | None = None, criteria: Criteria | None = None
) -> dict[str, BestFit]:
    """The models of a run; if another `simplest` is asked for, of the rules that look for it what they choose by that.

    Raises InvalidInput for "df" without `criteria`, if the run did not go by it.
    """
    result, own = model["result"], simplest_of(model)
    asked = simplest or own
    fits = {}
    for rule, index in model["chosen"].items():
        by = notion(rule, asked, None)
        if by in (None, own):
            fits[rule] = result.fit_at(*index, rule=rule, simplest=by)
            continue
        if by == "df" and criteria is None:
            raise InvalidInput(
                f"--simplest df needs the table of the run for its degrees of freedom, and the run went by {own}: give that "
                "table to jaxnet report or plot, sweep again with --simplest df, or take nonzeros or alpha."
            )
        fits[rule] = result.best(rule, percent=model.get("percent", 5.0), criteria=criteria, simplest=by)
    return fits
