"""Columns of labels as indicators: the same from every library, equal to naive encoders, repeatable on new rows."""

import re
import warnings

import hypothesis
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from category_frames import FRAMES, NAMES, ORDER, SITE, columns
from checks import counted
from hypothesis import strategies as st
from sklearn.preprocessing import OneHotEncoder

from jaxnet.data.categories import Categories, encode
from jaxnet.data.mixed import holds_labels
from jaxnet.data.tables import Table
from jaxnet.errors import InvalidInput


def _naive(rows, missing="level", reference=None):
    """Names and columns, level by level, as the words of `Categories` say."""
    c, names, made = columns(rows), [], []
    levels = {"site": ["", "Leeds", "York", "Ångström=x"], "flag": [False, True], "size": ORDER[:3]}
    for name in NAMES:
        if name not in levels:
            names.append(name)
            made.append([np.nan if v is None else v for v in c[name]])
            continue
        left_out = (reference or {}).get(name, False if name == "flag" else None)
        for level in levels[name]:
            if level != left_out:
                gap = np.nan if missing == "mode" else 0.0
                names.append(f"{name}={level}")
                made.append([gap if v is None else float(v == level) for v in c[name]])
        if missing == "level":
            names.append(f"{name}=(missing)")
            made.append([float(v is None) for v in c[name]])
    return tuple(names), np.array(made).T


@pytest.mark.parametrize("missing", ["level", "mode"])
@pytest.mark.parametrize("reference", [None, {"site": "Leeds", "flag": True}], ids=["all", "one left out"])
@pytest.mark.parametrize("kind", FRAMES)
def test_every_library_gives_the_same_columns(kind, missing, reference):
    rows = range(len(SITE))
    matrix, encoding = encode(FRAMES[kind](rows), Categories(reference, missing))
    names, expected = _naive(rows, missing, reference)
    assert encoding.names == names and encoding.columns == NAMES
    np.testing.assert_array_equal(matrix, expected)
    assert encoding.levels == (
        None,
        ("", "Leeds", "York", "Ångström=x"),
        ("False", "True"),
        ("low", "mid", "high"),
        None,
    )
    assert encoding.boolean == (False, False, True, False, False)
    assert encoding.text == ("site", "size")


@pytest.mark.parametrize("kind", FRAMES)
@pytest.mark.parametrize("other", FRAMES)
def test_rows_are_transformed_alike_whatever_the_library(kind, other):
    """Some rows of the training data in another library are those rows of the matrix, whatever levels occur in them."""
    matrix, encoding = encode(FRAMES[kind](range(len(SITE))))
    for rows in ([7, 6, 5, 4, 3, 2, 1, 0], [0, 3, 3], [1, 7], [4]):
        frame = FRAMES[other](rows)
        np.testing.assert_array_equal(encoding.transform(frame), matrix[rows])


@pytest.mark.parametrize("kind", FRAMES)
def test_permuted_rows_give_permuted_matrices(kind, rng):
    whole, encoding = encode(FRAMES[kind](range(len(SITE))))
    order = rng.permutation(len(SITE)).tolist()
    matrix, permuted = encode(FRAMES[kind](order))
    assert permuted.names == encoding.names
    np.testing.assert_array_equal(matrix, whole[order])


@pytest.mark.parametrize("columns", [1, 3])
def test_complete_text_is_what_other_encoders_give(columns, rng):
    X = rng.choice(["a", "bb", "Ä", "z=1", "", " a"], size=(60, columns))
    matrix, encoding = encode(X)
    theirs = OneHotEncoder(sparse_output=False).fit(X)
    np.testing.assert_array_equal(matrix, theirs.transform(X))
    dummies = pd.get_dummies(pd.DataFrame(X, columns=[f"x{j}" for j in range(columns)]), prefix_sep="=")
    assert encoding.names == tuple(dummies.columns)
    np.testing.assert_array_equal(matrix, dummies.to_numpy())
    first = encode(X, Categories({f"x{j}": min(X[:, j]) for j in range(columns)}))[0]
    np.testing.assert_array_equal(first, OneHotEncoder(sparse_output=False, drop="first").fit_transform(X))


