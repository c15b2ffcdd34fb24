"""Bad input gets a sentence: InvalidInput, naming the argument, the value and (where there is one) the remedy."""

from importlib import import_module

import cases
import numpy as np
import pytest

import jaxnet

N, P = cases.TALL


def _changed(array, index, value):
    array = np.array(array, dtype=complex if isinstance(value, complex) else None)
    array[index] = value
    return array


def _objects():
    X = np.array(cases.data("tall").X, dtype=object)
    X[3, 4] = "twelve"
    return X


X, Y = cases.data("tall").X, cases.data("tall").y
FOLD = np.arange(10)
REST = np.arange(10, N)

BAD = {
    "nan in X": ({"X": _changed(X, (3, 7), np.nan)}, ["X", "NaN", "7", "1 "]),
    "inf in X": ({"X": _changed(X, ([3, 4], 5), np.inf)}, ["X", "infinity", "5", "2 "]),
    "text in X": ({"X": _objects()}, ["X", "4"]),
    "strings": ({"X": X.astype(str)}, ["X"]),
    "complex X": ({"X": _changed(X, (0, 0), 1 + 1j)}, ["Complex", "X"]),
    "one-dimensional X": ({"X": X[:, 0]}, ["X", "2D"]),
    "three-dimensional X": ({"X": X[None]}, ["X"]),
    "no rows": ({"X": X[:0], "y": Y[:0]}, ["X", "0"]),
    "no columns": ({"X": X[:, :0]}, ["X", "0 feature"]),
    "X is None": ({"X": None}, ["X"]),
    "y is None": ({"y": None}, ["y"]),
    "nan in y": ({"y": _changed(Y, 5, np.nan)}, ["y", "NaN"]),
    "inf in y": ({"y": _changed(Y, 5, -np.inf)}, ["y"]),
    "complex y": ({"y": _changed(Y, 5, 1j)}, ["y"]),
    "text in y": ({"y": np.array(["a"] * N)}, ["y"]),
    "y too short": ({"y": Y[:-1]}, ["y", str(N), str(N - 1)]),
    "y three-dimensional": ({"y": Y.reshape(2, 4, 5)}, ["y"]),
    "weights too short": ({"sample_weight": np.ones(N - 1)}, ["sample_weight", str(N), str(N - 1)]),
    "negative weight": ({"sample_weight": _changed(np.ones(N), 2, -0.5)}, ["sample_weight", "-0.5"]),
    "all weights zero": ({"sample_weight": np.zeros(N)}, ["sample_weight", "zero"]),
    "nan weight": ({"sample_weight": _changed(np.ones(N), 2, np.nan)}, ["sample_weight"]),
    "weights zero in a test fold": (
        {"sample_weight": np.r_[np.zeros(14), np.ones(26)], "cv": 3},
        ["sample_weight", "fold 0"],
    ),
    "weights zero in a training set": (
        {"sample_weight": np.r_[np.ones(10), np.zeros(30)], "cv": [(FOLD, REST), (REST, FOLD)]},
        ["sample_weight", "fold"],
    ),
    "rho above one": ({"rho": 1.5}, ["rho", "1.5"]),
    "rho negative": ({"rho": [0.5, -0.1]}, ["rho", "-0.1"]),
    "rho nan": ({"rho": [0.5, np.nan]}, ["rho", "nan"]),
    "rho empty": ({"rho": []}, ["rho"]),
    "rho text": ({"rho": "lasso"}, ["rho", "lasso"]),
    "rho two-dimensional": ({"rho": [[0.5]]}, ["rho"]),
    "rho none": ({"rho": None}, ["rho=None"]),
    "rho complex": ({"rho": np.array([0.5 + 1j])}, ["rho", "1.j"]),
    "alpha negative": ({"alphas": [0.1, -0.2]}, ["alpha", "-0.2"]),
    "alpha nan": ({"alphas": [0.1, np.nan]}, ["alpha", "nan"]),
    "alpha infinite": ({"alphas": [np.inf, 0.1]}, ["alpha", "inf"]),
    "no alphas": ({"alphas": []}, ["alphas"]),
    "zero alphas": ({"alphas": 0}, ["alphas", "0"]),
    "negative number of alphas": ({"alphas": -3}, ["alphas", "-3"]),
    "alphas text": ({"alphas": "many"}, ["alphas", "many"]),
    "alphas for other rhos": ({"alphas": [[0.1], [0.2], [0.3]], "rho": [0.5, 1.0]}, ["alphas", "rho"]),
    "alphas ragged": ({"alphas": [[0.1], [0.2, 0.1]]}, ["alphas", "0.2"]),
    "alphas three-dimensional": ({"alphas": [[[0.1]]]}, ["alphas"]),
    "alpha_min_ratio zero": ({"alpha_min_ratio": 0.0}, ["alpha_min_ratio", "0"]),
    "alpha_min_ratio several": ({"alpha_min_ratio": [0.1, 0.2]}, ["alpha_min_ratio", "(2,)", "one number"]),
    "alpha_min_ratio above one": ({"alpha_min_ratio": 1.5}, ["alpha_min_ratio", "1.5"]),
    "fold_average unknown": ({"fold_average": "weights"}, ["fold_average", "weights", "folds", "rows"]),
    "fold_average true": ({"fold_average": True}, ["fold_average", "True"]),
    "one fold": ({"cv": 1}, ["cv", "1"]),
    "negative folds": ({"cv": -2}, ["cv", "-2"]),
    "more folds than rows": ({"cv": N + 1}, ["cv", str(N), str(N + 1)]),
    "folds of one row": ({"X": X[:1], "y": Y[:1], "cv": 3}, ["cv", "1"]),
    "cv text": ({"cv": "five"}, ["cv", "five"]),
    "cv true": ({"cv": True}, ["cv"]),
    "cv empty": ({"cv": []}, ["cv"]),
    "cv a class": ({"cv": jaxnet.KFold}, ["cv", "class KFold", "KFold(...)"]),
    "one pair instead of a list": ({"cv": (list(range(30)), list(range(30, 40)))}, ["cv", "pairs"]),
    "unknown seed": ({"cv": jaxnet.KFold(3, shuffle=True, seed="one")}, ["seed", "one"]),
    "negative seed": ({"cv": jaxnet.KFold(3, shuffle=True, seed=-1)}, ["seed", "-1"]),
    "seed without shuffle": ({"cv": jaxnet.KFold(3, seed=1)}, ["seed=1", "shuffle=True"]),
    "shuffle text": ({"cv": jaxnet.KFold(3, shuffle="no")}, ["shuffle", "no"]),
    "cv not pairs": ({"cv": [FOLD]}, ["cv"]),
    "fold without test rows": ({"cv": [(REST, FOLD), (REST, [])]}, ["cv", "fold 1", "test"]),
    "fold without training rows": ({"cv": [([], FOLD)]}, ["cv", "fold 0", "train"]),
    "fold beyond the rows": ({"cv": [(REST, np.array([N]))]}, ["cv", str(N)]),
    "mask of another length": ({"cv": [(np.ones(N - 1, bool), FOLD)]}, ["cv", str(N - 1)]),
    "mask without rows": ({"cv": [(np.ones(N, bool), np.zeros(N, bool))]}, ["cv", "fold 0", "test", "empty"]),
    "ragged rows": ({"cv": [([[1], [2, 3]], FOLD)]}, ["cv", "fold 0", "train"]),
    "fractional rows": ({"cv": [(REST, FOLD + 0.5)]}, ["cv"]),
    "tol zero": ({"tol": 0.0}, ["tol", "0"]),
    "tol negative": ({"tol": -1e-4}, ["tol", "-0.0001"]),
    "tol nan": ({"tol": np.nan}, ["tol", "nan"]),
    "tol none": ({"tol": None}, ["tol=None"]),
    "tol several": ({"tol": [1e-4, 1e-8]}, ["tol", "(2,)", "one number"]),
    "tol text": ({"tol": "small"}, ["tol", "small"]),
    "max_iter zero": ({"max_iter": 0}, ["max_iter", "0"]),
    "max_iter fractional": ({"max_iter": 2.5}, ["max_iter", "2.5"]),
    "unknown solver": ({"solver": "newton"}, ["solver", "newton", "coordinate", "proximal"]),
    "unknown dtype": ({"dtype": "int32"}, ["dtype", "int32"]),
    "nonsense dtype": ({"dtype": "quadruple"}, ["dtype", "quadruple"]),
    "unknown device": ({"device": "abacus"}, ["device", "abacus"]),
    "device number": ({"device": 3}, ["device=3", "cpu"]),
    "memory twice dotted": ({"max_memory": "1..2GB"}, ["max_memory", "1..2GB"]),
    "negative memory": ({"max_memory": -1}, ["max_memory", "-1"]),
    "progress text": ({"progress": "loud"}, ["progress", "loud"]),
    "penalty_factor too short": ({"penalty_factor": np.ones(P - 1)}, ["penalty_factor", str(P), str(P - 1)]),
    "penalty_factor negative": ({"penalty_factor": _changed(np.ones(P), 2, -1)}, ["penalty_factor", "-1"]),
    "penalty_factor nan": ({"penalty_factor": _changed(np.ones(P), 2, np.nan)}, ["penalty_factor"]),
    "penalty_factor ragged": ({"penalty_factor": [[1], [1, 2]]}, ["penalty_factor"]),
    "penalty_factor infinite": ({"penalty_factor": _changed(np.ones(P), 2, np.inf)}, ["penalty_factor", "inf"]),
    "lower above zero": ({"lower": 0.5}, ["lower", "0.5"]),
    "upper below zero": ({"upper": -0.5}, ["upper", "-0.5"]),
    "lower nan": ({"lower": np.nan}, ["lower"]),
    "lower too long": ({"lower": np.zeros(P + 1)}, ["lower", str(P), str(P + 1)]),
    "fit_intercept text": ({"fit_intercept": "no"}, ["fit_intercept", "no"]),
    "upper text": ({"upper": "none"}, ["upper"]),
}


