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
    StrangeText,
    column_of_values,
    factor_of_levels,
    factor_of_truth,
    factor_of_values,
    numbers_of_factor,
    without_labels,
)
from jaxnet.data.frames import NotNumeric, as_frame, column_label, frame_matrix, frame_names, select_columns
from jaxnet.data.spelled import remedies
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
        return self.names or _numbered(len(columns)), columns


def mixed_columns(
    X: Any,
    name: str,
    *,
    columns: tuple[str, ...] | None = None,
    labelled: Labelled | None = None,
    declared: Collection[str] = (),
) -> MixedColumns:
    """A frame, an array or nested lists; of a frame whose columns have names only `columns`, in that order.

    labelled: one entry per column; default None, all as their values are, but labels those that `declared` names. Arrays of
    one numeric type are all numbers.
    Raises `InvalidInput` as `as_matrix` does, but for text and missing values, and for columns that are neither numbers
    nor labels.
    """
    if isinstance(X, MixedColumns):  # read already, a tuple besides
        return X
    refuse_containers(X, name)
    frame = None if isinstance(X, np.ndarray | list | tuple) else as_frame(X, name)
    if frame is None:
        return _of_array(X, name, labelled, declared)
    names = frame_names(frame, name)
    if names is not None and columns is not None and names != columns:
        frame, names = select_columns(frame, columns, name), columns
    return _of_frame(frame, names, name, labelled, declared)


def mixed_table(
    columns: dict[str, Any],
    name: str,
    *,
    labelled: Labelled | None = None,
    declared: Collection[str] = (),
    nulls: Collection[str] = (),
) -> MixedColumns:
    """Named columns of equal length, 1-D NumPy arrays or columns of pyarrow; the labels `nulls` stand for missing values."""
    names = tuple(columns)
    kinds = _per_column(labelled, names, name, declared)
    columns = list(columns.values())
    readers = {
        j: lambda column=column, kind=kind: _settled(numbers_or_labels(column), kind, nulls)
        for j, (column, kind) in enumerate(zip(columns, kinds, strict=True))
    }
    return _gathered(None, readers, len(columns[0]), names, name)


def with_columns(found: MixedColumns, columns: dict[int, np.ndarray | Factor]) -> MixedColumns:
    """The same with `columns` in place of those of their numbers."""
    plain = iter(found.numbers.T)
    read = [next(plain) if factor is None else factor for factor in found.factors]
    read = [columns.get(j, column) for j, column in enumerate(read)]
    numbers = [column for column in read if not isinstance(column, Factor)]
    labels = range(len(read)) if found.names is None else found.names
    block = _side_by_side(numbers, len(found.numbers))
    numeric = [label for label, column in zip(labels, read, strict=True) if not isinstance(column, Factor)]
    check_finite(block, "X", numeric, missing_allowed=True)
    return MixedColumns(block, tuple(column if isinstance(column, Factor) else None for column in read), found.names)


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


def _of_frame(
    frame: Any, names: tuple[str, ...] | None, name: str, labelled: Labelled | None, declared: Collection[str]
) -> MixedColumns:
    dtypes = list(frame.schema.values())
    kinds = _per_column(labelled, names or _numbered(len(dtypes)), name, declared)
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
        return factor_of_levels(codes, native.cat.categories.tolist(), ordered=True)._replace(declared=True)
    if dtype == nw.Boolean:
        return factor_of_truth(series.to_list())
    declared = list(native.dtype.categories) if dtype == nw.Enum else None
    objects = series.implementation.is_pandas_like() and native.dtype == object
    if declared is not None or dtype == nw.Categorical or (dtype == nw.String and not objects):
        return factor_of_values(series.to_list(), declared=declared)._replace(
            declared=dtype in (nw.Categorical, nw.Enum)
        )
    if objects or dtype in (nw.Object, nw.Unknown):
        return np.array([*series.to_list(), None], dtype=object)[:-1]  # the extra None keeps it one-dimensional
    kind = type(dtype).__name__
    raise NotNumeric("dates" if kind in ("Date", "Datetime", "Duration", "Time") else f"type {kind}")


def _of_array(X: Any, name: str, labelled: Labelled | None, declared: Collection[str]) -> MixedColumns:
    array = plain_array(X, name)
    check_two_dimensional(array, name)
    kinds = _per_column(labelled, _numbered(array.shape[1]), name, declared)
    if array.dtype.kind in "biufc" and not any(kinds):
        return _gathered(numeric_array(array, name), {}, len(array), None, name)
    readers = {j: lambda j=j: _settled(array[:, j], kinds[j]) for j in range(array.shape[1])}
    return _gathered(None, readers, len(array), None, name)


def _per_column(labelled: Labelled | None, names: Sequence[str], name: str, declared: Collection[str]) -> Labelled:
    if labelled is not None and len(labelled) != len(names):
        raise InvalidInput(
            f"{name} has {len(names)} columns, but the encoding was made for {len(labelled)}: give the same columns."
        )
    return [True if column in declared else None for column in names] if labelled is None else labelled


def _numbered(p: int) -> tuple[str, ...]:
    return tuple(f"x{j}" for j in range(p))


def _settled(column: np.ndarray | Factor, labelled: bool | None, nulls: Collection[str] = ()) -> np.ndarray | Factor:
    """What was read, as `labelled` says."""
    # What is text in part is read as text, whatever there was before, to tell which of it is in the way.
    column = column if isinstance(column, Factor) else column_of_values(column, labelled or None)
    if not isinstance(column, Factor):
        return column
    column = without_labels(column, nulls)
    return numbers_of_factor(column) if labelled is False else column


def _gathered(
    block: np.ndarray | None, readers: dict[int, Reader], n: int, names: tuple[str, ...] | None, name: str
) -> MixedColumns:
    """The columns of `block`, if any, in order, with what readers give where there is one."""
    p = len(readers) + (0 if block is None else block.shape[1])
    read: dict[int, np.ndarray | Factor] = {}
    bad: dict[int, NotNumeric] = {}
    labels = range(p) if names is None else names
    for j, reader in readers.items():
        try:
            read[j] = reader()
        except NotNumeric as error:
            bad[j] = error
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


def _refusal(bad: dict[Any, NotNumeric], name: str) -> str:
    shown = "; ".join(f"{column_label(c)} ({why})" for c, why in list(bad.items())[:5])
    more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
    s = "" if len(bad) == 1 else "s"
    texts = [text for why in bad.values() if isinstance(why, StrangeText) for text in why.texts]
    remedy = "Turn them into numbers first, dates into days since one of them for example, or leave them out."
    return (
        f"{name} has {len(bad)} column{s} of neither numbers nor labels: {shown}{more}. "
        f"{remedies((), texts) if texts else remedy}"
    )
