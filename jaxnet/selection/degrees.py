"""Degrees of freedom of elastic-net fits: the trace of the map from the response to the fitted values."""

from __future__ import annotations

from collections import Counter
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxtyping import Bool, Float

ACCURACY = 2.5e-10
"""Error of the degrees of freedom up to which Gram matrices are trusted; beyond, singular values are taken."""
SEVERAL = 6
"""So many ridges over one support make its singular values, taken once, cheaper than a factorisation for each."""
GRAM_LIMIT = 3000
"""Columns up to which the Gram matrix of all of them is kept."""
LARGEST = 1e300
SMALL = 64
CONSTANT = 1e-14
"""A column whose variance is below this share of its mean square is constant up to rounding."""
EPS = float(np.finfo(np.float64).eps)


class Hat:
    """The columns of a set of fits, ready for the degrees of freedom of any support among them.

    For a fit that moves freely in the columns A (nonzero and off its bounds, or not penalised), with row weights w that
    sum to one, columns centred if there is an intercept, W = diag(w), and ridge weights D_j = alpha (1 - rho) v_j s_j^2 (v the
    penalty factors, s the standard deviations under `standardize`, else 1),

        df = tr[X_A (X_A' W X_A + D_A)^-1 X_A' W]  (+ 1 for the intercept).

    That is tr[X_A (X_A'X_A + n alpha (1 - rho) I)^-1 X_A'] where rows and columns count alike, and the rank of X_A at
    rho = 1. With U the columns sqrt(W) x_j brought to unit length and D in their units it is

        df = |A| - tr[D (U_A'U_A + D)^-1],  or over the rows  n - tr[(I + U_A D^-1 U_A')^-1]  where those are fewer,

    by one Cholesky factor of a matrix of correlations. An error E of that matrix moves df by at most |E| tr[(U_A'U_A + D)^-1];
    where that is too much (collinear columns and next to no ridge), df = sum_i sigma_i^2 / (sigma_i^2 + alpha (1 - rho)) over the
    singular values of z_j = sqrt(W) x_j / (s_j sqrt(v_j)), A. Then columns for which the ridge is nothing up to rounding
    (v_j = 0, rho = 1) are projected out and count by their rank.

    Reference: Zou, Hastie and Tibshirani 2007, theorem 1 (the lasso); Tibshirani and Taylor 2012 (columns of any rank).
    """

    def __init__(
        self,
        X: Float[np.ndarray, "n k"],
        weights: Float[np.ndarray, " n"],
        factor: Float[np.ndarray, " k"],
        *,
        intercept: bool,
        standardize: bool,
    ):
        size = np.max(np.abs(X), axis=0, initial=0.0)
        Z = np.divide(X, size, out=np.zeros(X.shape), where=size > 0)
        square = weights @ Z**2
        if intercept:  # about one row first, so that a constant column centres to zero
            Z -= Z[np.argmax(weights)]
            Z -= weights @ Z
        Z *= np.sqrt(weights)[:, None]
        norm = np.sqrt(np.sum(Z**2, axis=0))
        self._varies = norm**2 > CONSTANT * square
        self._unit = np.divide(Z, norm, out=np.zeros_like(Z), where=self._varies)
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            self._square = np.where(self._varies, (1.0 if standardize else (size * norm) ** 2) / factor, 0.0)
        self._intercept = float(intercept)
        self._mean = np.sqrt(weights)[:, None] if intercept else np.zeros((len(X), 0))
        self._spectra: dict[bytes, tuple[float, np.ndarray]] = {}
        self._traces: dict[tuple[bytes, float], float | None] = {}

    def degrees_of_freedom(
        self, free: Bool[np.ndarray, "A k"], ridge: Float[np.ndarray, " A"]
    ) -> Float[np.ndarray, " A"]:
        """Of fits whose coefficients `free` move, with `ridge` = alpha (1 - rho): unpenalised ones too, off
        their bounds."""
        free = free & self._varies
        unshrunk = free & (ridge[:, None] <= EPS * self._square)
        ranks = ~(free & ~unshrunk).any(axis=1)
        if ranks.all() and self._independent(np.flatnonzero(free.any(axis=0))):  # and so is every part of them
            return self._intercept + np.count_nonzero(free, axis=1)
        keys = [np.packbits(pair).tobytes() for pair in np.stack([free, unshrunk], axis=1)]
        count = Counter(keys)
        return np.array([
            self._one(key, a, u, float(r), alone=count[key] < SEVERAL)
            for key, a, u, r in zip(keys, free, unshrunk, ridge, strict=True)
        ])  # fmt: skip

    def _one(self, key: bytes, free: np.ndarray, unshrunk: np.ndarray, ridge: float, *, alone: bool) -> float:
        if alone:
            if (key, ridge) not in self._traces:
                self._traces[key, ridge] = self._trace(np.flatnonzero(free), ridge)
            if self._traces[key, ridge] is not None:
                return self._intercept + self._traces[key, ridge]
        if key not in self._spectra:
            self._spectra[key] = self._spectrum(unshrunk, free & ~unshrunk)
        rank, squares = self._spectra[key]
        return self._intercept + rank + float(np.sum(squares / (squares + ridge)))

    def _independent(self, at: np.ndarray) -> bool:
        """Whether columns are linearly independent, beyond doubt."""
        return self._trace(at, 0.0) is not None

    def _trace(self, at: np.ndarray, ridge: float) -> float | None:
        """The trace by a Cholesky factor, of columns or of rows; None where rounding may be seen in it."""
        with np.errstate(divide="ignore"):
            D = np.minimum(ridge / self._square[at], LARGEST)
        by_rows, U = len(at) >= len(self._unit), self._unit[:, at]
        if by_rows and not (D > EPS).all():
            return None
        if by_rows:  # what is centred has no part along the mean: there the matrix is made large, not left to rounding
            M = (U / D) @ U.T
            size = float(np.linalg.norm(M))
            M += size * self._mean @ self._mean.T
            M[np.diag_indices(len(M))] += 1.0
        else:
            M = (U.T @ U if self._gram is None else self._gram[np.ix_(at, at)]) + np.diag(D)
            size = 1.0
        try:
            root = triangular_inverse(np.linalg.cholesky(M))
        except np.linalg.LinAlgError:
            return None
        inverse = np.einsum("ij,ij->j", root, root)
        total = float(inverse.sum())
        error = 10 * EPS * size * total
        if by_rows:
            df = len(M) - total - self._mean.shape[1] * size / (1 + size)
            return df if error <= ACCURACY else None
        sound = min(error, error * total * float(D.max(initial=0.0))) <= ACCURACY and error <= 1e-4
        return len(at) - float(D @ inverse) if sound else None

    @cached_property
    def _gram(self) -> Float[np.ndarray, "k k"] | None:
        return self._unit.T @ self._unit if self._unit.shape[1] <= GRAM_LIMIT else None

    def least_squares_residual(self, y: Float[np.ndarray, " n"], weights: Float[np.ndarray, " n"]) -> tuple:
        """Weighted mean squared residual of least squares on all columns, and its degrees of freedom."""
        basis = _basis(self._unit[:, self._varies])
        target = np.sqrt(weights) * (y - self._intercept * (weights @ y))
        return float(np.sum((target - basis @ (basis.T @ target)) ** 2)), self._intercept + basis.shape[1]

    def _spectrum(self, unshrunk: np.ndarray, shrunk: np.ndarray) -> tuple[float, np.ndarray]:
        """The rank of the unshrunk columns, and the squared singular values of the shrunk ones orthogonal to them."""
        if not shrunk.any():
            columns = self._unit[:, unshrunk]
            return float(_above_rounding(np.linalg.svd(columns, compute_uv=False), columns.shape).sum()), np.zeros(0)
        basis, rest = _basis(self._unit[:, unshrunk]), self._unit[:, shrunk]
        rest = (rest - basis @ (basis.T @ rest)) * np.sqrt(self._square[shrunk])
        return float(basis.shape[1]), np.linalg.svd(rest, compute_uv=False) ** 2


