"""Stability selection: its halves, what they select, and the bound on false selections, kept over replications."""

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone
from sklearn.pipeline import make_pipeline

import jaxnet
from jaxnet.errors import InvalidInput
from jaxnet.selection.entry import entry_ranks

OPTIONS = {"n_pairs": 4, "cutoff": 0.75, "q": 4, "bound": "worst-case", "alphas": 12, "tol": 1e-9}


def data(n: int = 40, p: int = 15, true: int = 3, seed: int = 0):
    """Independent columns in units of their own, of which the first `true` matter."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p))
    return X * 10.0 ** rng.integers(-2, 3, p), 2 * X[:, :true].sum(axis=1) + rng.standard_normal(n)


@pytest.mark.parametrize("n", [4, 5, 40])
def test_halves_are_complementary(n):
    pairs = list(jaxnet.ComplementaryPairs(3, seed=1).split(np.zeros((n, 1))))
    assert len(pairs) == 6
    for (train, test), (other, again) in zip(pairs[::2], pairs[1::2], strict=True):
        assert np.array_equal(train, again) and np.array_equal(test, other)
        assert len(train) == len(test) == n // 2 and not set(train) & set(test)
    twice = list(jaxnet.ComplementaryPairs(3, seed=1).split(np.zeros((n, 1))))
    assert all(
        np.array_equal(a, b) for one, two in zip(pairs, twice, strict=True) for a, b in zip(one, two, strict=True)
    )


def test_entry_ranks_are_those_of_a_loop():
    rng = np.random.default_rng(0)
    path = rng.standard_normal((6, 20)) * (rng.random((6, 20)) < 0.2)
    order = []
    for row in path:
        order += sorted((j for j in np.flatnonzero(row) if j not in order), key=lambda j: -abs(row[j]))
    expected = [order.index(j) if j in order else 20 for j in range(20)]
    assert entry_ranks(path).tolist() == expected


def test_frequencies_are_those_of_fits_one_by_one():
    X, y = data()
    found = jaxnet.stability_selection(X, y, rho=0.9, seed=5, **OPTIONS)
    counts, paths = np.zeros(15), np.zeros((12, 15))
    for train, _ in jaxnet.ComplementaryPairs(4, seed=5).split(X):
        one = jaxnet.fit_path(X[train], y[train], rho=0.9, alphas=found.alphas, standardize=True, tol=1e-9)
        path = np.stack([one.coef_at(0, k) for k in range(12)])
        counts[entry_ranks(path * X.std(axis=0)) < 4] += 1
        paths += path != 0
    np.testing.assert_allclose(found.frequencies, counts / 8)
    np.testing.assert_allclose(found.paths, paths / 8)
    assert np.array_equal(found.selected, found.frequencies >= 0.75) and found.selected[:3].all()
    assert found.parameters.false_selections == pytest.approx(16 / 15 / 0.5)
    assert [row["frequency"] for row in found.rows()] == sorted(found.frequencies, reverse=True)


def test_units_and_order_of_columns_do_not_matter():
    X, y = data()
    whole = jaxnet.stability_selection(X, y, **OPTIONS).frequencies
    order = np.random.default_rng(1).permutation(15)
    np.testing.assert_allclose(jaxnet.stability_selection(1e3 * X[:, order], -y, **OPTIONS).frequencies, whole[order])


def test_unpenalised_columns_are_no_candidates():
    X, y = data()
    factor = np.ones(15)
    factor[0] = 0
    found = jaxnet.stability_selection(X, y, penalty_factor=factor, **OPTIONS)
    assert found.selected[0] and found.frequencies[0] == 1
    assert found.frequencies[1:].sum() == pytest.approx(4)  # q of 14
    assert found.parameters.false_selections == pytest.approx(16 / 14 / 0.5)


def test_false_selections_keep_to_their_bound():
    """50 data sets of 200 x 2,000 with 20 true columns: the mean number of false selections is below what was asked."""
    false, true = [], []
    for seed in range(50):
        X, y = data(200, 2000, 20, seed)
        found = jaxnet.stability_selection(X, y, n_pairs=25, cutoff=0.7, false_selections=1.0, alphas=20, tol=1e-3)
        false.append(found.selected[20:].sum())
        true.append(found.selected[:20].sum())
    assert np.mean(false) <= found.parameters.false_selections <= 1.0
    assert np.mean(true) >= 5  # and is not kept by selecting nothing


WRONG = {
    "all three": ({"false_selections": 1.0}, "leave one out"),
    "two rhos": ({"rho": [0.5, 1.0]}, r"rho=\[0.5, 1.0\]"),
    "ridge": ({"rho": 0}, "rho=0"),
    "a cutoff": ({"cutoff": 0.4}, "cutoff=0.4"),
    "q beyond p": ({"q": 16}, "q=16"),
    "a bound": ({"bound": "best"}, "bound='best'"),
    "no pairs": ({"n_pairs": 0}, "n_pairs=0"),
    "a seed": ({"seed": -1}, "seed=-1"),
    "folds": ({"cv": 5}, "no cv"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_named(name):
    changes, pattern = WRONG[name]
    X, y = data()
    with pytest.raises(InvalidInput, match=pattern):
        jaxnet.stability_selection(X, y, **{**OPTIONS, **changes})


def test_data_without_a_choice_are_refused():
    X, y = data()
    with pytest.raises(InvalidInput, match="2 responses"):
        jaxnet.stability_selection(X, np.stack([y, y], axis=1), **OPTIONS)
    with pytest.raises(InvalidInput, match="n_samples = 3"):
        jaxnet.stability_selection(X[:3], y[:3], **OPTIONS)
    with pytest.raises(InvalidInput, match=r"1 feature\(s\)"):
        jaxnet.stability_selection(X[:, :1], y, **OPTIONS)


def test_selector_keeps_the_selected_columns():
    X, y = data()
    frame = pd.DataFrame(X, columns=[f"g{j}" for j in range(15)])
    model = jaxnet.StabilitySelection(n_pairs=4, cutoff=0.75, q=4, bound="worst-case", alphas=12)
    kept = model.fit_transform(frame, y)
    assert np.array_equal(kept, X[:, model.get_support()]) and model.get_support(indices=True).tolist()[:3] == [0, 1, 2]
    assert model.get_feature_names_out().tolist() == [f"g{j}" for j in model.get_support(indices=True)]
    steps = make_pipeline(clone(model), jaxnet.Lasso(alpha=0.01)).fit(frame, y)
    assert steps[-1].coef_.shape == (kept.shape[1],)
    with pytest.raises(InvalidInput, match="leave it out"):
        model.get_feature_names_out(["a"] * 15)


def test_selector_warns_where_nothing_is_selected():
    X, _ = data()
    y = np.random.default_rng(2).standard_normal(40)
    model = jaxnet.StabilitySelection(n_pairs=10, cutoff=1.0, q=1, bound="worst-case", alphas=5).fit(X, y)
    with pytest.warns(UserWarning, match="No column was selected"):
        assert model.transform(X).shape == (40, 0)


def test_ties_of_entry_are_ranked_by_the_weighted_spread():
    """Weighing a row twice is having it twice: columns that enter at the same alpha come in the same order. Some columns
    vary in rows of weight zero above all."""
    X, y = data(n=60)
    X = X / X.std(axis=0)
    weights = np.where(np.arange(60) < 40, 1.0, 1e-9)
    X[40:] *= np.where(np.arange(15) % 2, 30.0, 0.1)
    options = OPTIONS | {"alphas": [2.0, 0.02], "q": 2, "bound": "worst-case", "cutoff": 0.9}
    found = jaxnet.stability_selection(X, y, sample_weight=weights, **options)
    spread, counts = X[:40].std(axis=0), np.zeros(15)
    for train, _ in jaxnet.ComplementaryPairs(4, seed=0).split(X):
        one = jaxnet.fit_path(
            X[train], y[train], rho=1.0, alphas=[2.0, 0.02], standardize=True, tol=1e-9, sample_weight=weights[train]
        )
        counts[entry_ranks(np.stack([one.coef_at(0, k) for k in range(2)]) * spread) < 2] += 1
    np.testing.assert_allclose(found.frequencies, counts / 8)
