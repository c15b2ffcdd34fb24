"""Every fit of every kind of sweep is what it claims to be: judged on the user's own problem in extended precision."""

import cases
import numpy as np
import oracles
import pytest
from checks import Request, audit, stored_fit

import jaxnet

TOL = 1e-7


def _request(name, penalty, resampling, weighted, **options) -> Request:
    data = cases.data(name)
    n, p = data.X.shape
    options = {"tol": TOL, **cases.PENALTIES[penalty](p), **options}
    if weighted:
        options["sample_weight"] = cases.weights(n)
    return Request(data.X, data.y, cases.RESAMPLINGS[resampling](n) if resampling else [], options)


def _sweep(request: Request, grid=cases.GRID, **more):
    return jaxnet.sweep(
        request.X,
        request.y,
        cv=request.pairs or None,
        keep_fold_coefs=bool(request.pairs),
        **grid,
        **request.options,
        **more,
    )


@pytest.mark.parametrize("solver", cases.SOLVERS)
@pytest.mark.parametrize("penalty", cases.PENALTIES)
@pytest.mark.parametrize(("name", "resampling", "weighted"), [("tall", "uneven", True), ("wide", "three_parts", False)])
def test_every_fit_meets_its_gap(name, resampling, weighted, penalty, solver):
    request = _request(name, penalty, resampling, weighted, solver=solver)
    result = _sweep(request)
    assert result.converged
    audit(result, request)


@pytest.mark.parametrize("solver", cases.SOLVERS)
@pytest.mark.parametrize("name", ["correlated", "unequal_scales", "diabetes"])
@pytest.mark.parametrize("penalty", ["plain", "standardized"])
def test_every_fit_meets_its_gap_on_harder_data(name, penalty, solver):
    request = _request(name, penalty, "three_parts", False, solver=solver)
    audit(_sweep(request), request)


@pytest.mark.parametrize("penalty", cases.PENALTIES)
@pytest.mark.parametrize("name", ["tall", "wide"])
def test_ridge_is_a_member_of_the_grid(name, penalty):
    """rho = 0 with alphas of its own, next to rho = 0.5; bounds and penalty factors included."""
    request = _request(name, penalty, "three_parts", True)
    result = _sweep(request, {"rho": [0.0, 0.5], "alphas": [3.0, 1.0, 0.3, 0.1, 0.03, 0.01]})
    assert result.converged
    audit(result, request)


@pytest.mark.parametrize("tol", [1e-2, 1e-4, 1e-10])
def test_gap_bounds_the_true_excess_at_any_tolerance(tol):
    """The reported gap is never below P(fit) - P(solution), the solution taken from the reference solver."""
    request = _request("correlated", "plain", "three_parts", False, tol=tol)
    result = _sweep(request)
    audit(result, request)
    start = None
    for i, rho in enumerate(result.rho):
        for k, alpha in enumerate(result.alphas[i]):
            problem = request.problem(alpha, rho)
            start, b0 = oracles.solve(problem, start)
            excess = oracles.objective(problem, *stored_fit(result, i, k)) - oracles.objective(problem, start, b0)
            assert result.gap[i, k, 0] >= excess / problem.null - 1e-14


@pytest.mark.parametrize("solver", cases.SOLVERS)
def test_unfinished_fits_are_reported_as_they_are(solver):
    """One iteration: the gaps must be honest (above the independent ones), the status and one warning must say so."""
    request = _request("correlated", "plain", "three_parts", False, solver=solver, tol=1e-12, max_iter=1)
    with pytest.warns(jaxnet.ConvergenceWarning) as caught:
        result = _sweep(request)
    assert len(caught) == 1
    missed = np.asarray(result.status) == jaxnet.Status.MAX_ITER
    text = str(caught[0].message)
    assert str(int(missed.sum())) in text and str(missed.size) in text
    assert missed.any() and not result.converged
    assert np.array_equal(missed, np.asarray(result.gap) > 1e-12)
    loose = Request(request.X, request.y, request.pairs, {**request.options, "tol": np.inf})
    audit(result, loose)


def test_kkt_residual_is_the_independent_one():
    """The largest violation as a correlation with the response; it shrinks with tol."""
    worst = []
    for tol in (1e-3, 1e-6, 1e-9):
        request = _request("tall", "everything", "three_parts", True, tol=tol)
        result = _sweep(request)
        worst.append(np.max(result.kkt))
        for fold in (None, 0, 1, 2):
            for i, k in np.ndindex(result.alphas.shape):
                problem = request.problem(result.alphas[i, k], result.rho[i], fold)
                mine = oracles.judge(problem, *stored_fit(result, i, k, fold)).kkt
                group = 0 if fold is None else 1 + fold
                assert result.kkt[i, k, group] == pytest.approx(mine, rel=1e-3, abs=1e-12)
    assert worst[0] > worst[1] > worst[2]


def test_iterations_are_counted():
    result = _sweep(_request("tall", "plain", "three_parts", False))
    assert np.issubdtype(result.iterations.dtype, np.integer)
    assert np.all(result.iterations >= 0) and np.max(result.iterations) > 0 and np.max(result.iterations) <= 10_000


FINE = {"rho": (0.2, 1.0), "alphas": 40}
"""So fine a grid that most alphas lie between knots."""


@pytest.mark.parametrize("tol", [1e-4, TOL])
@pytest.mark.parametrize("solver", cases.SOLVERS)
@pytest.mark.parametrize("penalty", cases.PENALTIES)
@pytest.mark.parametrize("name", ["tall", "wide"])
def test_every_fit_between_knots_meets_its_gap(name, penalty, solver, tol):
    request = _request(name, penalty, "three_parts", True, solver=solver, tol=tol)
    result = _sweep(request, FINE)
    assert result.converged
    audit(result, request)
    if tol == 1e-4:
        assert np.any(result.iterations[:, 1:] == 0)


@pytest.mark.parametrize("name", ["tall", "correlated"])
def test_interpolated_supports_are_those_of_the_path(name):
    """Between knots no more coefficients than at a tight tolerance: what enters later is pruned."""
    data, rho = cases.data(name), (0.5, 1.0)
    fits = [jaxnet.fit_path(data.X, data.y, rho=rho, alphas=60, tol=tol) for tol in (1e-5, 1e-9)]
    few, all_ = (fit.nonzeros.sum(axis=1) for fit in fits)
    assert np.all(few <= 1.03 * all_)
