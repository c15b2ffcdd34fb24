"""Numbers with something else among them: never dozens of indicators, and every remedy that a sentence names works."""

import re
import shlex
import warnings

import hypothesis
import hypothesis.strategies as st
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from cli_runs import SMALL, sentence
from pandas._libs.parsers import STR_NA_VALUES

import jaxnet
from jaxnet.cli import main
from jaxnet.data.spelled import MARKERS, Spelling, is_number
from jaxnet.data.tables import read_table
from jaxnet.errors import InvalidInput

N = 40
FRAMES = {
    "pandas object": lambda columns: pd.DataFrame(columns, dtype=object).astype({"y": float, "z": float}),
    "pandas string": lambda columns: pd.DataFrame(columns).astype({"x": "string"}),
    "pandas arrow": lambda columns: pd.DataFrame(columns).astype({"x": pd.ArrowDtype(pa.string())}),
    "polars": lambda columns: pl.DataFrame(columns, strict=False),
    "pyarrow": lambda columns: pa.table(columns),
}
STRANGE = {  # what a column of numbers has in some rows, and the flags of the command line that read it
    "question mark": (["?"], "--na '?'"),
    "dash": (["-"], "--na -"),
    "two marks": (["?", "n.a.", "?"], "--na '?' n.a."),
    "spreadsheet error": (["#DIV/0!"], "--na '#DIV/0!'"),
    "below a limit": (["<0.1"], "--na '<0.1'"),
    "thousands": (["1,200", "-1,234,567.5"], "--thousands ,"),
    "spaces": (["1 200"], "--thousands ' '"),
    "decimal comma": (["0,25"], None),
    "per cent": (["5%", "7%"], None),
    "words": (["low", "high", "low"], "--na high low"),
}


def numbers(seed: int = 3) -> dict[str, list]:
    rng = np.random.default_rng(seed)
    x, z = rng.normal(size=(2, N)) * [[100.0], [1.0]]
    y = x / 50 + z + rng.normal(size=N) / 10
    return {"z": z.tolist(), "x": [f"{value:.3f}" for value in x], "y": y.tolist()}


def spoilt(texts: list[str]) -> dict[str, list]:
    columns = numbers()
    return {**columns, "x": [*columns["x"][:7], *texts, *columns["x"][7 + len(texts) :]]}


@pytest.mark.parametrize("missing", [None, "mean"])
@pytest.mark.parametrize("case", STRANGE)
@pytest.mark.parametrize("kind", FRAMES)
def test_mixed_numbers_are_refused_in_every_frame(kind, case, missing):
    texts = STRANGE[case][0]
    X = FRAMES[kind](spoilt(texts))
    for categories in (None, jaxnet.Categories()):
        with pytest.raises(InvalidInput) as caught:
            jaxnet.prepare(X, missing=missing, categories=categories)
        said = str(caught.value)
        assert f"1 column of numbers with something else among them: 'x' ({len(texts)} of {N} values" in said
        assert all(repr(text) in said for text in texts) and "categories=jaxnet.Categories(columns=['x'])" in said
        assert not re.search(r"'-?\d+\.\d{3}'", said), "blames a good number"
    made = jaxnet.prepare(X, missing=missing, categories=jaxnet.Categories(columns=["x"]))
    assert sum(name.startswith("x=") for name in made.names) == len(set(spoilt(texts)["x"]))
    assert made.transform(X).shape == (N, len(made.names))


def test_every_call_that_fits_refuses_them():
    X, y = FRAMES["polars"](spoilt(["?"])).drop("y"), numbers()["y"]
    for call in (
        lambda: jaxnet.sweep(X, y, alphas=3, cv=3, missing="mean"),
        lambda: jaxnet.fit_path(X, y, alphas=3),
        lambda: jaxnet.ElasticNetCV(missing="mean").fit(X, y),
        lambda: jaxnet.stability_selection(X, y, q=1, cutoff=0.8),
    ):
        with pytest.raises(InvalidInput, match=r"'x' \(1 of 40 values is no number: '\?'\)"):
            call()


def test_the_markers_are_those_of_pandas():
    assert MARKERS == STR_NA_VALUES


