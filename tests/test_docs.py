"""README.md and docs/: the Python of every page runs, commands parse, links lead somewhere, and the README stays short."""

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

import jaxnet
from jaxnet.cli.parser import build_parser, parse

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").glob("*.md"))]
OTHERS = [
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "notebooks" / "README.md",
    *sorted((ROOT / "benchmarks").glob("*.md")),
]
PICTURES = sorted((ROOT / "docs" / "images").glob("*.png"))
OTHER_OPTIONS = {"speed.md", "installing.md"}  # pages with options of other programs

FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
INLINE = re.compile(r"`([^`\n]+)`")


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def blocks(text: str, language: str) -> list[tuple[int, str]]:
    """The fenced blocks of a language, each with the number of lines before it."""
    return [(text.count("\n", 0, block.start(2)), block[2]) for block in FENCED.finditer(text) if block[1] == language]


def run_python(path: Path) -> dict:
    """Run the blocks of a page one after the other, as a new user would paste them; tracebacks name the line of the page."""
    names: dict = {}
    for line, source in blocks(path.read_text(encoding="utf-8"), "python"):
        exec(compile("\n" * line + source, str(path), "exec"), names)
    return names


def wrong_commands(text: str) -> list[str]:
    """Lines of `text` blocks that call jaxnet and that its own parser does not take."""
    lines = [line for _, block in blocks(text, "text") for line in block.splitlines()]
    return [line for line in lines if line.startswith("jaxnet ") and not parses(line)]


def parses(line: str) -> bool:
    try:
        parse(shlex.split(line, comments=True)[1:])
    except SystemExit:
        return False
    return True


def options_of_commands() -> set[str]:
    [commands] = [action for action in build_parser()._actions if action.choices and action.dest == "command"]
    return {name for command in commands.choices.values() for name in command._option_string_actions}


def unknown_options(text: str) -> list[str]:
    """Options in inline code that no command has."""
    named = [name for code in INLINE.findall(FENCED.sub("", text)) for name in re.findall(r"(?<!\S)--[a-z-]+", code)]
    return sorted(set(named) - options_of_commands())


def unknown_names(text: str) -> list[str]:
    """`jaxnet.this.and.that` in code that there is not."""
    code = [block for _, block in blocks(text, "python")] + INLINE.findall(FENCED.sub("", text))
    named = {name for part in code for name in re.findall(r"(?<![\w.])jaxnet((?:\.[A-Za-z_]+)+)", part)}
    return sorted(name for name in named if not resolves(name))


def resolves(dotted: str) -> bool:
    thing = jaxnet
    for part in dotted.split(".")[1:]:
        if not hasattr(thing, part):
            return False
        thing = getattr(thing, part)
    return True


def links(text: str) -> list[str]:
    """The targets of links and pictures that are not addresses on the web."""
    prose = INLINE.sub("", FENCED.sub("", text))
    return [to for to in re.findall(r"\]\(([^)\s]+)\)", prose) if not re.match(r"[a-z]+:", to)]


def broken_links(text: str, folder: Path) -> list[str]:
    return [link for link in links(text) if not leads_somewhere(link, folder)]


def leads_somewhere(link: str, folder: Path) -> bool:
    where, _, heading = link.partition("#")
    target = (folder / where).resolve()
    if not (target.is_relative_to(ROOT) and target.exists()):
        return False
    return not heading or heading in headings(target.read_text(encoding="utf-8"))


def headings(text: str) -> set[str]:
    """The headings of a page as the fragments of links."""
    found = re.findall(r"^#+ (.+)$", FENCED.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in found}


def saved_and_read(names: dict) -> None:
    assert names["result"].converged and names["best"].rule == "1se"
    assert jaxnet.load("diabetes.jaxnet").best("1se").alpha == names["best"].alpha


def chosen(names: dict) -> None:
    assert names["result"].converged and names["best"].rule == "min"
    assert set(names["relaxed"].blend) == {1.0, 0.5, 0.0}
    assert names["nested"].mean < names["nested"].baseline


def selected(names: dict) -> None:
    assert len(names["stable"].selected) > 0 and names["explained"].groups is not None
    assert round(jaxnet.stability_parameters(1000, q=30, false_selections=1.0).cutoff, 2) == 0.73
    assert "10 columns, 45 products and 9 powers" in str(names["expansion"])
    assert names["frequencies"].rows(0, 40)[0].keys() >= {"frequency", "lower", "upper"}


def filled(names: dict) -> None:
    first = names["found"].comparison_rows()[0]
    assert (first["missing"], first["other"]) == ("x8", "x2")
    assert list(names["filled"].feature_names[:4]) == ["age", "sex=f", "sex=m", "bmi"]
    assert names["filled"].feature_names[-1] == "missing(s5)"


def encoded(names: dict) -> None:
    assert list(names["words"].feature_names[:3]) == ["age", "sex=m", "bmi"]


def kept(names: dict) -> None:
    assert names["again"].best().alpha == names["result"].best().alpha
    [run] = jaxnet.Store("runs.db").runs()
    assert run.name == "diabetes" and run.finished


