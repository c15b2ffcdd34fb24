"""Audit a whole SweepResult: every number in it recomputed from the data, fit by fit and fold by fold."""

import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from oracles import LONG, Problem, distance, intercept_for, judge

EPS = float(np.finfo(np.float64).eps)
MAX_ITER = 1  # the status code


@dataclass(frozen=True)
class Request:
    """What was asked of `jaxnet.sweep`: data, folds written out as index pairs, and the other arguments."""

    X: np.ndarray
    y: np.ndarray
    pairs: list = field(default_factory=list)
    options: dict = field(default_factory=dict)

    def problem(self, alpha=0.0, rho=1.0, fold=None, response=None) -> Problem:
        """The written-out problem of one fit; `fold` None is the full data."""
        o = self.options
        X, y = np.asarray(self.X, np.float64), np.asarray(self.y, np.float64)
        whole = Problem(
            X,
            y if response is None else y[:, response],
            alpha,
            rho,
            weights=None if o.get("sample_weight") is None else np.asarray(o["sample_weight"], np.float64),
            factors=o.get("penalty_factor"),
            lower=_or(o.get("lower"), -np.inf),
            upper=_or(o.get("upper"), np.inf),
            intercept=o.get("fit_intercept", True),
            standardize=o.get("standardize", False),
        )
        return whole if fold is None else whole.rows(np.asarray(self.pairs[fold][0]))

    @property
    def tol(self) -> float:
        return self.options.get("tol", 1e-4)


def _or(value, default):
    return default if value is None else value


def rounding(problem: Problem) -> float:
    """What float64 alone may cost a relative gap: data, coefficients and intercept are stored to 53 bits.

    Rounding by eps moves residuals and gradients by eps times |x||b|, with |x| up to the columns' largest offset in
    units of their spread; beyond a hundredfold, offsets have to be taken out first. A gradient that is off by
    eps |x||y| moves the scale of the dual point, and so the gap, by that over the L1 weight. An intercept that is
    off by eps times the level of y costs the square of that. Factors of a few hundred and of ten leave room for sums
    over rows and columns.
    """
    spread = np.sqrt(problem.w @ (problem.A * problem.scales) ** 2)
    offsets = np.divide(abs(problem.centres), spread, out=np.ones_like(spread), where=spread > 0)
    steep = np.divide(problem.unit, problem.l1, out=np.zeros_like(spread), where=problem.l1 > 0)
    first = 300 * (1 + np.clip(np.max(offsets, initial=0), 0, 100)) + 10 * np.max(steep, initial=0)
    level = np.max(abs(np.asarray(problem.y, LONG))) / np.sqrt(2 * problem.null) if problem.null > 0 else 0
    return float(EPS * first + (4 * EPS * (level + np.max(offsets, initial=0))) ** 2)


def audit(result, request: Request, *, response=None, floor=0.0, unfinished=False) -> None:
    """Every law one result must obey by itself.

    `floor` is added to the accepted rounding of relative gaps; `unfinished` accepts fits that say they missed tol.
    """
    at = () if response is None else (response,)
    pick = lambda a: None if a is None else np.asarray(a)[at]
    alphas, gaps, status = pick(result.alphas), pick(result.gap), pick(result.status)
    rhos, folds = np.asarray(result.rho), len(request.pairs)
    shape = alphas.shape
    assert shape[0] == len(rhos) and gaps.shape == status.shape == (*shape, 1 + folds)
    assert pick(result.kkt).shape == pick(result.iterations).shape == gaps.shape
    assert np.all(np.diff(alphas, axis=1) <= 0), "alphas decrease"
    assert np.all(np.isfinite(gaps)) and np.all(gaps >= 0) and np.all(np.isfinite(pick(result.kkt)))
    for fold in (None, *range(folds)):
        if fold is not None and result.fold_coefs is None:
            continue
        base = request.problem(1.0, 1.0, fold, response)
        for i, rho in enumerate(rhos):
            for k in range(shape[1]):
                problem = base.at(alphas[i, k], rho)
                slack = floor + rounding(problem)
                coef, intercept = stored_fit(result, i, k, fold, response)
                g = 0 if fold is None else 1 + fold
                verdict = judge(problem, coef, intercept)
                where = f"rho={rho}, alpha={alphas[i, k]} ({i}, {k}), fold={fold}"
                if problem.null == 0:  # no scale to be relative to: the exact answer is known
                    off = np.max(abs(np.asarray(problem.y, LONG) - LONG(intercept)))
                    assert not np.any(coef) and gaps[i, k, g] == 0, where
                    assert off <= 4 * EPS * np.max(abs(problem.y)), f"{where}: intercept {intercept}"
                    continue
                says = f"{where}: says gap {gaps[i, k, g]}, is {verdict.relative}"
                assert gaps[i, k, g] >= verdict.relative * (1 - 1e-6) - slack, says
                if not (unfinished and status[i, k, g] == MAX_ITER):
                    assert gaps[i, k, g] <= request.tol, says
                    assert verdict.relative <= request.tol * (1 + 1e-6) + slack, says
    if folds:
        audit_errors(result, request, response)


