"""The options of the command line. Imports nothing heavy: `jaxnet --help` must answer at once."""

import argparse
from collections.abc import Sequence

from jaxnet import __version__
from jaxnet.cli.command_parser import CommandParser
from jaxnet.cli.filling_options import add_filling
from jaxnet.cli.missing_options import add_missing
from jaxnet.cli.reading_options import add_plot, add_report, check_plot
from jaxnet.cli.shared_options import (
    add_columns,
    add_command,
    add_groups,
    add_output,
    add_raw_text,
    add_simplest,
    add_source,
    check_folds,
    check_output,
    check_source,
    numbers,
    seed,
    share,
)
from jaxnet.cli.stability_options import add_stability
from jaxnet.cli.store_options import add_compare, add_export, add_runs, add_show, add_store, check_export, check_store
from jaxnet.names import CRITERIA, FOLD_AVERAGES, METRICS, RULES

_SWEEP = """\
Fit an elastic net for every strength (alpha), every L1 share (rho) and every cross-validation fold of a table, certify
each fit, choose a model and write it down.

  objective: 1/(2 sum w) sum w (y - b0 - x'b)^2 + alpha (rho |b|_1 + (1 - rho)/2 |b|^2)

The table is a .csv, .tsv (also .gz), .parquet or .npz file; its first row names the columns. Every column is a feature
except those given to --target, --weights, --id, --groups, --folds and --drop. Columns of text and truth values become columns
of zeros and ones, one per level (site=Leeds); what to do about missing values is for --missing to say.
"""
_SWEEP_END = """\
files in --out:
  model.jaxnet       every fit of the grid, for `jaxnet predict` and `jaxnet.load`
  coefficients.csv   the chosen model, on the original scale of the columns
  cv.csv             every (alpha, rho): cross-validation error, its standard error, nonzeros, worst gap, status
  summary.json       what was asked and what came out

examples:
  jaxnet sweep --example diabetes
  jaxnet sweep cells.csv --target response --id cell --out run/
  jaxnet sweep cells.csv --target response --id cell --missing median --indicators --out run/
  jaxnet sweep cells.parquet --target response --rho 0.5 1 --cv 10 --shuffle --rule 1se --out run/
"""
_PREDICT = """\
Apply the model of a finished run to the rows of another table. Columns are matched by name, in any order; columns the
model does not know are ignored.
"""
_INSPECT = """\
Tell what is in a .jaxnet file without trusting it: when and by what it was written, then the names, kinds, shapes and
dtypes of all it holds. Nothing is loaded; damaged files are refused.
"""


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The options in `argv`; `args.command` is the command's name. Wrong usage exits with code 2, as in argparse."""
    parser = build_parser()
    if any("\0" in word for word in argv or ()):
        parser.error("an argument has a NUL in it, and no file or column is called so")
    args = parser.parse_args(argv)
    if args.command in ("inspect", "runs", "show", "compare", "export"):
        check_export(args)
        return args
    check_output(args)
    check_source(args)
    check_store(args)
    if args.command == "sweep":
        check_folds(args)
    check_plot(args)
    _check_grid(args)
    if args.command in ("sweep", "stability") and not (
        args.target or args.example or args.data.lower().endswith(".npz")
    ):
        args.parser.error("--target is required: the column to predict")
    return args


def _check_grid(args: argparse.Namespace) -> None:
    """Refuse to say how far a grid of alphas reaches that is given."""
    if args.command == "sweep" and args.alpha_min_ratio is not None and args.alphas is not None:
        listed = [text for group in args.alphas for text in group]
        if len(listed) > 1 or not listed[0].lstrip("+-").isdigit():
            args.parser.error("--alpha-min-ratio is for a count of strengths, and --alphas lists them: leave one out")


