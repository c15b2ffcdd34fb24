"""Whether the parts of what fills missing values, and of what prepares new rows, fit together."""

from typing import Any

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.persistence.checks import are_names, is_array, is_real
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
            are_names(found.columns, found.given) and (not own or found.columns == encoding.columns),
            are_names(found.names, m + k),
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


def is_missing_patterns(found: Any) -> bool:
    """Whether every array has the shape that `MissingPatterns` documents, and every place is that of a column."""
    if not (is_array(found.patterns, "b") and found.patterns.ndim == 2 and is_array(found.pair_columns, "iu")):
        return False
    (kept, p), pairs, compared = found.patterns.shape, found.pair_columns, found.comparisons
    if type(compared).__name__ != "Comparisons":
        return False
    places = (pairs, compared.missing, compared.other)
    counts = (found.n_rows, found.n_patterns, found.n_comparisons)
    texts = type(found.hints) is tuple and set(map(type, found.hints)) <= {str} and type(found.little_reason) is str
    kinds = type(found.sentinels) is tuple and {type(one).__name__ for one in found.sentinels} <= {"Sentinel"}
    return all(
        (
            texts and kinds and all(type(count) is int and count >= 0 for count in counts),
            found.names is not None and are_names(found.names, p) and p > 0,
            is_array(found.n_missing, "iu", (p,)) and is_array(found.rows_by_missing, "iu", (p + 1,)),
            is_array(found.counts, "iu", (kept,)) and kept > 0 and type(found.monotone) is bool,
            pairs.ndim == 1 and is_array(found.pairs, "iu", (pairs.size, pairs.size)),
            all(((at >= 0) & (at < p)).all() for at in places),
            found.little is None or type(found.little).__name__ == "LittleTest",
        )
    )


def is_comparisons(compared: Any) -> bool:
    """Whether the fields are vectors of one length."""
    if not is_array(compared.missing, "iu") or compared.missing.ndim != 1:
        return False
    m = compared.missing.shape
    whole = (compared.other, compared.n_missing, compared.n_observed)
    vectors = all(is_array(a, "iu", m) for a in whole) and all(is_array(a, "f", m) for a in compared[5:])
    return vectors and compared.level is not None and are_names(compared.level, *m)


def is_little_test(test: Any) -> bool:
    """Whether the fields are numbers."""
    return is_real(test.statistic) and is_real(test.p_value) and all(type(n) is int for n in (test.df, *test[3:]))


def is_sentinel(found: Any) -> bool:
    """Whether the fields are a name and numbers."""
    numbers = all(map(is_real, (found.value, found.low, found.high)))
    return numbers and type(found.column) is str and type(found.count) is int


def is_fill(fill: Any) -> bool:
    """Whether the options of a fill are numbers and texts; its `check` says which are in range."""
    return all(value is None or type(value) is str or is_number(value) for value in vars(fill).values())


def is_neighbour_filler(filler: Any) -> bool:
    """Whether there are rows with a weight each."""
    if not (is_array(filler.rows, "f") and filler.rows.ndim == 2 and type(filler.k) is int and filler.k > 0):
        return False
    return is_array(filler.row_weights, "f", filler.rows.shape[:1]) and type(filler.weights) is str


def is_iterative_filler(filler: Any) -> bool:
    """Whether every regression is of a column that there is."""
    counts = type(filler.rounds) is int and type(filler.taken) is int and is_real(filler.tol)
    return counts and _are_regressions(filler, ())


def is_multiple_filler(filler: Any) -> bool:
    """Whether every chain has its regressions and draws, and the training rows are among those of the fit."""
    if not (is_array(filler.drawn, "f") and filler.drawn.ndim == 2 and len(filler.drawn)):
        return False
    rows = filler.rows
    if type(filler.n_rows) is not int or not is_array(rows, "iu") or rows.ndim != 1:
        return False
    return _are_regressions(filler, filler.drawn.shape[:1]) and _are_indices(rows, filler.n_rows)


def _are_regressions(filler: Any, chains: tuple[int, ...]) -> bool:
    if not (is_array(filler.mean, "f") and is_array(filler.columns, "iu") and filler.columns.ndim == 1):
        return False
    p, k = filler.mean.shape, filler.columns.shape
    return all(
        (
            len(p) == 1 and is_array(filler.sd, "f", p) and is_array(filler.observed, "b", p),
            is_array(filler.intercepts, "f", (*chains, *k)) and is_array(filler.coefs, "f", (*chains, *k, *p)),
            _are_indices(filler.columns, *p),
        )
    )


def _are_indices(values: Any, count: int) -> bool:
    """Whether these are unlike numbers from 0 to below count."""
    return bool(((values >= 0) & (values < count)).all()) and len(np.unique(values)) == len(values)
