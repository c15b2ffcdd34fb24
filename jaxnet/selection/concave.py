"""The largest tail probability of an r-concave distribution with a bounded mean, which Shah and Samworth's bound needs."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxtyping import Float

_SMALLEST, _LARGEST = -40.0, 30.0
"""Logarithms between which the location `a` of an extremal distribution is sought."""
_POINTS = 40
_ROUNDS = 6


def tail_bound(mean: float, tail: float, B: int, r: float) -> float:
    """D(mean, tail, B, r) = max P(X >= tail) over r-concave X on {0, 1/B, ..., 1} with E X <= mean; -1 <= r < 0.

    A mass function f is r-concave, for r < 0, if f^r is convex where f > 0, an interval. The maximum lies among those
    with f(i/B) proportional to (a + i)^(1/r) for i = 0, ..., k, some k >= B tail - 1, and a last mass at (k + 1)/B that
    is at most the next of that sequence and brings the mean to its limit: for h_i = (a + i)^(1/r),

        P(X >= t/B) = 1 - (k + 1 - B mean) sum_{i < t} h_i / sum_{i <= k} (k + 1 - i) h_i.

    For each k the last mass lies between its limits while a runs from a_{k+1} to a_k, the a at which the sequence that ends
    at k has that mean. Never above Markov's mean / tail, which takes over where the mean is at least half the tail and
    shape is no help.

    Reference: Shah and Samworth 2013, section 3 (r-concavity) and the appendix (the extremal distributions).

    >>> float(f"{tail_bound(0.0009, 0.5, 50, -0.5):.4g}")  # Markov's inequality has 0.0018
    0.000224
    """
    t = int(np.ceil(tail * B * (1 - 1e-12)))
    centre = mean * B
    markov = min(1.0, centre / t) if t > 0 else 1.0
    first = max(t - 1, int(np.floor(2 * centre)) + 1)  # a sequence that ends at k has a mean below k / 2
    if t > B or t <= 2 * centre or first > B:
        return 0.0 if t > B else markov
    location = _log_locations(np.arange(first, B + 1), centre, 1 / r)
    ends = np.arange(first, B)
    best = _tail(np.array([location[-1]]), np.array([B]), t, centre, 1 / r)[0]
    if len(ends):
        best = max(best, _largest(location[1:], location[:-1], ends, t, centre, 1 / r))
    return float(min(max(best, 0.0), markov))


def _log_locations(ends: np.ndarray, centre: float, power: float) -> Float[np.ndarray, " K"]:
    """log a_k for each end k: where the mean of i under (a + i)^power, i = 0..k, is `centre`; it grows with a. Bisection."""
    low, high = np.full(len(ends), _SMALLEST), np.full(len(ends), _LARGEST)
    for _ in range(70):
        middle = (low + high) / 2
        h, i = _masses(middle, ends, power)
        above = h @ i > centre * h.sum(axis=1)
        low, high = np.where(above, low, middle), np.where(above, middle, high)
    return low  # where the mean is not above its limit


def _largest(low: np.ndarray, high: np.ndarray, ends: np.ndarray, t: int, centre: float, power: float) -> float:
    """The largest tail over ends k and log a between low and high: grids that close in on the best point of each."""
    for _ in range(_ROUNDS):
        grid = low + (high - low) * np.linspace(0, 1, _POINTS)[:, None]
        values = _tail(grid.reshape(-1), np.tile(ends, _POINTS), t, centre, power).reshape(grid.shape)
        at, each = values.argmax(axis=0), np.arange(len(ends))
        low, high = grid[np.maximum(at - 1, 0), each], grid[np.minimum(at + 1, _POINTS - 1), each]
    return float(values.max())


def _tail(log_a: np.ndarray, ends: np.ndarray, t: int, centre: float, power: float) -> Float[np.ndarray, " K"]:
    h, i = _masses(log_a, ends, power)
    weight = np.maximum(ends[:, None] + 1 - i, 0)
    return 1 - (ends + 1 - centre) * h[:, :t].sum(axis=1) / np.sum(weight * h, axis=1)


def _masses(log_a: np.ndarray, ends: np.ndarray, power: float) -> tuple[np.ndarray, np.ndarray]:
    """(a + i)^power / a^power up to each end and zero beyond (K, top + 1), and i (top + 1,)."""
    i = np.arange(ends.max() + 1)
    h = np.exp(power * np.log1p(i * np.exp(-log_a)[:, None]))
    return np.where(i <= ends[:, None], h, 0.0), i
