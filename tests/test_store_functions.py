"""A metric function in a store: the same one goes on, another one is another sweep, and what cannot be told is refused."""

import functools
import subprocess
import sys
from types import SimpleNamespace

import cases
import numpy as np
import pytest
from sklearn import metrics

import jaxnet
from jaxnet.store.functions import identify

GRID = {"rho": 1.0, "alphas": 4, "cv": 3}
POWER = 2


def _half(values):
    return values / 2


def _make(
    code: str = "np.average(helper(np.abs(y - p)) ** POWER + shift + a, weights=sample_weight)",
    *,
    helper=_half,
    power=2,
    shift=0.0,
    default=1.0,
    before="",
):
    """A metric of this code, with a helper and POWER among its globals, a default, and a variable of the function around it."""
    space = {"np": np, "helper": helper, "POWER": power, "unused": object()}
    text = f"{before}\ndef around(shift, default):\n    def metric(y, p, sample_weight, a=default):\n        return {code}\n"
    exec(text + "    return metric\n", space)
    return space["around"](shift, default)


CHANGES = {
    "the code": {"code": "np.average(helper(np.abs(y - p)) ** POWER - shift + a, weights=sample_weight)"},
    "a constant": {"code": "np.average(helper(np.abs(y - p)) ** POWER + shift + a + 1, weights=sample_weight)"},
    "an attribute of a module": {"code": "np.sum(helper(np.abs(y - p)) ** POWER + shift + a)"},
    "a helper": {"helper": lambda values: values / 3},
    "an installed helper": {"helper": np.sqrt},
    "a global": {"power": 3},
    "the closure": {"shift": 0.5},
    "an array in the closure": {"shift": np.zeros(1)},
    "a default": {"default": 2.0},
}


def test_the_same_function_is_the_same_wherever_it_is_defined():
    assert identify(_make()) == identify(_make()) == identify(_make(before="\n\n# further down"))


@pytest.mark.parametrize("name", CHANGES)
def test_another_function_is_another(name):
    assert identify(_make(**CHANGES[name])) != identify(_make())


def test_the_text_is_the_same_in_another_process():
    code = (
        "import sys; sys.path.insert(0, 'tests'); import test_store_functions as t; from jaxnet.store.functions import identify;"
        "print(identify(t._make())); print(identify(t._make(code='y in {1, \"a\", None}')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    expected = identify(_make()), identify(_make(code='y in {1, "a", None}'))
    assert done.stdout.split("\n")[:2] == list(expected)


def test_functions_of_packages_partials_and_recursion_can_be_told():
    def again(y, p, sample_weight):
        return again(y, p, None) if sample_weight is not None else 0.0

    pinball = [functools.partial(metrics.mean_pinball_loss, alpha=alpha) for alpha in (0.1, 0.2, 0.1)]
    told = [identify(f) for f in (metrics.mean_absolute_error, metrics.max_error, again, *pinball)]
    assert told[3] == told[5] and len(set(told)) == 5
    assert told[0].startswith("sklearn.metrics._regression.mean_absolute_error sha256")


class Stateful:
    def __call__(self, y, p, sample_weight):
        return float(np.average(np.abs(y - p), weights=sample_weight))


endless: list = []
endless.append(endless)
CANNOT = {
    "an object": (Stateful(), "it is an object of Stateful"),
    "a method": (Stateful().__call__, "it is an object of method"),
    "a closure over an object": (
        _make(shift=SimpleNamespace()),
        r"'shift', a variable of .*metric is an object of SimpleNam",
    ),
    "a default": (_make(default=Stateful()), "a default of .*metric is an object of Stateful"),
    "a global object": (_make(helper=Stateful()), "'helper', a global of .*metric is an object of Stateful"),
    "a module of one's own": (_make(code="helper.TALL", helper=cases), "is the module 'cases', which may change"),
    "a masked array": (_make(shift=np.ma.masked_array([1.0], [True])), "an object of MaskedArray"),
    "a list in itself": (_make(shift=endless), "something in it has no end"),
}


@pytest.mark.parametrize("name", CANNOT)
def test_what_cannot_be_told_is_refused_unless_it_has_a_name(name, tmp_path):
    function, words = CANNOT[name]
    data = cases.data("tall")
    with pytest.raises(jaxnet.InvalidInput, match=rf"metric: a store cannot tell it .*{words}.*store_name = "):
        identify(function)
    if name == "an object":
        with pytest.raises(jaxnet.InvalidInput, match="store_name"):
            jaxnet.sweep(data.X, data.y, metric=function, store=tmp_path / "runs.db", **GRID)
        assert not (tmp_path / "runs.db").exists()
        function.store_name = "absolute, 1"
        assert identify(function) == "called absolute, 1"
        result = jaxnet.sweep(data.X, data.y, metric=function, store=tmp_path / "runs.db", **GRID)
        assert result.metric == "Stateful"
        function.store_name = 3
        with pytest.raises(jaxnet.InvalidInput, match="store_name=3 of the metric is no name"):
            identify(function)


def test_a_sweep_with_a_function_goes_on_and_another_is_another_run(tmp_path):
    data, place, seen = cases.data("tall"), tmp_path / "runs.db", []
    sweep = lambda metric, **more: jaxnet.sweep(data.X, data.y, metric=metric, store=place, **GRID, **more)

    def stop(done, total):
        if done > 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sweep(_make(), progress=stop)
    one = sweep(_make(), progress=lambda done, total: seen.append(done))
    plain = jaxnet.sweep(data.X, data.y, metric=_make(), **GRID)
    np.testing.assert_array_equal(one.errors, plain.errors)
    assert one.metric == "metric" and len(jaxnet.Store(place).runs()) == 1
    again = sweep(_make())
    np.testing.assert_array_equal(again.errors, one.errors)
    other = sweep(_make(power=3))
    assert len(jaxnet.Store(place).runs()) == 2 and not np.array_equal(other.errors, one.errors)
    (name,) = {run.name for run in jaxnet.Store(place).runs()} - {jaxnet.Store(place).runs()[1].name}
    with pytest.raises(jaxnet.InvalidInput, match="is of another problem: metric function is"):
        sweep(_make(power=3), run=name)
    assert jaxnet.Store(place).run(name).problem["metric"] == "metric"
