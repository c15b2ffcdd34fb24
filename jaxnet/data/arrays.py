"""What callers pass as `X`, `y` and `sample_weight`, checked and turned into NumPy arrays.

Conventions: X is (n, p), y is (n,) or (n, q), weights are (n,). Everything returned is finite and real. Nothing is
copied that is fine already, and nothing here touches a device.
"""

import sys
from typing import Any

import numpy as np

from jaxnet.data.frames import (
    NotNumeric,
    as_frame,
    as_series,
    column_label,
    frame_matrix,
    frame_names,
    not_numeric_message,
    object_column,
    raw_column,
    raw_dates,
    select_columns,
)
from jaxnet.errors import InvalidInput, advice


def as_matrix(
    X: Any, *, name: str = "X", columns: tuple[str, ...] | None = None, missing_allowed: bool = False
) -> tuple[np.ndarray, tuple[str, ...] | None]:
    """`X` as a finite real matrix (n, p), and its column names.

    Accepts a NumPy array of any memory order, nested lists, anything with `__array__`, and pandas, polars and pyarrow
    frames. float32 stays float32; everything else numeric becomes float64. Not copied if it is one of these already.

    columns: of a frame with string names take these, in this order, and leave the others alone.
    missing_allowed: whether values may be missing; they are nan in the matrix.

    Returns the matrix and the column names; names are None unless `X` is a frame whose column names are strings.
    Raises `InvalidInput` naming the columns at fault: sparse, complex, text or other objects, NaN or infinity, not
    two-dimensional, no row, no column, duplicate column names.

    >>> as_matrix([[1, 2], [3, 4]])
    (array([[1., 2.],
           [3., 4.]]), None)
    """
    refuse_containers(X, name)
    frame = None if isinstance(X, np.ndarray | list | tuple) else as_frame(X, name)
    if frame is None:
        names, matrix = None, numeric_array(plain_array(X, name), name)
    else:
        names = frame_names(frame, name)
        if names is not None and columns is not None and names != columns:
            frame, names = select_columns(frame, columns, name), columns
        matrix = frame_matrix(frame, name)
    check_two_dimensional(matrix, name)
    check_finite(matrix, name, frame.columns if frame is not None else None, missing_allowed=missing_allowed)
    return matrix, names


def raw_columns(X: Any, *, name: str = "X") -> tuple[tuple[str, ...], list[np.ndarray]]:
    """The names and the columns, 1-D arrays, of a table that may hold missing values, text and categories.

    Numbers, booleans and dates (in days) are float64 with NaN for missing values; anything else is an array of objects.
    Columns without a name are called x0, x1, ... Raises `InvalidInput` as `as_matrix` does, but for what is missing,
    infinite or text.

    >>> raw_columns([[1, None], [2, "a"]])
    (('x0', 'x1'), [array([1, 2], dtype=object), array([None, 'a'], dtype=object)])
    """
    refuse_containers(X, name)
    frame = None if isinstance(X, np.ndarray | list | tuple) else as_frame(X, name)
    if frame is not None:
        check_two_dimensional(np.broadcast_to(0.0, frame.shape), name)
        return tuple(map(str, frame.columns)), [raw_column(series) for series in frame.iter_columns()]
    array = plain_array(X, name)
    check_two_dimensional(array, name)
    if array.dtype.kind in "mM":
        array = raw_dates(array)
    if array.dtype.kind in "SU":
        array = array.astype(object)
    columns = list(array.T if array.dtype.kind == "O" else numeric_array(array, name).T)
    return tuple(f"x{j}" for j in range(len(columns))), columns


def column_names(X: Any, *, name: str = "X") -> tuple[str, ...] | None:
    """The column names `as_matrix` would return, without looking at the values."""
    frame = None if isinstance(X, np.ndarray | list | tuple) or X is None else as_frame(X, name)
    return None if frame is None else frame_names(frame, name)


