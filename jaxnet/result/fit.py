"""One fit: how it ended, what it minimised, and the one that a rule chose."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxtyping import Float


class Status(IntEnum):
    """Outcome of one fit.

    CONVERGED: its certified relative duality gap is at most `tol`. MAX_ITER: it is not, within `max_iter` passes or as far
    as the arithmetic reaches. DIVERGED: the coefficients are not finite. DEGENERATE: nothing to fit (constant response, or
    no column that varies on its training rows), so that the exact answer is all zeros.
    """

    CONVERGED = 0
    MAX_ITER = 1
    DIVERGED = 2
    DEGENERATE = 3


@dataclass(frozen=True, eq=False)
class FitOptions:
    """What every fit of a sweep minimised, beside alpha and rho; the arguments of `jaxnet.sweep` of these names.

    `weighted`: whether there were sample weights. `penalty_factor`, `lower` and `upper` (p,), or None where they do nothing.
    `adaptive_weights` (p,), with q responses (q, p): what the L1 part of the full-data fits is multiplied by besides, None
    without `adaptive`; those of the folds differ.
    """

    fit_intercept: bool
    standardize: bool
    weighted: bool
    penalty_factor: Float[np.ndarray, " p"] | None = None
    lower: Float[np.ndarray, " p"] | None = None
    upper: Float[np.ndarray, " p"] | None = None
    adaptive_weights: Float[np.ndarray, "*q p"] | None = None

    def __repr__(self) -> str:
        span = lambda x: f"{x.shape} from {x.min():.3g} to {x.max():.3g}" if isinstance(x, np.ndarray) else repr(x)
        return f"FitOptions({', '.join(f'{name}={span(value)}' for name, value in vars(self).items())})"


@dataclass(frozen=True, eq=False)
class BestFit:
    """The fit that a rule chose: at `index` (i, k) of the grid, refitted on all rows, with its cross-validated error.

    `cv_error` is the mean held-out error in the metric of the sweep (by default the weighted mean squared one, in units of y
    squared), `cv_se` its standard error over folds; both are nan without folds. `blend` is the share of the penalised fit, 1
    without `relax`; `gap` and `status` are those of the penalised fit. `simplest` is what the rule went by to find the simplest
    fit ("df", "nonzeros" or "alpha"), None for a rule that does not look for one.
    """

    rule: str
    index: tuple[int, int]
    alpha: float
    rho: float
    coef: Float[np.ndarray, " p"]
    intercept: float
    cv_error: float
    cv_se: float
    nonzeros: int
    gap: float
    status: Status
    blend: float = 1.0
    simplest: str | None = None

    def __repr__(self) -> str:
        error = "" if np.isnan(self.cv_error) else f"cv_error={self.cv_error:.6g} +- {self.cv_se:.2g}, "
        simplest = "" if self.simplest is None else f"simplest={self.simplest!r}, "
        return (
            f"BestFit(rule={self.rule!r}, {simplest}alpha={self.alpha:.6g}, rho={self.rho:g}, "
            f"{'' if self.blend == 1 else f'blend={self.blend:g}, '}nonzeros={self.nonzeros}, "
            f"{error}gap={self.gap:.1e}, status={self.status.name})"
        )
