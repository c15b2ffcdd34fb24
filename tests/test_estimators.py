"""The four estimators against scikit-learn's: signatures, fitted attributes, choices, paths; and what they refuse.

Fits keep to one shape of X, five folds, and one or three l1_ratios: every other number costs a compilation.
"""

import copy
import doctest
import importlib
import inspect
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
import sklearn.linear_model as reference
from sklearn.model_selection import GroupKFold, KFold

import jaxnet
from jaxnet.errors import ConvergenceWarning, InvalidInput

NAMES = ["ElasticNet", "Lasso", "ElasticNetCV", "LassoCV"]
CV_NAMES = NAMES[2:]
TIGHT = {"tol": 1e-12, "max_iter": 100_000}
COLUMNS = [f"gene{j}" for j in range(12)]
UNEVEN = [(np.delete(np.arange(40), test), test) for test in np.split(np.arange(40), [2, 5, 12, 20])]


@pytest.fixture(scope="module")
def problem():
    """X (40, 12), y (40, 2) of which most tests take the first column, weights with zeros."""
    rng = np.random.default_rng(5)
    X = rng.normal(size=(40, 12)) + rng.normal(size=(40, 1)) + 1.0
    Y = X[:, :3] @ np.array([[2.0, 0.0], [-1.0, 0.5], [0.5, 3.0]]) + rng.normal(size=(40, 2)) + 4.0
    weights = rng.uniform(0.2, 2.0, 40)
    weights[::9] = 0.0
    return X, Y, weights


def both(name, X, y, sample_weight=None, tol=1e-12, **params):
    """scikit-learn's estimator and ours, fitted to the same at tight tolerances."""
    theirs = getattr(reference, name)(**params, tol=tol, max_iter=100_000)
    ours = getattr(jaxnet, name)(**params, **TIGHT)
    return theirs.fit(X, y, sample_weight=sample_weight), ours.fit(X, y, sample_weight=sample_weight)


def fitted(model):
    return {name: value for name, value in vars(model).items() if name.endswith("_")}


def assert_same_attributes(theirs, ours, rtol=1e-5):
    expected, got = fitted(theirs), fitted(ours)
    assert set(got) == set(expected)
    for name, value in expected.items():
        assert type(got[name]) is type(value), name
        if isinstance(value, np.ndarray):
            assert got[name].shape == value.shape and got[name].dtype == value.dtype, name
        if name not in ("n_iter_", "dual_gap_"):
            scale = np.abs(value).max()
            np.testing.assert_allclose(got[name], value, rtol=rtol, atol=rtol * scale, err_msg=name)


@pytest.mark.parametrize("name", NAMES)
def test_signature_is_that_of_scikit_learn(name):
    theirs = list(inspect.signature(getattr(reference, name)).parameters.values())
    ours = list(inspect.signature(getattr(jaxnet, name)).parameters.values())
    if theirs[0].kind == inspect.Parameter.KEYWORD_ONLY and "n_alphas" in {p.name for p in theirs}:
        pytest.skip("this scikit-learn still has n_alphas among its parameters")
    assert ours[: len(theirs)] == theirs
    more = ["n_alphas", "adaptive", "relax"] if name in CV_NAMES else []
    assert [p.name for p in ours[len(theirs) :]] == [*more, "missing", "categories"]
    fit = [p.name for p in inspect.signature(getattr(jaxnet, name).fit).parameters.values()]
    assert fit == [p.name for p in inspect.signature(getattr(reference, name).fit).parameters.values()]


@pytest.mark.parametrize(
    "params", [{}, {"alpha": 0.1, "fit_intercept": False}, {"alpha": 0.05, "positive": True}], ids=str
)
@pytest.mark.parametrize("name", NAMES[:2])
def test_single_fit_has_the_attributes_of_scikit_learn(name, params, problem):
    X, Y, weights = problem
    for y in (Y[:, 0], Y[:, :1], Y):
        for w in (None, weights):
            theirs, ours = both(name, X, y, w, **params)
            assert_same_attributes(theirs, ours)
            np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=1e-5, atol=1e-5)
            assert ours.predict(X).shape == theirs.predict(X).shape
            # R2 is of order one: a fit that explains nothing has no digits of it beyond the absolute error.
            assert ours.score(X, y, w) == pytest.approx(theirs.score(X, y, w), rel=1e-6, abs=1e-6)
            assert (ours.sparse_coef_ != theirs.sparse_coef_).nnz == 0 or np.allclose(
                ours.sparse_coef_.toarray(), theirs.sparse_coef_.toarray(), rtol=1e-5, atol=1e-6
            )