def as_response(y: Any, n_rows: int, *, name: str = "y") -> np.ndarray:
    """`y` as a finite real float64 array (n_rows,) or, for q responses, (n_rows, q).

    Raises `InvalidInput` if it is None, of another length, complex, text, NaN or infinite, or has no column.

    >>> as_response([1, 2, 4], 3)
    array([1., 2., 4.])
    """
    if y is None:
        raise InvalidInput(
            f"This fit requires {name} to be passed, but the target {name} is None: pass one number per row of X."
        )
    values, columns = _column_or_table(y, name)
    if values.ndim not in (1, 2):
        raise InvalidInput(
            f"{name} should be a 1d array, or 2d with one column per response; got shape {values.shape}."
        )
    _check_length(values, n_rows, name)
    if values.ndim == 2 and values.shape[1] == 0:
        raise InvalidInput(f"{name} has no column (shape={values.shape}): pass at least one response.")
    check_finite(values, name, columns)
    return values.astype(np.float64, copy=False)


def as_weights(w: Any, n_rows: int, *, name: str = "sample_weight") -> np.ndarray | None:
    """Row weights as a float64 array (n_rows,), or None for None; a scalar gives every row that weight.

    Only ratios matter: the objective divides by the sum. Weight 0 drops a row.
    Raises `InvalidInput` if a weight is negative, NaN or infinite, if all are zero, or if the length is wrong.

    >>> as_weights([1, 0, 2], 3)
    array([1., 0., 2.])
    """
    if w is None:
        return None
    values, _ = _column_or_table(w, name)
    values = np.full(n_rows, values.item()) if values.ndim == 0 else values
    if values.ndim != 1:
        raise InvalidInput(f"{name} must be a scalar or a 1d array with one weight per row; got shape {values.shape}.")
    _check_length(values, n_rows, name)
    check_finite(values, name, None)
    if (values < 0).any():
        first = int(np.argmax(values < 0))
        raise InvalidInput(
            f"{name} has {int((values < 0).sum())} negative weights (the first is {values[first]:g} in row {first}): "
            "weights must be zero or positive."
        )
    if not values.any():
        raise InvalidInput(f"{name} is zero in every row: at least one sample weight must be non-zero.")
    return values.astype(np.float64, copy=False)


def refuse_containers(X: Any, name: str) -> None:
    """Raise for what is no table at all: a sparse matrix, a text, None."""
    if "scipy.sparse" in sys.modules and sys.modules["scipy.sparse"].issparse(X):
        raise NotNumeric(
            f"{name} is a sparse {type(X).__name__}; Sparse data is not supported yet: pass {name}.toarray()."
        )
    if isinstance(X, str | bytes):
        raise NotNumeric(f"{name} is the text {X!r:.60}, expected a table of numbers: read the file first.")
    if X is None:
        raise InvalidInput(f"{name} is None: Expected 2D array, got None. Pass a matrix of shape (rows, columns).")


def plain_array(values: Any, name: str) -> np.ndarray:
    """`np.asarray`, with masked entries as NaN and a sentence for rows of unequal length."""
    if isinstance(values, np.ma.MaskedArray) and np.ma.is_masked(values):
        if values.dtype.kind in "OU":
            return np.where(np.ma.getmaskarray(values), None, values.data.astype(object))
        return np.ma.filled(values.astype(float), np.nan)
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise InvalidInput(f"{name} is no rectangular array of numbers: {str(error).rstrip('.')}.") from None
    if array.dtype.kind in "US" and not isinstance(
        values, np.ndarray
    ):  # [[1, "a"]]: keep the numbers apart from the text
        return np.asarray(values, dtype=object)
    return array


def numeric_array(array: np.ndarray, name: str) -> np.ndarray:
    """A real array as float32 (if it is) or float64; refuses complex, text, dates and other objects."""
    kind = array.dtype.kind
    if kind == "c":
        raise InvalidInput(f"Complex data not supported: {name} has dtype {array.dtype}; pass its real part.")
    if kind == "f" and array.dtype.itemsize in (4, 8):
        return np.asarray(array, dtype=array.dtype.newbyteorder("="))
    if kind in "biuf":
        return array.astype(np.float64)
    if kind == "O" and array.ndim in (1, 2):
        return _from_objects(array, name)
    if kind in "US":
        raise NotNumeric(f"{name} holds text (dtype {array.dtype}), not numbers: convert it first, or encode it.")
    raise NotNumeric(f"{name} has dtype {array.dtype}, which holds no plain numbers: pass a float array instead.")


