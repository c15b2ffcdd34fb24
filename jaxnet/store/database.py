"""The SQLite file of a store: its tables, its transactions, and its errors as sentences.

Settings: a write-ahead log, synchronous=FULL, one transaction per step of a run. Whatever kills a process, the next one
finds the file as it was after the last transaction that was finished.
"""

import errno
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NoReturn
from urllib.parse import quote

from jaxnet.errors import InvalidInput, advice

VERSION = 1
MAGIC = b"SQLite format 3\0"
TABLES = {
    "runs": """CREATE TABLE runs (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    fingerprint TEXT NOT NULL,
    problem TEXT NOT NULL,
    about TEXT NOT NULL,
    fits INTEGER,
    best TEXT,
    begun TEXT NOT NULL,
    written TEXT NOT NULL,
    writer TEXT NOT NULL,
    finished INTEGER NOT NULL DEFAULT 0
)""",
    "units": """CREATE TABLE units (
    run INTEGER NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (run, name)
)""",
    "blobs": """CREATE TABLE blobs (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    unit TEXT NOT NULL,
    kind TEXT NOT NULL,
    fits INTEGER NOT NULL,
    more INTEGER NOT NULL,
    content BLOB NOT NULL
)""",
    "blobs_of": "CREATE INDEX blobs_of ON blobs (run, kind, unit)",
}
"""A run: `problem`, `about` and `best` are JSON; `fits` is how many it has in all. A unit is 'done' or 'halved'.
Blobs are of kind 'filler', 'chunks', 'fits', 'mark' or 'result'; one with `more` goes on in the next row of its kind and unit."""
SETTINGS = ["PRAGMA synchronous=FULL", "PRAGMA trusted_schema=OFF"]
PATIENCE = 60.0
"""Seconds to wait for other processes that write to the same store."""
PART = 1 << 28
"""Bytes of a blob in one row; SQLite allows no more than 1e9."""


