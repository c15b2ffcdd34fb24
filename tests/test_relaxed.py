"""Relaxed fits: blends with least squares on the support, in every fold, and the choice among them."""

import json

import cases
import numpy as np
import pytest
from checks import Request, audit_errors, stored_fit
from cli_runs import data_columns, make_data, read_rows, sweep, write_csv

import jaxnet
from jaxnet import InvalidInput
from jaxnet.cli import main

BLENDS = (1.0, 0.4, 0.0)
GRID = {"rho": [0.3, 1.0], "alphas": 5}
TIGHT = {"tol": 1e-10, "keep_fold_coefs": True}


def least_squares(request: Request, fold, support) -> np.ndarray:
    """Intercept (zero if there is none) and coefficients (p + 1,) of the weighted least squares fit on some columns."""
    problem = request.problem(fold=fold)
    root = np.sqrt(np.asarray(problem.w, float))[:, None]
    A = root * np.c_[np.full(len(root), float(problem.intercept)), np.asarray(problem.X)[:, support]]
    found = np.zeros(1 + problem.X.shape[1])
    found[np.r_[0, 1 + support]] = np.linalg.lstsq(A, root[:, 0] * problem.y, rcond=1e-12)[0]
    return found


@pytest.mark.parametrize(
    ("design", "penalty"),
    [
        ("tall", "plain"),
        ("tall", "factors"),
        ("wide", "standardized"),
        ("wide", "factors"),
        ("unequal_scales", "no_intercept"),
    ],
)
def test_blends_are_those_of_a_loop(design, penalty):
    data = cases.data(design)
    n, p = data.X.shape
    options = {**cases.PENALTIES[penalty](p), "sample_weight": cases.weights(n)}
    request = Request(data.X, data.y, cases.RESAMPLINGS["uneven"](n), options)
    both = {"cv": request.pairs, **GRID, **TIGHT, **options, "alpha_min_ratio": 0.1}
    plain, relaxed = jaxnet.sweep(data.X, data.y, **both), jaxnet.sweep(data.X, data.y, relax=BLENDS, **both)
    assert relaxed.rho.tolist() == np.repeat(GRID["rho"], 3).tolist() and relaxed.blend.tolist() == [*BLENDS, *BLENDS]
    free = np.flatnonzero(options.get("penalty_factor", np.ones(p)) == 0)
    compared = 0
    for fold, (i, k) in ((f, at) for f in (None, 0, 1, 2) for at in np.ndindex(2, 5)):
        coef, intercept = stored_fit(plain, i, k, fold)
        support = np.union1d(np.flatnonzero(coef), free)
        if len(support) >= np.count_nonzero(request.problem(fold=fold).w) - 2:
            continue  # test_refits_that_are_open_change_least has these
        compared += 1
        refit = least_squares(request, fold, support)
        for b, blend in enumerate(BLENDS):
            got, level = stored_fit(relaxed, 3 * i + b, k, fold)
            expected = blend * np.r_[intercept, coef] + (1 - blend) * refit
            np.testing.assert_allclose(np.r_[level, got], expected, rtol=1e-6, atol=1e-8 * np.max(abs(expected)))
    assert compared >= 20
    audit_errors(relaxed, request)


@pytest.mark.parametrize("design", ["tall", "wide"])
def test_a_blend_of_one_is_the_sweep_itself(design):
    data = cases.data(design)
    plain = jaxnet.sweep(data.X, data.y, cv=3, **GRID, **TIGHT)
    relaxed = jaxnet.sweep(data.X, data.y, cv=3, relax=BLENDS, **GRID, **TIGHT)
    assert plain.blend is None
    for name in ("alphas", "intercepts", "errors", "gap", "kkt", "iterations", "status", "fold_intercepts"):
        np.testing.assert_array_equal(getattr(relaxed, name)[::3], getattr(plain, name))
    for name in ("alphas", "gap", "kkt", "iterations", "status"):  # the certificate is that of the penalised fit
        np.testing.assert_array_equal(getattr(relaxed, name), np.repeat(getattr(plain, name), 3, axis=0))
    for one, other, shape in (
        (plain.coefs, relaxed.coefs, (2, 3, 5)),
        (plain.fold_coefs, relaxed.fold_coefs, (2, 3, 15)),
    ):
        dense = other.toarray().reshape(*shape, -1)
        np.testing.assert_array_equal(dense[:, 0].reshape(len(one), -1), one.toarray())
    assert jaxnet.sweep(data.X, data.y, cv=3, relax=BLENDS, **GRID).fold_coefs is None


