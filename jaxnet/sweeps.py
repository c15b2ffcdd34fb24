"""The public functional calls: numbers in, a SweepResult out."""

from collections.abc import Callable
from contextlib import contextmanager
from dataclasses import fields, replace
from functools import partial
from inspect import signature

import jax
import numpy as np
from jax.tree_util import register_dataclass

from jaxnet.errors import InvalidInput, OneWarning, fits_missed
from jaxnet.execution import platform
from jaxnet.metrics import METRICS, held_out_errors
from jaxnet.missing.fill import Filler, Learn
from jaxnet.options import check_options, takes_options
from jaxnet.pipeline import imputations
from jaxnet.pipeline.collect import Collector
from jaxnet.pipeline.dispatch import alpha_grid, solve_all
from jaxnet.pipeline.effects import check_effects
from jaxnet.pipeline.first_fits import adaptive_problem
from jaxnet.pipeline.journal import Forgetful, Journal
from jaxnet.pipeline.problem import Problem
from jaxnet.pipeline.relaxed import relaxed
from jaxnet.pipeline.request import CLOSE, Request, parse
from jaxnet.progress import Counter, Progress, Reporter
from jaxnet.result import FitOptions, Imputations, SparseRows, Status, SweepResult
from jaxnet.store.recording import recording


