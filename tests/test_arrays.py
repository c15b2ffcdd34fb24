"""What `as_matrix`, `as_response` and `as_weights` accept, what they return, and the sentence for everything else."""

import re
from importlib import import_module

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import scipy.sparse

from jaxnet.data.arrays import as_matrix, as_response, as_weights
from jaxnet.errors import InvalidInput

X = np.arange(12.0).reshape(4, 3)
NAMES = ("a", "b", "c")


@pytest.mark.parametrize(
    "fine", [X, X.astype(np.float32), np.asfortranarray(X), X[:, ::2], X[::-1]], ids=lambda a: f"{a.strides}"
)
def test_matrix_is_not_copied_when_it_is_fine(fine):
    matrix, names = as_matrix(fine)
    assert names is None and np.shares_memory(matrix, fine)
    assert matrix.dtype == fine.dtype and matrix.strides == fine.strides


@pytest.mark.parametrize(
    "given",
    [
        X.astype(int), X.astype(np.uint8), X.astype(np.float16), X.astype(np.longdouble), X.astype(">f8"),
        X.astype(object), X.tolist(), tuple(map(tuple, X)), np.ma.array(X), pd.DataFrame(X),
        pd.DataFrame(X).astype("Int64"), pd.DataFrame(X).astype(object), pd.DataFrame(X).astype({0: int, 1: "float32"}),
    ],
    ids=lambda a: f"{type(a).__name__}-{getattr(a, 'dtype', '')}",
)  # fmt: skip
def test_matrix_of_anything_numeric_is_float64(given):
    matrix, names = as_matrix(given)
    assert matrix.dtype == np.float64 and matrix.dtype.isnative and names is None
    assert np.array_equal(matrix, X)


def test_matrix_of_booleans_is_zeros_and_ones():
    assert np.array_equal(as_matrix(X > 4)[0], (X > 4).astype(float))
    frame = pd.DataFrame({"flag": [True, False], "dose": [1.5, 2.0]})
    assert np.array_equal(as_matrix(frame)[0], [[1, 1.5], [0, 2]])


def test_matrix_of_jax_array():
    jnp = import_module("jax.numpy")
    matrix, _ = as_matrix(jnp.ones((2, 3)))
    assert type(matrix) is np.ndarray and matrix.dtype == np.float32


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(
    "frame",
    [
        lambda a: pd.DataFrame(a, columns=list(NAMES)),
        lambda a: pl.DataFrame(a, schema=list(NAMES)),
        lambda a: pa.table(dict(zip(NAMES, a.T, strict=True))),
    ],
    ids=["pandas", "polars", "pyarrow"],
)
def test_matrix_of_frame_keeps_names_and_precision(frame, dtype):
    matrix, names = as_matrix(frame(X.astype(dtype)))
    assert names == NAMES and matrix.dtype == dtype
    assert np.array_equal(matrix, X)


@pytest.mark.parametrize(
    "frame",
    [
        pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "b": [1.0, 2.0]}),
        pd.DataFrame({"a": [1, None], "b": [1.0, 2.0]}, dtype=object),
        pl.DataFrame({"a": [1, None], "b": [True, False]}),
        pa.table({"a": [1.5, None], "b": [1, 2]}),
    ],
    ids=["nullable", "object", "polars", "pyarrow"],
)
def test_missing_values_of_frames_are_named(frame):
    with pytest.raises(InvalidInput, match=r"Input X contains NaN. 1 missing value in 1 column: 'a' \(1\)"):
        as_matrix(frame)


def _with(value, at=(1, 2), dtype=float):
    out = X.astype(dtype)
    out[at] = value
    return out


