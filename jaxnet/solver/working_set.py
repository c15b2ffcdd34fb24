"""Working sets: which columns each set works on, in which slot, with their columns or Gram entries on the device.

The bookkeeping is NumPy on the host (a set's size is data, not a shape); the device arrays come in few, coarse sizes, and
loops over slots end with those in use. Slots fill from the left; an empty slot has index p, a zero column and zero Gram
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

from jaxnet.solver.view import GramView, RowView, View

SPAN = 128
"""Slots whose Gram entries are made at once; every width is a multiple of it."""
SMALL = 512
"""The least width, but for designs of fewer columns: narrower sets would save less than their programs take to compile."""
APPEND = 32
"""Slots that one append fills."""
GROWTH = 1.1
"""A new layout has room for so many times the slots it holds, so that the next columns join without another layout."""


class Arrays(NamedTuple):
    """On the device, in the working precision: `scaled`, the centred columns times the roots of the row weights (None in a
    Gram view); `gram`, the Gram matrix (v = W), or nothing (v = 0) in the row form, of a set large against n."""

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
    lanes: int

    @property
    def width(self) -> int:
        return self.index.shape[1]

    @property
    def row_form(self) -> Float[Array, "S W n"] | None:
        """The scaled columns if the inner problem goes through the rows, None if it has the whole Gram matrix."""
        return None if self.arrays.gram.shape[2] else self.arrays.scaled


def build(view: View, columns: list[Int[np.ndarray, " k"]], lanes: int, dtype, least: int = 0) -> WorkingSet:
    """A working set that holds the given columns of each set, in that order, of a width of at least `least`."""
    sizes, p = np.array([len(c) for c in columns]), view.usable.shape[1]
    width = max(_width(int(GROWTH * sizes.max(initial=0)) + APPEND, p, lanes, _rows(view)), least)
    index = np.full((len(columns), width), p, np.int32)
    member = np.zeros((len(columns), p), bool)
    for s, chosen in enumerate(columns):
        index[s, : len(chosen)] = chosen
        member[s, chosen] = True
    arrays = _fill(view, index, width > _rows(view), np.dtype(dtype))
    return WorkingSet(index, sizes, member, arrays, np.dtype(dtype), lanes)


def _rows(view: View) -> float:
    """The width beyond which a restricted problem goes through the rows."""
    return max(view.y.shape[1], SPAN) if isinstance(view, RowView) else np.inf


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
    laid = build(view, columns, ws.lanes, dtype, ws.width)
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
    return WorkingSet(index, count, member, arrays, ws.dtype, ws.lanes)


def _width(size: int, p: int, lanes: int, rows: float) -> int:
    """Few widths, as each has its own programs: SMALL, then powers of two in the Gram form; in the row form one that a set
    of so many lanes seldom outgrows (each has at most about as many nonzeros as there are rows), then powers of four.

    Never more than all p columns need.
    """
    width = SMALL
    while width < size:
        width = 2 * width if 2 * width <= rows else max(4 * width, _power_of_two(lanes * rows))
    return min(width, -(-p // SPAN) * SPAN)


def _power_of_two(size: float) -> int:
    return 1 << (int(size) - 1).bit_length()


@partial(jax.jit, static_argnums=(2, 3))
def _fill(view: View, index: Int[Array, "S W"], by_rows: bool, dtype) -> Arrays:
    """The arrays of whole working sets, one set after the other."""

    def one(s):
        mine = view.scaled(view.atoms(index[s], s), s).astype(dtype)
        square = jnp.zeros((len(mine), 0), dtype) if by_rows else view.gram(mine, mine, index[s])
        return Arrays(mine if isinstance(view, RowView) else None, square)

    return lax.map(one, jnp.arange(index.shape[0]))


@partial(jax.jit, donate_argnums=1)
def _insert(view: View, arrays: Arrays, index, batch: Int[Array, "S M"], offset: Int[Array, " S"]) -> Arrays:
    """Write M new slots at each set's offset: columns, and Gram entries with all slots in use, in place."""
    by_rows = not arrays.gram.shape[2]
    write = lambda x, part, s, *at: lax.dynamic_update_slice(x, part[None], (s, *at))

    def one(s, state: Arrays) -> Arrays:
        start = offset[s]
        mine = view.scaled(view.atoms(batch[s], s), s).astype(state.gram.dtype)
        if state.scaled is not None:
            state = state._replace(scaled=write(state.scaled, mine, s, start, 0))
        return state if by_rows else state._replace(gram=rows_and_columns(state, mine, s, start))

    def rows_and_columns(state: Arrays, mine, s, start):
        def span(i, gram):
            slots = lax.dynamic_slice(index, (s, i * SPAN), (1, SPAN))[0]
            others = None
            if state.scaled is not None:
                others = lax.dynamic_slice(state.scaled, (s, i * SPAN, 0), (1, SPAN, state.scaled.shape[2]))[0]
            part = view.gram(mine, others, slots)
            return write(write(gram, part, s, start, i * SPAN), part.T, s, i * SPAN, start)

        return lax.fori_loop(0, -(-(start + batch.shape[1]) // SPAN), span, state.gram)

    return lax.fori_loop(0, batch.shape[0], one, arrays)


def bytes_per_set(view_type: type[View], lanes: int, n: int, p: int) -> float:
    """Device bytes that a set needs at a typical working-set size, for cutting sweeps into chunks."""
    width = _width(min(p, n), p, lanes, np.inf)
    rows = 0 if view_type is GramView else 0.5 * n
    return 8.0 * (width * (rows + width) + 16 * lanes * p + 8 * lanes * width + 6 * p)
