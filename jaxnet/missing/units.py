"""Columns with missing values in units of their own standard deviation, learnt from the rows of positive weight."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxtyping import Bool, Float

CONSTANT = 1e-12
"""A column whose standard deviation is below this share of its largest value is constant up to rounding."""


@dataclass(frozen=True)
class Units:
    """z = (x - mean) / sd. A column that is constant or was never observed has an sd of zero, and z = 0."""

    mean: Float[np.ndarray, " p"]
    sd: Float[np.ndarray, " p"]
    observed: Bool[np.ndarray, " p"]
    """columns with an observed value; the others are zero everywhere"""

    @classmethod
    def of(cls, X: Float[np.ndarray, "n p"], weights: Float[np.ndarray, " n"]) -> Units:
        """Weighted means and standard deviations of the observed cells; all rows are looked at."""
        seen = ~np.isnan(X)
        peak = np.max(np.where(seen, np.abs(X), 0.0), axis=0, initial=0.0)
        scale = np.where(peak > 0, peak, 1.0)
        x = np.where(seen, X / scale, 0.0)
        mass = seen * (weights / np.max(weights, initial=0.0) if len(weights) else weights)[:, None]
        total = mass.sum(axis=0)
        share = mass / np.where(total > 0, total, 1.0)
        mean = (share * x).sum(axis=0)
        sd = np.sqrt((share * (x - mean) ** 2).sum(axis=0))
        return cls(mean * scale, np.where(sd > CONSTANT, sd * scale, 0.0), seen.any(axis=0))

    def scaled(self, X: Float[np.ndarray, "m p"]) -> Float[np.ndarray, "m p"]:
        """z, zero where a value is missing."""
        varies = self.sd > 0
        z = (X - self.mean) / np.where(varies, self.sd, 1.0)
        return np.where(varies & ~np.isnan(X), z, 0.0)

    def filled(self, X: Float[np.ndarray, "m p"], Z: Float[np.ndarray, "... m p"]) -> Float[np.ndarray, "... m p"]:
        """X with missing values from Z."""
        return np.where(self.observed, np.where(np.isnan(X), self.mean + self.sd * Z, X), 0.0)
