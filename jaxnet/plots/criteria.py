"""Information criteria along alpha."""

from typing import Any

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.plots.style import LINE, alpha_axis, colour, counts_on_top, new_axes, row_name, swept_rows
from jaxnet.plots.subjects import check_subject
from jaxnet.selection.criteria import CRITERIA, Criteria


def criteria_curves(criteria: Any, rho: float | None = None, *, response: int | None = None, ax: Any = None) -> Any:
    """AIC, AICc, BIC and EBIC of the fits of one rho against alpha, each less its own minimum, which a dot marks.

    - criteria: a `Criteria`, from `SweepResult.criteria`. rho: which of its rows; by default that of the least BIC (or,
      where that is nowhere defined, the last). Degrees of freedom are on top; where a criterion is not defined
      its line ends.

    Raises InvalidInput for a rho that was not swept, and where no criterion is defined on its row.

    >>> import jaxnet
    >>> from jaxnet import plots
    >>> X, y = jaxnet.load_diabetes(return_X_y=True)
    >>> ax = plots.criteria_curves(jaxnet.fit_path(X, y, rho=[0.5, 1.0], alphas=20, standardize=True).criteria(X, y))
    """
    check_subject("criteria_curves", criteria, Criteria)
    several = criteria.alphas.ndim == 3
    if several != (response is not None):
        raise InvalidInput(f"response={response!r}: name a response exactly where there are several.")
    pick = lambda x: x if response is None else x[response]
    i = _row(criteria, rho, pick(criteria.bic))
    alphas, df = pick(criteria.alphas)[i], pick(criteria.df)[i]
    curves = {name: pick(getattr(criteria, name))[i] for name in CRITERIA}
    defined = {name: values for name, values in curves.items() if np.isfinite(values).any()}
    if not defined:
        raise InvalidInput(f"No criterion is defined at rho={criteria.rho[i]:g}: {pick(criteria.reason)[i, 0]}.")
    ax = new_axes(ax)
    for rank, (name, values) in enumerate(defined.items()):
        least = int(np.nanargmin(values))
        height = values - values[least]
        label, style = name.upper().replace("AICC", "AICc"), ("-", "--", "-.", ":")[rank]
        ax.plot(alphas, height, color=colour(rank), ls=style, lw=LINE, label=label)
        ax.plot(alphas[least], 0.0, "o", color=colour(rank), ms=6)
    alpha_axis(ax, alphas)
    counts_on_top(ax, alphas, np.nan_to_num(df), "degrees of freedom")
    ax.set_ylabel("criterion less its minimum")
    ax.legend(loc="upper right", fontsize="small", frameon=False)
    ax.set_title(f"Information criteria at {row_name(criteria, i)}")
    return ax


def _row(criteria: Any, rho: float | None, bic: np.ndarray) -> int:
    """The row of that rho, or of any, in which BIC is least; the last of them where it is nowhere defined."""
    rows = np.arange(len(criteria.rho)) if rho is None else swept_rows(criteria.rho, rho)
    if not np.isfinite(bic[rows]).any():
        return int(rows[-1])
    return int(rows[np.unravel_index(np.nanargmin(bic[rows]), bic[rows].shape)[0]])
