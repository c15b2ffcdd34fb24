"""Missing values and words in the estimators, nested sweeps and stability selection: as pipelines refitted per fold have it."""

import pickle
from dataclasses import replace

import numpy as np
import pandas as pd
import polars as pl
import pytest
from saved import preparation, result
from sklearn.base import clone
from sklearn.compose import make_column_transformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import ElasticNet as ReferenceElasticNet
from sklearn.linear_model import Lasso as ReferenceLasso
from sklearn.model_selection import GridSearchCV, KFold, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder
from sklearn.utils.estimator_checks import estimator_checks_generator

import jaxnet
from jaxnet.errors import InvalidInput

STRATEGIES = {"mean": "mean", "median": "median", "mode": "most_frequent", "constant": "constant"}


@pytest.fixture(scope="module")
def problem():
    """Numbers with holes, and a response; the fourth column has few values, so that one is frequent."""
    rng = np.random.default_rng(11)
    X = rng.normal(size=(60, 5)) * [1, 2, 0.5, 1, 1] + 1
    X[:, 3] = rng.integers(0, 3, 60)
    y = X[:, 0] - X[:, 1] + 2 * X[:, 2] + 0.3 * rng.normal(size=60)
    X[rng.random(X.shape) < 0.15] = np.nan
    return X, y


@pytest.fixture(scope="module")
def table(problem):
    """The same beside two columns of words, one of which lacks some."""
    X, y = problem
    rng = np.random.default_rng(12)
    site, sex = rng.choice(["Bath", "Leeds", "York"], 60), rng.choice(["f", "m"], 60)
    frame = pd.DataFrame(X, columns=list("abcde")).assign(site=site, sex=np.where(rng.random(60) < 0.1, None, sex))
    return frame, y + (site == "York")


def reference(strategy: str, model=None):
    fill = {"fill_value": 0.0} if strategy == "constant" else {}
    model = ReferenceElasticNet(alpha=0.05, tol=1e-12, max_iter=100_000) if model is None else model
    return make_pipeline(SimpleImputer(strategy=STRATEGIES[strategy], keep_empty_features=True, **fill), model)


@pytest.mark.parametrize("strategy", STRATEGIES)
def test_it_is_the_pipeline_in_cross_validation_and_search(strategy, problem):
    X, y = problem
    ours = jaxnet.ElasticNet(alpha=0.05, tol=1e-13, max_iter=None, missing=strategy)
    np.testing.assert_allclose(cross_val_score(ours, X, y), cross_val_score(reference(strategy), X, y), atol=1e-7)
    search = GridSearchCV(ours, {"alpha": [0.02, 0.1], "missing": [strategy]}, cv=3).fit(X, y)
    theirs = GridSearchCV(reference(strategy), {"elasticnet__alpha": [0.02, 0.1]}, cv=3).fit(X, y)
    assert search.best_params_["alpha"] == theirs.best_params_["elasticnet__alpha"]
    scores = search.cv_results_["mean_test_score"]
    np.testing.assert_allclose(scores, theirs.cv_results_["mean_test_score"], atol=1e-7)


def test_every_fold_of_a_search_along_the_path_fills_by_its_own_rows(problem):
    X, y = problem
    alphas = [0.3, 0.1, 0.03]
    model = jaxnet.LassoCV(alphas=alphas, cv=4, tol=1e-13, max_iter=None, missing="median").fit(X, y)
    for k, alpha in enumerate(alphas):
        for fold, (train, test) in enumerate(KFold(4).split(X)):
            lasso = reference("median", ReferenceLasso(alpha, tol=1e-12, max_iter=100_000)).fit(X[train], y[train])
            error = np.mean((y[test] - lasso.predict(X[test])) ** 2)
            assert model.mse_path_[k, fold] == pytest.approx(error, rel=1e-6)
    final = reference("median", ReferenceLasso(model.alpha_, tol=1e-12, max_iter=100_000)).fit(X, y)
    np.testing.assert_allclose(model.coef_, final[-1].coef_, atol=1e-6)
    np.testing.assert_allclose(model.predict(X), final.predict(X), atol=1e-6)


def every_check():
    for number, (estimator, check) in enumerate(estimator_checks_generator(jaxnet.ElasticNet(missing="mean"))):
        yield pytest.param(estimator, check, id=f"{getattr(check, 'func', check).__name__}-{number}")


@pytest.mark.parametrize(("estimator", "check"), list(every_check()))
def test_scikit_learn_check(estimator, check, monkeypatch):
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")
    check(estimator)


def test_tags_tell_what_is_allowed():
    for cls in (jaxnet.ElasticNet, jaxnet.Lasso, jaxnet.ElasticNetCV, jaxnet.LassoCV, jaxnet.StabilitySelection):
        plain, filled, words = cls(), cls(missing="mean"), cls(categories=jaxnet.Categories())
        tags = [model.__sklearn_tags__().input_tags for model in (plain, filled, words)]
        assert [t.allow_nan for t in tags] == [False, True, False]
        assert [(t.categorical, t.string) for t in tags] == [(False, False), (False, False), (True, True)]


