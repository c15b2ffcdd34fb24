"""How missing values are filled: an approach with its options, and what it becomes once it was fitted to some rows.

Conventions: X is (n, p) in float64, nan where a value is missing; weights (n,) are at least zero, and rows of weight zero
are not looked at at all, so that what is learnt from training rows does not depend on others by a single bit. Integer
weights act as repeated rows where the method has a meaning for that. A column without any observed value on the rows of
positive weight is filled with zero everywhere: its coefficient is zero too.
"""

from abc import ABC, abstractmethod

import numpy as np
from jaxtyping import Float


class Filler(ABC):
    """A fitted fill; a leaf is a frozen dataclass of arrays, so that it can be inspected and saved."""

    @abstractmethod
    def fill(self, X: Float[np.ndarray, "m p"]) -> Float[np.ndarray, "m p"]:
        """A copy of rows, new ones or those of the fit, whose missing values are filled; each row by itself."""


class Fill(ABC):
    """An approach; a leaf is a frozen dataclass of options.

    A new approach is one file, one export and one entry of FILLS in tests/cases.py.
    """

    @abstractmethod
    def check(self) -> None:
        """Raise InvalidInput with a sentence for an option out of its range."""

    @abstractmethod
    def fit(self, X: Float[np.ndarray, "n p"], weights: Float[np.ndarray, " n"]) -> Filler:
        """Learn from the rows of positive weight."""
