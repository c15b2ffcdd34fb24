"""An exact finish for lanes on which passes crawl: a primal active-set method, in NumPy on the host.

Interpolating fits and near-collinear columns make a first-order method's steps tiny, and their support may be larger than
its rank. With F the free coefficients (off zero and off their bounds) and theta their signs, the minimum of the face is at

    b_F + d,    (G_FF + diag l2 + delta) d = q_F - l2 b_F - l1 theta,    q = c - G b,

delta being rounding: along directions in which G_FF has no curvature it makes d long, and the first coefficient that
reaches zero or a bound leaves F. Where F has its minimum, the coefficient that breaks its KKT condition most joins. The
objective never rises, and no face comes twice, so the end is the minimum, as far as rounding tells (Nocedal and Wright 2006,
section 16.5; Lee, Battle, Raina and Ng 2006, for the lasso's signs).

Supports are small where this is needed, so that a step costs less than a pass and nothing is compiled.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int

from jaxnet.execution.threads import one_thread
from jaxnet.solver.certificate import Penalties
from jaxnet.solver.view import View
from jaxnet.solver.working_set import WorkingSet

LARGEST = 1000
"""Lanes with more nonzeros are left as they are: a step costs their cube."""
STEPS = 4
"""Most steps per column in use."""
EPS = float(np.finfo(np.float64).eps)


def finish(
    view: View,
    pen: Penalties,
    ws: WorkingSet,
    B: Float[np.ndarray, "S L W"],
    chosen: Bool[np.ndarray, "S L"],
    most: Int[np.ndarray, "S L"],
) -> tuple[Float[np.ndarray, "S L W"], Int[np.ndarray, "S L"]]:
    """The chosen lanes at the minimum of their restricted problem; and the steps taken, of which a lane has `most`."""
    B, steps = np.array(B), np.zeros(chosen.shape, np.int32)
    with one_thread():
        for s, lane in np.argwhere(chosen & (support(B) <= LARGEST)):
            used = slice(ws.count[s])
            problem = _restricted(view, pen, ws, s, lane)
            B[s, lane, used], steps[s, lane] = problem.minimise(B[s, lane, used], most[s, lane])
    return B, steps


def _restricted(view: View, pen: Penalties, ws: WorkingSet, s: int, lane: int) -> "Quadratic":
    """The problem of one lane over the slots in use."""
    used = slice(ws.count[s])
    columns, entries = ws.index[s, used], np.asarray(np.asarray(ws.entries)[s, used], np.float64)
    pick = lambda x: np.asarray(x)[s, columns]
    bound = lambda x, none: np.full(len(columns), none) if x is None else pick(x)
    return Quadratic.build(
        entries if ws.by_rows else entries[:, used],
        ws.by_rows,
        pick(view.cross),
        np.asarray(pen.lam1)[s, lane] * pick(pen.factor1),
        np.asarray(pen.lam2)[s, lane] * pick(pen.factor2),
        bound(pen.lo, -np.inf),
        bound(pen.hi, np.inf),
    )


def support(B: Float[np.ndarray, "S L W"]) -> Int[np.ndarray, "S L"]:
    """How many coefficients of every lane are not zero."""
    return np.count_nonzero(B, axis=2)


@dataclass(frozen=True)
class Quadratic:
    """1/2 b'Gb - c'b + sum_j (l1_j |b_j| + l2_j/2 b_j^2) over lo <= b <= hi, for columns of norms from 1/2 to 1.

    `matrix` is G, or, `by_rows`, the columns A with G = AA'. Coefficients are multiplied by `unit`, powers of two, on the way
    in.
    """

    matrix: Float[np.ndarray, "k m"]
    by_rows: bool
    unit: Float[np.ndarray, " k"]
    c: Float[np.ndarray, " k"]
    l1: Float[np.ndarray, " k"]
    l2: Float[np.ndarray, " k"]
    lo: Float[np.ndarray, " k"]
    hi: Float[np.ndarray, " k"]

    @classmethod
    def build(cls, matrix, by_rows: bool, c, l1, l2, lo, hi) -> "Quadratic":
        """From columns of any norm. Those of none stay where they are."""
        norm = np.sqrt(np.einsum("km,km->k", matrix, matrix) if by_rows else np.diagonal(matrix))
        moves = norm > 0
        unit = np.ldexp(1.0, np.where(moves, np.frexp(norm)[1], 0))
        matrix = matrix / unit[:, None] if by_rows else matrix / unit[:, None] / unit
        lo, hi = np.where(moves, lo, 0.0), np.where(moves, hi, 0.0)
        with np.errstate(over="ignore"):
            return cls(matrix, by_rows, unit, c / unit, l1 / unit, l2 / unit / unit, lo * unit, hi * unit)

    def minimise(self, b: Float[np.ndarray, " k"], most: int) -> tuple[Float[np.ndarray, " k"], int]:
        """The minimum from b on, and the steps it took."""
        state, steps = _State.at(self, b * self.unit), 0
        most = min(int(most), STEPS * len(b) + STEPS)
        with np.errstate(over="ignore", invalid="ignore"):
            while steps < most and state.choose(self) and state.move(self):
                steps += 1
        return state.b / self.unit, steps

    def gradient(self, b: Float[np.ndarray, " k"]) -> Float[np.ndarray, " k"]:
        """q - l2 b, the negative gradient of the smooth part."""
        image = self.matrix @ (self.matrix.T @ b) if self.by_rows else self.matrix @ b
        return self.c - image - self.l2 * b

    def curvature(self, free: Int[np.ndarray, " f"]) -> Float[np.ndarray, "f f"]:
        """G + diag l2 of the free columns, and a little more so that it can be solved with."""
        mine = self.matrix[free]
        gram = mine @ mine.T if self.by_rows else mine[:, free]
        gram[np.diag_indices(len(free))] += self.l2[free] + 10 * EPS * len(free)
        return gram


@dataclass
class _State:
    """Coefficients b, which of them are free, and the ends of their faces: between `low` and `high` the slope of the L1 part is
    `theta` l1."""

    b: Float[np.ndarray, " k"]
    free: Bool[np.ndarray, " k"]
    theta: Float[np.ndarray, " k"]
    low: Float[np.ndarray, " k"]
    high: Float[np.ndarray, " k"]
    refused: Bool[np.ndarray, " k"]
    """joined and left again without a step"""
    pull: Float[np.ndarray, " k"]
    worst: float = np.inf
    """largest slope on the face before its last whole step: another one is for rounding, as long as each halves it"""

    @classmethod
    def at(cls, problem: Quadratic, b: Float[np.ndarray, " k"]) -> "_State":
        theta = np.where(problem.l1 > 0, np.sign(b), 0.0)
        low, high = np.where(theta > 0, 0.0, problem.lo), np.where(theta < 0, 0.0, problem.hi)
        free = (b > low) & (b < high) & ((theta != 0) | (problem.l1 == 0))  # a column of no norm has lo = hi
        return cls(b, free, theta, low, high, np.zeros(len(b), bool), np.zeros(len(b)))

    def choose(self, problem: Quadratic) -> bool:
        """Whether there is a step to take: on this face, or, where it has its minimum, with the coefficient that joins."""
        b, gradient = self.b, problem.gradient(self.b)
        noise = EPS * (np.max(np.abs(problem.c), initial=0) + np.abs(b).sum())
        up = np.where(b < problem.hi, gradient - np.where(b >= 0, problem.l1, -problem.l1), -np.inf)
        down = np.where(b > problem.lo, -gradient - np.where(b <= 0, problem.l1, -problem.l1), -np.inf)
        fall = np.maximum(up, down)
        self.pull = gradient - problem.l1 * self.theta
        slope = np.max(fall[self.free], initial=0)
        if 0 < slope < 0.5 * self.worst:
            self.worst = slope
            return True
        fall[self.free | self.refused] = -np.inf
        j = int(np.argmax(fall)) if len(fall) else 0
        if not len(fall) or not fall[j] > noise:
            return False
        side = np.sign(b[j]) or (1.0 if up[j] > down[j] else -1.0)
        if problem.l1[j] > 0:
            self.theta[j] = side
            self.low[j], self.high[j] = (0.0, problem.hi[j]) if side > 0 else (problem.lo[j], 0.0)
            self.pull[j] = gradient[j] - problem.l1[j] * side
        self.free[j], self.worst = True, np.inf
        return True

    def move(self, problem: Quadratic) -> bool:
        """To the minimum of the face, or towards it up to where the objective is lower of two points: where the first
        coefficient ends, or where all end that would cross. What has ended is free no more. False where numbers overflow."""
        free = np.flatnonzero(self.free)
        b, low, high, pull = (x[free] for x in (self.b, self.low, self.high, self.pull))
        curvature = problem.curvature(free)
        if not (np.isfinite(curvature).all() and np.isfinite(pull).all()):
            return False
        d = np.linalg.solve(curvature, pull)
        held = np.clip(b + d, low, high)
        crosses = held != b + d
        if crosses.any():
            share = np.divide(held - b, d, out=np.ones_like(d), where=crosses)
            first = share.min()
            way = np.where(crosses & (share == first), held, np.clip(b + first * d, low, high))
            change = [new - b for new in (held, way)]
            held, way = (
                (held, way) if _value(change[0], pull, curvature) < _value(change[1], pull, curvature) else (way, held)
            )
        ended = ((held <= low) & (d < 0)) | ((held >= high) & (d > 0))
        moved = np.any(held != b)
        self.worst = np.inf if crosses.any() else self.worst
        self.refused[:] &= not moved
        self.refused[free[ended]] |= not moved
        self.b[free], self.free[free] = held, ~ended
        return True


def _value(change, pull, curvature) -> float:
    """What a change within a face adds to the objective."""
    return float(change @ (0.5 * curvature @ change - pull))
