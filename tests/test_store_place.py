"""Where a store may be, and what becomes of a sweep whose store is deleted, moved, replaced or overwritten meanwhile."""

import os
import re
import shutil
import sqlite3
import subprocess
import sys
import warnings

import pytest
from stores import run_sweep, same, stop_after

import jaxnet
from jaxnet.store import ledger
from jaxnet.store.database import Database, is_store


def another_store(path):
    run_sweep(store=path, run="theirs", tol=1e-5)
    return path


def delete(store):
    store.unlink()


def move(store):
    store.rename(store.with_name("elsewhere.db"))


def move_the_folder_up(store):
    (store.parent / "up").mkdir()
    store.rename(store.parent / "up" / "runs.db")


def replace(store):
    another_store(store.with_name("other.db")).rename(store)


def overwrite(store):
    """As cp does: another content in the same file."""
    shutil.copyfile(another_store(store.with_name("other.db")), store)


def delete_the_run(store):
    connection = sqlite3.connect(store, timeout=60, isolation_level=None)
    connection.execute("BEGIN IMMEDIATE")
    connection.execute("DELETE FROM runs")
    connection.execute("COMMIT")
    connection.close()


def empty(store):
    store.write_bytes(b"")


LOSSES = [delete, move, move_the_folder_up, replace, overwrite, delete_the_run, empty]


def when(calls: int, act, store):
    """A progress function that does something to the store once."""
    count = []

    def progress(done, total):
        count.append(done)
        if len(count) == calls:
            act(store)

    return progress


@pytest.mark.parametrize("at", [2, 4])
@pytest.mark.parametrize("loss", LOSSES)
def test_what_was_found_goes_to_a_new_file(loss, at, store):
    run_sweep(store=store, run="before", tol=1e-6)
    with pytest.raises(OSError, match="while this sweep wrote to it") as caught:
        run_sweep(store=store, run="mine", progress=when(at, loss, store))
    said = str(caught.value.strerror)
    new = store.with_name("runs.rescued-1.db")
    kept = int(re.search(r"([\d,]+) fits are kept", said)[1])
    assert f"in {new} as run 'mine'" in said and caught.value.filename == str(store)
    (run,) = jaxnet.Store(new).runs()
    assert run.name == "mine" and run.done >= kept > 0 and not run.running and not run.finished
    resumed = []
    assert same(run_sweep(store=new, run="mine", progress=lambda done, total: resumed.append(done)), run_sweep())
    assert resumed[1] >= kept
    if loss in (replace, overwrite):
        theirs = jaxnet.Store(store)
        assert [run.name for run in theirs.runs()] == ["theirs"] and theirs.result("theirs").converged
    beside = {path.name for path in store.parent.iterdir()} - {"elsewhere.db", "up", "other.db", "runs.db"}
    assert beside == {"runs.rescued-1.db"}


def test_a_sweep_that_ended_is_kept_too(store, monkeypatch):
    finish = ledger.Ledger.finish
    monkeypatch.setattr(ledger.Ledger, "finish", lambda self, result: (delete(store), finish(self, result))[1])
    with pytest.raises(OSError, match=r"the finished sweep is kept in .*runs.rescued-1.db as run 'mine'"):
        run_sweep(store=store, run="mine")
    assert same(jaxnet.Store(store.with_name("runs.rescued-1.db")).result("mine"), run_sweep())


def test_a_rescue_does_not_write_over_another(store):
    store.with_name("runs.rescued-1.db").write_text("mine")
    with pytest.raises(OSError, match=r"runs.rescued-2.db"):
        run_sweep(store=store, run="mine", progress=when(4, delete, store))
    assert store.with_name("runs.rescued-1.db").read_text() == "mine"


def test_a_sweep_in_a_thread_of_readers_keeps_its_locks(store):
    """Readers of the same process must not give up SQLite's locks on the file: they open it through SQLite only."""
    look = lambda done, total: (jaxnet.Store(store).runs(), jaxnet.Store(store).run("mine"))
    assert same(run_sweep(store=store, run="mine", progress=look), run_sweep())


# ---- names of files


def refused(path, sentence, kind=(jaxnet.InvalidInput, OSError)):
    for call in (lambda: run_sweep(store=path), lambda: jaxnet.Store(path).runs()):
        with pytest.raises(kind) as caught:
            call()
        assert re.search(sentence, str(caught.value)), caught.value


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="pipes with names")
@pytest.mark.parametrize("side", ["", "-journal", "-wal"])
def test_pipes_are_refused_and_do_not_hang(side, store):
    if side:
        run_sweep(store=store)
    os.mkfifo(f"{store}{side}")
    refused(store, "no regular file")


def test_hard_links_are_refused(store):
    whole = run_sweep(store=store, run="mine")
    other = store.with_name("other name.db")
    os.link(store, other)
    for path in (store, other):
        refused(path, r"is one of 2 names of the same file \(hard links\)")
    other.unlink()
    assert same(jaxnet.Store(store).result("mine"), whole)


def test_links_are_followed_to_one_file(store):
    link = store.with_name("link.db")
    link.symlink_to(store)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(store=link, run="mine", progress=stop_after(5))
    assert same(run_sweep(store=store, run="mine"), run_sweep())
    assert [run.name for run in jaxnet.Store(link).runs()] == ["mine"]


def test_other_places_have_sentences_of_their_own(tmp_path):
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    (tmp_path / "file").write_text("text")
    refused(tmp_path / "a", "circle of links")
    refused(tmp_path / ("n" * 300), "longer than the system allows")
    refused(tmp_path / "none" / "runs.db", "no folder to make it in", OSError)
    refused(tmp_path, "it is a folder: name a file in it", OSError)
    refused(tmp_path / "file" / "runs.db", "is a file, not a folder|no folder", OSError)
    refused("a\0b", "cannot be the name of a file")
    with pytest.raises(FileNotFoundError):
        jaxnet.Store(tmp_path / "none.db").runs()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a", "b", "file"], "an empty file was left"


