"""Options that several commands have, and what their texts must be."""

import argparse

from jaxnet.cli.spelling_options import add_spelling, check_spelling
from jaxnet.names import SIMPLEST


def check_source(args: argparse.Namespace) -> None:
    """Refuse two sources of data, or none where one is needed (`args.needs_data`), and what only a file can have."""
    given = (args.data is not None) + (args.example is not None)
    if given > 1 or (not given and args.needs_data):
        args.parser.error("name one source of data: a file, or --example diabetes (put DATA before the options)")
    check_spelling(args)


def check_output(args: argparse.Namespace) -> None:
    """Refuse an empty --out, and --overwrite without it (but `jaxnet report` knows where to write)."""
    if args.out == "":
        args.parser.error("--out is empty: name where the results go")
    if args.overwrite and args.out is None and getattr(args, "plot", None) is None and args.command != "report":
        args.parser.error("--overwrite needs --out")
    if getattr(args, "raw_text", False) and not _writes_csv(args):
        args.parser.error("--raw-text is for CSV files, and none is written")


def _writes_csv(args: argparse.Namespace) -> bool:
    if args.out is None:
        return args.command == "predict"  # which prints them
    return args.command != "missing" or not is_page(args.out)


def is_page(out: str) -> bool:
    """Whether the --out of `jaxnet missing` is a page, not a folder."""
    return out.lower().endswith((".html", ".htm"))


def check_folds(args: argparse.Namespace) -> None:
    """Refuse a column of fold numbers beside options that make folds; without one there are 5."""
    if args.folds is None:
        args.cv = 5 if args.cv is None else args.cv
        return
    for name, given in (("--cv", args.cv is not None), ("--shuffle", args.shuffle), ("--seed", args.seed is not None)):
        if given:
            args.parser.error(f"--folds says which fold each row is in: leave out {name}")


def add_command(
    commands: argparse._SubParsersAction, name: str, *, needs_data: bool = False, **texts: str
) -> argparse.ArgumentParser:
    """The parser of a command, with its help, usage, description and epilog; `needs_data`: it must be given a table."""
    parser = commands.add_parser(name, formatter_class=argparse.RawDescriptionHelpFormatter, **texts)
    parser.set_defaults(parser=parser, needs_data=needs_data)
    return parser


def add_source(parser: argparse._ActionsContainer, *, of_run: bool = False) -> None:
    """DATA and how it is written, or bundled data in its place; `of_run`: for a finished run, which knows how."""
    parser.add_argument("data", nargs="?", metavar="DATA", help=".csv, .tsv (also .gz), .parquet or .npz file")
    parser.add_argument("--example", choices=("diabetes",), help="use bundled data in place of a file")
    add_spelling(parser, of_run=of_run)


def add_columns(data: argparse._ActionsContainer) -> None:
    """DATA and what its columns are for."""
    add_source(data)
    data.add_argument("--target", metavar="COLUMN", help="the column to predict; in .npz files y by default")
    data.add_argument(
        "--drop", metavar="COLUMN", nargs="+", action="extend", default=[], help="columns that are no features"
    )
    data.add_argument("--id", metavar="COLUMN", help="a column of row labels: no feature, repeated by predict")
    data.add_argument("--weights", metavar="COLUMN", help="a column of row weights, for the fit and the errors")


def add_groups(data: argparse._ActionsContainer) -> None:
    """Which rows belong together, in commands that split them."""
    data.add_argument("--groups", metavar="COLUMN", help="a column of labels: rows of one stay together in every split")


def add_output(parser: argparse.ArgumentParser, metavar: str, out: str, overwrite: str) -> None:
    """--out, --overwrite and --quiet."""
    output = parser.add_argument_group("output")
    output.add_argument("--out", metavar=metavar, help=out)
    output.add_argument("--overwrite", action="store_true", help=overwrite)
    output.add_argument("--quiet", action="store_true", help="no progress and no notes, only results and warnings")


def add_raw_text(parser: argparse.ArgumentParser) -> None:
    """--raw-text, of commands that write CSV."""
    as_is = "write text to CSV as it is; else what a spreadsheet would take for a formula gets an apostrophe before it"
    parser.add_argument("--raw-text", action="store_true", help=as_is)


def add_simplest(parser: argparse._ActionsContainer, otherwise: str) -> None:
    """--simplest, with what holds where it is not given."""
    by = "what the rules 1se and percent take for the simplest model: the fewest degrees of freedom (df) or nonzeros, or the "
    by += f"largest alpha of the best rho, as cv.glmnet does; {otherwise}"
    parser.add_argument("--simplest", choices=tuple(SIMPLEST), help=by)


def numbers(text: str) -> list[str]:
    """A list such as 0.1,0.5 as its parts, each of them a number."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    try:
        [float(part) for part in parts]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number (put DATA before the options)") from None
    return parts


def share(text: str) -> float:
    """Per cent above the least error."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r}: how far above the least error is a number from 0 on")
    return value


def seed(text: str) -> int:
    """A seed of random numbers."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r}: a seed is a whole number from 0 on")
    return int(text)
