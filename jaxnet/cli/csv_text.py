"""Rows as CSV text; numbers in the shortest form that reads back to the same value."""

import csv
from collections.abc import Iterable
from typing import Any

from jaxnet.cli.console import complain

_FORMULA = tuple("=+-@＝＋－＠")
_CONTROL = ("\t", "\r", "\n")


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
        lines: list[str] = []
        # Told that lines end in \r\n, the writer also quotes cells with a \r in them; it hands over a line a call.
        writer = csv.writer(_Lines(lines), lineterminator="\r\n")
        writer.writerows([self.cell(x) if isinstance(x, str) else x for x in row] for row in rows)
        return "".join(line.removesuffix("\r\n") + "\n" for line in lines)

    def cell(self, text: str) -> str:
        """The text of a cell, or of a part of one at which a spreadsheet may split it."""
        seen = text.lstrip("".join({c for c in text if c.isspace() or not c.isprintable()}))
        if self._raw or not (seen.startswith(_FORMULA) or text.startswith(_CONTROL)) or _is_number(text):
            return text
        self._marked += 1
        return f"'{text}"

    def tell(self) -> None:
        """Say how many cells are not as they were, quiet or not: who joins tables by them must know."""
        if self._marked:
            cells = "1 cell of text begins" if self._marked == 1 else f"{self._marked:,} cells of text begin"
            complain(f"{cells} as a formula does and got an apostrophe before it: --raw-text leaves text as it is.")


class _Lines:
    """Where a csv writer leaves its lines."""

    def __init__(self, lines: list[str]) -> None:
        self.write = lines.append


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
