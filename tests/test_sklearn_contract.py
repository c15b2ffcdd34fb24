"""scikit-learn's own contract suite on the estimators, and its tools working with them."""

import copy
import pickle

import joblib
import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.base import clone, is_regressor
from sklearn.exceptions import NotFittedError
from sklearn.feature_selection import SelectFromModel
from sklearn.linear_model import ElasticNet as ReferenceElasticNet
from sklearn.model_selection import GridSearchCV, GroupKFold, LeaveOneGroupOut, cross_val_score, cross_validate
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import check_dataframe_column_names_consistency, estimator_checks_generator

import jaxnet

REGRESSORS = [jaxnet.ElasticNet(), jaxnet.Lasso(), jaxnet.ElasticNetCV(), jaxnet.LassoCV()]
ESTIMATORS = [*REGRESSORS, jaxnet.StabilitySelection(n_pairs=20, alphas=10)]
ids = [type(e).__name__ for e in ESTIMATORS]


def every_check():
    for model in ESTIMATORS:
        for number, (estimator, check) in enumerate(estimator_checks_generator(model)):
            name = getattr(check, "func", check).__name__
            yield pytest.param(estimator, check, id=f"{type(model).__name__}-{name}-{number}")


@pytest.mark.filterwarnings("ignore:No column was selected")
@pytest.mark.parametrize(("estimator", "check"), list(every_check()))
def test_scikit_learn_check(estimator, check, monkeypatch):
    """Every check of `check_estimator`, none expected to fail; the switch is for the array-API check."""
    monkeypatch.setenv("SCIPY_ARRAY_API", "1")
    check(estimator)


@pytest.mark.filterwarnings("ignore:No column was selected")
@pytest.mark.parametrize("estimator", ESTIMATORS, ids=ids)
def test_feature_name_check(estimator):
    check_dataframe_column_names_consistency(type(estimator).__name__, estimator)


@pytest.fixture(scope="module")
def problem():
    rng = np.random.default_rng(6)
    X = rng.normal(size=(40, 12))
    return X, X[:, 0] - X[:, 1] + 0.3 * rng.normal(size=40), rng.uniform(0.1, 2, 40)


@pytest.fixture
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_it_is_a_regressor():
    assert [is_regressor(estimator) for estimator in ESTIMATORS] == [True] * 4 + [False]


def test_pipeline_and_grid_search(problem):
    X, y, _ = problem
    frame = pd.DataFrame(X * 1e3, columns=[f"g{j}" for j in range(12)])
    pipeline = make_pipeline(StandardScaler(), jaxnet.ElasticNet())
    grid = {"elasticnet__alpha": [0.01, 0.1, 1.0], "elasticnet__l1_ratio": [0.5, 1.0]}
    search = GridSearchCV(pipeline, grid, cv=5).fit(frame, y)
    theirs = GridSearchCV(make_pipeline(StandardScaler(), ReferenceElasticNet()), grid, cv=5).fit(frame, y)
    assert search.best_params_ == theirs.best_params_
    np.testing.assert_allclose(search.cv_results_["mean_test_score"], theirs.cv_results_["mean_test_score"], atol=5e-3)
    assert search.predict(frame).shape == (40,)
    assert "ElasticNet" in search._repr_html_()


def test_cross_val_score(problem):
    X, y, _ = problem
    scores = cross_val_score(jaxnet.LassoCV(alphas=5), X, y, cv=5)
    assert scores.shape == (5,) and scores.min() > 0.7


def test_search_in_threads(problem):
    """64-bit arithmetic is switched on per thread: a search in threads must agree with one in a row."""
    X, y, _ = problem
    grid = {"alpha": [0.05, 0.1, 0.5]}
    alone = GridSearchCV(jaxnet.Lasso(tol=1e-8), grid, cv=5).fit(X, y)
    with joblib.parallel_config(backend="threading", n_jobs=2):
        together = GridSearchCV(jaxnet.Lasso(tol=1e-8), grid, cv=5).fit(X, y)
    np.testing.assert_array_equal(together.cv_results_["mean_test_score"], alone.cv_results_["mean_test_score"])


