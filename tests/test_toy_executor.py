"""An executor that is none of the library's, and touches nothing of it: chunks backwards, jobs as bytes."""

import pickle

import cases
import numpy as np
import pytest
from stores import run_sweep, same, stop_after

import jaxnet
from jaxnet.execution import executor
from jaxnet.execution.executor import Executor, carry_out


class Backwards(Executor):
    """The last chunk first; a job travels as bytes."""

    def __init__(self):
        self.carried = 0

    def run(self, solve, chunks, desk):
        def remote(job):
            return solve(pickle.loads(pickle.dumps(job)))

        for chunk in reversed(chunks):
            carry_out(remote, chunk, desk, lambda: False)
            self.carried += 1


@pytest.fixture
def toy(monkeypatch):
    made = []
    monkeypatch.setattr(executor, "Threads", lambda alone: made.append(Backwards()) or made[-1])
    return made


CALLS = {
    "a sweep": {},
    "small chunks": {"max_memory": 1e4},
    "alphas of one's own": {"alphas": [1.0, 0.3, 0.1, 0.01]},
    "weights and bounds": {"lower": 0.0, "sample_weight": cases.weights(len(cases.data("wide").y))},
    "coefficients of folds": {"keep_fold_coefs": True},
    "adaptive": {"adaptive": jaxnet.Adaptive()},
    "by proximal steps": {"solver": "proximal"},
}


@pytest.mark.parametrize("call", CALLS)
def test_any_executor_gives_the_same_bits(call, toy, monkeypatch):
    found = run_sweep(**CALLS[call])
    assert sum(made.carried for made in toy) > 0
    monkeypatch.undo()
    assert same(found, run_sweep(**CALLS[call]))


def test_several_responses(toy, monkeypatch):
    data = cases.data("tall")
    Y = np.column_stack([data.y, -data.y, data.y**2])
    found = jaxnet.sweep(data.X, Y, **cases.GRID, cv=3)
    monkeypatch.undo()
    assert same(found, jaxnet.sweep(data.X, Y, **cases.GRID, cv=3))


@pytest.mark.parametrize("calls", [2, 5, 9])
def test_what_one_executor_began_another_ends(calls, toy, store, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        run_sweep(store=store, run="mine", progress=stop_after(calls))
    assert toy and jaxnet.Store(store).run("mine").done > 0
    monkeypatch.undo()
    assert same(run_sweep(store=store, run="mine"), run_sweep())


def test_an_error_in_a_job_is_raised(toy, monkeypatch):
    from jaxnet.pipeline import plan

    def broken(task, start):
        raise ArithmeticError("a worker broke")

    monkeypatch.setattr(plan, "walk", broken)
    with pytest.raises(ArithmeticError, match="a worker broke"):
        run_sweep()
