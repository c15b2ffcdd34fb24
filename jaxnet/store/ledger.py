"""The journal of a sweep in a store: each of its pages is written in transactions of its own, about once a second."""

import errno
import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from jaxnet.errors import InvalidInput, advice
from jaxnet.lanes import Limits
from jaxnet.missing.fill import Filler
from jaxnet.persistence import pack
from jaxnet.pipeline.journal import Journal, Unit
from jaxnet.result import SweepResult
from jaxnet.store import place
from jaxnet.store.claims import Claim, beating
from jaxnet.store.database import Database, Moved
from jaxnet.store.entry import Entry
from jaxnet.store.page import Page
from jaxnet.store.rows import add_row, count_fits, get_blobs, put_blob, read_rows, value_of, write_claim, write_row
from jaxnet.store.seals import Row

if TYPE_CHECKING:
    from jaxnet.pipeline.collect import Collector

LARGEST_FILLER = 1 << 26
"""Bytes of what fills the missing values of a group that are written down; more would take longer than to learn it again."""


class Ledger(Journal):
    """One run of a store, on which this process has a claim."""

    def __init__(self, database: Database, number: int, row: Row, claim: Claim, entry: Entry):
        self.database, self.run, self.row, self.claim, self._entry = database, number, row, claim, entry
        self._collector: Collector | None = None
        self._limits: Limits | None = None
        self._states = dict(database.execute("SELECT name, state FROM units WHERE run = ?", number))
        self._pages: dict[str, Page] = {}
        self._lock = threading.RLock()
        self._closing = ExitStack()

    @property
    def name(self) -> str:
        return self.row.name

    @contextmanager
    def kept(self) -> Iterator["Ledger"]:
        """While the sweep goes on: the claim is renewed, and given back at the end."""
        with self._closing, self.claim.held():
            try:
                with beating(self._beat):
                    yield self
            finally:
                with suppress(Exception):  # a claim that nobody holds is none
                    self._release()

    def result(self) -> SweepResult | None:
        if not self.row.finished:
            return None
        result = next((self._opened(blob) for blob in self._blobs("result")), None)
        if not isinstance(result, SweepResult):
            self.refuse("its result is not there")
        self._announce(result.gap.size, result.gap.size)
        return result

    def filler(self, g: int, fit: Callable[[], Filler]) -> Filler:
        unit = f"group {g}"
        for blob in self._blobs("filler", unit):
            found = self._opened(blob)
            if not isinstance(found, Filler):
                self.refuse("what fills its missing values cannot be read")
            return found
        found = fit()
        content = pack(found) if found.costly else b""
        if content and len(content) <= LARGEST_FILLER:
            self.commit(lambda: self.put(unit, "filler", content))
        return found

    def begin(self, collector: "Collector") -> None:
        self._collector = collector
        self.commit(lambda: self.write_row(fits=collector.size))
        self._announce(collector.size, self.fits_stored())

    def pieces(self) -> Iterator[Any]:
        for blob in self._blobs("fits"):
            yield from self._list(self._opened(blob))

    def limits(self, found: Limits) -> Limits:
        stored = [self._opened(blob) for blob in self._blobs("chunks")]
        if stored and (len(stored) > 1 or not _are_limits(stored[0])):
            self.refuse("how it was cut into chunks cannot be read")
        self._limits = Limits(*stored[0]) if stored else found
        if not stored:
            self.commit(self._put_limits)
        return self._limits

    def unit(self, name: str) -> Unit:
        page = self._pages[name] = Page(self, name, self._states.get(name) == "done")
        return page

    def halve(self, name: str) -> None:
        self.note_state(name, "halved")

        def write() -> None:
            self.database.execute("DELETE FROM blobs WHERE run = ? AND unit = ?", self.run, name)
            self.set_state(name, "halved")

        self.commit(write)

    def is_halved(self, name: str) -> bool:
        return self._states.get(name) == "halved"

    def finish(self, result: SweepResult) -> None:
        if self._entry.features is not None:
            result = replace(result, feature_names=self._entry.features)
        content = pack(result)

        def write() -> None:
            self.database.execute("DELETE FROM blobs WHERE run = ?", self.run)
            self.database.execute("DELETE FROM units WHERE run = ?", self.run)
            self.put("", "result", content, fits=result.gap.size)
            self.write_row(finished=1)

        self.commit(write)
        try:
            self._check_written()
        except Moved as lost:
            self._lose(write, False, lost)
        self.database.shrink()

    def fits_stored(self) -> int:
        """How many fits are safe."""
        return count_fits(self.database, self.run, self.row)

    def commit(self, write: Callable[[], None], *, found: bool = False) -> None:
        """What `write` executes is written in one transaction, if the store is still there and the run still ours.

        Otherwise all that was found so far goes to a new file beside it, with what `write` adds to that (nothing if it
        writes only what was `found`), and OSError says so.
        """
        with self._lock:
            try:
                with self.database.transaction():
                    self._check_claim()
                    write()
            except (Moved, InvalidInput) as lost:
                self._lose(write, found, lost)

    def _lose(self, write: Callable[[], None], found: bool, lost: Exception) -> NoReturn:
        """Write to a new file what `commit` could not, and say so."""
        path, sentence = str(self.database.path), self._rescue()
        if not found:
            with self.database.transaction():
                write()
        kept = "the finished sweep is" if self.row.finished else f"{self.fits_stored():,} fits are"
        said = sentence.format(kept=kept, new=self.database.path, run=self.name)
        raise OSError(errno.ESTALE, said, path) from lost

    def _check_written(self) -> None:
        """Raise `Moved` unless the result can be read by who opens the file now: what was written over a file while a
        transaction ended is not noticed by a connection that knows the pages."""
        try:
            other = Database.for_reading(self.database.path)
            try:
                ((number, row),) = read_rows(other, self.name).items()
                if row != self.row or not list(get_blobs(other, number, row, "result")):
                    raise Moved(self.database.path)
            finally:
                other.close()
        except (InvalidInput, ValueError, OSError):
            raise Moved(self.database.path) from None

    def put(self, unit: str, kind: str, content: bytes, fits: int = 0) -> None:
        """Write a blob, inside a transaction."""
        put_blob(self.database, self.run, self.row, (unit, kind), content, fits)

    def note_state(self, unit: str, state: str) -> None:
        """Remember what became of a unit."""
        self._states[unit] = state

    def set_state(self, unit: str, state: str) -> None:
        """Write down what became of a unit, inside a transaction."""
        self.database.execute("INSERT OR REPLACE INTO units (run, name, state) VALUES (?, ?, ?)", self.run, unit, state)

    def mark_of(self, unit: str) -> dict[str, np.ndarray] | None:
        """Where the walk of a unit stood."""
        marks = [self._opened(blob) for blob in self._blobs("mark", unit)]
        if marks and not isinstance(marks[-1], dict):
            self.refuse("where it stood cannot be read")
        return marks[-1] if marks else None

    def refuse(self, what: str) -> None:
        """Raise `InvalidInput`: the run is damaged."""
        how = advice("jaxnet.Store(...).delete", "jaxnet runs STORE --delete RUN")
        self.database.refuse(f"run {self.name!r}: {what}; delete it ({how}) and begin it again")

    def _blobs(self, kind: str, unit: str | None = None) -> Iterator[bytes]:
        return get_blobs(self.database, self.run, self.row, kind, unit)

    def _opened(self, blob: bytes) -> Any:
        return value_of(self.database, self.row, blob)

    def _list(self, value: Any) -> list:
        if not isinstance(value, list):
            self.refuse("its fits cannot be read")
        return value

    def _announce(self, fits: int, stored: int) -> None:
        if self._entry.announce is not None:
            self._entry.announce(self.name, fits, min(stored, fits))

    def write_row(self, **changed: Any) -> None:
        """Write down what changed of the run, when, and the best fit yet, inside a transaction."""
        best = None if self._collector is None else self._collector.best()
        best = self.row.best if best is None else json.dumps(best)
        self.row = self.row._replace(written=now(), best=best, **changed)
        write_row(self.database, self.run, self.row)

    def _put_limits(self) -> None:
        self.put("", "chunks", pack([self._limits.workers, *map(float, self._limits[1:])]))

    def _check_claim(self) -> None:
        """Raise `Moved` if another file was written into this one, or somebody deleted the run."""
        found = self.database.execute("SELECT token, uid FROM claims, runs WHERE run = runs.id AND run = ?", self.run)
        if found != [(self.claim.token, self.row.uid)]:
            raise Moved(self.database.path)

    def _beat(self) -> None:
        with self._lock, self.database.transaction():
            values = time.time(), self.run, self.claim.token
            self.database.execute("UPDATE claims SET beat = ? WHERE run = ? AND token = ?", *values)

    def _release(self) -> None:
        with self.database.transaction():
            values = self.run, self.claim.token
            self.database.execute("DELETE FROM claims WHERE run = ? AND token = ?", *values)

    def _rescue(self) -> str:
        """Everything found so far into a new file beside the old one; what to say of it."""
        now_there = place.identity(self.database.path)
        what = "deleted or moved away" if now_there is None else "replaced or changed"
        new = Database.for_writing(place.free_name(self.database.path, "rescued"))
        self._closing.callback(new.close)
        self.database = new
        for page in self._pages.values():
            page.forget()  # what waits there is among the pieces
        with new.transaction():
            self.run = add_row(new, self.row)
            write_claim(new, self.run, self.claim)
            if self._limits is not None:
                self._put_limits()
            pieces = [] if self._collector is None else list(self._collector.pieces())
            if pieces:
                fits = sum(piece.gap.size for piece in pieces)
                self.put("", "fits", pack([piece.plain() for piece in pieces]), fits)
            for unit, state in self._states.items():
                self.set_state(unit, state)
            for name, page in self._pages.items():
                if page.last is not None and self._states.get(name) is None:
                    self.put(name, "mark", page.last)
        return (
            f"the store was {what} while this sweep wrote to it. {{kept}} kept in {{new}} as run {{run!r}}: start the same "
            "sweep with that file as its store, and it goes on from there"
        )


def _are_limits(value: Any) -> bool:
    numbers = isinstance(value, list) and list(map(type, value)) == [int, float, float]
    return numbers and all(number > 0 for number in value)


def new_row(name: str, fingerprint: str, problem: dict[str, Any], about: dict[str, Any]) -> Row:
    """The row of a run that begins now."""
    texts = json.dumps(problem), json.dumps(about)
    return Row(os.urandom(16).hex(), name, fingerprint, *texts, None, None, now(), now(), 0)


def now() -> str:
    """The time in UTC, to the second (ISO 8601)."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
