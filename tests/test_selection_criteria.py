"""Degrees of freedom against the divergence of the fit; criteria against their formulas, scikit-learn and what they refuse."""

import math

import cases
import numpy as np
import pytest
from sklearn.linear_model import LassoLarsIC

import jaxnet
from jaxnet.selection.criteria import CRITERIA

GRID = {"rho": [0.0, 0.3, 0.8, 1.0], "alphas": [0.4, 0.1, 0.02]}
STEP = 2e-4  # fits are piecewise linear in y: what a step has to be is above the solver's accuracy and below a kink


def _divergence(X, y, options, weights) -> np.ndarray:
    """sum_i d yhat_i / d y_i by central differences: the 2 n moved responses are responses of one sweep."""
    n = len(y)
    Y = np.concatenate([y[:, None] + STEP * np.eye(n), y[:, None] - STEP * np.eye(n)], axis=1)
    Y[:, np.tile(weights, 2) == 0] = 0  # moved in a row that has no weight
    moved = jaxnet.fit_path(X, Y, **GRID, sample_weight=weights, **options, tol=1e-12)
    fitted = moved.coefs.toarray().reshape(*moved.alphas.shape, -1) @ X.T + moved.intercepts[..., None]
    own = np.stack([fitted[j, ..., j % n] for j in range(2 * n)])
    return np.sum((own[:n] - own[n:])[weights > 0] / (2 * STEP), axis=0)


@pytest.mark.parametrize("design", ["tall", "wide", "unequal_scales"])
@pytest.mark.parametrize("penalty", ["plain", "no_intercept", "everything"])
def test_degrees_of_freedom_are_the_divergence_of_the_fit(design, penalty):
    data = cases.data(design)
    X, y, weights = data.X, data.y / np.std(data.y), cases.weights(len(data.y))
    options = cases.PENALTIES[penalty](X.shape[1])
    result = jaxnet.fit_path(X, y, **GRID, sample_weight=weights, **options, tol=1e-12)
    df = result.criteria(X, y, sample_weight=weights).df
    off = np.abs(df - _divergence(X, y, options, weights))
    assert np.max(off) < 0.1 and np.median(off) < 1e-3  # fits with bounds are the least accurate
    assert np.all(df <= result.nonzeros + result.options.fit_intercept + 1e-9)
    assert np.max(result.nonzeros - df) > 0.5, "the ridge must show, or a count would have passed"


@pytest.mark.parametrize("design", ["correlated", "diabetes"])
def test_degrees_of_freedom_are_the_trace(design):
    """tr[X_A (X_A'X_A + n alpha (1 - rho) I)^-1 X_A'] + 1 as it is written, on centred columns."""
    data, grid = cases.data(design), {"rho": [0.2, 0.7], "alphas": 6}
    result = jaxnet.fit_path(data.X, data.y, **grid)
    df, X = result.criteria(data.X, data.y).df, data.X - data.X.mean(axis=0)
    for (i, k), alpha in np.ndenumerate(result.alphas):
        A = X[:, result.coef_at(i, k) != 0]
        ridge = len(X) * alpha * (1 - result.rho[i]) * np.eye(A.shape[1])
        assert df[i, k] == pytest.approx(1 + np.trace(A @ np.linalg.solve(A.T @ A + ridge, A.T)), abs=1e-9)


def test_degrees_of_freedom_of_the_lasso_are_a_rank():
    data = cases.data("duplicated_columns")
    result = jaxnet.fit_path(data.X, data.y, rho=[1.0, 0.0], alphas=[0.05, 1e-13])
    df = result.criteria(data.X, data.y).df
    assert df[0, 0] == 1 + np.linalg.matrix_rank(data.X[:, result.coef_at(0, 0) != 0])
    np.testing.assert_allclose(df[:, 1], 7, atol=1e-9)  # six different columns and the intercept


@pytest.mark.parametrize("name", cases.DEGENERATE)
def test_every_fit_has_criteria_or_a_reason(name):
    data = cases.data(name)
    result = jaxnet.fit_path(data.X, data.y, **cases.GRID)
    criteria = result.criteria(data.X, data.y)
    for rule in CRITERIA:
        np.testing.assert_array_equal(np.isfinite(getattr(criteria, rule)), criteria.reason == "")
    assert np.all((criteria.df >= 1 - 1e-9) & (criteria.df <= min(len(data.y), data.X.shape[1] + 1) + 1e-9))
    if data.constant_response:
        assert np.all(criteria.reason != "") and np.all(criteria.df >= 1)


