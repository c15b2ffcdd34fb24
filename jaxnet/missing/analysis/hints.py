"""What looks wrong in a table with missing values, in sentences with the remedy."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jaxnet.data.layout import listed
from jaxnet.errors import advice
from jaxnet.missing.columns import Columns

if TYPE_CHECKING:
    from jaxtyping import Float

TEXTS = {"", "?", "-", "--", ".", "na", "n/a", "#n/a", "nan", "null", "none", "nil", "missing", "unknown"}
"""Texts, in small letters, that may stand for a missing value."""
FAR = 5
"""Ranges of the other values between them and a suspected code that is not one of the usual ones."""
MOST = 20
"""Sentences about values of one kind."""
LABELS = 20
"""Rows from which on a text that differs in each of them is taken for a label."""


class Sentinel(NamedTuple):
    """A number that may stand for a missing value: the column's name, the value, in how many rows, the range of the others."""

    column: str
    value: float
    count: int
    low: float
    high: float


def find_sentinels(columns: Columns) -> tuple[Sentinel, ...]:
    """Integers in at least two rows that stand apart from the other values of their column, at its ends.

    Of the usual codes (9, 99, 999, -9, -99, ... and likewise of sevens and eights) apart means the range of the others away,
    or the only negative values; of any other integer FAR ranges away, among at least three other values.
    """
    found = []
    for j, values in zip(columns.numeric, columns.numbers.T, strict=True):
        values = values[np.isfinite(values)]
        if values.size:
            ends = values.min(), values.max()
            if any(end == np.round(end) for end in ends):
                found += [Sentinel(columns.names[j], *one) for one in _suspects(values)]
    return tuple(found)


def _suspects(values: Float[np.ndarray, " m"]) -> list[tuple[float, int, float, float]]:
    distinct, counts = np.unique(values, return_counts=True)
    repeated = (distinct == np.round(distinct)) & (counts > 1)
    usual = np.array([_is_usual(value) for value in distinct[repeated]], dtype=bool)
    coded = np.zeros(len(distinct), bool)
    coded[np.flatnonzero(repeated)[usual]] = True
    ends = coded.copy()
    ends[[0, -1]] |= repeated[[0, -1]]
    suspect = ends if (~ends).sum() > 2 else coded
    others = distinct[~suspect]
    if len(others) < 2:
        return []
    low, high = float(others[0]), float(others[-1])
    gap = np.maximum(low - distinct, distinct - high)
    only_negative = (distinct < 0) & (low >= 0)
    apart = coded & ((gap >= high - low) | only_negative)
    if len(others) > 2:
        apart |= gap >= FAR * (high - low)
    return [(float(distinct[i]), int(counts[i]), low, high) for i in np.flatnonzero(suspect & apart)]


def _is_usual(value: float) -> bool:
    digits = f"{abs(value):.0f}"
    return len(set(digits)) == 1 and digits[0] in "789"


def find_hints(columns: Columns, sentinels: tuple[Sentinel, ...]) -> tuple[str, ...]:
    """Sentences, the most serious first."""
    n, names, missing = len(columns.missing), columns.names, columns.missing
    named = lambda places: [names[j] for j in places]
    infinite = np.isinf(columns.numbers).sum(axis=0)
    empty = named(np.flatnonzero(missing.all(axis=0)))
    hints = []
    if infinite.any():
        which = named(columns.numeric[infinite > 0])
        hints.append(
            f"{_columns(which)} {_has(which)} {infinite.sum():,} infinite value{_s(infinite.sum())}, which is an error for "
            "every fit, and not a missing value: replace by NaN where nothing was measured, else by a number."
        )
    if empty:
        hints.append(f"{_columns(empty)} {_has(empty)} no value at all: nothing can be learnt there, so leave out.")
    hints += [
        f"Column {one.column!r} holds {one.value:g} in {one.count:,} rows, apart from the other values ({one.low:g} to "
        f"{one.high:g}): if it stands for a missing value, "
        + advice("replace it by NaN before anything is fitted.", f"say so with --na {one.value:g}.")
        for one in sentinels[:MOST]
    ]
    if len(sentinels) > MOST:
        hints.append(
            f"{len(sentinels) - MOST:,} more numbers may stand for missing values{advice(': see `sentinels`', '')}."
        )
    hints += _texts(columns)
    constant = _constant(columns)
    if constant:
        hints.append(f"{_columns(constant)} {_has(constant)} one value only among the observed: no use in a fit.")
    unique = [
        names[j] for j, levels in zip(columns.worded, columns.levels, strict=True) if len(levels) == n and n > LABELS
    ]
    if unique:
        hints.append(f"{_columns(unique)} {_has(unique)} another text in every row: row labels, no feature.")
    complete = int((~missing.any(axis=1)).sum())
    if missing.any() and complete < n / 2:
        left = "No row is complete" if not complete else f"{complete:,} of {n:,} rows are complete"
        hints.append(f"{left}: dropping the others loses more than half of the data; consider filling.")
    return tuple(hints)


def _texts(columns: Columns) -> list[str]:
    found = []
    for j, codes, levels in zip(columns.worded, columns.codes.T, columns.levels, strict=True):
        for i, level in enumerate(levels):
            if level.strip().lower() in TEXTS:
                rows = int((codes == i).sum())
                found.append(
                    f"Column {columns.names[j]!r} holds the text {level!r} in {rows:,} row{_s(rows)}: if it stands for a "
                    f"missing value, {advice('replace it by None', f'say so with --na {shlex.quote(level)}')}."
                )
    more = len(found) - MOST
    return found[:MOST] + [f"{more:,} more texts may stand for missing values."] * (more > 0)


def _constant(columns: Columns) -> list[str]:
    """Columns with at least one value and no other."""
    with np.errstate(invalid="ignore"):
        low = np.fmin.reduce(columns.numbers, axis=0, initial=np.inf) if columns.numeric.size else np.empty(0)
        high = np.fmax.reduce(columns.numbers, axis=0, initial=-np.inf) if columns.numeric.size else np.empty(0)
    alike = [
        *columns.numeric[low == high],
        *(j for j, ls in zip(columns.worded, columns.levels, strict=True) if len(ls) == 1),
    ]
    return [columns.names[j] for j in sorted(alike)]


def _columns(names: list[str]) -> str:
    return f"Column{_s(len(names))} {listed(names)}"


def _has(names: list[str]) -> str:
    return "has" if len(names) == 1 else "have"


def _s(count: int) -> str:
    return "" if count == 1 else "s"
