"""Repeated K-fold and the bootstrap, and splitters that look at y or at groups: as folds, and inside a sweep."""

from dataclasses import dataclass

import cases
import numpy as np
import pytest
from checks import Request, audit
from sklearn import model_selection

import jaxnet

N = cases.TALL[0]


@pytest.mark.parametrize("n", [5, 12, 40])
def test_every_round_is_a_partition(n):
    X = np.zeros((n, 1))
    pairs = list(jaxnet.RepeatedKFold(5, 3, seed=2).split(X))
    assert len(pairs) == 15
    for r in range(3):
        tests = [test for _, test in pairs[5 * r : 5 * r + 5]]
        np.testing.assert_array_equal(np.sort(np.concatenate(tests)), np.arange(n))
        assert np.ptp([len(test) for test in tests]) <= 1
    for train, test in pairs:
        np.testing.assert_array_equal(np.sort(np.r_[train, test]), np.arange(n))


def test_one_round_is_a_shuffled_k_fold_and_rounds_differ():
    X = np.zeros((N, 1))
    folds = lambda splitter: [test.tolist() for _, test in splitter.split(X)]
    assert folds(jaxnet.RepeatedKFold(4, 1, seed=3)) == folds(jaxnet.KFold(4, shuffle=True, seed=3))
    several = folds(jaxnet.RepeatedKFold(4, 3, seed=3))
    assert several[:4] == folds(jaxnet.RepeatedKFold(4, 1, seed=3))
    assert several[:4] != several[4:8] != several[8:]
    assert several == folds(jaxnet.RepeatedKFold(4, 3, seed=3)) != folds(jaxnet.RepeatedKFold(4, 3, seed=4))


@pytest.mark.parametrize("n", [2, 3, 40, 300])
def test_bootstraps_train_on_draws_and_test_on_the_others(n):
    pairs = list(jaxnet.Bootstrap(30, seed=1).split(np.zeros((n, 1))))
    assert len(pairs) == 30
    for train, test in pairs:
        assert len(train) == n and len(test) > 0
        np.testing.assert_array_equal(np.union1d(train, test), np.arange(n))
        assert not set(train) & set(test)
    again = list(jaxnet.Bootstrap(30, seed=1).split(np.zeros((n, 1))))
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(pairs, again, strict=True))
    if n == 300:
        assert np.mean([len(test) for _, test in pairs]) / n == pytest.approx(np.exp(-1), abs=0.02)
        counts = np.sum([np.bincount(train, minlength=n) for train, _ in pairs], axis=0)
        assert counts.std() == pytest.approx(np.sqrt(30), rel=0.2)  # of independent draws, every row alike


def test_bootstraps_weigh_rows_by_how_often_they_were_drawn():
    data = cases.data("tall")
    splitter = jaxnet.Bootstrap(3, seed=5)
    pairs = list(splitter.split(data.X))
    result = jaxnet.sweep(data.X, data.y, cv=splitter, keep_fold_coefs=True, tol=1e-8, **cases.GRID)
    audit(result, Request(data.X, data.y, pairs, {"tol": 1e-8}))  # its oracle copies the rows


def test_repeats_steady_the_mean_and_shrink_its_standard_error():
    data = cases.data("tall")
    swept = lambda repeats, seed: jaxnet.sweep(
        data.X, data.y, cv=jaxnet.RepeatedKFold(4, repeats, seed), rho=1.0, alphas=[0.3]
    )
    once, often = ([swept(repeats, seed) for seed in range(12)] for repeats in (1, 8))
    spread = lambda results: np.std([result.error_mean[0, 0] for result in results])
    se = lambda results: np.mean([result.error_se[0, 0] for result in results])
    assert spread(often) < 0.6 * spread(once)
    assert se(often) * np.sqrt(8) == pytest.approx(se(once), rel=0.3)  # as the documentation has it
    np.testing.assert_allclose(often[0].errors[..., :4], once[0].errors, rtol=0.02)


@dataclass(frozen=True)
class Grouped:
    """What to write where a splitter of scikit-learn wants groups: `split(X, y)` that knows them."""

    splitter: object
    groups: np.ndarray

    def split(self, X, y):
        return self.splitter.split(X, y, self.groups)


@pytest.mark.parametrize("kind", ["stratified", "repeated stratified", "grouped", "both"])
def test_splitters_that_look_at_y_or_at_groups(kind):
    data = cases.data("tall")
    y = (data.y > np.median(data.y)).astype(float)
    groups = np.random.default_rng(3).permutation(np.repeat(np.arange(8), 5))
    splitter = {
        "stratified": model_selection.StratifiedKFold(3),
        "repeated stratified": model_selection.RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0),
        "grouped": Grouped(model_selection.GroupKFold(3), groups),
        "both": Grouped(model_selection.StratifiedGroupKFold(3), groups),
    }[kind]
    pairs = list(splitter.split(data.X, y))
    for train, test in pairs:
        if "stratified" in kind:
            assert abs(y[test].mean() - 0.5) < 0.05
        else:
            assert not set(groups[train]) & set(groups[test])
    result = jaxnet.sweep(data.X, y, cv=splitter, keep_fold_coefs=True, tol=1e-8, **cases.GRID)
    audit(result, Request(data.X, y, pairs, {"tol": 1e-8}))


WRONG = {
    "one fold": (jaxnet.RepeatedKFold(1), "n_splits=1: the number of folds"),
    "more folds than rows": (jaxnet.RepeatedKFold(N + 1), f"n_splits={N + 1} folds need at least as many rows"),
    "no repeats": (jaxnet.RepeatedKFold(3, 0), "n_repeats=0 must be an integer of at least 1"),
    "half a repeat": (jaxnet.RepeatedKFold(3, 0.5), "n_repeats=0.5"),
    "a text for a seed": (jaxnet.RepeatedKFold(3, 2, "one"), "seed='one' must be None or an integer"),
    "no resamples": (jaxnet.Bootstrap(0), "n_resamples=0 must be"),
    "true resamples": (jaxnet.Bootstrap(True), "n_resamples=True must be"),
    "a negative seed": (jaxnet.Bootstrap(3, -1), "seed=-1 must be"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_named(name):
    splitter, pattern = WRONG[name]
    data = cases.data("tall")
    with pytest.raises(jaxnet.InvalidInput, match=pattern):
        jaxnet.sweep(data.X, data.y, cv=splitter)


def test_a_single_row_has_no_bootstrap():
    with pytest.raises(jaxnet.InvalidInput, match=r"n_samples = 1 row.*at least 2"):
        list(jaxnet.Bootstrap().split([[1.0]]))
