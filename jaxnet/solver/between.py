"""The alphas between two knots of a path: interpolated, pruned, and certified all at once; solved only where that fails.

A solution is piecewise smooth in alpha (piecewise linear for the lasso: Osborne, Presnell and Turlach 2000), and a duality
gap between two certified knots is little more than the mean of theirs: on a grid of 100 alphas nearly every fit between
knots three or four apart meets a tol of 1e-4 as it is.
"""

from collections.abc import Generator, Iterator
from dataclasses import replace
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxnet.solver.basic import basic_solutions
from jaxnet.solver.certificate import Penalties
from jaxnet.solver.place import Base
from jaxnet.solver.rounds import Slots, Start, judge, settle
from jaxnet.solver.support import pruned
from jaxnet.solver.task import Figures, Step, Task, report


class Ends(NamedTuple):
    """What is affine in the coefficients of a knot."""

    gradient: Float[Array, "S L p"]
    remainder: Float[Array, "S L m"]


class Pair(NamedTuple):
    """Two knots: their alphas, and what is known there. The slots' solutions are those of the second and the first."""

    first: int
    second: int
    slots: Slots
    at_first: Ends
    at_second: Ends


def fill(task: Task, pair: Pair, most: int) -> Generator[Step, None, Slots]:
    """Every alpha between the knots as a step; returns the knots' slots, which may have moved.

    `most` alphas lie between any two knots of the path: that many are computed, so that one program serves all.
    """
    inside = np.arange(pair.first + 1, pair.second)
    ks = np.pad(inside, (0, most - len(inside)), mode="edge")
    pen, share = task.along(ks), _shares(task, pair, ks)
    ws, solutions = pair.slots.ws, pair.slots.solutions
    ends = pair.at_first, pair.at_second
    blended, base = _interpolate(ws.index, solutions[1::-1], ends, share, task.sd, pen, task.nothing)
    real = np.arange(share.shape[1] * share.shape[2]) < len(inside) * share.shape[2]
    blended = basic_solutions(
        task, pen, pair.slots.ws, pair.slots.free, blended, np.broadcast_to(real, (len(blended), len(real)))
    )
    blended, remainder, seal = judge(task, pen, replace(pair.slots, solutions=(blended,)), base)
    figures = Figures.of(seal, np.zeros(seal.gap.shape, np.int32))
    slots = replace(pair.slots, solutions=(blended, *solutions))
    lanes = share.shape[2]
    failed = ~(figures.gap <= task.tol[:, None]) & real
    for chosen in _batches(failed, lanes):
        slots = _solve(task, pen, slots, Ends(seal.gradient, remainder), chosen, figures)
    values = np.asarray(slots.solutions[0])
    for i, k in enumerate(inside):
        part = slice(i * lanes, (i + 1) * lanes)
        yield report(task, k, Figures(*(x[:, part] for x in figures)), slots.ws.index, values[:, part])
    return replace(slots, solutions=slots.solutions[1:])


def _batches(failed: Bool[np.ndarray, "S FL"], lanes: int) -> Iterator[Int[np.ndarray, "S L"]]:
    """The failed lanes of every set, `lanes` at a time; -1 where a set has no more."""
    order = np.argsort(~failed, axis=1, kind="stable")
    order = np.where(np.take_along_axis(failed, order, axis=1), order, -1)
    for start in range(0, int(failed.sum(axis=1).max()), lanes):
        yield order[:, start : start + lanes]


def _solve(
    task: Task, pen: Penalties, slots: Slots, here: Ends, chosen: Int[np.ndarray, "S L"], figures: Figures
) -> Slots:
    """Solve some lanes, of whatever alphas, from where they are, and write them into `figures` and into the first of the
    solutions, which holds all lanes."""
    at = np.maximum(chosen, 0)
    pick = lambda x: np.take_along_axis(np.asarray(x), at.reshape(*at.shape, *[1] * (x.ndim - 2)), axis=1)
    begin, gradient, remainder = map(pick, (slots.solutions[0], *here))
    theirs = pen._replace(lam1=pick(pen.lam1), lam2=pick(pen.lam2))
    start = Start(np.zeros(at.shape), gradient, gradient)
    all_slots = replace(slots, solutions=(begin, begin, *slots.solutions))
    end = settle(task, theirs, all_slots, start, chosen >= 0, task.tol, remainder)
    solved, _, every, *others = end.slots.solutions
    sets, where = np.nonzero(chosen >= 0)
    lanes = chosen[sets, where]
    for old, new in zip(figures, end.figures, strict=True):
        old[sets, lanes] = new[sets, where]
    every = np.array(every)
    every[sets, lanes] = np.asarray(solved)[sets, where]
    return replace(end.slots, solutions=(every, *others))


def _shares(task: Task, pair: Pair, ks: Int[np.ndarray, " F"]) -> Float[np.ndarray, "S F L"]:
    """How far each alpha lies from the first knot to the second, in every lane."""
    strength = np.moveaxis(task.strength, 2, 1)
    span = strength[:, pair.second] - strength[:, pair.first]
    gone = strength[:, ks] - strength[:, pair.first : pair.first + 1]
    return np.divide(gone, span[:, None], out=np.ones_like(gone), where=span[:, None] != 0)


@jax.jit
def _interpolate(
    index, solutions, ends: tuple[Ends, Ends], share, sd, pen: Penalties, nothing: Float[Array, " S"]
) -> tuple[Float[Array, "S FL W"], Base]:
    """Blend two solutions and prune (support.py). All alphas become lanes. The base is the blend as it was, whose remainder
    is the blend of remainders."""
    sets, count, lanes = share.shape
    flat = lambda x: x.reshape(sets, count * lanes, x.shape[3])
    blend = lambda a, b: flat(a[:, None] + share[..., None] * (b - a)[:, None])
    at = jnp.minimum(index, sd.shape[1] - 1)
    slot = lambda x: jnp.take_along_axis(x, jnp.broadcast_to(at[:, None], (*x.shape[:2], at.shape[1])), axis=2)
    B, q = blend(*solutions), blend(*(slot(x.gradient) for x in ends))
    l1 = slot(pen.factor1[:, None]) * pen.lam1[..., None]
    return pruned(B, q, slot((sd * sd)[:, None]), l1, nothing[:, None, None]), Base(
        B, blend(*(x.remainder for x in ends))
    )
