"""Degenerate but legal input: the right answer and a status, never a crash, a nan or a wrong zero."""

import cases
import numpy as np
import oracles
import pandas as pd
import pytest
from checks import Request, audit, stored_fit

import jaxnet
from jaxnet import Status
from jaxnet.solver import rounds

TOL = 1e-7
GRID = cases.GRID


def _run(name, solver="auto", **options):
    data = cases.data(name)
    pairs = cases.RESAMPLINGS["three_parts"](len(data.y)) if data.folds else []
    request = Request(data.X, data.y, pairs, {"tol": TOL, **options})
    result = jaxnet.sweep(
        data.X, data.y, cv=pairs or None, keep_fold_coefs=bool(pairs), solver=solver, **GRID, **request.options
    )
    return result, request


@pytest.mark.parametrize("penalty", ["plain", "standardized", "no_intercept"])
@pytest.mark.parametrize("name", cases.DEGENERATE)
def test_degenerate_data_gets_the_right_answer(name, penalty):
    result, request = _run(name, **cases.PENALTIES[penalty](cases.data(name).X.shape[1]))
    audit(result, request)
    base = request.problem(1.0, 1.0)
    if base.null > 0:
        tops = [float(oracles.alpha_max(base, rho)) for rho in GRID["rho"]]
        np.testing.assert_allclose(result.alphas[:, 0], tops, rtol=1e-9, atol=1e-15 if max(tops) == 0 else 0)
    assert set(np.unique(result.status)) <= {Status.CONVERGED, Status.DEGENERATE}
    assert repr(result) and (result.errors is None or result.best().status in (Status.CONVERGED, Status.DEGENERATE))


@pytest.mark.parametrize("solver", cases.SOLVERS)
@pytest.mark.parametrize(
    "name", ["duplicated_columns", "near_duplicated_columns", "constant_columns", "very_wide", "huge_X", "tiny_y"]
)
def test_both_solvers_survive(name, solver):
    result, request = _run(name, solver)
    audit(result, request)


@pytest.mark.parametrize("name", ["constant_response", "zero_response", "all_zero_columns", "one_row"])
def test_nothing_to_fit_is_all_zeros_and_says_so(name):
    result, request = _run(name)
    assert np.all(result.status == Status.DEGENERATE)
    assert np.all(result.gap == 0) and np.all(result.nonzeros == 0) and result.converged
    np.testing.assert_allclose(result.intercepts, np.mean(request.y), rtol=1e-15)
    assert np.all(np.isfinite(result.alphas)) and np.all(result.alphas >= 0)
    if result.errors is not None and name != "all_zero_columns":
        np.testing.assert_array_equal(result.errors, 0)
        assert np.all(np.isfinite(result.predict(request.X)))


def test_a_fold_may_be_degenerate_alone():
    """The response varies in the held-out rows of fold 1 only: that fold is degenerate, the others are not."""
    data = cases.data("tall")
    pairs = cases.RESAMPLINGS["three_parts"](40)
    y = np.full(40, 2.5)
    y[pairs[1][1]] = data.y[pairs[1][1]]
    result = jaxnet.sweep(data.X, y, cv=pairs, keep_fold_coefs=True, tol=TOL, **GRID)
    audit(result, Request(data.X, y, pairs, {"tol": TOL}))
    assert np.all(result.status[..., 2] == Status.DEGENERATE)
    assert not np.any(result.status[..., [0, 1, 3]])
    np.testing.assert_allclose(result.fold_intercepts[..., 1], 2.5, rtol=1e-15)


def test_a_column_may_be_constant_within_a_fold_alone():
    data = cases.data("tall")
    pairs = cases.RESAMPLINGS["three_parts"](40)
    X = data.X.copy()
    X[:, 0] = 0.1
    X[pairs[0][1], 0] = 1e4 * data.y[pairs[0][1]]
    for standardize in (False, True):
        result = jaxnet.sweep(
            X,
            data.y,
            cv=pairs,
            keep_fold_coefs=True,
            tol=TOL,
            standardize=standardize,
            rho=GRID["rho"],
            alphas=[0.3, 0.03],
        )
        audit(result, Request(X, data.y, pairs, {"tol": TOL, "standardize": standardize}))
        assert all(stored_fit(result, i, k, 0)[0][0] == 0 for i, k in np.ndindex(2, 2))


