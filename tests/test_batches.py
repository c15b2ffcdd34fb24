"""Tables read in batches are the tables read whole, in bounded memory; `jaxnet predict` streams them."""

import gzip
import subprocess
import sys

import numpy as np
import pytest
from cli_runs import FEATURES, data_columns, read_rows, sentence, sweep, write_csv

import jaxnet
from jaxnet.cli import main
from jaxnet.cli.predict_command import Score
from jaxnet.data import batches
from jaxnet.data.batches import Stream, read_stream
from jaxnet.data.tables import read_table
from jaxnet.errors import InvalidInput


@pytest.fixture
def small(monkeypatch):
    """Batches of a few rows."""
    monkeypatch.setattr(batches, "BLOCK", 400)
    monkeypatch.setattr(batches, "_ROWS", 7)


def write(path, columns) -> None:
    if path.suffix == ".parquet":
        import pyarrow as pa
        import pyarrow.parquet as pq

        pq.write_table(pa.table(columns), path, row_group_size=10)
    elif path.suffix == ".npz":
        features = np.array([columns[name] for name in FEATURES]).T
        np.savez(path, X=features, feature_names=FEATURES, cell=columns["cell"], response=columns["response"])
    else:
        write_csv(path, columns)


@pytest.mark.parametrize("name", ["t.csv", "t.tsv", "t.csv.gz", "t.parquet", "t.npz"])
def test_batches_are_the_table(name, small, tmp_path):
    write(tmp_path / name, data_columns())
    whole, stream = read_table(tmp_path / name, text=["cell"]), read_stream(tmp_path / name, text=["cell"])
    assert stream.names == whole.names and stream.source == name
    asked = [FEATURES[7], "cell", FEATURES[0], "response"]
    tables = list(stream.tables(asked))
    assert (len(tables) > 3) == (name != "t.npz")
    for column in asked:
        joined = np.concatenate([table.raw(column) for table in tables])
        np.testing.assert_array_equal(joined, whole.raw(column))
    rows = [table.source for table in tables]
    assert rows[0].endswith(f"(rows 1 to {len(tables[0])})") or rows == ["t.npz"]
    assert sum(len(table) for table in stream.tables([])) == 40


def test_a_table_in_memory_is_one_batch(tmp_path):
    table = read_table(write_csv(tmp_path / "t.csv", data_columns()))
    (again,) = Stream.of(table).tables(["response", FEATURES[3]])
    np.testing.assert_array_equal(again.vector("response"), table.vector("response"))
    assert again.source == "t.csv"


def test_types_may_widen_further_down(small, tmp_path):
    """Whole numbers at first, then others; missing ones at first, then numbers; truth values stay what they are."""
    path = tmp_path / "t.csv"
    rows = [f"{i},,{'true' if i % 3 else 'false'}" for i in range(100)] + [f"{i}.5,1e3,true" for i in range(100)]
    path.write_text("a,b,c\n" + "\n".join(rows) + "\n")
    tables = list(read_stream(path).tables(["a", "b", "c"]))
    a, b, c = (np.concatenate([table.raw(name) for table in tables]) for name in "abc")
    np.testing.assert_array_equal(a, np.r_[np.arange(100.0), np.arange(100) + 0.5])
    np.testing.assert_array_equal(b, np.r_[np.full(100, np.nan), np.full(100, 1000.0)])
    np.testing.assert_array_equal(c, np.r_[np.arange(100) % 3 > 0, np.ones(100)])


def test_text_further_down_is_named(small, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "1,2\n" * 300 + "1,many\n" + "1,2\n" * 300)
    with pytest.raises(InvalidInput, match=r"1 column of t.csv is not numeric: 'b' \(holds 'many'\)"):
        list(read_stream(path).tables(["a", "b"]))
    assert sum(len(table) for table in read_stream(path).tables(["a"])) == 601


@pytest.mark.parametrize("first", [True, False])
def test_rows_longer_than_a_block_are_read(first, small, tmp_path):
    path = tmp_path / "t.csv"
    long = f'1,"{"x" * 30_000}"\n'
    path.write_text("a,b\n" + long * first + "2,y\n" * 300 + long + "3,z\n" * 300)
    tables = list(read_stream(path).tables(["a"]))
    expected = [1] * first + [2] * 300 + [1] + [3] * 300
    np.testing.assert_array_equal(np.concatenate([table.vector("a") for table in tables]), expected)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("a,b\n", "t.csv holds no rows"),
        ("", "cannot read t.csv: Empty CSV file"),
        ("a,a\n1,2\n", "t.csv has duplicate column names: 'a'"),
        ("a,b\n1,2\n1,2,3\n", r"cannot read t.csv: .*Expected 2 columns, got 3.*; check that row and the separator"),
        (b"a,\xff\n1,2\n", "not UTF-8"),
        ("a,b\n1,2\n".encode("utf-16"), "not UTF-8"),
    ],
)
def test_bad_tables_get_a_sentence(text, sentence, tmp_path):
    path = tmp_path / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(InvalidInput, match=sentence):
        list(read_stream(path).tables(["a", "b"]))


