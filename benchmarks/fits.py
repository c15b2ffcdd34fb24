"""Coefficients of many fits, as compressed sparse rows: what a solver hands to the judge."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Fits:
    """Row l holds `columns[starts[l]:starts[l+1]]`; rows run over (G, q, R, A) in C order (see `Problem.grid`)."""

    values: np.ndarray
    columns: np.ndarray
    starts: np.ndarray

    def __len__(self) -> int:
        return len(self.starts) - 1

    def counts(self) -> np.ndarray:
        """Nonzeros per fit."""
        return np.diff(self.starts)

    def rows(self, order: np.ndarray) -> "Fits":
        """The fits in another order, or some of them."""
        counts = self.counts()[order]
        starts = np.concatenate([[0], np.cumsum(counts)])
        source = np.repeat(self.starts[:-1][order] - starts[:-1], counts) + np.arange(starts[-1])
        return Fits(self.values[source], self.columns[source], starts)

    def save(self, path: Path) -> None:
        """Write for `load_fits`."""
        np.savez(path, values=self.values, columns=self.columns.astype(np.int32), starts=self.starts)


def load_fits(path: Path) -> Fits:
    """Read what `Fits.save` wrote."""
    with np.load(path) as stored:
        return Fits(stored["values"], stored["columns"], stored["starts"])


def from_dense(path: np.ndarray) -> Fits:
    """From coefficients (p, A), one column per fit."""
    fit, column = np.nonzero(path.T)
    return Fits(path.T[fit, column], column, np.searchsorted(fit, np.arange(path.shape[1] + 1)))


def concatenate(parts: Sequence[Fits]) -> Fits:
    """All fits of the parts, in order."""
    counts = np.concatenate([part.counts() for part in parts])
    return Fits(
        np.concatenate([part.values for part in parts]),
        np.concatenate([part.columns for part in parts]),
        np.concatenate([[0], np.cumsum(counts)]),
    )