@pytest.mark.parametrize("standardize", [False, True])
def test_constant_columns_are_as_good_as_absent(standardize):
    data = cases.data("constant_columns")
    live = np.setdiff1d(np.arange(12), [0, 3, 7])
    both = [
        jaxnet.sweep(X, data.y, cv=3, tol=1e-10, standardize=standardize, rho=GRID["rho"], alphas=5)
        for X in (data.X, data.X[:, live])
    ]
    np.testing.assert_allclose(both[0].alphas, both[1].alphas, rtol=1e-12)
    np.testing.assert_allclose(both[0].errors, both[1].errors, rtol=1e-4)
    for i, k in np.ndindex(2, 5):
        coef = both[0].coef_at(i, k)
        assert not np.any(np.delete(coef, live))
        np.testing.assert_allclose(coef[live], both[1].coef_at(i, k), atol=1e-4)


def test_duplicated_columns_share_their_coefficient():
    """With any ridge part, the strictly convex answer is symmetric."""
    data = cases.data("duplicated_columns")
    result = jaxnet.fit_path(data.X, data.y, tol=1e-10, **GRID)
    for k in range(5):
        coef = result.coef_at(0, k)
        np.testing.assert_allclose(coef[:6], coef[6:], atol=1e-3)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("name", ["one_row", "two_rows"])
def test_one_and_two_rows(name, intercept):
    result, request = _run(name, fit_intercept=intercept)
    audit(result, request)
    if name == "two_rows" or not intercept:
        assert np.any(result.nonzeros > 0) and not np.any(result.status)
    if name == "two_rows":
        folds = jaxnet.sweep(request.X, request.y, cv=2, fit_intercept=intercept, keep_fold_coefs=True, tol=TOL, **GRID)
        pairs = [(np.array([1]), np.array([0])), (np.array([0]), np.array([1]))]
        audit(folds, Request(request.X, request.y, pairs, {"fit_intercept": intercept, "tol": TOL}))


@pytest.mark.parametrize("scale", [1e-150, 1e-20, 1e20, 1e150])
@pytest.mark.parametrize("what", ["X", "y"])
def test_extreme_units_change_nothing_but_units(what, scale):
    """The lasso of X c or y c is the lasso of X and y in other units, at every scale float64 can hold."""
    data = cases.data("tall")
    X, y = (data.X * scale, data.y) if what == "X" else (data.X, data.y * scale)
    base = jaxnet.sweep(data.X, data.y, cv=3, tol=1e-9, **cases.LASSO)
    other = jaxnet.sweep(X, y, cv=3, tol=1e-9, **cases.LASSO)
    np.testing.assert_allclose(other.alphas / scale, base.alphas, rtol=1e-12)
    unit = 1 / scale if what == "X" else scale
    error_unit = 1.0 if what == "X" else scale
    np.testing.assert_allclose(np.sqrt(other.errors) / error_unit, np.sqrt(base.errors), rtol=1e-4)
    for k in range(5):
        np.testing.assert_allclose(other.coef_at(0, k) / unit, base.coef_at(0, k), atol=1e-3)
    assert not np.any(other.status) and other.best().nonzeros == base.best().nonzeros


BEYOND = {  # of X, of y, what the sentence says
    "squares of X": (1e160, 1.0, "X, in column 0, holds values as large as .* whose squares overflow"),
    "the largest X": (1.7e308, 1.0, "X, in column 0, holds values more than 1e308, whose squares overflow"),
    "squares of y": (1.0, 1e160, "y holds values as large as .* whose squares overflow"),
    "products that overflow": (1e152, 1e152, "alphas, which are their products"),
    "products that underflow": (1e-170, 1e-170, "alphas, which are their products"),
    "a subnormal X": (1e-310, 1.0, "column 0 of X of about .* alphas, which are their products"),
    "a subnormal y": (1.0, 1e-310, "y has values of about"),
    "coefficients that overflow": (1e-153, 1e152, "coefficients, which are their ratios"),
    "coefficients that underflow": (1e153, 1e-152, "coefficients, which are their ratios"),
}


