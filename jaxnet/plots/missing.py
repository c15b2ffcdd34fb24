"""Patterns of missing values."""

from typing import Any

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.missing.analysis.patterns import MissingPatterns
from jaxnet.plots.style import COLOURS, GREY, check_top, column_names, new_axes
from jaxnet.plots.subjects import check_subject

MISSING, OBSERVED = COLOURS[1], "#e6eaee"
WIDEST = 300
"""Columns that are drawn, those with the most missing values."""
BARS, GAP = 0.2, 0.03
"""Of the size of the tiles: that of the bars beside them, and the space between."""
NAMED = 40
"""Columns from which on only some are named, and tiles no longer framed."""


def missing_patterns(found: Any, *, top: int = 20, ax: Any = None) -> Any:
    """The distinct patterns of missing values as rows of tiles, orange where a column is missing.

    - found: a `MissingPatterns`. The columns drawn are those with missing values (of more than 300 those that lack most), in the
      table's order; above each the share of rows that lack it;
    - top: patterns to draw, the most frequent first; bars to their right count their rows.

    Raises InvalidInput where nothing is missing.

    >>> import jaxnet, numpy as np
    >>> from jaxnet import plots
    >>> X, _ = jaxnet.load_diabetes(return_X_y=True)
    >>> X[::3, 2] = X[::4, 5] = np.nan
    >>> ax = plots.missing_patterns(jaxnet.missing_patterns(X))
    """
    check_subject("missing_patterns", found, MissingPatterns)
    top = check_top(top)
    if top == 0:
        raise InvalidInput("top=0 leaves no pattern to draw: choose at least 1.")
    if not found.any:
        raise InvalidInput("No value is missing, so there is no pattern to draw.")
    most = np.argsort(-found.n_missing, kind="stable")[:WIDEST]
    drawn = np.sort(most[found.n_missing[most] > 0])
    tiles, counts = found.patterns[:top][:, drawn], found.counts[:top]
    few = len(drawn) <= NAMED
    ax = new_axes(ax, *size(found, top))
    _tiles(ax, tiles, few)
    percent, level = _shares(ax, 100 * found.n_missing[drawn] / found.n_rows, len(tiles))
    _counts(ax, counts, len(drawn))
    at = np.arange(len(drawn)) if few else np.unique(np.linspace(0, len(drawn) - 1, 20).round().astype(int))
    names = column_names(found.names, len(found.names))
    ax.set_xticks(at, [names[drawn[j]] for j in at], rotation=90 if len(at) > 6 else 0, fontsize="small")
    sizes = [f"{pattern.sum():,}" for pattern in found.patterns[:top]]
    ax.set_yticks([*range(len(tiles)), *level], [*sizes, *percent], fontsize="small")
    ax.tick_params(length=0)
    ax.spines[:].set_visible(False)
    ax.set_ylabel("columns missing in the pattern")
    ax.set_xlabel(_columns(found, len(drawn)))
    several = f"{len(tiles):,} of {found.n_patterns:,}" if len(tiles) < found.n_patterns else f"{len(tiles):,}"
    ax.set_title(f"Missing values: {several} pattern{'' if found.n_patterns == 1 else 's'} of {found.n_rows:,} rows")
    return ax


def size(found: Any, top: int = 20) -> tuple[float, float]:
    """Width and height in inches that suit the picture."""
    columns, rows = int((found.n_missing > 0).sum()), min(top, len(found.counts))
    return float(np.clip(3.2 + 0.28 * columns, 6.0, 11.0)), 2.9 + 0.21 * max(rows, 3)


def _tiles(ax: Any, tiles: np.ndarray, framed: bool) -> None:
    from matplotlib.colors import ListedColormap

    edge = {"edgecolors": "white", "linewidth": 1.2} if framed else {"rasterized": True}
    ax.pcolormesh(
        np.arange(tiles.shape[1] + 1) - 0.5, np.arange(len(tiles) + 1) - 0.5, tiles.astype(float),
        cmap=ListedColormap([OBSERVED, MISSING]), vmin=0, vmax=1, **edge,
    )  # fmt: skip


def _shares(ax: Any, percent: np.ndarray, rows: int) -> tuple[list[str], list[float]]:
    """Bars above the tiles, as high as the column's share of missing values; a scale of two labels and their heights."""
    base, height = -0.5 - GAP * rows, BARS * max(rows, 4)
    most = percent.max()
    ax.bar(
        np.arange(len(percent)), -height * percent / most, bottom=base,
        width=0.8 if len(percent) <= NAMED else 1.0, color=MISSING,
    )  # fmt: skip
    ax.set_ylim(rows - 0.5, base - 1.05 * height)
    return ["0%", f"{most:.3g}%\nmissing"], [base, base - height]


def _counts(ax: Any, counts: np.ndarray, columns: int) -> None:
    """Bars to the right of the tiles, as long as the pattern has rows."""
    base, width = columns - 0.5 + 0.5 * GAP * columns, BARS * columns
    ax.barh(np.arange(len(counts)), width * counts / counts.max(), left=base, height=0.7, color=GREY)
    text = {"textcoords": "offset points", "va": "center", "fontsize": "small"}
    for place, count in enumerate(counts):
        ax.annotate(f"{count:,}", (base + width * count / counts.max(), place), xytext=(3, 0), **text)
    ax.annotate("rows", (base, -0.5), xytext=(0, 6), **text)
    ax.set_xlim(-0.5, base + 1.5 * width)


def _columns(found: Any, drawn: int) -> str:
    with_gaps = int((found.n_missing > 0).sum())
    what = f"the {drawn:,} columns with the most missing values" if drawn < with_gaps else "columns with missing values"
    return f"{what} ({with_gaps:,} of {len(found.names):,})"
