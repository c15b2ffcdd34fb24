"""An option acts or is refused: every option of `sweep`, in every way of calling it and beside every other that changes the way.

Nothing is solved here. The engine is replaced by one that writes down what it is asked, and answers with made-up fits; an
option that changes neither what the engine is asked, nor where and with what means it runs, nor what comes of its fits is
ignored. An option that is new, or a way that is new, has no entry below, and fails.
"""

import inspect
from contextlib import contextmanager, nullcontext

import jax
import numpy as np
import pandas as pd
import pytest

import jaxnet
from jaxnet import InvalidInput, sweeps
from jaxnet.execution import executor, platform, schedule
from jaxnet.missing.multiple import MultipleFill
from jaxnet.pipeline import imputations, plan
from jaxnet.pipeline.journal import Forgetful
from jaxnet.solver.grouped import GroupedPath
from jaxnet.solver.task import Status, Step

N, P = 40, 6


def table() -> pd.DataFrame:
    """Numbers with holes, and a column of labels."""
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(rng.normal(size=(N, P)) * np.arange(1, P + 1), columns=list("abcdef"))
    frame.iloc[::7, 1] = np.nan
    frame.insert(2, "site", rng.choice(["Leeds", "York", "Hull"], N))
    return frame


TABLE = table()
RESPONSES = np.random.default_rng(6).normal(size=(N, 2)) + TABLE[["a"]].to_numpy()
Y = RESPONSES[:, 0]


def missing(pool):
    return {"missing": MultipleFill(m=2, rounds=1, pool=pool)}


def several(X, y, **options):
    return jaxnet.sweep(X, RESPONSES, **options)


WAYS = {  # how to call, with what besides
    "sweep": (jaxnet.sweep, {}),
    "fit_path": (jaxnet.fit_path, {}),
    "nested": (jaxnet.nested_sweep, {"outer": 2, "inner": 2, "rule": "1se"}),
    "stability": (jaxnet.stability_selection, {"n_pairs": 2, "q": 2, "bound": "worst-case"}),
    "several responses": (several, {}),
    "adaptive": (jaxnet.sweep, {"adaptive": jaxnet.Adaptive(alpha=0.1)}),
    "relax": (jaxnet.sweep, {"relax": (1.0, 0.5)}),
    "by pairs": (jaxnet.sweep, {"missing": "pairwise"}),
    "complete": (jaxnet.sweep, {"missing": "complete"}),
    "average": (jaxnet.sweep, missing("average")),
    "stacked": (jaxnet.sweep, missing("stacked")),
    "grouped": (jaxnet.sweep, missing("grouped")),
    "store": (jaxnet.sweep, {"store": "runs.db"}),
}

BASE = {"rho": 0.5, "alphas": 3, "cv": 2, "missing": "mean"}
NO_CV, NO_KEEP = ("fit_path", "nested", "stability"), ("nested", "stability")


class Trial:
    """Another value of an option, what else it needs, and the ways in which it is refused: way -> words of the sentence."""

    def __init__(self, value, refused=None, **besides):
        self.value, self.besides, self.refused = value, besides, refused or {}


OPTIONS = {  # None: the value depends on the way, below
    "rho": Trial(0.9),
    "alphas": Trial([0.5, 0.1]),
    "cv": Trial(3, dict.fromkeys(NO_CV, "has no cv")),
    "groups": Trial(np.arange(N) % 8, {"fit_path": "there are none"}),
    "fold_average": Trial(
        "rows", {"fit_path": "fold_average='rows' is an average over folds", "stability": "has no fold_average"}
    ),
    "metric": Trial(
        "mae",
        {
            "fit_path": "metric='mae' measures held-out errors",
            "stability": "has no metric",
            "by pairs": "needs held-out rows",
        },
    ),
    "alpha_min_ratio": Trial(0.5),
    "sample_weight": Trial(np.arange(1.0, N + 1)),
    "fit_intercept": Trial(False),
    "standardize": Trial(None),
    "penalty_factor": Trial(np.arange(1.0, P + 2)),
    "lower": Trial(-0.5, {"relax": "keeps to no bounds", "grouped": "lower and upper are not kept"}),
    "upper": Trial(0.5, {"relax": "keeps to no bounds", "grouped": "lower and upper are not kept"}),
    "tol": Trial(1e-6),
    "max_iter": Trial(77),
    "solver": Trial(None, {"grouped": "solver='proximal' has no grouped fits"}),
    "dtype": Trial("float32", {"grouped": "dtype=float32 is not kept"}),
    "device": Trial(jax.devices()[-1]),
    "max_memory": Trial("5MB", {"grouped": "max_memory is not kept"}),
    "progress": Trial(None),
    "keep_fold_coefs": Trial(True, {"fit_path": "without folds", **dict.fromkeys(NO_KEEP, "has no keep_fold_coefs")}),
    "adaptive": Trial(
        jaxnet.Adaptive(alpha=0.2), dict.fromkeys(("average", "grouped"), "adaptive would have weights of its own")
    ),
    "relax": Trial(
        0.0,
        {
            "stability": "has no relax",
            "by pairs": "relax refits the rows",
            "grouped": "relax is not for pool='grouped'",
        },
    ),
    "missing": Trial("median"),
    "categories": Trial(jaxnet.Categories(reference="frequent")),
    "store": Trial("other.db", {"grouped": "without a store"}),
    "run": Trial("mine", store="runs.db", refused={"grouped": "without a store"}),
}