def test_bad_parquet_gets_a_sentence(tmp_path):
    path = tmp_path / "t.parquet"
    write(path, data_columns())
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(InvalidInput, match=r"cannot read t\.parquet"):
        list(read_stream(path).tables(["response"]))
    write(path, {"a": np.zeros(0)})
    with pytest.raises(InvalidInput, match="holds no rows"):
        list(read_stream(path).tables(["a"]))


@pytest.fixture
def run(tmp_path):
    assert sweep(write_csv(tmp_path / "train.csv", data_columns()), "--out", tmp_path / "run", "--quiet") == 0
    return tmp_path / "run"


@pytest.mark.parametrize("name", ["new.csv", "new.parquet", "new.npz", "new.csv.gz"])
def test_cli_predictions_do_not_depend_on_batches(name, run, tmp_path, small, capsys):
    columns = {name: values * 5 for name, values in data_columns().items()}
    write(tmp_path / name, columns)
    capsys.readouterr()
    assert main(["predict", str(run), str(tmp_path / name), "--out", str(tmp_path / "p.csv")]) == 0
    rows = read_rows(tmp_path / "p.csv")
    assert [row["cell"] for row in rows] == columns["cell"]
    X = np.array([columns[feature] for feature in FEATURES]).T
    expected = jaxnet.load(run / "model.jaxnet")["result"].predict(X)
    np.testing.assert_allclose([float(row["prediction"]) for row in rows], expected, rtol=1e-12)
    error = np.mean((np.array(columns["response"]) - expected) ** 2)
    share = 1 - error / np.var(columns["response"])
    said = capsys.readouterr().err
    assert f"mean squared error {error:.6g}, {share:.1%} of its variance explained." in said
    assert "wrote 200 predictions" in said


def test_cli_predict_names_the_rows_at_fault_and_writes_nothing(run, tmp_path, small, capsys):
    coefficients = read_rows(run / "coefficients.csv")[1:]
    needed = next(row["feature"] for row in coefficients if float(row["coefficient"]))
    columns = {name: values * 5 for name, values in data_columns().items()}
    columns[needed] = [*columns[needed][:150], None, *columns[needed][151:]]
    write_csv(tmp_path / "new.csv", columns)
    capsys.readouterr()
    assert main(["predict", str(run), str(tmp_path / "new.csv"), "--out", str(tmp_path / "p.csv"), "--quiet"]) == 1
    said = sentence(capsys)
    assert f"{needed!r} (1 missing value in" in said and "new.csv (rows 1" in said
    assert not (tmp_path / "p.csv").exists() and not list(tmp_path.glob(".*.tmp"))


def test_scores_of_parts_make_that_of_the_whole(rng):
    y, prediction = rng.normal(size=100) + 1e3, rng.normal(size=100) + 1e3
    whole, parts = Score(), Score()
    whole.add(y, prediction)
    for part in np.split(np.arange(100), [1, 17, 60]):
        parts.add(y[part], prediction[part])
    assert str(whole) == str(parts)
    error, spread = np.mean((y - prediction) ** 2), np.var(y)
    assert str(whole) == f"mean squared error {error:.6g}, {1 - error / spread:.1%} of its variance explained"
    parts.add(None, prediction)
    parts.add(y, prediction)
    assert parts.errors is None and parts.rows == 300


PEAK = """
import resource, sys
from jaxnet.cli import main
assert main(["predict", *sys.argv[1:], "--quiet"]) == 0
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="measures memory as Linux reports it")
@pytest.mark.parametrize("kind", ["csv.gz", "parquet"])
def test_cli_predict_needs_memory_for_a_batch_only(kind, run, tmp_path):
    """A file of 100 MB (as text) takes hardly more memory than one of 2."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    peaks = []
    for copies in (100, 5000):
        path = tmp_path / f"{copies}.{kind}"
        if kind == "parquet":
            columns = {name: values for name, values in data_columns().items() if name in FEATURES}
            table = pa.table(columns)
            with pq.ParquetWriter(path, table.schema) as writer:
                many = pa.concat_tables([table] * 100)
                for _ in range(copies // 100 * 2):
                    writer.write_table(many)
        else:
            write_csv(tmp_path / "one.csv", data_columns())
            header, _, body = (tmp_path / "one.csv").read_bytes().partition(b"\n")
            with gzip.open(path, "wb", compresslevel=1) as file:
                file.write(header + b"\n")
                for _ in range(copies // 50):
                    file.write(body * 100)
        argv = [sys.executable, "-c", PEAK, str(run), str(path), "--out", str(tmp_path / "p.csv"), "--overwrite"]
        done = subprocess.run(argv, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        peaks.append(int(done.stdout))
    assert peaks[1] < peaks[0] + 60, peaks
