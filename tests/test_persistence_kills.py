"""SIGKILL at random moments of a save leaves the file that was there or the new one, and readers never see another."""

import os
import subprocess
import sys

import pytest

# In a process of its own, without JAX, so that it may fork: thousands of saves, sixty of them cut short.
KILLS = r"""
import itertools, os, random, signal, sys, time
import numpy as np
from jaxnet import load, save

path, kills, seen = sys.argv[1], 60, set()
draw = random.Random(0)
contents = [{"which": which, "data": np.full(100_000 + which, which)} for which in range(2)]


def read():
    found = load(path)
    which = found["which"]
    seen.add(which)
    assert len(found["data"]) == 100_000 + which and (found["data"] == which).all()


save(contents[0], path)
for kill in range(kills):
    child = os.fork()
    if child == 0:
        for turn in itertools.count(kill):
            save(contents[turn % 2], path)
    end = time.monotonic() + draw.uniform(0, 0.05)
    while time.monotonic() < end:
        read()
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    assert os.waitpid(child, 0)[1] == signal.SIGKILL
    read()
drafts = [name for name in os.listdir(os.path.dirname(path)) if name.endswith(".tmp")]
assert seen == {0, 1} and "jax" not in sys.modules
print(len(drafts))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="kills as POSIX does")
def test_no_kill_leaves_an_unreadable_file(tmp_path):
    path = tmp_path / "thing.jaxnet"
    done = subprocess.run([sys.executable, "-c", KILLS, str(path)], capture_output=True, text=True, timeout=100)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) >= 5, "hardly any kill fell into a save"
    visible = [entry.name for entry in tmp_path.iterdir() if not entry.name.startswith(".")]
    assert visible == [path.name]