def another(name, way, asked):
    """A value other than the one that a way has by itself."""
    if name == "solver":
        descent = platform.on_cpu() and way not in ("by pairs", "grouped")
        return "proximal" if descent or way == "grouped" else "coordinate"
    return {"standardize": way != "stability", "progress": lambda done, total: asked.append((done, total))}[name]


def made_up(task):
    """Fits of a task that nobody solved: the first two columns, by halves down the alphas."""
    sets, lanes, count = task.lam1.shape
    index = np.tile(np.arange(2), (sets, 1))
    of = lambda x, dtype=float: np.full((sets, lanes), x, dtype)
    for k in range(task.skip, count):
        values = np.broadcast_to(0.5**k * np.array([1.0, -0.5]), (sets, lanes, 2)).copy()
        yield Step(k - task.skip, of(0.0), of(0.0), of(1, int), of(Status.CONVERGED, int), of(0.1 * k), index, values)


class Serial(executor.Executor):
    """One chunk after the other, on this thread."""

    def run(self, solve, chunks, desk):
        for chunk in chunks:
            executor.carry_out(solve, chunk, desk, lambda: False)


@pytest.fixture
def engine(monkeypatch):
    """What the engine was asked, in a list: every chunk in turn, and by which means."""
    asked = []

    def walk(task, start):
        plain = (task.lam1, task.lam2, task.tol, task.max_iter, task.solver, task.skip, task.sd, task.unpenalised)
        asked.extend([*jax.tree.leaves(task.view), *jax.tree.leaves(task.penalties), *plain])
        return made_up(task)

    def grouped(design, alphas, rho, *, tol, max_iter):
        asked.extend([*jax.tree.leaves(design.stored), design.factor1, alphas, rho, tol, max_iter])
        m, p = design.stored.columns.shape[1], len(design.units.scale)
        shape = (len(rho), alphas.shape[1])
        fits = np.ones((*shape, m, p)), np.zeros((*shape, m))
        return GroupedPath(*fits, *(np.zeros(shape, d) for d in (float, float, int, int)))

    @contextmanager
    def recording(store, run, request):
        asked.append(f"{store} {run}")
        with real(store, run, request) if request.pool == "grouped" else nullcontext(Forgetful()) as journal:
            yield journal

    limits, scope, real = schedule.limits, platform.scope, sweeps.recording
    monkeypatch.setattr(plan, "walk", walk)
    monkeypatch.setattr(imputations, "solve_grouped", grouped)
    monkeypatch.setattr(executor, "Threads", lambda alone: Serial())
    monkeypatch.setattr(schedule, "limits", lambda given: asked.append(given) or limits(given))
    monkeypatch.setattr(platform, "scope", lambda device: asked.append(str(device)) or scope(None))
    monkeypatch.setattr(sweeps, "recording", recording)
    return asked


def call(way, asked, **options):
    """All that a call asks of the engine, and all that it makes of the answers."""
    function, own = WAYS[way]
    given = {**BASE, **own, **options}
    for name in ("cv",) if way in NO_CV else ():
        given.pop(name) if name not in options else None
    asked.clear()
    result = function(TABLE, Y, **given)
    leaves = jax.tree.leaves(result) if isinstance(result, jaxnet.SweepResult) else list(vars(result).values())
    return [*asked, *(np.asarray(x) for x in leaves if not hasattr(x, "transform")), getattr(result, "metric", None)]


def same(one, other) -> bool:
    if len(one) != len(other):
        return False
    return all(
        np.array_equal(*map(np.asarray, pair), equal_nan=_numeric(pair)) for pair in zip(one, other, strict=True)
    )


def _numeric(pair) -> bool:
    return all(np.asarray(x).dtype.kind == "f" for x in pair)


def test_every_option_of_a_sweep_is_decided_on():
    assert set(OPTIONS) == set(inspect.signature(jaxnet.sweep).parameters) - {"X", "y"}
    for name, trial in OPTIONS.items():
        assert set(trial.refused) <= set(WAYS), name


@pytest.mark.parametrize("way", WAYS)
def test_every_option_acts_or_is_refused(way, engine):
    before = call(way, engine)
    assert same(before, call(way, engine)), "the same call asks the same"
    ignored = []
    for name, trial in OPTIONS.items():
        value = trial.value if trial.value is not None else another(name, way, engine)
        options = {**trial.besides, name: value}
        if way in trial.refused:
            with pytest.raises(InvalidInput, match=trial.refused[way]):
                call(way, engine, **options)
        elif same(before if not trial.besides else call(way, engine, **trial.besides), call(way, engine, **options)):
            ignored.append(name)
    assert not ignored


def test_a_grid_that_is_given_has_no_ratio():
    with pytest.raises(InvalidInput, match="alphas gives the values"):
        jaxnet.sweep(TABLE, Y, alphas=[1.0], alpha_min_ratio=0.1, missing="mean")
