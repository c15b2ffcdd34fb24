"""What `explain` and `select` say of a fit, against loops over columns, folds and pairs written out in NumPy."""

import cases
import numpy as np
import pandas as pd
import pytest
from scipy.sparse.csgraph import connected_components

import jaxnet
from jaxnet.errors import InvalidInput
from jaxnet.selection import columns as columns_module
from jaxnet.selection import explanation as explanation_module
from jaxnet.selection.columns import Columns, connected

OPTIONS = {**cases.GRID, "cv": 3, "standardize": True, "keep_fold_coefs": True}


def swept(design: str, weighted: bool, **options):
    data = cases.data(design)
    weights = cases.weights(len(data.y)) if weighted else None
    return data, weights, jaxnet.sweep(data.X, data.y, sample_weight=weights, **{**OPTIONS, **options})


def covariance(a, b, w) -> float:
    return np.cov(a, b, aweights=w, ddof=0)[0, 1]


def correlation(a, b, w) -> float:
    return covariance(a, b, w) / np.sqrt(covariance(a, a, w) * covariance(b, b, w))


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("design", ["tall", "unequal_scales", "correlated"])
def test_explanation_is_what_loops_find(design, weighted):
    data, weights, result = swept(design, weighted)
    w = np.ones(len(data.y)) if weights is None else weights
    told = result.explain(data.X, data.y, sample_weight=weights, correlated=0.5, companions=3)
    best = result.best()
    fitted = data.X @ best.coef + best.intercept
    names = {f"x{j}": j for j in range(data.X.shape[1])}
    assert sorted(told.columns) == np.flatnonzero(best.coef).tolist() and len(told.rows()) == best.nonzeros >= 2
    path = np.stack([result.coef_at(best.index[0], k) for k in range(5)])
    for row in told.rows():
        j, x = row["column"], data.X[:, row["column"]]
        mean = np.average(x, weights=w)
        sd = np.sqrt(np.average((x - mean) ** 2, weights=w))
        first = np.flatnonzero(path[:, j])[0]
        folds = [result.fold_coefs.row(np.ravel_multi_index((*best.index, f), (2, 5, 3)))[j] for f in range(3)]
        near = [(name, correlation(x, data.X[:, i], w)) for name, i in names.items() if i != j]
        near = sorted([pair for pair in near if abs(pair[1]) >= 0.5], key=lambda pair: -abs(pair[1]))[:3]
        expected = {
            "coefficient": best.coef[j],
            "per_sd": best.coef[j] * sd,
            "share": best.coef[j] * covariance(x, fitted, w) / covariance(fitted, fitted, w),
            "mean": mean,
            "sd": sd,
            "sign": np.sign(best.coef[j]),
            "entry_alpha": result.alphas[best.index[0], first],
            "frequency": np.mean(np.array(folds) != 0),
        }
        assert {name: row[name] for name in expected} == pytest.approx(expected, rel=1e-9)
        if any(folds):
            assert row["positive"] == pytest.approx(np.mean([b > 0 for b in folds if b]))
        assert row["frequency_lower"] <= row["frequency"] <= row["frequency_upper"]
        assert [name for name, _ in row["companions"]] == [name for name, _ in near]
        assert [r for _, r in row["companions"]] == pytest.approx([r for _, r in near], abs=1e-10)
    assert np.sum(told.share) == pytest.approx(1)
    assert np.all(np.diff(np.abs(told.per_sd)) <= 0) and [row["rank"] for row in told.rows()][:2] == [1, 2]
    residual = np.average((data.y - fitted) ** 2, weights=w)
    total = np.average((data.y - np.average(data.y, weights=w)) ** 2, weights=w)
    assert told.r_squared == pytest.approx(1 - residual / total)


def test_entries_are_in_the_order_of_the_path():
    data, _, result = swept("wide", False, alphas=30)
    told, best = result.explain(data.X), result.best()
    path = np.stack([result.coef_at(best.index[0], k) for k in range(30)]) * data.X.std(axis=0)
    order = []
    for row in path:
        order += sorted((j for j in np.flatnonzero(row) if j not in order), key=lambda j: -abs(row[j]))
    assert told.entry.tolist() == [order.index(j) + 1 for j in told.columns]
    assert len(order) > len(told.columns), (
        "some that came have left again or come later, or a plain count would have passed"
    )


def test_shares_of_least_squares_are_pratts():
    """With the response in the place of the fit: beta_j r_j / R^2."""
    data = cases.data("tall")
    result = jaxnet.fit_path(data.X, data.y, rho=1.0, alphas=[0.0], tol=1e-12)
    told = result.explain(data.X, data.y, "aic", criteria=result.criteria(data.X, data.y, noise_variance=1.0))
    beta = told.per_sd / data.y.std()
    r = np.array([correlation(data.X[:, j], data.y, np.ones(40)) for j in told.columns])
    np.testing.assert_allclose(told.share, beta * r / told.r_squared, rtol=1e-7)


