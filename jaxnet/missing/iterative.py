"""Fill by regressions of every column on all others, in turn until nothing changes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.execution.threads import one_thread
from jaxnet.missing.chains import Chain, Holes, iterate, run
from jaxnet.missing.fill import Filler, ModelFill
from jaxnet.missing.regressions import Regressions, ridge
from jaxnet.missing.units import Units
from jaxnet.scalars import is_number, is_whole

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxtyping import Bool, Float, Int

LEAST_ALPHA = 1e-6
"""A weaker penalty leaves too few digits to the inverse that the regressions share."""
SHARE = 1 / 3
"""(1 - R2) / R2 of the prior that the default alpha stands for, R2 = 3/4."""


@dataclass(frozen=True)
class IterativeFill(ModelFill):
    """Each missing value is predicted from the row's other columns: chained penalised regressions.

    With z the columns less their mean, in units of their standard deviation (weighted, over the observed training cells, and
    kept), missing values start at the mean, z = 0. Then the columns with missing training values are visited, those of
    least missing weight first: over the training rows O where column j is observed minimise

        1/2 sum_{i in O} w_i (z_ij - b0 - sum_{k != j} z_ik b_k)^2 + alpha (rho |b|_1 + (1 - rho)/2 |b|^2)

    and replace its missing values by the predictions; and again, round after round. The weights w of all training rows,
    observed or not, sum to one: the penalty does not grow with the values that are missing. A ridge (rho = 0) costs per
    column and round a few passes over an n x n matrix, or a p x p one where p <= n, and a solution in its missing rows.
    An elastic net (rho > 0) is a fit by jaxnet's solver for each, 10 to 30 times as long: for tables of at most some
    hundred columns.

    - alpha: strength of the penalty, at least 1e-6; default None: p/(3n) (p columns that vary, n training rows, whatever
      their weights). It is the posterior mode where a priori all columns together explain R2 = 3/4 of each:
      alpha = (1 - R2)/R2 p/n, small for tall tables, strong enough for wide ones.
    - rho: share of the L1 part in [0, 1]; default 0, the ridge.
    - rounds: at most so many, at least 1; default 10.
    - tol: ends earlier where no value changes by so much, in standard deviations of its column; default 1e-3.

    `fit(X, weights)` returns an `IterativeFiller`, whose `fill` iterates the last regressions on any rows. Columns without
    missing training values have no regression: where new rows lack them they get the mean. Columns that are constant on the
    training rows are filled with the constant, those never observed there are zero everywhere; neither predicts. Raises
    InvalidInput for options out of their range.

    Reference: van Buuren and Groothuis-Oudshoorn 2011 (chained equations).

    >>> import jaxnet, numpy as np
    >>> X = np.outer(np.arange(8.0), [1.0, 2.0, -1.0])
    >>> X[3, 1] = np.nan
    >>> filler = jaxnet.IterativeFill(alpha=1e-4).fit(X, np.ones(8))
    >>> filler.fill(X)[3].round(2)
    array([ 3.,  6., -3.])
    """

    alpha: float | None = None
    rho: float = 0.0
    rounds: int = 10
    tol: float = 1e-3

    def check(self) -> None:
        check_chain(self)
        if not is_number(self.rho) or not 0 <= self.rho <= 1:
            raise InvalidInput(f"rho={self.rho!r:.60} of IterativeFill must be in [0, 1]: the share of the L1 part.")
        if not is_number(self.tol) or not 0 <= self.tol < np.inf:
            raise InvalidInput(
                f"tol={self.tol!r:.60} of IterativeFill must be a finite number of at least 0: the change that ends the rounds."
            )

    def fit(self, X, weights):
        self.check()
        with one_thread():
            return self._learn(X, weights)

    def _learn(self, X, weights):
        rows = weights > 0
        X, weights = X[rows], weights[rows]
        units = Units.of(X, weights)
        holes = Holes.of(X, weights, units)
        state = self._start(holes)
        taken = run(state, holes, lambda j, U: state.regress(j, U, state.Z[:, :, j]).fitted, self.rounds, self.tol)
        intercepts, coefs = Chain.of(state, holes)
        varies = np.flatnonzero(units.sd > 0)
        return IterativeFiller(
            mean=units.mean,
            sd=units.sd,
            observed=units.observed,
            columns=varies[holes.order],
            intercepts=intercepts[0],
            coefs=by_column(coefs[0], varies, X.shape[1]),
            rounds=int(self.rounds),
            tol=float(self.tol),
            taken=taken,
        )

    def _start(self, holes: Holes) -> Regressions:
        Z, alpha = holes.Z[None].copy(), strength(self.alpha, holes)
        if self.rho == 0:
            return ridge(Z, holes.weights, alpha)
        from jaxnet.missing.elastic import ElasticRegressions  # which needs JAX

        return ElasticRegressions(Z, holes.weights, alpha, float(self.rho))


@dataclass(frozen=True)
class IterativeFiller(Filler):
    """The final regressions: of the completed training rows, in units of the columns' standard deviations.

    `fill` starts every row at the means and predicts its missing values in the order of `columns`, until none changes by
    `tol` standard deviations, or `rounds` times.
    """

    costly: ClassVar[bool] = True

    mean: Float[np.ndarray, " p"]
    sd: Float[np.ndarray, " p"]
    """zero for columns that do not vary"""
    observed: Bool[np.ndarray, " p"]
    columns: Int[np.ndarray, " k"]
    """those with missing training values, in the order of their regressions"""
    intercepts: Float[np.ndarray, " k"]
    coefs: Float[np.ndarray, "k p"]
    """of z on z; a column has no part in its own"""
    rounds: int
    tol: float
    taken: int
    """rounds of the fit"""

    def fill(self, X):
        units = Units(self.mean, self.sd, self.observed)
        Z = iterate(units.scaled(X), np.isnan(X), self.columns, self.intercepts, self.coefs, (self.rounds, self.tol))
        return units.filled(X, Z)


def check_chain(options) -> None:
    """The options that all chained regressions have."""
    name = type(options).__name__
    if options.alpha is not None and (not is_number(options.alpha) or not LEAST_ALPHA <= options.alpha < np.inf):
        raise InvalidInput(
            f"alpha={options.alpha!r:.60} of {name} must be a finite number of at least {LEAST_ALPHA:g}, or None for p/(3n): "
            "the penalty of its regressions, which without one have no unique solution."
        )
    if not is_whole(options.rounds) or options.rounds < 1:
        raise InvalidInput(f"rounds={options.rounds!r:.60} of {name} must be a whole number of at least 1.")


def strength(alpha: float | None, holes: Holes) -> float:
    """alpha, or its default."""
    n, p = holes.Z.shape
    return SHARE * max(p, 1) / max(n, 1) if alpha is None else float(alpha)


def by_column(coefs: Float[np.ndarray, "... v"], varies: Int[np.ndarray, " v"], p: int) -> Float[np.ndarray, "... p"]:
    """Coefficients of the columns that vary, laid out over all."""
    out = np.zeros((*coefs.shape[:-1], p))
    out[..., varies] = coefs
    return out
