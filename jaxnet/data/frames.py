"""Data frames (pandas, polars, pyarrow) to one matrix and its column names.

narwhals speaks to all of them; it is imported on the first call that needs it.
"""

from collections import Counter
from numbers import Number
from typing import Any

import numpy as np

from jaxnet.data.spelled import MARKERS, is_number
from jaxnet.errors import InvalidInput


class NotNumeric(InvalidInput, TypeError):
    """Values that are no numbers; also a `TypeError`, which scikit-learn's contract asks for."""


def as_frame(X: Any, name: str) -> Any | None:
    """`X` as a narwhals `DataFrame`, or None if it is no data frame."""
    import narwhals as nw

    try:
        frame = nw.from_native(X, pass_through=True)
    except nw.exceptions.DuplicateError:
        _refuse_duplicates(_native_names(X), name)
        raise
    if isinstance(frame, nw.LazyFrame):
        raise InvalidInput(f"{name} is a lazy frame without values yet: pass {name}.collect().")
    if not isinstance(frame, nw.DataFrame):
        return None
    _refuse_duplicates(frame.columns, name)
    return frame


def as_series(y: Any) -> np.ndarray | None:
    """`y` as a 1-D array with NaN for missing values, or None if it is no pandas, polars or pyarrow column."""
    import narwhals as nw

    series = nw.from_native(y, pass_through=True, allow_series=True)
    if not isinstance(series, nw.Series):
        return None
    dtype = series.dtype
    return series.cast(nw.Float64).to_numpy() if dtype.is_numeric() or dtype == nw.Boolean else series.to_numpy()


def frame_names(frame: Any, name: str) -> tuple[str, ...] | None:
    """Column names, or None if none of them is a string (a pandas frame made from an array).

    Raises `NotNumeric` if only some are strings.
    """
    columns = list(frame.columns)
    text = [isinstance(c, str) for c in columns]
    if not any(text):
        return None
    if not all(text):
        types = sorted({type(c).__qualname__ for c in columns})
        raise NotNumeric(
            f"Feature names are only supported if all input features have string names, but {name} has {types} as "
            f"feature name / column name types: make them all strings, for example {name}.columns = "
            f"{name}.columns.astype(str)."
        )
    return tuple(str(c) for c in columns)


def select_columns(frame: Any, columns: tuple[str, ...], name: str) -> Any:
    """The columns `columns` of a frame, in that order; raises `InvalidInput` naming those it lacks."""
    present = set(frame.columns)
    missing = [c for c in columns if c not in present]
    if missing:
        shown = ", ".join(map(repr, missing[:5])) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        s = "" if len(missing) == 1 else "s"
        raise InvalidInput(f"{name} lacks {len(missing)} column{s} that the sweep was fitted on: {shown}.")
    return frame.select(list(columns))


def frame_matrix(frame: Any, name: str) -> np.ndarray:
    """All columns as one float matrix (n, p), missing values as NaN; float32 if every column is float32, else float64.

    Raises `NotNumeric` naming the columns that hold no numbers.
    """
    import narwhals as nw

    schema = frame.schema
    simple = {c for c, dtype in schema.items() if dtype.is_numeric() or dtype == nw.Boolean}
    single = all(dtype == nw.Float32 for dtype in schema.values())
    if len(simple) == len(schema) and not any(dtype == nw.Boolean or dtype.is_decimal() for dtype in schema.values()):
        matrix = frame.to_numpy()
        if matrix.dtype != object:
            return matrix.astype(np.float32 if single else np.float64, copy=False)
    out = np.empty(frame.shape, dtype=np.float32 if single else np.float64, order="F")
    bad = {}
    for j, ((column, dtype), series) in enumerate(zip(schema.items(), frame.iter_columns(), strict=True)):
        if column in simple:
            out[:, j] = series.cast(nw.Float64).to_numpy()
        elif dtype in (nw.Object, nw.String, nw.Unknown):
            try:
                out[:, j] = object_column(series.to_numpy())
            except NotNumeric as error:
                bad[column] = str(error)
        else:
            bad[column] = f"type {type(dtype).__name__}"
    if bad:
        raise NotNumeric(not_numeric_message(name, bad))
    return out


