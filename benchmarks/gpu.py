"""The workloads on one GPU: `python -m benchmarks.gpu [--workloads ...] [--targets ...] [--budget 480] [--out FILE]`.

Every fit is checked by the judge on the CPU. Rates are lower bounds: they count only the one product with X that certifying
a fit takes (2 n p operations), and one read of X per alpha, whatever the solver did besides; ceilings are measured on the
device. `--platform cpu --quick` runs the same code at small size where there is no GPU.
"""

import argparse
import json
import sys
import time
from pathlib import Path

import numpy as np

from benchmarks.judge import judge
from benchmarks.problem import Problem
from benchmarks.solvers import SOLVERS
from benchmarks.workloads import build, workloads


def ceilings(device, quick: bool) -> dict[str, float]:
    """Measured GFLOP/s of full-precision matrix products in float32 and float64, and GB/s of a copy (read and written)."""
    import jax
    import jax.numpy as jnp

    size, copied = (512, 2**22) if quick else (8192, 2**28)
    found = {}
    with jax.enable_x64(True), jax.default_device(device):
        for dtype in ("float32", "float64"):
            a = jnp.ones((size, size), dtype) / size
            product = jax.jit(lambda a: jnp.matmul(a, a, precision="highest"))
            found[f"matmul_{dtype}_gflops"] = 2 * size**3 / _fastest(product, a) / 1e9
        x = jnp.ones(copied, "float32")
        found["copy_gb_per_s"] = 2 * x.nbytes / _fastest(jax.jit(lambda x: x + 1), x) / 1e9
    return found


def _fastest(function, argument, calls: int = 5) -> float:
    function(argument).block_until_ready()
    seconds = []
    for _ in range(calls):
        start = time.perf_counter()
        function(argument).block_until_ready()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def measure(problem: Problem, target: float, ceiling: dict[str, float]) -> dict:
    """Seconds of the first and of a second call, the worst gap by the judge, and the least rates beside the ceilings."""
    solver = SOLVERS["jaxnet"]
    seconds = []
    for _ in range(2):
        start = time.perf_counter()
        solver.solve(problem, target, threads=1, keep_folds=problem.keep_folds)
        seconds.append(time.perf_counter() - start)
    verdict = judge(problem, solver.solve(problem, target, threads=1, keep_folds=True).fits)
    fits, (n, p) = int(np.prod(problem.grid)), problem.X.shape
    gflops, gb = 2 * n * p * fits / seconds[1] / 1e9, problem.X.nbytes * problem.grid[-1] / seconds[1] / 1e9
    return {
        "workload": problem.name,
        "target": target,
        "first": seconds[0],
        "warm": seconds[1],
        "worst_gap": verdict.worst,
        "meets": verdict.worst <= target,
        "least_gflops": gflops,
        "least_gflops_share": gflops / ceiling[f"matmul_{problem.X.dtype}_gflops"],
        "least_gb_per_s": gb,
        "least_gb_per_s_share": gb / ceiling["copy_gb_per_s"],
    }


def sentence(row: dict) -> str:
    """One line of the report."""
    return (
        f"{row['workload']} at {row['target']:g}: {row['warm']:.2f} s (first {row['first']:.2f} s), gap {row['worst_gap']:.1e} "
        f"{'meets' if row['meets'] else 'MISSES'} the target, at least {row['least_gflops']:.3g} GFLOP/s "
        f"({row['least_gflops_share']:.1%} of a matrix product), {row['least_gb_per_s']:.3g} GB/s "
        f"({row['least_gb_per_s_share']:.1%} of a copy)"
    )


def find_device(platform: str):
    """The first device of a platform, or None."""
    import jax

    try:
        return jax.local_devices(backend=platform)[0]
    except RuntimeError:
        return None


def main(arguments: list[str] | None = None) -> int:
    """Run, print and write; returns 1 if there is no such device or a gap was missed."""
    p = argparse.ArgumentParser(prog="python -m benchmarks.gpu", description=__doc__.splitlines()[0])
    p.add_argument("--platform", choices=("gpu", "cpu"), default="gpu")
    p.add_argument("--quick", action="store_true", help="small sizes")
    p.add_argument("--workloads", nargs="+")
    p.add_argument("--targets", nargs="+", type=float, default=[3e-4])
    p.add_argument("--budget", type=float, default=480.0, help="seconds after which no workload is begun")
    p.add_argument("--out", type=Path, help="a JSON file for the figures")
    options = p.parse_args(arguments)
    device = find_device(options.platform)
    if device is None:
        print(
            "JAX sees no GPU here, so nothing was measured; install JAX's GPU build, or try --platform cpu --quick.",
            file=sys.stderr,
        )
        return 1
    return _run(options, device)


def _run(options: argparse.Namespace, device) -> int:
    import jax

    started, rows = time.perf_counter(), []
    ceiling = ceilings(device, options.quick)
    print(f"{device.device_kind}: " + ", ".join(f"{name} {value:,.0f}" for name, value in ceiling.items()))
    with jax.default_device(device):
        for workload in workloads(options.workloads, options.quick):
            problem = build(workload)
            for target in options.targets:
                if time.perf_counter() - started > options.budget:
                    print(f"{workload.name} at {target:g}: not begun, the budget of {options.budget:g} s is spent")
                    continue
                rows.append(measure(problem, target, ceiling))
                print(sentence(rows[-1]), flush=True)
    print(f"{time.perf_counter() - started:.0f} s in all")
    if options.out:
        options.out.write_text(
            json.dumps({"device": device.device_kind, "ceilings": ceiling, "rows": rows}, indent=1) + "\n"
        )
    return 0 if all(row["meets"] for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