@pytest.mark.parametrize("name", NAMES)
def test_float32_in_float32_out(name, problem):
    X, Y, _ = problem
    X, y = X.astype(np.float32), Y[:, 0].astype(np.float32)
    theirs = getattr(reference, name)().fit(X, y)
    ours = getattr(jaxnet, name)().fit(X, y)
    assert {k: np.asarray(v).dtype for k, v in fitted(ours).items()} == {
        k: np.asarray(v).dtype for k, v in fitted(theirs).items()
    }
    assert ours.predict(X).dtype == np.float32
    np.testing.assert_allclose(ours.predict(X), theirs.predict(X), rtol=0.02, atol=0.02)


CV_CASES = {
    "defaults": {},
    "count": {"alphas": 7, "eps": 1e-2, "cv": 5},
    "values": {"alphas": [0.1, 1.0, 0.5]},
    "one value": {"alphas": [0.7]},
    "no intercept": {"alphas": 7, "fit_intercept": False},
    "positive": {"alphas": 7, "positive": True},
    "splitter": {"alphas": 7, "cv": KFold(5, shuffle=True, random_state=1)},
    "uneven pairs": {"alphas": 7, "cv": UNEVEN},
    "ratios": {"l1_ratio": [0.2, 0.9, 1], "alphas": 7},
    "one ratio in a list": {"l1_ratio": [0.3], "alphas": 7},
    "ratios and values": {"l1_ratio": [0.9, 0.2, 0.5], "alphas": [0.3, 0.1, 2.0]},
}


@pytest.mark.parametrize(
    ("name", "case"),
    [(n, c) for n in CV_NAMES for c in CV_CASES if n == "ElasticNetCV" or "l1_ratio" not in CV_CASES[c]],
)
def test_cv_fit_has_the_attributes_of_scikit_learn(name, case, problem):
    params = CV_CASES[case]
    X, Y, weights = problem
    for w in (None, weights):
        theirs, ours = both(name, X, Y[:, 0], w, **params)
        assert_same_attributes(theirs, ours)


def test_cv_choice_ignores_fold_sizes_as_scikit_learn_does(problem):
    """Held-out errors are weighted within a fold, and the folds then count the same."""
    X, Y, weights = problem
    theirs, ours = both("ElasticNetCV", X, Y[:, 0], weights, cv=UNEVEN, alphas=20, l1_ratio=[0.1, 0.5, 0.9])
    assert (ours.alpha_, ours.l1_ratio_) == (pytest.approx(theirs.alpha_), theirs.l1_ratio_)


@pytest.mark.parametrize("name", CV_NAMES)
def test_cv_fits_the_chosen_penalty_as_a_single_estimator_does_that_is_asked_for_all_digits(name, problem):
    X, Y, weights = problem
    chosen = getattr(jaxnet, name)(alphas=7).fit(X, Y[:, 0], weights)
    ratio = getattr(chosen, "l1_ratio_", 1.0)
    single = jaxnet.ElasticNet(chosen.alpha_, l1_ratio=ratio, tol=1e-14).fit(X, Y[:, 0], weights)
    for attribute in ("coef_", "intercept_", "dual_gap_", "n_iter_"):
        np.testing.assert_array_equal(getattr(chosen, attribute), getattr(single, attribute))


@pytest.mark.parametrize("name", CV_NAMES)
def test_cv_takes_an_iterator_and_groups(name, problem):
    X, Y, _ = problem
    groups = np.arange(40) % 5
    model = getattr(jaxnet, name)(alphas=6, cv=iter(GroupKFold(5).split(X, groups=groups))).fit(X, Y[:, 0])
    direct = getattr(jaxnet, name)(alphas=6, cv=GroupKFold(5)).fit(X, Y[:, 0], groups=groups)
    assert model.mse_path_.shape == (6, 5)
    np.testing.assert_array_equal(direct.mse_path_, model.mse_path_)


