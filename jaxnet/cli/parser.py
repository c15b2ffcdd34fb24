"""The options of the command line. Imports nothing heavy: `jaxnet --help` must answer at once."""

import argparse
from collections.abc import Sequence

from jaxnet import __version__

_SWEEP = """\
Fit an elastic net for every strength (alpha), every L1 share (rho) and every cross-validation fold of a table, certify
each fit, choose a model and write it down.

  objective: 1/(2 sum w) sum w (y - b0 - x'b)^2 + alpha (rho |b|_1 + (1 - rho)/2 |b|^2)

The table is a .csv, .tsv (also .gz), .parquet or .npz file; its first row names the columns. Every column is a feature
except those given to --target, --weights, --id and --drop, and must hold a number in every row.
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
_RUNS = """\
List the runs of a store (a file that `jaxnet sweep --store` or jaxnet.sweep(store=...) wrote): when each was begun, of what
it is a sweep, how far it has come, and the best fit so far.
"""
_SHOW = """\
Tell about one run of a store: data, grid and options, how far it has come, the best fit so far; of a finished one also the
models that the rules choose, and the largest coefficients.
"""
_COMPARE = """\
Compare two finished sweeps: in what they differ, the models that the rules choose in each, and the coefficients that differ
most. A and B are --out folders of `jaxnet sweep`, .jaxnet files with a sweep, or with --store names of its runs.
"""
_EXPORT = """\
Write a finished sweep for other programs. SOURCE is the --out folder of `jaxnet sweep`, a .jaxnet file with a sweep, or a store
with the name of a run.

  FILE.npz       every array of the sweep, coefficients as sparse rows
  FILE.parquet   --what fits: one row per (alpha, rho), with errors and certificate
                 --what coefficients: one row per coefficient that is not zero
