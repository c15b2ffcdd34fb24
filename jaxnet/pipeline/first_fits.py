"""The first fits of an adaptive sweep: every group and its inner folds in one sweep, and the weights that follow from them."""

from collections.abc import Callable
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from jaxnet.errors import InvalidInput, fits_missed
from jaxnet.lanes import Groups, SetAxes, geometric_grid
from jaxnet.missing.fill import Learn
from jaxnet.pipeline.arguments import smallest_ratio
from jaxnet.pipeline.collect import Collector
from jaxnet.pipeline.dispatch import solve_all
from jaxnet.pipeline.journal import Forgetful
from jaxnet.pipeline.problem import SMALLEST_RHO, Problem, SetFactors
from jaxnet.pipeline.request import Request
from jaxnet.resampling import resamples
from jaxnet.solver.task import Status

ALPHAS = 50
"""Strengths that the inner folds choose from."""

Count = Callable[[int, int], None] | None


class _Inner(NamedTuple):
    """The H groups of the first sweep: the G of the request, without held-out rows, then the inner folds of each.

    `owner` (H,) says whose rows a group has; the first G have their own.
    """

    groups: Groups
    owner: Int[np.ndarray, " H"]

    def folds(self, g: int, count: int) -> Int[np.ndarray, " K"]:
        """The inner folds of group g, one of `count`."""
        return count + np.flatnonzero(self.owner[count:] == g)


class _First(NamedTuple):
    """A first sweep: its strengths, and whether they may begin far below alpha_max (dispatch.solve_all)."""

    problem: Problem
    alphas: Float[np.ndarray, "q 1 A"]
    far: bool


def adaptive_problem(request: Request, progress: Count, learn: Learn) -> tuple[Problem, Count]:
    """Solve the first sweep of an adaptive request; returns its problem, with weights, and `progress` to count on with."""
    inner = _inner_groups(request)
    first = _first_sweep(request, inner, learn)
    before = first.problem.axes.count * first.alphas.shape[2]
    count = request.alphas if isinstance(request.alphas, int) else request.alphas.shape[1]
    total = before + len(request.Y) * len(request.groups) * len(request.rho) * count
    kept = np.arange(len(inner.owner)) < len(request.groups)
    collector = Collector(first.problem, first.alphas, _counting(progress, 0, total), kept)
    solve_all(*first, collector, Forgetful())
    factors = SetFactors.of_columns(_weights(request, inner, first, collector))
    return Problem.build(request, like=first.problem, factors=factors), _counting(progress, before, total)


def _counting(progress: Count, before: int, total: int) -> Count:
    """Counts fits of one of the two sweeps among those of both."""
    return progress and (lambda done, _: progress(before + done, total))


def _inner_groups(request: Request) -> _Inner:
    """Inner folds divide the rows of positive weight of each group, which keep their weights."""
    train, owner = list(request.groups.train), list(range(len(request.groups)))
    test = [np.zeros_like(weights) for weights in train]
    for g, weights in enumerate(request.groups.train if request.adaptive.alpha is None else []):
        rows = np.flatnonzero(weights > 0)
        y = request.Y[0, rows] if request.single else request.Y[:, rows].T
        labels = None if request.row_groups is None else request.row_groups[rows]
        for part, parts in zip((train, test), _splits(request.adaptive.cv, rows, y, g, labels), strict=True):
            for counts in parts:
                wide = np.zeros_like(weights)
                wide[rows] = counts * weights[rows]
                part.append(wide)
        owner += [g] * (len(train) - len(owner))
    train, test = np.array(train), np.array(test)
    mass = test.sum(axis=1)
    unit = np.where(mass > 0, mass, 1.0)[:, None]
    return _Inner(Groups(train / train.sum(axis=1)[:, None], test / unit, mass), np.array(owner))