def stored_fit(result, i, k, fold=None, response=None):
    """Coefficients (p,) and intercept of the full-data fit or of a fold's."""
    at = () if response is None else (response,)
    if fold is None:
        coef = result.coef_at(i, k) if response is None else result.coef_at(i, k, response=response)
        return coef, result.intercepts[(*at, i, k)]
    shape = np.shape(result.fold_intercepts)
    row = np.ravel_multi_index((*at, i, k, fold), shape)
    return dense_row(result.fold_coefs, row), result.fold_intercepts[(*at, i, k, fold)]


def dense_row(rows, index: int) -> np.ndarray:
    return np.asarray(rows.row(index))


def audit_errors(result, request: Request, response=None) -> None:
    """Held-out errors, their mean and standard error, recomputed from the stored fold coefficients."""
    at = () if response is None else (response,)
    errors = np.asarray(result.errors)[at]
    weights = request.options.get("sample_weight")
    if weights is None:  # every fold counts the same, as in scikit-learn
        assert result.fold_weights is None
        mass = np.ones(len(request.pairs))
    else:
        mass = np.array([np.asarray(weights, float)[np.asarray(test)].sum() for _, test in request.pairs])
        given = np.asarray(result.fold_weights)
        np.testing.assert_allclose(given / given.sum(), mass / mass.sum(), rtol=1e-12)
    if result.fold_coefs is not None:
        for index in np.ndindex(errors.shape):
            i, k, fold = index
            coef, intercept = stored_fit(result, i, k, fold, response)
            expected, slack = held_out_error(request, fold, coef, intercept, response)
            assert abs(errors[index] - expected) <= slack, f"error at {index}: {errors[index]}, recomputed {expected}"
    share, size = mass / mass.sum(), float(np.max(errors)) or 1.0
    mean = errors @ share
    np.testing.assert_allclose(np.asarray(result.error_mean)[at], mean, rtol=1e-9)
    if len(mass) > 1:
        variance = ((errors / size - mean[..., None] / size) ** 2) @ share / (len(mass) - 1)
        np.testing.assert_allclose(np.asarray(result.error_se)[at] / size, np.sqrt(variance), rtol=1e-6, atol=1e-9)


def held_out_error(request: Request, fold: int, coef, intercept, response=None):
    """Weighted mean squared error on the held-out rows, and how far rounding may move it.

    Predictions round by eps times the size of what is added up; and a mean square that is taken from second moments
    of the response about its training mean (the Gram form) rounds by eps times those.
    """
    train, test = (np.asarray(part) for part in request.pairs[fold])
    weights = request.options.get("sample_weight")
    w = np.ones(len(test), LONG) if weights is None else np.asarray(weights, LONG)[test]
    X, y = np.asarray(request.X, LONG)[test], np.asarray(request.y, LONG)
    y = y if y.ndim == 1 else y[:, response]
    spread = np.max(abs(y - np.mean(y[train]))) if np.ptp(y[train]) or np.ptp(y[test]) else 0
    y = y[test]
    off = y - LONG(intercept) - X @ np.asarray(coef, LONG)
    size = np.max(abs(y) + abs(LONG(intercept)) + abs(X) @ abs(np.asarray(coef, LONG)))
    error = w @ off**2 / w.sum()
    single = np.asarray(request.X).dtype == np.float32
    moved = 50 * (float(np.finfo(np.float32).eps) if single else EPS) * size
    return error, 2 * np.sqrt(error) * moved + moved**2 + 100 * EPS * spread**2 + 1e-9 * error


