"""Sweeps of tables with holes: what every fill must obey, whatever it is, and what some have exact answers for."""

import itertools
from functools import cache

import cases
import numpy as np
import pandas as pd
import pytest
from cases import FILLS
from saved import as_tree, equal
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import ElasticNet, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import jaxnet
from jaxnet import Adaptive, Categories, InvalidInput, Missing, SimpleFill
from jaxnet.missing.pairwise import pairwise_moments
from jaxnet.store import ledger

TALL, WIDE = cases.TALL, (24, 40)  # through Gram matrices, through the rows
GRID = {"rho": [0.3, 1.0], "alphas": [0.5, 0.1, 0.03]}
ROWS = [name for name, case in FILLS.items() if not case.by_pairs]  # those with filled rows
EVERY, FILLED = pytest.mark.parametrize("fill", FILLS), pytest.mark.parametrize("fill", ROWS)
BOTH = pytest.mark.parametrize("shape", [TALL, WIDE], ids=["tall", "wide"])
LATE = pytest.mark.filterwarnings("ignore::jaxnet.ConvergenceWarning")


def run(X, y, fill, **options):
    missing = FILLS[fill].fill if isinstance(fill, str) else fill
    pairs = cases.RESAMPLINGS["three_parts"](len(y))
    given = {"cv": pairs, "tol": 1e-12, "keep_fold_coefs": True, "missing": missing, **GRID}
    return jaxnet.sweep(X, y, **{**given, **options})


@cache
def base(fill, shape=TALL):
    return run(*cases.gappy(shape), fill)


def fold_fits(result) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (..., F, p) and intercepts (..., F) of the folds."""
    rows = [result.fold_coefs.row(r) for r in range(result.fold_intercepts.size)]
    return np.reshape(rows, (*result.fold_intercepts.shape, -1)), result.fold_intercepts


def numbers(result) -> list[np.ndarray]:
    """All coefficients, intercepts and errors."""
    rows = [result.coefs.row(r) for r in range(result.alphas.size)]
    return [np.reshape(rows, (*result.alphas.shape, -1)), result.intercepts, *fold_fits(result), result.errors]


def assert_same(one, other, atol=2e-5):
    """Up to what tol leaves open: both are certified."""
    assert one.converged and other.converged
    for a, b in zip(numbers(one), numbers(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=atol, atol=atol)


def three(n):
    return cases.RESAMPLINGS["three_parts"](n)


# Exact answers


def pipelines(X, y, fill, pairs, alpha, rho):
    """Coefficients in units of X, intercept and held-out error of scikit-learn's pipeline, refitted on every fold."""
    strategy, value = {"mode": "most_frequent"}.get(fill, fill), {"fill_value": 0.7} if fill == "constant" else {}
    for train, test in pairs:
        if rho == 0:
            model = Ridge(alpha=alpha * len(train), tol=1e-15)
        else:
            model = ElasticNet(alpha=alpha, l1_ratio=rho, tol=1e-18, max_iter=20_000)
        pipe = make_pipeline(SimpleImputer(strategy=strategy, **value), StandardScaler(), model).fit(X[train], y[train])
        coef = model.coef_ / pipe[1].scale_
        yield coef, model.intercept_ - coef @ pipe[1].mean_, np.mean((pipe.predict(X[test]) - y[test]) ** 2)


