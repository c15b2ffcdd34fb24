"""`jaxnet stability`: the columns that fits to halves of the rows agree on."""

import argparse

from jaxnet.cli.console import aligned, note, say
from jaxnet.cli.csv_text import CsvText
from jaxnet.cli.dataset import load_dataset
from jaxnet.cli.interrupt import Check, watched
from jaxnet.cli.one_file import check_apart, check_file, check_picture, write_file
from jaxnet.execution.compilation import enable_compile_cache

_SHOWN = 30  # selected columns in the summary


def run(args: argparse.Namespace, check_interrupt: Check) -> None:
    """Carry out `jaxnet stability` as `args` ask."""
    check_apart(out=args.out, plot=args.plot)
    ending = None if args.plot is None else check_picture(args.plot, args.overwrite, "--plot")
    if args.out is not None:
        check_file(args.out, args.overwrite, "the frequencies")
    data = load_dataset(args)
    for remark in data.remarks():
        note(remark, args.quiet)
    found = _select(args, data, check_interrupt)
    rows = found.rows()
    chosen = [row for row in rows if row["selected"]]
    scale = "not standardised (--no-standardize)" if args.no_standardize else "standardised for the fits"
    say(f"{found!r}\nColumns were {scale}.\n")
    if chosen:
        table = [("Selected", "frequency"), *((row["name"], f"{row['frequency']:.3f}") for row in chosen[:_SHOWN])]
        more = len(chosen) - _SHOWN
        say("\n".join(["", *aligned(table), *([f"and {more:,} more"] if more > 0 else [])]) + "\n")
    if args.out is not None:
        keys = ("name", "frequency", "selected")
        csv_text = CsvText(args.raw_text)
        text = csv_text([keys, *([row["name"], row["frequency"], int(row["selected"])] for row in rows)])
        write_file(args.out, text.encode())
        note(f"wrote {len(rows):,} frequencies to {args.out}.", args.quiet)
        csv_text.tell()
    if ending is not None:
        from jaxnet.plots import stability_paths
        from jaxnet.plots.images import render

        write_file(args.plot, render(lambda ax: stability_paths(found, ax=ax), format=ending), "--plot")
        note(f"wrote {args.plot}.", args.quiet)


def _select(args: argparse.Namespace, data, check_interrupt: Check):
    from dataclasses import replace

    enable_compile_cache()
    from jaxnet.selection.stability import stability_selection  # after the cache is set up: this imports JAX

    with watched(check_interrupt, args.quiet) as progress:
        found = stability_selection(
            data.fitted,
            data.y,
            rho=args.rho,
            n_pairs=args.pairs,
            cutoff=args.cutoff,
            q=args.q,
            false_selections=args.false_selections,
            bound=args.bound,
            seed=args.seed,
            groups=data.groups,
            sample_weight=data.weights,
            standardize=not args.no_standardize,
            missing=data.missing,
            categories=data.categories,
            progress=progress,
        )
    check_interrupt()
    return found if data.prepared is not None else replace(found, feature_names=data.features)
