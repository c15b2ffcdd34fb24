"""Conditioning: bring numbers of any scale and offset to where floating point works, exactly or without losing digits."""

from collections.abc import Sequence

import numpy as np

from jaxnet.errors import InvalidInput

LARGEST = 2.0**511
"""Values up to this have squares that float64 holds."""
REACH = 2.0**1000
"""A column times y (as alphas are) and y over a column (as coefficients are) are at most this, and at least one over it."""
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
    with np.errstate(over="ignore"):  # infinite where float64 has no such power of two: `check_units` refuses
        return np.ldexp(center, exponent), np.ldexp(1.0, exponent + again)


def check_units(
    X: tuple[np.ndarray, np.ndarray], Y: tuple[np.ndarray, np.ndarray], names: Sequence[str] | None
) -> None:
    """Refuse units in which squares, products x'y or coefficients y/x leave the range of float64, as no fit could tell.

    X and Y: `center` and `scale` of the columns (p,) and responses (q,), as `condition` returns them; names: (p,) of columns.
    Raises InvalidInput naming the column and what to scale.
    """
    sizes = {"X": abs(X[0]) + X[1], "y": abs(Y[0]) + Y[1]}
    label = lambda j: f"column {j}" if names is None else f"column {names[j]!r:.60}"
    for who, size in sizes.items():
        if not (size <= LARGEST).all():
            j = int(np.argmax(np.where(np.isnan(size), np.inf, size)))
            where = "y" if who == "y" else f"X, in {label(j)},"
            least = "more than 1e308" if not size[j] < np.inf else f"as large as {size[j]:.1g}"
            raise InvalidInput(
                f"{where} holds values {least}, whose squares overflow, so that a fit would be of non-finite numbers. Divide by "
                "the standard deviation, or drop what is no measurement."
            )
    for t in Y[1]:
        with np.errstate(over="ignore"):
            product, ratio = X[1] * t, t / X[1]
        wrong = ~((np.minimum(product, ratio) >= 1 / REACH) & (np.maximum(product, ratio) <= REACH))
        if wrong.any():
            j = int(np.argmax(wrong))
            beyond = not 1 / REACH <= product[j] <= REACH
            what = "alphas, which are their products," if beyond else "coefficients, which are their ratios,"
            raise InvalidInput(
                f"y has values of about {t:.1g} and {label(j)} of X of about {X[1][j]:.1g}: {what} leave the range of "
                "float64. Bring both to ordinary units: divide each by its standard deviation."
            )


def _exponent(rows: np.ndarray) -> np.ndarray:
    """Per row, the power of two that brings the largest magnitude into [0.5, 1); 0 for a row of zeros."""
    largest = np.abs(rows).max(axis=1, initial=0.0)
    return np.where(largest > 0, np.frexp(largest)[1], 0)