@pytest.mark.parametrize("known", [None, 2.5])
def test_criteria_are_their_formulas(known):
    data, weights = cases.data("tall"), cases.weights(40)
    options = {**cases.PENALTIES["everything"](12), "sample_weight": weights}
    result = jaxnet.fit_path(data.X, data.y, **cases.GRID, **options)
    table = result.criteria(data.X, data.y, sample_weight=weights, noise_variance=known, gamma=0.7)
    n, penalised = np.count_nonzero(weights), options["penalty_factor"] > 0
    assert table.n == n and len(table.rows()) == 10
    for row, (i, k) in zip(table.rows(), np.ndindex(2, 5), strict=True):
        coef, df = result.coef_at(i, k), row["df"]
        rss = n * np.average((data.y - data.X @ coef - result.intercepts[i, k]) ** 2, weights=weights)
        misfit = n * math.log(rss / n) if known is None else n * math.log(2 * math.pi * known) + rss / known
        models = math.log(math.comb(penalised.sum(), np.count_nonzero(coef[penalised])))
        bic = misfit + math.log(n) * df
        expected = {"aic": misfit + 2 * df, "bic": bic, "ebic": bic + 2 * 0.7 * models, "rss": rss}
        expected["aicc"] = expected["aic"] + 2 * df * (df + 1) / (n - df - 1)
        assert {name: row[name] for name in expected} == pytest.approx(expected, rel=1e-9)
        assert (row["rho"], row["alpha"]) == (result.rho[i], result.alphas[i, k])


@pytest.mark.parametrize("criterion", ["aic", "bic"])
@pytest.mark.parametrize("design", ["tall", "diabetes"])
def test_criteria_are_scikit_learns_at_rho_1(design, criterion):
    """At its knots, taken from just above, where what enters is zero (what leaves is not yet); and with an intercept more."""
    data = cases.data(design)
    model = LassoLarsIC(criterion).fit(data.X, data.y)
    alphas = model.alphas_[model.alphas_ > 1e-6 * model.alphas_[0]]
    result = jaxnet.fit_path(data.X, data.y, rho=1.0, alphas=alphas * (1 + 1e-7), tol=1e-12)
    table = result.criteria(data.X, data.y, noise_variance="ols")
    assert table.noise_variance == pytest.approx(model.noise_variance_, rel=1e-9)
    cost = 2 if criterion == "aic" else math.log(len(data.y))
    off = getattr(table, criterion)[0] - cost - model.criterion_[: len(alphas)]
    np.testing.assert_allclose(np.minimum(abs(off), abs(off - cost)), 0, atol=1e-3)
    assert np.count_nonzero(off > cost / 2) <= 1
    assert result.best(criterion, criteria=table).alpha == pytest.approx(model.alpha_, rel=1e-6)


def test_weights_count_by_their_ratios_and_zeros_drop_rows():
    data, weights = cases.data("tall"), cases.weights(40)
    kept = weights > 0
    tables = []
    for X, y, w in (
        (data.X, data.y, weights),
        (data.X, data.y, 7 * weights),
        (data.X[kept], data.y[kept], weights[kept]),
    ):
        result = jaxnet.fit_path(X, y, **cases.GRID, sample_weight=w, tol=1e-10)
        tables.append(result.criteria(X, y, sample_weight=w))
    for name in (*CRITERIA, "df", "rss"):
        for other in tables[1:]:
            np.testing.assert_allclose(getattr(other, name), getattr(tables[0], name), rtol=1e-5)


def test_simplest_means_the_fewest_degrees_of_freedom():
    """A dense fit under a strong ridge is simpler than a lasso of fewer coefficients."""
    rng = np.random.default_rng(4)
    factor = rng.normal(size=40)
    X, y = factor[:, None] + rng.normal(size=(40, 12)), factor + 0.3 * rng.normal(size=40)
    result = jaxnet.sweep(X, y, rho=[0.05, 1.0], alphas=30, cv=5)
    criteria, best = result.criteria(X, y), result.best()
    for rule, limit in (("1se", best.cv_error + best.cv_se), ("percent", 1.4 * best.cv_error)):
        by_df, by_count = result.best(rule, percent=40, criteria=criteria), result.best(rule, percent=40)
        fewest = criteria.df[result.error_mean <= limit].min()
        assert criteria.df[by_df.index] == fewest < criteria.df[by_count.index] - 1
        assert by_df.nonzeros > by_count.nonzeros + 5


