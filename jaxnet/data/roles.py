"""Which columns of a table are numbers and which are labels, where their types leave that open.

- Columns that are declared (`Categories.columns`, or text columns that `reference` names) are labels, numbers too. So are
  columns of a type for labels: pandas categories, polars Categorical and Enum, Arrow dictionaries.
- Text of which all is numbers or one of `MARKERS`, one of those at least, comes from reading a file: it is numbers.
- Text of which all is numbers is refused: it may be labels (007, made text on purpose), or numbers read wrongly.
- Text of which most is numbers, as distinct values count, is refused: each number would be a level of its own.
- Other text is labels.
"""

from __future__ import annotations

import difflib
import shlex
from collections.abc import Collection, Sequence

import numpy as np

from jaxnet.data.factors import Factor, factor_of_numbers, label_counts
from jaxnet.data.frames import NotNumeric
from jaxnet.data.mixed import MixedColumns, with_columns
from jaxnet.data.spelled import MARKERS, is_mostly_numbers, not_numbers, numbers_of_texts, remedies
from jaxnet.errors import InvalidInput, advice, warn_caller


def settled(found: MixedColumns, labels: Sequence[str], declared: Collection[str], named: Collection[str], name: str):
    """The columns as numbers or labels, by the rules above; those that are settled stay as they are.

    - labels: what the columns are called, (p,).
    - declared, named: columns that are labels, and those that are if they hold text.
    - name: what messages call the table.

    Warns once of texts that are taken for missing values. Raises InvalidInput for names that are no columns, and
    `NotNumeric` for text that is numbers but for some, or all of it.
    """
    for column in declared:
        if column not in labels:
            close = difflib.get_close_matches(column, labels, n=1, cutoff=0)
            raise InvalidInput(
                f"{advice('columns of Categories names', '--categories')} {column!r:.60}, which is no column of {name}; the "
                f"nearest is {close[0]!r}."
            )
    numbers, made, markers, spelled, mixed = iter(found.numbers.T), {}, {}, {}, {}
    for j, (label, factor) in enumerate(zip(labels, found.factors, strict=True)):
        if factor is None:
            column = next(numbers)
            if label in declared:
                made[j] = factor_of_numbers(column)._replace(declared=True)
        elif label in declared or label in named:
            made[j] = factor._replace(declared=True)
        elif not factor.declared and not factor.boolean and is_mostly_numbers(factor.labels):
            values, strange = numbers_of_texts(factor.labels)
            missing = [text for text in factor.labels if text.strip() in MARKERS]
            if strange:
                mixed[label] = factor, [factor.labels[k] for k in strange]
            elif missing:
                made[j] = np.array([*values, np.nan])[factor.codes]
                markers[label] = label_counts(factor, missing)
            elif factor.labels:
                spelled[label] = factor
    _refuse_mixed(mixed, name)
    _refuse_spelled(spelled, name)
    _warn_of_markers(markers, name)
    return with_columns(found, made) if made else found


def _refuse_mixed(mixed: dict[str, tuple[Factor, list[str]]], name: str) -> None:
    if not mixed:
        return
    clauses = [
        f"{label!r} ({not_numbers(texts, label_counts(factor, texts).values(), len(factor.codes))})"
        for label, (factor, texts) in mixed.items()
    ]
    more = f" and {len(clauses) - 5} more" if len(clauses) > 5 else ""
    texts = list(dict.fromkeys(text for _, found in mixed.values() for text in found))
    raise NotNumeric(
        f"{name} has {len(mixed)} column{_s(mixed)} of numbers with something else among them: {'; '.join(clauses[:5])}{more}. "
        f"{remedies(list(mixed), texts)}"
    )


def _refuse_spelled(spelled: dict[str, Factor], name: str) -> None:
    if not spelled:
        return
    shown = ", ".join(f"{label!r} (such as {factor.labels[0]!r:.40})" for label, factor in list(spelled.items())[:5])
    more = f" and {len(spelled) - 5} more" if len(spelled) > 5 else ""
    raise NotNumeric(
        f"{name} has {len(spelled)} column{_s(spelled)} of text that spells numbers: {shown}{more}. "
        + advice(
            "Convert to numbers what is numbers (with pandas.to_numeric, for one); labels are declared as such by "
            f"categories=jaxnet.Categories(columns={list(spelled)[:5]!r}).",
            f"--decimal . reads such text as numbers, --categories {shlex.join(list(spelled)[:5])} as labels.",
        )
    )


def _warn_of_markers(markers: dict[str, dict[str, int]], name: str) -> None:
    if not markers:
        return
    shown = "; ".join(
        f"{label!r} has {', '.join(f'{text!r} ({count:,})' for text, count in list(counts.items())[:5])}"
        for label, counts in list(markers.items())[:5]
    )
    more = f"; and {len(markers) - 5} columns more" if len(markers) > 5 else ""
    warn_caller(
        f"{name} has text that stands for missing values in {len(markers)} column{_s(markers)} of numbers: {shown}{more}. "
        "Those values are missing, and the columns are numbers."
    )


def _s(things: Collection) -> str:
    return "" if len(things) == 1 else "s"
