"""Which group each row belongs to: one label per row, as an array of its own or as a column of a frame X."""

import difflib
from typing import Any

import numpy as np

from jaxnet.data.arrays import plain_array
from jaxnet.data.factors import is_missing
from jaxnet.data.frames import as_frame
from jaxnet.errors import InvalidInput

_SHOWN = 5  # rows or columns that a message names


def as_groups(groups: Any, n_rows: int, *, name: str = "groups") -> np.ndarray:
    """One label per row, (n_rows,), none missing: numbers, text, dates or truth values as they are, else whole numbers that
    stand for them. Rows of equal labels are one group.

    Accepts arrays, lists, and pandas, polars and pyarrow columns, taken by position. Raises `InvalidInput` for another length
    or shape, missing labels (None, NA, nan), and labels that cannot be compared.

    >>> as_groups(["b", "a", "b"], 3)
    array(['b', 'a', 'b'], dtype='<U1')
    """
    labels = _labels(groups, name)
    if labels.ndim != 1:
        shape = "a single value" if labels.ndim == 0 else f"an array of shape {labels.shape}"
        raise InvalidInput(f"{name} is {shape}: give one label per row of X, as a one-dimensional array.")
    if len(labels) != n_rows:
        raise InvalidInput(f"{name} has {len(labels)} entries but X has {n_rows} rows: give one label per row of X.")
    missing = np.flatnonzero(_missing(labels))
    if missing.size:
        rows = ", ".join(map(str, missing[:_SHOWN])) + (", ..." if missing.size > _SHOWN else "")
        raise InvalidInput(
            f"{name} has {missing.size} missing value{'s' if missing.size > 1 else ''}, in row{'s' if missing.size > 1 else ''} "
            f"{rows}: give every row a label, or leave those rows out."
        )
    return labels if labels.dtype.kind != "O" else _comparable(labels, name)


def without_groups(X: Any, groups: Any) -> tuple[Any, Any]:
    """X and the labels of its rows: where `groups` is the name of a column of a frame, X without that column, and the column.

    Raises `InvalidInput` for a name where there are none, an unknown one, and where no column is left.
    """
    if not isinstance(groups, str):
        return X, groups
    frame = None if isinstance(X, np.ndarray | list | tuple) else as_frame(X, "X")
    if frame is None:
        raise InvalidInput(
            f"groups={groups!r:.60} names a column, and X is no data frame: give one label per row, as an array or a list."
        )
    if groups not in frame.columns:
        names = [column for column in frame.columns if isinstance(column, str)]
        close = difflib.get_close_matches(groups, names, n=1, cutoff=0)
        nearest = f"; the nearest is {close[0]!r}" if close else ""
        raise InvalidInput(f"groups={groups!r:.60} is no column of X{nearest}.")
    if len(frame.columns) == 1:
        raise InvalidInput(f"X has no column beside groups={groups!r:.60}: nothing is left to fit on.")
    return frame.drop(groups).to_native(), frame[groups].to_native()


def _labels(groups: Any, name: str) -> np.ndarray:
    import narwhals as nw

    if isinstance(groups, str):
        raise InvalidInput(f"{name}={groups!r:.60} is a text: give one label per row of X, as an array or a list.")
    series = nw.from_native(groups, pass_through=True, allow_series=True)
    if not isinstance(series, nw.Series):
        return plain_array(groups, name)
    if series.null_count():
        return np.array([*series.to_list(), None], dtype=object)[:-1]  # the extra None keeps it one-dimensional
    return plain_array(series.to_numpy(), name)


def _missing(labels: np.ndarray) -> np.ndarray:
    if labels.dtype.kind in "mM":
        return np.isnat(labels)
    if labels.dtype.kind == "O":
        return np.array([is_missing(label) for label in labels], bool)
    return np.isnan(labels) if labels.dtype.kind in "fc" else np.zeros(len(labels), bool)


def _comparable(labels: np.ndarray, name: str) -> np.ndarray:
    """Objects as an array that sorts: texts as such; whatever has an order of its own as it is; else numbers that stand for
    the objects, in the order of their texts."""
    values = labels.tolist()
    if all(isinstance(label, str) for label in values):
        return labels.astype(str)
    try:
        np.unique(labels)
        return labels
    except TypeError:
        pass
    try:
        kinds = sorted(set(values), key=lambda label: (type(label).__name__, str(label)))
        place = {label: k for k, label in enumerate(kinds)}
        return np.array([place[label] for label in values])
    except TypeError:
        raise InvalidInput(
            f"{name} holds {values[0]!r:.60}, which is no label: give numbers, text or dates, one per row."
        ) from None