@pytest.mark.parametrize("kind", FRAMES)
def test_usual_markers_are_missing_and_said_once(kind):
    texts = sorted(MARKERS)
    X = FRAMES[kind](spoilt(texts))
    clean = pd.DataFrame(spoilt([np.nan] * len(texts)), dtype=float)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        made = jaxnet.prepare(X, missing="mean")
    assert [str(w.message)[:65] for w in told] == ["X has text that stands for missing values in 1 column of numbers:"]
    assert "'x' has '' (1), '#N/A' (1)" in str(told[0].message)
    assert made.names == ("z", "x", "y")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_array_equal(made.transform(X), jaxnet.prepare(clean, missing="mean").transform(clean))
    with pytest.warns(UserWarning), pytest.raises(InvalidInput, match=rf"{len(texts)} missing values in 1 column: 'x'"):
        jaxnet.prepare(X, missing=None)


@pytest.mark.parametrize("kind", FRAMES)
def test_text_that_is_all_numbers_is_declared_or_converted(kind):
    X = FRAMES[kind]({**numbers(), "x": [f"{i % 3:03d}" for i in range(N)]})
    with pytest.raises(
        InvalidInput, match=r"text that spells numbers: 'x' \(such as '000'\).*Categories\(columns=\['x'\]"
    ):
        jaxnet.prepare(X)
    for categories in (jaxnet.Categories(columns=["x"]), jaxnet.Categories(reference={"x": "001"})):
        names = jaxnet.prepare(X, categories=categories).names
        assert names == ("z", "x=000", *(["x=001"] if categories.columns else []), "x=002", "y")


def test_numbers_are_labels_where_declared():
    frame = pd.DataFrame({"site": [3, 1, 2, 1], "dose": [1.5, np.nan, 0.0, 1.5]})
    for X in (frame, pl.from_pandas(frame), pa.table(frame), frame.to_numpy()):
        names = ["x0", "x1"] if isinstance(X, np.ndarray) else ["site", "dose"]
        made = jaxnet.prepare(X, missing="mean", categories=jaxnet.Categories(columns=names))
        a, b = names
        assert made.names == (*(f"{a}={k}" for k in "123"), f"{b}=0", f"{b}=1.5", f"{b}=(missing)")
        np.testing.assert_array_equal(made.transform(X)[:, :3], np.eye(3)[[2, 0, 1, 0]])
        with pytest.raises(
            InvalidInput, match="columns of Categories names 'sit', which is no column of X; the nearest is"
        ):
            jaxnet.prepare(X, categories=jaxnet.Categories(columns=["sit"]))
    for wrong in ("site", [1], {"site": 1}):
        with pytest.raises(InvalidInput, match=r"columns=.* of Categories must be a list"):
            jaxnet.prepare(frame, missing="mean", categories=jaxnet.Categories(columns=wrong))


def test_columns_of_a_type_for_labels_and_words_stay_labels():
    codes = [str(i % 4) for i in range(N)]
    words = [["a", "b", "1"][i % 3] for i in range(N)]  # of three values one is a number
    for X in (
        pd.DataFrame({"c": pd.Categorical(codes), "w": words}),
        pl.DataFrame({"c": pl.Series(codes, dtype=pl.Categorical), "w": words}),
        pl.DataFrame({"c": pl.Series(codes, dtype=pl.Enum(["0", "1", "2", "3"])), "w": words}),
        pa.table({"c": pa.array(codes).dictionary_encode(), "w": words}),
    ):
        assert jaxnet.prepare(X).names == ("c=0", "c=1", "c=2", "c=3", "w=1", "w=a", "w=b")


@pytest.mark.parametrize("words", [False, True], ids=["numbers only", "with words"])
@pytest.mark.parametrize("kind", FRAMES)
def test_new_rows_blame_what_is_in_the_way(kind, words):
    columns, y = numbers(), numbers()["y"]
    more = {"site": [["u", "v"][i % 2] for i in range(N)]} if words else {}
    table = pd.DataFrame({"z": columns["z"], "x": [float(v) for v in columns["x"]], **more})
    result = jaxnet.sweep(table, y, rho=1.0, alphas=3, cv=3)
    for strange in ("?", "1,200"):
        x = [*columns["x"][:9], strange, *columns["x"][10:]]
        with pytest.raises(InvalidInput) as caught:
            result.predict(FRAMES[kind]({**columns, "x": x, **more}))
        assert "'x' (" in str(caught.value) and repr(strange) in str(caught.value)
        assert not re.search(r"'-?\d+\.\d{3}'", str(caught.value)), "blames a good number"
    holes = table.assign(x=[np.nan, *table["x"][1:]])
    for model in (result, jaxnet.ElasticNet().fit(table, y)):
        with pytest.raises(InvalidInput, match=r"1 missing value in 1 column: 'x' \(1\)"):
            model.predict(holes)


