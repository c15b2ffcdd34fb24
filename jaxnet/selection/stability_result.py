"""What stability selection found, as data: a module of its own, so that a saved one loads without JAX."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jaxnet.selection.bounds import StabilityParameters

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxtyping import Bool, Float

    from jaxnet.missing.preparation import Preparation


@dataclass(frozen=True, eq=False)
class StabilityResult:
    """What stability selection found; made by `stability_selection`.

    `frequencies` (p,): the share of half-samples that select each column; `selected` (p,): whether it is at least the
    cutoff; `paths` (A, p): the share of half-samples whose fit at `alphas` (A,) has the column; `parameters`: cutoff, q and
    the bound on the expected number of false selections; `bound`, its name; `n_pairs`; `rho`; `feature_names`, or None;
    `preparation`, as in a `SweepResult`, of which the p columns are, or None.
    """

    frequencies: Float[np.ndarray, " p"]
    selected: Bool[np.ndarray, " p"]
    paths: Float[np.ndarray, "A p"]
    alphas: Float[np.ndarray, " A"]
    rho: float
    parameters: StabilityParameters
    bound: str
    n_pairs: int
    feature_names: tuple[str, ...] | None
    preparation: Preparation | None = None

    def rows(self) -> list[dict]:
        """One dict per column (column, name, frequency, selected), the most frequent first, as `pandas.DataFrame` takes them."""
        names = self.feature_names or tuple(f"x{j}" for j in range(len(self.frequencies)))
        order = np.argsort(-self.frequencies, kind="stable")
        return [
            {
                "column": int(j),
                "name": names[j],
                "frequency": float(self.frequencies[j]),
                "selected": bool(self.selected[j]),
            }
            for j in order
        ]

    def __repr__(self) -> str:
        cutoff, q, false = self.parameters
        return (
            f"StabilityResult: {int(self.selected.sum())} of {len(self.selected)} columns are among the first {q:g} in at "
            f"least {cutoff:g} of {2 * self.n_pairs} half-samples; at most {false:.3g} of them falsely, in expectation "
            f"({self.bound})"
        )
