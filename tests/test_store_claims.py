"""Who works on a run: a claim ends with its process, whatever becomes of files, forks and process numbers."""

import contextlib
import os
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest
from stores import run_sweep, same

import jaxnet
from jaxnet.store import claims, schema
from jaxnet.store.claims import Claim
from jaxnet.store.database import Database
from jaxnet.store.rows import write_claim

HOLD = """
import os, sys, time
from jaxnet.store.claims import Claim
from jaxnet.store.database import Database
from jaxnet.store.rows import write_claim
database = Database.for_writing(sys.argv[1])
claim = Claim.new()
with claim.held():
    with database.transaction():
        write_claim(database, 1, claim)
    if sys.argv[2] == "forks" and os.fork() == 0:
        print(os.getpid(), flush=True)
        time.sleep(60)
    if sys.argv[2] != "forks":
        print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def store(unfinished):
    """A store with an unfinished run, "mine"."""
    return unfinished


def hold(store, how: str = "alone") -> tuple[subprocess.Popen, str]:
    words = [sys.executable, "-c", HOLD, str(store), how]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    return process, process.stdout.readline()


@pytest.mark.skipif(not os.path.exists("/proc/self/stat"), reason="zombies as Linux tells them")
def test_a_claim_ends_with_its_process(store):
    process, _ = hold(store)
    assert jaxnet.Store(store).runs()[0].running
    with pytest.raises(jaxnet.InvalidInput, match=rf"is being worked on by process {process.pid} on "):
        run_sweep(store=store, run="mine")
    with pytest.raises(
        jaxnet.InvalidInput, match=rf"is being worked on by process {process.pid} on .*stop that process"
    ):
        jaxnet.Store(store).delete("mine")
    process.kill()  # not waited for yet: it is a zombie
    while "State:\tZ" not in Path(f"/proc/{process.pid}/status").read_text():
        time.sleep(0.01)
    assert not jaxnet.Store(store).runs()[0].running
    assert same(run_sweep(store=store, run="mine"), run_sweep())
    process.communicate(timeout=20)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_a_forked_child_does_not_keep_its_parents_claim(store):
    process, child = hold(store, "forks")
    process.kill()
    process.wait(timeout=20)
    try:
        os.kill(int(child), 0)  # it is there
        assert not jaxnet.Store(store).runs()[0].running
        assert same(run_sweep(store=store, run="mine"), run_sweep())
    finally:
        os.kill(int(child), 9)
        process.stdin.close()
        process.stdout.close()


def claim_of(store, **parts) -> None:
    database = Database.for_writing(store)
    with database.transaction():
        write_claim(database, 1, Claim.new()._replace(**parts))
    database.close()


@pytest.mark.parametrize(
    ("parts", "running"),
    [
        ({}, False),  # of this process, which does not work on it
        ({"pid": 1, "birth": "another"}, False),  # the number was used again
        ({"place": "elsewhere", "beat": 0.0}, True),
        ({"place": "elsewhere", "beat": -claims.STALE - 1}, False),
    ],
)
def test_claims_that_nobody_stands_for(parts, running, store):
    """Beats are so many seconds from now."""
    claim_of(store, **{name: time.time() + x if name == "beat" else x for name, x in parts.items()})
    assert jaxnet.Store(store).runs()[0].running == running
    if not running:
        assert same(run_sweep(store=store, run="mine"), run_sweep())


def test_a_claim_elsewhere_is_renewed(store, monkeypatch):
    monkeypatch.setattr(claims, "BEAT", 0.05)
    beats = []

    def look(done, total):
        connection = sqlite3.connect(store)
        beats.extend(beat for (beat,) in connection.execute("SELECT beat FROM claims"))
        connection.close()
        time.sleep(0.1)

    run_sweep(store=store, run="mine", progress=look)
    assert len(set(beats)) > 2 and jaxnet.Store(store).runs()[0].finished


def test_numbers_of_deleted_runs_are_not_used_again(store):
    run_sweep(store=store, run="other", tol=1e-5)
    jaxnet.Store(store).delete("other")
    run_sweep(store=store, run="third", tol=1e-5)
    connection = sqlite3.connect(store)
    assert [number for (number,) in connection.execute("SELECT id FROM runs")] == [1, 3]
    connection.close()


def test_deleting_looks_again_where_it_deletes(store, monkeypatch):
    """A sweep that begins between the look and the deletion is not deleted."""
    begin = Database.transaction

    def late(self):
        process, _ = hold(store)
        monkeypatch.setattr(Database, "transaction", begin)
        held.append(process)
        return begin(self)

    held = []
    monkeypatch.setattr(Database, "transaction", late)
    try:
        with pytest.raises(jaxnet.InvalidInput, match="is being worked on"):
            jaxnet.Store(store).delete("mine")
    finally:
        for process in held:
            process.kill()
            process.communicate(timeout=20)


def test_a_store_that_is_made_while_it_is_looked_at_is_an_empty_one(tmp_path, monkeypatch):
    path = tmp_path / "runs.db"
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
        connection.execute("PRAGMA auto_vacuum=INCREMENTAL")
        connection.execute("VACUUM")

    def made_meanwhile(connection):
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        with (
            contextlib.closing(sqlite3.connect(path, timeout=0)) as other,
            contextlib.suppress(sqlite3.OperationalError),
        ):
            schema.create(other)
            other.commit()
        return version if version or connection.execute("SELECT name FROM sqlite_master").fetchone() else None

    monkeypatch.setattr(schema, "version_of", made_meanwhile)
    with pytest.raises(jaxnet.InvalidInput, match="is an empty store: no sweep has written to it yet"):
        jaxnet.Store(path).runs()
