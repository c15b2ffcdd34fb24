"""Columns of labels as indicators: the same from every library, equal to naive encoders, repeatable on new rows."""

import re
import time
import warnings

import hypothesis
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet
import pytest
from hypothesis import strategies as st
from sklearn.preprocessing import OneHotEncoder

from jaxnet.data.batches import Stream, read_stream
from jaxnet.data.categories import Categories, encode
from jaxnet.data.tables import Table, read_table
from jaxnet.errors import InvalidInput

SITE = ["York", None, "Leeds", "York", "", "Ångström=x", "Leeds", None]
SIZE = ["low", "high", None, "low", "mid", "low", "high", "mid"]
FLAG = [True, False, None, True, True, False, None, False]
DOSE = [1.5, 2.0, None, -3.0, 0.0, 4.0, 5.0, 6.0]
COUNT = [3, None, 1, 2, 3, 4, 5, 7]
ORDER = ["low", "mid", "high", "never"]
NAMES = ("dose", "site", "flag", "size", "count")

FRAMES = {
    "pandas object": lambda rows: _pandas(rows, object, object, pd.CategoricalDtype(ORDER), "float64"),
    "pandas str": lambda rows: _pandas(rows, "str", "boolean", pd.CategoricalDtype(ORDER, ordered=True), "Int64"),
    "pandas string": lambda rows: _pandas(rows, "string", "boolean", pd.CategoricalDtype(ORDER[:3]), "Float64"),
    "pandas category": lambda rows: _pandas(rows, "category", object, pd.CategoricalDtype(ORDER), "Int64"),
    "pandas arrow": lambda rows: _pandas(
        rows, pd.ArrowDtype(pa.string()), pd.ArrowDtype(pa.bool_()), pd.CategoricalDtype(ORDER), "Int64"
    ),
    "polars": lambda rows: _polars(rows, pl.String),
    "polars category": lambda rows: _polars(rows, pl.Categorical),
    "pyarrow": lambda rows: _arrow(rows, pa.string(), pa.int64()),
    "pyarrow large": lambda rows: _arrow(rows, pa.large_string(), pa.int16()),
    "pyarrow view": lambda rows: _arrow(rows, pa.string_view(), pa.int64()),
    "pyarrow dictionary": lambda rows: _arrow(rows, pa.dictionary(pa.int8(), pa.string()), pa.decimal128(21, 2)),
}


def _columns(rows):
    return {
        name: [values[i] for i in rows] for name, values in zip(NAMES, (DOSE, SITE, FLAG, SIZE, COUNT), strict=True)
    }


def _pandas(rows, text, truth, size, count):
    c = _columns(rows)
    made = {
        "dose": pd.Series(c["dose"], dtype=float), "site": pd.Series(c["site"], dtype=text),
        "flag": pd.Series(c["flag"], dtype=truth), "size": pd.Series(c["size"], dtype=size),
        "count": pd.Series(c["count"], dtype=count),
    }  # fmt: skip
    return pd.DataFrame({name: series.set_axis(np.array(rows) + 7) for name, series in made.items()})


def _polars(rows, text):
    return pl.DataFrame(
        _columns(rows), schema={"dose": float, "site": text, "flag": bool, "size": pl.Enum(ORDER), "count": int}
    )


def _arrow(rows, text, count):
    c = _columns(rows)
    codes = pa.array([None if size is None else ORDER.index(size) for size in c["size"]], pa.int8())
    parts = {
        "dose": pa.array(c["dose"], pa.float64()),
        "site": pa.array(c["site"], text) if not pa.types.is_dictionary(text) else pa.array(c["site"]).dictionary_encode(),
        "flag": pa.array(c["flag"], pa.bool_()),
        "size": pa.DictionaryArray.from_arrays(codes, ORDER, ordered=True),
        "count": pa.array(c["count"], pa.int64()).cast(count, safe=False),
    }  # fmt: skip
    half = len(rows) // 2
    if half and pa.types.is_dictionary(text):  # chunks with dictionaries of their own
        whole = [pa.array(c["site"][:half]).dictionary_encode(), pa.array(c["site"][half:]).dictionary_encode()]
        parts["site"] = pa.chunked_array([w.cast(pa.dictionary(pa.int32(), pa.string())) for w in whole])
    return pa.table(parts)