@pytest.mark.parametrize("alphas", [3, [0.1]], ids=["a count", "values"])
@pytest.mark.parametrize("name", BEYOND)
def test_units_in_which_nothing_can_be_told_are_refused(name, alphas):
    """One sentence, from calls and estimators, before any fit; no warning of NumPy's, no fit that gave up."""
    a, b, message = BEYOND[name]
    rng = np.random.default_rng(0)
    X, y = rng.uniform(0.1, 1, (20, 3)), rng.uniform(-1, 1, 20)
    ours = [
        lambda: jaxnet.fit_path(X * a, y * b, rho=[0.0, 0.5, 1.0], alphas=alphas),
        lambda: jaxnet.sweep(X * a, y * b, rho=1.0, alphas=alphas, cv=3),
        lambda: jaxnet.ElasticNet(alpha=0.1).fit(X * a, y * b),
        lambda: jaxnet.LassoCV(alphas=alphas, cv=3).fit(X * a, y * b),
        lambda: jaxnet.enet_path(X * a, y * b, alphas=alphas),
    ]
    for call in ours:
        with pytest.raises(jaxnet.InvalidInput, match=message):
            call()


def test_the_column_whose_units_are_beyond_is_named():
    table = pd.DataFrame({"age": [1.0, 2.0, 3.0, 5.0], "dose": [1e170, 1.0, 2.0, 3.0]})
    with pytest.raises(jaxnet.InvalidInput, match="X, in column 'dose', holds"):
        jaxnet.fit_path(table, [1.0, 2.0, 3.0, 4.0])


def test_columns_of_wildly_different_units_standardized():
    data = cases.data("tall")
    by = np.logspace(-150, 150, 12)
    base = jaxnet.sweep(data.X, data.y, cv=3, tol=1e-9, standardize=True, **GRID)
    other = jaxnet.sweep(data.X * by, data.y, cv=3, tol=1e-9, standardize=True, **GRID)
    np.testing.assert_allclose(other.alphas, base.alphas, rtol=1e-9)
    np.testing.assert_allclose(other.errors, base.errors, rtol=1e-4)
    for k in range(5):
        np.testing.assert_allclose(other.coef_at(0, k) * by, base.coef_at(0, k), atol=1e-3)


@pytest.mark.parametrize("penalty", ["plain", "standardized"])
def test_offsets_cost_no_digits(penalty):
    """1e8 added to every column (rounded to what float64 holds there) is the same problem in shifted columns."""
    data, options = cases.data("offset_both"), cases.PENALTIES[penalty](12)
    shifted = jaxnet.sweep(data.X, data.y, cv=3, tol=1e-10, **GRID, **options)
    plain = jaxnet.sweep(data.X - 1e8, data.y + 1e8, cv=3, tol=1e-10, **GRID, **options)
    np.testing.assert_allclose(shifted.alphas, plain.alphas, rtol=1e-10)
    np.testing.assert_allclose(shifted.errors, plain.errors, rtol=1e-4)
    for i, k in np.ndindex(2, 5):
        np.testing.assert_allclose(shifted.coef_at(i, k), plain.coef_at(i, k), atol=1e-4)


@pytest.mark.parametrize("penalty", ["plain", "no_intercept", "factors", "standardized"])
@pytest.mark.parametrize("name", ["tall", "wide", "duplicated_columns"])
def test_alpha_zero_is_least_squares(name, penalty):
    """Any least-squares solution will do; the relative gap is then the excess over it."""
    data = cases.data(name)
    options = {**cases.PENALTIES[penalty](data.X.shape[1]), "tol": 1e-9}
    result = jaxnet.sweep(data.X, data.y, rho=[0.5, 1.0], alphas=[0.5, 0.0], cv=3, **options)
    design = np.c_[data.X, np.ones(len(data.y))] if options.get("fit_intercept", True) else data.X
    least = np.linalg.lstsq(design, data.y, rcond=1e-12)[0]
    best = np.mean((data.y - design @ least) ** 2)
    for i in range(2):
        off = data.y - data.X @ result.coef_at(i, 1) - result.intercepts[i, 1]
        assert np.mean(off**2) <= best + 1e-8 * np.var(data.y)
    assert result.converged and np.all(np.isfinite(result.errors))


def test_enormous_alpha():
    data = cases.data("tall")
    result = jaxnet.fit_path(data.X, data.y, rho=[0.0, 0.5, 1.0], alphas=[1e300], tol=TOL)
    audit(result, Request(data.X, data.y, [], {"tol": TOL}))
    assert np.all(result.nonzeros[1:] == 0) and np.all(abs(result.coef_at(0, 0)) < 1e-290)


