"""`jaxnet compare`: two finished sweeps side by side. Needs no JAX."""

import argparse

import numpy as np

from jaxnet.cli.console import aligned, say
from jaxnet.cli.finished_sweep import FinishedSweep, find_sweep, winners
from jaxnet.cli.interrupt import Check
from jaxnet.errors import InvalidInput
from jaxnet.store.description import differences

_SHOWN = 10  # coefficients


def run(args: argparse.Namespace, check_interrupt: Check) -> None:
    """Carry out `jaxnet compare` as `args` ask."""
    find = find_sweep if args.store is None else lambda name: find_sweep(args.store, name)
    a, b = (find(name) for name in (args.a, args.b))
    lines = [f"A: {a.label}", f"B: {b.label}", *_problems(a, b), *_grids(a, b)]
    if a.result.n_responses != b.result.n_responses:
        raise InvalidInput(
            f"{a.label} has {a.result.n_responses or 1} responses and {b.label} {b.result.n_responses or 1}: there is "
            "nothing to compare."
        )
    for response in a.responses():
        title = [] if response is None else [f"response {response}"]
        lines += ["", *title, *winners([a, b], response), *_coefficients(a, b, response)]
    check_interrupt()
    say("\n".join(lines) + "\n")


def _problems(a: FinishedSweep, b: FinishedSweep) -> list[str]:
    if not (a.problem and b.problem):
        return []
    found = differences(a.problem, b.problem, ("in A", "in B"))
    return [f"  {phrase}" for phrase in found] or ["the same problem"]


def _grids(a: FinishedSweep, b: FinishedSweep) -> list[str]:
    """The grids, and if they are one, the largest difference of two coefficients on it."""
    if not _same_grid(a, b):
        return [f"{letter} has {_grid(sweep)}" for letter, sweep in (("A", a), ("B", b))]
    line = f"the same grid, {_grid(a)}"
    columns = _columns(a, b)
    if columns is None:
        return [line]
    largest = max(
        float(np.abs(a.result.coefs.row(i)[columns[0]] - b.result.coefs.row(i)[columns[1]]).max(initial=0.0))
        for i in range(len(a.result.coefs))
    )
    return [f"{line}; no two coefficients of shared columns on it differ by more than {largest:.3g}"]


def _grid(sweep: FinishedSweep) -> str:
    alphas, rho = sweep.result.alphas, sweep.result.rho
    shares = ", ".join(f"{r:.4g}" for r in rho[:6]) + (", ..." if len(rho) > 6 else "")
    return f"{len(rho)} rho ({shares}) x {alphas.shape[-1]} alphas ({alphas.max():.5g} to {alphas.min():.5g})"


def _same_grid(a: FinishedSweep, b: FinishedSweep) -> bool:
    """The same up to rounding: alpha_max is a sum, over folds for one."""
    pairs = [(getattr(a.result, name), getattr(b.result, name)) for name in ("rho", "alphas")]
    return all(x.shape == y.shape and np.allclose(x, y, rtol=1e-9, atol=0.0) for x, y in pairs)


def _columns(a: FinishedSweep, b: FinishedSweep) -> tuple[np.ndarray, np.ndarray] | None:
    """The shared columns, as positions in A and in B: those of one name, or without names all. None if there are none."""
    names, others = a.result.feature_names, b.result.feature_names
    if names is not None and others is not None:
        where = {name: j for j, name in enumerate(others)}
        pairs = [(i, where[name]) for i, name in enumerate(names) if name in where]
        return tuple(np.array(pairs).T) if pairs else None
    if a.result.n_features != b.result.n_features:
        return None
    everything = np.arange(a.result.n_features)
    return everything, everything


def _coefficients(a: FinishedSweep, b: FinishedSweep, response: int | None) -> list[str]:
    """What the winners by rule min have in common, and where they differ most."""
    first, second, columns = a.winner("min", response), b.winner("min", response), _columns(a, b)
    if first is None or second is None:
        return []
    if columns is None:
        return ["", "A and B have no columns in common, so their coefficients cannot be compared."]
    mine, theirs = first.coef[columns[0]], second.coef[columns[1]]
    both, only_a = int(((mine != 0) & (theirs != 0)).sum()), int(((mine != 0) & (theirs == 0)).sum())
    only_b = int(((mine == 0) & (theirs != 0)).sum())
    lines = ["", f"nonzeros of the min models: {both:,} in both, {only_a:,} only in A, {only_b:,} only in B"]
    order = [j for j in np.argsort(-np.abs(mine - theirs), kind="stable")[:_SHOWN] if mine[j] != theirs[j]]
    if not order:
        return [*lines, "their coefficients are the same"]
    rows = [("Coefficients that differ most", "A", "B", "difference")]
    for j in order:
        numbers = (mine[j], theirs[j], theirs[j] - mine[j])
        rows.append((a.feature(columns[0][j]), *(f"{number:.5g}" for number in numbers)))
    return [*lines, *aligned(rows)]
