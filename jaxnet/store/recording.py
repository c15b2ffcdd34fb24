"""The journal of a sweep: opened at its start, under a lock, and closed at its end."""

import json
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from jaxnet.errors import InvalidInput, advice
from jaxnet.journal import Forgetful, Journal
from jaxnet.metrics import METRICS
from jaxnet.request import Request
from jaxnet.store.database import Database
from jaxnet.store.description import describe, differences, name_of
from jaxnet.store.entry import Entry
from jaxnet.store.ledger import Ledger, now
from jaxnet.store.lock import RunLock

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
    if METRICS.get(request.metric.name) is not request.metric:
        raise InvalidInput(
            f"metric={request.metric.name!r} is a function, which a store cannot tell from another: use a named metric "
            f"({', '.join(METRICS)}), or sweep without store=."
        )
    if request.pool == "grouped":
        raise InvalidInput(
            "missing: fillings with pool='grouped' are fitted without a store; use 'average' or 'stacked'."
        )
    problem = json.loads(json.dumps(describe(request)))
    fingerprint = name_of(problem)
    name = fingerprint[:_LETTERS] if run is None else _checked(run)
    database = Database.for_writing(entry.path)
    try:
        number = _find(database, entry, name, problem)
        lock = RunLock(database.path, number)
        if not lock.acquire():
            _refuse_second(database, name)
        try:
            _sign(database, name, number)
            ledger = Ledger(database, number, fingerprint, entry)
            with _noting(ledger):
                yield ledger
        finally:
            lock.release()
    finally:
        database.close()


def _checked(run: Any) -> str:
    if not isinstance(run, str) or not run.isprintable() or run.strip() != run or not 0 < len(run) <= 200:
        raise InvalidInput(f"run={run!r:.60} is no name: give a text of up to 200 printable characters.")
    return run


def _find(database: Database, entry: Entry, name: str, problem: dict[str, Any]) -> int:
    """The number of the run, which is new or of the same problem."""
    find = "SELECT id, fingerprint, problem FROM runs WHERE name = ?"
    if entry.resume and not database.execute(find, name):
        names = [other for (other,) in database.execute("SELECT name FROM runs ORDER BY id DESC LIMIT 4")]
        there = f"its last runs are {', '.join(map(repr, names))}" if names else "it has no runs"
        raise InvalidInput(f"{database.path} has no run {name!r} of this problem to go on with: {there}.")
    values = (name, name_of(problem), json.dumps(problem), json.dumps(entry.about), now(), now(), "")
    with database.transaction():
        database.execute(
            "INSERT OR IGNORE INTO runs (name, fingerprint, problem, about, begun, written, writer) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)",
            *values,
        )
        ((number, fingerprint, text),) = database.execute(find, name)
    if fingerprint != name_of(problem):
        try:
            found = differences(json.loads(text), problem)
        except (TypeError, ValueError, AttributeError):
            database.refuse(f"the problem of run {name!r} cannot be read")
        more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
        raise InvalidInput(
            f"run {name!r} in {database.path} is of another problem: {'; '.join(found[:_SHOWN])}{more}. Give this sweep "
            f"another name ({advice('run', '--run')}), or delete that run{advice('', ' (jaxnet runs --delete)')}."
        )
    return number


def _refuse_second(database: Database, name: str) -> None:
    writers = [writer for (writer,) in database.execute("SELECT writer FROM runs WHERE name = ?", name)]
    raise InvalidInput(
        f"run {name!r} in {database.path} is being worked on by {(writers or ['a process'])[0]}: wait for it, or give this "
        f"sweep another name ({advice('run', '--run')})."
    )


def _sign(database: Database, name: str, number: int) -> None:
    """Say who works on the run, now that nobody else can."""
    writer = f"process {os.getpid()} on {platform.node() or 'this machine'}"
    with database.transaction():
        database.execute("UPDATE runs SET writer = ? WHERE id = ? AND name = ?", writer, number, name)
        if not database.execute("SELECT 1 FROM runs WHERE id = ? AND name = ?", number, name):
            raise InvalidInput(f"run {name!r} in {database.path} was deleted just now: start the sweep again.")


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
    ((fits,),) = ledger.database.execute("SELECT fits FROM runs WHERE id = ?", ledger.run)
    if fits is not None:
        return f"{min(ledger.fits_stored(), fits):,} of {fits:,} fits are kept"
    found = "SELECT count(*) FROM blobs WHERE run = ? AND kind = 'filler' AND NOT more"
    ((fillers,),) = ledger.database.execute(found, ledger.run)
    return f"what fills the missing values of {fillers:,} sets of rows is kept"
