"""Bounds without a penalty: least squares in a box, by itself and beside penalised columns, against SciPy's solvers."""

import cases
import numpy as np
import pytest
from scipy.optimize import lsq_linear, minimize, nnls

import jaxnet

SOLVERS = pytest.mark.parametrize("solver", cases.SOLVERS)


def drawn(n, p, common=0.0, seed=0):
    """Columns with `common` in common, and a response of which half the coefficients ask for the wrong side."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, p)) + common * rng.normal(size=(n, 1))
    return X, X @ np.where(np.arange(p) % 3 == 0, 1.0, -0.5) + rng.normal(size=n)


SHAPES = {"tall": (60, 8, 0.0), "wide": (20, 30, 0.0), "correlated": (60, 8, 3.0)}
WAYS = {  # the same problem, asked in three ways
    "no penalty": {"alphas": [1.0], "penalty_factor": np.zeros},
    "alpha zero": {"alphas": [0.0]},
    "end of a path": {"alphas": [1.0, 0.1, 0.0]},
}


def asked(way, p, **options):
    given = dict(WAYS[way])
    if "penalty_factor" in given:
        given["penalty_factor"] = given["penalty_factor"](p)
    return {"rho": 1.0, **given, **options}


def value(X, y, b):
    return 0.5 * np.mean((y - X @ b) ** 2)


@SOLVERS
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("shape", SHAPES)
def test_non_negative_least_squares(shape, way, solver):
    X, y = drawn(*SHAPES[shape])
    result = jaxnet.fit_path(X, y, lower=0.0, fit_intercept=False, tol=1e-12, solver=solver, **asked(way, X.shape[1]))
    coef, best = result.coef_at(0, -1), nnls(X, y)[0]
    assert result.converged and (coef >= 0).all() and np.count_nonzero(best) < len(best)
    np.testing.assert_allclose(coef, best, rtol=0, atol=1e-6)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("intercept", [True, False])
def test_boxes_with_weights_and_units(way, intercept):
    """Bounds of all kinds: none, one, two, none to move in; columns in units of their own, weights, an offset."""
    X, y = drawn(60, 8, 0.5, seed=2)
    X, y = X * np.geomspace(1e-3, 1e3, 8) + 5.0 * intercept, y + 7.0 * intercept
    unit = 1 / np.geomspace(1e-3, 1e3, 8)
    lower = np.array([0.0, -0.1, -np.inf, -np.inf, 0.0, -0.2, -np.inf, 0.0]) * unit
    upper = np.array([np.inf, 0.1, 0.0, np.inf, 0.0, np.inf, 0.3, 0.2]) * unit
    w = np.random.default_rng(1).uniform(0.5, 2.0, 60)
    result = jaxnet.fit_path(
        X, y, lower=lower, upper=upper, sample_weight=w, fit_intercept=intercept, tol=1e-12, **asked(way, 8)
    )
    centre = lambda x: x - intercept * np.average(x, axis=0, weights=w)
    root = np.sqrt(w)
    loose = np.where(lower == upper, np.nextafter(upper, np.inf), upper)  # SciPy asks for room
    best = lsq_linear(centre(X) * unit * root[:, None], centre(y) * root, (lower / unit, loose / unit), tol=1e-14)
    assert result.converged
    np.testing.assert_allclose(result.coef_at(0, -1) / unit, best.x, rtol=0, atol=1e-6)


@pytest.mark.parametrize("tol", [1e-1, 1e-3, 1e-5, 1e-8])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_gap_bounds_the_distance_from_the_optimum(shape, tol):
    X, y = drawn(*SHAPES[shape], seed=3)
    best, null = value(X, y, nnls(X, y)[0]), value(X, y, 0 * X[0])
    for way in WAYS:
        result = jaxnet.fit_path(X, y, lower=0.0, fit_intercept=False, tol=tol, **asked(way, X.shape[1]))
        off = (value(X, y, result.coef_at(0, -1)) - best) / null
        assert off - 1e-14 <= result.gap[0, -1, 0] <= tol


def reference(X, y, alpha, rho, factor, lower, upper):
    """The elastic net in a box, b = b+ - b-, by a quasi-Newton method; X and y centred."""
    n, p = X.shape

    def both(z):
        b = z[:p] - z[p:]
        r = y - X @ b
        smooth = 0.5 * r @ r / n + 0.5 * alpha * (1 - rho) * factor @ b**2
        slope = -X.T @ r / n + alpha * (1 - rho) * factor * b
        l1 = alpha * rho * factor
        return smooth + l1 @ (z[:p] + z[p:]), np.r_[slope + l1, -slope + l1]

    ends = [(0, None if np.isinf(u) else u) for u in (*upper, *-lower)]
    found = minimize(
        both,
        np.zeros(2 * p),
        jac=True,
        bounds=ends,
        method="L-BFGS-B",
        options={"maxiter": 20_000, "ftol": 1e-16, "gtol": 1e-12},
    )
    return found.fun, found.x[:p] - found.x[p:]


MIXED = {
    "penalty_factor": np.array([0.0, 0.0, 0.0, 1.0, 1.0, 2.0, 1.0, 1.0]),
    "lower": np.array([0.0, -np.inf, -0.3, -np.inf, 0.0, -np.inf, -np.inf, 0.0]),
    "upper": np.array([np.inf, np.inf, 0.2, np.inf, np.inf, 0.1, np.inf, np.inf]),
}


@SOLVERS
@pytest.mark.parametrize("rho", [0.0, 0.5, 1.0])
def test_beside_penalised_columns(rho, solver):
    """Unpenalised with one bound, none and two, among penalised ones with and without: down to alpha zero."""
    X, y = drawn(60, 8, 0.5, seed=4)
    result = jaxnet.fit_path(X, y, rho=rho, alphas=[0.3, 0.05, 0.0], tol=1e-10, solver=solver, **MIXED)
    assert result.converged
    A, t = X - X.mean(0), y - y.mean()
    for k, alpha in enumerate(result.alphas[0]):
        best, coef = reference(A, t, alpha, rho, *MIXED.values())
        b, f = result.coef_at(0, k), MIXED["penalty_factor"]
        reached = value(A, t, b) + alpha * f @ (rho * abs(b) + 0.5 * (1 - rho) * b * b)
        assert reached <= best + 1e-10 and (b >= MIXED["lower"]).all() and (b <= MIXED["upper"]).all()
        np.testing.assert_allclose(b, coef, rtol=0, atol=1e-4)


def test_the_grid_begins_where_the_null_model_is_fitted_within_its_bounds():
    """Above alpha_max the fit is that of the unpenalised columns alone; below, a penalised one is there."""
    X, y = drawn(60, 8, 0.5, seed=5)
    bounds = {"penalty_factor": np.r_[0.0, 0.0, np.ones(6)], "lower": np.r_[0.0, 0.0, np.full(6, -np.inf)]}
    result = jaxnet.fit_path(X, y, rho=1.0, alphas=30, fit_intercept=False, tol=1e-10, **bounds)
    null = nnls(X[:, :2], y)[0]
    assert np.count_nonzero(null) == 1  # or a closed form would do
    np.testing.assert_allclose(result.coef_at(0, 0), np.r_[null, np.zeros(6)], atol=1e-6)
    u = abs(X[:, 2:].T @ (y - X[:, :2] @ null)) / 60
    assert result.alphas[0, 0] == pytest.approx(u.max(), rel=1e-6)
    assert np.count_nonzero(result.coef_at(0, 2)[2:])


def test_folds_are_fits_to_their_own_rows():
    X, y = drawn(60, 8, 0.5, seed=6)
    given = {"rho": 1.0, "lower": 0.0, "alphas": [0.1, 0.0], "tol": 1e-10, "fit_intercept": False}
    result = jaxnet.sweep(X, y, cv=3, keep_fold_coefs=True, **given)
    for f, test in enumerate(np.array_split(np.arange(60), 3)):
        best = nnls(np.delete(X, test, axis=0), np.delete(y, test))[0]
        np.testing.assert_allclose(result.fold_coefs.row(3 + f), best, atol=1e-5)
        assert result.errors[0, 1, f] == pytest.approx(np.mean((y[test] - X[test] @ best) ** 2), rel=1e-4)


@pytest.mark.parametrize("kind", ["twins", "constant y", "empty column", "one row", "all against"])
def test_degenerate_problems_end(kind):
    X, y = drawn(30, 6, seed=7)
    if kind == "twins":
        X[:, 1] = X[:, 0]
    if kind == "empty column":
        X[:, 2] = 0.0
    if kind == "constant y":
        y = np.full(30, 3.0)
    if kind == "one row":
        X, y = X[:1], y[:1]
    if kind == "all against":
        X, y = abs(X), -abs(y)
    result = jaxnet.fit_path(X, y, rho=1.0, alphas=[0.0], lower=0.0, fit_intercept=kind == "constant y", tol=1e-8)
    b = result.coef_at(0, 0)
    assert result.converged and (b >= 0).all()
    if kind != "constant y":
        assert value(X, y, b) <= value(X, y, nnls(X, y)[0]) + 1e-8
    else:
        assert not b.any()


def test_positive_estimators_without_a_penalty():
    from sklearn.linear_model import LinearRegression

    X, y = drawn(60, 8, 0.5, seed=8)
    model, best = jaxnet.Lasso(alpha=0, positive=True, tol=1e-12).fit(X, y), LinearRegression(positive=True).fit(X, y)
    np.testing.assert_allclose(model.coef_, best.coef_, atol=1e-6)
    assert model.intercept_ == pytest.approx(best.intercept_, abs=1e-6)


def test_a_first_fit_without_a_penalty_may_be_bounded():
    X, y = drawn(60, 8, 0.5, seed=9)
    result = jaxnet.fit_path(
        X, y, rho=1.0, alphas=[0.1], lower=0.0, adaptive=jaxnet.Adaptive(alpha=0), fit_intercept=False, tol=1e-10
    )
    first = nnls(X, y)[0] / np.sqrt(np.mean(y**2))
    expected = (first + 1 / 60) ** -1.0
    np.testing.assert_allclose(result.options.adaptive_weights, expected, rtol=1e-4)


@pytest.mark.parametrize("way", WAYS)
def test_degrees_of_freedom_are_those_off_their_bounds(way):
    X, y = drawn(60, 8, seed=3)
    result = jaxnet.fit_path(X, y, lower=0.0, **asked(way, 8))
    coef = result.coef_at(0, -1)
    assert 0 < np.count_nonzero(coef) < 8
    assert result.criteria(X, y).df[0, -1] == pytest.approx(1 + np.count_nonzero(coef))
