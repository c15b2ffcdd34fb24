"""What the commands say: results on standard output, everything else on standard error."""

import sys

from jaxnet.data.layout import aligned as aligned


def complain(message: str) -> None:
    """One line on standard error, marked as jaxnet's."""
    if sys.stderr is None:  # closed by whoever started the program
        return
    print(f"jaxnet: {' '.join(message.splitlines())}", file=sys.stderr, flush=True)


def note(message: str, quiet: bool) -> None:
    """A line of information, left out where the user asked for quiet."""
    if not quiet:
        complain(message)


def printable(text: str) -> str:
    """A name out of a file as it is, or with escapes where it could steer a terminal."""
    return text if text.isprintable() else ascii(text)


def say(text: str) -> None:
    """Write `text` to standard output, all of it; raises `OSError` where it does not fit.

    Through a buffer of its own: under PYTHONUNBUFFERED, `sys.stdout` silently drops what a full disk did not take.
    Letters that its encoding lacks are written as escapes, as on standard error.
    """
    if sys.stdout is None:
        return
    try:
        descriptor = sys.stdout.fileno()
    except OSError:  # replaced by an object in memory
        sys.stdout.write(text)
        return
    sys.stdout.flush()
    with open(
        descriptor, "w", encoding=sys.stdout.encoding, errors="backslashreplace", newline="", closefd=False
    ) as out:
        out.write(text)