CELL = (
    st.none()
    | st.sampled_from(["a", "b", "", "True", "1", "nan", "(x)"])
    | st.sampled_from([1, 1.0, True, float("nan")])
)


@hypothesis.given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=12), st.data())
def test_objects_of_any_mixture_are_repeated_and_sum_to_one(rows, data):
    X = np.empty((len(rows), 2), dtype=object)
    X[:] = rows
    declared = data.draw(st.sampled_from([("x0", "x1"), ("x1",), ()]))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "X has text that stands for missing values")
        try:
            matrix, encoding = encode(X, Categories(columns=declared))
        except InvalidInput as error:  # never where both are declared
            assert "numbers" in str(error) and "x1" not in declared * (len(declared) == 2)
            return
    assert all(encoding.levels[j] is not None for j in range(2) if f"x{j}" in declared)
    known = [~np.isnan(matrix[:, encoding.source == j]).any(axis=1) for j in range(2)]
    for j in range(2):
        block = encoding.source == j
        if encoding.levels[j] is not None:
            assert known[j].all()
            left = encoding.boolean[j]
            totals = matrix[:, block].sum(axis=1)
            assert np.isin(totals, [0, 1] if left else [1]).all()
    pick = data.draw(st.lists(st.integers(0, len(rows) - 1), min_size=1, max_size=5))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(encoding.transform(X[pick]), matrix[pick])


def test_texts_numbers_and_truth_values_of_one_column_are_levels_of_their_own():
    X = np.array([[1], ["1"], [1.0], [True], ["True"], [None]], dtype=object)
    matrix, encoding = encode(X, Categories(columns=["x0"]))
    assert encoding.names == ("x0=1", "x0=1.0", "x0=True", "x0=(missing)") and not encoding.boolean[0]
    np.testing.assert_array_equal(np.argmax(matrix, axis=1), [0, 0, 1, 2, 2, 3])
    truth, told = encode(np.array([[True], [False], [None]], dtype=object))
    assert told.boolean == (True,) and told.names == ("x0=True", "x0=(missing)")
    np.testing.assert_array_equal(truth, [[1, 0], [0, 0], [0, 1]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64, int, bool])
def test_arrays_of_numbers_stay_as_they_are(dtype):
    X = np.arange(6).reshape(3, 2).astype(dtype)
    matrix, encoding = encode(X)
    assert matrix.dtype == (np.float32 if dtype is np.float32 else np.float64) and encoding.names is None
    assert np.shares_memory(matrix, X) == (dtype in (np.float32, np.float64))
    assert encoding.blocks.tolist() == [-1, -1] and encoding.levels == (None, None)
    np.testing.assert_array_equal(encoding.transform(X[1:]), matrix[1:])


def test_frames_of_numbers_keep_names_gaps_and_precision():
    frame = pd.DataFrame({"a": [1, np.nan], "b": [2, 3]}, dtype=np.float32)
    matrix, encoding = encode(frame)
    assert matrix.dtype == np.float32 and encoding.names == ("a", "b")
    np.testing.assert_array_equal(matrix, [[1, 2], [np.nan, 3]])
    assert encode(frame.assign(c=["u", "v"]))[0].dtype == np.float32
    assert encode(frame.assign(c=["u", "v"], d=[1, 2]))[0].dtype == np.float64
    assert encode(frame[["a"]].assign(a=["u", "v"]))[0].dtype == np.float64


def test_columns_of_a_frame_go_by_name_and_of_an_array_by_position():
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": ["u", "v"]})
    matrix, encoding = encode(frame)
    shuffled = pl.DataFrame({"more": ["?", "!"], "b": ["u", "v"], "a": [1.0, 2.0]})
    np.testing.assert_array_equal(encoding.transform(shuffled), matrix)
    np.testing.assert_array_equal(encoding.transform([[1, "u"], [2, "v"]]), matrix)
    with pytest.raises(InvalidInput, match=r"lacks 1 column .*'b'"):
        encoding.transform(frame[["a"]])
    with pytest.raises(InvalidInput, match="X has 1 columns, but the encoding was made for 2"):
        encoding.transform([[1.0]])
    numbered = encode(frame.set_axis([0, 1], axis=1))
    assert numbered[1].columns is None and numbered[1].names == ("x0", "x1=u", "x1=v")
    np.testing.assert_array_equal(numbered[0], matrix)


