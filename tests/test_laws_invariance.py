"""Metamorphic laws: what changes the request without changing the problem must not change the answers."""

from functools import cache

import cases
import numpy as np
import pytest
from checks import Request, assert_same_fits, audit

import jaxnet

TOL = 1e-11
FOLDS = cases.RESAMPLINGS["uneven"](cases.TALL[0])
OPTIONS = {"tol": TOL}


def _run(X, y, cv=FOLDS, grid=cases.GRID, **options):
    return jaxnet.sweep(X, y, cv=cv, **{**grid, **OPTIONS, **options})


@cache
def _base():
    data = cases.data("tall")
    return _run(data.X, data.y), Request(data.X, data.y, FOLDS, OPTIONS)


@cache
def _weighted():
    data = cases.data("tall")
    options = {**OPTIONS, "sample_weight": cases.weights(len(data.y))}
    return _run(data.X, data.y, **options), Request(data.X, data.y, FOLDS, options)


def test_base_answers_are_right():
    """What the other laws compare with is itself audited."""
    audit(*_base())
    audit(*_weighted())


def test_integer_weights_are_duplicated_rows():
    data = cases.data("tall")
    times = np.random.default_rng(1).integers(0, 4, len(data.y))
    rows = np.repeat(np.arange(len(data.y)), times)
    where = lambda part: np.flatnonzero(np.isin(rows, part))
    pairs = [(where(train), where(test)) for train, test in FOLDS]
    options = {**OPTIONS, "sample_weight": times.astype(float)}
    one, other = _run(data.X, data.y, **options), _run(data.X[rows], data.y[rows], cv=pairs)
    assert_same_fits(one, other, Request(data.X, data.y, FOLDS, options))


@pytest.mark.parametrize("rho", [0.2, 1.0])
@pytest.mark.parametrize("shape", [cases.TALL, cases.WIDE])
def test_what_an_estimator_chose_does_not_tell_weights_from_rows(shape, rho):
    """At the default tol, within which passes end a little earlier or later: what was chosen goes to its minimum."""
    n = shape[0]
    for seed in range(5):
        rng = np.random.default_rng(seed)
        X = rng.normal(size=shape) + 0.7 * rng.normal(size=(n, 1))
        y = X[:, :3].sum(axis=1) + rng.normal(size=n)
        times, fold = rng.integers(0, 4, n), np.arange(n) % 3
        rows = np.repeat(np.arange(n), times)
        splits = [[(np.flatnonzero(of != k), np.flatnonzero(of == k)) for k in range(3)] for of in (fold, fold[rows])]
        one, other = (jaxnet.ElasticNetCV(l1_ratio=[rho], alphas=[1.0, 0.1, 0.01], cv=cv) for cv in splits)
        one.fit(X, y, sample_weight=times.astype(float))
        other.fit(X[rows], y[rows])
        assert one.alpha_ == other.alpha_
        np.testing.assert_allclose(one.coef_, other.coef_, rtol=1e-9, atol=1e-11)
        np.testing.assert_allclose(one.predict(X), other.predict(X), rtol=1e-9, atol=1e-11)


def test_repeated_indices_are_weights():
    """A bootstrap: a row drawn twice counts twice, in the fit and in the score."""
    data = cases.data("tall")
    n = len(data.y)
    rng = np.random.default_rng(2)
    drawn, scored = rng.integers(0, n, n), rng.integers(0, n, n)
    one = _run(data.X, data.y, cv=[(drawn, scored)])
    rows = np.r_[drawn, scored]
    other = _run(
        data.X[rows], data.y[rows], cv=[(np.arange(n), n + np.arange(n))], grid={"rho": one.rho, "alphas": one.alphas}
    )
    np.testing.assert_allclose(one.errors, other.errors, rtol=1e-4)
    np.testing.assert_allclose(one.gap[..., 1], other.gap[..., 1], atol=TOL)


def test_zero_weight_is_a_dropped_row():
    data, (one, request) = cases.data("tall"), _weighted()
    w = cases.weights(len(data.y))
    kept = np.flatnonzero(w > 0)
    assert len(kept) < len(w)
    pairs = [tuple(np.flatnonzero(np.isin(kept, part)) for part in pair) for pair in FOLDS]
    other = _run(data.X[kept], data.y[kept], cv=pairs, sample_weight=w[kept])
    assert_same_fits(one, other, request)


