"""The one loop: sequential in alpha with warm starts, parallel over every set and lane of a chunk.

Per alpha: extrapolate the last two solutions, let the columns whose extrapolated gradient exceeds its threshold join the
working sets, solve the restricted problems, certify all lanes by one product with X, and go round again for the sets whose
lanes missed `tol`, with the columns that violate the KKT conditions and a sharper inner target.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxnet import penalty
from jaxnet.solver import coordinate, proximal, working_set
from jaxnet.solver.certificate import Certificate, Penalties, certify
from jaxnet.solver.place import null_fit, place
from jaxnet.solver.restricted import Progress, Restricted
from jaxnet.solver.view import GramView, View
from jaxnet.solver.working_set import WorkingSet

SOLVERS = {"coordinate": coordinate.solve, "proximal": proximal.solve}

MARGIN = 0.5
"""The first inner target is this share of tol: the certificate also counts columns outside the working set."""
SHARPEN = 0.2
LEAD_TOL = 1e-2
PATIENCE = 4
"""Rounds in a row without progress after which a fit is left as it is."""
SINGLE_LIMIT = 1e-5
SINGLE_FACTOR = 1e15
"""Beyond this relative penalty factor single precision would overflow."""
SINGLE_COLUMNS = 1024
"""The inner solver starts in single precision where tol is at least SINGLE_LIMIT and there are so many columns that it pays."""


class Status:
    """Outcome codes of a lane (result.Status names them for users)."""

    CONVERGED, MAX_ITER, DIVERGED, DEGENERATE = range(4)


@dataclass(frozen=True)
class Task:
    """What to solve for a chunk of S sets with L lanes each, along A alphas, of which the first `skip` are a lead-in."""

    view: View
    sd: Float[Array, "S p"]
    lam1: Float[np.ndarray, "S L A"]
    lam2: Float[np.ndarray, "S L A"]
    penalties: Penalties
    """factors and bounds; its strengths are replaced along the path"""
    unpenalised: Int[np.ndarray, " u"]
    tol: float
    max_iter: int
    solver: str
    skip: int = 0

    def at(self, k: int) -> Penalties:
        """The penalties at alpha k."""
        return self.penalties._replace(lam1=self.lam1[:, :, k], lam2=self.lam2[:, :, k])


class Step(NamedTuple):
    """The certified fits of one alpha, on the host. `columns` and `values` are the slots of each set, (S, W), (S, L, W)."""

    alpha: int
    gap: Float[np.ndarray, "S L"]
    kkt: Float[np.ndarray, "S L"]
    iterations: Int[np.ndarray, "S L"]
    status: Int[np.ndarray, "S L"]
    test_error: Float[np.ndarray, "S L"]
    columns: Int[np.ndarray, "S W"]
    values: Float[np.ndarray, "S L W"]

    def part(self, sets: Bool[np.ndarray, " S"], lanes: Bool[np.ndarray, " L"]) -> "Step":
        """The same for some of the sets and lanes."""
        cut = lambda x: x[sets][:, lanes]
        figures = (cut(x) for x in (self.gap, self.kkt, self.iterations, self.status, self.test_error))
        return Step(self.alpha, *figures, self.columns[sets], cut(self.values))


class _State(NamedTuple):
    """Between alphas: the working sets, the last two solutions by slot and their gradients by column."""

    ws: WorkingSet
    B: Float[Array, "S L W"]
    B_old: Float[Array, "S L W"]
    gradient: Float[Array, "S L p"]
    gradient_old: Float[Array, "S L p"]
    pinv: Float[Array, "S u u"]


def walk(task: Task, emit: Callable[[Step], None], stopped: Callable[[], bool] = lambda: False) -> None:
    """Solve the task, handing each certified alpha to `emit`; ends early when `stopped()` says so."""
    state = _begin(task)
    for k in range(task.lam1.shape[2]):
        if stopped():
            return
        state, step = _advance(task, state, k)
        if k >= task.skip:
            emit(step)


def _begin(task: Task) -> _State:
    """All coefficients zero but the unpenalised ones, which sit in the first slots and are fitted exactly."""
    sets, lanes = task.lam1.shape[:2]
    large = task.view.usable.shape[1] >= SINGLE_COLUMNS
    mild = max(task.penalties.factor1.max(), task.penalties.factor2.max()) < SINGLE_FACTOR
    dtype = np.float32 if large and mild and task.tol >= SINGLE_LIMIT else np.float64
    ws = working_set.build(task.view, [task.unpenalised] * sets, task.view.usable.shape[1], dtype)
    free = np.tile(task.unpenalised.astype(np.int32), (sets, 1))
    gradient, pinv = null_fit(task.view, free, lanes)
    B, _ = _judge(
        task.view, ws.arrays.atoms, ws.index, ws.count, np.zeros((sets, lanes, ws.width)), pinv, task.sd, task.at(0)
    )
    return _State(ws, B, B, gradient, gradient, pinv)


class _Rounds:
    """What the host remembers of the lanes while the rounds of one alpha go on."""

    def __init__(self, shape: tuple[int, int], tol: float, max_iter: int):
        self.tol, self.max_iter = tol, max_iter
        self.active = np.ones(shape, bool)
        self.passes = np.zeros(shape, np.int32)
        self.best = np.full(shape, np.inf)
        self.stale = np.zeros(shape, int)
        self.sharp = np.ones(shape[0])

    def targets(self) -> Float[np.ndarray, "S L"]:
        return np.broadcast_to((MARGIN * self.tol * self.sharp)[:, None], self.active.shape)

    def judge(self, gap: np.ndarray, joined: Bool[np.ndarray, " S"], solved: Bool[np.ndarray, "S L"]) -> None:
        """Keep only the lanes active that missed tol and may still reach it; sharpen the target of sets that need it."""
        missed = self.active & ~(gap <= self.tol) & np.isfinite(gap)
        progress = joined[:, None] | (gap < 0.7 * self.best)
        self.stale = np.where(progress, 0, self.stale + 1)
        self.best = np.fmin(self.best, gap)
        self.sharp = np.where(~joined & (missed & solved).any(axis=1), SHARPEN * self.sharp, self.sharp)
        self.active = missed & (self.stale < PATIENCE) & (self.passes < self.max_iter)


def _advance(task: Task, state: _State, k: int) -> tuple[_State, Step]:
    """All lanes at alpha k: rounds of (join, solve, certify) until every gap is below tol or gives no more."""
    ws, B, older, base = state.ws, state.B, state.B_old, state.gradient
    previous, view, pen = B, task.view, task.at(k)
    ahead = _ahead(task, k)
    wanted = np.asarray(_screen(base, state.gradient_old, ahead, pen, view.usable))
    rounds = _Rounds(pen.lam1.shape, max(task.tol, LEAD_TOL) if k < task.skip else task.tol, task.max_iter)
    while True:
        busy = partial(_busy, len(task.unpenalised), B, older, previous)
        ws, order = working_set.extend(ws, view, wanted, busy)
        B, older, previous = (_reorder(x, order) for x in (B, older, previous))
        problem = ((view.cross, view.moment), ws.row_form, ws.arrays.gram, ws.index, ws.count, pen)
        lanes = (rounds.active, rounds.passes, rounds.targets())
        B, going, passes = _inner(
            task.solver, isinstance(view, GramView), problem, base, state.gradient_old, B, older, ahead, lanes,
            np.int32(task.max_iter),
        )  # fmt: skip
        B, seal = _judge(view, ws.arrays.atoms, ws.index, ws.count, B, state.pinv, task.sd, pen)
        gap, base, rounds.passes = np.asarray(seal.gap), seal.gradient, np.asarray(passes)
        wanted = np.asarray(seal.violated) & (rounds.active & ~(gap <= rounds.tol)).any(axis=1)[:, None]
        rounds.judge(gap, (wanted & ~ws.member).any(axis=1), ~np.asarray(going))
        if not rounds.active.any():
            break
        if ws.dtype == np.float32 and rounds.stale.max() >= 1:
            ws, order = working_set.widen(ws, view)
            B, older, previous = (_reorder(x, order) for x in (B, older, previous))
        older, ahead = B, np.zeros_like(ahead)
    step = _report(task, k, seal, ws, B, rounds)
    finite = np.isfinite(step.values).all(axis=2, keepdims=True)
    if not finite.all():  # a diverged lane starts again at zero, where its gradient is x'y
        B, base = np.where(finite, step.values, 0.0), np.where(finite, base, np.asarray(view.cross)[:, None])
    return _State(ws, B, previous, base, state.gradient, state.pinv), step


@jax.jit
def _judge(view: View, atoms, index, used, B, pinv, sd, pen: Penalties) -> tuple[Float[Array, "S L W"], Certificate]:
    """Refit the unpenalised coefficients, and certify all lanes."""
    B, remainder, dense = place(view, atoms, index, B, pinv, used)
    return B, certify(view, remainder, dense, sd, pen)


def _report(task: Task, k: int, seal: Certificate, ws: WorkingSet, B: Array, rounds: _Rounds) -> Step:
    gap = np.asarray(seal.gap)
    status = np.where(gap <= task.tol, Status.CONVERGED, np.where(np.isfinite(gap), Status.MAX_ITER, Status.DIVERGED))
    idle = (np.asarray(task.view.moment) <= 0) | ~np.asarray(task.view.usable).any(axis=1)
    status = np.where(idle[:, None] & (gap <= task.tol), Status.DEGENERATE, status)
    kkt, test_error = np.asarray(seal.kkt), np.asarray(seal.test_error)
    return Step(k - task.skip, gap, kkt, rounds.passes, status, test_error, ws.index, np.asarray(B))


def _ahead(task: Task, k: int) -> Float[np.ndarray, "S L"]:
    """How far to go on along the last change of the solution: the ratio of the two last steps in alpha."""
    if k < task.skip + 2:
        return np.zeros(task.lam1.shape[:2])
    strength = task.lam1 + task.lam2
    last = strength[:, :, k - 1] - strength[:, :, k - 2]
    now = strength[:, :, k] - strength[:, :, k - 1]
    return np.clip(np.divide(now, last, out=np.zeros_like(now), where=last != 0), 0.0, 2.0)


@jax.jit
def _screen(gradient, gradient_old, ahead, pen: Penalties, usable) -> Bool[Array, "S p"]:
    """Columns that, with the last or the extrapolated gradient, would not stay at zero under the new penalties."""
    terms = pen.terms()
    further = gradient + ahead[..., None] * (gradient - gradient_old)
    zero = jnp.zeros_like(gradient)
    joins = (penalty.kkt_violation(gradient, zero, terms) > 0) | (penalty.kkt_violation(further, zero, terms) > 0)
    return usable & jnp.any(joins, axis=1)


@partial(jax.jit, static_argnums=(0, 1))
def _inner(solver: str, together: bool, problem, base, base_old, B, older, ahead, lanes, limit):
    """Restrict to the slots, extrapolate the start, and run the inner solver in the working set's precision."""
    (cross, moment), scaled, gram, index, used, pen = problem
    active, passes, target = lanes
    at = jnp.minimum(index, cross.shape[1] - 1)
    inside = index < cross.shape[1]
    wide = lambda x: None if x is None else jnp.where(inside, jnp.take_along_axis(x, at, axis=1), 0)
    cast = lambda x: None if x is None else x.astype(gram.dtype)
    slot = lambda x: cast(wide(x))
    diagonal = jnp.diagonal(gram, axis1=1, axis2=2) if scaled is None else _block_diagonal(gram)
    restricted = Restricted(
        scaled, gram, diagonal, slot(cross), cast(moment), cast(pen.lam1), cast(pen.lam2),
        slot(pen.factor1), slot(pen.factor2), slot(pen.lo), slot(pen.hi), used, together,
    )  # fmt: skip
    # The gradient is affine in the coefficients, so it goes ahead as they do.
    spread = jnp.broadcast_to(at[:, None], (*B.shape[:2], at.shape[1]))
    q, q_old = (jnp.where(inside[:, None], jnp.take_along_axis(x, spread, axis=2), 0.0) for x in (base, base_old))
    further = lambda x, old: x + ahead[..., None] * (x - old)
    start = Progress(cast(further(B, older)), cast(further(q, q_old)), active, passes)
    end = SOLVERS[solver](restricted, start, cast(target), limit)
    B = end.B.astype(jnp.float64)
    B = B if pen.lo is None else jnp.clip(B, wide(pen.lo)[:, None], wide(pen.hi)[:, None])
    return B, end.active, end.passes


def _block_diagonal(gram: Float[Array, "S W K"]) -> Float[Array, "S W"]:
    sets, width, size = gram.shape
    return jnp.diagonal(gram.reshape(sets, width // size, size, size), axis1=2, axis2=3).reshape(sets, width)


def _reorder(B, order: Int[np.ndarray, "S W"] | None):
    """Solutions by slot in a new layout; `order` names the old slot of each new one, or none."""
    if order is None:
        return B
    B = np.asarray(B)
    at = np.broadcast_to(np.minimum(order, B.shape[2] - 1)[:, None], (*B.shape[:2], order.shape[1]))
    return np.where((order < B.shape[2])[:, None], np.take_along_axis(B, at, axis=2), 0.0)


def _busy(pinned: int, *solutions: Array) -> Bool[np.ndarray, "S W"]:
    """Slots in which any lane has, or lately had, a coefficient; and the first ones, which are pinned."""
    busy = np.any([np.any(np.asarray(B) != 0, axis=1) for B in solutions], axis=0)
    busy[:, :pinned] = True
    return busy
