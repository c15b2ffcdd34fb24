"""Signed files load with their key only, and with a key nothing else loads."""

import hashlib
import hmac
import pickle
import secrets

import numpy as np
import pytest
from saved import equal, model

from jaxnet import load, save
from jaxnet.errors import InvalidInput
from jaxnet.persistence.seal import SEALED, SIGNED

KEY = b"a key of 32 bytes, for the tests"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "thing.jaxnet"


def test_signed_files_load_with_their_key(path):
    for key in (KEY, secrets.token_bytes(16), bytes(200)):
        save({"a": np.arange(3.0)}, path, key=key)
        assert equal(load(path, key=key), {"a": np.arange(3.0)})


@pytest.mark.parametrize(
    ("written", "read", "pattern"),
    [
        (KEY, None, "is signed, and without its key"),
        (KEY, KEY[::-1], "not signed with this key"),
        (KEY, KEY + b"\0", "not signed with this key"),
        (None, KEY, "is not signed"),
    ],
)
def test_other_keys_are_refused(written, read, pattern, path):
    save(model("Lasso"), path, key=written)
    with pytest.raises(InvalidInput, match=f"thing.jaxnet .*{pattern}"):
        load(path, key=read)


def resealed(body: bytes) -> bytes:
    """With a right hash, which needs no key."""
    return body + hashlib.sha256(body).digest()


def test_changed_files_with_a_right_hash_are_refused(path):
    """Whoever lacks the key can neither change a byte, nor drop or copy the signature."""
    save([1, 2, "text"], path, key=KEY)
    signed = path.read_bytes()[:-32]
    body, mac = signed[: -32 - len(SIGNED)], signed[-32:]
    for position in range(len(signed)):
        changed = bytearray(signed)
        changed[position] ^= 1 << position % 8
        path.write_bytes(resealed(bytes(changed)))
        with pytest.raises(InvalidInput, match=r"not signed with this key|trailer is missing"):
            load(path, key=KEY)
    save([1, 2, "other"], path, key=KEY)
    other = path.read_bytes()[: -64 - len(SIGNED)]
    forgeries = (
        body + SEALED,
        other + SIGNED + mac,
        body + SIGNED + bytes(32),
        body + SIGNED + hmac.digest(b"", body + SIGNED, "sha256"),
    )
    for forged in forgeries:
        path.write_bytes(resealed(forged))
        with pytest.raises(InvalidInput, match="not signed"):
            load(path, key=KEY)


@pytest.mark.parametrize("key", [b"", b"short", "a text of more than 16 letters", 7, bytearray(32)])
def test_unfit_keys_are_refused_without_showing_them(key, path):
    for call in (lambda: save(1, path, key=key), lambda: load(path, key=key)):
        with pytest.raises(InvalidInput, match="pass at least 16 bytes") as caught:
            call()
        assert "short" not in str(caught.value) and "letters" not in str(caught.value)
    assert not path.exists()


def test_signed_files_are_pickles_too(path):
    save(1.5, path, key=KEY)
    assert pickle.loads(path.read_bytes())["content"] == 1.5
