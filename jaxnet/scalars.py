"""What counts as a number where an argument asks for one (Python's and NumPy's, but no truth values), and what as zero."""

from typing import Any

import numpy as np

_ROUNDING = 64 * np.finfo(np.float64).eps


def is_whole(value: Any) -> bool:
    """Whether `value` is an integer."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether `value` is an integer or a floating-point number."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)


def sum_or_zero(a: Any, b: Any, scale: Any) -> Any:
    """a + b, exactly zero where all that is left is the rounding of sums of numbers of size `scale`: a mean that is zero.

    >>> float(sum_or_zero(0.3, -0.1 - 0.2, 1.0))
    0.0
    """
    total = np.add(a, b)
    return np.where(np.abs(total) <= _ROUNDING * np.asarray(scale), 0.0, total)[()]
