"""Supports are those of an exact solution: nothing in them is rounding, and no solution of a lasso has fewer columns."""

from itertools import combinations

import cases
import numpy as np
import oracles
import pytest
from checks import Request, stored_fit

import jaxnet

TIGHT = 1e-10


def _rows(seed: int, n: int = 40):
    rng = np.random.default_rng(seed)
    return rng, rng.standard_normal((n, 3))


def _factor(rng, levels: int, n: int = 40) -> np.ndarray:
    """An indicator of every level."""
    return (rng.permutation(np.arange(n) % levels)[:, None] == np.arange(levels)).astype(float)


def two_levels(seed):
    rng, Z = _rows(seed)
    return np.column_stack([Z, _factor(rng, 2), _factor(rng, 2)])


def four_levels(seed):
    rng, Z = _rows(seed)
    return np.column_stack([Z, _factor(rng, 4)])


def copies(seed):
    _, Z = _rows(seed)
    return np.column_stack([Z, Z, Z[:, :1]])


def opposites(seed):
    _, Z = _rows(seed)
    return np.column_stack([-Z, Z])


def rescaled(seed):
    """Copies in other units, of which a lasso on raw columns takes the larger."""
    _, Z = _rows(seed)
    return np.column_stack([Z, 4.0 * Z[:, :2], 0.25 * Z])


def means(seed):
    """A column that is the mean of two others costs as much as they do."""
    rng, Z = _rows(seed)
    Z[:, 1] += Z[:, 0]
    return np.column_stack([Z, Z[:, :2].mean(axis=1), rng.standard_normal(40)])


def more_columns_than_rows(seed):
    rng = np.random.default_rng(seed)
    Z = rng.standard_normal((5, 6))
    return np.column_stack([Z, Z[:, ::-1]])


DESIGNS = (two_levels, four_levels, copies, opposites, rescaled, means, more_columns_than_rows)


def _response(X, seed):
    rng = np.random.default_rng([seed, 1])
    return X @ rng.choice([-2.0, 1.0, 3.0], X.shape[1]) + rng.standard_normal(len(X))


def _fewest(problem: oracles.Problem) -> int:
    """The least number of nonzeros of any optimum: of all sets of columns whose KKT condition is tight, the smallest whose
    combinations with the signs of their gradients give the fit, which is the same for all optima."""
    coef, _ = oracles.solve(problem)
    A, root = problem.A.astype(float), np.sqrt(problem.w.astype(float))
    left_over = problem.target.astype(float) - A @ (coef * problem.scales.astype(float))
    fitted, gradient = (problem.target.astype(float) - left_over) * root, A.T @ (problem.w.astype(float) * left_over)
    l1 = problem.l1.astype(float)
    tight = np.flatnonzero(np.abs(gradient) >= l1 * (1 - 1e-7))
    signed = A * root[:, None] * np.sign(gradient)
    size = float(np.sqrt(2 * problem.null))
    for k in range(len(tight) + 1):
        for columns in map(list, combinations(tight, k)):
            share = np.linalg.lstsq(signed[:, columns], fitted, rcond=1e-10)[0]
            left = np.linalg.norm(fitted - signed[:, columns] @ share)
            if left <= 1e-7 * size and np.all(share >= -1e-7 * np.abs(share).max(initial=0)):
                return k
    raise AssertionError("the oracle is no optimum")


@pytest.mark.parametrize("standardize", [False, True])
@pytest.mark.parametrize("solver", cases.SOLVERS)
@pytest.mark.parametrize("design", DESIGNS)
def test_no_exact_solution_has_fewer_nonzeros(design, solver, standardize):
    for seed in range(2):
        X = design(seed)
        y = _response(X, seed)
        found = jaxnet.fit_path(X, y, rho=1.0, alphas=12, tol=TIGHT, solver=solver, standardize=standardize)
        problem = oracles.Problem(X, y, 1.0, 1.0, standardize=standardize)
        assert found.converged
        for k, alpha in enumerate(found.alphas[0]):
            coef, intercept = stored_fit(found, 0, k)
            at = problem.at(alpha, 1.0)
            assert oracles.judge(at, coef, intercept).relative <= TIGHT * 1.01
            assert np.count_nonzero(coef) == _fewest(at), (design.__name__, seed, k, coef)


@pytest.mark.campaign
@pytest.mark.parametrize("solver", cases.SOLVERS)
@pytest.mark.parametrize("design", DESIGNS)
def test_no_exact_solution_has_fewer_nonzeros_on_many_draws(design, solver):
    for seed in range(40):
        X = design(seed)
        y = _response(X, seed)
        found = jaxnet.fit_path(X, y, rho=1.0, alphas=12, tol=TIGHT, solver=solver)
        problem = oracles.Problem(X, y, 1.0, 1.0)
        for k, alpha in enumerate(found.alphas[0]):
            coef, _ = stored_fit(found, 0, k)
            assert np.count_nonzero(coef) == _fewest(problem.at(alpha, 1.0)), (design.__name__, seed, k, coef)