def test_whole_numbers_of_categories_are_labels_in_their_order():
    values = [10, 2, 10, 1]
    frames = [
        pd.DataFrame({"k": pd.Categorical(values)}),
        pa.table({"k": pa.array(values).dictionary_encode()}),
        Table("t", ("k",), (pa.chunked_array([pa.array(values).dictionary_encode()]),)),
    ]
    for frame in frames:
        matrix, encoding = frame.encode(["k"]) if isinstance(frame, Table) else encode(frame)
        assert encoding.names == ("k=1", "k=2", "k=10")
        np.testing.assert_array_equal(matrix, np.eye(3)[[2, 1, 2, 0]])
        np.testing.assert_array_equal(encoding.transform(np.array([[2.0], [10.0]])), np.eye(3)[[1, 2]])


def test_unseen_levels_are_zeros_and_counted():
    frame = pd.DataFrame({"site": ["a", "b"], "dose": [1.0, 2.0], "kind": ["u", "v"]})
    new = pd.DataFrame({"site": ["c", "a", "c", None, "d"], "dose": 0.0, "kind": ["v", None, "u", "u", "u"]})
    text = r"'site' has 'c' \(2\), 'd' \(1\), \(missing\) \(1\); 'kind' has \(missing\) \(1\)"
    encoding = encode(frame)[1]
    with pytest.warns(UserWarning, match=text) as caught:
        out = encoding.transform(new)
    assert len(caught) == 1 and caught[0].filename == __file__
    expected = [[0, 0, 0, 0, 1], [1, 0, 0, 0, 0], [0, 0, 0, 1, 0], [0, 0, 0, 1, 0], [0, 0, 0, 1, 0]]
    np.testing.assert_array_equal(out, expected)
    with pytest.raises(InvalidInput, match=text):
        encode(frame, Categories(unseen="error"))[1].transform(new)
    with pytest.warns(UserWarning, match=r"'site' has 'c' \(2\), 'd' \(1\)\."):
        filled = encode(frame, Categories(missing="mode"))[1].transform(new)
    gaps = np.zeros((5, 5), bool)
    gaps[3, :2] = gaps[1, 3:] = True
    np.testing.assert_array_equal(filled, np.where(gaps, np.nan, expected))


def test_reference_is_the_heaviest_level_of_each_group():
    frame = pd.DataFrame({"n": range(6), "s": ["a", "b", "b", "c", None, "c"], "f": [True] * 6, "one": ["x"] * 6})
    weights = np.array(
        [[1, 1, 1, 1, 1, 1], [1, 0, 0, 0, 9, 0], [0, 1, 1, 5, 0, 0], [0.3, 0.1, 0.2, 0, 0, 0], [0, 0, 0, 0, 1, 0]],
        float,
    )
    for missing, s in (("level", 4), ("mode", 3)):
        matrix, encoding = encode(frame, Categories("frequent", missing))
        found = encoding.excluded(matrix, weights)
        assert found.shape == (5, len(encoding.names))
        left = [[name for name, out in zip(encoding.names, row, strict=True) if out] for row in found]
        assert left == [["s=b", "one=x"], ["s=a", "one=x"], ["s=c", "one=x"], ["s=a", "one=x"], ["one=x"]]
        assert encoding.blocks.tolist() == [-1, *[0] * s, 1, 2]
    matrix, encoding = encode(frame)
    assert not encoding.excluded(matrix, weights).any() and encoding.excluded(matrix, weights).shape == (5, 7)


def test_some_columns_are_encoded_alone_as_before():
    frame = FRAMES["polars"](range(len(SITE)))
    matrix, encoding = encode(frame)
    part = encoding.of_columns([1, 4])
    assert part.columns == ("site", "count") and part.labelled == (True, False)
    kept = np.isin(encoding.source, [1, 4])
    assert part.names == tuple(np.array(encoding.names)[kept])
    np.testing.assert_array_equal(part.transform(frame), matrix[:, kept])


