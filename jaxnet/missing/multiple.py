"""Several fillings by draws instead of predictions, so that what follows sees how uncertain the fills are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.execution.threads import one_thread
from jaxnet.missing.chains import Chain, Draw, Holes, iterate, run
from jaxnet.missing.fill import Fill, Filler
from jaxnet.missing.iterative import by_column, check_chain, strength
from jaxnet.missing.regressions import Regressions, ridge
from jaxnet.missing.units import Units
from jaxnet.names import POOLS
from jaxnet.scalars import is_whole

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxtyping import Bool, Float, Int

DRAWS = ("noise", "posterior")
TOGETHER = 4
"""Chains that go through their columns together: more no longer fit the cache."""
END = (10, 1e-3)
"""Rounds of a deterministic fill, and the change in standard deviations at which it ends earlier."""
FREE = 1e-9
"""Fewer residual degrees of freedom are none: of a column with one observed value, whose residual is zero."""


@dataclass(frozen=True)
class MultipleFill(Fill):
    """m fillings, each by chained ridge regressions whose predictions get noise: multiple imputation.

    Each chain goes through the columns as `IterativeFill` does, with draws for predictions. With O the training rows where
    column j is observed, w the weights, v = w |O| / sum_O w, b, b0 the ridge coefficients and H its hat matrix:

    - draws="noise": z = b0 + z'b + s e, e standard normal, with the residual variance

          s^2 = sum_{i in O} v_i r_i^2 / (|O| - trace H),

      unbiased under the prior that the ridge stands for, b ~ N(0, s^2 sum_O w / (|O| alpha)), also where p is far above
      n: there the trace nears |O|, but stays below it as alpha > 0. Coefficients count as known, so that where p is not small
      against n these draws vary less than predictions err.
    - draws="posterior": s^2 and then (b0, b) are drawn from their posterior under that prior (flat for b0, 1/s^2 for s^2),
      then z as above: s^2 = F |O| / sum_O w / chi2(|O| - 1), F twice the least objective. Wider by what is not known of the
      coefficients: take it where p is not small against n. They are drawn by refitting to a perturbed response, which needs no
      matrix of size p.

    Rows count once in |O|, whatever their weight; the noise of a cell does not depend on its row's weight.

    - m: number of fillings, at least 1; default 5.
    - draws: "noise" (default) or "posterior".
    - pool: what a sweep makes of the m fits: "average" (default) of coefficients and predictions, "stacked" rows with one
      fit, or "grouped" coefficients with one support.
    - alpha: of the ridge, as in `IterativeFill`; default None: p/(3n).
    - rounds: of every chain, at least 1; default 5. Its last values are the draw.
    - seed: imputation i draws from `np.random.default_rng([seed, i])`; default 0.

    `fit(X, weights)` returns a `MultipleFiller`. Raises InvalidInput for options out of their range.

    Reference: Rubin 1987; van Buuren and Groothuis-Oudshoorn 2011 (chained equations); Bhattacharya, Chakraborty and
    Mallick 2016 (draws of many coefficients through a system in the rows).

    >>> import jaxnet, numpy as np
    >>> X = np.outer(np.arange(8.0), [1.0, 2.0, -1.0])
    >>> X[3, 1] = np.nan
    >>> filler = jaxnet.MultipleFill(m=3, alpha=1e-4).fit(X, np.ones(8))
    >>> filler.fill(X).shape, filler.training(X).shape
    ((8, 3), (3, 8, 3))
    """

    m: int = 5
    draws: str = "noise"
    pool: str = "average"
    alpha: float | None = None
    rounds: int = 5
    seed: int = 0

    def check(self) -> None:
        if not is_whole(self.m) or self.m < 1:
            raise InvalidInput(f"m={self.m!r:.60} of MultipleFill must be a whole number of at least 1: the fillings.")
        for name, choices in (("draws", DRAWS), ("pool", POOLS)):
            if getattr(self, name) not in choices:
                text = " or ".join(map(repr, choices))
                raise InvalidInput(f"{name}={getattr(self, name)!r:.60} of MultipleFill must be {text}.")
        check_chain(self)
        if not is_whole(self.seed) or self.seed < 0:
            raise InvalidInput(f"seed={self.seed!r:.60} of MultipleFill must be a whole number of at least 0.")

    def fit(self, X, weights):
        self.check()
        with one_thread():
            return self._learn(X, weights)

    def _learn(self, X, weights):
        rows = np.flatnonzero(weights > 0)
        train, mass = X[rows], weights[rows]
        units = Units.of(train, mass)
        holes = Holes.of(train, mass, units)
        varies = np.flatnonzero(units.sd > 0)
        ends = [self._chains(holes, range(i, min(i + TOGETHER, self.m))) for i in range(0, self.m, TOGETHER)]
        intercepts, coefs, drawn = (np.concatenate(parts) for parts in zip(*ends, strict=True))
        return MultipleFiller(
            mean=units.mean,
            sd=units.sd,
            observed=units.observed,
            columns=varies[holes.order],
            intercepts=intercepts,
            coefs=by_column(coefs, varies, X.shape[1]),
            rows=rows,
            n_rows=len(X),
            drawn=drawn,
        )

    def lay_out(self, table, *, dtype, centred):
        """Of fillings that are `grouped` there is no one design."""
        from jaxnet.missing.imputed import side_by_side, stacked

        return (stacked if self.pool == "stacked" else side_by_side)(self, table, dtype=dtype, centred=centred)

    def _chains(self, holes: Holes, which: range) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Intercepts, coefficients and the drawn cells, in units, of some of the chains."""
        alpha = strength(self.alpha, holes)
        state = ridge(np.repeat(holes.Z[None], len(which), axis=0), holes.weights, alpha)
        rngs = [np.random.default_rng([self.seed, i]) for i in which]
        draw = _noise(state, holes, rngs) if self.draws == "noise" else _posterior(state, holes, rngs, alpha)
        run(state, holes, draw, self.rounds)
        return *Chain.of(state, holes), state.Z[:, holes.missing]


