"""Means, spreads and correlations of columns, a block at a time: never a matrix of all columns by all columns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jaxnet.scalars import sum_or_zero
from jaxnet.selection.degrees import EPS

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxtyping import Bool, Float, Int

BLOCK = 1 << 22
"""Numbers that are looked at at once (32 MB in float64)."""
SLACK = 1e-9
"""Correlations this much below a threshold, relatively, still reach it: those of equal columns come out as 1 - 1e-16."""


@dataclass(frozen=True, eq=False)
class Columns:
    """X (n, p) beside row weights `w` (n,) that sum to one, with the `mean` and `sd` (p,) of each column under them.

    The divisor of sd is the sum of weights (n without weights). It is exactly 0 where a column is constant up to rounding;
    such a column correlates 0 with everything.
    """

    X: Float[np.ndarray, "n p"]
    w: Float[np.ndarray, " n"]
    mean: Float[np.ndarray, " p"]
    sd: Float[np.ndarray, " p"]

    @classmethod
    def of(cls, X: Float[np.ndarray, "n p"], w: Float[np.ndarray, " n"]) -> Columns:
        """With the moments of every column, in one pass."""
        parts = [_moments(X[:, block], w) for block in slices(X.shape[1], BLOCK // len(X))]
        mean, sd = zip(*parts, strict=True)
        return cls(X, w, np.concatenate(mean), np.concatenate(sd))

    def centred(self, which: Int[np.ndarray, " k"], rows: slice = slice(None)) -> Float[np.ndarray, "m k"]:
        """Some columns less their means."""
        return self.X[rows][:, which].astype(np.float64) - self.mean[which]

    def correlations(self, left: Int[np.ndarray, " k"], right: Int[np.ndarray, " m"]) -> Float[np.ndarray, "k m"]:
        """Weighted correlations of some columns with others, summed over blocks of rows."""
        total = np.zeros((len(left), len(right)))
        for rows in slices(len(self.X), BLOCK // max(1, len(left) + len(right))):
            total += (self._unit(left, rows) * self.w[rows, None]).T @ self._unit(right, rows)
        return np.clip(total, -1.0, 1.0)

    def companions(self, which: Int[np.ndarray, " k"], threshold: float, most: int) -> list[list[tuple[int, float]]]:
        """For each column of `which` the others of all p that correlate with it, in size, at least `threshold`.

        Pairs (column, correlation), the strongest first, at most `most` of them.
        """
        none = np.zeros(0, int)
        row, column, size = none, none, np.zeros(0)
        for block in slices(self.X.shape[1], BLOCK // max(1, len(which))):
            right = np.arange(block.start, block.stop)
            found = self.correlations(which, right)
            found[which[:, None] == right] = 0.0
            at, of = np.nonzero(np.abs(found) >= threshold * (1 - SLACK))
            row, column = np.concatenate([row, at]), np.concatenate([column, right[of]])
            size = np.concatenate([size, found[at, of]])
            kept = _strongest(row, column, size, most)
            row, column, size = row[kept], column[kept], size[kept]
        pairs: list[list[tuple[int, float]]] = [[] for _ in which]
        for i, j, r in zip(row.tolist(), column.tolist(), size.tolist(), strict=True):
            pairs[i].append((j, r))
        return pairs

    def _unit(self, which: np.ndarray, rows: slice) -> np.ndarray:
        sd = self.sd[which]
        centred = self.centred(which, rows)
        return np.divide(centred, sd, out=np.zeros_like(centred), where=sd > 0)


def connected(linked: Bool[np.ndarray, "k k"]) -> Int[np.ndarray, " k"]:
    """The component of each of k points that are linked in pairs, named by the first point in it.

    >>> connected(np.array([[0, 0, 1], [0, 0, 0], [1, 0, 0]], bool)).tolist()
    [0, 1, 0]
    """
    label = np.arange(len(linked))
    while len(label):
        near = np.where(linked, label, len(label)).min(axis=1)
        new = np.minimum(label, near)
        new = new[new]  # the label of one's label: long chains take few rounds
        if np.array_equal(new, label):
            break
        label = new
    return label


def slices(count: int, size: int) -> Iterator[slice]:
    """0 to `count` in steps of `size`, at least 1."""
    size = max(1, size)
    return (slice(start, min(start + size, count)) for start in range(0, count, size))


def _moments(X: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    x = X.astype(np.float64)
    one = x[np.argmax(w)].copy()
    x -= one  # about one row first, so that a constant column centres to zero
    size = np.max(np.abs(x), axis=0)
    x /= np.where(size > 0, size, 1.0)  # so that no square overflows or vanishes
    centre = w @ x
    sd = size * np.sqrt(w @ (x - centre) ** 2)
    mean = sum_or_zero(one, size * centre, np.abs(one) + size)
    return mean, np.where(sd > 4 * EPS * np.abs(one), sd, 0.0)


def _strongest(row: np.ndarray, column: np.ndarray, size: np.ndarray, most: int) -> np.ndarray:
    """Positions of the `most` largest |size| of each row, in that order."""
    order = np.lexsort((column, -np.abs(size), row))
    rows = row[order]
    return order[np.arange(len(rows)) - np.searchsorted(rows, rows) < most]
