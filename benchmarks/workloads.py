"""The workloads: what is measured, at full size and at the size of `--quick`."""

from dataclasses import dataclass

import numpy as np

from benchmarks.problem import Problem

BLOCK, CORRELATION, TRUE_COEFFICIENTS, SIGNAL_TO_NOISE = 25, 0.5, 40, 2.0


@dataclass(frozen=True)
class Workload:
    """Sizes of a problem. `n_rho` > 1 means rho = linspace(0.1, 1, n_rho), 1 means rho = 0.5.

    `folds` contiguous folds beside the full-data fit, or `halves` random half-samples in complementary pairs.
    `peer_responses`: how many of the responses peers that take them one by one are timed on (scaled up, and said so).
    """

    name: str
    n: int
    p: int
    n_rho: int
    why: str
    folds: int = 0
    halves: int = 0
    n_alphas: int = 100
    responses: int = 1
    peer_responses: int | None = None
    dtype: str = "float64"
    seed: int = 0


FULL = [
    Workload("wide", 500, 5_000, 7, "where glmnet and adelie are strongest", folds=5),
    Workload("genes", 500, 20_000, 10, "expression data", folds=5),
    Workload("tiny-n", 72, 7_129, 10, "leukaemia-sized", folds=5),
    Workload("tall", 10_000, 500, 7, "where scikit-learn's Gram solver is strongest", folds=10),
    Workload("big-wide", 2_000, 100_000, 3, "memory: peers copy X per fold", folds=5, n_alphas=50, dtype="float32"),
    Workload("stability", 500, 5_000, 1, "resampling as lanes", halves=100, n_alphas=50),
    Workload("many-y", 300, 2_000, 1, "many small problems", folds=5, responses=200, peer_responses=40),
    Workload("path-5k", 500, 5_000, 1, "the peers' home ground"),
    Workload("path-20k", 500, 20_000, 1, "the peers' home ground"),
]
QUICK = [
    Workload("wide", 200, 1_000, 3, "wide at reduced size", folds=5, n_alphas=50),
    Workload("tall", 2_000, 100, 3, "tall at reduced size", folds=5, n_alphas=50),
    Workload("path-5k", 200, 2_000, 1, "path at reduced size", n_alphas=50),
]
ALIASES = {"path": ("path-5k", "path-20k")}


def workloads(names: list[str] | None = None, quick: bool = False) -> list[Workload]:
    """The workloads of these names (all by default), in the order of the table. Raises ValueError for an unknown name."""
    table = {w.name: w for w in (QUICK if quick else FULL)}
    known = {*(w.name for w in FULL), *ALIASES}
    if unknown := set(names or ()) - known:
        raise ValueError(f"no workload is called {', '.join(sorted(unknown))}; choose from {', '.join(sorted(known))}")
    wanted = {part for name in names or table for part in ALIASES.get(name, (name,))}
    return [w for name, w in table.items() if name in wanted]


def build(workload: Workload) -> Problem:
    """The arrays of a workload; the same on every machine, from its seed."""
    w = workload
    rng = np.random.default_rng([w.seed, w.n, w.p])
    X = block_design(rng, w.n, w.p, np.dtype(w.dtype))
    Y = responses(rng, X, w.responses)
    rho = np.linspace(0.1, 1.0, w.n_rho) if w.n_rho > 1 else np.array([0.5])
    train = half_samples(rng, w.n, w.halves) if w.halves else contiguous_folds(w.n, w.folds)
    alphas = alpha_grid(X, Y, rho, w.n_alphas, 1e-3 if w.n > w.p else 1e-2)
    return Problem(w.name, X, Y, rho, alphas, train, keep_folds=bool(w.halves), all_responses=w.responses)


def block_design(rng, n: int, p: int, dtype) -> np.ndarray:
    """Standard normal columns; those of a block of 25 are correlated 0.5, blocks are independent."""
    X = np.empty((n, p), dtype)
    for start in range(0, p, BLOCK):
        width = min(BLOCK, p - start)
        common = rng.standard_normal((n, 1), dtype=dtype)
        own = rng.standard_normal((n, width), dtype=dtype)
        X[:, start : start + width] = np.sqrt(CORRELATION) * common + np.sqrt(1 - CORRELATION) * own
    return X


def responses(rng, X: np.ndarray, count: int) -> np.ndarray:
    """(n, count): 40 normal coefficients at random columns plus noise of half the signal's variance, then unit variance.

    Unit variance makes no fit easier; it keeps solvers with absolute tolerances from being judged on units.
    """
    n, p = X.shape
    Y = np.empty((n, count))
    for j in range(count):
        columns = rng.choice(p, min(TRUE_COEFFICIENTS, p), replace=False)
        signal = X[:, columns].astype(float) @ rng.standard_normal(len(columns))
        y = signal + rng.standard_normal(n) * signal.std() / np.sqrt(SIGNAL_TO_NOISE)
        Y[:, j] = y / y.std()
    return Y


def contiguous_folds(n: int, folds: int) -> np.ndarray:
    """(1 + folds, n) training rows: all rows, then all but the k-th of `folds` contiguous pieces."""
    train = np.ones((1 + folds, n), bool)
    for k, test in enumerate(np.array_split(np.arange(n), folds) if folds else []):
        train[k + 1, test] = False
    return train


def half_samples(rng, n: int, count: int) -> np.ndarray:
    """(1 + count, n) training rows: all rows, then random halves, each followed by its complement (Shah, Samworth 2013)."""
    train = np.ones((1 + count, n), bool)
    for k in range(1, count + 1, 2):
        half = rng.permutation(n)[: n // 2]
        train[k : k + 2, half] = False
        train[k : k + 1] ^= True
    return train[: 1 + count]


def alpha_grid(X: np.ndarray, Y: np.ndarray, rho: np.ndarray, count: int, ratio: float) -> np.ndarray:
    """(q, R, A): log grids from alpha_max(rho) = max_j |x_j'(y - ybar)| / (n rho) down to `ratio` of it, in float64."""
    centred = Y - Y.mean(0)
    top = block_max(X, centred) / len(X)
    return (top[:, None] / rho)[:, :, None] * np.geomspace(1.0, ratio, count)


def block_max(X: np.ndarray, R: np.ndarray, block: int = 4096) -> np.ndarray:
    """max_j |x_j' r| of every column r of R, in float64 whatever X is."""
    pieces = (X[:, k : k + block].astype(float, copy=False) for k in range(0, X.shape[1], block))
    return np.max([np.abs(piece.T @ R).max(0) for piece in pieces], axis=0)
