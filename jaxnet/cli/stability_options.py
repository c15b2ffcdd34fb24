"""The options of `jaxnet stability`."""

import argparse

from jaxnet.cli.filling_options import add_filling
from jaxnet.cli.shared_options import add_columns, add_command, add_groups, add_output, add_raw_text, seed
from jaxnet.names import BOUNDS

_STABILITY = """\
Select columns by stability selection: fit paths to many halves of the rows, and keep the columns that enter early in most
of them. Any two of --cutoff, --q and --false-selections give the third; by default the cutoff is 0.75 and at most one
false selection is expected.
"""


def add_stability(commands: argparse._SubParsersAction) -> None:
    """`jaxnet stability`."""
    stability = add_command(
        commands,
        "stability",
        help="select columns that fits to halves of the rows agree on",
        usage="jaxnet stability DATA --target COLUMN [options]",
        description=_STABILITY,
        needs_data=True,
    )
    data = stability.add_argument_group("data")
    add_columns(data)
    add_groups(data)
    rule = stability.add_argument_group("selection")
    rule.add_argument("--pairs", type=int, default=50, metavar="B", help="pairs of half-samples; default 50")
    rule.add_argument("--rho", type=float, default=1.0, help="L1 share, above 0; default 1 (lasso)")
    rule.add_argument("--cutoff", type=float, metavar="SHARE", help="the share of half-samples from which to select")
    rule.add_argument("--q", type=float, metavar="N", help="columns that each half-sample selects")
    rule.add_argument("--false-selections", type=float, metavar="N", help="how many to expect at most")
    rule.add_argument("--bound", choices=BOUNDS, default="unimodal", help="on false selections; default unimodal")
    rule.add_argument("--seed", type=seed, default=0, metavar="N", help="seed of the splits; default 0")
    rule.add_argument("--no-standardize", action="store_true", help="penalise the columns in the units they come in")
    add_filling(stability)
    rule.add_argument("--plot", metavar="FILE", help="draw the stability paths: .png, .svg or .pdf")
    add_output(stability, "FILE", "CSV file of every column's frequency", "replace the file if it exists")
    add_raw_text(stability)