@pytest.mark.skipif(os.name != "posix" or sys.platform == "darwin", reason="names that are no text")
def test_names_that_are_no_text_can_be_stores(tmp_path):
    path = os.path.join(tmp_path, os.fsdecode(b"\xff?%#.db"))
    whole = run_sweep(store=path, run="mine")
    assert same(jaxnet.Store(path).result("mine"), whole)
    assert os.listdir(tmp_path) == [os.fsdecode(b"\xff?%#.db")]


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="a device that is always full")
def test_devices_are_no_stores():
    refused("/dev/full", "no regular file")


# ---- logs of other files


KILL = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("PRAGMA cache_size=1")
connection.execute("BEGIN IMMEDIATE")
connection.execute("PRAGMA user_version=2")  # the first page goes to the journal, as it does when a transaction ends
connection.execute("UPDATE runs SET about = 'half' || about")
for k in range(200):
    connection.execute("INSERT INTO units VALUES (99, ?, ?)", (str(k), "x" * 4000))
assert os.path.getsize(sys.argv[1] + "-journal") > 0
os.kill(os.getpid(), signal.SIGKILL)
"""


def killed_in_a_transaction(store):
    done = subprocess.run([sys.executable, "-c", KILL, str(store)], capture_output=True, text=True, timeout=60)
    assert done.returncode < 0, done.stderr
    assert os.path.getsize(f"{store}-journal") > 0


@pytest.mark.skipif(os.name != "posix", reason="kills as POSIX does")
def test_a_journal_of_its_own_is_rolled_back(store):
    whole = run_sweep(store=store, run="mine")
    killed_in_a_transaction(store)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert same(jaxnet.Store(store).result("mine"), whole)
    assert [path.name for path in store.parent.iterdir()] == ["runs.db"]


@pytest.mark.skipif(os.name != "posix", reason="kills as POSIX does")
def test_a_journal_does_not_touch_a_copy_that_was_put_in_its_place(store):
    whole = run_sweep(store=store, run="mine")
    copy = store.with_name("backup.db")
    shutil.copyfile(store, copy)
    run_sweep(store=store, run="more", tol=1e-6)
    killed_in_a_transaction(store)
    shutil.copyfile(copy, store)
    with pytest.warns(UserWarning, match=r"runs.db-journal belonged to another file than runs.db.*aside-1"):
        assert same(jaxnet.Store(store).result("mine"), whole)
    assert [run.name for run in jaxnet.Store(store).runs()] == ["mine"]
    assert store.read_bytes() == copy.read_bytes() and store.with_name("runs.db-journal.aside-1").exists()


KILL_ANOTHER = """
import os, signal, sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("CREATE TABLE notes (text)")
connection.executemany("INSERT INTO notes VALUES (?)", [("x" * 3000,)] * 300)
connection.execute("PRAGMA cache_size=1")
connection.execute("BEGIN IMMEDIATE")
connection.execute("UPDATE notes SET text = replace(text, 'x', 'y')")  # spilled before the first page is in the journal
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.skipif(os.name != "posix", reason="kills as POSIX does")
def test_a_journal_of_another_program_is_left_to_its_file(tmp_path):
    notes = tmp_path / "notes.db"
    subprocess.run([sys.executable, "-c", KILL_ANOTHER, str(notes)], timeout=60)
    assert os.path.getsize(f"{notes}-journal") > 0
    assert not is_store(notes)
    connection = sqlite3.connect(notes)
    assert connection.execute("SELECT DISTINCT text FROM notes").fetchall() == [("x" * 3000,)]
    connection.close()


def test_a_log_beside_a_store_that_has_none_is_set_aside(store):
    whole = run_sweep(store=store, run="mine")
    other = store.with_name("other.db")
    connection = sqlite3.connect(other)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("CREATE TABLE a (b)")
    shutil.copyfile(f"{other}-wal", f"{store}-wal")
    connection.close()
    with pytest.warns(UserWarning, match="runs.db-wal belonged to another file"):
        assert same(jaxnet.Store(store).result("mine"), whole)


def test_a_backup_is_whole_while_a_sweep_writes(store):
    copies = []

    def back_up(done, total):
        copies.append(store.with_name(f"backup-{len(copies)}.db"))
        jaxnet.Store(store).backup(copies[-1])

    whole = run_sweep(store=store, run="mine", progress=back_up)
    assert len(copies) > 3
    for copy in copies[:: len(copies) // 3]:
        assert jaxnet.Store(copy).run("mine").fits in (None, whole.gap.size)
    resumed = copies[len(copies) // 2]
    connection = sqlite3.connect(resumed)
    with connection:
        connection.execute("DELETE FROM claims")  # as if that process had ended
    connection.close()
    assert same(run_sweep(store=resumed, run="mine"), whole)
    with pytest.raises(jaxnet.InvalidInput, match="exists: name a new file for the backup"):
        jaxnet.Store(store).backup(copies[0])


def test_space_of_finished_and_deleted_runs_is_given_back(store):
    run_sweep(store=store, run="a", keep_fold_coefs=True, tol=1e-9, alphas=60)
    database = Database.for_writing(store)
    assert database.execute("PRAGMA freelist_count") == [(0,)]
    database.close()
    size = store.stat().st_size
    run_sweep(store=store, run="b", keep_fold_coefs=True, tol=1e-8, alphas=60)
    jaxnet.Store(store).delete("b")
    assert store.stat().st_size <= 1.1 * size