def sharpness(request: Request, fold: int, alpha, rho) -> float:
    """Largest held-out root mean square change of predictions per unit of `oracles.distance`, for one fold."""
    problem = request.problem(alpha, rho, fold)
    A, w, scales = problem.A.astype(float), problem.w.astype(float), problem.scales.astype(float)
    H = A.T @ (w[:, None] * A) + np.diag(problem.l2.astype(float))
    test = np.asarray(request.pairs[fold][1])
    v = np.ones(len(test)) if problem.weights is None else np.asarray(request.options["sample_weight"], float)[test]
    centre = problem.centres.astype(float) if problem.intercept else 0.0
    B = np.sqrt(v / v.sum())[:, None] * (np.asarray(request.X, float)[test] - centre) / scales
    return float(np.sqrt(np.max(np.linalg.eigvals(np.linalg.solve(H, B.T @ B)).real)))


def assert_same_fits(one, other, request: Request, *, columns=None, response=None) -> None:
    """Two certified results of the same request agree as far as strong convexity says they must.

    Both relative gaps are at most tol, so each lies within sqrt(2 tol null) of the optimum in `oracles.distance`, and
    their held-out root mean square errors differ by at most `sharpness` times the sum. `columns` maps other's columns
    to one's.
    """
    at = () if response is None else (response,)
    alphas = np.asarray(one.alphas)[at]
    np.testing.assert_allclose(np.asarray(other.alphas), alphas, rtol=1e-9)
    base = request.problem(1.0, 1.0, None, response)
    slack = rounding(base)
    for i, rho in enumerate(np.asarray(one.rho)):
        for k, alpha in enumerate(alphas[i]):
            problem = base.at(alpha, rho)
            a, b = stored_fit(one, i, k, None, response)[0], stored_fit(other, i, k)[0]
            b = b if columns is None else b[columns]
            apart = distance(problem, a, b)
            limit = 2 * np.sqrt(2 * (request.tol + slack) * problem.null)
            assert apart <= limit, f"fit ({i}, {k}) differs by {apart}, at most {limit} is allowed"
            b0, c0 = intercept_for(problem, a), np.asarray(one.intercepts)[(*at, i, k)]
            size = abs(problem.centres) @ abs(np.asarray(a, LONG)) + np.max(abs(np.asarray(problem.y)))
            assert abs(b0 - c0) <= 1e3 * EPS * size, f"intercept ({i}, {k}) is {c0}, should be {b0}"
    for index in np.ndindex(() if one.errors is None else np.asarray(one.errors)[at].shape):
        if one.errors is None:
            break
        i, k, fold = index
        problem = request.problem(alphas[i, k], np.asarray(one.rho)[i], fold, response)
        limit = (
            2 * np.sqrt(2 * (request.tol + slack) * problem.null) * sharpness(request, fold, alphas[i, k], one.rho[i])
        )
        a, b = np.asarray(one.errors)[at][index], np.asarray(other.errors)[index]
        assert abs(np.sqrt(a) - np.sqrt(b)) <= limit + 1e-9 * np.sqrt(a), f"errors {a} and {b} at {index}"


def counted(function: Callable[[], Any]) -> tuple[Any, int]:
    """What the function returns, and how many calls of Python and C functions it took: a cost that no other process changes."""
    calls = 0

    def count(frame, event, arg):
        nonlocal calls
        calls += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(count)
    try:
        return function(), calls
    finally:
        sys.setprofile(before)
