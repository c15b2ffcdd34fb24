"""Adaptive weights: their formula in every fold, what the fits minimise, what they find, and that nothing leaks into them."""

import cases
import numpy as np
import oracles
import pytest
from checks import Request, stored_fit
from sklearn.linear_model import ElasticNet, Lasso
from sklearn.model_selection import KFold

import jaxnet
from jaxnet import Adaptive, InvalidInput

TIGHT = {"tol": 1e-12, "keep_fold_coefs": True}
GRID = {"rho": [0.3, 1.0], "alphas": [0.2, 0.05, 0.01]}


def formula(problem: oracles.Problem, coef, gamma: float) -> np.ndarray:
    """(|c| + 1/n)^-gamma, c the coefficients of standardised (or plain) columns in standard deviations of y."""
    c = coef * problem.scales / np.sqrt(2 * problem.null)
    return ((abs(c) + 1 / np.count_nonzero(problem.w)) ** -gamma).astype(float)


def by_proximal_gradient(problem: oracles.Problem, weights) -> np.ndarray:
    """argmin of the objective with weights on the L1 part only: accelerated proximal gradient, restarted."""
    A, w, y = (np.asarray(x, float) for x in (problem.A, problem.w, problem.target))
    Q, c = A.T @ (w[:, None] * A), A.T @ (w * y)
    l1, l2 = np.asarray(problem.l1, float) * weights, np.asarray(problem.l2, float)
    lower, upper = (np.asarray(x, float) for x in problem.box)
    step = 1 / (np.linalg.eigvalsh(Q)[-1] + l2.max())
    u = v = np.zeros(len(c))
    t = 1.0
    for _ in range(20_000):
        ahead = v - step * (Q @ v - c + l2 * v)
        new = np.clip(np.sign(ahead) * np.maximum(abs(ahead) - step * l1, 0), lower, upper)
        if (v - new) @ (new - u) > 0:
            t = 1.0
        t_new = (1 + np.sqrt(1 + 4 * t * t)) / 2
        u, v, t, moved = new, new + (t - 1) / t_new * (new - u), t_new, np.max(abs(new - u))
        if moved < 1e-14:
            break
    return u / np.asarray(problem.scales, float)


@pytest.mark.parametrize(
    ("design", "penalty"),
    [("tall", "plain"), ("tall", "factors"), ("tall", "positive"), ("wide", "standardized"), ("wide", "no_intercept")],
)
def test_every_fold_minimises_with_its_own_weights(design, penalty):
    data = cases.data(design)
    n, p = data.X.shape
    options = {**cases.PENALTIES[penalty](p), "sample_weight": cases.weights(n)}
    request = Request(data.X, data.y, cases.RESAMPLINGS["uneven"](n), options)
    asked = Adaptive(gamma=1.5, rho=0.7, alpha=0.1)
    result = jaxnet.sweep(data.X, data.y, cv=request.pairs, adaptive=asked, **GRID, **TIGHT, **options)
    assert result.converged
    for fold in (None, 0, 1, 2):
        first, _ = oracles.solve(request.problem(0.1, 0.7, fold))
        weights = formula(request.problem(0.1, 0.7, fold), first, 1.5)
        if fold is None:
            np.testing.assert_allclose(result.options.adaptive_weights, weights, rtol=1e-3)
        for i, k in np.ndindex(2, 3):
            problem = request.problem(result.alphas[i, k], result.rho[i], fold)
            expected = by_proximal_gradient(problem, weights)
            coef, intercept = stored_fit(result, i, k, fold)
            np.testing.assert_allclose(coef, expected, atol=1e-4 * np.max(abs(expected), initial=1.0))
            assert intercept == pytest.approx(oracles.intercept_for(problem, coef), abs=1e-9)


def best_first_fit(X, y, rho: float) -> np.ndarray:
    """scikit-learn's elastic net of least error over three inner folds, on a grid from these rows' own alpha_max."""
    top = np.max(abs((X - X.mean(0)).T @ (y - y.mean()))) / len(y) / rho
    alphas = top * np.geomspace(1, 1e-3, 50)
    fit = lambda X, y, alpha: ElasticNet(alpha=alpha, l1_ratio=rho, tol=1e-10, max_iter=100_000).fit(X, y)
    errors = np.zeros(50)
    for train, test in KFold(3).split(X):
        errors += [np.mean((y[test] - fit(X[train], y[train], alpha).predict(X[test])) ** 2) for alpha in alphas]
    return fit(X, y, alphas[np.argmin(errors)]).coef_


