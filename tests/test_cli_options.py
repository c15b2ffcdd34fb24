"""Every option of every command acts or is refused, and none silently wins over another."""

import json
import re

import pytest
from cli_places import USUAL, make_place
from cli_runs import SMALL, data_columns, instead, sentence, write_csv

from jaxnet.cli import main
from jaxnet.cli.parser import build_parser
from jaxnet.cli.reading_options import KINDS, NEED_DATA
from jaxnet.persistence import load


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return make_place(tmp_path_factory.mktemp("place"))


def commands() -> dict:
    return next(a.choices for a in build_parser()._actions if a.dest == "command")


def declared(command: str) -> list:
    """The options of a command, --help aside."""
    return [a for a in commands()[command]._actions if a.option_strings and a.dest != "help"]


ONCE = [
    (name, action)
    for name in commands()
    for action in declared(name)
    if not type(action).__name__.endswith("ExtendAction")
]


@pytest.mark.parametrize(("command", "action"), ONCE, ids=[f"{name} {a.option_strings[-1]}" for name, a in ONCE])
def test_options_are_given_once(command, action, capsys):
    value = [] if action.nargs == 0 else [str(action.choices[0]) if action.choices else "1"]
    flag = [action.option_strings[-1], *value]
    with pytest.raises(SystemExit) as caught:
        main([command, *flag, *flag])
    assert caught.value.code == 2 and f"{action.option_strings[-1]} is given twice" in capsys.readouterr().err
    with pytest.raises(SystemExit):  # an abbreviation is the same option
        main([command, action.option_strings[-1][:-1], *value, *flag])
    assert "is given twice" in (told := capsys.readouterr().err) or "ambiguous" in told or "unrecognized" in told


def test_lists_may_go_on(tmp_path):
    data = write_csv(tmp_path / "d.csv", data_columns())
    argv = [
        "sweep",
        str(data),
        "--target",
        "response",
        "--id",
        "cell",
        *SMALL,
        "--quiet",
        "--out",
        str(tmp_path / "run"),
    ]
    assert main([*argv, "--drop", "weight", "--drop", "gene 1", "gene 2"]) == 0
    assert len(load(tmp_path / "run" / "model.jaxnet")["result"].feature_names) == 10


MIXED = ["--drop", "t", "d", "--na", "?", "--missing", "mean"]
CHANGES = {  # by option: what a sweep is given besides, and what the option is compared with having
    "example": None,  # tested by itself, as it takes the place of DATA
    "raw_text": None,  # tested with names that begin as formulas do, in test_cli_foreign_text
    "target": ([], ["--target", "a"]),
    "drop": ([], ["--drop", "a"]),
    "id": ([], []),
    "weights": (["--drop", "t", "d", "--na", "?", "--missing", "mean"], ["--weights", "w"]),
    "na": (["--drop", "t", "d", "--missing", "mean"], ["--na", "?"]),
    "decimal": (["--drop", "a", "b", "c", "t", "w", "y", "site", "--target", "code"], ["--decimal", ","]),
    "thousands": (["--drop", "b", "c", "d", "site"], ["--thousands", ","]),
    "rho": ([], ["--rho", "0.3"]),
    "alphas": ([], ["--alphas", "4"]),
    "alpha_min_ratio": ([], ["--alpha-min-ratio", "0.2"]),
    "cv": ([], ["--cv", "4"]),
    "shuffle": ([], ["--shuffle"]),
    "seed": ([], ["--seed", "4"]),
    "groups": ([], ["--groups", "site"]),
    "folds": ([], ["--folds", "code"]),
    "fold_average": (["--cv", "4"], ["--fold-average", "rows"]),
    "simplest": ([], ["--simplest", "alpha"]),
    "metric": ([], ["--metric", "mae"]),
    "rule": ([], ["--rule", "1se"]),
    "percent": ([], ["--percent", "60"]),
    "no_standardize": ([], ["--no-standardize"]),
    "adaptive": ([], ["--adaptive", "1"]),
    "relax": ([], ["--relax", "1", "0"]),
    "tol": ([], ["--tol", "1e-9"]),
    "max_iter": ([], ["--max-iter", "1"]),
    "dtype": (["--out", "OUT"], ["--dtype", "float32"]),
    "device": ([], ["--device", "nonsense"]),
    "missing": ([], ["--missing", "median"]),
    "fill_value": (["--missing", "constant"], ["--fill-value", "9"]),
    "indicators": ([], ["--indicators"]),
    "column_limit": ([], ["--column-limit", "0.05"]),
    "categories": ([], ["--categories", "code"]),
    "reference": ([], ["--reference", "site=York"]),
    "missing_level": ([], ["--missing-level", "mode"]),
    "max_levels": ([], ["--max-levels", "2"]),
    "store": ([], ["--store", "STORE"]),
    "run": (["--store", "STORE"], ["--run", "x"]),
    "resume": (["--store", "STORE"], ["--resume"]),
    "out": ([], ["--out", "OUT"]),
    "overwrite": (["--out", "OUT"], ["--overwrite"]),
    "quiet": ([], ["--quiet"]),
}


def outcome(argv, folder, capsys) -> tuple:
    """What a command did: its exit code, what it said but for the time it took, the files there are, and coefficients."""
    argv = [{"OUT": str(folder / "out"), "STORE": str(folder / "s.db")}.get(word, word) for word in argv]
    try:
        code = main(argv)
    except SystemExit as stop:
        code = stop.code
    said = capsys.readouterr()
    text = [
        re.sub(r"in \d+\.\d s|\d+(\.\d+)? s\b|\d+%.*fits.*", "", part).replace(str(folder), "")
        for part in (said.out, said.err)
    ]
    tables = [path.read_text() for path in sorted(folder.rglob("coefficients.csv"))]
    return code, text, sorted(path.name for path in folder.iterdir()), tables


