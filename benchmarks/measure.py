"""One solver on one workload at one target: choose the tolerance, run, judge, and describe the outcome as plain data."""

import tempfile
from dataclasses import replace
from math import inf
from pathlib import Path
from statistics import median

from benchmarks.calibrate import Tolerances, loosest
from benchmarks.judge import Verdict, judge
from benchmarks.launch import Limits, Outcome, WorkerFailed, launch
from benchmarks.problem import Problem, save_problem
from benchmarks.solvers.base import NotInstalled, Solver
from benchmarks.workloads import Workload, build


class Bench:
    """A built workload, on disk for the workers; a context manager that removes it."""

    def __init__(self, workload: Workload, quick: bool, limits: Limits, tolerances: Tolerances):
        self.workload, self.quick, self.limits, self.tolerances = workload, quick, limits, tolerances
        self.problem: Problem = build(workload)
        self._folder = tempfile.TemporaryDirectory(prefix="benchmark-")
        self.folder = Path(self._folder.name)
        save_problem(self.problem, self.folder)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._folder.cleanup()

    def measure(self, solver: Solver, executable: str, target: float, recalibrate: bool = False) -> dict:
        """A row of the results. Never raises for what a solver does: `status` and `message` say it."""
        row = {"workload": self.workload.name, "target": target, "solver": solver.name}
        try:
            row["versions"] = solver.versions(executable)
            row["tol"] = self._tolerance(solver, executable, target, recalibrate)
            outcome, verdict = self.run(solver, executable, row["tol"], self.limits)
        except NotInstalled as error:
            return {**row, "status": "not installed", "message": str(error)}
        except WorkerFailed as error:
            return {**row, "status": "failed", "message": str(error)}
        return {**row, **self._describe(solver, outcome, verdict, target)}

    def run(self, solver: Solver, executable: str, tol: float, limits: Limits, **env) -> tuple[Outcome, Verdict]:
        """Solve in a fresh process and judge. Raises WorkerFailed."""
        responses = self._responses(solver)
        outcome = launch(solver, executable, self.folder, tol, limits, responses, **env)
        return outcome, judge(self.problem.first_responses(responses), outcome.fits)

    def _responses(self, solver: Solver) -> int:
        limited = self.workload.peer_responses if solver.one_response else None
        return limited or self.workload.responses

    def _tolerance(self, solver: Solver, executable: str, target: float, recalibrate: bool) -> float:
        if solver.exponent is None:
            return solver.first_tolerance(target)
        key = self.tolerances.key(self.quick, self.workload.name, solver.name, target)
        if recalibrate or key not in self.tolerances.known:
            once = replace(self.limits, repeats=0)

            def worst_gap(tol: float) -> float:
                try:
                    outcome, verdict = self.run(solver, executable, tol, once)
                except WorkerFailed as error:
                    print(f"  calibrating {key}: tol={tol:g}: {error}", flush=True)
                    return inf
                print(f"  calibrating {key}: tol={tol:g}: gap {verdict.worst:.1e}, {outcome.first:.1f} s", flush=True)
                return verdict.worst

            start = self.tolerances.similar(key) or solver.first_tolerance(target)
            self.tolerances.remember(key, loosest(start, solver.exponent, target, worst_gap)[0])
        return self.tolerances.known[key]

    def _describe(self, solver: Solver, outcome: Outcome, verdict: Verdict, target: float) -> dict:
        responses = self._responses(solver)
        scale = self.workload.responses / responses
        meets = verdict.worst <= target
        selected = verdict.selected(self.problem)
        return {
            "status": "ok" if meets else "missed the target",
            "worst_gap": verdict.worst,
            "worst_gap_by_group": [float(gap) for gap in verdict.gap.max(axis=(1, 2, 3))],
            "warm": scale * median(outcome.warm or [outcome.first]),
            "warm_all": outcome.warm,
            "first": outcome.first,
            "warm_is_first_call": not outcome.warm,
            "cold": outcome.cold + (scale - 1) * outcome.first,
            "timed_responses": responses,
            "all_responses": self.workload.responses,
            "peak_bytes": outcome.bytes_peak,
            "bytes_before": outcome.bytes_before,
            "x_bytes": self.problem.X.nbytes,
            "selected": selected[:1] if selected else None,
        }
