"""Whatever a store says in its rows, sealed by somebody who knows how: every reader gives a result or one sentence."""

import contextlib
import sqlite3

import numpy as np
import pytest
from stores import run_sweep, stop_after

import jaxnet
from jaxnet.cli import main
from jaxnet.persistence import pack, unpack
from jaxnet.store.seals import Row, blob_seal, digest

VALUES = (
    None, 0, -1, 1, 2**31, 2**63 - 1, -(2**63), 1e308, 1e999, -1e999, 0.5, "", "a", "\x1b[2J", "\0", "1e999", "-1", "é\u202e",
    b"", b"\xff", "null", "true", "[]", "{}", "[1]", '{"a": 1}', '{"rho": 1e999}', "[" * 100_000,
    '{"a":' * 100_000, "NaN", "9" * 5000,
    '"' + "x" * 100_000, '{"rho": {}, "alphas": [], "folds": "x", "names": 1, "rows": -1, "metric": [1]}',
    '{"rho": "x", "alpha": null, "cv_error": []}', '{"rho": 1e999, "alpha": -1e999, "cv_error": 1}',
    '{"rho": 9e99999, "alpha": 1, "cv_error": 1}', '{"rho": true, "alpha": 1, "cv_error": 1}',
)  # fmt: skip
READERS = {
    "runs": ["runs", "STORE"],
    "show a finished run": ["show", "STORE", "whole"],
    "show an unfinished run": ["show", "STORE", "mine"],
    "compare": ["compare", "whole", "second", "--store", "STORE"],
    "export": ["export", "STORE", "whole", "--out", "OUT"],
    "delete": ["runs", "STORE", "--delete", "mine"],
    "backup": ["runs", "STORE", "--backup", "COPY"],
}
SWEEPS = {"go on": {"run": "mine", "tol": 1e-6}, "again": {"run": "whole"}}


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The bytes of a store with two finished runs and an unfinished one."""
    path = tmp_path_factory.mktemp("fuzz") / "runs.db"
    run_sweep(store=path, run="whole")
    run_sweep(store=path, run="second", tol=1e-5)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(store=path, run="mine", tol=1e-6, progress=stop_after(7))
    return path.read_bytes()


def columns(path) -> list[tuple[str, str]]:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = [(t, c) for t in tables for (_, c, *_) in connection.execute(f"PRAGMA table_info({t})")]
    return [(table, column) for table, column in found if not table.startswith("sqlite")]


def seal_again(connection) -> None:
    """Seals that fit whatever the rows say, as far as they can be made."""
    for number, *values in connection.execute(f"SELECT id, {', '.join(Row._fields)} FROM runs").fetchall():
        with contextlib.suppress(TypeError, RecursionError):
            connection.execute("UPDATE runs SET seal = ? WHERE id = ?", (Row(*values).seal, number))
    told = "SELECT blobs.id, uid, unit, kind, blobs.fits, part, more, content FROM blobs JOIN runs ON runs.id = run"
    for number, *values, content in connection.execute(told).fetchall():
        if isinstance(content, bytes):
            with contextlib.suppress(TypeError):
                seal = blob_seal(*values, shown := digest(content))
                connection.execute("UPDATE blobs SET digest = ?, seal = ? WHERE id = ?", (shown, seal, number))


def spoil(path, rng, how: str) -> str:
    """Change one thing; returns what, for the message of a failure."""
    with contextlib.closing(sqlite3.connect(path)) as connection:
        if how == "content":
            rows = connection.execute("SELECT id, content FROM blobs ORDER BY id").fetchall()
            number, content = rows[rng.integers(len(rows))]
            changed, said = lie(unpack(content, "a blob"), rng)
            connection.execute("UPDATE blobs SET content = ? WHERE id = ?", (pack(changed), number))
        else:
            table, column = columns(path)[rng.integers(len(columns(path)))]
            value = VALUES[rng.integers(len(VALUES))]
            rows = [row for (row,) in connection.execute(f"SELECT rowid FROM {table}").fetchall()]
            only = "" if rng.integers(3) == 0 or not rows else f" WHERE rowid = {rows[rng.integers(len(rows))]}"
            said = f"{table}.{column} = {value!r:.60}{only}"
            with contextlib.suppress(sqlite3.IntegrityError, OverflowError):
                connection.execute(f"UPDATE {table} SET {column} = ?{only}", (value,))
            if how == "row and seals":
                seal_again(connection)
        if how == "content":
            seal_again(connection)
        connection.commit()
    return said


def lie(value, rng):
    """A plain value with one of its leaves, or of its branches, another."""
    if isinstance(value, dict) and value and rng.integers(8):
        key = list(value)[rng.integers(len(value))]
        changed, said = lie(value[key], rng)
        return {**value, key: changed}, f"[{key!r}]{said}"
    if isinstance(value, list) and value and rng.integers(8):
        k = int(rng.integers(len(value)))
        changed, said = lie(value[k], rng)
        return [*value[:k], changed, *value[k + 1 :]], f"[{k}]{said}"
    if isinstance(value, jaxnet.SweepResult) and rng.integers(8):
        return lie_of(value, rng)
    if isinstance(value, np.ndarray) and rng.integers(4):
        return lie_in(value, rng)
    choices = (
        None,
        0,
        -1,
        2**40,
        1e308,
        float("inf"),
        float("nan"),
        "",
        "a",
        [],
        {},
        np.zeros(0),
        np.zeros((2, 2)),
        True,
    )
    found = choices[rng.integers(len(choices))]
    return found, f" = {found!r}"


def lie_in(array, rng):
    changed, how = array.copy(), int(rng.integers(5))
    if how == 0 or not changed.size:
        return changed.reshape(-1)[:-1], " without its last"
    if how == 1:
        return changed.astype(np.float16 if changed.dtype != np.float16 else np.int8), " of another type"
    if how == 2:
        return np.zeros_like(changed), " of zeros"
    extremes = (np.inf, np.nan, -1.0, 1e308) if changed.dtype.kind == "f" else (-1, 0, 100, 1)
    extreme = extremes[rng.integers(len(extremes))]
    changed.reshape(-1)[... if how == 3 else rng.integers(changed.size)] = np.array(extreme).astype(changed.dtype)
    return changed, f" with {extreme}"


def lie_of(result, rng):
    """A result with an array that lies, if one can be made that is saved at all."""
    names = [name for name, value in vars(result).items() if isinstance(value, np.ndarray)]
    name = names[rng.integers(len(names))]
    changed, said = lie_in(getattr(result, name), rng)
    with contextlib.suppress(Exception):
        import dataclasses

        return dataclasses.replace(result, **{name: changed}), f".{name}{said}"
    return None, " = None"


def read_all(path, folder, said, capsys, *, sweeps: bool) -> int:
    """Every reader on the store; how many refused."""
    refused, content = 0, path.read_bytes()
    for name, argv in READERS.items():
        for left in folder.iterdir():
            left.unlink()
        words = {"STORE": str(path), "OUT": str(folder / "x.npz"), "COPY": str(folder / "copy.db")}
        code, told = main([words.get(word, word) for word in argv]), "".join(capsys.readouterr())
        assert code in (0, 1), (said, name, code, told)
        assert all(c.isprintable() or c == "\n" for c in told), (said, name, told)
        refused += code
        path.write_bytes(content)
    for name, how in SWEEPS.items() if sweeps else ():
        try:
            run_sweep(store=path, **how)
        except (jaxnet.InvalidInput, OSError) as error:
            refused += 1
            assert "\n" not in str(error), (said, name)
        path.write_bytes(content)
    return refused


def fuzz(whole, folder, capsys, how, seeds, every) -> int:
    refused = 0
    (others := folder / "others").mkdir()
    for seed in seeds:
        path = folder / "runs.db"
        path.write_bytes(whole)
        said = f"seed {seed}: {spoil(path, np.random.default_rng(seed), how)}"
        try:
            refused += read_all(path, others, said, capsys, sweeps=seed % every == 0) > 0
        except Exception as error:
            raise AssertionError(said) from error
    return refused


HOW = ("row", "row and seals", "content")


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("how", HOW)
def test_any_store_gives_a_result_or_a_sentence(how, whole, tmp_path, capsys):
    assert fuzz(whole, tmp_path, capsys, how, range(25), 2) >= 5


@pytest.mark.campaign
@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("how", HOW)
def test_campaign_of_stores_that_say_anything(how, whole, tmp_path, capsys):
    assert fuzz(whole, tmp_path, capsys, how, range(1000, 1500), 5) >= 60
