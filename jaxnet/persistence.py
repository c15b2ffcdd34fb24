"""Results to files and back: a sealed pickle that holds data and can run no code.

A file is one protocol-4 pickle of builtins only (None, bool, int, float, str, bytes, list, tuple, dict with text keys),
written without shared references, then a trailer: a magic and the SHA-256 of everything before the hash. Arrays and
jaxnet's own classes are dicts marked by the key "~". `load` checks, in this order: trailer and hash; every opcode
against an allow-list; that nothing names a class; the format version; the shape of what it finds. No fallback.

The hash tells damage, not authorship: whoever can write the file can write the hash. A hostile file can hold wrong
numbers, but not code.
"""

import hashlib
import io
import math
import pickle
import pickletools
from collections.abc import Callable
from dataclasses import fields
from importlib import import_module
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import numpy as np

from jaxnet import __version__
from jaxnet.data.atomic import atomic_file
from jaxnet.errors import InvalidInput

FORMAT_VERSION = 1
_MAGIC = b"\njaxnet sealed\n"
_TAG = "~"
# Classes a file may hold, with their homes; each is a dataclass built from exactly its fields.
_CLASSES = {"SweepResult": "jaxnet.result", "SparseRows": "jaxnet.result", "FitOptions": "jaxnet.result"}
_DTYPES = {"|b1", "|i1", "|u1", *(f"<{kind}" for kind in ("i2", "i4", "i8", "u2", "u4", "u8", "f2", "f4", "f8"))}
_MAX_DEPTH = 32
_MAX_OPCODES = 20_000_000
# No GLOBAL, REDUCE, BUILD and their like; no memo either, so that a small file cannot unfold into a huge object.
_OPCODES = {
    *("PROTO", "FRAME", "STOP", "MARK", "NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1"),
    *("BINFLOAT", "SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "SHORT_BINBYTES", "BINBYTES", "BINBYTES8"),
    *("EMPTY_LIST", "APPEND", "APPENDS", "EMPTY_DICT", "SETITEM", "SETITEMS"),
    *("EMPTY_TUPLE", "TUPLE", "TUPLE1", "TUPLE2", "TUPLE3"),
}


def save(obj: Any, path: str | Path) -> None:
    """Write `obj` to `path`, in one step: an interrupted or failed write leaves what was there before.

    obj: a `SweepResult`, or builtins and NumPy arrays of booleans, integers or reals, nested in dicts (with text keys),
    lists and tuples. NumPy scalars come back as Python numbers, arrays row-major.

    Raises `InvalidInput` naming the place of what cannot be saved, and `OSError` if the file cannot be written.

    >>> save({"alpha": 0.1, "coef": np.zeros(3)}, "example.jaxnet")
    """
    content = _encode(obj, "content")
    envelope = {"format": "jaxnet", "version": FORMAT_VERSION, "written_by": __version__, "content": content}
    with atomic_file(path) as file:
        sealed = _Hashing(file)
        pickler = pickle.Pickler(sealed, protocol=4)
        pickler.fast = True  # no memo: every value is written where it stands
        pickler.dump(envelope)
        sealed.write(_MAGIC)
        file.write(sealed.hash.digest())


def load(path: str | Path) -> Any:
    """What `save` wrote to `path`, whole and unchanged.

    Raises `InvalidInput` if the file is damaged, is no jaxnet file or comes from a newer jaxnet, and `OSError` if it
    cannot be read.

    >>> save([1, 2.5], "example.jaxnet"); load("example.jaxnet")
    [1, 2.5]
    """
    path = Path(path)
    data = path.read_bytes()

    def refuse(reason: str) -> NoReturn:
        raise InvalidInput(f"{path} {reason}.")

    size = _sealed_size(data, refuse)
    _check_opcodes(data, size, refuse)
    try:
        envelope = _DataOnly(io.BytesIO(data)).load()
    except Exception as error:  # a malformed pickle can raise nearly anything
        refuse(f"is damaged: it is no well-formed pickle ({type(error).__name__}: {error})")
    if not isinstance(envelope, dict) or envelope.get("format") != "jaxnet" or type(envelope.get("version")) is not int:
        refuse("is no jaxnet file: its envelope is missing")
    if envelope["version"] > FORMAT_VERSION:
        refuse(
            f"has format version {envelope['version']}, written by jaxnet {envelope.get('written_by')}; jaxnet "
            f"{__version__} reads up to version {FORMAT_VERSION}: upgrade jaxnet"
        )
    if envelope.keys() != {"format", "version", "written_by", "content"}:
        refuse("is damaged: its envelope has unexpected parts")
    return _decode(envelope["content"], "content", refuse)


class _Hashing:
    """Passes writes on and keeps the SHA-256 of all that went through."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.hash = file, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self.hash.update(data)
        return self.file.write(data)


class _DataOnly(pickle.Unpickler):
    """An unpickler that can name no class and no function."""

    def find_class(self, module: str, name: str) -> NoReturn:
        raise pickle.UnpicklingError(f"refused to look up {module}.{name}")


def _sealed_size(data: bytes, refuse: Callable[[str], NoReturn]) -> int:
    """Bytes of the pickle at the start of a file whose trailer and hash are right."""
    digest = hashlib.sha256().digest_size
    size = len(data) - digest - len(_MAGIC)
    if size < 0 or data[size:-digest] != _MAGIC:
        refuse("is no jaxnet file, or was cut short: its trailer is missing")
    if hashlib.sha256(memoryview(data)[:-digest]).digest() != data[-digest:]:
        refuse("is damaged: its checksum does not match its content")
    return size


def _check_opcodes(data: bytes, size: int, refuse: Callable[[str], NoReturn]) -> None:
    """Refuse instructions that do more than build plain data, too many of them, and a pickle not `size` bytes long."""
    end = 0
    try:
        for count, (opcode, argument, position) in enumerate(pickletools.genops(data), start=1):
            if opcode.name not in _OPCODES or (opcode.name == "PROTO" and argument != 4):
                refuse(f"is refused: it holds the pickle instruction {opcode.name}, which jaxnet never writes")
            if count > _MAX_OPCODES:
                refuse(f"is refused: it holds more than {_MAX_OPCODES} values")
            end = position + 1
    except InvalidInput:
        raise
    except Exception as error:  # genops meets arbitrary bytes here
        refuse(f"is damaged: it is no well-formed pickle ({error})")
    if end != size:
        refuse("is damaged: its content does not end where its trailer begins")


def _encode(value: Any, place: str, depth: int = 0) -> Any:
    """`value` as builtins; `place` is where it stands, for messages."""
    if depth > _MAX_DEPTH:
        raise InvalidInput(f"cannot save {place}: nested more than {_MAX_DEPTH} deep.")
    if isinstance(value, np.generic):
        value = value.item()
    kind = type(value)
    if value is None or kind in (bool, float, str, bytes) or (kind is int and -(2**63) <= value < 2**64):
        return value
    if kind in (list, tuple):
        return kind(_encode(v, f"{place}[{i}]", depth + 1) for i, v in enumerate(value))
    if kind is dict:
        wrong = [key for key in value if type(key) is not str or key == _TAG]
        if wrong:
            raise InvalidInput(f"cannot save {place}: the key {wrong[0]!r} is not a text other than {_TAG!r}.")
        return {key: _encode(v, f"{place}[{key!r}]", depth + 1) for key, v in value.items()}
    if kind is np.ndarray:
        dtype = value.dtype.newbyteorder("<").str
        if dtype not in _DTYPES:
            raise InvalidInput(f"cannot save {place}: an array of dtype {value.dtype}; convert it to numbers.")
        return {_TAG: "array", "dtype": dtype, "shape": value.shape, "data": value.astype(dtype, copy=False).tobytes()}
    if _CLASSES.get(kind.__name__) == kind.__module__:
        parts = {f.name: _encode(getattr(value, f.name), f"{place}.{f.name}", depth + 1) for f in fields(value)}
        return {_TAG: kind.__name__, "fields": parts}
    raise InvalidInput(f"cannot save {place}: {kind.__name__} is no kind jaxnet saves; convert it to builtins.")


def _decode(value: Any, place: str, refuse: Callable[[str], NoReturn], depth: int = 0) -> Any:
    """The inverse of `_encode`, checking everything it meets."""
    if depth > _MAX_DEPTH:
        refuse(f"is refused: {place} is nested more than {_MAX_DEPTH} deep")
    if isinstance(value, list | tuple):
        return type(value)(_decode(v, f"{place}[{i}]", refuse, depth + 1) for i, v in enumerate(value))
    if not isinstance(value, dict):
        return value
    if not all(isinstance(key, str) for key in value):
        refuse(f"is damaged: {place} has keys that are not text")
    if _TAG not in value:
        return {key: _decode(v, f"{place}[{key!r}]", refuse, depth + 1) for key, v in value.items()}
    tag = value[_TAG]
    if tag == "array":
        return _decode_array(value, place, refuse)
    if not isinstance(tag, str) or tag not in _CLASSES:
        refuse(f"is refused: {place} is of the unknown kind {tag!r}")
    if value.keys() != {_TAG, "fields"} or not isinstance(value["fields"], dict):
        refuse(f"is damaged: {place} is no {tag}")
    cls = getattr(import_module(_CLASSES[tag]), tag)
    if value["fields"].keys() != {f.name for f in fields(cls)}:
        refuse(f"is damaged: {place} has other fields than a {tag}")
    built = cls(**{key: _decode(v, f"{place}.{key}", refuse, depth + 1) for key, v in value["fields"].items()})
    if not _CHECKS[tag](built):
        refuse(f"is damaged: {place} is a {tag} whose parts do not fit together")
    return built


def _decode_array(value: dict[str, Any], place: str, refuse: Callable[[str], NoReturn]) -> np.ndarray:
    if value.keys() != {_TAG, "dtype", "shape", "data"}:
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


def _is_array(value: Any, kinds: str, shape: tuple[int, ...] | None = None) -> bool:
    return isinstance(value, np.ndarray) and value.dtype.kind in kinds and (shape is None or value.shape == shape)


def _is_sparse_rows(rows: Any) -> bool:
    """Whether indices are in range and starts ascend, so that reading any row is safe."""
    arrays = _is_array(rows.values, "f") and _is_array(rows.columns, "iu") and _is_array(rows.starts, "iu")
    if not arrays or {rows.values.ndim, rows.columns.ndim, rows.starts.ndim} != {1} or type(rows.n_columns) is not int:
        return False
    starts = rows.starts.astype(np.int64)
    in_range = ((rows.columns >= 0) & (rows.columns < rows.n_columns)).all()
    ends = starts.size > 0 and starts[0] == 0 and starts[-1] == len(rows.values) == len(rows.columns)
    return bool(ends and in_range and (np.diff(starts) >= 0).all() and rows.n_columns >= 0)


def _is_sweep_result(result: Any) -> bool:
    """Whether every array has the shape that `SweepResult` documents."""
    if not (_is_array(result.alphas, "f") and result.alphas.ndim in (2, 3) and _is_array(result.gap, "f")):
        return False
    grid = result.alphas.shape
    folds = result.gap.shape[-1] - 1 if result.gap.shape[:-1] == grid else -1
    names, width = result.feature_names, getattr(result.coefs, "n_columns", None)

    def has_rows(rows: Any, count: int) -> bool:
        return type(rows).__name__ == "SparseRows" and len(rows) == count and rows.n_columns == width

    return all(
        (
            folds >= 0,
            _is_array(result.rho, "f", grid[-2:-1]),
            has_rows(result.coefs, math.prod(grid)),
            _is_array(result.intercepts, "f", grid),
            _is_array(result.errors, "f", (*grid, folds)) if folds else result.errors is None,
            result.fold_weights is None or _is_array(result.fold_weights, "f", (folds,)),
            *(_is_array(a, "fiu", (*grid, folds + 1)) for a in (result.kkt, result.iterations)),
            _is_array(result.status, "iu", (*grid, folds + 1)) and bool(np.isin(result.status, range(4)).all()),
            type(result.tol) is float,
            type(result.options).__name__ == "FitOptions" and _has_width(result.options, width),
            names is None or (type(names) is tuple and len(names) == width and set(map(type, names)) <= {str}),
            result.fold_coefs is None or has_rows(result.fold_coefs, math.prod(grid) * folds),
            result.fold_intercepts is None or _is_array(result.fold_intercepts, "f", (*grid, folds)),
        )
    )


def _is_fit_options(options: Any) -> bool:
    flags = (options.fit_intercept, options.standardize, options.weighted)
    arrays = [a for a in (options.penalty_factor, options.lower, options.upper) if a is not None]
    return all(type(flag) is bool for flag in flags) and all(_is_array(a, "f") and a.ndim == 1 for a in arrays)


def _has_width(options: Any, width: int) -> bool:
    return all(a is None or len(a) == width for a in (options.penalty_factor, options.lower, options.upper))


_CHECKS = {"SweepResult": _is_sweep_result, "SparseRows": _is_sparse_rows, "FitOptions": _is_fit_options}
