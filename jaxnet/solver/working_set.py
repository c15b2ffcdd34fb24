"""Working sets: which columns each set works on, in which slot, with their atoms and Gram entries on the device.

The bookkeeping is NumPy on the host (a set's size is data, not a shape); the device arrays come in few, coarse sizes, and
loops over slots end with those in use. Slots fill from the left; an empty slot has index p, a zero atom and zero Gram
entries, so that it never moves.
"""

from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from jaxnet.solver.coordinate import BLOCK
from jaxnet.solver.restricted import SPAN
from jaxnet.solver.view import FULL, GramView, RowView, View

APPEND = 32
"""Slots that one append fills."""
GROWTH = 1.25
"""A new layout has room for so many times the slots it holds, so that the next columns join without another layout."""


class Arrays(NamedTuple):
    """On the device: `atoms` (view.py); `scaled`, the centred columns times the roots of the row weights, in the working
    precision (None in a Gram view); `gram`, the Gram matrix (v = W), or in the row form (a set large against n) the
    diagonal blocks of it (v = BLOCK)."""

    atoms: Float[Array, "S W m"]
    scaled: Float[Array, "S W n"] | None
    gram: Float[Array, "S W v"]


@dataclass(frozen=True)
class WorkingSet:
    """`index` (S, W) columns by slot, `count` (S,) slots in use, `member` (S, p) columns present; device arrays beside."""

    index: Int[np.ndarray, "S W"]
    count: Int[np.ndarray, " S"]
    member: Bool[np.ndarray, "S p"]
    arrays: Arrays
    dtype: np.dtype

    @property
    def width(self) -> int:
        return self.index.shape[1]

    @property
    def row_form(self) -> Float[Array, "S W n"] | None:
        """The scaled columns if the inner problem goes through the rows, None if it has the whole Gram matrix."""
        return self.arrays.scaled if self.arrays.gram.shape[2] != self.width else None


def build(view: View, columns: list[Int[np.ndarray, " k"]], p: int, dtype, least: int = 0) -> WorkingSet:
    """A working set that holds the given columns of each set, in that order, of a width of at least `least`."""
    sizes = np.array([len(c) for c in columns])
    width = max(_width(int(GROWTH * sizes.max(initial=0)) + APPEND), least)
    index = np.full((len(columns), width), p, np.int32)
    member = np.zeros((len(columns), p), bool)
    for s, chosen in enumerate(columns):
        index[s, : len(chosen)] = chosen
        member[s, chosen] = True
    by_rows = isinstance(view, RowView) and width > 2 * view.y.shape[1]
    return WorkingSet(index, sizes, member, _fill(view, index, by_rows, np.dtype(dtype)), np.dtype(dtype))


def extend(ws: WorkingSet, view: View, wanted: Bool[np.ndarray, "S p"], busy) -> tuple[WorkingSet, np.ndarray | None]:
    """Add the wanted columns. Returns the new set and, where slots moved, their old slots (S, W'), ws.width if none.

    `busy()` gives (S, W) which slots are worth keeping; it is asked only when the slots must be laid out anew.
    """
    new = [np.flatnonzero(row) for row in wanted & ~ws.member]
    sizes = np.array([len(columns) for columns in new])
    if not sizes.any():
        return ws, None
    if (ws.count + sizes).max() + APPEND <= ws.width:  # every batch writes to every set, zeros beyond its newcomers
        return _append(ws, view, new), None
    kept = busy() & (ws.index < ws.member.shape[1])
    return _lay_out(ws, view, [np.flatnonzero(row) for row in kept], new, ws.dtype)


def widen(ws: WorkingSet, view: View) -> tuple[WorkingSet, np.ndarray]:
    """The same slots in double precision."""
    return _lay_out(ws, view, [np.arange(c) for c in ws.count], [np.empty(0, int)] * len(ws.count), np.float64)


def _lay_out(ws: WorkingSet, view: View, old: list, new: list, dtype) -> tuple[WorkingSet, np.ndarray]:
    """A fresh layout: the kept slots of each set, then its newcomers; with the old slot of every new one."""
    columns = [np.concatenate([ws.index[s, o], new[s]]) for s, o in enumerate(old)]
    laid = build(view, columns, ws.member.shape[1], dtype, ws.width)
    order = np.full(laid.index.shape, ws.width, np.int32)
    for s, slots in enumerate(old):
        order[s, : len(slots)] = slots
    return laid, order


