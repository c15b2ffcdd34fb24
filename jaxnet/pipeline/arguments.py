"""The arguments of a sweep, each checked by itself. Every refusal is a sentence."""

import re

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.missing.options import Missing
from jaxnet.pipeline.adaptive import Adaptive
from jaxnet.pipeline.features import Features
from jaxnet.scalars import is_number, is_whole

DTYPES = ("float32", "float64")


def numbers(value, name: str) -> np.ndarray:
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


def number(value, name: str) -> float:
    """One number, in float64; it may be infinite."""
    array = numbers(value, name)
    if array.ndim:
        raise InvalidInput(f"{name} has shape {array.shape}; give one number.")
    return float(array)


def rhos(rho) -> np.ndarray:
    """(R,) L1 shares."""
    return _shares(rho, "rho", "value", "the share of the L1 penalty (1: lasso, 0: ridge)")


def _shares(value, name: str, one: str, what: str) -> np.ndarray:
    """Numbers in [0, 1], of which a message calls each `one` and says that it is `what`."""
    values = np.atleast_1d(numbers(value, name))
    if values.ndim != 1:
        raise InvalidInput(f"{name} has shape {values.shape}; give one {one} or a list of {one}s.")
    outside = values[(values < 0) | (values > 1)]
    if outside.size:
        raise InvalidInput(f"{name}={outside[0]:g} is outside [0, 1]; it is {what}.")
    return values


def alpha_values(alphas, n_rho: int) -> int | np.ndarray:
    """How many alphas there are, or their values (R, A), each row from the largest on."""
    if is_whole(alphas):
        if alphas < 1:
            raise InvalidInput(f"alphas={alphas}: the number of alphas must be at least 1.")
        return int(alphas)
    values = None if alphas is None or isinstance(alphas, (bool, str)) else numbers(alphas, "alphas")
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


def ratio(value, default: float) -> float:
    """The last alpha of a generated grid over its first, in (0, 1]."""
    ratio = default if value is None else number(value, "alpha_min_ratio")
    if not 0 < ratio <= 1:
        raise InvalidInput(f"alpha_min_ratio={ratio:g} must be above 0 and at most 1.")
    return ratio


def adaptive_weights(value) -> Adaptive | None:
    """The options of adaptive weights, checked; None where there are none."""
    if value is not None and not isinstance(value, Adaptive):
        raise InvalidInput(f"adaptive={value!r:.60} must be None, or jaxnet.Adaptive() with its options.")
    if value is not None:
        value.check()
    return value


def blends(value) -> np.ndarray | None:
    """(B,) shares of the penalised fit; None without refits."""
    if value is None:
        return None
    if isinstance(value, (bool, np.bool_)):
        raise InvalidInput(f"relax={value}: give the blends to try, such as (1.0, 0.5, 0.0), or None.")
    return _shares(value, "relax", "blend", "the share of the penalised fit (0: least squares on its support)")


def tolerance(value) -> float:
    """The relative duality gap that every fit must reach."""
    tol = number(value, "tol")
    if not 0 < tol < np.inf:
        raise InvalidInput(f"tol={tol:g} must be positive: it is the relative duality gap that each fit must reach.")
    return tol


def count(value, name: str) -> int:
    """A whole number of at least 1."""
    if not is_whole(value) or value < 1:
        raise InvalidInput(f"{name}={value!r} must be an integer of at least 1.")
    return min(int(value), np.iinfo(np.int32).max)  # the solver counts in int32


def flag(value, name: str) -> bool:
    """True or False, and nothing that merely passes for it."""
    if not isinstance(value, (bool, np.bool_)):
        raise InvalidInput(f"{name}={value!r} must be True or False.")
    return bool(value)


def choice(value, name: str, options: tuple[str, ...]) -> str:
    """One of the options."""
    if value not in options:
        raise InvalidInput(f"{name}={value!r} is not known; choose one of {', '.join(map(repr, options))}.")
    return value


def factors(value, p: int) -> np.ndarray:
    """(p,) penalty factors, finite and at least 0; by default 1."""
    if value is None:
        return np.ones(p)
    factor = numbers(value, "penalty_factor")
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


def penalised(factor: np.ndarray, features: Features, missing: Missing | None) -> np.ndarray:
    """The factors of all columns: indicators have those of their columns, or none."""
    if missing is None or missing.penalise_indicators:
        return factor
    return np.where(features.is_indicator, 0.0, factor)


def bound(value, p: int, name: str, default: float) -> np.ndarray:
    """(p,) bounds of the side `name`, "lower" or "upper", that leave 0 allowed."""
    if value is None:
        return np.full(p, default)
    bound = numbers(value, name)
    if bound.ndim and bound.shape != (p,):
        raise InvalidInput(f"{name} has shape {bound.shape}, but X has {p} columns; give one number or one per column.")
    wrong = bound > 0 if name == "lower" else bound < 0
    if wrong.any():
        side = "at most" if name == "lower" else "at least"
        raise InvalidInput(f"{name}={bound[wrong].flat[0]:g} must be {side} 0, so that zero coefficients are allowed.")
    return np.broadcast_to(bound, (p,)).copy()


def dtype_of(value, given: np.dtype) -> np.dtype:
    """In what X is stored: what was asked for, else what X has."""
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


def memory(value) -> float | None:
    """Bytes, from a number or a text such as "2GB"; None where the platform decides."""
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
