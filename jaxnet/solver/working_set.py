"""Working sets: which columns each set works on, in which slot, with their columns or Gram entries on the device.

The bookkeeping is NumPy on the host (a set's size is data, not a shape); the device arrays come in few, coarse sizes, and
loops over slots end with those in use. Slots fill from the left; an empty slot has index p and zeros for entries, so
that it never moves.
"""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from jaxnet.solver.view import View

SPAN = 128
"""Slots whose Gram entries are made at once; every width is a multiple of it."""
SMALL = 512
"""The least width, but for designs of fewer columns: narrower sets would save less than their programs take to compile."""
APPEND = 32
"""Slots that one append fills."""
GROWTH = 1.1
"""A new layout has room for so many times the slots it holds, so that the next columns join without another layout."""


@dataclass(frozen=True)
class WorkingSet:
    """`index` (S, W) columns by slot, `count` (S,) slots in use, `member` (S, p) columns present.

    On the device, in the working precision: a row of `View.entries` per slot.
    """

    index: Int[np.ndarray, "S W"]
    count: Int[np.ndarray, " S"]
    member: Bool[np.ndarray, "S p"]
    entries: Float[Array, "S W v"]
    by_rows: bool

    @property
    def width(self) -> int:
        return self.index.shape[1]

    @property
    def dtype(self) -> np.dtype:
        return self.entries.dtype

    @property
    def scaled(self) -> Float[Array, "S W n"] | None:
        """The scaled columns, if the inner problem goes through the rows."""
        return self.entries if self.by_rows else None

    @property
    def gram(self) -> Float[Array, "S W W"] | None:
        """The Gram matrix, if it goes through that."""
        return None if self.by_rows else self.entries


def build(view: View, columns: list[Int[np.ndarray, " k"]], dtype, least: int = 0) -> WorkingSet:
    """A working set that holds the given columns of each set, in that order, of a width of at least `least`."""
    sizes, p = np.array([len(c) for c in columns]), view.usable.shape[1]
    width = max(_width(int(GROWTH * sizes.max(initial=0)) + APPEND, p, view.by_rows), least)
    index = np.full((len(columns), width), p, np.int32)
    member = np.zeros((len(columns), p), bool)
    for s, chosen in enumerate(columns):
        index[s, : len(chosen)] = chosen
        member[s, chosen] = True
    return WorkingSet(index, sizes, member, _fill(view, index, np.dtype(dtype)), view.by_rows)


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
    ws.entries.delete()  # made anew from the view: two layouts at once would double the memory
    laid = build(view, columns, dtype, ws.width)
    order = np.full(laid.index.shape, ws.width, np.int32)
    for s, slots in enumerate(old):
        order[s, : len(slots)] = slots
    return laid, order


def _append(ws: WorkingSet, view: View, new: list[np.ndarray]) -> WorkingSet:
    index, count, member, entries = ws.index.copy(), ws.count.copy(), ws.member.copy(), ws.entries
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
        entries = _insert(view, entries, index.copy(), batch, offset)
    return WorkingSet(index, count, member, entries, ws.by_rows)


def _width(size: int, p: int, by_rows: bool) -> int:
    """Few widths, as each has its own programs: powers of two from SMALL on, through the rows without the second of them;
    no more than all p columns need."""
    width = SMALL
    while width < size:
        width *= 4 if by_rows and width == SMALL else 2
    return min(width, -(-p // SPAN) * SPAN)


@partial(jax.jit, static_argnums=2)
def _fill(view: View, index: Int[Array, "S W"], dtype) -> Float[Array, "S W v"]:
    """The entries of whole working sets, one set after the other."""
    one = lambda s: view.entries(view.atoms(index[s], s), index[s], s).astype(dtype)
    return lax.map(one, jnp.arange(index.shape[0]))


@partial(jax.jit, donate_argnums=1)
def _insert(view: View, entries, index, batch: Int[Array, "S M"], offset: Int[Array, " S"]) -> Float[Array, "S W v"]:
    """Write M new slots at each set's offset, in place; Gram entries also into the columns of the new slots."""

    def one(s, entries):
        mine = view.entries(view.atoms(batch[s], s), index[s], s).astype(entries.dtype)
        entries = lax.dynamic_update_slice(entries, mine[None], (s, offset[s], 0))
        return entries if view.by_rows else lax.dynamic_update_slice(entries, mine.T[None], (s, 0, offset[s]))

    return lax.fori_loop(0, batch.shape[0], one, entries)


def bytes_per_set(by_rows: bool, lanes: int, n: int, p: int) -> float:
    """Device bytes that a set needs at a typical working-set size, for cutting sweeps into chunks."""
    width = _width(min(p, n), p, by_rows)
    return 8.0 * (width * (n if by_rows else width) + 16 * lanes * p + 8 * lanes * width + 6 * p)
