"""The tables of a store, by version: what a file must have, neither more nor less, and how an older one becomes newer."""

import sqlite3
from contextlib import closing
from functools import cache

from jaxnet.store.seals import Row, blob_seal, digest

VERSION = 2
_UNITS = """CREATE TABLE units (
    run INTEGER NOT NULL,
    name TEXT NOT NULL,
    state TEXT NOT NULL,
    PRIMARY KEY (run, name)
)"""
INDEX = "CREATE INDEX blobs_of ON blobs (run, kind, unit)"
"""In stores of every version, and by SQLite's rules in their first page as it stands here."""
TABLES = {
    1: (
        """CREATE TABLE runs (
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
        _UNITS,
        """CREATE TABLE blobs (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    unit TEXT NOT NULL,
    kind TEXT NOT NULL,
    fits INTEGER NOT NULL,
    more INTEGER NOT NULL,
    content BLOB NOT NULL
)""",
        INDEX,
    ),
    2: (
        """CREATE TABLE runs (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    uid TEXT NOT NULL,
    name TEXT NOT NULL UNIQUE,
    fingerprint TEXT NOT NULL,
    problem TEXT NOT NULL,
    about TEXT NOT NULL,
    fits INTEGER,
    best TEXT,
    begun TEXT NOT NULL,
    written TEXT NOT NULL,
    finished INTEGER NOT NULL,
    seal TEXT NOT NULL
)""",
        """CREATE TABLE claims (
    run INTEGER PRIMARY KEY,
    token TEXT NOT NULL,
    place TEXT NOT NULL,
    writer TEXT NOT NULL,
    pid INTEGER NOT NULL,
    birth TEXT NOT NULL,
    beat REAL NOT NULL
)""",
        _UNITS,
        """CREATE TABLE blobs (
    id INTEGER PRIMARY KEY,
    run INTEGER NOT NULL,
    unit TEXT NOT NULL,
    kind TEXT NOT NULL,
    fits INTEGER NOT NULL,
    part INTEGER NOT NULL,
    more INTEGER NOT NULL,
    digest TEXT NOT NULL,
    seal TEXT NOT NULL,
    content BLOB NOT NULL
)""",
        INDEX,
    ),
}
"""A run: `uid` is drawn at its beginning; `problem`, `about` and `best` are JSON; `fits` is how many it has in all. A claim says
who works on it (claims.py), a unit is 'done' or 'halved'. Blobs are of kind 'filler', 'chunks', 'fits', 'mark' or 'result'; one
with `more` goes on in the next row of its kind and unit. Seals: seals.py."""

_FOUND = "SELECT type, name, tbl_name, sql FROM sqlite_master"


def version_of(connection: sqlite3.Connection) -> int | None:
    """The version that a file says it is of, None if it has neither version nor tables."""
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    return version if version or connection.execute(_FOUND).fetchone() else None


def is_whole(connection: sqlite3.Connection, version: int) -> bool:
    """Whether the file has the tables of that version and nothing else: no trigger, no view, no column more."""
    return version in TABLES and sorted(connection.execute(_FOUND), key=repr) == _expected(version)


@cache
def _expected(version: int) -> list[tuple]:
    with closing(sqlite3.connect(":memory:")) as connection:
        create(connection, version)
        return sorted(connection.execute(_FOUND), key=repr)


def create(connection: sqlite3.Connection, version: int = VERSION) -> None:
    """Make the tables, within the caller's transaction."""
    for statement in TABLES[version]:
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version={version}")


def upgrade(connection: sqlite3.Connection) -> None:
    """Version 1 becomes version 2, within the caller's transaction. What was there is sealed as it is."""
    connection.execute("DROP INDEX blobs_of")
    for table in ("runs", "units", "blobs"):
        connection.execute(f"ALTER TABLE {table} RENAME TO old_{table}")
    create(connection)
    connection.execute("INSERT INTO units SELECT * FROM old_units")
    columns = "id, name, fingerprint, problem, about, fits, best, begun, written, finished"
    uids = {}
    for number, *values in connection.execute(f"SELECT {columns} FROM old_runs").fetchall():
        row = Row(values[1], *values)  # its blobs call a run by its fingerprint
        uids[number] = row.uid
        marks = ", ".join("?" * (len(row) + 2))
        connection.execute(f"INSERT INTO runs VALUES ({marks})", (number, *row, row.seal))
    part, last = 0, None
    for number, run, unit, kind, fits, more in connection.execute(
        "SELECT id, run, unit, kind, fits, more FROM old_blobs ORDER BY run, kind, unit, id"
    ).fetchall():
        part = part + 1 if (run, unit, kind) == last else 0
        last = (run, unit, kind) if more else None
        ((content,),) = connection.execute("SELECT content FROM old_blobs WHERE id = ?", (number,)).fetchall()
        shown = digest(content if isinstance(content, bytes) else str(content).encode("utf-8", "surrogatepass"))
        seal = blob_seal(uids.get(run, ""), unit, kind, fits, part, more, shown)
        values = (number, run, unit, kind, fits, part, more, shown, seal, content)
        connection.execute(f"INSERT INTO blobs VALUES ({', '.join('?' * len(values))})", values)
    for table in ("runs", "units", "blobs"):
        connection.execute(f"DROP TABLE old_{table}")