@pytest.mark.parametrize("label", BAD)
def test_bad_input_gets_a_sentence(label):
    changes, words = BAD[label]
    arguments = {"X": X, "y": Y, "rho": [0.5, 1.0], "alphas": 4, "cv": 3, **changes}
    with pytest.raises(jaxnet.InvalidInput) as caught:
        jaxnet.sweep(arguments.pop("X"), arguments.pop("y"), **arguments)
    text = str(caught.value)
    for word in words:
        assert word.lower() in text.lower(), f"{word!r} is missing from: {text}"
    assert text.rstrip().endswith((".", "?")) and len(text) > 25, f"not a sentence: {text}"
    assert caught.value.__cause__ is None and len(text) < 600


DATA = ("X", "y", "sample_weight")
NAMES = {"rho": "l1_ratio", "alpha_min_ratio": "eps"}
NAMES |= {name: name for name in ("alphas", "cv", "tol", "max_iter", "fit_intercept")}
"""What the estimators call the arguments of `sweep` that they have."""
IN_OTHER_WORDS = {
    "alphas for other rhos": ["alphas", "0.3", "1-D"],
    "alphas ragged": ["alphas", "0.2"],
    "alpha_min_ratio several": ["eps", "[0.1, 0.2]"],
    "tol several": ["tol", "1e-08"],
    "tol none": ["tol is None"],
    "rho none": ["l1_ratio is None"],
    "rho complex": ["l1_ratio", "0.5+1"],
    "folds of one row": ["two rows", "n_samples=1"],
}
CHOOSING = {"alphas", "cv", "eps"}  # parameters of what chooses a penalty
HUGE = {"y beyond what its squares hold": ({"y": 1e160 * Y}, ["y", "overflow", "divide"])}
BY_ESTIMATORS = [
    (label, kind)
    for label, (changes, _) in {**BAD, **HUGE}.items()
    for kind in ("ElasticNetCV", "LassoCV", "ElasticNet", "Lasso")
    if changes.keys() <= {*DATA, *NAMES}
    and not (kind.startswith("Lasso") and "rho" in changes)
    and not (not kind.endswith("CV") and (label in HUGE or CHOOSING & {NAMES.get(name) for name in changes}))
]