def build_parser() -> argparse.ArgumentParser:
    """All commands and their options."""
    parser = CommandParser(
        prog="jaxnet", description="Elastic nets, many at a time: whole grids and folds, every fit certified."
    )
    parser.add_argument("--version", action="version", version=f"jaxnet {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_sweep(commands)
    _add_predict(commands)
    add_report(commands)
    add_plot(commands)
    add_stability(commands)
    add_missing(commands)
    add_runs(commands)
    add_show(commands)
    add_compare(commands)
    add_export(commands)
    _add_inspect(commands)
    return parser


def _add_sweep(commands: argparse._SubParsersAction) -> None:
    sweep = add_command(
        commands,
        "sweep",
        help="fit a grid with cross-validation, choose a model",
        usage="jaxnet sweep DATA --target COLUMN [options]",
        description=_SWEEP,
        needs_data=True,
        epilog=_SWEEP_END,
    )
    data = sweep.add_argument_group("data")
    add_columns(data)
    add_groups(data)

    grid = sweep.add_argument_group("grid")
    l1 = "shares of the L1 penalty, from 0 (ridge) to 1 (lasso); default 0.1 0.5 0.9 1"
    grid.add_argument("--rho", type=numbers, nargs="+", metavar="RHO", help=l1)
    strength = "a count of strengths (default 100), or the strengths themselves (such as 0.1 0.01)"
    grid.add_argument("--alphas", type=numbers, nargs="+", metavar="ALPHA", help=strength)
    ratio = "smallest alpha over largest; default 1e-3, or 1e-2 for fewer rows than columns"
    grid.add_argument("--alpha-min-ratio", type=float, metavar="R", help=ratio)
    blocks = "folds, blocks of neighbouring rows or, with --groups, of whole groups; default 5"
    grid.add_argument("--cv", type=int, metavar="K", help=blocks)
    ready = "a column of fold numbers, in place of --cv: each is held out in turn, rows of -1 never"
    grid.add_argument("--folds", metavar="COLUMN", help=ready)
    grid.add_argument("--shuffle", action="store_true", help="deal the rows to the folds at random")
    grid.add_argument("--seed", type=seed, metavar="N", help="seed of --shuffle (which it implies); default 0")
    metric = "what held-out errors are: mean squared (mse, the default) or absolute (mae), or 1 - R2 (r2)"
    grid.add_argument("--metric", choices=tuple(METRICS), default="mse", help=metric)
    average = (
        "average errors over folds, each the same (the default), or by the weight of their rows, as cv.glmnet does"
    )
    grid.add_argument("--fold-average", choices=FOLD_AVERAGES, default="folds", help=average)
    rule = (
        "keep the model of smallest error (min, the default), or the simplest within one standard error of it (1se), "
    )
    rule += "or within some per cent of it (percent); or that of least aic, aicc, bic or ebic"
    grid.add_argument("--rule", choices=(*RULES, *CRITERIA), default="min", help=rule)
    add_simplest(grid, "default nonzeros")
    grid.add_argument("--percent", type=share, default=5.0, metavar="X", help="per cent of --rule percent; default 5")

    fit = sweep.add_argument_group("fit")
    fit.add_argument("--no-standardize", action="store_true", help="penalise the columns in the units they come in")
    power = (
        "weigh the L1 penalty of each column by its first estimate to the power -GAMMA (such as 1), anew in each fold"
    )
    fit.add_argument("--adaptive", type=float, metavar="GAMMA", help=power)
    blend = "also try blends with least squares on the support: shares of the penalised fit, such as 1 0.5 0"
    fit.add_argument("--relax", type=numbers, nargs="+", metavar="BLEND", help=blend)
    fit.add_argument("--tol", type=float, default=1e-4, metavar="GAP", help="relative duality gap; default 1e-4")
    fit.add_argument("--max-iter", type=int, default=10_000, metavar="N", help="iterations per fit; default 10000")
    fit.add_argument("--dtype", choices=("float32", "float64"), help="precision to compute in")
    fit.add_argument("--device", metavar="NAME", help="where to compute, such as cpu or gpu")

    add_filling(sweep)
    add_store(sweep)
    add_output(sweep, "DIR", "folder for the results (else only printed)", "replace an earlier run in --out")
    add_raw_text(sweep)


def _add_predict(commands: argparse._SubParsersAction) -> None:
    predict = add_command(
        commands,
        "predict",
        help="apply a finished run to new rows",
        usage="jaxnet predict RUN DATA [options]",
        description=_PREDICT,
        needs_data=True,
    )
    predict.add_argument("run", metavar="RUN", help="the --out folder of `jaxnet sweep`")
    add_source(predict, of_run=True)
    predict.add_argument("--rule", choices=(*RULES, *CRITERIA), help="which model of the run (the one it chose)")
    add_simplest(predict, "by default as the run did")
    add_output(predict, "FILE", "CSV file for the predictions (else printed)", "replace the file if it exists")
    add_raw_text(predict)


def _add_inspect(commands: argparse._SubParsersAction) -> None:
    inspect = add_command(
        commands,
        "inspect",
        help="tell what is in a saved file",
        usage="jaxnet inspect FILE [options]",
        description=_INSPECT,
    )
    inspect.add_argument("file", metavar="FILE", help="a .jaxnet file, or the --out folder of `jaxnet sweep`")
    inspect.add_argument(
        "--key-file", metavar="KEY", help="file of the key it was signed with, to verify the signature"
    )
