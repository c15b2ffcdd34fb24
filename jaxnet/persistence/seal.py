"""The seal of a file: a pickle of plain data, and behind it what shows that nothing has changed since.

pickle | "\\njaxnet sealed\\n" | SHA-256 of all before
"""

import hashlib
import hmac
import io
import pickle
from typing import Any, BinaryIO, NoReturn

from jaxnet.persistence.opcodes import PROTOCOL, Refuse, check_opcodes

MAGIC = b"\njaxnet sealed\n"
_DIGEST = hashlib.sha256().digest_size


def write_sealed(envelope: dict[str, Any], file: BinaryIO) -> None:
    """Write `envelope`, builtins only, with its seal."""
    sealed = _Hashing(file)
    pickler = pickle.Pickler(sealed, protocol=PROTOCOL)
    pickler.fast = True  # no memo: every value is written where it stands
    pickler.dump(envelope)
    sealed.write(MAGIC)
    file.write(sealed.hash.digest())


def read_sealed(data: bytes, refuse: Refuse) -> dict[str, Any]:
    """The envelope in a whole file: plain data, its keys text, still to be checked for meaning."""
    check_opcodes(data, _sealed_size(data, refuse), refuse)
    try:
        envelope = _DataOnly(io.BytesIO(data)).load()
    except Exception as error:  # a malformed pickle can raise nearly anything
        refuse(f"is damaged: it is no well-formed pickle ({type(error).__name__}: {error})")
    if not isinstance(envelope, dict) or envelope.get("format") != "jaxnet" or type(envelope.get("version")) is not int:
        refuse("is no jaxnet file: its envelope is missing")
    return envelope


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


def _sealed_size(data: bytes, refuse: Refuse) -> int:
    """Bytes of the pickle at the start of a file whose trailer and hash are right."""
    size = len(data) - _DIGEST - len(MAGIC)
    if size < 0 or data[size:-_DIGEST] != MAGIC:
        refuse("is no jaxnet file, or was cut short: its trailer is missing")
    if not hmac.compare_digest(hashlib.sha256(memoryview(data)[:-_DIGEST]).digest(), data[-_DIGEST:]):
        refuse("is damaged: its checksum does not match its content")
    return size
