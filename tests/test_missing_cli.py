"""Tables with holes and words on the command line: what it says, what it fits, and what it makes of new rows."""

import json

import numpy as np
import pandas as pd
import pytest
from cli_runs import instead, read_rows, sentence

import jaxnet
from jaxnet.cli import main
from jaxnet.data import batches

SMALL = ["--target", "y", "--id", "cell", "--rho", "0.5", "1", "--alphas", "6", "--cv", "3"]


def make_frame(n: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(5)
    X = rng.normal(size=(n, 3))
    site, seen = rng.choice(["Bath", "Leeds", "York"], n), rng.choice(["true", "false"], n)
    y = X[:, 0] - X[:, 1] + (site == "York") + 0.1 * rng.normal(size=n)
    X[rng.random(X.shape) < 0.1] = np.nan
    site = np.where(rng.random(n) < 0.1, None, site)
    columns = {"cell": [f"{i:03d}" for i in range(n)], "a": X[:, 0], "b": X[:, 1], "c": X[:, 2]}
    return pd.DataFrame({**columns, "site": site, "seen": seen == "true", "y": y})


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """data.csv, new.csv with a level and values that there were not, and a run."""
    path = tmp_path_factory.mktemp("cli")
    frame = make_frame()
    frame.to_csv(path / "data.csv", index=False)
    new = frame.head(12).drop(columns="y").assign(site=["York", "Paris", None, "Bath"] * 3)
    new.to_csv(path / "new.csv", index=False)
    asked = ["--missing", "median", "--indicators", "--store", str(path / "runs.db"), "--run", "one"]
    assert main(["sweep", str(path / "data.csv"), *SMALL, *asked, "--out", str(path / "run"), "--quiet"]) == 0
    return path


def of_library(frame: pd.DataFrame, **options) -> jaxnet.SweepResult:
    X = frame.drop(columns=["cell", "y"])
    return jaxnet.sweep(X, frame["y"], rho=[0.5, 1], alphas=6, cv=3, standardize=True, **options)


def predicted(run, data, capsys) -> tuple[np.ndarray, str]:
    capsys.readouterr()
    assert main(["predict", str(run), str(data), "--quiet"]) == 0
    told = capsys.readouterr()
    return np.array([float(line.split(",")[1]) for line in told.out.splitlines()[1:]]), told.err


def test_it_fits_what_the_library_fits(folder, capsys):
    frame = make_frame()
    expected = of_library(frame, missing=jaxnet.Missing("median", indicators=True))
    found = jaxnet.load(folder / "run" / "model.jaxnet")["result"]
    assert found.feature_names == expected.feature_names
    np.testing.assert_array_equal(found.errors, expected.errors)
    rows = read_rows(folder / "run" / "coefficients.csv")
    assert [row["feature"] for row in rows[1:]] == list(expected.feature_names)
    np.testing.assert_array_equal([float(row["coefficient"]) for row in rows[1:]], expected.best().coef)
    made = expected.preparation.transform(frame.drop(columns=["cell", "y"]))
    np.testing.assert_allclose([float(row["per_sd"]) for row in rows[1:]], expected.best().coef * made.std(axis=0))
    summary = json.loads((folder / "run" / "summary.json").read_text())
    assert summary["request"]["missing"] == "median" and summary["request"]["indicators"] == "penalised"
    assert (summary["data"]["features"], summary["data"]["columns"], summary["data"]["rows_fitted"]) == (5, 11, 60)
    values, told = predicted(folder / "run", folder / "data.csv", capsys)
    np.testing.assert_allclose(values, expected.predict(frame.drop(columns=["cell", "y"])), rtol=1e-12)
    assert told == ""


def test_it_says_what_becomes_of_words_and_holes(folder, capsys):
    assert main(["sweep", str(folder / "data.csv"), *SMALL, "--missing", "mean", "--indicators", "free"]) == 0
    told = capsys.readouterr()
    frame = make_frame()
    missing = int(frame.isna().sum().sum())
    assert "2 columns of labels became 5 indicators: 'site' (4), 'seen' (1)." in told.err
    assert (
        f"{missing} values missing in 4 columns: " in told.err
        and "; 3 indicators of what is missing added." in told.err
    )
    assert "5 features as 11 columns" in told.out and "site=York" in told.out


def test_new_levels_are_told_once_however_the_rows_come(folder, capsys, monkeypatch):
    whole, told = predicted(folder / "run", folder / "new.csv", capsys)
    assert "'site' has 'Paris' (3)" in told and len(told.splitlines()) == 1
    monkeypatch.setattr(batches, "BLOCK", 300)
    parts, again = predicted(folder / "run", folder / "new.csv", capsys)
    np.testing.assert_array_equal(parts, whole)
    assert again == told
    result = jaxnet.load(folder / "run" / "model.jaxnet")["result"]
    with pytest.warns(UserWarning, match="Paris"):
        np.testing.assert_allclose(whole, result.predict(pd.read_csv(folder / "new.csv")), rtol=1e-12)


def test_columns_that_the_model_does_not_need_may_be_absent(folder, tmp_path, capsys):
    frame = pd.read_csv(folder / "new.csv").assign(site="York")
    result = jaxnet.load(folder / "run" / "model.jaxnet")["result"]
    used = {name for name, b in zip(result.feature_names, result.best().coef, strict=True) if b}
    assert "a" in used
    idle = [name for name in ("c", "seen") if not {name, f"missing({name})", f"{name}=True"} & used]
    expected, _ = predicted(folder / "run", folder / "new.csv", capsys)
    frame.drop(columns=idle).to_csv(tmp_path / "less.csv", index=False)
    less, told = predicted(folder / "run", tmp_path / "less.csv", capsys)
    np.testing.assert_array_equal(less[::4], expected[::4])
    assert told == ""
    frame.drop(columns="a").to_csv(tmp_path / "none.csv", index=False)
    assert main(["predict", str(folder / "run"), str(tmp_path / "none.csv"), "--quiet"]) == 1
    assert "lacks 1 column that the model needs: 'a'" in sentence(capsys)


@pytest.mark.parametrize("kind", ["parquet", "npz"])
def test_other_files_are_read_as_csv_is(kind, folder, tmp_path, capsys):
    frame = make_frame()
    path = tmp_path / f"data.{kind}"
    if kind == "parquet":
        frame.to_parquet(path)
    else:
        words = {name: frame[name].fillna("").to_numpy(str) for name in ("cell", "site")}
        names = np.array(["a", "b", "c", "seen"])
        np.savez(path, X=frame[names].to_numpy(float), feature_names=names, y=frame["y"].to_numpy(), **words)
    asked = ["--missing", "median", "--indicators", "--quiet", "--out", str(tmp_path / "run")]
    assert main(["sweep", str(path), *SMALL, *asked]) == 0
    coefficients = lambda run: {r["feature"]: float(r["coefficient"]) for r in read_rows(run / "coefficients.csv")}
    mine, theirs = coefficients(tmp_path / "run"), coefficients(folder / "run")
    rename = {} if kind == "parquet" else {"seen": "seen=True", "site=": "site=(missing)"}
    assert {rename.get(name, name) for name in mine} == {*theirs}
    for name, value in mine.items():
        assert value == pytest.approx(theirs[rename.get(name, name)], rel=1e-2, abs=1e-3)
    values, _ = predicted(tmp_path / "run", path, capsys)
    assert values == pytest.approx(predicted(folder / "run", folder / "data.csv", capsys)[0], abs=1e-2)


def test_finished_runs_are_shown_with_their_data(folder, tmp_path, capsys):
    run, data, store = (str(folder / name) for name in ("run", "data.csv", "runs.db"))
    assert main(["report", run, data, "--out", str(tmp_path / "page.html"), "--quiet"]) == 0
    page = (tmp_path / "page.html").read_text()
    for part in ("Missing values</h2>", "site=York", "2 columns of labels as 5 indicators", "least BIC"):
        assert part in page
    for kind in ("path", "predicted"):
        out = str(tmp_path / f"{kind}.png")
        assert main(["plot", run, kind, *([data] if kind == "predicted" else []), "--out", out, "--quiet"]) == 0
    assert main(["export", store, "one", "--out", str(tmp_path / "one.npz"), "--quiet"]) == 0
    assert "site=York" in np.load(tmp_path / "one.npz")["feature_names"]
    capsys.readouterr()
    assert main(["show", store, "one"]) == 0 and "site=York" in capsys.readouterr().out
    again = ["--missing", "median", "--indicators", "--store", store, "--run", "one", "--resume"]
    assert main(["sweep", data, *SMALL, *again, "--out", str(tmp_path / "again"), "--quiet"]) == 0
    first, second = (jaxnet.load(at / "model.jaxnet")["result"] for at in (folder / "run", tmp_path / "again"))
    np.testing.assert_array_equal(first.errors, second.errors)
    assert second.feature_names == first.feature_names and second.preparation.names == first.preparation.names


def test_complete_rows_leave_rows_without_a_prediction(folder, tmp_path, capsys):
    asked = ["--missing", "complete", "--reference", "site=Leeds", "--rule", "bic", "--out", str(tmp_path / "run")]
    assert main(["sweep", str(folder / "data.csv"), *SMALL, *asked, "--quiet"]) == 0
    frame = make_frame()
    whole = frame[["a", "b", "c"]].notna().all(axis=1).to_numpy()
    assert f"5 features as 7 columns of {whole.sum()} complete rows" in capsys.readouterr().out
    values, told = predicted(tmp_path / "run", folder / "data.csv", capsys)
    expected = of_library(frame, missing="complete", categories=jaxnet.Categories({"site": "Leeds"}))
    criteria = expected.criteria(frame.drop(columns=["cell", "y"]), frame["y"])
    theirs = expected.predict(frame.drop(columns=["cell", "y"]), "bic", criteria=criteria)
    np.testing.assert_allclose(values, theirs, rtol=1e-9)
    assert "without a prediction (nan)" in told and np.isnan(values).any() and np.isfinite(values[whole]).all()


def test_stability_selects_from_columns_made(folder, tmp_path, capsys):
    asked = ["--target", "y", "--id", "cell", "--missing", "mean", "--pairs", "4", "--q", "2", "--cutoff", "0.7"]
    out = str(tmp_path / "f.csv")
    assert main(["stability", str(folder / "data.csv"), *asked, "--bound", "worst-case", "--out", out, "--quiet"]) == 0
    frame = make_frame()
    found = jaxnet.stability_selection(
        frame.drop(columns=["cell", "y"]), frame["y"], n_pairs=4, q=2, cutoff=0.7, bound="worst-case", missing="mean"
    )
    written = {row["name"]: float(row["frequency"]) for row in read_rows(out)}
    assert written == dict(zip(found.feature_names, found.frequencies.tolist(), strict=True))


WRONG = {
    "holes": ([], "'a' ("),
    "remedy": ([], "--missing mean (jaxnet missing data.csv first tells which there are)"),
    "name": (["--missing", "men"], "the fill 'men' is not known; choose one of 'mean'"),
    "limit": (["--missing", "mean", "--column-limit", "2"], "--column-limit 2.0"),
    "indicators alone": (["--indicators"], "--indicators needs --missing"),
    "value alone": (["--fill-value", "1"], "--fill-value needs --missing"),
    "value of a mean": (["--missing", "mean", "--fill-value", "1"], "--fill-value is for --missing constant"),
    "level": (["--missing", "mean", "--reference", "site=Lees"], "--reference Lees is no level of column 'site'"),
    "column": (["--missing", "mean", "--reference", "sit=York"], "the nearest is 'site'"),
    "no level": (["--missing", "mean", "--reference", "site"], "give COLUMN=LEVEL"),
    "levels": (["--missing", "mean", "--max-levels", "2"], "'site' (3 levels)"),
    "mode": (["--missing-level", "mode", "--drop", "a", "b", "c"], "--missing-level mode needs --missing"),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_requests_are_sentences(case, folder, capsys):
    flags, part = WRONG[case]
    assert main(["sweep", str(folder / "data.csv"), *SMALL, *flags, "--quiet"]) == 1
    assert part in sentence(capsys)


def test_words_alone_need_no_option_and_new_holes_are_refused(folder, tmp_path, capsys):
    data = str(folder / "data.csv")
    drop = ["--drop", "a", "b"]
    frame = make_frame().assign(c=1.0 * np.arange(60) % 7)
    frame.to_csv(tmp_path / "words.csv", index=False)
    run = str(tmp_path / "run")
    options = [*drop, "--alphas", "0.001", "--out", run, "--quiet"]
    assert main(["sweep", str(tmp_path / "words.csv"), *instead(options, *SMALL)]) == 0
    assert main(["predict", run, str(folder / "new.csv"), "--quiet"]) == 1
    assert "gaps in 1 column: 'c' (" in capsys.readouterr().err
    assert (
        main(
            [
                "sweep",
                data,
                *SMALL,
                "--missing",
                "mode",
                "--missing-level",
                "mode",
                "--reference",
                "frequent",
                "--quiet",
            ]
        )
        == 0
    )
    assert "5 features as 7 columns" in capsys.readouterr().out
