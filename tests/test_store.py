"""A stored sweep that is stopped goes on, to the same bits as one that never stopped, and nothing is solved twice."""

import contextlib
import itertools
import sqlite3
import threading

import cases
import jax
import numpy as np
import pytest
from stores import run_sweep, same, stop_after

import jaxnet
from jaxnet.execution import schedule
from jaxnet.pipeline import collect, plan
from jaxnet.store import rows

SWEEPS = {
    "between knots": ("wide", {"alphas": 12}),
    "all solved": ("wide", {"alphas": 40, "tol": 1e-9}),
    "many chunks": ("wide", {"max_memory": 1}),
    "proximal": ("tall", {"solver": "proximal", "tol": 1e-2, "cv": None}),
    "Gram matrices, a tight tol": ("correlated", {"tol": 1e-10}),
    "fold coefficients": ("tall", {"keep_fold_coefs": True, "sample_weight": cases.weights(40)}),
    "unpenalised columns": ("tall", {"penalty_factor": np.r_[0.0, 0.0, np.ones(10)]}),
    "bounds": ("tall", {"lower": 0.0, "upper": np.r_[0.1, np.full(11, np.inf)]}),
    "closed forms": ("tall", {"rho": [0.0, 0.5, 1.0], "alphas": [1.0, 0.1, 0.0]}),
    "a lead-in": ("tall", {"alphas": [0.01, 0.008, 0.007]}),
    "float32": ("wide", {"dtype": "float32"}),
    "not converged": ("correlated", {"tol": 1e-13, "max_iter": 2}),
    "no folds": ("tall", {"cv": None}),
}


@pytest.mark.parametrize("case", SWEEPS)
@pytest.mark.filterwarnings("ignore::jaxnet.ConvergenceWarning")
def test_resumed_equals_uninterrupted(case, store):
    name, options = SWEEPS[case]
    whole = run_sweep(name, **options)
    stops = 0
    for calls in itertools.count(2, 3):
        try:
            result = run_sweep(name, **options, store=store, progress=stop_after(calls))
            break
        except KeyboardInterrupt:
            stops += 1
    assert stops >= 2 and same(result, whole)
    assert same(jaxnet.Store(store).result(jaxnet.Store(store).runs()[0].name), whole)


def test_several_responses_resume(store):
    data = cases.data("tall")
    y = np.stack([data.y, data.y[::-1], data.y**2], axis=1)
    sweep = lambda **more: jaxnet.sweep(data.X, y, cv=3, **cases.GRID, **more)
    with pytest.raises(KeyboardInterrupt):
        sweep(store=store, progress=stop_after(9))
    assert same(sweep(store=store), sweep())


