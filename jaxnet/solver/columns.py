"""Several reductions over the columns of every lane in one pass: what a certificate takes of a gradient is bound by memory.

XLA makes a loop over all of the data of each reduction, and does not vectorise sums; on a CPU a native loop
(coordinate.py) over chunks of columns does all at once.
"""

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Bool, Float

from jaxnet.execution import platform
from jaxnet.solver.sums import folded

CHUNK = 128
"""Columns of one step."""


class Fold(NamedTuple):
    """A reduction: of two numbers, of an axis, of nothing."""

    combine: Callable[[Array, Array], Array]
    reduce: Callable[..., Array]
    empty: float


SUM = Fold(jnp.add, jnp.sum, 0.0)
LEAST = Fold(jnp.minimum, jnp.min, jnp.inf)
LARGEST = Fold(jnp.maximum, jnp.max, -jnp.inf)


def fold(
    terms: Callable, folds: tuple[Fold, ...], by_lane, by_column, by_both
) -> tuple[tuple[Float[Array, "S L"], ...], Bool[Array, "S p"]]:
    """The reductions over columns of what `terms(lane, column, both)` gives, and in which columns a lane has its flag set.

    The arguments are trees of arrays (S, L), (S, p) and (S, L, p), which `terms` sees in shapes that broadcast; it gives one
    array per fold, then the flags.
    """
    if platform.on_cpu():
        return _in_chunks(terms, folds, by_lane, by_column, by_both)
    lane, column = jax.tree.map(lambda x: x[..., None], by_lane), jax.tree.map(lambda x: x[:, None], by_column)
    *parts, flags = terms(lane, column, by_both)
    return tuple(f.reduce(x, axis=2) for f, x in zip(folds, parts, strict=True)), jnp.any(flags, axis=1)


def _in_chunks(terms: Callable, folds: tuple[Fold, ...], by_lane, by_column, by_both):
    sets, lanes, p = jax.tree.leaves(by_both)[0].shape
    size = next(k for k in range(min(CHUNK, p), 0, -1) if p % k == 0)

    def cut(tree, *at):
        """A chunk of columns, from the last of `at` on."""
        return jax.tree.map(lambda x: lax.dynamic_slice(x, at, (*[1] * (len(at) - 1), size)).reshape(size), tree)

    def of_lane(t, state):
        s, lane = t // lanes, t % lanes
        mine = jax.tree.map(lambda x: lax.dynamic_slice(x, (s, lane), (1, 1)).reshape(1), by_lane)

        def chunk(i, state):
            totals, flagged = state
            at = i * size
            *parts, flags = terms(mine, cut(by_column, s, at), cut(by_both, s, lane, at))
            totals = tuple(f.combine(a, x) for f, a, x in zip(folds, totals, parts, strict=True))
            before = lax.dynamic_slice(flagged, (s, at), (1, size))
            return totals, lax.dynamic_update_slice(flagged, before | flags[None], (s, at))

        found, flagged = state
        start = tuple(jnp.full(size, f.empty) for f in folds)
        totals, flagged = lax.fori_loop(0, p // size, chunk, (start, flagged))
        whole = (folded(x, f.combine, f.empty) for f, x in zip(folds, totals, strict=True))
        put = lambda x, y: lax.dynamic_update_slice(x, y[None, None], (s, lane))
        return tuple(map(put, found, whole)), flagged

    start = tuple(jnp.zeros((sets, lanes)) for _ in folds)
    return lax.fori_loop(0, sets * lanes, of_lane, (start, jnp.zeros((sets, p), bool)))
