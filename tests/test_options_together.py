"""Options that change different parts of a sweep, together: metrics, adaptive weights, blends, stores."""

from dataclasses import fields

import numpy as np
import pytest

import jaxnet
from jaxnet.errors import InvalidInput
from jaxnet.pipeline.request import Request


@pytest.fixture(scope="module")
def data():
    made = jaxnet.make_genomics(60, 30, n_true=5, seed=3)
    return made.X, made.y


OPTIONS = {"rho": [0.5, 1.0], "alphas": 6, "cv": 3, "relax": (1.0, 0.0), "adaptive": jaxnet.Adaptive(alpha=0.1)}


def test_blends_are_scored_by_the_metric(data):
    X, y = data
    result = jaxnet.sweep(X, y, metric="mae", keep_fold_coefs=True, **OPTIONS)
    assert result.metric == "mae" and result.blend.tolist() == [1.0, 0.0] * 2
    for fold, (_, test) in enumerate(jaxnet.KFold(3).split(X)):
        for r, k in np.ndindex(4, 6):
            coef = result.fold_coefs.row((r * 6 + k) * 3 + fold)
            error = np.abs(y[test] - X[test] @ coef - result.fold_intercepts[r, k, fold]).mean()
            assert result.errors[r, k, fold] == pytest.approx(error, rel=1e-9)
    lean = jaxnet.sweep(X, y, metric="mae", **OPTIONS)
    assert lean.fold_coefs is None and np.array_equal(lean.errors, result.errors)


def fourth_powers(y, predicted, sample_weight):
    return np.average((y - predicted) ** 4, weights=sample_weight)


@pytest.mark.parametrize("metric", ["mse", "r2", fourth_powers], ids=["mse", "r2", "function"])
def test_a_store_gives_back_all_of_it(data, metric, tmp_path):
    X, y = data
    plain = jaxnet.sweep(X, y, metric=metric, **OPTIONS)
    for _ in range(2):  # computed, then read
        stored = jaxnet.sweep(X, y, metric=metric, store=tmp_path / "runs.db", run="all", **OPTIONS)
        for name in ("errors", "blend", "intercepts", "gap"):
            assert np.array_equal(getattr(stored, name), getattr(plain, name)), name
        assert np.array_equal(stored.coefs.values, plain.coefs.values) and stored.metric == plain.metric
    with pytest.raises(InvalidInput, match="relax is"):
        jaxnet.sweep(X, y, metric=metric, store=tmp_path / "runs.db", run="all", **{**OPTIONS, "relax": (1.0, 0.5)})
    with pytest.raises(InvalidInput, match="adaptive is"):
        jaxnet.sweep(X, y, metric=metric, store=tmp_path / "runs.db", run="all", **{**OPTIONS, "adaptive": None})


def test_a_store_describes_all_that_a_request_asks_for():
    """A new field of `Request` changes the problem of a run, or says here why not."""
    told = {
        "features",
        "Y",
        "single",
        "groups",
        "weighted",
        "metric",
        "rho",
        "alphas",
        "alpha_min_ratio",
        "fit_intercept",
    }
    told |= {"standardize", "factor", "lower", "upper", "tol", "max_iter", "solver", "dtype", "max_memory"}
    told |= {"keep_fold_coefs", "adaptive", "relax", "device", "missing", "fold_average", "row_groups"}
    assert {field.name for field in fields(Request)} == told | {"left_out"}  # follows from the others
