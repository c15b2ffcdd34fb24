"""Whether the parts of what fills missing values, and of what prepares new rows, fit together."""

from typing import Any

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.scalars import is_number

FILLER_WIDTHS = {
    "SimpleFiller": lambda filler: len(filler.values),
    "NeighbourFiller": lambda filler: filler.rows.shape[1],
    "IterativeFiller": lambda filler: len(filler.mean),
    "MultipleFiller": lambda filler: len(filler.mean),
    "Unfilled": lambda filler: None,
}
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


def is_simple_filler(filler: Any) -> bool:
    """Whether there is a number for every column."""
    return _is_vector(filler.values, "f") and bool(np.isfinite(filler.values).all())


def is_fill(fill: Any) -> bool:
    """Whether the options of a fill are numbers and texts; its `check` says which are in range."""
    return all(value is None or type(value) is str or is_number(value) for value in vars(fill).values())


def is_neighbour_filler(filler: Any) -> bool:
    """Whether there are rows with a weight each."""
    if not (_is_array(filler.rows, "f") and filler.rows.ndim == 2 and type(filler.k) is int and filler.k > 0):
        return False
    return _is_array(filler.row_weights, "f", filler.rows.shape[:1]) and type(filler.weights) is str


def is_iterative_filler(filler: Any) -> bool:
    """Whether every regression is of a column that there is."""
    counts = type(filler.rounds) is int and type(filler.taken) is int and _is_real(filler.tol)
    return counts and _are_regressions(filler, ())


def is_multiple_filler(filler: Any) -> bool:
    """Whether every chain has its regressions and draws, and the training rows are among those of the fit."""
    if not (_is_array(filler.drawn, "f") and filler.drawn.ndim == 2 and len(filler.drawn)):
        return False
    rows = filler.rows
    if type(filler.n_rows) is not int or not _is_array(rows, "iu") or rows.ndim != 1:
        return False
    return _are_regressions(filler, filler.drawn.shape[:1]) and _are_indices(rows, filler.n_rows)


def _are_regressions(filler: Any, chains: tuple[int, ...]) -> bool:
    if not (_is_array(filler.mean, "f") and _is_array(filler.columns, "iu") and filler.columns.ndim == 1):
        return False
    p, k = filler.mean.shape, filler.columns.shape
    return all(
        (
            len(p) == 1 and _is_array(filler.sd, "f", p) and _is_array(filler.observed, "b", p),
            _is_array(filler.intercepts, "f", (*chains, *k)) and _is_array(filler.coefs, "f", (*chains, *k, *p)),
            _are_indices(filler.columns, *p),
        )
    )


def _are_indices(values: Any, count: int) -> bool:
    """Whether these are unlike numbers from 0 to below count."""
    return bool(((values >= 0) & (values < count)).all()) and len(np.unique(values)) == len(values)


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
    return _is_array(array, kinds) and array.ndim == 1


def _is_array(value: Any, kinds: str, shape: tuple[int, ...] | None = None) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in kinds and (shape is None or value.shape == shape)


def _is_real(value: Any) -> bool:
    return isinstance(value, (float, np.floating))


def _are_texts(texts: Any, count: int) -> bool:
    """Whether these are `count` texts, or None for no names."""
    return texts is None or (type(texts) is tuple and len(texts) == count and set(map(type, texts)) <= {str})
