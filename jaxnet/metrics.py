"""What held-out errors measure, the smaller the better, and the errors of the fits of a sweep by any measure.

A new named metric is one function in `METRICS`, and its name in `names.METRICS`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from jaxnet import names
from jaxnet.data.layout import visible
from jaxnet.errors import InvalidInput

if TYPE_CHECKING:
    from jaxtyping import Float

    from jaxnet.result import SparseRows

Loss = Callable[[np.ndarray, np.ndarray, np.ndarray], Any]


class Metric(NamedTuple):
    """`loss(y, predictions, w)` gives k errors, for y (m,), predictions (k, m) and weights w (m,) that sum to one.

    `function` is the caller's, None of a named metric.
    """

    name: str
    loss: Loss
    function: Any = None


@np.errstate(over="ignore")
def _mean_square(y: np.ndarray, predictions: np.ndarray, w: np.ndarray) -> np.ndarray:
    return (predictions - y) ** 2 @ w


def _mean_absolute(y: np.ndarray, predictions: np.ndarray, w: np.ndarray) -> np.ndarray:
    return np.abs(predictions - y) @ w


def _unexplained(y: np.ndarray, predictions: np.ndarray, w: np.ndarray) -> np.ndarray:
    """1 - R2 = sum w (y - prediction)^2 / sum w (y - mean)^2, in units in which squares neither overflow nor vanish."""
    off = y - w @ y
    unit = np.max(np.abs(off))
    return _mean_square(y / unit, predictions / unit, w) / ((off / unit) ** 2 @ w)


METRICS: dict[str, Metric] = {
    "mse": Metric("mse", _mean_square),
    "mae": Metric("mae", _mean_absolute),
    "r2": Metric("r2", _unexplained),
}


def error_name(metric: str) -> str:
    """What a table or a picture calls the errors of a result of this `metric`; the name of a function as it is, on one line.

    >>> error_name("r2"), error_name("pinball")
    ('1 - R2', 'pinball')
    """
    return names.METRICS.get(metric) or visible(metric)


def find_metric(metric: Any) -> Metric:
    """The metric of that name, or the one that a caller's function measures. Raises InvalidInput for anything else.

    >>> find_metric("mae").loss(np.array([1.0, 3.0]), np.array([[2.0, 2.0]]), np.array([0.5, 0.5])).tolist()
    [1.0]
    """
    if isinstance(metric, str) and metric in METRICS:
        return METRICS[metric]
    if not callable(metric) or isinstance(metric, type):
        raise InvalidInput(
            f"metric={metric!r:.100} is not known; choose one of {', '.join(map(repr, METRICS))}, or give a function of "
            "(y_true, y_pred, sample_weight) that returns a number, the smaller the better."
        )
    name = str(getattr(metric, "__name__", type(metric).__name__))
    each = lambda y, predictions, w: [metric(y, row, sample_weight=len(w) * w) for row in predictions]
    return Metric(f"{name} (given)" if name in METRICS else name, each, metric)


def check_metric(
    metric: Metric,
    Y: Float[np.ndarray, "q n"],
    train: Float[np.ndarray, "F n"],
    test: Float[np.ndarray, "F n"],
) -> None:
    """Refuse before any fit what the fits would be scored by in vain.

    R2 where y does not vary on held-out rows, and a function by which perfect predictions are worse than the training mean.
    """
    if metric is METRICS["r2"]:
        for fold, w in enumerate(test):
            flat = np.flatnonzero(np.ptp(Y[:, w > 0], axis=1) == 0)
            if flat.size:
                raise InvalidInput(
                    f"metric='r2' is not defined on fold {fold}: {_response('y', len(Y), flat[0])} is constant on its held-out "
                    "rows; use folds of more rows, or 'mse'."
                )
    elif len(test) and METRICS.get(metric.name) is not metric:
        y, w = _held_out(Y[0], test[0])
        mean = np.full_like(y, train[0] @ Y[0])
        baseline, perfect = map(_number, metric.loss(y, np.stack([mean, y]), w))
        if perfect > baseline:
            raise InvalidInput(
                f"metric {metric.name!r} is {perfect:.6g} for perfect predictions and {baseline:.6g} for the training mean on "
                "fold 0, but the smaller must be the better: give its negative, or metric='r2' for R2."
            )


def null_errors(
    metric: Metric, Y: Float[np.ndarray, "q n"], train: Float[np.ndarray, "F n"], test: Float[np.ndarray, "F n"]
) -> Float[np.ndarray, "q F"]:
    """The error of predicting each fold by the mean of its training rows; nan where the metric gives no number."""
    errors = np.empty((len(Y), len(test)))
    for j, fold in np.ndindex(errors.shape):
        y, w = _held_out(Y[j], test[fold])
        errors[j, fold] = _number(metric.loss(y, np.full((1, len(y)), train[fold] @ Y[j]), w)[0])
    return errors


def held_out_errors(
    metric: Metric,
    held_out: Callable[[int, np.ndarray], np.ndarray],
    Y: Float[np.ndarray, "q n"],
    test: Float[np.ndarray, "F n"],
    coefs: SparseRows,
    intercepts: Float[np.ndarray, "q R A F"],
    describe: Callable[[int, int, int], str],
) -> Float[np.ndarray, "q R A F"]:
    """The errors of the fold fits on their held-out rows, one product per fold and rho; nan for fits that are not finite.

    `held_out(fold, columns)` gives these columns of the held-out rows (m, k), `coefs` the coefficients on the scale of X in the
    order of the flattened intercepts, `describe(j, r, k)` the name of a fit.
    Raises InvalidInput where a caller's function returns nan or no number.
    """
    errors = np.full(intercepts.shape, np.nan)
    position = np.arange(intercepts.size).reshape(intercepts.shape)
    for fold, weights in enumerate(test):
        for j, r in np.ndindex(intercepts.shape[:2]):
            columns, B = coefs.block(position[j, r, :, fold])
            with np.errstate(over="ignore", invalid="ignore"):
                predictions = B @ held_out(fold, columns).T.astype(np.float64) + intercepts[j, r, :, fold][:, None]
            finite = np.flatnonzero(np.isfinite(predictions).all(axis=1))
            y, w = _held_out(Y[j], weights)
            for k, value in zip(finite, metric.loss(y, predictions[finite], w), strict=True):
                errors[j, r, k, fold] = _number(value)
                if np.isnan(errors[j, r, k, fold]):
                    raise InvalidInput(
                        f"metric {metric.name!r} returned {value!r:.60} for {describe(j, r, k)} on the held-out rows of fold "
                        f"{fold}: it must return a number; let it return a large one where it is not defined."
                    )
    return errors


def _held_out(y: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Responses and weights of the rows of positive weight, which a caller's function cannot change."""
    rows = np.flatnonzero(weights)
    y, w = y[rows], weights[rows]
    y.flags.writeable = w.flags.writeable = False
    return y, w


def _number(value: Any) -> float:
    """The number that a metric returned, nan if it is none."""
    try:
        array = np.asarray(value)
    except ValueError:
        return np.nan
    return float(array) if array.ndim == 0 and array.dtype.kind in "iuf" else np.nan


def _response(name: str, count: int, j: int) -> str:
    return name if count == 1 else f"response {j}"
