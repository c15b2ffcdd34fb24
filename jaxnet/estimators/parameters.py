"""Checks of estimator parameters, made in `fit` because scikit-learn's tools set any value before."""

import math
from typing import Any

import numpy as np

from jaxnet.data.frames import NotNumeric
from jaxnet.errors import InvalidInput
from jaxnet.scalars import is_number, is_whole

MAX_ITER = 10_000  # passes, where max_iter is None


def check_real(name: str, value: Any, remedy: str, *, low: float, high: float = math.inf, above: bool = False) -> float:
    """`value` as a float in [low, high], or in (low, high] with `above`; finite."""
    if not is_number(value):
        raise NotNumeric(f"{name} is {value!r:.60}: pass {remedy}.")
    if not math.isfinite(value) or not low <= value <= high or (above and value == low):
        raise InvalidInput(f"{name} is {value!r}: pass {remedy}.")
    return float(value)


def check_flag(name: str, value: Any) -> bool:
    """`value` as a bool; numbers and strings are refused."""
    if not _is_flag(value):
        raise InvalidInput(f"{name} is {value!r}: pass True or False.")
    return bool(value)


def check_l1_ratio(value: Any) -> float:
    """One `l1_ratio` in [0, 1]; 0 is ridge, 1 is the lasso."""
    return check_real("l1_ratio", value, "a number between 0 (ridge) and 1 (lasso)", low=0, high=1)


def solver_settings(estimator: Any) -> dict[str, Any]:
    """The arguments of `jaxnet.sweep` and `jaxnet.fit_path` that the four estimators share."""
    max_iter = MAX_ITER if estimator.max_iter is None else estimator.max_iter
    if not is_whole(max_iter) or max_iter < 1:
        raise InvalidInput(f"max_iter is {max_iter!r}: pass a whole number of at least 1.")
    if estimator.selection not in ("cyclic", "random"):
        raise InvalidInput(f"selection is {estimator.selection!r}: pass 'cyclic' or 'random' (neither has an effect).")
    _check_without_effect(vars(estimator))
    return {
        "fit_intercept": check_flag("fit_intercept", estimator.fit_intercept),
        "lower": 0.0 if check_flag("positive", estimator.positive) else None,
        "tol": check_real("tol", estimator.tol, "a number above 0 (the relative duality gap)", low=0, above=True),
        "max_iter": int(max_iter),
    }


def _check_without_effect(given: dict[str, Any]) -> None:
    """What only steers scikit-learn's implementation must be what scikit-learn takes."""
    for name in {"copy_X", "warm_start"} & given.keys():
        check_flag(name, given[name])
    precompute, seed = given["precompute"], given["random_state"]
    if precompute is None or (np.ndim(precompute) != 2 and precompute != "auto" and not _is_flag(precompute)):
        raise InvalidInput(
            f"precompute is {precompute!r:.60}: pass 'auto', True, False or a matrix (none has an effect)."
        )
    if not (seed is None or is_whole(seed) or isinstance(seed, np.random.RandomState | np.random.Generator)):
        raise InvalidInput(f"random_state is {seed!r:.60}: pass None or a whole number (neither has an effect).")
    if not (given.get("n_jobs") is None or is_whole(given["n_jobs"])):
        raise InvalidInput(f"n_jobs is {given['n_jobs']!r:.60}: pass None or a whole number (neither has an effect).")
    verbose = given.get("verbose", 0)
    if not (_is_flag(verbose) or (is_whole(verbose) and verbose >= 0)):
        raise InvalidInput(f"verbose is {verbose!r:.60}: pass 0 for silence, or 1 to see progress.")


def _is_flag(value: Any) -> bool:
    return isinstance(value, bool | np.bool_)


def check_alphas(alphas: Any, n_alphas: Any, default: int = 100) -> int | np.ndarray:
    """The number of alphas, or their values in decreasing order.

    `alphas` may be a count, values, or None for `n_alphas`. A given `n_alphas` (the name before scikit-learn 1.9)
    replaces a count and is ignored beside values, as scikit-learn did.
    """
    if alphas is None or isinstance(alphas, str | bool) or is_whole(alphas):
        given = n_alphas if is_whole(n_alphas) else alphas
        number = default if given is None or given in ("warn", "deprecated") else given
        if not is_whole(number) or number < 1:
            raise InvalidInput(f"alphas is {number!r}: pass a count of at least 1, or the values themselves.")
        return int(number)
    values = (
        alphas if isinstance(alphas, np.ndarray) else np.array(list(alphas) if np.iterable(alphas) else alphas, object)
    )
    if values.ndim != 1 or not len(values):
        raise InvalidInput(f"alphas is {alphas!r:.80}: pass a count, or a 1-D sequence of numbers.")
    for at, value in enumerate(values):
        if not is_number(value):
            kind = type(value).__name__
            raise NotNumeric(
                f"alphas[{at}] must be an instance of float, not {kind}: pass numbers, not {list(values)!r:.80}."
            )
        if not math.isfinite(value) or value < 0:
            raise InvalidInput(f"alphas[{at}] == {value:g}, must be >= 0.0 and finite: pass other values, or a count.")
    return np.sort(values.astype(float))[::-1]
