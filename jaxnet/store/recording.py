"""The journal of a sweep: opened at its start, under a lock, and closed at its end."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from jaxnet.errors import InvalidInput, advice
from jaxnet.pipeline.journal import Forgetful, Journal
from jaxnet.pipeline.request import Request
from jaxnet.store.claims import Claim
from jaxnet.store.database import Database
from jaxnet.store.description import describe, differences, name_of
from jaxnet.store.entry import Entry
from jaxnet.store.ledger import Ledger, new_row
from jaxnet.store.rows import add_row, read_claim, read_rows, write_claim
from jaxnet.store.seals import Row

_SHOWN = 3  # differences of two problems in a message
_LETTERS = 12  # of a fingerprint, in a name made from it


@contextmanager
def recording(store: Any, run: Any, request: Request) -> Iterator[Journal]:
    """The journal of the sweep that `request` asks for; without a `store` it keeps nothing.

    Raises `InvalidInput` if the run is of another problem or another process works on it, and where the store is no store;
    `OSError` where it cannot be written. A KeyboardInterrupt that passes gets a note of what is kept.
    """
    if store is None:
        if run is not None:
            raise InvalidInput(f"run={run!r:.60} names a run of a store: give store= too, the path of an SQLite file.")
        yield Forgetful()
        return
    entry = store if isinstance(store, Entry) else Entry(store)
    if not isinstance(entry.path, (str, os.PathLike)):
        raise InvalidInput(f"store={entry.path!r:.60} is no path: give the name of an SQLite file, such as 'runs.db'.")
    if request.pool == "grouped":
        raise InvalidInput(
            "missing: fillings with pool='grouped' are fitted without a store; use 'average' or 'stacked'."
        )
    problem = json.loads(json.dumps(describe(request)))
    name = name_of(problem)[:_LETTERS] if run is None else _checked(run)
    database = Database.for_writing(entry.path)
    try:
        claim = Claim.new()
        with claim.held():
            number, row = _find(database, entry, name, problem, claim)
            with Ledger(database, number, row, claim, entry).kept() as ledger, _noting(ledger):
                yield ledger
    finally:
        database.close()


def _checked(run: Any) -> str:
    if not isinstance(run, str) or not run.isprintable() or run.strip() != run or not 0 < len(run) <= 200:
        raise InvalidInput(f"run={run!r:.60} is no name: give a text of up to 200 printable characters.")
    return run


def _find(database: Database, entry: Entry, name: str, problem: dict[str, Any], claim: Claim) -> tuple[int, Row]:
    """The run, which is new or of the same problem, claimed in the same transaction."""
    with database.transaction():
        found = read_rows(database, name)
        if not found and entry.resume:
            names = [other for (other,) in database.execute("SELECT name FROM runs ORDER BY id DESC LIMIT 4")]
            there = f"its last runs are {', '.join(map(repr, names))}" if names else "it has no runs"
            raise InvalidInput(f"{database.path} has no run {name!r} of this problem to go on with: {there}.")
        if found:
            ((number, row),) = found.items()
            _check_same(database, row, problem)
        else:
            row = new_row(name, name_of(problem), problem, entry.about)
            number = add_row(database, row)
        other = read_claim(database, number)
        if other is not None and other.lives:
            raise InvalidInput(
                f"run {name!r} in {database.path} is being worked on by {other.writer}: wait for it, or give this sweep "
                f"another name ({advice('run', '--run')})."
            )
        write_claim(database, number, claim)
    return number, row


def _check_same(database: Database, row: Row, problem: dict[str, Any]) -> None:
    if row.fingerprint == name_of(problem):
        return
    try:
        found = differences(json.loads(row.problem), problem)
    except (TypeError, ValueError, AttributeError, RecursionError):
        database.refuse(f"the problem of run {row.name!r} cannot be read")
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    raise InvalidInput(
        f"run {row.name!r} in {database.path} is of another problem: {'; '.join(found[:_SHOWN])}{more}. Give this sweep "
        f"another name ({advice('run', '--run')}), or delete that run{advice('', ' (jaxnet runs --delete)')}."
    )


@contextmanager
def _noting(ledger: Ledger) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt as stop:
        with suppress(Exception):
            stop.add_note(
                f"{_kept(ledger)} in {ledger.database.path} as run {ledger.name!r}: start it again and it goes on from there."
            )
        raise


def _kept(ledger: Ledger) -> str:
    fits = ledger.row.fits
    if fits is not None:
        return f"{min(ledger.fits_stored(), fits):,} of {fits:,} fits are kept"
    found = "SELECT count(*) FROM blobs WHERE run = ? AND kind = 'filler' AND NOT more"
    ((fillers,),) = ledger.database.execute(found, ledger.run)
    return f"what fills the missing values of {fillers:,} sets of rows is kept"
