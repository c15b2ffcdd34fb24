"""One fit: its coefficients, its residuals, its predictions beside what was observed."""

from typing import Any

import numpy as np

from jaxnet.data.arrays import as_response
from jaxnet.errors import InvalidInput
from jaxnet.plots.style import COLOURS, check_top, column_names, new_axes
from jaxnet.plots.subjects import as_numbers, check_subject
from jaxnet.result import BestFit

POINTS = 5000
"""So many rows are drawn as points, more as a map of their density."""


def coefficients(fit: Any, *, feature_names: Any = None, sd: Any = None, top: int = 20, ax: Any = None) -> Any:
    """The largest coefficients of one fit as bars, blue above zero and orange below.

    - fit: a `BestFit`, or coefficients (p,). feature_names: (p,) names, else x0, x1, ... sd: (p,) standard deviations
      of the columns: bars are per standard deviation, which makes them comparable.
    - top: at most so many bars; how many more there are is said below them.

    >>> import jaxnet
    >>> from jaxnet import plots
    >>> data = jaxnet.load_diabetes()
    >>> result = jaxnet.sweep(data.X, data.y, rho=1.0, alphas=20, standardize=True)
    >>> ax = plots.coefficients(result.best(), feature_names=data.feature_names, sd=data.X.std(axis=0))
    """
    if isinstance(fit, BestFit):
        coef = fit.coef
    elif isinstance(fit, list | tuple) or hasattr(fit, "__array__"):
        coef = as_numbers("coefficients", "fit", fit, "give a BestFit, or coefficients (p,)")
    else:
        check_subject("coefficients", fit, BestFit)
    if coef.ndim != 1 or not len(coef):
        raise InvalidInput(f"fit has coefficients of shape {coef.shape}; give a BestFit, or coefficients (p,).")
    for name, values in (("feature_names", feature_names), ("sd", sd)):
        if values is not None and len(values) != len(coef):
            raise InvalidInput(f"{name} has {len(values)} entries, but the fit has {len(coef)} coefficients.")
    size = coef * (1.0 if sd is None else np.asarray(sd, dtype=float))
    nonzero = int(np.count_nonzero(coef))
    order = np.argsort(-np.abs(size), kind="stable")[: min(check_top(top), nonzero)]
    names = column_names(feature_names, len(coef))
    ax = new_axes(ax, height=1.2 + 0.24 * max(len(order), 3))
    ax.barh(range(len(order)), size[order], color=[COLOURS[0] if b > 0 else COLOURS[1] for b in size[order]])
    ax.set_yticks(range(len(order)), [names[j] for j in order], fontsize="small")
    ax.invert_yaxis()
    ax.axvline(0.0, color="#404040", lw=0.8)
    more = nonzero - len(order)
    what = "coefficient" if sd is None else "coefficient per standard deviation"
    ax.set_xlabel(what + (f" ({more:,} smaller ones are not shown)" if more else ""))
    ax.set_title(f"{nonzero:,} of {len(coef):,} coefficients are nonzero")
    return ax


def residuals(y: Any, predicted: Any, *, ax: Any = None) -> Any:
    """Observed less predicted, against predicted: no shape should be left in it.

    - y, predicted: (n,). Beyond 5,000 rows a map of the density takes the place of points.

    >>> import numpy as np
    >>> from jaxnet import plots
    >>> ax = plots.residuals(np.arange(5.0), np.arange(5.0) + 0.1)
    """
    y, predicted = _pair("residuals", y, predicted)
    ax = new_axes(ax)
    _cloud(ax, predicted, y - predicted)
    ax.axhline(0.0, color="#404040", lw=0.9, ls="--")
    ax.set_xlabel("predicted")
    ax.set_ylabel("observed - predicted")
    ax.set_title("Residuals")
    return ax


def predicted_against_observed(y: Any, predicted: Any, *, ax: Any = None) -> Any:
    """Predictions against what was observed, with the line of equality, and 1 - RSS/TSS in the title.

    - y, predicted: (n,). Say in a caption whether the rows are those of the fit: then it flatters.

    >>> import numpy as np
    >>> from jaxnet import plots
    >>> ax = plots.predicted_against_observed(np.arange(5.0), np.arange(5.0) + 0.1)
    """
    y, predicted = _pair("predicted_against_observed", y, predicted)
    ax = new_axes(ax, width=5.5, height=5.0)
    _cloud(ax, y, predicted)
    ends = [min(y.min(), predicted.min()), max(y.max(), predicted.max())]
    ax.plot(ends, ends, color="#404040", lw=0.9, ls="--")
    ax.set_xlabel("observed")
    ax.set_ylabel("predicted")
    spread = float(np.sum((y - y.mean()) ** 2))
    share = f", R² = {1 - float(np.sum((y - predicted) ** 2)) / spread:.3f}" if spread > 0 else ""
    ax.set_title("Predicted and observed" + share)
    return ax


def _pair(who: str, y: Any, predicted: Any) -> tuple[np.ndarray, np.ndarray]:
    for name, given in (("y", y), ("predicted", predicted)):
        as_numbers(who, name, given, "pass y, and what result.predict(X) returns")
    n = len(y) if hasattr(y, "__len__") else 0
    y, predicted = as_response(y, n), as_response(predicted, n, name="predicted")
    if y.ndim != 1 or predicted.ndim != 1 or not n:
        raise InvalidInput(f"y and predicted have shapes {y.shape} and {predicted.shape}; give one response, (n,).")
    return y, predicted


def _cloud(ax: Any, x: np.ndarray, y: np.ndarray) -> None:
    if len(x) > POINTS:
        ax.hexbin(x, y, gridsize=60, mincnt=1, bins="log", cmap="viridis", rasterized=True)
    else:
        ax.scatter(x, y, s=14, color=COLOURS[0], alpha=0.5, linewidths=0)
