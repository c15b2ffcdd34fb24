"""Working sets: which columns each set works on, in which slot, with their atoms and Gram entries on the device.

The bookkeeping is NumPy on the host (a set's size is data, not a shape); the device arrays come in few, coarse sizes. Slots
fill from the left; an empty slot has index p, a zero atom and zero Gram entries, so that it never moves.
"""

from dataclasses import dataclass
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jaxtyping import Array, Bool, Float, Int

from jaxnet.solver.coordinate import BLOCK
from jaxnet.solver.view import FULL, GramView, RowView, View

APPEND = 16
"""Slots that one append fills; more newcomers than four appends hold rebuild the whole set."""

SMALLEST = 64


@dataclass(frozen=True)
class WorkingSet:
    """`index` (S, W) columns by slot, `count` (S,) slots in use, `member` (S, p) columns present; device arrays beside them.

    `gram` is (S, W, W), or in the row form (a set large against n) its diagonal blocks (S, W, BLOCK), with `scaled` holding
    the atoms times the square roots of the row weights.
    """

    index: Int[np.ndarray, "S W"]
    count: Int[np.ndarray, " S"]
    member: Bool[np.ndarray, "S p"]
    atoms: Float[Array, "S W m"]
    gram: Float[Array, "S W v"]
    scaled: Float[Array, "S W n"] | None
    dtype: np.dtype

    @property
    def width(self) -> int:
        return self.index.shape[1]


def build(view: View, columns: list[Int[np.ndarray, " k"]], p: int, dtype) -> WorkingSet:
    """A working set that holds the given columns of each set, in that order."""
    sizes = np.array([len(c) for c in columns])
    width = _width(int(sizes.max(initial=0)) + APPEND)
    index = np.full((len(columns), width), p, np.int32)
    member = np.zeros((len(columns), p), bool)
    for s, chosen in enumerate(columns):
        index[s, : len(chosen)] = chosen
        member[s, chosen] = True
    by_rows = isinstance(view, RowView) and width > 2 * view.y.shape[1]
    atoms, gram, scaled = _fill(view, index, by_rows, np.dtype(dtype))
    return WorkingSet(index, sizes, member, atoms, gram, scaled, np.dtype(dtype))


def extend(ws: WorkingSet, view: View, wanted: Bool[np.ndarray, "S p"], busy) -> tuple[WorkingSet, np.ndarray | None]:
    """Add the wanted columns. Returns the new set and, where slots moved, their old slots (S, W'), ws.width if none.

    `busy()` gives (S, W) which slots are worth keeping; it is asked only when the slots must be laid out anew.
    """
    new = [np.flatnonzero(row) for row in wanted & ~ws.member]
    most = max(map(len, new))
    if most == 0:
        return ws, None
    room = ws.width - ws.count.max()
    if most <= min(4 * APPEND, room - APPEND):
        return _append(ws, view, new), None
    return _lay_out(ws, view, [np.flatnonzero(row) for row in busy() & (ws.index < ws.member.shape[1])], new, ws.dtype)


def widen(ws: WorkingSet, view: View) -> tuple[WorkingSet, np.ndarray]:
    """The same slots in double precision."""
    return _lay_out(ws, view, [np.arange(c) for c in ws.count], [np.empty(0, int)] * len(ws.count), np.float64)


def _lay_out(ws: WorkingSet, view: View, old: list, new: list, dtype) -> tuple[WorkingSet, np.ndarray]:
    """A fresh layout: the kept slots of each set, then its newcomers; with the old slot of every new one."""
    laid = build(view, [np.concatenate([ws.index[s, o], new[s]]) for s, o in enumerate(old)], ws.member.shape[1], dtype)
    order = np.full(laid.index.shape, ws.width, np.int32)
    for s, slots in enumerate(old):
        order[s, : len(slots)] = slots
    return laid, order