def test_words_are_the_one_hot_encoding_of_a_pipeline(table):
    frame, y = table
    model = jaxnet.ElasticNet(alpha=0.03, tol=1e-13, max_iter=None, missing="mean").fit(frame, y)
    theirs = make_pipeline(
        make_column_transformer(
            (SimpleImputer(), list("abcde")), (OneHotEncoder(handle_unknown="ignore"), ["site", "sex"])
        ),
        ReferenceElasticNet(alpha=0.03, tol=1e-12, max_iter=100_000),
    ).fit(frame, y)
    assert model.preparation_.names[5:] == ("site=Bath", "site=Leeds", "site=York", "sex=f", "sex=m", "sex=(missing)")
    np.testing.assert_allclose(model.coef_, theirs[-1].coef_, atol=1e-6)
    assert model.n_features_in_ == 7 and model.feature_names_in_.tolist() == frame.columns.tolist()
    new = frame.iloc[:6].assign(site=["York", "Paris", "Bath", "Bath", "Leeds", "York"])
    with pytest.warns(UserWarning, match=r"'site' has 'Paris' \(1\)"):
        np.testing.assert_allclose(model.predict(new), theirs.predict(new), atol=1e-6)
    np.testing.assert_array_equal(model.predict(pl.from_pandas(frame)), model.predict(frame))
    assert model.score(frame, y) == pytest.approx(theirs.score(frame, y), abs=1e-7)
    with pytest.raises(InvalidInput, match="Feature names must be in the same order"):
        model.predict(frame[frame.columns[::-1]])


@pytest.mark.parametrize("kind", ["ElasticNet", "LassoCV", "StabilitySelection"])
def test_what_is_fitted_survives_clones_pickles_files_and_refits(kind, table, tmp_path):
    frame, y = table
    options = {"ElasticNet": {"alpha": 0.1}, "LassoCV": {"alphas": 4, "cv": 3}, "StabilitySelection": {"n_pairs": 3}}[
        kind
    ]
    asked = jaxnet.Missing("median", indicators=True)
    model = getattr(jaxnet, kind)(missing=asked, categories=jaxnet.Categories("frequent"), **options).fit(frame, y)
    ask = lambda m: m.transform(frame) if kind == "StabilitySelection" else m.predict(frame)
    jaxnet.save(model, tmp_path / "model.jaxnet")
    for other in (jaxnet.load(tmp_path / "model.jaxnet"), pickle.loads(pickle.dumps(model))):
        np.testing.assert_array_equal(ask(other), ask(model))
        assert repr(other) == repr(model)
    assert clone(model).missing == asked and "preparation_" not in vars(clone(model))
    plain = model.set_params(missing=None, categories=None).fit(np.nan_to_num(frame[list("abcde")].to_numpy()), y)
    assert "preparation_" not in vars(plain) and "feature_names_in_" not in vars(plain) and plain.n_features_in_ == 5


def test_a_selector_selects_from_the_columns_made(table):
    frame, y = table
    asked = {"missing": jaxnet.Missing("mean", indicators=True, penalise_indicators=False), "n_pairs": 10}
    selector = jaxnet.StabilitySelection(q=2, cutoff=0.7, bound="worst-case", **asked).fit(frame, y)
    made = selector.preparation_
    assert made.width == len(selector.get_support()) == len(selector.frequencies_) == 11 + 5
    indicators = [name.startswith("missing(") for name in made.names]
    assert selector.support_[indicators].all(), "unpenalised columns are in every fit"
    names = selector.get_feature_names_out()
    assert names.tolist() == [n for n, kept in zip(made.names, selector.support_, strict=True) if kept]
    np.testing.assert_array_equal(selector.transform(frame), made.transform(frame)[:, selector.support_])
    found = jaxnet.stability_selection(frame, y, q=2, cutoff=0.7, bound="worst-case", **asked)
    np.testing.assert_array_equal(found.frequencies, selector.frequencies_)
    assert found.feature_names == made.names
    array = jaxnet.StabilitySelection(n_pairs=3, missing="mean").fit(frame[list("abcde")].to_numpy(), y)
    assert {*array.get_feature_names_out()} <= {f"x{j}" for j in range(5)}


def test_nested_errors_are_those_of_refitted_pipelines(problem):
    X, y = problem
    alphas = np.array([0.5, 0.1, 0.02])
    nested = jaxnet.nested_sweep(X, y, outer=4, inner=3, rho=0.5, alphas=alphas, missing="mean", tol=1e-12)
    for fold, (train, test) in enumerate(KFold(4).split(X)):
        models = [reference("mean", ReferenceElasticNet(alpha=a, tol=1e-12, max_iter=100_000)) for a in alphas]
        inner = [-cross_val_score(m, X[train], y[train], cv=3, scoring="neg_mean_squared_error").mean() for m in models]
        best = models[int(np.argmin(inner))].fit(X[train], y[train])
        assert nested.alphas[fold] == alphas[np.argmin(inner)] and nested.inner_errors[fold] == pytest.approx(
            min(inner)
        )
        assert nested.errors[fold] == pytest.approx(np.mean((y[test] - best.predict(X[test])) ** 2))


