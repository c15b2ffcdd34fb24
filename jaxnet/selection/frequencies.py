"""How often the fits to resamples select each column, and with which sign."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.result.grid import grid_position
from jaxnet.scalars import is_number

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxtyping import Float

    from jaxnet.result import SparseRows

CONFIDENCE = 0.95


class Frequencies(NamedTuple):
    """Of each column: the share `frequency` of resamples whose fit selects it, with `lower` and `upper` ends of its
    interval; and `positive`, the share of positive coefficients among those, nan where no resample selects it."""

    frequency: Float[np.ndarray, " k"]
    lower: Float[np.ndarray, " k"]
    upper: Float[np.ndarray, " k"]
    positive: Float[np.ndarray, " k"]

    def __repr__(self) -> str:
        ever = int(np.count_nonzero(self.frequency))
        most = f", the most frequent in {self.frequency.max():.0%}" if ever else ""
        return f"Frequencies: {ever:,} of {len(self.frequency):,} columns are ever selected{most}"


@dataclass(frozen=True, eq=False)
class SelectionFrequencies:
    """What the resamples of a sweep select at every grid point; made by `selection_frequencies`.

    `selected` and `positive` hold, as sparse rows in the order of the flattened (q,) R, A, how many of the `n_resamples`
    fits give each column a coefficient, and a positive one. `rho` (R,), `alphas` (R, A) or (q, R, A), `confidence` of the
    intervals, `feature_names` or None.
    """

    selected: SparseRows
    positive: SparseRows
    n_resamples: int
    rho: np.ndarray
    alphas: np.ndarray
    confidence: float
    feature_names: tuple[str, ...] | None

    def at(self, i: int, k: int, response: int | None = None) -> Frequencies:
        """The `Frequencies`, arrays (p,), at `rho[i]`, `alphas[i, k]` (of one response, if there are several).

        Negative positions count from the end. Raises InvalidInput outside the grid.
        """
        at = grid_position(self.alphas.shape, i, k, response, "at")
        row = int(np.ravel_multi_index(at, self.alphas.shape, mode="wrap"))
        return frequencies_of(self.selected.row(row), self.positive.row(row), self.n_resamples, self.confidence)

    def rows(self, i: int, k: int, response: int | None = None) -> list[dict]:
        """One dict per column that any resample selects there (column, name, frequency, lower, upper, positive), the most
        frequent first, as `pandas.DataFrame` takes them."""
        found = self.at(i, k, response)
        order = np.argsort(-found.frequency, kind="stable")
        names = self.feature_names or tuple(f"x{j}" for j in range(len(order)))
        parts = {name: part.tolist() for name, part in found._asdict().items()}
        return [
            {"column": j, "name": names[j], **{name: part[j] for name, part in parts.items()}}
            for j in order.tolist()
            if found.frequency[j] > 0
        ]

    def __repr__(self) -> str:
        points = " x ".join(map(str, self.alphas.shape))
        return (
            f"SelectionFrequencies: of {self.selected.n_columns:,} columns over {self.n_resamples} resamples at {points} "
            f"points, with {100 * self.confidence:g}% intervals"
        )


def selection_frequencies(result, *, confidence: float = CONFIDENCE) -> SelectionFrequencies:
    """How many of a sweep's folds or bootstraps select each column, at every point of the grid, with intervals and signs.

    A fit selects the columns to which it gives a nonzero coefficient; of F fits that select a column in k,

        frequency = k / F,   (c +- z sqrt(f (1 - f) / F + z^2 / (4 F^2))) / (1 + z^2 / F),   c = f + z^2 / (2 F)

    is the frequency f and Wilson's interval for it, z the normal quantile of `confidence`.

    - result: a `SweepResult` of `jaxnet.sweep(..., cv=..., keep_fold_coefs=True)`; for bootstraps, cv is a list of (train,
      test) index pairs whose train rows repeat.
    - confidence: of the intervals, between 0 and 1; default 0.95.

    Read the intervals as a description: they are those of F independent draws, and resamples have rows in common (two of K
    folds K - 2 of the K - 1 parts they train on), so that they agree more often than fresh data would. For a selection
    with a bound on its errors see `jaxnet.stability_selection`.

    Returns `SelectionFrequencies`. Raises InvalidInput for another `confidence`, and where the result has no fold
    coefficients.

    Reference: Wilson 1927; Brown, Cai and DasGupta 2001, "Interval estimation for a binomial proportion".

    >>> import jaxnet
    >>> X, y = jaxnet.load_diabetes(return_X_y=True)
    >>> result = jaxnet.sweep(X, y, rho=1.0, alphas=10, standardize=True, keep_fold_coefs=True)
    >>> found = jaxnet.selection_frequencies(result).at(0, 2)
    >>> found.frequency.tolist()
    [0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.2]
    >>> found.lower[[2, 9]].round(3).tolist(), found.positive[[2, 6]].tolist()
    ([0.566, 0.036], [1.0, 0.0])
    """
    if not is_number(confidence) or not 0 < confidence < 1:
        raise InvalidInput(f"confidence={confidence!r} must be above 0 and below 1; 0.95 is usual.")
    rows = fold_coefs(result)
    folds = result.gap.shape[-1] - 1
    chosen = (rows.values != 0) & np.isfinite(rows.values)  # a fit that diverged selects nothing
    point = np.repeat(np.arange(len(rows)), rows.counts())[chosen] // folds
    cell, back = np.unique(point * rows.n_columns + rows.columns[chosen], return_inverse=True)
    counts = [np.bincount(back, weights, len(cell)) for weights in (None, rows.values[chosen] > 0)]
    selected, positive = (_rows(cell, count, result.alphas.size, rows.n_columns) for count in counts)
    return SelectionFrequencies(
        selected=selected,
        positive=positive,
        n_resamples=folds,
        rho=result.rho,
        alphas=result.alphas,
        confidence=float(confidence),
        feature_names=result.feature_names,
    )


def fold_coefs(result) -> SparseRows:
    """The fold coefficients of a result; raises InvalidInput where there are none."""
    from jaxnet.result import SweepResult  # here, as results import this module

    if not isinstance(result, SweepResult):
        raise InvalidInput(f"result={result!r:.60} must be what jaxnet.sweep returns.")
    if result.fold_coefs is None:
        raise InvalidInput(
            "This result has no coefficients of folds: sweep again with folds (cv=5) and keep_fold_coefs=True."
        )
    return result.fold_coefs


def frequencies_of(selected: np.ndarray, positive: np.ndarray, n: int, confidence: float = CONFIDENCE) -> Frequencies:
    """From counts: in how many of n resamples columns are selected, and with a positive coefficient."""
    signs = np.divide(positive, selected, out=np.full(len(selected), np.nan), where=selected > 0)
    return Frequencies(selected / n, *wilson_interval(selected, n, confidence), signs)


def wilson_interval(k: np.ndarray, n: int, confidence: float) -> tuple[np.ndarray, np.ndarray]:
    """Wilson's interval for a share of which k of n draws were seen."""
    from statistics import NormalDist  # here, as only this needs it

    z = NormalDist().inv_cdf((1 + confidence) / 2)
    share = k / n
    centre = share + z**2 / (2 * n)
    half = z * np.sqrt(share * (1 - share) / n + (z / (2 * n)) ** 2)
    lower, upper = (centre - half) / (1 + z**2 / n), (centre + half) / (1 + z**2 / n)
    return np.where(k == 0, 0.0, lower), np.where(k == n, 1.0, upper)


def _rows(cell: np.ndarray, count: np.ndarray, points: int, width: int) -> SparseRows:
    from jaxnet.result import SparseRows  # here, as results import this module

    starts = np.searchsorted(cell, width * np.arange(points + 1))
    return SparseRows(count.astype(np.float64), (cell % width).astype(np.int32), starts, width)
