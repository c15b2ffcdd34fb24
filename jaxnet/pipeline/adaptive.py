"""What an adaptive sweep asks for: L1 weights that follow from a first estimate."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.scalars import is_number, is_whole

LEAST, MOST = 1e-100, 1e100
"""Weights stay between these, so that a factor times a weight is a positive number."""


@dataclass(frozen=True)
class Adaptive:
    """Adaptive weights: columns with a large coefficient in a first fit are penalised less, the others more.

    The L1 part of the penalty becomes alpha rho sum_j v_j a_j |b_j| (v the penalty factors), with

        a_j = (|c_j| + 1/n)^-gamma,     c_j = s_j b_j / sd(y),

    b the coefficients of a first elastic net, s_j the standard deviation of column j under `standardize` and else 1, both
    standard deviations about zero without an intercept. With y of unit standard deviation these are the weights of Zou and
    Zhang; dividing by sd(y) makes them independent of its unit. n counts the training rows of positive weight, each once.
    The ridge part, and columns with v_j = 0, are as they were; weights are not rescaled, so the alphas differ from those of
    a plain elastic net.

    The full data and every fold have weights of their own, from a first fit to their own training rows alone, with the
    penalty factors, bounds, sample weights and `tol` of the sweep: nothing leaks from held-out rows.

    - gamma: the power, above 0; default 1.
    - rho: the L1 share of the first fit, in [0, 1]; default 0.5.
    - alpha: strength of the first fit, >= 0; default None: each group takes, of 50 alphas from its own alpha_max down, that of
      least error on inner folds of its training rows.
    - cv: those inner folds: a number of contiguous ones (default 5), `jaxnet.KFold`, or an object whose `split(X, y)` is
      given row numbers as X, (m, 1), and their y. Not used if alpha is given. Where the sweep has `groups`, these folds keep
      them together: a number K is then `GroupKFold(K)`.

    `jaxnet.sweep` raises InvalidInput for values outside these ranges.

    Reference: Zou 2006 (the adaptive lasso); Zou and Zhang 2009 (the adaptive elastic net).

    >>> import jaxnet
    >>> X, y = jaxnet.load_diabetes(return_X_y=True)
    >>> result = jaxnet.sweep(X, y, rho=1.0, alphas=20, standardize=True, adaptive=jaxnet.Adaptive(gamma=2.0))
    >>> result.options.adaptive_weights.shape, result.converged
    ((10,), True)
    """

    gamma: float = 1.0
    rho: float = 0.5
    alpha: float | None = None
    cv: Any = 5

    def check(self) -> None:
        """Raise InvalidInput for a value out of range; the splitter checks the number of folds."""
        if not is_number(self.gamma) or not 0 < self.gamma < np.inf:
            raise InvalidInput(
                f"gamma={self.gamma!r:.60} of Adaptive must be a positive number: the power of the weights."
            )
        if not is_number(self.rho) or not 0 <= self.rho <= 1:
            raise InvalidInput(f"rho={self.rho!r:.60} of Adaptive must be in [0, 1]: the L1 share of the first fit.")
        if self.alpha is not None and (not is_number(self.alpha) or not 0 <= self.alpha < np.inf):
            raise InvalidInput(
                f"alpha={self.alpha!r:.60} of Adaptive must be a finite number of at least 0, or None to choose it by inner "
                "folds."
            )
        splits = callable(getattr(self.cv, "split", None)) and not isinstance(self.cv, (str, bytes, type))
        if self.alpha is None and not is_whole(self.cv) and not splits:
            raise InvalidInput(
                f"cv={self.cv!r:.60} of Adaptive must be a number of folds or an object with split(): they divide the "
                "training rows of each fold anew."
            )

    def weights(self, first: np.ndarray, n: int) -> np.ndarray:
        """a_j from the coefficients c (p,) of a first fit to n rows."""
        with np.errstate(over="ignore", under="ignore"):
            return np.clip((np.abs(first) + 1 / n) ** -float(self.gamma), LEAST, MOST)
