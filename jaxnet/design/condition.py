"""Conditioning: bring numbers of any scale and offset to where floating point works, exactly or without losing digits."""

import numpy as np

OFFSET_LIMIT = {np.dtype(np.float64): 64.0, np.dtype(np.float32): 1.0}
"""Means beyond so many standard deviations are taken out; smaller offsets stay, so that rows do not depend on each other."""


def condition(rows: np.ndarray, *, centred: bool, dtype=np.float64) -> tuple[np.ndarray, np.ndarray]:
    """Scale the rows of `rows` (k, n) in place to magnitudes below one, by powers of two; take out large offsets.

    Returns `center` and `scale` (k,) with original = center + scale * conditioned. `centred` says whether an offset may be
    taken out at all (it then belongs to an intercept).

    >>> import numpy as np
    >>> rows = np.array([[1e150, -3e150]])
    >>> center, scale = condition(rows, centred=True)
    >>> bool(np.all(rows * scale[:, None] == [[1e150, -3e150]])), float(np.abs(rows).max()) < 1
    (True, True)
    """
    exponent = _exponent(rows)
    np.ldexp(rows, -exponent[:, None], out=rows)
    center = np.zeros(len(rows))
    if centred:
        mean, spread = rows.mean(axis=1), rows.std(axis=1)
        offset = np.abs(mean) > OFFSET_LIMIT[np.dtype(dtype)] * spread
        center[offset] = mean[offset]
        constant = np.ptp(rows, axis=1) == 0
        center[constant] = rows[constant, 0]
        rows -= center[:, None]
    again = np.where(center != 0, _exponent(rows), 0)
    np.ldexp(rows, -again[:, None], out=rows)
    return np.ldexp(center, exponent), np.ldexp(1.0, exponent + again)


def _exponent(rows: np.ndarray) -> np.ndarray:
    """Per row, the power of two that brings the largest magnitude into [0.5, 1); 0 for a row of zeros."""
    largest = np.abs(rows).max(axis=1, initial=0.0)
    return np.where(largest > 0, np.frexp(largest)[1], 0)
