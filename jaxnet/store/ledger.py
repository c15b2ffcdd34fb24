"""The journal of a sweep in a store: each of its pages is written in transactions of its own, about once a second."""

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxnet.errors import advice
from jaxnet.journal import Journal, Piece, Unit
from jaxnet.lanes import Limits
from jaxnet.missing.fill import Filler
from jaxnet.persistence import pack, unpack
from jaxnet.result import SweepResult
from jaxnet.store.database import Database
from jaxnet.store.entry import Entry

if TYPE_CHECKING:
    from jaxnet.collect import Collector

SECONDS = 1.0
"""A unit is written down so often, if writing is quick ..."""
SHARE = 20.0
"""... and else so rarely that writing takes one part in so many of the time."""
LARGEST_FILLER = 1 << 26
"""Bytes of what fills the missing values of a group that are written down; more would take longer than to learn it again."""


class Ledger(Journal):
    """One run of a store, of which this process has the lock."""

    def __init__(self, database: Database, run: int, fingerprint: str, entry: Entry):
        self.database, self.run, self.fingerprint, self._entry = database, run, fingerprint, entry
        self._collector: Collector | None = None
        self._states = dict(database.execute("SELECT name, state FROM units WHERE run = ?", run))
        (self.name, self.finished), *_ = database.execute("SELECT name, finished FROM runs WHERE id = ?", run)

    def result(self) -> SweepResult | None:
        if not self.finished:
            return None
        result = next((self._opened(blob) for blob in self.database.get(self.run, "result")), None)
        if not isinstance(result, SweepResult):
            self.refuse("its result is not there")
        self._announce(result.gap.size, result.gap.size)
        return result

    def filler(self, g: int, fit: Callable[[], Filler]) -> Filler:
        unit = f"group {g}"
        for blob in self.database.get(self.run, "filler", unit):
            found = self._opened(blob)
            if not isinstance(found, Filler):
                self.refuse("what fills its missing values cannot be read")
            return found
        found = fit()
        content = self.sealed(found) if found.costly else b""
        if content and len(content) <= LARGEST_FILLER:
            with self.database.transaction():
                self.database.put(self.run, unit, "filler", content)
        return found

    def begin(self, collector: "Collector") -> None:
        self._collector = collector
        with self.database.transaction():
            self.database.execute("UPDATE runs SET fits = ? WHERE id = ?", collector.size, self.run)
        self._announce(collector.size, self.fits_stored())

    def pieces(self) -> Iterator[Any]:
        for blob in self.database.get(self.run, "fits"):
            yield from self._list(self._opened(blob))

    def limits(self, found: Limits) -> Limits:
        stored = [self._opened(blob) for blob in self.database.get(self.run, "chunks")]
        if not stored:
            with self.database.transaction():
                self.database.put(self.run, "", "chunks", self.sealed([found.workers, *map(float, found[1:])]))
            return found
        if len(stored) > 1 or not _are_limits(stored[0]):
            self.refuse("how it was cut into chunks cannot be read")
        return Limits(*stored[0])

    def unit(self, name: str) -> Unit:
        return _Page(self, name, self._states.get(name) == "done")

    def halve(self, name: str) -> None:
        self._states[name] = "halved"
        with self.database.transaction():
            self.database.execute("DELETE FROM blobs WHERE run = ? AND unit = ?", self.run, name)
            self.set_state(name, "halved")

    def is_halved(self, name: str) -> bool:
        return self._states.get(name) == "halved"

    def finish(self, result: SweepResult) -> None:
        if self._entry.features is not None:
            result = replace(result, feature_names=self._entry.features)
        content = self.sealed(result)
        with self.database.transaction():
            self.database.execute("DELETE FROM blobs WHERE run = ?", self.run)
            self.database.execute("DELETE FROM units WHERE run = ?", self.run)
            self.database.put(self.run, "", "result", content, fits=result.gap.size)
            self.database.execute("UPDATE runs SET finished = 1 WHERE id = ?", self.run)
            self.touch()
        self.database.execute("PRAGMA incremental_vacuum")

    def fits_stored(self) -> int:
        """How many fits are safe."""
        ((fits,),) = self.database.execute("SELECT coalesce(sum(fits), 0) FROM blobs WHERE run = ?", self.run)
        return int(fits)

    def sealed(self, value: Any) -> bytes:
        """The blob of a value, which knows its run."""
        return pack({"run": self.fingerprint, "value": value})

    def set_state(self, unit: str, state: str) -> None:
        """Say what became of a unit, inside a transaction."""
        self.database.execute("INSERT OR REPLACE INTO units (run, name, state) VALUES (?, ?, ?)", self.run, unit, state)

    def touch(self) -> None:
        """Say when the run was written to, and the best fit yet, inside a transaction."""
        best = None if self._collector is None else self._collector.best()
        values = now(), None if best is None else json.dumps(best), self.run
        self.database.execute("UPDATE runs SET written = ?, best = ? WHERE id = ?", *values)

    def mark_of(self, unit: str) -> dict[str, np.ndarray] | None:
        """Where the walk of a unit stood."""
        marks = [self._opened(blob) for blob in self.database.get(self.run, "mark", unit)]
        if marks and not isinstance(marks[-1], dict):
            self.refuse("where it stood cannot be read")
        return marks[-1] if marks else None

    def refuse(self, what: str) -> None:
        """Raise `InvalidInput`: the run is damaged."""
        how = advice("jaxnet.Store(...).delete", "jaxnet runs STORE --delete RUN")
        self.database.refuse(f"run {self.name!r}: {what}; delete it ({how}) and begin it again")

    def _opened(self, blob: bytes) -> Any:
        content = unpack(blob, f"run {self.name!r} in {self.database.path}")
        if not isinstance(content, dict) or content.keys() != {"run", "value"} or content["run"] != self.fingerprint:
            self.refuse("it holds what belongs to another run")
        return content["value"]

    def _list(self, value: Any) -> list:
        if not isinstance(value, list):
            self.refuse("its fits cannot be read")
        return value

    def _announce(self, fits: int, stored: int) -> None:
        if self._entry.announce is not None:
            self._entry.announce(self.name, fits, min(stored, fits))


