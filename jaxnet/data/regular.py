"""Which files are read and written whole: regular ones. Others, pipes and devices, may never end or never begin."""

import errno
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
    _check(path, os.stat(path).st_mode)
    flags = (getattr(os, name, 0) for name in ("O_NONBLOCK", "O_NOCTTY", "O_BINARY"))
    descriptor = os.open(path, os.O_RDONLY | sum(flags))
    try:
        _check(path, os.fstat(descriptor).st_mode)  # it may be another by now
    except BaseException:
        os.close(descriptor)
        raise
    return open(descriptor, "rb")


def _check(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(mode):
        raise InvalidInput(f"{path} is no regular file (a pipe or a device?): copy what it gives to a file first.")


def is_stream(path: Path) -> bool:
    """Whether something is there that takes what is written to it as it comes: a pipe, a terminal, /dev/stdout."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode)
