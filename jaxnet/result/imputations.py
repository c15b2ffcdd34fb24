"""The fits to each filling of a sweep with multiple imputation, of which its coefficients are the mean."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jaxnet.result.sparse_rows import SparseRows

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxtyping import Float


@dataclass(frozen=True, eq=False)
class Imputations:
    """Full-data fits to m fillings: `coefs` as sparse rows in the order of the flattened (q,) R, A, m; `intercepts` (R, A, m).

    With q responses `intercepts` has a leading axis q.
    """

    coefs: SparseRows
    intercepts: Float[np.ndarray, "*q R A m"]

    def __repr__(self) -> str:
        grid = " x ".join(map(str, self.intercepts.shape[:-1]))
        return f"Imputations: fits to {self.m} fillings at {grid} points of {self.coefs.n_columns:,} columns"

    @property
    def m(self) -> int:
        """How many fillings."""
        return self.intercepts.shape[-1]

    def at(self, i: int, k: int, response: int | None = None) -> Float[np.ndarray, "m p"]:
        """The coefficients at `rho[i]`, `alphas[i, k]` (of one response, if there are several), one row per filling."""
        place = (i, k) if response is None else (response, i, k)
        first = int(np.ravel_multi_index((*place, 0), self.intercepts.shape))
        return np.stack([self.coefs.row(first + d) for d in range(self.m)])
