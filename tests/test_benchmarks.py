"""The benchmark suite: its judge against naive arithmetic, its workloads, its adapters through the judge, its table."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.insert(0, str(Path(__file__).parents[1]))

from benchmarks.calibrate import Tolerances, loosest
from benchmarks.fits import Fits, concatenate, from_dense, load_fits
from benchmarks.judge import judge
from benchmarks.launch import Limits, WorkerFailed, launch
from benchmarks.measure import Bench
from benchmarks.problem import Problem, load_problem, save_problem
from benchmarks.run import continued
from benchmarks.solvers import SOLVERS
from benchmarks.solvers.base import NotInstalled
from benchmarks.table import markdown, ratio
from benchmarks.workloads import FULL, QUICK, Workload, build, workloads

TINY = Workload("tiny", 30, 40, 2, "for the tests", folds=3, n_alphas=4)


def naive_gap(X, y, b, alpha, rho, most=np.inf) -> float:
    """Relative gap of one fit, straight from the formula: centred rows, the best of many dual points."""
    n = len(y)
    X, y = X - X.mean(0), y - y.mean()
    r, l1, l2 = y - X @ b, n * alpha * rho, n * alpha * (1 - rho)
    primal = (r @ r + l2 * b @ b) / 2 + l1 * np.abs(b).sum()
    largest = min(most, l1 / np.abs(X.T @ r - l2 * b).max())
    dual = max(-(s**2) * (r @ r + l2 * b @ b) / 2 + s * (r @ y) for s in np.linspace(0, largest, 100_001))
    if rho < 1:
        excess = np.maximum(np.abs(X.T @ r) / n - alpha * rho, 0)
        dual = max(dual, r @ y - r @ r / 2 - n * (excess**2).sum() / (2 * alpha * (1 - rho)))
    return (primal - dual) / (y @ y / 2)


def random_fits(problem: Problem, rng) -> np.ndarray:
    """Dense coefficients (fits, p), a few of them nonzero."""
    p = problem.X.shape[1]
    return rng.normal(size=(int(np.prod(problem.grid)), p)) * (rng.random((1, p)) < 0.2) * 0.05


@pytest.mark.parametrize("responses", [1, 2])
def test_judge_agrees_with_naive_arithmetic(rng, responses):
    problem = build(Workload("tiny", 30, 40, 2, "", folds=3, n_alphas=4, responses=responses))
    dense = random_fits(problem, rng)
    fits = SOLVERS["scikit-learn"].solve(problem, 1e-6, threads=1, keep_folds=True).fits if responses == 1 else None
    if fits is not None:  # too large a solution, as an interpolated one can be: the best dual scale is above one
        lane = np.repeat(np.arange(len(dense)), fits.counts())
        dense[:] = 0
        dense[lane, fits.columns] = 1.2 * fits.values
    verdict, looser = judge(problem, from_dense(dense.T)), 0
    for lane, b in enumerate(dense):
        g, j, i, k = np.unravel_index(lane, problem.grid)
        rows = problem.train[g]
        X, y = problem.X[rows], problem.Y[rows, j]
        expected = naive_gap(X, y, b, problem.alphas[j, i, k], problem.rho[i])
        np.testing.assert_allclose(verdict.gap[g, j, i, k], expected, rtol=1e-6)
        looser += naive_gap(X, y, b, problem.alphas[j, i, k], problem.rho[i], most=1.0) > 1.001 * expected
    assert looser or responses == 2
    errors = [
        np.mean(
            (
                problem.Y[~t, 0]
                - y0
                - (problem.X[~t] - problem.X[t].mean(0)) @ dense[np.ravel_multi_index((g, 0, 1, 2), problem.grid)]
            )
            ** 2
        )
        for g, t in enumerate(problem.train)
        if g
        for y0 in [problem.Y[t, 0].mean()]
    ]
    np.testing.assert_allclose(verdict.errors[0, 1, 2], np.mean(errors), rtol=1e-9)


def test_judge_flags_a_wrong_and_a_broken_fit():
    problem = build(TINY)
    answer = SOLVERS["scikit-learn"].solve(problem, 1e-9, threads=1, keep_folds=True)
    assert judge(problem, answer.fits).worst < 1e-7
    for spoil in (0.5, np.nan):
        values = answer.fits.values.copy()
        values[-1] += spoil
        assert judge(problem, Fits(values, answer.fits.columns, answer.fits.starts)).worst > 1e-3
    with pytest.raises(ValueError, match="fits were handed in"):
        judge(problem, answer.fits.rows(np.arange(5)))


def test_jaxnet_and_scikit_learn_agree_through_the_judge():
    problem = build(TINY)
    verdicts = {}
    for name in ("jaxnet", "scikit-learn"):
        answer = SOLVERS[name].solve(problem, 1e-8, threads=1, keep_folds=True)
        verdicts[name] = judge(problem, answer.fits)
        assert verdicts[name].worst < 3e-8, name
        np.testing.assert_allclose(answer.errors, verdicts[name].errors, rtol=1e-6)
    np.testing.assert_allclose(verdicts["jaxnet"].errors, verdicts["scikit-learn"].errors, rtol=1e-3)
    assert verdicts["jaxnet"].selected(problem) == verdicts["scikit-learn"].selected(problem)


def test_workloads_have_the_promised_design():
    problem = build(Workload("w", 2000, 100, 3, "", folds=4, n_alphas=7))
    C = np.corrcoef(problem.X.T)
    assert abs(C[:25, :25][~np.eye(25, dtype=bool)].mean() - 0.5) < 0.05
    assert abs(C[:25, 25:].mean()) < 0.05
    top = np.abs(problem.X.T @ (problem.Y[:, 0] - problem.Y.mean())).max() / 2000
    np.testing.assert_allclose(problem.alphas[0, :, 0] * problem.rho, top)
    np.testing.assert_allclose(problem.alphas[0, :, -1] / problem.alphas[0, :, 0], 1e-3)  # n > p
    np.testing.assert_allclose(problem.rho, [0.1, 0.55, 1.0])
    assert problem.train.sum(1).tolist() == [2000, 1500, 1500, 1500, 1500]
    assert build(TINY).alphas[0, 0, -1] == pytest.approx(1e-2 * build(TINY).alphas[0, 0, 0])
    np.testing.assert_array_equal(build(TINY).X, build(TINY).X)


def test_half_samples_come_in_complementary_pairs():
    problem = build(Workload("halves", 30, 10, 1, "", halves=4, n_alphas=3))
    assert problem.keep_folds and problem.train.shape == (5, 30) and problem.train[0].all()
    assert problem.train[1:].sum(1).tolist() == [15] * 4
    np.testing.assert_array_equal(problem.train[1], ~problem.train[2])


def test_workloads_are_chosen_by_name():
    assert [w.name for w in workloads(["path", "wide"])] == ["wide", "path-5k", "path-20k"]
    assert {w.name for w in QUICK} <= {w.name for w in FULL}
    with pytest.raises(ValueError, match="no workload is called nothing"):
        workloads(["nothing"])


def test_problems_and_fits_survive_the_disk(tmp_path, rng):
    problem = build(TINY)
    save_problem(problem, tmp_path)
    back = load_problem(tmp_path)
    assert back.name == problem.name and back.grid == problem.grid
    for name in ("X", "Y", "rho", "alphas", "train"):
        np.testing.assert_array_equal(getattr(back, name), getattr(problem, name))
    fits = from_dense(random_fits(problem, rng).T)
    both = concatenate([fits, fits])
    both.save(tmp_path / "fits.npz")
    tail = load_fits(tmp_path / "fits.npz").rows(np.arange(len(fits), 2 * len(fits)))
    np.testing.assert_array_equal(tail.values, fits.values)
    np.testing.assert_array_equal(tail.starts, fits.starts)


def test_every_solver_is_registered_and_says_how_to_install_it():
    assert list(SOLVERS) == ["jaxnet", "scikit-learn", "glmnet", "adelie", "celer", "skglm"]
    for name, solver in SOLVERS.items():
        assert solver.name == name and 0 < solver.first_tolerance(1e-6) < solver.first_tolerance(3e-4)
        with pytest.raises(NotInstalled, match="install"):
            solver.versions("/nonexistent/interpreter")


def test_a_missing_peer_is_a_row_and_not_a_gap_in_the_table(tmp_path):
    with Bench(TINY, True, Limits(), Tolerances(tmp_path / "tolerances.json")) as bench:
        row = bench.measure(SOLVERS["adelie"], "/nonexistent/python", 3e-4)
    assert row["status"] == "not installed" and "numpy<2" in row["message"]


def test_a_worker_solves_in_a_fresh_process_within_its_time(tmp_path):
    problem, solver = build(TINY), SOLVERS["scikit-learn"]
    save_problem(problem, tmp_path)
    outcome = launch(solver, sys.executable, tmp_path, 1e-6, Limits(repeats=1, threads=2), 1)
    assert judge(problem, outcome.fits).worst < 1e-5
    assert len(outcome.warm) == 1 and outcome.cold > outcome.first > 0
    with pytest.raises(WorkerFailed, match="time limit"):
        launch(solver, sys.executable, tmp_path, 1e-6, Limits(seconds=0.05), 1)


@pytest.mark.parametrize("start", [1e-1, 1e-12])
def test_calibration_finds_the_loosest_tolerance_that_meets(start):
    tol, met = loosest(start, 0.5, 1e-4, lambda tol: 3.0 * tol**0.6)
    assert met and 0.5e-4 < 3.0 * tol**0.6 <= 1e-4
    assert not loosest(1e-3, 1.0, 1e-4, lambda tol: np.inf)[1]


def rows() -> list[dict]:
    def row(solver, warm, status="ok", timed=4):
        return {
            "workload": "wide", "target": 3e-4, "solver": solver, "status": status, "warm": warm, "cold": warm + 1,
            "worst_gap": 2e-4, "warm_is_first_call": False, "timed_responses": timed, "all_responses": 4,
            "peak_bytes": 2**30, "x_bytes": 2**20, "versions": {solver: "1.0"},
        }  # fmt: skip

    missing = {"workload": "wide", "target": 3e-4, "solver": "celer", "status": "not installed", "message": "pip it"}
    fast_but_wrong = row("adelie", 0.5, "missed the target")
    return [row("jaxnet", 2.0), row("glmnet", 6.0), row("scikit-learn", 9.0, timed=1), fast_but_wrong, missing]


def test_table_compares_with_the_fastest_peer_that_meets_the_gap():
    results = {"machine": {"processor": "P", "memory_gib": 1, "system": "S"}, "threads": 2, "rows": rows()}
    text = markdown(results)
    assert ratio(rows()) == (3.0, "glmnet") and "3.00x (glmnet)" in text
    for part in ("MISSED", "[scaled]", "1 of 4 responses", "celer is not installed: pip it", "2 cores"):
        assert part in text, part


def test_a_run_goes_on_only_from_one_of_its_own_kind(tmp_path):
    before = {"machine": {"cores": 2}, "threads": 2, "quick": False, "rows": rows(), "seconds": 60.0}
    (tmp_path / "results.json").write_text(json.dumps(before))
    assert continued({**before, "rows": []}, tmp_path / "results.json") == before
    with pytest.raises(ValueError, match="another machine"):
        continued({**before, "machine": {"cores": 4}}, tmp_path / "results.json")


def test_table_takes_several_targets():
    tight = [{**row, "target": 1e-6, "peak_bytes": 2**31} if "peak_bytes" in row else row for row in rows()]
    text = markdown(
        {"machine": {"processor": "P", "memory_gib": 1, "system": "S"}, "threads": 2, "rows": rows() + tight}
    )
    assert "jaxnet 2,048" in text and text.count("Worst relative gap") == 2


def test_plot_is_drawn_from_results(tmp_path):
    from benchmarks.plot import draw

    draw({"rows": rows()}, tmp_path / "plot.png")
    assert (tmp_path / "plot.png").stat().st_size > 1000
