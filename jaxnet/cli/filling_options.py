"""The options about missing values and categories that commands have which fit, and what they ask for."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from jaxnet.errors import InvalidInput

if TYPE_CHECKING:  # the options must be told before anything heavy is imported
    from jaxnet.data.categories import Categories
    from jaxnet.missing.options import Missing

NAMES = (
    "missing",
    "fill_value",
    "indicators",
    "column_limit",
    "categories",
    "reference",
    "missing_level",
    "max_levels",
)
"""Of the options, for summary.json."""


def add_filling(parser: argparse.ArgumentParser) -> None:
    """What to do about missing values, and about columns of labels."""
    group = parser.add_argument_group("missing values and categories")
    how = "fill missing values, by each fit's own training rows: mean, median, mode, constant, ...; or complete (rows only), "
    how += "or pairwise (moments); by default they are refused"
    group.add_argument("--missing", metavar="HOW", help=how)
    group.add_argument("--fill-value", type=float, metavar="X", help="what --missing constant fills in; default 0")
    also = "add a 0/1 column of what is missing for every column with missing values; free: without a penalty"
    group.add_argument("--indicators", nargs="?", const="penalised", choices=("penalised", "free"), help=also)
    limit = "leave a column out of a fit if it misses more than this share of its rows"
    group.add_argument("--column-limit", type=float, metavar="SHARE", help=limit)
    declared = "columns that are labels though they look like numbers, such as codes of sites"
    group.add_argument("--categories", metavar="COLUMN", nargs="+", action="extend", default=[], help=declared)
    level = (
        "levels of text columns that get no column of their own, COLUMN=LEVEL, or frequent: each fit's most frequent "
    )
    group.add_argument("--reference", nargs="+", metavar="LEVEL", help=level + "ones; by default all levels have one")
    words = "missing labels are a level of their own (level, the default) or filled with the most frequent one (mode)"
    group.add_argument("--missing-level", choices=("level", "mode"), default="level", help=words)
    most = "refuse columns of more levels, as they look like row labels; default 100"
    group.add_argument("--max-levels", type=int, default=100, metavar="N", help=most)


def missing_of(args: argparse.Namespace) -> Missing | None:
    """What `args` ask for about missing values; raises `InvalidInput` for options that need --missing, and wrong ones."""
    if args.missing is None:
        given = [name for name in ("fill_value", "indicators", "column_limit") if getattr(args, name) is not None]
        if given:
            raise InvalidInput(f"--{given[0].replace('_', '-')} needs --missing: say how missing values are filled.")
        return None
    from jaxnet.missing.options import Missing, as_missing
    from jaxnet.missing.simple import SimpleFill

    fill: Any = args.missing
    if args.fill_value is not None:
        if fill != "constant":
            raise InvalidInput(f"--fill-value is for --missing constant, not {fill}.")
        fill = SimpleFill("constant", args.fill_value)
    limit = 1.0 if args.column_limit is None else args.column_limit
    return as_missing(Missing(fill, args.indicators is not None, args.indicators != "free", limit))


def categories_of(args: argparse.Namespace, columns: Sequence[str]) -> Categories:
    """What `args` ask for about labels in a table of these columns."""
    from jaxnet.data.categories import Categories

    reference: Any = None
    if args.reference == ["frequent"]:
        reference = "frequent"
    elif args.reference is not None:
        reference = dict(_column_and_level(text, columns) for text in args.reference)
    columns = tuple(args.categories)
    return Categories(reference, missing=args.missing_level, max_levels=args.max_levels, columns=columns)


def _column_and_level(text: str, columns: Sequence[str]) -> tuple[str, str]:
    """Names and levels may have an equals sign in them: the first place that has a column before it counts."""
    parts = text.split("=")
    splits = [("=".join(parts[:k]), "=".join(parts[k:])) for k in range(1, len(parts))]
    if not splits:
        raise InvalidInput(f"--reference {text!r}: give COLUMN=LEVEL, such as site=Leeds, or frequent alone.")
    return next((split for split in splits if split[0] in columns), splits[0])
