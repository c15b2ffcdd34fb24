"""Rows as CSV text; numbers in the shortest form that reads back to the same value."""

import csv
import io
from collections.abc import Iterable
from typing import Any

from jaxnet.cli.console import note

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


class CsvText:
    """Makes CSV text of rows, cells quoted where they must be.

    A spreadsheet carries out text that begins as a formula does, and a name of a column or a label may be anybody's. Such
    cells get an apostrophe before them, which spreadsheets show as nothing, unless `raw`; numbers, and text that is one, stay.

    >>> CsvText()([("=1+1", -2.5, "-2.5")])
    "'=1+1,-2.5,-2.5\\n"
    """

    def __init__(self, raw: bool = False) -> None:
        self._raw, self._marked = raw, 0

    def __call__(self, rows: Iterable[Iterable[Any]]) -> str:
        buffer = io.StringIO()
        csv.writer(buffer, lineterminator="\n").writerows(map(self._cell, row) for row in rows)
        return buffer.getvalue()

    def tell(self, quiet: bool) -> None:
        """Say how many cells are not as they were."""
        if self._marked:
            cells = "1 cell of text begins" if self._marked == 1 else f"{self._marked:,} cells of text begin"
            note(f"{cells} as a formula does and got an apostrophe before it: --raw-text leaves text as it is.", quiet)

    def _cell(self, value: Any) -> Any:
        if self._raw or not isinstance(value, str) or not value.startswith(_FORMULA) or _is_number(value):
            return value
        self._marked += 1
        return f"'{value}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