def test_inner_folds_choose_the_first_fit_of_each_fold():
    """All over again with scikit-learn: the first fit, and the weighted lasso by dividing columns by their weights."""
    data = cases.data("tall")
    pairs = cases.RESAMPLINGS["three_parts"](40)
    result = jaxnet.sweep(
        data.X,
        data.y,
        cv=pairs,
        rho=cases.LASSO["rho"],
        alphas=GRID["alphas"],
        adaptive=Adaptive(rho=0.6, cv=3),
        **TIGHT,
    )
    request = Request(data.X, data.y, pairs)
    for fold, rows in ((None, np.arange(40)), *((k, train) for k, (train, _) in enumerate(pairs))):
        X, y = data.X[rows], data.y[rows]
        weights = formula(request.problem(fold=fold), best_first_fit(X, y, 0.6), 1.0)
        for k, alpha in enumerate(GRID["alphas"]):
            expected = Lasso(alpha=alpha, tol=1e-12, max_iter=100_000).fit(X / weights, y).coef_ / weights
            np.testing.assert_allclose(stored_fit(result, 0, k, fold)[0], expected, atol=1e-3)


@pytest.mark.parametrize("asked", [Adaptive(cv=3), Adaptive(alpha=0.05)], ids=["inner folds", "alpha"])
def test_held_out_rows_do_not_reach_the_weights(asked):
    data = cases.data("tall")
    pairs = cases.RESAMPLINGS["three_parts"](40)
    test = pairs[1][1]
    X, y = data.X.copy(), data.y.copy()
    X[test], y[test] = 3 * X[test][::-1], -5 * y[test]
    options = {"cv": pairs, "adaptive": asked, "standardize": True, **GRID, **TIGHT}
    one, other = (jaxnet.sweep(*both, **options) for both in ((data.X, data.y), (X, y)))
    apart = abs(one.fold_coefs.toarray() - other.fold_coefs.toarray()).max(axis=1).reshape(2, 3, 3).max(axis=(0, 1))
    assert apart[1] < 1e-5 and min(apart[0], apart[2]) > 0.1
    assert np.max(abs(np.log(one.options.adaptive_weights / other.options.adaptive_weights))) > 0.5
    assert np.all(other.errors[..., 1] > 5 * one.errors[..., 1])


def test_adaptive_weights_find_the_truth_more_often():
    """The oracle property: three columns out of 12 matter, 25 data sets; cross-validated, the lasso keeps many more."""
    rng, true = np.random.default_rng(8), np.r_[2.0, -1.5, 2.0, np.zeros(9)]
    found = {"lasso": [], "adaptive": []}
    for _ in range(25):
        X = rng.standard_normal(cases.TALL) + 0.5 * rng.standard_normal((cases.TALL[0], 1))
        y = X @ true + 0.5 * rng.standard_normal(len(X))
        for name, asked in (("lasso", None), ("adaptive", Adaptive(gamma=2.0, rho=1.0, cv=3))):
            best = jaxnet.sweep(X, y, rho=cases.LASSO["rho"], alphas=12, cv=3, adaptive=asked).best()
            found[name].append(np.array_equal(best.coef != 0, true != 0))
    assert np.mean(found["lasso"]) < 0.2 and np.mean(found["adaptive"]) > 0.4


def test_units_do_not_matter():
    data, grid = cases.data("tall"), {"rho": cases.LASSO["rho"], "alphas": 5, "cv": 3, "standardize": True}
    units = np.geomspace(1e-3, 1e3, 12)
    asked = Adaptive(rho=1.0, cv=3)
    one = jaxnet.sweep(data.X, data.y, adaptive=asked, **grid, **TIGHT)
    other = jaxnet.sweep(data.X * units, 1e6 * data.y, adaptive=asked, **grid, **TIGHT)
    np.testing.assert_allclose(other.options.adaptive_weights, one.options.adaptive_weights, rtol=1e-3)
    np.testing.assert_allclose(other.alphas, 1e6 * one.alphas, rtol=1e-3)
    np.testing.assert_allclose(other.coefs.toarray() * units / 1e6, one.coefs.toarray(), atol=1e-3)


def test_a_vanishing_power_is_the_plain_elastic_net():
    data = cases.data("tall")
    plain, flat = (jaxnet.sweep(data.X, data.y, cv=3, adaptive=a, **GRID, **TIGHT) for a in (None, Adaptive(1e-9)))
    assert plain.options.adaptive_weights is None
    np.testing.assert_allclose(flat.options.adaptive_weights, 1, atol=1e-7)
    np.testing.assert_allclose(flat.fold_coefs.toarray(), plain.fold_coefs.toarray(), atol=1e-4)


def test_each_response_has_weights_of_its_own():
    data = cases.data("tall")
    Y = np.stack([data.y, data.X[:, 3] - data.y], axis=1)
    options = {"cv": 3, "adaptive": Adaptive(alpha=0.05), **GRID, **TIGHT}
    both = jaxnet.sweep(data.X, Y, **options)
    assert both.options.adaptive_weights.shape == (2, 12)
    for j in range(2):
        alone = jaxnet.sweep(data.X, Y[:, j], **options)
        np.testing.assert_allclose(both.options.adaptive_weights[j], alone.options.adaptive_weights, rtol=1e-3)
        np.testing.assert_allclose(both.errors[j], alone.errors, rtol=1e-3)


