"""Fits on which coordinate descent crawls: interpolating lassos and near-collinear columns, down to 1e-6 of alpha_max.

Every one must reach its tol within the default `max_iter`, by a judge that shares no code with the solver.
"""

import cases
import jax
import numpy as np
import oracles
import pytest
from checks import Request, audit

import jaxnet

GRID = {"rho": (0.99, 1.0), "alphas": 7, "alpha_min_ratio": 1e-6}
TOLS = (1e-4, 1e-7, 1e-9)
SAMPLE, CAMPAIGN = (8, 16, 85, 99, *range(300, 304)), range(300)  # the first were missed once


def _plain(rng, n, p):
    return rng.normal(size=(n, p))


def _small(rng, n, p):
    return rng.normal(size=(4, 3))


def _duplicated(rng, n, p):
    """Copies, negatives and multiples of some columns."""
    X = rng.normal(size=(n, p))
    return X[:, rng.integers(0, max(p // 2, 1), p)] * rng.choice([1.0, 1.0, -1.0, 3.0], p)


def _nearly_duplicated(rng, n, p):
    """Copies that differ by 1e-2 to 1e-9."""
    X = rng.normal(size=(n, p))
    return X[:, rng.integers(0, max(p // 2, 1), p)] + 10.0 ** -rng.integers(2, 10) * X


def _few_factors(rng, n, p):
    return rng.normal(size=(n, 3)) @ rng.normal(size=(3, p)) + 10.0 ** -rng.integers(0, 4) * rng.normal(size=(n, p))


KINDS = {f.__name__[1:]: f for f in (_plain, _small, _duplicated, _nearly_duplicated, _few_factors)}


def _problem(kind, seed):
    rng = np.random.default_rng(seed)
    n, p = rng.integers(3, 31), rng.integers(2, 61)
    X = KINDS[kind](rng, n, p)
    n, p = X.shape
    signal = X @ (rng.normal(size=p) * (rng.random(p) < 0.3))
    return X, signal * rng.integers(0, 2) + 10.0 ** -rng.integers(0, 3) * rng.normal(size=n)


def _representable(problem, coef):
    """The relative gap that float64 may leave: rounding coefficients and products moves gradients by a few eps times
    sum |b_j| |x_j|, and the gap by that times the sum. It matters where columns that all but cancel have huge coefficients."""
    size = abs(np.asarray(coef)) @ np.sqrt(problem.w @ problem.A**2)
    return float(4 * np.finfo(np.float64).eps * size**2 / problem.null)


def _shortfalls(kind, seed, tol, **options):
    """Fits that miss tol: (seed, rho, alpha's place, relative gap by the judge, what rounding may leave, passes)."""
    X, y = _problem(kind, seed)
    result = jaxnet.fit_path(X, y, tol=tol, **{**GRID, **options})
    base, found = oracles.Problem(X, y, 1.0, 1.0), []
    for i, k in np.ndindex(result.alphas.shape):
        problem, coef = base.at(result.alphas[i, k], result.rho[i]), result.coef_at(i, k)
        gap, least = oracles.judge(problem, coef, result.intercepts[i, k]).relative, _representable(problem, coef)
        reached = result.status[i, k, 0] == jaxnet.Status.CONVERGED or least > tol
        if not (reached and gap <= tol + least):
            found.append((seed, result.rho[i], k, gap, least, int(result.iterations[i, k, 0])))
    return found


# Statuses are looked at here: one fit in thousands may miss tol where rounding leaves more.
@pytest.mark.filterwarnings("ignore::jaxnet.ConvergenceWarning")
@pytest.mark.parametrize("tol", TOLS)
@pytest.mark.parametrize("kind", KINDS)
def test_hard_fits_reach_tol(kind, tol):
    assert not [fit for seed in SAMPLE for fit in _shortfalls(kind, seed, tol)]


@pytest.mark.campaign
@pytest.mark.filterwarnings("ignore::jaxnet.ConvergenceWarning")
@pytest.mark.parametrize("tol", TOLS)
@pytest.mark.parametrize("kind", KINDS)
def test_hundreds_of_hard_fits_reach_tol(kind, tol):
    assert not [fit for seed in CAMPAIGN for fit in _shortfalls(kind, seed, tol)]


@pytest.mark.parametrize("penalty", cases.PENALTIES)
@pytest.mark.parametrize("weighted", [False, True])
def test_hard_fits_with_every_penalty_reach_tol(penalty, weighted):
    """Three kinds side by side: bounds, penalty factors (0 too), weights and standardisation all meet the finish."""
    for kind in ("duplicated", "nearly_duplicated", "few_factors"):
        X, y = _problem(kind, 7)
        options = {"tol": 1e-8, **cases.PENALTIES[penalty](X.shape[1])}
        if weighted:
            options["sample_weight"] = cases.weights(len(y))
        result = jaxnet.fit_path(X, y, **{**GRID, "alpha_min_ratio": 1e-4}, **options)
        assert result.converged
        audit(result, Request(X, y, [], options))


@pytest.mark.parametrize("shape", [(40, 12), (20, 60)])
def test_the_finish_compiles_nothing(shape):
    """Through Gram matrices and through the rows: a lane that crawls needs no program that others do not need."""
    rng, compiled = np.random.default_rng(0), []
    y, hard = rng.normal(size=shape[0]), _few_factors(rng, *shape)
    jaxnet.fit_path(rng.normal(size=shape), y, tol=1e-9, **GRID)
    listen = lambda event, duration, **kwargs: compiled.append(event) if "backend_compile" in event else None
    jax.monitoring.register_event_duration_secs_listener(listen)
    try:
        result = jaxnet.fit_path(hard, y, tol=1e-9, **GRID)
    finally:
        jax.monitoring.clear_event_listeners()
    assert result.iterations.max() > 500 and not compiled
