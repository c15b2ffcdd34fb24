"""Coefficients along a grid: as alpha falls, and as rho grows at one alpha."""

from typing import Any

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.plots.marks import Mark, legend_title, marks, row_of
from jaxnet.plots.style import (
    GREY,
    LINE,
    alpha_axis,
    check_top,
    colour,
    column_names,
    counts_on_top,
    dashes,
    name_right,
    new_axes,
    of_response,
    rho_row,
    row_name,
)
from jaxnet.plots.subjects import check_subject
from jaxnet.result import SweepResult
from jaxnet.scalars import is_number


def coefficient_path(
    result: Any,
    rho: float | None = None,
    *,
    response: int | None = None,
    sd: Any = None,
    top: int = 10,
    criteria: Any = None,
    simplest: str | None = None,
    fits: Any = None,
    ax: Any = None,
) -> Any:
    """The coefficients of the full-data fits of one rho against alpha, with the number of nonzeros on top.

    Vertical lines mark the alphas that the rules min (solid) and 1se (dashed) choose for this rho, where there are folds.

    - result: a `SweepResult`. rho: which of its rows; the winner's by default (without folds the last).
    - response: which of several responses. sd: (p,) standard deviations of the columns, to draw coefficients per standard
      deviation; the `top` columns with the largest of those are coloured and named, the others grey.
    - criteria: what `result.criteria(X, y)` returns, for the rule 1se to count degrees of freedom; simplest: by what it finds
      the simplest fit, as in `SweepResult.best`.
    - fits: a list of `BestFit` to mark in place of what these two rules choose, if they are of the row that is drawn: without rho
      that of the first of them.

    Raises InvalidInput for a rho that was not swept and wrong arguments.

    >>> import jaxnet
    >>> from jaxnet import plots
    >>> X, y = jaxnet.load_diabetes(return_X_y=True)
    >>> result = jaxnet.sweep(X, y, rho=[0.5, 1.0], alphas=20, standardize=True)
    >>> ax = plots.coefficient_path(result, rho=1.0, sd=X.std(axis=0))
    """
    check_subject("coefficient_path", result, SweepResult)
    i, top = row_of(result, rho, response, fits), check_top(top)
    alphas = of_response(result.alphas, response)[i]
    columns, values = _row(result, i, response)
    values = values * _scale(sd, result.n_features)[columns, None]
    ax = new_axes(ax)
    _lines(ax, alphas, values, [column_names(result.feature_names, result.n_features)[j] for j in columns], top)
    ax.set_ylabel("coefficient" if sd is None else "coefficient per standard deviation")
    counts_on_top(ax, alphas, of_response(result.nonzeros, response)[i])
    if result.errors is not None or fits:
        _mark(ax, marks(result, fits, response, i, criteria=criteria, simplest=simplest))
    ax.set_title(f"Coefficients at {row_name(result, i)}")
    return ax


