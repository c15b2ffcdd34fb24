"""What is missing in a table, before anything is fitted: how much, in which patterns, and whether it looks random."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxnet.data.arrays import raw_columns
from jaxnet.errors import InvalidInput
from jaxnet.missing.analysis.comparisons import Comparisons, compare
from jaxnet.missing.analysis.hints import Sentinel, find_hints, find_sentinels
from jaxnet.missing.analysis.little import LittleTest, little_test
from jaxnet.missing.analysis.summary import summary
from jaxnet.missing.columns import Columns
from jaxnet.scalars import is_whole

if TYPE_CHECKING:
    from jaxtyping import Bool, Int

WIDEST = 200
"""Columns, those with the most missing values, whose pairs are counted and whose rows are compared."""


@dataclass(frozen=True, eq=False)
class MissingPatterns:
    """The missing values of n rows and p columns; made by `missing_patterns`.

    - `names` (p,); `n_rows`; `n_missing` (p,), rows in which each column is missing; `rows_by_missing` (p + 1,), how many rows
      lack 0, 1, ..., p values;
    - `patterns` (K, p), True where missing, the distinct ones from the most frequent on (ties: the fewest missing first), with
      `counts` (K,) rows each; `n_patterns` of them there are in all, more than K if some were left out;
    - `monotone`: whether the rows lacking one column are among those lacking another, for every two columns, as in studies
      that people leave for good;
    - `pair_columns` (c,), the places of the (at most 200) columns with the most missing values, in the table's order, and
      `pairs` (c, c), the rows that lack both; on the diagonal those that lack the one;
    - `comparisons`: in which columns the rows that lack another differ from those that have it (`Comparisons`), the most
      striking of `n_comparisons`; `little`: `LittleTest`, or None with the reason in `little_reason`;
    - `sentinels`: numbers such as -999 that may stand for missing values (`Sentinel`); `hints`: sentences on these and on
      columns without values, constant ones, infinite values, labels.

    `rows()`, `pattern_rows()`, `pair_rows()` and `comparison_rows()` are tables; `str()` is a summary.

    >>> import numpy as np, jaxnet
    >>> found = jaxnet.missing_patterns(np.array([[1, np.nan, 3], [2, 5, np.nan], [np.nan, np.nan, np.nan], [4, 8, 2]]))
    >>> found.rows()[1], found.n_patterns, found.monotone
    ({'column': 'x1', 'missing': 2, 'share': 0.5}, 4, False)
    """

    names: tuple[str, ...]
    n_rows: int
    n_missing: Int[np.ndarray, " p"]
    rows_by_missing: Int[np.ndarray, " p+1"]
    patterns: Bool[np.ndarray, "K p"]
    counts: Int[np.ndarray, " K"]
    n_patterns: int
    monotone: bool
    pair_columns: Int[np.ndarray, " c"]
    pairs: Int[np.ndarray, "c c"]
    comparisons: Comparisons
    n_comparisons: int
    little: LittleTest | None
    little_reason: str
    sentinels: tuple[Sentinel, ...]
    hints: tuple[str, ...]

    @property
    def share(self) -> float:
        """The share of all values that is missing."""
        return float(self.n_missing.sum() / (self.n_rows * len(self.names)))

    @property
    def n_complete(self) -> int:
        """Rows in which nothing is missing."""
        return int(self.rows_by_missing[0])

    @property
    def any(self) -> bool:
        """Whether anything is missing at all."""
        return bool(self.n_missing.any())

    def rows(self) -> list[dict]:
        """One dict per column, in the table's order: column, missing (rows), share."""
        return [
            {"column": name, "missing": count, "share": count / self.n_rows}
            for name, count in zip(self.names, self.n_missing.tolist(), strict=True)
        ]

    def pattern_rows(self) -> list[dict]:
        """One dict per kept pattern, the most frequent first: rows, share, n_missing and the names of the missing columns."""
        return [
            {
                "rows": count,
                "share": count / self.n_rows,
                "n_missing": int(pattern.sum()),
                "missing": [self.names[j] for j in np.flatnonzero(pattern)],
            }
            for pattern, count in zip(self.patterns, self.counts.tolist(), strict=True)
        ]

    def pair_rows(self) -> list[dict]:
        """One dict per pair of columns that are ever missing together, the most often first: first, second, both (rows),
        either, and overlap = both / either."""
        first, second = np.triu_indices(len(self.pair_columns), 1)
        both, one = self.pairs[first, second], np.diag(self.pairs)
        either = one[first] + one[second] - both
        order = [i for i in np.argsort(-both, kind="stable") if both[i]]
        name = lambda at: self.names[self.pair_columns[at]]
        return [
            {
                "first": name(first[i]),
                "second": name(second[i]),
                "both": int(both[i]),
                "either": int(either[i]),
                "overlap": float(both[i] / either[i]),
            }
            for i in order
        ]

    def comparison_rows(self) -> list[dict]:
        """One dict per comparison, the most striking first: missing and other (columns), level ("" for numbers), n_missing,
        n_observed, mean_missing, mean_observed, difference (in pooled standard deviations), p_value, holm, bh."""
        parts = {name: list(part) for name, part in zip(Comparisons._fields, self.comparisons, strict=True)}
        for name in ("missing", "other"):
            parts[name] = [self.names[j] for j in parts[name]]
        plain = lambda value: value.item() if isinstance(value, np.generic) else value
        return [dict(zip(parts, map(plain, row), strict=True)) for row in zip(*parts.values(), strict=True)]

    def text(self) -> str:
        """A summary for a terminal."""
        return summary(self)

    def __str__(self) -> str:
        return self.text()

    def __repr__(self) -> str:
        columns = int((self.n_missing > 0).sum())
        return (
            f"MissingPatterns({self.n_rows:,} rows x {len(self.names):,} columns: {100 * self.share:.3g}% missing, "
            f"in {columns:,} columns and {self.n_rows - self.n_complete:,} rows, {self.n_patterns:,} patterns)"
        )


