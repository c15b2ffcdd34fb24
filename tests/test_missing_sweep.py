"""Sweeps of tables with holes: what every fill must obey, whatever it is, and what some have exact answers for."""

import itertools
from functools import cache

import cases
import numpy as np
import pandas as pd
import pytest
from cases import FILLS
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import ElasticNet, Ridge
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

import jaxnet
from jaxnet import Adaptive, Categories, InvalidInput, Missing
from jaxnet.missing.pairwise import pairwise_moments
from jaxnet.store import page

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
    result = run(X, y, fill, **grid, tol=1e-15, max_iter=500, solver="proximal")
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
        frame,
        y,
        "mean",
        categories=Categories(missing="mode"),
        tol=1e-15,
        max_iter=200,
        solver="proximal",
        standardize=True,
    )
    assert result.feature_names == ("a", "b", "site=Hull", "site=Leeds", "site=York", "c", "d", "e")
    table = frame.to_numpy(object)
    table[frame["site"].isna(), 2] = None
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
            np.testing.assert_allclose(coefs[i, k, f], model.coef_ / scale, rtol=0, atol=1e-7)
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
OFTEN = ("median", "mode", "constant")  # as the mean in all that is not their numbers
DRAWN = [name for name in ROWS if FILLS[name].stochastic]  # several fillings have a file of their own


@pytest.mark.parametrize(
    "fill, option",
    [(f, o) for f in ROWS for o in OPTIONS if f not in DRAWN and (f not in OFTEN or o in ("plain", "weights"))],
)
def test_fold_fits_are_those_of_their_prepared_training_rows(fill, option):
    """And of the full data: filled first, then fitted without `missing`, which other laws hold to account."""
    (X, y), options = cases.gappy(TALL), OPTIONS[option]
    w = options.get("sample_weight")
    result = run(X, y, fill, **options)
    coefs, intercepts = fold_fits(result)
    everyone = np.arange(len(y))
    for f, (train, _) in enumerate([*three(len(y)), (everyone, None)]):
        w = np.isin(everyone, train) * options.get("sample_weight", np.ones(len(y)))
        filled = jaxnet.prepare(X, missing=FILLS[fill].fill, sample_weight=w).transform(X)
        gone = np.isnan(filled).any(axis=1)
        assert FILLS[fill].drops_rows or not gone.any()
        more = {**options, "sample_weight": np.where(gone, 0.0, w)}
        alone = jaxnet.fit_path(np.where(gone[:, None], 0.0, filled), y, **more, **GRID, tol=1e-12)
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
@pytest.mark.parametrize(
    "split, metric", [("three parts", m) for m in LOSSES] + [("repeated", "mse"), ("bootstrap", "mae")]
)
def test_held_out_errors_are_what_predict_does(fill, split, metric):
    """The training rows' own preparation fills the held-out rows; rows that stay incomplete are not scored."""
    X, y = cases.gappy(TALL)
    pairs = SPLITS[split](len(y))
    result = run(X, y, fill, cv=pairs, metric=metric, tol=1e-6)
    coefs, intercepts = fold_fits(result)
    for f, (train, test) in enumerate(pairs):
        rows = np.unique(train) if FILLS[fill].counted else train
        times = [np.count_nonzero(train == i) for i in rows] if FILLS[fill].counted else np.ones(len(rows))
        filled = jaxnet.prepare(X[rows], missing=FILLS[fill].fill, sample_weight=times).transform(X[test])
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


# Nothing leaks


def held_out_anew(X, rows, how):
    """Other values in the given rows; "values": where they were; "holes": others are missing; "columns": a column that was
    complete gets its only hole there, and another loses it."""
    X, before, rng = X.copy(), X.copy(), np.random.default_rng(7)
    if how == "columns":
        before[:, 1] = np.where(np.isnan(X[:, 1]), 0.5, X[:, 1])
        before[rows[2], 1] = np.nan
        X[:, 1] = before[:, 1]
    new, holes = np.round(20 * rng.normal(size=X[rows].shape)) / 2, np.isnan(X[rows])
    if how != "values":
        holes = rng.random(holes.shape) < 0.3
        holes[0] = False
        holes[:, -3:] = False
    if how == "columns":
        holes[:, 1], holes[3, -1] = False, True
    X[rows] = np.where(holes, np.nan, new)
    return before, X