def test_units_offsets_and_order_of_columns_do_not_matter():
    data, _, result = swept("tall", False, tol=1e-10)
    told = result.explain(data.X, correlated=0.3)
    order = np.random.default_rng(1).permutation(12)
    scale = -(10.0 ** np.arange(-6, 6))
    moved = data.X[:, order] * scale + scale * 100
    again = jaxnet.sweep(moved, data.y, **{**OPTIONS, "tol": 1e-10}).explain(moved, correlated=0.3)
    assert order[again.columns].tolist() == told.columns.tolist()
    np.testing.assert_allclose(-again.per_sd, told.per_sd, rtol=1e-3, atol=1e-4 * told.per_sd[0])
    np.testing.assert_allclose(again.share, told.share, rtol=1e-3, atol=1e-4)
    assert again.entry.tolist() == told.entry.tolist()
    sizes = lambda t: [abs(r) for pairs in t.companions for _, r in pairs]
    np.testing.assert_allclose(sizes(again), sizes(told), atol=1e-8)


def test_groups_are_the_connected_components(rng):
    for k, density in ((1, 0.5), (30, 0.03), (60, 0.02)):
        linked = rng.random((k, k)) < density
        linked = linked | linked.T
        label = connected(linked)
        _, expected = connected_components(linked)
        assert len(set(zip(label, expected, strict=True))) == len(set(label)) == len(set(expected))
        assert all(label[j] == np.flatnonzero(label == label[j])[0] for j in range(k))
    chain = np.eye(200, k=1, dtype=bool)
    assert not connected(chain | chain.T).any()


def test_groups_are_named_by_their_most_important_column():
    rng = np.random.default_rng(3)
    base = rng.normal(size=(60, 3))
    X = np.repeat(base, 3, axis=1) + 0.2 * rng.normal(size=(60, 9))
    y = X @ [1.0, 3, 1, 0, 0, 0, -1, -1, -2] + rng.normal(size=60)
    frame = pd.DataFrame(X, columns=list("abcdefghi"))
    told = jaxnet.sweep(frame, y, rho=0.2, alphas=[0.1], cv=3).explain(frame)
    assert {leader: set(names) for leader, names in told.groups.items() if leader in "bi"} == {
        "b": {*"abc"},
        "i": {*"ghi"},
    }
    assert {row["group"] for row in told.rows() if row["name"] in "abc"} == {"b"}
    apart = jaxnet.sweep(frame, y, rho=0.2, alphas=[0.1], cv=3).explain(frame, correlated=1.0)
    assert apart.groups == {} and set(apart.group) == {""} and not any(apart.companions)


def test_equal_and_constant_columns_have_their_correlations():
    data = cases.data("constant_columns")
    X = np.column_stack([data.X, -data.X[:, 1], data.X[:, 1] + 1e8 * np.std(data.X[:, 1])])
    w = cases.weights(40) / cases.weights(40).sum()
    found = Columns.of(X, w)
    assert found.sd[[0, 3, 7]].tolist() == [0, 0, 0] and found.mean[0] == pytest.approx(0.1)
    near = found.companions(np.array([1, 0]), 1.0, 5)
    assert [(j, round(r, 9)) for j, r in near[0] if j == 12] == [(12, -1.0)] and near[1] == []
    assert found.correlations(np.array([1]), np.array([13]))[0, 0] == pytest.approx(1, abs=1e-7)


def test_blocks_do_not_matter(monkeypatch):
    data, weights, result = swept("wide", True)
    whole = result.explain(data.X, data.y, sample_weight=weights, correlated=0.3)
    monkeypatch.setattr(columns_module, "BLOCK", 64)
    monkeypatch.setattr(explanation_module, "BLOCK", 64)
    again = result.explain(data.X, data.y, sample_weight=weights, correlated=0.3)
    assert [[n for n, _ in pairs] for pairs in again.companions] == [
        [n for n, _ in pairs] for pairs in whole.companions
    ]
    for name in ("columns", "share", "mean", "sd", "entry"):
        np.testing.assert_allclose(getattr(again, name), getattr(whole, name), rtol=1e-9)
    assert again.group == whole.group


