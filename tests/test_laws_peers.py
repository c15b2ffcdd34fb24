"""jaxnet against R glmnet, scikit-learn and closed forms, on the same problems."""

import cases
import frozen_glmnet
import numpy as np
import oracles
import pytest
from checks import Request, audit
from sklearn import linear_model, model_selection, preprocessing
from sklearn.datasets import load_diabetes
from sklearn.pipeline import make_pipeline

import jaxnet

TOL = 1e-10


def _options(problem) -> dict:
    bounds = {k: None if np.all(np.isinf(getattr(problem, k))) else getattr(problem, k) for k in ("lower", "upper")}
    return {
        "sample_weight": problem.weights,
        "penalty_factor": problem.factors,
        "fit_intercept": problem.intercept,
        "standardize": problem.standardize,
        "tol": TOL,
        **bounds,
    }


@pytest.mark.parametrize("name", frozen_glmnet.names())
def test_path_is_glmnets(name):
    """Frozen R fits, mapped: agreement within what glmnet's gap and ours allow, and in plain sight (1e-4)."""
    case = frozen_glmnet.load(name)
    problem = case.problem
    result = jaxnet.fit_path(problem.X, problem.y, rho=[case.rho, 1.0], alphas=case.alphas, **_options(problem))
    audit(result, Request(problem.X, problem.y, [], _options(problem)))
    for k, (alpha, coef, intercept) in enumerate(zip(case.alphas, case.coefs, case.intercepts, strict=True)):
        here = problem.at(alpha, case.rho)
        theirs = oracles.judge(here, coef, intercept)
        limit = oracles.bounds_between(here, theirs.gap, TOL * here.null)
        assert oracles.distance(here, result.coef_at(0, k), coef) <= limit
        np.testing.assert_allclose(result.coef_at(0, k), coef, atol=2e-4)
        assert result.intercepts[0, k] == pytest.approx(intercept, abs=2e-4)


@pytest.mark.parametrize("name", [name for name in frozen_glmnet.names() if frozen_glmnet.load(name).cv is not None])
def test_cross_validation_is_glmnets(name):
    """cv.glmnet on a given foldid: mean error, its standard error (weighted by fold), lambda.min and lambda.1se."""
    case = frozen_glmnet.load(name)
    problem = case.problem
    options = _options(problem)
    options["fold_average"] = "rows"
    result = jaxnet.sweep(problem.X, problem.y, rho=1.0, alphas=case.alphas, cv=list(case.folds), **options)
    mean, se, is_min, is_1se = case.cv.T
    np.testing.assert_allclose(result.error_mean[0], mean, rtol=1e-4)
    np.testing.assert_allclose(result.error_se[0], se, rtol=1e-4)
    assert result.best().alpha == pytest.approx(case.alphas[is_min == 1][0])
    assert result.best("1se").alpha == pytest.approx(case.alphas[is_1se == 1][0])


@pytest.mark.parametrize("weighted", [False, True])
def test_the_largest_alpha_within_one_standard_error_is_lambda_1se(weighted):
    """Of each rho, on folds of 5 to 18 rows; the fewest nonzeros are not always there."""
    fewest = 0
    for cases_of_one in frozen_glmnet.choices(weighted):
        case, alphas = cases_of_one[0], np.stack([case.alphas for case in cases_of_one])
        how = {"cv": list(case.folds), "sample_weight": case.weights, "fold_average": "rows", "tol": TOL}
        result = jaxnet.sweep(case.X, case.y, rho=[case.rho for case in cases_of_one], alphas=alphas, **how)
        least, fits = result.best_per_rho("min"), result.best_per_rho("1se", simplest="alpha")
        for i, case in enumerate(cases_of_one):
            np.testing.assert_allclose(result.error_mean[i], case.mean, rtol=1e-5)
            np.testing.assert_allclose(
                result.error_se[i], case.se, atol=1e-5 * case.mean.min()
            )  # of errors as close as that
            assert (least[i].index, fits[i].index) == ((i, case.least), (i, case.simplest))
            assert (fits[i].rule, fits[i].simplest) == ("1se", "alpha")
            fewest += result.best_per_rho("1se")[i].index != fits[i].index
    assert fewest >= 2


