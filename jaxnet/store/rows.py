"""Runs and their blobs, read with their seals and written with them."""

from collections.abc import Iterator
from typing import Any

from jaxnet.persistence import unpack
from jaxnet.store.claims import Claim
from jaxnet.store.database import Database
from jaxnet.store.seals import Row, blob_seal, digest

PART = 1 << 28
"""Bytes of a blob in one row; SQLite allows no more than 1e9."""
_ROW = ", ".join(Row._fields)
_OLD_ROW = _ROW.replace("uid", "fingerprint", 1)  # version 1 called a run by its fingerprint


def read_rows(database: Database, name: str | None = None) -> dict[int, Row]:
    """The runs, or the one of that name, by number and in the order in which they were begun; refuses damaged ones."""
    old = database.version == 1
    only, asked = ("", ()) if name is None else (" WHERE name = ?", (name,))
    columns = f"{_OLD_ROW}, NULL" if old else f"{_ROW}, seal"
    found = {}
    for number, *values, seal in database.execute(f"SELECT id, {columns} FROM runs{only} ORDER BY id", *asked):
        row = Row(*values)
        if type(number) is not int or not row.is_readable or not (old or seal == row.seal):
            database.refuse("a run in it cannot be read, or is not what was written")
        found[number] = row
    return found


def write_row(database: Database, number: int, row: Row) -> None:
    """The row of a run that there is, inside a transaction."""
    values = ", ".join(f"{name} = ?" for name in Row._fields)
    database.execute(f"UPDATE runs SET {values}, seal = ? WHERE id = ?", *row, row.seal, number)


def add_row(database: Database, row: Row) -> int:
    """A new run, inside a transaction; its number."""
    marks = ", ".join("?" * (len(row) + 1))
    database.execute(f"INSERT INTO runs ({_ROW}, seal) VALUES ({marks})", *row, row.seal)
    ((number,),) = database.execute("SELECT last_insert_rowid()")
    return number


def read_claim(database: Database, number: int) -> Claim | None:
    """Who claims a run; None if nobody does."""
    if database.version == 1:
        return None
    found = database.execute(f"SELECT {', '.join(Claim._fields)} FROM claims WHERE run = ?", number)
    if found and list(map(type, found[0])) != [str, str, str, int, str, float]:
        database.refuse("who works on a run cannot be read")
    return Claim(*found[0]) if found else None


def write_claim(database: Database, number: int, claim: Claim) -> None:
    """This process claims a run, inside a transaction."""
    marks = ", ".join("?" * (len(claim) + 1))
    database.execute(f"INSERT OR REPLACE INTO claims VALUES ({marks})", number, *claim)


def delete_row(database: Database, number: int) -> None:
    """A run with all that it has, inside a transaction."""
    database.execute("DELETE FROM runs WHERE id = ?", number)
    for table in ("claims", "units", "blobs"):
        database.execute(f"DELETE FROM {table} WHERE run = ?", number)


def count_fits(database: Database, number: int, row: Row) -> int:
    """How many of its fits are safe, by rows of which each must be the run's."""
    if database.version == 1:
        fits = [count for (count,) in database.execute("SELECT fits FROM blobs WHERE run = ?", number)]
    else:
        fits = [values[3] for values in _sealed(database, number, row, "", ())]
    if not all(type(count) is int and count >= 0 for count in fits):
        database.refuse("how many fits a run has cannot be read")
    return sum(fits)


def put_blob(database: Database, number: int, row: Row, blob: tuple[str, str], content: bytes, fits: int = 0) -> None:
    """Write a blob of (unit, kind), inside a transaction."""
    for part, start in enumerate(range(0, len(content), PART)):
        piece, more = content[start : start + PART], int(start + PART < len(content))
        values = (*blob, 0 if more else fits, part, more, digest(piece))
        values = (number, *values, blob_seal(row.uid, *values), piece)
        statement = "INSERT INTO blobs (run, unit, kind, fits, part, more, digest, seal, content) VALUES "
        database.execute(f"{statement}({', '.join('?' * len(values))})", *values)


def get_blobs(database: Database, number: int, row: Row, kind: str, unit: str | None = None) -> Iterator[bytes]:
    """The blobs of a run of one kind (and unit), in the order in which they were written."""
    only, values = (" AND kind = ?", (kind,)) if unit is None else (" AND kind = ? AND unit = ?", (kind, unit))
    if database.version == 1:
        where = f"SELECT id, unit, more FROM blobs WHERE run = ?{only} ORDER BY id"
        rows: Any = [(row, owner, None, more, None) for row, owner, more in database.execute(where, number, *values)]
    else:
        rows = [
            (place, owner, part, more, shown)
            for place, owner, _, _, part, more, shown in _sealed(database, number, row, only, values)
        ]
    begun: dict[str, list[bytes]] = {}
    for place, owner, part, more, shown in rows:
        parts = begun.setdefault(owner, [])
        found = [content for (content,) in database.execute("SELECT content FROM blobs WHERE id = ?", place)]
        if len(found) != 1 or not isinstance(found[0], bytes) or part not in (None, len(parts)):
            database.refuse("one of its blobs is of another type, or is not whole")
        if shown is not None and digest(found[0]) != shown:
            database.refuse(f"a blob of run {row.name!r} does not match its checksum")
        parts += found
        if not more:
            yield b"".join(begun.pop(owner))
    if begun:
        database.refuse(f"a blob of run {row.name!r} is not whole")


def value_of(database: Database, row: Row, blob: bytes) -> Any:
    """What was packed into a blob. Those of version 1 name their run by its fingerprint, and still do after an upgrade."""
    value = unpack(blob, f"run {row.name!r} in {database.path}")
    if row.uid != row.fingerprint:
        return value
    if not isinstance(value, dict) or value.keys() != {"run", "value"} or value["run"] != row.fingerprint:
        database.refuse(f"run {row.name!r} holds what belongs to another run")
    return value["value"]


def _sealed(database: Database, number: int, row: Row, only: str, values: tuple) -> list[tuple]:
    """(id, unit, kind, fits, part, more, digest) of blobs, each bound to its run."""
    columns = "id, unit, kind, fits, part, more, digest, seal"
    found = database.execute(f"SELECT {columns} FROM blobs WHERE run = ?{only} ORDER BY id", number, *values)
    for _, *said, seal in found:
        if not all(isinstance(value, (str, int)) for value in said) or blob_seal(row.uid, *said) != seal:
            database.refuse(f"run {row.name!r} holds what belongs to another run, or was changed")
    return [values[:-1] for values in found]
