"""A saved model predicts soon after its process starts: JAX is not imported, nothing is compiled.

What that takes is counted in modules, of which each costs a process about a millisecond: seconds depend on the machine's load.
"""

import subprocess
import sys

import numpy as np
import pytest
from cli_runs import data_columns, sweep, write_csv
from saved import model, objects, result

import jaxnet
from jaxnet import save
from jaxnet.missing.options import NAMED

MOST, MOST_COMMAND = 100, 200
"""Modules from the start of the process to the first prediction, beyond those of Python and NumPy; the command reads a table."""
LOAD = "import jaxnet\nprint(jaxnet.load(sys.argv[1]).predict([[1, 2, 3, 4]]).shape)\n"
COMMAND = "from jaxnet.cli import main\nassert main(['predict', *sys.argv[1:], '--quiet']) == 0\n"
HEAVY = "heavy = {'jax', 'jaxlib', 'sklearn', 'pandas', 'scipy'} & sys.modules.keys()\nassert not heavy, heavy\n"
FEW = "new = sys.modules.keys() - before\nassert len(new) <= {}, sorted(new)\n"


def run_fresh(code: str, *argv) -> None:
    """Run the code in a fresh Python; `before` are the modules of Python and NumPy."""
    code = "import numpy, sys\nbefore = set(sys.modules)\n" + code
    done = subprocess.run([sys.executable, "-c", code, *map(str, argv)], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    "thing", [model("ElasticNet", np.float32, names=False), model("LassoCV", names=False), result()]
)
def test_a_loaded_model_predicts_at_once(thing, tmp_path):
    save(thing, tmp_path / "model.jaxnet")
    run_fresh(LOAD + HEAVY + FEW.format(MOST), tmp_path / "model.jaxnet")


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
        "import jaxnet, pathlib\n"
        "new = [[None, 'v'], [1.0, None], [2.0, 'u']]\n"
        "for path in pathlib.Path(sys.argv[1]).glob('*.jaxnet'):\n"
        "    for fitted in jaxnet.load(path).values():\n"
        "        assert fitted.predict(new).shape == (3,)\n"
    )
    run_fresh(code + HEAVY, tmp_path)


def test_whatever_is_saved_loads_without_jax(tmp_path):
    save(objects(), tmp_path / "all.jaxnet")
    run_fresh("import jaxnet\nprint(jaxnet.load(sys.argv[1]))\n" + HEAVY, tmp_path / "all.jaxnet")


def test_the_command_predicts_at_once(tmp_path):
    data = write_csv(tmp_path / "data.csv", data_columns())
    assert sweep(data, "--out", tmp_path / "run", "--quiet") == 0
    run_fresh(COMMAND + HEAVY + FEW.format(MOST_COMMAND), tmp_path / "run", data)
