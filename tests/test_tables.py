"""A table read from any format is the table that was written, and bad ones get a sentence that names the trouble."""

import gzip
import re
import sys
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from jaxnet.data.arrow import numbers
from jaxnet.data.examples import load_diabetes, load_penguins
from jaxnet.data.tables import Table, read_table
from jaxnet.errors import InvalidInput
from jaxnet.missing.analysis.patterns import missing_patterns
from jaxnet.pipeline.features import prepare

NAMES = ["dose", "gene,1", "count", "flag", "label"]
VALUES = np.array([[0.1, 1e-300, 3, 1], [1 / 3, -2.5e17, -4, 0], [1e300, 0.0, 5, 1]])
LABELS = ["007", "b", "c"]


def write_delimited(path: Path, separator: str, opener=open) -> None:
    quoted = [f'"{name}"' for name in NAMES]
    lines = [separator.join(quoted)]
    for (a, b, c, d), label in zip(VALUES.tolist(), LABELS, strict=True):
        lines.append(separator.join([repr(a), repr(b), str(int(c)), "true" if d else "false", label]))
    with opener(path, "wt", encoding="utf-8") as file:
        file.write("\n".join(lines) + "\n")


def write_parquet(path: Path) -> None:
    pa = import_module("pyarrow")
    import pyarrow.parquet as pq

    a, b, c, d = VALUES.T
    columns = [a, b, c.astype(int), d.astype(bool), LABELS]
    pq.write_table(pa.table(dict(zip(NAMES, columns, strict=True))), path)


def write_npz(path: Path) -> None:
    np.savez(path, X=VALUES, feature_names=np.array(NAMES[:4]), label=np.array(LABELS))


WRITERS = {
    "t.csv": lambda path: write_delimited(path, ","),
    "t.tsv": lambda path: write_delimited(path, "\t"),
    "T.CSV": lambda path: write_delimited(path, ","),
    "t.csv.gz": lambda path: write_delimited(path, ",", gzip.open),
    "t.tsv.gz": lambda path: write_delimited(path, "\t", gzip.open),
    "t.parquet": write_parquet,
    "t.npz": write_npz,
}


def csv_table(tmp_path: Path, text: str | bytes, name: str = "bad.csv", **options) -> Table:
    path = tmp_path / name
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_table(path, **options)


@pytest.mark.parametrize("name", WRITERS)
def test_tables_read_back_what_was_written(name, tmp_path):
    WRITERS[name](tmp_path / name)
    table = read_table(tmp_path / name, text=["label"])
    assert table.names == tuple(NAMES)
    assert len(table) == 3
    np.testing.assert_array_equal(table.matrix(NAMES[:4]), VALUES)
    np.testing.assert_array_equal(table.vector("count"), VALUES[:, 2])
    assert table.raw("label").tolist() == LABELS


def test_tables_give_columns_in_the_order_asked_for(tmp_path):
    WRITERS["t.csv"](tmp_path / "t.csv")
    table = read_table(tmp_path / "t.csv")
    np.testing.assert_array_equal(table.matrix(["count", "dose"]), VALUES[:, [2, 0]])


def test_tables_keep_float32_only_if_every_column_is(tmp_path):
    X = np.arange(6, dtype=np.float32).reshape(3, 2)
    np.savez(tmp_path / "x.npz", X=X, y=np.arange(3.0))
    table = read_table(tmp_path / "x.npz")
    assert table.matrix(["x0", "x1"]).dtype == np.float32
    assert table.matrix(["x0", "y"]).dtype == np.float64


def test_tables_read_rows_longer_than_a_block(tmp_path):
    long = "column" * 1000  # a header of 6 MB
    names = [f"{long}{j}" for j in range(1000)]
    table = csv_table(tmp_path, ",".join(names) + "\n" + ",".join(["0.25"] * 1000) + "\n")
    assert list(table.names) == names and table.vector(names[-1]).item() == 0.25


def test_tables_treat_common_spellings_as_missing(tmp_path):
    table = csv_table(tmp_path, "a,b\n,1\nNA,2\nNaN,3\nnull,4\n5,6\n")
    np.testing.assert_array_equal(table.raw("a"), [np.nan] * 4 + [5])
    with pytest.raises(InvalidInput, match=r"'a' \(4 missing values in 5 rows\).*--drop a"):
        table.matrix(["a", "b"])
    with pytest.raises(InvalidInput, match=r"--target 'a' .* 4 missing values \(data rows 1, 2, 3, 4\)"):
        table.vector("a", "--target")


def test_tables_allow_quoted_line_ends_byte_order_marks_and_blanks(tmp_path):
    table = csv_table(tmp_path, '\ufeffname, a\r\n"two\nlines", 1.5\r\n\r\nx,2\r\n')
    assert table.names == ("name", "a")
    assert table.raw("name").tolist() == ["two\nlines", "x"]
    np.testing.assert_array_equal(table.vector("a"), [1.5, 2])


def test_tables_keep_one_nameless_column(tmp_path):
    assert csv_table(tmp_path, ",a\n0,1\n1,2\n").names == ("", "a")


