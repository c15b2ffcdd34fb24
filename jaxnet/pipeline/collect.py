"""From certified fits in stored units, in any order, to a SweepResult."""

import threading
from collections.abc import Iterator
from typing import Any

import numpy as np
from jaxtyping import Float, Int

from jaxnet.errors import InvalidInput
from jaxnet.pipeline.journal import Piece
from jaxnet.pipeline.problem import Problem, SetFactors
from jaxnet.pipeline.request import Request
from jaxnet.result import FitOptions, SparseRows, SweepResult
from jaxnet.solver.task import Status, Step

_LACKING = "the store lacks fits that it says are there: delete that run and begin it again."


class Collector:
    """Receives fits from several threads and counts them; every fit of the grid arrives at least once."""

    def __init__(self, problem: Problem, alphas: Float[np.ndarray, "q R A"], progress, kept=None):
        """`kept` (G,): the groups whose coefficients are wanted; by default the full data, and the folds if they are needed."""
        self._problem, self._alphas, self._progress = problem, alphas, progress
        shape = (problem.axes.count, *alphas.shape[1:])
        self._gap, self._kkt, self._error = (np.full(shape, np.nan) for _ in range(3))
        self._iterations, self._status = np.zeros(shape, np.int32), np.full(shape, Status.DIVERGED, np.int8)
        self._seen = np.zeros(shape, bool)
        self._fits: dict[tuple[int, int, int], tuple[np.ndarray, np.ndarray, float]] = {}
        folds = problem.request.needs_fold_coefs
        self._kept = (np.arange(len(problem.groups)) == 0) | folds if kept is None else kept
        self._lock = threading.Lock()
        self._told = -1
        self.tell()

    def keeps(self, s: int) -> bool:
        """Whether the coefficients of set s are wanted."""
        return bool(self._kept[self._problem.axes.of(s)[1]])

    @property
    def errors(self) -> Float[np.ndarray, "S R A"]:
        """Held-out errors so far, in stored units of y squared."""
        return self._error

    @property
    def status(self) -> Int[np.ndarray, "S R A"]:
        """How the fits ended."""
        return self._status

    def fit(self, s: int, row: int, k: int) -> tuple[np.ndarray, np.ndarray, float]:
        """Columns, their coefficients and the intercept of a fit that is kept, in the units of X and y."""
        return self._fits[s, row, k]

    def add(self, sets: Int[np.ndarray, " S"], rows: Int[np.ndarray, " L"], step: Step) -> Piece:
        """Take the certified fits of one alpha for these sets and rows of rho; returns what was taken."""
        fits = {}
        for position, s in enumerate(sets):
            if not self.keeps(s):
                continue
            # Of a diverged fit even empty slots, whose column does not exist, may be nan.
            exists = step.columns[position] < self._problem.request.X.shape[1]
            moving = np.flatnonzero(exists & np.any(step.values[position] != 0, axis=0))
            columns, values = step.columns[position, moving], step.values[position][:, moving]
            coef, intercept = self._problem.coefficients(s, columns, values)
            for row, b, level in zip(rows, coef, np.atleast_1d(intercept), strict=True):
                nonzero = np.flatnonzero(b)
                fits[s, row] = (columns[nonzero], b[nonzero], float(level))
        inflation = self._problem.inflation[sets][:, None]
        figures = (step.gap * inflation, step.kkt * np.sqrt(inflation), step.test_error, step.iterations, step.status)
        piece = Piece(step.alpha, sets, rows, *figures, fits)
        self._take(piece)
        return piece

    def restore(self, plain: Any) -> None:
        """Take what `add` returned in an earlier process; raises `InvalidInput` for what cannot be this sweep's."""
        piece = Piece.of(plain, self._seen.shape, self._problem.request.X.shape[1])
        if piece.fits.keys() != {(s, row) for s in piece.sets.tolist() if self.keeps(s) for row in piece.rows.tolist()}:
            raise InvalidInput(_LACKING)
        self._take(piece)

    def pieces(self) -> Iterator[Piece]:
        """All fits that have arrived, an alpha and a set at a time."""
        with self._lock:
            seen, fits = self._seen.copy(), dict(self._fits)
            figures = [x.copy() for x in (self._gap, self._kkt, self._error, self._iterations, self._status)]
        for k in range(seen.shape[2]):
            for s in np.flatnonzero(seen[:, :, k].any(axis=1)):
                rows, at = np.flatnonzero(seen[s, :, k]), np.array([s])
                found = {(int(s), int(row)): fits[s, row, k] for row in rows} if self.keeps(int(s)) else {}
                yield Piece(k, at, rows, *(x[s, rows, k][None] for x in figures), found)

    def _take(self, piece: Piece) -> None:
        at = np.ix_(piece.sets, piece.rows, [piece.alpha])
        with self._lock:
            self._fits.update({(*key, piece.alpha): fit for key, fit in piece.fits.items()})
            self._gap[at], self._kkt[at] = piece.gap[..., None], piece.kkt[..., None]
            self._iterations[at], self._status[at] = piece.iterations[..., None], piece.status[..., None]
            self._error[at] = piece.error[..., None]
            self._seen[at] = True

    def tell(self) -> None:
        """Count the fits for the caller's progress function, if there are more than when it last heard; it may raise."""
        if not self._progress:
            return
        with self._lock:
            seen = int(self._seen.sum())
            if seen > self._told:
                self._told = seen
                self._progress(seen, self._seen.size)

    def best(self) -> dict[str, float] | None:
        """The least mean held-out error yet, of fits whose folds are all there; None without folds or for many responses."""
        problem, request = self._problem, self._problem.request
        with self._lock:
            complete, errors = self._seen.all(axis=0), self._error[1:].copy()
        if not request.single or not len(errors) or not complete.any():
            return None
        with np.errstate(over="ignore"):
            mean = np.average(errors, axis=0, weights=request.fold_weights) * problem.y_scale[0] ** 2
        mean = np.where(complete & np.isfinite(mean), mean, np.inf)
        i, k = np.unravel_index(np.argmin(mean), mean.shape)
        return {"rho": float(request.rho[i]), "alpha": float(self._alphas[0, i, k]), "cv_error": float(mean[i, k])}

    @property
    def size(self) -> int:
        """How many fits the sweep has."""
        return self._seen.size

    def result(self) -> SweepResult:
        """Everything, in the units of X and y, once all fits have arrived."""
        if not self._seen.all():
            raise InvalidInput(_LACKING)
        problem, request = self._problem, self._problem.request
        q, G = axes = problem.axes
        by_group = lambda x: np.moveaxis(x.reshape(q, G, *x.shape[1:]), 1, -1)
        shape = lambda x: x[0] if request.single else x
        with np.errstate(over="ignore"):  # squares of a huge y are infinite
            errors = by_group(self._error)[..., 1:] * (problem.y_scale**2)[:, None, None, None]
        grid = [(r, k) for r in range(self._alphas.shape[1]) for k in range(self._alphas.shape[2])]
        coefs, intercepts = self._rows([(axes.at(j), r, k) for j in range(q) for r, k in grid])
        fold_coefs = fold_intercepts = None
        if request.needs_fold_coefs and G > 1:
            fold_keys = [(axes.at(j, g), r, k) for j in range(q) for r, k in grid for g in range(1, G)]
            fold_coefs, fold_intercepts = self._rows(fold_keys)
            fold_intercepts = shape(fold_intercepts.reshape(errors.shape))
        return SweepResult(
            rho=request.rho,
            alphas=shape(self._alphas),
            coefs=coefs,
            intercepts=shape(intercepts.reshape(self._alphas.shape)),
            errors=shape(errors) if G > 1 else None,
            fold_weights=request.fold_weights,
            gap=shape(by_group(self._gap)),
            kkt=shape(by_group(self._kkt)),
            iterations=shape(by_group(self._iterations)),
            status=shape(by_group(self._status)),
            feature_names=request.features.names,
            tol=request.tol,
            options=fit_options(request, problem.factors),
            fold_coefs=fold_coefs,
            fold_intercepts=fold_intercepts,
        )

    def _rows(self, keys: list[tuple[int, int, int]]) -> tuple[SparseRows, np.ndarray]:
        fits = [self._fits[key] for key in keys]
        rows = SparseRows.pack([fit[:2] for fit in fits], self._problem.request.X.shape[1])
        return rows, np.array([level for _, _, level in fits])


def fit_options(request: Request, factors: SetFactors | None = None) -> FitOptions:
    """What the fits minimised, as arrays of the result's own, None where nothing was asked."""
    weights = None
    if factors is not None:  # those of the full data
        weights = factors.l1[:: len(request.groups)].copy()
    unless = lambda idle, x: None if np.all(x == idle) else x.copy()
    return FitOptions(
        fit_intercept=request.fit_intercept,
        standardize=request.standardize,
        weighted=request.weighted,
        penalty_factor=unless(1.0, request.factor),
        lower=unless(-np.inf, request.lower),
        upper=unless(np.inf, request.upper),
        adaptive_weights=weights[0] if weights is not None and request.single else weights,
    )
