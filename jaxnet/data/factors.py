"""Columns of labels: which level each row has, and in which order the levels come."""

from __future__ import annotations

import datetime
from collections.abc import Collection, Iterable, Sequence
from numbers import Number
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from jaxnet.data.frames import NotNumeric, object_column
from jaxnet.data.spelled import not_numbers, numbers_of_texts

if TYPE_CHECKING:  # a saved encoding needs no time for annotations
    from jaxtyping import Int, Shaped

TRUTH = ("False", "True")
"""The levels of a column of truth values."""


class StrangeText(NotNumeric):
    """Texts that are no numbers, where there are to be numbers."""

    def __init__(self, clause: str, texts: Sequence[str]) -> None:
        super().__init__(clause)
        self.texts = texts


class Factor(NamedTuple):
    """A column of labels: row i has the level `labels[codes[i]]`, and none where `codes[i]` is -1 (missing).

    Labels are unlike each other, and each occurs in some row; a column of truth values has both of `TRUTH` always.
    `declared`: whether the column's type, or somebody, says that it holds labels, so that 007 is one.
    """

    codes: Int[np.ndarray, " n"]
    labels: tuple[str, ...]
    boolean: bool = False
    declared: bool = False


def factor_of_levels(codes: Int[np.ndarray, " n"], values: Sequence[Any], *, ordered: bool) -> Factor:
    """The factor of `values[codes]`, -1 for missing; levels come in the order of `values` if that is `ordered`, else sorted.

    Values become text with `str`, and those of the same text one level; a value that is missing itself is missing.
    Whole numbers are sorted as numbers, anything else as text.

    >>> factor_of_levels(np.array([1, 0, -1, 1]), ["b", "a", "never"], ordered=False)
    Factor(codes=array([ 0,  1, -1,  0]), labels=('a', 'b'), boolean=False, declared=False)
    """
    occurs = np.bincount(codes + 1, minlength=len(values) + 1)[1:] > 0
    kept = [k for k in np.flatnonzero(occurs).tolist() if not is_missing(values[k])]
    if not ordered:
        whole = all(isinstance(values[k], (int, np.integer)) and not isinstance(values[k], bool) for k in kept)
        kept.sort(key=(lambda k: values[k]) if whole else (lambda k: str(values[k])))
    place: dict[str, int] = {}
    to = np.full(len(values) + 1, -1)  # the last is where -1 looks
    for k in kept:
        to[k] = place.setdefault(str(values[k]), len(place))
    return Factor(to[codes], tuple(place))


def factor_of_values(values: Iterable[Any], *, declared: Sequence[Any] | None = None) -> Factor:
    """The factor of Python values, each by its own text (1, 1.0 and True are three levels); None, nan and NA are missing.

    declared: the levels, in their order; default None: those that occur, sorted.
    Raises `NotNumeric` with a clause about values that are no labels, such as dates.

    >>> factor_of_values(["b", None, 1, "a"])
    Factor(codes=array([ 2, -1,  0,  1]), labels=('1', 'a', 'b'), boolean=False, declared=False)
    """
    values = list(values)
    if set(map(type, values)) - {str, type(None)}:
        values = [_label(value) for value in values]
    place = {} if declared is None else {str(value): k for k, value in enumerate(declared)}
    codes = np.fromiter((place.setdefault(value, len(place)) for value in values), int, len(values))
    return factor_of_levels(codes, list(place), ordered=declared is not None)


def factor_of_truth(values: Iterable[Any]) -> Factor:
    """The factor of True, False and missing values."""
    return Factor(np.array([-1 if is_missing(value) else int(value) for value in values], int), TRUTH, True)


def factor_of_numbers(values: Shaped[np.ndarray, " n"]) -> Factor:
    """The factor of numbers where labels are asked for: whole ones are written without a point, NaN is missing.

    >>> factor_of_numbers(np.array([2.0, 10.0, np.nan, 2.0])).labels
    ('2', '10')
    """
    found, codes = np.unique(values, return_inverse=True)
    whole = [int(v) if np.isfinite(v) and v == int(v) else v for v in found.tolist()]
    return factor_of_levels(codes.reshape(-1), whole, ordered=True)


def numbers_of_factor(factor: Factor) -> np.ndarray:
    """A factor where there are to be numbers, NaN where missing; truth values are 0 and 1.

    Raises `StrangeText` with a clause for texts that are neither numbers nor stand for missing values.

    >>> numbers_of_factor(factor_of_values(["1.5", "N/A", None, "2"]))
    array([1.5, nan, nan, 2. ])
    """
    if factor.boolean:
        return np.where(factor.codes < 0, np.nan, factor.codes)
    values, strange = numbers_of_texts(factor.labels)
    if strange:
        texts = [factor.labels[k] for k in strange]
        clause = not_numbers(texts, label_counts(factor, texts).values(), len(factor.codes))
        raise StrangeText(f"{clause}, where there were numbers before", texts)
    return np.array([*values, np.nan])[factor.codes]


def label_counts(factor: Factor, labels: Sequence[str]) -> dict[str, int]:
    """How many rows have which of the labels."""
    times = np.bincount(factor.codes + 1, minlength=len(factor.labels) + 1)[1:].tolist()
    count = dict(zip(factor.labels, times, strict=True))
    return {label: count[label] for label in labels}


def without_labels(factor: Factor, nulls: Collection[str]) -> Factor:
    """The factor with the labels `nulls` taken for missing."""
    if factor.boolean or not any(label in nulls for label in factor.labels):
        return factor
    values = [None if label in nulls else label for label in factor.labels]
    return factor_of_levels(factor.codes, values, ordered=True)._replace(declared=factor.declared)


def column_of_values(values: Shaped[np.ndarray, " n"], labelled: bool | None) -> np.ndarray | Factor:
    """A column of numbers, truth values or objects as floats or as a factor; `labelled` says which, None that values do.

    Objects are numbers if all that are not missing are, also if there are none; a single text makes labels of them all.
    Raises `NotNumeric` with a clause about values that are neither.
    """
    kind = values.dtype.kind
    if kind == "b" and labelled is not False:
        return factor_of_truth(values.tolist())
    if kind in "biuf":
        return factor_of_numbers(values) if labelled else values
    if kind == "S":
        raise NotNumeric("bytes")
    if kind not in "OU":
        raise NotNumeric("dates" if kind in "mM" else f"dtype {values.dtype}")
    if kind == "U":
        values = values.astype(object)
    if labelled is False:
        return object_column(values)
    types = set(map(type, values[[not is_missing(value) for value in values]]))
    if types and all(issubclass(t, bool | np.bool_) for t in types):
        return factor_of_truth(values)
    if not labelled and all(issubclass(t, Number | np.number | np.bool_) for t in types):
        return object_column(values)
    return factor_of_values(values)


def is_missing(value: Any) -> bool:
    """Whether a value of a column of objects is None, NA, NaT or nan."""
    nan = isinstance(value, float | np.floating) and value != value
    return nan or value is None or type(value).__name__ in ("NAType", "NaTType")


def _label(value: Any) -> str | None:
    """A value as text, None if it is missing."""
    if isinstance(value, str):
        return str(value)
    if is_missing(value):
        return None
    if isinstance(value, Number | np.number | np.bool_):
        return str(value)
    dates = (datetime.date, datetime.time, datetime.timedelta, np.datetime64, np.timedelta64)
    raise NotNumeric("dates" if isinstance(value, dates) else f"values of type {type(value).__name__}")
