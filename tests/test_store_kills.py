"""SIGKILL at random moments of stored sweeps loses nothing that was finished, and changes no bit of what comes out."""

import os
import subprocess
import sys

import pytest

# The parent imports JAX but never uses it, so that it may fork: each child starts at once, and is killed in the midst of
# sweeps that write down every knot. Then one child is left to finish them all.
KILLS = r"""
import os, random, signal, sys, time, warnings

warnings.simplefilter("ignore")  # JAX warns of forks, which are safe before it is used
import jax
import numpy as np
import jaxnet
from jaxnet.store import page
from jaxnet.store.entry import Entry
from jaxnet.sweeps import sweep
from saved import as_tree, equal

folder, kills, sweeps, how = sys.argv[1], int(sys.argv[2]), 32, getattr(signal, sys.argv[4])
store = os.path.join(folder, "runs.db")
draw = random.Random(int(sys.argv[3]))
page.SECONDS = page.SHARE = 0.0


def one(k, **options):
    rng = np.random.default_rng(k)
    X = rng.normal(size=(24, 40))
    y = X[:, 0] - X[:, 1] + rng.normal(size=24)
    return sweep(X, y, rho=[0.3, 1.0], alphas=30, cv=2, tol=1e-6, **options)


def child(ready):
    stored = [0]
    hear = lambda name, fits, there: stored.append(there)
    tell = lambda done, total: os.write(ready, b".") if done > stored[-1] else None
    for k in range(sweeps):
        one(k, store=Entry(store, announce=hear), run=str(k), progress=tell)


def begin():
    heard, ready = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(heard)
        try:
            child(ready)
        except KeyboardInterrupt:
            os._exit(130)
        except BaseException:
            import traceback

            traceback.print_exc()
            os._exit(1)
        os._exit(0)
    os.close(ready)
    return pid, heard


progress, interrupted = [], 0
for _ in range(kills):
    pid, heard = begin()
    os.read(heard, 1)  # new fits are there
    time.sleep(draw.uniform(0, 0.5))
    os.kill(pid, how)
    status = os.waitpid(pid, 0)[1]
    os.close(heard)
    assert status in (how, 130 << 8, 0), status
    runs = jaxnet.Store(store).runs()
    done = [run.done for run in runs]
    assert all(new >= old for new, old in zip(done, progress)), "a kill lost what was finished"
    interrupted += any(0 < run.done < run.fits for run in runs)
    progress = done
pid, heard = begin()
while os.read(heard, 4096):
    pass
assert os.waitpid(pid, 0)[1] == 0
for run in jaxnet.Store(store).runs():
    assert run.finished
    assert equal(as_tree(jaxnet.Store(store).result(run.name)), as_tree(one(int(run.name)))), run.name
left = sorted(os.listdir(folder))
assert left == ["runs.db"], left
print(interrupted)
"""


def stopped(folder, kills: int, seed: int, how: str) -> subprocess.Popen:
    """A chain of sweeps that are stopped by a signal so often, and then come to their end."""
    folder.mkdir()
    cache = {
        "JAX_COMPILATION_CACHE_DIR": str(folder.parent / "cache"),
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
    }
    environment = {**os.environ, **cache, "PYTHONPATH": os.pathsep.join([os.path.dirname(__file__), *sys.path])}
    words = [sys.executable, "-c", KILLS, str(folder), str(kills), str(seed), how]
    return subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def check(chains: list[subprocess.Popen], least: int, seconds: float) -> None:
    for chain in chains:
        out, err = chain.communicate(timeout=seconds)
        assert chain.returncode == 0, err
        assert int(out) >= least, "hardly any signal fell into a sweep"


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills as POSIX does")
def test_no_kill_loses_a_finished_fit_or_changes_a_bit(tmp_path):
    """30 kills, in two chains side by side."""
    check([stopped(tmp_path / str(seed), 15, seed, "SIGKILL") for seed in range(2)], 8, 300)


@pytest.mark.campaign
@pytest.mark.skipif(not hasattr(os, "fork"), reason="signals as POSIX has them")
@pytest.mark.parametrize(("how", "times"), [("SIGKILL", 200), ("SIGINT", 100)])
def test_campaign_of_signals(how, times, tmp_path):
    """The children finish their sweeps sooner or later, so several chains share the signals."""
    for chain in range(times // 20):
        check([stopped(tmp_path / str(seed), 10, seed, how) for seed in (2 * chain + 7, 2 * chain + 8)], 3, 600)
