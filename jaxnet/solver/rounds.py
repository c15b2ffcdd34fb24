"""Rounds at one alpha: let columns join, solve the restricted problems, certify all lanes; again for the sets that missed tol.

A round after the first lets in the columns that violate the KKT conditions, and sharpens the inner target.
"""

from dataclasses import dataclass, replace
from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxnet.penalty import elastic_net
from jaxnet.solver import active_set, working_set
from jaxnet.solver.basic import basic_solutions
from jaxnet.solver.certificate import Certificate, Penalties, certify
from jaxnet.solver.inner import coordinate, proximal
from jaxnet.solver.place import Base, place
from jaxnet.solver.restricted import Progress, Restricted
from jaxnet.solver.support import pruned
from jaxnet.solver.task import Figures, Task
from jaxnet.solver.view import View
from jaxnet.solver.working_set import WorkingSet

SOLVERS = {"coordinate": coordinate.solve, "proximal": proximal.solve}

MARGIN = 0.5
"""The first inner target is this share of tol: the certificate also counts columns outside the working set."""
SHARPEN = 0.2
SINGLE_PATIENCE = 2
"""Rounds in a row without progress after which single precision is to blame; one may be for want of a sharper target."""
PATIENCE = 4
"""Rounds in a row without progress after which a fit is left as it is."""
EXACT_ROUNDS = 20
"""Most rounds in which columns join lanes that are taken to their minimum."""
STALL = {"coordinate": 500, "proximal": 5000}
"""Passes after which a lane of few nonzeros that still goes on crawls, and is finished on the host (active_set.py). Steps there
cost the cube of the nonzeros: a lane of k of them has k^2 / CUBE more."""
CUBE = 64


@dataclass(frozen=True)
class Slots:
    """Working sets, and solutions laid out by their slots, which move along when the slots do.

    `pinv` is the pseudo-inverse of the Gram matrix of the unpenalised columns, which sit in the first slots (place.py).
    """

    ws: WorkingSet
    pinv: Float[Array, "S u u"]
    solutions: tuple[Float[Array, "S L W"], ...]

    @property
    def free(self) -> int:
        """How many slots are those of unpenalised columns, and first."""
        return self.pinv.shape[1]

    def join(self, view: View, wanted: Bool[np.ndarray, "S p"]) -> "Slots":
        """The wanted columns join; slots that no solution needs may go."""
        return self._moved(*working_set.extend(self.ws, view, wanted, partial(_busy, self.free, self.solutions)))

    def widen(self, view: View) -> "Slots":
        """The same in double precision."""
        return self._moved(*working_set.widen(self.ws, view))

    def put(self, solution: Float[Array, "S L W"]) -> "Slots":
        """With another first solution."""
        return replace(self, solutions=(solution, *self.solutions[1:]))

    def _moved(self, ws: WorkingSet, order) -> "Slots":
        return Slots(ws, self.pinv, tuple(_reorder(B, order) for B in self.solutions))


class Start(NamedTuple):
    """Where the inner solver starts: from the first solution, `ahead` times its change from the second beyond it.

    The gradients of both are affine in them, and go ahead as they do.
    """

    ahead: Float[np.ndarray, "S L"]
    gradient: Float[Array, "S L p"]
    gradient_old: Float[Array, "S L p"]


class Settled(NamedTuple):
    """The first solution of `slots` is certified: its figures, its gradient and its remainder."""

    slots: Slots
    figures: Figures
    gradient: Float[Array, "S L p"]
    remainder: Float[Array, "S L m"]


