"""A request made ready for the solver: stored data, units, and the sets of lanes that look at them.

Stored units: X = center + scale * Z with power-of-two scales, y = y_center + y_scale * t. A coefficient of X is
b = beta * y_scale / scale; a penalty v|b| on it is v/scale |beta| (or, standardised, v sd |beta| with sd that of Z's column in
the group), and alpha acts as alpha/y_scale on the L1 part and as alpha on the ridge part.
"""

from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from jaxtyping import Float, Int

from jaxnet.design.base import Conditioning, Design
from jaxnet.design.condition import check_units, condition
from jaxnet.design.dense import DenseDesign
from jaxnet.lanes import Groups, SetAxes
from jaxnet.missing.fill import Filler, Learn, learn_anew
from jaxnet.missing.pairwise import PairwiseMoments, pairwise_moments, pairwise_view
from jaxnet.pipeline.request import Request
from jaxnet.solver.certificate import Penalties
from jaxnet.solver.moments import Moments, column_moments, gram_view, subset
from jaxnet.solver.null import null_gradient
from jaxnet.solver.view import GramView, View, row_view

GRAM_ASPECT = 2
"""Rows per column from which Gram matrices of all columns pay."""
GRAM_LIMIT = 4096
GRAM_BYTES = 8e9
"""The Gram matrices of all groups, of their training and held-out rows, take at most so much memory."""
LARGEST_FACTOR = 1e300
"""Relative penalty factors are finite, so that none times zero is a number."""
SMALLEST_RHO = 1e-3
"""The grid of a smaller rho starts where this one's would: alpha_max grows as 1/rho (as in R glmnet)."""


class SetFactors(NamedTuple):
    """What the penalty factors of each set are multiplied by besides: those of the L1 part, and those of the ridge part."""

    l1: Float[np.ndarray, "S p"] | Float[np.ndarray, "S 1"]
    ridge: Float[np.ndarray, "S p"] | Float[np.ndarray, "S 1"]

    @classmethod
    def of_columns(cls, l1: Float[np.ndarray, "S p"]) -> "SetFactors":
        """The L1 part of every column, and nothing else."""
        return cls(l1, np.ones((len(l1), 1)))


def _stored(request: Request, learn: Learn) -> tuple[Design, Conditioning, Filler | None]:
    """The one copy of X, as every group sees it."""
    how = {"dtype": request.dtype, "centred": request.fit_intercept}
    if request.missing is None:
        return *DenseDesign.build(request.X, **how), None
    return tuple(request.missing.fill.lay_out(replace(request.gapped, learn=learn), **how))


def _pairwise(
    request: Request, design: Design, units: Conditioning, targets: np.ndarray, groups: Groups
) -> PairwiseMoments:
    """Moments of the stored columns by pairwise deletion."""
    X = np.zeros((len(targets.T), design.shape[1]))
    n, p = request.X.shape
    X[:n, :p] = ((request.X - units.center) / units.scale).astype(request.dtype)
    left_out = np.pad(request.left_out, ((0, 0), (0, design.shape[1] - p)))
    what = request.fit_intercept, request.missing.fill, left_out
    return pairwise_moments(X, targets, groups.train, groups.test, *what)


