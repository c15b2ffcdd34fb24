"""What the engine asks of X, whatever it is made of.

A group of row weights may see an X of its own (its missing values are filled by what its training rows say), so everything
that is asked of X is asked for a group: `group` has the number of one for each of S sets, or of a single one.

Conventions: n rows, p columns, both padded to size classes (padded rows carry no weight, padded columns are unusable);
arrays are feature-major, so that a column is contiguous. What is stored is conditioned: X = center + scale * stored.
"""

from abc import ABC, abstractmethod
from typing import ClassVar, NamedTuple

import numpy as np
from jaxtyping import Array, Float, Int


class Conditioning(NamedTuple):
    """How X relates to what is stored, per real column: `scale` is a power of two (exact), `center` mostly zero."""

    center: np.ndarray
    scale: np.ndarray


class Design(ABC):
    """An interface; a leaf implements every method and is a pytree. `varies`: groups may see different values."""

    varies: ClassVar[bool]

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int]:
        """(n, p), padding included."""

    @abstractmethod
    def columns(self, index: Int[Array, "*batch"], group: Int[Array, ""]) -> Float[Array, "*batch n"]:
        """The stored columns at `index`; zeros where the index is p (an empty slot)."""

    @abstractmethod
    def matmul(self, coefficients: Float[Array, "S L p"], group: Int[Array, " S"]) -> Float[Array, "S L n"]:
        """`coefficients[s] @ stored'`, accumulated in float64."""

    @abstractmethod
    def combine(
        self, B: Float[Array, "S L W"], index: Int[Array, "S W"], used: Int[Array, " S"], group: Int[Array, " S"]
    ) -> Float[Array, "S L n"]:
        """`B[s] @ stored[index[s]]` for every s, over the first `used[s]` columns, for B with many zeros."""

    @abstractmethod
    def rmatmul(self, rows: Float[Array, "S L n"], group: Int[Array, " S"]) -> Float[Array, "S L p"]:
        """`rows[s] @ stored`, accumulated in float64."""

    @abstractmethod
    def squares(self, rows: Float[Array, "S L n"], group: Int[Array, " S"]) -> Float[Array, "S L p"]:
        """`rows[s] @ stored**2`, accumulated in float64."""

    @abstractmethod
    def second_moments(
        self, rows: Int[Array, " m"], weights: Float[Array, " m"], others: Float[Array, "k m"], group: Int[Array, ""]
    ) -> tuple[Float[Array, "p p"], Float[Array, "k p"]]:
        """`stored' W stored` and `others W stored` over the given rows, W = diag(weights), in float64; a row number of n
        counts for nothing."""

    @abstractmethod
    def outer(self, weights: Float[Array, " p"], group: Int[Array, ""]) -> Float[Array, "n n"]:
        """`stored diag(weights) stored'` over the columns, in float64."""


def size_class(size: int) -> int:
    """The padded size, so that nearby sizes share compiled programs.

    The least m 2^k >= size with m in 8..15, at least 16, by steps of 8 or more.
    """
    if size <= 16:
        return 16
    unit = 1 << max((size - 1).bit_length() - 4, 3)
    return -(-size // unit) * unit
