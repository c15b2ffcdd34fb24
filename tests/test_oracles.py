"""The oracles against each other: judge, reference solver, scikit-learn, R glmnet, and fits spoilt on purpose."""

import cases
import frozen_glmnet
import numpy as np
import oracles
import pytest
from oracles import Problem

PENALTY_PAIRS = [(1.0, 0.05), (0.7, 0.05), (0.2, 0.3), (0.0, 0.4)]


def _problem(name, penalty, rho, share, weighted=True):
    data = cases.data(name)
    n, p = data.X.shape
    options = dict(cases.PENALTIES[penalty](p))
    problem = Problem(
        data.X,
        data.y,
        1.0,
        rho,
        weights=cases.weights(n) if weighted else None,
        factors=options.get("penalty_factor"),
        lower=options.get("lower", -np.inf),
        upper=options.get("upper", np.inf),
        intercept=options.get("fit_intercept", True),
        standardize=options.get("standardize", False),
    )
    return problem.at(share * oracles.alpha_max(problem, 1.0), rho)


@pytest.mark.parametrize("penalty", cases.PENALTIES)
@pytest.mark.parametrize("name", ["tall", "wide"])
def test_judge_certifies_the_reference_solution(name, penalty):
    for rho, share in PENALTY_PAIRS:
        problem = _problem(name, penalty, rho, share)
        verdict = oracles.judge(problem, *oracles.solve(problem))
        assert -1e-17 <= verdict.relative <= 1e-12
        assert verdict.kkt <= 1e-12


@pytest.mark.parametrize("penalty", cases.PENALTIES)
def test_judge_is_never_below_the_truth_and_sees_damage(penalty, rng):
    for rho, share in PENALTY_PAIRS:
        problem = _problem("tall", penalty, rho, share)
        coef, intercept = oracles.solve(problem)
        best = oracles.objective(problem, coef, intercept)
        for size in (1e-6, 1e-3, 0.1, 10):
            spoilt = np.clip(
                coef + size * rng.normal(size=coef.shape) * (rng.random(coef.shape) < 0.5), *_plain_box(problem)
            )
            b0 = oracles.intercept_for(problem, spoilt)
            verdict = oracles.judge(problem, spoilt, b0)
            assert verdict.gap >= oracles.objective(problem, spoilt, b0) - best >= 0
            assert verdict.gap > 1e-9 * size**2 and verdict.kkt > 1e-9 * size
            moved = oracles.judge(problem, spoilt, b0 + size)
            assert moved.primal == pytest.approx(
                verdict.primal + (size**2 / 2 if problem.intercept else moved.primal - verdict.primal)
            )
            error = oracles.distance(problem, spoilt, coef)
            assert error <= oracles.bounds_between(problem, verdict.gap, 0) * (1 + 1e-9)


def _plain_box(problem):
    lower, upper = problem.box
    return (lower / problem.scales).astype(float), (upper / problem.scales).astype(float)


def test_judge_refuses_coefficients_out_of_bounds():
    problem = _problem("tall", "bounds", 0.7, 0.05)
    coef, intercept = oracles.solve(problem)
    coef[0] = 0.6
    assert oracles.judge(problem, coef, intercept).gap == np.inf


def test_wrong_penalty_is_noticed():
    """A fit of the unhalved or of the glmnet-scaled objective must not pass for ours."""
    problem = _problem("tall", "plain", 0.5, 0.05)
    l1, l2 = problem.alpha * 0.5, problem.alpha * 0.5
    unhalved = problem.at(l1 + 2 * l2, l1 / (l1 + 2 * l2))
    assert oracles.judge(problem, *oracles.solve(unhalved)).relative > 1e-3


@pytest.mark.parametrize("penalty", ["plain", "no_intercept", "positive"])
@pytest.mark.parametrize("name", ["tall", "wide", "correlated", "diabetes"])
def test_reference_solution_is_scikit_learns(name, penalty):
    for rho, share in PENALTY_PAIRS[:3]:
        problem = _problem(name, penalty, rho, share)
        coef, intercept = oracles.sklearn_fit(problem)
        verdict = oracles.judge(problem, coef, intercept)
        mine, b0 = oracles.solve(problem)
        assert verdict.relative <= 1e-10
        assert oracles.distance(problem, coef, mine) <= oracles.bounds_between(
            problem, verdict.gap, 1e-16 * problem.null
        )
        if name == "tall":
            np.testing.assert_allclose(coef, mine, atol=1e-5 * np.max(abs(mine)))
            assert intercept == pytest.approx(b0, abs=1e-5)


def test_ridge_reference_is_the_closed_form():
    problem = _problem("tall", "factors", 0.0, 0.3)
    w, A = problem.w.astype(float), problem.A.astype(float)
    closed = np.linalg.solve(
        A.T @ (w[:, None] * A) + np.diag(problem.l2.astype(float)), A.T @ (w * problem.target.astype(float))
    )
    np.testing.assert_allclose(oracles.solve(problem)[0], closed, rtol=1e-9)


@pytest.mark.parametrize("name", frozen_glmnet.names())
def test_judge_certifies_glmnet(name):
    """R's own answers pass our judge: dialect map, weights, factors, bounds, standardisation are the same problem."""
    case = frozen_glmnet.load(name)
    start = None
    for alpha, coef, intercept in zip(case.alphas, case.coefs, case.intercepts, strict=True):
        problem = case.problem.at(alpha, case.rho)
        assert oracles.judge(problem, coef, intercept).relative <= 1e-6
        start, b0 = oracles.solve(problem, start)
        np.testing.assert_allclose(coef, start, atol=1e-4)
        assert intercept == pytest.approx(b0, abs=1e-4)


@pytest.mark.parametrize("name", cases.DEGENERATE)
def test_judge_certifies_degenerate_data(name):
    """Extended precision carries the judge and the reference through every degenerate case."""
    for rho, share in PENALTY_PAIRS[:3]:
        problem = _problem(name, "plain", rho, share, weighted=False)
        coef, intercept = oracles.solve(problem)
        assert oracles.judge(problem, coef, intercept).relative <= 1e-9, (rho, share)


def test_alpha_max_is_where_zeros_start():
    for penalty in ("plain", "no_intercept", "standardized", "positive", "bounds"):
        problem = _problem("tall", penalty, 0.7, 1.0)
        top = oracles.alpha_max(problem, 0.7)
        assert not np.any(oracles.solve(problem.at(top * (1 + 1e-9), 0.7))[0])
        assert np.any(oracles.solve(problem.at(top * (1 - 1e-6), 0.7))[0])
