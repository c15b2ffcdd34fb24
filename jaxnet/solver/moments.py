"""Column means and variances per group, and the Gram matrices of tall problems, from one pass over X."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Bool, Float, Int

from jaxnet.design.base import Design, size_class
from jaxnet.lanes import Groups
from jaxnet.solver.view import GramView


class Moments(NamedTuple):
    """Per group, of the stored columns, on the host: `mean` is zero without an intercept; `sd` is about that mean.

    `usable` columns vary (or, without an intercept, are not zero) on the group's training rows: only they get coefficients.
    """

    mean: Float[np.ndarray, "G p"]
    sd: Float[np.ndarray, "G p"]
    usable: Bool[np.ndarray, "G p"]


CONSTANT = 1e-14
"""A column whose variance is below this share of its mean square is constant up to rounding."""


def column_moments(design: Design, train: Float[np.ndarray, "G n"], centred: bool) -> Moments:
    """Weighted means and standard deviations of every column for every group; two products with X."""
    return Moments(*map(np.array, _column_moments(design, train, float(centred))))


@jax.jit
def _column_moments(design: Design, train: Array, centred: Array):
    group = jnp.arange(len(train))
    raw = design.rmatmul(train[:, None], group)[:, 0]
    square = design.squares(train[:, None], group)[:, 0]
    variance = jnp.maximum(square - raw * raw, 0.0)
    usable = jnp.where(centred > 0, variance > CONSTANT * square, square > 0)
    return centred * raw, jnp.sqrt(jnp.where(centred > 0, variance, square)), usable


class Grams(NamedTuple):
    """Raw second moments per group: of all columns, with each response, of each response, and the first moments."""

    columns: Float[Array, "G p p"]
    cross: Float[Array, "G q p"]
    square: Float[Array, "G q"]
    mean: Float[Array, "G p"]
    y_mean: Float[Array, "G q"]


@jax.jit
def _piece(
    design: Design, rows: Int[Array, " m"], weights: Float[Array, " n"], Y: Float[Array, "q n"], group: Int[Array, ""]
) -> Grams:
    """Raw moments of one set of rows; `weights` is zero outside `rows`, which may end in padding of weight zero."""
    inside = rows < weights.shape[0]
    at = jnp.where(inside, weights[rows], 0.0)
    y = jnp.where(inside[None], Y[:, rows], 0.0)
    columns, first = design.second_moments(rows, at, jnp.concatenate([y, jnp.ones_like(y[:1])]), group)
    return Grams(columns, first[:-1], jnp.sum(at[None] * y * y, axis=1), first[-1], jnp.sum(at[None] * y, axis=1))


def group_grams(
    design: Design, weights: np.ndarray, Y: Float[Array, "q n"], group: np.ndarray, apart: bool = False
) -> Grams:
    """Raw moments under each row of `weights` (K, n), as these groups see X; by one pass where rows fall into few classes.

    Rows that have proportional weights in every group (all rows of one test fold) form a class; a group's Gram is the sum
    of its classes' Grams, unless groups see different values. Nothing is subtracted, so a group's moments do not depend on
    the values of rows outside it, bit for bit. On the weights of those they depend by rounding, unless groups are kept `apart`.
    """
    if design.varies or apart:
        return jax.tree.map(
            lambda *x: jnp.stack(x), *(_of_rows(design, *x, Y) for x in zip(weights, group, strict=True))
        )
    base = weights.max(axis=0)
    share = np.divide(weights, base, out=np.zeros_like(weights), where=base > 0)
    _, first, member = np.unique(np.round(share, 12).T, axis=0, return_index=True, return_inverse=True)
    if len(first) <= len(weights) + 1:
        pieces = [(share[:, i], np.where(member.reshape(-1) == k, base, 0.0)) for k, i in enumerate(first)]
    else:
        pieces = list(zip(np.eye(len(weights)), weights, strict=True))
    total = None
    for shares, piece in pieces:
        if piece.any():
            part = _of_rows(design, piece, 0, Y)
            total = _spread(shares, part) if total is None else _accumulate(total, shares, part)
    return total


def _of_rows(design: Design, weights: Float[np.ndarray, " n"], group: int, Y: Float[Array, "q n"]) -> Grams:
    """Raw moments of the rows of positive weight."""
    rows = np.flatnonzero(weights)
    rows = np.pad(rows, (0, size_class(len(rows)) - len(rows)), constant_values=len(weights))
    return _piece(design, rows, weights, Y, group)


@jax.jit
def _spread(shares: Float[Array, " G"], part: Grams) -> Grams:
    """What each group takes of one piece."""
    return Grams(*(jnp.multiply.outer(shares, x) for x in part))


@partial(jax.jit, donate_argnums=0)
def _accumulate(total: Grams, shares: Float[Array, " G"], part: Grams) -> Grams:
    return jax.tree.map(jnp.add, total, _spread(shares, part))


def gram_view(
    design: Design, groups: Groups, Y: Float[np.ndarray, "q n"], moments: Moments, centred: bool, apart: bool = False
) -> GramView:
    """The Gram view of every (group, response) set, response-major: S = q G. `apart` is that of `group_grams`."""
    every = np.tile(np.arange(len(groups)), 2)
    grams = group_grams(design, np.concatenate([groups.train, groups.test]), Y, every, apart)
    return _centre(grams, moments.usable, groups.test_mass > 0, float(centred))


@jax.jit
def _centre(grams: Grams, usable: Bool[Array, "G p"], has_test: Bool[Array, " G"], centred: Array) -> GramView:
    """Moments about the training means, for the training and for the held-out rows."""
    count = len(usable)
    train, test = (Grams(*(x[part] for x in grams)) for part in (slice(count), slice(count, None)))
    mean, y_mean = centred * train.mean, centred * train.y_mean
    outer = lambda a, b: a[:, :, None] * b[:, None, :]
    gram = train.columns - outer(mean, mean)
    moment = train.square - y_mean**2
    moment = jnp.where(moment > CONSTANT * train.square, moment, 0.0)
    cross = jnp.where(moment[..., None] > 0, train.cross - outer(y_mean, mean), 0.0)
    test_gram = test.columns - outer(test.mean, mean) - outer(mean, test.mean) + outer(mean, mean)
    test_cross = test.cross - outer(y_mean, test.mean) - outer(test.y_mean, mean) + outer(y_mean, mean)
    test_moment = test.square - 2 * y_mean * test.y_mean + y_mean**2
    q = y_mean.shape[1]
    by_set = lambda x: jnp.moveaxis(x, 1, 0).reshape(q * count, *x.shape[2:])
    scored = lambda x: jnp.where(has_test.reshape(-1, *[1] * (x.ndim - 1)), x, jnp.nan)
    every = jnp.tile(usable, (q, 1))
    return GramView(
        group=jnp.tile(jnp.arange(count), q),
        grams=jnp.concatenate([gram * (usable[:, :, None] & usable[:, None, :]), scored(test_gram)], axis=2),
        test_cross=by_set(scored(test_cross)),
        test_moment=by_set(scored(test_moment)),
        usable=every,
        cross=jnp.where(every, by_set(cross), 0.0),
        moment=by_set(moment),
    )


def subset(whole: GramView, sets: Int[np.ndarray, " S"]) -> GramView:
    """The view of some sets. The Gram matrices stay where they are; only a reordering of all groups is a copy."""
    count, group = len(whole.grams), np.asarray(whole.group)[sets]
    names = ("test_cross", "test_moment", "usable", "cross", "moment")
    per_set = {name: getattr(whole, name)[sets] for name in names}
    grams = whole.grams
    if len(sets) == count and not np.array_equal(group, np.arange(count)):
        grams, group = grams[group], np.arange(count)
    return GramView(group=group, grams=grams, **per_set)