def missing_patterns(X: Any, *, max_patterns: int = 1000, max_comparisons: int = 100) -> MissingPatterns:
    """What is missing in a table, before anything is fitted: shares, patterns, pairs, differences, Little's test, hints.

    Rows i that lack column j are compared with the others in every column k that both sides have in at least 5 rows: numbers
    by their means (Welch), two values and the 20 most frequent levels of text by their shares (chi-squared), p-values
    adjusted over all comparisons. A difference says that values are not missing completely at random; filling by
    other columns may then do better than filling by means.

    - X: an array, nan where a value is missing, or a pandas, polars or pyarrow frame, in which None, NA and nan are missing.
      Text, categories and dates are welcome. Infinite values are no missing values: they are left out of the
      comparisons, and reported in the hints;
    - max_patterns: distinct patterns that are kept, the most frequent; the others are counted. Default 1,000;
    - max_comparisons: comparisons that are kept, the most striking; p-values are adjusted over all. Default 100.

    Of more than 200 columns with missing values, the 200 that lack most are compared and counted in pairs.

    Returns a `MissingPatterns`. Raises InvalidInput for what is no table, has no row or no column, or holds complex numbers.

    >>> import jaxnet, numpy as np
    >>> X, _ = jaxnet.load_diabetes(return_X_y=True)
    >>> X[X[:, 2] > 30, 8] = np.nan  # a measurement that was not made where another is high
    >>> jaxnet.missing_patterns(X).comparison_rows()[0]["other"]
    'x2'
    """
    for name, value, least in (("max_patterns", max_patterns, 1), ("max_comparisons", max_comparisons, 0)):
        if not is_whole(value) or value < least:
            raise InvalidInput(f"{name}={value!r} must be a whole number of at least {least}: how many to keep.")
    return analyse(Columns.of(*raw_columns(X)), int(max_patterns), int(max_comparisons))


def analyse(columns: Columns, max_patterns: int = 1000, max_comparisons: int = 100) -> MissingPatterns:
    """`missing_patterns` of columns that were read already."""
    missing = columns.missing
    n, p = missing.shape
    n_missing = missing.sum(axis=0)
    patterns, counts = _distinct(missing)
    most = np.argsort(-n_missing, kind="stable")[:WIDEST]
    pair_columns = np.sort(most[n_missing[most] > 0])
    gaps = missing[:, pair_columns].astype(np.float64)
    comparisons, n_comparisons = compare(columns, pair_columns, max_comparisons)
    little, reason = little_test(columns.numbers)
    sentinels = find_sentinels(columns)
    return MissingPatterns(
        names=columns.names,
        n_rows=n,
        n_missing=n_missing,
        rows_by_missing=np.bincount(missing.sum(axis=1), minlength=p + 1),
        patterns=patterns[:max_patterns].copy(),
        counts=counts[:max_patterns].copy(),
        n_patterns=len(counts),
        monotone=_is_monotone(patterns, n_missing),
        pair_columns=pair_columns,
        pairs=(gaps.T @ gaps).astype(np.int64),
        comparisons=comparisons,
        n_comparisons=n_comparisons,
        little=little,
        little_reason=reason,
        sentinels=sentinels,
        hints=find_hints(columns, sentinels),
    )


def _distinct(missing: Bool[np.ndarray, "n p"]) -> tuple[Bool[np.ndarray, "K p"], Int[np.ndarray, " K"]]:
    """The distinct rows and how often each occurs, the most frequent first, then those with the fewest missing."""
    bits = np.ascontiguousarray(np.packbits(missing, axis=1))
    keys = bits.view(np.dtype((np.void, bits.shape[1]))).ravel()
    first, counts = np.unique(keys, return_index=True, return_counts=True)[1:]
    order = np.lexsort((first, missing[first].sum(axis=1), -counts))
    return missing[first[order]], counts[order]


def _is_monotone(patterns: Bool[np.ndarray, "K p"], n_missing: Int[np.ndarray, " p"]) -> bool:
    """Whether, columns ordered by how often they are missing, a row that lacks one lacks all that follow."""
    ordered = patterns[:, np.argsort(n_missing, kind="stable")]
    return bool((ordered[:, :-1] <= ordered[:, 1:]).all())
