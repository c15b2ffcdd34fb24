"""What a caller asks of a sweep, checked and in one frozen record. Every refusal is a sentence."""

import re
from dataclasses import dataclass

import numpy as np

from jaxnet.adaptive import Adaptive
from jaxnet.data.arrays import as_response, as_weights
from jaxnet.errors import InvalidInput
from jaxnet.features import Features
from jaxnet.lanes import Groups
from jaxnet.metrics import METRICS, Metric, check_metric, find_metric
from jaxnet.missing.fill import Filler, Gapped
from jaxnet.missing.options import Missing, as_missing
from jaxnet.missing.preparation import Preparation
from jaxnet.resampling import resamples
from jaxnet.scalars import is_number, is_whole

SOLVERS = ("auto", "coordinate", "proximal")
DTYPES = ("float32", "float64")


@dataclass(frozen=True)
class Request:
    """A sweep to be run. Features of n rows and p columns; Y (q, n), `single` if the caller's y was (n,); `alphas` a count or
    values (R, A); `relax` blends (B,); `left_out` (G, p) the columns that each group does without: those that miss too much,
    or levels that others are compared with."""

    features: Features
    Y: np.ndarray
    single: bool
    groups: Groups
    left_out: np.ndarray
    weighted: bool
    metric: Metric
    rho: np.ndarray
    alphas: int | np.ndarray
    alpha_min_ratio: float
    fit_intercept: bool
    standardize: bool
    factor: np.ndarray
    lower: np.ndarray
    upper: np.ndarray
    tol: float
    max_iter: int
    solver: str
    dtype: np.dtype
    device: object
    max_memory: float | None
    keep_fold_coefs: bool
    adaptive: Adaptive | None = None
    relax: np.ndarray | None = None
    missing: Missing | None = None
    exact: bool = False
    """for a few fits: whether they go to their minimum, as far as rounding tells"""

    @property
    def X(self) -> np.ndarray:
        """(n, p), nan where missing."""
        return self.features.matrix

    @property
    def gapped(self) -> Gapped:
        """X and who fills it."""
        return self.features.gapped(self.groups.train, self.left_out)

    def preparation(self, filler: Filler | None) -> Preparation | None:
        """What makes the columns of new rows; None if they are the table as it was given."""
        if self.features.encoding is None and self.missing is None:
            return None
        return self.features.preparation(self.missing, filler, self.groups.train[0], self.left_out[0])

    @property
    def by_pairs(self) -> bool:
        """Whether values are deleted by pairs."""
        return self.missing is not None and self.missing.fill.by_pairs

    @property
    def pool(self) -> str | None:
        """How the fits to several fillings are pooled; None where there is one."""
        return None if self.missing is None else self.missing.fill.pool

    @property
    def complete_rows(self) -> bool:
        """Whether X says which rows have weight."""
        return self.missing is not None and self.missing.fill.complete_rows

    @property
    def bounded(self) -> bool:
        """Whether any coefficient has a finite bound."""
        return bool(np.isfinite(self.lower).any() or np.isfinite(self.upper).any())

    @property
    def needs_fold_coefs(self) -> bool:
        """Whether the coefficients of the folds are wanted: by the caller, for refits, or to score them by another metric."""
        return self.keep_fold_coefs or self.relax is not None or self.metric is not METRICS["mse"]


def parse(
    X, y, *, rho, alphas, cv, metric, alpha_min_ratio, sample_weight, fit_intercept, standardize, penalty_factor, lower, upper,
    tol, max_iter, solver, dtype, device, max_memory, keep_fold_coefs, adaptive, relax, missing, categories,
) -> Request:  # fmt: skip
    """Check the arguments of `jaxnet.sweep`, whose docstring says what they mean."""
    missing = as_missing(missing)
    features = Features.of(X, missing, categories)
    n, p = features.matrix.shape
    response = as_response(y, n)
    weight = as_weights(sample_weight, n)
    rho = _rho(rho)
    resampled = resamples(cv, features.matrix, response)
    groups = Groups.build(resampled.train, resampled.test, weight)
    left_out = features.left_out(groups.train, missing)
    request = Request(
        features=features,
        Y=np.ascontiguousarray(response.reshape(n, -1).T),
        single=response.ndim == 1,
        groups=groups if missing is None else missing.rows(features.matrix, groups, left_out),
        left_out=left_out,
        weighted=weight is not None,
        metric=find_metric(metric),
        rho=rho,
        alphas=_alphas(alphas, len(rho)),
        alpha_min_ratio=_ratio(alpha_min_ratio, smallest_ratio(n, p)),
        fit_intercept=_flag(fit_intercept, "fit_intercept"),
        standardize=_flag(standardize, "standardize"),
        factor=_penalised(_factor(penalty_factor, features.given)[features.source], features, missing),
        lower=_bound(lower, features.given, "lower", -np.inf)[features.source],
        upper=_bound(upper, features.given, "upper", np.inf)[features.source],
        tol=_tol(tol),
        max_iter=_count(max_iter, "max_iter"),
        solver=_choice(solver, "solver", SOLVERS),
        dtype=_dtype(dtype, features.matrix.dtype),
        device=device,
        max_memory=_memory(max_memory),
        keep_fold_coefs=_flag(keep_fold_coefs, "keep_fold_coefs"),
        adaptive=_adaptive(adaptive),
        relax=_relax(relax),
        missing=missing,
    )
    _check_together(request)
    check_metric(request.metric, request.Y, request.groups.train[1:], request.groups.test[1:])
    _check_pairs(request)
    _check_fillings(request)
    _check_refits(request)
    return request