def test_select_from_model(problem):
    X, y, _ = problem
    assert SelectFromModel(jaxnet.Lasso(alpha=0.3)).fit(X, y).get_support().tolist() == [True, True] + [False] * 10


def test_not_fitted_error_is_that_of_scikit_learn(problem):
    with pytest.raises(NotFittedError, match="ElasticNet instance is not fitted yet") as caught:
        jaxnet.ElasticNet().predict(problem[0])
    assert isinstance(pickle.loads(pickle.dumps(caught.value)), NotFittedError)


@pytest.mark.parametrize("estimator", ESTIMATORS, ids=ids)
def test_html_representation(estimator):
    assert type(estimator).__name__ in estimator._repr_html_()


def test_clone_keeps_requests_and_parameters():
    model = jaxnet.ElasticNetCV(l1_ratio=[0.1, 1.0], cv=3).set_fit_request(sample_weight=True)
    for twin in (clone(model), copy.deepcopy(model), pickle.loads(pickle.dumps(model))):
        assert twin.get_params() == model.get_params() and twin is not model
        assert twin.get_metadata_routing().fit.requests == {"sample_weight": True}
    twin = clone(model).set_fit_request(sample_weight=False)
    assert model.get_metadata_routing().fit.requests == {"sample_weight": True}
    assert twin.get_metadata_routing().score.requests == {"sample_weight": None}
    assert twin.set_fit_request().get_metadata_routing().fit.requests == {"sample_weight": False}


def test_routed_weights_reach_fit_and_score(routing, problem):
    X, y, weights = problem
    pair = (np.arange(30), np.arange(30, 40))
    model = jaxnet.Lasso(alpha=0.1).set_fit_request(sample_weight=True).set_score_request(sample_weight="test_weight")
    found = cross_validate(
        model, X, y, cv=[pair], params={"sample_weight": weights, "test_weight": weights}, return_estimator=True
    )
    direct = jaxnet.Lasso(alpha=0.1).fit(X[:30], y[:30], sample_weight=weights[:30])
    np.testing.assert_array_equal(found["estimator"][0].coef_, direct.coef_)
    assert found["test_score"][0] == direct.score(X[30:], y[30:], sample_weight=weights[30:])
    with pytest.raises(sklearn.exceptions.UnsetMetadataPassedError):
        cross_validate(jaxnet.Lasso(), X, y, cv=[pair], params={"sample_weight": weights})


def test_routed_weights_go_through_a_pipeline_search(routing, problem):
    X, y, weights = problem
    steps = make_pipeline(
        StandardScaler().set_fit_request(sample_weight=False),
        jaxnet.Lasso().set_fit_request(sample_weight=True).set_score_request(sample_weight=True),
    )
    search = GridSearchCV(steps, {"lasso__alpha": [0.05, 0.5]}, cv=5).fit(X, y, sample_weight=weights)
    expected = jaxnet.Lasso(**search.best_estimator_[-1].get_params())
    expected.fit(StandardScaler().fit_transform(X), y, sample_weight=weights)
    np.testing.assert_array_equal(search.best_estimator_[-1].coef_, expected.coef_)


def test_groups_are_routed_to_the_splitter(routing, problem):
    X, y, weights = problem
    groups = np.arange(40) % 5
    model = jaxnet.LassoCV(alphas=5, cv=GroupKFold(5)).set_fit_request(sample_weight=True)
    routed = model.fit(X, y, sample_weight=weights, groups=groups)
    direct = jaxnet.LassoCV(alphas=5, cv=list(GroupKFold(5).split(X, groups=groups))).fit(X, y, sample_weight=weights)
    np.testing.assert_array_equal(routed.mse_path_, direct.mse_path_)
    model.set_score_request(sample_weight=False)
    outer = cross_validate(model, X, y, cv=5, params={"sample_weight": weights, "groups": groups})
    assert np.all(np.isfinite(outer["test_score"]))