def sweep(
    X,
    y,
    *,
    rho=(0.1, 0.5, 0.9, 1.0),
    alphas=100,
    cv=5,
    groups=None,
    metric="mse",
    fold_average="folds",
    alpha_min_ratio=None,
    sample_weight=None,
    fit_intercept=True,
    standardize=False,
    penalty_factor=None,
    lower=None,
    upper=None,
    tol=1e-4,
    max_iter=10_000,
    solver="auto",
    dtype=None,
    device=None,
    max_memory=None,
    progress=None,
    keep_fold_coefs=False,
    adaptive=None,
    relax=None,
    missing=None,
    categories=None,
    store=None,
    run=None,
) -> SweepResult:
    """Fit the elastic net on the whole (alpha, rho) grid, on all rows and on every fold, over one copy of X.

    Each fit minimises, over coefficients b and an intercept b0,

        1/(2 sum(w)) sum_i w_i (y_i - b0 - x_i'b)^2 + alpha sum_j v_j (rho |b_j| + (1 - rho)/2 b_j^2),   lower <= b <= upper

    (scikit-learn's convention, its `l1_ratio` being rho), w the sample weights of the fit's training rows.

    Parameters
    - X: (n, p) array, or a pandas, polars or pyarrow frame, whose column names are kept. Dense, without infinite values, and
      without missing ones (nan, null) unless `missing` says what to do about them. Columns of text, categories and truth
      values of a frame become columns of zeros and ones, one per level (`site=Leeds`).
    - y: (n,), or (n, q) for q independent responses over the same X (the result gains a leading axis q).
    - rho: the L1 shares, each in [0, 1]: 1 is the lasso, 0 is ridge.
    - alphas: how many (a log grid from each rho's own alpha_max, the least alpha at which all penalised coefficients are
      zero; at rho < 1e-3 that of 1e-3), or values >= 0: one list for all rho, or an array (R, A). Sorted decreasingly.
    - alpha_min_ratio: last alpha of such a grid over its first; by default 1e-2 if n < p, else 1e-3. Not with values.
    - cv: None, a number of contiguous folds, a splitter (`jaxnet.KFold`, `RepeatedKFold`, `StratifiedKFold`, `GroupKFold`,
      `LeaveOneGroupOut`, `Bootstrap`, scikit-learn's, any object with `split(X, y[, groups])`), an array of n fold numbers
      (glmnet's foldid; rows of number -1 are never held out), or (train, test) index pairs; an index that comes twice counts
      twice.
    - groups: labels (n,) of rows that belong together (of one patient, say), an array or a column, or, where X is a frame, the
      name of a column, which then is no feature. No group comes on both sides of a split: a number cv = K is then
      `GroupKFold(K)`, splitters get the labels, ready-made folds are checked, and the inner folds of `adaptive` keep groups
      together too. Refused where it has no effect, as on `KFold`. Rows of weight zero take no part in such splits.
    - metric: what held-out errors measure: "mse" (default), the weighted mean of squares; "mae", of absolute values; "r2",
      1 - R2 of each fold against the mean of its held-out rows; or a function f, called with the held-out rows of a fold as
      f(y_true, y_pred, sample_weight=w), w averaging one, that returns a number, the smaller the better. The fits
      minimise squares whatever the metric.
    - fold_average: what the mean held-out error is a mean of, and its standard error with it: "folds" (default), every fold
      counts the same, as in scikit-learn; or "rows", every fold counts by the weight of its held-out rows (their number,
      without sample weights), as in cv.glmnet. They differ where folds differ in size or weight.
    - sample_weight: (n,) >= 0, in the fit and within each fold's held-out error. Only ratios matter: equal weights are none.
    - fit_intercept: whether b0 is fitted (unpenalised); otherwise it is zero and nothing is centred.
    - standardize: put the penalty on coefficients of columns scaled to unit variance, with each fit's own weights;
      coefficients are reported on the scale of X all the same. Off by default, as in scikit-learn.
    - penalty_factor: v (p,) >= 0; 0 leaves a column unpenalised. Not rescaled (R glmnet rescales to mean 1).
    - lower, upper: bounds on the coefficients, scalars or (p,), lower <= 0 <= upper; `lower=0` is non-negative fits. A column
      without a penalty may have bounds too (penalty_factor 0, or alpha 0: non-negative least squares); on a side that has
      none its gap is against coefficients up to ten times as large (`penalty.elastic_net.boxed`), else it has no finite dual.
    - tol: the relative duality gap that every fit must reach: (primal - dual) / (half the weighted mean of the centred
      y^2). 1e-4 is about scikit-learn's default accuracy; from 1e-14 on fits go to their minimum as far as rounding lets
      them. max_iter: passes over the working set per fit.
    - solver: "coordinate" (coordinate descent), "proximal" (accelerated proximal gradient, with Newton steps on settled
      supports), or "auto": the former on a CPU, the latter on a GPU. A fit on which passes crawl is finished by an active-set
      method, whose steps count as passes. Fits without an L1 part or bounds have a closed form.
    - dtype: "float32" or "float64" for the copy of X; X's own by default. Certificates are computed in float64.
    - device: a JAX device, or "cpu" or "gpu"; JAX's default by default.
    - max_memory: bytes (or "2GB") that the working arrays beside X may take; fits are solved in chunks that keep to it.
    - progress: True for a progress bar, or a function of (fits done, fits in all).
    - keep_fold_coefs: also keep the coefficients of the fold fits.
    - adaptive: `jaxnet.Adaptive(gamma=1.0)`: the L1 part of each column is multiplied by a power of a first estimate of its
      coefficient, made anew from the training rows of every fold. The ridge part is not.
    - relax: blends in [0, 1], such as (1.0, 0.5, 0.0): every fit also as blend * penalised + (1 - blend) * refit, the refit
      being least squares on the penalised fit's support (with intercept, weights and unpenalised columns), as in R glmnet.
      The result has a row for every pair of a rho and a blend, whose held-out errors are the blend's and whose certificate
      is the penalised fit's. Where a support leaves the refit open (collinear columns, or more than rows), it is the least
      change of the penalised fit, by columns of unit variance, that fits best. Not for rho or alpha 0, or with bounds.
    - missing: what to do about missing values: a fill by name ("mean", "median", "mode", "constant", "iterative",
      "neighbours", "multiple", "complete", "pairwise") or with options (`jaxnet.SimpleFill` and others), or a
      `jaxnet.Missing` that adds indicators of what is missing, or leaves out columns that miss too much. Learnt anew from the
      training rows of every fold, and applied by `predict` to new rows as learnt from all rows.
    - categories: a `jaxnet.Categories` with options of categorical columns: a reference level, what missing and unseen levels
      are; for arrays of text it says that the text is meant. Penalty factors and bounds are of the columns given; columns
      made from one have its.
    - store: the path of an SQLite file, made if need be, to which finished fits go about once a second. Whatever stops the
      sweep, the same call goes on from there, and its result is the same, to the last bit, as if nothing had stopped it
      (on the same kind of machine). Several sweeps can share a store; `jaxnet.Store` reads it. A metric function is known
      by its name, code, defaults, closure and the globals it names, or by a text in its attribute `store_name`; another
      function is another sweep.
    - run: what the store calls this sweep; by default a name made from the problem. A name that the store has for
      another problem is refused, and so is one that another process is working on.

    Returns a `SweepResult`. Raises InvalidInput (a ValueError) with a sentence where the data or the request is wrong, and
    OSError where the store cannot be written (what it holds stays). Warns once (ConvergenceWarning, at the caller's line) if
    fits missed `tol`; they are marked in `status`.

    Reference: Zou and Hastie 2005 (the elastic net); Friedman, Hastie and Tibshirani 2010 (paths by coordinate descent);
    Zou and Zhang 2009 (adaptive); Meinshausen 2007 and Hastie, Tibshirani and Tibshirani 2020 (relaxed); van Buuren 2018
    (missing values).

    >>> import jaxnet
    >>> X, y = jaxnet.load_diabetes(return_X_y=True)
    >>> result = jaxnet.sweep(X, y, rho=[0.5, 1.0], alphas=20, standardize=True)
    >>> result.alphas.shape, result.errors.shape, result.converged
    ((2, 20), (2, 20, 5), True)
    """
    request = parse(
        X, y, rho=rho, alphas=alphas, cv=cv, groups=groups, metric=metric, alpha_min_ratio=alpha_min_ratio,
        sample_weight=sample_weight,
        fit_intercept=fit_intercept, standardize=standardize, penalty_factor=penalty_factor, lower=lower, upper=upper,
        tol=tol, max_iter=max_iter, solver=solver, dtype=dtype, device=device, max_memory=max_memory,
        keep_fold_coefs=keep_fold_coefs, adaptive=adaptive, relax=relax,
        missing=missing, categories=categories, fold_average=fold_average,
    )  # fmt: skip
    check_effects(request, alpha_min_ratio=alpha_min_ratio, dtype=dtype)
    with OneWarning():
        with (
            _reporting(progress) as report,
            jax.enable_x64(True),
            platform.scope(request.device),
            recording(store, run, request) as journal,
        ):
            result = _run(request, report, journal)
        _tell(result)
    return result


