"""The judge: worst relative duality gap of any solver's coefficients, in NumPy and float64, knowing nothing of solvers.

With weights 1/n_g on the training rows of a group, r the residual centred over them, l1 = alpha rho, l2 = alpha (1 - rho):

    primal  P = (||r||^2 + l2 ||b||^2)/2 + l1 ||b||_1
    dual A  D = -s^2 (||r||^2 + l2 ||b||^2)/2 + s r'y,  s <= l1 / ||X'r - l2 b||_inf, the best    (Fercoq et al. 2015)
    dual B  D = r'y - ||r||^2/2 - sum_j (|x_j'r| - l1)_+^2 / (2 l2),  l2 > 0                    (Duenner et al. 2016)

and gap = (P - max D) / (||y||^2/2), y centred over the same rows. As r sums to zero, X'r needs no centred copy of X.
"""

from dataclasses import dataclass

import numpy as np

from benchmarks.fits import Fits
from benchmarks.problem import Problem

LANES, COLUMNS = 2048, 4096  # fits and columns of X per product: 2048 x 4096 float64 are 64 MB


@dataclass(frozen=True)
class Verdict:
    """`gap` (G, q, R, A), inf where coefficients are not finite; `errors` (q, R, A), mean held-out squared error, or None."""

    gap: np.ndarray
    errors: np.ndarray | None

    @property
    def worst(self) -> float:
        """The largest gap of all fits."""
        return float(self.gap.max())

    def selected(self, problem: Problem) -> list[tuple[float, float]] | None:
        """(alpha, rho) of least held-out error, per response."""
        if self.errors is None:
            return None
        at = [np.unravel_index(np.argmin(e), e.shape) for e in self.errors]
        return [(float(problem.alphas[j, i, k]), float(problem.rho[i])) for j, (i, k) in enumerate(at)]


def judge(problem: Problem, fits: Fits) -> Verdict:
    """Measure every fit of `fits` (ordered as `problem.grid`). Raises ValueError if their number is wrong."""
    G, q, R, A = problem.grid
    if len(fits) != G * q * R * A:
        raise ValueError(f"{len(fits)} fits were handed in, but the grid {problem.grid} has {G * q * R * A}")
    gap, held_out = np.empty(len(fits)), np.full(len(fits), np.nan)
    paths = max(1, LANES // A)
    for first in range(0, G * q * R, paths):
        lanes = np.arange(first * A, min(first + paths, G * q * R) * A)
        gap[lanes], held_out[lanes] = _judge_lanes(problem, fits.rows(lanes), lanes)
    errors = held_out.reshape(problem.grid)[1:].mean(0) if G > 1 else None
    return Verdict(np.where(np.isfinite(gap), gap, np.inf).reshape(problem.grid), errors)


def _judge_lanes(problem: Problem, fits: Fits, lanes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Gap and held-out mean squared error of some fits."""
    group, response, i, _ = np.unravel_index(lanes, problem.grid)
    alpha, rho = problem.alphas.reshape(-1)[lanes % problem.alphas.size], problem.rho[i]
    l1, l2 = alpha * rho, alpha * (1.0 - rho)
    weights = problem.train.T[:, group] / problem.train.sum(1)[group]  # (n, L), each column sums to 1
    Y = problem.Y.astype(float)[:, response]
    Y -= (weights * Y).sum(0)
    residual = Y - _predictions(problem.X, fits)
    residual -= (weights * residual).sum(0)
    held = ~problem.train.T[:, group]
    with np.errstate(invalid="ignore", divide="ignore"):
        held_out = np.where(held, residual**2, 0.0).sum(0) / held.sum(0)

    weighted = weights * residual
    spread, excess = _dual_norms(problem.X, weighted, fits, l1, l2)
    rr, ry, null = (weighted * residual).sum(0), (weighted * Y).sum(0), 0.5 * (weights * Y * Y).sum(0)
    one, two = _sums(fits, np.abs(fits.values)), _sums(fits, fits.values**2)
    primal = 0.5 * (rr + l2 * two) + l1 * one
    smooth = rr + l2 * two
    scale = np.minimum(np.maximum(ry, 0.0) / np.maximum(smooth, 1e-300), l1 / np.maximum(spread, 1e-300))
    dual = -0.5 * scale**2 * smooth + scale * ry
    ridge = l2 > 0
    dual[ridge] = np.maximum(dual, ry - 0.5 * rr - excess / np.where(ridge, 2 * l2, 1.0))[ridge]
    return (primal - dual) / null, held_out


def _predictions(X: np.ndarray, fits: Fits) -> np.ndarray:
    """X b of every fit (n, L), through dense pieces over the columns that some fits of a piece use."""
    out = np.zeros((len(X), len(fits)))
    for first in range(0, len(fits), 64):
        last = min(first + 64, len(fits))
        span = slice(fits.starts[first], fits.starts[last])
        used, at = np.unique(fits.columns[span], return_inverse=True)
        B = np.zeros((len(used), last - first))
        B[at, np.repeat(np.arange(last - first), fits.counts()[first:last])] = fits.values[span]
        out[:, first:last] = X[:, used].astype(float) @ B
    return out


def _dual_norms(X, weighted, fits: Fits, l1, l2) -> tuple[np.ndarray, np.ndarray]:
    """||X'Wr - l2 b||_inf and sum_j (|x_j'Wr| - l1)_+^2 of every fit."""
    L = len(fits)
    lane = np.repeat(np.arange(L), fits.counts())
    order = np.argsort(fits.columns, kind="stable")
    columns, lane, values = fits.columns[order], lane[order], fits.values[order]
    spread, excess = np.zeros(L), np.zeros(L)
    for first in range(0, X.shape[1], COLUMNS):
        piece = X[:, first : first + COLUMNS].astype(float, copy=False)
        gradient = piece.T @ weighted
        over = np.abs(gradient)
        over -= l1
        np.maximum(over, 0.0, out=over)
        excess += np.einsum("jl,jl->l", over, over)
        here = slice(*np.searchsorted(columns, (first, first + COLUMNS)))
        gradient[columns[here] - first, lane[here]] -= l2[lane[here]] * values[here]
        spread = np.maximum(spread, np.abs(gradient, out=gradient).max(0))
    return spread, excess


def _sums(fits: Fits, values: np.ndarray) -> np.ndarray:
    """Sum of `values` over each fit's nonzeros."""
    return np.bincount(np.repeat(np.arange(len(fits)), fits.counts()), values, minlength=len(fits))
