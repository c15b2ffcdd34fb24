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
    return bool(ends and in_range and (np.diff(starts) >= 0).all() and rows.n_columns >= 0)


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
            folds >= 0,
            _is_array(result.rho, "f", grid[-2:-1]),
            has_rows(result.coefs, math.prod(grid)),
            _is_array(result.intercepts, "f", grid),
            _is_array(result.errors, "f", (*grid, folds)) if folds else result.errors is None,
            result.fold_weights is None or _is_array(result.fold_weights, "f", (folds,)),
            *(_is_array(a, "fiu", (*grid, folds + 1)) for a in (result.kkt, result.iterations)),
            _is_array(result.status, "iu", (*grid, folds + 1)) and bool(np.isin(result.status, range(4)).all()),
            type(result.tol) is float,
            names is None or (type(names) is tuple and len(names) == width and set(map(type, names)) <= {str}),
            result.fold_coefs is None or has_rows(result.fold_coefs, math.prod(grid) * folds),
            result.fold_intercepts is None or _is_array(result.fold_intercepts, "f", (*grid, folds)),
        )
    )


CHECKS = {"SweepResult": is_sweep_result, "SparseRows": is_sparse_rows}