def _from_objects(array: np.ndarray, name: str) -> np.ndarray:
    table = array if array.ndim == 2 else array[:, None]
    out, bad = np.empty(table.shape), {}
    for j in range(table.shape[1]):
        try:
            out[:, j] = object_column(table[:, j])
        except NotNumeric as error:
            bad[j] = str(error)
    if bad and array.ndim == 1:
        raise NotNumeric(f"{name} holds something else than numbers: {bad[0]}. Encode it as numbers first.")
    if bad:
        raise NotNumeric(not_numeric_message(name, bad))
    return out.reshape(array.shape)


def _column_or_table(values: Any, name: str) -> tuple[np.ndarray, Any]:
    """A response or weight argument as a numeric array, with its column names if it came as a frame."""
    refuse_containers(values, name)
    if isinstance(values, np.ndarray | list | tuple) or np.isscalar(values):
        return numeric_array(plain_array(values, name), name), None
    frame = as_frame(values, name)
    if frame is not None:
        return frame_matrix(frame, name), frame.columns
    series = as_series(values)
    return numeric_array(plain_array(values if series is None else series, name), name), None


def check_two_dimensional(matrix: np.ndarray, name: str) -> None:
    """Raise unless there are rows and columns."""
    if matrix.ndim < 2:
        what = "scalar array" if matrix.ndim == 0 else "1D array"
        raise InvalidInput(
            f"Expected 2D array, got {what} instead: {name} has shape {matrix.shape}. Reshape your data either using "
            "array.reshape(-1, 1) if your data has a single feature or array.reshape(1, -1) if it contains a single "
            "sample."
        )
    if matrix.ndim > 2:
        raise InvalidInput(f"Found array with dim {matrix.ndim}: {name} has shape {matrix.shape}, expected 2 axes.")
    for axis, what in enumerate(("sample", "feature")):
        if matrix.shape[axis] == 0:
            raise InvalidInput(
                f"{name} is empty: Found array with 0 {what}(s) (shape={matrix.shape}) while a minimum of 1 is "
                "required."
            )


def _check_length(values: np.ndarray, n_rows: int, name: str) -> None:
    if values.ndim == 0 or len(values) != n_rows:
        got = "a single number" if values.ndim == 0 else f"{len(values)} entries"
        raise InvalidInput(
            f"{name} has {got} but X has {n_rows} rows: Found input variables with inconsistent numbers of samples; "
            f"pass one entry of {name} per row of X."
        )


def check_finite(array: np.ndarray, name: str, columns: Any, *, missing_allowed: bool = False) -> None:
    """Raise with kind, counts and columns if anything is infinite, or NaN where that is not allowed."""
    with np.errstate(all="ignore"):
        if np.isfinite(array.sum(dtype=np.float64)):
            return
    missing = np.isnan(array)
    finite = ~np.isinf(array) if missing_allowed else np.isfinite(array)
    if finite.all():
        return
    missing &= ~finite
    kind = "NaN" if missing.any() else f"infinity or a value too large for dtype('{array.dtype}')"
    wrong = missing if missing.any() else ~finite
    noun, what = ("missing", "Fill them in") if missing.any() else ("infinite", "Replace them")
    total = int(wrong.sum())
    values = "value" if total == 1 else "values"
    if array.ndim == 1:
        rows = ", ".join(map(str, np.flatnonzero(wrong)[:5])) + (", ..." if total > 5 else "")
        where = f"{total} {noun} {values}, in row{'' if total == 1 else 's'} {rows}"
        raise InvalidInput(f"Input {name} contains {kind}. {where}. {what} or drop those rows.")
    counts = wrong.sum(axis=0)
    at = np.flatnonzero(counts)
    labels = [column_label(columns[j] if columns is not None else int(j)) for j in at[:5]]
    shown = ", ".join(f"{label} ({counts[j]})" for label, j in zip(labels, at, strict=False))
    more = f" and {len(at) - 5} more" if len(at) > 5 else ""
    plural = f"{len(at)} columns" if len(at) > 1 else "1 column"
    raise InvalidInput(
        f"Input {name} contains {kind}. {total} {noun} {values} in {plural}: {shown}{more}. {what}, drop those rows "
        f"or columns{_about_missing() if missing.any() else ''}."
    )


def _about_missing() -> str:
    how = advice("its argument missing", "--missing of jaxnet sweep")
    return f", or say what a fit should do about them ({how})"
