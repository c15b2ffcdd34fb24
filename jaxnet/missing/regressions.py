"""Ridge regressions of the columns of m filled matrices on their other columns, one after the other.

Conventions: Z (m, n, p) are m fillings of the same rows in units of the columns' standard deviations; U are the rows where
column j is missing, O the others; w are the row weights, whose sum is one; intercepts b0 are free. A regression minimises

    1/2 sum_{i in O} w_i (y_i - b0 - z_i'b)^2 + alpha/2 |b|^2,     b_j = 0,

and predicts on U. The weights of O do not add up to one: the penalty stays the same however many values are missing.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxtyping import Float, Int

REFRESH = 250
"""Columns replaced before the inverse is taken anew: its updates add up rounding errors."""


class Regression(NamedTuple):
    """One regression of every filling."""

    level: Float[np.ndarray, " m"]
    """b0"""
    fitted: Float[np.ndarray, "m u"]
    """predictions on U"""
    solution: Float[np.ndarray, "m v"]
    """the coefficients (v = p), or what they are a combination of the rows with (v = n)"""
    rss: Float[np.ndarray, " m"]
    """weighted sum of squared residuals on O"""
    energy: Float[np.ndarray, " m"] | None = None
    """twice the least value of the objective, of a ridge"""
    free: Float[np.ndarray, " m"] | None = None
    """residual degrees of freedom, |O| less the trace of the hat matrix, if asked"""


class Regressions(ABC):
    """Holds the fillings; `regress` looks at them and `replace` changes a column."""

    Z: Float[np.ndarray, "m n p"]

    @abstractmethod
    def refresh(self) -> None:
        """Take what is updated along the way anew from Z."""

    @abstractmethod
    def regress(
        self, j: int, U: Int[np.ndarray, " u"], Y: Float[np.ndarray, "m n"], traced: bool = False
    ) -> Regression:
        """The regressions of Y (not looked at on U) on all columns but j."""

    @abstractmethod
    def replace(self, j: int, U: Int[np.ndarray, " u"], values: Float[np.ndarray, "m u"]) -> None:
        """Column j of the last `regress` becomes these values on U."""

    @abstractmethod
    def coefficients(self, solution: Float[np.ndarray, "m k v"], columns: Int[np.ndarray, " k"]) -> np.ndarray:
        """The coefficients (m, k, p) of regressions of `columns`."""


EVEN = 10


def ridge(Z: Float[np.ndarray, "m n p"], weights: Float[np.ndarray, " n"], alpha: float) -> Regressions:
    """Through the rows or the columns, whichever takes less time. Z is the caller's to give away.

    Of every regression rows take some updates of an n x n matrix, columns a factorisation of a p x p one: at 300 rows they
    break even near 100 columns.
    """
    n, p = Z.shape[1:]
    return (KernelRidge if p > n or p**3 > EVEN * n**2 else GramRidge)(Z, weights, alpha)


class KernelRidge(Regressions):
    """Through M = (S Z Z'S + alpha I)^-1, S = diag(sqrt(w)), the inverse over all rows and all columns.

    - Without column z of SZ:  (G - zz')^-1 = M + Mz z'M / (1 - z'Mz); with a new one likewise: two updates of rank one.
    - On the rows O only:  for v_U = -M_UU^-1 M_UO v_O the vector M v is G_OO^-1 v_O on O and zero on U, and v_U is
      G_UO G_OO^-1 v_O, the prediction: a system in the few missing rows gives it all.
    - With y~ = Sy and s = S1 the dual solution is c = G_OO^-1 (y~ - b0 s), s'c = 0; b = Z'S c and S r = alpha c.
    """

    def __init__(self, Z: Float[np.ndarray, "m n p"], weights: Float[np.ndarray, " n"], alpha: float):
        self.Z, self.root, self.alpha = Z, np.sqrt(weights), alpha
        self.refresh()

    def refresh(self) -> None:
        A = self.root[:, None] * self.Z
        G = A @ A.swapaxes(1, 2)
        G[:, np.arange(len(self.root)), np.arange(len(self.root))] += self.alpha
        self.inverse, self.replaced, self._cut = np.linalg.inv(G), 0, None

    def regress(self, j, U, Y, traced=False):
        M, s = self.inverse, self.root
        if self._cut is None or self._cut[0] != j:  # a second response of the same column has the same
            z = (s * self.Z[:, :, j])[..., None]
            a = M @ z
            gain = 1 / (1 - _inner(z, a))
            MU = M[:, U] + gain * (a[:, U] @ a.swapaxes(1, 2))
            self._cut = j, a, gain, MU, MU[:, :, U]
        _, a, gain, MU, MUU = self._cut
        V = np.stack([s * Y, np.broadcast_to(s, Y.shape)], axis=2)
        V[:, U] = 0.0
        first = M @ V + a @ (gain * (a.swapaxes(1, 2) @ V))
        W = np.linalg.inv(MUU) if traced else None
        E = W @ first[:, U] if traced else np.linalg.solve(MUU, first[:, U])
        solved = first - MU.swapaxes(1, 2) @ E
        solved[:, U] = 0.0
        (yy, y1), (_, ones) = (V.swapaxes(1, 2) @ solved).transpose(1, 2, 0)
        level = y1 / ones
        c = solved[..., 0] - level[:, None] * solved[..., 1]
        fitted = level[:, None] + (level[:, None] * E[..., 1] - E[..., 0]) / s[U]
        free = None
        if traced:
            diagonal = np.diagonal(M, axis1=1, axis2=2) + gain[..., 0] * a[..., 0] ** 2
            trace = diagonal.sum(axis=1) - np.sum(W * (MU @ MU.swapaxes(1, 2)), axis=(1, 2))
            free = self.alpha * (trace - np.sum(solved[..., 1] ** 2, axis=1) / ones)
        energy = self.alpha * np.maximum(yy - level * y1, 0.0)
        rss = self.alpha**2 * np.sum(c * c, axis=1)
        return Regression(level, fitted, s * c, rss, energy, free)

    def replace(self, j, U, values):
        self.Z[:, U, j] = values
        self.replaced += 1
        if self.replaced >= REFRESH:
            self.refresh()
            return
        a, gain = (x[..., 0] for x in self._cut[1:3])
        self._cut = None
        z = self.root * self.Z[:, :, j]
        g = np.matmul(self.inverse, z[..., None])[..., 0] + a * (gain * np.sum(a * z, axis=1, keepdims=True))
        loss = 1 / (1 + np.sum(z * g, axis=1, keepdims=True))
        sides = np.stack([a, g], axis=2)
        self.inverse += (np.stack([gain * a, -loss * g], axis=2)) @ sides.swapaxes(1, 2)

    def coefficients(self, solution, columns):
        coefs = solution @ self.Z
        coefs[:, np.arange(len(columns)), columns] = 0.0
        return coefs


class GramRidge(Regressions):
    """Through the weighted Gram matrix of (1, Z), less what the rows U add to it."""

    def __init__(self, Z: Float[np.ndarray, "m n p"], weights: Float[np.ndarray, " n"], alpha: float):
        self.weights, self.alpha = weights, alpha
        self.T = np.concatenate([np.ones((*Z.shape[:2], 1)), Z], axis=2)
        self.Z = self.T[:, :, 1:]
        self.refresh()

    def refresh(self) -> None:
        self.gram = self._moments(slice(None))

    def _moments(self, rows) -> Float[np.ndarray, "m q q"]:
        A = np.sqrt(self.weights[rows])[:, None] * self.T[:, rows]
        return A.swapaxes(1, 2) @ A

    def regress(self, j, U, Y, traced=False):
        n, q = self.T.shape[1:]
        inside = np.ones(n, bool)
        inside[U] = False
        H = self.gram - self._moments(U) if 2 * len(U) < n else self._moments(inside)
        at, penalised = np.arange(q), np.flatnonzero(np.arange(q) != j + 1)[1:]
        H[:, j + 1], H[:, :, j + 1] = 0.0, 0.0
        H[:, at[1:], at[1:]] += self.alpha
        H[:, j + 1, j + 1] = 1.0
        target = np.where(inside, self.weights * Y, 0.0)
        right = (target[:, None] @ self.T).swapaxes(1, 2)
        right[:, j + 1] = 0.0
        free = None
        if traced:
            inverse = np.linalg.inv(H)
            beta = inverse @ right
            ridge_part = self.alpha * np.diagonal(inverse, axis1=1, axis2=2)[:, penalised].sum(axis=1)
            free = (n - len(U)) - (1 + len(penalised)) + ridge_part
        else:
            beta = np.linalg.solve(H, right)
        every = (self.T @ beta)[..., 0]
        b = beta[:, 1:, 0]
        rss = np.sum(np.where(inside, self.weights * (Y - every) ** 2, 0.0), axis=1)
        energy = rss + self.alpha * np.sum(b * b, axis=1)
        return Regression(beta[:, 0, 0], every[:, U], b, rss, energy, free)

    def replace(self, j, U, values):
        self.Z[:, U, j] = values
        moments = ((self.weights * self.Z[:, :, j])[:, None] @ self.T)[:, 0]
        self.gram[:, j + 1], self.gram[:, :, j + 1] = moments, moments

    def coefficients(self, solution, columns):
        return solution


def _inner(a: Float[np.ndarray, "m n 1"], b: Float[np.ndarray, "m n 1"]) -> Float[np.ndarray, "m 1 1"]:
    return np.sum(a * b, axis=1, keepdims=True)
