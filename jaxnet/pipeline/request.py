"""What a caller asks of a sweep, checked and in one frozen record. Every refusal is a sentence."""

from dataclasses import dataclass

import jax
import numpy as np

from jaxnet.data.arrays import as_response, as_weights
from jaxnet.data.groups import as_groups, without_groups
from jaxnet.errors import InvalidInput, advice
from jaxnet.execution import platform
from jaxnet.lanes import Groups
from jaxnet.metrics import METRICS, Metric, check_metric, find_metric
from jaxnet.missing.fill import Filler, Gapped
from jaxnet.missing.options import Missing, as_missing
from jaxnet.missing.preparation import Preparation
from jaxnet.names import FOLD_AVERAGES
from jaxnet.pipeline import arguments
from jaxnet.pipeline.adaptive import Adaptive
from jaxnet.pipeline.features import Features
from jaxnet.resampling import resamples

SOLVERS = ("auto", "coordinate", "proximal")
CLOSE = 1e-14
"""A gap at which what is left is rounding: who asks for it gets all digits."""


@dataclass(frozen=True)
class Request:
    """A sweep to be run. Features of n rows and p columns; Y (q, n), `single` if the caller's y was (n,); `alphas` a count or
    values (R, A); `relax` blends (B,); `left_out` (G, p) the columns that each group does without: those that miss too much,
    or levels that others are compared with; `row_groups` (n,) the labels of rows that splits keep together."""

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
    device: jax.Device | None
    max_memory: float | None
    keep_fold_coefs: bool
    adaptive: Adaptive | None = None
    relax: np.ndarray | None = None
    missing: Missing | None = None
    row_groups: np.ndarray | None = None
    fold_average: str = "folds"

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
    def limited(self) -> np.ndarray:
        """(p,), which coefficients have a finite bound."""
        return np.isfinite(self.lower) | np.isfinite(self.upper)

    @property
    def fold_weights(self) -> np.ndarray | None:
        """What each fold counts for in a mean over folds (F,): the weight of its held-out rows; None where all count the same."""
        return self.groups.test_mass[1:] if self.fold_average == "rows" and len(self.groups) > 1 else None

    @property
    def bounded(self) -> bool:
        """Whether any has."""
        return bool(self.limited.any())

    @property
    def unpenalised(self) -> np.ndarray:
        """(p,), which coefficients have no penalty."""
        return self.factor == 0

    @property
    def exact(self) -> bool:
        """Whether fits go to their minimum, as far as rounding lets them."""
        return self.tol <= CLOSE

    @property
    def needs_fold_coefs(self) -> bool:
        """Whether the coefficients of the folds are wanted: by the caller, for refits, or to score them by another metric."""
        return self.keep_fold_coefs or self.relax is not None or self.metric is not METRICS["mse"]


def parse(
    X, y, *, rho, alphas, cv, groups, metric, alpha_min_ratio, sample_weight, fit_intercept, standardize, penalty_factor,
    lower, upper, tol, max_iter, solver, dtype, device, max_memory, keep_fold_coefs, adaptive, relax, missing, categories,
    fold_average,
) -> Request:  # fmt: skip
    """Check the arguments of `jaxnet.sweep`, whose docstring says what they mean."""
    missing = as_missing(missing)
    X, row_groups = without_groups(X, groups)
    features = Features.of(X, missing, categories)
    n, p = features.matrix.shape
    response = as_response(y, n)
    weight = as_weights(sample_weight, n)
    rho = arguments.rhos(rho)
    row_groups = None if row_groups is None else as_groups(row_groups, n)
    resampled = resamples(cv, features.matrix, response, groups=row_groups, weight=weight)
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
        alphas=arguments.alpha_values(alphas, len(rho)),
        alpha_min_ratio=arguments.ratio(alpha_min_ratio, arguments.smallest_ratio(n, p)),
        fit_intercept=arguments.flag(fit_intercept, "fit_intercept"),
        standardize=arguments.flag(standardize, "standardize"),
        factor=arguments.penalised(
            arguments.factors(penalty_factor, features.given)[features.source], features, missing
        ),
        lower=arguments.bound(lower, features.given, "lower", -np.inf)[features.source],
        upper=arguments.bound(upper, features.given, "upper", np.inf)[features.source],
        tol=arguments.tolerance(tol),
        max_iter=arguments.count(max_iter, "max_iter"),
        solver=arguments.choice(solver, "solver", SOLVERS),
        dtype=arguments.dtype_of(dtype, features.matrix.dtype),
        device=platform.find(device),
        max_memory=arguments.memory(max_memory),
        keep_fold_coefs=arguments.flag(keep_fold_coefs, "keep_fold_coefs"),
        adaptive=arguments.adaptive_weights(adaptive),
        relax=arguments.blends(relax),
        missing=missing,
        row_groups=row_groups,
        fold_average=arguments.choice(fold_average, "fold_average", FOLD_AVERAGES),
    )
    _check_groups(request)
    check_metric(request.metric, request.Y, request.groups.train[1:], request.groups.test[1:])
    _check_pairs(request)
    _check_fillings(request)
    _check_refits(request)
    return request


def _check_groups(request: Request) -> None:
    """Labels of rows act on folds: those of the sweep, or the inner ones that adaptive weights are chosen by."""
    inner = request.adaptive is not None and request.adaptive.alpha is None
    if request.row_groups is not None and len(request.groups) == 1 and not inner:
        raise InvalidInput(
            "groups keeps rows of a group together in folds, and there are none (cv=None): leave groups out."
        )


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
    if request.relax is not None and request.pool == "grouped":
        raise InvalidInput(
            "relax is not for pool='grouped', whose refits would lose what joins the fillings; use 'average' or 'stacked'."
        )
    if request.adaptive is not None and (request.pool != "stacked" or request.adaptive.alpha is None):
        raise InvalidInput(
            "adaptive would have weights of its own for every filling, and choose its first fits by inner folds that each need "
            "fillings of their own. "
            + advice(
                "Use pool='stacked' and give Adaptive an alpha (one first fit, no inner folds), or one fill.",
                "Fill once.",
            )
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
