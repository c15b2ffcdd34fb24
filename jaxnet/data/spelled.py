"""Numbers that a table holds as text: which texts are numbers, and which stand for missing values.

A text is a number if a decimal point, a sign and an exponent are all there is to it, spaces around it aside.
"""

import re
import shlex
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxnet.errors import InvalidInput, advice

MARKERS = frozenset(
    ("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN", "<NA>", "N/A", "NA", "NULL",
     "NaN", "None", "n/a", "nan", "null")
)  # fmt: skip
"""The texts that stand for a missing value among numbers: those that pandas reads as such."""
_NUMBER = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?|inf(?:inity)?)", re.ASCII | re.IGNORECASE)
# Written for people: 1,200 or 1 200 or 1.200,5 or 0,5 or 5% or $3 or (12).
_WRITTEN = re.compile(
    r"[-+(]{0,2}[$€£¥]? ?(?:\d{1,3}(?:[,.'\u2019 \u00a0\u202f]\d{3})+|\d+)(?:[.,]\d*)?(?:e[+-]?\d+)? ?[%‰$€£¥]?\)?",
    re.ASCII | re.IGNORECASE,
)
_SHOWN = 5


@dataclass(frozen=True)
class Spelling:
    """How the numbers of a file are written, beside the usual ways.

    - na: texts that stand for missing values; one that is a number, such as -999, also as a number of a column of numbers.
    - decimal: the mark before decimals, None for a point.
    - thousands: the mark between groups of three digits, None for none.

    With either mark, columns of text are numbers if all their texts are.
    """

    na: tuple[str, ...] = ()
    decimal: str | None = None
    thousands: str | None = None

    def __post_init__(self) -> None:
        for name, mark in (("decimal", self.decimal), ("thousands", self.thousands)):
            if mark is not None and (len(mark) != 1 or mark.isalnum() or mark in '+-\n\r"'):
                raise InvalidInput(f"--{name} {mark!r:.60}: a mark is one letter that is no digit, such as ',' or '.'.")
        if self.thousands is not None and self.thousands == (self.decimal or "."):
            raise InvalidInput(
                f"--thousands {self.thousands!r} is the mark of decimals too; give that with --decimal, such as --decimal ','."
            )

    def __bool__(self) -> bool:
        return self.marked or bool(self.na)

    @property
    def marked(self) -> bool:
        """Whether a mark is given."""
        return self.decimal is not None or self.thousands is not None

    @property
    def nulls(self) -> frozenset[str]:
        """The texts that stand for missing values among numbers."""
        return MARKERS | set(self.na)

    def given(self, *, values: bool = False) -> str:
        """The options that ask for it, with the marks if those are wanted too."""
        asked = {name: getattr(self, name) for name in ("na", "decimal", "thousands") if getattr(self, name)}
        return " ".join(f"--{name} {shlex.quote(mark)}" if values else f"--{name}" for name, mark in asked.items())

    def reads(self, kind: Any) -> bool:
        """Whether columns that pyarrow takes for this type are to be read by the marks, from their texts."""
        import pyarrow as pa

        tests = (pa.types.is_integer, pa.types.is_floating, pa.types.is_string, pa.types.is_large_string)
        return self.marked and any(test(kind) for test in tests)

    def column(self, column: Any, *, text: bool, missing_text: bool = False) -> Any:
        """A pyarrow column as it is meant; `text`: it is to stay text, of which `missing_text` makes `na` missing."""
        import pyarrow as pa
        import pyarrow.compute as pc

        kind = column.type
        if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            return self._without_numbers(column)
        if not (pa.types.is_string(kind) or pa.types.is_large_string(kind)):
            return column
        if not text and (self or missing_text):
            column = self._parsed(column, self.nulls if missing_text else self.na)
        if missing_text and self.na and column.type == kind:
            column = pc.if_else(pc.is_in(column, pa.array(self.na, kind)), pa.scalar(None, kind), column)
        return column

    def _without_numbers(self, column: Any) -> Any:
        import pyarrow as pa
        import pyarrow.compute as pc

        for text in self.na:
            if is_number(text):
                here = pc.equal(column.cast(pa.float64(), safe=False), float(text))
                column = pc.if_else(here, pa.scalar(None, column.type), column)
        return column

    @property
    def pattern(self) -> str:
        """What a number looks like, as a regular expression for all of a text."""
        point = re.escape(self.decimal or ".")
        group = "" if self.thousands is None else rf"|[0-9]{{1,3}}(?:{re.escape(self.thousands)}[0-9]{{3}})+"
        return rf"[+-]?(?:(?:[0-9]+{group})(?:{point}[0-9]*)?|{point}[0-9]+)(?:[eE][+-]?[0-9]+)?"

    def _parsed(self, column: Any, missing: Collection[str]) -> Any:
        """The numbers that all texts of a column are, or the column; without a mark, a text in `missing` must be among them."""
        import pyarrow as pa
        import pyarrow.compute as pc

        column = pa.chunked_array([column]) if isinstance(column, pa.Array) else column
        texts = pc.utf8_trim_whitespace(column.cast(pa.string()))
        declared = pc.any(pc.is_in(texts, pa.array(sorted(missing), pa.string()))).as_py()
        texts = pc.if_else(pc.is_in(texts, pa.array(sorted(self.nulls))), pa.scalar(None, pa.string()), texts)
        numbers = pc.all(pc.match_substring_regex(texts, f"^(?:{self.pattern})$")).as_py()
        if not numbers or not (self.marked or declared):
            return column
        if self.thousands is not None:
            texts = pc.replace_substring(texts, self.thousands, "")
        return self._without_numbers(pc.replace_substring(texts, self.decimal or ".", ".").cast(pa.float64()))