@pytest.mark.parametrize("name", CV_NAMES)
def test_cv_counts_alphas_under_both_names(name, problem):
    X, Y, _ = problem
    for params in ({"n_alphas": 4}, {"n_alphas": 4, "alphas": None}, {"alphas": 4}, {"alphas": np.int32(4)}):
        assert getattr(jaxnet, name)(**params).fit(X, Y[:, 0]).alphas_.shape == (4,)
    both_given = getattr(jaxnet, name)(n_alphas=4, alphas=[1.0, 0.5]).fit(X, Y[:, 0])
    np.testing.assert_array_equal(both_given.alphas_, [1.0, 0.5])


def test_cv_makes_a_grid_for_ridge_too(problem):
    X, Y, _ = problem
    model = jaxnet.ElasticNetCV(l1_ratio=[0], alphas=7).fit(X, Y[:, 0])
    assert model.l1_ratio_ == 0 and model.alphas_.shape == (7,) and model.mse_path_.shape == (7, 5)
    assert np.all(model.coef_ != 0)


def test_ridge_is_the_closed_form(problem):
    X, Y, w = problem
    model = jaxnet.ElasticNet(alpha=0.3, l1_ratio=0, tol=1e-10).fit(X, Y, sample_weight=w)
    w = w / w.sum()
    Xc, Yc = X - w @ X, Y - w @ Y
    expected = np.linalg.solve(Xc.T * w @ Xc + 0.3 * np.eye(12), Xc.T * w @ Yc)
    np.testing.assert_allclose(model.coef_, expected.T, rtol=1e-4, atol=1e-6)
    assert np.all(model.dual_gap_ <= 1e-10 * Y.var(axis=0))


