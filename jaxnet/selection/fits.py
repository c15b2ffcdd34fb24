"""The full-data fits of a sweep seen again beside their data: degrees of freedom, residuals, noise variance."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jaxnet.data.arrays import as_response, as_weights, column_names
from jaxnet.errors import InvalidInput, advice
from jaxnet.selection.degrees import EPS, Hat
from jaxnet.selection.rows import result_columns

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxtyping import Float, Int

UNLIKE = 1e-3
"""Residuals of a fit with an intercept average to zero; beyond this share of sd(y) they are those of other data."""


class Data(NamedTuple):
    """Rows of positive weight: X (n, p), responses Y (q, n), and weights w (n,) that sum to one."""

    X: Float[np.ndarray, "n p"]
    Y: Float[np.ndarray, "q n"]
    w: Float[np.ndarray, " n"]


class Fits(NamedTuple):
    """Of q responses over the grid: `df`, `nonzeros` (penalised ones) and `mean_square`, the weighted mean squared residual
    in units of `unit` (q,) squared, below `rounding` where it is nothing. `candidates` penalised columns, `n` rows."""

    df: Float[np.ndarray, "q R A"]
    nonzeros: Int[np.ndarray, "q R A"]
    mean_square: Float[np.ndarray, "q R A"]
    unit: Float[np.ndarray, " q"]
    rounding: float
    candidates: int
    n: int


def same_data(result, X, y, sample_weight) -> Data:
    """X, y and sample_weight checked as far as a result can tell whether they are those of its sweep."""
    X, _, w = same_columns(result, X, sample_weight)
    Y = same_responses(result, y, len(X))
    kept = w > 0
    return Data(X[kept].astype(np.float64, copy=False), Y[:, kept], w[kept] / w[kept].sum())


def same_columns(
    result, X, sample_weight
) -> tuple[Float[np.ndarray, "n p"], tuple[str, ...] | None, Float[np.ndarray, " n"]]:
    """X, its column names and its row weights, ones where the sweep had none; refused if they are not like the sweep's."""
    names = column_names(X) if result.preparation is None else result.feature_names
    X = result_columns(result, X)
    w = as_weights(sample_weight, len(X))
    if result.options.weighted != (w is not None):
        was = "had" if result.options.weighted else "had no"
        raise InvalidInput(f"The sweep {was} sample weights: give the sample_weight of the sweep, or none.")
    w = np.ones(len(X)) if w is None else w
    incomplete = np.isnan(X).any(axis=1)  # rows that the sweep did without
    return np.where(np.isnan(X), 0.0, X), names, np.where(incomplete, 0.0, w)


def has_fillings(result) -> bool:
    """Whether the fits are to several fillings of X, of which there is no one X again."""
    asked = None if result.preparation is None else result.preparation.missing
    return asked is not None and asked.fill.pool is not None


def same_responses(result, y, n: int) -> Float[np.ndarray, "q n"]:
    """y as q rows; refused if the sweep had another number of responses."""
    y = as_response(y, n)
    if (y.shape[1] if y.ndim == 2 else None) != result.n_responses:
        raise InvalidInput(
            f"y has shape {y.shape}, but the sweep had {result.n_responses or 'one (a 1d y)'} responses."
        )
    return y.reshape(n, -1).T


def examine(result, data: Data) -> Fits:
    """Degrees of freedom and residuals of every fit. Raises InvalidInput where the residuals show other data."""
    options, p, grid = result.options, result.n_features, (len(data.Y), *result.alphas.shape[-2:])
    alphas, intercepts = result.alphas.reshape(grid), result.intercepts.reshape(grid)
    full = lambda x, idle: np.full(p, idle) if x is None else x
    factor = full(options.penalty_factor, 1.0)
    lower, upper = full(options.lower, -np.inf), full(options.upper, np.inf)
    unshrunk = alphas * result.rho[:, None] == 0  # without an L1 part every column moves
    used = np.arange(p) if unshrunk.any() else np.union1d(result.coefs.columns, np.flatnonzero(factor == 0))
    X, factor, lower, upper = data.X[:, used], factor[used], lower[used], upper[used]
    hat = Hat(X, data.w, factor, intercept=options.fit_intercept, standardize=options.standardize)
    df, square, nonzeros = np.full(grid, np.nan), np.full(grid, np.nan), np.zeros(grid, int)
    centre = data.Y @ data.w if options.fit_intercept else np.zeros(len(data.Y))
    unit = np.max(np.abs(data.Y - centre[:, None]), axis=1)
    unit = np.where(unit > 0, unit, 1.0)
    blend = np.ones(grid[1]) if result.blend is None else result.blend
    for j, i in np.ndindex(grid[:2]):
        B = result.coefs.block((j * grid[1] + i) * grid[2] + np.arange(grid[2]), used)[1]
        R = ((data.Y[j] - intercepts[j, i][:, None]) - B @ X.T) / unit[j]
        check_residuals(R, data, j, options.fit_intercept, unit[j])
        square[j, i] = R**2 @ data.w
        nonzeros[j, i] = np.count_nonzero(B[:, factor > 0], axis=1)
        free = ((B != 0) | unshrunk[j, i][:, None] | (factor == 0)) & _inside(B, lower, upper)
        known = np.isfinite(B).all(axis=1)
        ridge = alphas[j, i, known] * (1 - result.rho[i])
        df[j, i, known] = hat.degrees_of_freedom(free[known], ridge)
        if blend[i] < 1:  # least squares on the support has its rank
            rank = hat.degrees_of_freedom(free[known], 0.0 * ridge)
            df[j, i, known] = blend[i] * df[j, i, known] + (1 - blend[i]) * rank
    candidates = p if options.penalty_factor is None else int(np.count_nonzero(options.penalty_factor))
    scale = np.max(np.abs(data.Y), axis=1) / unit
    rounding = (100 * EPS * float(np.max(scale))) ** 2
    return Fits(df, nonzeros, square, unit, rounding, candidates, len(data.w))