@pytest.mark.parametrize(
    "empty", [pl.DataFrame({"s": [None, None]}, schema={"s": pl.String}), pa.table({"s": pa.nulls(2, pa.string())}),
              pd.DataFrame({"s": pd.Series([None, None], dtype="str")}), pd.DataFrame({"s": pd.Categorical([None, None])})],
    ids=["polars", "pyarrow", "pandas", "category"],
)  # fmt: skip
def test_text_that_is_all_missing_is_one_level_or_none(empty):
    matrix, encoding = encode(empty)
    assert encoding.names == ("s=(missing)",) and encoding.levels == ((),)
    np.testing.assert_array_equal(matrix, [[1], [1]])
    with pytest.raises(InvalidInput, match="No column of X is left"):
        encode(empty, Categories(missing="mode"))
    with pytest.warns(UserWarning, match=r"'s' has 'a' \(1\)"):
        np.testing.assert_array_equal(encoding.transform(pd.DataFrame({"s": ["a", None]})), [[0], [1]])


def test_objects_that_are_all_missing_are_numbers():
    for frame in (
        pd.DataFrame({"s": [None, None]}, dtype=object),
        pl.DataFrame({"s": [None, None]}),
        pa.table({"s": pa.nulls(2)}),
    ):
        matrix, encoding = encode(frame)
        assert encoding.levels == (None,) and np.isnan(matrix).all() and matrix.shape == (2, 1)


def test_odd_labels_are_kept_whole():
    labels = ["a=b", "x" * 3000, "новый\n", "🙂", "(missing)", " "]
    matrix, encoding = encode(pl.DataFrame({"s": labels}))
    assert sorted(encoding.names) == sorted(f"s={label}" for label in labels)
    np.testing.assert_array_equal(matrix.sum(axis=0), 1)


