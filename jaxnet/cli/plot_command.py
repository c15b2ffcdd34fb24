"""`jaxnet plot`: a picture of a finished run."""

import argparse
from collections.abc import Callable
from typing import Any

from jaxnet.cli.chosen import check_simplest_acts, simplest_of
from jaxnet.cli.console import note
from jaxnet.cli.finished_run import FinishedRun
from jaxnet.cli.interrupt import Check
from jaxnet.cli.one_file import check_picture, write_file
from jaxnet.cli.reading_options import NEED_DATA
from jaxnet.errors import InvalidInput

SHOW_RULES = ("path", "cv", "map")
"""Pictures that mark what min and 1se choose too."""


def run(args: argparse.Namespace, check_interrupt: Check) -> None:
    """Carry out `jaxnet plot` as `args` ask."""
    if args.out is None:
        raise InvalidInput("--out is missing: name the picture, such as cv.png.")
    ending = check_picture(args.out, args.overwrite)
    if args.kind in NEED_DATA and args.data is None and args.example is None:
        raise InvalidInput(
            f"jaxnet plot {args.kind} needs the table of the run: jaxnet plot RUN {args.kind} DATA --out FILE."
        )
    done = FinishedRun.load(args)
    if args.kind not in SHOW_RULES:
        check_simplest_acts(args.simplest, done.rule)
    from jaxnet.plots.images import render

    check_interrupt()
    write_file(args.out, render(_drawing(args, done), format=ending))
    note(f"wrote {args.out}.", args.quiet)


def _drawing(args: argparse.Namespace, done: FinishedRun) -> Callable[[Any], Any]:
    from jaxnet import plots

    result, chosen = done.result, done.chosen(args.simplest)
    kept = chosen[done.rule]
    rho = kept.rho if args.rho is None else args.rho
    shown = {"fits": [kept, *(chosen[rule] for rule in ("min", "1se") if rule in chosen and rule != done.rule)]}
    along = shown if args.rho is None else {"rho": args.rho, **_of_that_rho(args, done)}
    top = {} if args.top is None else {"top": args.top}
    draw = {
        "path": lambda ax: plots.coefficient_path(result, sd=done.sd, **along, **top, ax=ax),
        "rho": lambda ax: plots.rho_path(
            result, kept.alpha if args.alpha is None else args.alpha, sd=done.sd, **top, ax=ax
        ),
        "cv": lambda ax: plots.cv_curve(result, **along, ax=ax),
        "map": lambda ax: plots.cv_map(result, **shown, ax=ax),
        "coefficients": lambda ax: plots.coefficients(
            kept, feature_names=result.feature_names, sd=done.sd, **top, ax=ax
        ),
    }
    if args.kind in draw:
        return draw[args.kind]
    if args.kind == "criteria":
        criteria = done.criteria()
        return lambda ax: plots.criteria_curves(criteria, rho, ax=ax)
    observed, predicted = done.predicted(kept)
    show = plots.residuals if args.kind == "residuals" else plots.predicted_against_observed
    return lambda ax: show(observed, predicted, ax=ax)


def _of_that_rho(args: argparse.Namespace, done: FinishedRun) -> dict[str, Any]:
    """What the rules choose of a rho that was asked for, by the same simplicity as the run."""
    simplest = args.simplest or simplest_of(done.model)
    if simplest != "df":
        return {"simplest": simplest}
    if done.X is None:
        raise InvalidInput(
            "--rho with --simplest df, by which the run may have gone, needs the table of the run: give DATA, or take "
            "--simplest nonzeros or alpha."
        )
    return {"simplest": simplest, "criteria": done.criteria()}
