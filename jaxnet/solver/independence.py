"""Which lanes have collinear active columns, as far as it is cheap to know.

Looked at are supports that may well be dependent:

- of up to FEW columns, or where X has no more than TABLE, any. Along a path they have most columns in common, and what lies
  within columns that were found independent needs no look of its own;
- others: the twins among them, columns whose correlation with y is the same but for its sign, as with copies and complements;
- and the whole support where it has as many columns as there are rows.

So three or more dependent columns, none a twin, in large supports of wide data are left as the solver has them. What a walk
has seen before saves work and decides nothing.
"""

from contextlib import AbstractContextManager, nullcontext
from typing import NamedTuple

import jax
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxnet.execution.threads import one_thread
from jaxnet.solver.view import View, per_set_matmul
from jaxnet.solver.working_set import WorkingSet

RANK = 1e-11
"""Of the largest eigenvalue of a Gram matrix of unit columns: smaller ones are zero."""
CLEAR = 1e-6
"""Cholesky pivots of such a matrix beyond this are far from it."""
FEW, TABLE, MOST = 32, 128, 1024
"""Beyond MOST columns a factorisation takes too long."""
SMALL = 64
"""BLAS factorises matrices of up to so many rows on the calling thread."""
ALIKE = 1e-9
"""Correlations with y that differ by less are the same."""


class Dependence(NamedTuple):
    """Changes of the coefficients in `slots` (k,) that X does not see: an orthonormal basis of them, in units of coefficient
    times norm of the column; unpenalised columns may make up for them. X'X makes them `values` times as long, next to nothing."""

    slots: Int[np.ndarray, " k"]
    null: Float[np.ndarray, "k d"]
    values: Float[np.ndarray, " d"]
    norm: Float[np.ndarray, " k"]


class Independence:
    """The columns of every set that a walk has found independent, all together; correlations with y; and numbers of rows."""

    def __init__(self):
        self._known: dict[int, Bool[np.ndarray, " p"]] = {}
        self._pull: Float[np.ndarray, "S p"] | None = None
        self._rows: Int[np.ndarray, " S"] | None = None

    def dependences(
        self, view: View, sd: Float[Array, "S p"], ws: WorkingSet, active: Bool[np.ndarray, "S L W"], pinned: int, lanes
    ) -> dict[tuple[int, int], Dependence]:
        """Of the `lanes` (S, L): those whose `active` columns are collinear up to rounding. The first `pinned` slots, of the
        unpenalised columns, always count as active."""
        active[:, :, :pinned] = lanes[..., None]
        if self._rows is None:
            most = np.full(len(lanes), view.usable.shape[1] + 1)
            self._rows = np.sum(np.asarray(view.train) > 0, axis=1) if view.by_rows else most
        count, found = active.sum(axis=2), {}
        size = view.usable.shape[1] if view.usable.shape[1] <= TABLE else FEW
        for s in np.flatnonzero(lanes.any(axis=1)):
            likely = ws.index[s, : ws.count[s]]
            few = lanes[s] & (count[s] <= size)
            if few.any() and self._independent(view, s, ws.index[s, active[s, few].any(axis=0)], likely[:size]):
                few[:] = False
            for lane in np.flatnonzero(lanes[s]):
                slots = np.flatnonzero(active[s, lane])
                if self._rows[s] <= len(slots) <= MOST:
                    pass
                elif len(slots) > size:
                    slots = slots[(slots < pinned) | self._repeated(view, sd, s, ws.index[s, slots])]
                elif not few[lane] or self._independent(view, s, ws.index[s, slots], likely[:size]):
                    continue
                if len(slots) > pinned:
                    null, values, norm = null_space(view, s, ws.index[s, slots], pinned)
                    if len(values):
                        found[int(s), int(lane)] = Dependence(slots[pinned:], null, values, norm)
        return found

    def _independent(self, view: View, s: int, columns: Int[np.ndarray, " k"], likely: Int[np.ndarray, " m"]) -> bool:
        """Whether columns are independent beyond doubt; looked at first with others `likely` to be active."""
        known = self._known.get(s)
        if known is not None and known[columns].all():
            return True
        for chosen in (np.union1d(likely, columns), columns):
            if _least_pivot(_unit_gram(view, s, chosen)[0]) > CLEAR:
                self._known[s] = np.zeros(view.usable.shape[1], bool)
                self._known[s][chosen] = True
                return True
        return False

    def _repeated(self, view: View, sd, s: int, columns: Int[np.ndarray, " k"]) -> Bool[np.ndarray, " k"]:
        """Which of the columns have a twin among them."""
        if self._pull is None:
            size = np.asarray(sd) * np.sqrt(np.maximum(np.asarray(view.moment), 0.0))[:, None]
            self._pull = np.abs(np.divide(np.asarray(view.cross), size, out=np.zeros(size.shape), where=size > 0))
        pull = self._pull[s, columns]
        order = np.argsort(pull)
        near = np.diff(pull[order]) <= ALIKE
        repeated = np.zeros(len(columns), bool)
        repeated[order[:-1]] |= near
        repeated[order[1:]] |= near
        return repeated


def null_space(
    view: View, s: int, columns: Int[np.ndarray, " M"], pinned: int
) -> tuple[Float[np.ndarray, "k d"], Float[np.ndarray, " d"], Float[np.ndarray, " k"]]:
    """`Dependence.null`, `values` and `norm` of the k columns after the first `pinned` ones, those without a penalty."""
    gram, norm = _unit_gram(view, s, columns)
    free, rest = np.s_[:pinned], np.s_[pinned:]
    if pinned:
        inverse = np.linalg.pinv(gram[free, free], RANK, hermitian=True)
        gram = gram[rest, rest] - gram[rest, free] @ inverse @ gram[free, rest]
    with _threads(len(gram)):
        values, vectors = np.linalg.eigh(gram)
    none = values <= RANK * max(values[-1:].max(initial=1.0), 1.0)
    return vectors[:, none], np.abs(values[none]), norm[rest]


def _least_pivot(gram: Float[np.ndarray, "k k"]) -> float:
    """Of the Cholesky factorisation; zero where there is none."""
    try:
        with _threads(len(gram)):
            return float(np.diagonal(np.linalg.cholesky(gram)).min(initial=1.0) ** 2)
    except np.linalg.LinAlgError:
        return 0.0


def _threads(size: int) -> AbstractContextManager:
    """One thread for matrices that BLAS would share among several."""
    return one_thread() if size > SMALL else nullcontext()


def _unit_gram(view: View, s: int, columns: Int[np.ndarray, " M"]) -> tuple[np.ndarray, np.ndarray]:
    """The Gram matrix (M, M) of the columns divided by their norms, and these."""
    padded = np.full(1 << max(len(columns) - 1, 15).bit_length(), view.usable.shape[1], np.int32)
    padded[: len(columns)] = columns
    gram = np.asarray(_gram(view, padded, s))[: len(columns), : len(columns)]
    norm = np.sqrt(np.diagonal(gram))
    unit = np.divide(1.0, norm, out=np.zeros_like(norm), where=norm > 0)
    return gram * np.outer(unit, unit), norm


@jax.jit
def _gram(view: View, index: Int[Array, " M"], s) -> Float[Array, "M M"]:
    entries = view.entries(view.atoms(index, s), index, s)
    return per_set_matmul(entries[None], entries[None], transpose=True)[0] if view.by_rows else entries