def _check_together(request: Request) -> None:
    limited = np.isfinite(request.lower) | np.isfinite(request.upper)
    if (limited & (request.factor == 0)).any():
        column = int(np.flatnonzero(limited & (request.factor == 0))[0])
        raise InvalidInput(
            f"Column {column} has penalty_factor 0 and a bound; an unpenalised coefficient cannot be bounded. Give lower and "
            "upper as arrays with -inf and inf there, or give the column a small factor."
        )
    if request.bounded and not isinstance(request.alphas, int) and (request.alphas == 0).any():
        raise InvalidInput(
            "alphas contains 0, which cannot be combined with lower or upper; use a small positive alpha."
        )
    if request.bounded and request.adaptive is not None and request.adaptive.alpha == 0:
        raise InvalidInput("alpha=0 of Adaptive cannot be combined with lower or upper; use a small positive alpha.")


def _check_pairs(request: Request) -> None:
    """Moments are all that pairwise deletion has: there are no rows to score or to refit by another measure."""
    if not request.by_pairs:
        return
    if request.metric is not METRICS["mse"]:
        raise InvalidInput(
            f"metric={request.metric.name!r} needs held-out rows, and missing='pairwise' has moments only: use 'mse', or a fill."
        )
    if request.relax is not None:
        raise InvalidInput(
            "relax refits the rows, and missing='pairwise' has moments only: leave out relax, or use a fill."
        )


def _check_fillings(request: Request) -> None:
    """What is not made of several fillings of X."""
    if request.pool is None:
        return
    for name in ("adaptive", "relax"):
        if getattr(request, name) is not None:
            raise InvalidInput(
                f"{name} cannot be combined with multiple imputation; use a single fill, or leave it out."
            )
    if request.pool == "grouped" and request.bounded:
        raise InvalidInput("lower and upper are not kept by pool='grouped'; use 'average' or 'stacked', or no bounds.")


def _check_refits(request: Request) -> None:
    """Refits are least squares on a support, so there must be one, and nothing that they may not cross."""
    if request.relax is None:
        return
    if request.bounded:
        raise InvalidInput(
            "relax refits by least squares, which keeps to no bounds: leave out relax, or lower and upper (positive=True)."
        )
    if (request.rho == 0).any():
        raise InvalidInput(
            "relax refits the columns that the L1 part leaves, and at rho=0 that is all: give rho above 0."
        )
    if not isinstance(request.alphas, int) and (request.alphas == 0).any():
        raise InvalidInput("alphas contains 0, where there is no penalty to relax: leave it out, or relax.")


def _numbers(value, name: str) -> np.ndarray:
    """A float64 array of its own, of any shape; text, complex values and None are no numbers."""
    try:
        array = np.array(value)
        if array.dtype.kind == "O":
            array = np.array([float(v) for v in array.flat]).reshape(array.shape)
    except (TypeError, ValueError):
        array = None
    if array is None or array.dtype.kind not in "biuf":
        raise InvalidInput(f"{name}={value!r:.100} is not a number or an array of numbers.")
    array = array.astype(np.float64, copy=False)
    if array.size == 0:
        raise InvalidInput(f"{name} is empty; give at least one value.")
    if np.isnan(array).any():
        raise InvalidInput(f"{name} contains NaN; every value must be a number.")
    return array


def _number(value, name: str) -> float:
    array = _numbers(value, name)
    if array.ndim:
        raise InvalidInput(f"{name} has shape {array.shape}; give one number.")
    return float(array)


def _rho(rho) -> np.ndarray:
    values = np.atleast_1d(_numbers(rho, "rho"))
    if values.ndim != 1:
        raise InvalidInput(f"rho has shape {values.shape}; give one value or a list of values.")
    outside = values[(values < 0) | (values > 1)]
    if outside.size:
        raise InvalidInput(
            f"rho={outside[0]:g} is outside [0, 1]; it is the share of the L1 penalty (1: lasso, 0: ridge)."
        )
    return values


def _alphas(alphas, n_rho: int) -> int | np.ndarray:
    if is_whole(alphas):
        if alphas < 1:
            raise InvalidInput(f"alphas={alphas}: the number of alphas must be at least 1.")
        return int(alphas)
    values = None if alphas is None or isinstance(alphas, (bool, str)) else _numbers(alphas, "alphas")
    if values is None or values.ndim == 0:
        raise InvalidInput(f"alphas={alphas!r}: give how many (an integer) or the values (a list); one value v is [v].")
    if values.ndim == 1:
        values = np.tile(values, (n_rho, 1))
    if values.ndim != 2 or len(values) != n_rho:
        raise InvalidInput(f"alphas has shape {values.shape}; give one list, or one row for each of the {n_rho} rho.")
    bad = values[(values < 0) | ~np.isfinite(values)]
    if bad.size:
        raise InvalidInput(f"alphas contains {bad[0]:g}; every alpha must be finite and at least 0.")
    return -np.sort(-values, axis=1)


