"""Rules that choose from a grid: against their definitions written out, on grids with ties, gaps and unknown errors."""

import cases
import numpy as np
import pytest

import jaxnet
from jaxnet import plots
from jaxnet.names import SEEKING, SIMPLEST
from jaxnet.selection.rules import RULES, Scores, choose

TOLERANCE = {  # rule: the largest error it accepts
    "min": lambda error, se, percent: error,
    "1se": lambda error, se, percent: error + se,
    "percent": lambda error, se, percent: error * (1 + percent / 100),
}


def _grid(seed: int) -> Scores:
    """Few distinct values, so that ties abound; a tenth of the errors is not known."""
    rng = np.random.default_rng(seed)
    mean = rng.integers(10, 16, (3, 7)) / 10.0
    mean[rng.random(mean.shape) < 0.1] = np.nan
    alphas = -np.sort(-rng.integers(1, 9, (3, 7)).astype(float), axis=1)
    return Scores(mean, rng.integers(0, 4, (3, 7)) / 10.0, rng.integers(1, 5, (3, 7)).astype(float), alphas)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", range(20))
def test_rule_chooses_the_simplest_of_what_it_accepts(rule, seed):
    scores, percent = _grid(seed), 10.0
    best = min((e, at) for at, e in np.ndenumerate(scores.mean) if e == e)
    limit = TOLERANCE[rule](best[0], scores.se[best[1]], percent)
    accepted = [at for at, e in np.ndenumerate(scores.mean) if e <= limit]
    key = lambda at: (scores.complexity[at], -scores.alphas[at], scores.mean[at], at)
    expected = best[1] if rule == "min" else min(accepted, key=key)
    assert choose(rule, scores, percent) == expected


@pytest.mark.parametrize("rule", sorted(SEEKING))
@pytest.mark.parametrize("seed", range(20))
def test_the_largest_alpha_is_of_the_row_of_the_least_error(rule, seed):
    scores, percent = _grid(seed)._replace(complexity=None), 10.0
    best = min((e, at) for at, e in np.ndenumerate(scores.mean) if e == e)
    limit, row = TOLERANCE[rule](best[0], scores.se[best[1]], percent), best[1][0]
    accepted = [k for k, e in enumerate(scores.mean[row]) if e <= limit]
    k = min(accepted, key=lambda k: (-scores.alphas[row, k], scores.mean[row, k], k))
    assert choose(rule, scores, percent) == (row, k)


@pytest.mark.parametrize("rule", RULES)
def test_one_point_and_no_standard_error_are_enough(rule):
    one = np.array([[0.5]])
    assert choose(rule, Scores(one, np.full_like(one, np.nan), one, one)) == (0, 0)


@pytest.fixture(scope="module")
def swept():
    data = cases.data("tall")
    return jaxnet.sweep(data.X, np.stack([data.y, data.X[:, 0] - data.y], axis=1), cv=3, **cases.GRID)


@pytest.mark.parametrize("rule", RULES)
def test_winners_per_rho_are_those_of_the_rows(rule, swept):
    fits = swept.best_per_rho(rule, percent=20)
    assert len(fits) == 2 and all([fit.rho for fit in of_one] == list(swept.rho) for of_one in fits)
    for j, i in np.ndindex(2, 2):
        row = Scores(*(x[j, i : i + 1] for x in (swept.error_mean, swept.error_se, swept.nonzeros, swept.alphas)))
        assert fits[j][i].index == (i, choose(rule, row, 20)[1])
        np.testing.assert_array_equal(fits[j][i].coef, swept.coef_at(*fits[j][i].index, j))
    overall = swept.best(rule, percent=20)
    if rule == "min":
        assert [fit.cv_error for fit in overall] == [min(fit.cv_error for fit in of_one) for of_one in fits]


def test_percent_widens_what_is_accepted(swept):
    counts = [[fit.nonzeros for fit in swept.best("percent", percent=x)] for x in (0, 10, 1e6)]
    assert np.all(np.diff(counts, axis=0) <= 0) and counts[0] <= [fit.nonzeros for fit in swept.best()]
    assert counts[-1] == swept.nonzeros.min(axis=(1, 2)).tolist()


@pytest.mark.parametrize("percent", [-1, np.nan, np.inf, "5", True, None])
def test_a_wrong_percentage_is_refused(percent, swept):
    with pytest.raises(jaxnet.InvalidInput, match=r"percent=.* at least 0"):
        swept.best("percent", percent=percent)