@LATE
@BOTH
@pytest.mark.parametrize("fill", ["mean", "median", "mode", "constant"])
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_every_fold_is_the_refitted_pipeline(fill, shape):
    """To 1e-8, in units of X: ridge, elastic net and lasso."""
    (X, y), pairs = cases.gappy(shape), three(shape[0])
    everyone = np.arange(shape[0])
    grid = {"rho": [0.0, 0.3, 1.0], "alphas": [0.5, 0.1, 0.03], "standardize": True}
    result = run(X, y, fill, **grid, tol=1e-15, solver="proximal")
    coefs, intercepts = fold_fits(result)
    for i, k in np.ndindex(3, 3):
        expected = pipelines(X, y, fill, [*pairs, (everyone, everyone)], result.alphas[i, k], result.rho[i])
        *folds, whole = expected
        for f, (coef, intercept, error) in enumerate(folds):
            np.testing.assert_allclose(coefs[i, k, f], coef, rtol=0, atol=1e-8)
            assert intercepts[i, k, f] == pytest.approx(intercept, abs=1e-8)
            assert result.errors[i, k, f] == pytest.approx(error, rel=1e-8, abs=1e-8)
        np.testing.assert_allclose(result.coef_at(i, k), whole[0], rtol=0, atol=1e-8)
        assert result.intercepts[i, k] == pytest.approx(whole[1], abs=1e-8)


def labelled(n, seed=3):
    """A frame with a column of labels, some of them missing, among columns of numbers with holes."""
    X, y = cases.gappy((n, 12), seed)
    rng = np.random.default_rng(seed)
    site = rng.choice(np.array(["Leeds", "York", "Hull"], object), n, p=[0.5, 0.3, 0.2])
    frame = pd.DataFrame(X[:, :5], columns=list("abcde"))
    frame.insert(2, "site", site)
    frame.loc[rng.random(n) < 0.2, "site"] = None
    return frame, y + 2.0 * (site == "York")


@LATE
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_labels_are_filled_with_the_most_frequent_of_each_fold():
    frame, y = labelled(40)
    result = run(
        frame, y, "mean", categories=Categories(missing="mode"), tol=1e-15, solver="proximal", standardize=True
    )
    assert result.feature_names == ("a", "b", "site=Hull", "site=Leeds", "site=York", "c", "d", "e")
    table = frame.to_numpy(object)
    levels = [["Hull", "Leeds", "York"]]
    text = make_pipeline(
        SimpleImputer(strategy="most_frequent", missing_values=None),
        OneHotEncoder(categories=levels, sparse_output=False),
    )
    coefs, _ = fold_fits(result)
    for (i, k), (f, (train, test)) in itertools.product(np.ndindex(2, 3), enumerate(three(40))):
        columns = [("n1", SimpleImputer(), [0, 1]), ("t", text, [2]), ("n2", SimpleImputer(), [3, 4, 5])]
        model = ElasticNet(alpha=result.alphas[i, k], l1_ratio=result.rho[i], tol=1e-18, max_iter=20_000)
        pipe = make_pipeline(ColumnTransformer(columns), StandardScaler(), model).fit(table[train], y[train])
        scale = pipe[1].scale_
        if result.rho[i] < 1:  # the lasso may share among levels that sum to one in any way
            np.testing.assert_allclose(coefs[i, k, f], model.coef_ / scale, rtol=0, atol=1e-8)
        error = np.mean((pipe.predict(table[test]) - y[test]) ** 2)
        assert result.errors[i, k, f] == pytest.approx(error, rel=1e-8)


OPTIONS = {
    "plain": {},
    "standardized, no intercept": {"standardize": True, "fit_intercept": False},
    "factors and bounds": {"penalty_factor": np.resize([1.0, 0.5, 2.0], 12), "lower": -0.2, "upper": 0.5},
    "unpenalised": {"penalty_factor": np.r_[0.0, np.ones(10), 0.0], "standardize": True},
    "adaptive": {"adaptive": Adaptive(alpha=0.1)},
    "relaxed": {"relax": [0.0, 0.5]},
    "weights": {"sample_weight": cases.weights(40)},
}


