"""Nested cross-validation: a plain loop over outer folds, honest where there is nothing to find, and its folds in every form."""

import cases
import numpy as np
import pytest
from saved import nested
from sklearn import metrics as theirs
from sklearn import model_selection

import jaxnet

N = cases.TALL[0]
ALPHAS = np.geomspace(3.0, 0.03, 6)
FIXED = {"rho": [0.3, 1.0], "alphas": ALPHAS, "tol": 1e-9}
OUTER = jaxnet.KFold(3, shuffle=True, seed=4)


def loop(X, y, outer, inner, rule="min", weight=None, percent=5.0, **options):
    """The outer errors (F,) and choices (F, 2), one sweep per outer fold."""
    errors, chosen, promised = [], [], []
    metric = {"mse": theirs.mean_squared_error, "mae": theirs.mean_absolute_error}[options.get("metric", "mse")]
    for fold, (train, test) in enumerate(outer):
        w, v = (None, None) if weight is None else (weight[train], weight[test])
        own = inner[fold] if isinstance(inner, list) else inner
        result = jaxnet.sweep(X[train], y[train], cv=own, sample_weight=w, **{**FIXED, **options})
        best = result.best(rule, percent=percent)
        errors.append(metric(y[test], X[test] @ best.coef + best.intercept, sample_weight=v))
        chosen.append(best.index)
        promised.append(best.cv_error)
    return np.array(errors), np.array(chosen), np.array(promised)


@pytest.mark.parametrize(("weighted", "average"), [(False, "folds"), (True, "folds"), (True, "rows")])
@pytest.mark.parametrize("rule", ["min", "1se", "percent"])
def test_nested_is_a_loop_over_outer_folds(rule, weighted, average):
    data, w = cases.data("tall"), cases.weights(N) + 0.1 if weighted else None
    outer = list(OUTER.split(data.X))
    inner = jaxnet.KFold(3, shuffle=True, seed=1)
    found = jaxnet.nested_sweep(
        data.X, data.y, outer=OUTER, inner=inner, rule=rule, percent=30, sample_weight=w, fold_average=average, **FIXED
    )
    errors, chosen, promised = loop(data.X, data.y, outer, inner, rule, w, percent=30, fold_average=average)
    np.testing.assert_array_equal(found.indices, chosen)
    np.testing.assert_allclose(found.errors, errors, rtol=1e-3)
    np.testing.assert_allclose(found.inner_errors, promised, rtol=1e-3)
    np.testing.assert_array_equal(found.rho, np.array(FIXED["rho"])[chosen[:, 0]])
    np.testing.assert_array_equal(found.alphas, ALPHAS[chosen[:, 1]])
    v = np.ones(N) if w is None else w
    baseline = [
        np.average((data.y[test] - np.average(data.y[train], weights=v[train])) ** 2, weights=v[test])
        for train, test in outer
    ]
    np.testing.assert_allclose(found.baseline_errors, baseline, rtol=1e-9)
    mass = [v[test].sum() for _, test in outer] if average == "rows" else None
    assert found.mean == pytest.approx(np.average(errors, weights=mass), rel=1e-3)
    assert found.baseline == pytest.approx(np.average(baseline, weights=mass))
    if average == "folds":
        assert found.se == pytest.approx(np.std(errors, ddof=1) / np.sqrt(3), rel=1e-2)


@pytest.mark.parametrize("rule", ["min", "1se"])
def test_nested_in_another_metric_and_with_several_responses(rule):
    data = cases.data("tall")
    Y = np.stack([data.y, data.X[:, 0] - data.y], axis=1)
    found = jaxnet.nested_sweep(data.X, Y, outer=OUTER, inner=3, rule=rule, metric="mae", **FIXED)
    assert found.errors.shape == found.alphas.shape == (2, 3) and found.indices.shape == (2, 3, 2)
    for j in range(2):
        errors, chosen, _ = loop(data.X, Y[:, j], OUTER.split(data.X), 3, rule, metric="mae")
        np.testing.assert_array_equal(found.indices[j], chosen)
        np.testing.assert_allclose(found.errors[j], errors, rtol=1e-3)
    assert found.mean.shape == found.se.shape == found.baseline.shape == (2,)
    assert len(found.rows()) == 6 and found.rows()[4]["error"] == found.errors[1, 1]
    assert repr(found).count("mae") == 2 and "2 responses" in repr(found)


def test_a_function_measures_both_levels():
    data = cases.data("tall")
    metric = lambda y, p, sample_weight: np.average(np.abs(y - p), weights=sample_weight)
    options = {"outer": OUTER, "inner": 3, **FIXED}
    one, other = (jaxnet.nested_sweep(data.X, data.y, metric=m, **options) for m in ("mae", metric))
    for name in ("errors", "inner_errors", "baseline_errors", "indices"):
        np.testing.assert_allclose(getattr(one, name), getattr(other, name), rtol=1e-9)
    assert other.metric == "<lambda>"


