"""`jaxnet missing`: what is missing in a table, before anything is fitted."""

import argparse
from typing import Any

from jaxnet.cli.console import note, say, visible
from jaxnet.cli.csv_text import CsvText
from jaxnet.cli.dataset import load_table
from jaxnet.cli.interrupt import Check
from jaxnet.cli.one_file import check_apart, check_page, check_picture, write_file
from jaxnet.cli.run_folder import MISSING_TABLES, check_free, write_tables
from jaxnet.cli.shared_options import is_page
from jaxnet.data.tables import Table
from jaxnet.errors import InvalidInput
from jaxnet.execution.compilation import enable_compile_cache


def run(args: argparse.Namespace, check_interrupt: Check) -> None:
    """Carry out `jaxnet missing` as `args` ask."""
    check_apart(out=args.out, plot=args.plot)
    ending = None if args.plot is None else check_picture(args.plot, args.overwrite, "--plot")
    page = args.out is not None and is_page(args.out)
    if page:
        check_page(args.out, args.overwrite)
    elif args.out is not None:
        check_free(args.out, args.overwrite, MISSING_TABLES)
    table = load_table(args, missing_text=True)
    names = _analysed(args, table)
    enable_compile_cache()
    from jaxnet.missing.analysis.patterns import analyse
    from jaxnet.missing.columns import Columns

    found = analyse(Columns.of(names, [table.raw(name) for name in names]))
    check_interrupt()
    csv_text = CsvText(args.raw_text)
    say(f"{visible(table.source)}: {found}\n")
    if args.target in names and (lacking := found.n_missing[names.index(args.target)]):
        note(f"warning: the target {args.target!r} is missing in {lacking:,} rows, which no fit can use.", False)
    if page:
        from jaxnet.report import write_missing_report

        write_missing_report(found, args.out, title=f"Missing values of {table.source}")
    elif args.out is not None:
        write_tables(args.out, args.overwrite, _tables(found, csv_text))
    if args.out is not None:
        note(f"wrote {args.out}.", args.quiet)
        csv_text.tell()
    if ending is not None:
        _draw(args, found, ending)


def _analysed(args: argparse.Namespace, table: Table) -> list[str]:
    """The columns in question: all but row labels, weights and those dropped."""
    roles = [("--id", args.id), ("--weights", args.weights), *(("--drop", name) for name in args.drop)]
    left_out = set()
    for role, name in [*roles, ("--target", args.target)]:
        if name is not None:
            table.position(name, role)
            left_out |= {name} if role != "--target" else set()
    if args.target in left_out:
        raise InvalidInput(
            f"column {args.target!r} is given to --target and is left out as well: it can serve one purpose."
        )
    names = [name for name in table.names if name and name not in left_out]
    if not names:
        raise InvalidInput(f"{table.source} has no columns left beside {', '.join(map(repr, sorted(left_out)))}.")
    if "" in table.names:
        note(f"{table.source} has a column without a name, taken for row labels and left out.", args.quiet)
    return names


def _tables(found: Any, csv_text: CsvText) -> dict[str, str]:
    """The text of each file of --out."""
    patterns = [{**row, "missing": ";".join(map(csv_text.cell, row["missing"]))} for row in found.pattern_rows()]
    tables = {
        "columns.csv": (("column", "missing", "share"), found.rows()),
        "patterns.csv": (("rows", "share", "n_missing", "missing"), patterns),
        "pairs.csv": (("first", "second", "both", "either", "overlap"), found.pair_rows()),
        "comparisons.csv": (found.comparisons._fields, found.comparison_rows()),
    }
    return {
        name: csv_text([keys, *([row[key] for key in keys] for row in rows)]) for name, (keys, rows) in tables.items()
    }


def _draw(args: argparse.Namespace, found: Any, ending: str) -> None:
    if not found.any:
        note(f"there is no pattern to draw, so {args.plot} is not written.", args.quiet)
        return
    from jaxnet.plots import missing_patterns
    from jaxnet.plots.images import render
    from jaxnet.plots.missing import size

    width, height = size(found)
    image = render(lambda ax: missing_patterns(found, ax=ax), width=width, height=height, format=ending)
    write_file(args.plot, image, "--plot")
    note(f"wrote {args.plot}.", args.quiet)
