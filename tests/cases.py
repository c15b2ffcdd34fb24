"""What the laws range over: data sets (ordinary and degenerate), penalties, resamplings, solvers, fills of missing values.

A new member of any registry is one function or one entry here; every law picks it up. Arrays have few distinct shapes
on purpose: each new one costs a compilation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np
from sklearn import model_selection

import jaxnet
from jaxnet.missing.fill import Fill, Filler, ModelFill
from jaxnet.missing.multiple import MultipleFill
from jaxnet.missing.pairwise import Pairwise
from jaxnet.missing.simple import SimpleFill

TALL, WIDE = (40, 12), (20, 60)
SOLVERS = ("coordinate", "proximal")
GRID = {"rho": (0.2, 1.0), "alphas": 5}
LASSO = {"rho": (1.0, 1.0), "alphas": 5}  # twice: as many lanes as GRID has, so that nothing is compiled anew


@dataclass(frozen=True)
class Data:
    """A named data set; `degenerate` says why the answer is trivial, or is empty."""

    name: str
    X: np.ndarray
    y: np.ndarray
    constant_response: bool = False
    folds: bool = True  # enough rows for folds


_BUILDERS: dict[str, Callable[[], Data]] = {}
ORDINARY: list[str] = []
DEGENERATE: list[str] = []


def _register(registry: list[str]):
    def add(build):
        name = build.__name__
        registry.append(name)
        _BUILDERS[name] = cache(lambda: _frozen(name, *build()))
        return build

    return add


def _frozen(name, X, y, **kwargs) -> Data:
    X.flags.writeable = y.flags.writeable = False  # a fit that writes into its input fails at once
    return Data(name, X, y, constant_response=bool(np.ptp(y) == 0), folds=len(y) >= 10, **kwargs)


def data(name: str) -> Data:
    return _BUILDERS[name]()


def _sparse_signal(seed: int, shape: tuple[int, int], noise: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    n, p = shape
    X = rng.normal(size=(n, p)) + 0.6 * rng.normal(size=(n, 1)) + rng.normal(size=p)
    b = np.zeros(p)
    b[: max(2, p // 6)] = rng.choice([-2.0, -0.5, 0.7, 1.5], max(2, p // 6))
    return X, 2.0 + X @ b + noise * rng.normal(size=n)


@_register(ORDINARY)
def tall():
    return _sparse_signal(11, TALL)


@_register(ORDINARY)
def wide():
    return _sparse_signal(12, WIDE)


@_register(ORDINARY)
def correlated():
    """Blocks of columns correlated 0.98: slow for coordinate descent."""
    rng = np.random.default_rng(13)
    X = np.repeat(rng.normal(size=(TALL[0], 3)), 4, axis=1) + 0.15 * rng.normal(size=TALL)
    return X, X[:, 0] - X[:, 5] + 0.5 * rng.normal(size=TALL[0])


@_register(ORDINARY)
def unequal_scales():
    """Columns in units from 1e-3 to 1e3, as they come from files."""
    X, y = _sparse_signal(14, TALL)
    return X * np.geomspace(1e-3, 1e3, TALL[1]), y


@_register(ORDINARY)
def diabetes():
    from sklearn.datasets import load_diabetes

    X, y = load_diabetes(return_X_y=True)
    return X, y


@_register(DEGENERATE)
def constant_columns():
    X, y = _sparse_signal(21, TALL)
    X[:, 0], X[:, 3], X[:, 7] = 0.1, 0.0, 1e8 / 3  # means that do not round to the value itself, and zero
    return X, y


@_register(DEGENERATE)
def duplicated_columns():
    X, y = _sparse_signal(22, TALL)
    X[:, 6:] = X[:, :6]
    return X, y


@_register(DEGENERATE)
def near_duplicated_columns():
    X, y = _sparse_signal(23, TALL)
    X[:, 6:] = X[:, :6] * (1 + 1e-9 * np.random.default_rng(0).normal(size=(TALL[0], 6)))
    return X, y


@_register(DEGENERATE)
def exact_fit():
    X, _ = _sparse_signal(24, TALL)
    return X, X @ np.r_[1.0, -2.0, np.zeros(10)]


@_register(DEGENERATE)
def all_zero_columns():
    return np.zeros(TALL), _sparse_signal(25, TALL)[1]


@_register(DEGENERATE)
def constant_response():
    return _sparse_signal(26, TALL)[0], np.full(TALL[0], 0.1)


@_register(DEGENERATE)
def zero_response():
    return _sparse_signal(27, TALL)[0], np.zeros(TALL[0])


@_register(DEGENERATE)
def one_row():
    X, y = _sparse_signal(28, (1, 12))
    return X, y


@_register(DEGENERATE)
def two_rows():
    X, y = _sparse_signal(29, (2, 12))
    return X, y


@_register(DEGENERATE)
def very_wide():
    return _sparse_signal(30, (6, 60))


@_register(DEGENERATE)
def tiny_X():
    X, y = _sparse_signal(31, TALL)
    return X * 1e-150, y


@_register(DEGENERATE)
def huge_X():
    X, y = _sparse_signal(31, TALL)
    return X * 1e150, y


@_register(DEGENERATE)
def tiny_y():
    X, y = _sparse_signal(31, TALL)
    return X, y * 1e-150


@_register(DEGENERATE)
def huge_y():
    X, y = _sparse_signal(31, TALL)
    return X, y * 1e150


@_register(DEGENERATE)
def tiny_X_huge_y():
    X, y = _sparse_signal(31, TALL)
    return X * 1e-150, y * 1e150


@_register(DEGENERATE)
def one_huge_column():
    X, y = _sparse_signal(32, TALL)
    X[:, 5] *= 1e150
    return X, y


@_register(DEGENERATE)
def one_tiny_column():
    X, y = _sparse_signal(32, TALL)
    X[:, 5] *= 1e-150
    return X, y


@_register(DEGENERATE)
def offset_X():
    X, y = _sparse_signal(33, TALL)
    return X + 1e8, y


@_register(DEGENERATE)
def offset_y():
    X, y = _sparse_signal(33, TALL)
    return X, y + 1e8


@_register(DEGENERATE)
def offset_both():
    X, y = _sparse_signal(33, TALL)
    return X + 1e8, y - 1e8


def _factors(p: int) -> np.ndarray:
    v = np.resize([1.0, 0.5, 2.0, 1.0, 3.0], p)
    v[1] = 0.0
    return v


def _one_by_one_bounds(p: int) -> dict:
    return {"lower": np.resize([-0.3, -np.inf, 0.0, -1.0], p), "upper": np.resize([0.4, 0.2, np.inf, 0.0], p)}


def _penalised_bounds(p: int, lower: float, upper: float) -> dict:
    """Bounds on all columns but the unpenalised ones."""
    free = _factors(p) == 0
    return {"lower": np.where(free, -np.inf, lower), "upper": np.where(free, np.inf, upper)}


PENALTIES: dict[str, Callable[[int], dict]] = {
    "plain": lambda p: {},
    "no_intercept": lambda p: {"fit_intercept": False},
    "standardized": lambda p: {"standardize": True},
    "factors": lambda p: {"penalty_factor": _factors(p)},
    "positive": lambda p: {"lower": 0.0},
    "bounds": lambda p: {"lower": -0.2, "upper": 0.5},
    "bounds_by_column": _one_by_one_bounds,
    "everything": lambda p: {"standardize": True, "penalty_factor": _factors(p), **_penalised_bounds(p, -0.25, 0.6)},
}


@dataclass(frozen=True)
class Pairs:
    """Anything with `split`: what scikit-learn's splitters look like."""

    pairs: tuple

    def split(self, X, y=None, groups=None):
        yield from self.pairs


