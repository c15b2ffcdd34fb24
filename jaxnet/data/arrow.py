"""Columns of pyarrow as NumPy arrays, without pandas, which pyarrow's own conversion imports where it is installed."""

from typing import Any

import numpy as np

from jaxnet.data.factors import Factor, factor_of_levels, factor_of_truth
from jaxnet.data.frames import NotNumeric


def as_numpy(column: Any) -> np.ndarray:
    """A column as NumPy: numbers with NaN for missing, anything else as an object array with None for missing."""
    if isinstance(column, np.ndarray):
        return column
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_boolean(kind) or pa.types.is_decimal(kind) or pa.types.is_null(kind):
        column = column.cast(pa.float64())
    elif not (pa.types.is_integer(kind) or pa.types.is_floating(kind)):
        return np.array([*column.to_pylist(), None], dtype=object)[:-1]  # the extra None keeps it one-dimensional
    return numbers(column)


_FLOATS = {"double": np.float64, "float": np.float32, "halffloat": np.float16}


def numbers(column: Any) -> np.ndarray:
    """A column of integers or floats as `column.to_numpy()` gives it, which would import pandas where that is installed."""
    import pyarrow as pa

    if column.null_count and pa.types.is_integer(column.type):
        column = column.cast(pa.float64(), safe=False)
    dtype = np.dtype(_FLOATS.get(str(column.type), str(column.type)))
    out = np.empty(len(column), dtype)
    start = 0
    for chunk in column.chunks:
        part = out[start : start + len(chunk)]
        if len(chunk):
            part[:] = np.frombuffer(chunk.buffers()[1], dtype)[chunk.offset : chunk.offset + len(chunk)]
        if chunk.null_count:
            bits = np.frombuffer(chunk.buffers()[0], np.uint8)
            valid = np.unpackbits(bits, bitorder="little")[chunk.offset : chunk.offset + len(chunk)]
            part[valid == 0] = np.nan
        start += len(chunk)
    return out


def holds_labels(column: Any) -> bool:
    """Whether `numbers_or_labels` would make labels of a column; of arrays, those of texts and other objects."""
    if isinstance(column, np.ndarray):
        return column.dtype.kind not in "biuf"
    import pyarrow as pa

    tests = ("boolean", "string", "large_string", "string_view", "dictionary")
    return any(getattr(pa.types, f"is_{test}")(column.type) for test in tests)


def numbers_or_labels(column: Any) -> np.ndarray | Factor:
    """A column as numbers, NaN for missing, or, of text, truth values or a dictionary, as a factor.

    Only an ordered dictionary says in which order its levels come; that of others is the order of their appearance.
    Raises `NotNumeric` with a clause for dates and other types.
    """
    if isinstance(column, np.ndarray):
        return column
    import pyarrow as pa

    kind = column.type
    if pa.types.is_boolean(kind):
        return factor_of_truth(column.to_pylist())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        if pa.types.is_string_view(kind):
            column = column.cast(pa.large_string())
        column = column.dictionary_encode()
    if pa.types.is_dictionary(column.type):
        return _factor(column)._replace(declared=pa.types.is_dictionary(kind))
    if pa.types.is_temporal(kind):
        raise NotNumeric("dates")
    known = (pa.types.is_integer, pa.types.is_floating, pa.types.is_decimal, pa.types.is_null)
    if not any(test(kind) for test in known):
        raise NotNumeric(f"type {kind}")
    return as_numpy(column)


def _factor(column: Any) -> Factor:
    """A column of dictionaries, of which every chunk may have its own."""
    import pyarrow as pa

    place: dict[Any, int] = {}
    codes = [np.zeros(0, int)]
    for chunk in column.chunks:
        to = np.array([*(place.setdefault(value, len(place)) for value in chunk.dictionary.to_pylist()), -1])
        found = numbers(pa.chunked_array([chunk.indices]))
        codes.append(to[np.where(np.isnan(found), -1, found).astype(int)])
    return factor_of_levels(np.concatenate(codes), list(place), ordered=column.type.ordered)
