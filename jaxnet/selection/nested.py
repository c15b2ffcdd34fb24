"""Nested cross-validation: the honest error of choosing a model by cross-validation, in one sweep."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jaxnet.data.arrays import as_response, as_weights
from jaxnet.data.groups import as_groups, without_groups
from jaxnet.errors import InvalidInput
from jaxnet.lanes import Groups
from jaxnet.metrics import find_metric, null_errors
from jaxnet.missing.options import as_missing
from jaxnet.options import check_options, takes_options
from jaxnet.pipeline.features import Features
from jaxnet.resampling import Resamples, resamples
from jaxnet.resampling.fold_numbers import FoldNumbers
from jaxnet.result import NestedResult, SweepResult
from jaxnet.result.averages import fold_mean, fold_se
from jaxnet.scalars import is_whole
from jaxnet.selection.choice import notion
from jaxnet.selection.rules import Scores, check_rule, check_simplest, choose
from jaxnet.sweeps import sweep

if TYPE_CHECKING:
    from jaxtyping import Float


@takes_options(sweep, without=["cv", "keep_fold_coefs"])
def nested_sweep(
    X,
    y,
    *,
    outer=5,
    inner=5,
    groups=None,
    rule="min",
    percent=5.0,
    simplest=None,
    sample_weight=None,
    metric="mse",
    **options,
) -> NestedResult:
    """The error of the whole procedure (fit the grid, choose by a rule on folds) on rows that took no part in it.

    The least error of a grid is that of a winner, and flatters it. Here every outer training set gets inner folds of its own,
    the rule chooses by those alone, and what it chose, fitted to the outer training set, is scored on the outer held-out
    rows. All splits are groups of one sweep, over one copy of X.

    Parameters
    - X, y, sample_weight, metric: as in `jaxnet.sweep`.
    - outer: the outer folds, as `cv` of `sweep`; default 5.
    - inner: how each outer training set is split: a number of folds (default 5), an object with `split(X, y[, groups])`, which
      gets the distinct training rows in the order of X and gives positions among them, an array of n fold numbers, or a list
      with one of the former, or such index pairs, for each outer fold. (Index pairs for all cannot be: each outer fold trains
      on other rows.) A row that the outer split repeats (a bootstrap) stays on one side, repeated.
    - groups: as in `jaxnet.sweep`: labels (n,) of rows, or the name of a column, that outer and inner folds keep together.
    - rule: "min" (default), "1se" or "percent", with `percent`, as in `SweepResult.best`. Information criteria need no folds
      and have none to nest.
    - simplest: by what these rules find the simplest fit to the outer training set: "nonzeros" (default) or "alpha".
    - options: those of `sweep`, `fold_average`, `missing` and `categories` too, but cv and keep_fold_coefs. A grid of alphas
      that is not given as values comes from all rows, as in R glmnet: only where the grid begins depends on held-out rows.

    Returns a `NestedResult`. Raises InvalidInput as `sweep` does, and for wrong outer, inner or rule. Where a message
    or a warning counts folds, the outer ones come first, then the inner ones of the first outer fold, and so on.

    Reference: Stone 1974; Varma and Simon 2006, "Bias in error estimation when using cross-validation for model selection".

    >>> import jaxnet
    >>> X, y = jaxnet.load_diabetes(return_X_y=True)
    >>> found = jaxnet.nested_sweep(X, y, rho=[0.5, 1.0], alphas=20, standardize=True)
    >>> found.errors.shape, bool(found.mean < found.baseline)
    ((5,), True)
    """
    check_rule(rule, percent)
    check_simplest(simplest)
    if simplest == "df":
        raise InvalidInput(
            "simplest='df' needs degrees of freedom, which nested_sweep does not compute of the fits to outer training sets: "
            "choose 'nonzeros' or 'alpha'."
        )
    simplest = notion(rule, simplest, None)
    for name in ("cv", "keep_fold_coefs"):
        if name in options:
            raise InvalidInput(f"nested_sweep has no {name}: its folds are `outer` and `inner`.")
    check_options(nested_sweep, options)
    missing = as_missing(options.get("missing"))
    X, labels = without_groups(X, groups)
    features = Features.of(X, missing, options.get("categories"))
    n = len(features.matrix)
    y, weight = as_response(y, n), as_weights(sample_weight, n)
    labels = None if labels is None else as_groups(labels, n)
    folds = _Folds.build(outer, inner, _Rows(features.matrix, y, labels, weight))
    fixed = {"cv": folds.pairs(), "groups": labels, "keep_fold_coefs": simplest == "nonzeros"}
    result = sweep(features, y, sample_weight=weight, metric=metric, **fixed, **options)
    groups = Groups.build(folds.outer.train, folds.outer.test, weight)
    if missing is not None:
        groups = missing.rows(features.matrix, groups, features.left_out(groups.train, missing))
    baseline = null_errors(find_metric(metric), y.reshape(len(y), -1).T, groups.train[1:], groups.test[1:])
    return _choose_all(result, folds, baseline, rule, percent, simplest)


class _Rows(NamedTuple):
    """What splits of rows may look at: X, y, and labels and weights or None."""

    X: np.ndarray
    y: np.ndarray
    groups: np.ndarray | None
    weight: np.ndarray | None

    def at(self, rows: np.ndarray) -> _Rows:
        """Some of them."""
        return _Rows(*(None if part is None else part[rows] for part in self))

    def resamples(self, name: str, cv) -> Resamples:
        """Their folds by `cv`, which the caller calls `name`."""
        if cv is None:
            raise InvalidInput(f"{name} is None; give a number of folds, or an object with split(X, y).")
        try:
            return resamples(cv, self.X, self.y, groups=self.groups, weight=self.weight)
        except InvalidInput as error:
            raise InvalidInput(f"{name}: {error}") from error.__cause__


class _Folds(NamedTuple):
    """Row multiplicities: `outer` as `resamples` gives them, and `inner[f]` (K_f, n) train and test of outer fold f."""

    outer: Resamples
    inner: list[Resamples]

    @classmethod
    def build(cls, outer, inner, data: _Rows) -> _Folds:
        outers = data.resamples("outer", outer)
        trained = [np.flatnonzero(times) for times in outers.train[1:]]
        inners = []
        for fold, (rows, splitter) in enumerate(zip(trained, _each(inner, trained, len(data.y)), strict=True)):
            times = outers.train[1 + fold]
            within = data.at(rows).resamples(f"inner of outer fold {fold}", splitter)
            whole = Resamples(*(np.zeros((len(part) - 1, len(data.y))) for part in within))
            for target, part in zip(whole, within, strict=True):
                target[:, rows] = part[1:] * times[rows]
            inners.append(whole)
        return cls(outers, inners)

    def pairs(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """All of them as index pairs, the outer ones first."""
        index = lambda times: np.repeat(np.arange(len(times)), times.astype(int))
        everything = [Resamples(*(part[1:] for part in self.outer)), *self.inner]
        return [(index(train), index(test)) for part in everything for train, test in zip(*part, strict=True)]

    def blocks(self) -> list[slice]:
        """Where the inner folds of each outer fold are among all."""
        stops = len(self.inner) + np.cumsum([len(part.train) for part in self.inner])
        return [slice(int(stop) - len(part.train), int(stop)) for stop, part in zip(stops, self.inner, strict=True)]


def _each(inner, trained: list[np.ndarray], n: int) -> list:
    """How each outer training set is split."""
    remedy = (
        "give a number of folds, an object with split(X, y[, groups]), an array of fold numbers, or a list with one of these (or "
        "index pairs among its own training rows) for each outer fold."
    )
    if isinstance(inner, (list, tuple)):
        if any(map(_is_pair, inner)):
            raise InvalidInput(f"inner holds index pairs for all, but each outer fold trains on other rows: {remedy}")
        if len(inner) != len(trained):
            raise InvalidInput(f"inner is a list of {len(inner)}, but there are {len(trained)} outer folds: {remedy}")
        return list(inner)
    if inner is None or is_whole(inner) or callable(getattr(inner, "split", None)):
        return [inner] * len(trained)
    try:
        numbers = FoldNumbers.of(inner, n)
    except InvalidInput as error:
        raise InvalidInput(f"inner: {error}") from None
    if numbers is None:
        raise InvalidInput(f"inner={inner!r:.100} splits once, but each outer fold trains on other rows: {remedy}")
    return [numbers.of_rows(rows) for rows in trained]


def _is_pair(part) -> bool:
    """Whether this is one (train, test), not a list of them."""
    rows = lambda side: side.ndim == 1 if isinstance(side, np.ndarray) else bool(side) and isinstance(side[0], int)
    return (
        isinstance(part, (tuple, list))
        and len(part) == 2
        and all(isinstance(side, (np.ndarray, list, tuple)) and rows(side) for side in part)
    )


def _choose_all(
    result: SweepResult,
    folds: _Folds,
    baseline: Float[np.ndarray, "q F"],
    rule: str,
    percent: float,
    simplest: str | None,
) -> NestedResult:
    """The rule's choice for every response and outer fold, by the inner folds of that outer fold alone."""
    grid = (len(baseline), *result.alphas.shape[-2:])
    errors, alphas = result.errors.reshape(*grid, -1), result.alphas.reshape(grid)
    nonzeros = result.fold_coefs.counts().reshape(errors.shape) if simplest == "nonzeros" else None
    indices = np.zeros((*baseline.shape, 2), int)
    inner_errors, outer_errors = np.zeros(baseline.shape), np.zeros(baseline.shape)
    blocks = folds.blocks()
    for j, fold in np.ndindex(baseline.shape):
        block = blocks[fold]
        weights = None if result.fold_weights is None else result.fold_weights[block]
        own = errors[j][..., block]
        mean = fold_mean(own, weights)
        complexity = None if nonzeros is None else nonzeros[j, :, :, fold]
        i, k = choose(rule, Scores(mean, fold_se(own, weights), complexity, alphas[j]), percent)
        indices[j, fold] = i, k
        inner_errors[j, fold], outer_errors[j, fold] = mean[i, k], errors[j, i, k, fold]
    shape = lambda x: x if result.n_responses is not None else x[0]
    return NestedResult(
        errors=shape(outer_errors),
        inner_errors=shape(inner_errors),
        baseline_errors=shape(baseline),
        alphas=shape(alphas[np.arange(len(alphas))[:, None], indices[..., 0], indices[..., 1]]),
        rho=shape(result.rho[indices[..., 0]]),
        indices=shape(indices),
        fold_weights=None if result.fold_weights is None else result.fold_weights[: len(folds.inner)],
        rule=rule,
        metric=result.metric,
        simplest=simplest,
    )