def test_new_rows_of_arrays_go_by_the_position_of_their_column():
    rows = np.array([["u", 1.0, 2.0], ["v", 0.0, 5.0], ["u", 3.0, 1.0]] * 5, dtype=object)
    made = jaxnet.prepare(rows, missing=None, categories=jaxnet.Categories())
    rows[1, 2] = None
    with pytest.raises(InvalidInput, match=r"1 missing value in 1 column: column 2 \(1\)"):
        made.transform(rows)


@hypothesis.given(st.text("0123456789+-.eE ,%x_infa", max_size=8))
def test_what_a_number_is_agrees_with_pandas(text):
    known = pd.to_numeric(pd.Series([text]), errors="coerce").notna().item() and "_" not in text
    assert is_number(text) == known


@hypothesis.given(
    st.lists(st.floats(-1e9, 1e9).map(lambda v: round(v, 3)), min_size=1, max_size=20),
    st.sampled_from([(".", ","), (",", "."), (",", None), (",", " "), (".", " "), (".", "'")]),
)
@hypothesis.settings(max_examples=50, suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture])
def test_marks_are_read_as_pandas_reads_them(tmp_path, values, marks):
    decimal, thousands = marks
    swap = str.maketrans({".": decimal, ",": thousands or ""})
    texts = [f"{value:,.3f}".translate(swap) for value in values]
    path = tmp_path / "t.tsv"
    pd.DataFrame({"v": texts, "w": 1}).to_csv(path, index=False, sep="\t")
    found = read_table(path, spelling=Spelling((), decimal, thousands)).raw("v")
    np.testing.assert_array_equal(found, pd.read_csv(path, sep="\t", decimal=decimal, thousands=thousands)["v"])


def test_wrong_groups_of_digits_are_no_number(tmp_path):
    path = tmp_path / "t.tsv"
    path.write_text("v\n1,200\n1,2\n")  # pandas makes 12 of it
    assert read_table(path, spelling=Spelling(thousands=",")).raw("v").tolist() == ["1,200", "1,2"]
    path.write_text("v\n1,200\n1,234,56\n")
    assert read_table(path, spelling=Spelling(thousands=",")).raw("v").tolist() == ["1,200", "1,234,56"]


# The command line.


def write(path, columns):
    frame = pd.DataFrame(columns)
    if path.suffix == ".parquet":
        frame.to_parquet(path)
    else:
        frame.to_csv(path, index=False, sep="\t" if path.suffix == ".tsv" else ",")
    return str(path)


def swept(path, *options) -> int:
    return main(["sweep", path, "--target", "y", *SMALL, "--quiet", *options])


@pytest.mark.parametrize(
    ("suffix", "case"),
    [*((suffix, case) for suffix in ("csv", "parquet") for case in STRANGE), ("tsv", "decimal comma")],
)
def test_cli_names_options_that_work(suffix, case, tmp_path, capsys):
    texts, flags = STRANGE[case]
    path = write(tmp_path / f"t.{suffix}", spoilt(texts))
    for more in ([], ["--missing", "mean"]):
        assert swept(path, *more) == 1
        said = sentence(capsys)
        assert f"'x' ({len(texts)} of {N} values" in said and all(repr(text) in said for text in texts)
        assert "--categories x" in said and "Categories" not in said and "pandas" not in said
    assert swept(path, "--categories", "x", "--out", str(tmp_path / "run")) == 0
    names = jaxnet.load(tmp_path / "run" / "model.jaxnet")["result"].feature_names
    assert sum(name.startswith("x=") for name in names) == len(set(spoilt(texts)["x"]))
    capsys.readouterr()
    if flags is None:
        return
    assert flags in said
    assert swept(path, "--missing", "mean", *shlex.split(flags), "--out", str(tmp_path / "read")) == 0
    read = [text.replace(",", "").replace(" ", "") if "thousands" in flags else np.nan for text in texts]
    clean = write(tmp_path / "clean.parquet", {**spoilt(read), "x": [float(v) for v in spoilt(read)["x"]]})
    assert swept(clean, "--missing", "mean", "--out", str(tmp_path / "clean")) == 0
    one, other = (jaxnet.load(tmp_path / run / "model.jaxnet")["result"] for run in ("read", "clean"))
    np.testing.assert_array_equal(one.intercepts, other.intercepts)
    capsys.readouterr()
    assert main(["predict", str(tmp_path / "read"), path, "--quiet"]) == 0  # as the run was told
    theirs = capsys.readouterr().out
    assert main(["predict", str(tmp_path / "clean"), clean, "--quiet"]) == 0
    assert capsys.readouterr().out == theirs