def test_zero_weight_rows_may_hold_anything():
    data, (one, request) = cases.data("tall"), _weighted()
    X, y = data.X.copy(), data.y.copy()
    idle = cases.weights(len(y)) == 0
    X[idle], y[idle] = 1e6, -1e6
    assert_same_fits(one, _run(X, y, sample_weight=cases.weights(len(y))), request)


@pytest.mark.parametrize("factor", [1e-200, 1e-3, 7.0, 1e200])
def test_rescaled_weights_change_nothing(factor):
    data, (one, request) = cases.data("tall"), _weighted()
    assert_same_fits(one, _run(data.X, data.y, sample_weight=factor * cases.weights(len(data.y))), request)


def test_equal_weights_are_no_weights():
    data, (one, request) = cases.data("tall"), _base()
    assert_same_fits(one, _run(data.X, data.y, sample_weight=np.full(len(data.y), 0.3)), request)
    assert_same_fits(one, _run(data.X, data.y, sample_weight=2.0), request)


def test_permuted_rows():
    data, (one, request) = cases.data("tall"), _base()
    order = np.random.default_rng(3).permutation(len(data.y))
    position = np.argsort(order)
    pairs = [(position[train], position[test]) for train, test in FOLDS]
    assert_same_fits(one, _run(data.X[order], data.y[order], cv=pairs), request)


def test_permuted_columns():
    data, (one, request) = cases.data("tall"), _base()
    order = np.random.default_rng(4).permutation(data.X.shape[1])
    assert_same_fits(one, _run(data.X[:, order], data.y), request, columns=np.argsort(order))


def test_permuted_rho_permutes_answers():
    data, (one, request) = cases.data("tall"), _base()
    other = _run(data.X, data.y, grid={"rho": cases.GRID["rho"][::-1], "alphas": cases.GRID["alphas"]})
    assert np.array_equal(other.rho, one.rho[::-1])
    backwards = Request(request.X, request.y, FOLDS, OPTIONS)
    audit(other, backwards)
    np.testing.assert_allclose(other.alphas, one.alphas[::-1], rtol=1e-12)
    np.testing.assert_allclose(other.errors, one.errors[::-1], rtol=1e-4)


def test_alphas_in_any_order_come_back_decreasing():
    data, (one, _) = cases.data("tall"), _base()
    values = np.random.default_rng(5).permutation(one.alphas[1])
    other = _run(data.X, data.y, grid={"rho": one.rho, "alphas": values})
    np.testing.assert_array_equal(other.alphas, one.alphas[[1, 1]])
    np.testing.assert_allclose(other.errors[1], one.errors[1], rtol=1e-4)


def test_permuted_folds_permute_errors():
    data, (one, _) = cases.data("tall"), _base()
    other = _run(data.X, data.y, cv=FOLDS[::-1])
    np.testing.assert_allclose(other.errors, one.errors[..., ::-1], rtol=1e-4)


def test_a_lane_alone_is_the_lane_in_company():
    """One fit at a time, full data: each must agree with the same fit inside the whole sweep."""
    data, (whole, request) = cases.data("tall"), _base()
    for i, k in [(0, 0), (0, 4), (1, 2), (1, 4)]:
        alone = jaxnet.fit_path(data.X, data.y, rho=whole.rho[i], alphas=[whole.alphas[i, k]], tol=TOL)
        assert alone.errors is None and alone.gap.shape == (1, 1, 1)
        single = Request(request.X, request.y, [], OPTIONS)
        audit(alone, single)
        problem = request.problem(whole.alphas[i, k], whole.rho[i])
        limit = 2 * np.sqrt(2 * TOL * float(problem.null))
        fitted = problem.A.astype(float) @ (alone.coef_at(0, 0) - whole.coef_at(i, k))
        assert np.sqrt(np.mean(fitted**2)) <= limit


def test_fold_fits_do_not_see_held_out_rows():
    """Changing held-out rows beyond recognition leaves that fold's fits as they were: nothing leaks."""
    data = cases.data("tall")
    train, test = FOLDS[0]
    X, y = data.X.copy(), data.y.copy()
    X[test], y[test] = 40.0 - 7 * X[test] ** 2, 50.0
    grid = {"rho": [0.3, 1.0], "alphas": [0.5, 0.1, 0.02]}
    for standardize in (False, True):
        runs = [
            _run(data.X, data.y, cv=[(train, test)], grid=grid, keep_fold_coefs=True, standardize=standardize),
            _run(X, y, cv=[(train, test)], grid=grid, keep_fold_coefs=True, standardize=standardize),
        ]
        for run, (A, b) in zip(runs, [(data.X, data.y), (X, y)], strict=True):
            audit(run, Request(A, b, [(train, test)], {**OPTIONS, "standardize": standardize}))
        one, other = (np.asarray([run.fold_coefs.row(r) for r in range(6)]) for run in runs)
        np.testing.assert_allclose(one, other, atol=1e-4)
        np.testing.assert_allclose(runs[0].fold_intercepts, runs[1].fold_intercepts, atol=1e-3)


