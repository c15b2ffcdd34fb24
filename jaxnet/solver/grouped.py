"""The group elastic net over m imputations of one data set: one support, coefficients of their own (Chen, Wang 2013).

With weights w that sum to one, columns x_j^(d) of imputation d and penalty factors v,

    (1/m) sum_d 1/2 sum_i w_i (y_i - b0_d - x_i^(d)'b_d)^2
        + alpha { rho sum_j v_j sqrt((1/m) sum_d b_dj^2) + (1-rho)/2 sum_j v_j (1/m) sum_d b_dj^2 }.

With equal imputations this is the elastic net. A path is walked from its largest alpha on, each lane (a rho) with a working
set of its own: the support, what the sequential strong rule keeps (Tibshirani et al. 2012, for groups), and then whatever
violates the KKT conditions, until the duality gap over all columns is below tol. Native loops: on a CPU it is at home.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Float, Int

from jaxnet.errors import InvalidInput
from jaxnet.execution import platform
from jaxnet.solver import group_descent
from jaxnet.solver.group_descent import Lanes
from jaxnet.solver.grouped_design import GroupedDesign
from jaxnet.solver.inner.closed_form import RANK
from jaxnet.solver.support import NOTHING
from jaxnet.solver.task import status_of

WIDTH = 1024
"""The least slots of a working set, but for designs of fewer columns; then four times as many."""
NEWCOMERS = 64
"""So many violating columns, or as many as there are slots in use, join at once: the worst first."""
SHARE = 0.9
"""The gap over the working set ends at this share of tol, so that the one over all columns is below tol at once."""
LOOSE = 0.1
"""While violating columns wait, the gap over the working set need only be so much below the one over all columns."""
PASSES = 600
"""Passes between two looks at all columns; the residual is computed anew then."""


class GroupedPath(NamedTuple):
    """R rows of rho along A alphas: coefficients and intercepts in the units of X and y, and certificates.

    `gap` is relative to half the weighted centred moment of y, `kkt` the largest violation in units of correlation with y
    (root mean square over imputations), `iterations` passes over the working set, `status` as in `task.Status`.
    """

    coefs: Float[np.ndarray, "R A m p"]
    intercepts: Float[np.ndarray, "R A m"]
    gap: Float[np.ndarray, "R A"]
    kkt: Float[np.ndarray, "R A"]
    iterations: Int[np.ndarray, "R A"]
    status: Int[np.ndarray, "R A"]


def solve_grouped(
    design: GroupedDesign,
    alphas: Float[np.ndarray, "*R A"],
    rho: Float[np.ndarray, " R"],
    *,
    tol: float = 1e-4,
    max_iter: int = 10_000,
) -> GroupedPath:
    """Fit every (rho, alpha); alphas (A,), or (R, A) with those of each rho, in any order.

    Penalty factors of zero leave a column unpenalised: it and the intercept are fitted exactly, in each imputation for itself.
    A column that is constant in an imputation gets zero there, one that is constant in all gets zero in all.

    Raises InvalidInput for an alpha that is not positive: without a penalty nothing holds the imputations together.
    """
    rho = np.asarray(rho, float)
    alphas = np.broadcast_to(np.asarray(alphas, float), (len(rho), np.shape(alphas)[-1]))
    if not ((alphas > 0) & np.isfinite(alphas)).all():
        wrong = alphas[~((alphas > 0) & np.isfinite(alphas))][0]
        raise InvalidInput(
            f"alpha={wrong:g} has no grouped fit: without a penalty nothing joins the imputations. Use finite alphas > 0, "
            "or pool the coefficients by averaging."
        )
    order = np.argsort(-alphas, axis=1, kind="stable")
    falling, closed = np.take_along_axis(alphas, order, axis=1), rho == 0
    with jax.enable_x64(True), platform.home():
        data = jax.tree.map(jnp.array, design.stored)
        path = _empty(design, alphas.shape)
        if (~closed).any():
            for k, step in enumerate(_walk(design, data, falling[~closed], rho[~closed], tol, max_iter)):
                for whole, part in zip(path, step, strict=True):
                    whole[~closed, k] = part
        for row in np.flatnonzero(closed):
            for whole, part in zip(path, _ridge(design, data, falling[row], tol), strict=True):
                whole[row] = part
    rows, back = np.arange(len(rho))[:, None], np.argsort(order, axis=1)
    beta, *figures = (x[rows, back] for x in path)
    return GroupedPath(*design.coefficients(beta), *figures)


def grouped_alpha_max(design: GroupedDesign) -> float:
    """The least alpha * rho at which all penalised coefficients are zero, the unpenalised ones fitted.

    max_j |u_j|_2 / (sqrt(m) v_j) with u_dj = x_j^(d)'(y - fitted_d), over the columns that vary; 0 if there are none.
    """
    stored, p = design.stored, len(design.factor1)
    u = np.sqrt(np.mean(np.einsum("pmn,mn->pm", stored.columns[:p], stored.y) ** 2, axis=1))
    use = design.usable & (design.factor1 > 0)
    with np.errstate(over="ignore"):
        return float(np.max(u[use] / design.factor1[use], initial=0.0) * design.units.y_scale)


class _Fits(NamedTuple):
    """Fits in stored units, of any shape of lanes."""

    beta: Float[np.ndarray, "*k P m"]
    gap: Float[np.ndarray, "*k"]
    kkt: Float[np.ndarray, "*k"]
    iterations: Int[np.ndarray, "*k"]
    status: Int[np.ndarray, "*k"]


def _empty(design: GroupedDesign, shape: tuple[int, int]) -> _Fits:
    P, m, _ = design.stored.columns.shape
    whole = lambda dtype: np.zeros(shape, dtype)
    return _Fits(np.zeros((*shape, P, m)), whole(float), whole(float), whole(int), whole(int))


def _walk(design: GroupedDesign, data, alphas: Float[np.ndarray, "L A"], rho, tol: float, max_iter: int):
    """The fits of each alpha in turn, largest first, in every lane from where the alpha before has led."""
    P, m, _ = design.stored.columns.shape
    beta, varies = np.zeros((len(rho), P, m)), design.stored.curvature > 0
    working, place, before = np.zeros((len(rho), P), bool), None, None
    for alpha in alphas.T:
        l1, l2 = design.strengths(alpha, rho)
        lanes = _lanes(beta, working, l1, l2)
        place = group_descent.residual_and_gradient(data, lanes) if place is None else place
        seal = _seal(data, lanes, place)
        if before is not None:  # the strong rule; between alphas far apart it would keep everything
            working = (beta != 0).any(axis=2) | (varies & (seal.size >= np.maximum(2 * l1 - before, 0.5 * l1)))
        passes, share = np.zeros(len(rho), int), np.full(len(rho), SHARE)
        while (active := (seal.gap > tol) & (passes < max_iter)).any():
            working, grown, waiting = _grow(working, (seal.size > l1) & varies, seal.size / np.where(l1 > 0, l1, 1.0))
            share = np.where(grown | (passes == 0), share, share * SHARE)
            target = np.where(waiting, np.maximum(share * tol, LOOSE * seal.gap), share * tol)
            lanes = _lanes(beta, working, l1, l2)
            limit = np.minimum(PASSES, max_iter - passes)
            end, spent = group_descent.descend(data, lanes, place[0], np.where(active, target, np.inf), limit)
            lanes = lanes._replace(B=_without_idle(design, np.asarray(end), lanes, tol))
            beta, passes = _by_column(lanes.B, lanes, P), passes + np.asarray(spent)
            place = group_descent.residual_and_gradient(data, lanes)
            seal = _seal(data, lanes, place)
        before = l1
        yield _judged(design, beta, seal, passes, tol)


def _without_idle(design: GroupedDesign, B: Float[np.ndarray, "L W m"], lanes: Lanes, tol: float):
    """B without the groups whose whole effect on the objective is nothing beside tol (support.py): where columns are equal or
    complements in every imputation, rounding gives them to one or the other."""
    size = np.linalg.norm(B, axis=2)
    l1 = np.take_along_axis(np.asarray(lanes.l1), lanes.index, axis=1)
    idle = size * (2 * l1 + design.stored.curvature[lanes.index] * size) <= NOTHING * tol * 0.5 * B.shape[2] * float(
        design.stored.moment
    )
    return np.where(idle[:, :, None], 0.0, B)


def _grow(working, wanted, worth):
    """The working sets with the worst of the wanted columns; whether a lane's has grown, and whether it left some out."""
    wanted = wanted & ~working
    room = np.maximum(working.sum(axis=1), NEWCOMERS)
    place = np.argsort(np.argsort(np.where(wanted, -worth, np.inf), axis=1, kind="stable"), axis=1)
    taken = wanted & (place < room[:, None])
    return working | taken, taken.any(axis=1), (wanted & ~taken).any(axis=1)