@pytest.mark.parametrize("solver", cases.SOLVERS)
@pytest.mark.parametrize("penalty", cases.PENALTIES)
@pytest.mark.parametrize("name", ["tall", "wide", "duplicated_columns", "near_duplicated_columns"])
def test_nothing_in_a_support_is_rounding(name, penalty, solver):
    """Of every penalised coefficient the own coordinate step is another than to zero, and the columns of a lasso that are
    off their bounds are independent: in fits at knots and between them, to all rows and to folds."""
    data = cases.data(name)
    options = {"tol": 1e-9, **cases.PENALTIES[penalty](data.X.shape[1])}
    request = Request(data.X, data.y, cases.RESAMPLINGS["three_parts"](len(data.y)), options)
    grid = {"rho": (0.5, 1.0), "alphas": 12, "alpha_min_ratio": 0.02}
    found = jaxnet.sweep(data.X, data.y, cv=request.pairs, keep_fold_coefs=True, solver=solver, **grid, **options)
    for fold in (None, 0, 1):
        base = request.problem(1.0, 1.0, fold)
        for i, k in np.ndindex(found.alphas.shape):
            problem = base.at(found.alphas[i, k], found.rho[i])
            coef = stored_fit(found, i, k, fold)[0]
            b, where = coef * problem.scales, f"{i}, {k}, fold {fold}"
            r = problem.target - problem.A @ b
            step = problem.A.T @ (problem.w * r) + problem.w @ problem.A**2 * b
            selected = (coef != 0) & (problem.v > 0)
            assert np.all(abs(step[selected]) > problem.l1[selected] * (1 - 1e-9)), where
            lower, upper = problem.box
            free = selected & (b > lower * (1 - 1e-9)) & (b < upper * (1 - 1e-9))
            if problem.rho == 1 and free.any():
                columns = (np.sqrt(problem.w)[:, None] * problem.A)[:, free].astype(float)
                values = np.linalg.svd(columns / np.linalg.norm(columns, axis=0), compute_uv=False)
                assert free.sum() <= len(columns) and values[-1] > 1e-6, where


def test_a_ridge_part_shares_among_copies():
    """There the solution is unique, and equal columns have equal coefficients."""
    X = copies(0)
    found = jaxnet.fit_path(X, _response(X, 0), rho=0.99, alphas=12, tol=1e-12)
    for k in range(12):
        coef = found.coef_at(0, k)
        np.testing.assert_allclose(coef[[0, 1, 2, 0]], coef[[3, 4, 5, 6]], atol=1e-4 * np.abs(coef).max(initial=0))
    assert found.nonzeros[0, -1] == 7


def _with_factors(seed: int, n: int = 263):
    """Measurements that correlate, and both indicators of three factors with two levels."""
    rng = np.random.default_rng(seed)
    Z = rng.standard_normal((n, 4)) @ rng.standard_normal((4, 16)) + 0.5 * rng.standard_normal((n, 16))
    X = np.column_stack([Z, *(_factor(rng, 2, n) for _ in range(3))])
    b = np.zeros(22)
    b[[*range(5), 16, 18]] = [*rng.standard_normal(5), 3.0, -2.0]
    return X, X @ b + 5 * rng.standard_normal(n)


def test_one_indicator_of_a_factor_with_two_levels_is_selected_and_counted_once():
    X, y = _with_factors(0)
    folds = jaxnet.KFold(10, shuffle=True, seed=0)
    found = jaxnet.sweep(X, y, rho=1.0, alphas=60, cv=folds, standardize=True, keep_fold_coefs=True)
    whole, of_folds = (np.stack([rows.row(i) for i in range(len(rows))]) for rows in (found.coefs, found.fold_coefs))
    for coefs in (whole, of_folds):
        assert not np.any((coefs[:, 16::2] != 0) & (coefs[:, 17::2] != 0))
        assert np.abs(coefs[coefs != 0]).min() > 1e-6
    np.testing.assert_array_equal(found.nonzeros[0], (whole != 0).sum(axis=1))
    frequencies = jaxnet.selection_frequencies(found)
    criteria = found.criteria(X, y)
    np.testing.assert_allclose(criteria.df[0], found.nonzeros[0] + 1, atol=1e-6)
    for k in range(60):
        selected = (of_folds.reshape(60, 10, 22)[k] != 0).mean(axis=0)
        np.testing.assert_allclose(frequencies.at(0, k).frequency, selected)
    for rule in ("min", "1se"):
        best = found.best(rule)
        assert best.nonzeros == np.count_nonzero(best.coef) == len(found.select(X, rule))
        assert len(found.explain(X, y, rule).rows()) == best.nonzeros


@pytest.mark.parametrize("pool", ["stacked", "grouped", "average"])
def test_fits_to_several_fillings_select_one_indicator(pool):
    X, y = _with_factors(1, 100)
    X = np.where(np.arange(22) == 2, np.where(np.arange(100)[:, None] % 9 == 0, np.nan, X), X)
    found = jaxnet.fit_path(
        X, y, rho=1.0, alphas=20, standardize=True, missing=jaxnet.MultipleFill(m=2, pool=pool, seed=0)
    )
    coefs = np.stack([found.coefs.row(k) for k in range(20)])
    assert coefs[-1, 16:].any() and not np.any((coefs[:, 16::2] != 0) & (coefs[:, 17::2] != 0))
