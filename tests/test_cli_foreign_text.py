"""Names, labels and paths are anybody's: none of them steers a terminal, and none is a formula to a spreadsheet."""

import csv
import io
import sys
from pathlib import Path

import matplotlib
import numpy as np
import pandas
import pytest
from cli_runs import read_rows, write_csv

import jaxnet
from jaxnet.cli import main
from jaxnet.cli.csv_text import CsvText
from jaxnet.cli.parser import build_parser

matplotlib.use("Agg")

NAMES = (
    "\x1b]0;owned\x07a",
    "a\r=1+1",
    "two\nlines \x1b[2J",
    "\u202egpj.\x9b31m",
    "=1+1",
    "+b",
    "@sum\tc",
    "\x7f-d",
    "café",
)
TARGET, ID, LABELS = "\x1b[31mtarget", "-id\u2066", ("=cmd|' /C calc'!A0", "\x1b[5mred")
ROLES = ["--target", TARGET, f"--id={ID}"]
ODD = "é" if sys.platform == "darwin" else "\udce9"  # a name in an encoding of old, which is no UTF-8
GRID = ["--rho", "0.9", "--alphas", "5", "--cv", "3"]


def absolute(y, predicted, sample_weight=None):
    return np.average(np.abs(y - predicted), weights=sample_weight)