def _append(ws: WorkingSet, view: View, new: list[np.ndarray]) -> WorkingSet:
    index, count, member, arrays = ws.index.copy(), ws.count.copy(), ws.member.copy(), ws.arrays
    for start in range(0, max(map(len, new)), APPEND):
        batch = np.full((len(new), APPEND), member.shape[1], np.int32)
        offset = count.copy()
        for s, columns in enumerate(new):
            part = columns[start : start + APPEND]
            batch[s, : len(part)] = part
            index[s, count[s] : count[s] + len(part)] = part
            member[s, part] = True
            count[s] += len(part)
        # A copy: the device may still read this call's index when the next one writes into it.
        arrays = _insert(view, arrays, index.copy(), batch, offset)
    return WorkingSet(index, count, member, arrays, ws.dtype)


def _width(size: int) -> int:
    """Few sizes: 128, then powers of two from 512."""
    return SPAN if size <= SPAN else max(4 * SPAN, 1 << (size - 1).bit_length())


@partial(jax.jit, static_argnums=(2, 3))
def _fill(view: View, index: Int[Array, "S W"], by_rows: bool, dtype) -> Arrays:
    """The arrays of whole working sets, one set after the other."""

    def one(s):
        atoms = view.atoms(index[s], s)
        mine = view.scaled(atoms, s).astype(dtype)
        if by_rows:
            blocks = mine.reshape(-1, BLOCK, mine.shape[1])
            square = jnp.einsum("bkn,bjn->bkj", blocks, blocks, precision=FULL).reshape(-1, BLOCK)
        else:
            square = view.gram(mine, mine, index[s])
        return Arrays(atoms, mine if isinstance(view, RowView) else None, square)

    return lax.map(one, jnp.arange(index.shape[0]))


@partial(jax.jit, donate_argnums=1)
def _insert(view: View, arrays: Arrays, index, batch: Int[Array, "S M"], offset: Int[Array, " S"]) -> Arrays:
    """Write M new slots at each set's offset: atoms, and Gram rows and columns up to the last slot in use, in place."""
    by_rows = arrays.gram.shape[2] != arrays.atoms.shape[1]
    write = lambda x, part, s, *at: lax.dynamic_update_slice(x, part[None], (s, *at))

    def one(s, state: Arrays) -> Arrays:
        start = offset[s]
        fresh = view.atoms(batch[s], s)
        mine = view.scaled(fresh, s).astype(state.gram.dtype)
        scaled = state.scaled if state.scaled is None else write(state.scaled, mine, s, start, 0)
        state = Arrays(write(state.atoms, fresh, s, start, 0), scaled, state.gram)
        return state._replace(gram=_diagonal(state, s, start) if by_rows else rows_and_columns(state, mine, s, start))

    def rows_and_columns(state: Arrays, mine, s, start):
        source = state.atoms if state.scaled is None else state.scaled

        def span(i, gram):
            others = lax.dynamic_slice(source, (s, i * SPAN, 0), (1, SPAN, source.shape[2]))[0]
            part = view.gram(mine, others, lax.dynamic_slice(index, (s, i * SPAN), (1, SPAN))[0]).astype(gram.dtype)
            return write(write(gram, part, s, start, i * SPAN), part.T, s, i * SPAN, start)

        return lax.fori_loop(0, -(-(start + batch.shape[1]) // SPAN), span, state.gram)

    return lax.fori_loop(0, batch.shape[0], one, arrays)


def _diagonal(state: Arrays, s, start):
    """The diagonal blocks with those (at most two) made anew that the slots from `start` fall into."""
    gram, last = state.gram, state.scaled.shape[1] // BLOCK - 1
    for touched in (start // BLOCK, jnp.minimum(start // BLOCK + 1, last)):
        at = (s, touched * BLOCK, 0)
        rows = lax.dynamic_slice(state.scaled, at, (1, BLOCK, state.scaled.shape[2]))[0]
        gram = lax.dynamic_update_slice(gram, jnp.matmul(rows, rows.T, precision=FULL)[None], at)
    return gram


def bytes_per_set(view_type: type[View], lanes: int, n: int, p: int) -> float:
    """Device bytes that a set needs at a typical working-set size, for cutting sweeps into chunks."""
    width = min(_width(min(p, n)), _width(p))
    atom = p if view_type is GramView else 1.5 * n
    return 8.0 * (width * (atom + width) + 8 * lanes * p + 4 * lanes * width + 6 * p)
