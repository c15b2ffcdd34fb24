"""What is in a store: its runs, and the results of those that are finished. Needs no JAX."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxnet.data.regular import file_name
from jaxnet.errors import InvalidInput
from jaxnet.result import SweepResult
from jaxnet.store.database import Database
from jaxnet.store.place import checked, free_name
from jaxnet.store.rows import count_fits, delete_row, get_blobs, read_claim, read_rows, value_of
from jaxnet.store.seals import Row


@dataclass(frozen=True)
class StoredRun:
    """One sweep of a store, as it was when `Store.runs` looked.

    `name`; `begun` and `written`, the times of its start and of the last write (UTC, ISO 8601); `fits`, how many it has in
    all (None: it has hardly begun), and `done`, how many of them are safe; `finished`; `running`: a process works on it;
    `problem`: data, folds, grid and options in plain values; `about`: what its starter said of it; `best`: rho, alpha and
    cv_error of the least mean held-out error yet, None without folds or with several responses.
    """

    name: str
    begun: str
    written: str
    fits: int | None
    done: int
    finished: bool
    running: bool
    problem: dict[str, Any]
    about: dict[str, Any]
    best: dict[str, float] | None

    def __repr__(self) -> str:
        what = "finished" if self.finished else "running" if self.running else "stopped"
        best = ", ".join(f"{name}={value:.6g}" for name, value in (self.best or {}).items())
        return f"StoredRun({self.name!r}: {what}, {self.done:,} of {self.fits or 'its'} fits, begun {self.begun}" + (
            f"; best so far {best})" if best else ")"
        )


class Store:
    """The runs in a file that `jaxnet.sweep(store=...)` wrote.

    - path: of the file. It is opened for every call, only to be read but by `delete`, and may be written to meanwhile.

    `backup` makes a copy that is whole; a file copied while a sweep writes to it may not be.

    Raises InvalidInput, from any method, if the file is no store or is damaged; OSError if it cannot be read.

    >>> import jaxnet
    >>> X, y = jaxnet.load_diabetes(return_X_y=True)
    >>> result = jaxnet.sweep(X, y, rho=0.5, alphas=10, standardize=True, store="example.db", run="a first try")
    >>> [(run.name, run.done, run.fits, run.finished) for run in jaxnet.Store("example.db").runs()]
    [('a first try', 60, 60, True)]
    >>> jaxnet.Store("example.db").result("a first try").best().alpha == result.best().alpha
    True
    """

    def __init__(self, path: str | Path):
        self.path = file_name(path, "the store")

    def __repr__(self) -> str:
        return f"Store({str(self.path)!r})"

    def runs(self) -> list[StoredRun]:
        """All runs, in the order in which they were begun."""
        with self._reading() as database:
            return [_run(database, number, row) for number, row in read_rows(database).items()]

    def run(self, name: str) -> StoredRun:
        """The run of that name; raises InvalidInput if there is none."""
        with self._reading() as database:
            return _run(database, *self._find(database, name))

    def result(self, name: str) -> SweepResult:
        """The result of a finished run; raises InvalidInput for one that is not finished."""
        with self._reading() as database:
            number, row = self._find(database, name)
            if not row.finished:
                raise InvalidInput(
                    f"run {name!r} in {self.path} is not finished ({_share(_run(database, number, row))} of its fits are "
                    "there): start the same sweep again, and it goes on."
                )
            blobs = list(get_blobs(database, number, row, "result"))
            result = value_of(database, row, blobs[0]) if len(blobs) == 1 else None
            if not isinstance(result, SweepResult):
                database.refuse(f"run {name!r} has no result, or another run's")
            return result

    def delete(self, name: str) -> None:
        """Delete a run, whatever it holds; raises InvalidInput if there is none, or if a process works on it."""
        with self._reading():  # so that no file is made
            pass
        database = Database.for_writing(self.path)
        try:
            with database.transaction():
                number, _ = self._find(database, name)
                claim = read_claim(database, number)
                if claim is not None and claim.lives:
                    raise InvalidInput(
                        f"run {name!r} in {self.path} is being worked on by {claim.writer}: stop that process first."
                    )
                delete_row(database, number)
            database.shrink()
        finally:
            database.close()

    def backup(self, path: str | Path) -> None:
        """Copy the store, as it is at one moment, to a new file, while sweeps may write to it.

        Raises InvalidInput if there is a file already, and OSError if it cannot be written.
        """
        target = checked(path, "the backup")
        if target.exists():
            raise InvalidInput(f"{path} exists: name a new file for the backup.")
        with self._reading() as database:
            draft = free_name(target, "draft")
            try:
                database.copy_to(draft)
                os.rename(draft, target)
            finally:
                draft.unlink(missing_ok=True)

    @contextmanager
    def _reading(self) -> Iterator[Database]:
        database = Database.for_reading(self.path)
        try:
            yield database
        finally:
            database.close()

    def _find(self, database: Database, name: str) -> tuple[int, Row]:
        found = read_rows(database, name)
        if not found:
            names = ", ".join(repr(row.name) for row in list(read_rows(database).values())[-4:]) or "nothing"
            raise InvalidInput(f"{self.path} has no run {name!r:.60}; it holds {names}.")
        ((number, row),) = found.items()
        return number, row


def _run(database: Database, number: int, row: Row) -> StoredRun:
    whole, claim = row.fits or 0, read_claim(database, number)
    return StoredRun(
        name=row.name,
        begun=row.begun,
        written=row.written,
        fits=row.fits,
        done=whole if row.finished else min(count_fits(database, number, row), whole),
        finished=bool(row.finished),
        running=claim is not None and claim.lives,
        problem=_dict(database, row.problem),
        about=_dict(database, row.about),
        best=None if row.best is None else _best(database, row.best),
    )


def _dict(database: Database, text: Any) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (TypeError, ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        database.refuse("what it says of a run cannot be read")
    return found


def _best(database: Database, text: Any) -> dict[str, float]:
    best = _dict(database, text)
    if best.keys() != {"rho", "alpha", "cv_error"} or not all(type(value) is float for value in best.values()):
        database.refuse("the best fit of a run cannot be read")
    return best


def _share(run: StoredRun) -> str:
    return "none" if not run.fits else f"{run.done / run.fits:.0%}"
