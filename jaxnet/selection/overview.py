"""A sweep in a few lines: what was swept, what won, whether anything did not converge."""

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.selection.choice import choose_fit, notion

MOST = 3
"""Responses that are shown."""


def overview(result) -> str:
    """The text that `print` shows of a `SweepResult`."""
    R, A = result.alphas.shape[-2:]
    folds = 0 if result.errors is None else result.errors.shape[-1]
    rows = "rho" if result.blend is None else "(rho, blend)"
    q = result.n_responses
    responses = "" if q is None else f"{q} responses x "
    lines = [
        f"SweepResult: {result.gap.size:,} fits of {result.n_features:,} columns = {responses}{R} {rows} x {A} alphas x "
        + (f"({folds} folds + all rows)" if folds else "all rows"),
        f"  columns {'standardised for the fit' if result.options.standardize else 'as given, not standardised'}",
    ]
    if folds:
        best = "best" if result.metric == "mse" else f"best by {result.metric}"
        by_rows = "" if result.fold_weights is None else ", folds averaged by their rows"
        lines += [f"  {best}{by_rows}: {_winner(result, 'min', j)}" for j in range(min(q or 1, MOST))]
        lines += ["  ..."] * ((q or 1) > MOST)
    if q is None and folds > 1 and np.isfinite(result.error_mean).any():
        lines.append(f"  simplest within one standard error: {_winner(result, '1se', 0)}")
    bad = {k: v for k, v in result.status_counts().items() if k not in ("CONVERGED", "DEGENERATE")}
    worst = float(np.nanmax(result.gap)) if np.isfinite(result.gap).any() else float("nan")
    verdict = f"all certified to tol={result.tol:g}" if result.converged else f"NOT converged: {bad}"
    return "\n".join([*lines, f"  {verdict}; worst relative gap {worst:.1e}"])


def _winner(result, rule: str, response: int) -> str:
    j = None if result.n_responses is None else response
    try:
        index = choose_fit(result, rule, 0.0, None, None, j)
    except InvalidInput as error:  # a repr must not raise
        return str(error)
    return repr(result.fit_at(*index, j, rule=rule, simplest=notion(rule, None, None)))
