"""Which products and powers of columns are asked for, as rows (first, second or -1, power), and what they are called."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.scalars import is_whole

if TYPE_CHECKING:  # a saved expansion needs no time for annotations
    from jaxtyping import Int


def asked_terms(names: tuple[str, ...], interactions, degree) -> Int[np.ndarray, "m 3"]:
    """The powers, column by column, then the products, as `expand_features` takes them."""
    number = {name: j for j, name in enumerate(names)}
    powers = [(j, -1, d) for j, top in _degrees(degree, number) for d in range(2, top + 1)]
    products = _pairs(interactions, number)
    if not powers and not len(products):
        raise InvalidInput(
            f"interactions={interactions!r:.60} and degree={degree!r:.60} ask for nothing: give interactions='all' or pairs, "
            "or a degree above 1."
        )
    single = np.array(powers, dtype=int).reshape(-1, 3)
    return np.concatenate([single, np.column_stack([products, np.ones(len(products), int)])])


def term_names(terms: Int[np.ndarray, "m 3"], names: tuple[str, ...]) -> tuple[str, ...]:
    """`age:bmi` for a product, `age^2` for a power.

    >>> term_names(np.array([[0, -1, 2], [0, 1, 1]]), ("age", "bmi"))
    ('age^2', 'age:bmi')
    """
    return tuple(f"{names[a]}^{d}" if b < 0 else f"{names[a]}:{names[b]}" for a, b, d in terms.tolist())


def _degrees(degree, number: dict[str, int]) -> list[tuple[int, int]]:
    """(column, highest power) of each column that has powers."""
    given = degree.items() if isinstance(degree, dict) else [(j, degree) for j in number.values()]
    for _, top in given:
        if not is_whole(top) or top < 1:
            raise InvalidInput(
                f"degree={degree!r:.60} must be a whole number of at least 1, or a dict of such by column."
            )
    return [(_column(column, number, "degree"), int(top)) for column, top in given]


def _pairs(interactions, number: dict[str, int]) -> Int[np.ndarray, "m 2"]:
    if interactions is None:
        return np.zeros((0, 2), int)
    if isinstance(interactions, str) and interactions == "all":
        return np.column_stack(np.triu_indices(len(number), 1))
    if not isinstance(interactions, list | tuple):
        raise InvalidInput(f"interactions={interactions!r:.60} must be 'all', None, or a list of columns or of pairs.")
    if all(isinstance(pair, list | tuple) and len(pair) == 2 for pair in interactions):
        pairs = [tuple(_column(column, number, "interactions") for column in pair) for pair in interactions]
    else:
        within = dict.fromkeys(_column(column, number, "interactions") for column in interactions)
        pairs = list(combinations(within, 2))
    for a, b in pairs:
        if a == b:
            raise InvalidInput(f"interactions has column {a} times itself: that is a power, give degree={{{a}: 2}}.")
    return np.array(pairs, dtype=int).reshape(-1, 2)


def _column(column, number: dict[str, int], argument: str) -> int:
    """The number of a column that is named, or numbered from 0."""
    if isinstance(column, str) and column in number:
        return number[column]
    if is_whole(column) and 0 <= column < len(number):
        return int(column)
    raise InvalidInput(
        f"{argument} names the column {column!r:.60}, which X does not have: give a name, or a number from 0 to "
        f"{len(number) - 1}."
    )