@pytest.mark.parametrize(("label", "kind"), BY_ESTIMATORS)
def test_estimators_refuse_what_the_calls_refuse(label, kind):
    changes, words = {**BAD, **HUGE}[label]
    words = IN_OTHER_WORDS.get(label) or [NAMES.get(word, word) for word in words]
    own = {"alphas": 4, "cv": 3} if kind.endswith("CV") else {}
    parameters = {NAMES[name]: value for name, value in changes.items() if name not in DATA}
    data = {"X": X, "y": Y, **{name: value for name, value in changes.items() if name in DATA}}
    model = getattr(jaxnet, kind)(**{**own, **parameters})
    with pytest.raises(jaxnet.InvalidInput) as caught:
        model.fit(data.pop("X"), data.pop("y"), **data)
    text = str(caught.value)
    for word in words:
        assert word.lower() in text.lower(), f"{word!r} is missing from: {text}"
    assert text.rstrip().endswith((".", "?")) and len(text) > 25, f"not a sentence: {text}"


def test_most_of_the_registry_reaches_the_estimators():
    assert {label for label, _ in BY_ESTIMATORS} >= {
        "nan in X",
        "y is None",
        "rho text",
        "alphas ragged",
        "cv true",
        "tol nan",
    }
    assert len(BY_ESTIMATORS) > 150


