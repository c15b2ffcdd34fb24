"""Whatever goes wrong on the command line ends in one sentence, the right exit code, and nothing lost."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from cli_runs import FEATURES, SMALL, N, data_columns, read_rows, sentence, start, sweep, write_csv

import jaxnet
from jaxnet.cli import main
from jaxnet.cli.interrupt import interruptible

FILES = ["coefficients.csv", "cv.csv", "model.jaxnet", "summary.json"]


@pytest.fixture
def data(tmp_path) -> Path:
    return write_csv(tmp_path / "data.csv", data_columns())


@pytest.fixture
def run(data, tmp_path) -> Path:
    assert sweep(data, "--out", tmp_path / "run", "--quiet") == 0
    return tmp_path / "run"


WRONG_REQUESTS = {
    "unknown target": (["--target", "respnse"], "'respnse' is no column of data.csv; the nearest is 'response'"),
    "unknown weights": (["--weights", "wait"], "--weights 'wait' is no column"),
    "unknown drop": (["--drop", "gene O"], "--drop 'gene O' is no column of data.csv; the nearest is 'gene "),
    "unknown id": (["--id", "sell"], "--id 'sell' is no column of data.csv; the nearest is 'cell'"),
    "two purposes": (["--weights", "response"], "'response' is given to both --target and --weights"),
    "nothing left": (["--drop", *FEATURES], "no columns left"),
    "rho": (["--rho", "1.5"], "rho"),
    "alpha": (["--alphas", "-1", "2"], "alpha"),
    "no alphas": (["--alphas", "0"], "alphas"),
    "nan alpha": (["--alphas", "nan", "1"], "alpha"),
    "tol": (["--tol", "0"], "tol"),
    "max_iter": (["--max-iter", "0"], "--max-iter 0"),
    "one fold": (["--cv", "1"], "--cv 1"),
    "more folds than rows": (["--cv", "41"], "--cv 41"),
}


@pytest.mark.parametrize("case", WRONG_REQUESTS)
def test_cli_refuses_wrong_requests_with_a_sentence(case, data, tmp_path, capsys):
    flags, part = WRONG_REQUESTS[case]
    assert sweep(data, *flags, "--out", tmp_path / "run", "--quiet") == 1
    assert part in sentence(capsys)
    assert not (tmp_path / "run").exists()


def test_cli_refuses_bad_data_with_a_sentence(tmp_path, capsys):
    good = data_columns()
    holes = [None if i in (3, 9) else value for i, value in enumerate(good["gene 4"])]
    cases = {
        "missing": ({**good, "gene 4": holes}, "'gene 4' (2 missing values in 40 rows)"),
        "infinite": ({**good, "gene 4": ["inf", *good["gene 4"][1:]]}, "'gene 4' (1 infinite value in 40 rows)"),
        "dates": ({**good, "day": ["2024-05-01"] * N}, "; leave it out with --drop day"),
        "target": ({**good, "response": holes}, "'response' in target.csv has 2 missing values (data rows 4, 10)"),
        "labels": ({**good, "response": ["high"] * N}, "--target 'response' in labels.csv is not numeric"),
        "one row": ({name: values[:1] for name, values in good.items()}, "1"),
    }
    for name, (columns, part) in cases.items():
        assert sweep(write_csv(tmp_path / f"{name}.csv", columns), "--quiet") == 1
        assert part in sentence(capsys)
    for bad in ([-1.0, *good["weight"][1:]], [0.0] * N, [0.0] * 14 + good["weight"][14:]):
        path = write_csv(tmp_path / "weights.csv", {**good, "weight": bad})
        common = ["sweep", str(path), "--target", "response", "--id", "cell", *SMALL, "--quiet"]
        assert main([*common, "--weights", "weight"]) == 1
        assert ("--weights 'weight'" if min(bad) < 0 or not any(bad) else "fold 0") in sentence(capsys)
    assert sweep(tmp_path / "no.csv") == 1
    assert "no.csv: No such file" in sentence(capsys)
    assert sweep(tmp_path) == 1
    sentence(capsys)


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["fit"],
        ["sweep"],
        ["sweep", "a.csv"],
        ["sweep", "a.csv", "--example", "diabetes"],
        ["sweep", "--example", "iris"],
        ["sweep", "a.csv", "--target", "y", "--rho", "half"],
        ["sweep", "a.csv", "--target", "y", "--cv", "x"],
        ["sweep", "a.csv", "--target", "y", "--seed", "-1"],
        ["sweep", "a.csv", "--target", "y", "--overwrite"],
        ["predict"],
        ["predict", "run"],
        ["sweep", "a.csv", "--target", "y", "--out", ""],
        ["predict", "run", "a.csv", "--out", ""],
    ],
)
def test_cli_wrong_usage_exits_with_two(argv, capsys):
    with pytest.raises(SystemExit) as caught:
        main(argv)
    assert caught.value.code == 2 and "usage:" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "part"),
    [
        (["sweep", "a.csv", "--target", "y", "--seed", "one"], "a seed is a whole number"),
        (["sweep", "--target", "y", "--drop", "id", "a.csv"], "put DATA before the options"),
    ],
)
def test_cli_wrong_usage_is_explained(argv, part, capsys):
    with pytest.raises(SystemExit):
        main(argv)
    assert part in capsys.readouterr().err


def test_cli_never_replaces_what_it_should_not(run, data, tmp_path, capsys, monkeypatch):
    def never(*args, **kwargs):
        raise AssertionError("computed before looking at --out")

    before = {path.name: path.read_bytes() for path in run.iterdir()}
    monkeypatch.setattr("jaxnet.sweeps.sweep", never)
    assert sweep(data, "--out", run) == 1
    assert "holds another run" in sentence(capsys)
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    assert sweep(data, "--out", tmp_path / "mine", "--overwrite") == 1
    assert "no jaxnet run" in sentence(capsys) and (tmp_path / "mine" / "thesis.txt").exists()
    assert sweep(data, "--out", data, "--overwrite") == 1
    assert "is no folder" in sentence(capsys)
    assert sweep(data, "--out", data / "sub") == 1
    assert "is a file, not a folder" in sentence(capsys)
    monkeypatch.chdir(run)
    for here in (".", run):
        assert sweep(data, "--out", here, "--overwrite") == 1
        assert "is the folder you are in" in sentence(capsys)
    monkeypatch.chdir(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(os.path, "ismount", lambda path: True)
        assert sweep(data, "--out", run, "--overwrite") == 1
    assert "is a mount point" in sentence(capsys)
    (run / "extra.csv").write_text("x")
    assert sweep(data, "--out", run, "--overwrite") == 1
    assert "'extra.csv'" in sentence(capsys)
    (run / "extra.csv").unlink()
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before


def test_cli_overwrites_a_run_when_told_and_fills_empty_or_new_folders(run, data, tmp_path):
    assert sweep(data, "--out", run, "--overwrite", "--alphas", "4", "--quiet") == 0
    assert len(read_rows(run / "cv.csv")) == 2 * 4
    (tmp_path / "empty").mkdir()
    for folder in (tmp_path / "empty", tmp_path / "a" / "b" / "run"):
        assert sweep(data, "--out", folder, "--quiet") == 0
        assert sorted(path.name for path in folder.iterdir()) == FILES
    assert not list(tmp_path.rglob(".*.tmp"))


def test_cli_predict_never_replaces_a_file_unasked(run, data, tmp_path, capsys):
    out = tmp_path / "p.csv"
    out.write_text("precious")
    command = ["predict", str(run), str(data), "--quiet", "--out"]
    assert main([*command, str(out)]) == 1
    assert "exists" in sentence(capsys) and out.read_text() == "precious"
    assert main([*command, str(out), "--overwrite"]) == 0
    assert len(read_rows(out)) == N
    assert main([*command, str(tmp_path)]) == 1
    assert main([*command, str(tmp_path / "no" / "p.csv")]) == 1


def test_cli_predict_says_what_to_do_about_bad_columns(run, tmp_path, capsys):
    """A column that the model needs cannot be dropped, and predict has no --drop."""
    needed = next(row["feature"] for row in read_rows(run / "coefficients.csv")[1:] if float(row["coefficient"]))
    for bad, part in (("?", "not numeric"), ("", "1 missing value"), ("inf", "1 infinite value")):
        columns = data_columns()
        columns[needed] = [bad, *columns[needed][1:]]
        path = write_csv(tmp_path / "new.csv", columns)
        assert main(["predict", str(run), str(path), "--quiet"]) == 1
        text = sentence(capsys)
        assert part in text and f"{needed!r}" in text and "--drop" not in text and "--id" not in text


@pytest.mark.parametrize("encoding", ["ascii", "latin-1"])
def test_cli_speaks_to_terminals_that_lack_letters(encoding, tmp_path):
    columns = data_columns()
    columns["β-温度"] = columns.pop(FEATURES[0])
    path = write_csv(tmp_path / "data.csv", columns)
    roles = ["--target", "response", "--id", "cell", "--drop", "weight", *SMALL]
    process = start("sweep", path, *roles, PYTHONIOENCODING=encoding)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 0, err
    assert "\\u6e29" in out and "Certificate" in out


def test_cli_works_with_closed_streams(data, tmp_path):
    """As daemons start programs; Python then has no sys.stdout or sys.stderr."""
    roles = ["--target", "response", "--id", "cell", "--drop", "weight", *SMALL]
    words = [sys.executable, "-m", "jaxnet", "sweep", str(data), *roles, "--out", str(tmp_path / "run")]
    subprocess.run(["sh", "-c", 'exec "$@" >&- 2>&-', "sh", *words], check=True, timeout=60)
    assert (tmp_path / "run" / "model.jaxnet").exists()


def test_cli_predict_refuses_what_is_no_run(data, tmp_path, capsys):
    (tmp_path / "empty").mkdir()
    jaxnet.save({"kind": "other"}, tmp_path / "other.jaxnet")
    for run, part in ((tmp_path / "none", "no run at"), (tmp_path / "empty", "no jaxnet run"), (data, "no jaxnet file"),
                      (tmp_path / "other.jaxnet", "not the model of a run")):  # fmt: skip
        assert main(["predict", str(run), str(data)]) == 1
        assert part in sentence(capsys)


@pytest.mark.parametrize("step", ["fsync", "rename"])
@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_cli_failing_half_way_leaves_the_old_run_alone(step, error, run, data, tmp_path, monkeypatch, capsys):
    before = {path.name: path.read_bytes() for path in run.iterdir()}
    calls = []

    def fail(*args):
        calls.append(args)
        if len(calls) == 2:
            raise error
        return original(*args)

    where, name = (Path, "rename") if step == "rename" else (os, "fsync")
    original = getattr(where, name)
    monkeypatch.setattr(where, name, fail)
    code = sweep(data, "--out", run, "--overwrite", "--quiet")
    monkeypatch.undo()
    if isinstance(error, OSError):
        captured = capsys.readouterr()
        assert code == 1 and "nothing was written: No space left on device" in captured.err
        assert "Certificate" in captured.out, "what was found is shown all the same"
    else:
        assert code == 130 and "interrupted" in sentence(capsys)
    assert {path.name: path.read_bytes() for path in run.iterdir()} == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["data.csv", "run"]


def test_cli_bugs_show_their_traceback(data, monkeypatch):
    def bug(*args, **kwargs):
        raise RuntimeError("a bug")

    monkeypatch.setattr("jaxnet.sweeps.sweep", bug)
    with pytest.raises(RuntimeError, match="a bug"):
        sweep(data)


def test_interrupts_that_other_code_drops_are_remembered():
    with interruptible() as check:
        check()
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            check()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    with interruptible() as check:
        signal.raise_signal(signal.SIGINT)
        check()
    signal.signal(signal.SIGINT, before)


def test_cli_interrupt_leaves_nothing_behind(data, tmp_path):
    roles = ["--target", "response", "--id", "cell"]
    process = start("sweep", data, *roles, "--alphas", "50000", "--out", tmp_path / "run")
    assert process.stderr.readline().startswith("jaxnet: read data.csv")
    time.sleep(0.5)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=120)
    assert process.returncode in (130, -signal.SIGINT), err  # a shell calls both 130
    assert err.strip().splitlines()[-1] == "jaxnet: interrupted; no unfinished file was left behind."
    assert [path.name for path in tmp_path.iterdir()] == ["data.csv"]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="/dev/full, the always full device, exists on Linux only")
def test_cli_full_device_ends_in_a_sentence(run, data):
    process = start("predict", run, data, "--quiet", "--out", "/dev/full")
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err.strip() == "jaxnet: cannot write --out /dev/full: No space left on device."
    with open("/dev/full", "w") as full:
        process = subprocess.Popen([sys.executable, "-m", "jaxnet", "predict", run, data, "--quiet"], stdout=full,
                                   stderr=subprocess.PIPE, text=True)  # fmt: skip
        _, err = process.communicate(timeout=60)
    assert process.returncode == 1 and err.strip() == "jaxnet: No space left on device."


def test_cli_stays_silent_when_its_reader_leaves(run, tmp_path):
    many = write_csv(tmp_path / "many.csv", {name: values * 1000 for name, values in data_columns().items()})
    with start("predict", run, many, "--quiet") as process:
        assert process.stdout.readline() == "cell,prediction\n"
        process.stdout.close()
        assert process.stderr.read() == "" and process.wait(timeout=60) == 1
