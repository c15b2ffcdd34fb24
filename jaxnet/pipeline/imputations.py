"""Sweeps with multiple imputation: m fillings of every group of rows, and how their fits are pooled.

- average: every (group, filling) is a group of its own in one sweep; coefficients are averaged, and held-out rows predicted
  from the mean of their m fills, as new rows are.
- stacked: the m fillings are rows of one data set, weighted by the share that is observed of a row: one fit, one support
  (Du, Boss, Han, Beesley, Kleinsasser, Goutman, Batterman, Feldman and Mukherjee 2022, "saenet").
- grouped: m coefficients of a column enter together, by a group penalty (Chen and Wang 2013; solver/grouped.py).
"""

from dataclasses import replace
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from jaxnet.lanes import Groups
from jaxnet.metrics import held_out_errors
from jaxnet.missing.fill import Gapped, Learn
from jaxnet.missing.imputed import completed, observed_share
from jaxnet.missing.multiple import MultipleFiller
from jaxnet.pipeline.collect import fit_options
from jaxnet.pipeline.dispatch import alpha_grid
from jaxnet.pipeline.problem import Problem
from jaxnet.pipeline.request import Request
from jaxnet.result import Imputations, SparseRows, Status, SweepResult
from jaxnet.solver.grouped import GroupedPath, grouped_alpha_max, solve_grouped
from jaxnet.solver.grouped_design import GroupedDesign


def side_by_side(request: Request) -> Request:
    """The sweep in which filling d of group g is group d G + g."""
    m, groups = request.missing.fill.m, request.groups
    repeated = Groups(np.tile(groups.train, (m, 1)), np.tile(groups.test, (m, 1)), np.tile(groups.test_mass, m))
    return replace(request, groups=repeated, left_out=np.tile(request.left_out, (m, 1)), keep_fold_coefs=True)


def stacked(request: Request) -> Request:
    """The sweep over the rows of all fillings; held-out rows are there once."""
    m, groups, features = request.missing.fill.m, request.groups, request.features
    own = ~features.is_indicator
    share = observed_share(features.matrix[:, own], request.left_out[:, own], groups.train)
    train = np.tile(groups.train * share, (1, m))
    test = np.concatenate([groups.test, np.zeros((len(groups), (m - 1) * groups.test.shape[1]))], axis=1)
    total = train.sum(axis=1)
    return replace(
        request,
        features=replace(features, matrix=np.tile(features.matrix, (m, 1))),
        Y=np.tile(request.Y, (1, m)),
        groups=Groups(train / total[:, None], test, groups.test_mass),
    )


def averaged(request: Request, problem: Problem, whole: SweepResult) -> SweepResult:
    """The result of a sweep `side_by_side`, pooled: means of coefficients, the worst certificate of a fit's m."""
    m, G, p = request.missing.fill.m, len(request.groups), problem.request.X.shape[1]
    grid = (len(request.Y), *whole.alphas.shape[-2:])
    fit = _fits_of(whole, m * G)
    levels = [x.reshape(*grid, -1) for x in (whole.intercepts, whole.fold_intercepts) if x is not None]
    levels = np.concatenate(levels, axis=3).reshape(*grid, m, G)
    pooled = lambda g: [_mean([fit(i, d * G + g) for d in range(m)]) for i in range(int(np.prod(grid)))]
    by_fold = [pooled(g) for g in range(1, G)]
    of_fillings = [fit(i, d * G) for i in range(int(np.prod(grid))) for d in range(m)]
    of_filling = lambda x: x.reshape(*x.shape[:-1], m, G)
    seen = lambda fold, columns: np.mean([problem.held_out(d * G + fold, columns) for d in range(m)], axis=0)
    return _assembled(
        replace(
            whole,
            preparation=request.preparation(problem.filler),
            gap=of_filling(whole.gap).max(axis=-2),
            kkt=of_filling(whole.kkt).max(axis=-2),
            iterations=of_filling(whole.iterations).sum(axis=-2),
            status=_worst(of_filling(whole.status)),
        ),
        request,
        coefs=SparseRows.pack(pooled(0), p),
        fold_coefs=SparseRows.pack([rows[i] for i in range(int(np.prod(grid))) for rows in by_fold], p)
        if G > 1
        else None,
        levels=levels.mean(axis=3),
        imputations=SparseRows.pack(of_fillings, p),
        imputed_levels=levels[..., 0],
        seen=seen,
    )


def _fits_of(whole: SweepResult, count: int):
    """Columns and values of the fit at flat place i of the grid to group h of `count`."""
    if count == 1:
        return lambda i, h: whole.coefs.parts(i)
    return lambda i, h: whole.coefs.parts(i) if h == 0 else whole.fold_coefs.parts(i * (count - 1) + h - 1)


