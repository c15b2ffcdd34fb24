"""Saved results of selection: what does not fit together is refused, whatever it is."""

import dataclasses

import numpy as np
import pytest
from saved import criteria, encoding, expansion, explanation, frequencies, numbers, result, stability

import jaxnet
from jaxnet import load, save
from jaxnet.errors import InvalidInput
from jaxnet.selection.bounds import StabilityParameters
from jaxnet.selection.frequencies import Frequencies

UNFIT = {
    "criteria of no grid": (criteria(), {"alphas": numbers(3)}),
    "criteria of another grid": (criteria(), {"bic": numbers(2, 3)}),
    "criteria of integers": (criteria(), {"df": np.ones((2, 2, 3), int)}),
    "reasons as numbers": (criteria(), {"reason": numbers(2, 2, 3)}),
    "rows as a number": (criteria(), {"n": 40.0}),
    "noise of three": (criteria(), {"noise_variance": numbers(3)}),
    "frequencies of two axes": (stability(), {"frequencies": numbers(2, 2)}),
    "frequencies as a list": (stability(), {"frequencies": [0.5] * 4}),
    "selected of three": (stability(), {"selected": np.ones(3, bool)}),
    "selected as numbers": (stability(), {"selected": numbers(4)}),
    "paths of another width": (stability(), {"paths": numbers(3, 3)}),
    "parameters as a tuple": (stability(), {"parameters": (0.75, 2, 1.5)}),
    "names of three": (stability(), {"feature_names": ("a", "b", "c")}),
    "explained fit as a text": (explanation(), {"fit": "min"}),
    "explained columns as numbers": (explanation(), {"columns": numbers(3)}),
    "explained columns of two axes": (explanation(), {"columns": np.zeros((1, 3), int)}),
    "coefficients of two": (explanation(), {"coef": numbers(2)}),
    "no names": (explanation(), {"names": None}),
    "frequencies of two": (explanation(), {"frequencies": Frequencies(*numbers(4, 2))}),
    "frequencies as a text": (explanation(), {"frequencies": "often"}),
    "companions of two": (explanation(), {"companions": ((), ())}),
    "companions as names": (explanation(), {"companions": (("a",), (), ())}),
    "groups of two": (explanation(), {"group": ("a", "")}),
    "counts of another grid": (frequencies(), {"selected": result(responses=2).coefs}),
    "counts as an array": (frequencies(), {"positive": numbers(6)}),
    "no resamples": (frequencies(), {"n_resamples": 0}),
    "confidence of one": (frequencies(), {"confidence": 1.0}),
    "alphas of one axis": (frequencies(), {"alphas": numbers(6)}),
    "terms beyond the columns": (expansion(), {"terms": np.array([[0, -1, 2], [0, 4, 1]])}),
    "terms before the columns": (expansion(), {"terms": np.array([[0, -1, 2], [0, -2, 1]])}),
    "power of zero": (expansion(), {"terms": np.array([[0, -1, 0], [0, 3, 1]])}),
    "terms as numbers": (expansion(), {"terms": numbers(2, 3)}),
    "terms of two": (expansion(), {"terms": np.zeros((2, 2), int)}),
    "centre of nan": (expansion(), {"centre": np.full(4, np.nan)}),
    "too few names": (expansion(), {"names": ("a", "b", "c", "d")}),
    "levels as a list": (encoding(), {"levels": [None, ("", "Leeds", "York"), ("False", "True")]}),
    "levels of one text": (encoding(), {"levels": (None, "Le", ("False", "True"))}),
    "levels alike": (encoding(), {"levels": (None, ("Leeds", "Leeds", "York"), ("False", "True"))}),
    "levels beyond the last": (encoding(), {"level": np.array([-1, 1, 2, 4, 1])}),
    "levels of numbers": (encoding(), {"level": np.array([0, 1, 2, 3, 1])}),
    "levels before the first": (encoding(), {"level": np.array([-1, 1, -1, 3, 1])}),
    "levels twice": (encoding(), {"level": np.array([-1, 1, 1, 3, 1])}),
    "levels as numbers": (encoding(), {"level": numbers(5)}),
    "levels of four": (encoding(), {"level": np.array([-1, 1, 2, 3])}),
    "sources beyond the columns": (encoding(), {"source": np.array([0, 1, 1, 1, 3])}),
    "sources before the columns": (encoding(), {"source": np.array([-3, 1, 1, 1, 2])}),
    "numbers left out": (encoding(), {"source": np.array([1, 1, 1, 2, 2]), "level": np.array([0, 1, 2, 0, 1])}),
    "sources descending": (encoding(), {"source": np.array([1, 0, 1, 1, 2]), "level": np.array([1, -1, 2, 3, 1])}),
    "truth of other levels": (encoding(), {"boolean": (False, True, True)}),
    "truth of two": (encoding(), {"boolean": (False, False)}),
    "truth of numbers": (encoding(), {"boolean": (True, False, True)}),
    "two input columns": (encoding(), {"columns": ("dose", "site")}),
    "input columns alike": (encoding(), {"columns": ("dose", "site", "dose")}),
    "unnamed indicators": (encoding(), {"names": None}),
    "too few indicators named": (encoding(), {"names": ("dose", "site=Leeds")}),
    "options as a text": (encoding(), {"categories": "frequent"}),
    "left out without reason": (expansion(), {"left_out": (("b^2",),)}),
}


@pytest.mark.parametrize("name", UNFIT)
def test_results_whose_parts_do_not_fit_are_refused(name, tmp_path):
    thing, changes = UNFIT[name]
    save(dataclasses.replace(thing, **changes), tmp_path / "thing.jaxnet")
    with pytest.raises(InvalidInput, match=f"of kind {type(thing).__name__}, has parts that do not fit together"):
        load(tmp_path / "thing.jaxnet")


@pytest.mark.parametrize(
    "thing",
    [
        StabilityParameters("0.75", 2, 1.5),
        Frequencies(*numbers(4, 2, 2)),
        Frequencies(*numbers(3, 2), None),
        jaxnet.Categories("first"),
        jaxnet.Categories({"site": None}),
        jaxnet.Categories(missing=None),
        jaxnet.Categories(max_levels=2.5),
        jaxnet.ComplementaryPairs("25"),
        jaxnet.ComplementaryPairs(25, seed=0.5),
    ],
)
def test_small_parts_that_do_not_fit_are_refused(thing, tmp_path):
    save(thing, tmp_path / "thing.jaxnet")
    with pytest.raises(InvalidInput, match=f"of kind {type(thing).__name__}, has parts that do not fit together"):
        load(tmp_path / "thing.jaxnet")


def test_saved_criteria_choose_the_same_model(tmp_path):
    X, y = jaxnet.load_diabetes(return_X_y=True)
    found = jaxnet.fit_path(X, y, rho=[0.5, 1.0], alphas=10, standardize=True)
    save(found.criteria(X, y), tmp_path / "criteria.jaxnet")
    back = load(tmp_path / "criteria.jaxnet")
    assert found.best("bic", criteria=back).index == found.best("bic", criteria=found.criteria(X, y)).index
    assert back.rows() == found.criteria(X, y).rows()
