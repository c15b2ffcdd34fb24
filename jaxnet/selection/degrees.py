"""Degrees of freedom of elastic-net fits: the trace of the map from the response to the fitted values."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxtyping import Bool, Float

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
    rho = 1. In units of z_j = sqrt(W) x_j / (s_j sqrt(v_j)) the ridge is alpha (1 - rho) for every column, so that
    df = sum_i sigma_i^2 / (sigma_i^2 + alpha (1 - rho)) over the singular values of Z_A, taken once per support. Columns
    for which the ridge is nothing up to rounding (v_j = 0, rho = 1) are projected out and count by their rank.

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
        self._spectra: dict[bytes, tuple[float, np.ndarray]] = {}

    def degrees_of_freedom(self, free: Bool[np.ndarray, " k"], ridge: float) -> float:
        """Of a fit whose coefficients `free` move, with `ridge` = alpha (1 - rho): unpenalised ones too, off their bounds."""
        free = free & self._varies
        unshrunk = free & (ridge <= EPS * self._square)
        key = np.packbits(np.stack([free, unshrunk])).tobytes()
        if key not in self._spectra:
            self._spectra[key] = self._spectrum(unshrunk, free & ~unshrunk)
        rank, squares = self._spectra[key]
        return self._intercept + rank + float(np.sum(squares / (squares + ridge)))

    def least_squares_residual(self, y: Float[np.ndarray, " n"], weights: Float[np.ndarray, " n"]) -> tuple:
        """Weighted mean squared residual of least squares on all columns, and its degrees of freedom."""
        basis = _basis(self._unit[:, self._varies])
        target = np.sqrt(weights) * (y - self._intercept * (weights @ y))
        return float(np.sum((target - basis @ (basis.T @ target)) ** 2)), self._intercept + basis.shape[1]

    def _spectrum(self, unshrunk: np.ndarray, shrunk: np.ndarray) -> tuple[float, np.ndarray]:
        """The rank of the unshrunk columns, and the squared singular values of the shrunk ones orthogonal to them."""
        basis, rest = _basis(self._unit[:, unshrunk]), self._unit[:, shrunk]
        rest = (rest - basis @ (basis.T @ rest)) * np.sqrt(self._square[shrunk])
        if rest.shape[1] > rest.shape[0]:  # a quarter of the time of singular values, at 300 x 2,000
            return float(basis.shape[1]), np.maximum(np.linalg.eigvalsh(rest @ rest.T), 0.0)
        return float(basis.shape[1]), np.linalg.svd(rest, compute_uv=False) ** 2


def _basis(columns: Float[np.ndarray, "n k"]) -> Float[np.ndarray, "n r"]:
    """An orthonormal basis of what unit columns span."""
    basis, sigma, _ = np.linalg.svd(columns, full_matrices=False)
    return basis[:, sigma > EPS * max(columns.shape) * np.max(sigma, initial=0.0)]