def test_nested_baselines_are_of_the_rows_that_count(problem):
    X, y = problem
    nested = jaxnet.nested_sweep(X, y, outer=3, inner=2, alphas=4, missing="complete")
    whole = ~np.isnan(X).any(axis=1)
    for fold, (train, test) in enumerate(KFold(3).split(X)):
        mean = y[train][whole[train]].mean()
        assert nested.baseline_errors[fold] == pytest.approx(np.mean((y[test][whole[test]] - mean) ** 2))


@pytest.mark.parametrize("fill", ["complete", "pairwise"])
def test_other_approaches_predict_too(fill, problem):
    X, y = problem
    model = jaxnet.ElasticNet(alpha=0.1, missing=fill).fit(X, y)
    expected = jaxnet.fit_path(X, y, rho=0.5, alphas=[0.1], missing=fill)
    np.testing.assert_array_equal(model.coef_, expected.coef_at(0, 0))
    whole = ~np.isnan(X[:, model.coef_ != 0]).any(axis=1)
    np.testing.assert_array_equal(np.isfinite(model.predict(X)), whole if fill == "complete" else True)
    responses = jaxnet.ElasticNet(alpha=0.1, missing=fill).fit(X, np.stack([y, -y], axis=1)).predict(X)
    np.testing.assert_allclose(responses[:, 0], model.predict(X), rtol=1e-6)
    np.testing.assert_allclose(responses[:, 1], -responses[:, 0], rtol=1e-6, atol=1e-9)


def test_wrong_requests_are_sentences(problem, table):
    X, y = problem
    with pytest.raises(InvalidInput, match="Input X contains NaN"):
        jaxnet.ElasticNet().fit(X, y)
    with pytest.raises(InvalidInput, match="the fill 'men' is not known; choose one of 'mean'"):
        jaxnet.ElasticNet(missing="men").fit(X, y)
    fitted = jaxnet.ElasticNet().fit(table[0][["site"]], table[1])
    with pytest.raises(InvalidInput, match="must be a jaxnet Categories"):
        jaxnet.ElasticNet(categories="frequent").fit(table[0], table[1])
    with pytest.raises(InvalidInput, match="names should match those"):
        fitted.predict(table[0][["sex"]])
    with pytest.raises(InvalidInput, match="X has 4 features, but Lasso is expecting 5"):
        jaxnet.Lasso(missing="mean").fit(X, y).predict(X[:, :4])


def test_files_whose_preparation_is_of_other_columns_are_refused(tmp_path):
    good = preparation(columns=False)
    bad = {
        "narrower": replace(
            good, modes=good.modes[:2], categorical=good.categorical[:2], left_out=good.left_out[:2], given=2
        ),
        "filler": replace(good, filler=jaxnet.prepare(np.ones((2, 4))).filler),
        "no filler": replace(good, filler=None),
        "indicated": replace(good, indicated=np.array([3])),
        "twice": replace(good, indicated=np.array([1, 1])),
        "names": replace(good, names=("a",)),
        "words": replace(good, categorical=np.ones(3, bool)),
        "fill": replace(good, missing=jaxnet.Missing("men")),
        "limit": replace(good, missing=jaxnet.Missing(column_limit=2.0)),
        "encoding": replace(preparation(), encoding=None),
    }
    for name, wrong in bad.items():
        jaxnet.save(result(preparation=wrong), tmp_path / f"{name}.jaxnet")
        with pytest.raises(InvalidInput, match="do not fit together"):
            jaxnet.load(tmp_path / f"{name}.jaxnet")


def test_the_page_shows_columns_made_and_what_was_missing(table, tmp_path):
    frame, y = table
    swept = jaxnet.sweep(frame, y, rho=0.5, alphas=6, missing=jaxnet.Missing("mean", indicators=True))
    swept.to_html(tmp_path / "page.html", X=frame, y=y)
    page = (tmp_path / "page.html").read_text()
    for part in ("Missing values</h2>", "site=York", "Predicted and observed", "2 columns of labels as 6 indicators",
                 "SimpleFill(strategy=&#39;mean&#39;", "least BIC"):  # fmt: skip
        assert part in page
    several = jaxnet.sweep(frame, y, rho=0.5, alphas=3, cv=2, missing=jaxnet.MultipleFill(m=2, rounds=1))
    several.to_html(tmp_path / "several.html", X=frame, y=y)
    page = (tmp_path / "several.html").read_text()
    assert "Predicted and observed" in page and "MultipleFill(m=2" in page and "least BIC" not in page
    with pytest.raises(InvalidInput, match="multiple imputation has several"):
        several.criteria(frame, y)
    assert several.explain(frame, y).rows()
    complete = jaxnet.sweep(frame, y, rho=0.5, alphas=6, missing="complete")
    complete.to_html(tmp_path / "complete.html", X=frame, y=y)
    rows = int((frame[list("abcde")].notna().all(axis=1)).sum())
    assert f"<td>{rows}</td>" in (tmp_path / "complete.html").read_text()
