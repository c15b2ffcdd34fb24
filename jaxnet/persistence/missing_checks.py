"""Whether the parts of what fills missing values, and of what prepares new rows, fit together."""

from typing import Any

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.scalars import is_number

FILLER_WIDTHS = {"SimpleFiller": lambda filler: len(filler.values), "Unfilled": lambda filler: None}
"""By the name of a fitted fill, how many columns it was fitted to; None for those that take any. A new one is an entry."""


def is_missing(options: Any) -> bool:
    """Whether the options are in range; a fill is one that there is, or its name."""
    flags = (options.indicators, options.penalise_indicators)
    if not all(isinstance(flag, (bool, np.bool_)) for flag in flags):
        return False
    try:
        options.checked()
    except InvalidInput:
        return False
    return True


def is_simple_fill(fill: Any) -> bool:
    """Whether the fields are a text and a number; `SimpleFill.check` says which are in range."""
    return type(fill.strategy) is str and is_number(fill.value)


def is_simple_filler(filler: Any) -> bool:
    """Whether there is a number for every column."""
    return _is_vector(filler.values, "f") and bool(np.isfinite(filler.values).all())


def is_preparation(preparation: Any) -> bool:
    """Whether everything is of the same columns, and what is filled was asked for."""
    found, encoding, filler = preparation, preparation.encoding, preparation.filler
    if not (_is_vector(found.modes, "f") and _is_vector(found.indicated, "i")):
        return False
    m, k = len(found.modes), len(found.indicated)
    own = type(encoding).__name__ == "Encoding"
    if not own and encoding is not None:
        return False
    blocks = encoding.blocks if own else np.full(m, -1)
    width = len(encoding.source) if own else found.given
    return all(
        (
            type(found.given) is int and type(found.rows) is int and found.rows >= 0,
            m == width and found.given == (len(encoding.levels) if own else m),
            _are_texts(found.columns, found.given) and (not own or found.columns == encoding.columns),
            _are_texts(found.names, m + k),
            all(_is_vector(flags, "b") and len(flags) == m for flags in (found.categorical, found.left_out)),
            np.array_equal(found.categorical, blocks >= 0),
            bool(((found.indicated >= 0) & (found.indicated < m)).all() and (np.diff(found.indicated) > 0).all()),
            found.missing is None or type(found.missing).__name__ == "Missing",
            (filler is None) == (found.missing is None) and (filler is not None or k == 0),
            filler is None or _fits(filler, m),
        )
    )


def _fits(filler: Any, m: int) -> bool:
    width = FILLER_WIDTHS.get(type(filler).__name__)
    return width is not None and width(filler) in (None, m)


def _is_vector(array: Any, kinds: str) -> bool:
    return isinstance(array, np.ndarray) and array.ndim == 1 and array.dtype.kind in kinds


def _are_texts(texts: Any, count: int) -> bool:
    """Whether these are `count` texts, or None for no names."""
    return texts is None or (type(texts) is tuple and len(texts) == count and set(map(type, texts)) <= {str})
