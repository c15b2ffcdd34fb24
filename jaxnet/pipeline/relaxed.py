"""Relaxed fits: every support fitted again without a penalty, and blends of the two.

Here columns are divided by their standard deviations on the training rows ("unit columns"), Z (k, m) as rows of weighted,
centred values; B are coefficients of these, one fit a row. A refit moves the coefficients of a support A from those of the
penalised fit by

    d = (Z_A Z_A')^+ Z_A r,     r the residuals of the penalised fit,

the least-norm change that minimises the squared residuals: the least squares coefficients, where those are unique.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from jaxnet.design.base import size_class
from jaxnet.pipeline.problem import Problem
from jaxnet.result import SparseRows, Status, SweepResult

RANK = 1e-11
"""Directions whose share of the largest eigenvalue is below this are none: the columns are collinear up to rounding."""


class _Sight(ABC):
    """What one set of rows says about unit columns; `size` (k,) is what turns a stored coefficient into one of these."""

    size: Float[np.ndarray, " k"]

    @abstractmethod
    def left(self, B: Float[np.ndarray, "L k"]) -> Float[np.ndarray, "L m"]:
        """What fits leave unexplained of the training rows."""

    @abstractmethod
    def change(self, left: Float[np.ndarray, " m"], at: Int[np.ndarray, " a"]) -> Float[np.ndarray, " a"]:
        """The refit of the columns `at`, as a change, of a fit that leaves `left`."""

    @abstractmethod
    def errors(self, B: Float[np.ndarray, "L k"]) -> Float[np.ndarray, " L"]:
        """Held-out weighted mean squared errors, in stored units."""


@dataclass(frozen=True)
class _Rows(_Sight):
    """Through the rows: wide problems. Both parts are about the training means."""

    size: Float[np.ndarray, " k"]
    Z: Float[np.ndarray, "k m"]
    target: Float[np.ndarray, " m"]
    one: Float[np.ndarray, " m"]
    """the roots of the row weights, which Z and the target are orthogonal to; zeros without an intercept"""
    held: Float[np.ndarray, "k h"]
    held_target: Float[np.ndarray, " h"]
    held_weights: Float[np.ndarray, " h"]

    @classmethod
    def of(cls, problem: Problem, s: int, columns: Int[np.ndarray, " k"]) -> "_Rows":
        view, p = problem.view(np.array([s])), problem.design.shape[1]
        index = np.full(size_class(len(columns)), p)  # few sizes, as each is compiled
        index[: len(columns)] = columns
        stored = np.asarray(problem.design.columns(index, view.group[0]), np.float64)[: len(columns)]
        y, train, test, mean = (np.asarray(x[0]) for x in (view.y, view.train, view.test, view.mean))
        fitted, held = train > 0, test > 0
        root = np.sqrt(train[fitted])
        Z = (stored[:, fitted] - mean[columns, None]) * root
        size = np.sqrt(np.sum(Z**2, axis=1))
        return cls(
            size=size,
            Z=Z / size[:, None],
            target=y[fitted] * root,
            one=root * problem.request.fit_intercept,
            held=(stored[:, held] - mean[columns, None]) / size[:, None],
            held_target=y[held],
            held_weights=test[held],
        )

    def left(self, B):
        return self.target - B @ self.Z

    def change(self, left, at):
        Z = self.Z[at]
        if len(at) < len(left):
            return _solve(Z @ Z.T, Z @ left)
        return Z @ _solve(Z.T @ Z + np.outer(self.one, self.one), left)

    def errors(self, B):
        return (self.held_target - B @ self.held) ** 2 @ self.held_weights


@dataclass(frozen=True)
class _Grams(_Sight):
    """Through the Gram matrices that the problem has: tall problems. What is left is the gradient Z r."""

    size: Float[np.ndarray, " k"]
    gram: Float[np.ndarray, "k k"]
    cross: Float[np.ndarray, " k"]
    held_gram: Float[np.ndarray, "k k"]
    held_cross: Float[np.ndarray, " k"]
    held_moment: float

    @classmethod
    def of(cls, problem: Problem, s: int, columns: Int[np.ndarray, " k"]) -> "_Grams":
        view, p = problem.view(np.array([s])), problem.design.shape[1]
        both = np.asarray(view.grams[view.group[0]])[columns]
        gram, held = both[:, columns], both[:, p + columns]
        size = np.sqrt(np.diagonal(gram))
        cross, held_cross = (np.asarray(x[0])[columns] / size for x in (view.cross, view.test_cross))
        unit = np.outer(size, size)
        return cls(size, gram / unit, cross, held / unit, held_cross, float(view.test_moment[0]))

    def left(self, B):
        return self.cross - B @ self.gram

    def change(self, left, at):
        return _solve(self.gram[np.ix_(at, at)], left[at])

    def errors(self, B):
        return np.maximum(self.held_moment - np.sum(B * (2 * self.held_cross - B @ self.held_gram), axis=1), 0.0)


def _solve(matrix: Float[np.ndarray, "a a"], right: Float[np.ndarray, " a"]) -> Float[np.ndarray, " a"]:
    """The least-norm x with `matrix x = right`, for a positive semidefinite matrix and a right-hand side in its range."""
    try:
        pivots = np.diagonal(np.linalg.cholesky(matrix)) ** 2
        if pivots.min() > RANK * np.diagonal(matrix).max():
            return np.linalg.solve(matrix, right)
    except np.linalg.LinAlgError:
        pass
    values, vectors = np.linalg.eigh(matrix)
    kept = vectors[:, values > RANK * values[-1]]
    return kept @ ((kept.T @ right) / values[values > RANK * values[-1]])


class _Path(NamedTuple):
    """The penalised fits of one set and one rho along A alphas, on k columns; `sound` ones have something to refit."""

    coef: Float[np.ndarray, "A k"]
    intercept: Float[np.ndarray, " A"]
    errors: Float[np.ndarray, " A"]
    sound: Bool[np.ndarray, " A"]


class _Set:
    """The penalised fits of one set, as the result has them."""

    def __init__(self, problem: Problem, result: SweepResult, s: int):
        j, g = problem.axes.of(s)
        R, A = result.alphas.shape[-2:]
        mine = lambda x: x.reshape(-1, R, A, x.size // result.alphas.size)[j]
        cells, folds = j * R * A + np.arange(R * A), len(problem.groups) - 1
        if g == 0:
            rows, self._intercept, self._errors = result.coefs, mine(result.intercepts)[..., 0], np.full((R, A), np.nan)
        else:
            rows, cells = result.fold_coefs, cells * folds + g - 1
            self._intercept, self._errors = (mine(x)[..., g - 1] for x in (result.fold_intercepts, result.errors))
        self._parts = [rows.parts(cell) for cell in cells]
        self._status, self._count = mine(result.status)[..., g], A
        free = problem.unpenalised
        self.free = free[problem.moments.usable[g, free]]
        self.columns = np.unique(np.concatenate([self.free, *(columns for columns, _ in self._parts)]))

    def path(self, r: int) -> _Path:
        """Those of one rho, on `columns`."""
        parts = self._parts[r * self._count : (r + 1) * self._count]
        coef = np.zeros((self._count, len(self.columns)))
        for k, (columns, values) in enumerate(parts):
            coef[k, np.searchsorted(self.columns, columns)] = values
        sound = np.isfinite(coef).all(axis=1) & (self._status[r] != Status.DEGENERATE)
        return _Path(coef, self._intercept[r], self._errors[r], sound)


def relaxed(problem: Problem, result: SweepResult) -> SweepResult:
    """The result with a row for every rho and every blend of the request, from one whose fold coefficients were kept."""
    request, (R, A) = problem.request, result.alphas.shape[-2:]
    shape = (len(problem.targets), R, len(request.relax), A, len(problem.groups))
    intercepts, errors, rows = np.empty(shape), np.empty(shape), np.empty(shape, object)
    for s in range(problem.axes.count):
        j, g = problem.axes.of(s)
        mine = _Set(problem, result, s)
        sight = (_Grams if problem.by_gram else _Rows).of(problem, s, mine.columns)
        for r in range(R):
            for b, path in enumerate(_blends(problem, s, mine, sight, mine.path(r))):
                at = (j, r, b, slice(None), g)
                intercepts[at], errors[at] = path.intercept, path.errors
                for k, coef in enumerate(path.coef):
                    moving = np.flatnonzero(coef)
                    rows[j, r, b, k, g] = mine.columns[moving], coef[moving]
    return _widened(problem, result, rows, intercepts, errors)


def _blends(problem: Problem, s: int, mine: _Set, sight: _Sight, path: _Path) -> Iterator[_Path]:
    """The path at every blend."""
    unit, j = sight.size * problem.conditioning.scale[mine.columns], problem.axes.of(s)[0]
    B = np.where(path.sound[:, None], path.coef, 0.0) / problem.y_scale[j] * unit
    refit, left, free = B.copy(), sight.left(B), np.isin(mine.columns, mine.free)
    for k in np.flatnonzero(path.sound):
        at = np.flatnonzero((path.coef[k] != 0) | free)
        if len(at):
            refit[k, at] += sight.change(left[k], at)
    coef, intercept = problem.coefficients(s, mine.columns, refit / sight.size)
    for blend in problem.request.relax:
        if blend == 1:
            yield path
            continue
        mix = lambda a, b, blend=blend: blend * a + (1 - blend) * b
        error = sight.errors(mix(B, refit)) * problem.y_scale[j] ** 2
        yield _Path(
            np.where(path.sound[:, None], mix(path.coef, coef), path.coef),
            np.where(path.sound, mix(path.intercept, intercept), path.intercept),
            np.where(path.sound, error, path.errors),
            path.sound,
        )


def _widened(problem: Problem, result: SweepResult, rows, intercepts, errors) -> SweepResult:
    """The result with the blends, all (q, R, B, A, G), in place of its fits, and the rest of it once for each."""
    request, axis = problem.request, result.alphas.ndim - 2
    blends, q = request.relax, len(problem.targets)
    one = lambda x: x.reshape(q, -1, *x.shape[3:])[0] if request.single else x.reshape(q, -1, *x.shape[3:])
    pack = lambda part: SparseRows.pack(list(part.reshape(-1)), result.n_features)
    folds = result.errors is not None
    repeated = ("alphas", "gap", "kkt", "iterations", "status")
    return replace(
        result,
        rho=np.repeat(result.rho, len(blends)),
        blend=np.tile(blends, len(result.rho)),
        **{name: np.repeat(getattr(result, name), len(blends), axis=axis) for name in repeated},
        coefs=pack(rows[..., 0]),
        intercepts=one(intercepts[..., 0]),
        errors=one(errors[..., 1:]) if folds else None,
        fold_coefs=pack(rows[..., 1:]) if folds else None,
        fold_intercepts=one(intercepts[..., 1:]) if folds else None,
    )