def _append(ws: WorkingSet, view: View, new: list[np.ndarray]) -> WorkingSet:
    index, count, member = ws.index.copy(), ws.count.copy(), ws.member.copy()
    atoms, gram, scaled, p = ws.atoms, ws.gram, ws.scaled, ws.member.shape[1]
    for start in range(0, max(map(len, new)), APPEND):
        batch = np.full((len(new), APPEND), p, np.int32)
        offset = count.astype(np.int32)
        for s, columns in enumerate(new):
            part = columns[start : start + APPEND]
            batch[s, : len(part)] = part
            index[s, count[s] : count[s] + len(part)] = part
            member[s, part] = True
            count[s] += len(part)
        # A copy: the device may still read this call's index when the next round writes into it.
        if scaled is None:
            atoms, gram = _insert(view, atoms, gram, index.copy(), batch, offset)
        else:
            atoms, gram, scaled = _insert_rows(view, atoms, gram, scaled, batch, offset)
    return WorkingSet(index, count, member, atoms, gram, scaled, ws.dtype)


def _width(size: int) -> int:
    return max(SMALLEST, 1 << (size - 1).bit_length())


@partial(jax.jit, static_argnums=(2, 3))
def _fill(view: View, index: Int[Array, "S W"], by_rows: bool, dtype):
    """Atoms and Gram entries of whole working sets, one set after the other."""
    atoms = view.atoms(index)
    if by_rows:
        scaled = (atoms * jnp.sqrt(view.train)[:, None]).astype(dtype)
        blocks = scaled.reshape(scaled.shape[0], -1, BLOCK, scaled.shape[2])
        gram = jnp.einsum("sbkn,sbjn->sbkj", blocks, blocks, precision=FULL)
        return atoms, gram.reshape(*index.shape, BLOCK), scaled

    def one(s):
        mine = atoms[s].astype(dtype)
        return view.gram(mine, mine, index[s], s)

    return atoms, lax.map(one, jnp.arange(index.shape[0])), None


@partial(jax.jit, donate_argnums=(1, 2))
def _insert(view: View, atoms, gram, index, batch: Int[Array, "S M"], offset: Int[Array, " S"]):
    """Write M new slots at each set's offset: atoms, Gram rows and Gram columns, in place."""
    fresh = view.atoms(batch)

    def one(s, state):
        atoms, gram = state
        start, zero = offset[s].astype(s.dtype), jnp.zeros_like(s)
        atoms = lax.dynamic_update_slice(atoms, fresh[s][None], (s, start, zero))
        mine, theirs = fresh[s].astype(gram.dtype), atoms[s].astype(gram.dtype)
        rows = view.gram(mine, theirs, index[s], s)
        gram = lax.dynamic_update_slice(gram, rows[None], (s, start, zero))
        return atoms, lax.dynamic_update_slice(gram, rows.T[None], (s, zero, start))

    return lax.fori_loop(0, batch.shape[0], one, (atoms, gram))


@partial(jax.jit, donate_argnums=(1, 2, 3))
def _insert_rows(view: RowView, atoms, blocks, scaled, batch: Int[Array, "S M"], offset: Int[Array, " S"]):
    """The same in the row form: atoms, scaled atoms, and the (at most two) diagonal blocks that they fall into."""
    fresh = view.atoms(batch)
    small = (fresh * jnp.sqrt(view.train)[:, None]).astype(scaled.dtype)
    last = scaled.shape[1] // BLOCK - 1

    def one(s, state):
        atoms, blocks, scaled = state
        start, zero = offset[s].astype(s.dtype), jnp.zeros_like(s)
        atoms = lax.dynamic_update_slice(atoms, fresh[s][None], (s, start, zero))
        scaled = lax.dynamic_update_slice(scaled, small[s][None], (s, start, zero))
        for touched in (start // BLOCK, jnp.minimum(start // BLOCK + 1, last)):
            at = (s, touched * BLOCK, zero)
            rows = lax.dynamic_slice(scaled, at, (1, BLOCK, scaled.shape[2]))[0]
            blocks = lax.dynamic_update_slice(blocks, jnp.matmul(rows, rows.T, precision=FULL)[None], at)
        return atoms, blocks, scaled

    return lax.fori_loop(0, batch.shape[0], one, (atoms, blocks, scaled))


def bytes_per_set(view_type: type[View], lanes: int, n: int, p: int) -> float:
    """Device bytes that a set needs at a typical working-set size, for cutting sweeps into chunks."""
    width = min(_width(min(p, n)), _width(p))
    atom = p if view_type is GramView else n
    return 8.0 * (width * (atom + width) + 8 * lanes * p + 4 * lanes * width + 6 * p)
