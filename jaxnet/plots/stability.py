"""Selection frequencies along the path of half-samples."""

from typing import Any

import numpy as np

from jaxnet.plots.style import (
    GREY,
    LINE,
    alpha_axis,
    check_top,
    colour,
    column_names,
    dashes,
    name_right,
    new_axes,
    plain,
)
from jaxnet.plots.subjects import check_subject
from jaxnet.selection.stability_result import StabilityResult


def stability_paths(found: Any, *, top: int = 10, ax: Any = None) -> Any:
    """The share of half-samples whose fit has each column, against alpha, with the cutoff.

    - found: a `StabilityResult`. The selected columns are coloured, the `top` most frequent of them named; others are
      grey. Whether a column is selected depends on being among the first q of a half-sample, not on these lines alone:
      its frequency follows its name.

    >>> import jaxnet
    >>> from jaxnet import plots
    >>> X, y = jaxnet.load_diabetes(return_X_y=True)
    >>> ax = plots.stability_paths(jaxnet.stability_selection(X, y, n_pairs=5, q=3, cutoff=0.8, bound="worst-case"))
    """
    check_subject("stability_paths", found, StabilityResult)
    ax = new_axes(ax)
    from matplotlib.collections import LineCollection

    top, paths = check_top(top), found.paths
    order = np.argsort(-found.frequencies, kind="stable")
    chosen = [j for j in order if found.selected[j]]
    others = [j for j in order if not found.selected[j] and paths[:, j].any()]
    if others:
        segments = [np.column_stack([found.alphas, paths[:, j]]) for j in others]
        ax.add_collection(LineCollection(segments, colors=GREY, linewidths=0.6, alpha=0.5, zorder=1))
    for rank, j in enumerate(chosen):
        ax.plot(found.alphas, paths[:, j], color=colour(rank), ls=dashes(rank), lw=LINE, zorder=2)
    ax.axhline(found.parameters.cutoff, color="#404040", lw=0.9, ls="--", label=f"cutoff {found.parameters.cutoff:g}")
    alpha_axis(ax, found.alphas)
    ax.set_ylim(-0.02, 1.04)
    ax.set_ylabel("share of half-samples")
    names = column_names(found.feature_names, len(found.selected))
    labels = [f"{plain(names[j])} ({found.frequencies[j]:.2f})" for j in chosen[:top]]
    name_right(
        ax, found.alphas[-1], paths[-1, chosen[:top]], labels, [colour(rank) for rank in range(len(chosen[:top]))]
    )
    ax.legend(loc="upper left", fontsize="small", frameon=False)
    ax.set_title(f"Stability selection: {len(chosen):,} of {len(found.selected):,} columns selected")
    return ax