USUAL = Spelling()


def is_number(text: str) -> bool:
    """Whether a text is a number, inf included."""
    return _NUMBER.fullmatch(text.strip()) is not None


def numbers_of_texts(texts: Sequence[str]) -> tuple[np.ndarray, list[int]]:
    """Each text as a number, NaN for those that stand for missing values, and the positions of those that are neither.

    >>> numbers_of_texts(["1.5", " -2e3 ", "N/A", "?"])
    (array([ 1.5e+00, -2.0e+03,      nan,      nan]), [3])
    """
    values, strange = np.full(len(texts), np.nan), []
    for k, text in enumerate(texts):
        if is_number(text):
            values[k] = float(text)
        elif text.strip() not in MARKERS:
            strange.append(k)
    return values, strange


def is_mostly_numbers(texts: Iterable[str]) -> bool:
    """Whether most of the texts that are not missing are numbers, written in one way or another."""
    known = [text for text in (text.strip() for text in texts) if text not in MARKERS]
    return 2 * sum(is_number(text) or _WRITTEN.fullmatch(text) is not None for text in known) > len(known)


def not_numbers(texts: Sequence[str], counts: Collection[int], rows: int) -> str:
    """The clause that counts the values that are no numbers, and quotes the first texts among them."""
    total = sum(counts)
    shown = ", ".join(f"{text!r:.40}" for text in texts[:_SHOWN]) + (", ..." if len(texts) > _SHOWN else "")
    return f"{total:,} of {rows:,} values {'is no number' if total == 1 else 'are no numbers'}: {shown}"


_MARKS = (Spelling(thousands=","), Spelling(decimal=","), Spelling(thousands=" "), Spelling((), ",", "."))


def remedies(columns: Sequence[str], texts: Sequence[str]) -> str:
    """What to do about texts that are no numbers, as a sentence; `columns` are those that may be labels, if any."""
    label_python = f"; labels are declared as such by categories=jaxnet.Categories(columns={list(columns[:_SHOWN])!r})"
    label_option = (
        f"; labels are declared as such by --categories {shlex.join(columns[:_SHOWN])}, and --drop leaves them out"
    )
    return advice(
        "Say what is missing, or what marks decimals and thousands, where the table is read (na_values=, decimal= and "
        f"thousands= of pandas.read_csv), or turn them into numbers{label_python if columns else ''}.",
        f"Say {_options(texts)}{label_option if columns else ''}.",
    )


def _options(texts: Sequence[str]) -> str:
    """The options of the command line that may make numbers of texts, or missing values."""
    written = [text.strip() for text in texts if _WRITTEN.fullmatch(text.strip())]
    others = [text.strip() for text in texts if not _WRITTEN.fullmatch(text.strip())]
    said = [f"what stands for missing values with --na {shlex.join(others[:_SHOWN])}"] if others or not texts else []
    marks = [m for m in _MARKS if written and all(re.fullmatch(m.pattern, text) for text in written)]
    if marks:
        said.append(f"what marks decimals or thousands with {' or '.join(mark.given(values=True) for mark in marks)}")
    elif written:
        said.append(
            "what marks decimals or thousands with --decimal and --thousands, and write numbers without other signs"
        )
    return ", and ".join(said)