def test_no_penalty_is_least_squares(problem):
    X, Y, _ = problem
    model = jaxnet.ElasticNet(alpha=0, tol=1e-10, max_iter=None).fit(X, Y[:, 0])
    expected = np.linalg.lstsq(np.c_[np.ones(40), X], Y[:, 0], rcond=None)[0]
    np.testing.assert_allclose(np.r_[model.intercept_, model.coef_], expected, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", NAMES)
def test_dual_gap_is_in_units_of_the_objective(name, problem):
    X, Y, weights = problem
    y = Y[:, 0]
    model = getattr(jaxnet, name)().fit(X, y, sample_weight=weights)
    null = 0.5 * np.average((y - np.average(y, weights=weights)) ** 2, weights=weights)
    assert 0 <= model.dual_gap_ <= 1e-4 * null and model.n_iter_ >= 1


@pytest.mark.parametrize(
    "params", [{}, {"l1_ratio": 1.0, "positive": True}, {"l1_ratio": 0.1}, {"alphas": [0.1, 1.0]}], ids=str
)
def test_path_returns_what_scikit_learn_returns(params, problem):
    X, Y, _ = problem
    X, Y = X - X.mean(axis=0), Y - Y.mean(axis=0)
    params = {"alphas": 6, "return_n_iter": True, "tol": 1e-10, "max_iter": 100_000} | params
    theirs = reference.enet_path(X, Y[:, 0], **params)
    for path in (jaxnet.ElasticNet.path, jaxnet.Lasso.path, jaxnet.ElasticNetCV.path):
        ours = path(X, Y[:, 0], **params)
        assert len(ours) == 4 and len(ours[3]) == len(ours[0]) and all(type(n) is int for n in ours[3])
        np.testing.assert_allclose(ours[0], theirs[0])
        np.testing.assert_allclose(ours[1], theirs[1], rtol=1e-4, atol=1e-4)
        assert ours[2].shape == theirs[2].shape and np.all(ours[2] <= 1e-9)
    column = jaxnet.ElasticNet.path(X, Y[:, :1], **params)
    assert column[1].shape == (1, *ours[1].shape) and column[2].shape == ours[2].shape


@pytest.mark.parametrize("name", ["enet_path", "lasso_path"])
def test_paths_have_the_signatures_of_scikit_learn(name):
    theirs, ours = (inspect.signature(getattr(home, name)).parameters for home in (reference, jaxnet))
    assert [(p.name, p.kind, p.default) for p in ours.values()] == [
        (p.name, p.kind, p.default) for p in theirs.values()
    ]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", ["enet_path", "lasso_path"])
def test_paths_return_the_types_of_scikit_learn(name, dtype, problem):
    X, Y, _ = problem
    for y in (Y[:, 0], Y[:, :1]):
        both = [getattr(home, name)(X.astype(dtype), y, alphas=4, tol=1e-6) for home in (reference, jaxnet)]
        for theirs, ours in zip(*both, strict=True):
            assert ours.shape == theirs.shape
        assert both[1][1].dtype == dtype and both[1][2].dtype == np.float64
        np.testing.assert_allclose(both[1][0], both[0][0], rtol=1e-5)
        np.testing.assert_allclose(both[1][1], both[0][1], atol=1e-2 * np.abs(both[0][1]).max())


def test_dual_gaps_of_paths_bound_how_far_the_objective_is_from_its_least(problem):
    X, Y, _ = problem
    X, y = X - X.mean(axis=0), Y[:, 0] - Y[:, 0].mean()
    objective = lambda alphas, B: (
        np.mean((y[:, None] - X @ B) ** 2, axis=0) / 2 + alphas * (0.7 * abs(B).sum(axis=0) + 0.15 * (B**2).sum(axis=0))
    )
    alphas, coefs, gaps = jaxnet.enet_path(X, y, l1_ratio=0.7, alphas=8, tol=1e-3)
    best = reference.enet_path(X, y, l1_ratio=0.7, alphas=alphas, tol=1e-13, max_iter=100_000)[1]
    off = objective(alphas, coefs) - objective(alphas, best)
    unit = np.mean(y**2) / 2
    assert np.all(off <= gaps + 1e-12 * unit) and np.all(gaps <= 1e-3 * unit) and gaps.max() > 0


def test_a_path_of_several_responses_is_separable_for_ridge_only(problem):
    X, Y, _ = problem
    with pytest.raises(InvalidInput, match=r"y has 2 columns, whose coefficients scikit-learn penalises together"):
        jaxnet.enet_path(X, Y[:, :2])
    with pytest.raises(InvalidInput, match="give the values of alphas"):
        jaxnet.enet_path(X, Y[:, :2], l1_ratio=0, alphas=5)
    alphas, coefs, gaps = jaxnet.enet_path(X, Y[:, :2], l1_ratio=0, alphas=[0.1, 1.0])
    theirs = reference.enet_path(X, Y[:, :2], l1_ratio=0, alphas=alphas, tol=1e-10, max_iter=100_000)
    np.testing.assert_allclose(coefs, theirs[1], atol=1e-4 * np.abs(coefs).max())
    assert coefs.shape == (2, 12, 2) and gaps.shape == (2,)


@pytest.mark.parametrize("params", [{"normalize": True}, {"l1_ratio": 0.5}], ids=str)
def test_a_path_refuses_what_it_does_not_know(params, problem):
    X, Y, _ = problem
    with pytest.raises(InvalidInput, match=f"Unexpected parameters in params: {next(iter(params))}"):
        jaxnet.lasso_path(X, Y[:, 0], **params)


def test_text_among_numbers_is_a_type_error_too(problem):
    X, Y, _ = problem
    for model in (jaxnet.LassoCV(alphas=[1.0, "1"]), jaxnet.Lasso(alpha="1"), jaxnet.ElasticNetCV(l1_ratio=["a"])):
        with pytest.raises(TypeError) as caught:
            model.fit(X, Y[:, 0])
        assert isinstance(caught.value, InvalidInput)


@pytest.mark.parametrize("value", [0.0, 5.0, 0.1])
@pytest.mark.parametrize("name", CV_NAMES)
def test_a_constant_response_has_one_alpha(name, value, problem):
    X, _, _ = problem
    model = getattr(jaxnet, name)(alphas=3).fit(X, np.full(len(X), value))
    np.testing.assert_array_equal(model.alphas_, [np.finfo(float).resolution] * 3)
    np.testing.assert_array_equal(model.predict(X), value)


def test_what_float32_cannot_hold_stays_float64(problem):
    X, Y, _ = problem
    small, y = (X * 1e-20).astype(np.float32), Y[:, 0] * 1e25
    alpha = 0.01 * np.abs(small.T.astype(float) @ (y - y.mean())).max() / len(y)
    for model in (jaxnet.Lasso(alpha=alpha), jaxnet.LassoCV(alphas=[alpha], cv=3)):
        model.fit(small, y)
        assert model.coef_.dtype == np.float64 and np.isfinite(model.coef_).all() and np.isfinite(model.dual_gap_)
        assert model.score(small, y) > 0.5
    assert np.isfinite(model.mse_path_).all()


def test_lasso_path_is_the_path_of_lasso_cv(problem):
    X, Y, _ = problem
    alphas, coefs, gaps = jaxnet.LassoCV.path(X, Y[:, 0], n_alphas=5, precompute=True, selection="random", eps=0.1)
    assert (
        alphas.shape == gaps.shape == (5,) and coefs.shape == (12, 5) and alphas[-1] == pytest.approx(0.1 * alphas[0])
    )
    np.testing.assert_array_equal(coefs, jaxnet.ElasticNet.path(X, Y[:, 0], l1_ratio=1, alphas=5, eps=0.1)[1])
    with pytest.raises(InvalidInput, match="Unexpected parameters in params: tolerance"):
        jaxnet.LassoCV.path(X, Y[:, 0], tolerance=1)
    with pytest.raises(InvalidInput, match="one response"):
        jaxnet.LassoCV.path(X, Y)


@pytest.mark.parametrize("name", NAMES)
def test_frames_give_feature_names(name, problem):
    X, Y, _ = problem
    y = Y[:, 0]
    plain = getattr(jaxnet, name)(**_quick(name)).fit(X, y)
    frames = [
        pd.DataFrame(X, columns=COLUMNS),
        pl.DataFrame(X, schema=COLUMNS),
        pa.table(dict(zip(COLUMNS, X.T, strict=True))),
    ]
    for frame, target in zip(frames, (pd.Series(y, name="t"), pl.Series("t", y), pa.chunked_array([y])), strict=True):
        model = getattr(jaxnet, name)(**_quick(name)).fit(frame, target)
        assert model.feature_names_in_.dtype == object and list(model.feature_names_in_) == COLUMNS
        np.testing.assert_allclose(model.coef_, plain.coef_, rtol=1e-9, atol=1e-9)
        np.testing.assert_allclose(model.predict(frame), plain.predict(X), rtol=1e-9)
        with pytest.warns(UserWarning, match="X does not have valid feature names"):
            model.predict(X)
        with pytest.warns(UserWarning, match="was fitted without feature names"):
            plain.predict(frame)
    with pytest.raises(InvalidInput, match="same order as they were in fit"):
        model.predict(pd.DataFrame(X[:, ::-1], columns=COLUMNS[::-1]))
    assert not hasattr(model.fit(X, y), "feature_names_in_")


def _quick(name):
    return {"alphas": 5} if name in CV_NAMES else {"alpha": 0.1}


@pytest.mark.parametrize("name", NAMES)
def test_fitted_estimators_travel(name, problem, tmp_path):
    X, Y, _ = problem
    model = getattr(jaxnet, name)(**_quick(name)).fit(pd.DataFrame(X, columns=COLUMNS), Y[:, 0])
    joblib.dump(model, tmp_path / "model")
    for twin in (pickle.loads(pickle.dumps(model)), copy.deepcopy(model), joblib.load(tmp_path / "model")):
        assert repr(twin) == repr(model) and twin.get_params() == model.get_params()
        assert list(fitted(twin)) == list(fitted(model))
        np.testing.assert_array_equal(twin.coef_, model.coef_)


def test_input_and_parameters_are_left_alone(problem):
    X, Y, weights = (a.copy() for a in problem)
    alphas, ratios = [0.1, 1.0, 0.5], [0.7]
    for array in (X, Y, weights):
        array.flags.writeable = False
    model = jaxnet.ElasticNetCV(alphas=alphas, l1_ratio=ratios)
    before = model.get_params()
    model.fit(X, Y[:, 0], sample_weight=weights)
    assert alphas == [0.1, 1.0, 0.5] and ratios == [0.7]
    assert all(model.get_params()[name] is before[name] for name in before)


def test_repr_shows_what_differs_from_the_defaults():
    assert repr(jaxnet.ElasticNetCV(l1_ratio=[0.1, 1], cv=5, random_state=42)) == (
        "ElasticNetCV(cv=5, l1_ratio=[0.1, 1], random_state=42)"
    )
    assert repr(jaxnet.Lasso(1.0)) == "Lasso()"
    assert repr(jaxnet.LassoCV(alphas=np.arange(1000.0))).count("...") == 1


def test_parameters_without_effect_have_none(problem):
    X, Y, _ = problem
    y = Y[:, 0]
    plain = jaxnet.ElasticNet(alpha=0.1).fit(X, y)
    other = jaxnet.ElasticNet(
        alpha=0.1, precompute=X.T @ X, copy_X=False, warm_start=True, random_state=3, selection="random"
    )
    for _ in range(2):
        np.testing.assert_array_equal(other.fit(X, y, check_input=False).coef_, plain.coef_)
    chosen = jaxnet.LassoCV(alphas=5).fit(X, y)
    odd = jaxnet.LassoCV(alphas=5, n_jobs=2, precompute=False, random_state=1, selection="random", copy_X=False)
    np.testing.assert_array_equal(odd.fit(X, y).coef_, chosen.coef_)


BAD_PARAMETERS = [
    ("ElasticNet", {"alpha": -1}, "alpha is -1: pass a number of at least 0"),
    ("Lasso", {"alpha": np.nan}, "alpha is nan"),
    ("Lasso", {"alpha": "big"}, "alpha is 'big'"),
    ("Lasso", {"alpha": True}, "alpha is True"),
    ("ElasticNet", {"l1_ratio": 1.2}, "l1_ratio is 1.2: pass a number between 0"),
    ("ElasticNet", {"l1_ratio": None}, "l1_ratio is None"),
    ("ElasticNetCV", {"l1_ratio": [0.5, -0.1]}, "l1_ratio is -0.1"),
    ("ElasticNetCV", {"l1_ratio": []}, "l1_ratio is empty"),
    ("Lasso", {"tol": 0}, "tol is 0: pass a number above 0"),
    ("LassoCV", {"tol": -1e-3}, "tol is -0.001"),
    ("Lasso", {"max_iter": 0}, "max_iter is 0: pass a whole number"),
    ("LassoCV", {"max_iter": 10.5}, "max_iter is 10.5"),
    ("Lasso", {"fit_intercept": "yes"}, "fit_intercept is 'yes': pass True or False"),
    ("Lasso", {"positive": 1}, "positive is 1"),
    ("Lasso", {"selection": "greedy"}, "selection is 'greedy'"),
    ("LassoCV", {"eps": 0}, "eps is 0"),
    ("LassoCV", {"eps": 1.5}, "eps is 1.5"),
    ("LassoCV", {"alphas": 0}, "alphas is 0: pass a count of at least 1"),
    ("LassoCV", {"alphas": "many"}, "alphas is 'many'"),
    ("LassoCV", {"alphas": []}, "alphas is"),
    ("LassoCV", {"alphas": [[1.0, 2.0]]}, "1-D sequence"),
    ("LassoCV", {"alphas": [1.0, -2.0]}, r"alphas\[1\] == -2, must be >= 0.0 and finite"),
    ("ElasticNetCV", {"alphas": [1.0, np.inf]}, r"alphas\[1\] == inf"),
    ("LassoCV", {"alphas": [1, 1.0, "1"]}, r"alphas\[2\] must be an instance of float, not str"),
    ("LassoCV", {"alphas": [[1.0], [1.0, 2.0]]}, r"alphas\[0\] must be an instance of float, not list"),
    ("LassoCV", {"alphas": 2.5}, "alphas is 2.5: pass a count, or a 1-D sequence"),
    ("LassoCV", {"n_alphas": 0}, "alphas is 0"),
    ("Lasso", {"precompute": "yes"}, "precompute is 'yes'"),
    ("LassoCV", {"precompute": None}, "precompute is None"),
    ("ElasticNet", {"copy_X": "x"}, "copy_X is 'x': pass True or False"),
    ("Lasso", {"warm_start": 3}, "warm_start is 3"),
    ("ElasticNetCV", {"random_state": "x"}, "random_state is 'x'"),
    ("LassoCV", {"n_jobs": 1.5}, "n_jobs is 1.5"),
    ("LassoCV", {"verbose": -1}, "verbose is -1"),
    ("LassoCV", {"cv": 1}, "cv"),
    ("LassoCV", {"cv": 41}, "cv"),
    ("LassoCV", {"cv": "five"}, "cv"),
    ("LassoCV", {"cv": []}, "cv"),
    ("LassoCV", {"cv": 2.5}, "cv"),
    ("LassoCV", {"cv": [(np.arange(40), [])]}, "cv"),
]


@pytest.mark.parametrize(("name", "params", "message"), BAD_PARAMETERS, ids=lambda v: str(v)[:40])
def test_bad_parameters_are_refused_in_fit(name, params, message, problem):
    X, Y, _ = problem
    model = getattr(jaxnet, name)(**params)
    with pytest.raises(InvalidInput, match=message):
        model.fit(X, Y[:, 0])
    assert not fitted(model)


def test_bad_data_is_refused(problem):
    X, Y, weights = problem
    y = Y[:, 0]
    with pytest.raises(InvalidInput, match="Input X contains NaN"):
        jaxnet.Lasso().fit(np.where(X > 3, np.nan, X), y)
    with pytest.raises(InvalidInput, match="y has 39 entries"):
        jaxnet.LassoCV().fit(X, y[1:])
    with pytest.raises(InvalidInput, match="2 columns: fit one estimator per column, or pass all of y to jaxnet"):
        jaxnet.LassoCV().fit(X, Y)
    with pytest.raises(InvalidInput, match="negative weights"):
        jaxnet.ElasticNet().fit(X, y, sample_weight=-weights)
    with pytest.raises(InvalidInput, match=r"n_samples=1"):
        jaxnet.ElasticNetCV().fit(X[:1], y[:1])
    with pytest.raises(InvalidInput, match="only a splitter object can use"):
        jaxnet.ElasticNetCV().fit(X, y, sites=y)
    with pytest.raises(InvalidInput, match="Invalid parameter 'lambda' for estimator Lasso"):
        jaxnet.Lasso().set_params(**{"lambda": 1})
    model = jaxnet.Lasso().fit(X, y)
    with pytest.raises(InvalidInput, match=r"y has shape \(40, 2\), but the predictions have shape \(40,\)"):
        model.score(X, Y[:, :2])
    with pytest.raises(InvalidInput, match="X has 3 features, but Lasso is expecting 12 features as input"):
        model.predict(X[:, :3])


def test_a_fit_that_stops_early_warns(problem):
    X, Y, _ = problem
    with pytest.warns(ConvergenceWarning):
        jaxnet.Lasso(alpha=1e-3, max_iter=1, tol=1e-14).fit(X, Y[:, 0])


def test_verbose_shows_progress(problem, capfd):
    X, Y, _ = problem
    jaxnet.LassoCV(alphas=7).fit(X, Y[:, 0])
    assert capfd.readouterr() == ("", "")
    jaxnet.LassoCV(alphas=7, verbose=1).fit(X, Y[:, 0])
    assert "42" in capfd.readouterr().err


def test_score_of_constant_and_single_rows(problem):
    X, Y, _ = problem
    model = jaxnet.Lasso(alpha=0.1).fit(X, Y[:, 0])
    assert model.score(X, np.ones(40)) == 0.0
    level = jaxnet.Lasso(alpha=0.1).fit(X, np.ones(40))
    assert level.score(X, level.predict(X)) == 1.0
    with pytest.warns(UserWarning, match="less than two samples"):
        assert np.isnan(model.score(X[:1], [1.0]))


@pytest.mark.parametrize("module", ["estimators.single", "estimators.crossval", "estimators.path", "data.arrays"])
def test_docstring_examples(module):
    assert doctest.testmod(importlib.import_module(f"jaxnet.{module}")).failed == 0


def test_scikit_learn_is_never_loaded(tmp_path):
    """Fit, predict, score, pickle and print without it; then predict from the pickle without JAX either."""
    program = f"""
import pickle, sys
import numpy as np
import jaxnet
X = np.random.default_rng(0).normal(size=(40, 12))
y = X[:, 0] + 1
for model in (jaxnet.ElasticNet(alpha=0.1), jaxnet.LassoCV(alphas=5)):
    try:
        model.predict(X)
    except (ValueError, AttributeError) as error:
        assert "not fitted yet" in str(error)
    model.fit(X, y).predict(X)
    assert model.score(X, y) > 0.5 and repr(model) in model._repr_html_()
    model.set_fit_request(sample_weight=True)
assert not [name for name in sys.modules if name.split(".")[0] == "sklearn"]
pickle.dump(model, open({str(tmp_path / "model.pkl")!r}, "wb"))
"""
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True, timeout=120)
    reader = f"""
import pickle, sys
model = pickle.load(open({str(tmp_path / "model.pkl")!r}, "rb"))
assert model.predict([[0.0] * 12]).shape == (1,)
assert "jax" not in sys.modules and "sklearn" not in sys.modules
"""
    subprocess.run([sys.executable, "-W", "error", "-c", reader], check=True, timeout=120)
