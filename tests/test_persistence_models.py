"""Saved estimators: they predict the same bits, keep their dtypes and parameters, and hold nothing but what fit set."""

import numpy as np
import pandas as pd
import pytest
from saved import as_tree, equal, model, selector
from sklearn.model_selection import KFold

import jaxnet
from jaxnet import load, save
from jaxnet.errors import InvalidInput

CLASSES = ["ElasticNet", "Lasso", "ElasticNetCV", "LassoCV"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.jaxnet"


@pytest.fixture(scope="module")
def data():
    rng = np.random.default_rng(5)
    X = rng.normal(size=(40, 12))
    return X, X[:, :3] @ [2.0, -1.0, 0.5] + rng.normal(size=40)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", CLASSES)
def test_saved_model_predicts_the_same_bits(name, dtype, data, path):
    X, y = data[0].astype(dtype), data[1]
    options = {"alphas": 5, "cv": 3} if name.endswith("CV") else {"alpha": 0.1}
    before = getattr(jaxnet, name)(**options).fit(X, y)
    save(before, path)
    after = load(path)
    assert equal(as_tree(before), as_tree(after)) and repr(after) == repr(before)
    assert after.coef_.dtype == dtype and after.predict(X).dtype == dtype
    np.testing.assert_array_equal(after.predict(X).view(np.uint8), before.predict(X).view(np.uint8))
    assert after.score(X, y) == before.score(X, y)
    assert equal(as_tree(after.fit(X, y)), as_tree(before.fit(X, y)))


def test_saved_model_of_a_frame_still_knows_its_columns(data, path):
    X = pd.DataFrame(data[0], columns=[f"gene {j}" for j in range(12)])
    before = jaxnet.ElasticNet(alpha=0.1).fit(X, np.stack([data[1], -data[1]], axis=1))
    save(before, path)
    after = load(path)
    np.testing.assert_array_equal(after.predict(X), before.predict(X))
    with pytest.raises(InvalidInput, match="feature names should match"):
        after.predict(X.rename(columns={"gene 1": "gene one"}))


@pytest.mark.parametrize(
    ("change", "pattern"),
    [
        ({"cv": KFold(3)}, r"content\.cv: KFold is no kind.*set_params\(cv=None\)"),
        ({"random_state": np.random.RandomState(0)}, r"content\.random_state: RandomState"),
        ({"mine_": 1}, "attribute 'mine_' that is not jaxnet's"),
        ({"coef_": "text"}, None),
    ],
)
def test_saving_refuses_what_would_be_lost(change, pattern, path):
    made = model("LassoCV")
    vars(made).update(change)
    if pattern is None:  # plain data in the wrong place are found on loading
        save(made, path)
        with pytest.raises(InvalidInput, match="of kind LassoCV, has parts that do not fit"):
            load(path)
        return
    with pytest.raises(InvalidInput, match=pattern):
        save(made, path)
    assert not path.exists()


def test_a_subclass_is_not_taken_for_its_parent(path):
    class Lasso(jaxnet.Lasso):
        pass

    with pytest.raises(InvalidInput, match="content: Lasso is no kind"):
        save(Lasso(), path)


UNFIT = {
    "no intercept": {"intercept_": None},
    "coef of integers": {"coef_": np.zeros(4, int)},
    "coef of three axes": {"coef_": np.zeros((1, 2, 4))},
    "other width": {"n_features_in_": 5},
    "width no integer": {"n_features_in_": 4.0},
    "intercept of two": {"intercept_": np.zeros(2)},
    "gap of two": {"dual_gap_": np.zeros(2)},
    "counts of two": {"n_iter_": [1, 2]},
    "count no integer": {"n_iter_": "3"},
    "too few names": {"feature_names_in_": np.array(["a"], dtype=object)},
    "names no text": {"feature_names_in_": np.zeros(4)},
    "alpha no number": {"alpha_": "0.1"},
    "alphas a list": {"alphas_": [1.0]},
    "errors of four axes": {"mse_path_": np.zeros((1, 1, 1, 1))},
    "share no number": {"l1_ratio_": [0.5]},
    "requests of another method": {"_requests": {"predict": True}},
    "requests no dict": {"_requests": [1]},
    "requests a number": {"_requests": {"fit": 1}},
}


@pytest.mark.parametrize("name", UNFIT)
def test_models_whose_parts_do_not_fit_are_refused(name, path):
    made = model("ElasticNetCV")
    vars(made).update(UNFIT[name])
    save(made, path)
    with pytest.raises(InvalidInput, match="of kind ElasticNetCV, has parts that do not fit together"):
        load(path)


SELECTION_UNFIT = {
    "support of numbers": {"support_": np.ones(4)},
    "support of three": {"support_": np.ones(3, bool)},
    "frequencies a list": {"frequencies_": [0.5] * 4},
    "no result": {"result_": None},
    "width no integer": {"n_features_in_": "4"},
    "too few names": {"feature_names_in_": np.array(["a"], dtype=object)},
}


@pytest.mark.parametrize("name", SELECTION_UNFIT)
def test_selectors_whose_parts_do_not_fit_are_refused(name, path):
    made = selector()
    vars(made).update(SELECTION_UNFIT[name])
    save(made, path)
    with pytest.raises(InvalidInput, match="of kind StabilitySelection, has parts that do not fit together"):
        load(path)


def test_saved_selector_keeps_the_same_columns(data, path):
    before = jaxnet.StabilitySelection(n_pairs=4, q=3, cutoff=0.75, bound="worst-case", alphas=5).fit(*data)
    save(before, path)
    after = load(path)
    assert equal(as_tree(before), as_tree(after)) and repr(after.result_) == repr(before.result_)
    np.testing.assert_array_equal(after.transform(data[0]), before.transform(data[0]))


@pytest.mark.parametrize("missing", ["coef_", "intercept_", "alpha_", "l1_ratio_", "n_features_in_"])
def test_half_fitted_models_are_refused(missing, path):
    made = model("ElasticNetCV")
    delattr(made, missing)
    save(made, path)
    with pytest.raises(InvalidInput, match="do not fit together"):
        load(path)