@takes_options(sweep, without=["cv"])
def fit_path(X, y, **options) -> SweepResult:
    """`sweep` without folds: the whole (alpha, rho) grid on all rows. Takes the options of `sweep` except `cv`; `groups` for
    the inner folds of `adaptive` only.

    >>> import jaxnet
    >>> X, y = jaxnet.load_diabetes(return_X_y=True)
    >>> jaxnet.fit_path(X, y, rho=1.0, alphas=[2.0, 1.0], standardize=True).nonzeros.tolist()
    [[7, 7]]
    """
    if "cv" in options:
        raise InvalidInput("fit_path has no cv: it fits all rows; use sweep for cross-validation.")
    check_options(fit_path, options)
    return sweep(X, y, cv=None, **options)


def fit_closely(X, y, *, tol: float, **options) -> SweepResult:
    """`fit_path` as far as rounding lets it, so that where within `tol` a fit stops does not show; at least to tol."""
    defaults = {name: p.default for name, p in signature(sweep).parameters.items() if p.default is not p.empty}
    asked = {**defaults, **options, "cv": None, "tol": min(tol, CLOSE)}
    asked = {name: value for name, value in asked.items() if name not in ("progress", "store", "run")}
    request = parse(X, y, **asked)
    with jax.enable_x64(True), platform.scope(request.device):
        result = _run(request, None, Forgetful())
    return replace(result, tol=tol) if (result.gap <= tol).all() else fit_path(X, y, tol=tol, **options)


def _run(request: Request, progress, journal: Journal) -> SweepResult:
    known = journal.result()
    if known is not None:
        if progress:
            progress(known.gap.size, known.gap.size)
        return replace(known, feature_names=request.features.names)
    if request.pool == "grouped":
        return imputations.grouped(request, progress, _learning(progress, journal))
    if request.pool == "average":
        problem, result = _solve(imputations.side_by_side(request), progress, journal, request.missing.fill.m)
        result = imputations.averaged(request, problem, result if request.relax is None else relaxed(problem, result))
    else:
        problem, result = _solve(imputations.stacked(request) if request.pool else request, progress, journal)
        result = _scored(problem, result if request.relax is None else relaxed(problem, result))
        result = replace(result, preparation=request.preparation(problem.filler))
    journal.finish(result)
    return result