def test_refits_that_are_open_change_least():
    """More columns than rows: of all fits without residuals the one nearest to the penalised fit, in unit columns."""
    data = cases.data("wide")
    options = {"rho": 0.1, "alphas": [0.02], "cv": cases.RESAMPLINGS["uneven"](20), "standardize": True, **TIGHT}
    plain, relaxed = (jaxnet.sweep(data.X, data.y, relax=relax, **options) for relax in (None, 0.0))
    for fold, rows in ((None, np.arange(20)), *((k, train) for k, (train, _) in enumerate(options["cv"]))):
        X, y = data.X[rows], data.y[rows]
        coef, intercept = stored_fit(plain, 0, 0, fold)
        support = np.flatnonzero(coef)
        assert len(support) > len(rows)
        Z, sd = X[:, support] - X[:, support].mean(axis=0), X[:, support].std(axis=0)
        change = np.linalg.pinv(Z / sd, rcond=1e-10) @ (y - intercept - X @ coef)
        got, level = stored_fit(relaxed, 0, 0, fold)
        np.testing.assert_allclose(got[support], coef[support] + change / sd, rtol=1e-6, atol=1e-8)
        np.testing.assert_allclose(X @ got + level, y, atol=1e-7 * np.ptp(y))


def test_collinear_columns_share_what_they_shared():
    data = cases.data("duplicated_columns")
    result = jaxnet.sweep(data.X, data.y, rho=[0.5, 0.5], alphas=6, cv=3, relax=(1.0, 0.0), tol=1e-10)
    request = Request(data.X, data.y)
    for k in range(6):
        coef, change = result.coef_at(1, k), result.coef_at(1, k) - result.coef_at(0, k)
        np.testing.assert_array_equal(coef[6:] != 0, coef[:6] != 0)
        np.testing.assert_allclose(change[6:], change[:6], atol=1e-9)
        once = np.flatnonzero(coef[:6])
        fitted = least_squares(request, None, once)
        np.testing.assert_allclose(data.X @ coef + result.intercepts[1, k], fitted[0] + data.X @ fitted[1:], atol=1e-6)


@pytest.mark.parametrize("name", cases.DEGENERATE)
def test_degenerate_data_have_relaxed_fits(name):
    data = cases.data(name)
    result = jaxnet.sweep(data.X, data.y, **cases.GRID, cv=3 if data.folds else None, relax=(1.0, 0.5, 0.0))
    fitted = result.coefs.toarray()
    assert np.isfinite(fitted).all() and np.isfinite(result.intercepts).all()
    if result.errors is not None:
        assert np.isfinite(result.errors).all() and repr(result.best()).startswith("BestFit")
    if data.constant_response:
        assert not fitted.any() and np.all(abs(result.intercepts - data.y[0]) <= 1e-15 * abs(data.y[0]))