def settle(
    task: Task,
    pen: Penalties,
    slots: Slots,
    start: Start,
    active: Bool[np.ndarray, "S L"],
    tol: Float[np.ndarray, " S"],
    remainder: Float[Array, "S L m"] | None = None,
) -> Settled:
    """Rounds until the gap of every active lane is below `tol` or gives no more.

    The second of the `slots`' solutions is what the first is extrapolated from; further ones only move along. `remainder`
    is that of the first solution, given where little of it will change.
    """
    view = task.view
    joins = np.asarray(_screen(start, pen, view.usable))
    wanted = joins & active.any(axis=1)[:, None]
    rounds = _Rounds(active, tol, task.max_iter, STALL[task.solver])
    while True:
        slots = slots.join(view, wanted)
        ws, (B, older, *_) = slots.ws, slots.solutions
        problem = (
            (view.cross, view.moment, task.nothing),
            (task.sd, view.usable),
            ws.scaled,
            ws.gram,
            ws.index,
            ws.count,
            pen,
        )
        lanes = (rounds.active, rounds.passes, rounds.targets(), rounds.stale == 0)
        B, going, passes = _inner(task.solver, problem, start, B, older, lanes, rounds.limit())
        going, passes = np.asarray(going), np.asarray(passes)
        whole, finished, passes = _finish(task, pen, ws, B, rounds.active & going, passes)
        B = basic_solutions(task, pen, ws, slots.free, whole, rounds.active)
        known = remainder is not None
        base = Base(slots.solutions[0], remainder) if known else Base.zero(view, B.shape[1], ws.width)
        whole = whole if B is not whole else None
        B, remainder, seal = judge(task, pen, slots.put(B), base)
        slots, gap, rounds.passes = slots.put(B), np.asarray(seal.gap), passes
        wanted = np.asarray(seal.violated) & (rounds.active & ~(gap <= rounds.tol[:, None])).any(axis=1)[:, None]
        lost = rounds.update(gap, (wanted & ~ws.member).any(axis=1), ~going, finished, ws.dtype == np.float64)
        if whole is not None and lost.any():  # for rounding, where the basic solution needs more than it leaves
            first, again = (B, remainder, seal), judge(task, pen, slots.put(np.where(lost[..., None], whole, B)), base)
            B, remainder, seal = _spliced(first, again, lost & (np.asarray(again[2].gap) < gap))
            slots = slots.put(B)
        if not rounds.active.any():
            end = Settled(slots, Figures.of(seal, rounds.passes), seal.gradient, remainder)
            return _exactly(task, pen, end, wanted, active) if task.exact else end
        if ws.dtype == np.float32 and rounds.stale.max() >= SINGLE_PATIENCE:
            slots = slots.widen(view)
        start = Start(np.zeros_like(start.ahead), seal.gradient, seal.gradient)


def _exactly(task: Task, pen: Penalties, end: Settled, wanted: Bool[np.ndarray, "S p"], active) -> Settled:
    """The active lanes at their minimum, as far as rounding tells, with every column joined that it takes."""
    passes = end.figures.passes
    for _ in range(EXACT_ROUNDS):
        slots = end.slots.join(task.view, wanted)
        ws, B = slots.ws, np.asarray(slots.solutions[0])
        B, steps = active_set.finish(task.view, pen, ws, B, active, task.max_iter - passes)
        B, passes = basic_solutions(task, pen, slots.ws, slots.free, B, active), passes + steps
        base = Base(slots.solutions[0], end.remainder)
        B, remainder, seal = judge(task, pen, slots.put(B), base)
        end = Settled(slots.put(B), Figures.of(seal, passes), seal.gradient, remainder)
        wanted = np.asarray(seal.violated) & ~ws.member
        if not wanted.any():
            break
    return end


class _Rounds:
    """What the host remembers of the lanes while the rounds of one alpha go on."""

    def __init__(self, active: Bool[np.ndarray, "S L"], tol: Float[np.ndarray, " S"], max_iter: int, stall: int):
        self.tol, self.max_iter, self.stall = tol, max_iter, stall
        self.active = active
        self.passes = np.zeros(active.shape, np.int32)
        self.best = np.full(active.shape, np.inf)
        self.stale = np.zeros(active.shape, int)
        self.sharp = np.ones(len(active))
        self.cut_short = False

    def targets(self) -> Float[np.ndarray, "S L"]:
        return np.broadcast_to((MARGIN * self.tol * self.sharp)[:, None], self.active.shape)

    def limit(self) -> np.int32:
        """Passes up to which a round may go: half of what is left, and no more than show that a lane crawls. A target that no
        fit reaches (tol below rounding) would else spend all of them before columns that were left out could join."""
        gone = int(self.passes[self.active].min())
        half, short = (gone + self.max_iter + 1) // 2, gone + self.stall
        self.cut_short = short < half
        return np.int32(min(half, short))

    def update(
        self,
        gap: np.ndarray,
        joined: Bool[np.ndarray, " S"],
        solved: Bool[np.ndarray, "S L"],
        finished: Bool[np.ndarray, "S L"],
        double: bool,
    ) -> Bool[np.ndarray, "S L"]:
        """Keep only the lanes active that missed tol and may still reach it; sharpen the target of sets that need it. Returns
        those that are given up.

        A finished lane that is no better for it, in double precision, has come to rounding; one that was cut short had no
        chance yet.
        """
        missed = self.active & ~(gap <= self.tol[:, None]) & np.isfinite(gap)
        progress = joined[:, None] | (gap < 0.7 * self.best) | (double & self.cut_short & ~(solved | finished))
        self.stale = np.where(progress, 0, self.stale + 1)
        self.best = np.fmin(self.best, gap)
        self.sharp = np.where(~joined & (missed & solved).any(axis=1), SHARPEN * self.sharp, self.sharp)
        patient = self.stale < np.where(double & finished, 1, PATIENCE)
        self.active = missed & patient & (self.passes < self.max_iter)
        return missed & ~self.active