@EVERY
@BOTH
@pytest.mark.parametrize("how", ["values", "holes", "columns"])
def test_no_bit_of_a_fold_depends_on_its_held_out_rows(fill, shape, how):
    """Whatever they hold, short of an offset that is taken out of the whole column, and wherever they have holes.

    The alphas begin far below alpha_max, or above it.
    """
    X, y = cases.gappy(shape)
    test = np.arange(10, 20)
    pairs = [(np.setdiff1d(np.arange(len(y)), test), test), (np.arange(len(y) // 2), np.arange(len(y) // 2, len(y)))]
    shifted = y.copy()
    shifted[test] = -3 * y[test] + 1
    # A column that moves between own columns and others is summed by another product: then tol has to be far below what is seen.
    moves = FILLS[fill].own_columns and how == "columns"
    for standardize, alphas in ((False, [100.0, 0.3, 0.1, 0.03]), (True, [0.1, 0.03])):
        options = {"cv": pairs, "alphas": alphas, "tol": 1e-11 if moves else 1e-7, "standardize": standardize}
        before, after = held_out_anew(X, test, how)
        one, other = run(before, y, fill, **options), run(after, shifted, fill, **options)
        for a, b in zip(fold_fits(one), fold_fits(other), strict=True):
            if moves:
                np.testing.assert_allclose(a[:, :, 0], b[:, :, 0], rtol=1e-4, atol=1e-4)
            else:
                assert np.array_equal(a[:, :, 0], b[:, :, 0])
        assert not np.array_equal(one.errors[..., 0], other.errors[..., 0])
        assert not np.array_equal(fold_fits(one)[0][:, :, 1], fold_fits(other)[0][:, :, 1])


@pytest.mark.parametrize("missing", ["mode", "level"])
@pytest.mark.parametrize("reference", [None, "frequent"])
def test_no_bit_of_a_fold_depends_on_held_out_labels(missing, reference):
    """New levels are new columns, which are constant on the training rows: the others have the bits that they had."""
    frame, y = labelled(40)
    test, other = np.arange(10, 20), frame.copy()
    other.loc[test, "site"] = ["Aire", "Hull", None, "York", "York", None, "Zennor", "York", "York", "York"]
    pairs = [(np.setdiff1d(np.arange(40), test), test)]
    options = {"cv": pairs, "alphas": [100.0, 0.3, 0.1, 0.03], "tol": 1e-7}
    fill = Missing("median", indicators=True)
    results = [
        run(X, y, fill, categories=Categories(missing=missing, reference=reference), **options) for X in (frame, other)
    ]
    one, two = (dict(zip(r.feature_names, np.moveaxis(fold_fits(r)[0], -1, 0), strict=True)) for r in results)
    assert {"site=Aire", "site=Zennor"} == {*two} - {*one} and not np.any([two["site=Aire"], two["site=Zennor"]])
    for name, coefs in one.items():
        assert np.array_equal(coefs, two[name]), name


# What changes nothing


@EVERY
def test_nothing_missing_is_nothing_to_do(fill):
    data = cases.data("tall")
    assert_same(run(data.X, data.y, fill), run(data.X, data.y, Missing("mean", indicators=True)), 1e-5)
    assert_same(run(data.X, data.y, fill), run(data.X, data.y, None), 1e-5)


def repeated(rows, pairs):
    where = lambda part: np.flatnonzero(np.isin(rows, part))
    return [(where(train), where(test)) for train, test in pairs]


@EVERY
def test_integer_weights_are_repeated_rows_and_only_ratios_matter(fill):
    (X, y), rng = cases.gappy(TALL), np.random.default_rng(1)
    times = rng.integers(0, 4, len(y))
    rows = np.repeat(np.arange(len(y)), times)
    weighted = run(X, y, fill, sample_weight=times.astype(float))
    assert_same(weighted, run(X, y, fill, sample_weight=times / 7e5))
    kept = np.flatnonzero(times)
    dropped = run(X[kept], y[kept], fill, cv=repeated(kept, three(len(y))), sample_weight=times[kept])
    assert_same(weighted, dropped)
    if not FILLS[fill].counted:
        assert_same(weighted, run(X[rows], y[rows], fill, cv=repeated(rows, three(len(y))), sample_weight=1.0))


@EVERY
def test_order_of_rows_and_columns_and_layout_in_memory_are_irrelevant(fill):
    (X, y), rng, one = cases.gappy(TALL), np.random.default_rng(2), base(fill)
    rows, columns = rng.permutation(len(y)), rng.permutation(X.shape[1])
    if not FILLS[fill].counted:
        at = np.argsort(rows)
        assert_same(one, run(X[rows], y[rows], fill, cv=[(at[a], at[b]) for a, b in three(len(y))]))
        other = numbers(run(X[:, columns], y, fill))
        for a, b in zip(numbers(one), other, strict=True):
            b = b[..., np.argsort(columns)] if b.shape[-1] == X.shape[1] else b
            np.testing.assert_allclose(a, b, rtol=2e-5, atol=2e-5)
    wide = np.full((len(y), 2 * X.shape[1]), np.nan)
    wide[:, ::2] = X
    for same in (np.asfortranarray(X), wide[:, ::2], X[::-1][::-1]):
        assert_same(one, run(same, y, fill))


@pytest.mark.parametrize("fill", [name for name in FILLS if FILLS[name].units])
@pytest.mark.parametrize("scale, offset", [(2.0**7, 0.0), (1e150, 0.0), (1e-150, 0.0), (1.0, 1e8)])
def test_units_of_a_column_are_irrelevant(fill, scale, offset):
    X, y = cases.gappy(TALL)
    by, shift = np.where(np.arange(12) % 3, 1.0, scale), np.where(np.arange(12) % 3, 0.0, offset)
    one, other = run(X, y, fill, standardize=True), run(X * by + shift, y, fill, standardize=True)
    for a, b, unit in zip(numbers(one), numbers(other), (by, None, by, None, 1.0), strict=True):
        if unit is not None:
            np.testing.assert_allclose(a, b * unit, rtol=1e-4, atol=1e-4)


@EVERY
@BOTH
def test_solvers_precisions_and_chunks_agree(fill, shape):
    (X, y), one = cases.gappy(shape), base(fill, shape)
    assert_same(one, run(X, y, fill, max_memory=1))
    if shape == TALL:
        assert_same(one, run(X, y, fill, solver="proximal"))
    single = run(X, y, fill, dtype="float32", tol=1e-7)
    for a, b in zip(numbers(one), numbers(single), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-2, atol=1e-2)


@pytest.mark.parametrize("fill", [name for name in FILLS if FILLS[name].saved])
@BOTH
def test_a_stopped_sweep_goes_on_to_the_same_bits(fill, shape, tmp_path, monkeypatch):
    (X, y), one = cases.gappy(shape), base(fill, shape)
    monkeypatch.setattr(page, "SECONDS", 0.0)
    monkeypatch.setattr(page, "SHARE", 0.0)
    calls = itertools.count()

    def stop(done, total):
        if next(calls) == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(X, y, fill, store=tmp_path / "runs.db", progress=stop)
    again = run(X, y, fill, store=tmp_path / "runs.db")
    for a, b in zip(numbers(one), numbers(again), strict=True):
        assert np.array_equal(a, b)
    assert np.array_equal(again.predict(X), one.predict(X), equal_nan=True)


@EVERY
def test_several_responses_are_one_by_one(fill):
    X, y = cases.gappy(TALL)
    both = run(X, np.stack([y, y[::-1] ** 2], axis=1), fill)
    for a, b in zip(numbers(base(fill)), numbers(both), strict=True):
        np.testing.assert_allclose(a, b[0], rtol=2e-5, atol=2e-5)
