"""A saved model predicts soon after its process starts: JAX is not imported, nothing is compiled."""

import subprocess
import sys
import time

import numpy as np
import pytest
from cli_runs import data_columns, sweep, write_csv
from saved import model, objects, result

import jaxnet
from jaxnet import save
from jaxnet.missing.options import NAMED

MARGIN = 0.3
"""Seconds from the start of the process to the first prediction, beyond what Python and NumPy take to start."""
LOAD = "import sys, jaxnet\nprint(jaxnet.load(sys.argv[1]).predict([[1, 2, 3, 4]]).shape)\n"
COMMAND = "import sys\nfrom jaxnet.cli import main\nassert main(['predict', *sys.argv[1:], '--quiet']) == 0\n"
HEAVY = "heavy = {'jax', 'jaxlib', 'sklearn', 'pandas', 'scipy'} & sys.modules.keys()\nassert not heavy, heavy"


def seconds(code: str, *argv) -> float:
    """The shortest of three runs of a fresh Python."""
    command, taken = [sys.executable, "-c", code, *map(str, argv)], []
    for _ in range(3):
        start = time.perf_counter()
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        taken.append(time.perf_counter() - start)
        assert done.returncode == 0, done.stderr
    return min(taken)


@pytest.fixture(scope="module")
def least() -> float:
    return seconds("import numpy")


@pytest.mark.parametrize(
    "thing", [model("ElasticNet", np.float32, names=False), model("LassoCV", names=False), result()]
)
def test_a_loaded_model_predicts_at_once(thing, least, tmp_path):
    save(thing, tmp_path / "model.jaxnet")
    assert seconds(LOAD + HEAVY, tmp_path / "model.jaxnet") < MARGIN + 2 * least


def test_what_fills_and_encodes_new_rows_needs_no_jax(tmp_path):
    import pandas as pd

    frame = pd.DataFrame({"a": [1.0, None, 2.0, 4.0] * 5, "site": ["u", "v", None, "u"] * 5})
    y = np.arange(20.0)
    for fill in NAMED:
        asked = jaxnet.Missing(fill, indicators=fill != "pairwise")
        fitted = {
            "result": jaxnet.sweep(frame, y, alphas=3, cv=2, missing=asked),
            "model": jaxnet.ElasticNet(alpha=0.1, missing=asked).fit(frame, y),
        }
        save(fitted, tmp_path / f"{fill}.jaxnet")
    code = (
        "import sys, jaxnet, pathlib\n"
        "new = [[None, 'v'], [1.0, None], [2.0, 'u']]\n"
        "for path in pathlib.Path(sys.argv[1]).glob('*.jaxnet'):\n"
        "    for fitted in jaxnet.load(path).values():\n"
        "        assert fitted.predict(new).shape == (3,)\n"
    )
    seconds(code + HEAVY, tmp_path)


def test_whatever_is_saved_loads_without_jax(tmp_path):
    save(objects(), tmp_path / "all.jaxnet")
    seconds("import sys, jaxnet\nprint(jaxnet.load(sys.argv[1]))\n" + HEAVY, tmp_path / "all.jaxnet")


def test_the_command_predicts_at_once(least, tmp_path):
    data = write_csv(tmp_path / "data.csv", data_columns())
    assert sweep(data, "--out", tmp_path / "run", "--quiet") == 0
    assert seconds(COMMAND + HEAVY, tmp_path / "run", data) < MARGIN + 2 * least
