"""An option acts or is refused: what would have no effect beside the other options of a sweep, each in a sentence."""

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.metrics import METRICS
from jaxnet.pipeline.request import Request


def check_effects(request: Request, *, alpha_min_ratio, dtype) -> None:
    """Raise InvalidInput for an option of no effect; the keywords are as the caller gave them (a default asks for nothing)."""
    if alpha_min_ratio is not None and not isinstance(request.alphas, int):
        raise InvalidInput(
            f"alpha_min_ratio={request.alpha_min_ratio:g} is where a grid ends that is made here, but alphas gives the values: "
            "leave out one of them."
        )
    if len(request.groups) == 1:
        _check_without_folds(request)
    if request.pool == "grouped":
        _check_grouped(request, dtype)


def _check_without_folds(request: Request) -> None:
    if request.metric is not METRICS["mse"]:
        raise InvalidInput(
            f"metric={request.metric.name!r} measures held-out errors, and without folds (cv=None) there are none: leave it "
            "out, or give cv."
        )
    if request.fold_average == "rows":
        raise InvalidInput(
            "fold_average='rows' is an average over folds, and without them (cv=None) there is none: leave it out, or give cv."
        )
    if request.keep_fold_coefs:
        raise InvalidInput(
            "keep_fold_coefs=True, but without folds (cv=None) there are none: leave it out, or give cv."
        )


def _check_grouped(request: Request, dtype) -> None:
    """One solver, on a CPU, of float64 numbers, for one group of rows at a time."""
    other = "or use pool='average' or 'stacked'"
    if request.solver == "proximal":
        raise InvalidInput(
            f"solver='proximal' has no grouped fits: pool='grouped' is solved by coordinate descent; leave it out, {other}."
        )
    if dtype is not None and np.dtype(dtype) != np.float64:
        raise InvalidInput(
            f"dtype={request.dtype.name} is not kept by pool='grouped', which stores float64: leave it out, {other}."
        )
    if request.device is not None and request.device.platform != "cpu":
        raise InvalidInput(
            f"device={request.device} has no grouped fits: pool='grouped' runs on a CPU; leave it out, {other}."
        )
    if request.max_memory is not None:
        raise InvalidInput(
            "max_memory is not kept by pool='grouped', which solves the groups of rows one after the other, each with all of "
            f"its fillings: leave it out, {other}."
        )
