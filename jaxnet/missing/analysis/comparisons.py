"""In which observed columns the rows where a column is missing differ from those where it is observed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jaxnet.missing.analysis.tails import benjamini_hochberg, chi_squared_tails, holm, student_tails
from jaxnet.missing.columns import Columns
from jaxnet.scalars import sum_or_zero

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int

LEAST = 5
"""Rows that both sides must have, and of a two-valued column the least expected count: fewer say nothing."""
LEVELS = 20
"""Levels of a column that are compared, the most frequent ones."""
_WIDE = 256  # columns at a time
_CONSTANT = 1e-12  # a variance below this share of the mean square is rounding


class Comparisons(NamedTuple):
    """The m most striking comparisons, by p-value, of the rows where `missing` is missing with those where it is observed.

    `missing` and `other` are places of columns; `level` is the level of `other` whose share is compared, "" for numbers. Over
    the rows where `other` is observed (and finite): how many there are on both sides, and its means (a level's shares).
    `difference` is (mean_missing - mean_observed) / pooled sd, infinite where both sides are constant. p_value is that of
    Welch's t test; that of Pearson's chi-squared without correction for a column of two values or a level. Where a side of
    a numeric column is constant, Student's with the variance of all rows takes its place. `holm` and `bh`: adjusted over
    all comparisons, so that the chance of a single false one, or the expected share of false ones, stays below them.
    """

    missing: Int[np.ndarray, " m"]
    other: Int[np.ndarray, " m"]
    level: tuple[str, ...]
    n_missing: Int[np.ndarray, " m"]
    n_observed: Int[np.ndarray, " m"]
    mean_missing: Float[np.ndarray, " m"]
    mean_observed: Float[np.ndarray, " m"]
    difference: Float[np.ndarray, " m"]
    p_value: Float[np.ndarray, " m"]
    holm: Float[np.ndarray, " m"]
    bh: Float[np.ndarray, " m"]


def compare(columns: Columns, gaps: Int[np.ndarray, " g"], most: int) -> tuple[Comparisons, int]:
    """The `most` striking comparisons for the columns `gaps`, and over how many the p-values are adjusted."""
    absent = columns.missing[:, gaps].astype(np.float64)
    everything, leading = [np.empty(0)], []
    for places, labels, values in _blocks(columns):
        found = _block(absent, values)
        everything.append(found["p_value"])
        first = np.lexsort((-np.abs(found["difference"]), found["p_value"]))[:most]
        rows, at = found.pop("pair")
        leading.append(
            {
                "missing": gaps[rows[first]],
                "other": places[at[first]],
                "level": np.array([labels[j] for j in at[first]], dtype=object),
                **{name: part[first] for name, part in found.items()},
            }
        )
    total = sum(map(len, everything))
    if not total:
        none, whole = np.empty(0), np.empty(0, np.int64)
        return Comparisons(whole, whole, (), whole, whole, *[none] * 6), 0
    parts = {name: np.concatenate([part[name] for part in leading]) for name in leading[0]}
    order = np.lexsort((parts["other"], -np.abs(parts["difference"]), parts["p_value"]))[:most]
    parts = {name: part[order] for name, part in parts.items()}
    parts["level"] = tuple(parts["level"].tolist())
    p = np.sort(np.concatenate(everything))
    least = p[: len(order)]
    return Comparisons(**parts, holm=holm(least, total), bh=benjamini_hochberg(p)[: len(order)]), total


def _blocks(columns: Columns) -> Iterator[tuple[Int[np.ndarray, " b"], list[str], Float[np.ndarray, "n b"]]]:
    """Places, levels ("" for numbers) and values of some columns at a time, nan where not observed or infinite."""
    for start in range(0, len(columns.numeric), _WIDE):
        block = slice(start, start + _WIDE)
        values = columns.numbers[:, block]
        places = columns.numeric[block]
        yield places, [""] * len(places), np.where(np.isfinite(values), values, np.nan)
    for at, codes, levels in zip(columns.worded, columns.codes.T, columns.levels, strict=True):
        counts = np.bincount(codes[codes >= 0], minlength=len(levels))
        common = np.argsort(-counts, kind="stable")[:LEVELS]
        common = common[counts[common] > 1]
        if len(common):
            share = np.where(codes[:, None] < 0, np.nan, codes[:, None] == common)
            yield np.full(len(common), at), [levels[level] for level in common], share


def _block(absent: Float[np.ndarray, "n g"], values: Float[np.ndarray, "n b"]) -> dict[str, np.ndarray]:
    """The comparisons of g columns with b others that can be made, one entry each; `pair` holds their row and column."""
    present = ~np.isnan(values)
    z, centre, unit = _standard(values, present)
    seen = present.astype(np.float64)
    sums = lambda side, part: side.T @ part
    n1, n0 = sums(absent, seen), sums(1 - absent, seen)
    two = np.all(~present | (z == z.min(axis=0)) | (z == z.max(axis=0)), axis=0)
    least_count = np.where(two, np.minimum(*_two_counts(z, present)), np.inf)
    n = n1 + n0
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.minimum(n1, n0) * np.minimum(least_count / n, 1.0)
    usable = (np.minimum(n1, n0) >= LEAST) & (expected >= LEAST) & (np.ptp(z, axis=0) > 0)[None]
    rows, at = np.nonzero(usable)
    m1, v1, ss1 = (part[usable] for part in _moments(n1, sums(absent, z), sums(absent, z * z)))
    m0, v0, ss0 = (part[usable] for part in _moments(n0, sums(1 - absent, z), sums(1 - absent, z * z)))
    n1, n0 = n1[usable], n0[usable]
    gap = m1 - m0
    with np.errstate(divide="ignore", invalid="ignore"):
        difference = np.where(gap == 0, 0.0, gap / np.sqrt((ss1 + ss0) / (n1 + n0 - 2)))
    return {
        "pair": (rows, at),
        "n_missing": n1.astype(np.int64),
        "n_observed": n0.astype(np.int64),
        "mean_missing": sum_or_zero(centre[at], unit[at] * m1, np.abs(centre[at]) + unit[at]),
        "mean_observed": sum_or_zero(centre[at], unit[at] * m0, np.abs(centre[at]) + unit[at]),
        "difference": difference,
        "p_value": _p_values(gap, (n1, v1, ss1), (n0, v0, ss0), two[at]),
    }


def _standard(values: Float[np.ndarray, "n b"], present: Bool[np.ndarray, "n b"]):
    """Columns less their centre, over their largest deviation, zero where not observed: no square overflows or cancels."""
    filled = np.where(present, values, 0.0)
    size = np.maximum(np.abs(filled).max(axis=0), np.finfo(float).tiny)
    count = np.maximum(present.sum(axis=0), 1)
    centre = (filled / size).sum(axis=0) / count
    z = np.where(present, filled / size - centre, 0.0)
    wide = np.abs(z).max(axis=0)
    varies = wide > 1e-14  # beyond the rounding of the centre
    return np.where(varies, z, 0.0) / np.where(varies, wide, 1.0), centre * size, np.where(varies, wide, 1.0) * size


def _two_counts(z: Float[np.ndarray, "n b"], present: Bool[np.ndarray, "n b"]):
    """Of columns with two values, how many rows have the upper and how many the lower."""
    upper = (present & (z > 0)).sum(axis=0)
    return upper, present.sum(axis=0) - upper


def _moments(n: np.ndarray, total: np.ndarray, square: np.ndarray):
    """Mean, variance (divisor n - 1) and sum of squared deviations, exactly zero for constant values."""
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = total / n
        deviations = square - total * mean
        deviations = np.where(deviations > _CONSTANT * square, deviations, 0.0)
        return mean, deviations / (n - 1), deviations


def _p_values(gap: np.ndarray, missing, observed, two: Bool[np.ndarray, " m"]) -> Float[np.ndarray, " m"]:
    (n1, v1, ss1), (n0, v0, ss0) = missing, observed
    n = n1 + n0
    apart = 1 / n1 + 1 / n0
    together = ss1 + ss0 + gap**2 / apart  # squared deviations from the mean of all rows
    e1, e0 = v1 / n1, v0 / n0
    welch = ~two & (v1 > 0) & (v0 > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        # Welch (1947), equation 28: df = (e1 + e0)^2 / (e1^2 / (n1 - 1) + e0^2 / (n0 - 1))
        share = e1 / (e1 + e0)
        df = np.where(welch, 1 / (share**2 / (n1 - 1) + (1 - share) ** 2 / (n0 - 1)), n - 2)
        t_squared = gap**2 / np.where(welch, e1 + e0, together / (n - 1) * apart)
    p = np.empty(len(gap))
    p[~two] = student_tails(t_squared[~two], df[~two])
    chi = gap[two] ** 2 / (together[two] / n[two] * apart[two])
    p[two] = chi_squared_tails(chi, np.ones(len(chi)))
    return p
