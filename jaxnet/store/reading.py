"""What is in a store: its runs, and the results of those that are finished. Needs no JAX."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jaxnet.errors import InvalidInput
from jaxnet.persistence import unpack
from jaxnet.result import SweepResult
from jaxnet.store.database import Database
from jaxnet.store.lock import RunLock


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
        self.path = Path(path)

    def __repr__(self) -> str:
        return f"Store({str(self.path)!r})"

    def runs(self) -> list[StoredRun]:
        """All runs, in the order in which they were begun."""
        database = Database.for_reading(self.path)
        try:
            rows = database.execute(
                "SELECT id, name, begun, written, fits, finished, problem, about, best, "
                "(SELECT coalesce(sum(fits), 0) FROM blobs WHERE run = runs.id) FROM runs ORDER BY id"
            )
            return [_run(database, *row) for row in rows]
        finally:
            database.close()

    def run(self, name: str) -> StoredRun:
        """The run of that name; raises InvalidInput if there is none."""
        runs = self.runs()
        for run in runs:
            if run.name == name:
                return run
        names = ", ".join(repr(run.name) for run in runs[-4:]) or "nothing"
        raise InvalidInput(f"{self.path} has no run {name!r:.60}; it holds {names}.")

    def result(self, name: str) -> SweepResult:
        """The result of a finished run; raises InvalidInput for one that is not finished."""
        run = self.run(name)
        if not run.finished:
            raise InvalidInput(
                f"run {name!r} in {self.path} is not finished ({_share(run)} of its fits are there): start the same sweep "
                "again, and it goes on."
            )
        database = Database.for_reading(self.path)
        try:
            ((number,),) = database.execute("SELECT id FROM runs WHERE name = ?", name)
            blobs = list(database.get(number, "result"))
            content = unpack(blobs[0], f"run {name!r} in {self.path}") if len(blobs) == 1 else None
            result = content.get("value") if isinstance(content, dict) else None
            if not isinstance(result, SweepResult):
                database.refuse(f"run {name!r} has no result")
            return result
        finally:
            database.close()

    def delete(self, name: str) -> None:
        """Delete a run, whatever it holds; raises InvalidInput if there is none, or if a process works on it."""
        Database.for_reading(self.path).close()  # so that no file is made
        database = Database.for_writing(self.path)
        try:
            found = database.execute("SELECT id FROM runs WHERE name = ?", name)
            if not found:
                raise InvalidInput(f"{self.path} has no run {name!r:.60} to delete.")
            ((number,),) = found
            lock = RunLock(self.path, number)
            if not lock.acquire():
                raise InvalidInput(f"run {name!r} in {self.path} is being worked on: stop that process first.")
            try:
                with database.transaction():
                    database.execute("DELETE FROM runs WHERE id = ?", number)
                    for table in ("units", "blobs"):
                        database.execute(f"DELETE FROM {table} WHERE run = ?", number)
            finally:
                lock.release()
            database.execute("PRAGMA incremental_vacuum")
        finally:
            database.close()


def _run(database: Database, number, name, begun, written, fits, finished, problem, about, best, stored) -> StoredRun:
    texts = all(type(text) is str for text in (name, begun, written))
    if not texts or type(number) is not int or not (fits is None or (type(fits) is int and fits > 0)):
        database.refuse("a run in it cannot be read")
    whole = fits or 0
    return StoredRun(
        name=name,
        begun=begun,
        written=written,
        fits=fits,
        done=whole if finished else min(int(stored), whole),
        finished=bool(finished),
        running=RunLock(database.path, number).is_held(),
        problem=_dict(database, problem),
        about=_dict(database, about),
        best=None if best is None else _best(database, best),
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
