"""What jaxnet raises and warns with: where its warnings point (the caller's line, once a call), and in whose words it advises."""

import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar, Token

_HOME = os.path.dirname(os.path.abspath(__file__)) + os.sep
_ON_COMMAND_LINE: ContextVar[bool] = ContextVar("on_command_line", default=False)


class InvalidInput(ValueError):
    """The data or the request is wrong; the message names the argument, the value and the remedy."""


class UnknownArgument(InvalidInput, TypeError):
    """A keyword that the function does not have; also a `TypeError`, as Python's own is."""


class ConvergenceWarning(UserWarning):
    """Some fits missed the requested duality gap; the message counts them and names the worst."""


def warn_caller(message: str, category: type[Warning] = UserWarning) -> None:
    """Warn at the line that called into this package, however deep below it this is."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and os.path.abspath(frame.f_code.co_filename).startswith(_HOME):
        frame, level = frame.f_back, level + 1
    warnings.warn(message, category, stacklevel=level)


_said: ContextVar[list[str] | None] = ContextVar("_said", default=None)


class OneWarning:
    """A scope in which what `fits_missed` is told waits for its end, to be one ConvergenceWarning; the outermost one counts.

    Nothing is said if the scope ends with an exception.
    """

    _token: Token | None = None

    def __enter__(self) -> None:
        if _said.get() is None:
            self._token = _said.set([])

    def __exit__(self, kind, error, trace) -> None:
        if self._token is None:
            return
        said = _said.get()
        _said.reset(self._token)
        if said and kind is None:
            warn_caller(" ".join(dict.fromkeys(said)), ConvergenceWarning)


def fits_missed(sentence: str) -> None:
    """Tell of fits that missed their tolerance, inside a `OneWarning`."""
    _said.get().append(sentence)


def advice(python: str, command_line: str) -> str:
    """The words for whoever asked: a caller in Python, or somebody who knows the options of the command line only.

    >>> advice("raise max_iter", "raise --max-iter")
    'raise max_iter'
    """
    return command_line if _ON_COMMAND_LINE.get() else python


@contextmanager
def on_command_line() -> Iterator[None]:
    """Within the block `advice` is for the command line."""
    token = _ON_COMMAND_LINE.set(True)
    try:
        yield
    finally:
        _ON_COMMAND_LINE.reset(token)
