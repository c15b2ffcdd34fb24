"""Held-out errors in other measures: against scikit-learn's on the stored fold fits, and functions that are no metric."""

import json

import cases
import numpy as np
import pytest
from cli_runs import data_columns, make_data, read_rows, sweep, write_csv
from sklearn import metrics as theirs

import jaxnet
from jaxnet.cli import main
from jaxnet.metrics import METRICS, held_out_errors
from jaxnet.metrics import find_metric as find
from jaxnet.result import SparseRows

N, P = cases.TALL
PAIRS = cases.RESAMPLINGS["uneven"](N)
ORACLES = {
    "mse": theirs.mean_squared_error,
    "mae": theirs.mean_absolute_error,
    "r2": lambda y, p, sample_weight: 1 - theirs.r2_score(y, p, sample_weight=sample_weight),
    "median": theirs.median_absolute_error,
}


def run(metric, responses: int | None = None, weighted: bool = False, **options):
    data = cases.data("tall")
    y = data.y if responses is None else np.stack([data.y, data.X[:, 0] - data.y], axis=1)
    weight = cases.weights(N) if weighted else None
    return jaxnet.sweep(data.X, y, sample_weight=weight, metric=metric, **{"cv": PAIRS, **cases.GRID, **options})


@pytest.mark.parametrize("weighted", [False, True])
@pytest.mark.parametrize("responses", [None, 2])
@pytest.mark.parametrize("name", ORACLES)
def test_errors_are_those_of_the_oracle(name, responses, weighted):
    metric = name if name in METRICS else ORACLES[name]
    result = run(metric, responses, weighted, keep_fold_coefs=True)
    data, w = cases.data("tall"), cases.weights(N) if weighted else np.ones(N)
    Y = np.stack([data.y, data.X[:, 0] - data.y])[: responses or 1]
    errors = result.errors.reshape(len(Y), 2, 5, len(PAIRS))
    intercepts = result.fold_intercepts.reshape(errors.shape)
    for position, at in enumerate(np.ndindex(errors.shape)):
        test = np.asarray(PAIRS[at[-1]][1])
        test = test[w[test] > 0]
        predicted = data.X[test] @ result.fold_coefs.row(position) + intercepts[at]
        expected = ORACLES[name](Y[at[0]][test], predicted, sample_weight=w[test])
        assert errors[at] == pytest.approx(expected, rel=1e-9), at
    mean = np.average(errors, axis=-1, weights=result.fold_weights)
    np.testing.assert_allclose(result.error_mean, mean.reshape(result.alphas.shape))
    fits = result.best() if responses else [result.best()]
    assert [fit.index for fit in fits] == [np.unravel_index(np.argmin(m), m.shape) for m in mean]
    assert result.metric == (name if name in METRICS else "median_absolute_error")


