"""What is told while something takes long: fits, fillings, and how much time is left."""

import io

import cases
import numpy as np
import pytest

import jaxnet
from jaxnet import progress
from jaxnet.execution import compilation
from jaxnet.missing import iterative, multiple
from jaxnet.progress import Progress, Reporter

FILLS = {
    "iterative": (iterative.IterativeFill, jaxnet.IterativeFill(rounds=2)),
    "average": (multiple.MultipleFill, jaxnet.MultipleFill(m=2, rounds=2)),
    "stacked": (multiple.MultipleFill, jaxnet.MultipleFill(m=2, rounds=2, pool="stacked")),
}
FOLDS = 3


class Told(Reporter):
    """What was told; raises KeyboardInterrupt at a given number of filled sets of rows."""

    def __init__(self, stop: int = -1) -> None:
        self.fits, self.filled, self._stop = [], [], stop

    def __call__(self, done, total):
        self.fits.append((done, total))

    def filling(self, done, total):
        self.filled.append((done, total))
        if done == self._stop:
            raise KeyboardInterrupt


def swept(fill, **options):
    data = cases.data("tall")
    X = np.where(np.random.default_rng(0).random(data.X.shape) < 0.1, np.nan, data.X)
    return jaxnet.sweep(X, data.y, cv=FOLDS, missing=fill, **{**cases.GRID, **options})


@pytest.mark.parametrize("name", [*FILLS, "grouped"])
def test_every_set_of_rows_that_is_filled_is_told(name):
    fill = jaxnet.MultipleFill(m=2, rounds=2, pool="grouped") if name == "grouped" else FILLS[name][1]
    told = Told()
    swept(fill, progress=told)
    assert told.filled == [(done, FOLDS + 1) for done in range(FOLDS + 2)]
    assert told.fits[-1][0] == told.fits[-1][1] > 0


def test_first_fits_of_adaptive_fill_their_own_rows():
    told = Told()
    swept("iterative", adaptive=jaxnet.Adaptive(cv=2), progress=told)
    groups = (FOLDS + 1) * 3
    assert told.filled == [(done, groups) for done in range(groups + 1)]


@pytest.mark.parametrize("name", FILLS)
def test_what_was_learnt_before_an_interrupt_is_not_learnt_again(name, tmp_path, monkeypatch):
    kind, fill = FILLS[name]
    whole, store, learnt, learn = swept(fill), tmp_path / "runs.db", [], kind.fit
    monkeypatch.setattr(kind, "fit", lambda self, X, weights: learnt.append(1) or learn(self, X, weights))
    with pytest.raises(KeyboardInterrupt) as stop:
        swept(fill, store=store, progress=Told(stop=2))
    assert "what fills the missing values of 2 sets of rows is kept" in stop.value.__notes__[0]
    again = swept(fill, store=store)
    assert len(learnt) == FOLDS + 1
    for field in ("gap", "errors", "intercepts"):
        assert getattr(again, field).tobytes() == getattr(whole, field).tobytes()


def test_a_fill_larger_than_it_is_worth_is_learnt_again(tmp_path, monkeypatch):
    from jaxnet.store import ledger

    monkeypatch.setattr(ledger, "LARGEST_FILLER", 10)
    with pytest.raises(KeyboardInterrupt) as stop:
        swept("iterative", store=tmp_path / "runs.db", progress=Told(stop=2))
    assert "of 0 sets of rows" in stop.value.__notes__[0]


class Clock:
    """A time that is set, and seconds of compilation."""

    def __init__(self, monkeypatch) -> None:
        self.now = self.compiled = 0.0
        monkeypatch.setattr(progress.time, "monotonic", lambda: self.now)
        monkeypatch.setattr(progress, "seconds_compiled", lambda: self.compiled)


def lines_of(clock: Clock, steps, total=1000) -> list[str]:
    stream = io.StringIO()
    bar = Progress(stream)
    for now, compiled, done in steps:
        clock.now, clock.compiled = now, compiled
        bar(done, total)
    return stream.getvalue().splitlines()


def test_time_left_leaves_out_compilation(monkeypatch):
    """Ten fits in six seconds, of which five are compilation, are ten a second."""
    clock = Clock(monkeypatch)
    (line,) = lines_of(clock, [(0.0, 0.0, 0), (6.0, 4.5, 15)])
    assert line == "15 of 1,000 fits (2%), 10 fits/s, about 1 min 38 s left"


def test_time_left_is_that_of_the_recent_half(monkeypatch):
    clock = Clock(monkeypatch)
    steps = [(float(t), 0.0, 10 * t) for t in range(11)] + [(10.0 + t, 0.0, 100 + t) for t in range(1, 11)]
    assert lines_of(clock, steps)[-1] == "110 of 1,000 fits (11%), 1 fits/s, about 14 min 50 s left"


def test_no_estimate_from_next_to_nothing(monkeypatch):
    clock = Clock(monkeypatch)
    assert lines_of(clock, [(0.0, 0.0, 0), (9.0, 8.9, 3)]) == ["3 of 1,000 fits (0%)"]


def test_compilations_side_by_side_count_once(monkeypatch):
    watch, now = compilation._Stopwatch(), [0.0]
    monkeypatch.setattr(compilation.time, "monotonic", lambda: now[0])
    for end, event, duration in [
        (3.0, "/jax/core/compile/backend_compile_duration", 3.0),
        (4.0, "/jax/core/compile/backend_compile_duration", 3.0),
        (9.0, "/jax/core/compile/jaxpr_trace_duration", 1.0),
        (9.5, "/jax/some/other_duration", 5.0),
    ]:
        now[0] = end
        watch(event, duration)
    assert watch.seconds == 5.0


def test_a_sweep_times_its_compilations():
    before = compilation.seconds_compiled()
    data = cases.data("tall")
    jaxnet.sweep(data.X[:, :5], data.y, rho=0.37, alphas=7, cv=2)
    jaxnet.fit_path(np.tile(data.X, (1, 9)), data.y, rho=[0.5, 0.6, 0.7], alphas=5)
    assert compilation.seconds_compiled() >= before
