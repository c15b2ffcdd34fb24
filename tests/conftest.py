"""What holds for every test: warnings are errors, no rank promotion in JAX, seeds, four CPU devices, no need of a GPU.

64-bit is deliberately left off: the package must scope it itself, and every test checks that it did.
Set JAX_PLATFORMS (for instance to cuda) to run the suite elsewhere.
"""

import os
import sys
import zlib

os.environ.setdefault("JAX_PLATFORMS", "cpu")
os.environ.setdefault("JAX_NUMPY_RANK_PROMOTION", "raise")
if "xla_force_host_platform_device_count" not in os.environ.get("XLA_FLAGS", ""):
    os.environ["XLA_FLAGS"] = (os.environ.get("XLA_FLAGS", "") + " --xla_force_host_platform_device_count=4").strip()

if "PYTEST_XDIST_WORKER" in os.environ:  # processes side by side: BLAS threads of each would wait for the others'
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import hypothesis
import numpy as np
import pytest

hypothesis.settings.register_profile("jaxnet", derandomize=True, deadline=None, max_examples=20, database=None)
hypothesis.settings.load_profile("jaxnet")

KNOWN_WARNINGS = [
    "error",
    # scikit-learn says this once of every estimator that does not inherit from its base class
    "ignore:.*does not inherit from `sklearn.base.BaseEstimator`:UserWarning",
    "ignore:.*doesn't inherit from `?sklearn.base.BaseEstimator:UserWarning",
]


def pytest_configure(config):
    for line in KNOWN_WARNINGS:
        config.addinivalue_line("filterwarnings", line)


@pytest.fixture
def rng(request) -> np.random.Generator:
    """A generator seeded by the test's own name."""
    return np.random.default_rng(zlib.crc32(request.node.name.encode()))


@pytest.fixture
def store(tmp_path, monkeypatch):
    """A path for a store, to which every knot is written down at once."""
    from jaxnet.store import page

    monkeypatch.setattr(page, "SECONDS", 0.0)
    monkeypatch.setattr(page, "SHARE", 0.0)
    return tmp_path / "runs.db"


@pytest.fixture
def unfinished(store):
    """A store with an unfinished run, "mine", of which marks and fits are there."""
    from stores import run_sweep, stop_after

    with pytest.raises(KeyboardInterrupt):
        run_sweep(store=store, run="mine", progress=stop_after(7))
    return store


@pytest.fixture(autouse=True)
def leaves_settings_alone():
    """No test may change JAX's global precision or NumPy's error state, nor draw from NumPy's global generator."""
    np.random.seed(0)
    before = np.geterr(), np.random.get_state()[1].copy()
    yield
    if "jax" in sys.modules:
        assert not sys.modules["jax"].config.jax_enable_x64, "64-bit was left switched on"
    assert np.geterr() == before[0], "NumPy's floating-point error settings were changed"
