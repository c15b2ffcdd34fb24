"""How jaxnet's cost grows, starts and fits in memory: `python -m benchmarks.scaling [--checks ...] [--out FILE]`.

rho     1 -> 10 rho on genes: ten times the fits for at most 5 times the seconds
columns p doubled twice from wide: at most 2.3 times the seconds each
cold    wide in a fresh process: at most 6 s above warm with nothing cached, 2.5 s with the compilation cache filled
memory  big-wide: peak at most 1.5 times the bytes of X + 600 MB
"""

import argparse
import json
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median

from benchmarks.calibrate import Tolerances
from benchmarks.launch import Limits, Outcome
from benchmarks.machine import machine
from benchmarks.measure import Bench
from benchmarks.run import executable, parser
from benchmarks.solvers import SOLVERS
from benchmarks.workloads import Workload, workloads

TARGET = 3e-4


@dataclass(frozen=True)
class Finding:
    """A measured figure beside its bar; `holds` if it is at most the bar."""

    what: str
    measured: float
    bar: float
    unit: str
    worst_gap: float

    @property
    def holds(self) -> bool:
        """Whether the bar is met, by fits that meet the gap."""
        return self.measured <= self.bar and self.worst_gap <= TARGET

    def __str__(self) -> str:
        verdict = "holds" if self.holds else "MISSED"
        return f"{self.what}: {self.measured:.3g}{self.unit}, bar {self.bar:.3g}{self.unit}: {verdict} (gap {self.worst_gap:.1e})"


class Checks:
    """The checks, each a generator of findings about jaxnet."""

    def __init__(self, interpreter: str, limits: Limits, quick: bool):
        self.interpreter, self.limits, self.quick = interpreter, limits, quick

    def rho(self) -> Iterator[Finding]:
        """Ten times the fits."""
        genes = self._full("genes")
        few, _ = self._run(replace(genes, n_rho=1))
        many, gap = self._run(replace(genes, n_rho=10))
        yield Finding("genes, 1 -> 10 rho, seconds grow by", _warm(many) / _warm(few), 5.0, "x", gap)

    def columns(self) -> Iterator[Finding]:
        """p doubled, twice."""
        wide = self._full("wide")
        before, _ = self._run(wide)
        for factor in (2, 4):
            after, gap = self._run(replace(wide, p=factor * wide.p))
            what = f"wide, p {factor // 2 * wide.p} -> {factor * wide.p}, seconds grow by"
            yield Finding(what, _warm(after) / _warm(before), 2.3, "x", gap)
            before = after

    def cold(self) -> Iterator[Finding]:
        """The first answer of a fresh process, imports included, without and with a filled compilation cache."""
        with tempfile.TemporaryDirectory(prefix="compiled-") as cache:
            on = {
                "JAX_COMPILATION_CACHE_DIR": cache,
                "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
                "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
            }
            empty, gap = self._run(self._full("wide"))
            yield Finding("wide, cold above warm, nothing cached", empty.cold - _warm(empty), 6.0, " s", gap)
            self._run(self._full("wide"), **on)
            filled, gap = self._run(self._full("wide"), **on)
            yield Finding("wide, cold above warm, cache filled", filled.cold - _warm(filled), 2.5, " s", gap)

    def memory(self) -> Iterator[Finding]:
        """Peak resident memory, the caller's X included."""
        workload = self._full("big-wide")
        outcome, gap = self._run(workload)
        bar = (1.5 * workload.n * workload.p * 4 + 600e6) / 2**20
        yield Finding("big-wide, peak memory", (outcome.bytes_peak or float("nan")) / 2**20, bar, " MiB", gap)

    def _full(self, name: str) -> Workload:
        workload = workloads([name])[0]
        return replace(workload, n=workload.n // 4, p=workload.p // 20, n_alphas=20) if self.quick else workload

    def _run(self, workload: Workload, **env) -> tuple[Outcome, float]:
        solver = SOLVERS["jaxnet"]
        with Bench(workload, self.quick, self.limits, Tolerances()) as bench:
            outcome, verdict = bench.run(solver, self.interpreter, solver.first_tolerance(TARGET), self.limits, **env)
        return outcome, verdict.worst


def _warm(outcome: Outcome) -> float:
    return median(outcome.warm or [outcome.first])


def main(arguments: list[str] | None = None) -> list[Finding]:
    """Run the checks, print each finding as it comes, and write them if asked."""
    names = ("rho", "columns", "cold", "memory")
    p = argparse.ArgumentParser(
        prog="python -m benchmarks.scaling", parents=[parser(add_help=False)], conflict_handler="resolve"
    )
    p.add_argument("--checks", nargs="+", choices=names, default=names)
    p.add_argument("--out", type=Path, help="a JSON file for the findings")
    options = p.parse_args(arguments)
    limits = Limits(options.repeats, options.patience, options.time_limit)
    checks = Checks(executable(options, SOLVERS["jaxnet"]), limits, options.quick)
    found = []
    for name in options.checks:
        for finding in getattr(checks, name)():
            print(finding, flush=True)
            found.append(finding)
    if options.out:
        rows = [{**finding.__dict__, "holds": finding.holds} for finding in found]
        options.out.write_text(json.dumps({"machine": machine(), "findings": rows}, indent=1) + "\n")
    return found


if __name__ == "__main__":
    main()
