"""Objects as trees of builtins, and back.

An array is a dict {"~": "array", "dtype", "shape", "data"}; one of jaxnet's own objects {"~": its class, "fields"}.
"""

import math
from dataclasses import fields
from importlib import import_module
from typing import Any

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.persistence.checks import CHECKS
from jaxnet.persistence.opcodes import Refuse

TAG = "~"
# Classes a file may hold, with their homes; each is a dataclass built from exactly its fields.
_CLASSES = {"SweepResult": "jaxnet.result", "SparseRows": "jaxnet.result"}
_DTYPES = {"|b1", "|i1", "|u1", *(f"<{kind}" for kind in ("i2", "i4", "i8", "u2", "u4", "u8", "f2", "f4", "f8"))}
_MAX_DEPTH = 32


def encode(value: Any, place: str, depth: int = 0) -> Any:
    """`value` as builtins; `place` is where it stands, for messages."""
    if depth > _MAX_DEPTH:
        raise InvalidInput(f"cannot save {place}: nested more than {_MAX_DEPTH} deep.")
    if isinstance(value, np.generic):
        value = value.item()
    kind = type(value)
    if value is None or kind in (bool, float, str, bytes) or (kind is int and -(2**63) <= value < 2**64):
        return value
    if kind in (list, tuple):
        return kind(encode(v, f"{place}[{i}]", depth + 1) for i, v in enumerate(value))
    if kind is dict:
        wrong = [key for key in value if type(key) is not str or key == TAG]
        if wrong:
            raise InvalidInput(f"cannot save {place}: the key {wrong[0]!r} is not a text other than {TAG!r}.")
        return {key: encode(v, f"{place}[{key!r}]", depth + 1) for key, v in value.items()}
    if kind is np.ndarray:
        dtype = value.dtype.newbyteorder("<").str
        if dtype not in _DTYPES:
            raise InvalidInput(f"cannot save {place}: an array of dtype {value.dtype}; convert it to numbers.")
        return {TAG: "array", "dtype": dtype, "shape": value.shape, "data": value.astype(dtype, copy=False).tobytes()}
    if _CLASSES.get(kind.__name__) == kind.__module__:
        parts = {f.name: encode(getattr(value, f.name), f"{place}.{f.name}", depth + 1) for f in fields(value)}
        return {TAG: kind.__name__, "fields": parts}
    raise InvalidInput(f"cannot save {place}: {kind.__name__} is no kind jaxnet saves; convert it to builtins.")


def decode(value: Any, place: str, refuse: Refuse, depth: int = 0) -> Any:
    """The inverse of `encode`, checking everything it meets."""
    if depth > _MAX_DEPTH:
        refuse(f"is refused: {place} is nested more than {_MAX_DEPTH} deep")
    if isinstance(value, list | tuple):
        return type(value)(decode(v, f"{place}[{i}]", refuse, depth + 1) for i, v in enumerate(value))
    if not isinstance(value, dict):
        return value
    if TAG not in value:
        return {key: decode(v, f"{place}[{key!r}]", refuse, depth + 1) for key, v in value.items()}
    tag = value[TAG]
    if tag == "array":
        return _decode_array(value, place, refuse)
    if not isinstance(tag, str) or tag not in _CLASSES:
        refuse(f"is refused: {place} is of the unknown kind {tag!r}")
    if value.keys() != {TAG, "fields"} or not isinstance(value["fields"], dict):
        refuse(f"is damaged: {place} is no {tag}")
    cls = getattr(import_module(_CLASSES[tag]), tag)
    if value["fields"].keys() != {f.name for f in fields(cls)}:
        refuse(f"is damaged: {place} has other fields than a {tag}")
    built = cls(**{key: decode(v, f"{place}.{key}", refuse, depth + 1) for key, v in value["fields"].items()})
    if not CHECKS[tag](built):
        refuse(f"is damaged: {place} is a {tag} whose parts do not fit together")
    return built


def _decode_array(value: dict[str, Any], place: str, refuse: Refuse) -> np.ndarray:
    if value.keys() != {TAG, "dtype", "shape", "data"}:
        refuse(f"is damaged: {place} is no array")
    dtype, shape, data = value["dtype"], value["shape"], value["data"]
    whole = type(shape) is tuple and len(shape) <= 16 and all(type(k) is int and 0 <= k < 2**48 for k in shape)
    if type(dtype) is not str or dtype not in _DTYPES or type(data) is not bytes or not whole:
        refuse(f"is damaged: {place} has a wrong dtype or shape")
    if math.prod(shape) * np.dtype(dtype).itemsize != len(data) or (dtype == "|b1" and data.strip(b"\0\1")):
        refuse(f"is damaged: {place} has data that do not fit its dtype and shape")
    try:
        return np.frombuffer(data, dtype=dtype).reshape(shape).copy()
    except ValueError as error:  # shapes like (0, 2**40, 2**40), which NumPy cannot represent
        refuse(f"is damaged: {place}: {error}")
