"""Products and powers of columns: their values and names written out, what is left out, and new rows."""

from importlib import import_module
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from sklearn.preprocessing import PolynomialFeatures

import jaxnet
from jaxnet.data import expansion as module
from jaxnet.errors import InvalidInput

NAMES = ["age", "sex", "bmi", "dose"]


def data(n: int = 30, dtype=np.float64) -> np.ndarray:
    """Columns far from zero, one of them an indicator."""
    rng = np.random.default_rng(7)
    X = rng.normal([50, 0, 25, 3], [10, 1, 4, 1], size=(n, 4))
    X[:, 1] = rng.random(n) < 0.4
    return X.astype(dtype)


@pytest.mark.parametrize("centre", [True, False])
def test_columns_are_products_and_powers(centre):
    X = data()
    found = jaxnet.expand_features(X, degree={"age": 3, "dose": 2}, centre=centre, names=NAMES)
    C = X - (X.mean(axis=0) * [1, 0, 1, 1] if centre else 0)  # the indicator is not centred
    expected = {name: X[:, j] for j, name in enumerate(NAMES)}
    expected |= {"age^2": C[:, 0] ** 2, "age^3": C[:, 0] ** 3, "dose^2": C[:, 3] ** 2}
    expected |= {f"{NAMES[a]}:{NAMES[b]}": C[:, a] * C[:, b] for a, b in combinations(range(4), 2)}
    assert found.names == tuple(expected) and found.left_out == ()
    np.testing.assert_allclose(found.apply(X), np.stack(list(expected.values()), axis=1), rtol=1e-12)


def test_columns_without_centring_are_scikit_learns():
    X = np.random.default_rng(0).normal(size=(20, 5))
    model = PolynomialFeatures(2, include_bias=False).fit(X)
    found = jaxnet.expand_features(X, degree=2, centre=False)
    theirs = dict(zip(model.get_feature_names_out(), model.transform(X).T, strict=True))
    ours = {name.replace(":", " "): column for name, column in zip(found.names, found.apply(X).T, strict=True)}
    assert ours.keys() == theirs.keys()
    for name, column in ours.items():
        np.testing.assert_allclose(column, theirs[name], rtol=1e-12)


@pytest.mark.parametrize(
    ("interactions", "expected"),
    [
        ([("age", "bmi"), ("dose", "sex")], ["age:bmi", "dose:sex"]),
        (["dose", "age", 2], ["dose:age", "dose:bmi", "age:bmi"]),
        ([(0, 3)], ["age:dose"]),
        (["bmi"], []),
        (None, []),
        ([("age", "bmi"), ("bmi", "age")], ["age:bmi"]),
    ],
)
def test_interactions_may_be_chosen(interactions, expected):
    found = jaxnet.expand_features(data(), interactions=interactions, degree={"age": 2}, names=NAMES)
    assert found.names == (*NAMES, "age^2", *expected)


@pytest.mark.parametrize("centre", [True, False])
def test_what_adds_nothing_is_left_out(centre, rng):
    """Of columns of few values, many products are constant or other columns again: those that correlate 1 with an earlier one."""
    count = 0
    for levels in (2, 3):
        X = rng.integers(0, levels, size=(9, 6)).astype(float)
        X[:, 5] = X[:, 0] * X[:, 1]
        found = jaxnet.expand_features(X, degree=3, centre=centre)
        C, kept, out = X - found.centre, list(X.T), []
        for a, b, d in [(j, -1, d) for j in range(6) for d in (2, 3)] + [(*ab, 1) for ab in combinations(range(6), 2)]:
            column = C[:, a] ** d * (C[:, b] if b >= 0 else 1)
            if np.ptp(column) < 1e-12 or any(_correlates(column, other) for other in kept):
                out.append(f"x{a}^{d}" if b < 0 else f"x{a}:x{b}")
            else:
                kept.append(column)
        assert [name for name, _ in found.left_out] == out
        np.testing.assert_allclose(found.apply(X), np.stack(kept, axis=1), atol=1e-12)
        count += len(out)
    assert count >= 12, "the squares and cubes of indicators"


def _correlates(a, b) -> bool:
    return np.ptp(b) > 0 and abs(np.corrcoef(a, b)[0, 1]) > 1 - 1e-12


def test_indicators_are_counted_from_zero():
    """Whatever their codes are; the codes -1 and 1 stand on both sides of it already."""
    x = data()
    zero_one, other = x[:, 1], (np.random.default_rng(1).random(30) < 0.5).astype(float)
    for codes, expected in ((zero_one, zero_one), (zero_one + 1, zero_one), (2 * zero_one - 1, 2 * zero_one - 1)):
        X = np.stack([codes, other, x[:, 0]], axis=1)
        found = jaxnet.expand_features(X)
        np.testing.assert_array_equal(found.apply(X)[:, 3], expected * other)
        np.testing.assert_allclose(found.apply(X)[:, 4], expected * (x[:, 0] - x[:, 0].mean()))


def test_reasons_say_which_column_it_is():
    x = np.array([0.0, 1, 1, 0, 0, 0, 1, 0])
    other = np.array([0.0, 0, 0, 1, 0, 1, 0, 0])  # excludes the first
    found = jaxnet.expand_features(np.stack([x, other, np.arange(8.0)], axis=1), degree={0: 2}, names=["a", "b", "t"])
    assert dict(found.left_out) == {"a^2": "is a up to shift and scale", "a:b": "does not vary"}
    assert "3 columns, 2 products and 0 powers" in repr(found) and "2 left out: a^2 (is a up to" in repr(found)


