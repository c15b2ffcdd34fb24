"""Where results go is looked at before anything is computed, and a file says what it is."""

from pathlib import Path

import pytest
from cli_places import USUAL, make_place
from cli_runs import sentence

from jaxnet.cli import main


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return make_place(tmp_path_factory.mktemp("place"))


def never(*args, **options):
    raise AssertionError("computed before looking at where the results go")


def outputs(place) -> dict[str, list[str]]:
    plain, run, store = (str(place / name) for name in ("plain.csv", "run", "runs.db"))
    return {
        "sweep --out": ["sweep", plain, *USUAL],
        "stability --out": ["stability", plain, "--target", "y"],
        "stability --plot": ["stability", plain, "--target", "y"],
        "predict --out": ["predict", run, plain],
        "export --out": ["export", store, "first"],
        "report --out": ["report", run],
        "plot --out": ["plot", run, "cv"],
        "missing --out": ["missing", plain],
        "missing --plot": ["missing", plain],
    }


HINDRANCES = ("no folder", "a folder", "a file", "a file for a folder", "not allowed", "too long")


@pytest.mark.parametrize(
    ("command", "hindrance"),
    [(command, hindrance) for command in outputs(Path()) for hindrance in HINDRANCES
     if (command, hindrance) != ("sweep --out", "no folder")],  # which a sweep makes
)  # fmt: skip
def test_unusable_places_are_found_before_the_work(command, hindrance, place, tmp_path, capsys, monkeypatch):
    for work in ("sweeps.sweep", "selection.stability.stability_selection", "missing.analysis.patterns.analyse",
                 "cli.finished_sweep.load", "cli.run_folder.load", "cli.finished_sweep.Store"):  # fmt: skip
        monkeypatch.setattr(f"jaxnet.{work}", never)
    folder = command == "sweep --out"
    ending = {"plot": ".png", "export": ".npz"}.get(command.split()[0], ".csv") if "--out" in command else ".png"
    ending = "" if folder else ".html" if command.split()[0] in ("report", "missing") and "--out" in command else ending
    (tmp_path / "file").write_text("mine")
    (tmp_path / f"there{ending}").write_text("mine")
    (tmp_path / f"folder{ending}").mkdir()
    (tmp_path / f"folder{ending}" / "mine").write_text("mine")
    out = (
        tmp_path
        / {
            "no folder": f"none/x{ending}",
            "a folder": f"folder{ending}",
            "a file": f"there{ending}",
            "a file for a folder": f"file/x{ending}",
            "not allowed": f"locked/x{ending}",
            "too long": "x" * 300 + ending,
        }[hindrance]
    )
    if hindrance == "not allowed":
        (tmp_path / "locked").mkdir()
        refuse = lambda *a, **k: (_ for _ in ()).throw(PermissionError(13, "Permission denied"))
        monkeypatch.setattr("jaxnet.data.atomic.open", refuse, raising=False)
        monkeypatch.setattr("jaxnet.data.atomic.Path.mkdir", refuse)
    assert main([*outputs(place)[command], command.split()[1], str(out)]) == 1
    said = sentence(capsys)
    assert command.split()[1] in said
    assert (tmp_path / "file").read_text() == (tmp_path / f"there{ending}").read_text() == "mine"


def test_outputs_are_apart(place, tmp_path, capsys):
    plain = str(place / "plain.csv")
    for argv in (
        ["missing", plain, "--out", str(tmp_path / "a.html"), "--plot", str(tmp_path / "a.html" / "b.png")],
        ["stability", plain, "--target", "y", "--out", str(tmp_path / "a.png"), "--plot", str(tmp_path / "a.png")],
        ["sweep", plain, *USUAL, "--out", str(tmp_path / "run"), "--store", str(tmp_path / "run")],
        ["sweep", plain, *USUAL, "--out", str(tmp_path), "--store", str(tmp_path / "s.db")],
    ):
        assert main(argv) == 1
        assert "apart from each other" in sentence(capsys)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("argv", [["predict", "STORE", "DATA"], ["report", "STORE"], ["plot", "STORE", "cv", "--out", "x.png"],
                                  ["inspect", "STORE"]], ids=" ".join)  # fmt: skip
def test_a_store_is_called_one(argv, place, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store = place / "runs.db"
    argv = [{"STORE": str(store), "DATA": str(place / "plain.csv")}.get(word, word) for word in argv]
    assert main(argv) == 1
    said = sentence(capsys)
    assert f"{store} is a store of sweeps" in said and f"jaxnet runs {store}" in said and "cut short" not in said
    assert (
        main(["sweep", str(place / "plain.csv"), *USUAL, "--store", str(store), "--run", "first", "--out", "run"]) == 0
    )
    assert main(["report", "run"]) == 0  # as the sentence says
