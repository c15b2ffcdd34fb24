"""Which files are read and written whole: regular ones. Others, pipes and devices, may never end or never begin."""

import os
import stat
from pathlib import Path
from typing import Any, BinaryIO

from jaxnet.errors import InvalidInput


def file_name(path: Any, what: str = "path") -> Path:
    """The path; raises `InvalidInput`, in which it is the argument `what`, for what can be no file's name."""
    try:
        found = Path(path)
        os.stat(found)
    except (ValueError, TypeError):  # no path at all, or with a NUL in it
        shown = os.fspath(path) if isinstance(path, os.PathLike) else path
        raise InvalidInput(f"{what} {shown!r:.60} cannot be the name of a file.") from None
    except OSError:
        pass
    return found


def open_regular(path: Any) -> BinaryIO:
    """A file to read from. Raises `InvalidInput` for what is no regular file, without waiting for it, and `OSError`.

    >>> with open("example.txt", "wb") as file:
    ...     _ = file.write(b"what is there")
    >>> with open_regular("example.txt") as file:
    ...     file.read()
    b'what is there'
    """
    path = file_name(path)
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise InvalidInput(f"{path} is no regular file (a pipe or a device?): copy what it gives to a file first.")
    return open(descriptor, "rb")


def is_stream(path: Path) -> bool:
    """Whether something is there that takes what is written to it as it comes: a pipe, a terminal, /dev/stdout."""
    return path.exists() and not path.is_file() and not path.is_dir()
