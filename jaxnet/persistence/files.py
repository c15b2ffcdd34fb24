"""Writing objects to files and reading them back."""

import io
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from jaxnet import __version__
from jaxnet.data.atomic import atomic_file
from jaxnet.data.regular import open_regular
from jaxnet.errors import InvalidInput
from jaxnet.persistence.kinds import Estimator, kind_of
from jaxnet.persistence.metadata import is_metadata, new_metadata
from jaxnet.persistence.seal import check_key, read_envelope, read_seal, valid_key, write_sealed
from jaxnet.persistence.stack import Refuse
from jaxnet.persistence.tree import decode, encode

FORMAT_VERSION = 1
_PARTS = {"format", "version", "written_by", "metadata", "content"}


def save(obj: Any, path: str | Path, *, key: bytes | None = None, metadata: dict[str, Any] | None = None) -> None:
    """Write `obj` to `path`, in one step: an interrupted or failed write leaves what was there before.

    (A process that is killed, or a machine that loses power, can leave a hidden draft beside it, `.NAME.*.tmp`: delete it.)

    - obj: a result or a part of one (`SweepResult`, `BestFit`, `Criteria`, `Explanation`, `StabilityResult`, ...), a
      splitter (`KFold`, `Bootstrap`, ...), a `FeatureExpansion`, an estimator (fitted or not), or builtins and arrays of
      booleans, integers, reals or text; also nested in dicts (with text keys), lists and tuples. Everything comes back with
      its own type and the same bits, except that arrays become row-major NumPy arrays in the byte order of the machine.
    - path: where to; a file that is there is replaced.
    - key: at least 16 secret bytes to sign the file with (HMAC-SHA256), so that `load` with the same key takes it only
      from someone who has the key. By default it is not signed. Nothing is encrypted.
    - metadata: a dict of what else `read_metadata` shall tell, such as where the data came from; the time and the versions
      of Python, NumPy, JAX and jaxnet are there by themselves, and the parameters of an estimator as "configuration".

    Raises `InvalidInput` naming the place of what cannot be saved, and `OSError` with the file's name if it cannot be written.

    >>> import numpy as np
    >>> save({"alpha": 0.1, "coef": np.zeros(3)}, "example.jaxnet")
    """
    key = valid_key(key)
    envelope = _envelope(obj, metadata)
    with atomic_file(path) as file:
        write_sealed(envelope, file, key)


def pack(obj: Any) -> bytes:
    """The bytes of a file of `obj`, for a place in a larger file.

    >>> unpack(pack([1, 2.5]), "example")
    [1, 2.5]
    """
    buffer = io.BytesIO()
    write_sealed(_envelope(obj, None), buffer, None)
    return buffer.getvalue()


def unpack(data: bytes, name: str) -> Any:
    """What `pack` was given, checked as `load` checks a file; raises `InvalidInput`, in which `name` says what is damaged."""
    opened = _open(data, name, None, True)
    return decode(opened.content, "content", opened.refuse)


def _envelope(obj: Any, metadata: dict[str, Any] | None) -> dict[str, Any]:
    content = encode(obj, "content")
    known = {"configuration": obj.get_params()} if isinstance(kind_of(obj), Estimator) else {}
    about = new_metadata(metadata)
    return {
        "format": "jaxnet",
        "version": FORMAT_VERSION,
        "written_by": __version__,
        "metadata": encode({**about, **{k: v for k, v in known.items() if k not in about}}, "metadata"),
        "content": content,
    }


def load(path: str | Path, *, key: bytes | None = None) -> Any:
    """What `save` wrote to `path`, whole and unchanged; runs no code from the file, whoever wrote it.

    - key: the one that the file was saved with. Without, a file may hold wrong numbers from anyone who could write it.

    Raises `InvalidInput` if the file is damaged, is no jaxnet file or comes from a newer jaxnet, if it is signed and `key`
    is missing or another, if a key is given and it is not signed, or if it is no regular file; `OSError` if it cannot be read.

    >>> save([1, 2.5], "example.jaxnet", key=b"sixteen or more!")
    >>> load("example.jaxnet", key=b"sixteen or more!")
    [1, 2.5]
    """
    opened = open_file(path, key)
    return decode(opened.content, "content", opened.refuse)


def read_metadata(path: str | Path, *, key: bytes | None = None) -> dict[str, Any]:
    """What a file says about itself, without building what it holds.

    Returns a dict: "written", the time in UTC (ISO 8601); "versions" of jaxnet, python, jax and numpy that wrote it; and
    whatever else `save` was given, such as "configuration" and "data" of the files of `jaxnet sweep`.

    `key` and errors are those of `load`.

    >>> save([1, 2.5], "example.jaxnet", metadata={"source": "example.csv"})
    >>> read_metadata("example.jaxnet")["source"]
    'example.csv'
    """
    opened = open_file(path, key)
    return decode(opened.metadata, "metadata", opened.refuse)


@dataclass(frozen=True)
class Opened:
    """A file whose seal and envelope are right; its metadata and its content are trees that are still to be decoded.

    `refuse` raises `InvalidInput` with the name of the file and a reason.
    """

    version: int
    size: int
    signed: bool
    metadata: dict[str, Any]
    content: Any
    refuse: Refuse


def open_file(path: str | Path, key: bytes | None, verify: bool = True) -> Opened:
    """Read a file and check all but its content; with `verify=False` whoever may have signed it."""
    key = valid_key(key)
    with open_regular(path) as file:
        return _open(file.read(), str(path), key, verify)


def _open(data: bytes, name: str, key: bytes | None, verify: bool) -> Opened:
    def refuse(reason: str) -> NoReturn:
        raise InvalidInput(f"{name} {reason}.")

    seal = read_seal(data, refuse)
    if verify:
        check_key(data, seal, key, refuse)
    envelope = read_envelope(data, seal, refuse)
    _check_version(envelope, refuse)
    if not is_metadata(envelope["metadata"]):
        refuse("is damaged: its metadata lack the time and the versions")
    signed = seal.mac is not None
    return Opened(envelope["version"], len(data), signed, envelope["metadata"], envelope["content"], refuse)


def _check_version(envelope: dict[str, Any], refuse: Refuse) -> None:
    """Refuse an envelope of a newer format, or one that has other parts than this format."""
    if envelope["version"] > FORMAT_VERSION:
        writer = str(envelope.get("written_by")).encode("unicode_escape").decode()
        refuse(
            f"has format version {envelope['version']}, written by jaxnet {writer:.60}; jaxnet "
            f"{__version__} reads up to version {FORMAT_VERSION}: upgrade jaxnet"
        )
    if envelope["version"] < 1 or envelope.keys() != _PARTS:
        refuse("is damaged: its envelope has unexpected parts")
