"""Short tables as text, as results print themselves."""

from collections.abc import Sequence


def table_lines(rows: Sequence[Sequence[str]], *, open_end: bool = False) -> list[str]:
    """A line per row of cells: the first column to the left, the others to the right; with `open_end` the last is free text.

    >>> table_lines([("column", "coef"), ("age", "-1.5")])
    ['column  coef', 'age     -1.5']
    """
    width = [max(map(len, column)) for column in zip(*rows, strict=True)]
    last = len(width) - open_end
    return [
        "  ".join([row[0].ljust(width[0]), *map(str.rjust, row[1:last], width[1:last]), *row[last:]]).rstrip()
        for row in rows
    ]


def and_more(total: int, shown: int) -> list[str]:
    """The line that says how many rows a table leaves out, if it does."""
    return [f"... and {total - shown:,} more: rows() has them"] * (total > shown)
