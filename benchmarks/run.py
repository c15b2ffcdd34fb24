"""Run the suite: `python -m benchmarks.run [--quick] [--workloads ...] [--solvers ...] [--targets ...]`."""

import argparse
import json
import os
import time
from pathlib import Path

from benchmarks.calibrate import Tolerances
from benchmarks.launch import Limits
from benchmarks.machine import machine
from benchmarks.measure import Bench
from benchmarks.plot import draw
from benchmarks.solvers import SOLVERS
from benchmarks.table import markdown
from benchmarks.workloads import workloads


def parser(add_help: bool = True) -> argparse.ArgumentParser:
    """The command line."""
    p = argparse.ArgumentParser(prog="python -m benchmarks.run", description=__doc__, add_help=add_help)
    p.add_argument("--quick", action="store_true", help="wide, tall and path at reduced size, under 3 minutes")
    p.add_argument("--workloads", nargs="+", help="names from the table in benchmarks/README.md (default: all)")
    p.add_argument("--solvers", nargs="+", choices=list(SOLVERS), default=list(SOLVERS))
    p.add_argument("--targets", nargs="+", type=float, help="worst relative gaps (default 3e-4 1e-6; --quick: 3e-4)")
    p.add_argument("--repeats", type=int, default=3, help="warm calls, of which the median is reported")
    p.add_argument("--time-limit", type=float, default=900.0, help="seconds after which a worker is ended")
    p.add_argument("--patience", type=float, default=60.0, help="seconds of solving after which no call is begun")
    p.add_argument("--resume", action="store_true", help="go on with an interrupted run: keep the rows --out has")
    p.add_argument("--recalibrate", action="store_true", help="search tolerances anew instead of using tolerances.json")
    p.add_argument(
        "--out", type=Path, default=Path("benchmarks/results/latest"), help="folder of results.json and the table"
    )
    for solver in SOLVERS.values():
        variable = environment_variable(solver.interpreter)
        p.add_argument(
            f"--{solver.interpreter}",
            default=os.environ.get(variable, solver.default_executable()),
            help=f"interpreter for {solver.name} (or the environment variable {variable})",
        )
    return p


def environment_variable(option: str) -> str:
    """The environment variable that stands in for an interpreter's option."""
    return "BENCH_" + option.upper().replace("-", "_")


def executable(options: argparse.Namespace, solver) -> str:
    """The interpreter that was chosen for a solver."""
    return getattr(options, solver.interpreter.replace("-", "_"))


def main(arguments: list[str] | None = None) -> dict:
    """Measure, write results.json after every row, then the table and the plot. Returns the results."""
    options = parser().parse_args(arguments)
    targets = options.targets or ([3e-4] if options.quick else [3e-4, 1e-6])
    limits = Limits(options.repeats, options.patience, options.time_limit)
    results = {"machine": machine(), "threads": limits.threads, "quick": options.quick, "rows": [], "seconds": 0.0}
    if options.resume:
        results = continued(results, options.out / "results.json")
    done = {(row["workload"], row["target"], row["solver"]) for row in results["rows"]}
    options.out.mkdir(parents=True, exist_ok=True)
    started = time.perf_counter() - results["seconds"]
    for workload in workloads(options.workloads, options.quick):
        with Bench(workload, options.quick, limits, Tolerances()) as bench:
            for target in targets:
                for name in options.solvers:
                    if (workload.name, target, name) in done:
                        continue
                    solver = SOLVERS[name]
                    row = bench.measure(solver, executable(options, solver), target, options.recalibrate)
                    results["rows"].append(row)
                    print(sentence(row), flush=True)
                    write(results, options.out, time.perf_counter() - started)
    print(f"\n{markdown(results)}\n")
    try:
        draw(results, options.out / "plot.png")
    except ImportError:
        print("no plot: matplotlib is not installed here (pip install matplotlib)")
    print(f"written to {options.out}; {results['seconds']:.0f} s in all")
    return results


def continued(results: dict, path: Path) -> dict:
    """The results at `path`, to be added to. Raises ValueError unless they are of this machine and of a run of this kind."""
    before = json.loads(path.read_text())
    for key in ("machine", "threads", "quick"):
        if before[key] != json.loads(json.dumps(results[key])):
            raise ValueError(f"{path} has another {key} than this run, {before[key]}: leave out --resume")
    return before


def write(results: dict, out: Path, seconds: float) -> None:
    """results.json and table.md, whole after every row, so that an interrupted run is not lost."""
    results["seconds"] = round(seconds, 1)
    (out / "results.json").write_text(json.dumps(results, indent=1) + "\n")
    (out / "table.md").write_text(markdown(results) + "\n")


def sentence(row: dict) -> str:
    """One line of progress."""
    head = f"{row['workload']} at {row['target']:g}, {row['solver']}: "
    if "warm" not in row:
        return f"{head}{row['status']}: {row['message']}"
    memory = f"{(row['peak_bytes'] or 0) / 2**20:.0f} MiB"
    return (
        f"{head}{row['status']}, warm {row['warm']:.2f} s, cold {row['cold']:.2f} s, worst gap {row['worst_gap']:.1e} "
        f"(tol {row['tol']:g}), {memory}"
    )


if __name__ == "__main__":
    main()
