"""How often resamples select a column: counted by hand, with SciPy's intervals."""

import dataclasses

import cases
import numpy as np
import pandas as pd
import pytest
from saved import result as made_up
from scipy.stats import binomtest

import jaxnet
from jaxnet.errors import InvalidInput
from jaxnet.selection.frequencies import wilson_interval

DATA = cases.data("tall")


@pytest.mark.parametrize("n", [1, 3, 10, 200])
@pytest.mark.parametrize("confidence", [0.5, 0.95, 0.999])
def test_intervals_are_scipys(n, confidence):
    k = np.unique(np.linspace(0, n, 12).astype(int))
    lower, upper = wilson_interval(k, n, confidence)
    expected = [binomtest(int(j), n).proportion_ci(confidence, method="wilson") for j in k]
    np.testing.assert_allclose(lower, [ci.low for ci in expected], atol=1e-12)
    np.testing.assert_allclose(upper, [ci.high for ci in expected], atol=1e-12)
    assert lower[0] == 0 and upper[-1] == 1


def resamples(scheme: str):
    if scheme == "folds":
        return jaxnet.KFold(4, shuffle=True, seed=0)
    rng = np.random.default_rng(5)
    rows = [rng.integers(0, 40, 40) for _ in range(6)]
    return [(train, np.setdiff1d(np.arange(40), train)) for train in rows]


@pytest.mark.parametrize("scheme", ["folds", "bootstraps"])
def test_frequencies_are_counted_by_fits_one_by_one(scheme):
    cv = resamples(scheme)
    pairs = list(cv.split(DATA.X)) if scheme == "folds" else cv
    result = jaxnet.sweep(DATA.X, DATA.y, cv=cv, keep_fold_coefs=True, tol=1e-9, **cases.GRID)
    found = jaxnet.selection_frequencies(result, confidence=0.9)
    fits = [
        jaxnet.fit_path(DATA.X[train], DATA.y[train], rho=result.rho, alphas=result.alphas, tol=1e-9)
        for train, _ in pairs
    ]
    for i, k in np.ndindex(2, 5):
        coefs = np.stack([fit.coef_at(i, k) for fit in fits])
        here = found.at(i, k)
        np.testing.assert_allclose(here.frequency, np.mean(coefs != 0, axis=0))
        chosen = np.count_nonzero(coefs, axis=0)
        with np.errstate(invalid="ignore"):
            np.testing.assert_allclose(here.positive, np.sum(coefs > 0, axis=0) / chosen)
        lower, upper = wilson_interval(chosen, len(pairs), 0.9)
        np.testing.assert_allclose(here.lower, lower)
        np.testing.assert_allclose(here.upper, upper)
    assert found.n_resamples == len(pairs) and found.at(-1, -1).frequency.tolist() == here.frequency.tolist()
    assert np.any(found.at(1, 2).frequency % 1), "some columns must be selected by some only"


def test_rows_are_those_that_are_selected_the_most_frequent_first():
    frame = pd.DataFrame(DATA.X, columns=[f"gene {j}" for j in range(12)])
    result = jaxnet.sweep(frame, DATA.y, cv=5, keep_fold_coefs=True, **cases.GRID)
    found = jaxnet.selection_frequencies(result)
    rows, here = found.rows(1, 2), found.at(1, 2)
    assert [row["frequency"] for row in rows] == sorted(here.frequency[here.frequency > 0], reverse=True)
    for row in rows:
        j = row["column"]
        assert row["name"] == f"gene {j}" and 0 < row["frequency"] <= 1
        assert (row["lower"], row["upper"], row["positive"]) == (here.lower[j], here.upper[j], here.positive[j])
    assert "12 columns over 5 resamples at 2 x 5 points" in repr(found)


def test_several_responses_are_counted_apart():
    Y = np.stack([DATA.y, DATA.X[:, 0] - DATA.y], axis=1)
    options = {"cv": 3, "keep_fold_coefs": True, "tol": 1e-9, **cases.GRID}
    found = jaxnet.selection_frequencies(jaxnet.sweep(DATA.X, Y, **options))
    for j in range(2):
        alone = jaxnet.selection_frequencies(jaxnet.sweep(DATA.X, Y[:, j], **options))
        for i, k in np.ndindex(2, 5):
            for one, other in zip(found.at(i, k, j), alone.at(i, k), strict=True):
                np.testing.assert_array_equal(one, other)
    with pytest.raises(InvalidInput, match="2 responses"):
        found.at(0, 0)
    with pytest.raises(InvalidInput, match="k=5 is outside"):
        found.at(0, 5, 1)


def test_a_fit_that_diverged_selects_nothing():
    whole = made_up()
    values = whole.fold_coefs.values.copy()
    values[whole.fold_coefs.starts[0] : whole.fold_coefs.starts[1]] = np.nan  # the first fold of the first point
    broken = dataclasses.replace(whole, fold_coefs=dataclasses.replace(whole.fold_coefs, values=values))
    before, after = (jaxnet.selection_frequencies(result).at(0, 0).frequency for result in (whole, broken))
    selected = whole.fold_coefs.row(0) != 0
    assert selected.any()
    np.testing.assert_allclose(before - after, selected / 3)


def test_what_has_no_answer_is_refused():
    plain = jaxnet.sweep(DATA.X, DATA.y, cv=3, **cases.GRID)
    for result in (plain, jaxnet.fit_path(DATA.X, DATA.y, **cases.GRID)):
        with pytest.raises(InvalidInput, match="keep_fold_coefs=True"):
            jaxnet.selection_frequencies(result)
    with pytest.raises(InvalidInput, match=r"must be what jaxnet.sweep returns"):
        jaxnet.selection_frequencies(3)
    for confidence in (0, 1, 95, "high", None):
        with pytest.raises(InvalidInput, match=r"confidence=.* 0\.95 is usual"):
            jaxnet.selection_frequencies(made_up(), confidence=confidence)