def test_nested_is_honest_where_there_is_nothing_to_find():
    """Pure noise: the winner's own error is below the baseline on average, the nested one is not."""
    promised, honest = [], []
    for seed in range(30):
        rng = np.random.default_rng(seed)
        X, y = rng.standard_normal((30, 60)), rng.standard_normal(30)
        found = jaxnet.nested_sweep(X, y, rho=[0.1, 0.5], alphas=8, tol=1e-3)
        honest.append(found.mean / found.baseline - 1)
        promised.append(np.mean(found.inner_errors) / found.baseline - 1)
    assert np.mean(promised) < -0.02 and np.mean(honest) > 0.05  # standard errors are 0.02


def test_held_out_rows_have_no_say_in_the_choice():
    data = cases.data("tall")
    X, y = data.X.copy(), data.y.copy()
    _, test = next(OUTER.split(X))
    X[test], y[test] = X[test][::-1] * 3, y[test] + 100
    before, after = (jaxnet.nested_sweep(A, b, outer=OUTER, inner=3, **FIXED) for A, b in ((data.X, data.y), (X, y)))
    np.testing.assert_array_equal(before.indices[0], after.indices[0])
    np.testing.assert_allclose(before.inner_errors[0], after.inner_errors[0], rtol=1e-4)
    assert after.errors[0] > 100 * before.errors[0]


def test_inner_folds_may_differ_and_know_groups():
    """One list of index pairs for each outer fold, as positions among its training rows."""
    data, groups = cases.data("tall"), np.arange(N) % 20
    outer = list(model_selection.GroupKFold(3).split(data.X, data.y, groups))
    split = lambda k, rows: list(model_selection.GroupKFold(k).split(data.X[rows], data.y[rows], groups[rows]))
    inner = [split(k, train) for k, (train, _) in zip((3, 2, 3), outer, strict=True)]
    found = jaxnet.nested_sweep(data.X, data.y, outer=outer, inner=inner, **FIXED)
    errors, chosen, promised = loop(data.X, data.y, outer, inner)
    np.testing.assert_array_equal(found.indices, chosen)
    np.testing.assert_allclose(found.errors, errors, rtol=1e-3)
    np.testing.assert_allclose(found.inner_errors, promised, rtol=1e-3)


def test_rows_that_a_bootstrap_repeats_stay_on_one_side():
    data, seen = cases.data("tall"), []

    class Thirds:
        def split(self, X, y):
            seen.append(len(X))
            assert len(np.unique(X, axis=0)) == len(X) == len(y)
            return jaxnet.KFold(3).split(X)

    outer = jaxnet.Bootstrap(3, seed=2)
    found = jaxnet.nested_sweep(data.X, data.y, outer=outer, inner=Thirds(), **FIXED)
    assert seen == [len(np.unique(train)) for train, _ in outer.split(data.X)]
    pairs = []
    for train, _ in outer.split(data.X):  # the same thirds of the rows with repeats
        rows, which = np.unique(train, return_inverse=True)
        where = lambda part, which=which: np.flatnonzero(np.isin(which, part))
        pairs.append([tuple(map(where, pair)) for pair in jaxnet.KFold(3).split(rows)])
    errors, chosen, promised = loop(data.X, data.y, outer.split(data.X), pairs)
    np.testing.assert_array_equal(found.indices, chosen)
    np.testing.assert_allclose(found.errors, errors, rtol=1e-3)
    np.testing.assert_allclose(found.inner_errors, promised, rtol=1e-3)


def test_a_single_outer_fold_has_no_standard_error():
    found = nested(folds=1, fold_weights=None)
    assert np.isnan(found.se) and found.mean == found.errors[0]
    assert found.rows()[0]["fold"] == 0 and "on 1 outer fold" in repr(found)


WRONG = {
    "cv": ({"cv": 5}, "nested_sweep has no cv: its folds are"),
    "coefficients of folds": ({"keep_fold_coefs": True}, "no keep_fold_coefs"),
    "rule": ({"rule": "bic"}, "rule='bic' is not known; choose one of 'min'"),
    "percent": ({"rule": "percent", "percent": -1}, "percent=-1"),
    "one outer fold": ({"outer": 1}, "outer: cv=1: the number of folds"),
    "no outer folds": ({"outer": None}, "outer is None"),
    "no inner folds": ({"inner": None}, "inner of outer fold 0 is None"),
    "more inner folds than rows": ({"inner": 30}, "inner of outer fold 0: cv=30 folds need .* X has 26"),
    "a list of another length": ({"inner": [3, 3]}, "inner is a list of 2, but there are 3 outer folds"),
    "index pairs for all": (
        {"inner": [(np.arange(9), np.arange(9, 18))] * 3},
        "inner holds index pairs for all, but each outer fold",
    ),
    "metric": ({"metric": "rmse"}, "metric='rmse'"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_named(name):
    changes, pattern = WRONG[name]
    data = cases.data("tall")
    with pytest.raises(jaxnet.InvalidInput, match=pattern):
        jaxnet.nested_sweep(data.X, data.y, **{"outer": 3, "inner": 3, **FIXED, **changes})
