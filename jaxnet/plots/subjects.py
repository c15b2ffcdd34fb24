"""What each picture is of: the kinds of objects, how one gets them, and the sentence for anything else."""

from typing import Any

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.missing.analysis.patterns import MissingPatterns
from jaxnet.result import BestFit, SweepResult
from jaxnet.selection.criteria import Criteria
from jaxnet.selection.stability_result import StabilityResult

SOURCES: dict[type, str] = {
    SweepResult: "what jaxnet.sweep or jaxnet.fit_path returns, or jaxnet.Store(...).result",
    BestFit: "what result.best() of a sweep returns",
    Criteria: "what result.criteria(X, y) of a sweep returns",
    StabilityResult: "what jaxnet.stability_selection returns, or StabilitySelection(...).fit(X, y).result_",
    MissingPatterns: "what jaxnet.missing_patterns(X) returns",
}


def check_subject(who: str, given: Any, kind: type) -> None:
    """Refuse to draw something else than a `kind`, one of `SOURCES`, saying what function `who` draws and where it comes from."""
    if not isinstance(given, kind):
        raise InvalidInput(
            f"plots.{who} draws a {kind.__name__}, {SOURCES[kind]}; {_called(given)}. {_advice(given, kind)}"
        )


def as_numbers(who: str, name: str, given: Any, remedy: str) -> np.ndarray:
    """`given` as an array of real numbers; `remedy` says what to pass where it is none."""
    try:
        if isinstance(given, str | bytes) or given is None or (np.ndim(given) == 0 and not hasattr(given, "__array__")):
            raise TypeError
        return np.asarray(given, dtype=float)
    except (TypeError, ValueError):
        raise InvalidInput(f"plots.{who} draws numbers, and {name} is {_called(given)[4:]}: {remedy}.") from None


def _called(given: Any) -> str:
    if isinstance(given, str | bytes):
        return f"got the text {given!r:.40}"
    name = type(given).__name__
    return "got None" if given is None else f"got a{'n' if name[0] in 'AEIOUaeio' else ''} {name}"


def _advice(given: Any, kind: type) -> str:
    if isinstance(given, str | bytes):
        return "Pass the object: jaxnet.load reads a saved one."
    if isinstance(given, SweepResult) and kind in (BestFit, Criteria):
        return f"Pass {'result.best()' if kind is BestFit else 'result.criteria(X, y)'}."
    if type(given).__name__ == "StabilitySelection" and kind is StabilityResult:
        return "Pass its result_."
    if kind is MissingPatterns and hasattr(given, "shape"):
        return "Pass jaxnet.missing_patterns of it."
    if callable(getattr(given, "get_params", None)) and kind is BestFit:
        return "Pass its coef_."
    if callable(getattr(given, "get_params", None)):
        return "An estimator does not keep it: call that function on the data."
    return "Pass that."
