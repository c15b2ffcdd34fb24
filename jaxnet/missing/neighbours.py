"""Fill by the k nearest rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.missing.fill import Filler, ModelFill
from jaxnet.missing.units import Units
from jaxnet.scalars import is_whole

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxtyping import Float, Int

WEIGHTS = ("uniform", "distance")
BLOCK = 256
"""Rows whose distances are taken at once."""
CANCELLED = 1e-6
"""Squared distances below this share of the squares they are a difference of are taken again from the differences."""


@dataclass(frozen=True)
class NeighbourFill(ModelFill):
    """Each missing value is the mean of its column over the k nearest training rows that have one.

    The squared distance of two rows is taken over the columns that both have and scaled up to all p of them,

        d(x, z)^2 = p / |C| sum_{j in C} (x_j - z_j)^2,     C the columns observed in both,

    in the units of the columns, so bring them to like scales before. Training rows count by their sample weight in the
    mean; among the k a row counts once whatever its weight. Of rows at the same distance the earlier is nearer. A row without
    a distance to any row that has the column gets the column's weighted mean, a column without any value on the training rows
    is zero.

    - k: number of neighbours, at least 1; default 5. Fewer count where fewer have the column.
    - weights: "uniform" (default), or "distance": inversely to the distance, where a distance of zero takes all.

    `fit(X, weights)` returns a `NeighbourFiller`. Raises InvalidInput for options out of their range.

    Reference: Dixon 1979 (the distance); Troyanskaya et al. 2001 (filling by neighbours).

    >>> import jaxnet, numpy as np
    >>> X = np.array([[0.0, 1.0], [0.1, 3.0], [5.0, 9.0], [0.2, np.nan]])
    >>> jaxnet.NeighbourFill(k=2).fit(X, np.ones(4)).fill(X)[3]
    array([0.2, 2. ])
    """

    k: int = 5
    weights: str = "uniform"

    def check(self) -> None:
        if not is_whole(self.k) or self.k < 1:
            raise InvalidInput(
                f"k={self.k!r:.60} of NeighbourFill must be a whole number of at least 1: the neighbours."
            )
        if self.weights not in WEIGHTS:
            raise InvalidInput(f"weights={self.weights!r:.60} of NeighbourFill must be 'uniform' or 'distance'.")

    def fit(self, X, weights):
        self.check()
        rows = weights > 0
        return NeighbourFiller(
            int(self.k), self.weights, np.array(X[rows], np.float64), weights[rows].astype(np.float64)
        )


@dataclass(frozen=True)
class NeighbourFiller(Filler):
    """The training rows, float64, with their sample weights, and the options."""

    k: int
    weights: str
    rows: Float[np.ndarray, "n p"]
    row_weights: Float[np.ndarray, " n"]

    def fill(self, X):
        units, donors = Units.of(self.rows, self.row_weights), ~np.isnan(self.rows)
        measure = _Distances(self.rows, units.mean)
        out = np.where(units.observed, X, 0.0)
        wanted = np.isnan(out)
        for start in range(0, len(X), BLOCK):  # complete rows too: what a product rounds to may depend on its shape
            block = slice(start, start + BLOCK)
            if not wanted[block].any():
                continue
            squares = measure.squares(X[block])
            nearest = np.argsort(_without_rounding(squares), axis=1, kind="stable")
            for j in np.flatnonzero(wanted[block].any(axis=0)):
                at = np.flatnonzero(wanted[block, j])
                out[start + at, j] = self._means(squares[at], nearest[at], donors[:, j], j, units.mean[j])
        return out

    def _means(self, squares, nearest, donor, j: int, mean: float) -> Float[np.ndarray, " m"]:
        """The value of column j in rows with these squared distances, whose order is `nearest`."""
        chosen = _first(nearest, donor & (self.row_weights > 0), self.k)
        there = chosen >= 0
        square = np.where(there, np.take_along_axis(squares, np.maximum(chosen, 0), axis=1), np.inf)
        there &= np.isfinite(square)
        share = np.where(there, self.row_weights[chosen], 0.0)
        if self.weights == "distance":
            zero = square == 0
            least = np.min(square, axis=1, keepdims=True, initial=np.inf)
            near = np.sqrt(np.divide(least, square, out=np.zeros_like(square), where=there & ~zero))
            share = share * np.where(zero.any(axis=1, keepdims=True), zero, near)
        total = share.sum(axis=1)
        values = np.where(there, self.rows[chosen, j], 0.0)
        peak = max(np.max(np.abs(self.rows[donor, j]), initial=0.0), np.finfo(float).tiny)  # not of some rows' donors
        found = peak * ((share * (values / peak)).sum(axis=1) / np.where(total > 0, total, 1.0))
        return np.where(total > 0, found, mean)


def _without_rounding(squares: Float[np.ndarray, "m n"]) -> Float[np.ndarray, "m n"]:
    """To 40 bits, so that equal distances tie, and the row that comes first wins, however they were rounded."""
    mantissa, exponent = np.frexp(squares)
    return np.ldexp(np.round(np.ldexp(mantissa, 40)), exponent - 40)


def _first(nearest: Int[np.ndarray, "m n"], donor, k: int) -> Int[np.ndarray, "m k"]:
    """The first k donors of every row, in its order; -1 where there are fewer. Looks only as far as it has to."""
    n, width = nearest.shape[1], 4 * k + 16
    while True:
        usable = donor[nearest[:, :width]]
        count = np.cumsum(usable, axis=1)
        if width >= n or (count[:, -1] >= k).all():
            break
        width *= 4
    chosen = np.full((len(nearest), k), -1)
    row, place = np.nonzero(usable & (count <= k))
    chosen[row, count[row, place] - 1] = nearest[row, place]
    return chosen


class _Distances:
    """Squared distances to given rows by matrix products, in units of their largest deviation from the column means."""

    def __init__(self, rows: Float[np.ndarray, "n p"], centre: Float[np.ndarray, " p"]):
        self.centre, self.there = centre, ~np.isnan(rows)
        deviation = np.where(self.there, rows - centre, 0.0)
        largest = np.max(np.abs(deviation), initial=0.0)
        self.unit = largest if largest > 0 else 1.0
        self.Z = deviation / self.unit
        self.mask = self.there.astype(np.float64)

    def squares(self, X: Float[np.ndarray, "m p"]) -> Float[np.ndarray, "m n"]:
        """sum over C (x - z)^2 = sum x^2 1_C - 2 sum x z + sum z^2 1_C, scaled to all columns; inf where C is empty."""
        there = ~np.isnan(X)
        A, mask = np.where(there, (X - self.centre) / self.unit, 0.0), there.astype(np.float64)
        common = mask @ self.mask.T
        with np.errstate(over="ignore", invalid="ignore"):  # a row too far away for its square has no distance
            size = (A * A) @ self.mask.T + mask @ (self.Z * self.Z).T
            square = size - 2 * (A @ self.Z.T)
        i, k = np.nonzero(square < CANCELLED * size)
        for part in range(0, len(i), BLOCK):
            a, z = i[part : part + BLOCK], k[part : part + BLOCK]
            both = there[a] & self.there[z]
            square[a, z] = np.sum(np.where(both, A[a] - self.Z[z], 0.0) ** 2, axis=1)
        scale = np.divide(X.shape[1], common, out=np.zeros_like(common), where=common > 0)
        return np.where((common > 0) & ~np.isnan(square), square * scale, np.inf)
