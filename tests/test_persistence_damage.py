"""Damage of any kind is found, and payloads under a right checksum do nothing but fail or give data."""

import pickletools
import subprocess
import sys

import numpy as np
import pytest
from crafted import argument_of
from saved import model, seal_bytes
from test_persistence_keys import KEY

import jaxnet
from jaxnet import load, save
from jaxnet.errors import InvalidInput
from jaxnet.persistence.opcodes import ALLOWED
from jaxnet.persistence.seal import SEALED


@pytest.fixture
def path(tmp_path):
    return tmp_path / "thing.jaxnet"


def flips(whole: bytes):
    """`whole` with each of its bits flipped in turn."""
    for position in range(len(whole)):
        for bit in range(8):
            damaged = bytearray(whole)
            damaged[position] ^= 1 << bit
            yield bytes(damaged)


@pytest.mark.parametrize("key", [None, KEY], ids=["sealed", "signed"])
def test_every_truncation_and_every_bit_flip_is_refused(key, path):
    save({"numbers": np.arange(3.0), "text": ["a", None, True]}, path, key=key)
    whole = path.read_bytes()
    for damaged in (*(whole[:length] for length in range(len(whole))), *flips(whole), whole + b"\0", whole * 2):
        path.write_bytes(damaged)
        with pytest.raises(InvalidInput, match=r"thing\.jaxnet"):
            load(path, key=key)
    path.write_bytes(whole)
    assert load(path, key=key)["text"] == ["a", None, True]


@pytest.mark.parametrize("content", [model("Lasso"), {"a": [np.ones(2), np.float32(1)], "b": ("x", 1.5, None)}])
def test_every_bit_flip_under_a_right_checksum_is_data_or_refused(content, path):
    """Whoever changes a file on purpose gets other numbers in, or an error: no other exception, no crash, no other class."""
    save(content, path)
    whole = path.read_bytes()[: -32 - len(SEALED)]
    refused = loaded = 0
    for damaged in flips(whole):
        seal_bytes(damaged, path)
        try:
            found = load(path)
        except InvalidInput:
            refused += 1
        else:
            loaded += 1
            assert isinstance(found, type(content) | jaxnet.Lasso | list | tuple | dict | str | bytes | int)
    assert refused > len(whole) and loaded > 0


FORBIDDEN = [opcode for opcode in pickletools.opcodes if ord(opcode.code) not in ALLOWED]


def test_opcodes_that_can_call_or_share_are_forbidden():
    calling = {"GLOBAL", "STACK_GLOBAL", "REDUCE", "BUILD", "INST", "OBJ", "NEWOBJ", "NEWOBJ_EX", "PERSID", "BINPERSID"}
    sharing = {"EXT1", "EXT2", "EXT4", "GET", "BINGET", "LONG_BINGET", "DUP", "NEXT_BUFFER", "READONLY_BUFFER"}
    assert calling | sharing <= {opcode.name for opcode in FORBIDDEN}


@pytest.mark.parametrize("opcode", FORBIDDEN, ids=lambda opcode: opcode.name)
def test_each_forbidden_opcode_is_refused_by_name(opcode, path):
    for before in (b"", b"]", b"(", b"\x8c\x02os\x8c\x06system", b"\x8c\x04path(N"):
        seal_bytes(b"\x80\x04" + before + opcode.code.encode("latin-1") + argument_of(opcode) + b".", path)
        with pytest.raises(InvalidInput, match=rf"is refused: it holds the pickle instruction {opcode.name},"):
            load(path)


BOMBS = r"""
import pickle, resource, sys
sys.path.insert(0, sys.argv[2])
from pathlib import Path
from saved import seal_bytes
from jaxnet import load
from jaxnet.errors import InvalidInput

laughs = "ha"
for _ in range(40):
    laughs = [laughs] * 10
size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
resource.setrlimit(resource.RLIMIT_AS, (size + 700_000_000,) * 2)
most = b"\xff" * 7 + b"\x7f"
bombs = [
    pickle.dumps(laughs, protocol=4),
    b"\x80\x04]" + b"2a" * 10**6 + b".",
    *(b"\x80\x04" + code + most + b"x." for code in (b"\x8d", b"\x8e", b"\x96", b"\x95")),
    *(b"\x80\x04" + code + b"\xff\xff\xff\x7fx." for code in (b"X", b"B", b"\x8b", b"r")),
    b"\x80\x04" + b"(" * 10**6 + b".",
    b"\x80\x04(" + b"}" * 10**7 + b"l.",
    b"\x80\x04" + b"]" * 10**7 + b".",
    b"\x80\x04\x8a\xff" + b"\x7f" * 255 + b".",
]
for number, bomb in enumerate(bombs):
    seal_bytes(bomb, Path(sys.argv[1]))
    try:
        load(sys.argv[1])
    except InvalidInput:
        continue
    raise SystemExit(f"bomb {number} was loaded")
print(len(bombs), "refused")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="limits memory as Linux does")
def test_memory_bombs_are_refused_within_little_memory(path, request):
    command = [sys.executable, "-c", BOMBS, str(path), str(request.path.parent)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=100)
    assert done.stdout.strip() == "14 refused", done.stderr