def test_cross_validation_chooses_the_blend():
    """Few strong columns among many: the refit predicts better than any shrunk fit, and says so itself."""
    rng = np.random.default_rng(4)
    X = rng.standard_normal(cases.TALL)
    y = 4 * X[:, :3].sum(axis=1) + rng.standard_normal(len(X))
    result = jaxnet.sweep(X, y, rho=[0.5, 1.0], alphas=12, cv=3, relax=BLENDS)
    best = result.best()
    assert result.error_mean.min() == best.cv_error == result.error_mean[best.index]
    assert best.blend == result.blend[best.index[0]] == 0 and "blend=0" in repr(best)
    assert "6 (rho, blend) x 12 alphas" in repr(result)
    assert [fit.blend for fit in result.best_per_rho()] == [*BLENDS, *BLENDS]
    np.testing.assert_allclose(result.predict(X), X @ best.coef + best.intercept)
    assert best.cv_error < 0.9 * min(fit.cv_error for fit in result.best_per_rho() if fit.blend == 1)


def test_degrees_of_freedom_are_the_divergence_of_the_blend():
    data = cases.data("tall")
    X, y, n, step = data.X, data.y / np.std(data.y), 40, 2e-4
    grid = {"rho": [0.3, 1.0], "alphas": [0.3, 0.1, 0.03], "relax": BLENDS, "tol": 1e-12}
    result = jaxnet.fit_path(X, y, **grid)
    criteria = result.criteria(X, y)
    Y = np.concatenate([y[:, None] + step * np.eye(n), y[:, None] - step * np.eye(n)], axis=1)
    moved = jaxnet.fit_path(X, Y, **grid)
    fitted = moved.coefs.toarray().reshape(*moved.alphas.shape, -1) @ X.T + moved.intercepts[..., None]
    own = np.stack([fitted[j, ..., j % n] for j in range(2 * n)])
    off = abs(criteria.df - np.sum((own[:n] - own[n:]) / (2 * step), axis=0))
    assert np.median(off) < 1e-3 and np.sort(off.ravel())[-3] < 0.05  # a support may change within a step
    np.testing.assert_allclose(criteria.df[2::3], 1 + result.nonzeros[2::3])
    rows = criteria.rows()
    assert [row["blend"] for row in rows] == np.repeat([*BLENDS, *BLENDS], 3).tolist()


def test_each_response_is_relaxed():
    data = cases.data("wide")
    Y = np.stack([data.y, data.X[:, 3] - data.y], axis=1)
    options = {"cv": 3, "relax": BLENDS, **GRID, **TIGHT}
    together = jaxnet.sweep(data.X, Y, **options)
    assert together.errors.shape == (2, 6, 5, 3) and together.blend.shape == (6,)
    for j in range(2):
        alone = jaxnet.sweep(data.X, Y[:, j], **options)
        np.testing.assert_allclose(together.errors[j], alone.errors, rtol=1e-3)
        np.testing.assert_allclose(together.coefs.toarray()[30 * j : 30 * (j + 1)], alone.coefs.toarray(), atol=1e-3)


def test_adaptive_fits_are_relaxed_too():
    data = cases.data("tall")
    options = {"cv": 3, "adaptive": jaxnet.Adaptive(cv=3), **GRID, **TIGHT}
    plain, relaxed = (jaxnet.sweep(data.X, data.y, relax=relax, **options) for relax in (None, BLENDS))
    np.testing.assert_array_equal(relaxed.errors[::3], plain.errors)
    np.testing.assert_array_equal(relaxed.options.adaptive_weights, plain.options.adaptive_weights)
    request = Request(data.X, data.y)
    for i, k in np.ndindex(2, 5):
        expected = least_squares(request, None, np.flatnonzero(plain.coef_at(i, k)))
        np.testing.assert_allclose(relaxed.coef_at(3 * i + 2, k), expected[1:], atol=1e-7)


