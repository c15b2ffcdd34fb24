"""Tables of numbers and labels: data frames, arrays of objects, and columns one by one.

Conventions: column j of p is read as `labelled[j]` says: True as labels, False as numbers, None as what its values are.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from jaxnet.data.arrays import check_finite, check_two_dimensional, numeric_array, plain_array, refuse_containers
from jaxnet.data.arrow import numbers_or_labels
from jaxnet.data.factors import (
    Factor,
    column_of_values,
    factor_of_levels,
    factor_of_truth,
    factor_of_values,
    without_labels,
)
from jaxnet.data.frames import NotNumeric, as_frame, column_label, frame_matrix, frame_names, select_columns
from jaxnet.errors import InvalidInput

if TYPE_CHECKING:  # a saved encoding needs no time for annotations
    from jaxtyping import Float, Int

Reader = Callable[[], "np.ndarray | Factor"]
Labelled = Sequence["bool | None"]


class MixedColumns(NamedTuple):
    """p columns of n rows: `factors[j]` is column j, or None if it holds numbers; `numbers` has those, side by side.

    Missing values are NaN among the numbers and -1 among the codes of factors. `names` are those of the columns, if any.
    """

    numbers: Float[np.ndarray, "n k"]
    factors: tuple[Factor | None, ...]
    names: tuple[str, ...] | None

    def missing_counts(self) -> Int[np.ndarray, " p"]:
        """How many rows miss each column."""
        plain = iter(np.isnan(self.numbers).sum(axis=0))
        return np.array([next(plain) if f is None else np.count_nonzero(f.codes < 0) for f in self.factors])

    def raw(self) -> tuple[tuple[str, ...], list[np.ndarray]]:
        """Names and columns: numbers, and labels as objects, None where missing."""
        plain = iter(self.numbers.T)
        columns = [
            next(plain) if factor is None else np.array([*factor.labels, None], dtype=object)[factor.codes]
            for factor in self.factors
        ]
        return self.names or tuple(f"x{j}" for j in range(len(columns))), columns


def mixed_columns(
    X: Any, name: str, *, columns: tuple[str, ...] | None = None, labelled: Labelled | None = None
) -> MixedColumns:
    """A frame, an array or nested lists; of a frame whose columns have names only `columns`, in that order.

    labelled: one entry per column; default None, all as their values are. Arrays of one numeric type are all numbers.
    Raises `InvalidInput` as `as_matrix` does, but for text and missing values, and for columns that are neither numbers
    nor labels.
    """
    if isinstance(X, MixedColumns):  # read already, a tuple besides
        return X
    refuse_containers(X, name)
    frame = None if isinstance(X, np.ndarray | list | tuple) else as_frame(X, name)
    if frame is None:
        return _of_array(X, name, labelled)
    names = frame_names(frame, name)
    if names is not None and columns is not None and names != columns:
        frame, names = select_columns(frame, columns, name), columns
    return _of_frame(frame, names, name, labelled)


def mixed_table(
    columns: dict[str, Any], name: str, *, labelled: Labelled | None = None, nulls: Collection[str] = ()
) -> MixedColumns:
    """Named columns of equal length, 1-D NumPy arrays or columns of pyarrow; the labels `nulls` stand for missing values."""
    kinds, names = _per_column(labelled, len(columns), name), tuple(columns)
    columns = list(columns.values())
    readers = {
        j: lambda column=column, kind=kind: _settled(numbers_or_labels(column), kind, nulls)
        for j, (column, kind) in enumerate(zip(columns, kinds, strict=True))
    }
    return _gathered(None, readers, len(columns[0]), names, name)


def holds_labels(X: Any, name: str = "X") -> bool:
    """Whether any column holds text or categories, so that `as_matrix` would refuse it; truth values alone are numbers too.

    >>> holds_labels([[1, None], [2, "a"]]), holds_labels([[1, True]])
    (True, False)
    """
    import narwhals as nw

    refuse_containers(X, name)
    frame = None if isinstance(X, np.ndarray | list | tuple) else as_frame(X, name)
    if frame is None:
        array = plain_array(X, name)
        return array.dtype.kind == "U" or (array.dtype.kind == "O" and any(isinstance(v, str) for v in array.flat))
    dtypes = list(frame.schema.values())
    if any(dtype in (nw.Categorical, nw.Enum) for dtype in dtypes):
        return True
    maybe = [
        series for series, dtype in zip(frame.iter_columns(), dtypes, strict=True) if dtype in (nw.String, nw.Object)
    ]
    return any(isinstance(value, str) for series in maybe for value in series.to_list())


def _of_frame(frame: Any, names: tuple[str, ...] | None, name: str, labelled: Labelled | None) -> MixedColumns:
    dtypes = list(frame.schema.values())
    kinds = _per_column(labelled, len(dtypes), name)
    check_two_dimensional(np.broadcast_to(0.0, frame.shape), name)
    plain = [j for j, kind in enumerate(kinds) if dtypes[j].is_numeric() and not kind]
    block = frame_matrix(frame if len(plain) == len(dtypes) else frame[:, plain], name) if plain else None
    readers, numeric = {}, set(plain)
    for j, series in enumerate(frame.iter_columns()):
        if j not in numeric:
            readers[j] = lambda series=series, kind=kinds[j]: _settled(_of_series(series), kind)
    return _gathered(block, readers, len(frame), names, name)


def _of_series(series: Any) -> np.ndarray | Factor:
    """A column of a frame; objects stay objects, whose values say what they are."""
    import narwhals as nw

    native, dtype = series.to_native(), series.dtype
    library = nw.get_native_namespace(series)
    if library.__name__ == "pyarrow":
        return numbers_or_labels(native)
    if dtype.is_numeric():
        return series.cast(nw.Float64).to_numpy()
    if series.implementation.is_pandas_like() and isinstance(native.dtype, library.CategoricalDtype):
        codes = native.cat.codes.to_numpy().astype(int)
        return factor_of_levels(codes, native.cat.categories.tolist(), ordered=True)
    if dtype == nw.Boolean:
        return factor_of_truth(series.to_list())
    declared = list(native.dtype.categories) if dtype == nw.Enum else None
    objects = series.implementation.is_pandas_like() and native.dtype == object
    if declared is not None or dtype == nw.Categorical or (dtype == nw.String and not objects):
        return factor_of_values(series.to_list(), declared=declared)
    if objects or dtype in (nw.Object, nw.Unknown):
        return np.array([*series.to_list(), None], dtype=object)[:-1]  # the extra None keeps it one-dimensional
    kind = type(dtype).__name__
    raise NotNumeric("dates" if kind in ("Date", "Datetime", "Duration", "Time") else f"type {kind}")


def _of_array(X: Any, name: str, labelled: Labelled | None) -> MixedColumns:
    array = plain_array(X, name)
    check_two_dimensional(array, name)
    kinds = _per_column(labelled, array.shape[1], name)
    if array.dtype.kind in "biufc" and not any(kinds):
        return _gathered(numeric_array(array, name), {}, len(array), None, name)
    readers = {j: lambda j=j: _settled(array[:, j], kinds[j]) for j in range(array.shape[1])}
    return _gathered(None, readers, len(array), None, name)


def _per_column(labelled: Labelled | None, p: int, name: str) -> Labelled:
    if labelled is not None and len(labelled) != p:
        raise InvalidInput(
            f"{name} has {p} columns, but the encoding was made for {len(labelled)}: give the same columns."
        )
    return [None] * p if labelled is None else labelled


def _settled(column: np.ndarray | Factor, labelled: bool | None, nulls: Collection[str] = ()) -> np.ndarray | Factor:
    """What was read, as `labelled` says."""
    column = column if isinstance(column, Factor) else column_of_values(column, labelled)
    if not isinstance(column, Factor):
        return column
    column = without_labels(column, nulls)
    if labelled is not False:
        return column
    if column.boolean or not column.labels:
        return np.where(column.codes < 0, np.nan, column.codes)
    raise NotNumeric(f"label {column.labels[0]!r:.60}, where there were numbers before")


def _gathered(
    block: np.ndarray | None, readers: dict[int, Reader], n: int, names: tuple[str, ...] | None, name: str
) -> MixedColumns:
    """The columns of `block`, if any, in order, with what readers give where there is one."""
    p = len(readers) + (0 if block is None else block.shape[1])
    read: dict[int, np.ndarray | Factor] = {}
    bad: dict[int, str] = {}
    labels = range(p) if names is None else names
    for j, reader in readers.items():
        try:
            read[j] = reader()
        except NotNumeric as error:
            bad[j] = str(error)
    if bad:
        raise NotNumeric(_refusal({labels[j]: why for j, why in bad.items()}, name))
    factors = tuple(column if isinstance(column := read.get(j), Factor) else None for j in range(p))
    numeric = [j for j in range(p) if factors[j] is None]
    if block is None or block.shape[1] < len(numeric):
        plain = iter(() if block is None else block.T)
        block = _side_by_side([read[j] if j in read else next(plain) for j in numeric], n)
    check_finite(block, name, [labels[j] for j in numeric], missing_allowed=True)
    return MixedColumns(block, factors, names)


def _side_by_side(columns: list[np.ndarray], n: int) -> np.ndarray:
    """1-D columns as one matrix; float32 if all of them are, else float64."""
    single = bool(columns) and all(column.dtype == np.float32 for column in columns)
    out = np.empty((n, len(columns)), dtype=np.float32 if single else np.float64, order="F")
    for j, column in enumerate(columns):
        out[:, j] = column
    return out


def _refusal(bad: dict[Any, str], name: str) -> str:
    shown = "; ".join(f"{column_label(c)} ({why})" for c, why in list(bad.items())[:5])
    more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
    s = "" if len(bad) == 1 else "s"
    return (
        f"{name} has {len(bad)} column{s} of neither numbers nor labels: {shown}{more}. Turn them into numbers first, dates "
        "into days since one of them for example, or leave them out."
    )