def _three_parts(n: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """scikit-learn's KFold(3), written out."""
    sizes = np.full(3, n // 3) + (np.arange(3) < n % 3)
    parts = np.split(np.arange(n), np.cumsum(sizes)[:-1])
    return [(np.setdiff1d(np.arange(n), part), part) for part in parts]


def _uneven(n: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Overlapping test sets of different sizes, rows in neither part, unsorted indices."""
    order = np.random.default_rng(5).permutation(n)
    return [(order[n // 4 :], order[: n // 4]), (order[: n // 2], order[n // 2 : n - 2]), (order[3:], order[:3])]


def groups(n: int) -> np.ndarray:
    """Labels of some 8 groups of unequal sizes, mixed; the rows of one are those to which `weights` gives none."""
    labels = np.random.default_rng(n + 1).choice(8, n, p=np.arange(1, 9) / 36) + 1
    labels[weights(n) == 0] = 0
    return labels


@dataclass(frozen=True)
class SplitCase:
    """A splitter of three folds, or a splitter of ours that has another number of them, and what laws must know of it."""

    cv: Any
    grouped: bool = False
    """it needs groups, or is given them"""
    labelled: bool = True
    """what is held out depends on labels or on y, so that rows of weight zero take no part"""
    partition: bool = True
    """every row is held out once"""

    def groups(self, n: int) -> np.ndarray | None:
        return groups(n) if self.grouped else None


SPLITTERS = {
    "KFold": SplitCase(jaxnet.KFold(3), labelled=False),
    "KFold shuffled": SplitCase(jaxnet.KFold(3, shuffle=True), labelled=False),
    "RepeatedKFold": SplitCase(jaxnet.RepeatedKFold(3, 2), labelled=False, partition=False),
    "Bootstrap": SplitCase(jaxnet.Bootstrap(3), labelled=False, partition=False),
    "ComplementaryPairs": SplitCase(jaxnet.ComplementaryPairs(2), labelled=False, partition=False),
    "ComplementaryPairs of groups": SplitCase(jaxnet.ComplementaryPairs(2), grouped=True, partition=False),
    "a number of groups": SplitCase(3, grouped=True),
    "GroupKFold": SplitCase(jaxnet.GroupKFold(3), grouped=True),
    "GroupKFold shuffled": SplitCase(jaxnet.GroupKFold(3, shuffle=True, seed=2), grouped=True),
    "LeaveOneGroupOut": SplitCase(jaxnet.LeaveOneGroupOut(), grouped=True),
    "StratifiedKFold": SplitCase(jaxnet.StratifiedKFold(3, bins=4)),
    "StratifiedKFold shuffled": SplitCase(jaxnet.StratifiedKFold(3, shuffle=True, seed=1)),
    "GroupKFold of scikit-learn": SplitCase(model_selection.GroupKFold(3), grouped=True),
}


def _made_by(name: str) -> Callable[[int], list]:
    """The pairs of a splitter for the rows of `tall` or `wide`."""
    case = SPLITTERS[name]
    y = {TALL[0]: "tall", WIDE[0]: "wide"}
    return lambda n: list(case.cv.split(np.zeros((n, 1)), data(y[n]).y, case.groups(n)))


RESAMPLINGS: dict[str, Callable[[int], list]] = {
    "three_parts": _three_parts,
    "uneven": _uneven,
    "grouped": _made_by("GroupKFold"),
    "stratified": _made_by("StratifiedKFold"),
}


def weights(n: int) -> np.ndarray:
    """Row weights from 0.1 to 4, a few of them zero; not summing to anything nice."""
    w = np.random.default_rng(n).uniform(0.1, 4, n)
    w[n // 3] = w[-1] = 0.0
    return w


class RowMeanFill(ModelFill):
    """What is missing of a row lies off the mean of its column as the row's other values do: a fill of every value by itself."""

    def check(self):
        pass

    def fit(self, X, weights):
        return RowMeanFiller(SimpleFill("mean").fit(X, weights).values)


@dataclass(frozen=True)
class RowMeanFiller(Filler):
    means: np.ndarray

    def fill(self, X):
        known = ~np.isnan(X)
        off = np.where(known, X - self.means, 0.0).sum(axis=1, keepdims=True)
        off = off / np.maximum(known.sum(axis=1, keepdims=True), 1)
        return np.where(np.isnan(X), self.means + 0.5 * off, X)


@dataclass(frozen=True)
class FillCase:
    """A fill and what laws must know of it."""

    fill: str | Fill
    by_pairs: bool = False
    """fits are of moments by pairs: there are no filled rows to recompute them from"""
    drops_rows: bool = False
    stochastic: bool = False
    """fills are drawn, row by row: repeated and permuted rows are other draws"""
    units: bool = True
    """a column in other units is filled in those, whatever the others are"""
    counted: bool = False
    """what is learnt depends on how many rows there are, and on which rows and columns come first among equals"""
    own_columns: bool = False
    """groups have copies of their own of the columns with holes: sums through the rows begin with the other columns"""
    saved: bool = True
    """a kind that files know"""


FILLS = {
    "mean": FillCase("mean"),
    "median": FillCase("median"),
    "mode": FillCase("mode"),
    "constant": FillCase(SimpleFill("constant", value=0.7), units=False),
    "complete": FillCase("complete", drops_rows=True),
    # Of so few rows the matrices are near singular, and a lasso has next to no optimum, unless `least` is large.
    "pairwise": FillCase(Pairwise(least=0.1), by_pairs=True),
    "pairwise max-norm": FillCase(Pairwise("max-norm", least=0.1), by_pairs=True),
    "neighbours": FillCase("neighbours", units=False, counted=True, own_columns=True),
    "iterative": FillCase("iterative", counted=True, own_columns=True),
    "several": FillCase(MultipleFill(m=2), stochastic=True, counted=True, own_columns=True),
    "several stacked": FillCase(
        MultipleFill(m=2, draws="posterior", pool="stacked"), stochastic=True, counted=True, own_columns=True
    ),
    "own columns": FillCase(RowMeanFill(), units=False, own_columns=True, saved=False),
}


def gappy(shape: tuple[int, int], seed: int = 41) -> tuple[np.ndarray, np.ndarray]:
    """Rounded values, so that some are frequent; 3 rows of 5 are complete, and so are the last 3 columns."""
    X, y = _sparse_signal(seed, shape)
    X = np.round(2 * X) / 2
    rng = np.random.default_rng(seed)
    holes = rng.random(shape) < 0.35
    holes[np.arange(shape[0]) % 5 < 3] = False
    holes[:, -3:] = False
    X[holes] = np.nan
    X.flags.writeable = y.flags.writeable = False
    return X, y
