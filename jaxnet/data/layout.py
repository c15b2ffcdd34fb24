"""Tables as lines of text, and names that a terminal may print."""


def aligned(rows: list[tuple[str, ...]]) -> list[str]:
    """Rows of cells as lines: the first column to the left, the others to the right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = []
    for first, *others in rows:
        cells = [first.ljust(widths[0]), *(cell.rjust(width) for cell, width in zip(others, widths[1:], strict=True))]
        lines.append("  ".join(cells).rstrip())
    return lines


def shown(name: str, most: int = 24) -> str:
    """A name as a terminal may print it: not too long, and nothing that steers it."""
    name = name if name.isprintable() else repr(name)
    return name if len(name) <= most else name[: most - 3] + "..."


def listed(names: list[str], most: int = 5) -> str:
    """The first names, quoted, and how many more there are."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(repr(name) for name in names[:most]) + more
