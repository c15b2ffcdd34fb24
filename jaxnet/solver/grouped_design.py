"""m data sets that share y made ready for a group penalty: conditioned, centred, free of the unpenalised columns, padded.

Rows are multiplied by the square roots of their weights, so that sums over rows are weighted means. A column is divided by
one number for all data sets, the root mean square t_j of what is left of its norms: the group norm stays a norm. A
coefficient of X is b = beta y_scale / (scale_j t_j).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float

from jaxnet.design.base import size_class
from jaxnet.design.condition import condition
from jaxnet.solver.moments import CONSTANT
from jaxnet.solver.view import CONSTANT_RESPONSE

RANK = 1e-11
"""Singular values below this share of the largest count as zero (as do the eigenvalues of closed_form.py)."""
LARGEST_STRENGTH = 1e300
"""Strengths are finite, so that none times zero is a number."""


class Stored(NamedTuple):
    """What the engine sees: P columns (a multiple of the size class) of m data sets with N rows each."""

    columns: Float[np.ndarray, "P m N"]
    y: Float[np.ndarray, "m N"]
    curvature: Float[np.ndarray, " P"]
    """of each column, its largest squared norm over the data sets; zero where the column is unusable"""
    per_unit: Float[np.ndarray, " P"]
    """what turns a gradient, root mean square over the data sets, into a correlation with y"""
    moment: Float[np.ndarray, ""]
    """of y, centred; the unpenalised columns not taken out"""


class _Free(NamedTuple):
    """Coefficients of the u unpenalised columns, conditioned: `null - loadings @ (those of the penalised)`."""

    null: Float[np.ndarray, "m u"]
    loadings: Float[np.ndarray, "m u p"]


class _Units(NamedTuple):
    """X = center + scale Z and y = y_center + y_scale t, and the weighted means of Z and t (zero without an intercept)."""

    center: Float[np.ndarray, " p"]
    scale: Float[np.ndarray, " p"]
    mean: Float[np.ndarray, "m p"]
    y_center: float
    y_scale: float
    y_mean: float


@dataclass(frozen=True)
class GroupedDesign:
    """The stored data, the penalty factors in their units, and the way back."""

    stored: Stored
    factor1: Float[np.ndarray, " p"]
    factor2: Float[np.ndarray, " p"]
    usable: Bool[np.ndarray, " p"]
    """penalised columns with something left in at least one data set"""
    varies: bool
    """whether any column does, penalised or not"""
    unit: Float[np.ndarray, " p"]
    """t_j, by which the conditioned columns were divided"""
    units: _Units
    unpenalised: Bool[np.ndarray, " p"]
    free: _Free
    fit_intercept: bool

    @classmethod
    def build(
        cls,
        X: Float[np.ndarray, "m n p"],
        y: Float[np.ndarray, " n"],
        weights: Float[np.ndarray, " n"],
        factor: Float[np.ndarray, " p"],
        *,
        fit_intercept: bool,
        standardize: bool,
    ) -> "GroupedDesign":
        """From completed data in their own units, row weights and penalty factors v (0: unpenalised); nothing is changed.

        Rows without weight are dropped before anything is looked at. Under `standardize` the penalty acts on a column's
        coefficients times one number for all data sets, the root mean square of the column's standard deviations (about
        zero without an intercept); divided each by its own, the group norm would weigh data sets differently.
        """
        rows = weights > 0
        w = weights[rows] / weights[rows].sum()
        m, _, p = X.shape
        Z = np.array(np.moveaxis(X[:, rows], 2, 0), np.float64, order="C")
        center, scale = condition(Z.reshape(p, -1), centred=fit_intercept)
        mean, norms = _centre(Z, w, fit_intercept)
        target, *y_units = _response(y[rows], w, fit_intercept)
        moment, sd, unpenalised = np.sum(target**2), np.sqrt(norms.mean(axis=1)), factor == 0
        target, free = _project(Z, np.tile(target, (m, 1)), unpenalised)
        left = np.einsum("pmn,pmn->pm", Z, Z)
        varies = (left > CONSTANT * norms) & ~unpenalised[:, None]
        unit = np.sqrt(np.where(varies, left, 0.0).mean(axis=1))
        share = 1.0 / np.where(unit > 0, unit, 1.0)
        Z *= np.where(varies, share[:, None], 0.0)[:, :, None]
        with np.errstate(over="ignore"):
            per = sd * share if standardize else share / scale
            factor1, factor2 = factor * per, factor * per * per
        return cls(
            stored=_store(Z, target, varies, moment, unit / np.where(sd > 0, sd, 1.0)),
            factor1=factor1,
            factor2=factor2,
            usable=unit > 0,
            varies=bool(norms.any()),
            unit=unit,
            units=_Units(center, scale, mean, *y_units),
            unpenalised=unpenalised,
            free=free,
            fit_intercept=fit_intercept,
        )

    def strengths(self, alpha: Float[np.ndarray, " L"], rho: Float[np.ndarray, " L"]) -> tuple[np.ndarray, np.ndarray]:
        """Of every lane and column, what multiplies |beta_j|_2 and |beta_j|_2^2 / 2 in m times the objective: (L, P) each."""
        P, m, _ = self.stored.columns.shape
        with np.errstate(over="ignore"):
            l1 = (np.sqrt(m) * alpha * rho / self.units.y_scale)[:, None] * self.factor1
            l2 = (alpha * (1 - rho))[:, None] * self.factor2
        pad = lambda x: np.pad(np.minimum(x, LARGEST_STRENGTH), ((0, 0), (0, P - x.shape[1])))
        return pad(l1), pad(l2)

    def coefficients(
        self, beta: Float[np.ndarray, "*k P m"]
    ) -> tuple[Float[np.ndarray, "*k m p"], Float[np.ndarray, "*k m"]]:
        """Stored coefficients in the units of X and y, those of unpenalised columns filled in, and the intercepts."""
        p, units = len(self.unit), self.units
        B = np.moveaxis(beta[..., :p, :], -1, -2) / np.where(self.usable, self.unit, 1.0)
        if self.unpenalised.any():
            B[..., self.unpenalised] = self.free.null - np.einsum("mup,...mp->...mu", self.free.loadings, B)
        coef = B * (units.y_scale / units.scale)
        if not self.fit_intercept:
            return coef, np.zeros(coef.shape[:-1])
        level = units.y_mean - np.einsum("...mp,mp->...m", B, units.mean)
        return coef, units.y_center + units.y_scale * level - coef @ units.center


def _centre(Z: Float[np.ndarray, "p m n"], w: Float[np.ndarray, " n"], centred: bool):
    """Centre in place and multiply by the roots of the weights; the means, and the squared norms, 0 where constant (p, m)."""
    square = np.einsum("pmn,pmn,n->pm", Z, Z, w)
    mean = np.zeros(Z.shape[:2])
    if centred:  # about one row first, so that a constant column centres to zero
        mean = Z[:, :, np.argmax(w)].copy()
        Z -= mean[:, :, None]
        rest = Z @ w
        Z -= rest[:, :, None]
        mean += rest
    Z *= np.sqrt(w)
    norms = np.einsum("pmn,pmn->pm", Z, Z)
    constant = norms <= CONSTANT * square
    Z[constant], norms[constant] = 0.0, 0.0
    return mean.T, norms


def _response(y, w, centred: bool) -> tuple[Float[np.ndarray, " n"], float, float, float]:
    """The response in conditioned units, centred and weighted; its center, scale and mean as in `_Units`."""
    t = np.array(y, np.float64)[None]
    (center,), (scale,) = condition(t, centred=centred)
    t, mean = t[0], 0.0
    square = w @ t**2
    if centred:
        anchor = t[np.argmax(w)]
        mean = anchor + w @ (t - anchor)
        t = t - mean
    t = t if w @ t**2 > CONSTANT_RESPONSE * square else np.zeros_like(t)
    return t * np.sqrt(w), float(center), float(scale), float(mean)


def _project(Z: Float[np.ndarray, "p m n"], target: Float[np.ndarray, "m n"], unpenalised) -> tuple[np.ndarray, _Free]:
    """Take the span of the unpenalised columns out of each data set, in place; they become zero. Returns the new target."""
    p, m, _ = Z.shape
    count = int(unpenalised.sum())
    null, loadings = np.zeros((m, count)), np.zeros((m, count, p))
    for d in range(m if count else 0):
        own = Z[unpenalised, d]
        size = np.sqrt(np.sum(own**2, axis=1))
        own = own / np.where(size > 0, size, 1.0)[:, None]
        left, values, basis = np.linalg.svd(own, full_matrices=False)
        rank = values > RANK * values[0]
        inverse = (left[:, rank] / values[rank]) / np.where(size > 0, size, 1.0)[:, None]
        basis = basis[rank]
        null[d], loadings[d] = inverse @ (basis @ target[d]), inverse @ (basis @ Z[:, d].T)
        loadings[d][:, unpenalised] = 0.0
        for _ in range(2):  # once more: what rounding left of a collinear column is not to count as one
            target[d] -= (basis @ target[d]) @ basis
            Z[:, d] -= (Z[:, d] @ basis.T) @ basis
        Z[unpenalised, d] = 0.0
    return target, _Free(null, loadings)


def _store(Z: Float[np.ndarray, "p m n"], target, varies, moment, per_correlation) -> Stored:
    """Pad to size classes; many rows become as many as columns, by A = Q R and |y - A b| = |Q'y - R b|."""
    p, m, n = Z.shape
    if size_class(p + 1) < size_class(n):
        joined = np.concatenate([Z, target[None]])
        R = np.moveaxis(np.stack([np.linalg.qr(joined[:, d].T, mode="r") for d in range(m)]), 2, 0)
        Z, target, n = np.where(varies[:, :, None], R[:-1], 0.0), R[-1], p + 1
    columns = np.zeros((size_class(p), m, size_class(n)))
    columns[:p, :, :n] = Z
    y = np.zeros((m, size_class(n)))
    y[:, :n] = target
    norms = np.einsum("pmn,pmn->pm", columns, columns)
    root = np.sqrt(moment) if moment > 0 else 1.0
    per_unit = np.zeros(len(columns))
    per_unit[:p] = per_correlation / root / np.sqrt(m)
    return Stored(columns, y, norms.max(axis=1), per_unit, np.float64(moment))
