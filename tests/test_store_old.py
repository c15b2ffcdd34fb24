"""Stores of version 1 (tests/golden/store_1) can be read, and become version 2 where a sweep writes to them."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from saved import as_tree, equal
from stores import run_sweep, same

import jaxnet
from jaxnet.store.database import Database

OLD = Path(__file__).parent / "golden" / "store_1"


@pytest.fixture
def store(tmp_path):
    return Path(shutil.copy(OLD / "two_runs.db", tmp_path / "runs.db"))


def check(path):
    finished, stopped = jaxnet.Store(path).runs()[:2]
    assert (finished.name, finished.finished, finished.done) == ("finished", True, 24)
    assert (stopped.name, stopped.finished, stopped.done, stopped.fits) == ("stopped", False, 10, 24)
    assert finished.problem["rows"] == 40 and finished.best["rho"] == 1.0
    found, expected = jaxnet.Store(path).result("finished"), jaxnet.load(OLD / "finished.jaxnet")
    assert equal(as_tree(found), as_tree(expected))


def test_version_1_is_read_and_not_changed(store):
    before = store.read_bytes()
    check(store)
    assert store.read_bytes() == before
    assert [path.name for path in store.parent.iterdir()] == ["runs.db"]


def test_version_1_is_read_where_nothing_can_be_written(store):
    store.chmod(0o444)
    store.parent.chmod(0o555)
    try:
        check(store)
    finally:
        store.parent.chmod(0o755)


def test_a_sweep_brings_a_store_to_version_2(store):
    whole = run_sweep(store=store, run="new")
    check(store)
    assert [run.name for run in jaxnet.Store(store).runs()] == ["finished", "stopped", "new"]
    assert same(jaxnet.Store(store).result("new"), whole)
    database = Database.for_reading(store)
    assert database.version == 2 and database.execute("PRAGMA journal_mode") == [("delete",)]
    database.close()
    jaxnet.Store(store).delete("finished")
    assert [run.name for run in jaxnet.Store(store).runs()] == ["stopped", "new"]
    assert [path.name for path in store.parent.iterdir()] == ["runs.db"]


def test_an_upgrade_that_fails_changes_nothing(store, monkeypatch):
    from jaxnet.store import schema

    monkeypatch.setattr(schema, "blob_seal", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        run_sweep(store=store, run="new")
    monkeypatch.undo()
    check(store)


@pytest.mark.parametrize("write", [False, True])
def test_a_log_that_a_killed_sweep_left_is_its_own(write, tmp_path):
    for name in ("killed.db", "killed.db-wal"):
        shutil.copy(OLD / name, tmp_path / name)
    if write:
        run_sweep(store=tmp_path / "killed.db", run="new")
    run = jaxnet.Store(tmp_path / "killed.db").runs()[0]
    assert (run.name, run.fits) == ("killed", 24) and not run.finished and not run.running


@pytest.mark.parametrize("write", [False, True])
def test_a_log_of_another_store_is_set_aside(write, store):
    shutil.copy(OLD / "killed.db-wal", f"{store}-wal")
    with pytest.warns(UserWarning, match=r"runs.db-wal belonged to another file.*aside-1"):
        if write:
            run_sweep(store=store, run="new")
        else:
            jaxnet.Store(store).runs()
    check(store)


def test_a_changed_row_of_version_1_is_carried_over_as_it_is_and_noticed(store):
    import sqlite3

    connection = sqlite3.connect(store)
    for row, content in connection.execute("SELECT id, content FROM blobs").fetchall():
        changed = bytearray(content)
        changed[len(changed) // 2] ^= 1
        connection.execute("UPDATE blobs SET content = ? WHERE id = ?", (bytes(changed), row))
    connection.commit()
    connection.close()
    for _ in range(2):
        with pytest.raises(jaxnet.InvalidInput, match=r"run 'finished' in .* is damaged"):
            jaxnet.Store(store).result("finished")
        np.testing.assert_array_equal(len(jaxnet.Store(store).runs()) >= 2, True)
        run_sweep(store=store, run="new")