@pytest.mark.filterwarnings("ignore::jaxnet.ConvergenceWarning")
def test_vanishing_alpha_is_nearly_least_squares():
    """No gap can be certified at alpha = 1e-18 (rounding of x'r exceeds alpha), but the fit is right and says so."""
    data = cases.data("tall")
    request = Request(data.X, data.y, [], {"tol": TOL})
    result = jaxnet.fit_path(data.X, data.y, rho=[0.5, 1.0], alphas=[1e-18], tol=TOL, max_iter=1000)
    problem = request.problem(1e-18, 1.0)
    least, intercept = oracles.solve(problem)
    for i in range(2):
        excess = oracles.objective(problem, *stored_fit(result, i, 0)) - oracles.objective(problem, least, intercept)
        assert excess <= 1e-9 * problem.null
        assert (result.status[i, 0, 0] == Status.CONVERGED) == (result.gap[i, 0, 0] <= TOL)


@pytest.mark.parametrize("alpha", [1e-14, 1e-20, 1e-100])
def test_a_vanishing_ridge_is_the_least_norm_solution(alpha):
    """On duplicated columns: eigenvalues of zero are known to rounding only, and alpha must not be divided into it."""
    data = cases.data("tall")
    X = np.concatenate([data.X[:, :6], data.X[:, :6]], axis=1)
    result = jaxnet.fit_path(X, data.y, rho=0.0, alphas=[alpha, 0.0])
    np.testing.assert_allclose(result.coef_at(0, 0), result.coef_at(0, 1), rtol=1e-8)
    assert result.gap.max() <= 1e-12


@pytest.mark.parametrize("bound", [2.0, 1e3, 1e15])
def test_bounds_far_beyond_the_coefficients_change_nothing(bound):
    data = cases.data("tall")
    request = Request(data.X, data.y, [], {"tol": TOL, "lower": -bound * 1e6, "upper": bound * 1e6})
    result = jaxnet.fit_path(data.X, data.y, **GRID, **request.options)
    audit(result, request)
    free = jaxnet.fit_path(data.X, data.y, tol=TOL, **GRID)
    np.testing.assert_allclose(result.coef_at(1, -1), free.coef_at(1, -1), atol=1e-3)


def test_one_column_and_one_constant_column():
    data = cases.data("tall")
    for X in (data.X[:, :1], np.full((40, 1), 3.0)):
        result = jaxnet.sweep(X, data.y, cv=3, keep_fold_coefs=True, tol=TOL, **GRID)
        audit(result, Request(X, data.y, cases.RESAMPLINGS["three_parts"](40), {"tol": TOL}))


def test_one_bad_lane_stops_no_other():
    """A response that is constant, next to one at 1e150 and an ordinary one: each gets its own answer."""
    data = cases.data("tall")
    Y = np.stack([np.full(40, 7.0), data.y * 1e150, data.y], axis=1)
    result = jaxnet.sweep(data.X, Y, cv=3, tol=TOL, **cases.LASSO)
    assert np.all(result.status[0] == Status.DEGENERATE) and not np.any(result.status[1:])
    np.testing.assert_allclose(result.alphas[1] / 1e150, result.alphas[2], rtol=1e-9)
    np.testing.assert_allclose(np.sqrt(result.errors[1]) / 1e150, np.sqrt(result.errors[2]), rtol=1e-3)


@pytest.mark.filterwarnings("ignore::jaxnet.ConvergenceWarning")
def test_a_lane_that_diverged_goes_on_from_zero(monkeypatch):
    """A fit that ends in nan is marked, and costs the smaller alphas nothing."""
    data, inner, calls = cases.data("wide"), rounds._inner, []

    def poisoned(*args):
        B, active, passes = inner(*args)
        calls.append(1)
        return (B.at[0, 0].set(np.nan) if len(calls) == 5 else B), active, passes

    monkeypatch.setattr(rounds, "_inner", poisoned)
    result = jaxnet.fit_path(data.X, data.y, rho=[0.5], alphas=20, tol=TOL)
    assert result.status_counts() == {"CONVERGED": 19, "DIVERGED": 1}
