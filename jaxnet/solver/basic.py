"""Basic solutions of a lasso: of those that fit and cost alike, one whose active columns are independent (support.py)."""

from typing import NamedTuple

import numpy as np
from jaxtyping import Array, Bool, Float

from jaxnet.solver.certificate import Penalties
from jaxnet.solver.task import Task
from jaxnet.solver.working_set import WorkingSet

STILL = 1e-8
"""Of a unit column: a smaller part in the null space is none."""
UNFELT = 1e-3
"""Of the smallest penalty: changes of a solution that move no gradient by more are in the null space at its size."""


def basic_solutions(
    task: Task, pen: Penalties, ws: WorkingSet, free: int, B: Float[Array, "S L W"], lanes: Bool[np.ndarray, "S L"]
) -> Float[Array, "S L W"]:
    """B, with independent active columns in those of the `lanes` that have no ridge part. Columns without a penalty, in the first
    `free` slots, stay as they are."""
    lasso = lanes & (np.asarray(pen.lam2) == 0) & (np.asarray(pen.lam1) > 0)
    at = np.flatnonzero(lasso.any(axis=0))
    if not len(at):
        return B
    host, index, factor = np.asarray(B), ws.index, np.asarray(pen.factor1)
    penalised = (index < factor.shape[1]) & (np.take_along_axis(factor, index % factor.shape[1], axis=1) > 0)
    active = (host[:, at] != 0) & (lasso[:, at, None] & penalised[:, None])
    found = task.independence.dependences(task.view, task.sd, ws, active, free, lasso[:, at])
    if not found:
        return B
    host = host.copy()
    for (s, i), (slot, null, values, norm) in found.items():
        of = lambda x, none, s=s, slot=slot: none if x is None else np.asarray(x)[s, index[s, slot]]
        bounds = of(pen.lo, -np.inf) * norm, of(pen.hi, np.inf) * norm
        cost = of(factor, 1.0) * float(pen.lam1[s, at[i]]) / norm
        z = host[s, at[i], slot] * norm
        null = null[:, values * np.linalg.norm(z) <= UNFELT * cost.min()]
        if not null.shape[1]:
            continue
        host[s, at[i], slot] = _basic(z, null, cost, bounds, float(task.nothing[s])) / norm
    return host


def _basic(
    z: Float[np.ndarray, " k"],
    null: Float[np.ndarray, "k d"],
    cost: Float[np.ndarray, " k"],
    bounds: tuple[Float[np.ndarray, " k"], Float[np.ndarray, " k"]],
    nothing: float,
) -> Float[np.ndarray, " k"]:
    """From nonzero z along the null space to where it moves none: coefficients go to zero, or to a bound, one by one.

    The next is the one that is the nearest to zero there. Of the two ends of its line, where the first coefficient meets
    zero or a bound, the nearer counts if the penalty, the sum of cost |z|, rises by `nothing` at most, else the other.
    """
    z, lower, upper = z.copy(), *bounds
    for j in np.flatnonzero((z <= lower) | (z >= upper)):
        null = _without(null, j)
    while null.shape[1]:
        part = np.linalg.norm(null, axis=1)
        moving = part > STILL
        if not moving.any():
            break
        nearest = np.argmin(np.where(moving, np.abs(z) / np.where(moving, part, 1.0), np.inf))
        line = np.where(moving, null @ null[nearest], 0.0)
        near, far = sorted((_end(z, way, lower, upper) for way in (line, -line)), key=lambda end: end.length)
        end = near if near.length * float(np.sum(cost * np.sign(z) * near.way)) <= nothing else far
        if not np.isfinite(end.length):
            break
        z += end.length * end.way
        z[end.hit] = end.value
        null = _without(null, end.hit)
    return z


class _End(NamedTuple):
    """Where z goes along `way`: how far, until which coefficient meets zero or a bound, and what that is then."""

    length: float
    way: Float[np.ndarray, " k"]
    hit: int
    value: float


def _end(z, way, lower, upper) -> _End:
    target = np.where(z * way < 0, 0.0, np.where(way > 0, upper, lower))
    length = np.full(len(z), np.inf)
    np.divide(target - z, way, out=length, where=(way != 0) & np.isfinite(target))
    hit = int(np.argmin(length))
    return _End(float(length[hit]), way, hit, float(target[hit]))


def _without(null: Float[np.ndarray, "k d"], j: int) -> Float[np.ndarray, "k e"]:
    """The part of the space in which coefficient j stays: a reflection takes row j to its first column, which goes."""
    row = null[j].copy()
    size = np.linalg.norm(row)
    if size <= STILL:
        return null
    row[0] += np.copysign(size, row[0])
    kept = null - np.outer(null @ row, row) * (2 / (row @ row))
    kept[j] = 0.0
    return kept[:, 1:]
