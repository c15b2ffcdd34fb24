"""Stores that are full, read-only, damaged, foreign or hostile end in a sentence; what was safe stays, nothing runs."""

import contextlib
import os
import sqlite3
import subprocess
import sys

import numpy as np
import pytest
from saved import seal_bytes
from stores import run_sweep, same, stop_after
from test_persistence_hostile import hostile_pickles

import jaxnet
from jaxnet.persistence import pack, unpack
from jaxnet.store import database
from jaxnet.store.seals import Row, blob_seal, digest


@pytest.fixture
def store(unfinished):
    """A store with an unfinished run, "mine", of which marks and fits are there."""
    return unfinished


def change(path, statement: str, *values) -> None:
    connection = sqlite3.connect(path)
    with connection:
        connection.execute(statement, values)
    connection.close()


def test_a_full_disk_keeps_what_is_there(store, monkeypatch):
    pages = os.path.getsize(store) // 4096 + 12
    with monkeypatch.context() as patch:
        patch.setattr(database, "SETTINGS", [*database.SETTINGS, f"PRAGMA max_page_count={pages}"])
        with pytest.raises(
            OSError, match="the disk is full: no space is left for the store; what it holds is safe"
        ) as caught:
            run_sweep(store=store, run="full", tol=1e-9, alphas=60, keep_fold_coefs=True)
        assert caught.value.filename.endswith("runs.db")
    assert [run.name for run in jaxnet.Store(store).runs()] == ["mine", "full"]
    assert same(run_sweep(store=store, run="mine"), run_sweep())
    whole = run_sweep(tol=1e-9, alphas=60, keep_fold_coefs=True)
    assert same(run_sweep(store=store, run="full", tol=1e-9, alphas=60, keep_fold_coefs=True), whole)


READ_ONLY = """
import fcntl, os, sys
import jaxnet
from jaxnet.store.database import Database
jaxnet.Store
path = sys.argv[1]
os.setuid(65534) if os.getuid() == 0 else None
assert [run.name for run in jaxnet.Store(path).runs()] == ["mine"]
try:
    database = Database.for_writing(path)
    with database.transaction():
        database.execute("DELETE FROM units")
except OSError as error:
    print(error.strerror)
"""


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
def test_read_only_stores_can_be_read_and_say_why_not_written(store):
    parents = [parent for parent in store.parents if os.stat(parent).st_uid == os.getuid()]
    modes = {path: os.stat(path).st_mode & 0o777 for path in parents}
    try:
        for parent, mode in modes.items():
            os.chmod(parent, mode | 0o555)
        os.chmod(store.parent, 0o555)
        os.chmod(store, 0o444)
        done = subprocess.run([sys.executable, "-c", READ_ONLY, str(store)], capture_output=True, text=True, timeout=60)
    finally:
        for parent, mode in modes.items():
            os.chmod(parent, mode)
    assert done.returncode == 0, done.stderr
    assert "the store cannot be" in done.stdout


def test_files_that_are_no_stores_are_refused(tmp_path):
    path = tmp_path / "other.db"
    path.write_text("name,value\n" * 100)
    before = path.read_bytes()
    for call in (lambda: run_sweep(store=path), jaxnet.Store(path).runs):
        with pytest.raises(jaxnet.InvalidInput, match="no jaxnet store"):
            call()
    assert path.read_bytes() == before
    path.unlink()
    change(path, "CREATE TABLE mine (a)")
    before = path.read_bytes()
    for call in (lambda: run_sweep(store=path), jaxnet.Store(path).runs):
        with pytest.raises(jaxnet.InvalidInput, match="is an SQLite file but no jaxnet store"):
            call()
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("statement", "sentence"),
    [
        ("PRAGMA user_version=7", "is a store of version 7; this jaxnet knows up to 2: upgrade jaxnet"),
        ("CREATE TRIGGER more AFTER INSERT ON runs BEGIN DELETE FROM blobs; END", "no jaxnet store"),
        ("CREATE VIEW more AS SELECT * FROM runs", "no jaxnet store"),
        ("CREATE TRIGGER sqlitexx AFTER INSERT ON runs BEGIN DELETE FROM blobs; END", "no jaxnet store"),
        ("CREATE TRIGGER runs AFTER INSERT ON runs BEGIN DELETE FROM blobs; END", "no jaxnet store"),
        ("CREATE TABLE sqlitexx (a)", "no jaxnet store"),
        ("CREATE INDEX more ON runs (begun)", "no jaxnet store"),
        ("DROP INDEX blobs_of", "no jaxnet store"),
        ("DROP TABLE claims", "no jaxnet store"),
        ("ALTER TABLE runs ADD COLUMN more", "no jaxnet store"),
    ],
)
def test_stores_with_more_than_tables_are_refused(statement, sentence, store):
    change(store, statement)
    for call in (lambda: run_sweep(store=store, run="mine"), jaxnet.Store(store).runs):
        with pytest.raises(jaxnet.InvalidInput, match=sentence):
            call()