def _finish(task: Task, pen: Penalties, ws: WorkingSet, B, going: Bool[np.ndarray, "S L"], passes):
    """Lanes that crawl at the minimum of their restricted problem: (B, which those are, all passes)."""
    late = going & (passes >= STALL[task.solver])
    if not late.any():
        return B, late, passes
    B = np.asarray(B)
    size = active_set.support(B)
    late &= (size <= active_set.LARGEST) & (passes >= STALL[task.solver] + size**2 // CUBE)
    B, steps = active_set.finish(task.view, pen, ws, B, late, task.max_iter - passes)
    return B, late, passes + steps


def judge(
    task: Task, pen: Penalties, slots: Slots, base: Base
) -> tuple[Float[Array, "S L W"], Float[Array, "S L m"], Certificate]:
    """Refit the unpenalised coefficients of the first solution, and certify all lanes; the closer to `base` the faster."""
    ws, solution = slots.ws, slots.solutions[0]
    B, remainder, dense = place(task.view, ws.index, solution, slots.pinv, ws.count, base)
    return B, remainder, certify(task.view, remainder, dense, task.sd, pen)


def _spliced(first, second, chosen: Bool[np.ndarray, "S L"]):
    """What `judge` returned, in the chosen lanes the second time."""
    pick = lambda old, new: np.where(chosen.reshape(*chosen.shape, *[1] * (old.ndim - 2)), new, old)
    (B, remainder, seal), (other, rest, verdict) = first, second
    lanes = {
        name: pick(getattr(seal, name), getattr(verdict, name)) for name in ("gap", "kkt", "test_error", "gradient")
    }
    return pick(B, other), pick(remainder, rest), seal._replace(**lanes)


@jax.jit
def _screen(start: Start, pen: Penalties, usable) -> Bool[Array, "S p"]:
    """Columns that, with the last or the extrapolated gradient, would not stay at zero under the new penalties."""
    terms = pen.terms()
    further = start.gradient + start.ahead[..., None] * (start.gradient - start.gradient_old)
    zero = jnp.zeros_like(further)
    joins = (elastic_net.kkt_violation(start.gradient, zero, terms) > 0) | (
        elastic_net.kkt_violation(further, zero, terms) > 0
    )
    return usable & jnp.any(joins, axis=1)


@partial(jax.jit, static_argnums=0)
def _inner(solver: str, problem, begin: Start, B, older, lanes, limit):
    """Restrict to the slots, extrapolate the start, and run the inner solver in the working set's precision."""
    (cross, moment, nothing), (sd, usable), scaled, gram, index, used, pen = problem
    active, passes, target, prune = lanes
    at = jnp.minimum(index, cross.shape[1] - 1)
    inside = index < cross.shape[1]
    wide = lambda x: None if x is None else jnp.where(inside, jnp.take_along_axis(x, at, axis=1), 0)
    cast = lambda x: None if x is None else x.astype((gram if scaled is None else scaled).dtype)
    slot = lambda x: cast(wide(x))
    # The squared norm of a scaled column is its variance.
    diagonal = jnp.diagonal(gram, axis1=1, axis2=2) if scaled is None else slot(jnp.where(usable, sd * sd, 0.0))
    restricted = Restricted(
        scaled, gram, diagonal, slot(cross), cast(moment), cast(pen.lam1), cast(pen.lam2),
        slot(pen.factor1), slot(pen.factor2), slot(pen.lo), slot(pen.hi), used,
    )  # fmt: skip
    spread = jnp.broadcast_to(at[:, None], (*B.shape[:2], at.shape[1]))
    q, q_old = (jnp.where(inside[:, None], jnp.take_along_axis(x, spread, axis=2), 0.0) for x in begin[1:])
    further = lambda x, old: x + begin.ahead[..., None] * (x - old)
    start = Progress(cast(further(B, older)), cast(further(q, q_old)), active, passes)
    end = SOLVERS[solver](restricted, start, cast(target), limit)
    fewer = pruned(end.B, end.q, restricted.diagonal[:, None], restricted.terms().l1, cast(nothing)[:, None, None])
    end = end._replace(B=jnp.where((active & ~end.active & prune)[..., None], fewer, end.B))
    B = jnp.where(active[..., None], end.B.astype(jnp.float64), B)
    B = B if pen.lo is None else jnp.clip(B, wide(pen.lo)[:, None], wide(pen.hi)[:, None])
    return B, end.active, end.passes


def _reorder(B, order: Int[np.ndarray, "S W"] | None):
    """Solutions by slot in a new layout; `order` names the old slot of each new one, or none."""
    if order is None:
        return B
    B = np.asarray(B)
    at = np.broadcast_to(np.minimum(order, B.shape[2] - 1)[:, None], (*B.shape[:2], order.shape[1]))
    return np.where((order < B.shape[2])[:, None], np.take_along_axis(B, at, axis=2), 0.0)


def _busy(pinned: int, solutions: tuple[Array, ...]) -> Bool[np.ndarray, "S W"]:
    """Slots in which any lane of any solution has a coefficient; and the first ones, which are pinned."""
    busy = np.any([np.any(np.asarray(B) != 0, axis=1) for B in solutions], axis=0)
    busy[:, :pinned] = True
    return busy