def _mean(fits: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    """The mean of sparse vectors."""
    columns, at = np.unique(np.concatenate([columns for columns, _ in fits]), return_inverse=True)
    values = np.bincount(at.reshape(-1), np.concatenate([values for _, values in fits]), len(columns)) / len(fits)
    return columns[values != 0], values[values != 0]


def _worst(status: Int[np.ndarray, "*grid m G"]) -> Int[np.ndarray, "*grid G"]:
    """A pooled fit has converged if all of its fits have, and is degenerate if all are."""
    worst = np.where(status == Status.DEGENERATE, Status.CONVERGED, status).max(axis=-2)
    return np.where((status == Status.DEGENERATE).all(axis=-2), Status.DEGENERATE, worst)


def _assembled(
    whole: SweepResult, request: Request, *, coefs, fold_coefs, levels, imputations, imputed_levels, seen
) -> SweepResult:
    """A result from pooled coefficients and intercepts `levels` (q, R, A, G), with held-out errors by the request's metric."""
    shape = lambda x: x[0] if request.single else x
    errors, keep = None, request.keep_fold_coefs and fold_coefs is not None
    if fold_coefs is not None:
        describe = lambda j, r, k: f"the fit at rho={request.rho[r]:g} and position {k} of its alphas"
        held_out = request.metric, seen, request.Y, request.groups.test[1:]
        errors = shape(held_out_errors(*held_out, fold_coefs, levels[..., 1:], describe))
    return replace(
        whole,
        coefs=coefs,
        intercepts=shape(levels[..., 0]),
        errors=errors,
        metric=request.metric.name,
        fold_weights=request.fold_weights,
        fold_coefs=fold_coefs if keep else None,
        fold_intercepts=shape(levels[..., 1:]) if keep else None,
        imputations=Imputations(imputations, shape(imputed_levels)),
    )


def grouped(request: Request, progress, learn: Learn) -> SweepResult:
    """The sweep whose fits to the m fillings of a group have one support."""
    features, q, G = request.features, len(request.Y), len(request.groups)
    table = replace(request.gapped, learn=learn)
    each = [_Filled.of(request, table, g) for g in range(G)]
    designs = [[one.design(request, y) for y in request.Y] for one in each]
    alphas = _alphas(request, [designs[0][j] for j in range(q)])
    paths: dict[tuple[int, int], GroupedPath] = {}
    for j, g in np.ndindex(q, G):
        paths[j, g] = solve_grouped(designs[g][j], alphas[j], request.rho, tol=request.tol, max_iter=request.max_iter)
        if progress:
            progress(len(paths) * alphas[0].size, q * G * alphas[0].size)
    p = features.matrix.shape[1]
    shape = lambda x: x[0] if request.single else x
    figures = {
        name: shape(np.stack([np.stack([getattr(paths[j, g], name) for g in range(G)], axis=-1) for j in range(q)]))
        for name in ("gap", "kkt", "iterations", "status")
    }
    sparse = lambda rows: SparseRows.pack([(np.flatnonzero(row), row[row != 0]) for row in rows], p)
    mean = lambda g: np.stack([paths[j, g].coefs.mean(axis=2) for j in range(q)])
    coefs = np.stack([mean(g) for g in range(1, G)], axis=3).reshape(-1, p) if G > 1 else None
    levels = np.stack([np.stack([paths[j, g].intercepts.mean(axis=2) for g in range(G)], axis=-1) for j in range(q)])
    blank = SweepResult(
        rho=request.rho,
        alphas=shape(alphas),
        coefs=sparse(mean(0).reshape(-1, p)),
        intercepts=shape(levels[..., 0]),
        errors=None,
        fold_weights=None,
        **figures,
        feature_names=features.names,
        tol=request.tol,
        options=fit_options(request),
        preparation=request.preparation(each[0].filler),
    )
    return _assembled(
        blank,
        request,
        coefs=blank.coefs,
        fold_coefs=None if coefs is None else sparse(coefs),
        levels=levels,
        imputations=sparse(np.stack([paths[j, 0].coefs for j in range(q)]).reshape(-1, p)),
        imputed_levels=np.stack([paths[j, 0].intercepts for j in range(q)]),
        seen=lambda fold, columns: each[fold + 1].held_out[:, columns],
    )


class _Filled(NamedTuple):
    """One group of rows: its fill, the m fillings of its training rows, and its held-out rows as new rows are filled."""

    filler: MultipleFiller
    versions: Float[np.ndarray, "m t p"]
    rows: Int[np.ndarray, " t"]
    weights: Float[np.ndarray, " t"]
    held_out: Float[np.ndarray, "h p"]

    @classmethod
    def of(cls, request: Request, table: Gapped, g: int) -> "_Filled":
        filler, versions = completed(request.missing.fill, table, g, len(request.groups))
        rows, held = np.flatnonzero(table.train[g]), np.flatnonzero(request.groups.test[g])
        means = filler.fill(table.seen(g, table.modes()[g])[held])
        kept = ~table.excluded[g]
        whole = lambda x, rows: np.concatenate([x, table.X[rows, table.width :]], axis=1) * kept
        train = np.stack([whole(x[rows], rows) for x in versions])
        return cls(filler, train, rows, table.train[g, rows], whole(means, held))

    def design(self, request: Request, y: Float[np.ndarray, " n"]) -> GroupedDesign:
        """Ready for the solver, for one response."""
        how = {"fit_intercept": request.fit_intercept, "standardize": request.standardize}
        return GroupedDesign.build(self.versions, y[self.rows], self.weights, request.factor, **how)


def _alphas(request: Request, designs: list[GroupedDesign]) -> Float[np.ndarray, "q R A"]:
    """The grid of every response, from its full-data designs."""
    return alpha_grid(request, np.array([grouped_alpha_max(design) for design in designs]))