class _Page(Unit):
    """What is found of a unit waits here until it is written together with where the walk stands."""

    def __init__(self, ledger: Ledger, name: str, done: bool):
        self.done, self._ledger, self._name = done, ledger, name
        self.mark = None if done else ledger.mark_of(name)
        self._waiting: list[Piece] = []
        self._arrays: Callable[[], dict[str, np.ndarray]] | None = None
        self._due = time.monotonic() + SECONDS

    def add(self, piece: Piece) -> None:
        self._waiting.append(piece)

    def keep(self, arrays: Callable[[], dict[str, np.ndarray]]) -> None:
        self._arrays = arrays
        if time.monotonic() >= self._due:
            self._write(finished=False)

    def end(self, finished: bool) -> None:
        if finished or self._arrays is not None:
            self._write(finished)

    def _write(self, finished: bool) -> None:
        start, ledger, database = time.monotonic(), self._ledger, self._ledger.database
        fits = sum(piece.gap.size for piece in self._waiting)
        content = ledger.sealed([piece.plain() for piece in self._waiting]) if self._waiting else None
        mark = None if finished else ledger.sealed(self._arrays())
        with database.transaction():
            database.execute("DELETE FROM blobs WHERE run = ? AND unit = ? AND kind = 'mark'", ledger.run, self._name)
            if content is not None:
                database.put(ledger.run, self._name, "fits", content, fits)
            if finished:
                ledger.set_state(self._name, "done")
            else:
                database.put(ledger.run, self._name, "mark", mark)
            ledger.touch()
        self._waiting, self._arrays = [], None
        end = time.monotonic()
        self._due = end + max(SECONDS, SHARE * (end - start))


def _are_limits(value: Any) -> bool:
    numbers = isinstance(value, list) and list(map(type, value)) == [int, float, float]
    return numbers and all(number > 0 for number in value)


def now() -> str:
    """The time in UTC, to the second (ISO 8601)."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
