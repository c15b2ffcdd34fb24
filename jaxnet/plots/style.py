"""What the pictures share: axes, colours, labels that keep apart, and axes of alpha."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.scalars import is_whole

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
"""Okabe and Ito's, without the yellow that vanishes on white."""
GREY, LINE = "#9a9a9a", 1.6
LONGEST = 24
"""Letters of a name that are shown."""


def new_axes(ax: Any, width: float = 7.0, height: float = 4.5) -> Any:
    """`ax`, or for None the axes of a new figure. Raises InvalidInput without matplotlib, or for something else."""
    if ax is not None:
        if not callable(getattr(ax, "plot", None)):
            raise InvalidInput(f"ax={ax!r:.60} is no matplotlib Axes; leave it out for a new figure.")
        return ax
    try:
        from matplotlib import pyplot
    except ImportError:
        raise InvalidInput(
            "Pictures need matplotlib, which is not installed: pip install 'jaxnet-elasticnet[plots]'."
        ) from None
    return pyplot.subplots(figsize=(width, height), layout="constrained")[1]


def colour(i: int) -> str:
    """The i-th colour, round and round."""
    return COLOURS[i % len(COLOURS)]


def dashes(i: int) -> str:
    """A line style, another one each time the colours are through."""
    return ("-", "--", ":", "-.")[i // len(COLOURS) % 4]


def check_top(top: Any) -> int:
    """How many columns are coloured and named."""
    if not is_whole(top) or top < 0:
        raise InvalidInput(f"top={top!r} must be a whole number of at least 0: how many columns to name.")
    return int(top)


def column_names(names: Sequence[str] | None, p: int) -> list[str]:
    """Names that matplotlib takes as they are, shortened; x0, x1, ... where there are none."""
    return [plain(name) for name in names] if names is not None else [f"x{j}" for j in range(p)]


def plain(text: str) -> str:
    """A name on one line, of at most LONGEST letters, with no dollar sign that would begin a formula."""
    text = " ".join(str(text).split())
    text = text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
    return text.replace("$", r"\$")


def alpha_axis(ax: Any, alphas: np.ndarray, label: str = "alpha") -> None:
    """Alpha on a log scale that falls to the right, so that models grow as one reads."""
    positive = alphas[np.isfinite(alphas) & (alphas > 0)]
    if positive.size > 1 and positive.min() < positive.max():
        ax.set_xscale("log")
        ax.set_xlim(positive.max() * 1.05, positive.min() / 1.05)
    ax.set_xlabel(label)


def counts_on_top(ax: Any, alphas: np.ndarray, counts: np.ndarray, label: str = "nonzero coefficients") -> None:
    """Whole numbers along the upper edge, at some of the alphas."""
    from matplotlib.ticker import NullLocator

    order = np.argsort(alphas)
    alphas, counts = alphas[order], counts[order]
    keep = alphas > 0
    at = np.unique(np.linspace(0, keep.sum() - 1, 7).round().astype(int))
    top = ax.secondary_xaxis("top")
    top.set_xticks(alphas[keep][at], [f"{count:,.0f}" for count in counts[keep][at]])
    top.xaxis.set_minor_locator(NullLocator())
    top.set_xlabel(label)


def name_right(ax: Any, x: float, heights: np.ndarray, names: list[str], colours: list[str]) -> None:
    """Names to the right of where their lines end, moved up and down so that they do not overlap."""
    low, high = ax.get_ylim()
    gap = 0.045 * (high - low)
    order = np.argsort(heights, kind="stable")
    for place, i in zip(spread(heights[order], gap, low, high), order, strict=True):
        ax.annotate(
            names[i], (x, heights[i]), xytext=(1.015, (place - low) / (high - low)), textcoords="axes fraction",
            va="center", fontsize="small", color=colours[i], annotation_clip=False,
            arrowprops={"arrowstyle": "-", "color": colours[i], "lw": 0.5, "shrinkA": 0, "shrinkB": 0},
        )  # fmt: skip


def spread(heights: np.ndarray, gap: float, low: float, high: float) -> np.ndarray:
    """Ascending heights moved as little as it takes to be `gap` apart and, if there is room, between `low` and `high`.

    >>> spread(np.array([0.0, 0.1, 5.0]), 1.0, 0.0, 10.0).tolist()
    [0.0, 1.0, 5.0]
    """
    places = np.clip(np.asarray(heights, float), low, high)
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + gap)
    if len(places) and places[-1] > high:
        places[-1] = max(high, low + gap * (len(places) - 1))
        for i in range(len(places) - 2, -1, -1):
            places[i] = min(places[i], places[i + 1] - gap)
    return places


def rho_row(result: Any, rho: float | None, response: int | None) -> int:
    """The row of the grid to draw: that of `rho`, else the winner's, else (without folds) the last.

    Raises InvalidInput for a rho that was not swept, and unless a response is named exactly where there are several.
    """
    q = result.n_responses
    if (response is None) != (q is None):
        swept = "one response" if q is None else f"{q} responses"
        raise InvalidInput(
            f"response={response!r}, but the sweep had {swept}; name one exactly where there are several."
        )
    if response is not None and (not is_whole(response) or not 0 <= response < q):
        raise InvalidInput(f"response={response!r} must be a whole number from 0 to {q - 1}.")
    if rho is not None:
        return _best_row(result, swept_rows(result.rho, rho), response)
    if result.errors is None:
        return len(result.rho) - 1
    best = result.best("min")
    return (best if response is None else best[response]).index[0]


def swept_rows(swept: np.ndarray, rho: Any) -> np.ndarray:
    """The rows of a grid that have this rho: one, or one for each blend. Raises InvalidInput if there is none."""
    near = np.flatnonzero(np.isclose(swept, rho, rtol=1e-6, atol=1e-12)) if np.isscalar(rho) else np.empty(0, int)
    if not len(near):
        raise InvalidInput(
            f"rho={rho!r:.60} was not swept; choose one of {', '.join(f'{r:g}' for r in np.unique(swept))}."
        )
    return near


def _best_row(result: Any, rows: np.ndarray, response: int | None) -> int:
    """The first of the rows, or the one of least held-out error if there are several and folds."""
    if len(rows) == 1 or result.errors is None:
        return int(rows[0])
    mean = of_response(result.error_mean, response)[rows]
    return int(rows[np.argmin(np.nanmin(np.where(np.isfinite(mean), mean, np.inf), axis=1))])


def row_name(result: Any, i: int) -> str:
    """What a row of the grid is."""
    return f"rho = {result.rho[i]:g}" + ("" if result.blend is None else f", blend = {result.blend[i]:g}")


def of_response(array: np.ndarray, response: int | None) -> np.ndarray:
    """An array of a result for one response, (R, A, ...)."""
    return array if response is None else array[response]