@pytest.mark.parametrize("by", [2.0**-40, 2.0**10, -(2.0**3)])
def test_scaling_the_response_is_equivariant(by):
    """y -> c y with L1 weights times |c| and ridge weights as they are: fits scale by c, errors by c^2."""
    data, (one, _) = cases.data("tall"), _base()
    l1, l2 = one.alphas * one.rho[:, None] * abs(by), one.alphas * (1 - one.rho[:, None])
    for k in (0, 4):
        alpha = l1[:, k] + l2[:, k]
        other = _run(data.X, data.y * by, grid={"rho": l1[:, k] / alpha, "alphas": alpha[:, None]})
        np.testing.assert_allclose(other.errors[:, 0], one.errors[:, k] * by**2, rtol=1e-4)
        np.testing.assert_allclose(other.intercepts[:, 0], one.intercepts[:, k] * by, rtol=1e-4)
        for i in range(2):
            np.testing.assert_allclose(other.coef_at(i, 0) / by, one.coef_at(i, k), atol=1e-5)
    grid = _run(data.X, data.y * by)
    np.testing.assert_allclose(grid.alphas, one.alphas * abs(by), rtol=1e-12)
    audit(grid, Request(data.X, data.y * by, FOLDS, OPTIONS))


@pytest.mark.parametrize("by", [2.0**-40, 2.0**10])
def test_scaling_the_columns_is_equivariant(by):
    """X -> c X with the lasso: alphas scale by c, coefficients by 1/c, predictions stay."""
    data = cases.data("tall")
    grid = cases.LASSO
    one, other = _run(data.X, data.y, grid=grid), _run(data.X * by, data.y, grid=grid)
    np.testing.assert_allclose(other.alphas, one.alphas * by, rtol=1e-12)
    np.testing.assert_allclose(other.errors, one.errors, rtol=1e-4)
    np.testing.assert_allclose(other.coef_at(0, 4) * by, one.coef_at(0, 4), atol=1e-5)


def test_standardize_makes_column_scales_irrelevant():
    data = cases.data("tall")
    by = np.geomspace(1e-6, 1e6, data.X.shape[1])
    one, other = (_run(X, data.y, standardize=True) for X in (data.X, data.X * by + 3 * by))
    np.testing.assert_allclose(other.alphas, one.alphas, rtol=1e-9)
    np.testing.assert_allclose(other.errors, one.errors, rtol=1e-4)
    np.testing.assert_allclose(other.coef_at(1, 4) * by, one.coef_at(1, 4), atol=1e-5)


def test_shifting_data_moves_the_intercept_only():
    data, (one, _) = cases.data("tall"), _base()
    shift = np.linspace(-30, 50, data.X.shape[1])
    other = _run(data.X + shift, data.y + 7.0)
    moved = Request(data.X + shift, data.y + 7.0, FOLDS, OPTIONS)
    audit(other, moved)
    expected = one.intercepts + 7.0 - np.array([[one.coef_at(i, k) @ shift for k in range(5)] for i in range(2)])
    np.testing.assert_allclose(other.intercepts, expected, atol=1e-3)
    np.testing.assert_allclose(other.errors, one.errors, rtol=1e-4)


def test_responses_are_separate_sweeps():
    data = cases.data("tall")
    rng = np.random.default_rng(6)
    Y = np.stack([data.y, rng.normal(size=len(data.y)), data.X[:, 2] * 100 - 5], axis=1)
    for penalty in ("plain", "everything"):
        options = {**OPTIONS, **cases.PENALTIES[penalty](data.X.shape[1]), "sample_weight": cases.weights(len(Y))}
        together = _run(data.X, Y, keep_fold_coefs=True, **options)
        assert together.alphas.shape == (3, 2, 5) and together.errors.shape == (3, 2, 5, 3)
        request = Request(data.X, Y, FOLDS, options)
        predictions, bests = together.predict(data.X), together.best()
        assert predictions.shape == Y.shape and len(bests) == 3
        for j in range(3):
            audit(together, request, response=j)
            alone = _run(data.X, Y[:, j].copy(), **options)
            assert_same_fits(together, alone, request, response=j)
            np.testing.assert_allclose(predictions[:, j], alone.predict(data.X), atol=1e-3 * np.std(Y[:, j]))
            assert bests[j].alpha == pytest.approx(alone.best().alpha, rel=1e-9)