def _basis(columns: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n r"]:
    """An orthonormal basis of what unit columns span."""
    basis, sigma, _ = np.linalg.svd(columns, full_matrices=False)
    return basis[:, _above_rounding(sigma, columns.shape)]


def _above_rounding(sigma: Float[np.ndarray, " r"], shape: tuple[int, int]) -> Bool[np.ndarray, " r"]:
    return sigma > EPS * max(shape) * np.max(sigma, initial=0.0)


def triangular_inverse(L: Float[np.ndarray, "k k"]) -> Float[np.ndarray, "k k"]:
    """The inverse of a lower triangle, by halves: [[A, 0], [B, C]]^-1 = [[A^-1, 0], [-C^-1 B A^-1, C^-1]].

    >>> triangular_inverse(np.array([[2.0, 0.0], [1.0, 1.0]])).tolist()
    [[0.5, 0.0], [-0.5, 1.0]]
    """
    if len(L) <= SMALL:
        return np.linalg.inv(L)
    half, out = len(L) // 2, np.zeros_like(L)
    out[:half, :half], out[half:, half:] = triangular_inverse(L[:half, :half]), triangular_inverse(L[half:, half:])
    out[half:, :half] = -out[half:, half:] @ (L[half:, :half] @ out[:half, :half])
    return out
