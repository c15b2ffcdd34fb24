"""Complete cases: rows with a missing value are left out."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from jaxnet.missing.fill import Fill, Filler, Layout
from jaxnet.missing.simple import SimpleFill


@dataclass(frozen=True)
class CompleteCases(Fill):
    """Only rows without a missing value are fitted, and held-out errors are of such rows only.

    With a `column_limit` (`jaxnet.Missing`) each fit first does without the columns that miss more of its training rows, and
    takes the rows that are complete in the others. Unbiased where rows are complete by chance, or by what X says; wasteful
    where many columns miss a little. Predictions of a row are nan where a column with a coefficient is missing.

    >>> import numpy as np
    >>> X = np.array([[1.0, np.nan], [3.0, 4.0]])
    >>> CompleteCases().fit(X, np.ones(2)).fill(X).tolist()
    [[1.0, nan], [3.0, 4.0]]
    """

    complete_rows: ClassVar[bool] = True

    def check(self) -> None:
        pass

    def fit(self, X, weights):
        return Unfilled()

    def lay_out(self, table, *, dtype, centred):
        from jaxnet.design.dense import DenseDesign

        # Columns are stored about the mean of what is observed: a zero in its place would hide a large offset.
        means = np.nan_to_num(SimpleFill("mean").values(table.X, np.ones((1, len(table.X))))[0], nan=0.0)
        return Layout(*DenseDesign.build(table.X, dtype=dtype, centred=centred, fill=means), Unfilled())


@dataclass(frozen=True)
class Unfilled(Filler):
    """Leaves missing values as they are."""

    def fill(self, X):
        return np.array(X)
