"""One solver on one problem in a fresh process.

    python -m benchmarks.worker FOLDER SOLVER OUT TOL REPEATS PATIENCE THREADS RESPONSES SPAWNED

Reads the problem from FOLDER; writes OUT/result.json (seconds, memory) and OUT/fits.npz, OUT/errors.npy (for the judge).
Calls the solver once cold, then up to REPEATS times warm; after PATIENCE seconds of solving no further call is begun (one
warm call is made up to twice that). SPAWNED is when the parent started this process, in seconds since the epoch.
"""

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.problem import load_problem
from benchmarks.solvers import SOLVERS
from benchmarks.solvers.base import PythonSolver


@dataclass(frozen=True)
class Order:
    """What a worker was told on its command line."""

    tol: float
    repeats: int
    patience: float
    threads: int
    responses: int
    spawned: float


def main(folder: Path, solver: PythonSolver, out: Path, order: Order) -> None:
    """Solve, time, and write what was found."""
    problem = load_problem(folder).first_responses(order.responses)
    before = resident_bytes()
    timed = problem.keep_folds or solver.keeping_is_free
    call = lambda keep: solver.solve(problem, order.tol, threads=order.threads, keep_folds=keep)

    start = time.perf_counter()
    answer = call(timed)
    first = time.perf_counter() - start
    cold, warm, spent = time.time() - order.spawned, [], first
    peak = peak_bytes()
    while len(warm) < order.repeats and (spent < order.patience or (not warm and spent < 2 * order.patience)):
        start = time.perf_counter()
        answer = call(timed)
        warm.append(time.perf_counter() - start)
        spent += warm[-1]
    if not timed:
        answer = call(True)
    answer.fits.save(out / "fits.npz")
    if answer.errors is not None:
        np.save(out / "errors.npy", answer.errors)
    found = {"cold": cold, "first": first, "warm": warm, "bytes_before": before, "bytes_peak": peak}
    (out / "result.json").write_text(json.dumps(found))


def resident_bytes() -> int | None:
    """Resident memory of this process (Linux), or None."""
    return _status("VmRSS")


def peak_bytes() -> int | None:
    """Largest resident memory so far (Linux), or None."""
    return _status("VmHWM")


def _status(key: str) -> int | None:
    path = Path("/proc/self/status")
    if not path.exists():
        return None
    return next(1024 * int(line.split()[1]) for line in path.read_text().splitlines() if line.startswith(key))


if __name__ == "__main__":
    folder, name, out, *numbers = sys.argv[1:]
    kinds = (float, int, float, int, int, float)
    main(Path(folder), SOLVERS[name], Path(out), Order(*(kind(x) for kind, x in zip(kinds, numbers, strict=True))))