def _naive(rows, missing="level", reference=None):
    """Names and columns, level by level, as the words of `Categories` say."""
    c, names, columns = _columns(rows), [], []
    levels = {"site": ["", "Leeds", "York", "Ångström=x"], "flag": [False, True], "size": ORDER[:3]}
    for name in NAMES:
        if name not in levels:
            names.append(name)
            columns.append([np.nan if v is None else v for v in c[name]])
            continue
        left_out = (reference or {}).get(name, False if name == "flag" else None)
        for level in levels[name]:
            if level != left_out:
                gap = np.nan if missing == "mode" else 0.0
                names.append(f"{name}={level}")
                columns.append([gap if v is None else float(v == level) for v in c[name]])
        if missing == "level":
            names.append(f"{name}=(missing)")
            columns.append([float(v is None) for v in c[name]])
    return tuple(names), np.array(columns).T


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
    matrix, encoding = encode(X)
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
    matrix, encoding = encode(X)
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
    [([1.0, 2.0], ["a", "b"], "1 column of neither .*'c' .*label 'a', where there were numbers"),
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
    text = encode(pd.DataFrame({"c": ["1", "2"]}))[1]
    np.testing.assert_array_equal(text.transform(pd.DataFrame({"c": [2, 1]})), [[0, 1], [1, 0]])


def _csv(frame) -> str:
    cell = {None: "", True: "true", False: "false"}
    lines = [[str(cell.get(v, v) if not isinstance(v, (int, float)) or isinstance(v, bool) else v) for v in row]
             for row in zip(*frame.values(), strict=True)]  # fmt: skip
    return "\n".join(",".join(line) for line in [list(frame), *lines]) + "\n"


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_files_are_encoded_as_frames_are(suffix, tmp_path):
    rows = [i for i in range(len(SITE)) if SITE[i] != ""]
    path = tmp_path / f"t.{suffix}"
    if suffix == "csv":
        path.write_text(_csv(_columns(rows)), encoding="utf-8")
    else:
        pyarrow.parquet.write_table(FRAMES["pyarrow dictionary"](rows), path)
    table = read_table(path)
    matrix, encoding = table.encode(NAMES[:3])
    expected, frames = encode(FRAMES["polars"](rows).select(NAMES[:3]))
    assert encoding.names == frames.names and encoding.levels == frames.levels
    np.testing.assert_array_equal(matrix, expected)
    np.testing.assert_array_equal(table.transform(encoding), matrix)
    for stream in (read_stream(path, text=encoding.text), Stream.of(table)):
        parts = [part.transform(encoding) for part in stream.tables(encoding.columns)]
        np.testing.assert_array_equal(np.concatenate(parts), matrix)


def test_empty_cells_of_csv_are_missing_and_labels_stay_as_written(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("s,y\n008,1\nNA,2\n,3\nx,4\n", encoding="utf-8")
    matrix, encoding = read_table(path).encode(["s"])
    assert encoding.names == ("s=008", "s=x", "s=(missing)")
    np.testing.assert_array_equal(matrix, [[1, 0, 0], [0, 0, 1], [0, 0, 1], [0, 1, 0]])
    path.write_text("s,y\n008,1\n,2\n", encoding="utf-8")
    (part,) = read_stream(path, text=encoding.text).tables(["s"])
    np.testing.assert_array_equal(part.transform(encoding), [[1, 0, 0], [0, 0, 1]])
    path.write_text("day,v\n2024-01-01,inf\n2024-01-02,1\n", encoding="utf-8")
    with pytest.raises(InvalidInput, match=r"t.csv has 1 column of neither .*'day' \(dates\)"):
        read_table(path).encode(["day"])
    with pytest.raises(InvalidInput, match=r"t.csv contains infinity .*'v' \(1\)"):
        read_table(path).encode(["v"])
    with pytest.raises(InvalidInput, match=r"'s' is no column of t.csv"):
        read_table(path).transform(encoding)


def test_columns_of_numpy_are_encoded_in_tables():
    columns = (np.array([1.0, np.nan]), np.array(["u", "v"]), np.array([True, False]), np.array([3, 4]))
    matrix, encoding = Table("t", ("n", "s", "f", "k"), columns).encode(["k", "f", "s", "n"])
    assert encoding.names == ("k", "f=True", "s=u", "s=v", "n")
    np.testing.assert_array_equal(matrix, [[3, 1, 1, 0, 1], [4, 0, 0, 1, np.nan]])


@pytest.mark.parametrize("kind", ["pandas", "polars", "pyarrow"])
def test_large_tables_are_encoded_fast(kind, rng):
    text = {name: rng.choice([f"{name}{i}" for i in range(20)], 200_000).tolist() for name in "abc"}
    frame = {"pandas": pd.DataFrame, "polars": pl.DataFrame, "pyarrow": pa.table}[kind](text)
    start = time.process_time()
    matrix, _ = encode(frame)
    assert time.process_time() - start < 2.5 and matrix.shape == (200_000, 60)