@pytest.mark.parametrize("max_memory", [1, 200_000])
def test_chunked_is_whole(max_memory):
    data, (one, request) = cases.data("tall"), _base()
    assert_same_fits(one, _run(data.X, data.y, max_memory=max_memory), request)


@pytest.mark.parametrize("kind", ["fortran", "strided", "reversed", "read_only", "list", "matrix_of_frames"])
def test_memory_layout_is_irrelevant(kind):
    data, (one, request) = cases.data("tall"), _base()
    X = data.X
    if kind == "fortran":
        X = np.asfortranarray(X)
    elif kind == "strided":
        X = np.repeat(np.repeat(X, 2, axis=0), 3, axis=1)[::2, ::3]
    elif kind == "reversed":
        X = np.ascontiguousarray(X[::-1, ::-1])[::-1, ::-1]
    elif kind == "list":
        X = X.tolist()
    elif kind == "matrix_of_frames":
        import pandas

        X = pandas.DataFrame(X, columns=[f"gene {j}" for j in range(X.shape[1])])
    other = _run(X, data.y)
    assert_same_fits(one, other, request)
    if kind == "matrix_of_frames":
        assert other.feature_names == tuple(f"gene {j}" for j in range(X.shape[1]))
    else:
        assert other.feature_names is None


@pytest.mark.parametrize("dtype", ["int8", "int64", "uint16", "bool", "float16", "float32", ">f8"])
def test_number_types_are_taken_at_their_value(dtype):
    """Small integers are exact in every type, so every type must give the answers of float64."""
    rng = np.random.default_rng(7)
    low = 0 if dtype.startswith(("uint", "bool")) else -5
    X = rng.integers(low, 2 if dtype == "bool" else 6, cases.TALL)
    y = X @ np.r_[2.0, -1.0, np.zeros(10)] + rng.integers(-2, 3, len(X))
    exact = _run(X.astype(float), y)
    if dtype == "float32":  # computed in float32, certified in float64
        other = _run(X.astype(dtype), y, tol=1e-6)
        audit(other, Request(X, y, FOLDS, {"tol": 1e-6}))
        np.testing.assert_allclose(other.alphas, exact.alphas, rtol=1e-4)
    else:
        assert_same_fits(exact, _run(X.astype(dtype), y), Request(X, y, FOLDS, OPTIONS))


def test_integer_responses():
    data = cases.data("tall")
    y = np.round(data.y).astype(int)
    assert_same_fits(_run(data.X, y.astype(float)), _run(data.X, y), Request(data.X, y, FOLDS, OPTIONS))


def test_inputs_are_left_alone_and_not_kept():
    data, (one, request) = cases.data("tall"), _weighted()
    X, y, w = data.X.copy(), data.y.copy(), cases.weights(len(data.y))
    v, low, high = np.ones(12), np.full(12, -np.inf), np.full(12, np.inf)
    alphas = one.alphas.copy()
    given = (X, y, w, v, low, high, alphas)
    before = [a.copy() for a in given]
    grid = {"rho": list(one.rho), "alphas": alphas}
    result = _run(X, y, grid=grid, sample_weight=w, penalty_factor=v, lower=low, upper=high)
    for a, b in zip(given, before, strict=True):
        np.testing.assert_array_equal(a, b)
    kept = [np.array(a) for a in (result.errors, result.intercepts, result.alphas, result.gap, result.coef_at(1, 3))]
    for a in given:
        a[...] = 1e9
    after = (result.errors, result.intercepts, result.alphas, result.gap, result.coef_at(1, 3))
    for a, b in zip(kept, after, strict=True):
        np.testing.assert_array_equal(a, b)
    assert_same_fits(one, result, request)


def test_same_call_twice_gives_the_same_bits():
    data, (one, _) = cases.data("tall"), _base()
    again = _run(data.X, data.y)
    for name in ("alphas", "errors", "gap", "intercepts", "iterations"):
        np.testing.assert_array_equal(getattr(again, name), getattr(one, name))