@pytest.mark.parametrize("weighted", [False, True])
def test_mean_squares_written_out_are_those_of_the_solver(weighted):
    calls = []

    def mean_squares(y_true, y_pred, sample_weight):
        calls.append((y_true, sample_weight))
        return np.average((y_true - y_pred) ** 2, weights=sample_weight)

    one, other = run("mse", weighted=weighted), run(mean_squares, weighted=weighted)
    np.testing.assert_allclose(other.errors, one.errors, rtol=1e-6)
    for name in ("gap", "intercepts", "alphas", "status"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
    assert one.metric == "mse" and other.metric == "mean_squares"
    assert one.fold_coefs is None and other.fold_coefs is None and other.fold_intercepts is None
    assert other.best().index == one.best().index and "best by mean_squares: BestFit" in repr(other)
    data, w = cases.data("tall"), cases.weights(N) if weighted else np.ones(N)
    seen = {tuple(y) for y, _ in calls}
    assert seen == {tuple(data.y[np.sort(test[w[test] > 0])]) for _, test in PAIRS}
    assert all(weight.mean() == pytest.approx(1) for _, weight in calls)


def test_rows_that_a_fold_tests_twice_count_twice():
    pairs = [(np.arange(20), np.r_[20:30, 20, 21]), (np.arange(20, 40), np.arange(10))]
    errors = run("mae", cv=pairs, keep_fold_coefs=True)
    data, test = cases.data("tall"), pairs[0][1]
    predicted = data.X[test] @ errors.fold_coefs.row(0) + errors.fold_intercepts[0, 0, 0]
    assert errors.errors[0, 0, 0] == pytest.approx(np.mean(np.abs(data.y[test] - predicted)))


def test_several_responses_are_each_measured_alone():
    both = run("mae", 2)
    data = cases.data("tall")
    alone = jaxnet.sweep(data.X, data.X[:, 0] - data.y, cv=PAIRS, metric="mae", alphas=both.alphas[1], rho=both.rho)
    np.testing.assert_allclose(both.errors[1], alone.errors, rtol=0.05)
    assert [fit.cv_error for fit in both.best()] == [m.min() for m in both.error_mean]


@pytest.mark.parametrize("rule", ["min", "1se", "percent"])
def test_rules_take_errors_below_zero(rule):
    """A reward turned into a loss: what is within 50 per cent of -1 is at most -0.5."""
    result = run(lambda y, p, sample_weight: -1 / (1 + np.mean((y - p) ** 2)))
    best = result.best(rule, percent=50)
    least = result.error_mean.min()
    limit = {"min": least, "1se": least + result.best().cv_se, "percent": least / 2}[rule]
    assert least < 0 and least <= best.cv_error <= limit
    accepted = result.error_mean <= limit
    assert best.nonzeros == (result.best().nonzeros if rule == "min" else result.nonzeros[accepted].min())


def test_without_folds_nothing_is_measured():
    data = cases.data("tall")
    with pytest.raises(jaxnet.InvalidInput, match=r"metric='mae' measures held-out errors, and without folds"):
        jaxnet.fit_path(data.X, data.y, metric="mae", **cases.GRID)


def test_scores_in_single_precision_and_extreme_units():
    data, options = cases.data("tall"), {"tol": 1e-6, **cases.LASSO}  # below rho = 1 a unit of y changes the fit
    for X, y, unit in ((data.X.astype(np.float32), data.y, 1.0), (data.X, data.y * 1e150, 1e150)):
        for name, scale in (("mae", unit), ("r2", 1.0)):
            result = jaxnet.sweep(X, y, cv=PAIRS, metric=name, **options)
            np.testing.assert_allclose(result.errors / scale, run(name, **options).errors, rtol=0.02)


WRONG = {
    "nan": (lambda y, p, sample_weight: np.nan, "returned nan"),
    "None": (lambda y, p, sample_weight: None, "returned None"),
    "an array": (lambda y, p, sample_weight: (y - p)[:1] ** 2, r"returned array\("),
    "ragged": (lambda y, p, sample_weight: [[1], [2, 3]], r"returned \[\[1\], \[2, 3\]\]"),
    "text": (lambda y, p, sample_weight: "0.5", "returned '0.5'"),
    "a truth value": (lambda y, p, sample_weight: True, "returned True"),
    "complex": (lambda y, p, sample_weight: 1j, "returned 1j"),
}


@pytest.mark.parametrize("name", WRONG)
def test_functions_that_return_no_number_are_named(name):
    metric, returned = WRONG[name]
    with pytest.raises(jaxnet.InvalidInput, match=returned) as caught:
        run(metric)
    text = str(caught.value)
    assert "metric '<lambda>'" in text and "the fit at rho=0.2, alpha=" in text and "rows of fold 0" in text
    assert text.endswith("let it return a large one where it is not defined.")


def test_the_fit_at_fault_is_named():
    """The second response, the least alpha of the second rho, the last fold."""
    wanted = run("mse", 2).alphas[1, 1, -1]
    calls = iter(range(10**6))
    count = 2 * 2 * 5 * len(PAIRS)
    metric = lambda y, p, sample_weight: np.nan if next(calls) == count + 1 else 1.0  # two calls check the direction
    with pytest.raises(jaxnet.InvalidInput, match=f"response 1 at rho=1, alpha={wanted:.6g} .* fold 2"):
        run(metric, 2)


@pytest.mark.parametrize("metric", ["rmse", "MSE", 2, None, ["mse"], type])
def test_unknown_metrics_are_refused(metric):
    with pytest.raises(jaxnet.InvalidInput, match=r"metric=.*'mse', 'mae', 'r2'.*sample_weight"):
        run(metric)


def test_metrics_of_the_wrong_direction_are_refused():
    with pytest.raises(jaxnet.InvalidInput, match=r"'r2_score' is 1 for perfect predictions.*metric='r2'"):
        run(theirs.r2_score)


def test_r2_where_it_is_not_defined_is_refused():
    data = cases.data("tall")
    with pytest.raises(jaxnet.InvalidInput, match="metric='r2' is not defined on fold 0: y is constant"):
        run("r2", cv=N)
    y = np.stack([data.y, np.where(np.isin(np.arange(N), PAIRS[2][1]), 0.1, data.y)], axis=1)
    with pytest.raises(jaxnet.InvalidInput, match="fold 2: response 1 is constant"):
        jaxnet.sweep(data.X, y, cv=PAIRS, metric="r2")


def test_a_function_of_a_known_name_is_told_apart():
    def mse(y_true, y_pred, sample_weight):
        return np.mean(np.abs(y_true - y_pred))

    result = run(mse)
    assert result.metric == "mse (given)"
    np.testing.assert_allclose(result.errors, run("mae").errors)


def test_fits_that_are_not_finite_have_no_error():
    coefs = SparseRows(np.array([1.0]), np.array([0]), np.array([0, 1, 1, 1]), 1)
    intercepts = np.array([0.0, np.nan, np.inf]).reshape(1, 1, 3, 1)
    metric = find(lambda y, p, sample_weight: float(np.max(p)))
    errors = held_out_errors(
        metric, lambda fold, at: np.ones((2, len(at))), np.ones((1, 2)), np.full((1, 2), 0.5), coefs, intercepts, str
    )
    np.testing.assert_array_equal(errors.ravel(), [1.0, np.nan, np.nan])


def test_blocks_of_sparse_rows_are_those_of_the_dense_array(rng):
    dense = rng.normal(size=(7, 9)) * (rng.random((7, 9)) < 0.3)
    dense[2] = 0
    at, columns = np.nonzero(dense)
    rows = SparseRows(dense[at, columns], columns, np.r_[0, np.cumsum(np.count_nonzero(dense, axis=1))], 9)
    for chosen in ([0, 3], [5, 2, 5, 0], [2], range(7)):
        used, block = rows.block(np.array(chosen))
        np.testing.assert_array_equal(used, np.flatnonzero(dense[list(chosen)].any(axis=0)))
        np.testing.assert_array_equal(block, dense[np.ix_(chosen, used)])
        np.testing.assert_array_equal(rows.block(np.array(chosen), np.arange(9))[1], dense[list(chosen)])


def test_the_command_line_measures_by_metric(tmp_path, capsys):
    data = write_csv(tmp_path / "data.csv", data_columns())
    X, y, _ = make_data()
    for metric, label in (("mae", "CV error (MAE)"), ("r2", "CV error (1 - R2)")):
        assert sweep(data, "--metric", metric, "--out", tmp_path / metric, "--quiet") == 0
        text = capsys.readouterr().out
        assert label in text and ("variance explained" in text) == (metric == "r2")
        expected = jaxnet.sweep(X, y, rho=[0.5, 1.0], alphas=6, cv=3, standardize=True, metric=metric)
        mean = [float(row["mean"]) for row in read_rows(tmp_path / metric / "cv.csv")]
        np.testing.assert_allclose(mean, expected.error_mean.ravel(), rtol=1e-7)
        summary = json.loads((tmp_path / metric / "summary.json").read_text())
        assert summary["request"]["metric"] == metric
        best, null = summary["selected"], summary["null_cv_error"]
        assert best["cv_error"] == pytest.approx(expected.best().cv_error) and best["cv_error"] < null
        assert best["variance_explained"] == (None if metric == "mae" else pytest.approx(1 - best["cv_error"]))
        parts = list(jaxnet.KFold(3).split(X))
        means = [np.full(len(test), y[train].mean()) for train, test in parts]
        nulls = [ORACLES[metric](y[test], m, sample_weight=None) for (_, test), m in zip(parts, means, strict=True)]
        assert null == pytest.approx(np.mean(nulls))
        assert jaxnet.load(tmp_path / metric / "model.jaxnet")["result"].metric == metric
    with pytest.raises(SystemExit):
        main(["sweep", str(data), "--target", "response", "--metric", "rmse"])
