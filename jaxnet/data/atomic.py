"""Files and folders that appear whole or not at all, whatever stops the writer: an error, Ctrl-C or a full disk."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

from jaxnet.data.regular import file_name, is_stream


@contextmanager
def atomic_file(path: str | Path) -> Iterator[BinaryIO]:
    """Write `path` in binary: it is replaced in one step, flushed to disk, when the block ends without an error.

    A link is followed. What is no regular file (a pipe, /dev/stdout) is written to directly. Missing parent folders
    are not made. Raises `OSError` with the name of the file, and `InvalidInput` for what can be no name.

    >>> with atomic_file("example.bin") as file:
    ...     _ = file.write(b"all or nothing")
    """
    path = file_name(path)
    if is_stream(path):
        with _named(path), open(path, "wb") as file:
            yield file
        return
    path = Path(os.path.realpath(path))
    draft = _draft_name(path)
    try:
        with _named(path, draft):
            with open(draft, "xb") as file:
                yield file
                file.flush()
                os.fsync(file.fileno())
            os.replace(draft, path)
    except BaseException:
        with suppress(OSError):
            draft.unlink()
        raise
    _sync(path.parent)


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Fill a new folder, which takes the place of `path` in one step when the block ends without an error.

    Yields the draft, an empty folder beside `path`. Missing parent folders are made. A folder that stands at `path` is
    moved aside, then removed with all it holds: whether it may be is for the caller to decide. Raises `OSError`.
    """
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = _draft_name(path)
    draft.mkdir()
    try:
        yield draft
        for entry in draft.iterdir():
            _sync(entry)
        _sync(draft)
        _put_in_place(draft, path)
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    _sync(path.parent)


def check_file_place(path: str | Path) -> None:
    """Raise the `OSError` that `atomic_file` would, by making its draft and taking it away again."""
    path = file_name(path)
    if is_stream(path):  # to open it may take until somebody reads, who would then take its closing for the end
        if not os.access(path, os.W_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return
    path = Path(os.path.realpath(path))
    draft = _draft_name(path)
    with open(draft, "xb"):
        pass
    draft.unlink()


def check_folder_place(path: str | Path) -> None:
    """Raise the `OSError` that `atomic_folder` would, by making the first folder that it would make, and taking it away."""
    path = Path(os.path.realpath(path))
    draft = _draft_name(path)
    while not path.parent.exists():
        path = draft = path.parent
    draft.mkdir()
    draft.rmdir()


@contextmanager
def _named(path: Path, draft: Path | None = None) -> Iterator[None]:
    """Errors of the system with the name of the file that was to be written: a full disk names none."""
    try:
        yield
    except OSError as error:
        if error.errno is not None and error.filename in (None, str(draft)):
            error.filename = str(path)
        raise


def _put_in_place(draft: Path, path: Path) -> None:
    if not path.exists():
        draft.rename(path)
        return
    old = _draft_name(path)
    path.rename(old)
    try:
        draft.rename(path)
    except BaseException:
        old.rename(path)
        raise
    shutil.rmtree(old)


def _draft_name(path: Path) -> Path:
    return path.with_name(f".{path.name}.{os.urandom(4).hex()}.tmp")


def _sync(path: Path) -> None:
    """Flush a file or folder to disk; only POSIX can do this for folders and for files open for reading."""
    if os.name != "posix":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
