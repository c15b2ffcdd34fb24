"""Whether the parts of what a file holds fit together, so that it can be used without a surprise later."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from jaxnet.scalars import is_number, is_whole


def is_array(value: Any, kinds: str, shape: tuple[int, ...] | None = None) -> bool:
    """Whether this is an array of one of these kinds of dtype, and of that shape if one is given."""
    return isinstance(value, np.ndarray) and value.dtype.kind in kinds and (shape is None or value.shape == shape)


def is_sparse_rows(rows: Any) -> bool:
    """Whether indices are in range and starts ascend, so that reading any row is safe."""
    arrays = is_array(rows.values, "f") and is_array(rows.columns, "iu") and is_array(rows.starts, "iu")
    if not arrays or {rows.values.ndim, rows.columns.ndim, rows.starts.ndim} != {1} or type(rows.n_columns) is not int:
        return False
    starts = rows.starts.astype(np.int64)
    in_range = ((rows.columns >= 0) & (rows.columns < rows.n_columns)).all()
    ends = starts.size > 0 and starts[0] == 0 and starts[-1] == len(rows.values) == len(rows.columns)
    return bool(ends and in_range and (np.diff(starts) >= 0).all() and 0 <= rows.n_columns < 2**31)


def is_sweep_result(result: Any) -> bool:
    """Whether every array has the shape that `SweepResult` documents."""
    if not (is_array(result.alphas, "f") and result.alphas.ndim in (2, 3) and is_array(result.gap, "f")):
        return False
    grid = result.alphas.shape
    folds = result.gap.shape[-1] - 1 if result.gap.shape[:-1] == grid else -1
    names, width = result.feature_names, getattr(result.coefs, "n_columns", None)

    def has_rows(rows: Any, count: int) -> bool:
        return type(rows).__name__ == "SparseRows" and len(rows) == count and rows.n_columns == width

    return all(
        (
            folds >= 0 and min(grid) > 0,
            is_array(result.rho, "f", grid[-2:-1]),
            has_rows(result.coefs, math.prod(grid)),
            is_array(result.intercepts, "f", grid),
            is_array(result.errors, "f", (*grid, folds)) if folds else result.errors is None,
            result.fold_weights is None or is_array(result.fold_weights, "f", (folds,)),
            *(is_array(a, "fiu", (*grid, folds + 1)) for a in (result.kkt, result.iterations)),
            is_array(result.status, "iu", (*grid, folds + 1)) and bool(np.isin(result.status, range(4)).all()),
            is_real(result.tol),
            type(result.options).__name__ == "FitOptions" and _has_width(result.options, width, grid[:-2]),
            are_names(names, width),
            result.fold_coefs is None or has_rows(result.fold_coefs, math.prod(grid) * folds),
            result.fold_intercepts is None or is_array(result.fold_intercepts, "f", (*grid, folds)),
            type(result.metric) is str,
            result.blend is None or is_array(result.blend, "f", grid[-2:-1]),
            result.preparation is None or _makes(result.preparation, width),
            result.imputations is None or _are_fillings(result.imputations, grid, has_rows),
        )
    )


def is_imputations(found: Any) -> bool:
    """Whether there is a row of coefficients for every intercept."""
    levels, rows = found.intercepts, found.coefs
    return (
        is_array(levels, "f")
        and levels.ndim in (3, 4)
        and type(rows).__name__ == "SparseRows"
        and len(rows) == levels.size
    )


def _are_fillings(found: Any, grid: tuple[int, ...], has_rows: Any) -> bool:
    """Whether these are of a result with that grid."""
    if type(found).__name__ != "Imputations":
        return False
    return found.intercepts.shape[:-1] == grid and has_rows(found.coefs, found.intercepts.size)


def is_pooled_coefficients(pooled: Any) -> bool:
    """Whether there is everything for every column."""
    k = len(pooled.columns) if is_array(pooled.columns, "iu") and pooled.columns.ndim == 1 else -1
    figures = [pooled.coef, pooled.frequency, pooled.between, *([] if pooled.within is None else [pooled.within])]
    named = pooled.names is not None and are_names(pooled.names, k)
    return named and type(pooled.m) is int and all(is_array(x, "f", (k,)) for x in figures)


def is_criteria(criteria: Any) -> bool:
    """Whether every array has the shape that `Criteria` documents."""
    if not (is_array(criteria.alphas, "f") and criteria.alphas.ndim in (2, 3)):
        return False
    grid, noise = criteria.alphas.shape, criteria.noise_variance
    numbers = (criteria.df, criteria.rss, criteria.aic, criteria.aicc, criteria.bic, criteria.ebic)
    return all(
        (
            *(is_array(a, "f", grid) for a in numbers),
            is_array(criteria.rho, "f", grid[-2:-1]) and min(grid) > 0,
            is_array(criteria.reason, "O", grid),
            type(criteria.n) is int and is_real(criteria.gamma),
            noise is None or is_array(noise, "f", grid[:-2]),
        )
    )


def is_fit_options(options: Any) -> bool:
    """Whether every field has the type that `FitOptions` documents."""
    flags = (options.fit_intercept, options.standardize, options.weighted)
    arrays = [a for a in _by_column(options) if a is not None]
    weights = options.adaptive_weights is None or is_array(options.adaptive_weights, "f")
    return (
        weights and all(type(flag) is bool for flag in flags) and all(is_array(a, "f") and a.ndim == 1 for a in arrays)
    )


def _has_width(options: Any, width: int, responses: tuple[int, ...]) -> bool:
    weights = options.adaptive_weights
    fits = weights is None or weights.shape == (*responses, width)
    return fits and all(a is None or len(a) == width for a in _by_column(options))


def _by_column(options: Any) -> tuple[Any, ...]:
    return options.penalty_factor, options.lower, options.upper


def is_best_fit(fit: Any) -> bool:
    """Whether every field has the type that `BestFit` documents."""
    reals = (fit.alpha, fit.rho, fit.intercept, fit.cv_error, fit.cv_se, fit.gap, fit.blend)
    index = type(fit.index) is tuple and len(fit.index) == 2 and set(map(type, fit.index)) == {int}
    others = type(fit.rule) is str and type(fit.nonzeros) is int and type(fit.status).__name__ == "Status"
    others = others and (fit.simplest is None or type(fit.simplest) is str)
    return index and others and all(map(is_real, reals)) and is_array(fit.coef, "f") and fit.coef.ndim == 1


def is_nested_result(result: Any) -> bool:
    """Whether every array has the shape that `NestedResult` documents."""
    if not (is_array(result.errors, "f") and result.errors.ndim in (1, 2) and result.errors.size):
        return False
    shape, weights = result.errors.shape, result.fold_weights
    alike = (result.inner_errors, result.baseline_errors, result.alphas, result.rho)
    return all(
        (
            *(is_array(a, "f", shape) for a in alike),
            is_array(result.indices, "iu", (*shape, 2)),
            weights is None or is_array(weights, "f", shape[-1:]),
            type(result.rule) is str and type(result.metric) is str,
            result.simplest is None or type(result.simplest) is str,
        )
    )


def is_kfold(folds: Any) -> bool:
    """Whether the fields are numbers; `KFold.split`, or `GroupKFold.split`, checks which."""
    return is_whole(folds.n_splits) and isinstance(folds.shuffle, (bool, np.bool_)) and _is_seed(folds.seed)


def is_stratified_kfold(folds: Any) -> bool:
    """Whether the fields are numbers; `StratifiedKFold.split` checks which."""
    return is_kfold(folds) and is_whole(folds.bins)


def is_repeated_kfold(folds: Any) -> bool:
    """Whether the fields are numbers; `RepeatedKFold.split` checks which."""
    return is_whole(folds.n_splits) and is_whole(folds.n_repeats) and _is_seed(folds.seed)


def is_bootstrap(resamples: Any) -> bool:
    """Whether the fields are numbers; `Bootstrap.split` checks which."""
    return is_whole(resamples.n_resamples) and _is_seed(resamples.seed)


def _is_seed(value: Any) -> bool:
    return value is None or is_whole(value)


def is_complementary_pairs(pairs: Any) -> bool:
    """Whether the fields are numbers; `ComplementaryPairs.split` checks which."""
    return is_whole(pairs.n_pairs) and _is_seed(pairs.seed)


def is_stability_result(found: Any) -> bool:
    """Whether every array has the shape that `StabilityResult` documents."""
    if not all(is_array(a, "f") and a.ndim == 1 for a in (found.frequencies, found.alphas)):
        return False
    p, steps = found.frequencies.shape, found.alphas.shape
    return all(
        (
            is_array(found.selected, "b", p) and is_array(found.paths, "f", (*steps, *p)),
            is_real(found.rho) and type(found.n_pairs) is int and type(found.bound) is str,
            type(found.parameters).__name__ == "StabilityParameters",
            are_names(found.feature_names, *p),
            found.preparation is None or _makes(found.preparation, *p),
        )
    )


def is_stability_parameters(parameters: Any) -> bool:
    """Whether the fields are numbers."""
    return all(map(is_number, parameters))


def is_frequencies(found: Any) -> bool:
    """Whether the fields are vectors of one length."""
    return is_array(found.frequency, "f") and all(is_array(a, "f", (found.frequency.size,)) for a in found)


def is_selection_frequencies(found: Any) -> bool:
    """Whether there is a row of counts for every point of the grid."""
    if not (is_array(found.alphas, "f") and found.alphas.ndim in (2, 3)):
        return False
    grid, counts = found.alphas.shape, (found.selected, found.positive)
    if not all(type(rows).__name__ == "SparseRows" and len(rows) == math.prod(grid) for rows in counts):
        return False
    return all(
        (
            found.selected.n_columns == found.positive.n_columns,
            is_array(found.rho, "f", grid[-2:-1]) and min(grid) > 0,
            type(found.n_resamples) is int and found.n_resamples > 0,
            is_real(found.confidence) and 0 < found.confidence < 1,
            are_names(found.feature_names, found.selected.n_columns),
        )
    )


def is_explanation(told: Any) -> bool:
    """Whether every column has an entry everywhere."""
    if not is_array(told.columns, "iu") or told.columns.ndim != 1:
        return False
    k = told.columns.shape
    reals = (told.coef, told.per_sd, told.share, told.entry_alpha, told.mean, told.sd)
    counted = told.frequencies is None or type(told.frequencies).__name__ == "Frequencies"
    return all(
        (
            type(told.fit).__name__ == "BestFit" and (told.response is None or type(told.response) is int),
            all(names is not None and are_names(names, *k) for names in (told.names, told.group)),
            all(is_array(a, "f", k) for a in reals) and is_array(told.entry, "iu", k),
            counted and (told.frequencies is None or told.frequencies.frequency.shape == k),
            type(told.n_resamples) is int and type(told.n_features) is int and is_real(told.correlated),
            told.r_squared is None or is_real(told.r_squared),
            type(told.companions) is tuple and len(told.companions) == k[0] and all(map(_are_pairs, told.companions)),
        )
    )


def _are_pairs(pairs: Any) -> bool:
    """Whether these are (name, number) pairs."""
    return type(pairs) is tuple and all(
        type(pair) is tuple and len(pair) == 2 and type(pair[0]) is str and is_real(pair[1]) for pair in pairs
    )


def is_feature_expansion(expansion: Any) -> bool:
    """Whether terms name columns that there are, and everything has a name."""
    if not (is_array(expansion.centre, "f") and expansion.centre.ndim == 1 and is_array(expansion.terms, "i")):
        return False
    p, terms, left = len(expansion.centre), expansion.terms, expansion.left_out
    if terms.ndim != 2 or terms.shape[1] != 3 or not np.isfinite(expansion.centre).all():
        return False
    first, second, power = terms.T
    texts = lambda pair: type(pair) is tuple and len(pair) == 2 and set(map(type, pair)) == {str}
    return all(
        (
            bool(((first >= 0) & (first < p) & (second >= -1) & (second < p) & (power >= 1)).all()),
            expansion.names is not None and are_names(expansion.names, p + len(terms)),
            are_names(expansion.feature_names, p),
            type(left) is tuple and all(map(texts, left)),
        )
    )


def is_adaptive(adaptive: Any) -> bool:
    """Whether the fields are numbers and folds; `Adaptive.check` says which are in range."""
    numbers = [adaptive.gamma, adaptive.rho, *([] if adaptive.alpha is None else [adaptive.alpha])]
    splits = callable(getattr(adaptive.cv, "split", None)) and not isinstance(adaptive.cv, (str, bytes))
    return all(map(is_number, numbers)) and (splits or is_whole(adaptive.cv))


FITTED = {"ElasticNet": ("coef_", "intercept_", "dual_gap_", "n_iter_", "n_features_in_")}
FITTED["Lasso"] = FITTED["ElasticNet"]
FITTED["LassoCV"] = (*FITTED["ElasticNet"], "alpha_", "alphas_", "mse_path_")
FITTED["ElasticNetCV"] = (*FITTED["LassoCV"], "l1_ratio_")
FITTED["StabilitySelection"] = ("support_", "frequencies_", "result_", "n_features_in_")
SOMETIMES = ("feature_names_in_", "blend_", "preparation_")
"""What `fit` sets for some data and parameters only."""


def is_estimator(model: Any) -> bool:
    """Whether a fitted estimator has all that `fit` sets, of the right shapes; parameters are for `fit` to check."""
    names = FITTED[type(model).__name__]
    return _is_whole(model, lambda state: _is_linear(state) and ("alpha_" not in names or _is_chosen(state)))


def is_selector(model: Any) -> bool:
    """Whether a fitted selector of columns has all that `fit` sets, of the right shapes."""
    return _is_whole(model, _is_selected)


def _is_whole(model: Any, fits: Callable[[dict[str, Any]], bool]) -> bool:
    """Whether an estimator is not fitted, or has everything that fitting sets and that `fits`."""
    state = vars(model)
    requests = state.get("_requests", {})
    if not isinstance(requests, dict) or not requests.keys() <= {"fit", "score", "fit groups"}:
        return False
    if not all(alias is None or type(alias) in (bool, str) for alias in requests.values()):
        return False
    names = FITTED[type(model).__name__]
    if not state.keys() & {*names, *SOMETIMES}:
        return True
    return state.keys() >= set(names) and fits(state)


def _is_selected(state: dict[str, Any]) -> bool:
    """support_ (p,) and what goes with it."""
    result, p = state["result_"], getattr(state["support_"], "size", -1)
    return all(
        (
            is_array(state["support_"], "b", (p,)) and is_array(state["frequencies_"], "f", (p,)),
            type(result).__name__ == "StabilityResult" and result.selected.shape == (p,),
            _is_of_columns(state, p),
        )
    )


def _is_of_columns(state: dict[str, Any], p: int) -> bool:
    """Whether what was fitted to p columns was given as many, or has what makes them of those it was given."""
    given, columns, preparation = (state.get(name) for name in ("n_features_in_", "feature_names_in_", "preparation_"))
    made = given == p if preparation is None else _makes(preparation, p) and preparation.given == given
    return type(given) is int and made and (columns is None or is_array(columns, "O", (given,)))


def _is_linear(state: dict[str, Any]) -> bool:
    """coef_ (p,) or (q, p) and what goes with it."""
    coef, intercept, iterations = (state[name] for name in ("coef_", "intercept_", "n_iter_"))
    if not is_array(coef, "f") or coef.ndim not in (1, 2):
        return False
    p, responses = coef.shape[-1], coef.shape[:-1]
    counts = iterations if type(iterations) is list else [iterations]
    return all(
        (
            is_real(intercept) or is_array(intercept, "f", responses or (1,)),
            is_array(state["dual_gap_"], "f", responses) if responses else is_real(state["dual_gap_"]),
            set(map(type, counts)) <= {int} and len(counts) == math.prod(responses),
            _is_of_columns(state, p),
        )
    )


def _is_chosen(state: dict[str, Any]) -> bool:
    """What cross-validation adds."""
    numbers = all(is_real(state.get(name, 0.0)) for name in ("alpha_", "l1_ratio_", "blend_"))
    arrays = is_array(state["mse_path_"], "f") and is_array(state["alphas_"], "f")
    return numbers and arrays and state["mse_path_"].ndim <= 3 + ("blend_" in state) and state["alphas_"].ndim in (1, 2)


def _makes(preparation: Any, width: int) -> bool:
    """Whether this makes so many columns."""
    return type(preparation).__name__ == "Preparation" and preparation.width == width


def are_names(names: Any, count: int) -> bool:
    """Whether these are `count` texts, or None for no names."""
    return names is None or (type(names) is tuple and len(names) == count and set(map(type, names)) <= {str})


def is_real(value: Any) -> bool:
    """Whether this is a real number, whatever its value."""
    return isinstance(value, (float, np.floating))