WEEK = pd.date_range("2024-01-01", periods=2)
REFUSED = {
    "dates": (pd.DataFrame({"day": WEEK, "s": ["a", "b"]}), {}, r"1 column of neither.* 'day' \(dates\).*days since"),
    "date objects": (pd.DataFrame({"day": [d.date() for d in WEEK]}), {}, r"'day' \(dates\)"),
    "polars dates": (pl.DataFrame({"day": WEEK.to_list(), "t": [[1], [2]]}), {}, r"'day' \(dates\); 't' \(type List\)"),
    "arrow dates": (pa.table({"day": pa.array(WEEK), "b": [b"a", b"b"]}), {}, r"'day' \(dates\); 'b' \(type binary\)"),
    "date array": (np.array([["2024-01-01"]], "datetime64[D]"), {}, r"column 0 \(dates\)"),
    "lists": (np.array([[{}], [1]], dtype=object), {}, r"column 0 \(values of type dict\)"),
    "infinite": (pd.DataFrame({"s": ["a", "b", "c"], "d": [1, np.inf, -np.inf]}), {}, r"infinity .* 'd' \(2\)"),
    "infinite array": (np.array([[1, np.inf]]), {}, r"2?infinite value in 1 column: column 1 \(1\)"),
    "row labels": (pl.DataFrame({"id": [f"r{i}" for i in range(101)]}), {}, r"'id' \(101 levels\).*row labels"),
    "few levels": (pl.DataFrame({"id": ["a", "b", "c"]}), {"max_levels": 2}, "more than max_levels=2 levels"),
    "collision": (pd.DataFrame({"s=a": [1, 2], "s": ["a", "b"]}), {}, "two columns 's=a'"),
    "collision of levels": (pd.DataFrame({"s": ["a=b"], "s=a": ["b"]}), {}, "two columns 's=a=b'"),
    "collision with missing": (pd.DataFrame({"s": ["(missing)", None]}), {}, r"two columns 's=\(missing\)'"),
    "no such column": (pd.DataFrame({"site": ["a"]}), {"reference": {"sight": "a"}}, "'sight'.*nearest is 'site'"),
    "reference of numbers": (pd.DataFrame({"n": [1], "s": ["a"]}), {"reference": {"n": 1}}, "'n'.*are numbers"),
    "no such level": (pd.DataFrame({"s": ["a", "b"]}), {"reference": {"s": "c"}}, "'c' is no level .*'a', 'b'"),
    "nothing left": (pd.DataFrame({"s": ["a"]}), {"reference": {"s": "a"}}, "No column of X is left"),
    "bad reference": (np.eye(2), {"reference": "first"}, "reference='first'"),
    "bad missing": (np.eye(2), {"missing": "mean"}, "missing='mean' .*'level' or 'mode'"),
    "bad unseen": (np.eye(2), {"unseen": None}, "unseen=None"),
    "bad max_levels": (np.eye(2), {"max_levels": 0}, "max_levels=0"),
    "vector": (np.array(["a", "b"]), {}, "Expected 2D array, got 1D array"),
    "no rows": (pl.DataFrame({"s": []}, schema={"s": pl.String}), {}, r"0 sample\(s\)"),
    "text": ("data.csv", {}, "read the file first"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_encoded_gets_a_sentence(case):
    X, options, message = REFUSED[case]
    with pytest.raises(InvalidInput, match=re.compile(message, re.DOTALL)) as caught:
        encode(X, Categories(**options))
    assert len(str(caught.value)) < 500
    with pytest.raises(InvalidInput, match="categories='frequent'"):
        encode(np.eye(2), "frequent")


@pytest.mark.parametrize(
    ("trained", "given", "message"),
    [([1.0, 2.0], ["a", "b"], "1 column of neither .*'c' .2 of 2 .*: 'a', 'b', where there were numbers"),
     ([True, False], ["True", "no"], "'c' of X has the value .* where there were truth values"),
     ([True, False], [0.5, 1.0], "'0.5', where there were truth values"),
     (["a", "b"], WEEK, "'c' .dates")],
)  # fmt: skip
def test_new_rows_of_another_kind_are_refused(trained, given, message):
    encoding = encode(pd.DataFrame({"c": trained}))[1]
    for frame in (pd.DataFrame({"c": given}), pl.DataFrame({"c": list(given)}), pa.table({"c": list(given)})):
        with pytest.raises(InvalidInput, match=message):
            encoding.transform(frame)


def test_new_rows_may_spell_their_kind_otherwise():
    truth = encode(pd.DataFrame({"c": [True, False]}))[1]
    np.testing.assert_array_equal(truth.transform(pd.DataFrame({"c": [0, 1]})), [[0], [1]])
    numbers = encode(pd.DataFrame({"c": [0.0, 1.0]}))[1]
    np.testing.assert_array_equal(numbers.transform(pl.DataFrame({"c": [True, None]})), [[1], [np.nan]])
    text = encode(pd.DataFrame({"c": ["1", "2"]}), Categories(columns=["c"]))[1]
    np.testing.assert_array_equal(text.transform(pd.DataFrame({"c": [2, 1]})), [[0, 1], [1, 0]])


def test_tables_that_hold_labels_are_told_from_those_that_do_not():
    for make in FRAMES.values():
        assert holds_labels(make(range(len(SITE))))
    for frame in (pd.DataFrame, pl.DataFrame, pa.table):
        assert holds_labels(frame({"a": [1.0, 2.0], "b": [None, "u"]}))
        assert not holds_labels(frame({"a": [1.0, 2.0], "b": [True, False], "c": [None, None]}))
    assert holds_labels(np.array([["1"]])) and not holds_labels(np.eye(2)) and not holds_labels([[1, None]])


def test_masked_labels_are_missing():
    X = np.ma.array([["a", "b"], ["c", "d"]], mask=[[False, True], [False, False]])
    matrix, encoding = encode(X)
    assert encoding.names == ("x0=a", "x0=c", "x1=d", "x1=(missing)")
    np.testing.assert_array_equal(matrix, [[1, 0, 0, 1], [0, 1, 1, 0]])


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_large_tables_are_encoded_in_a_few_calls_per_cell(kind, rng):
    text = {name: rng.choice([f"{name}{i}" for i in range(20)], 50_000).tolist() for name in "abc"}
    frame = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}[kind](text)
    (matrix, _), calls = counted(lambda: encode(frame))
    assert calls < 4 * 150_000 and matrix.shape == (50_000, 60)