@pytest.mark.parametrize("cv", [3, GroupKFold(3), jaxnet.GroupKFold(3), jaxnet.LeaveOneGroupOut()], ids=repr)
def test_routed_groups_reach_inner_folds(cv, routing, problem):
    """Those of the outer splitter and, where the estimator or its own splitter asks for them, those of the estimator."""
    X, y, _ = problem
    groups = np.arange(40) % 6
    model = jaxnet.LassoCV(alphas=5, cv=cv)
    if cv == 3:
        model.set_fit_request(groups=True)
    outer = LeaveOneGroupOut()
    found = cross_validate(model, X, y, cv=outer, params={"groups": groups}, return_estimator=True)
    assert len(found["estimator"]) == 6
    train, _ = next(outer.split(X, y, groups))
    own = jaxnet.GroupKFold(3) if cv == 3 else cv
    ready = list(own.split(X[train], y[train], groups[train]))
    direct = jaxnet.LassoCV(alphas=5, cv=ready).fit(X[train], y[train])
    np.testing.assert_array_equal(found["estimator"][0].mse_path_, direct.mse_path_)
    search = GridSearchCV(model, {"eps": [1e-2]}, cv=outer).fit(X, y, groups=groups)
    np.testing.assert_array_equal(
        search.best_estimator_.mse_path_, jaxnet.LassoCV(alphas=5, eps=1e-2, cv=cv).fit(X, y, groups=groups).mse_path_
    )


def test_groups_go_under_another_name_and_only_where_asked(routing, problem):
    X, y, _ = problem
    patients = np.arange(40) % 6
    model = jaxnet.LassoCV(alphas=5).set_fit_request(groups="patients")
    twin = clone(model)
    assert twin.get_metadata_routing().fit.requests == {"sample_weight": None, "groups": "patients"}
    found = cross_validate(
        twin, X, y, cv=[(np.arange(30), np.arange(30, 40))], params={"patients": patients}, return_estimator=True
    )
    direct = jaxnet.LassoCV(alphas=5).fit(X[:30], y[:30], groups=patients[:30])
    np.testing.assert_array_equal(found["estimator"][0].mse_path_, direct.mse_path_)
    plain = cross_validate(jaxnet.LassoCV(alphas=5), X, y, cv=jaxnet.GroupKFold(3), params={"groups": patients})
    assert plain["test_score"].shape == (3,)  # an estimator that did not ask gets none


def test_selection_by_groups_is_a_step_of_a_routed_pipeline(routing, problem):
    X, y, _ = problem
    groups, few = np.arange(40) % 10, {"n_pairs": 3, "q": 2, "cutoff": 0.75, "bound": "worst-case", "alphas": 10}
    steps = make_pipeline(jaxnet.StabilitySelection(**few).set_fit_request(groups=True), jaxnet.Lasso(alpha=0.01))
    found = cross_validate(steps, X, y, cv=GroupKFold(2), params={"groups": groups}, return_estimator=True)
    train, _ = next(GroupKFold(2).split(X, y, groups))
    direct = jaxnet.StabilitySelection(**few).fit(X[train], y[train], groups=groups[train])
    np.testing.assert_array_equal(found["estimator"][0][0].frequencies_, direct.frequencies_)


def test_params_reach_fit_without_routing(problem):
    X, y, _ = problem
    groups, pair = np.arange(40) % 6, (np.arange(30), np.arange(30, 40))
    found = cross_validate(jaxnet.LassoCV(alphas=5), X, y, cv=[pair], params={"groups": groups}, return_estimator=True)
    direct = jaxnet.LassoCV(alphas=5).fit(X[:30], y[:30], groups=groups[:30])
    np.testing.assert_array_equal(found["estimator"][0].mse_path_, direct.mse_path_)
