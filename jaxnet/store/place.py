"""Where a store may be: one regular file of one name, and beside it no log that belongs to another file.

SQLite writes down what a transaction replaces in a journal beside the file, by the file's name (`runs.db-journal`; up to
version 1 of the store a write-ahead log, `runs.db-wal`), and after a crash it applies what it finds there. A copy that is
put in the place of a store would so be mixed with what another file had: such logs are moved aside.
"""

import errno
import itertools
import os
import shutil
import sqlite3
import stat
import tempfile
import time
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, NamedTuple

from jaxnet.data.regular import file_name
from jaxnet.errors import InvalidInput, warn_caller
from jaxnet.store.schema import INDEX

SIDES = ("-journal", "-wal", "-shm")
_JOURNAL = bytes.fromhex("d9d505f920a163d7")
_RESERVED, _SHARED, _SHARED_SIZE = 0x40000001, 0x40000002, 510
"""Bytes by which SQLite locks: who is about to write, and who reads (or has a write-ahead log open)."""
_TRIES, _PAUSE = 5, 0.02
_SENTENCES = {
    errno.ELOOP: "its name leads round in a circle of links",
    errno.ENAMETOOLONG: "its name is longer than the system allows",
    errno.ENOTDIR: "a part of its path is a file, not a folder",
    errno.EACCES: "there is no permission to look there",
}


class Identity(NamedTuple):
    """Which file it is, whatever it is called."""

    device: int
    inode: int


def checked(path: Any, what: str = "the store") -> Path:
    """The path, with links followed, of a regular file with one name or of one that may be made.

    Raises `InvalidInput` for what is no path, no regular file or has several names, and `OSError` where no file can be.
    """
    path = file_name(path, what)
    try:
        info = os.stat(path)
    except FileNotFoundError:
        found = Path(os.path.realpath(path))
        if not found.parent.is_dir():
            raise FileNotFoundError(errno.ENOENT, "there is no folder to make it in", str(path)) from None
        return found
    except OSError as error:
        raise OSError(error.errno, _SENTENCES.get(error.errno, error.strerror), str(path)) from None
    if stat.S_ISDIR(info.st_mode):
        raise IsADirectoryError(errno.EISDIR, "it is a folder: name a file in it", str(path))
    if not stat.S_ISREG(info.st_mode):
        raise InvalidInput(f"{path} is no regular file (a pipe or a device?): name another for {what}.")
    if info.st_nlink > 1:
        raise InvalidInput(
            f"{path} is one of {info.st_nlink} names of the same file (hard links), and SQLite keeps its journal by the name: "
            "two programs would destroy it. Remove the other names, or copy it."
        )
    found = Path(os.path.realpath(path))
    for side in (Path(f"{found}{end}") for end in SIDES):
        with suppress(FileNotFoundError):
            if not stat.S_ISREG(os.lstat(side).st_mode):
                raise InvalidInput(f"{side} is no regular file, and SQLite writes there: move it away.")
    return found


def identity(path: Path) -> Identity | None:
    """Of the file that is at `path` now; None if there is none."""
    try:
        info = os.stat(path)
    except OSError:
        return None
    return Identity(info.st_dev, info.st_ino)


def free_name(path: Path, word: str) -> Path:
    """A file beside `path` that there is not: runs.db becomes runs.WORD-1.db."""
    return _free(lambda k: path.with_name(f"{path.stem}.{word}-{k}{path.suffix}"))


def _free(name: Callable[[int], Path]) -> Path:
    """The first of name(1), name(2), ... that there is not."""
    return next(found for found in map(name, itertools.count(1)) if not os.path.lexists(found))


def set_aside_foreign(path: Path) -> None:
    """Move a journal or log beside a store (or an empty file) that is not its own to another name, and warn of it.

    Files of other programs are left alone. Only for a file that this process has not open: closing any descriptor of a file
    gives up all its locks in a process.
    """
    if not _is_ours(path):
        return
    for end, foreign in (("-journal", _foreign_journal), ("-wal", _foreign_log)):
        side = Path(f"{path}{end}")
        if _size(side) and foreign(path, side):
            aside = _free(lambda k, side=side: Path(f"{side}.aside-{k}"))
            os.rename(side, aside)
            Path(f"{path}-shm").unlink(missing_ok=True)
            warn_caller(
                f"{side} belonged to another file than {path.name}, in whose place that was put: it was moved to {aside.name}."
            )


def _is_ours(path: Path) -> bool:
    """Whether a file is a store, or empty and about to be one."""
    with open(path, "rb") as file:
        head = file.read(1 << 12)
    return not head or INDEX.encode() in head


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _foreign_journal(path: Path, journal: Path) -> bool:
    """A journal has the first page as it was; every transaction adds one to the counter in it (bytes 24 to 27).

    That page is the last to go there, before anything is written to the file (nothing is spilled, database.py): a journal
    without it undoes nothing, and goes.
    """
    for _ in range(_TRIES):
        if _locked(path, _RESERVED, 1):  # somebody is writing, and knows what is his
            return False
        before, header = _first_page(journal), _head(path)
        if before is None:
            journal.unlink(missing_ok=True)
            return False
        counter = lambda page: int.from_bytes(page[24:28], "big")
        if counter(header) - counter(before) in (0, 1) and header[28:32] >= before[28:32]:
            return False
        time.sleep(_PAUSE)
    return _size(journal) > 0


def _first_page(journal: Path) -> bytes | None:
    """The start of page 1 in a journal; None if it has none."""
    with suppress(OSError), open(journal, "rb") as file:
        head = file.read(28)
        if head[:8] != _JOURNAL or len(head) < 28:
            return None
        sector, size = int.from_bytes(head[20:24], "big"), int.from_bytes(head[24:28], "big")
        at = sector
        while 512 <= size <= 65536:
            file.seek(at)
            record = file.read(4 + 100)
            if len(record) < 104:
                return None
            if record[:4] == b"\0\0\0\1":
                return record[4:]
            at += size + 8
    return None


def _foreign_log(path: Path, log: Path) -> bool:
    """A store keeps no write-ahead log since version 2; of an older one the log must fit its pages."""
    header = _head(path)
    if header[18:20] == b"\1\1" or len(header) < 100:
        return True
    if _locked(path, _SHARED, _SHARED_SIZE):
        return False
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(folder) / "store"
        shutil.copyfile(path, copy)
        alone = _begun(copy)
        shutil.copyfile(log, f"{copy}-wal")
        together = _begun(copy)
        return alone is not None and (together is None or not alone <= together)


def _begun(path: Path) -> set[tuple] | None:
    """The runs of a store of version 1, none before its tables are there; None if its pages do not fit each other."""
    try:
        with closing(sqlite3.connect(path)) as connection:
            if connection.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]:
                return None
            if not connection.execute("SELECT 1 FROM sqlite_master").fetchall():
                return set()
            return set(connection.execute("SELECT id, fingerprint, begun FROM runs"))
    except sqlite3.DatabaseError:
        return None


def _head(path: Path) -> bytes:
    with open(path, "rb") as file:
        return file.read(100)


def _locked(path: Path, start: int, size: int) -> bool:
    """Whether another process has a lock there; True where that cannot be known."""
    try:
        import fcntl
    except ImportError:
        return True
    try:
        with open(path, "r+b") as file:
            fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, size, start)
    except OSError:
        return True
    return False
