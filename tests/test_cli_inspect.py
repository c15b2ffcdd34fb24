"""`jaxnet inspect` names everything in a file, whoever wrote it, and steers neither the terminal nor the process."""

import subprocess
import sys

import pytest
from cli_runs import data_columns, sentence, sweep, write_csv
from saved import model, seal
from test_persistence_hostile import HOSTILE_CONTENTS
from write_golden import FOLDER, KEY

from jaxnet import save
from jaxnet.cli import main

TREE = """\
not signed: the checksum finds damage, but does not tell who wrote it
written              '2025-11-24T16:00:00Z'
versions
  jaxnet             '0.1.0'
  python             '3.11.7'
  jax                '0.10.2'
  numpy              '2.4.6'
what                 'tree'
content
  arrays             list of 8
    [0]              bool (2, 3)
    [1]              int8 (2, 3)
    [2]              uint16 (2, 3)
    [3]              int32 (2, 3)
    [4]              uint64 (2, 3)
    [5]              float16 (2, 3)
    ...
  scalars            tuple of 4
    [0]              float32 0.10000000149011612
    [1]              int8 -3
    [2]              bool True
    [3]              Status
      name           'MAX_ITER'
  builtins           tuple of 12: None, True, -9223372036854775808, 18446744073709551615, 0.1, -0, ...
  texts              text (2,): 'a', ''
  empty              float64 (0, 3)
"""


@pytest.fixture
def path(tmp_path):
    return tmp_path / "thing.jaxnet"


def test_inspect_names_everything(capsys):
    path = FOLDER / "format_1" / "tree.jaxnet"
    assert main(["inspect", str(path)]) == 0
    first, rest = capsys.readouterr().out.split("\n", 1)
    assert first.endswith("jaxnet format 1, 1,122 bytes") and rest == TREE


def test_inspect_shows_the_model_of_a_run(tmp_path, capsys):
    data = write_csv(tmp_path / "data.csv", data_columns())
    assert sweep(data, "--out", tmp_path / "run", "--quiet") == 0
    capsys.readouterr()
    assert main(["inspect", str(tmp_path / "run")]) == 0
    words = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert {("rows", "40"), ("max_iter", "10000"), ("result", "SweepResult")} <= set(map(tuple, words))
    assert ["rho", "float64", "(2,):", "0.5,", "1"] in words and "fingerprint" in [line[0] for line in words]


def test_inspect_of_signed_files(path, tmp_path, capsys):
    (tmp_path / "key").write_bytes(KEY)
    (tmp_path / "other").write_bytes(KEY[::-1])
    (tmp_path / "short").write_bytes(b"abc")
    save(model("Lasso"), path, key=KEY)
    assert main(["inspect", str(path)]) == 0
    assert "signed, not verified without the key\n" in capsys.readouterr().out
    assert main(["inspect", str(path), "--key-file", str(tmp_path / "key")]) == 0
    assert "signed with this key\n" in capsys.readouterr().out
    for name, part in (("other", "not signed with this key"), ("short", "3 bytes"), ("none", "No such file")):
        assert main(["inspect", str(path), "--key-file", str(tmp_path / name)]) == 1
        assert part in sentence(capsys)
    save(model("Lasso"), path)
    assert main(["inspect", str(path), "--key-file", str(tmp_path / "key")]) == 1
    assert "is not signed" in sentence(capsys)


@pytest.mark.parametrize("name", HOSTILE_CONTENTS)
def test_inspect_survives_hostile_contents(name, path, capsys):
    """It builds nothing, so it can tell what `load` refuses."""
    seal({"inside": [HOSTILE_CONTENTS[name]], "after": 7}, path)
    assert main(["inspect", str(path)]) == 0
    assert capsys.readouterr().out.splitlines()[-1].split() == ["after", "7"]


def test_inspect_writes_no_control_letters(path, capsys):
    evil = "\x1b]0;title\x07\x1b[2J\u202e\r\n"
    content = {evil: evil, "kind": {"~": evil, "parts": {evil: 1}}, "": [evil]}
    content["texts"] = {"~": "texts", "texts": (evil,)}
    seal(content, path, metadata={"written": evil, "versions": {evil: evil}, evil: evil})
    assert main(["inspect", str(path)]) == 0
    assert all(line.isprintable() for line in capsys.readouterr().out.split("\n"))


def test_inspect_stays_short(path, capsys):
    save({"long": "x" * 10_000, "many": {f"{i} {'y' * 100}": i for i in range(1000)}, "list": list(range(10**5))}, path)
    assert main(["inspect", str(path)]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 201 and lines[-1] == "... and more" and max(map(len, lines)) < 200 + len(str(path))


def test_inspect_refuses_damaged_and_foreign_files(path, tmp_path, capsys):
    save(1, path)
    path.write_bytes(path.read_bytes()[:-1])
    (tmp_path / "empty").mkdir()
    for name, part in (("thing.jaxnet", "cut short"), ("nothing", "No such file"), ("empty", "holds no jaxnet run")):
        assert main(["inspect", str(tmp_path / name)]) == 1
        assert part in sentence(capsys)


def test_inspect_needs_no_jax():
    path = FOLDER / "format_1" / "result.jaxnet"
    code = f"import sys\nfrom jaxnet.cli import main\nmain(['inspect', {str(path)!r}])\nprint('jax' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "False"