def test_columns_of_x_all_stay():
    X = np.column_stack([data(), np.ones(30), data()[:, 0]])
    found = jaxnet.expand_features(X, interactions=[(0, 2), (2, 5), (0, 4)])
    assert found.names == ("x0", "x1", "x2", "x3", "x4", "x5", "x0:x2")
    assert [name for name, _ in found.left_out] == ["x2:x5", "x0:x4"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_new_rows_have_the_same_columns(dtype, monkeypatch):
    X = data(dtype=dtype)
    found = jaxnet.expand_features(X, degree=2)
    whole = found.apply(X)
    assert whole.dtype == dtype and np.array_equal(whole[:, :4], X)
    np.testing.assert_array_equal(found.apply(X[3:7]), whole[3:7])
    monkeypatch.setattr(module, "BLOCK", 40)
    np.testing.assert_array_equal(found.apply(X), whole)
    blocked = jaxnet.expand_features(X, degree=2)
    assert blocked.names == found.names and blocked.left_out == found.left_out
    np.testing.assert_allclose(blocked.centre, found.centre, rtol=1e-14)


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_frames_stay_frames_and_keep_names(library):
    X = data()
    columns = dict(zip(NAMES, X.T.copy(), strict=True))
    frame = import_module(library).table(columns) if library == "pyarrow" else import_module(library).DataFrame(columns)
    found = jaxnet.expand_features(frame, degree=2)
    out = found.apply(frame)
    assert type(out) is type(frame)
    y = X[:, 0] * X[:, 1] + np.random.default_rng(0).normal(size=30)
    result = jaxnet.sweep(out, y, rho=1.0, alphas=[0.1], cv=3, standardize=True)
    assert result.feature_names == found.names
    assert result.explain(out).names[0] in ("age:sex", "age", "sex")
    np.testing.assert_allclose(found.apply(X), jaxnet.expand_features(X, degree=2).apply(X))


def test_frames_are_matched_by_name_and_keep_their_index():
    frame = pd.DataFrame(data(), columns=NAMES, index=[f"row {i}" for i in range(30)])
    found = jaxnet.expand_features(frame)
    shuffled = frame[NAMES[::-1]].assign(more=1.0)
    pd.testing.assert_frame_equal(found.apply(shuffled), found.apply(frame))
    assert found.apply(frame).index.tolist() == frame.index.tolist()
    numbered = pd.DataFrame(data())
    assert list(jaxnet.expand_features(numbered, interactions=[(0, 1)]).apply(numbered).columns)[-1] == "x0:x1"
    with pytest.raises(InvalidInput, match=r"lacks 1 of the columns.*'bmi'"):
        found.apply(frame.drop(columns="bmi"))


def test_saved_expansion_gives_the_same_columns(tmp_path):
    found = jaxnet.expand_features(data(), degree=2, names=NAMES)
    jaxnet.save(found, tmp_path / "expansion.jaxnet")
    back = jaxnet.load(tmp_path / "expansion.jaxnet")
    assert (back.names, back.left_out) == (found.names, found.left_out)
    np.testing.assert_array_equal(back.apply(data(50)), found.apply(data(50)))


def test_an_interaction_is_found():
    """What no column shows by itself: y depends on a product only."""
    rng = np.random.default_rng(2)
    X = rng.normal(10, 1, size=(100, 8))
    y = (X[:, 2] - 10) * (X[:, 5] - 10) + 0.3 * rng.normal(size=100)
    found = jaxnet.expand_features(X)
    expanded = found.apply(X)
    result = jaxnet.sweep(expanded, y, rho=1.0, alphas=5, cv=3, standardize=True)
    assert found.names[result.select(expanded)[0]] == "x2:x5"


X = data()
WRONG = {
    "nothing": ({"interactions": None}, "ask for nothing"),
    "a word": ({"interactions": "most"}, "interactions='most'"),
    "a number": ({"interactions": 3}, "interactions=3"),
    "no such column": ({"interactions": ["x0", "x9"]}, "'x9', which X does not have.*0 to 3"),
    "a column beyond": ({"interactions": [(0, 4)]}, "column 4"),
    "a column before": ({"interactions": [(0, -1)]}, "column -1"),
    "three columns": ({"interactions": [(0, 1, 2)]}, r"column \(0, 1, 2\)"),
    "a square": ({"interactions": [(1, 1)]}, r"times itself.*degree=\{1: 2\}"),
    "degree zero": ({"degree": 0}, "degree=0"),
    "half a degree": ({"degree": 1.5}, "degree=1.5"),
    "degree of no column": ({"degree": {"x7": 2}}, "degree names the column 'x7'"),
    "degree of half": ({"degree": {"x1": 0.5}}, "degree="),
    "centre text": ({"centre": "mean"}, "centre='mean'"),
    "three names": ({"names": ["a", "b", "c"]}, "must be 4 texts"),
    "names as a text": ({"names": "abcd"}, "names='abcd'"),
    "names twice": ({"names": ["a", "b", "a:b", "c"]}, "'a:b' would be there twice"),
    "nan": ({"X": np.where(X > 60, np.nan, X)}, "NaN"),
    "overflow": ({"X": X * 1e200, "centre": False}, "x0:x1 overflows float64"),
    "names of a frame": ({"X": pd.DataFrame(X, columns=NAMES), "names": NAMES}, "frame with names of its own"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_named(name):
    changes, pattern = WRONG[name]
    with pytest.raises(InvalidInput, match=pattern):
        jaxnet.expand_features(**{"X": X, **changes})


def test_other_data_than_the_expansions_is_refused():
    found = jaxnet.expand_features(X.astype(np.float32), degree=2)
    with pytest.raises(InvalidInput, match="X has 3 columns, but the expansion was made for 4"):
        found.apply(X[:, :3])
    with pytest.raises(InvalidInput, match=r"x0\^2 overflows float32"):
        found.apply((X * 1e20).astype(np.float32))
