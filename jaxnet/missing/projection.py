"""The nearest symmetric matrix with eigenvalues of at least a positive number, in the Frobenius or in the maximum norm; the
nearest cross moments that such a matrix allows."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxtyping import Float

START = 0.2
"""The first L1 radius of the maximum-norm search, as a share of the L1 norm of what clipping adds."""
BALANCE, UNTIL = 10, 500
"""The radius is adapted every so many iterations, and not after so many, so that the search converges."""

BISECTIONS = 100
"""Halvings of an interval, after which its ends are one number or two."""


class Projection(NamedTuple):
    """A matrix >= least I near a given S, and how near: distances are max_jk |matrix_jk - S_jk|."""

    matrix: Float[np.ndarray, "p p"]
    distance: float
    bound: float
    """no matrix >= least I is nearer to S than this, whatever was minimised"""
    iterations: int
    """eigenvalue decompositions after the first; 0 for clipped eigenvalues"""
    converged: bool
    """whether what was asked for was found; if not, the matrix is >= least I all the same"""


def clip_eigenvalues(S: Float[np.ndarray, "p p"], least: float) -> Projection:
    """The matrix >= least I that is nearest in the Frobenius norm: eigenvalues below `least` become `least`.

    S itself, bit for bit, if none is below by more than rounding. S must be symmetric; so is the result.

    >>> import numpy as np
    >>> clip_eigenvalues(np.array([[1.0, 2.0], [2.0, 1.0]]), 0.0).matrix.round(12)
    array([[1.5, 1.5],
           [1.5, 1.5]])
    """
    lift = _lift(S, least, rounding=True)
    if not lift.any():
        return Projection(S, 0.0, 0.0, 0, True)
    return Projection(S + lift, float(np.abs(lift).max()), _bound(lift, S, least), 0, True)


def project_max_norm(S: Float[np.ndarray, "p p"], least: float, tol: float = 1e-2, max_iter: int = 1000) -> Projection:
    """The matrix >= least I that is nearest in the maximum norm, the projection of CoCoLasso, by ADMM.

        min_A |A - S|_max   subject to   A >= least I

    Split as A - B = S; with U the scaled multiplier and t the step (Datta and Zou 2017, section 2; over-relaxed by 1.6, t
    adapted to the residuals):

        A <- the projection of B + S + U in the Frobenius norm
        B <- the prox of t |.|_max at A - S - U, that is x minus its projection onto the L1 ball of radius t
        U <- U - (A - B - S)

    Every A is >= least I, and what its eigenvalues were lifted by is a matrix Z >= 0 that bounds the distance from below:
    |A - S|_max >= <Z, least I - S> / |Z|_1. So the best A is kept, and the search ends when its distance is within a share
    `tol` of the best bound, or after `max_iter` decompositions. It starts at the clipped eigenvalues, so it is never
    farther than these. S itself, bit for bit, if S >= least I up to rounding.
    """
    start = clip_eigenvalues(S, least)
    best, distance, bound = start.matrix, start.distance, start.bound
    if distance <= bound * (1 + tol):
        return start
    radius = START * float(np.abs(best - S).sum())
    B, U = np.clip(best - S, -distance / 3, distance / 3), np.zeros_like(S)
    for iteration in range(1, max_iter + 1):
        raised = B + S + U
        lift = _lift(raised, least)
        A = raised + lift
        if (reached := float(np.abs(A - S).max())) < distance:
            best, distance = A, reached
        bound = max(bound, _bound(lift, S, least))
        if distance - bound <= tol * distance:
            return Projection(best, distance, bound, iteration, True)
        relaxed = 1.6 * (A - S) - 0.6 * B
        new = relaxed - U
        new -= _onto_l1_ball(new, radius)
        U -= relaxed - new
        if iteration % BALANCE == 0 and iteration < UNTIL:
            primal, dual = np.linalg.norm(A - S - new), np.linalg.norm(new - B)
            factor = 0.5 if primal > 3 * dual else 2.0 if dual > 3 * primal else 1.0
            radius, U = radius * factor, U * factor
        B = new
    return Projection(best, distance, bound, max_iter, False)


def onto_ellipsoid(S: Float[np.ndarray, "p p"], c: Float[np.ndarray, "q p"]) -> Float[np.ndarray, "q p"]:
    """The nearest rows c for which [[S, c], [c', 1]] is positive semidefinite, S being so: c'S^+ c <= 1, c in the range of S.

    With S = V diag(s) V' and z = V'c, that is V (s / (s + mu) z), with the least mu >= 0 for which
    sum_i s_i z_i^2 / (s_i + mu)^2 <= 1. A row that is allowed up to rounding stays as it is, bit for bit.

    >>> import numpy as np
    >>> onto_ellipsoid(np.eye(2), np.array([[3.0, 4.0], [0.3, 0.4]])).round(12)
    array([[0.6, 0.8],
           [0.3, 0.4]])
    """
    if not c.size:
        return c
    values, vectors = np.linalg.eigh(S)
    rounding = len(S) * np.finfo(float).eps
    s = np.where(values > rounding * values[-1], values, 0.0)
    z = c @ vectors
    square = lambda mu: np.sum(s * (z / np.where(s > 0, s + mu, 1.0)) ** 2, axis=1, keepdims=True)
    outside = np.max(np.abs(np.where(s > 0, 0.0, z)), axis=1, keepdims=True)
    low = np.zeros((len(c), 1))
    high = np.sqrt(np.sum(s * z * z, axis=1, keepdims=True))  # (s + mu)^2 >= mu^2
    high = np.where(square(low) <= 1, 0.0, high)
    for _ in range(BISECTIONS):
        middle = 0.5 * (low + high)
        allowed = square(middle) <= 1
        low, high = np.where(allowed, low, middle), np.where(allowed, middle, high)
    kept = (high == 0) & (outside <= rounding)
    return np.where(kept, c, (s / np.where(s > 0, s + high, 1.0) * z) @ vectors.T)


def _lift(S: np.ndarray, least: float, rounding: bool = False) -> Float[np.ndarray, "p p"]:
    """sum over eigenvalues l < least of (least - l) u u': what to add to S; zero if `rounding` explains them all."""
    values, vectors = np.linalg.eigh(S)
    slack = len(S) * np.finfo(float).eps * np.abs(values).max(initial=0.0) if rounding else 0.0
    if not len(S) or values[0] >= least - slack:
        return np.zeros_like(S)
    low = values < least
    roots = vectors[:, low] * np.sqrt(least - values[low])
    return roots @ roots.T  # of a matrix and its own transpose, which NumPy makes exactly symmetric


def _bound(Z: np.ndarray, S: np.ndarray, least: float) -> float:
    """<Z, least I - S> / |Z|_1: for A >= least I and Z >= 0, |A - S|_max |Z|_1 >= <Z, A - S> >= <Z, least I - S>."""
    total = float(np.abs(Z).sum())
    return max(float(least * np.trace(Z) - np.vdot(Z, S)) / total, 0.0) if total > 0 else 0.0


def _onto_l1_ball(x: np.ndarray, radius: float) -> np.ndarray:
    """sign(x) (|x| - theta)_+ with sum_i (|x_i| - theta)_+ = radius, or x itself inside (Duchi et al. 2008, figure 1).

    Without sorting: entries at most theta = (sum of those left - radius) / their number are not in the support, so they
    leave, until none does.
    """
    left = np.abs(x).ravel()
    if left.sum() <= radius:
        return x.copy()
    while True:
        theta = (left.sum() - radius) / left.size
        kept = left[left > theta]
        if kept.size in (0, left.size):
            break
        left = kept
    return np.sign(x) * np.maximum(np.abs(x) - theta, 0.0)
