"""What the commands say: results on standard output, everything else on standard error."""

import sys

from jaxnet.data.layout import aligned as aligned
from jaxnet.data.layout import visible as visible


def complain(message: str) -> None:
    """One line on standard error, marked as jaxnet's."""
    if sys.stderr is None:  # closed by whoever started the program
        return
    print(f"jaxnet: {visible(' '.join(message.splitlines()))}", file=sys.stderr, flush=True)


def note(message: str, quiet: bool) -> None:
    """A line of information, left out where the user asked for quiet."""
    if not quiet:
        complain(message)


def say(text: str, *, data: bool = False) -> None:
    """Write `text` to standard output, all of it; raises `OSError` where it does not fit.

    Its lines are made `visible`; `data`, a table for other programs, stays as it is unless a terminal shows it.
    Through a buffer of its own: under PYTHONUNBUFFERED, `sys.stdout` silently drops what a full disk did not take.
    Letters that its encoding lacks are written as escapes, as on standard error.
    """
    if sys.stdout is None:
        return
    try:
        if not data or sys.stdout.isatty():
            text = "\n".join(map(visible, text.split("\n")))
        descriptor = sys.stdout.fileno()
    except OSError:  # replaced by an object in memory
        sys.stdout.write(text)
        return
    sys.stdout.flush()
    with open(
        descriptor, "w", encoding=sys.stdout.encoding, errors="backslashreplace", newline="", closefd=False
    ) as out:
        out.write(text)