def test_grid_starts_where_the_weighted_coefficients_are_zero():
    data = cases.data("tall")
    result = jaxnet.sweep(data.X, data.y, rho=[0.4, 1.0], alphas=30, cv=None, adaptive=Adaptive(cv=3), tol=1e-9)
    assert np.all(result.nonzeros[:, 0] == 0) and np.all(result.nonzeros[:, 2] > 0)


def test_degrees_of_freedom_know_that_the_ridge_is_not_weighted():
    data = cases.data("tall")
    result = jaxnet.fit_path(data.X, data.y, **GRID, adaptive=Adaptive(alpha=0.05), tol=1e-12)
    df, X = result.criteria(data.X, data.y).df, data.X - data.X.mean(axis=0)
    for (i, k), alpha in np.ndenumerate(result.alphas):
        A = X[:, result.coef_at(i, k) != 0]
        ridge = len(X) * alpha * (1 - result.rho[i]) * np.eye(A.shape[1])
        assert df[i, k] == pytest.approx(1 + np.trace(A @ np.linalg.solve(A.T @ A + ridge, A.T)), abs=1e-9)


def test_progress_counts_the_first_fits_too():
    data, calls = cases.data("tall"), []
    jaxnet.sweep(data.X, data.y, cv=3, adaptive=Adaptive(cv=3), progress=lambda *call: calls.append(call), **GRID)
    done, total = zip(*calls, strict=True)
    assert set(total) == {4 * 4 * 50 + 4 * 6} and list(done) == sorted(done) and done[-1] == total[-1]


def test_first_fits_that_miss_tol_are_reported():
    data = cases.data("correlated")
    with pytest.warns(jaxnet.ConvergenceWarning) as caught:
        jaxnet.sweep(data.X, data.y, cv=3, tol=1e-13, max_iter=2, adaptive=Adaptive(alpha=0.01), **GRID)
    (said,) = caught
    for part in ("4 of the 4 first fits of adaptive missed tol=1e-13", "24 of 24 fits missed tol=1e-13"):
        assert part in str(said.message)
    assert said.filename == __file__


@pytest.mark.parametrize("name", ["ElasticNetCV", "LassoCV"])
def test_estimators_take_it(name, tmp_path):
    data = cases.data("tall")
    model = getattr(jaxnet, name)(alphas=7, cv=3, tol=1e-8, adaptive=Adaptive(cv=3)).fit(data.X, data.y)
    rho = 0.5 if name == "ElasticNetCV" else 1.0
    result = jaxnet.sweep(
        data.X, data.y, rho=rho, alphas=7, alpha_min_ratio=1e-3, cv=3, tol=1e-8, max_iter=1000, adaptive=Adaptive(cv=3)
    )
    best = result.best()
    assert model.alpha_ == best.alpha and not hasattr(model, "blend_")
    np.testing.assert_array_equal(model.mse_path_, result.errors[0])
    np.testing.assert_array_equal(model.coef_, best.coef)
    jaxnet.save(model, tmp_path / "model.jaxnet")
    twin = jaxnet.load(tmp_path / "model.jaxnet")
    assert twin.adaptive == Adaptive(cv=3) and np.array_equal(twin.predict(data.X), model.predict(data.X))


WRONG = {
    "not Adaptive": ({"adaptive": 1.0}, r"adaptive=1.0 must be None, or jaxnet.Adaptive\(\)"),
    "gamma": ({"adaptive": Adaptive(gamma=0)}, "gamma=0 of Adaptive must be a positive number"),
    "gamma text": ({"adaptive": Adaptive(gamma="one")}, "gamma='one' of Adaptive"),
    "rho": ({"adaptive": Adaptive(rho=1.5)}, r"rho=1.5 of Adaptive must be in \[0, 1\]"),
    "alpha": ({"adaptive": Adaptive(alpha=-1)}, "alpha=-1 of Adaptive must be a finite number of at least 0, or None"),
    "no folds": ({"adaptive": Adaptive(cv=None)}, "cv=None of Adaptive must be a number of folds or an object"),
    "pairs": ({"adaptive": Adaptive(cv=[([0], [1])])}, r"cv=\[\(\[0\], \[1\]\)\] of Adaptive"),
    "text folds": ({"adaptive": Adaptive(cv="five")}, "cv='five' of Adaptive"),
    "one fold": ({"adaptive": Adaptive(cv=1)}, "first fit to all rows by inner folds: cv=1"),
    "too many folds": (
        {"adaptive": Adaptive(cv=30), "cv": [(np.arange(20), np.arange(20, 40))]},
        "first fit to the training rows of fold 0 by inner folds: cv=30 folds need .* X has 20; .* give Adaptive an alpha",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_named(name):
    changes, pattern = WRONG[name]
    data = cases.data("tall")
    with pytest.raises(InvalidInput, match=pattern):
        jaxnet.sweep(data.X, data.y, **{"cv": 3, **GRID, **changes})
