"""The seal of a file: a pickle of plain data, and behind it what shows that nothing has changed since.

    pickle | "\\njaxnet sealed\\n"                        | SHA-256 of all before
    pickle | "\\njaxnet signed\\n" | HMAC of all before it | SHA-256 of all before

HMAC is that of RFC 2104 with SHA-256, under the SHA-256 of "jaxnet file key\\n" and the key that writer and reader share.
(HMAC alone takes a key, and the same with zeros behind it, for one.)
"""

import hashlib
import hmac
import pickle
from dataclasses import dataclass
from typing import Any, BinaryIO

from jaxnet.errors import InvalidInput
from jaxnet.persistence.opcodes import PROTOCOL, build
from jaxnet.persistence.stack import MAX_VALUES, Refuse, count_values

SEALED, SIGNED = b"\njaxnet sealed\n", b"\njaxnet signed\n"
SHORTEST_KEY = 16
_DIGEST = hashlib.sha256().digest_size


@dataclass(frozen=True)
class Seal:
    """What stands behind a pickle of `size` bytes; `mac` is None in a file written without a key."""

    size: int
    mac: bytes | None


def write_sealed(envelope: dict[str, Any], file: BinaryIO, key: bytes | None) -> None:
    """Write `envelope`, builtins only, with its seal; raises `InvalidInput` where it has more values than can be read back."""
    count = count_values(envelope)
    if count > MAX_VALUES:
        raise InvalidInput(
            f"cannot save content: it holds {count:,} values, and at most {MAX_VALUES:,} can be read back; put numbers into "
            "NumPy arrays, each of which counts as few."
        )
    sealed = _Hashing(file, key)
    pickler = pickle.Pickler(sealed, protocol=PROTOCOL)
    pickler.fast = True  # no memo: every value is written where it stands
    pickler.dump(envelope)
    if sealed.mac is None:
        sealed.write(SEALED)
    else:
        sealed.write(SIGNED)
        sealed.write(sealed.mac.digest())
    file.write(sealed.hash.digest())


def read_seal(data: bytes, refuse: Refuse) -> Seal:
    """The seal of a whole file, whose hash is right; whether it was signed with the right key, `check_key` finds out."""
    body = len(data) - _DIGEST
    for magic, mac in ((SEALED, 0), (SIGNED, _DIGEST)):
        size = body - mac - len(magic)
        if size >= 0 and data[size : size + len(magic)] == magic:
            break
    else:
        refuse("is no jaxnet file, or was cut short: its trailer is missing")
    if not hmac.compare_digest(hashlib.sha256(memoryview(data)[:body]).digest(), data[body:]):
        refuse("is damaged: its checksum does not match its content")
    return Seal(size, data[body - mac : body] if mac else None)


def valid_key(key: Any) -> bytes | None:
    """`key` if it can serve as one; raises `InvalidInput`, which does not show it."""
    if key is None or (isinstance(key, bytes) and len(key) >= SHORTEST_KEY):
        return key
    what = f"{len(key)} bytes" if isinstance(key, bytes) else f"of type {type(key).__name__}"
    raise InvalidInput(f"key is {what}: pass at least {SHORTEST_KEY} bytes, such as secrets.token_bytes(32), or None.")


def check_key(data: bytes, seal: Seal, key: bytes | None, refuse: Refuse) -> None:
    """Refuse a signed file without the key that signed it, and one that is not signed where a key is given."""
    if key is None and seal.mac is None:
        return
    if key is None:
        refuse("is signed, and without its key nobody can tell by whom: pass the key it was saved with, key=...")
    if seal.mac is None:
        refuse("is not signed, so anyone may have written it: load it without key= if you trust where it comes from")
    signed = memoryview(data)[: seal.size + len(SIGNED)]
    if not hmac.compare_digest(hmac.digest(_derived(key), signed, "sha256"), seal.mac):
        refuse("was not signed with this key: it was saved with another, or changed by someone without it")


def _derived(key: bytes) -> bytes:
    return hashlib.sha256(b"jaxnet file key\n" + key).digest()


def read_envelope(data: bytes, seal: Seal, refuse: Refuse) -> dict[str, Any]:
    """The envelope: plain data, the keys of dicts text, still to be checked for meaning."""
    envelope = build(data, seal.size, refuse)
    if not isinstance(envelope, dict) or envelope.get("format") != "jaxnet" or type(envelope.get("version")) is not int:
        refuse("is no jaxnet file: its envelope is missing")
    return envelope


class _Hashing:
    """Passes writes on and keeps the SHA-256, and with a key the HMAC, of all that went through."""

    def __init__(self, file: BinaryIO, key: bytes | None) -> None:
        self.file, self.hash = file, hashlib.sha256()
        self.mac = None if key is None else hmac.new(_derived(key), digestmod="sha256")

    def write(self, data: bytes) -> int:
        self.hash.update(data)
        if self.mac is not None:
            self.mac.update(data)
        return self.file.write(data)