BAD_MATRICES = {
    "sparse": (scipy.sparse.csr_array(X), r"sparse csr_array.*X\.toarray\(\)"),
    "complex": (X + 1j, "Complex data not supported"),
    "complex object": (_with(1j, dtype=object), "Complex data not supported"),
    "dict": (_with({"foo": "bar"}, dtype=object), "column 2 .*argument must be a string or a real number"),
    "text array": (X.astype(str), "X holds text"),
    "text in list": ([[1, "a"], [2, "b"]], "1 column without numbers: column 1 .'?value 'a' in row 0 is text"),
    "a word": ("train.csv", "read the file first"),
    "none": (None, "X is None"),
    "dates": (np.zeros((2, 2), "datetime64[s]"), "datetime64"),
    "structured": (np.zeros((2, 2), [("a", float)]), "no plain numbers"),
    "ragged": ([[1, 2], [3]], "no rectangular array"),
    "vector": (X[0], r"Expected 2D array, got 1D array.*Reshape your data"),
    "scalar": (3.0, "Expected 2D array, got scalar"),
    "cube": (X[None], "dim 3"),
    "no row": (X[:0], r"0 sample\(s\) \(shape=\(0, 3\)\) while a minimum of 1 is required"),
    "no column": (X[:, :0], r"0 feature\(s\) \(shape=\(4, 0\)\) while a minimum of 1 is required"),
    "nan": (_with(np.nan), r"Input X contains NaN. 1 missing value in 1 column: column 2 \(1\)"),
    "masked": (np.ma.array(X, mask=X > 9), r"2 missing values in 2 columns: column 1 \(1\), column 2 \(1\)"),
    "inf": (_with(-np.inf), r"Input X contains infinity .* 1 infinite value in 1 column: column 2"),
    "float32 inf": (_with(np.inf, dtype=np.float32), r"too large for dtype\('float32'\)"),
    "huge integer": (_with(10**400, dtype=object), "infinity"),
    "lazy": (pl.LazyFrame({"a": [1]}), r"X\.collect\(\)"),
    "duplicate names": (pd.DataFrame(X, columns=list("aba")), "duplicate column names: 'a'"),
    "duplicate arrow": (pa.table([[1], [2]], names=["g", "g"]), "duplicate column names: 'g'"),
    "mixed names": (pd.DataFrame(X, columns=["a", 1, 2]), r"\['int', 'str'\] as feature name"),
    "text column": (pl.DataFrame({"a": [1.0], "s": ["u"]}), "1 column without numbers: 's'"),
    "category": (pd.DataFrame({"c": pd.Categorical(["u"])}), r"'c' \(type Categorical\)"),
    "many": (pd.DataFrame({f"t{i}": ["u"] for i in range(7)}), "7 columns without numbers: .* and 2 more"),
    "series": (pd.Series([1.0, 2.0]), "Expected 2D array, got 1D array"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD_MATRICES)
def test_matrix_refuses_with_a_sentence(name):
    bad, message = BAD_MATRICES[name]
    with pytest.raises(InvalidInput, match=re.compile(message, re.DOTALL)) as caught:
        as_matrix(bad)
    assert len(str(caught.value)) < 500


def test_values_that_are_no_numbers_are_type_errors_too():
    with pytest.raises(TypeError, match=r"argument must be .* string.* number"):
        as_matrix(np.array([[{}]], dtype=object))


def test_matrix_names_the_argument():
    with pytest.raises(InvalidInput, match="Input new_cells contains NaN"):
        as_matrix([[np.nan]], name="new_cells")


def test_finite_values_whose_sum_overflows_are_fine():
    big = np.full((3, 2), 1e308)
    assert as_matrix(big)[0] is not None and np.all(as_matrix(big)[0] == 1e308)


@pytest.mark.parametrize(
    "given",
    [[1, 2, 3, 4], np.arange(1, 5, dtype=np.float32), pd.Series([1, 2, 3, 4]), pl.Series([1, 2, 3, 4]),
     pa.chunked_array([[1, 2], [3, 4]]), np.array([1, 2, 3, 4], object), pd.Series([1, 2, 3, 4], dtype="Int64")],
    ids=lambda y: type(y).__name__,
)  # fmt: skip
def test_response_is_a_float64_vector(given):
    y = as_response(given, 4)
    assert y.dtype == np.float64 and y.shape == (4,) and np.array_equal(y, [1, 2, 3, 4])


@pytest.mark.parametrize("given", [X, pd.DataFrame(X), X.tolist()], ids=["array", "frame", "list"])
def test_response_may_have_columns(given):
    assert np.array_equal(as_response(given, 4), X)
    assert as_response(X[:, :1], 4).shape == (4, 1)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (None, "requires y to be passed, but the target y is None"),
        ([1, 2], "y has 2 entries but X has 4 rows: Found input variables with inconsistent numbers of samples"),
        (3.0, "1d array"),
        (np.ones((4, 1, 1)), "1d array"),
        (X[:, :0], "no column"),
        (["a"] * 4, "y holds something else than numbers: value 'a' in row 0 is text"),
        (pd.Series(["u"] * 4), "text"),
        (np.ones(4) * 1j, "Complex data not supported"),
        ([1, np.nan, 1, np.nan], "Input y contains NaN. 2 missing values, in rows 1, 3"),
        (pl.Series([1, None, 2, 3]), "Input y contains NaN"),
        ([1, 1, np.inf, 1], "Input y contains infinity"),
        (pd.DataFrame({"t": [1, 2, 3, np.nan]}), r"'t' \(1\)"),
        (scipy.sparse.csr_array(X), "sparse"),
    ],
    ids=range(13),
)
def test_response_refuses_with_a_sentence(bad, message):
    with pytest.raises(InvalidInput, match=message):
        as_response(bad, 4)


@pytest.mark.parametrize("given", [2, 2.0, True, np.float32(2), [2, 2, 2, 2], pd.Series([2.0] * 4)], ids=str)
def test_weights_are_a_float64_vector(given):
    w = as_weights(given, 4)
    assert w.dtype == np.float64 and w.shape == (4,) and np.ptp(w) == 0 and w[0] > 0


def test_weights_may_be_absent_or_zero_in_places():
    assert as_weights(None, 4) is None
    assert np.array_equal(as_weights([0, 1, 0, 2], 4), [0, 1, 0, 2])


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([1, -1, -2, 3], r"2 negative weights \(the first is -1 in row 1\)"),
        ([0] * 4, "zero in every row"),
        (0, "zero in every row"),
        ([1, 2], "2 entries but X has 4 rows"),
        (np.ones((4, 2)), "one weight per row"),
        ([1, np.nan, 1, 1], "sample_weight contains NaN"),
        ([1, np.inf, 1, 1], "sample_weight contains infinity"),
        ("balanced", "text 'balanced'"),
    ],
    ids=range(8),
)
def test_weights_refuse_with_a_sentence(bad, message):
    with pytest.raises(InvalidInput, match=message):
        as_weights(bad, 4)
