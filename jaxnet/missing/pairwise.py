"""Pairwise deletion: second moments of which each is from the rows that observe both of its columns.

Conventions as in solver/moments.py: G groups of row weights that sum to one (or are zero), q responses, p columns; moments
are about the means of a group's training rows if there is an intercept, and a group's own rows are all it depends on.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, NamedTuple

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.missing.fill import Fill
from jaxnet.missing.projection import Projection, clip_eigenvalues, onto_ellipsoid, project_max_norm
from jaxnet.missing.simple import SimpleFill
from jaxnet.scalars import is_number

if TYPE_CHECKING:  # a loaded model needs no JAX, and no time for annotations
    from jaxtyping import Bool, Float, Int

    from jaxnet.solver.view import GramView

PROJECTIONS = {"clip": clip_eigenvalues, "max-norm": project_max_norm}
LEAST_LIMITS = 1e-8, 0.5
MOST_COLUMNS, MOST_BYTES = 4096, 8e9
MEANS = SimpleFill("mean")


@dataclass(frozen=True)
class Pairwise(Fill):
    """Missing values by pairwise deletion: every entry of the Gram matrix from the rows that observe both columns.

    With m_j the mean of the observed values, w the row weights and sums over the rows where the values named are observed,

        S_jk = sum w (x_j - m_j)(x_k - m_k) / sum w,     c_j = sum w (x_j - m_j)(y - mean y) / sum w,

    and the fit minimises b'Sb/2 - c'b plus the penalty. Nothing is filled in, and no row is dropped. S need not be positive
    semidefinite, so it is replaced by a matrix near it whose eigenvalues, in units of correlation, are at least `least`. If
    a group of rows has no missing value, S is its ordinary Gram matrix and stays as it is.

    The held-out error is a mean square that is estimated from moments: with S, c and m = sum w (y - mean y)^2 / sum w of the
    held-out rows, about the training means,

        b'Sb - 2 c'b + m,   [[S, c], [c', m]] positive semidefinite, so that it is at least zero for every b.

    S is made so by the same projection (with least eigenvalue 0, and its diagonal, the variances, put back), then c is replaced
    by the nearest that S and m allow. That of b = 0 is m, exactly. Where folds are so large that nothing need be replaced
    it is unbiased; where they are small against the columns it errs on the high side.

    - projection: which near matrix. "clip" (default) sets eigenvalues below `least` to it: the nearest in the Frobenius norm.
      It takes one decomposition, but is not what CoCoLasso does and comes without its error bounds. "max-norm" is CoCoLasso's:
      nearest in the largest change of an entry, within 1%, by ADMM; some 50 to 400 decompositions.
    - least: the least eigenvalue, in units of correlation, in [1e-8, 0.5]; default 1e-4. A smaller one is nearer to S, a larger
      one gives better conditioned fits.

    Values should be missing completely at random. Both take p^3 operations and 16 p^2 bytes per group: for many columns,
    fill instead.

    `jaxnet.sweep` raises InvalidInput for values outside these ranges, and for more than 4096 columns or 8 GB.

    Reference: Datta and Zou 2017 (CoCoLasso), section 2.

    >>> import jaxnet
    >>> jaxnet.Pairwise(projection="max-norm").least
    0.0001
    """

    projection: str = "clip"
    least: float = 1e-4
    by_pairs: ClassVar[bool] = True

    def check(self) -> None:
        """Raise InvalidInput for a value out of range."""
        if not isinstance(self.projection, str) or self.projection not in PROJECTIONS:
            raise InvalidInput(
                f"projection={self.projection!r:.60} of Pairwise must be 'clip' (eigenvalues) or 'max-norm' (CoCoLasso)."
            )
        low, high = LEAST_LIMITS
        if not is_number(self.least) or not low <= self.least <= high:
            raise InvalidInput(
                f"least={self.least!r:.60} of Pairwise must be in [{low:g}, {high:g}]: the least eigenvalue of the Gram matrix, "
                "in units of correlation."
            )

    def fit(self, X, weights):
        """The means, which leave predictions of new rows where the observed columns put them."""
        return MEANS.fit(X, weights)

    def lay_out(self, table, *, dtype, centred):
        return MEANS.lay_out(table, dtype=dtype, centred=centred)


@dataclass(frozen=True)
class PairwiseMoments:
    """What GramView needs, per group (G), and per response and group (q, G); nan for held-out rows where there are none."""

    mean: Float[np.ndarray, "G p"]
    """of the observed training values; zero without an intercept"""
    sd: Float[np.ndarray, "G p"]
    """about `mean`"""
    usable: Bool[np.ndarray, "G p"]
    """columns observed on training rows that vary there (or, without an intercept, are not zero)"""
    grams: Float[np.ndarray, "G p 2*p"]
    """of the training rows, then of the held-out rows; zero for columns that are not usable"""
    cross: Float[np.ndarray, "q G p"]
    moment: Float[np.ndarray, "q G"]
    """weighted variance of y"""
    null_moment: Float[np.ndarray, "q G"]
    """m >= moment, the least with b'Sb - 2c'b + m >= 0 for all b: |y|^2 of a y whose x'x = S and x'y = c"""
    test_cross: Float[np.ndarray, "q G p"]
    """the nearest for which the held-out moments of X and one y together are positive semidefinite"""
    test_moment: Float[np.ndarray, "q G"]
    """of held-out y about its training mean; b'Sb - 2c'b + this is the held-out error"""
    unpaired: Int[np.ndarray, " G"]
    """pairs of usable columns that no training row observes together: their entry is zero before the projection"""
    distance: Float[np.ndarray, "2 G"]
    """the largest change of an entry by the projection, in units of correlation: training and held-out matrix"""
    converged: Bool[np.ndarray, "2 G"]

    @property
    def gram(self) -> Float[np.ndarray, "G p p"]:
        """The training part of `grams`, no copy."""
        return self.grams[:, :, : self.mean.shape[1]]

    @property
    def test_gram(self) -> Float[np.ndarray, "G p p"]:
        """The held-out part of `grams`, no copy."""
        return self.grams[:, :, self.mean.shape[1] :]


def pairwise_moments(
    X: Float[np.ndarray, "n p"],
    Y: Float[np.ndarray, "q n"],
    train: Float[np.ndarray, "G n"],
    test: Float[np.ndarray, "G n"],
    centred: bool,
    options: Pairwise,
    left_out: Bool[np.ndarray, "G p"] | None = None,
) -> PairwiseMoments:
    """Moments of X (nan where missing) and Y by pairwise deletion, for every group; O(G (n p^2 + p^3)).

    Columns that a group leaves out are not usable there, and no projection sees them.
    """
    groups, p, q = len(train), X.shape[1], len(Y)
    _refuse_large(groups, p)
    found = PairwiseMoments(
        *(np.zeros((groups, p)), np.zeros((groups, p)), np.zeros((groups, p), bool), np.zeros((groups, p, 2 * p))),
        *(np.zeros((q, groups, p)), np.zeros((q, groups)), np.zeros((q, groups))),
        *(np.full((q, groups, p), np.nan), np.full((q, groups), np.nan)),
        *(np.zeros(groups, int), np.zeros((2, groups)), np.ones((2, groups), bool)),
    )
    for g in range(groups):
        rows = np.flatnonzero(train[g])
        columns = _columns(X[rows], train[g, rows], centred)
        if left_out is not None:
            columns = columns._replace(usable=columns.usable & ~left_out[g])
        found.mean[g], found.sd[g], found.usable[g] = columns.mean, columns.sd, columns.usable
        y_mean, found.moment[:, g] = _response(Y[:, rows], train[g, rows], centred)
        for k, (weights, cross) in enumerate(((train[g], found.cross), (test[g], found.test_cross))):
            rows = np.flatnonzero(weights)
            if k == 1 and not len(rows):
                found.test_gram[g] = np.nan
                break
            y, weights = Y[:, rows] - y_mean, weights[rows]
            pairs = _pairs(X[rows], y, weights, columns)
            if k == 0:
                found.unpaired[g], projection = pairs.unpaired, _project(pairs, options)
                found.null_moment[:, g] = _null_moment(found.moment[:, g], pairs, projection)
            else:
                found.test_moment[:, g] = (y * y) @ weights
                pairs, projection = _jointly(pairs, found.test_moment[:, g], options)
            at, unit = pairs.at, pairs.unit
            found.grams[g, at[:, None], k * p + at] = projection.matrix * np.multiply.outer(unit, unit)
            cross[:, g] = 0.0
            cross[:, g, at] = pairs.cross * unit
            found.distance[k, g], found.converged[k, g] = projection.distance, projection.converged
    constant = found.moment == 0
    found.cross[constant], found.null_moment[constant] = 0.0, 0.0
    return found


def pairwise_view(found: PairwiseMoments, usable: Bool[np.ndarray, "G p"]) -> GramView:
    """What the solver sees of these moments, of the columns `usable` in each group, with |y|^2 = `null_moment`."""
    from jaxnet.solver.view import GramView

    q, groups, _ = found.cross.shape
    by_set = lambda x: x.reshape(q * groups, *x.shape[2:])
    both = usable[:, :, None] & usable[:, None, :]
    return GramView(
        group=np.tile(np.arange(groups), q),
        grams=np.concatenate([found.gram * both, found.test_gram], axis=2),
        test_cross=by_set(found.test_cross),
        test_moment=by_set(found.test_moment),
        usable=np.tile(usable, (q, 1)),
        cross=by_set(found.cross * usable),
        moment=by_set(found.null_moment),
    )


def _refuse_large(groups: int, p: int) -> None:
    if p > MOST_COLUMNS or 16 * groups * p * p > MOST_BYTES:
        raise InvalidInput(
            f"X has {p} columns, and pairwise deletion keeps two Gram matrices of them for each of {groups} groups of rows, "
            f"{16 * groups * p * p / 1e9:.1f} GB; it takes up to {MOST_COLUMNS} columns and {MOST_BYTES / 1e9:g} GB. Use fewer "
            "columns or folds, or fill the missing values instead."
        )


class Columns(NamedTuple):
    """The columns of a group's training rows; those without an observed value have mean and sd zero."""

    mean: Float[np.ndarray, " p"]
    rest: Float[np.ndarray, " p"]
    """what rounding leaves of a large offset: the mean of x - mean"""
    sd: Float[np.ndarray, " p"]
    usable: Bool[np.ndarray, " p"]


def _columns(x: Float[np.ndarray, "m p"], weights: Float[np.ndarray, " m"], centred: bool) -> Columns:
    """On magnitudes that a power of two brings below one, so that squares neither over- nor underflow."""
    from jaxnet.solver.view import CONSTANT_RESPONSE

    observed = ~np.isnan(x)
    power = np.frexp(np.max(np.abs(x), axis=0, initial=0.0, where=observed))[1]
    x = np.where(observed, np.ldexp(x, -power), 0.0)
    mass = weights @ observed
    mass = np.where(mass > 0, mass, 1.0)
    square = (weights @ (x * x)) / mass
    mean = rest = np.zeros(x.shape[1])
    if centred:
        mean = (weights @ x) / mass
        rest = (weights @ np.where(observed, x - mean, 0.0)) / mass
    variance = (weights @ np.where(observed, x - mean - rest, 0.0) ** 2) / mass
    usable = variance > CONSTANT_RESPONSE * square
    return Columns(*(np.ldexp(a, power) for a in (mean, rest, np.sqrt(variance))), usable)


def _response(
    y: Float[np.ndarray, "q m"], weights: Float[np.ndarray, " m"], centred: bool
) -> tuple[Float[np.ndarray, "q 1"], Float[np.ndarray, " q"]]:
    """Mean of each response, zero without an intercept, and its moment about that, zero if it is constant."""
    from jaxnet.solver.view import CONSTANT_RESPONSE

    mean = (y @ weights)[:, None] if centred else np.zeros((len(y), 1))
    moment = ((y - mean) ** 2) @ weights
    return mean, np.where(moment > CONSTANT_RESPONSE * ((y * y) @ weights), moment, 0.0)


class Pairs(NamedTuple):
    """Pairwise moments of the columns `at`, each divided by `unit`, its root mean square: the diagonal of `gram` is one."""

    at: Int[np.ndarray, " k"]
    unit: Float[np.ndarray, " k"]
    gram: Float[np.ndarray, "k k"]
    cross: Float[np.ndarray, "q k"]
    unpaired: int
    whole: bool
    """whether no value is missing, so that `gram` is positive semidefinite"""


def _pairs(
    x: Float[np.ndarray, "m p"], y: Float[np.ndarray, "q m"], weights: Float[np.ndarray, " m"], columns: Columns
) -> Pairs:
    """About the training means, of the usable columns that vary on these rows.

    With M one where a value is observed and zero elsewhere, Z the centred values and W the weights: (Z'WZ) / (M'WM).
    """
    at = np.flatnonzero(columns.usable)
    observed = ~np.isnan(x[:, at])
    z = np.where(observed, x[:, at] - columns.mean[at] - columns.rest[at], 0.0)
    power = np.frexp(np.max(np.abs(z), axis=0, initial=0.0))[1]
    z = np.ldexp(z, -power)
    mass = weights @ observed
    unit = np.sqrt((weights @ (z * z)) / np.where(mass > 0, mass, 1.0))
    varies = unit > 0
    at, unit, power, mass, observed = at[varies], unit[varies], power[varies], mass[varies], observed[:, varies]
    z = z[:, varies] / unit
    whole, root = bool(observed.all()), np.sqrt(weights)[:, None]
    gram, cross = _square(z * root), (y * weights) @ z
    if whole:
        return Pairs(at, np.ldexp(unit, power), gram / weights.sum(), cross / weights.sum(), 0, whole)
    together = _square(observed * root)
    apart = together <= 0
    gram = np.where(apart, 0.0, gram / np.where(apart, 1.0, together))
    return Pairs(at, np.ldexp(unit, power), gram, cross / mass, int(apart.sum()) // 2, whole)


def _square(a: Float[np.ndarray, "m k"]) -> Float[np.ndarray, "k k"]:
    """a'a, exactly symmetric, as NumPy makes the product of a matrix with its own transpose."""
    return a.T @ a


def _project(pairs: Pairs, options: Pairwise) -> Projection:
    """A Gram matrix of whole rows is positive semidefinite as it is, also where it has no inverse."""
    if pairs.whole:
        return Projection(pairs.gram, 0.0, 0.0, 0, True)
    return PROJECTIONS[options.projection](pairs.gram, float(options.least))


def _jointly(pairs: Pairs, moment: Float[np.ndarray, " q"], options: Pairwise) -> tuple[Pairs, Projection]:
    """Moments with each y that are positive semidefinite together, and how far the matrix had to move.

    The diagonal is what single columns say, so it is kept: D^-1/2 A D^-1/2, with A the projection and D its diagonal.
    """
    if pairs.whole:
        return pairs, _project(pairs, options)
    found = PROJECTIONS[options.projection](pairs.gram, 0.0)
    if found.distance > 0:
        root = np.sqrt(np.diagonal(found.matrix))
        matrix = found.matrix / np.multiply.outer(root, root)
        found = found._replace(matrix=matrix, distance=float(np.abs(matrix - pairs.gram).max()))
    spread = np.sqrt(moment)[:, None]
    in_units = np.divide(pairs.cross, spread, out=np.zeros_like(pairs.cross), where=spread > 0)
    return pairs._replace(cross=onto_ellipsoid(found.matrix, in_units) * spread), found


def _null_moment(moment: Float[np.ndarray, " q"], pairs: Pairs, projection: Projection) -> Float[np.ndarray, " q"]:
    """max(m, c'S^-1 c). Of whole rows it is m: c'S^+c is the part of y that they explain."""
    if pairs.whole:
        return moment
    return np.maximum(moment, np.sum(pairs.cross * np.linalg.solve(projection.matrix, pairs.cross.T).T, axis=1))
