"""The options of what has to do with stores and finished sweeps: runs, show, compare, export, and `jaxnet sweep --store`."""

import argparse

from jaxnet.cli.shared_options import add_command

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


def add_store(sweep: argparse.ArgumentParser) -> None:
    """--store, --run and --resume of `jaxnet sweep`."""
    kept = sweep.add_argument_group("store")
    file = "keep finished fits in this SQLite file; whatever stops the sweep, the same command goes on from there"
    kept.add_argument("--store", metavar="FILE", help=file)
    kept.add_argument("--run", metavar="NAME", help="what the store calls this sweep; by default made from the problem")
    kept.add_argument("--resume", action="store_true", help="go on with a run; an error if the store has none")


def check_store(args: argparse.Namespace) -> None:
    """Refuse what only a store can have."""
    if args.command == "sweep" and args.store is None and (args.run is not None or args.resume):
        args.parser.error(f"{'--resume' if args.resume else '--run'} needs --store")


def check_export(args: argparse.Namespace) -> None:
    """Refuse a choice of rows where every array is written."""
    if args.command == "export" and "what" in args.given and not args.out.lower().endswith(".parquet"):
        args.parser.error("--what is for .parquet files: an .npz file has every array")


def add_runs(commands: argparse._SubParsersAction) -> None:
    """`jaxnet runs`."""
    runs = add_command(
        commands,
        "runs",
        help="list the runs of a store",
        usage="jaxnet runs STORE [options]",
        description=_RUNS,
    )
    runs.add_argument("store", metavar="STORE", help="the --store file of `jaxnet sweep`")
    runs.add_argument(
        "--delete", metavar="RUN", help="delete this run, finished or not (--delete=-x one that begins with -)"
    )
    runs.add_argument(
        "--backup", metavar="FILE", help="copy the store as it is to a new file; sweeps may go on meanwhile"
    )


def add_show(commands: argparse._SubParsersAction) -> None:
    """`jaxnet show`."""
    show = add_command(
        commands,
        "show",
        help="tell about one run of a store",
        usage="jaxnet show STORE RUN",
        description=_SHOW,
    )
    show.add_argument("store", metavar="STORE", help="the --store file of `jaxnet sweep`")
    show.add_argument("run", metavar="RUN", help="the name of a run, as `jaxnet runs` lists it")


def add_compare(commands: argparse._SubParsersAction) -> None:
    """`jaxnet compare`."""
    compare = add_command(
        commands,
        "compare",
        help="compare two finished sweeps",
        usage="jaxnet compare A B [--store STORE]",
        description=_COMPARE,
    )
    for name in ("a", "b"):
        compare.add_argument(name, metavar=name.upper(), help="a folder, a .jaxnet file, or a run of --store")
    compare.add_argument("--store", metavar="STORE", help="take A and B for runs of this store")


def add_export(commands: argparse._SubParsersAction) -> None:
    """`jaxnet export`."""
    export = add_command(
        commands,
        "export",
        help="write a finished sweep as Parquet or NPZ",
        usage="jaxnet export SOURCE [RUN] --out FILE [options]",
        description=_EXPORT,
    )
    export.add_argument("source", metavar="SOURCE", help="a folder, a .jaxnet file, or a store")
    export.add_argument("run", metavar="RUN", nargs="?", help="of a store: the name of the run")
    what = "of a .parquet file: one row per fit (the default), or per coefficient"
    export.add_argument("--what", choices=("fits", "coefficients"), default="fits", help=what)
    export.add_argument("--out", metavar="FILE", required=True, help="a .parquet or .npz file")
    export.add_argument("--overwrite", action="store_true", help="replace the file if it exists")
    export.add_argument("--quiet", action="store_true", help="say nothing but errors")