@dataclass(frozen=True)
class Problem:
    """What the solver is given: X, y and the penalties of S sets (`axes`), in units in which they are of order one."""

    request: Request
    design: Design
    conditioning: Conditioning
    groups: Groups
    targets: Float[np.ndarray, "q n"]
    y_center: Float[np.ndarray, " q"]
    y_scale: Float[np.ndarray, " q"]
    moments: Moments
    factors: SetFactors | None = None
    filler: Filler | None = None
    """how the full data fill what is missing"""
    pairwise: PairwiseMoments | None = None
    """what stands in for X where values are deleted by pairs"""

    @classmethod
    def build(
        cls,
        request: Request,
        like: "Problem | None" = None,
        factors: SetFactors | None = None,
        learn: Learn = learn_anew,
    ) -> "Problem":
        """Store X (the one copy), scale y, and take the column moments of every group.

        A problem of other groups `like` one that was built before shares its copy of X, and its y.
        """
        if like is None:
            *stored, filler = _stored(request, learn)
            targets = request.Y.copy()
            units = condition(targets, centred=request.fit_intercept)
            check_units(stored[1], units, request.features.names)
        else:
            stored, targets, units = (like.design, like.conditioning), like.targets, (like.y_center, like.y_scale)
            filler = like.filler
        n = stored[0].shape[0]
        pad = lambda x: np.pad(x, ((0, 0), (0, n - x.shape[1])))
        groups = Groups(pad(request.groups.train), pad(request.groups.test), request.groups.test_mass)
        targets, pairwise = pad(targets), None
        # With nothing missing it is the plain problem, to the last bit.
        if request.by_pairs and np.isnan(request.X).any():
            pairwise = _pairwise(request, *stored, targets, groups)
            moments = Moments(pairwise.mean, pairwise.sd, pairwise.usable)
        else:
            moments = column_moments(stored[0], groups.train, request.fit_intercept)
        moments.usable[:, : request.X.shape[1]] &= ~request.left_out
        return cls(request, *stored, groups, targets, *units, moments, factors, filler, pairwise)

    def with_factors(self, factors: SetFactors) -> "Problem":
        """The same with factors per set; Gram matrices that were computed stay."""
        other = replace(self, factors=factors)
        if "_whole" in vars(self):
            vars(other)["_whole"] = self._whole
        return other

    def held_out(self, fold: int, columns: Int[np.ndarray, " k"]) -> Float[np.ndarray, "m k"]:
        """Columns of the held-out rows of a fold, as its fits see them."""
        rows = np.flatnonzero(self.request.groups.test[fold + 1])
        if self.request.missing is None:
            return self.request.X[np.ix_(rows, columns)]
        return self._seen(fold + 1, columns)[rows]

    def _seen(self, g: int, columns: Int[np.ndarray, " k"]) -> Float[np.ndarray, "n k"]:
        """Columns of X as group g sees them."""
        center, scale = (x[columns] for x in self.conditioning)
        stored = np.asarray(self.design.columns(np.asarray(columns), np.asarray(g)), np.float64)
        return (center[:, None] + scale[:, None] * stored).T[: len(self.request.X)]

    @property
    def axes(self) -> SetAxes:
        """The order of the sets."""
        return SetAxes(len(self.targets), len(self.groups))

    @property
    def by_gram(self) -> bool:
        """Whether one Gram matrix per group replaces X."""
        if self.pairwise is not None:
            return True
        n, p = self.design.shape
        small = 16 * len(self.groups) * p * p <= GRAM_BYTES
        return n >= GRAM_ASPECT * p and p <= GRAM_LIMIT and small

    @cached_property
    def _whole(self) -> GramView:
        if self.pairwise is not None:
            return pairwise_view(self.pairwise, self.moments.usable)
        what = self.design, self.groups, self.targets, self.moments, self.request.fit_intercept
        return gram_view(*what, apart=self.request.complete_rows)

    def view(self, sets: Int[np.ndarray, " S"]) -> View:
        """The data as these sets see them."""
        response, group = self.axes.of(sets)
        if self.by_gram:
            return subset(self._whole, sets)
        rows = (self.groups.train, self.groups.test, self.moments.usable, self.moments.mean)
        return row_view(
            self.design, group, *(x[group] for x in rows), self.targets[response], float(self.request.fit_intercept)
        )

    @property
    def inflation(self) -> Float[np.ndarray, " S"]:
        """|y|^2 in the solver over the moment of y, which gaps are relative to: one, but for pairwise deletion."""
        if self.pairwise is None:
            return np.ones(self.axes.count)
        moment, null = self.pairwise.moment.reshape(-1), self.pairwise.null_moment.reshape(-1)
        return np.divide(null, moment, out=np.ones_like(null), where=moment > 0)

    @property
    def tol(self) -> Float[np.ndarray, " S"]:
        """The gap, relative to |y|^2 in the solver, that every fit of a set must reach."""
        return self.request.tol / self.inflation

    def sd(self, sets: Int[np.ndarray, " S"]) -> Float[np.ndarray, "S p"]:
        return self.moments.sd[self.axes.of(sets)[1]]

    @property
    def unpenalised(self) -> Int[np.ndarray, " u"]:
        """Columns without a penalty or a bound: every fit has them, at their exact minimum."""
        return np.flatnonzero(self.request.unpenalised & ~self.request.limited)

    def penalties(self, sets: Int[np.ndarray, " S"], unit1: float = 1.0, unit2: float = 1.0) -> Penalties:
        """Factors and bounds in stored units, for strengths alpha rho / y_scale / unit1 and alpha (1 - rho) / unit2."""
        response, group = self.axes.of(sets)
        scale, v = self.conditioning.scale, self.request.factor
        if self.request.standardize:
            sd = self.moments.sd[group, : len(v)]
            factor1, factor2 = v * unit1 * sd, v * unit2 * sd * sd
        else:
            with np.errstate(over="ignore"):
                factor1, factor2 = v * unit1 / scale, v * unit2 / scale / scale
            factor1, factor2 = (np.tile(f, (len(sets), 1)) for f in (factor1, factor2))
        if self.factors is not None:
            with np.errstate(over="ignore"):
                factor1, factor2 = factor1 * self.factors.l1[sets], factor2 * self.factors.ridge[sets]
        width = self.design.shape[1] - len(v)
        pad = lambda x, fill: np.pad(x, ((0, 0), (0, width)), constant_values=fill)
        none = np.zeros((len(sets), 0))
        factors = (pad(np.minimum(f, LARGEST_FACTOR), 1.0) for f in (factor1, factor2))
        if not self.request.bounded:
            return Penalties(none, none, *factors)
        with np.errstate(over="ignore", invalid="ignore"):
            per_unit = scale / self.y_scale[response][:, None]
            lo, hi = (np.where(b == 0, 0.0, b * per_unit) for b in (self.request.lower, self.request.upper))
        return Penalties(none, none, *factors, pad(lo, -np.inf), pad(hi, np.inf))

    def alpha_max(self, sets: Int[np.ndarray, " S"] | None = None) -> Float[np.ndarray, " S"]:
        """Per set (by default the full data of each response), the least alpha rho at which all penalised coefficients are 0.

        max_j |x_j'(y - fitted)| / v_j over the usable penalised columns, on the side that their bounds allow, with the
        unpenalised columns fitted.
        """
        sets = self.axes.at(np.arange(len(self.targets))) if sets is None else sets
        return np.concatenate([self.tops(one, self.view(one)) for one in sets[:, None]])

    def tops(self, sets: Int[np.ndarray, " S"], view: View) -> Float[np.ndarray, " S"]:
        """`alpha_max` of the sets of a view, all at once."""
        pen = self.penalties(sets)
        u = null_gradient(view, self.sd(sets), pen, self.unpenalised, self.request.unpenalised & self.request.limited)
        if pen.lo is not None:
            u = np.where(((u > 0) & (pen.hi > 0)) | ((u < 0) & (pen.lo < 0)), u, 0.0)
        u, factor = np.abs(u), np.asarray(pen.factor1)
        top = np.max(np.divide(u, factor, out=np.zeros_like(u), where=factor > 0), axis=1)
        return top * self.y_scale[self.axes.of(sets)[0]]

    def coefficients(self, s: int, columns: np.ndarray, values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Stored coefficients (..., k) of the given columns, in the units of X and y, with their intercepts (...,)."""
        response, group = self.axes.of(s)
        center, scale = (x[columns] for x in self.conditioning)
        coef = values * self.y_scale[response] / scale
        if not self.request.fit_intercept:
            return coef, np.zeros(values.shape[:-1])
        mean = self.moments.mean[group, columns]
        # Relative to one training row, so that the mean of a constant is that constant.
        weights, target = self.groups.train[group], self.targets[response]
        anchor = target[np.argmax(weights > 0)]
        level = anchor + weights @ (target - anchor) - values @ mean
        return coef, self.y_center[response] + self.y_scale[response] * level - coef @ center