def noise_variance(choice, result, data: Data, fits: Fits) -> Float[np.ndarray, " q"] | None:
    """Noise variance per response: None, known, or estimated as `choice` says (see `SweepResult.criteria`)."""
    q = len(data.Y)
    if choice is None:
        return None
    if isinstance(choice, str) and choice == "ols":
        return np.array([_least_squares_variance(result, data, j) for j in range(q)])
    if isinstance(choice, str) and choice == "cv":
        best = result.best("min")
        at = [(j, *b.index) for j, b in enumerate(best if isinstance(best, list) else [best])]
        left = np.array([fits.n - fits.df[b] for b in at])
        if not (left > 0).all():
            raise InvalidInput(
                f"noise_variance='cv': the fit of least held-out error has as many degrees of freedom as there are rows "
                f"({fits.n}), so that nothing is left to estimate the noise by; give a number."
            )
        return _positive(fits.n * np.array([fits.mean_square[b] for b in at]) * fits.unit**2 / left, choice)
    try:
        known = np.array(np.broadcast_to(np.asarray(choice, np.float64), (q,)))
        known = known * np.nan if isinstance(choice, (bool, str)) else known
    except (TypeError, ValueError):
        known = np.array([np.nan])
    return _positive(known, choice)


def _positive(variance: np.ndarray, choice) -> np.ndarray:
    if not (np.isfinite(variance) & (variance > 0)).all():
        raise InvalidInput(
            f"noise_variance={choice!r:.60} gives no positive finite variance for each response: give None, a positive "
            "number (or one per response), 'ols' or 'cv'."
        )
    return variance


def _least_squares_variance(result, data: Data, j: int) -> float:
    n, p = data.X.shape
    hat = Hat(data.X, data.w, np.ones(p), intercept=result.options.fit_intercept, standardize=False)
    square, df = hat.least_squares_residual(data.Y[j], data.w)
    if df >= n:
        raise InvalidInput(
            f"noise_variance='ols': least squares on {p} columns leaves nothing of {n} rows to estimate the noise by; give a "
            "number, or 'cv'."
        )
    return float(_positive(np.array([n * square / (n - df)]), "ols")[0])


def _inside(B: np.ndarray, lower: np.ndarray, upper: np.ndarray) -> np.ndarray:
    """Whether coefficients are off their bounds, which hold to single precision."""
    slack = lambda bound: 1e-6 * np.abs(np.where(np.isfinite(bound), bound, 0.0))
    return (lower + slack(lower) < B) & (upper - slack(upper) > B)


def check_residuals(R: Float[np.ndarray, "A n"], data: Data, j: int, intercept: bool, unit: float) -> None:
    """Raise InvalidInput if residuals of fits to response j, in units of `unit`, do not average to zero."""
    if not intercept:
        return
    y = data.Y[j] / unit
    spread = np.sqrt(np.maximum(data.w @ y**2 - (data.w @ y) ** 2, 0.0))
    off = np.abs(R @ data.w)
    off = off[np.isfinite(off)]
    if off.size and off.max() > UNLIKE * spread + 1e-7 * np.max(np.abs(y)):
        raise InvalidInput(
            f"{advice('X, y or sample_weight', 'DATA')} is not what the sweep was fitted on: residuals of its fits to response "
            f"{j} average {off.max() * unit:.3g} and not zero; give the data of the sweep."
        )