def raw_column(series: Any) -> np.ndarray:
    """A narwhals column as a 1-D array: numbers, booleans and dates (in days) as float64 with NaN for missing values,
    anything else as objects with None or the library's own mark."""
    import narwhals as nw

    if series.dtype.is_numeric() or series.dtype == nw.Boolean:
        return series.cast(nw.Float64).to_numpy()
    if series.dtype.is_temporal():
        values = series.to_numpy()
        if values.dtype.kind in "mM":
            return raw_dates(values)
    return np.array([*series.to_list(), None], dtype=object)[:-1]  # the extra None keeps it one-dimensional


def raw_dates(values: np.ndarray) -> np.ndarray:
    """Dates or spans of time as days in float64, NaN for NaT."""
    unit = np.timedelta64(1, "D")
    spans = values - np.datetime64(0, "D") if values.dtype.kind == "M" else values
    return np.where(np.isnat(values), np.nan, spans / unit)


def frame_like(frame: Any, values: np.ndarray, names: tuple[str, ...]) -> Any:
    """A frame of the library of `frame`, with its index if it has one, whose columns `names` are those of `values` (n, k)."""
    import narwhals as nw

    library, columns = nw.get_native_namespace(frame), dict(zip(names, values.T, strict=True))
    if library.__name__ == "pyarrow":
        return library.table(columns)
    index = nw.maybe_get_index(frame)
    return library.DataFrame(columns) if index is None else library.DataFrame(columns, index=index)


def object_column(values: np.ndarray) -> np.ndarray:
    """A column of Python objects as float64; None and NA become NaN.

    Raises `NotNumeric` with a clause that quotes the first value which is no number. Text is refused even if it
    spells a number, since a column of text is more often a reading mistake than data.
    """
    text = [row for row, value in enumerate(values) if isinstance(value, str) and not is_number(value)]
    if text:  # quoted before a number that is text as well
        row = next((row for row in text if values[row].strip() not in MARKERS), text[0])
        more = f"; {len(text):,} of {len(values):,} values are text that is no number" if len(text) > 1 else ""
        raise NotNumeric(f"value {str(values[row])!r:.60} in row {row} is text{more}")
    return np.fromiter((_number(value, row) for row, value in enumerate(values)), float, len(values))


def _number(value: Any, row: int) -> float:
    if isinstance(value, str | bytes):
        raise NotNumeric(f"value {str(value)!r:.60} in row {row} is text")
    if isinstance(value, complex | np.complexfloating):
        raise InvalidInput(f"Complex data not supported: value {value} in row {row}; pass its real part")
    if value is None or type(value).__name__ in ("NAType", "NaTType"):
        return np.nan
    if isinstance(value, Number | np.number | np.bool_):
        try:
            return float(value)
        except OverflowError:
            return np.inf
    kind = type(value).__name__
    raise NotNumeric(
        f"value {value!r:.60} in row {row}: float() argument must be a string or a real number, not {kind!r}"
    )


def not_numeric_message(name: str, bad: dict[Any, str]) -> str:
    """The sentence for columns that hold no numbers; `bad` maps each to the reason."""
    shown = "; ".join(f"{column_label(c)} ({why})" for c, why in list(bad.items())[:5])
    more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
    count = f"{len(bad)} column{'s' if len(bad) > 1 else ''}"
    return f"{name} has {count} without numbers: {shown}{more}. Drop them or encode them as numbers first."


def column_label(column: Any) -> str:
    """How a message names a column: quoted name, or position counted from 0."""
    return repr(column) if isinstance(column, str) else f"column {column}"


def _native_names(X: Any) -> list[Any]:
    """Column names of a frame narwhals refused; pandas has `columns`, pyarrow has `column_names`."""
    return list(getattr(X, "column_names", None) or X.columns)


def _refuse_duplicates(columns: Any, name: str) -> None:
    repeated = [c for c, times in Counter(columns).items() if times > 1]
    if repeated:
        shown = ", ".join(repr(c) for c in repeated[:5]) + (" ..." if len(repeated) > 5 else "")
        raise InvalidInput(f"{name} has duplicate column names: {shown}. Rename or drop the repeated columns.")
