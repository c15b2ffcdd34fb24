"""Where a sweep runs: on the device that was asked for, by what suits that device, whatever JAX's default is."""

from types import SimpleNamespace

import cases
import jax
import numpy as np
import pytest

import jaxnet
from jaxnet import InvalidInput
from jaxnet.execution import platform, schedule
from jaxnet.missing.multiple import MultipleFill
from jaxnet.pipeline import plan
from jaxnet.solver import group_descent

GRID = {"rho": [0.0, 1.0], "alphas": 3, "cv": 3}
WAYS = {
    "rows": ((20, 30), {}),
    "Gram matrices": ((70, 12), {}),
    "by pairs": ((70, 12), {"missing": "pairwise", "rho": [0.0, 1.0]}),
}


THIRD = pytest.mark.skipif(len(jax.devices()) < 3, reason="needs a third device")


class Gpu(SimpleNamespace):
    """Stands in for a device that is no CPU."""

    platform = "gpu"

    def memory_stats(self):
        return {"bytes_limit": 10e9, "bytes_in_use": 2e9}


def solvers_of(monkeypatch, **options) -> set[str]:
    """The inner solvers that a small sweep walks with."""
    used, walk = set(), plan.walk
    monkeypatch.setattr(plan, "walk", lambda task, *rest: used.add(task.solver) or walk(task, *rest))
    X, y = cases.gappy((70, 12))
    jaxnet.sweep(np.nan_to_num(X), y, **{**GRID, **options})
    return used


@THIRD
@pytest.mark.parametrize("way", WAYS)
def test_arrays_lie_on_the_device_that_was_asked_for(way):
    """Every array that a sweep makes, looked at while it runs."""
    shape, options = WAYS[way]
    X, y = cases.gappy(shape)
    X = X if "missing" in options else np.nan_to_num(X)
    before, seen = jax.live_arrays(), set()
    known = {id(a) for a in before}

    def look(done, total):
        seen.update(d for a in jax.live_arrays() if id(a) not in known for d in a.devices())

    jaxnet.sweep(X, y, device=jax.devices()[2], progress=look, **{**GRID, **options})
    assert seen == {jax.devices()[2]}, way


@THIRD
def test_grouped_fits_lie_there_too(monkeypatch):
    """Nothing of theirs is alive when they are counted, so what judges them tells."""
    X, y = cases.gappy((20, 4))
    seen, certify = set(), group_descent.certify

    def judge(*of):
        found = certify(*of)
        seen.update(d for a in found for d in a.devices())
        return found

    monkeypatch.setattr(group_descent, "certify", judge)
    many = MultipleFill(m=2, pool="grouped")
    jaxnet.fit_path(X, y, device=jax.devices()[2], missing=many, rho=1.0, alphas=2)
    assert seen == {jax.devices()[2]}


@THIRD
def test_strategy_follows_the_device_and_not_the_default(monkeypatch):
    """JAX's default is a GPU, the sweep is asked onto a CPU: walked and limited as on one."""
    here = jax.devices()[2]
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    limited, limits = [], schedule.limits
    monkeypatch.setattr(schedule, "limits", lambda given: limited.append(limits(given)) or limited[-1])
    assert solvers_of(monkeypatch, device=here) == {"coordinate"}
    assert limited[0].bytes == schedule.CPU_BUDGET and limited[0].lanes == schedule.CACHED_LANES


def test_strategy_of_a_device_that_is_no_cpu(monkeypatch):
    """Looked at, not run: one chunk at a time, a share of its own free memory, products in place of coordinate steps."""
    monkeypatch.setattr(platform, "current", Gpu)
    limits = schedule.limits(None)
    assert limits == (1, schedule.DEVICE_SHARE * 8e9, float("inf"))
    assert schedule.limits(5e6).bytes == 5e6 and schedule.parallelism() == 1
    problem = SimpleNamespace(request=SimpleNamespace(solver="auto", bounded=False), pairwise=None)
    assert plan.Plan.of(problem, [0], np.ones((1, 1, 1)), False).solver == "proximal"
    problem.request.solver = "coordinate"
    assert plan.Plan.of(problem, [0], np.ones((1, 1, 1)), False).solver == "coordinate"


def test_a_scope_is_of_one_thread_and_can_be_carried():
    from concurrent.futures import ThreadPoolExecutor

    last = jax.devices()[-1]
    with platform.scope(last), ThreadPoolExecutor(1) as pool:
        assert platform.current() == last and pool.submit(platform.current).result() == jax.local_devices()[0]
        here = platform.carried()

        def there():
            with here():
                return platform.current()

        assert pool.submit(there).result() == last
    with jax.default_device("cpu"):
        assert platform.current().platform == "cpu"


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("tpu", "device='tpu' is not available here"),
        (2, "device=2 is no JAX device"),
        (jax.devices, "is no JAX device"),
    ],
)
def test_a_device_that_is_not_there_is_refused_before_anything_is_read(device, message):
    with pytest.raises(InvalidInput, match=message):
        jaxnet.sweep(np.ones((5, 2)), np.arange(5.0), device=device)