absolute.__name__ = "\x1b[35mmetric\u202e"


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a name like that: a table, one with holes, a run, and a store with two runs, of one a hostile metric."""
    folder = tmp_path_factory.mktemp("place") / "\x1b[41mfolder\u202e"
    folder.mkdir()
    rng = np.random.default_rng(3)
    X = rng.normal(size=(60, len(NAMES)))
    y = X @ np.arange(1.0, len(NAMES) + 1) + 0.1 * rng.normal(size=60)
    columns = {ID: [f"={i}" for i in range(60)], **dict(zip(NAMES, X.T.tolist(), strict=True))}
    columns |= {"\x1b[0msite": [LABELS[i % 2] for i in range(60)], TARGET: y.tolist()}
    table = str(write_csv(folder / "t.csv", columns))
    holes = {**columns, NAMES[0]: ["" if i % 3 else x for i, x in enumerate(columns[NAMES[0]])]}
    holes[NAMES[1]] = ["" if i % 4 else x for i, x in enumerate(columns[NAMES[1]])]
    write_csv(folder / "holes.csv", holes)
    lacking = {name: values for name, values in columns.items() if name != NAMES[7]}
    write_csv(folder / "lacking.csv", {**lacking, "\x1b[1mmore": y.tolist(), "\x1b[0msite": ["\x1b[9mnew"] * 60})
    (folder / ODD).mkdir()
    store, run = str(folder / ODD / "s.db"), str(folder / ODD / "run")
    assert main(["sweep", table, *ROLES, *GRID, "--out", run, "--store", store, "--run", "a"]) == 0
    jaxnet.sweep(pandas.DataFrame(X, columns=list(NAMES)), y, alphas=5, cv=3, metric=absolute, store=store, run="b")
    return folder


def commands(place, out) -> dict[str, list[list[str]]]:
    """By command, what to call: what works, and what fails."""
    table, holes, lacking, store, run, absent = (
        str(place / name) for name in ("t.csv", "holes.csv", "lacking.csv", f"{ODD}/s.db", f"{ODD}/run", "none\x1b[2J")
    )
    out = str(out / ODD)
    sweep = ["sweep", table, *ROLES, *GRID]
    return {
        "sweep": [sweep, [*sweep, "--out", f"{out}/new"], [*sweep, "--out", run], ["sweep", absent, *ROLES],
                  [*sweep, "--store", f"{out}/none\x1b[2J"], ["sweep", table, "--target", "\x1b[2J"], ["sweep", holes, *ROLES],
                  [*sweep, "--reference", "\x1b[0msite=\x1b[2J"], [*sweep, "--weights", NAMES[1]],
                  ["sweep", table, *ROLES, "--\x1b[2J"], ["sweep", table, "--target", TARGET]],
        "predict": [["predict", run, table], ["predict", run, lacking], ["predict", run, holes], ["predict", absent, table]],
        "report": [["report", run, table, "--out", f"{out}/r.html"], ["report", absent], ["report", run, "--out", run]],
        "plot": [["plot", run, kind, "--out", f"{out}/{kind}.png"] for kind in ("path", "cv", "coefficients")],
        "stability": [["stability", table, *ROLES, "--pairs", "5", "--out", f"{out}/s.csv"],
                      ["stability", holes, *ROLES, "--pairs", "5"]],
        "missing": [["missing", holes, *ROLES, "--out", f"{out}/m"], ["missing", holes, "--id", "\x1b[2J"]],
        "runs": [["runs", store], ["runs", absent], ["runs", store, "--delete", "\x1b[2J"],
                 ["runs", store, "--backup", f"{out}/\x1b[2J"]],
        "show": [["show", store, "a"], ["show", store, "b"], ["show", store, "\x1b[2J"]],
        "compare": [["compare", run, run], ["compare", "a", "b", "--store", store], ["compare", run, absent]],
        "export": [["export", run, "--out", f"{out}/\x1b[2J.npz"], ["export", store, "\x1b[2J", "--out", f"{out}/e.npz"]],
        "inspect": [["inspect", run], ["inspect", table], ["inspect", absent]],
    }  # fmt: skip


WORKS = {"sweep": 4, "predict": 1, "report": 1, "plot": 3, "stability": 1, "missing": 1, "runs": 2, "show": 2, "compare": 2,
         "export": 1, "inspect": 1}  # fmt: skip
"""How many of them do."""
EVERY = tuple(commands(Path(), Path()))


def declared() -> set[str]:
    (parsers,) = (action.choices for action in build_parser()._actions if action.dest == "command")
    return set(parsers)


def test_every_command_is_tried():
    assert set(EVERY) == declared()


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("command", EVERY)
def test_nothing_that_a_command_says_steers_a_terminal(command, place, tmp_path, capsys, monkeypatch):
    capsys.readouterr()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    (tmp_path / ODD).mkdir()
    codes = []
    for argv in commands(place, tmp_path)[command]:
        try:
            codes.append(main(argv))
        except SystemExit as stop:
            codes.append(stop.code)
        said = capsys.readouterr()
        for text in (said.out, said.err):
            steering = {c for c in text if not c.isprintable()} - {"\n"}
            assert not steering, (argv, steering, text)
        assert said.out or said.err
    assert codes.count(0) == WORKS[command], codes


def test_a_name_of_two_lines_takes_one_line_of_a_table(place, capsys):
    assert main(["show", str(place / ODD / "s.db"), "a"]) == 0
    rows = [line.split("  ")[0] for line in capsys.readouterr().out.splitlines()]
    assert r"two\nlines \x1b[2J" in rows and "café" in rows


def test_predictions_for_other_programs_keep_their_labels_to_the_letter(place, capsys):
    assert main(["predict", str(place / ODD / "run"), str(place / "t.csv"), "--raw-text", "--quiet"]) == 0
    rows = list(csv.reader(io.StringIO(capsys.readouterr().out)))
    assert rows[0] == [ID, "prediction"] and [row[0] for row in rows[1:]] == [f"={i}" for i in range(60)]


def tables(place, folder) -> dict[str, list[str]]:
    """Commands that write CSV, by the file to look at."""
    run, table, holes = (str(place / name) for name in (f"{ODD}/run", "t.csv", "holes.csv"))
    return {
        "run/coefficients.csv": ["sweep", table, *ROLES, *GRID, "--out", f"{folder}/run"],
        "p.csv": ["predict", run, table, "--out", f"{folder}/p.csv"],
        "s.csv": ["stability", table, *ROLES, "--pairs", "5", "--out", f"{folder}/s.csv"],
        "m/columns.csv": ["missing", holes, *ROLES, "--out", f"{folder}/m"],
    }


@pytest.mark.parametrize("name", tables(Path(), Path()))
def test_text_is_no_formula_to_a_spreadsheet_unless_asked_for_as_it_is(name, place, tmp_path, capsys):
    seen = {}
    for raw in (False, True):
        (folder := tmp_path / str(raw)).mkdir()
        assert main([*tables(place, folder)[name], *["--raw-text"] * raw]) == 0
        said = capsys.readouterr().err
        assert ("--raw-text leaves text as it is" in said) is not raw
        with open(folder / name, newline="", encoding="utf-8") as file:
            seen[raw] = [cell for row in csv.reader(file) for cell in row]
    number = lambda cell: cell.replace(".", "").replace("e", "").replace("-", "").replace("+", "").isdigit()
    changed = [(a, b) for a, b in zip(seen[False], seen[True], strict=True) if a != b]
    assert changed and all(a == f"'{b}" and not number(b) for a, b in changed)
    assert not [cell for cell in seen[False] if cell[:1] in ("=", "+", "-", "@", "\t", "\r") and not number(cell)]


def test_raw_text_where_no_csv_is_written_is_refused(place, tmp_path, capsys):
    table = str(place / "t.csv")
    for argv in (["sweep", table, *ROLES], ["stability", table, *ROLES], ["missing", table],
                 ["missing", table, "--out", f"{tmp_path}/m.html"]):  # fmt: skip
        with pytest.raises(SystemExit):
            main([*argv, "--raw-text"])
        assert "--raw-text is for CSV files, and none is written" in capsys.readouterr().err


def test_numbers_are_no_formulas():
    rows = [(-1.5, "-1.5", "+2e3", "-inf", "- 1", "-a", "1=1", "")]
    assert CsvText()(rows) == "-1.5,-1.5,+2e3,-inf,'- 1,'-a,1=1,\n" and CsvText(raw=True)(rows) == CsvText()(
        rows
    ).replace("'", "")


def test_the_tables_read_back_to_the_names(place):
    names = [row["feature"].removeprefix("'") for row in read_rows(place / ODD / "run" / "coefficients.csv")]
    assert names[1 : 1 + len(NAMES)] == list(NAMES)