def test_the_table_of_changes_has_every_option_of_a_sweep():
    assert {action.dest for action in declared("sweep")} == set(CHANGES)


@pytest.mark.parametrize("option", [name for name, change in CHANGES.items() if change is not None])
def test_every_option_of_a_sweep_acts_or_is_refused(option, place, tmp_path, capsys):
    given, change = CHANGES[option]
    left_out = {"id": ("--id", "cell"), "weights": ("--drop", "w")}.get(option, ())
    usual = [word for word in USUAL if word not in left_out]
    given = given if "--drop" in given else instead(given, *MIXED)
    base = ["sweep", str(place / "all.csv"), *instead(given, *usual)]
    change = change or ["--id", "cell"]
    found = []
    for name, argv in (("without", base), ("with", ["sweep", base[1], *instead(change, *base[2:])])):
        (tmp_path / name).mkdir()
        if option == "overwrite":  # of what is there already
            outcome(base, tmp_path / name, capsys)
        found.append(outcome(argv, tmp_path / name, capsys))
    assert found[0] != found[1]
    assert option in ("decimal", "thousands", "na", "overwrite") or found[0][0] == 0
    assert option in ("max_levels", "device", "resume", "folds") or found[1][0] == 0


def test_bundled_data_take_the_place_of_a_file(capsys):
    assert main(["sweep", "--example", "diabetes", "--alphas", "3", "--cv", "3", "--quiet"]) == 0
    assert "442 rows, 10 features" in capsys.readouterr().out
    with pytest.raises(SystemExit, match="2"):
        main(["sweep", "d.csv", "--example", "diabetes"])


@pytest.mark.parametrize("kind", KINDS)
def test_every_option_of_a_plot_acts_or_is_refused(kind, place, tmp_path, capsys, monkeypatch):
    def drawn(draw, **size):
        from matplotlib.figure import Figure

        ax = Figure().subplots()
        draw(ax)
        lines = [line.get_xydata().tolist() for line in ax.lines]
        bars = [list(map(float, (bar.get_x(), bar.get_width()))) for bar in ax.patches]
        texts = [text.get_text() for text in ax.findobj(lambda artist: hasattr(artist, "get_text"))]
        return json.dumps([lines, bars, texts]).encode()

    monkeypatch.setattr("jaxnet.plots.images.render", drawn)
    out = str(tmp_path / "p.png")
    table = [str(place / "plain.csv")] if kind in NEED_DATA else []
    options = {action.dest for action in declared("plot")} - {
        "out",
        "overwrite",
        "quiet",
        "na",
        "decimal",
        "thousands",
        "example",
    }
    assert options == {"rho", "alpha", "top", "simplest"}
    result = load(place / "run" / "model.jaxnet")["result"]
    kept = result.best()
    other = {
        "rho": next(r for r in result.rho if r != kept.rho),
        "alpha": float(result.alphas[0, 1]) * 1.05,
        "top": 1,
        "simplest": "alpha",
    }
    base = ["plot", str(place / "run"), kind, *table, "--out", out, "--overwrite", "--quiet"]
    assert main(base) == 0
    before = (tmp_path / "p.png").read_bytes()
    for option, value in other.items():
        try:
            code = main([*base, f"--{option}", str(value)])
        except SystemExit as stop:
            assert stop.code == 2 and f"--{option} has no part in a plot of kind {kind}" in capsys.readouterr().err
        else:
            drew = code == 0 and (tmp_path / "p.png").read_bytes() != before
            assert drew or "--simplest alpha has no part in what --rule min chose" in capsys.readouterr().err, option
    if not table:
        with pytest.raises(SystemExit, match="2"):
            main([*base[:3], str(place / "plain.csv"), *base[3:]])
        assert f"a plot of kind {kind} needs no table" in capsys.readouterr().err


def test_options_that_would_not_act_are_refused(place, tmp_path, capsys):
    plain, run = str(place / "plain.csv"), str(place / "run")
    listed = ["--alphas", "1", "0.5", "--alpha-min-ratio", "0.1"]
    for argv, part in (
        (["export", run, "--out", "x.npz", "--what", "fits"], "--what is for .parquet files"),
        (
            ["sweep", plain, "--target", "y", *listed],
            "--alpha-min-ratio is for a count",
        ),
        (["report", run, "--na", "?"], "--na says how a file is written: name one, DATA"),
        (["missing", "--example", "diabetes", "--decimal", ","], "--decimal says how a file is written"),
        (["sweep", plain, "--target", "y", "--resume"], "--resume needs --store"),
        (["predict", run, plain, "--overwrite"], "--overwrite needs --out"),
    ):
        with pytest.raises(SystemExit, match="2"):
            main(argv)
        assert part in capsys.readouterr().err
    for argv, part in (
        (["sweep", plain, *USUAL, "--reference", "code=1"], "declare it with --categories code"),
        (["sweep", plain, *USUAL, "--max-levels", "0"], "--max-levels 0 must be a whole number"),
        (["stability", plain, "--target", "y", "--q", "1", "--cutoff", "0.8", "--false-selections", "1"], "all given"),
        (["sweep", plain, *USUAL, "--missing", "multiple", "--rule", "bic"], "--rule bic is of fits to one X"),
    ):
        assert main([*argv, "--quiet"]) == 1
        assert part in sentence(capsys)
