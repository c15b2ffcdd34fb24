"""`jaxnet show`: one run of a store. Needs no JAX."""

import argparse

import numpy as np

from jaxnet.cli.console import aligned, say, visible
from jaxnet.cli.finished_sweep import FinishedSweep, winners
from jaxnet.cli.interrupt import Check
from jaxnet.cli.runs_command import best, progress
from jaxnet.store.description import shown
from jaxnet.store.reading import Store

_SHOWN = 10  # coefficients


def run(args: argparse.Namespace, check_interrupt: Check) -> None:
    """Carry out `jaxnet show` as `args` ask."""
    store = Store(args.store)
    found = store.run(args.run)
    fits = "" if found.fits is None else f" ({found.done:,} of {found.fits:,} fits)"
    lines = [
        f"run {visible(found.name)} of {args.store}: {progress(found)}{fits}",
        f"begun {visible(found.begun)}, last written {visible(found.written)}",
        f"best so far: {best(found)}",
        "",
    ]
    told = {**found.about, **found.problem}
    lines += aligned_left([(visible(name), shown(value)) for name, value in told.items() if value is not None])
    if found.finished:
        sweep = FinishedSweep(found.name, store.result(args.run), found.problem)
        lines += ["", repr(sweep.result)]
        for response in sweep.responses():
            title = [] if response is None else [f"response {response}"]
            lines += ["", *title, *winners([sweep], response), *_largest(sweep, response)]
    check_interrupt()
    say("\n".join(lines) + "\n")


def aligned_left(rows: list[tuple[str, str]]) -> list[str]:
    """Names and values as lines, the values one under the other."""
    width = max((len(name) for name, _ in rows), default=0)
    return [f"{name:<{width}}  {value}" for name, value in rows]


def _largest(sweep: FinishedSweep, response: int | None) -> list[str]:
    best = sweep.winner("min", response)
    if best is None or not best.nonzeros:
        return []
    order = [j for j in np.argsort(-np.abs(best.coef), kind="stable")[:_SHOWN] if best.coef[j] != 0]
    rows = [("Largest coefficients (min)", "per unit")]
    rows += [(sweep.feature(j), f"{best.coef[j]:.5g}") for j in order]
    more = best.nonzeros - len(order)
    return ["", *aligned(rows), *([f"and {more:,} more"] if more > 0 else [])]
