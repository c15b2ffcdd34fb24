"""Held-out errors: along alpha for one rho, and over the whole grid."""

from typing import Any

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.metrics import error_name
from jaxnet.plots.marks import legend_title, marks, row_of
from jaxnet.plots.style import COLOURS, GREY, LINE, alpha_axis, counts_on_top, new_axes, of_response, rho_row, row_name
from jaxnet.plots.subjects import check_subject
from jaxnet.result import SweepResult


def cv_curve(
    result: Any,
    rho: float | None = None,
    *,
    response: int | None = None,
    criteria: Any = None,
    simplest: str | None = None,
    fits: Any = None,
    ax: Any = None,
) -> Any:
    """Mean held-out error against alpha, with one standard error up and down, and what min and 1se choose for this rho.

    - result: a `SweepResult` with folds. rho: which of its rows is drawn with its errors, the winner's by default; the
      others are thin grey lines. response: which of several. The number of nonzeros is on top.
    - criteria: what `result.criteria(X, y)` returns, for the rule 1se to count degrees of freedom; simplest: by what it finds
      the simplest fit, as in `SweepResult.best`.
    - fits: a list of `BestFit` to mark in place of what these two rules choose, if they are of the row that is drawn: without rho
      that of the first of them.

    Raises InvalidInput without folds, for a rho that was not swept, and wrong arguments.

    >>> import jaxnet
    >>> from jaxnet import plots
    >>> X, y = jaxnet.load_diabetes(return_X_y=True)
    >>> ax = plots.cv_curve(jaxnet.sweep(X, y, rho=[0.5, 1.0], alphas=20, standardize=True))
    """
    check_subject("cv_curve", result, SweepResult)
    i = row_of(result, rho, response, fits)
    mean, se = _mean(result, response), of_response(result.error_se, response)
    alphas = of_response(result.alphas, response)
    ax = new_axes(ax)
    for other in range(len(result.rho)):
        if other != i:
            ax.plot(alphas[other], mean[other], color=GREY, lw=0.8, alpha=0.6, zorder=1)
    ax.errorbar(
        alphas[i], mean[i], yerr=np.nan_to_num(se[i]), color=COLOURS[0], ecolor=COLOURS[5], lw=LINE, elinewidth=0.9,
        capsize=1.5, zorder=2,
    )  # fmt: skip
    for mark in marks(result, fits, response, i, criteria=criteria, simplest=simplest):
        label = f"{mark.text}, {mark.fit.nonzeros:,} nonzero"
        ax.axvline(mark.fit.alpha, color="#404040", lw=0.9, ls=mark.dashes, label=label, zorder=1)
    alpha_axis(ax, alphas[i])
    counts_on_top(ax, alphas[i], of_response(result.nonzeros, response)[i])
    ax.set_ylim(*_window(mean, se, i))
    ax.set_ylabel(f"held-out error ({error_name(result.metric)})")
    if ax.get_legend_handles_labels()[1]:
        ax.legend(loc="upper right", fontsize="small", frameon=False)
    ax.set_title(f"Cross-validation at {row_name(result, i)}" + (", others in grey" if len(result.rho) > 1 else ""))
    return ax


def cv_map(
    result: Any,
    *,
    response: int | None = None,
    criteria: Any = None,
    simplest: str | None = None,
    fits: Any = None,
    ax: Any = None,
) -> Any:
    """Mean held-out error over the whole (alpha, rho) grid as a map, with the fits that min and 1se choose.

    A band per rho, each over its own alphas. Colours end at the error of the largest alphas, where the model is nearly
    empty; what is above is shown as that (an arrow on the scale says so).

    - criteria, simplest: as in `cv_curve`. fits: a list of `BestFit` to mark in place of what these two rules choose.

    Raises InvalidInput without folds and for wrong arguments.

    >>> import jaxnet
    >>> from jaxnet import plots
    >>> X, y = jaxnet.load_diabetes(return_X_y=True)
    >>> ax = plots.cv_map(jaxnet.sweep(X, y, rho=[0.5, 0.9, 1.0], alphas=20, standardize=True))
    """
    check_subject("cv_map", result, SweepResult)
    rho_row(result, None, response)
    mean, alphas = _mean(result, response), of_response(result.alphas, response)
    drawn = alphas > 0
    if not drawn.any():
        raise InvalidInput("Every alpha is zero, so there is no scale to draw the errors along.")
    low, high = np.nanmin(mean), min(float(np.nanmax(mean)), float(np.nanmedian(mean[:, 0])))
    ax = new_axes(ax, height=1.8 + 0.32 * min(len(result.rho), 12))
    order = np.argsort(result.rho, kind="stable")
    for place, i in enumerate(order):
        keep = drawn[i]
        if not keep.any():
            continue
        edges = _edges(alphas[i, keep])
        mesh = ax.pcolormesh(
            edges, [place - 0.5, place + 0.5], mean[i, keep][None], cmap="viridis", vmin=low,
            vmax=high if high > low else None, rasterized=True,
        )  # fmt: skip
    marked = marks(result, fits, response, None, criteria=criteria, simplest=simplest)
    for fit, _, marker in marked:
        at = int(np.flatnonzero(order == fit.index[0])[0])
        ax.plot(fit.alpha, at, marker, ms=8, mfc="none", mec="white", mew=3.5)
        ax.plot(fit.alpha, at, marker, ms=8, mfc="none", mec="#D55E00", mew=1.8, ls="", label=fit.rule)
    alpha_axis(ax, alphas[drawn])
    shown = np.unique(np.linspace(0, len(order) - 1, min(len(order), 12)).round().astype(int))
    names = [row_name(result, i).removeprefix("rho = ") for i in order]
    ax.set_yticks(shown, [names[place] for place in shown])
    ax.set_ylim(-0.5, len(order) - 0.5)
    ax.set_ylabel("rho")
    above = float(np.nanmax(mean)) > high
    ax.figure.colorbar(
        mesh, ax=ax, label=f"mean held-out error ({error_name(result.metric)})", extend="max" if above else "neither"
    )
    if marked:
        ax.legend(
            loc="upper left", fontsize="small", framealpha=0.85, title=legend_title(marked), title_fontsize="small"
        )
    ax.set_title("Cross-validation over the grid")
    return ax


def _mean(result: Any, response: int | None) -> np.ndarray:
    mean = of_response(result.error_mean, response)
    if not np.isfinite(mean).any():
        raise InvalidInput("No fit of the grid has a finite held-out error, so there is nothing to draw.")
    return np.where(np.isfinite(mean), mean, np.nan)


def _window(mean: np.ndarray, se: np.ndarray, i: int) -> tuple[float, float]:
    """Heights that show the drawn row whole, but no overfitted tail far above the empty model."""
    top = min(
        np.nanmax(mean[i] + np.nan_to_num(se[i])), 1.5 * max(float(np.nan_to_num(mean[i, 0])), np.nanmin(mean[i]))
    )
    low = np.nanmin(mean[i] - np.nan_to_num(se[i]))
    low = min(low, float(np.nanmin(mean)))
    room = 0.05 * (top - low) or 1.0
    return low - room, top + room


def _edges(alphas: np.ndarray) -> np.ndarray:
    """Borders between alphas, half-way on a log scale."""
    logs = np.log(alphas)
    if len(logs) == 1:
        return np.exp(logs[0] + np.array([0.05, -0.05]))
    middle = (logs[1:] + logs[:-1]) / 2
    return np.exp(np.concatenate([[2 * logs[0] - middle[0]], middle, [2 * logs[-1] - middle[-1]]]))
