"""Tail probabilities in float64, and their adjustment for many comparisons."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float

_CHUNK = 4096
"""Values at a time: one shape, so one compilation."""


def student_tails(t_squared: Float[np.ndarray, " m"], df: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    """P(T^2 > t^2) of Student's t, both tails: I_x(df/2, 1/2) at x = df / (df + t^2) (Abramowitz and Stegun 26.7.1)."""
    from jax.scipy.special import betainc

    return _in_chunks(betainc, df / 2, np.full_like(df, 0.5), df / (df + t_squared))


def chi_squared_tails(x: Float[np.ndarray, " m"], df: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    """P(chi2_df > x) = Q(df/2, x/2) (Abramowitz and Stegun 26.4.19)."""
    from jax.scipy.special import gammaincc

    return _in_chunks(gammaincc, df / 2, x / 2)


def _in_chunks(tail: Callable, *arguments: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    import jax

    m = len(arguments[0])
    found = np.empty(m)
    with jax.enable_x64(True):
        for start in range(0, m, _CHUNK):
            parts = [np.resize(values[start : start + _CHUNK], _CHUNK) for values in arguments]
            found[start : start + _CHUNK] = np.asarray(tail(*parts))[: m - start]
    return np.clip(found, 0.0, 1.0)


def holm(p: Float[np.ndarray, " k"], m: int) -> Float[np.ndarray, " k"]:
    """The k least of m p-values, ascending, adjusted: max over i <= j of min(1, (m - i + 1) p_i) (Holm 1979)."""
    return np.minimum(np.maximum.accumulate(p * (m - np.arange(len(p)))), 1.0)


def benjamini_hochberg(p: Float[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    """All p-values, ascending, adjusted: min over j >= i of min(1, m p_j / j) (Benjamini and Hochberg 1995)."""
    m = len(p)
    return np.minimum(np.minimum.accumulate((p * m / np.arange(1, m + 1))[::-1])[::-1], 1.0)
