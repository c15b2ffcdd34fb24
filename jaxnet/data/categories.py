"""Columns of labels become indicator columns: which options there are, and what they make of a table."""

from __future__ import annotations

import difflib
import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any

import numpy as np

from jaxnet.data.encoding import MISSING, Encoding
from jaxnet.data.frames import column_label
from jaxnet.data.mixed import MixedColumns, mixed_columns
from jaxnet.data.roles import settled
from jaxnet.errors import InvalidInput, advice
from jaxnet.scalars import is_whole


@dataclass(frozen=True)
class Categories:
    """How columns of labels (text, truth values, categories) become columns of zeros and ones, such as `site=Leeds`.

    Column j with levels l gives x_(j=l) = 1 where the row's level is l, else 0. Nothing is learnt from the rows but which
    levels there are; how many rows have which is for each fit to its own training rows.

    - reference: the level without a column, which the intercept then stands for. None (the default): every level gets one.
      The penalty makes that legal (the columns sum to one, yet the solution is unique for rho < 1), no level is privileged,
      no coefficient depends on an arbitrary choice, and nothing is chosen from the data, so nothing leaks. "frequent": each
      fit leaves out the level most frequent in its own training rows, whose coefficient is zero there. A dict {column:
      level}: the level of these columns that is left out; others get all. Truth values need one column, `flag=True`,
      unless the dict names True.
    - missing: "level" (the default): missing values are a level of their own, `site=(missing)`, of columns where there are
      any. "mode": the indicators are NaN in rows whose level is missing; each fit fills in the level most frequent in its
      own training rows.
    - unseen: of new rows whose level there was not, or missing where nothing was: "warn" (the default), all indicators of
      the column are zero, and a UserWarning counts them; "error", InvalidInput does.
    - max_levels: columns with more levels are refused, as they look like row labels; default 100.
    - columns: names of columns that are labels though they look like numbers, such as codes of sites (in an array x0, x1,
      ...). Text columns that `reference` names are labels too, as are those of a type for categories.

    Other text of which most is numbers (distinct values count) is never taken for labels: where all of it is numbers or
    one of pandas's marks of missing values ("NA", "", ...; one at least), it is numbers, and a UserWarning says so; else it is
    refused, in a sentence that tells what is in the way.

    Levels are sorted as text; those of a pandas category, of a polars Enum and of an ordered Arrow dictionary keep their
    order. Levels that do not occur get no column.

    `jaxnet.data.categories.encode` raises InvalidInput for other options. Reference: Friedman, Hastie and
    Tibshirani 2010, section 4.1 (of classes of the response: a penalty settles what is ambiguous).

    >>> Categories(reference={"site": "Leeds"}, missing="mode")
    Categories(reference={'site': 'Leeds'}, missing='mode', unseen='warn', max_levels=100)
    """

    reference: str | dict[str, Any] | None = None
    missing: str = "level"
    unseen: str = "warn"
    max_levels: int = 100
    columns: Sequence[str] = ()

    def __repr__(self) -> str:
        shown = [f"{f.name}={getattr(self, f.name)!r}" for f in fields(self) if f.name != "columns" or self.columns]
        return f"Categories({', '.join(shown)})"

    def check(self) -> None:
        """Raise InvalidInput for an option that is none."""
        named = isinstance(self.reference, dict) and all(isinstance(column, str) for column in self.reference)
        if not named and not (self.reference is None or _is(self.reference, "frequent")):
            raise InvalidInput(
                f"reference={self.reference!r:.60} of Categories must be None, 'frequent', or a dict of the level to leave out "
                "by column name."
            )
        for option, known in (("missing", ("level", "mode")), ("unseen", ("warn", "error"))):
            value = getattr(self, option)
            if not _is(value, *known):
                raise InvalidInput(f"{option}={value!r:.60} of Categories must be {known[0]!r} or {known[1]!r}.")
        if not is_whole(self.max_levels) or self.max_levels < 1:
            raise InvalidInput(
                f"max_levels={self.max_levels!r:.60} of Categories must be a whole number of at least 1: how many levels a "
                "column may have."
            )
        columns = self.columns
        if not isinstance(columns, (list, tuple)) or not all(isinstance(column, str) for column in columns):
            raise InvalidInput(f"columns={columns!r:.60} of Categories must be a list of names of columns.")


def encode(X: Any, categories: Categories | None = None, *, name: str = "X") -> tuple[np.ndarray, Encoding]:
    """X as a float matrix, in which columns of labels are indicators of their levels, and what repeats that on new rows.

    - X: a pandas, polars or pyarrow frame, whose columns of text, truth values and categories are encoded and whose numbers
      stay; nested lists or an array of objects, whose columns are called x0, x1, ...; or an array of numbers, which stays as
      it is. Missing values (None, NA, NaN) may be anywhere.
    - categories: the options, a `Categories`; default None, its defaults.
    - name: what messages call X.

    Returns the matrix (n, p'), NaN where numbers are missing, in float32 if there are numbers and all are, else float64;
    and the `Encoding`, with the columns' names. Raises InvalidInput naming columns: for infinite values, dates and other
    types, text that is mostly numbers, more than `max_levels` levels, references there are not, and names that would be there
    twice.

    >>> matrix, encoding = encode([[1.5, "Leeds"], [2.5, "York"], [0.5, None]])
    >>> encoding.names
    ('x0', 'x1=Leeds', 'x1=York', 'x1=(missing)')
    >>> matrix
    array([[1.5, 1. , 0. , 0. ],
           [2.5, 0. , 1. , 0. ],
           [0.5, 0. , 0. , 1. ]])
    """
    declared = _checked(categories).columns
    return encode_columns(mixed_columns(X, name, declared=declared), categories, name=name)