@pytest.mark.parametrize("scale", [1e100, 1e152])
def test_a_huge_response_is_fitted_without_warnings(scale):
    """One penalty needs no errors to choose by; what cannot be held is infinite, what can is right."""
    small, large = (jaxnet.Lasso(alpha=1e-2 * unit).fit(X, Y * unit) for unit in (1.0, scale))
    np.testing.assert_allclose(large.coef_ / scale, small.coef_, atol=1e-2 * np.abs(small.coef_).max())
    assert large.score(X, Y * scale) == pytest.approx(small.score(X, Y), abs=1e-2) and not np.isnan(large.dual_gap_)


def test_invalid_input_is_a_value_error():
    assert issubclass(jaxnet.InvalidInput, ValueError) and issubclass(jaxnet.ConvergenceWarning, UserWarning)


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_frames_are_named_in_sentences(library):
    names = [f"gene {j}" for j in range(P)]
    columns = dict(zip(names, X.T.copy(), strict=True))
    for labels in (["1.5"] * N, [f"row {i}" for i in range(N)]):  # numbers read as text; labels of rows
        columns["gene 4"] = labels
        with pytest.raises(jaxnet.InvalidInput, match="gene 4"):
            jaxnet.sweep(
                _frame(library, columns), Y, categories=jaxnet.Categories(max_levels=5) if labels[0] > "2" else None
            )
    columns["gene 4"] = _changed(X[:, 4], [1, 2], np.nan)
    with pytest.raises(jaxnet.InvalidInput, match=r"gene 4.*2"):
        jaxnet.sweep(_frame(library, columns), Y)


def _frame(library, columns):
    module = import_module(library)
    return module.table(columns) if library == "pyarrow" else module.DataFrame(columns)


def test_duplicate_column_names():
    pandas = import_module("pandas")
    frame = pandas.DataFrame(X, columns=["twin", "twin", *map(str, range(P - 2))])
    with pytest.raises(jaxnet.InvalidInput, match="twin"):
        jaxnet.sweep(frame, Y)


def test_sparse_input():
    sparse = import_module("scipy.sparse")
    with pytest.raises((jaxnet.InvalidInput, TypeError), match=r"(?i)sparse"):
        jaxnet.sweep(sparse.csr_matrix(X), Y)