def rho_path(
    result: Any,
    alpha: float | None = None,
    *,
    response: int | None = None,
    sd: Any = None,
    top: int = 10,
    ax: Any = None,
) -> Any:
    """The coefficients as rho goes from ridge to lasso at one alpha.

    Of each rho (at the winner's blend, if there are several) the fit is drawn whose alpha is nearest to `alpha` on a log
    scale; where its grid ends before, the line has a gap.

    - alpha: by default the winner's (without folds the median of all), or the nearest that every rho
      has. Other arguments: those of `coefficient_path`.

    Raises InvalidInput for a sweep of one rho, an alpha that no two grids have, and wrong arguments.

    >>> import jaxnet
    >>> from jaxnet import plots
    >>> X, y = jaxnet.load_diabetes(return_X_y=True)
    >>> result = jaxnet.sweep(X, y, rho=[0.1, 0.5, 1.0], alphas=50, standardize=True)
    >>> ax = plots.rho_path(result, alpha=1.0)
    """
    check_subject("rho_path", result, SweepResult)
    row, top = rho_row(result, None, response), check_top(top)
    rows = np.arange(len(result.rho)) if result.blend is None else np.flatnonzero(result.blend == result.blend[row])
    if len(rows) < 2:
        raise InvalidInput(f"The sweep has one rho, {result.rho[0]:g}: sweep several to see what rho does.")
    grid = of_response(result.alphas, response)[rows]
    if alpha is None:
        best = None if result.errors is None else result.best("min")
        best = best if response is None or best is None else best[response]
        alpha = float(np.median(grid)) if best is None else best.alpha
        alpha = float(np.clip(alpha, grid.min(axis=1).max(), max(grid.max(axis=1).min(), grid.min(axis=1).max())))
    if not is_number(alpha) or not 0 < alpha < np.inf:
        raise InvalidInput(f"alpha={alpha!r:.60} must be a positive number.")
    near = (grid.min(axis=1) <= 1.1 * alpha) & (alpha <= 1.1 * grid.max(axis=1))
    if near.sum() < 2:
        raise InvalidInput(
            f"alpha={alpha:g} is on the grid of {near.sum()} rho only: choose one between {grid.min(axis=1).max():.3g} and "
            f"{grid.max(axis=1).min():.3g}."
        )
    with np.errstate(divide="ignore"):
        at = np.abs(np.log(grid) - np.log(alpha)).argmin(axis=1)
    coefs = np.stack([result.coef_at(i, int(k), response) for i, k in zip(rows, at, strict=True)])
    coefs = np.where(near[:, None], coefs * _scale(sd, result.n_features), np.nan)
    columns = np.flatnonzero(np.nan_to_num(coefs).any(axis=0))
    order, names = np.argsort(result.rho[rows]), column_names(result.feature_names, result.n_features)
    ax = new_axes(ax)
    _lines(ax, result.rho[rows][order], coefs[order][:, columns].T, [names[j] for j in columns], top)
    ax.set_xlabel("rho (0 ridge, 1 lasso)")
    ax.set_ylabel("coefficient" if sd is None else "coefficient per standard deviation")
    ax.set_title(f"Coefficients at alpha = {alpha:.3g}")
    return ax


def _row(result: Any, i: int, response: int | None) -> tuple[np.ndarray, np.ndarray]:
    """The columns that are ever nonzero on a row of the grid, and their coefficients (k, A)."""
    count = result.alphas.shape[-1]
    first = np.ravel_multi_index((i, 0) if response is None else (response, i, 0), result.alphas.shape)
    columns, block = result.coefs.block(first + np.arange(count))
    return columns, block.T


def _scale(sd: Any, p: int) -> np.ndarray:
    if sd is None:
        return np.ones(p)
    scale = np.asarray(sd, dtype=float)
    if scale.shape != (p,) or not np.isfinite(scale).all():
        raise InvalidInput(f"sd has shape {scale.shape}; give one finite standard deviation per column, ({p},).")
    return scale


def _lines(ax: Any, x: np.ndarray, values: np.ndarray, names: list[str], top: int) -> None:
    """A line per column (k, A): the `top` largest coloured and named where they end, the others grey, on x or log x."""
    from matplotlib.collections import LineCollection

    size = np.nanmax(np.abs(values), axis=1, initial=0.0) if values.size else np.zeros(0)
    order = np.argsort(-size, kind="stable")
    others = values[order[top:]]
    ax.axhline(0.0, color=GREY, lw=0.8, zorder=1)
    if len(others):
        segments = [np.column_stack([x, line]) for line in others]
        ax.add_collection(LineCollection(segments, colors=GREY, linewidths=0.6, alpha=0.5, zorder=1), autolim=True)
    for rank, j in enumerate(order[:top]):
        ax.plot(x, values[j], color=colour(rank), ls=dashes(rank), lw=LINE, zorder=2)
    if len(x) > 1 and x[0] > x[-1]:
        alpha_axis(ax, x)
    ax.autoscale(axis="y")
    shown = order[:top]
    end = np.array([line[np.isfinite(line)][-1] if np.isfinite(line).any() else 0.0 for line in values[shown]])
    name_right(ax, x[-1], end, [names[j] for j in shown], [colour(r) for r in range(len(shown))])
    if len(others):
        ax.text(0.01, 0.01, f"{len(others):,} more in grey", transform=ax.transAxes, fontsize="small", color="#606060")


def _mark(ax: Any, marked: list[Mark]) -> None:
    for fit, style, _ in marked:
        ax.axvline(fit.alpha, color="#404040", lw=0.9, ls=style, zorder=1, label=fit.rule)
    if marked:
        title = legend_title(marked)
        ax.legend(loc="upper left", fontsize="small", frameon=False, title=title, title_fontsize="small")
