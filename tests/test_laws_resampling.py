"""Folds in every accepted form, held-out errors, weights in the score, and the choice made from them."""

from importlib import import_module

import cases
import numpy as np
import pytest
from checks import Request, audit, audit_errors
from sklearn import linear_model, model_selection

import jaxnet
from jaxnet.names import FOLD_AVERAGES
from jaxnet.selection.rules import RULES

GRID = cases.GRID
TOL = 1e-8


def _run(cv, **options):
    data = cases.data("tall")
    return jaxnet.sweep(data.X, data.y, cv=cv, **{**GRID, "tol": TOL, **options})


@pytest.fixture(scope="module")
def by_pairs():
    return _run(cases.RESAMPLINGS["three_parts"](cases.TALL[0]), keep_fold_coefs=True)


@pytest.mark.parametrize(
    "cv",
    [
        3,
        np.int64(3),
        jaxnet.KFold(3),
        model_selection.KFold(3),
        cases.Pairs(tuple(cases.RESAMPLINGS["three_parts"](cases.TALL[0]))),
        model_selection.PredefinedSplit(np.repeat([0, 1, 2], [14, 13, 13])),
    ],
    ids=["int", "numpy int", "own KFold", "scikit-learn KFold", "any object with split", "PredefinedSplit"],
)
def test_forms_of_cv_agree(cv, by_pairs):
    result = _run(cv)
    np.testing.assert_array_equal(result.errors, by_pairs.errors)
    assert result.fold_weights is None and by_pairs.fold_weights is None


@pytest.mark.parametrize("form", ["generator", "masks", "lists", "tuple"])
def test_forms_of_pairs_agree(form, by_pairs):
    n = cases.TALL[0]
    pairs = cases.RESAMPLINGS["three_parts"](n)
    if form == "generator":
        pairs = (pair for pair in pairs)
    elif form == "masks":
        pairs = [tuple(np.isin(np.arange(n), part) for part in pair) for pair in pairs]
    elif form == "lists":
        pairs = [(train.tolist(), test.tolist()) for train, test in pairs]
    else:
        pairs = tuple(pairs)
    np.testing.assert_array_equal(_run(pairs).errors, by_pairs.errors)


def test_no_folds():
    data = cases.data("tall")
    for result in (_run(None), jaxnet.fit_path(data.X, data.y, **GRID, tol=TOL)):
        assert result.errors is None and result.fold_weights is None
        assert result.gap.shape == (2, 5, 1)
        with pytest.raises(ValueError, match="cv"):
            result.best()


def test_no_folds_is_the_full_data_part_of_a_sweep(by_pairs):
    alone = _run(None)
    np.testing.assert_allclose(alone.alphas, by_pairs.alphas, rtol=1e-12)
    for i, k in np.ndindex(alone.alphas.shape):
        np.testing.assert_allclose(alone.coef_at(i, k), by_pairs.coef_at(i, k), atol=1e-3)


@pytest.mark.parametrize("resampling", cases.RESAMPLINGS)
@pytest.mark.parametrize("penalty", ["plain", "no_intercept", "everything"])
@pytest.mark.parametrize("average", FOLD_AVERAGES)
def test_held_out_errors_are_weighted_mean_squares(average, penalty, resampling):
    data, n = cases.data("tall"), cases.TALL[0]
    options = {**cases.PENALTIES[penalty](12), "sample_weight": cases.weights(n), "tol": TOL, "fold_average": average}
    request = Request(data.X, data.y, cases.RESAMPLINGS[resampling](n), options)
    result = jaxnet.sweep(data.X, data.y, cv=request.pairs, keep_fold_coefs=True, **GRID, **options)
    audit_errors(result, request)


@pytest.mark.parametrize("average", FOLD_AVERAGES)
@pytest.mark.parametrize("constant", [1.0, 0.3, 7])
def test_constant_weights_change_nothing(average, constant):
    """On folds of unequal size, where averages over folds and over rows differ; so they do for the first fit of `adaptive`."""
    data, n = cases.data("tall"), cases.TALL[0]
    pairs = cases.RESAMPLINGS["uneven"](n)
    for more in ({}, {"adaptive": jaxnet.Adaptive(cv=jaxnet.KFold(7))}):
        options = {"cv": pairs, "fold_average": average, **GRID, **more}
        plain, given = (jaxnet.sweep(data.X, data.y, sample_weight=w, **options) for w in (None, np.full(n, constant)))
        assert (plain.fold_weights is None) == (average == "folds")
        for name in ("alphas", "errors", "error_mean", "error_se"):
            np.testing.assert_allclose(getattr(given, name), getattr(plain, name), rtol=1e-9, err_msg=name)
        assert [given.best(rule).index for rule in RULES] == [plain.best(rule).index for rule in RULES]
    sizes = [len(test) for _, test in pairs]
    weights = sizes if average == "rows" else None
    expected = np.average(plain.errors, axis=-1, weights=weights)
    np.testing.assert_allclose(plain.error_mean, expected, rtol=1e-12)