@FILLED
@pytest.mark.parametrize("option", OPTIONS)
def test_fold_fits_are_those_of_their_prepared_training_rows(fill, option):
    """And of the full data: filled first, then fitted without `missing`, which other laws hold to account."""
    (X, y), options = cases.gappy(TALL), OPTIONS[option]
    w = options.get("sample_weight")
    result = run(X, y, fill, **options)
    coefs, intercepts = fold_fits(result)
    n = len(y)
    for f, (train, _) in enumerate([*three(n), (np.arange(n), None)]):
        weights = None if w is None else w[train]
        filled = jaxnet.prepare(X[train], missing=FILLS[fill].fill, sample_weight=weights).transform(X[train])
        kept = ~np.isnan(filled).any(axis=1)
        assert FILLS[fill].drops_rows or kept.all()
        more = {} if w is None else {"sample_weight": weights[kept]}
        alone = jaxnet.fit_path(filled[kept], y[train][kept], **{**options, **more}, **GRID, tol=1e-12)
        here = (coefs[:, :, f], intercepts[:, :, f]) if f < 3 else numbers(result)[:2]
        np.testing.assert_allclose(here[0], numbers_of_path(alone), rtol=2e-5, atol=2e-5)
        np.testing.assert_allclose(here[1], alone.intercepts, rtol=2e-5, atol=2e-5)


def numbers_of_path(result):
    return np.reshape([result.coefs.row(r) for r in range(result.alphas.size)], (*result.alphas.shape, -1))


SPLITS = {
    "three parts": three,
    "repeated": lambda n: list(jaxnet.RepeatedKFold(3, 2).split(np.zeros(n))),
    "bootstrap": lambda n: list(jaxnet.Bootstrap(3).split(np.zeros(n))),
}
LOSSES = {
    "mse": lambda y, z: np.mean((y - z) ** 2),
    "mae": lambda y, z: np.mean(np.abs(y - z)),
    "r2": lambda y, z: np.mean((y - z) ** 2) / np.var(y),
}


@FILLED
@pytest.mark.parametrize("split", SPLITS)
@pytest.mark.parametrize("metric", LOSSES)
def test_held_out_errors_are_what_predict_does(fill, split, metric):
    """The training rows' own preparation fills the held-out rows; rows that stay incomplete are not scored."""
    if split != "three parts" and metric == "r2":
        pytest.skip("the other metrics say it")
    X, y = cases.gappy(TALL)
    pairs = SPLITS[split](len(y))
    result = run(X, y, fill, cv=pairs, metric=metric, tol=1e-6)
    coefs, intercepts = fold_fits(result)
    for f, (train, test) in enumerate(pairs):
        filled = jaxnet.prepare(X[train], missing=FILLS[fill].fill).transform(X[test])
        kept = ~np.isnan(filled).any(axis=1)
        assert kept.any() and (FILLS[fill].drops_rows or kept.all())
        for i, k in np.ndindex(2, 3):
            predicted = filled[kept] @ coefs[i, k, f] + intercepts[i, k, f]
            assert result.errors[i, k, f] == pytest.approx(LOSSES[metric](y[test][kept], predicted), rel=1e-9)


@pytest.mark.parametrize("fill", [name for name in FILLS if FILLS[name].by_pairs])
@BOTH
def test_held_out_errors_by_pairs_are_the_documented_score(fill, shape):
    """m - 2 c'b + b'Sb with the held-out rows' own moments about the training means; refused where rows are needed."""
    X, y = cases.gappy(shape)
    result, pairs = base(fill, shape), three(len(y))
    coefs, _ = fold_fits(result)
    for f, (rows, held_out) in enumerate(pairs):
        train, test = (np.isin(np.arange(len(y)), part) / len(part) for part in (rows, held_out))
        options = Missing(FILLS[fill].fill).checked().fill
        found = pairwise_moments(X, y[None], train[None], test[None], True, options)
        for i, k in np.ndindex(2, 3):
            b = coefs[i, k, f]
            score = found.test_moment[0, 0] - 2 * found.test_cross[0, 0] @ b + b @ found.test_gram[0] @ b
            assert result.errors[i, k, f] == pytest.approx(score, rel=1e-8)
    for wrong in ({"metric": "mae"}, {"relax": 0.5}):
        with pytest.raises(InvalidInput, match="pairwise"):
            run(X, y, fill, **wrong)