def _lanes(beta: Float[np.ndarray, "L P m"], working, l1, l2) -> Lanes:
    """Working sets laid out in slots; what is not in them is zero."""
    used = working.sum(axis=1)
    width = WIDTH
    while width < used.max():
        width *= 4
    index = np.argsort(~working, axis=1, kind="stable")[:, :width].astype(np.int32)
    return Lanes(np.take_along_axis(beta, index[:, :, None], axis=1), index, used, l1, l2)


def _by_column(B, lanes: Lanes, P: int) -> Float[np.ndarray, "L P m"]:
    """The inverse of `_lanes`."""
    beta = np.zeros((len(B), P, B.shape[2]))
    np.put_along_axis(beta, lanes.index[:, :, None], np.asarray(B), axis=1)
    return beta


def _seal(data, lanes: Lanes, place) -> group_descent.Certificate:
    """The certificate, on the host."""
    return group_descent.Certificate(*map(np.array, group_descent.certify(data, lanes, *place)))


def _judged(design: GroupedDesign, beta, seal: group_descent.Certificate, passes, tol: float) -> _Fits:
    status = status_of(seal.gap, tol, not (design.stored.moment > 0 and design.varies))
    return _Fits(beta, seal.gap, seal.kkt, passes, status)


def _ridge(design: GroupedDesign, data, alphas: Float[np.ndarray, " A"], tol: float) -> _Fits:
    """rho = 0 in closed form: the imputations come apart, b_d = W Z_d'(Z_d Z_d' + alpha)^-1 y_d with Z = A W, W = l2^-1/2.

    As in closed_form.py, an alpha that is nothing against the eigenvalues gives the least-norm solution, and its gap is what
    the pseudo-inverse H^+ would still gain, g'H^+g / 2 with g the gradient.
    """
    P, m, _ = design.stored.columns.shape
    _, (l2,) = design.strengths(np.ones(1), np.zeros(1))
    W = np.where(l2 > 0, 1.0 / np.sqrt(np.where(l2 > 0, l2, 1.0)), 0.0)
    beta, gain = np.zeros((len(alphas), P, m)), np.zeros(len(alphas))
    weak = np.ones(len(alphas), bool)
    for d in range(m):
        y, columns = design.stored.y[d], design.stored.columns[:, d]
        mine = np.where(columns.any(axis=1), W, 0.0)
        left, roots, right = np.linalg.svd(columns * mine[:, None], full_matrices=False)  # of Z_d', (P, N)
        values = roots**2
        negligible = alphas <= RANK * values[0]
        kept = ~negligible[:, None] | (values > RANK * values[0])
        inverse = np.where(kept, 1.0 / np.where(kept, values + alphas[:, None], 1.0), 0.0)
        scores = inverse * (roots * (right @ y))
        beta[:, :, d] = scores @ left.T * mine
        slope = roots * (right @ (y[:, None] - columns.T @ beta[:, :, d].T)).T - alphas[:, None] * scores
        gain += 0.5 * np.sum(inverse * slope**2, axis=1)
        weak &= negligible
    strengths = design.strengths(alphas, np.zeros(len(alphas)))
    lanes = Lanes(beta, np.tile(np.arange(P, dtype=np.int32), (len(alphas), 1)), np.full(len(alphas), P), *strengths)
    seal = _seal(data, lanes, group_descent.residual_and_gradient(data, lanes))
    null = 0.5 * m * float(design.stored.moment)
    exact = gain / null if null > 0 else np.zeros(len(alphas))
    return _judged(design, beta, seal._replace(gap=np.where(weak, exact, seal.gap)), np.ones(len(alphas), int), tol)
