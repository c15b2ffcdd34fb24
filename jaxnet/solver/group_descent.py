"""Block coordinate descent for a group penalty over m data sets, lane after lane, as one native loop on a CPU.

In m times the objective of grouped.py, with A_dj the stored column j of data set d and r_d = y - sum_j A_dj b_dj,

    F(b) = sum_d |r_d|^2 / 2 + sum_j l1_j |b_j|_2 + l2_j/2 |b_j|_2^2,   |b_j|_2^2 = sum_d b_dj^2,

block j goes to the minimum of F with its curvature raised to the largest of the data sets, h_j = max_d |A_dj|^2:

    b_j <- (1 - l1_j / |g_j|_2)_+ g_j / (h_j + l2_j),    g_dj = A_dj'r_d + h_j b_dj

(exact where the data sets have equal norms; Breheny, Huang 2015, eq. 2.6). Anderson extrapolation (anderson.py) of the passes
is kept where it lowers F. As in coordinate.py there is no product, no custom call and no scatter in the loops.
"""

from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from jaxnet.penalty import elastic_net
from jaxnet.solver.grouped_design import Stored
from jaxnet.solver.inner import anderson
from jaxnet.solver.inner.coordinate import TIGHT
from jaxnet.solver.sums import total


class Lanes(NamedTuple):
    """The fits of one alpha: coefficients by slot, the columns of the slots (the first `used` of each lane), strengths."""

    B: Float[Array, "L W m"]
    index: Int[Array, "L W"]
    used: Int[Array, " L"]
    l1: Float[Array, "L P"]
    l2: Float[Array, "L P"]


class Certificate(NamedTuple):
    """Relative duality gap and KKT residual per lane, as certificate.py has them, and the norms of the gradients."""

    gap: Float[Array, " L"]
    kkt: Float[Array, " L"]
    size: Float[Array, "L P"]


@jax.jit
def residual_and_gradient(data: Stored, lanes: Lanes) -> tuple[Float[Array, "L m N"], Float[Array, "P L m"]]:
    """r and A'r of every lane, from the coefficients alone."""

    def of_lane(lane, out):
        index, B = lanes.index[lane], lanes.B[lane]
        r = lax.fori_loop(
            0, lanes.used[lane], lambda i, r: r - _at(B, i)[:, None] * _at(data.columns, index[i]), data.y
        )
        return lax.dynamic_update_index_in_dim(out, r, lane, 0)

    def of_column(j, out):
        return lax.dynamic_update_index_in_dim(out, total(_at(data.columns, j)[None] * r), j, 0)

    count, m = lanes.B.shape[0], lanes.B.shape[2]
    r = lax.fori_loop(0, count, of_lane, jnp.zeros((count, *data.y.shape)))
    return r, lax.fori_loop(0, len(data.columns), of_column, jnp.zeros((len(data.columns), count, m)))


@jax.jit
def certify(data: Stored, lanes: Lanes, r: Float[Array, "L m N"], gradient: Float[Array, "P L m"]) -> Certificate:
    """Judge the coefficients whose residuals and gradients are given."""
    count, P = lanes.l1.shape
    gradient = jnp.moveaxis(gradient, 0, 1)
    rows = jnp.arange(count)[:, None]
    filled = jnp.arange(lanes.index.shape[1])[None] < lanes.used[:, None]
    dense = (
        jnp.zeros((count, P, lanes.B.shape[2])).at[rows, jnp.where(filled, lanes.index, P)].set(lanes.B, mode="drop")
    )
    terms = elastic_net.Terms(lanes.l1, lanes.l2)
    gap = jax.vmap(_gap, in_axes=(None, 0, 0, 0, elastic_net.Terms(0, 0, None, None)))(data, dense, gradient, r, terms)
    moves, size = jnp.any(dense != 0, axis=2), _norm(dense)
    pull = terms.l2 + terms.l1 / jnp.where(moves, size, 1.0)
    steepness = _norm(gradient)
    violation = jnp.where(moves, _norm(gradient - pull[..., None] * dense), elastic_net.soft(steepness, terms.l1))
    return Certificate(gap, jnp.max(violation * data.per_unit[None], axis=1), steepness)


def _gap(
    data: Stored, b: Float[Array, "k m"], u: Float[Array, "k m"], r: Float[Array, "m N"], t: elastic_net.Terms
) -> Array:
    """The gap over some columns, relative to half of m times the moment of y.

    The duals of certificate.py hold with norms over data sets for absolute values: for any s with s |u_j - l2 b_j|_2 <= l1,
    D(s) = s <y, r> - s^2/2 (|r|^2 + sum_j l2 |b_j|_2^2); and D = <y, r> - |r|^2/2 - sum_j (|u_j|_2 - l1)_+^2 / (2 l2).
    """
    size, rss, fitted = _norm(b), total(total(r * r)), total(total(data.y * r))
    smooth = rss + total(t.l2 * size * size)
    rest = u - t.l2[:, None] * b
    limit = jnp.min(elastic_net.dual_scale(_norm(rest), t))
    dual_a = elastic_net.scaled_dual(rest, fitted, smooth, limit, t)
    dual_b = fitted - 0.5 * rss - total(elastic_net.conjugate(_norm(u), t))
    gap = 0.5 * rss + total(elastic_net.value(size, t)) - jnp.maximum(dual_a, dual_b)
    null = 0.5 * b.shape[1] * data.moment
    return jnp.where(null > 0, jnp.abs(gap) / jnp.where(null > 0, null, 1.0), 0.0)