def test_tables_take_a_saved_pandas_index_for_nameless(tmp_path):
    pandas = import_module("pandas")
    pandas.DataFrame({"a": [1.0, 2.0]}, index=[7, 3]).to_parquet(tmp_path / "t.parquet")
    assert read_table(tmp_path / "t.parquet").names == ("a", "")


def test_tables_keep_labels_as_written_though_their_name_has_blanks(tmp_path):
    (tmp_path / "t.csv").write_text(" cell , a\n007, 1\n008, 2\n")
    table = read_table(tmp_path / "t.csv", text=["cell"])
    assert table.names == ("cell", "a") and table.raw("cell").tolist() == ["007", "008"]


def test_tables_refuse_files_whose_name_is_no_text(tmp_path):
    """Linux lets file names be any bytes; Python shows the odd ones as lone surrogates, which pyarrow cannot open."""
    path = tmp_path / "odd\udcff.csv"
    try:
        path.write_text("a\n1\n")
    except (OSError, UnicodeEncodeError):
        pytest.skip("this file system has text names only")
    with pytest.raises(InvalidInput, match="is not valid text; rename it"):
        read_table(path)


BAD_FILES = {
    "duplicate": ("a,b,a\n1,2,3\n", "duplicate column names: 'a'"),
    "empty": ("", r"cannot read bad.csv: Empty CSV file"),
    "header only": ("a,b\n", "no rows"),
    "ragged": ("a,b\n1,2\n1,2,3\n", "Row #3: Expected 2 columns, got 3: 1,2,3; check that row and the separator"),
    "decimal commas": ("a;b\n1,5;2\n", "Row #2: Expected 1 columns, got 2.*commas in .csv, tabs in .tsv"),
    "latin-1 header": ("é,b\n1,2\n".encode("latin1"), "bad.csv is not UTF-8 text: save it as UTF-8"),
    "utf-16": ("a,b\n1,2\n".encode("utf-16"), "bad.csv is not UTF-8 text: save it as UTF-8"),
}


@pytest.mark.parametrize("case", BAD_FILES)
def test_tables_refuse_bad_files_with_a_sentence(case, tmp_path):
    text, pattern = BAD_FILES[case]
    with pytest.raises(InvalidInput, match=pattern):
        csv_table(tmp_path, text)