def test_averages_over_folds_and_rows_choose_as_scikit_learn_and_by_the_rows():
    """Over draws of unequal folds: the default is the mean of folds, whatever the weights, as LassoCV takes it."""
    differ = 0
    for seed in range(12):
        rng = np.random.default_rng(seed)
        X, y = rng.normal(size=(31, 6)), rng.normal(size=31)
        y += X[:, 0]
        cut = np.sort(rng.choice(np.arange(3, 28), 2, replace=False))
        pairs = [(np.setdiff1d(np.arange(31), test), test) for test in np.split(np.arange(31), cut)]
        w = rng.uniform(0.2, 2, 31) if seed % 2 else np.ones(31)
        alphas = np.geomspace(1, 0.01, 30)
        theirs = linear_model.LassoCV(alphas=alphas, cv=pairs, tol=1e-10, max_iter=100_000).fit(X, y, sample_weight=w)
        for weights in (w, None)[: 2 - seed % 2]:
            ours = jaxnet.sweep(X, y, rho=1.0, alphas=alphas, cv=pairs, sample_weight=weights, tol=1e-10)
            assert ours.best().alpha == pytest.approx(theirs.alpha_)
            model = jaxnet.LassoCV(alphas=alphas, cv=pairs, tol=1e-10).fit(X, y, sample_weight=weights)
            assert model.alpha_ == pytest.approx(theirs.alpha_)
        by_rows = jaxnet.sweep(X, y, rho=1.0, alphas=alphas, cv=pairs, sample_weight=w, tol=1e-10, fold_average="rows")
        differ += by_rows.best().alpha != ours.best().alpha
    assert differ  # or nothing was tried


def test_weights_enter_the_score():
    """Moving weight among the rows of one test fold changes that fold's score and fold 0's fits not at all."""
    data, n = cases.data("tall"), cases.TALL[0]
    train, test = cases.RESAMPLINGS["three_parts"](n)[0]
    w = np.ones(n)
    w[test[0]] = 50.0
    grid = {"rho": [0.3, 1.0], "alphas": [0.3, 0.03]}
    plain, heavy = (_run([(train, test)], sample_weight=s, keep_fold_coefs=True, **grid) for s in (None, w))
    for r in range(2):
        np.testing.assert_allclose(plain.fold_coefs.row(r), heavy.fold_coefs.row(r), atol=1e-3)
    off = data.y[test] - data.X[test] @ plain.fold_coefs.row(1) - plain.fold_intercepts[0, 1, 0]
    assert plain.errors[0, 1, 0] == pytest.approx(np.mean(off**2), rel=1e-6)
    assert heavy.errors[0, 1, 0] == pytest.approx(np.average(off**2, weights=w[test]), rel=1e-2)
    assert abs(heavy.errors[0, 1, 0] / plain.errors[0, 1, 0] - 1) > 0.1


def test_grouped_and_repeated_splitters_of_scikit_learn():
    data, n = cases.data("tall"), cases.TALL[0]
    for splitter in (
        model_selection.RepeatedKFold(n_splits=3, n_repeats=1, random_state=1),
        model_selection.ShuffleSplit(3, test_size=7, random_state=2),
        model_selection.LeavePGroupsOut(1),
    ):
        grouped = isinstance(splitter, model_selection.LeavePGroupsOut)
        pairs = list(splitter.split(data.X, data.y, np.arange(n) % 3 if grouped else None))
        cv = pairs if grouped else splitter
        result = _run(cv, keep_fold_coefs=True)
        audit(result, Request(data.X, data.y, pairs, {"tol": TOL}))


def test_leave_one_out():
    data, n = cases.data("tall"), cases.TALL[0]
    result = _run(n)
    assert result.errors.shape == (2, 5, n) and result.converged
    k = model_selection.KFold(n)
    audit_errors(result, Request(data.X, data.y, list(k.split(data.X)), {"tol": TOL}))


