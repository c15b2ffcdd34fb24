"""Tables as lines of text, and names that a terminal may print."""

from collections.abc import Sequence


def aligned(rows: Sequence[Sequence[str]], *, open_end: bool = False) -> list[str]:
    """Rows of cells as lines: the first column to the left, the others to the right; with `open_end` the last is free text.

    Cells may be text of others: they are made `visible`.

    >>> aligned([("column", "coef"), ("age", "-1.5")])
    ['column  coef', 'age     -1.5']
    """
    rows = [tuple(map(visible, row)) for row in rows]
    width = [max(map(len, column)) for column in zip(*rows, strict=True)]
    last = len(width) - open_end
    return [
        "  ".join([row[0].ljust(width[0]), *map(str.rjust, row[1:last], width[1:last]), *row[last:]]).rstrip()
        for row in rows
    ]


def and_more(total: int, shown: int) -> list[str]:
    """The line that says how many rows a table leaves out, if it does."""
    return [f"... and {total - shown:,} more: rows() has them"] * (total > shown)


def visible(text: str) -> str:
    r"""Text of others as one line for a terminal: what would steer it or turn letters round is written as an escape.

    >>> print(visible("dose \x1b[2J(mg)"), visible("\u202eged"), visible("größe"))
    dose \x1b[2J(mg) \u202eged größe
    """
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def shown(name: str, most: int = 24) -> str:
    """A name as a terminal may print it, and not too long."""
    name = visible(name)
    return name if len(name) <= most else name[: most - 3] + "..."


def listed(names: list[str], most: int = 5) -> str:
    """The first names, quoted, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(repr(name) for name in names[:most]) + more