def test_criteria_choose_per_response_and_per_rho():
    data = cases.data("tall")
    Y = np.stack([data.y, data.X[:, 0] - data.y], axis=1)
    together = jaxnet.sweep(data.X, Y, cv=3, **cases.GRID)
    criteria = together.criteria(data.X, Y, noise_variance="cv")
    best, per_rho = together.best("bic", criteria=criteria), together.best_per_rho("bic", criteria=criteria)
    for j in range(2):
        assert criteria.bic[j][best[j].index] == criteria.bic[j].min()
        assert [fit.index[1] for fit in per_rho[j]] == criteria.bic[j].argmin(axis=1).tolist()
        at = (j, *together.best()[j].index)
        variance = criteria.rss[at] / (40 - criteria.df[at])
        assert criteria.noise_variance[j] == pytest.approx(variance, rel=1e-9)
    assert together.predict(data.X, "bic", criteria=criteria).shape == (40, 2)


def test_no_winner_where_the_fit_uses_up_the_rows():
    """Noise on many columns: residuals vanish, their logarithm falls without end, and every plain criterion with it."""
    rng = np.random.default_rng(3)
    X, y = rng.normal(size=(40, 400)), rng.normal(size=40)
    result = jaxnet.sweep(X, y, rho=1.0, alphas=60, alpha_min_ratio=1e-4, cv=5)
    table = result.criteria(X, y)
    used_up = table.df > 0.9 * 40
    assert used_up.any() and np.all(np.isnan(table.bic[used_up])) and np.all(np.isfinite(table.bic[~used_up]))
    assert all("degrees of freedom approach the 40 rows" in reason for reason in table.reason[used_up])
    for rule in ("aic", "bic"):
        with pytest.raises(jaxnet.InvalidInput, match=f"rule='{rule}'.* this is no minimum. Give .* noise_variance"):
            result.best(rule, criteria=table)
    assert result.best("ebic", criteria=result.criteria(X, y, gamma=1)).nonzeros <= 2
    assert result.best("bic", criteria=result.criteria(X, y, noise_variance="cv")).nonzeros <= 2
    with pytest.raises(
        jaxnet.InvalidInput, match=r"noise_variance='ols': least squares on 400 columns leaves nothing of 40"
    ):
        result.criteria(X, y, noise_variance="ols")


DATA = cases.data("tall")
WRONG = {
    "another y": ((DATA.X, DATA.y + 3), {}, "not what the sweep was fitted on"),
    "fewer columns": ((DATA.X[:, :5], DATA.y), {}, "X has 5 columns, but the sweep was fitted on 12"),
    "more responses": ((DATA.X, np.stack([DATA.y] * 2, axis=1)), {}, "y has shape"),
    "weights unasked for": ((DATA.X, DATA.y), {"sample_weight": np.ones(40)}, "had no sample weights"),
    "gamma": ((DATA.X, DATA.y), {"gamma": 2}, "gamma=2 must be"),
    "a negative variance": ((DATA.X, DATA.y), {"noise_variance": -1.0}, "noise_variance=-1.0 gives no positive"),
    "an unknown estimate": ((DATA.X, DATA.y), {"noise_variance": "mle"}, "noise_variance='mle' gives no"),
    "no folds": ((DATA.X, DATA.y), {"noise_variance": "cv"}, "no folds"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_refused(name):
    result = jaxnet.fit_path(DATA.X, DATA.y, **cases.GRID)
    arguments, options, message = WRONG[name]
    with pytest.raises(jaxnet.InvalidInput, match=message):
        result.criteria(*arguments, **options)


def test_a_criterion_needs_its_table():
    result = jaxnet.fit_path(DATA.X, DATA.y, **cases.GRID)
    for criteria, message in (
        (None, r"criteria=result.criteria\(X, y\)"),
        (3, "must be what"),
        (result.criteria(DATA.X, DATA.y), "other"),
    ):
        other = jaxnet.fit_path(DATA.X, DATA.y, rho=[0.3, 1.0], alphas=5)
        with pytest.raises(jaxnet.InvalidInput, match=message):
            other.best("bic", criteria=criteria)
