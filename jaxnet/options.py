"""Functions that take the options of another: the signature they show, and what they say of a name that they do not know."""

import difflib
import inspect
from collections.abc import Callable, Collection
from typing import Any

from jaxnet.errors import UnknownArgument


def takes_options(of: Callable, *, without: Collection[str] = (), **defaults: Any) -> Callable[[Callable], Callable]:
    """Let a function (..., **options) show the keywords of `of` in its signature, but those it has itself and those `without`.

    defaults: those of them that are others here.

    >>> def draw(x, *, colour="blue", width=1): ...
    >>> @takes_options(draw, without=["width"], colour="red")
    ... def draw_twice(x, **options): ...
    >>> inspect.signature(draw_twice)
    <Signature (x, *, colour='red')>
    """

    def sign(function: Callable) -> Callable:
        own = inspect.signature(function)
        named = [p for p in own.parameters.values() if p.kind is not p.VAR_KEYWORD]
        more = [
            p.replace(default=defaults.get(name, p.default))
            for name, p in inspect.signature(of).parameters.items()
            if p.kind is p.KEYWORD_ONLY and name not in own.parameters and name not in without
        ]
        function.__signature__ = own.replace(parameters=[*named, *more])
        return function

    return sign


def check_options(function: Callable, options: Collection[str]) -> None:
    """Raise `UnknownArgument`, in the name of `function` and with the nearest that it knows, for a name it does not show."""
    known = list(inspect.signature(function).parameters)
    unknown = [name for name in options if name not in known]
    if unknown:
        close = difflib.get_close_matches(unknown[0], known, n=1, cutoff=0.5)
        nearest = f"; the nearest is {close[0]!r}" if close else ""
        raise UnknownArgument(f"{function.__name__}() got an unexpected keyword argument {unknown[0]!r}{nearest}.")