def reported(names: dict) -> None:
    page = Path("diabetes.html").read_text(encoding="utf-8")
    told = ["The sweep", "The model of each rule", "Pictures", "Coefficients", "Certificates"]
    assert re.findall("<h2>(.*?)</h2>", page) == told
    text = (ROOT / "docs" / "report.md").read_text(encoding="utf-8")
    assert all(f"| {section} |" in text for section in [*told, "Missing values"])


def fitted(names: dict) -> None:
    assert names["model"].mse_path_.shape == (4, 100, 5)
    assert np.array_equal(jaxnet.load("model.jaxnet").predict(names["X"]), names["model"].predict(names["X"]))


def converted(names: dict) -> None:
    back = jaxnet.convert_penalty(names["alpha"], names["rho"], from_="sklearn", to="glmnet", y=names["y"])
    assert np.allclose(back, (2.0, 0.5))


PYTHON = {  # page with Python: what holds after it has run, among it what its comments say
    "README.md": saved_and_read,
    "docs/choosing.md": chosen,
    "docs/missing.md": filled,
    "docs/penalty.md": converted,
    "docs/report.md": reported,
    "docs/saving.md": kept,
    "docs/selecting.md": selected,
    "docs/sklearn.md": fitted,
    "docs/tables.md": encoded,
}


@pytest.mark.parametrize("page", PYTHON)
def test_python_of_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    PYTHON[page](run_python(ROOT / page))


def test_every_page_with_python_is_run():
    assert {name_of(path) for path in PAGES if blocks(path.read_text(encoding="utf-8"), "python")} == set(PYTHON)


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_page_says_what_its_blocks_are_and_its_commands_parse(path, capsys):
    text = path.read_text(encoding="utf-8")
    fences = re.findall(r"^\s*```.*$", text, re.MULTILINE)
    assert len(fences) == 2 * len(FENCED.findall(text)), "a fence that is not closed, or not at the beginning of a line"
    assert {language for language, _ in FENCED.findall(text)} <= {"python", "sh", "text", "mermaid"}
    assert wrong_commands(text) == [], capsys.readouterr().err


@pytest.mark.parametrize("path", PAGES, ids=name_of)
def test_page_names_what_there_is(path):
    text = path.read_text(encoding="utf-8")
    assert unknown_names(text) == []
    if path.name not in OTHER_OPTIONS:
        assert unknown_options(text) == []


@pytest.mark.parametrize("path", PAGES + OTHERS, ids=name_of)
def test_links_lead_somewhere(path):
    assert broken_links(path.read_text(encoding="utf-8"), path.parent) == []


def test_readme_is_short_and_leads_to_every_page():
    text = README.read_text(encoding="utf-8")
    assert 4_000 <= len(text.encode()) <= 6_600
    assert [name for name in map(name_of, PAGES[1:]) if name not in links(text)] == []
    assert len(blocks(text, "sh")) == 2  # which the CI runs
    [(_, example)] = blocks(text, "python")
    assert len(example.splitlines()) <= 12


def test_pictures_are_small_shown_and_drawn_by_the_script():
    shown = {(path.parent / link).resolve() for path in PAGES for link in links(path.read_text(encoding="utf-8"))}
    assert PICTURES and all(picture.stat().st_size < 60_000 and picture in shown for picture in PICTURES)
    script = (ROOT / "docs" / "images" / "make.sh").read_text(encoding="utf-8")
    assert all(picture.name in script for picture in PICTURES)
    assert wrong_commands(f"```text\n{script}```\n") == [] and script.count("\njaxnet ") == 2


def test_every_room_has_a_place_in_the_house():
    table = (ROOT / "docs" / "house.md").read_text(encoding="utf-8")
    inside = [path for path in (ROOT / "jaxnet").iterdir() if not path.name.startswith(("_", "."))]
    rooms = {f"{path.name}/" for path in inside if path.is_dir()} | {
        path.name for path in inside if path.suffix == ".py"
    }
    named = {
        name.removeprefix("jaxnet/")
        for row in re.findall(r"^\| (`.*?) \|", table, re.M)
        for name in INLINE.findall(row)
    }
    assert named - {"tests/", "benchmarks/"} == rooms


def test_the_checks_catch_offenders(tmp_path, capsys):
    command = "```text\njaxnet sweep cells.csv --target y\n{}\n```\n"
    for wrong in ("jaxnet swep cells.csv", "jaxnet sweep cells.csv", "jaxnet predict run/ new.csv --rule best"):
        assert wrong_commands(command.format(wrong)) == [wrong]
    assert wrong_commands(command.format("jaxnet runs runs.db  # a comment")) == []
    assert unknown_options("`--targets` and `jaxnet sweep --target y --rules min`") == ["--rules", "--targets"]
    assert unknown_names("`jaxnet.sweeep`, `jaxnet.Store.rum`, `jaxnet.sweep`, `a.jaxnet`") == [".Store.rum", ".sweeep"]
    for wrong in ("docs/nowhere.md", "README.md#no-such-heading", "../outside.md", "docs/images/map.jpg"):
        assert broken_links(f"[here]({wrong}), [there](README.md#speed) and `[0](1)`", ROOT) == [wrong]
    page = tmp_path / "page.md"
    page.write_text("# A page\n\n```python\nx = 1\n```\n\n```python\ny = x / 0\n```\n", encoding="utf-8")
    with pytest.raises(ZeroDivisionError) as error:
        run_python(page)
    assert error.traceback[-1].lineno + 1 == 8
