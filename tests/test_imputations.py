"""Sweeps over several fillings: what each way to pool them minimises, and what is said of the coefficients."""

import numpy as np
import pytest
from sklearn.linear_model import ElasticNet, LinearRegression

import jaxnet
from jaxnet import InvalidInput, MultipleFill, pooled_coefficients

POOLS = ("average", "stacked", "grouped")
EVERY = pytest.mark.parametrize("pool", POOLS)
FOLDS = jaxnet.KFold(3)
GRID = {"rho": (0.5, 1.0), "alphas": [0.5, 0.1], "cv": FOLDS, "tol": 1e-9, "max_iter": 100_000}


def table(seed=0, n=45, p=6, share=0.2):
    """Columns that say something of each other, with holes, and y."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 2)) @ rng.normal(size=(2, p)) + 0.5 * rng.normal(size=(n, p))
    y = X[:, :2] @ [1.0, -2.0] + 0.5 * rng.normal(size=n)
    return np.where(rng.random((n, p)) < share, np.nan, X), X, y


def parts(n):
    return [(np.setdiff1d(np.arange(n), test), test) for test in np.array_split(np.arange(n), FOLDS.n_splits)]


@EVERY
def test_nothing_missing_gives_the_plain_sweep(pool):
    _, X, y = table()
    plain = jaxnet.sweep(X, y, **GRID)
    found = jaxnet.sweep(X, y, **GRID, missing=MultipleFill(m=3, pool=pool))
    np.testing.assert_allclose(found.coefs.toarray(), plain.coefs.toarray(), atol=1e-4)
    np.testing.assert_allclose(found.errors, plain.errors, rtol=1e-4)
    assert found.converged


@pytest.mark.parametrize("metric", ["mse", "mae"])
@EVERY
def test_held_out_errors_are_those_of_new_rows(pool, metric):
    holes, _, y = table()
    fill = MultipleFill(m=3, pool=pool)
    found = jaxnet.sweep(holes, y, **GRID, missing=fill, keep_fold_coefs=True, metric=metric)
    for fold, (train, test) in enumerate(parts(len(y))):
        rows = jaxnet.prepare(holes[train], missing=fill).transform(holes[test])
        for i, k in np.ndindex(2, 2):
            coef = found.fold_coefs.row((i * 2 + k) * 3 + fold)
            residual = y[test] - rows @ coef - found.fold_intercepts[i, k, fold]
            expected = np.mean(residual**2) if metric == "mse" else np.mean(np.abs(residual))
            assert found.errors[i, k, fold] == pytest.approx(expected, rel=1e-9)


def test_average_is_the_mean_of_the_fits_to_each_filling():
    holes, _, y = table()
    found = jaxnet.sweep(holes, y, **GRID, missing=MultipleFill(m=3))
    fillings = found.preparation.fillings(holes)
    for i, k in np.ndindex(2, 2):
        each = found.imputations.at(i, k)
        for X, coef in zip(fillings, each, strict=True):
            oracle = ElasticNet(alpha=found.alphas[i, k], l1_ratio=found.rho[i], tol=1e-12, max_iter=10**5).fit(X, y)
            np.testing.assert_allclose(coef, oracle.coef_, atol=1e-4)
        np.testing.assert_allclose(found.coef_at(i, k), each.mean(axis=0), atol=1e-12)
    assert len(np.unique(fillings[:, np.isnan(holes)][:, 0])) == 3  # and the fillings differ


def test_stacked_is_one_fit_to_all_fillings_weighted_by_what_is_observed():
    holes, _, y = table()
    found = jaxnet.sweep(holes, y, **GRID, missing=MultipleFill(m=3, pool="stacked"))
    X = np.concatenate(found.preparation.fillings(holes))
    weights = np.tile(1 - np.isnan(holes).mean(axis=1), 3)
    for i, k in np.ndindex(2, 2):
        oracle = ElasticNet(alpha=found.alphas[i, k], l1_ratio=found.rho[i], tol=1e-12, max_iter=10**5)
        oracle.fit(X, np.tile(y, 3), sample_weight=weights)
        np.testing.assert_allclose(found.coef_at(i, k), oracle.coef_, atol=1e-4)
    assert found.imputations is None and found.preparation.rows == len(y)


def refitted(X, y, coef, weights=None):
    """Least squares on the support of some coefficients."""
    at = np.flatnonzero(coef)
    full = np.zeros(X.shape[1])
    full[at] = LinearRegression().fit(X[:, at], y, sample_weight=weights).coef_ if len(at) else 0.0
    return full


def test_relaxed_fits_to_several_fillings_are_averaged():
    """Every filling is refitted on the support of its own fit; what is averaged are the blends."""
    holes, _, y = table()
    how = {**GRID, "missing": MultipleFill(m=3), "keep_fold_coefs": True}
    plain, found = jaxnet.sweep(holes, y, **how), jaxnet.sweep(holes, y, relax=(1.0, 0.3), **how)
    assert found.blend.tolist() == [1.0, 0.3] * 2
    for i, k in np.ndindex(2, 2):
        np.testing.assert_allclose(found.coef_at(2 * i, k), plain.coef_at(i, k), atol=1e-12)
        fits = zip(plain.preparation.fillings(holes), plain.imputations.at(i, k), strict=True)
        expected = [0.3 * coef + 0.7 * refitted(X, y, coef) for X, coef in fits]
        np.testing.assert_allclose(found.imputations.at(2 * i + 1, k), expected, atol=1e-9)
        np.testing.assert_allclose(found.coef_at(2 * i + 1, k), np.mean(expected, axis=0), atol=1e-9)
    np.testing.assert_allclose(found.errors[::2], plain.errors, rtol=1e-9)
    for fold, (train, test) in enumerate(parts(len(y))):
        rows = jaxnet.prepare(holes[train], missing=MultipleFill(m=3)).transform(holes[test])
        residual = y[test] - rows @ found.fold_coefs.row((1 * 2 + 1) * 3 + fold) - found.fold_intercepts[1, 1, fold]
        assert found.errors[1, 1, fold] == pytest.approx(np.mean(residual**2), rel=1e-9)


def test_stacked_fillings_are_relaxed_and_weighted_as_rows():
    holes, _, y = table()
    how = {**GRID, "missing": MultipleFill(m=3, pool="stacked")}
    plain = jaxnet.sweep(holes, y, **how)
    found = jaxnet.sweep(holes, y, relax=0.0, **how)
    X, weights = np.concatenate(plain.preparation.fillings(holes)), np.tile(1 - np.isnan(holes).mean(axis=1), 3)
    for i, k in np.ndindex(2, 2):
        expected = refitted(X, np.tile(y, 3), plain.coef_at(i, k), weights)
        np.testing.assert_allclose(found.coef_at(i, k), expected, atol=1e-9)
    first = jaxnet.fit_path(holes, y, rho=0.5, alphas=[0.2], tol=1e-12, missing=how["missing"])
    adaptive = jaxnet.sweep(holes, y, adaptive=jaxnet.Adaptive(alpha=0.2, rho=0.5), **{**how, "rho": 1.0})
    size = abs(first.coef_at(0, 0)) / np.sqrt(np.cov(np.tile(y, 3), aweights=weights, ddof=0))
    ratio = adaptive.options.adaptive_weights * (size + 1 / (3 * len(y)))
    np.testing.assert_allclose(ratio, ratio[0], rtol=1e-3)


def test_grouped_has_one_support():
    holes, _, y = table()
    found = jaxnet.sweep(holes, y, rho=1.0, alphas=8, cv=None, missing=MultipleFill(m=3, pool="grouped"))
    counts = [np.count_nonzero(found.imputations.at(0, k), axis=0) for k in range(8)]
    assert set(np.unique(counts)) == {0, 3}
    assert np.any((np.sum(np.array(counts) > 0, axis=1) > 0) & (np.sum(np.array(counts) > 0, axis=1) < 6))


@EVERY
def test_each_response_is_fitted_as_if_it_were_alone(pool):
    holes, X, y = table()
    Y = np.stack([y, X[:, 2] + y], axis=1)
    how = {**GRID, "missing": MultipleFill(m=2, pool=pool)}
    both = jaxnet.sweep(holes, Y, **how)
    for j in range(2):
        alone = jaxnet.sweep(holes, Y[:, j], **how)
        np.testing.assert_allclose(both.errors[j], alone.errors, rtol=1e-5)
        np.testing.assert_allclose(both.coef_at(0, 1, j), alone.coef_at(0, 1), atol=1e-5)
    assert both.predict(holes).shape == Y.shape


@EVERY
def test_weights_and_indicators_go_with_several_fillings(pool):
    holes, _, y = table()
    w = np.ones(len(y))
    w[::4] = 0.0
    missing = jaxnet.Missing(MultipleFill(m=2, pool=pool), indicators=True)
    how = {"rho": 0.5, "alphas": [0.1], "cv": None, "tol": 1e-9, "missing": missing}
    weighted = jaxnet.sweep(holes, y, sample_weight=w, **how)
    dropped = jaxnet.sweep(holes[w > 0], y[w > 0], **how)
    np.testing.assert_allclose(weighted.coef_at(0, 0), dropped.coef_at(0, 0), atol=1e-6)
    assert weighted.n_features == 12


def test_pooled_coefficients_are_rubins_figures_of_least_squares():
    """With next to no penalty the variances are those of ordinary least squares."""
    holes, _, y = table(n=60)
    found = jaxnet.sweep(holes, y, rho=0.5, alphas=[1e-9], cv=FOLDS, tol=1e-10, missing=MultipleFill(m=4))
    pooled = pooled_coefficients(found, holes, y)
    estimates, variances = [], []
    for X in found.preparation.fillings(holes):
        A = np.column_stack([np.ones(len(y)), X])
        coef, rss, *_ = np.linalg.lstsq(A, y, rcond=None)
        estimates.append(coef[1:])
        variances.append((rss[0] / (len(y) - 7) * np.diag(np.linalg.inv(A.T @ A)))[1:])
    at, m = pooled.columns, 4
    np.testing.assert_allclose(pooled.coef, np.mean(estimates, axis=0)[at], rtol=1e-4)
    np.testing.assert_allclose(pooled.between, np.var(estimates, axis=0, ddof=1)[at], rtol=1e-3)
    np.testing.assert_allclose(pooled.within, np.mean(variances, axis=0)[at], rtol=1e-3)
    np.testing.assert_allclose(pooled.total, pooled.within + (1 + 1 / m) * pooled.between)
    assert set(pooled.frequency) == {1.0} and ((pooled.missing_share > 0) & (pooled.missing_share < 1)).all()


def test_pooled_coefficients_tell_how_often_a_column_is_selected():
    holes, _, y = table()
    found = jaxnet.sweep(holes, y, rho=1.0, alphas=20, missing=MultipleFill(m=5))
    pooled = pooled_coefficients(found)
    each = found.imputations.at(*found.best().index)
    assert pooled.within is None and pooled.total is None
    np.testing.assert_allclose(pooled.frequency, (each != 0).mean(axis=0)[pooled.columns])
    assert (np.diff(pooled.frequency) <= 0).all() and len(pooled.rows()) == len(pooled.columns)


def test_what_several_fillings_are_not_made_for_is_refused():
    holes, X, y = table()
    sweep = lambda pool="average", **how: jaxnet.sweep(holes, y, alphas=2, missing=MultipleFill(m=2, pool=pool), **how)
    for pool, adaptive in ((POOLS[0], jaxnet.Adaptive(alpha=0.1)), (POOLS[1], jaxnet.Adaptive())):
        with pytest.raises(InvalidInput, match="adaptive would have weights of its own for every filling"):
            sweep(pool, adaptive=adaptive)
    with pytest.raises(InvalidInput, match="relax is not for pool='grouped'"):
        sweep("grouped", relax=(1.0, 0.0))
    with pytest.raises(InvalidInput, match="variances are of penalised fits"):
        pooled_coefficients(sweep(relax=0.5), holes, y)
    with pytest.raises(InvalidInput, match="lower and upper are not kept"):
        sweep("grouped", lower=0)
    with pytest.raises(InvalidInput, match="without a store"):
        sweep("grouped", store="runs.db")
    with pytest.raises(InvalidInput, match="has no fits to several fillings"):
        pooled_coefficients(jaxnet.sweep(X, y, alphas=2))
    with pytest.raises(InvalidInput, match="X and y go together"):
        pooled_coefficients(sweep(), holes)
    with pytest.raises(InvalidInput, match="There is one filling"):
        jaxnet.prepare(holes).fillings(holes)


@EVERY
def test_no_bit_of_a_fold_depends_on_its_held_out_rows(pool):
    """Values, holes and responses of held-out rows; the law of test_missing_sweep.py, for every way to pool."""
    holes, X, y = table()
    train, test = parts(len(y))[1]
    other, response = holes.copy(), y.copy()
    other[test], response[test] = np.where(np.isnan(holes[test]), X[test], np.nan)[:, ::-1], 3 * y[test] - 1
    other[test[0]] = X[test[0]] - 1
    how = {**GRID, "cv": [(train, test)], "missing": MultipleFill(m=2, pool=pool), "keep_fold_coefs": True, "tol": 1e-6}
    one, two = jaxnet.sweep(holes, y, **how), jaxnet.sweep(other, response, **how)
    np.testing.assert_array_equal(one.fold_coefs.toarray(), two.fold_coefs.toarray())
    np.testing.assert_array_equal(one.fold_intercepts, two.fold_intercepts)
    assert not np.array_equal(one.errors, two.errors) and not np.array_equal(one.coefs.toarray(), two.coefs.toarray())