def test_what_is_stored_is_not_solved_again(store, monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        run_sweep(max_memory=1, store=store, progress=stop_after(15))
    (run,) = jaxnet.Store(store).runs()
    solved, add = [], collect.Collector.add

    def counting(self, sets, rows, step):
        solved.append(step.gap.size)
        return add(self, sets, rows, step)

    monkeypatch.setattr(collect.Collector, "add", counting)
    result = run_sweep(max_memory=1, store=store)
    assert 0 < run.done < run.fits == result.gap.size and sum(solved) == run.fits - run.done
    solved.clear()
    calls = []
    again = run_sweep(max_memory=1, store=store, progress=lambda done, total: calls.append((done, total)))
    assert same(again, result) and not solved and calls[-1] == (run.fits, run.fits)


@pytest.mark.parametrize("case", ["tall", "wide"])
def test_a_stored_sweep_is_the_sweep(case, tmp_path):
    assert same(run_sweep(case, store=tmp_path / "runs.db"), run_sweep(case))


def test_chunks_are_those_of_the_beginning(store, monkeypatch):
    """More cores, or another budget of the machine, must not change what a run computes."""
    whole = run_sweep()
    with pytest.raises(KeyboardInterrupt):
        run_sweep(store=store, progress=stop_after(6))
    monkeypatch.setattr(schedule, "parallelism", lambda: 3)
    monkeypatch.setattr(schedule, "CPU_BUDGET", 1.0)
    assert same(run_sweep(store=store), whole)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(store=store, run="another", progress=stop_after(6))
    monkeypatch.undo()


def test_chunks_that_were_halved_stay_halved(store, monkeypatch):
    """Whether memory runs out may change from one process to the next; the result may not."""
    walk = plan.walk

    def exhausted(task, *more):
        if len(task.lam1) > 1:
            raise jax.errors.JaxRuntimeError("RESOURCE_EXHAUSTED: out of memory")
        return walk(task, *more)

    with monkeypatch.context() as patch:
        patch.setattr(plan, "walk", exhausted)
        halved = run_sweep(keep_fold_coefs=True)
        with pytest.raises(KeyboardInterrupt):
            run_sweep(keep_fold_coefs=True, store=store, progress=stop_after(14))
    with contextlib.closing(sqlite3.connect(store)) as connection:
        states = dict(connection.execute("SELECT name, state FROM units"))
    assert "halved" in states.values()
    assert same(run_sweep(keep_fold_coefs=True, store=store), halved)


def test_interrupt_says_what_is_kept_and_the_store_agrees(store):
    with pytest.raises(KeyboardInterrupt) as caught:
        run_sweep(store=store, run="mine", progress=stop_after(7))
    (run,) = jaxnet.Store(store).runs()
    (note,) = caught.value.__notes__
    assert note.startswith(f"{run.done:,} of {run.fits:,} fits are kept in") and "run 'mine'" in note
    assert run.done > 0 and not run.finished and not run.running
    result = run_sweep(store=store, run="mine")
    (run,) = jaxnet.Store(store).runs()
    best = result.best()
    assert run.finished and run.done == run.fits == result.gap.size
    assert run.best == pytest.approx({"rho": best.rho, "alpha": best.alpha, "cv_error": best.cv_error})
    assert run.problem["rows"] == 20 and run.problem["tol"] == 1e-4 and run.problem["rho"] == [0.2, 1.0]
    assert run.begun <= run.written


CHANGES = {
    "tol": {"tol": 1e-6},
    "rho": {"rho": [0.2, 0.9]},
    "alphas": {"alphas": 6},
    "folds": {"cv": 4},
    "rows of the folds": {"cv": jaxnet.KFold(3, shuffle=True, seed=1)},
    "sample_weight": {"sample_weight": np.arange(1.0, 21)},
    "standardize": {"standardize": True},
    "fit_intercept": {"fit_intercept": False},
    "penalty_factor": {"penalty_factor": np.arange(60.0) + 1},
    "lower": {"lower": 0.0},
    "upper": {"upper": 1.0},
    "solver": {"solver": "proximal"},
    "dtype": {"dtype": "float32"},
    "max_iter": {"max_iter": 99},
    "max_memory": {"max_memory": "1GB"},
    "keep_fold_coefs": {"keep_fold_coefs": True},
    "alpha_min_ratio": {"alpha_min_ratio": 0.5},
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """A store with one finished run, "mine", and its result."""
    path = tmp_path_factory.mktemp("store") / "runs.db"
    return path, run_sweep(store=path, run="mine")


@pytest.mark.parametrize("name", CHANGES)
def test_another_problem_under_the_same_name_is_refused(name, finished):
    path, _ = finished
    with pytest.raises(jaxnet.InvalidInput, match=rf"run 'mine' in .*runs.db is of another problem: .*\b{name} is "):
        run_sweep(store=path, run="mine", **CHANGES[name])


def test_other_data_are_refused(finished):
    path, result = finished
    data = cases.data("wide")
    for name, X, y in (("X", data.X * 1.5, data.y), ("y", data.X, data.y + 1e-9), ("rows", data.X[1:], data.y[1:])):
        with pytest.raises(jaxnet.InvalidInput, match=rf"another problem: .*\b{name} is "):
            jaxnet.sweep(X, y, **cases.GRID, cv=3, store=path, run="mine")
    assert same(run_sweep(store=path, run="mine"), result)


def test_problems_have_names_of_their_own(tmp_path):
    path = tmp_path / "runs.db"
    first, second = run_sweep(store=path), run_sweep(store=path, tol=1e-6)
    names = [run.name for run in jaxnet.Store(path).runs()]
    assert len(set(names)) == 2 and not same(first, second)
    run_sweep(store=path)
    assert [run.name for run in jaxnet.Store(path).runs()] == names
    for name, result in zip(names, (first, second), strict=True):
        assert same(jaxnet.Store(path).result(name), result)


def test_two_runs_share_a_store(store):
    """Two sweeps at once, which both write all the time."""
    whole, results = [run_sweep(tol=tol) for tol in (1e-5, 1e-6)], {}
    sweep = lambda tol: results.update({tol: run_sweep(tol=tol, store=store)})
    threads = [threading.Thread(target=sweep, args=(tol,)) for tol in (1e-5, 1e-6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=60)
    assert same(results[1e-5], whole[0]) and same(results[1e-6], whole[1])


def test_two_on_one_run_are_refused(store):
    inside = []

    def second(done, total):
        if inside:
            return
        (run,) = jaxnet.Store(store).runs()
        inside.append(run.running)
        with pytest.raises(jaxnet.InvalidInput, match=r"run 'mine' in .* is being worked on by process \d+ on "):
            run_sweep(store=store, run="mine")
        with pytest.raises(jaxnet.InvalidInput, match="is being worked on"):
            jaxnet.Store(store).delete("mine")

    result = run_sweep(store=store, run="mine", progress=second)
    assert inside == [True] and same(result, run_sweep())
    assert sorted(path.name for path in store.parent.iterdir()) == ["runs.db"], "something was left behind"


def test_fit_path_and_frames_have_stores_too(tmp_path):
    import pandas

    data = cases.data("tall")
    frame = pandas.DataFrame(data.X, columns=[f"gene {j}" for j in range(12)])
    path = tmp_path / "runs.db"
    stored = jaxnet.fit_path(frame, data.y, **cases.GRID, store=path, run="path")
    assert same(jaxnet.Store(path).result("path"), stored) and stored.feature_names[3] == "gene 3"
    assert jaxnet.Store(path).runs()[0].best is None
    with pytest.raises(jaxnet.InvalidInput, match="of another problem: names is"):
        jaxnet.fit_path(data.X, data.y, **cases.GRID, store=path, run="path")


def table(names=("age", "dose"), words=("blue", "red")):
    """A frame of which only names, words and the order of levels are others: its numbers are always the same."""
    import pandas

    numbers = np.random.default_rng(0).normal(size=(20, 2))
    frame = pandas.DataFrame(numbers, columns=list(names))
    return frame.assign(colour=pandas.Categorical.from_codes(np.arange(20) % 2, list(words)))


ALIKE = {
    "names": {"names": ("age", "weight")},
    "names the other way round": {"names": ("dose", "age")},
    "words": {"words": ("blau", "rot")},
    "levels in another order": {"words": ("red", "blue")},
}


@pytest.mark.parametrize("how", ALIKE)
def test_tables_of_the_same_numbers_are_other_problems_if_they_say_something_else(how, store):
    y = np.random.default_rng(1).normal(size=20)
    first, second = table(), table(**ALIKE[how])
    fitted = [jaxnet.sweep(X, y, **cases.GRID, cv=3, categories=jaxnet.Categories()) for X in (first, second)]
    np.testing.assert_array_equal(fitted[0].gap, fitted[1].gap, "the numbers are the same")
    sweep = lambda X, **where: jaxnet.sweep(
        X, y, **cases.GRID, cv=3, categories=jaxnet.Categories(), store=store, **where
    )
    sweep(first, run="mine")
    with pytest.raises(jaxnet.InvalidInput, match=r"run 'mine' in .* is of another problem: .*names is "):
        sweep(second, run="mine")
    assert same(sweep(second), fitted[1]) and same(sweep(first), fitted[0])
    assert len(jaxnet.Store(store).runs()) == 3, "without a name, a run is called after its problem"


def test_deleted_runs_are_gone_and_others_stay(tmp_path):
    path = tmp_path / "runs.db"
    for run, tol in (("a", 1e-5), ("b", 1e-6)):
        run_sweep(store=path, run=run, tol=tol)
    store = jaxnet.Store(path)
    kept = store.result("b")
    store.delete("a")
    assert [run.name for run in store.runs()] == ["b"] and same(store.result("b"), kept)
    connection = sqlite3.connect(path)
    assert connection.execute("SELECT DISTINCT run FROM blobs").fetchall() == [(2,)]
    connection.close()
    for method in (store.delete, store.result, store.run):
        with pytest.raises(jaxnet.InvalidInput, match="has no run 'a'"):
            method("a")
    assert repr(store) == f"Store({str(path)!r})"


def test_unfinished_runs_have_no_result_yet(store):
    with pytest.raises(KeyboardInterrupt):
        run_sweep(store=store, run="mine", progress=stop_after(6))
    with pytest.raises(jaxnet.InvalidInput, match=r"run 'mine' in .* is not finished \(\d+% of its fits are there\)"):
        jaxnet.Store(store).result("mine")


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"run": "a"}, "run='a' names a run of a store: give store= too"),
        ({"store": 3}, "store=3 is no path"),
        ({"store": "runs.db", "run": ""}, "run='' is no name"),
        ({"store": "runs.db", "run": "a\nb"}, r"run='a\\nb' is no name"),
        ({"store": "runs.db", "run": 7}, "run=7 is no name"),
    ],
)
def test_wrong_arguments_get_a_sentence(options, sentence, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(jaxnet.InvalidInput, match=sentence):
        run_sweep(**options)


def test_large_blobs_are_kept_in_parts(store, monkeypatch):
    """SQLite takes at most 1e9 bytes in one value."""
    monkeypatch.setattr(rows, "PART", 1000)
    with pytest.raises(KeyboardInterrupt):
        run_sweep(store=store, progress=stop_after(7))
    connection = sqlite3.connect(store)
    assert connection.execute("SELECT max(length(content)), sum(more) > 50 FROM blobs").fetchone() == (1000, 1)
    connection.close()
    assert same(run_sweep(store=store), run_sweep())


@pytest.mark.parametrize("weighted", [False, True])
def test_runs_from_before_folds_could_be_averaged_two_ways_keep_their_key(weighted, tmp_path):
    """They averaged by rows with sample weights, else by folds: the problem says so only where it is otherwise."""
    data, place = cases.data("tall"), tmp_path / "runs.db"
    options = {"rho": 1.0, "alphas": 3, "cv": 3, "sample_weight": np.arange(1.0, 41.0) if weighted else None}
    before, now = ("rows", "folds") if weighted else ("folds", "rows")
    for average in (before, now):
        jaxnet.sweep(data.X, data.y, store=place, run=average, fold_average=average, **options)
    problems = {run.name: run.problem for run in jaxnet.Store(place).runs()}
    assert "fold_average" not in problems[before] and "metric function" not in problems[before]
    assert problems[now] == {**problems[before], "fold_average": now}
    with pytest.raises(jaxnet.InvalidInput, match="of another problem: fold_average is"):
        jaxnet.sweep(data.X, data.y, store=place, run=before, fold_average=now, **options)
    stored = jaxnet.Store(place).result("rows")
    np.testing.assert_array_equal(
        stored.error_mean, jaxnet.sweep(data.X, data.y, fold_average="rows", **options).error_mean
    )
