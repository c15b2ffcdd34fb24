"""What jaxnet raises and warns with, and whose words its advice is in."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_ON_COMMAND_LINE: ContextVar[bool] = ContextVar("on_command_line", default=False)


class InvalidInput(ValueError):
    """The data or the request is wrong; the message names the argument, the value and the remedy."""


class ConvergenceWarning(UserWarning):
    """Some fits missed the requested duality gap; the message counts them and names the worst."""


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