def _splits(
    cv, rows: Int[np.ndarray, " m"], y: np.ndarray, g: int, labels: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray]:
    """How often each inner fold trains on these rows, and is scored on them: two (K, m)."""
    try:
        inner = resamples(cv, rows[:, None], y, groups=labels)
    except InvalidInput as error:
        where = "all rows" if g == 0 else f"the training rows of fold {g - 1}"
        raise InvalidInput(
            f"adaptive, choosing the first fit to {where} by inner folds: {error} Or give Adaptive an alpha, which needs none."
        ) from None
    return inner.train[1:], inner.test[1:]


def _first_sweep(request: Request, inner: _Inner, learn: Learn) -> _First:
    """The given alpha for every group; or a grid for each group and its inner folds, from that group's own alpha_max.

    Strengths are per response, so a grid is one in common times a factor per set.
    """
    asked, G = request.adaptive, len(request.groups)
    rho = np.array([float(asked.rho)])
    left_out = request.left_out[inner.owner]
    first = replace(
        request, groups=inner.groups, left_out=left_out, rho=rho, keep_fold_coefs=False, adaptive=None, relax=None
    )
    problem = Problem.build(first, learn=learn)
    if asked.alpha is not None:
        return _First(problem, np.full((len(request.Y), 1, 1), float(asked.alpha)), True)
    scale = problem.y_scale
    own = problem.axes.at(np.arange(len(scale))[:, None], np.arange(G))
    top = problem.alpha_max(own.reshape(-1)).reshape(own.shape) / scale[:, None]
    factor = np.where(top > 0, top, 1.0)[:, inner.owner].reshape(-1, 1)
    start = scale / max(rho[0], SMALLEST_RHO)
    alphas = geometric_grid(start, ALPHAS, smallest_ratio(*request.X.shape))
    return _First(problem.with_factors(SetFactors(factor, factor)), alphas[:, None], False)


def _weights(request: Request, inner: _Inner, first: _First, collector: Collector) -> Float[np.ndarray, "S p"]:
    """The L1 weights of every set of the request, from the first fit that its inner folds choose."""
    problem, axes = first.problem, SetAxes(len(request.Y), len(request.groups))
    p = request.X.shape[1]
    weights, missed = np.empty((axes.count, p)), 0
    for s in range(axes.count):
        j, g = axes.of(s)
        k = _chosen(request, inner, collector, j, g) if request.adaptive.alpha is None else 0
        first_set = problem.axes.at(j, g)
        columns, values, _ = collector.fit(first_set, 0, k)
        missed += collector.status[first_set, 0, k] not in (Status.CONVERGED, Status.DEGENERATE)
        train, target = problem.groups.train[g], problem.targets[j]
        spread = np.sqrt(train @ (target - request.fit_intercept * (train @ target)) ** 2)
        first_fit = np.zeros(p)
        first_fit[columns] = values / problem.y_scale[j] / (spread if spread > 0 else 1.0)
        if request.standardize:
            first_fit *= problem.conditioning.scale * problem.moments.sd[g, :p]
        weights[s] = request.adaptive.weights(first_fit, np.count_nonzero(train))
    if missed:
        fits_missed(
            f"{missed} of the {len(weights)} first fits of adaptive missed tol={request.tol:g}, so their weights are less "
            "exact than asked. Raise max_iter or tol."
        )
    return weights


def _chosen(request: Request, inner: _Inner, collector: Collector, j: int, g: int) -> int:
    """The alpha of least error on the inner folds of group g, of equal ones the largest."""
    folds = inner.folds(g, len(request.groups))
    mass = inner.groups.test_mass[folds] if request.fold_average == "rows" else None
    errors = np.average(
        collector.errors[SetAxes(len(request.Y), len(inner.owner)).at(j, folds), 0], axis=0, weights=mass
    )
    if not np.isfinite(errors).any():
        raise InvalidInput("adaptive: no first fit has a finite error on the inner folds; give Adaptive an alpha.")
    return int(np.nanargmin(errors))