def test_convert_penalty_is_the_map_the_frozen_results_need():
    case = frozen_glmnet.load("weighted")
    lam, a = frozen_glmnet._archive()["tall/lambda"], 0.6
    alpha, rho = jaxnet.convert_penalty(
        lam, a, from_="glmnet", to="sklearn", y=case.problem.y, sample_weight=case.problem.weights
    )
    np.testing.assert_allclose(alpha, case.alphas, rtol=1e-12)
    np.testing.assert_allclose(rho, case.rho, rtol=1e-12)
    back = jaxnet.convert_penalty(
        alpha, rho, from_="sklearn", to="glmnet", y=case.problem.y, sample_weight=case.problem.weights
    )
    np.testing.assert_allclose(back[0], lam, rtol=1e-12)
    np.testing.assert_allclose(back[1], a, rtol=1e-12)


@pytest.mark.parametrize("name", ["tall", "wide", "diabetes"])
def test_path_is_scikit_learns(name):
    """Coefficients match scikit-learn at tol 1e-12 within what the gap allows."""
    data = cases.data(name)
    request = Request(data.X, data.y, [], {"tol": TOL})
    result = jaxnet.fit_path(data.X, data.y, rho=[0.1, 0.9], alphas=6, tol=TOL)
    for i, k in np.ndindex(result.alphas.shape):
        problem = request.problem(result.alphas[i, k], result.rho[i])
        coef, intercept = oracles.sklearn_fit(problem)
        gap = oracles.judge(problem, coef, intercept).gap
        apart = oracles.distance(problem, result.coef_at(i, k), coef)
        assert apart <= oracles.bounds_between(problem, gap, (TOL + 1e-14) * problem.null)
        if name != "wide":
            np.testing.assert_allclose(
                result.coef_at(i, k), coef, atol=1e-4 * np.max(abs(coef), initial=1e-300) + 1e-12
            )
            assert result.intercepts[i, k] == pytest.approx(intercept, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("penalty", ["no_intercept", "positive"])
def test_options_are_scikit_learns(penalty):
    data, w = cases.data("tall"), cases.weights(cases.TALL[0])
    options = {**cases.PENALTIES[penalty](12), "sample_weight": w, "tol": TOL}
    result = jaxnet.fit_path(data.X, data.y, rho=[0.5, 0.9], alphas=6, **options)
    request = Request(data.X, data.y, [], options)
    for k in range(6):
        coef, intercept = oracles.sklearn_fit(request.problem(result.alphas[0, k], 0.5))
        np.testing.assert_allclose(result.coef_at(0, k), coef, atol=2e-5)
        assert result.intercepts[0, k] == pytest.approx(intercept, abs=1e-4)


@pytest.mark.parametrize("weighted", [False, True])
def test_standardize_is_scikit_learns_pipeline(weighted):
    """StandardScaler with the weights, then ElasticNet; coefficients come back on the original scale."""
    data = cases.data("unequal_scales")
    w = cases.weights(len(data.y)) if weighted else None
    result = jaxnet.fit_path(data.X, data.y, rho=[0.5, 0.9], alphas=6, standardize=True, sample_weight=w, tol=TOL)
    for k, alpha in enumerate(result.alphas[0]):
        scaler = preprocessing.StandardScaler().fit(data.X, sample_weight=w)
        model = linear_model.ElasticNet(alpha=alpha, l1_ratio=0.5, tol=1e-12, max_iter=10**6)
        model.fit(scaler.transform(data.X), data.y, sample_weight=w)
        coef = model.coef_ / scaler.scale_
        np.testing.assert_allclose(result.coef_at(0, k) * scaler.scale_, model.coef_, atol=2e-5)
        assert result.intercepts[0, k] == pytest.approx(model.intercept_ - scaler.mean_ @ coef, abs=1e-3)


def test_standardize_within_folds_is_a_pipeline_within_folds():
    """Each fold's scales come from its own training rows, as cross-validating a pipeline gives."""
    data = cases.data("unequal_scales")
    folds = model_selection.KFold(3)
    result = jaxnet.sweep(data.X, data.y, rho=[0.5, 0.9], alphas=4, cv=folds, standardize=True, tol=TOL)
    for k, alpha in enumerate(result.alphas[0]):
        model = linear_model.ElasticNet(alpha=alpha, l1_ratio=0.5, tol=1e-12, max_iter=10**6)
        pipeline = make_pipeline(preprocessing.StandardScaler(), model)
        scores = model_selection.cross_val_score(pipeline, data.X, data.y, cv=folds, scoring="neg_mean_squared_error")
        np.testing.assert_allclose(result.errors[0, k], -scores, rtol=1e-4)


@pytest.mark.parametrize("intercept", [True, False])
@pytest.mark.parametrize("free", [[], [5]])
def test_ridge_is_the_closed_form(intercept, free):
    """rho = 0, with unpenalised columns: (A'WA + alpha diag v)^-1 A'Wy."""
    data, w = cases.data("tall"), cases.weights(cases.TALL[0])
    v = np.linspace(0.5, 2, 12)
    v[free] = 0
    alphas = np.array([10.0, 1.0, 0.1, 1e-3])
    result = jaxnet.fit_path(
        data.X, data.y, rho=0.0, alphas=alphas, sample_weight=w, penalty_factor=v, fit_intercept=intercept, tol=1e-10
    )
    share = w / w.sum()
    A = data.X - intercept * (share @ data.X)
    z = data.y - intercept * (share @ data.y)
    for k, alpha in enumerate(alphas):
        b = np.linalg.solve(A.T @ (share[:, None] * A) + alpha * np.diag(v), A.T @ (share * z))
        np.testing.assert_allclose(result.coef_at(0, k), b, atol=1e-4)
    audit(
        result,
        Request(
            data.X, data.y, [], {"sample_weight": w, "penalty_factor": v, "fit_intercept": intercept, "tol": 1e-10}
        ),
    )


def test_penalty_factor_zero_is_least_squares_on_that_column():
    """At a huge alpha only the unpenalised columns are left, and they are fitted by least squares."""
    data = cases.data("tall")
    v = np.ones(12)
    v[4] = 0
    result = jaxnet.fit_path(data.X, data.y, rho=[0.0, 0.5, 1.0], alphas=[1e12], penalty_factor=v, tol=TOL)
    for i in range(3):
        expected = np.linalg.lstsq(np.c_[np.ones(40), data.X[:, [4]]], data.y, rcond=None)[0]
        np.testing.assert_allclose(result.coef_at(i, 0)[4], expected[1], rtol=1e-6)
        assert result.intercepts[i, 0] == pytest.approx(expected[0], rel=1e-6)
        np.testing.assert_allclose(np.delete(result.coef_at(i, 0), 4), 0, atol=1e-6)


def test_all_columns_unpenalised_is_least_squares():
    data = cases.data("tall")
    result = jaxnet.sweep(data.X, data.y, rho=[0.5, 1.0], alphas=[1.0, 0.1], penalty_factor=np.zeros(12), cv=3, tol=TOL)
    expected = np.linalg.lstsq(np.c_[np.ones(40), data.X], data.y, rcond=None)[0]
    for i, k in np.ndindex(2, 2):
        np.testing.assert_allclose(result.coef_at(i, k), expected[1:], rtol=1e-6)
    assert result.converged


@pytest.mark.parametrize("penalty", ["plain", "no_intercept", "standardized", "positive", "factors", "bounds"])
@pytest.mark.parametrize("name", ["tall", "wide"])
def test_alpha_grid_starts_where_zeros_end(name, penalty):
    data = cases.data(name)
    n, p = data.X.shape
    options = {**cases.PENALTIES[penalty](p), "sample_weight": cases.weights(n)}
    result = jaxnet.fit_path(data.X, data.y, rho=[0.2, 1.0], alphas=5, **options)
    request = Request(data.X, data.y, [], options)
    v = np.ones(p) if "penalty_factor" not in options else options["penalty_factor"]
    for i, rho in enumerate([0.2, 1.0]):
        top = float(oracles.alpha_max(request.problem(1.0, rho), rho))
        np.testing.assert_allclose(result.alphas[i], top * np.geomspace(1, 1e-2 if n < p else 1e-3, 5), rtol=1e-9)
        assert not np.any(result.coef_at(i, 0)[v > 0])
        around = [[2 * top, 0.999 * top]] * 2
        sparse = jaxnet.fit_path(data.X, data.y, rho=[rho, rho], alphas=around, tol=TOL, **options)
        above, below = sparse.nonzeros[0]
        assert above == np.sum(v == 0) and below > above


def test_alpha_min_ratio_is_obeyed():
    data = cases.data("tall")
    result = jaxnet.fit_path(data.X, data.y, rho=[0.3, 0.6], alphas=4, alpha_min_ratio=0.25)
    np.testing.assert_allclose(result.alphas / result.alphas[:, :1], [0.25 ** (np.arange(4) / 3)] * 2, rtol=1e-12)


@pytest.mark.parametrize("intercept", [True, False])
def test_alpha_grid_is_scikit_learns(intercept):
    X, y = load_diabetes(return_X_y=True)
    result = jaxnet.fit_path(X, y, rho=[0.5, 1.0], alphas=6, fit_intercept=intercept)
    for i, rho in enumerate((0.5, 1.0)):
        model = linear_model.ElasticNetCV(l1_ratio=rho, alphas=6, eps=1e-3, cv=3, fit_intercept=intercept).fit(X, y)
        np.testing.assert_allclose(result.alphas[i], model.alphas_, rtol=1e-10)


def test_alphas_may_differ_per_rho():
    data = cases.data("tall")
    alphas = np.array([[0.5, 0.2, 0.1, 0.03], [3.0, 0.3, 0.2, 0.01]])
    options = {"tol": 1e-8}
    folds = cases.RESAMPLINGS["three_parts"](40)
    result = jaxnet.sweep(data.X, data.y, rho=[0.2, 0.9], alphas=alphas, cv=folds, keep_fold_coefs=True, **options)
    np.testing.assert_array_equal(result.alphas, alphas)
    audit(result, Request(data.X, data.y, folds, options))


def _generated():
    """300 x 5,000 in miniature: correlated modules, sparse signal; wide, so that the choice is not at the edge."""
    rng = np.random.default_rng(42)
    X = np.repeat(rng.normal(size=(40, 12)), 5, axis=1) + rng.normal(size=(40, 60))
    return X, X[:, ::10] @ rng.choice([-1.0, 1.0], 6) + 2 * rng.normal(size=40)


@pytest.mark.parametrize("name", ["diabetes", "generated"])
def test_selection_is_scikit_learns(name):
    """The same (alpha, rho) as ElasticNetCV on the same folds, and the same errors."""
    X, y = load_diabetes(return_X_y=True) if name == "diabetes" else _generated()
    rhos, folds = [0.1, 0.5, 0.9, 1.0], model_selection.KFold(5, shuffle=True, random_state=0)
    model = linear_model.ElasticNetCV(
        l1_ratio=rhos, alphas=25, eps=1e-3 if len(y) > X.shape[1] else 1e-2, cv=folds, tol=1e-9, max_iter=10**6
    ).fit(X, y)
    result = jaxnet.sweep(X, y, rho=rhos, alphas=25, cv=folds, tol=1e-8)
    np.testing.assert_allclose(result.errors, model.mse_path_, rtol=2e-3)
    best = result.best()
    assert (best.alpha, best.rho) == (pytest.approx(model.alpha_, rel=1e-9), model.l1_ratio_)
    np.testing.assert_allclose(result.predict(X), model.predict(X), atol=2e-3 * np.std(y))
    assert best.cv_error == pytest.approx(np.min(model.mse_path_.mean(axis=-1)), rel=1e-2)
