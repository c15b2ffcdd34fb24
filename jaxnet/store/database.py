"""The SQLite file of a store: its transactions, and its errors as sentences.

Settings: a rollback journal, synchronous=EXTRA, one transaction per step of a run. Whatever kills a process, the next one
finds the file as it was after the last transaction that was finished. A journal needs no shared memory, which network file
systems lack, and leaves no second file behind that would belong to the first; nothing is spilled, so that a transaction
writes to the file when it ends and not before.
"""

import errno
import os
import sqlite3
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

from jaxnet.errors import InvalidInput, advice
from jaxnet.store import place, schema

SETTINGS = ["PRAGMA synchronous=EXTRA", "PRAGMA cache_spill=OFF", "PRAGMA trusted_schema=OFF"]
PATIENCE = 60.0
"""Seconds to wait for other processes that write to the same store."""

_open: Counter = Counter()
"""Files that this process has open: reading one by other means would give up SQLite's locks on it."""
_opening = threading.RLock()


class Moved(OSError):
    """The file of a connection is not at its path any more."""

    def __init__(self, path: Path):
        super().__init__(errno.ESTALE, "the store was moved, deleted or replaced meanwhile", str(path))


class Database:
    """A connection that several threads may use. `version` is that of its tables."""

    def __init__(self, path: Path, connection: sqlite3.Connection, version: int):
        self.path, self.version, self._connection = path, version, connection
        self._lock, self._identity = threading.RLock(), place.identity(path)

    @classmethod
    def for_writing(cls, path: Any) -> "Database":
        """The store at `path`, made if there is no file, and brought to the newest version.

        Raises `InvalidInput` for other files, `OSError` if it cannot be.
        """
        path = place.checked(path)
        new = not path.exists()
        try:
            with _sentences(path), _opened(path, f"file:{quote(os.fsencode(path))}?mode=rwc") as connection:
                for setting in SETTINGS:
                    connection.execute(setting)
                if _version(path, connection) != schema.VERSION:
                    _make(path, connection)
                connection.execute("PRAGMA journal_mode=DELETE").fetchall()
                return cls(path, connection, schema.VERSION)
        except BaseException:
            with suppress(OSError):
                if new and path.stat().st_size == 0:
                    path.unlink()
            raise

    @classmethod
    def for_reading(cls, path: Any) -> "Database":
        """The store at `path`, which is not written to. Raises as `for_writing`, and `OSError` if there is no file."""
        path = place.checked(path)
        if not path.exists():
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        if not path.stat().st_size:
            raise InvalidInput(f"{path} is an empty file: no sweep has written to it yet.")
        with _sentences(path), _read_only(path) as (connection, version):
            if version is None:
                raise InvalidInput(f"{path} is an empty store: no sweep has written to it yet.")
            return cls(path, connection, version)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is executed in the block is written, safe on the disk, when it ends; nothing of it after an error.

        Raises `Moved` where the path has another file, or none, before or after.
        """
        with self._lock, _sentences(self.path):
            self.check_place()
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise
            self.check_place()

    def check_place(self) -> None:
        """Raise `Moved` unless the path still has this file."""
        if place.identity(self.path) != self._identity:
            raise Moved(self.path)

    def execute(self, statement: str, *values: Any) -> list[tuple]:
        """Run one statement; the rows it gives."""
        with self._lock, _sentences(self.path):
            return self._connection.execute(statement, values).fetchall()

    def shrink(self) -> None:
        """Give the pages back that nothing uses any more."""
        with self._lock, _sentences(self.path):
            self._connection.executescript("PRAGMA incremental_vacuum")

    def copy_to(self, path: Path) -> None:
        """A copy as of one moment in a new file, while others may write."""
        with self._lock, _sentences(path):
            other = sqlite3.connect(path)
            try:
                self._connection.backup(other, pages=1 << 14)
            finally:
                other.close()

    def refuse(self, what: str) -> NoReturn:
        """Raise `InvalidInput`: the file is damaged."""
        raise InvalidInput(f"{self.path} is a damaged store: {what}.")

    def close(self) -> None:
        """Give the file back."""
        with self._lock, suppress(sqlite3.Error):
            self._connection.close()


def is_store(path: Any) -> bool:
    """Whether the file at `path` is a store; raises `OSError` if it cannot be read."""
    try:
        Database.for_reading(path).close()
    except InvalidInput:
        return False
    return True


class _Counted(sqlite3.Connection):
    """A connection that is counted in `_open` until it is closed."""

    _file: place.Identity | None = None

    def count(self, file: place.Identity | None) -> None:
        self._file = file
        _open[file] += 1

    def close(self) -> None:
        super().close()
        with _opening:
            _open[self._file] -= self._file is not None
            self._file = None


@contextmanager
def _opened(path: Path, uri: str) -> Iterator[sqlite3.Connection]:
    """A connection, which is closed after an error."""
    with _opening:
        if path.exists() and not _open[place.identity(path)]:
            with suppress(PermissionError):
                place.set_aside_foreign(path)
        how = {"timeout": PATIENCE, "isolation_level": None, "check_same_thread": False, "factory": _Counted}
        connection = sqlite3.connect(uri, uri=True, **how)
        connection.count(place.identity(path))
    try:
        # Python has these switches from 3.12 on: a file can then neither run triggers and views nor rewrite its tables.
        for name, on in (("DEFENSIVE", True), ("ENABLE_TRIGGER", False), ("ENABLE_VIEW", False)):
            switch = getattr(sqlite3, f"SQLITE_DBCONFIG_{name}", None)
            if switch is not None:
                connection.setconfig(switch, on)
        yield connection
    except BaseException:
        connection.close()
        raise


@contextmanager
def _read_only(path: Path) -> Iterator[tuple[sqlite3.Connection, int | None]]:
    where = f"file:{quote(os.fsencode(path))}"
    # Not SQLite's mode=ro, which could not undo what a killed process left half written.
    try:
        with _opened(path, f"{where}?mode=rw") as connection:
            connection.execute("PRAGMA query_only=ON")
            connection.execute("PRAGMA trusted_schema=OFF")
            found = _version(path, connection)
    except sqlite3.OperationalError:
        if any(Path(f"{path}{side}").exists() for side in place.SIDES[:2]):
            raise
        # A log (version 1) needs a second file, for which there may be no room or permission; without one, nobody writes.
        with _opened(path, f"{where}?immutable=1") as connection:
            connection.execute("PRAGMA trusted_schema=OFF")
            found = _version(path, connection)
    yield connection, found


def _version(path: Path, connection: sqlite3.Connection) -> int | None:
    """The version of a store, None of a file without tables; raises `InvalidInput` if it is something else."""
    with _one_moment(connection):
        version = schema.version_of(connection)
        whole = version is None or schema.is_whole(connection, version)
    if version is not None and version > schema.VERSION:
        raise InvalidInput(
            f"{path} is a store of version {version}; this jaxnet knows up to {schema.VERSION}: upgrade jaxnet."
        )
    if not whole:
        raise InvalidInput(
            f"{path} is an SQLite file but no jaxnet store: name a file that "
            f"{advice('sweep(store=...)', 'jaxnet sweep --store')} wrote, or a new one."
        )
    return version


@contextmanager
def _one_moment(connection: sqlite3.Connection) -> Iterator[None]:
    """What is read in it was there at one moment: another process may be making or upgrading the tables."""
    if connection.in_transaction:
        yield
        return
    connection.execute("BEGIN")
    try:
        yield
    finally:
        if connection.in_transaction:  # SQLite has given it up where the file is damaged
            connection.execute("ROLLBACK")


def _make(path: Path, connection: sqlite3.Connection) -> None:
    """Make the tables of the newest version, unless another process is faster."""
    connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
    connection.execute("BEGIN IMMEDIATE")
    try:
        version = _version(path, connection)
        if version is None:
            schema.create(connection)
        elif version < schema.VERSION:
            schema.upgrade(connection)
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


_CODES = {
    "SQLITE_FULL": (errno.ENOSPC, "the disk is full: no space is left for the store; what it holds is safe"),
    "SQLITE_READONLY": (errno.EACCES, "the store cannot be written to (file or folder is read-only)"),
    "SQLITE_CANTOPEN": (errno.ENOENT, "the store cannot be opened or made here (is the folder there, and writable?)"),
    "SQLITE_BUSY": (errno.EBUSY, "another process keeps the store busy"),
    "SQLITE_PROTOCOL": (errno.ENOLCK, "the file system does not lock files: keep the store on a local disk"),
    "SQLITE_IOERR_LOCK": (errno.ENOLCK, "the file system does not lock files: keep the store on a local disk"),
    "SQLITE_IOERR": (errno.EIO, "the store cannot be read or written; what it holds is safe if the disk is"),
}


@contextmanager
def _sentences(path: Path) -> Iterator[None]:
    """Errors of SQLite as `OSError` where the system is in the way, as `InvalidInput` where the file is."""
    try:
        yield
    except sqlite3.Error as error:
        name = getattr(error, "sqlite_errorname", None) or ""
        if name == "SQLITE_READONLY_DBMOVED":
            raise Moved(path) from error
        for start, (number, sentence) in _CODES.items():
            if name.startswith(start):
                raise OSError(number, f"{sentence} [{error}]", str(path)) from error
        if isinstance(error, sqlite3.ProgrammingError):
            raise
        raise InvalidInput(
            f"{path} is no jaxnet store, or is damaged ({error}): choose another file, or restore it from a copy."
        ) from error