def _solve(request: Request, progress, journal: Journal, fillings: int = 1) -> tuple[Problem, SweepResult]:
    """All fits, with mean squared held-out errors. Every rho's grid begins where all `fillings` of the full data are zero."""
    learn = _learning(progress, journal)
    if request.adaptive is None:
        problem = Problem.build(request, learn=learn)
    else:
        problem, progress = adaptive_problem(request, progress, learn)
    full = np.arange(fillings * len(request.Y)) * (len(request.groups) // fillings)
    top = problem.alpha_max(full).reshape(len(request.Y), fillings).max(axis=1)
    alphas = alpha_grid(request, top)
    collector = Collector(problem, alphas, progress)
    journal.begin(collector)
    for piece in journal.pieces():
        collector.restore(piece)
    collector.tell()
    solve_all(problem, alphas, not isinstance(request.alphas, int), collector, journal)
    return problem, collector.result()


def _learning(progress: Reporter | None, journal: Journal) -> Learn:
    """Fillers from the journal, or learnt now, and counted."""

    def learn(g: int, count: int, fit: Callable[[], Filler]) -> Filler:
        if progress:
            progress.filling(g, count)
        found = journal.filler(g, fit)
        if progress and g + 1 == count:
            progress.filling(count, count)
        return found

    return learn


def _scored(problem: Problem, result: SweepResult) -> SweepResult:
    """The result with held-out errors by the metric of the request, and coefficients of the folds only if they were asked for."""
    request, errors = problem.request, result.errors
    if request.metric is not METRICS["mse"] and errors is not None:
        intercepts = result.fold_intercepts.reshape(len(request.Y), *errors.shape[-3:])
        held_out = request.metric, problem.held_out, request.Y, request.groups.test[1:]
        scores = held_out_errors(*held_out, result.fold_coefs, intercepts, partial(_name, result))
        errors = scores.reshape(errors.shape)
    result = replace(result, errors=errors, metric=request.metric.name)
    return result if request.keep_fold_coefs else replace(result, fold_coefs=None, fold_intercepts=None)


def _name(result: SweepResult, j: int, r: int, k: int) -> str:
    """One fit, for a sentence."""
    alpha = result.alphas[r, k] if result.n_responses is None else result.alphas[j, r, k]
    response = "" if result.n_responses is None else f" of response {j}"
    blend = "" if result.blend is None else f", blend={result.blend[r]:g}"
    return f"the fit{response} at rho={result.rho[r]:g}{blend}, alpha={alpha:.6g}"


@contextmanager
def _reporting(progress):
    """Who hears of the fits: nobody, the caller's function, or for True a progress bar that is closed at the end."""
    if progress is None or progress is False:
        yield None
    elif isinstance(progress, Reporter):
        yield progress
    elif callable(progress):
        yield Counter(progress)
    elif progress is True:
        with Progress() as bar:
            yield bar
    else:
        raise InvalidInput(f"progress={progress!r}: give True for a bar, or a function of (fits done, fits in all).")


def _tell(result: SweepResult) -> None:
    if result.converged:
        return
    missed = ~np.isin(result.status, (Status.CONVERGED, Status.DEGENERATE))
    worst = np.unravel_index(np.argmax(np.where(missed, np.nan_to_num(result.gap, nan=np.inf), -1.0)), result.gap.shape)
    *response, i, k, group = map(int, worst)
    alpha = result.alphas[(*response, i, k)]
    counts = {name: count for name, count in result.status_counts().items() if name not in ("CONVERGED", "DEGENERATE")}
    fits_missed(
        f"{int(missed.sum())} of {missed.size} fits missed tol={result.tol:g} ({counts}); the worst, at rho={result.rho[i]:g}, "
        f"alpha={alpha:.6g}, {'all rows' if group == 0 else f'fold {group - 1}'}"
        + (f", response {response[0]}" if response else "")
        + f", has a relative gap of {result.gap[worst]:.2g}. Raise max_iter or tol; `status` marks the fits."
    )


_PLAIN = ("feature_names", "tol", "metric", "preparation")  # of a result: no arrays of its own
register_dataclass(
    SweepResult,
    data_fields=[f.name for f in fields(SweepResult) if f.name not in _PLAIN],
    meta_fields=[*_PLAIN],
)
register_dataclass(Imputations, data_fields=["coefs", "intercepts"], meta_fields=[])
register_dataclass(SparseRows, data_fields=["values", "columns", "starts"], meta_fields=["n_columns"])
register_dataclass(
    FitOptions,
    data_fields=["penalty_factor", "lower", "upper", "adaptive_weights"],
    meta_fields=["fit_intercept", "standardize", "weighted"],
)
