"""The order in which columns enter a path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from jaxtyping import Float, Int


def entry_ranks(path: Float[np.ndarray, "A p"]) -> Int[np.ndarray, " p"]:
    """The rank of each column by entry, 0 the first; p for columns that never enter.

    `path` holds standardised coefficients at decreasing alphas. A column enters at the first alpha at which it has a
    coefficient; of those that enter together, the largest absolute value there comes first, then the first column.

    >>> entry_ranks(np.array([[0.0, 0.0, 0.0], [0.2, 0.0, -0.3]])).tolist()
    [1, 3, 0]
    """
    count, p = path.shape
    nonzero = path != 0
    first = np.where(nonzero.any(axis=0), nonzero.argmax(axis=0), count)
    size = np.abs(np.take_along_axis(path, np.minimum(first, count - 1)[None], axis=0))[0]
    order = np.lexsort((-size, first))
    ranks = np.empty(p, int)
    ranks[order] = np.arange(p)
    return np.where(first < count, ranks, p)