def test_every_call_that_chooses_goes_by_the_simplicity_asked_for():
    """And says so; on data where the three notions choose three fits."""
    X, y, result, criteria = _three_notions()
    how = {
        "df": {"simplest": "df", "criteria": criteria},
        "nonzeros": {"simplest": "nonzeros"},
        "alpha": {"simplest": "alpha"},
    }
    fits = {name: result.best("1se", **options) for name, options in how.items()}
    assert len({fit.index for fit in fits.values()}) == 3 and list(how) == list(SIMPLEST)
    assert result.best("1se").index == fits["nonzeros"].index
    assert result.best("1se", criteria=criteria).index == fits["df"].index
    assert result.best("1se", criteria=criteria, simplest="nonzeros").index == fits["nonzeros"].index
    for name, options in how.items():
        fit = fits[name]
        assert fit.simplest == name and f"simplest={name!r}" in repr(fit)
        np.testing.assert_array_equal(result.predict(X, "1se", **options), X @ fit.coef + fit.intercept)
        explained = result.explain(X, y, "1se", **options)
        assert explained.fit.index == fit.index and f"simplest={name!r}" in repr(explained)
        assert sorted(result.select(X, "1se", **options)) == np.flatnonzero(fit.coef).tolist()
        assert all(one.simplest == name for one in result.best_per_rho("1se", **options))
        assert result.best("min", **options).simplest is None  # it does not look for the simplest
    assert "simplest='nonzeros'" in repr(result)


def _three_notions():
    """Correlated columns and little rho: ridge-like fits have few degrees of freedom and many nonzeros."""
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, 12)) + rng.normal(size=(60, 1))
    y = X[:, :4].sum(axis=1) + 4 * rng.normal(size=60)
    result = jaxnet.sweep(X, y, rho=[0.05, 0.3, 1.0], alphas=30, cv=jaxnet.KFold(5, shuffle=True, seed=0))
    return X, y, result, result.criteria(X, y)


@pytest.mark.parametrize("rule", sorted(SEEKING))
def test_nested_goes_by_the_simplicity_asked_for(rule):
    data = cases.data("tall")
    outer = list(jaxnet.KFold(3, shuffle=True, seed=4).split(data.X))
    options = {"rho": [0.1, 1.0], "alphas": np.geomspace(3.0, 0.03, 12), "tol": 1e-8}
    places = {}
    for simplest in ("nonzeros", "alpha", None):
        how = {"rule": rule, "percent": 40, "simplest": simplest}
        found = jaxnet.nested_sweep(data.X, data.y, outer=outer, inner=4, **how, **options)
        places[simplest] = found.indices.tolist()
        assert found.simplest == (simplest or "nonzeros") and repr(found.simplest) in repr(found)
        for fold, (train, _) in enumerate(outer):
            alone = jaxnet.sweep(data.X[train], data.y[train], cv=4, **options)
            best = alone.best(rule, percent=40, simplest=found.simplest)
            assert best.index == tuple(places[simplest][fold])
    assert places["nonzeros"] == places[None] != places["alpha"]
    with pytest.raises(
        jaxnet.InvalidInput, match="simplest='df' needs degrees of freedom, which nested_sweep does not"
    ):
        jaxnet.nested_sweep(data.X, data.y, rule=rule, simplest="df", **options)


@pytest.mark.parametrize("simplest", ["lambda", 3, True, ""])
def test_another_simplicity_is_refused(simplest, swept):
    data = cases.data("tall")
    for refuse in (
        lambda: swept.best("1se", simplest=simplest),
        lambda: swept.best("min", simplest=simplest),
        lambda: swept.predict(data.X, simplest=simplest),
        lambda: swept.to_html("page.html", response=0, simplest=simplest),
        lambda: plots.cv_curve(swept, response=0, simplest=simplest),
        lambda: jaxnet.nested_sweep(data.X, data.y, simplest=simplest),
    ):
        with pytest.raises(
            jaxnet.InvalidInput, match=r"simplest=.* is not known; choose one of 'df', 'nonzeros', 'alpha'"
        ):
            refuse()


def test_degrees_of_freedom_need_the_data(swept):
    for refuse in (
        lambda: swept.best("1se", simplest="df"),
        lambda: plots.cv_map(swept, response=0, simplest="df"),
        lambda: swept.to_html("page.html", response=0, simplest="df"),
    ):
        with pytest.raises(jaxnet.InvalidInput, match="simplest='df' needs degrees of freedom, and the data for them"):
            refuse()
