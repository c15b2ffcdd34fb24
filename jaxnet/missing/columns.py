"""The columns of a table, as numbers or as levels, and where each is missing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxnet.data.frames import NotNumeric, object_column

if TYPE_CHECKING:
    from jaxtyping import Bool, Float, Int


@dataclass(frozen=True)
class Columns:
    """n rows of p named columns, d of them numbers and k of them levels, with the places that are missing.

    - `numbers`: the numeric columns, booleans and dates among them, nan where missing; `numeric`, their places;
    - `codes`: the others by the place of their level in `levels` (sorted texts), -1 where missing; `worded`, their places.
    """

    names: tuple[str, ...]
    missing: Bool[np.ndarray, "n p"]
    numbers: Float[np.ndarray, "n d"]
    numeric: Int[np.ndarray, " d"]
    codes: Int[np.ndarray, "n k"]
    worded: Int[np.ndarray, " k"]
    levels: tuple[tuple[str, ...], ...]

    @classmethod
    def of(cls, names: Sequence[str], columns: Sequence[np.ndarray]) -> Columns:
        """From 1-D arrays: numbers with nan, or objects with None, nan, NA or NaT where something is missing."""
        n, numbers, codes, levels = len(columns[0]), {}, {}, []
        missing = np.empty((n, len(columns)), dtype=bool, order="F")
        for j, column in enumerate(columns):
            try:
                numbers[j] = column.astype(np.float64) if column.dtype.kind in "biuf" else object_column(column)
                missing[:, j] = np.isnan(numbers[j])
            except NotNumeric:
                codes[j], found = _coded(column)
                levels.append(found)
                missing[:, j] = codes[j] < 0
        side_by_side = lambda parts, dtype: np.array(list(parts.values()), dtype=dtype).reshape(len(parts), n).T
        places = lambda parts: np.array(list(parts), dtype=np.int64)
        matrix, coded = side_by_side(numbers, np.float64), side_by_side(codes, np.int64)
        return cls(tuple(names), missing, matrix, places(numbers), coded, places(codes), tuple(levels))


def _coded(values: np.ndarray) -> tuple[Int[np.ndarray, " n"], tuple[str, ...]]:
    texts = [None if _is_missing(value) else str(value) for value in values]
    levels = sorted({text for text in texts if text is not None})
    places = {None: -1, **{level: i for i, level in enumerate(levels)}}
    return np.fromiter((places[text] for text in texts), np.int64, len(texts)), tuple(levels)


def _is_missing(value: Any) -> bool:
    own = type(value).__name__ in ("NAType", "NaTType")
    if own or value is None:
        return True
    return np.isnat(value) if isinstance(value, np.datetime64) else isinstance(value, float) and value != value
