"""Tables with holes at the edge of what can be fitted, indicators, and requests that make no sense."""

import cases
import numpy as np
import pandas as pd
import pytest
from cases import FILLS

import jaxnet
from jaxnet import Categories, InvalidInput, Missing, SimpleFill

EVERY = pytest.mark.parametrize("fill", FILLS)
GRID = {"rho": [0.3, 1.0], "alphas": [0.5, 0.1]}
PAIRS = cases.RESAMPLINGS["three_parts"](cases.TALL[0])
LATE = pytest.mark.filterwarnings("ignore::jaxnet.ConvergenceWarning")  # pairs of few rows give matrices near singular
DROPS = [name for name, case in FILLS.items() if case.drops_rows]


def run(X, y, fill, **options):
    missing = FILLS[fill].fill if isinstance(fill, str) and fill in FILLS else fill
    given = {"cv": PAIRS, "tol": 1e-8, "keep_fold_coefs": True, "missing": missing, **GRID}
    return jaxnet.sweep(X, y, **{**given, **options})


def gappy():
    X, y = cases.gappy(cases.TALL)
    return X.copy(), y


def coefs(result, fold=None) -> np.ndarray:
    """(R, A, p) of the full data or of a fold."""
    if fold is None:
        rows, shape = result.coefs, result.alphas.shape
    else:
        rows, shape = result.fold_coefs, result.fold_intercepts.shape
    every = np.reshape([rows.row(r) for r in range(np.prod(shape))], (*shape, -1))
    return every if fold is None else every[:, :, fold]


def assert_finite(result):
    for x in (result.errors, result.intercepts, result.fold_intercepts, coefs(result)):
        assert np.isfinite(x).all()


@LATE
@EVERY
def test_columns_and_rows_that_are_missing_as_a_whole(fill):
    """A column that nobody has on some training rows has no coefficient there; rows without any value are filled rows."""
    (X, y), part = gappy(), PAIRS[1][0]
    whole, once = X.copy(), X.copy()
    whole[:, 0], once[part, 0] = np.nan, np.nan
    if FILLS[fill].drops_rows:
        for table, where in ((whole, "all rows"), (once, "the training rows of fold 1|the held-out rows of fold 0")):
            with pytest.raises(InvalidInput, match=f"leaves none of ({where})"):
                run(table, y, fill)
        limited = run(whole, y, Missing(FILLS[fill].fill, column_limit=0.99))
        assert_finite(limited)
        assert not coefs(limited)[..., 0].any()
    else:
        result = run(whole, y, fill)
        assert_finite(result)
        if fill != "constant":
            assert not coefs(result)[..., 0].any()
        assert np.isfinite(result.predict(np.full((2, 12), np.nan))).all()
        result = run(once, y, fill)
        assert_finite(result)
        assert not coefs(result, 1)[..., 0].any()
        result = run(np.full_like(X, np.nan), y, fill)
        assert_finite(result)
        assert not coefs(result).any() and result.predict(X) == pytest.approx(np.full(40, y.mean()))
    X[5] = np.nan
    assert_finite(run(X, y, fill))


@EVERY
def test_constant_columns_with_holes_have_no_coefficient(fill):
    (X, y), constant = gappy(), FILLS[fill].fill
    X[:, 0] = np.where(np.isnan(X[:, 0]), np.nan, 0.7 if fill == "constant" else 0.1)
    result = run(X, y, constant)
    assert_finite(result)
    if fill != "own columns":
        assert not coefs(result)[..., 0].any() and not coefs(result, 0)[..., 0].any()


@EVERY
def test_two_rows(fill):
    X, y = np.array([[1.0, np.nan, 2.0], [3.0, 4.0, 1.0]]), np.array([1.0, 2.0])
    result = jaxnet.fit_path(X, y, alphas=[0.1], rho=1.0, missing=FILLS[fill].fill)
    assert result.converged and np.isfinite(result.coef_at(0, 0)).all()


