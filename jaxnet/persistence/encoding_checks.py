"""Whether the parts of a saved encoding of labels fit together."""

from typing import Any

import numpy as np

from jaxnet.data.factors import TRUTH
from jaxnet.errors import InvalidInput


def is_categories(categories: Any) -> bool:
    """Whether the options are in range, and reference levels are texts, numbers or truth values."""
    try:
        categories.check()
    except InvalidInput:
        return False
    levels = categories.reference.values() if isinstance(categories.reference, dict) else ()
    return all(isinstance(level, (str, bool, int, float, np.generic)) for level in levels)


def is_encoding(encoding: Any) -> bool:
    """Whether made columns stand for levels that there are, each for another, and everything has a name."""
    levels, source, level = encoding.levels, encoding.source, encoding.level
    if type(levels) is not tuple or not all(map(_are_levels, levels)):
        return False
    p, m = len(levels), _length(source)
    if m is None or m != _length(level) or not (m and ((source >= 0) & (source < p)).all()):
        return False
    last = np.array([-1 if labels is None else len(labels) for labels in levels])[source]  # of missing values
    first = np.where(last < 0, -1, 0)
    pairs = set(zip(source.tolist(), level.tolist(), strict=True))
    numeric = {j for j, labels in enumerate(levels) if labels is None}
    named = any(labels is not None for labels in levels) or encoding.columns is not None
    return all(
        (
            bool(((level >= first) & (level <= last)).all()) and bool((np.diff(source) >= 0).all()),
            len(pairs) == m and numeric <= set(source.tolist()),
            _are_texts(encoding.columns, p) or encoding.columns is None,
            _are_texts(encoding.names, m) if named else encoding.names is None,
            type(encoding.boolean) is tuple and len(encoding.boolean) == p,
            all(
                type(b) is bool and (not b or labels == TRUTH)
                for b, labels in zip(encoding.boolean, levels, strict=False)
            ),
            type(encoding.categories).__name__ == "Categories",
        )
    )


def _are_levels(labels: Any) -> bool:
    return labels is None or (type(labels) is tuple and _are_texts(labels, len(labels)))


def _are_texts(texts: Any, count: int) -> bool:
    """Whether these are `count` texts unlike each other."""
    return type(texts) is tuple and set(map(type, texts)) <= {str} and len(texts) == len(set(texts)) == count


def _length(array: Any) -> int | None:
    return len(array) if isinstance(array, np.ndarray) and array.dtype.kind == "i" and array.ndim == 1 else None
