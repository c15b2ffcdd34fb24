"""What missing values cost: a sweep with fills against the complete one, many imputations against one.

    python -m benchmarks.missing

300 x 1,000 (multiple imputation: its first 50 columns) with 20% of the values missing at random, five folds, three rho, 50
alphas, standardised. Every figure is the median of several calls in one process after a first one that compiles (m = 20: one
call after that); each call builds everything from X anew.
"""

import argparse
import time
from collections.abc import Callable
from functools import partial

import numpy as np

import jaxnet

SHAPE, SHARE = (300, 1_000), 0.2
IMPUTED = 50
"""Columns whose holes are filled several times: every filling takes six groups as many regressions a round as there are."""
GRID = {"rho": (0.1, 0.5, 1.0), "alphas": 50, "standardize": True, "cv": 5}
MOST_FILL, MOST_IMPUTATIONS = 2.5, 20.0


def table(shape: tuple[int, int], seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """X complete, X with holes, and y: blocks of correlated columns, so that columns say something of each other."""
    rng = np.random.default_rng(seed)
    n, p = shape
    X = rng.normal(size=(n, p)) + np.repeat(rng.normal(size=(n, p // 10)), 10, axis=1)
    y = X[:, : p // 20 : 5] @ rng.choice([-1.0, 1.0], len(range(0, p // 20, 5))) + 3.0 * rng.normal(size=n)
    return X, np.where(rng.random(shape) < SHARE, np.nan, X), y


def seconds(call: Callable[[], object], times: int) -> float:
    """The median of several calls after one that compiles."""
    call()
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        call()
        spent.append(time.perf_counter() - start)
    return float(np.median(spent))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=3, help="calls per figure (3)")
    parser.add_argument("--quick", action="store_true", help="60 x 100, to see that it runs")
    args = parser.parse_args()
    X, holes, y = table((60, 100) if args.quick else SHAPE)
    sweep = lambda data, missing=None: jaxnet.sweep(data, y, missing=missing, **GRID)
    complete = seconds(lambda: sweep(X), args.times)
    print(f"{'complete':34}{complete:8.2f} s")
    for missing in ("mean", "median", "neighbours", "iterative", jaxnet.Missing("mean", indicators=True)):
        spent = seconds(partial(sweep, holes, missing), args.times)
        bound = f"  (at most {MOST_FILL})" if missing == "mean" else ""
        print(f"{_name(missing):34}{spent:8.2f} s  {spent / complete:6.2f} x complete{bound}")
    few = holes[:, :IMPUTED]
    for pool in ("average", "stacked", "grouped"):
        one, many = (
            seconds(partial(sweep, few, jaxnet.MultipleFill(m=m, pool=pool)), 1 if m > 1 else args.times)
            for m in (1, 20)
        )
        print(f"{f'multiple, {pool}: m = 1':34}{one:8.2f} s")
        print(f"{f'multiple, {pool}: m = 20':34}{many:8.2f} s  {many / one:6.2f} x m = 1  (below {MOST_IMPUTATIONS:g})")


def _name(missing: object) -> str:
    return missing if isinstance(missing, str) else f"{missing.fill}, indicators"


if __name__ == "__main__":
    main()
