"""Little's test of whether values are missing completely at random, and the normal distribution of incomplete data."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jaxnet.missing.analysis.tails import chi_squared_tails

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

MOST_COLUMNS = 50
ROWS_PER_COLUMN = 5
"""Fewer rows than this many per column leave too little for a covariance matrix."""
_LARGEST = 5_000_000  # numbers of one array of the EM algorithm, patterns x columns x columns
_MAX_ITER, _TOL = 2000, 1e-8  # EM stops when no mean (in sd) and no correlation moves by more
_SINGULAR = 1e-8  # the least eigenvalue of the correlation matrix


class LittleTest(NamedTuple):
    """Little's test of the hypothesis that values are missing completely at random.

    statistic is d2 = sum_j n_j (ybar_j - mu_j)' S_jj^-1 (ybar_j - mu_j) over the distinct patterns j of the numeric columns:
    n_j rows whose observed columns have the means ybar_j, with the maximum-likelihood mean mu and covariance S n / (n - 1)
    of all incomplete rows (EM), cut to those columns. `df` = sum_j p_j - p; `p_value` that of chi-squared with so many
    degrees of freedom. `n_rows` (with any value), `n_patterns` and `n_columns` (those that vary) count what went in.

    It assumes normal columns with one covariance, and is approximate for few rows. A small p-value speaks against values
    missing completely at random; it does not say whether they are missing at random given the observed ones. A large one
    is no proof: the test sees differences of means only, and few rows show little (Little 1988, JASA 83, 1198-1202).
    """

    statistic: float
    df: int
    p_value: float
    n_rows: int
    n_patterns: int
    n_columns: int


class Patterns(NamedTuple):
    """Rows by pattern: which of the p columns each of K patterns has, its rows, their means and squared deviations."""

    seen: Bool[np.ndarray, "K p"]
    count: Int[np.ndarray, " K"]
    mean: Float[np.ndarray, "K p"]
    scatter: Float[np.ndarray, "K p p"]


def little_test(X: Float[np.ndarray, "n p"]) -> tuple[LittleTest | None, str]:
    """The test on the columns of X that vary, nan where missing, or None and the reason in a sentence."""
    if np.isinf(X).any():
        return None, "There are infinite values among the numbers."
    present = ~np.isnan(X)
    filled = lambda end: np.where(present, X, end)
    X = X[:, filled(-np.inf).max(axis=0, initial=-np.inf) > filled(np.inf).min(axis=0, initial=np.inf)]
    X = X[~np.isnan(X).all(axis=1)]
    present = ~np.isnan(X)
    n, p = X.shape
    if reason := _too_little(present):
        return None, reason
    size = np.nanmax(np.abs(X), axis=0)
    X = X / size
    X = (X - np.nanmean(X, axis=0)) / np.nanstd(X, axis=0)
    seen, group = np.unique(present, axis=0, return_inverse=True)
    if seen.size * p > _LARGEST:
        return None, f"There are too many patterns ({len(seen):,}) of {p} numeric columns."
    patterns = by_pattern(X, seen, group.ravel())
    mean, covariance, reason = normal_fit(patterns)
    if reason:
        return None, reason
    inverse = _inverse(covariance * (n / (n - 1)), seen)
    away = np.where(seen, patterns.mean - mean, 0.0)
    statistic = float(patterns.count @ np.einsum("kp,kpq,kq->k", away, inverse, away))
    df = int(seen.sum() - p)
    p_value = float(chi_squared_tails(np.array([statistic]), np.array([float(df)]))[0])
    return LittleTest(statistic, df, p_value, n, len(seen), p), ""


def _too_little(present: Bool[np.ndarray, "n p"]) -> str:
    """Why these rows can have no test; empty if they can."""
    n, p = present.shape
    if p == 0:
        return "No numeric column varies."
    if p == 1:
        return "There is only one numeric column that varies, and no other to compare it with."
    if present.all():
        return "No value of the numeric columns that vary is missing."
    if p > MOST_COLUMNS:
        return (
            f"There are {p:,} numeric columns that vary: a covariance matrix of more than {MOST_COLUMNS} is too much."
        )
    if n < ROWS_PER_COLUMN * p:
        return f"There are {n:,} rows for {p} numeric columns: fewer than {ROWS_PER_COLUMN} per column."
    if (present == present[:1]).all():
        return "All rows lack the same columns, so there is one pattern and nothing to compare."
    together = present.T.astype(np.float64) @ present
    if together.min() < p + 2:
        return f"Two of the columns are both observed in {int(together.min())} rows only: fewer than {p + 2}."
    return ""


def by_pattern(X: Float[np.ndarray, "n p"], seen: Bool[np.ndarray, "K p"], group: Int[np.ndarray, " n"]) -> Patterns:
    """Sums over the rows of each pattern; `group` is the pattern of each row."""
    order = np.argsort(group, kind="stable")
    count = np.bincount(group, minlength=len(seen))
    starts = np.r_[0, np.cumsum(count)]
    mean, scatter = np.zeros(seen.shape), np.zeros((*seen.shape, seen.shape[1]))
    for k in range(len(seen)):
        rows = np.where(seen[k], X[order[starts[k] : starts[k + 1]]], 0.0)
        mean[k] = rows.mean(axis=0)
        scatter[k] = (rows - mean[k]).T @ (rows - mean[k])
    return Patterns(seen, count, mean, scatter)


def normal_fit(patterns: Patterns) -> tuple[Float[np.ndarray, " p"], Float[np.ndarray, "p p"], str]:
    """The maximum-likelihood mean and covariance of columns in standard units, and why there are none ("" if there are).

    EM (Dempster, Laird and Rubin 1977): with A_k the regression of all columns on the observed ones of pattern k,
    mu+ = mu + 1/n sum_k n_k A_k (m_k - mu) and S+ = 1/n sum_k (A_k D_k A_k' + n_k (S - A_k S)) - (mu+ - mu)(mu+ - mu)',
    D_k the cross-products of the pattern's rows less mu.
    """
    seen, count = patterns.seen, patterns.count
    n, p = count.sum(), seen.shape[1]
    mean, covariance = np.zeros(p), np.eye(p)
    for _ in range(_MAX_ITER):
        if np.linalg.eigvalsh(_correlation(covariance))[0] < _SINGULAR:
            return (
                mean,
                covariance,
                "Some numeric columns are nearly linear in others: the covariance matrix is singular.",
            )
        regress = covariance @ _inverse(covariance, seen)
        away = np.where(seen, patterns.mean - mean, 0.0)
        step = count @ np.einsum("kpq,kq->kp", regress, away) / n
        D = patterns.scatter + count[:, None, None] * away[:, :, None] * away[:, None, :]
        unexplained = covariance - regress @ covariance
        update = (regress @ D @ regress.transpose(0, 2, 1) + count[:, None, None] * unexplained).sum(axis=0) / n
        update -= np.outer(step, step)
        update = (update + update.T) / 2
        moved = max(np.abs(step).max(), np.abs(update - covariance).max())
        mean, covariance = mean + step, update
        if moved < _TOL:
            return mean, covariance, ""
    return mean, covariance, "The maximum-likelihood estimate was not reached: too much is missing."


def _correlation(covariance: Float[np.ndarray, "p p"]) -> Float[np.ndarray, "p p"]:
    sd = np.sqrt(np.maximum(np.diag(covariance), np.finfo(float).tiny))
    return covariance / sd / sd[:, None]


def _inverse(covariance: Float[np.ndarray, "p p"], seen: Bool[np.ndarray, "K p"]) -> Float[np.ndarray, "K p p"]:
    """For each pattern the inverse of its observed block, zero elsewhere."""
    block = seen[:, :, None] & seen[:, None, :]
    return np.where(block, np.linalg.inv(np.where(block, covariance, np.eye(len(covariance)))), 0.0)