@EVERY
def test_columns_beyond_the_limit_are_as_if_they_were_not_there(fill):
    """By the share that the training rows of each fit miss, whatever the held-out rows do."""
    X, y = gappy()
    X[PAIRS[0][0][::2], 2] = np.nan
    result = run(X, y, Missing(FILLS[fill].fill, column_limit=0.4), tol=1e-10)
    for f, (train, _) in enumerate(PAIRS):
        share = np.isnan(X[train]).mean(axis=0)
        gone = share > 0.4
        assert list(np.flatnonzero(gone)) == ([2] if f == 0 else [])
        assert not coefs(result, f)[..., gone].any()
    without = run(np.delete(X, 2, axis=1), y, FILLS[fill].fill, tol=1e-10)
    np.testing.assert_allclose(np.delete(coefs(result, 0), 2, axis=2), coefs(without, 0), atol=1e-4)
    np.testing.assert_allclose(result.errors[..., 0], without.errors[..., 0], rtol=1e-4)


@EVERY
def test_new_rows_may_miss_what_was_complete(fill):
    """Filled as learnt from all rows; with complete cases a row that misses a column with a coefficient has no prediction."""
    X, y = gappy()
    result = run(X, y, fill)
    new = X[:4].copy()
    new[0, 11] = new[1, 10] = np.nan
    predicted, fit = result.predict(new), result.best()
    if FILLS[fill].drops_rows:
        support = np.flatnonzero(fit.coef)
        expected = np.isnan(new[:, support]).any(axis=1)
        assert expected.any() and not expected.all()
        np.testing.assert_array_equal(np.isnan(predicted), expected)
    else:
        filled = jaxnet.prepare(X, missing=FILLS[fill].fill).transform(new)
        assert np.isfinite(filled).all()
        np.testing.assert_allclose(predicted, filled @ fit.coef + fit.intercept, rtol=1e-12)


@LATE
@pytest.mark.parametrize("fill", ["mean", "own columns"])
def test_indicators_are_of_columns_with_holes_and_take_after_them(fill):
    X, y = gappy()
    X[:, 1] = np.where(np.isnan(X[:, 0]), np.nan, np.nan_to_num(X[:, 1]))  # one pattern twice
    frame = pd.DataFrame(X, columns=list("abcdefghijkl"))
    holes = np.flatnonzero(np.isnan(X).any(axis=0))
    missing = Missing(FILLS[fill].fill, indicators=True)
    factor = np.r_[1.0, 0.0, np.ones(10)]
    result = run(frame, y, missing, penalty_factor=factor, lower=np.r_[0.0, -np.inf, np.full(10, -np.inf)])
    names = tuple(frame.columns) + tuple(f"missing({frame.columns[j]})" for j in holes)
    assert result.feature_names == names and result.n_features == 12 + len(holes)
    np.testing.assert_array_equal(result.options.penalty_factor, np.r_[factor, factor[holes]])
    assert (coefs(result)[..., [0, 12]] >= 0).all(), "the indicator of a column has its bounds"
    made = result.preparation.transform(frame)
    np.testing.assert_array_equal(made[:, 12:], np.isnan(X[:, holes]))
    free = run(frame, y, Missing(FILLS[fill].fill, indicators=True, penalise_indicators=False))
    assert free.converged and not free.options.penalty_factor[12:].any() and free.options.penalty_factor[:12].all()
    assert run(X, y, missing).feature_names is None
    clash = frame.rename(columns={"l": "missing(a)"})
    with pytest.raises(InvalidInput, match=r"'missing\(a\)'.*rename"):
        run(clash, y, missing)


def test_indicators_find_what_a_hole_says():
    (X, y), holes = gappy(), np.zeros(40)
    holes[::3] = 1.0
    X[:, 0] = np.where(holes, np.nan, np.nan_to_num(X[:, 0]))
    result = run(X, y + 5 * holes, Missing("mean", indicators=True), alphas=[0.01], rho=1.0)
    assert coefs(result)[0, 0, 12] == pytest.approx(5, abs=1.0)