class _Point(NamedTuple):
    b: Float[Array, "W m"]
    r: Float[Array, "m N"]


class _State(NamedTuple):
    point: _Point
    passes: Int[Array, ""]
    gap: Float[Array, ""]


@jax.jit
def descend(
    data: Stored, lanes: Lanes, r: Float[Array, "L m N"], target: Float[Array, " L"], limit: Int[Array, " L"]
) -> tuple[Float[Array, "L W m"], Int[Array, " L"]]:
    """Passes over the slots in use until a lane's gap over them is at most its target (inf: leave it), or `limit` passes."""

    def of_lane(lane, out):
        B, passes = out
        mine = jax.tree.map(lambda x: x[lane], lanes)
        terms = elastic_net.Terms(mine.l1[mine.index], mine.l2[mine.index])
        start = _State(
            _Point(mine.B, r[lane]), jnp.zeros((), int), jnp.where(jnp.isinf(target[lane]), -jnp.inf, jnp.inf)
        )
        step = lambda state: _round(data, mine, terms, target[lane], state)
        end = lax.while_loop(lambda x: (x.gap > target[lane]) & (x.passes < limit[lane]), step, start)
        put = lambda x, y: lax.dynamic_update_index_in_dim(x, y, lane, 0)
        return put(B, end.point.b), put(passes, end.passes)

    return lax.fori_loop(0, len(lanes.used), of_lane, (lanes.B, jnp.zeros(len(lanes.used), int)))


def _round(data: Stored, mine: Lanes, terms: elastic_net.Terms, target: Array, state: _State) -> _State:
    """SPAN passes, an extrapolation of them, one more pass, and the gap where that leads."""

    def one_pass(k, both):
        point, history = both
        point = lax.fori_loop(0, mine.used, lambda i, x: _visit(data, mine, terms, i, x), point)
        return point, jax.tree.map(lambda h, x: lax.dynamic_update_index_in_dim(h, x.reshape(-1), k, 0), history, point)

    empty = jax.tree.map(lambda x: jnp.zeros((anderson.SPAN, x.size)), state.point)
    point, history = lax.fori_loop(0, anderson.SPAN, one_pass, (state.point, empty))
    weights = anderson.weights(history.b, jnp.where(target > TIGHT, target, 0.0))
    other = jax.tree.map(lambda h, x: anderson.combine(weights, h).reshape(x.shape), history, point)
    better = _objective(other, terms) < _objective(point, terms)
    point = jax.tree.map(lambda x, y: jnp.where(better, x, y), other, point)
    # A combination leaves blocks next to zero that a pass puts at zero.
    point, _ = one_pass(0, (point, history))
    u = lax.fori_loop(
        0, mine.used, lambda i, u: _put(u, total(_column(data, mine, i) * point.r), i), jnp.zeros_like(point.b)
    )
    return _State(point, state.passes + anderson.SPAN + 1, _gap(data, point.b, u, point.r, terms))


def _visit(data: Stored, mine: Lanes, terms: elastic_net.Terms, i, point: _Point) -> _Point:
    """Block i to its minimum; the residual is touched only where the block moves."""
    a, old, h = _column(data, mine, i), _at(point.b, i), data.curvature[mine.index[i]]
    g = total(a * point.r) + h * old
    size, total_curvature = _norm(g), h + terms.l2[i]
    keep = jnp.maximum(size - terms.l1[i], 0.0) / jnp.where(size > 0, size, 1.0)
    new = jnp.where(h > 0, keep * g / jnp.where(total_curvature > 0, total_curvature, 1.0), 0.0)
    change = new - old
    r = lax.fori_loop(0, jnp.any(change != 0).astype(int), lambda _, r: r - change[:, None] * a, point.r)
    return _Point(_put(point.b, new, i), r)


def _objective(point: _Point, terms: elastic_net.Terms) -> Array:
    return 0.5 * total(total(point.r * point.r)) + total(elastic_net.value(_norm(point.b), terms))


def _norm(x: Float[Array, "*k m"]) -> Float[Array, "*k"]:
    """Euclidean, over the data sets; without overflow or underflow."""
    largest = jnp.max(jnp.abs(x), axis=-1)
    share = x / jnp.where(largest > 0, largest, 1.0)[..., None]
    return largest * jnp.sqrt(total(share * share))


def _column(data: Stored, mine: Lanes, i) -> Float[Array, "m N"]:
    return _at(data.columns, mine.index[i])


def _at(x, j):
    return lax.dynamic_index_in_dim(x, j, 0, keepdims=False)


def _put(x, value, j):
    return lax.dynamic_update_index_in_dim(x, value, j, 0)
