"""Whether the parts of what a file holds fit together, so that it can be used without a surprise later."""

import math
from typing import Any

import numpy as np


def _is_array(value: Any, kinds: str, shape: tuple[int, ...] | None = None) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in kinds and (shape is None or value.shape == shape)


def is_sparse_rows(rows: Any) -> bool:
    """Whether indices are in range and starts ascend, so that reading any row is safe."""
    arrays = _is_array(rows.values, "f") and _is_array(rows.columns, "iu") and _is_array(rows.starts, "iu")
    if not arrays or {rows.values.ndim, rows.columns.ndim, rows.starts.ndim} != {1} or type(rows.n_columns) is not int:
        return False
    starts = rows.starts.astype(np.int64)
    in_range = ((rows.columns >= 0) & (rows.columns < rows.n_columns)).all()
    ends = starts.size > 0 and starts[0] == 0 and starts[-1] == len(rows.values) == len(rows.columns)
    return bool(ends and in_range and (np.diff(starts) >= 0).all() and 0 <= rows.n_columns < 2**31)


def is_sweep_result(result: Any) -> bool:
    """Whether every array has the shape that `SweepResult` documents."""
    if not (_is_array(result.alphas, "f") and result.alphas.ndim in (2, 3) and _is_array(result.gap, "f")):
        return False
    grid = result.alphas.shape
    folds = result.gap.shape[-1] - 1 if result.gap.shape[:-1] == grid else -1
    names, width = result.feature_names, getattr(result.coefs, "n_columns", None)

    def has_rows(rows: Any, count: int) -> bool:
        return type(rows).__name__ == "SparseRows" and len(rows) == count and rows.n_columns == width

    return all(
        (
            folds >= 0 and min(grid) > 0,
            _is_array(result.rho, "f", grid[-2:-1]),
            has_rows(result.coefs, math.prod(grid)),
            _is_array(result.intercepts, "f", grid),
            _is_array(result.errors, "f", (*grid, folds)) if folds else result.errors is None,
            result.fold_weights is None or _is_array(result.fold_weights, "f", (folds,)),
            *(_is_array(a, "fiu", (*grid, folds + 1)) for a in (result.kkt, result.iterations)),
            _is_array(result.status, "iu", (*grid, folds + 1)) and bool(np.isin(result.status, range(4)).all()),
            _is_real(result.tol),
            type(result.options).__name__ == "FitOptions" and _has_width(result.options, width, grid[:-2]),
            names is None or (type(names) is tuple and len(names) == width and set(map(type, names)) <= {str}),
            result.fold_coefs is None or has_rows(result.fold_coefs, math.prod(grid) * folds),
            result.fold_intercepts is None or _is_array(result.fold_intercepts, "f", (*grid, folds)),
            result.blend is None or _is_array(result.blend, "f", grid[-2:-1]),
        )
    )


def is_fit_options(options: Any) -> bool:
    """Whether every field has the type that `FitOptions` documents."""
    flags = (options.fit_intercept, options.standardize, options.weighted)
    arrays = [a for a in _by_column(options) if a is not None]
    weights = options.adaptive_weights is None or _is_array(options.adaptive_weights, "f")
    return (
        weights and all(type(flag) is bool for flag in flags) and all(_is_array(a, "f") and a.ndim == 1 for a in arrays)
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
    return index and others and all(map(_is_real, reals)) and _is_array(fit.coef, "f") and fit.coef.ndim == 1


def is_kfold(folds: Any) -> bool:
    """Whether the fields are numbers; `KFold.split` checks which."""
    whole = (int, np.integer)
    seed = folds.seed is None or isinstance(folds.seed, whole)
    return isinstance(folds.n_splits, whole) and isinstance(folds.shuffle, (bool, np.bool_)) and seed


def is_adaptive(adaptive: Any) -> bool:
    """Whether the fields are numbers and folds; `Adaptive.check` says which are in range."""
    number = (int, float, np.integer, np.floating)
    numbers = [adaptive.gamma, adaptive.rho, *([] if adaptive.alpha is None else [adaptive.alpha])]
    splits = callable(getattr(adaptive.cv, "split", None)) and not isinstance(adaptive.cv, (str, bytes))
    return all(isinstance(x, number) for x in numbers) and (splits or isinstance(adaptive.cv, (int, np.integer)))


FITTED = {"ElasticNet": ("coef_", "intercept_", "dual_gap_", "n_iter_", "n_features_in_")}
FITTED["Lasso"] = FITTED["ElasticNet"]
FITTED["LassoCV"] = (*FITTED["ElasticNet"], "alpha_", "alphas_", "mse_path_")
FITTED["ElasticNetCV"] = (*FITTED["LassoCV"], "l1_ratio_")
SOMETIMES = ("feature_names_in_", "blend_")
"""What `fit` sets for some data and parameters only."""


def is_estimator(model: Any) -> bool:
    """Whether a fitted estimator has all that `fit` sets, of the right shapes; parameters are for `fit` to check."""
    state = vars(model)
    requests = state.get("_requests", {})
    if not isinstance(requests, dict) or not requests.keys() <= {"fit", "score"}:
        return False
    if not all(alias is None or type(alias) in (bool, str) for alias in requests.values()):
        return False
    names = FITTED[type(model).__name__]
    if not state.keys() & {*names, *SOMETIMES}:
        return True
    return state.keys() >= set(names) and _is_linear(state) and ("alpha_" not in names or _is_chosen(state))


def _is_linear(state: dict[str, Any]) -> bool:
    """coef_ (p,) or (q, p) and what goes with it."""
    coef, intercept, iterations = (state[name] for name in ("coef_", "intercept_", "n_iter_"))
    if not _is_array(coef, "f") or coef.ndim not in (1, 2):
        return False
    p, responses = coef.shape[-1], coef.shape[:-1]
    columns = state.get("feature_names_in_")
    counts = iterations if type(iterations) is list else [iterations]
    return all(
        (
            type(state["n_features_in_"]) is int and state["n_features_in_"] == p,
            _is_real(intercept) or _is_array(intercept, "f", responses or (1,)),
            _is_array(state["dual_gap_"], "f", responses) if responses else _is_real(state["dual_gap_"]),
            set(map(type, counts)) <= {int} and len(counts) == math.prod(responses),
            columns is None or _is_array(columns, "O", (p,)),
        )
    )


def _is_chosen(state: dict[str, Any]) -> bool:
    """What cross-validation adds."""
    numbers = all(_is_real(state.get(name, 0.0)) for name in ("alpha_", "l1_ratio_", "blend_"))
    arrays = _is_array(state["mse_path_"], "f") and _is_array(state["alphas_"], "f")
    return numbers and arrays and state["mse_path_"].ndim <= 3 + ("blend_" in state) and state["alphas_"].ndim in (1, 2)


def _is_real(value: Any) -> bool:
    return isinstance(value, (float, np.floating))
