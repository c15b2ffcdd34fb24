"""What counts as a number where an argument asks for one: Python's and NumPy's, but no truth values."""

from typing import Any

import numpy as np


def is_whole(value: Any) -> bool:
    """Whether `value` is an integer."""
    return isinstance(value, (int, np.integer)) and not isinstance(value, bool)


def is_number(value: Any) -> bool:
    """Whether `value` is an integer or a floating-point number."""
    return isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
