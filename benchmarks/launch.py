"""Run a worker process: its time limit, its memory from outside, and what it wrote."""

import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from benchmarks.fits import Fits, load_fits
from benchmarks.solvers.base import Solver, environment


class WorkerFailed(Exception):
    """A worker ended without an answer; the message is its last words, or that its time was up."""


@dataclass(frozen=True)
class Limits:
    """`repeats` warm calls; none is begun after `patience` seconds of solving; all is over after `seconds`."""

    repeats: int = 3
    patience: float = 60.0
    seconds: float = 900.0
    threads: int = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@dataclass(frozen=True)
class Outcome:
    """Seconds of the whole fresh process up to the first answer (`cold`), of its first call, of later calls; peak bytes.

    `bytes_peak` counts the processes of a solver together, shared pages once; `bytes_before` is what the process held before
    its first call (the data, NumPy), or None where that is not known.
    """

    cold: float
    first: float
    warm: list[float]
    bytes_peak: int | None
    bytes_before: int | None
    fits: Fits
    errors: np.ndarray | None


def launch(solver: Solver, executable: str, folder: Path, tol: float, limits: Limits, responses: int, **env) -> Outcome:
    """Solve the problem of `folder` in a fresh process. Raises WorkerFailed."""
    out = Path(tempfile.mkdtemp(prefix="out-", dir=folder))
    numbers = [out, tol, limits.repeats, limits.patience, limits.threads, responses, time.time()]
    command = solver.command(executable, folder, [str(x) for x in numbers])
    try:
        with (out / "log").open("w") as log:
            process = subprocess.Popen(command, stdout=log, stderr=log, env=environment(**env), start_new_session=True)
            peak = _watch(process, limits.seconds)
        if process.returncode:
            raise WorkerFailed(
                _last_words((out / "log").read_text()) or f"the process ended with code {process.returncode}"
            )
        return _read(out, peak)
    finally:
        shutil.rmtree(out, ignore_errors=True)


def _last_words(log: str) -> str:
    """The line of a log that names the error: the last that begins like an exception, else the last."""
    lines = [line.strip() for line in log.splitlines() if line.strip()]
    named = [line for line in lines if re.match(r"[\w.]*(Error|Exception|Input|Interrupt)\b", line)]
    return (named or lines or [""])[-1][:300]


def _watch(process: subprocess.Popen, seconds: float) -> int:
    """Wait for a process and return its peak memory; end it and its children when its time is up."""
    peak, stop = [0], threading.Event()

    def sample():
        while not stop.wait(0.25):
            peak[0] = max(peak[0], tree_bytes(process.pid))

    sampler = threading.Thread(target=sample, daemon=True)
    sampler.start()
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        raise WorkerFailed(f"time limit of {seconds:g} s hit") from None
    finally:
        stop.set()
        sampler.join()
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return peak[0]


def tree_bytes(pid: int) -> int:
    """Memory of a process and its descendants: resident, or where there are any proportional (shared pages once)."""
    family = _family(pid)
    if len(family) == 1:
        return _field(f"/proc/{pid}/status", "VmRSS")
    return sum(_field(f"/proc/{member}/smaps_rollup", "Pss") for member in family)


def _family(pid: int) -> list[int]:
    """A process and its descendants (Linux; elsewhere the process alone)."""
    try:
        children = [int(c) for f in Path(f"/proc/{pid}/task").glob("*/children") for c in f.read_text().split()]
    except OSError:
        children = []
    return [pid, *(member for child in children for member in _family(child))]


def _field(path: str, key: str) -> int:
    """A field of a file in /proc, in bytes; 0 where there is no such thing, or the process has just ended."""
    try:
        lines = Path(path).read_text().splitlines()
    except OSError:
        return 0
    return next((1024 * int(line.split()[1]) for line in lines if line.startswith(f"{key}:")), 0)


def _read(out: Path, peak: int) -> Outcome:
    found = json.loads((out / "result.json").read_text())
    own = found.get("bytes_peak") or 0
    if (out / "fits.npz").exists():
        fits = load_fits(out / "fits.npz")
        errors = np.load(out / "errors.npy") if (out / "errors.npy").exists() else None
    else:  # the R worker
        counts = np.fromfile(out / "counts.bin", np.int32).astype(np.int64)
        fits = Fits(
            np.fromfile(out / "values.bin"),
            np.fromfile(out / "columns.bin", np.int32),
            np.concatenate([[0], np.cumsum(counts)]),
        )
        errors = None
    return Outcome(
        found["cold"], found["first"], found["warm"], max(own, peak) or None, found.get("bytes_before"), fits, errors
    )
