"""Asking a splitter of any make for its splits: what it wants to know, and what it says where it cannot."""

import inspect
from typing import Any, Literal

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.resampling.splitter import Splitter, no_effect


def splits_of(splitter: Any, X: Any, y: Any, groups: np.ndarray | None) -> list[Any]:
    """What `splitter.split(X, y)` yields, with `groups` if they are given.

    Raises InvalidInput, which tells what the splitter raised, and for groups that it needs or has no use for.
    """
    who, wants = f"cv={splitter!r:.100}", _groups_of(splitter)
    if not isinstance(splitter, Splitter):
        if groups is None and wants == "needed":
            raise InvalidInput(f"{who} needs groups=: one label per row, or the name of a column of X.")
        if groups is not None and wants == "refused":
            raise InvalidInput(no_effect(who))
    try:
        return list(splitter.split(X, y) if groups is None else splitter.split(X, y, groups=groups))
    except InvalidInput:
        raise
    except Exception as error:
        hints = " If it needs groups, give groups=." if groups is None and wants == "taken" else ""
        if "Stratified" in type(splitter).__name__:
            hints += " jaxnet.StratifiedKFold cuts a continuous y into bins."
        raise InvalidInput(f"{who} could not split {len(X)} rows: {_told(error)}{hints}") from error


def listed(cv: Any) -> list[Any]:
    """The items of an iterable of splits, none of anything else; raises InvalidInput, which tells what a generator raised."""
    try:
        return list(cv) if hasattr(cv, "__iter__") else []
    except Exception as error:
        raise InvalidInput(
            f"cv={cv!r:.100} could not be read: {_told(error)} Give the splitter itself as cv, and groups= if it needs them."
        ) from error


def _groups_of(splitter: Any) -> Literal["refused", "taken", "needed"]:
    """What a splitter does with groups: by what it says of itself (ours, scikit-learn's), else by the signature of its split."""
    if isinstance(splitter, Splitter):
        return splitter._groups
    theirs = type(splitter).__module__.split(".")[0] == "sklearn"
    routing = getattr(splitter, "get_metadata_routing", None)
    if callable(routing) and not isinstance(splitter, type):
        if "groups" in getattr(getattr(routing(), "split", None), "requests", {}):
            return "needed" if theirs else "taken"
        if theirs:
            return "refused"
    try:
        parameters = inspect.signature(splitter.split).parameters
    except (TypeError, ValueError):  # a built-in, which does not tell
        return "taken"
    if any(p.kind is p.VAR_KEYWORD for p in parameters.values()):
        return "taken"
    if "groups" not in parameters:
        return "refused"
    return "needed" if parameters["groups"].default is inspect.Parameter.empty else "taken"


def _told(error: Exception) -> str:
    """What an error says, as a sentence."""
    text = " ".join(str(error).split()).rstrip(".") or type(error).__name__
    return f"{text:.300}."