@pytest.mark.parametrize("name", ["ElasticNetCV", "LassoCV"])
def test_estimators_choose_a_blend(name, tmp_path):
    data = cases.data("wide")
    ratios = {"l1_ratio": [0.5, 0.9]} if name == "ElasticNetCV" else {}
    model = getattr(jaxnet, name)(alphas=7, cv=3, relax=BLENDS, **ratios).fit(data.X, data.y)
    rho = ratios.get("l1_ratio", [1.0])
    result = jaxnet.sweep(data.X, data.y, rho=rho, alphas=7, alpha_min_ratio=1e-3, cv=3, max_iter=1000, relax=BLENDS)
    best = result.best()
    assert (model.alpha_, model.blend_) == (best.alpha, best.blend)
    assert getattr(model, "l1_ratio_", 1.0) == best.rho
    np.testing.assert_array_equal(model.mse_path_, np.squeeze(result.errors.reshape(len(rho), 3, 7, 3)))
    np.testing.assert_array_equal(model.alphas_, np.squeeze(result.alphas[::3]))
    np.testing.assert_allclose(model.predict(data.X), result.predict(data.X), rtol=1e-12)
    jaxnet.save(model, tmp_path / "model.jaxnet")
    assert jaxnet.load(tmp_path / "model.jaxnet").blend_ == model.blend_
    model.relax = None
    assert not hasattr(model.fit(data.X, data.y), "blend_")


def test_the_command_line_relaxes_and_adapts(tmp_path, capsys):
    data = write_csv(tmp_path / "data.csv", data_columns())
    run = tmp_path / "run"
    assert sweep(data, "--adaptive", "2", "--relax", "1", "0.5,0", "--out", run, "--quiet") == 0
    X, y, _ = make_data()
    inner = jaxnet.Adaptive(gamma=2.0, cv=jaxnet.KFold(5))
    expected = jaxnet.sweep(
        X, y, rho=[0.5, 1.0], alphas=6, cv=3, standardize=True, adaptive=inner, relax=[1.0, 0.5, 0.0]
    )
    rows = read_rows(run / "cv.csv")
    assert list(rows[0]) == ["alpha", "rho", "blend", "mean", "se", "nonzeros", "gap", "status"]
    np.testing.assert_allclose([float(row["mean"]) for row in rows], expected.error_mean.ravel(), rtol=1e-9)
    np.testing.assert_array_equal([float(row["blend"]) for row in rows], np.repeat(expected.blend, 6))
    summary = json.loads((run / "summary.json").read_text())
    assert summary["selected"]["blend"] == expected.best().blend
    request = summary["request"]
    assert (request["rho"], request["relax"], request["adaptive"]) == ([0.5, 1.0], [1.0, 0.5, 0.0], 2.0)
    assert "6 (rho, blend) x 6 alphas" in (said := capsys.readouterr().out) and "blend (penalised share)" in said
    assert main(["predict", str(run), str(data), "--quiet"]) == 0
    predicted = [float(line.split(",")[1]) for line in capsys.readouterr().out.splitlines()[1:]]
    np.testing.assert_allclose(predicted, expected.predict(X), rtol=1e-9)


WRONG = {
    "true": ({"relax": True}, "relax=True: give the blends to try"),
    "text": ({"relax": "yes"}, "relax='yes' is not a number"),
    "none of them": ({"relax": []}, "relax is empty"),
    "a table": ({"relax": [[1.0, 0.0]]}, r"relax has shape \(1, 2\)"),
    "above one": ({"relax": (1.0, 1.5)}, r"relax=1.5 is outside \[0, 1\]"),
    "bounds": ({"relax": 0.0, "lower": 0.0}, "relax refits by least squares, which keeps to no bounds"),
    "ridge": ({"relax": 0.0, "rho": [0.0, 1.0]}, "at rho=0 that is all: give rho above 0"),
    "no penalty": ({"relax": 0.0, "alphas": [0.1, 0.0]}, "alphas contains 0, where there is no penalty to relax"),
}


@pytest.mark.parametrize("name", WRONG)
def test_wrong_arguments_are_named(name):
    changes, pattern = WRONG[name]
    data = cases.data("tall")
    with pytest.raises(InvalidInput, match=pattern):
        jaxnet.sweep(data.X, data.y, **{"cv": 3, **GRID, **changes})