"""
RULES = ("min", "1se", "percent")


def parse(argv: Sequence[str] | None) -> argparse.Namespace:
    """The options in `argv`; `args.command` is the name of the command. Wrong usage exits with code 2, as in argparse."""
    args = _build_parser().parse_args(argv)
    if args.command not in ("sweep", "predict"):
        return args
    if (args.data is None) == (args.example is None):
        args.parser.error("name one source of data: a file, or --example diabetes (put DATA before the options)")
    if args.out == "":
        args.parser.error("--out is empty: name where the results go")
    if args.overwrite and args.out is None:
        args.parser.error("--overwrite needs --out")
    if args.command == "sweep" and args.store is None and (args.run is not None or args.resume):
        args.parser.error(f"{'--resume' if args.resume else '--run'} needs --store")
    if args.command == "sweep" and not (args.target or args.example or args.data.lower().endswith(".npz")):
        args.parser.error("--target is required: the column to predict")
    return args


def _build_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="jaxnet", description="Elastic nets, many at a time: whole grids and folds, every fit certified."
    )
    parser.add_argument("--version", action="version", version=f"jaxnet {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_sweep(commands)
    _add_predict(commands)
    _add_inspect(commands)
    _add_runs(commands)
    _add_show(commands)
    _add_compare(commands)
    _add_export(commands)
    return parser


def _add_sweep(commands: argparse._SubParsersAction) -> None:
    sweep = commands.add_parser(
        "sweep",
        help="fit a grid with cross-validation, choose a model",
        usage="jaxnet sweep DATA --target COLUMN [options]",
        description=_SWEEP,
        epilog=_SWEEP_END,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    data = sweep.add_argument_group("data")
    _add_source(data)
    data.add_argument("--target", metavar="COLUMN", help="the column to predict; in .npz files y by default")
    data.add_argument(
        "--drop", metavar="COLUMN", nargs="+", action="extend", default=[], help="columns that are no features"
    )
    data.add_argument("--id", metavar="COLUMN", help="a column of row labels: no feature, repeated by predict")
    data.add_argument("--weights", metavar="COLUMN", help="a column of row weights, for the fit and the errors")

    grid = sweep.add_argument_group("grid")
    share = "shares of the L1 penalty, from 0 (ridge) to 1 (lasso); default 0.1 0.5 0.9 1"
    grid.add_argument("--rho", type=_numbers, nargs="+", metavar="RHO", help=share)
    strength = "a count of strengths (default 100), or the strengths themselves (such as 0.1 0.01)"
    grid.add_argument("--alphas", type=_numbers, nargs="+", metavar="ALPHA", help=strength)
    ratio = "smallest alpha over largest; default 1e-3, or 1e-2 for fewer rows than columns"
    grid.add_argument("--alpha-min-ratio", type=float, metavar="R", help=ratio)
    grid.add_argument("--cv", type=int, default=5, metavar="K", help="folds, blocks of neighbouring rows; default 5")
    grid.add_argument("--shuffle", action="store_true", help="deal the rows to the folds at random")
    grid.add_argument("--seed", type=_seed, metavar="N", help="seed of --shuffle (which it implies); default 0")
    rule = (
        "keep the model of smallest error (min, the default), or the simplest within one standard error of it (1se), "
    )
    rule += "or within some per cent of it (percent)"
    grid.add_argument("--rule", choices=RULES, default="min", help=rule)
    grid.add_argument("--percent", type=_share, default=5.0, metavar="X", help="per cent of --rule percent; default 5")

    fit = sweep.add_argument_group("fit")
    fit.add_argument("--no-standardize", action="store_true", help="penalise the columns in the units they come in")
    fit.add_argument("--tol", type=float, default=1e-4, metavar="GAP", help="relative duality gap; default 1e-4")
    fit.add_argument("--max-iter", type=int, default=10_000, metavar="N", help="iterations per fit; default 10000")
    fit.add_argument("--dtype", choices=("float32", "float64"), help="precision to compute in")
    fit.add_argument("--device", metavar="NAME", help="where to compute, such as cpu or gpu")

    kept = sweep.add_argument_group("store")
    file = "keep finished fits in this SQLite file; whatever stops the sweep, the same command goes on from there"
    kept.add_argument("--store", metavar="FILE", help=file)
    kept.add_argument("--run", metavar="NAME", help="what the store calls this sweep; by default made from the problem")
    kept.add_argument("--resume", action="store_true", help="go on with a run; an error if the store has none")

    sweep.set_defaults(parser=sweep)
    _add_output(sweep, "DIR", "folder for the results (else only printed)", "replace an earlier run in --out")


def _add_predict(commands: argparse._SubParsersAction) -> None:
    predict = commands.add_parser(
        "predict",
        help="apply a finished run to new rows",
        usage="jaxnet predict RUN DATA [options]",
        description=_PREDICT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    predict.add_argument("run", metavar="RUN", help="the --out folder of `jaxnet sweep`")
    _add_source(predict)
    predict.add_argument("--rule", choices=RULES, help="which model of the run (the one it chose)")
    predict.set_defaults(parser=predict)
    _add_output(predict, "FILE", "CSV file for the predictions (else printed)", "replace the file if it exists")


def _add_inspect(commands: argparse._SubParsersAction) -> None:
    inspect = commands.add_parser(
        "inspect",
        help="tell what is in a saved file",
        usage="jaxnet inspect FILE [options]",
        description=_INSPECT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    inspect.add_argument("file", metavar="FILE", help="a .jaxnet file, or the --out folder of `jaxnet sweep`")
    inspect.add_argument(
        "--key-file", metavar="KEY", help="file of the key it was signed with, to verify the signature"
    )


def _add_runs(commands: argparse._SubParsersAction) -> None:
    runs = commands.add_parser(
        "runs",
        help="list the runs of a store",
        usage="jaxnet runs STORE [options]",
        description=_RUNS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    runs.add_argument("store", metavar="STORE", help="the --store file of `jaxnet sweep`")
    runs.add_argument("--delete", metavar="RUN", help="delete this run, finished or not")


def _add_show(commands: argparse._SubParsersAction) -> None:
    show = commands.add_parser(
        "show",
        help="tell about one run of a store",
        usage="jaxnet show STORE RUN",
        description=_SHOW,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    show.add_argument("store", metavar="STORE", help="the --store file of `jaxnet sweep`")
    show.add_argument("run", metavar="RUN", help="the name of a run, as `jaxnet runs` lists it")


def _add_compare(commands: argparse._SubParsersAction) -> None:
    compare = commands.add_parser(
        "compare",
        help="compare two finished sweeps",
        usage="jaxnet compare A B [--store STORE]",
        description=_COMPARE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    for name in ("a", "b"):
        compare.add_argument(name, metavar=name.upper(), help="a folder, a .jaxnet file, or a run of --store")
    compare.add_argument("--store", metavar="STORE", help="take A and B for runs of this store")


def _add_export(commands: argparse._SubParsersAction) -> None:
    export = commands.add_parser(
        "export",
        help="write a finished sweep as Parquet or NPZ",
        usage="jaxnet export SOURCE [RUN] --out FILE [options]",
        description=_EXPORT,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    export.add_argument("source", metavar="SOURCE", help="a folder, a .jaxnet file, or a store")
    export.add_argument("run", metavar="RUN", nargs="?", help="of a store: the name of the run")
    what = "of a .parquet file: one row per fit (the default), or per coefficient"
    export.add_argument("--what", choices=("fits", "coefficients"), default="fits", help=what)
    export.add_argument("--out", metavar="FILE", required=True, help="a .parquet or .npz file")
    export.add_argument("--overwrite", action="store_true", help="replace the file if it exists")
    export.add_argument("--quiet", action="store_true", help="say nothing but errors")


def _add_source(parser: argparse._ActionsContainer) -> None:
    parser.add_argument("data", nargs="?", metavar="DATA", help=".csv, .tsv (also .gz), .parquet or .npz file")
    parser.add_argument("--example", choices=("diabetes",), help="use bundled data in place of a file")


def _add_output(parser: argparse.ArgumentParser, metavar: str, out: str, overwrite: str) -> None:
    output = parser.add_argument_group("output")
    output.add_argument("--out", metavar=metavar, help=out)
    output.add_argument("--overwrite", action="store_true", help=overwrite)
    output.add_argument("--quiet", action="store_true", help="no progress and no notes, only results and warnings")


def _numbers(text: str) -> list[str]:
    """A list such as 0.1,0.5 as its parts, each of them a number."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    try:
        [float(part) for part in parts]
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number (put DATA before the options)") from None
    return parts


def _share(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r}: how far above the least error is a number from 0 on")
    return value


def _seed(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r}: a seed is a whole number from 0 on")
    return int(text)