@pytest.mark.parametrize("n", [5, 12, 40])
def test_kfold_is_a_partition(n):
    X = np.zeros((n, 1))
    for folds in (jaxnet.KFold(5), jaxnet.KFold(5, shuffle=True, seed=3)):
        pairs = list(folds.split(X))
        np.testing.assert_array_equal(np.sort(np.concatenate([test for _, test in pairs])), np.arange(n))
        for train, test in pairs:
            np.testing.assert_array_equal(np.sort(np.r_[train, test]), np.arange(n))
        assert np.ptp([len(test) for _, test in pairs]) <= 1
    theirs = list(model_selection.KFold(5).split(X))
    for mine, other in zip(jaxnet.KFold(5).split(X), theirs, strict=True):
        np.testing.assert_array_equal(mine[1], other[1])


def test_kfold_shuffles_by_its_seed():
    X = np.zeros((40, 1))
    tests = lambda seed: [test.tolist() for _, test in jaxnet.KFold(4, shuffle=True, seed=seed).split(X)]
    assert tests(1) == tests(1) != tests(2)
    assert tests(1) != [test.tolist() for _, test in jaxnet.KFold(4).split(X)]


def test_best_is_the_minimum_and_the_one_standard_error_rule(by_pairs):
    mean, se = by_pairs.error_mean, by_pairs.error_se
    best = by_pairs.best()
    i, k = np.unravel_index(np.argmin(mean), mean.shape)
    assert (best.rho, best.alpha) == (by_pairs.rho[i], by_pairs.alphas[i, k])
    assert best.cv_error == mean[i, k] and best.cv_se == se[i, k]
    np.testing.assert_array_equal(best.coef, by_pairs.coef_at(i, k))
    assert best.intercept == by_pairs.intercepts[i, k] and best.nonzeros == np.count_nonzero(best.coef)
    simple = by_pairs.best("1se")
    allowed = mean <= mean[i, k] + se[i, k]
    a, b = np.argwhere((by_pairs.rho[:, None] == simple.rho) & (by_pairs.alphas == simple.alpha))[0]
    assert allowed[a, b] and simple.nonzeros == by_pairs.nonzeros[a, b] <= by_pairs.nonzeros[allowed].min()
    assert simple.nonzeros <= best.nonzeros
    data = cases.data("tall")
    np.testing.assert_allclose(by_pairs.predict(data.X), data.X @ best.coef + best.intercept, rtol=1e-12)
    np.testing.assert_allclose(
        by_pairs.predict(data.X, rule="1se"), data.X @ simple.coef + simple.intercept, rtol=1e-12
    )
    with pytest.raises(ValueError, match="rule"):
        by_pairs.best("3se")


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_predict_matches_the_columns_of_a_frame_by_name(library):
    """In any order, and whatever else the frame holds."""
    data, module = cases.data("tall"), import_module(library)
    build = module.table if library == "pyarrow" else module.DataFrame
    columns = {f"gene {j}": column for j, column in enumerate(data.X.T.copy())}
    result = jaxnet.sweep(build(columns), data.y, cv=3, **GRID)
    n = len(data.y)
    more = {"label": ["cell"] * n, "gap": np.full(n, np.nan), **dict(reversed(columns.items()))}
    np.testing.assert_allclose(result.predict(build(more)), result.predict(data.X), rtol=1e-12)
    del more["gene 3"]
    with pytest.raises(jaxnet.InvalidInput, match=r"X lacks 1 column that the sweep was fitted on: 'gene 3'"):
        result.predict(build(more))


def test_nonzeros_count_coefficients(by_pairs):
    counts = [[np.count_nonzero(by_pairs.coef_at(i, k)) for k in range(5)] for i in range(2)]
    np.testing.assert_array_equal(by_pairs.nonzeros, counts)
    assert by_pairs.n_features == 12


def test_a_shifted_test_set_scores_badly():
    """The score is of held-out rows: shifting their response by s adds about s^2."""
    data, n = cases.data("tall"), cases.TALL[0]
    train, test = cases.RESAMPLINGS["three_parts"](n)[1]
    y = data.y.copy()
    y[test] += 100
    result = jaxnet.sweep(data.X, y, cv=[(train, test)], rho=[0.5, 1.0], alphas=[0.5, 0.05])
    assert np.all((result.errors > 7000) & (result.errors < 13000))