def encode_columns(
    found: MixedColumns, categories: Categories | None = None, *, name: str = "X"
) -> tuple[np.ndarray, Encoding]:
    """`encode` of columns that were read already."""
    categories = _checked(categories)
    labels = found.names or tuple(f"x{j}" for j in range(len(found.factors)))
    found = settled_columns(found, categories, name=name)
    _check_levels(found, labels, categories.max_levels, name)
    left_out = _left_out(found, labels, categories, name)
    source, level, names = [], [], []
    for j, (label, factor) in enumerate(zip(labels, found.factors, strict=True)):
        made = [(-1, label)]
        if factor is not None:
            made = [(k, f"{label}={text}") for k, text in enumerate(factor.labels) if k != left_out.get(j)]
            if categories.missing == "level" and (factor.codes < 0).any():
                made.append((len(factor.labels), f"{label}={MISSING}"))
        source += [j] * len(made)
        level += [k for k, _ in made]
        names += [text for _, text in made]
    twice = [text for text, times in Counter(names).items() if times > 1]
    if twice:
        raise InvalidInput(f"{name} would have two columns {twice[0]!r}: rename a column, or the level.")
    if not names:
        raise InvalidInput(f"No column of {name} is left: there is no level in any but what is left out.")
    levels = tuple(None if factor is None else factor.labels for factor in found.factors)
    encoding = Encoding(
        columns=found.names,
        levels=levels,
        boolean=tuple(factor is not None and factor.boolean for factor in found.factors),
        source=np.array(source),
        level=np.array(level),
        names=None if found.names is None and all(part is None for part in levels) else tuple(names),
        categories=categories,
    )
    return encoding.matrix(found, name=name), encoding


def settled_columns(found: MixedColumns, categories: Categories, *, name: str = "X") -> MixedColumns:
    """The columns as numbers or labels for good, as `categories` and their values say: `roles.settled`."""
    labels = found.names or tuple(f"x{j}" for j in range(len(found.factors)))
    named = categories.reference if isinstance(categories.reference, dict) else ()
    return settled(found, labels, categories.columns, named, name)


def _checked(categories: Categories | None) -> Categories:
    categories = Categories() if categories is None else categories
    if not isinstance(categories, Categories):
        raise InvalidInput(f"categories={categories!r:.60} must be a jaxnet Categories, or None for its defaults.")
    categories.check()
    return categories


def _check_levels(found: MixedColumns, labels: tuple[str, ...], most: int, name: str) -> None:
    many = {
        label: len(factor.labels)
        for label, factor in zip(labels, found.factors, strict=True)
        if factor is not None and not factor.boolean and len(factor.labels) > most
    }
    if many:
        shown = ", ".join(f"{label!r} ({count:,} levels)" for label, count in list(many.items())[:5])
        more = f" and {len(many) - 5} more" if len(many) > 5 else ""
        s, looks = ("", "It looks") if len(many) == 1 else ("s", "They look")
        raise InvalidInput(
            f"{name} has {len(many)} column{s} of more than max_levels={most} levels: {shown}{more}. {looks} like row labels: "
            + advice("drop them, or raise max_levels of Categories.", "--drop them, or raise --max-levels.")
        )


def _left_out(found: MixedColumns, labels: tuple[str, ...], categories: Categories, name: str) -> dict[int, int]:
    """The number of the level without a column, by the number of the column."""
    out = {j: 0 for j, factor in enumerate(found.factors) if factor is not None and factor.boolean}
    place = {label: j for j, label in enumerate(labels)}
    for column, asked in (categories.reference if isinstance(categories.reference, dict) else {}).items():
        if column not in place:
            close = difflib.get_close_matches(column, labels, n=1, cutoff=0)
            raise InvalidInput(
                f"reference names {column!r}, which is no column of {name}; the nearest is {close[0]!r}."
            )
        factor = found.factors[place[column]]
        if factor is None:
            raise InvalidInput(
                f"reference names {column!r}, whose values in {name} are numbers, and only labels have levels: "
                + advice(
                    "name it in columns of Categories as well.", f"declare it with --categories {shlex.quote(column)}."
                )
            )
        if str(asked) not in factor.labels:
            shown = ", ".join(map(repr, factor.labels[:5])) + (", ..." if len(factor.labels) > 5 else "")
            raise InvalidInput(
                f"reference={asked!r:.60} is no level of column {column_label(column)} of {name}, which has {shown or 'none'}."
            )
        out[place[column]] = factor.labels.index(str(asked))
    return out


def _is(value: Any, *texts: str) -> bool:
    return isinstance(value, str) and value in texts