@pytest.mark.parametrize("suffix", ["csv", "parquet"])
def test_cli_reads_markers_as_missing_and_says_so_once(suffix, tmp_path, capsys):
    path = write(tmp_path / f"t.{suffix}", spoilt(["None", "N/A", "<NA>"]))
    assert main(["sweep", path, "--target", "y", *SMALL, "--missing", "mean"]) == 0
    said = capsys.readouterr().err
    assert said.count("3 values missing in 1 column: 'x' (3)") == 1
    assert said.count("warning") == (suffix == "parquet")
    assert main(["missing", path]) == 0
    assert "3 values (2.5%) are missing, in 1 column" in capsys.readouterr().out


def test_cli_sentinels_are_numbers_too(tmp_path, capsys):
    for suffix in ("csv", "parquet"):
        columns = spoilt(["-999.0", "-999"])
        path = write(tmp_path / f"t.{suffix}", {**columns, "x": [float(v) for v in columns["x"]]})
        assert main(["sweep", path, "--target", "y", *SMALL, "--missing", "mean", "--na", "-999", "?"]) == 0
        assert "2 values missing in 1 column: 'x' (2)" in capsys.readouterr().err
        assert main(["missing", path, "--na", "-999"]) == 0
        assert "2 values (1.7%) are missing, in 1 column" in capsys.readouterr().out


@pytest.mark.parametrize("place", [3, 35], ids=["first block", "later block"])
def test_cli_predict_names_the_text_that_is_in_the_way(place, tmp_path, capsys, monkeypatch):
    import jaxnet.data.batches as batches

    monkeypatch.setattr(batches, "BLOCK", 300)
    columns = numbers()
    run = str(tmp_path / "run")
    assert swept(write(tmp_path / "t.csv", columns), "--out", run) == 0
    new = {**columns, "x": [*columns["x"][:place], "?", *columns["x"][place + 1 :]]}
    capsys.readouterr()
    assert main(["predict", run, write(tmp_path / "new.csv", new), "--quiet"]) == 1
    said = capsys.readouterr().err
    assert "'x'" in said and "'?'" in said and "--na '?'" in said and not re.search(r"'-?\d+\.\d{3}'", said)
    new["x"][place] = "None"
    assert main(["predict", run, write(tmp_path / "new.csv", new), "--quiet"]) == 1
    assert "'x' (1 missing value in" in capsys.readouterr().err


def test_cli_codes_are_labels_where_declared(tmp_path, capsys):
    columns = {**numbers(), "x": [f"{i % 3:02d}" for i in range(N)]}
    run = str(tmp_path / "run")
    path = write(tmp_path / "t.csv", columns)
    assert swept(path, "--categories", "x", "--out", run) == 0
    result = jaxnet.load(tmp_path / "run" / "model.jaxnet")["result"]
    assert result.feature_names == ("z", "x=00", "x=01", "x=02")
    capsys.readouterr()
    assert main(["predict", run, path, "--out", str(tmp_path / "p.csv"), "--quiet"]) == 0
    assert swept(path, "--categories", "w") == 1
    assert "--categories 'w', which is no column of t.csv; the nearest is" in sentence(capsys)


def test_cli_how_a_table_is_written_is_for_files_of_text(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(["sweep", "--example", "diabetes", "--na", "?"])
    np.savez(tmp_path / "t.npz", X=np.eye(3), y=np.arange(3.0))
    capsys.readouterr()
    assert main(["sweep", str(tmp_path / "t.npz"), "--na", "-1"]) == 1
    assert "t.npz holds numbers, not text: --na says how text is to be read" in sentence(capsys)
    path = write(tmp_path / "t.csv", numbers())
    for flags in (["--decimal", ","], ["--decimal", "1"], ["--thousands", "."], ["--thousands", ",,"]):
        bad = flags != ["--decimal", ","]
        assert swept(path, *flags) == 1
        assert (flags[0] in sentence(capsys)) == bad