def test_truncated_and_overwritten_stores_are_refused(store):
    data = store.read_bytes()
    whole = run_sweep()
    rng = np.random.default_rng(0)
    refused = 0
    for k in range(24):
        damaged = bytearray(data)
        if k % 3 == 0:
            damaged = damaged[: rng.integers(1, len(data))]
        else:
            start = rng.integers(0, len(data) - 200)
            damaged[start : start + rng.integers(1, 200)] = rng.bytes(rng.integers(1, 200))
        for name in ("runs.db-wal", "runs.db-shm"):
            (store.parent / name).unlink(missing_ok=True)
        store.write_bytes(damaged)
        for call in (lambda: run_sweep(store=store, run="mine"), jaxnet.Store(store).runs):
            try:
                found = call()
            except (jaxnet.InvalidInput, OSError) as error:
                refused += 1
                assert str(error).count("\n") == 0 and "runs.db" in f"{error} {getattr(error, 'filename', '')}"
            else:
                assert isinstance(found, list) or same(found, whole), "damage went unnoticed"
    assert refused >= 6


@pytest.mark.parametrize("kind", ["fits", "mark"])
def test_a_changed_blob_is_noticed(kind, store):
    connection = sqlite3.connect(store)
    for row, content in connection.execute("SELECT id, content FROM blobs WHERE kind = ?", (kind,)).fetchall():
        changed = bytearray(content)
        changed[len(changed) // 2] ^= 1
        connection.execute("UPDATE blobs SET content = ? WHERE id = ?", (bytes(changed), row))
    connection.commit()
    connection.close()
    with pytest.raises(jaxnet.InvalidInput, match=r"a blob of run 'mine' does not match its checksum"):
        run_sweep(store=store, run="mine")
    run_sweep(store=store, run="another")


@pytest.mark.parametrize("kind", ["fits", "mark", "result"])
def test_hostile_blobs_run_nothing(kind, store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    if kind == "result":
        run_sweep(store=store, run="mine")
    for body in hostile_pickles().values():
        seal_bytes(body, tmp_path / "blob")
        for row, _ in raw_blobs(store, kind):
            reseal(store, row, (tmp_path / "blob").read_bytes())
        with pytest.raises(jaxnet.InvalidInput, match=r"run 'mine' in .*runs.db is (refused|damaged|no jaxnet file)"):
            run_sweep(store=store, run="mine")
    assert not (tmp_path / "ran").exists()


def raw_blobs(path, kind: str) -> list[tuple[int, bytes]]:
    connection = sqlite3.connect(path)
    rows = connection.execute("SELECT id, content FROM blobs WHERE kind = ? ORDER BY id", (kind,)).fetchall()
    connection.close()
    return rows


def blobs(path, kind: str) -> list[tuple[int, dict]]:
    return [(row, unpack(content, "a blob")) for row, content in raw_blobs(path, kind)]


def reseal(path, row: int, content: bytes) -> None:
    """Another content for a blob, with the seal of somebody who knows how they are made."""
    connection = sqlite3.connect(path)
    columns = "uid, unit, kind, blobs.fits, part, more"
    ((uid, *said),) = connection.execute(
        f"SELECT {columns} FROM blobs, runs WHERE runs.id = run AND blobs.id = ?", (row,)
    )
    connection.close()
    shown = digest(content)
    values = content, shown, blob_seal(uid, *said, shown), row
    change(path, "UPDATE blobs SET content = ?, digest = ?, seal = ? WHERE id = ?", *values)


def replace_blob(path, row: int, value) -> None:
    reseal(path, row, pack(value))


LYING_FITS = {
    "no list": lambda fits: {"a": 1},
    "no dict": lambda fits: [1],
    "a part missing": lambda fits: [{name: part for name, part in fits[0].items() if name != "kkt"}],
    "a set out of range": lambda fits: [{**fits[0], "sets": fits[0]["sets"] + 99}],
    "a row below zero": lambda fits: [{**fits[0], "rows": fits[0]["rows"] - 99}],
    "an alpha out of range": lambda fits: [{**fits[0], "alpha": 12}],
    "alpha no integer": lambda fits: [{**fits[0], "alpha": 1.0}],
    "gaps transposed": lambda fits: [{**fits[0], "gap": fits[0]["gap"].T[:, :1]}],
    "a status unknown": lambda fits: [{**fits[0], "status": fits[0]["status"] + 9}],
    "counts too large": lambda fits: [{**fits[0], "counts": fits[0]["counts"] + 1}],
    "counts negative": lambda fits: [{**fits[0], "counts": fits[0]["counts"] - 60}],
    "columns out of range": lambda fits: [{**fits[0], "columns": np.array([60])}],
    "values of another type": lambda fits: [{**fits[0], "values": fits[0]["values"].astype(int)}],
    "no coefficients": lambda fits: [
        {**fits[0], **{n: fits[0][n][:0] for n in ("keys", "counts", "columns", "values", "levels")}}
    ],
}


@pytest.mark.parametrize("lie", LYING_FITS)
def test_fits_that_cannot_be_the_sweeps_are_refused(lie, store):
    row, content = max(blobs(store, "fits"), key=lambda blob: blob[1][0]["values"].size)
    replace_blob(store, row, LYING_FITS[lie](content))
    with pytest.raises(jaxnet.InvalidInput, match="delete"):
        run_sweep(store=store, run="mine")


LYING_MARKS = {
    "no dict": lambda mark: [mark],
    "a part missing": lambda mark: {name: part for name, part in mark.items() if name != "pinv"},
    "no array": lambda mark: {**mark, "count": 3},
    "a column out of range": lambda mark: {**mark, "index": mark["index"] + 10**6},
    "more slots than there are": lambda mark: {**mark, "count": mark["count"] + 10**6},
    "a knot beyond the end": lambda mark: {**mark, "knots": mark["knots"] + 10**3},
    "a gradient of other columns": lambda mark: {**mark, "gradient": mark["gradient"][..., 1:]},
    "half precision": lambda mark: {**mark, "solution": mark["solution"].astype(np.float16)},
    "scalars": lambda mark: dict.fromkeys(mark, np.zeros(())),
}


@pytest.mark.parametrize("lie", LYING_MARKS)
def test_marks_that_cannot_be_the_sweeps_are_refused(lie, store):
    for row, content in blobs(store, "mark"):
        replace_blob(store, row, LYING_MARKS[lie](content))
    with pytest.raises(jaxnet.InvalidInput, match="delete"):
        run_sweep(store=store, run="mine")


@pytest.mark.parametrize("content", ["'text'", "CAST(x'ff' AS TEXT)", "3"])
def test_blobs_of_another_type_are_refused(content, store):
    change(store, f"UPDATE blobs SET content = {content}")
    with pytest.raises(jaxnet.InvalidInput, match=r"runs.db is (a damaged store|no jaxnet store, or is damaged)"):
        run_sweep(store=store, run="mine")


def test_blobs_of_another_run_are_refused(store):
    with pytest.raises(KeyboardInterrupt):
        run_sweep(store=store, run="other", tol=1e-6, progress=stop_after(7))
    change(store, "UPDATE blobs SET run = 3 - run")
    with pytest.raises(jaxnet.InvalidInput, match=r"run .mine. holds what belongs to another run"):
        run_sweep(store=store, run="mine")


def test_units_that_claim_to_be_done_are_found_out(store):
    change(store, "UPDATE units SET state = 'done'")
    change(store, "INSERT OR IGNORE INTO units SELECT run, unit, 'done' FROM blobs")
    with pytest.raises(jaxnet.InvalidInput, match="the store lacks fits that it says are there"):
        run_sweep(store=store, run="mine")


@pytest.mark.parametrize(
    "damage",
    [
        "problem = '[1]'",
        "problem = x'00'",
        "about = '{'",
        "best = '{\"rho\": 1}'",
        'best = \'{"rho": 1e999, "alpha": 1.0, "cv_error": -1e999}\'',
        "fits = 'many'",
        "fits = 9223372036854775807",
        "fits = -3",
        "finished = 1",
        "finished = 7",
        "name = x'6d'",
        "uid = 'another'",
        "begun = '\x1b[2J'",
        f"about = '{'[' * 100_000}'",
    ],
)
@pytest.mark.parametrize("resealed", [False, True])
def test_runs_that_cannot_be_read_are_damage(damage, resealed, store):
    """Without a new seal a row is refused whatever it says; with one, what cannot be read is."""
    change(store, f"UPDATE runs SET {damage}")
    if resealed:
        connection = sqlite3.connect(store)
        (values,) = connection.execute(f"SELECT {', '.join(Row._fields)} FROM runs").fetchall()
        connection.close()
        if not Row(*values).is_readable:
            resealed = False
        else:
            change(store, "UPDATE runs SET seal = ?", Row(*values).seal)
    try:
        runs = jaxnet.Store(store).runs()
    except jaxnet.InvalidInput as error:
        assert "runs.db is a damaged store" in str(error)
    else:
        assert resealed and runs[0].done <= runs[0].fits
    for call in (lambda: run_sweep(store=store, run="mine"), lambda: jaxnet.Store(store).result("mine")):
        with contextlib.suppress(jaxnet.InvalidInput):
            call()


@pytest.mark.parametrize(
    "chunks", [1, [], [0, 1.0, 1.0], [2, -1.0, 5.0], {}, ["a", 1.0, 2.0], [1, 2.0], [1, 2.0, np.nan]]
)
def test_a_damaged_plan_is_refused(chunks, store):
    ((row, _),) = blobs(store, "chunks")
    replace_blob(store, row, chunks)
    with pytest.raises(jaxnet.InvalidInput, match="how it was cut into chunks cannot be read"):
        run_sweep(store=store, run="mine")