def test_companions_among_very_many_columns():
    """p = 100,000: what is kept is small, and no correlation but those of the columns asked for is computed."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(30, 100_000)).astype(np.float32)
    X[:, 99_000] = -X[:, 7]
    which = np.array([7, 500, 99_999])
    found = Columns.of(X, np.full(30, 1 / 30)).companions(which, 0.7, 4)
    Z = (X - X.mean(axis=0, dtype=float)) / X.std(axis=0, dtype=float)
    for i, j in enumerate(which):
        r = Z[:, j] @ Z / 30
        r[j] = 0
        top = np.argsort(-np.abs(r))[:4]
        expected = [(k, r[k]) for k in top.tolist() if abs(r[k]) >= 0.7]
        assert [k for k, _ in found[i]] == [k for k, _ in expected]
        assert [r for _, r in found[i]] == pytest.approx([r for _, r in expected])
    assert found[0][0] == (99_000, pytest.approx(-1))


def test_names_come_from_the_frame():
    data = cases.data("tall")
    frame = pd.DataFrame(data.X, columns=[f"gene {j}" for j in range(12)])
    of_frame = jaxnet.sweep(frame, data.y, **OPTIONS)
    shuffled = frame.sample(frac=1, axis=1, random_state=0)
    told = of_frame.explain(shuffled)
    assert told.names == of_frame.explain(data.X).names == tuple(f"gene {j}" for j in told.columns)
    assert jaxnet.sweep(data.X, data.y, **OPTIONS).explain(frame).names == told.names


def test_several_responses_and_no_folds():
    data = cases.data("tall")
    Y, options = np.stack([data.y, data.X[:, 0] - data.y], axis=1), {**OPTIONS, "tol": 1e-9}
    result = jaxnet.sweep(data.X, Y, **options)
    both = result.explain(data.X, Y)
    for j, told in enumerate(both):
        alone = jaxnet.sweep(data.X, Y[:, j], **options)
        one = alone.explain(data.X, Y[:, j])
        assert told.response == j and told.names == one.names and told.entry.tolist() == one.entry.tolist()
        np.testing.assert_allclose(told.share, one.share, atol=1e-3)
        np.testing.assert_array_equal(told.frequencies.frequency, one.frequencies.frequency)
        assert told.r_squared == pytest.approx(one.r_squared, abs=1e-3)
        assert result.select(data.X)[j].tolist() == told.columns.tolist()
    path = jaxnet.fit_path(data.X, data.y, **cases.GRID)
    told = path.explain(data.X, rule="bic", criteria=path.criteria(data.X, data.y))
    assert told.frequencies is None and told.r_squared is None and "frequency" not in told.rows()[0]
    assert " folds" not in repr(told) and "R2" not in repr(told)


def test_a_fit_without_columns_is_explained_too():
    data = cases.data("tall")
    result = jaxnet.sweep(data.X, data.y, rho=1.0, alphas=[1e3], cv=3, keep_fold_coefs=True)
    told = result.explain(data.X, data.y)
    assert told.rows() == [] and told.groups == {} and "No column has a coefficient" in repr(told)
    assert told.r_squared == pytest.approx(0, abs=1e-12) and result.select(data.X).tolist() == []


def test_repr_is_short_and_steers_no_terminal():
    data = cases.data("wide")
    names = [f"\x1b[2J gene {j} {'a' * 40}" for j in range(60)]
    frame = pd.DataFrame(data.X, columns=names)
    result = jaxnet.sweep(frame, data.y, rho=0.0, alphas=[1.0], cv=3, keep_fold_coefs=True)
    told = result.explain(frame, data.y, correlated=0.2)
    text = repr(told)
    assert "60 of 60 columns" in text and "and 50 more" in text and "3/3" in text and "gene 1" in text
    assert len(text.splitlines()) == 13 and max(map(len, text.splitlines())) <= 130 and "\x1b" not in text


@pytest.mark.parametrize("options", [{}, {"threshold": 0.2}, {"top": 3}, {"threshold": 0.2, "top": 2}])
def test_selected_columns_are_the_important_ones(options):
    data, weights, result = swept("tall", True)
    told = result.explain(data.X, sample_weight=weights)
    selected = result.select(data.X, sample_weight=weights, **options)
    large = [j for j, b in zip(told.columns, told.per_sd, strict=True) if abs(b) >= options.get("threshold", 0)]
    assert selected.tolist() == large[: options.get("top")] and 1 < len(selected) < 12


DATA = cases.data("tall")
WRONG = {
    "a correlation of zero": ("explain", (DATA.X,), {"correlated": 0}, "correlated=0 must be above 0"),
    "a correlation of two": ("explain", (DATA.X,), {"correlated": 2.0}, "correlated=2.0"),
    "half a companion": ("explain", (DATA.X,), {"companions": 0.5}, "companions=0.5"),
    "other columns": ("explain", (DATA.X[:, :3],), {}, "X has 3 columns"),
    "another response": ("explain", (DATA.X, DATA.y + 9), {}, "not what the sweep was fitted on"),
    "two responses": ("explain", (DATA.X, np.stack([DATA.y] * 2, axis=1)), {}, "y has shape"),
    "weights": ("explain", (DATA.X,), {"sample_weight": np.ones(40)}, "had no sample weights"),
    "a rule": ("explain", (DATA.X,), {"rule": "best"}, "rule='best'"),
    "a criterion": ("select", (DATA.X, "bic"), {}, r"criteria=result.criteria\(X, y\)"),
    "a negative threshold": ("select", (DATA.X,), {"threshold": -1}, "threshold=-1 must be"),
    "an endless threshold": ("select", (DATA.X,), {"threshold": np.inf}, "threshold=inf"),
    "top none": ("select", (DATA.X,), {"top": 0}, "top=0 must be"),
    "fewer columns": ("select", (DATA.X[:, :3],), {}, "X has 3 columns"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_named(name):
    method, arguments, options, message = WRONG[name]
    result = jaxnet.sweep(DATA.X, DATA.y, **OPTIONS)
    with pytest.raises(InvalidInput, match=message):
        getattr(result, method)(*arguments, **options)