def test_levels_have_the_factor_and_the_bounds_of_their_column():
    frame = pd.DataFrame({"dose": np.arange(40.0), "site": np.resize(["a", "b", "c", None], 40)})
    y = np.resize([1.0, 2.0, 4.0, 3.0, 0.0], 40)
    result = run(
        frame, y, Missing("mean", indicators=True), penalty_factor=[1.0, 3.0], upper=[np.inf, 0.0],
        categories=Categories(missing="mode"),
    )  # fmt: skip
    assert result.feature_names == ("dose", "site=a", "site=b", "site=c", "missing(site)")
    assert result.options.penalty_factor.tolist() == [1.0, 3.0, 3.0, 3.0, 3.0]
    assert (coefs(result)[..., 1:] <= 0).all()
    with pytest.warns(UserWarning, match="'site' has 'z'"):
        predicted = result.predict(pd.DataFrame({"dose": [1.0, 1.0], "site": ["z", None]}))
    assert np.isfinite(predicted).all()


@pytest.mark.parametrize("fill", DROPS)
def test_complete_cases_say_nothing_of_rows_without_a_label(fill):
    frame = pd.DataFrame({"dose": np.arange(40.0) % 7, "site": np.resize(["a", "b", "a", None, "b"], 40)})
    y = (frame["dose"] + 3 * (frame["site"] == "b")).to_numpy()
    result = run(frame, y, fill, categories=Categories(missing="mode"), alphas=[0.01])
    assert result.preparation.rows == 32
    np.testing.assert_array_equal(np.isnan(result.predict(frame)), frame["site"].isna())


@EVERY
def test_what_is_infinite_or_missing_elsewhere_is_an_error(fill):
    X, y = gappy()
    wrong, w = X.copy(), np.ones(40)
    wrong[3, 4], w[7] = -np.inf, np.nan
    with pytest.raises(InvalidInput, match=r"X contains infinity.*column 4"):
        run(wrong, y, fill)
    with pytest.raises(InvalidInput, match=r"y contains NaN.*row 3"):
        run(X, np.where(np.arange(40) == 3, np.nan, y), fill)
    with pytest.raises(InvalidInput, match=r"sample_weight contains NaN.*row 7"):
        run(X, y, fill, sample_weight=w)
    with pytest.raises(InvalidInput, match="X contains infinity"):
        run(X, y, fill).predict(wrong)
    with pytest.raises(InvalidInput, match=r"X contains NaN.*argument missing"):
        run(X, y, None)


@pytest.mark.parametrize(
    "missing, message",
    [
        ("means", "the fill 'means' is not known; choose one of 'mean'"),
        (3, "the fill 3 is not known"),
        (Missing(None), "the fill None is not known"),
        (SimpleFill, "is not known"),
        (SimpleFill("average"), "strategy='average' of SimpleFill must be one of"),
        (SimpleFill(3), "strategy=3 of SimpleFill must be one of"),
        (SimpleFill("constant", value=np.nan), "value=nan of SimpleFill must be a finite number"),
        (SimpleFill("constant", value="0"), "value='0' of SimpleFill must be a finite number"),
        (SimpleFill("mean", value=1.0), "value=1.0 of SimpleFill is for strategy 'constant'"),
        (Missing(indicators=1), "indicators=1 of Missing must be True or False"),
        (Missing(penalise_indicators=None), "penalise_indicators=None of Missing"),
        (Missing(column_limit=1.5), r"column_limit=1.5 of Missing must be in \[0, 1\]"),
        (Missing(column_limit="half"), "column_limit='half' of Missing"),
    ],
)
def test_wrong_options_get_a_sentence(missing, message):
    X, y = gappy()
    for call in (lambda: run(X, y, missing), lambda: jaxnet.prepare(X, missing=missing)):
        with pytest.raises(InvalidInput, match=message):
            call()
