"""One table with labels and gaps, in every type that each library of data frames has for them."""

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa

SITE = ["York", None, "Leeds", "York", "", "Ångström=x", "Leeds", None]
SIZE = ["low", "high", None, "low", "mid", "low", "high", "mid"]
FLAG = [True, False, None, True, True, False, None, False]
DOSE = [1.5, 2.0, None, -3.0, 0.0, 4.0, 5.0, 6.0]
COUNT = [3, None, 1, 2, 3, 4, 5, 7]
ORDER = ["low", "mid", "high", "never"]
NAMES = ("dose", "site", "flag", "size", "count")

FRAMES = {
    "pandas object": lambda rows: _pandas(rows, object, object, pd.CategoricalDtype(ORDER), "float64"),
    "pandas str": lambda rows: _pandas(rows, "str", "boolean", pd.CategoricalDtype(ORDER, ordered=True), "Int64"),
    "pandas string": lambda rows: _pandas(rows, "string", "boolean", pd.CategoricalDtype(ORDER[:3]), "Float64"),
    "pandas category": lambda rows: _pandas(rows, "category", object, pd.CategoricalDtype(ORDER), "Int64"),
    "pandas arrow": lambda rows: _pandas(
        rows, pd.ArrowDtype(pa.string()), pd.ArrowDtype(pa.bool_()), pd.CategoricalDtype(ORDER), "Int64"
    ),
    "polars": lambda rows: _polars(rows, pl.String),
    "polars category": lambda rows: _polars(rows, pl.Categorical),
    "pyarrow": lambda rows: _arrow(rows, pa.string(), pa.int64()),
    "pyarrow large": lambda rows: _arrow(rows, pa.large_string(), pa.int16()),
    "pyarrow view": lambda rows: _arrow(rows, pa.string_view(), pa.int64()),
    "pyarrow dictionary": lambda rows: _arrow(rows, pa.dictionary(pa.int8(), pa.string()), pa.decimal128(21, 2)),
}


def columns(rows):
    return {
        name: [values[i] for i in rows] for name, values in zip(NAMES, (DOSE, SITE, FLAG, SIZE, COUNT), strict=True)
    }


def _pandas(rows, text, truth, size, count):
    c = columns(rows)
    made = {
        "dose": pd.Series(c["dose"], dtype=float), "site": pd.Series(c["site"], dtype=text),
        "flag": pd.Series(c["flag"], dtype=truth), "size": pd.Series(c["size"], dtype=size),
        "count": pd.Series(c["count"], dtype=count),
    }  # fmt: skip
    return pd.DataFrame({name: series.set_axis(np.array(rows) + 7) for name, series in made.items()})


def _polars(rows, text):
    return pl.DataFrame(
        columns(rows), schema={"dose": float, "site": text, "flag": bool, "size": pl.Enum(ORDER), "count": int}
    )


def _arrow(rows, text, count):
    c = columns(rows)
    codes = pa.array([None if size is None else ORDER.index(size) for size in c["size"]], pa.int8())
    parts = {
        "dose": pa.array(c["dose"], pa.float64()),
        "site": pa.array(c["site"], text) if not pa.types.is_dictionary(text) else pa.array(c["site"]).dictionary_encode(),
        "flag": pa.array(c["flag"], pa.bool_()),
        "size": pa.DictionaryArray.from_arrays(codes, ORDER, ordered=True),
        "count": pa.array(c["count"], pa.int64()).cast(count, safe=False),
    }  # fmt: skip
    half = len(rows) // 2
    if half and pa.types.is_dictionary(text):  # chunks with dictionaries of their own
        whole = [pa.array(c["site"][:half]).dictionary_encode(), pa.array(c["site"][half:]).dictionary_encode()]
        parts["site"] = pa.chunked_array([w.cast(pa.dictionary(pa.int32(), pa.string())) for w in whole])
    return pa.table(parts)