class Database:
    """A connection that several threads may use."""

    def __init__(self, path: Path, connection: sqlite3.Connection):
        self.path, self._connection = path, connection
        self._lock = threading.RLock()

    @classmethod
    def for_writing(cls, path: str | Path) -> "Database":
        """The store at `path`, made if there is no file. Raises `InvalidInput` for other files, `OSError` if it cannot be."""
        path = Path(path)
        with _sentences(path):
            # The whole path, as SQLite takes ":memory:" and "" for no file at all.
            whole = path.absolute()
            connection = sqlite3.connect(whole, timeout=PATIENCE, isolation_level=None, check_same_thread=False)
        database = cls(path, connection)
        try:
            with _sentences(path):
                for setting in SETTINGS:
                    connection.execute(setting)
                if not _is_ours(path, connection):
                    _create(connection)
        except BaseException:
            connection.close()
            raise
        return database

    @classmethod
    def for_reading(cls, path: str | Path) -> "Database":
        """The store at `path`, which is not written to. Raises as `for_writing`, and `OSError` if there is no file."""
        path = Path(path)
        if not is_store(path):
            raise InvalidInput(
                f"{path} is no jaxnet store: name a file that {advice('sweep(store=...)', 'jaxnet sweep --store')} wrote."
            )
        with _sentences(path):
            connection = _read_only(path)
        try:
            with _sentences(path):
                ours = _is_ours(path, connection)
        except BaseException:
            connection.close()
            raise
        if not ours:
            connection.close()
            raise InvalidInput(f"{path} is an empty store: no sweep has written to it yet.")
        return cls(path, connection)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All that is executed in the block is written, safe on the disk, when it ends; nothing of it after an error."""
        with self._lock, _sentences(self.path):
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._connection.execute("COMMIT")
            except BaseException:
                with suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
                raise

    def execute(self, statement: str, *values: Any) -> list[tuple]:
        """Run one statement; the rows it gives."""
        with self._lock, _sentences(self.path):
            return self._connection.execute(statement, values).fetchall()

    def put(self, run: int, unit: str, kind: str, content: bytes, fits: int = 0) -> None:
        """Write a blob, inside a transaction."""
        for start in range(0, len(content), PART):
            part, more = content[start : start + PART], start + PART < len(content)
            row = (run, unit, kind, 0 if more else fits, more, part)
            self.execute("INSERT INTO blobs (run, unit, kind, fits, more, content) VALUES (?, ?, ?, ?, ?, ?)", *row)

    def get(self, run: int, kind: str, unit: str | None = None) -> Iterator[bytes]:
        """The blobs of a run of one kind (and unit), in the order in which they were written."""
        only, values = ("", ()) if unit is None else (" AND unit = ?", (unit,))
        where = f"SELECT id, unit, more FROM blobs WHERE run = ? AND kind = ?{only} ORDER BY id"
        begun: dict[str, list[bytes]] = {}
        for row, owner, more in self.execute(where, run, kind, *values):
            parts = begun.setdefault(owner, [])
            parts += (content for (content,) in self.execute("SELECT content FROM blobs WHERE id = ?", row))
            if not all(isinstance(part, bytes) for part in parts):
                self.refuse("one of its blobs is of another type")
            if not more:
                yield b"".join(begun.pop(owner))

    def refuse(self, what: str) -> NoReturn:
        """Raise `InvalidInput`: the file is damaged."""
        raise InvalidInput(f"{self.path} is a damaged store: {what}.")

    def close(self) -> None:
        """Give the file back."""
        with self._lock, suppress(sqlite3.Error):
            self._connection.close()


def is_store(path: str | Path) -> bool:
    """Whether the file at `path` begins as an SQLite file does; raises `OSError` if it cannot be read."""
    with open(path, "rb") as file:
        return file.read(len(MAGIC)) == MAGIC


def _read_only(path: Path) -> sqlite3.Connection:
    where = f"file:{quote(str(path.absolute()))}"
    # Not SQLite's mode=ro, which would leave files of the write-ahead log behind.
    connection = sqlite3.connect(f"{where}?mode=rw", uri=True, timeout=PATIENCE, check_same_thread=False)
    try:
        connection.execute("PRAGMA query_only=ON")
        connection.execute("SELECT count(*) FROM sqlite_master")
    except sqlite3.OperationalError:
        connection.close()
        if Path(f"{path}-wal").exists():
            raise
        # In a folder that cannot be written to, SQLite reads only what it may take for unchanging.
        connection = sqlite3.connect(f"{where}?immutable=1", uri=True, check_same_thread=False)
    except BaseException:
        connection.close()
        raise
    connection.execute("PRAGMA trusted_schema=OFF")
    return connection


def _is_ours(path: Path, connection: sqlite3.Connection) -> bool:
    """Whether the file is a store rather than empty; raises `InvalidInput` if it is something else."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    found = dict(connection.execute("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'"))
    if not found and not version:
        return False
    if version > VERSION:
        raise InvalidInput(
            f"{path} is a store of version {version}; this jaxnet knows up to {VERSION}: upgrade jaxnet."
        )
    if found != TABLES:  # nor does it have triggers or views, which could do more than hold data
        raise InvalidInput(f"{path} is an SQLite file but no jaxnet store: choose another file.")
    return True


def _create(connection: sqlite3.Connection) -> None:
    """Make the tables, unless another process is faster."""
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
            connection.execute("PRAGMA journal_mode=WAL")
            break
        except sqlite3.OperationalError as error:  # SQLite does not wait for others here
            if "locked" not in str(error) or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
    connection.execute("BEGIN IMMEDIATE")
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        if not version:
            for statement in TABLES.values():
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version={VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


_CODES = {
    "SQLITE_FULL": (errno.ENOSPC, "no space is left for the store; what it holds is safe, and the same call goes on"),
    "SQLITE_READONLY": (errno.EACCES, "the store cannot be written to (file or folder is read-only)"),
    "SQLITE_CANTOPEN": (errno.ENOENT, "the store cannot be opened or made here (is the folder there, and writable?)"),
    "SQLITE_BUSY": (errno.EBUSY, "another process keeps the store busy"),
    "SQLITE_IOERR": (errno.EIO, "the store cannot be read or written; what it holds is safe if the disk is"),
}


@contextmanager
def _sentences(path: Path) -> Iterator[None]:
    """Errors of SQLite as `OSError` where the system is in the way, as `InvalidInput` where the file is."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        name = getattr(error, "sqlite_errorname", None) or ""
        for start, (number, sentence) in _CODES.items():
            if name.startswith(start):
                raise OSError(number, f"{sentence} [{error}]", str(path)) from error
        if name.startswith(("SQLITE_NOTADB", "SQLITE_CORRUPT")) or "decode" in str(error):
            raise InvalidInput(
                f"{path} is no jaxnet store, or is damaged ({error}): choose another file, or restore it from a copy."
            ) from error
        raise