def test_prediction_checks_its_input():
    result = jaxnet.sweep(X, Y, cv=3, **cases.GRID)
    with pytest.raises(jaxnet.InvalidInput, match=rf"{P - 1}.*{P}|{P}.*{P - 1}"):
        result.predict(X[:, :-1])
    with pytest.raises(jaxnet.InvalidInput, match="NaN"):
        result.predict(_changed(X, (0, 0), np.nan))
    with pytest.raises(jaxnet.InvalidInput, match="2D"):
        result.predict(X[0])
    for wrong in ((5, 0), (0.5, 0), ("a", 0), (0, slice(None)), (np.array([0, 1]), 0)):
        with pytest.raises(jaxnet.InvalidInput, match=r"coef_at|outside the grid"):
            result.coef_at(*wrong)


def test_errors_of_a_splitter_are_told_and_kept():
    """What a caller's splitter raises is quoted, as its own, and is the cause that a traceback shows."""

    class Broken:
        def split(self, X, y):
            raise TypeError("a bug of mine")

    with pytest.raises(
        jaxnet.InvalidInput, match=r"Broken object.* could not split 40 rows: a bug of mine\."
    ) as caught:
        jaxnet.sweep(X, Y, cv=Broken())
    assert isinstance(caught.value.__cause__, TypeError)


@pytest.mark.parametrize("most", [1e16, 10**16, np.float64(1e16), "1.5 GiB"])
def test_memory_may_be_any_positive_number(most):
    assert jaxnet.sweep(X, Y, cv=3, max_memory=most, **cases.GRID).converged


def test_max_iter_may_be_any_positive_integer():
    assert jaxnet.sweep(X, Y, cv=3, max_iter=10**12, **cases.GRID).converged


def test_keyword_only_and_unknown_arguments():
    with pytest.raises(TypeError):
        jaxnet.sweep(X, Y, [0.5])
    with pytest.raises(TypeError, match="lambdas"):
        jaxnet.sweep(X, Y, lambdas=[0.5])
    with pytest.raises((TypeError, jaxnet.InvalidInput), match="cv"):
        jaxnet.fit_path(X, Y, cv=3)


def test_dialects_are_checked():
    for arguments, word in [
        ({"alpha": 1, "rho": 0.5, "from_": "lars"}, "lars"),
        ({"alpha": -1, "rho": 0.5, "from_": "sklearn"}, "alpha"),
        ({"alpha": 1, "rho": 2, "from_": "sklearn"}, "rho"),
        ({"alpha": 1, "rho": 0.5, "from_": "glmnet"}, "y"),
        ({"alpha": 1, "rho": 0.5, "from_": "glmnet", "y": np.ones(5)}, "constant"),
        ({"alpha": "much", "rho": 0.5, "from_": "sklearn"}, "much"),
        ({"alpha": np.nan, "rho": 0.5, "from_": "sklearn"}, "alpha"),
        ({"alpha": [1, 2], "rho": [0.1, 0.2, 0.3], "from_": "sklearn"}, "broadcast"),
        ({"alpha": 1, "rho": 0.5, "from_": "glmnet", "y": ["a", "b"]}, "numbers"),
        ({"alpha": 1, "rho": 0.5, "from_": "glmnet", "y": [1, 2], "sample_weight": [1]}, "shape"),
        ({"alpha": 1, "rho": 0.5, "from_": "glmnet", "y": [1, 2], "sample_weight": [0, 0]}, "zero"),
    ]:
        with pytest.raises(jaxnet.InvalidInput, match=word):
            jaxnet.convert_penalty(**arguments)


def test_nothing_runs_before_the_checks(monkeypatch):
    """A wrong argument is found before X reaches a device."""
    import jax

    def refuse(*args, **kwargs):
        raise AssertionError("the device was used")

    monkeypatch.setattr(jax, "device_put", refuse)
    for changes in (
        {"rho": 2.0},
        {"tol": -1.0},
        {"alphas": [-1.0]},
        {"cv": 1},
        {"penalty_factor": [1.0]},
        {"solver": "?"},
    ):
        with pytest.raises(jaxnet.InvalidInput):
            jaxnet.sweep(X, Y, **changes)
