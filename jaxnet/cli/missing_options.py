"""The options of `jaxnet missing`."""

import argparse

from jaxnet.cli.shared_options import add_columns, add_command, add_output, add_raw_text

_MISSING = """\
Tell what is missing in a table, before anything is fitted: how much in which columns, the distinct patterns, columns that
are missing together, in which columns the rows that lack another differ, Little's test of values missing completely at random,
and numbers such as -999 that may stand for missing values. Columns of text are welcome; in CSV and TSV files empty cells, NA,
NaN, null and their like are missing.
"""
_MISSING_END = """\
--out NAME.html writes one page with all of it; any other --out is a folder for
  columns.csv        every column: rows that lack it, share
  patterns.csv       every distinct pattern: its rows, the names of the missing columns
  pairs.csv          columns that are missing together
  comparisons.csv    rows that lack a column and rows that have it, compared in the other columns

examples:
  jaxnet missing cells.csv --id cell
  jaxnet missing cells.csv --id cell --out missing.html --plot patterns.png
"""


def add_missing(commands: argparse._SubParsersAction) -> None:
    """`jaxnet missing`."""
    missing = add_command(
        commands,
        "missing",
        help="tell what is missing in a table, and whether it looks random",
        usage="jaxnet missing DATA [options]",
        description=_MISSING,
        needs_data=True,
        epilog=_MISSING_END,
    )
    add_columns(missing.add_argument_group("data"))
    missing.add_argument("--plot", metavar="FILE", help="draw the patterns: .png, .svg or .pdf")
    add_output(missing, "NAME", "a page, NAME.html, or a folder for tables", "replace what is in --out and --plot")
    add_raw_text(missing)