@dataclass(frozen=True)
class MultipleFiller(Filler):
    """The m chains' final regressions, as in `IterativeFiller`, and the draws for the rows of the fit.

    `fill` gives the mean over the chains of their deterministic fills, of any rows. `training` gives the m fillings of the
    rows that `fit` was given.
    """

    costly: ClassVar[bool] = True

    mean: Float[np.ndarray, " p"]
    sd: Float[np.ndarray, " p"]
    """zero for columns that do not vary"""
    observed: Bool[np.ndarray, " p"]
    columns: Int[np.ndarray, " k"]
    intercepts: Float[np.ndarray, "m k"]
    coefs: Float[np.ndarray, "m k p"]
    rows: Int[np.ndarray, " t"]
    """the training rows among those of the fit"""
    n_rows: int
    drawn: Float[np.ndarray, "m c"]
    """the missing cells of the training rows in columns that vary, row by row, in units of the standard deviations"""

    def fill(self, X):
        units, Z = self._units, self._units.scaled(X)
        missing, total = np.isnan(X), np.zeros_like(Z)
        for chain in range(len(self.coefs)):
            total += self._predicted(chain, Z, missing)
        return units.filled(X, total / len(self.coefs))

    def training(self, X: Float[np.ndarray, "n p"]) -> Float[np.ndarray, "m n p"]:
        """The m fillings of the rows of the fit: draws in training rows, each chain's predictions in the others.

        Raises InvalidInput for other rows.
        """
        missing = np.isnan(X)
        cells = missing[self.rows] & (self.sd > 0) if len(X) == self.n_rows else np.zeros((0, 1), bool)
        if len(X) != self.n_rows or cells.sum() != self.drawn.shape[1]:
            raise InvalidInput(
                f"X has {len(X)} rows with {int(cells.sum())} missing values to draw; training() takes the {self.n_rows} "
                f"rows that fit was given, with {self.drawn.shape[1]}. For other rows there is fill()."
            )
        units, Z = self._units, self._units.scaled(X)
        others = np.setdiff1d(np.arange(len(X)), self.rows)
        out = np.empty((len(self.coefs), *X.shape))
        for chain, drawn in enumerate(self.drawn):
            z = Z.copy()
            z[others] = self._predicted(chain, Z[others], missing[others])
            inside = z[self.rows]
            inside[cells] = drawn
            z[self.rows] = inside
            out[chain] = units.filled(X, z)
        return out

    @property
    def _units(self) -> Units:
        return Units(self.mean, self.sd, self.observed)

    def _predicted(self, chain: int, Z, missing):
        return iterate(Z, missing, self.columns, self.intercepts[chain], self.coefs[chain], END)


def _noise(state: Regressions, holes: Holes, rngs: list[np.random.Generator]) -> Draw:
    """Predictions with noise of the residual variance."""

    def draw(j, U):
        found = state.regress(j, U, state.Z[:, :, j], traced=True)
        enough = found.free > FREE
        variance = np.where(enough, holes.per_row(j) * found.rss / np.where(enough, found.free, 1.0), 0.0)
        return found.fitted + np.sqrt(variance)[:, None] * _normal(rngs, len(U))

    return draw


def _posterior(state: Regressions, holes: Holes, rngs: list[np.random.Generator], alpha: float) -> Draw:
    """Predictions by coefficients from their posterior, with noise.

    For u from the prior and d from the noise, u plus the fit to y - (Zu + d) is a draw of the coefficients; all are
    proportional to s, and the fit is linear: a fit to Zu + d for s = 1 is enough.
    """
    n, p = holes.Z.shape
    root = np.sqrt(np.maximum(holes.weights, np.finfo(float).tiny))

    def draw(j, U):
        found = state.regress(j, U, state.Z[:, :, j])
        per_row = holes.per_row(j)
        chi2 = np.array([rng.chisquare(max(n - len(U) - 1, 1)) for rng in rngs])
        s = np.sqrt(per_row * found.energy / chi2)[:, None]
        u = _normal(rngs, p) / np.sqrt(per_row * alpha)
        u[:, j] = 0.0
        prior = np.matmul(state.Z, u[:, :, None])[..., 0]
        noise = _normal(rngs, n) / root / np.sqrt(per_row)
        change = prior[:, U] - state.regress(j, U, prior + noise).fitted
        return found.fitted + s * (change + _normal(rngs, len(U)))

    return draw


def _normal(rngs: list[np.random.Generator], count: int) -> Float[np.ndarray, "m count"]:
    return np.stack([rng.standard_normal(count) for rng in rngs])