def test_tables_refuse_other_formats_and_damaged_archives(tmp_path):
    for name, content, pattern in (
        ("t.xlsx", b"x", "cannot tell the format of t.xlsx"),
        ("t.parquet.gz", b"x", "cannot tell the format"),
        ("t", b"x", "cannot tell the format"),
        ("..", None, "is a folder: name a file"),
        ("t.csv.gz", b"a,b\n1,2\n", "cannot read t.csv.gz"),
        ("t.parquet", b"PAR1 no PAR1", "cannot read t.parquet"),
        ("t.npz", b"no zip", "t.npz is no NPZ file"),
        ("cut.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 999)[:40], "cannot read cut.csv.gz"),
    ):
        with pytest.raises(InvalidInput, match=pattern):
            read_table(tmp_path / name) if content is None else csv_table(tmp_path, content, name)
    with pytest.raises(FileNotFoundError):
        read_table(tmp_path / "none.csv")


def test_tables_refuse_wrong_npz_contents(tmp_path):
    X = np.zeros((3, 2))
    for arrays, pattern in (
        ({"Z": X}, "must hold a matrix 'X'.*'Z'"),
        ({"X": X[0]}, "must hold a matrix 'X'"),
        ({"X": X.astype(complex)}, "dtype complex128"),
        ({"X": np.array([[None]])}, "'X' in t.npz is an array of Python objects: .*dtype=float"),
        ({"X": X, "feature_names": np.array(["a", "b"], object)}, "'feature_names' in t.npz .*dtype=str"),
        ({"X": X, "feature_names": np.array(["a"])}, "must be 2 strings"),
        ({"X": X, "y": np.zeros(2)}, r"'y' .* shape \(2,\)"),
        ({"X": X, "feature_names": np.array(["a", "a"])}, "duplicate"),
        ({"X": np.zeros((0, 2))}, "no rows"),
    ):
        np.savez(tmp_path / "t.npz", **arrays)
        with pytest.raises(InvalidInput, match=pattern):
            read_table(tmp_path / "t.npz")


def test_tables_name_columns_that_are_not_numeric(tmp_path):
    table = csv_table(tmp_path, "a,cell type,day\n1,T cell,2020-01-01\n2,,2020-01-02\n")
    with pytest.raises(InvalidInput) as caught:
        table.matrix(table.names)
    message = str(caught.value)
    assert "2 columns" in message and "'cell type' (holds 'T cell')" in message and "'day'" in message
    assert "--drop 'cell type' day" in message and "--id" in message
    with pytest.raises(InvalidInput, match=r"'cell type' .* not numeric .*'T cell'"):
        table.vector("cell type", "--target")


def test_tables_quote_the_cell_that_makes_a_column_text(tmp_path):
    with pytest.raises(InvalidInput, match="'a' \\(holds 'unknown'\\)"):
        csv_table(tmp_path, "a\n1\n2\nunknown\n").matrix(["a"])


def test_tables_report_infinite_values(tmp_path):
    table = csv_table(tmp_path, "a,b\ninf,1\n2,\n")
    with pytest.raises(InvalidInput, match=r"'a' \(1 infinite value in 2 rows\), 'b' \(1 missing value in 2 rows\)"):
        table.matrix(["a", "b"])


@pytest.mark.parametrize(
    ("names", "asked", "answer"),
    [
        (["response", "age"], "respons", "the nearest is 'response'"),
        (["Response", "age"], "RESPONSE", "the nearest is 'Response'"),
        (["alpha", "beta"], "zzz", "it has 'alpha', 'beta'"),
        (["0.5", "1"], "y", "first row looks like numbers"),
        (["a;b;c"], "y", "check the separator"),
    ],
)
def test_tables_help_to_find_a_column(names, asked, answer):
    table = Table("t.csv", tuple(names), tuple(np.zeros(2) for _ in names))
    with pytest.raises(InvalidInput, match=f"--target {asked!r} is no column of t.csv; .*{re.escape(answer)}"):
        table.position(asked, "--target")


def test_tables_say_how_to_install_pyarrow(tmp_path, monkeypatch):
    (tmp_path / "t.csv").write_text("a\n1\n")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(InvalidInput, match=r"pip install 'jaxnet-elasticnet\[cli\]'"):
        read_table(tmp_path / "t.csv")
    write_npz(tmp_path / "t.npz")
    assert len(read_table(tmp_path / "t.npz")) == 3


def test_tables_bundled_diabetes_is_scikit_learns_in_raw_units():
    sklearn = import_module("sklearn.datasets")
    theirs, ours = sklearn.load_diabetes(scaled=False), load_diabetes()
    np.testing.assert_array_equal(ours.X, theirs.data)
    np.testing.assert_array_equal(ours.y, theirs.target)
    assert list(ours.feature_names) == list(theirs.feature_names) and ours.target == "progression"


def test_tables_bundled_penguins_have_the_published_counts_means_and_holes():
    """Counts and means as in the articles that introduce the data and in the R package's summaries."""
    found = load_penguins()
    of = {name: found["species"] == name for name in ("Adelie", "Chinstrap", "Gentoo")}
    means = {
        "bill_length_mm": (38.79, 48.83, 47.50),
        "bill_depth_mm": (18.35, 18.42, 14.98),
        "flipper_length_mm": (189.95, 195.82, 217.19),
        "body_mass_g": (3700.66, 3733.09, 5076.02),
    }
    assert [rows.sum() for rows in of.values()] == [152, 68, 124]
    for name, expected in means.items():
        np.testing.assert_allclose([np.nanmean(found[name][rows]) for rows in of.values()], expected, atol=0.005)
    np.testing.assert_allclose(
        [np.nanmean(found["delta_15_n"]), np.nanmean(found["delta_13_c"])], [8.73, -25.69], atol=0.005
    )
    counts = {name: [(found[name] == level).sum() for level in levels] for name, *levels in (
        ("island", "Biscoe", "Dream", "Torgersen"), ("sex", "female", "male"), ("clutch_complete", "yes", "no")
    )}  # fmt: skip
    assert counts == {"island": [168, 124, 52], "sex": [165, 168], "clutch_complete": [308, 36]}
    holes = {name: sum(value is None or value != value for value in column) for name, column in found.items()}
    assert {name: count for name, count in holes.items() if count} == {
        "sex": 11, **dict.fromkeys(means, 2), "delta_15_n": 14, "delta_13_c": 13,
    }  # fmt: skip


@pytest.mark.parametrize("module", ["pandas", "polars"])
def test_tables_bundled_penguins_make_a_frame_of_words_and_numbers(module):
    found = load_penguins()
    frame = import_module(module).DataFrame(found)
    patterns = missing_patterns(frame)
    assert patterns.names == tuple(found) and patterns.n_rows == 344 and patterns.n_complete == 324
    made = prepare(frame, missing="mean").names
    assert [name for name in made if name.startswith("sex")] == ["sex=female", "sex=male", "sex=(missing)"]
    assert "body_mass_g" in made


@pytest.mark.parametrize("nulls", [False, True])
@pytest.mark.parametrize("kind", ["int8", "uint16", "int64", "uint64", "float16", "float32", "float64"])
def test_numbers_of_arrow_columns_are_those_of_to_numpy(kind, nulls, rng):
    import pyarrow as pa

    values = rng.integers(0, 100, 40).astype(kind)
    whole = pa.array(values, mask=(np.arange(40) % 7 == 3) & nulls)
    more = [pa.nulls(3, whole.type)] * nulls
    for cut in (0, 3, 11):
        column = pa.chunked_array([whole[cut : cut + 13], whole[20:20], whole[17:], *more], whole.type)
        found, expected = numbers(column), column.to_numpy()
        assert found.dtype == expected.dtype
        np.testing.assert_array_equal(found, expected)
    assert len(numbers(pa.chunked_array([], whole.type))) == 0