def smallest_ratio(n: int, p: int) -> float:
    """The last alpha of a generated grid over its first, where nothing is asked."""
    return 1e-2 if n < p else 1e-3


def _ratio(value, default: float) -> float:
    ratio = default if value is None else _number(value, "alpha_min_ratio")
    if not 0 < ratio <= 1:
        raise InvalidInput(f"alpha_min_ratio={ratio:g} must be above 0 and at most 1.")
    return ratio


def _adaptive(value) -> Adaptive | None:
    if value is not None and not isinstance(value, Adaptive):
        raise InvalidInput(f"adaptive={value!r:.60} must be None, or jaxnet.Adaptive() with its options.")
    if value is not None:
        value.check()
    return value


def _relax(value) -> np.ndarray | None:
    if value is None:
        return None
    if isinstance(value, (bool, np.bool_)):
        raise InvalidInput(f"relax={value}: give the blends to try, such as (1.0, 0.5, 0.0), or None.")
    blends = np.atleast_1d(_numbers(value, "relax"))
    if blends.ndim != 1:
        raise InvalidInput(f"relax has shape {blends.shape}; give one blend or a list of blends.")
    outside = blends[(blends < 0) | (blends > 1)]
    if outside.size:
        raise InvalidInput(
            f"relax={outside[0]:g} is outside [0, 1]; it is the share of the penalised fit (0: least squares on its support)."
        )
    return blends


def _tol(value) -> float:
    tol = _number(value, "tol")
    if not 0 < tol < np.inf:
        raise InvalidInput(f"tol={tol:g} must be positive: it is the relative duality gap that each fit must reach.")
    return tol


def _count(value, name: str) -> int:
    if not is_whole(value) or value < 1:
        raise InvalidInput(f"{name}={value!r} must be an integer of at least 1.")
    return min(int(value), np.iinfo(np.int32).max)  # the solver counts in int32


def _flag(value, name: str) -> bool:
    if not isinstance(value, (bool, np.bool_)):
        raise InvalidInput(f"{name}={value!r} must be True or False.")
    return bool(value)


def _choice(value, name: str, options: tuple[str, ...]) -> str:
    if value not in options:
        raise InvalidInput(f"{name}={value!r} is not known; choose one of {', '.join(map(repr, options))}.")
    return value


def _factor(value, p: int) -> np.ndarray:
    if value is None:
        return np.ones(p)
    factor = _numbers(value, "penalty_factor")
    factor = np.broadcast_to(factor, (p,)) if factor.ndim == 0 else factor
    if factor.shape != (p,):
        raise InvalidInput(
            f"penalty_factor has shape {factor.shape}, but X has {p} columns; give one factor per column."
        )
    if (factor < 0).any() or not np.isfinite(factor).all():
        raise InvalidInput(
            f"penalty_factor contains {factor[(factor < 0) | ~np.isfinite(factor)][0]:g}; use finite values >= 0."
        )
    return factor


def _penalised(factor: np.ndarray, features: Features, missing: Missing | None) -> np.ndarray:
    """The factors of all columns: indicators have those of their columns, or none."""
    if missing is None or missing.penalise_indicators:
        return factor
    return np.where(features.is_indicator, 0.0, factor)


def _bound(value, p: int, name: str, default: float) -> np.ndarray:
    if value is None:
        return np.full(p, default)
    bound = _numbers(value, name)
    if bound.ndim and bound.shape != (p,):
        raise InvalidInput(f"{name} has shape {bound.shape}, but X has {p} columns; give one number or one per column.")
    wrong = bound > 0 if name == "lower" else bound < 0
    if wrong.any():
        side = "at most" if name == "lower" else "at least"
        raise InvalidInput(f"{name}={bound[wrong].flat[0]:g} must be {side} 0, so that zero coefficients are allowed.")
    return np.broadcast_to(bound, (p,)).copy()


def _dtype(value, given: np.dtype) -> np.dtype:
    if value is None:
        return given
    try:
        dtype = np.dtype(value)
    except TypeError:
        dtype = None
    if dtype is None or dtype.name not in DTYPES:
        raise InvalidInput(f"dtype={value!r} is not supported; choose float32 or float64.")
    return dtype


_UNITS = {"": 1, "k": 1e3, "m": 1e6, "g": 1e9, "t": 1e12}


def _memory(value) -> float | None:
    if value is None:
        return None
    if is_number(value):
        size = float(value)
    else:
        match = re.fullmatch(r"\s*(\d+\.?\d*|\.\d+)\s*([kmgt]?)i?b?\s*", str(value).lower())
        size = float(match[1]) * _UNITS[match[2]] if match else 0.0
    if not size > 0:
        raise InvalidInput(f"max_memory={value!r} must be a positive number of bytes, or a text such as '2GB'.")
    return size
