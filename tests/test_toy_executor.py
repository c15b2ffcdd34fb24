"""An executor that is none of the library's, and touches nothing of it: chunks backwards, jobs as bytes."""

import pickle

import cases
import jax
import numpy as np
import pytest
from stores import run_sweep, same, stop_after

import jaxnet
from jaxnet.execution import executor
from jaxnet.execution.executor import Executor, carry_out
from jaxnet.pipeline import plan


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


EXECUTORS = pytest.mark.parametrize("which", ["toy", "threads"])


def walked(monkeypatch, request, which, then):
    """Every walk, under one of the executors, does `then(task, steps so far)` before each of its steps."""
    if which == "toy":
        request.getfixturevalue("toy")
    walk = plan.walk

    def wrapped(task, start):
        for count, found in enumerate(walk(task, start)):
            then(task, count)
            yield found

    monkeypatch.setattr(plan, "walk", wrapped)


@EXECUTORS
@pytest.mark.parametrize("at", [0, 3])
def test_an_error_in_a_job_is_raised_and_stops_all(which, at, monkeypatch, request):
    def broken(task, count):
        if count == at:
            raise ArithmeticError("a worker broke")

    walked(monkeypatch, request, which, broken)
    with pytest.raises(ArithmeticError, match="a worker broke"):
        run_sweep(max_memory=1e4)


@EXECUTORS
def test_an_interrupt_is_not_lost_where_memory_runs_out_next(which, monkeypatch, request):
    """The chunk that heard of it is halved: its halves have nothing to do with it, and yet all stops."""
    interrupted = []

    def exhausted(task, count):
        if interrupted and len(task.lam1) > 1:
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: out of memory")

    def progress(done, total):
        if done:
            interrupted.append(done)
            raise KeyboardInterrupt

    walked(monkeypatch, request, which, exhausted)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(progress=progress)
    assert interrupted


@EXECUTORS
def test_the_first_of_several_interrupts_is_raised(which, monkeypatch, request):
    errors = iter([KeyboardInterrupt, *[ValueError] * 1000])

    def progress(done, total):
        if done:
            raise next(errors)

    walked(monkeypatch, request, which, lambda task, count: None)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(progress=progress, alphas=20)
