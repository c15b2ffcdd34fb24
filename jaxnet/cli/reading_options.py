"""The options of the commands that show a finished run: `jaxnet report` and `jaxnet plot`."""

import argparse

from jaxnet.cli.shared_options import add_command, add_output, add_simplest, add_source

_REPORT = """\
Write a finished run as one page of HTML that needs nothing else: the grid, the winner of each rule, pictures, the
coefficients and the certificates. With DATA, the table of the run, it also has information criteria and residuals.
"""
_PLOT = """\
Draw a finished run. Kinds: path and rho (coefficients along alpha, or along rho at the chosen alpha), cv and map (held-out
errors of one rho, or of the whole grid), coefficients (the largest of the chosen model); and, with DATA, the table of
the run: criteria, residuals, predicted.
"""
KINDS = ("path", "rho", "cv", "map", "coefficients", "criteria", "residuals", "predicted")
NEED_DATA = ("criteria", "residuals", "predicted")
_TAKES = {  # what else a kind of plot looks at
    "path": ("rho", "top"),
    "rho": ("alpha", "top"),
    "cv": ("rho",),
    "coefficients": ("top",),
    "criteria": ("rho",),
}


def check_plot(args: argparse.Namespace) -> None:
    """Refuse options, and a table, that a kind of plot would not look at."""
    if args.command != "plot":
        return
    for option in ("rho", "alpha", "top"):
        if getattr(args, option) is not None and option not in _TAKES.get(args.kind, ()):
            kinds = ", ".join(kind for kind, taken in _TAKES.items() if option in taken)
            args.parser.error(f"--{option} has no part in a plot of kind {args.kind}: it is for {kinds}")
    if args.kind not in NEED_DATA and (args.data is not None or args.example is not None):
        args.parser.error(f"a plot of kind {args.kind} needs no table: it is for {', '.join(NEED_DATA)}")


def add_report(commands: argparse._SubParsersAction) -> None:
    """`jaxnet report`."""
    report = add_command(
        commands,
        "report",
        help="write a finished run as one page of HTML",
        usage="jaxnet report RUN [DATA] [options]",
        description=_REPORT,
    )
    report.add_argument("run", metavar="RUN", help="the --out folder of `jaxnet sweep`")
    add_source(report, of_run=True)
    add_simplest(report, "by default as the run did")
    report.add_argument("--title", help="heading of the page (the source of the data)")
    add_output(report, "FILE", "the page (report.html in RUN by default)", "replace the file if it exists")


def add_plot(commands: argparse._SubParsersAction) -> None:
    """`jaxnet plot`."""
    plot = add_command(
        commands,
        "plot",
        help="draw a finished run",
        usage="jaxnet plot RUN KIND [DATA] --out FILE [options]",
        description=_PLOT,
    )
    plot.add_argument("run", metavar="RUN", help="the --out folder of `jaxnet sweep`")
    plot.add_argument("kind", metavar="KIND", choices=KINDS, help=", ".join(KINDS))
    add_source(plot, of_run=True)
    plot.add_argument("--rho", type=float, help="which rho path, cv and criteria draw (that of the chosen model)")
    plot.add_argument("--alpha", type=float, help="at which alpha rho is drawn (that of the chosen model)")
    add_simplest(plot, "by default as the run did")
    plot.add_argument("--top", type=int, metavar="N", help="columns to name; by default 10, and 20 bars")
    add_output(plot, "FILE", "the picture: .png, .svg or .pdf", "replace the file if it exists")
