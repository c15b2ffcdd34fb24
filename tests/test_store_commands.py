"""The command line keeps sweeps in stores, goes on with them, and lists, shows, compares and exports them."""

import json
import signal
import sqlite3
import subprocess
import sys
import time

import numpy as np
import pytest
from cli_runs import FEATURES, data_columns, make_data, sentence, start, sweep, write_csv
from saved import as_tree, equal

import jaxnet
from jaxnet.cli import main
from jaxnet.cli.export_command import arrays


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with data.csv, a store of two runs, "a" and "b", and the folder of run "a"."""
    folder = tmp_path_factory.mktemp("store")
    data = write_csv(folder / "data.csv", data_columns())
    for run, more in (("a", ["--out", folder / "a"]), ("b", ["--tol", "1e-6", "--shuffle"])):
        assert sweep(data, "--store", folder / "runs.db", "--run", run, "--quiet", *more) == 0
    return folder


def out_of(capsys, *argv) -> str:
    capsys.readouterr()
    assert main(list(map(str, argv))) == 0
    return capsys.readouterr().out


def test_cli_stored_sweeps_are_those_of_the_files(place, tmp_path):
    stored = jaxnet.Store(place / "runs.db").result("a")
    assert stored.feature_names == tuple(FEATURES)
    assert equal(as_tree(stored), as_tree(jaxnet.load(place / "a" / "model.jaxnet")["result"]))
    assert sweep(place / "data.csv", "--out", tmp_path / "plain", "--quiet") == 0
    assert (tmp_path / "plain" / "cv.csv").read_bytes() == (place / "a" / "cv.csv").read_bytes()


def test_cli_goes_on_from_its_store(place, tmp_path, capsys):
    store = ["--store", tmp_path / "runs.db"]
    assert sweep(place / "data.csv", *store, "--resume") == 1
    assert "has no run" in capsys.readouterr().err.splitlines()[-1]
    assert sweep(place / "data.csv", *store) == 0
    assert "48 fits will be kept there." in capsys.readouterr().err
    assert sweep(place / "data.csv", *store, "--resume", "--out", tmp_path / "run") == 0
    assert "48 of 48 fits are there already." in capsys.readouterr().err
    assert (tmp_path / "run" / "cv.csv").read_bytes() == (place / "a" / "cv.csv").read_bytes()
    assert sweep(place / "data.csv", "--store", place / "runs.db", "--run", "b", "--quiet") == 1
    assert "is of another problem: rows of the folds is" in sentence(capsys)


def test_cli_interrupted_sweep_says_how_far_it_came_and_goes_on(place, tmp_path, capsys):
    roles = ["--target", "response", "--id", "cell", "--drop", "weight", "--tol", "1e-8", "--cv", "3"]
    argv = ["sweep", place / "data.csv", *roles, "--alphas", "3000", "--out", tmp_path / "run"]
    process = start(*argv, "--store", tmp_path / "runs.db", "--run", "long")
    for line in process.stderr:
        if "will be kept there" in line:
            break
    while not any(run.done for run in jaxnet.Store(tmp_path / "runs.db").runs()):
        assert process.poll() is None, process.stderr.read()
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode in (130, -signal.SIGINT), err
    said = err.strip().splitlines()[-1]
    assert said.startswith("jaxnet: interrupted; ") and "fits are kept in" in said and "run 'long'" in said
    assert not (tmp_path / "run").exists()
    (run,) = jaxnet.Store(tmp_path / "runs.db").runs()
    assert f"{run.done:,} of {run.fits:,} fits" in said and 0 < run.done < run.fits and not run.running
    assert run.about == {"source": "data.csv", "target": "response"}
    listed = out_of(capsys, "runs", tmp_path / "runs.db")
    assert f"{run.done / run.fits:.0%}, stopped" in listed


def test_cli_lists_runs(place, capsys):
    header, a, b = out_of(capsys, "runs", place / "runs.db").splitlines()
    assert header.split() == ["run", "begun", "data", "grid", "done", "best", "so", "far"]
    best = jaxnet.Store(place / "runs.db").result("a").best()
    for part in ("data.csv, 40 x 12", "2 rho x 6 alphas x 3 folds", "finished"):
        assert part in a and part in b
    assert a.startswith("a ") and f"{best.cv_error:.6g} at rho {best.rho:.4g}, alpha {best.alpha:.5g}" in a


def test_cli_shows_a_run(place, capsys):
    text = out_of(capsys, "show", place / "runs.db", "b")
    best = jaxnet.Store(place / "runs.db").result("b").best()
    for part in (
        "run b of",
        "finished (48 of 48 fits)",
        "1e-06",
        '"data.csv"',
        "SweepResult: 48 fits",
        f"{best.alpha:.5g}",
    ):
        assert part in text
    largest = int(np.argmax(np.abs(best.coef)))
    assert f"{FEATURES[largest]}" in text and f"{best.coef[largest]:.5g}" in text


def test_cli_deletes_runs(place, tmp_path, capsys):
    copy = tmp_path / "copy.db"
    copy.write_bytes((place / "runs.db").read_bytes())
    assert main(["runs", str(copy), "--delete", "a"]) == 0
    assert [run.name for run in jaxnet.Store(copy).runs()] == ["b"]
    assert main(["runs", str(copy), "--delete", "b"]) == 0
    assert out_of(capsys, "runs", copy) == f"{copy} has no runs.\n"


def test_cli_compares_runs_and_folders(place, capsys):
    text = out_of(capsys, "compare", "a", "b", "--store", place / "runs.db")
    results = [jaxnet.Store(place / "runs.db").result(run) for run in "ab"]
    bests = [result.best() for result in results]
    for part in (
        "tol is 0.0001 in A and 1e-06 in B",
        "rows of the folds is",
        "the same grid, 2 rho (0.5, 1) x 6 alphas",
    ):
        assert part in text
    largest = np.abs(results[0].coefs.toarray() - results[1].coefs.toarray()).max()
    assert f"differ by more than {largest:.3g}" in text
    for best in bests:
        assert f"{best.alpha:.5g}" in text and f"{best.cv_error:.6g}" in text
    a, b = (best.coef for best in bests)
    both = ((a != 0) & (b != 0)).sum(), ((a != 0) & (b == 0)).sum(), ((a == 0) & (b != 0)).sum()
    assert "{} in both, {} only in A, {} only in B".format(*both) in text
    most = int(np.argmax(np.abs(a - b)))
    line = next(line for line in text.splitlines() if line.startswith(FEATURES[most]))
    np.testing.assert_allclose(list(map(float, line.split()[-3:])), [a[most], b[most], b[most] - a[most]], rtol=1e-3)
    alone = out_of(capsys, "compare", place / "a", place / "a" / "model.jaxnet")
    assert "the same problem" in alone and "their coefficients are the same" in alone


def test_cli_compares_what_has_other_columns(tmp_path, capsys):
    X, y, _ = make_data()
    import pandas

    frame = pandas.DataFrame(X, columns=FEATURES)
    sweeps = {
        "all": jaxnet.sweep(frame, y, rho=0.5, alphas=5, standardize=True),
        "less": jaxnet.sweep(frame[FEATURES[::-2]], y, rho=1.0, alphas=5, standardize=True),
        "nameless": jaxnet.sweep(X[:, :3], y, rho=0.5, alphas=5, standardize=True),
        "path": jaxnet.fit_path(X, y, rho=0.5, alphas=5),
        "two": jaxnet.sweep(X, np.c_[y, y], rho=0.5, alphas=5),
    }
    for name, result in sweeps.items():
        jaxnet.save(result, tmp_path / name)
    files = {name: tmp_path / name for name in sweeps}
    text = out_of(capsys, "compare", files["all"], files["less"])
    assert "A has 1 rho (0.5) x 5 alphas" in text and FEATURES[11] in text
    assert "no columns in common" in out_of(capsys, "compare", files["less"], files["nameless"])
    assert "nonzeros of" not in out_of(capsys, "compare", files["path"], files["path"])
    assert "response 1" in out_of(capsys, "compare", files["two"], files["two"])
    assert main(["compare", str(files["all"]), str(files["two"])]) == 1
    assert "has 1 responses and" in sentence(capsys)


def test_cli_exports_every_array(place, tmp_path):
    out = tmp_path / "a.npz"
    assert main(["export", str(place / "runs.db"), "a", "--out", str(out), "--quiet"]) == 0
    result = jaxnet.Store(place / "runs.db").result("a")
    with np.load(out, allow_pickle=False) as archive:
        found = dict(archive)
    assert found.keys() == arrays(result).keys()
    for name in ("rho", "alphas", "intercepts", "errors", "gap", "kkt", "status", "iterations"):
        np.testing.assert_array_equal(found[name], getattr(result, name))
    starts, dense = found["coefs_starts"], np.zeros((12, int(found["n_columns"])))
    for i in range(12):
        dense[i, found["coefs_columns"][starts[i] : starts[i + 1]]] = found["coefs_values"][starts[i] : starts[i + 1]]
    np.testing.assert_array_equal(dense, result.coefs.toarray())
    assert found["feature_names"].tolist() == FEATURES and found["standardize"]


@pytest.mark.parametrize("responses", [None, 2])
def test_cli_exports_tables(responses, tmp_path):
    from pyarrow import parquet

    X, y, _ = make_data()
    y = y if responses is None else np.c_[y, y[::-1]]
    result = jaxnet.sweep(X, y, rho=[0.5, 1.0], alphas=4, cv=3, standardize=True)
    jaxnet.save(result, tmp_path / "r.jaxnet")
    tables = {}
    for what in ("fits", "coefficients"):
        out = tmp_path / f"{what}.parquet"
        assert main(["export", str(tmp_path / "r.jaxnet"), "--what", what, "--out", str(out), "--quiet"]) == 0
        tables[what] = parquet.read_table(out).to_pydict()
    fits, coefs = tables["fits"], tables["coefficients"]
    assert len(fits["alpha"]) == result.alphas.size and set(fits["status"]) == {"converged"}
    for row, at in enumerate(np.ndindex(result.alphas.shape)):
        assert fits["alpha"][row] == result.alphas[at] and fits["rho"][row] == result.rho[at[-2]]
        assert fits["cv_error"][row] == result.error_mean[at] and fits["error_2"][row] == result.errors[at][2]
        assert fits["intercept"][row] == result.intercepts[at] and fits["worst_gap"][row] == result.gap[at].max()
        assert responses is None or fits["response"][row] == at[0]
    dense = np.zeros((result.alphas.size, 12))
    key = list(zip(*(fits[name] for name in ("response", "rho", "alpha") if name in fits), strict=True))
    for row in zip(*(coefs[name] for name in coefs), strict=True):
        found = dict(zip(coefs, row, strict=True))
        at = key.index(tuple(found[name] for name in ("response", "rho", "alpha") if name in found))
        dense[at, found["column"]] = found["coefficient"]
    np.testing.assert_array_equal(dense, result.coefs.toarray())


@pytest.mark.parametrize(
    ("argv", "part"),
    [
        (["runs", "data.csv"], "data.csv is no jaxnet store"),
        (["runs", "none.db"], "none.db: No such file"),
        (["show", "runs.db", "c"], "runs.db has no run 'c'; it holds 'a', 'b'."),
        (["runs", "runs.db", "--delete", "c"], "has no run 'c' to delete"),
        (["compare", "a", "data.csv"], "no jaxnet file"),
        (["compare", "a", "runs.db"], "runs.db is a store: name one of its runs too (a, b)."),
        (["export", "a", "--out", "x.csv"], "jaxnet exports to .parquet and .npz files"),
        (["export", "runs.db", "--out", "x.npz"], "name one of its runs too"),
        (["export", "a", "--out", "kept.npz"], "exists: choose another file"),
        (["export", "other.jaxnet", "--out", "x.npz"], "holds no sweep"),
        (["export", "none", "--out", "x.npz"], "there is no run at none"),
        (["export", "a", "--out", "none/x.npz"], "there is no folder"),
    ],
)
def test_cli_wrong_requests_end_in_a_sentence(argv, part, place, monkeypatch, capsys):
    monkeypatch.chdir(place)
    (place / "kept.npz").write_text("mine")
    jaxnet.save([1], "other.jaxnet")
    capsys.readouterr()
    assert main(argv) == 1
    assert part in sentence(capsys)
    assert (place / "kept.npz").read_text() == "mine"


@pytest.mark.parametrize("options", [["--run", "a"], ["--resume"]])
def test_cli_store_options_need_a_store(options, place, capsys):
    with pytest.raises(SystemExit) as caught:
        sweep(place / "data.csv", *options)
    assert caught.value.code == 2 and f"{options[0]} needs --store" in capsys.readouterr().err


def test_cli_names_in_stores_do_not_steer_the_terminal(place, tmp_path, capsys):
    copy = tmp_path / "copy.db"
    copy.write_bytes((place / "runs.db").read_bytes())
    connection = sqlite3.connect(copy)
    with connection:
        problem = json.dumps({"rows": "\x1b[31m", "rho": {"\x1b[2J": 1}, "\x1b]0;x": "\x07"})
        hostile = ('{"source": "\\u001b[2J"}', problem, "\x1b[2J")
        connection.execute("UPDATE runs SET about = ?, problem = ?, begun = ?", hostile)
        connection.execute("UPDATE runs SET name = ? WHERE name = 'a'", ("\x1b[2Jx",))
    connection.close()
    for argv in (["runs", copy], ["show", copy, "b"], ["show", copy, "\x1b[2Jx"]):
        text = out_of(capsys, *argv)
        assert "\x1b" not in text and "\x07" not in text


def test_cli_reads_stores_without_jax(place):
    code = (
        "import sys; from jaxnet.cli import main; "
        f"main(['runs', {str(place / 'runs.db')!r}]); main(['show', {str(place / 'runs.db')!r}, 'a']); "
        "print({'jax', 'sklearn', 'pandas'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
