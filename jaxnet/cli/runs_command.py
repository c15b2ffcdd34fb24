"""`jaxnet runs`: what a store holds. Needs no JAX."""

import argparse

from jaxnet.cli.console import aligned, complain, say, visible
from jaxnet.cli.interrupt import Check
from jaxnet.store.description import shown
from jaxnet.store.reading import Store, StoredRun


def run(args: argparse.Namespace, check_interrupt: Check) -> None:
    """Carry out `jaxnet runs` as `args` ask."""
    store = Store(args.store)
    if args.delete is not None:
        store.delete(args.delete)
        complain(f"deleted run {args.delete!r} of {args.store}.")
        return
    if args.backup is not None:
        store.backup(args.backup)
        complain(f"copied {args.store} to {args.backup}.")
        return
    runs = store.runs()
    check_interrupt()
    if not runs:
        say(f"{args.store} has no runs.\n")
        return
    rows = [("run", "begun", "data", "grid", "done", "best so far")]
    rows += [(r.name, r.begun, _data(r), _grid(r), progress(r), best(r)) for r in runs]
    say("\n".join(aligned(rows)) + "\n")


def progress(run: StoredRun) -> str:
    """How far a run has come."""
    if run.finished:
        return "finished"
    share = f"{run.done / run.fits:.0%}" if run.fits else "0%"
    return f"{share}, running" if run.running else f"{share}, stopped"


def best(run: StoredRun) -> str:
    """The least held-out error yet, and where. It is a mean square, whatever the sweep will measure by in the end."""
    if run.best is None:
        return "-"
    what = "" if run.problem.get("metric", "mse") == "mse" else "MSE "
    return f"{what}{run.best['cv_error']:.6g} at rho {run.best['rho']:.4g}, alpha {run.best['alpha']:.5g}"


def _data(run: StoredRun) -> str:
    source = run.about.get("source")
    size = f"{shown(run.problem.get('rows'))} x {shown(run.problem.get('columns'))}"
    return f"{visible(source)}, {size}" if isinstance(source, str) else size


def _grid(run: StoredRun) -> str:
    rho, alphas, folds = (run.problem.get(name) for name in ("rho", "alphas", "folds"))
    count = len(rho) if isinstance(rho, list) else "?"
    each = alphas if isinstance(alphas, int) else "given"
    return f"{count} rho x {each} alphas x {shown(folds)} folds"
