"""Objects as trees of builtins, and back.

An object that is no builtin is a dict with the key "~":

    array       {"~": "array", "dtype", "shape", "data"}    little-endian bytes, row-major
    scalar      {"~": "scalar", "dtype", "data"}            a NumPy scalar
    texts       {"~": "texts", "texts"}                     a vector of texts (dtype object); with "shape" any other array
    SweepResult {"~": "SweepResult", "parts"}               and so on for every class of `kinds`
"""

import math
import sys
from typing import Any

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.persistence.kinds import KINDS, Estimator, class_of, kind_of
from jaxnet.persistence.opcodes import WHOLE
from jaxnet.persistence.stack import Refuse

TAG = "~"
_DTYPES = {"|b1", "|i1", "|u1", *(f"<{kind}" for kind in ("i2", "i4", "i8", "u2", "u4", "u8", "f2", "f4", "f8"))}
_MAX_DEPTH = 32
_MOST_LETTERS = 60  # of a text in a message


def encode(value: Any, place: str, depth: int = 0) -> Any:
    """`value` as builtins; `place` is where it stands, for messages."""
    if depth > _MAX_DEPTH:
        raise InvalidInput(f"cannot save {place}: nested more than {_MAX_DEPTH} deep.")
    kind = type(value)
    if value is None or kind in (bool, float, str, bytes) or (kind is int and value in WHOLE):
        return value
    if kind in (list, tuple):
        return kind(encode(v, f"{place}[{i}]", depth + 1) for i, v in enumerate(value))
    if kind is dict:
        wrong = [key for key in value if type(key) is not str or key == TAG]
        if wrong:
            raise InvalidInput(f"cannot save {place}: the key {wrong[0]!r} is not a text other than {TAG!r}.")
        return {key: encode(v, _at(place, key), depth + 1) for key, v in value.items()}
    if kind is np.str_:
        return str(value)
    if isinstance(value, np.generic):
        return {TAG: "scalar", "dtype": _dtype(value, place), "data": _bytes(np.asarray(value))}
    if kind is np.ndarray or ("jax" in sys.modules and isinstance(value, sys.modules["jax"].Array)):
        return _encode_array(np.asarray(value), place)
    own = kind_of(value)
    if own is None:
        raise InvalidInput(f"cannot save {place}: {kind.__name__} is no kind jaxnet saves; convert it to builtins.")
    parts = own.parts(value, place)
    try:
        return {TAG: kind.__name__, "parts": {k: encode(v, f"{place}.{k}", depth + 1) for k, v in parts.items()}}
    except InvalidInput as error:
        if not isinstance(own, Estimator):
            raise
        hint = "A parameter can be left out first, as in set_params(cv=None): predictions do not need it."
        raise InvalidInput(f"{error} {hint}" if hint not in str(error) else str(error)) from None


def decode(value: Any, place: str, refuse: Refuse, depth: int = 0) -> Any:
    """The inverse of `encode`, checking everything it meets. Keys of dicts are texts already."""
    if depth > _MAX_DEPTH:
        refuse(f"is refused: {place} is nested more than {_MAX_DEPTH} deep")
    if isinstance(value, list | tuple):
        return type(value)(decode(v, f"{place}[{i}]", refuse, depth + 1) for i, v in enumerate(value))
    if not isinstance(value, dict):
        return value
    if TAG not in value:
        return {key: decode(v, _at(place, key), refuse, depth + 1) for key, v in value.items()}
    tag = value[TAG]
    if tag in ("array", "scalar"):
        return _decode_numbers(value, place, refuse)
    if tag == "texts":
        return _decode_texts(value, place, refuse)
    if not isinstance(tag, str) or tag not in KINDS:
        refuse(f"is refused: {place} is of the unknown kind {tag!r:.{_MOST_LETTERS}}; a newer jaxnet may know it")
    if value.keys() != {TAG, "parts"} or not isinstance(value["parts"], dict):
        refuse(f"is damaged: {place} is no {tag}")
    kind, cls = KINDS[tag], class_of(tag)
    required, optional = kind.names(cls)
    if not required <= value["parts"].keys() <= required | optional:
        refuse(f"is damaged: {place} has other parts than a {tag}")
    parts = {key: decode(v, f"{place}.{key}", refuse, depth + 1) for key, v in value["parts"].items()}
    try:
        built = kind.build(cls, parts)
        if kind.fit(built):
            return built
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        pass  # a check that stumbles over a part has found one that does not fit
    refuse(f"is damaged: {place}, of kind {tag}, has parts that do not fit together")


def _at(place: str, key: str) -> str:
    """The place of what a dict has under `key`: cut, as it is made for every value inside, however long the key is."""
    return f"{place}[{key[:_MOST_LETTERS]!r}{'...' * (len(key) > _MOST_LETTERS)}]"


def _dtype(value: np.ndarray | np.generic, place: str) -> str:
    dtype = value.dtype.newbyteorder("<").str
    if dtype not in _DTYPES:
        what = "an array" if isinstance(value, np.ndarray) else "a NumPy scalar"
        raise InvalidInput(f"cannot save {place}: {what} of dtype {value.dtype}; convert it to numbers.")
    return dtype


def _bytes(array: np.ndarray) -> bytes:
    return array.astype(array.dtype.newbyteorder("<"), copy=False).tobytes()


def _encode_array(array: np.ndarray, place: str) -> dict[str, Any]:
    if array.dtype == object and all(type(text) is str for text in array.flat):
        shape = {} if array.ndim == 1 else {"shape": array.shape}
        return {TAG: "texts", "texts": tuple(array.flat), **shape}
    return {TAG: "array", "dtype": _dtype(array, place), "shape": array.shape, "data": _bytes(array)}


def _decode_numbers(value: dict[str, Any], place: str, refuse: Refuse) -> np.ndarray | np.generic:
    tag = value[TAG]
    if value.keys() != {TAG, "dtype", "data"} | ({"shape"} if tag == "array" else set()):
        refuse(f"is damaged: {place} is no {tag}")
    dtype, shape, data = value["dtype"], value.get("shape", ()), value["data"]
    if type(dtype) is not str or dtype not in _DTYPES or type(data) is not bytes or not _is_shape(shape):
        refuse(f"is damaged: {place} has a wrong dtype or shape")
    if math.prod(shape) * np.dtype(dtype).itemsize != len(data) or (dtype == "|b1" and data.strip(b"\0\1")):
        refuse(f"is damaged: {place} has data that do not fit its dtype and shape")
    try:
        array = np.frombuffer(data, dtype=dtype).reshape(shape).copy()
    except ValueError as error:  # shapes like (0, 2**40, 2**40), which NumPy cannot represent
        refuse(f"is damaged: {place}: {error}")
    return array if tag == "array" else array[()]


def _decode_texts(value: dict[str, Any], place: str, refuse: Refuse) -> np.ndarray:
    texts = value.get("texts")
    wrong = value.keys() - {"shape"} != {TAG, "texts"} or type(texts) is not tuple
    if wrong or not all(type(text) is str for text in texts):
        refuse(f"is damaged: {place} is no array of texts")
    shape = value.get("shape", (len(texts),))
    if not _is_shape(shape) or math.prod(shape) != len(texts):
        refuse(f"is damaged: {place} has texts that do not fit their shape")
    try:
        return np.array(texts, dtype=object).reshape(shape)
    except ValueError as error:
        refuse(f"is damaged: {place}: {error}")


def _is_shape(shape: Any) -> bool:
    return type(shape) is tuple and len(shape) <= 16 and all(type(k) is int and 0 <= k < 2**48 for k in shape)
