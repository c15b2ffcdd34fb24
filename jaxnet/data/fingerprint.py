"""A short name for data: equal data have it in common, other data do not."""

import hashlib

import numpy as np

_BLOCK = 1 << 22


def fingerprint(**arrays: np.ndarray | None) -> str:
    """SHA-256, in hexadecimal, of named arrays of one or more axes: names, dtypes, shapes and row-major bytes; None is left out.

    The same on every machine and for every memory order of the arrays.

    >>> fingerprint(X=np.eye(2), w=None) == fingerprint(X=np.asfortranarray(np.eye(2)))
    True
    """
    found = hashlib.sha256()
    for name, array in sorted(arrays.items()):
        if array is None:
            continue
        dtype = array.dtype.newbyteorder("<")
        found.update(f"{name} {dtype.str} {array.shape}\n".encode())
        step = max(1, _BLOCK // max(1, array[:1].nbytes))
        for start in range(0, len(array), step):  # a copy of some rows at a time
            found.update(np.ascontiguousarray(array[start : start + step], dtype))
    return found.hexdigest()
