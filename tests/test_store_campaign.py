"""Stores under attack, at length: flips, losses, full disks, and many processes at once. Run by `pytest -m campaign`."""

import contextlib
import os
import subprocess
import sys

import numpy as np
import pytest
from stores import run_sweep, same, stop_after
from test_store_place import LOSSES, when

import jaxnet
from jaxnet.store import database

pytestmark = pytest.mark.campaign

FLIPS, LOST, FULL, ROUNDS = 1000, 100, 50, 200


def test_flips_are_harmless_or_noticed(store, recwarn):
    """Bits, bytes and lengths changed at random places of a store: the right numbers, or a sentence."""
    whole = run_sweep(store=store, run="whole")
    with pytest.raises(KeyboardInterrupt):
        run_sweep(store=store, run="mine", tol=1e-6, progress=stop_after(7))
    other, data, rng = run_sweep(tol=1e-6), store.read_bytes(), np.random.default_rng(0)
    noticed = 0
    for k in range(FLIPS):
        damaged, start = bytearray(data), int(rng.integers(len(data)))
        if k % 5 == 0:
            damaged = damaged[:start]
        elif k % 5 == 1:
            damaged[start : start + 400] = rng.bytes(400)
        else:
            damaged[start] ^= 1 << int(rng.integers(8))
        store.write_bytes(damaged)
        calls = {"whole": lambda: jaxnet.Store(store).result("whole"), "runs": lambda: jaxnet.Store(store).runs()}
        if k % 10 == 0:
            calls["mine"] = lambda: run_sweep(store=store, run="mine", tol=1e-6)
        for name, call in calls.items():
            try:
                found = call()
            except (jaxnet.InvalidInput, OSError) as error:
                noticed += 1
                assert "\n" not in str(error)
            else:
                assert name == "runs" or same(found, whole if name == "whole" else other), f"flip {k} went unnoticed"
        for path in store.parent.iterdir():
            path.unlink()
    assert noticed > FLIPS / 5


def test_files_are_harmless_or_noticed(tmp_path):
    path = tmp_path / "result.jaxnet"
    jaxnet.save(run_sweep(), path)
    data, rng, whole = path.read_bytes(), np.random.default_rng(1), run_sweep()
    for k in range(FLIPS):
        damaged, start = bytearray(data), int(rng.integers(len(data)))
        if k % 5 == 0:
            damaged = damaged[:start]
        else:
            damaged[start] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        with contextlib.suppress(jaxnet.InvalidInput):
            assert same(jaxnet.load(path), whole), f"flip {k} went unnoticed"


@pytest.mark.parametrize("seed", range(LOST))
def test_losses(seed, store):
    rng = np.random.default_rng(seed)
    loss, at = LOSSES[seed % len(LOSSES)], int(rng.integers(2, 6))
    kept = store
    try:
        run_sweep(store=store, run="mine", progress=when(at, loss, store))
    except OSError as error:
        assert "while this sweep wrote to it" in str(error)
        kept = store.with_name("runs.rescued-1.db")
    # What is written over a file while a transaction ends may be written over in turn: then all of the run is there.
    assert same(run_sweep(store=kept, run="mine"), run_sweep())
    assert same(jaxnet.Store(kept).result("mine"), run_sweep())


@pytest.mark.parametrize("seed", range(FULL))
def test_full_disks(seed, store, monkeypatch):
    how = {"run": "full", "tol": 1e-9, "keep_fold_coefs": True}
    with pytest.raises(KeyboardInterrupt):
        run_sweep(store=store, run="mine", progress=stop_after(7))
    pages = os.path.getsize(store) // 4096 + int(np.random.default_rng(seed).integers(1, 60))
    with monkeypatch.context() as patch:
        patch.setattr(database, "SETTINGS", [*database.SETTINGS, f"PRAGMA max_page_count={pages}"])
        try:
            run_sweep(store=store, **how)
        except OSError as error:
            assert "the disk is full" in str(error)
    assert [run.name for run in jaxnet.Store(store).runs()][:1] == ["mine"]
    assert same(run_sweep(store=store, run="mine"), run_sweep())
    assert same(run_sweep(store=store, **how), run_sweep(**{name: how[name] for name in ("tol", "keep_fold_coefs")}))


# Forked children that sweep, read, delete and back up at once, in a parent that has not used JAX yet.
ROUND = r"""
import os, random, sys, time, traceback, warnings
warnings.simplefilter("ignore")
import jax
import jaxnet
from jaxnet.store import page
from saved import as_tree, equal
from test_store_kills import KILLS

import numpy as np
from jaxnet.sweeps import sweep

exec(KILLS[KILLS.index("def one("):KILLS.index("def child(")])
folder, rounds, draw = sys.argv[1], int(sys.argv[2]), random.Random(int(sys.argv[3]))
page.SECONDS = page.SHARE = 0.0


def forked(work, *args):
    pid = os.fork()
    if pid:
        return pid
    try:
        work(*args)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


def there(store):  # until its tables are made, a sentence says that there is no store yet
    if not os.path.exists(store):
        return False
    try:
        jaxnet.Store(store).runs()
    except jaxnet.InvalidInput as error:
        assert "no sweep has written to it yet" in str(error), error
        return False
    return True


def read(store, pause):
    for _ in range(20):
        time.sleep(pause)
        for run in jaxnet.Store(store).runs() if there(store) else ():
            if run.finished:
                jaxnet.Store(store).result(run.name)


def back_up(store, pause):
    time.sleep(10 * pause)
    if there(store):
        jaxnet.Store(store).backup(store + ".copy")
        jaxnet.Store(store + ".copy").runs()


for turn in range(rounds):
    store, pause = os.path.join(folder, f"{turn}.db"), draw.uniform(0, 0.05)
    sweeps = [forked(lambda k: one(k, store=store, run=str(k)), k) for k in range(2)]
    others = [forked(read, store, pause), forked(back_up, store, pause)]
    for pid in (*sweeps, *others):
        assert os.waitpid(pid, 0)[1] == 0, turn
    runs = jaxnet.Store(store).runs()
    assert sorted(run.name for run in runs) == ["0", "1"] and all(run.finished and not run.running for run in runs)
    jaxnet.Store(store).delete("0")
    assert [run.name for run in jaxnet.Store(store).runs()] == ["1"]
last = {k: one(k) for k in range(2)}
for turn in range(rounds):
    assert equal(as_tree(jaxnet.Store(os.path.join(folder, f"{turn}.db")).result("1")), as_tree(last[1])), turn
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
@pytest.mark.parametrize("seed", range(4))
def test_rounds_of_processes(seed, tmp_path):
    cache = {"JAX_COMPILATION_CACHE_DIR": str(tmp_path / "cache"), "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0"}
    environment = {**os.environ, **cache, "PYTHONPATH": os.pathsep.join([os.path.dirname(__file__), *sys.path])}
    words = [sys.executable, "-c", ROUND, str(tmp_path), str(ROUNDS // 4), str(seed)]
    done = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=3000)
    assert done.returncode == 0, done.stderr
