"""Bodies of files as a forger could write them, from honest ones: frames that lie, lying lengths, any instruction, damage.

Each craft takes (rng, instructions) of an honest body without frames and gives a body and what it must come to: REFUSED,
SAME (as the honest one), or FREE: refused or exactly what CPython's unpickler makes of it.
"""

import pickle
import pickletools
import struct
from itertools import pairwise
from pathlib import Path

import numpy as np
from saved import body_of

from jaxnet.persistence.opcodes import ALLOWED
from jaxnet.persistence.seal import SEALED

REFUSED, SAME, FREE = "refused", "same", "free"
BEGIN = b"\x80\x04"
GOLDEN = Path(__file__).parent / "golden" / "format_1"
STRINGS = {"STRING": b"''\n", "GLOBAL": b"os\nsystem\n", "INST": b"os\nsystem\n"}
LENGTHS = {
    -1: b"0\n",
    -2: b"\0",
    -3: bytes(4),
    -4: bytes(4),
    -5: bytes(8),
}  # by how pickletools knows an argument's length
MARKED = b"\x95" + struct.pack("<Q", 3) + b"J\0\0"  # a frame that ends behind two of an argument's four bytes


def argument_of(opcode) -> bytes:
    """Bytes that serve as the argument of an instruction of pickletools."""
    if opcode.arg is None:
        return b""
    return STRINGS.get(opcode.name) or LENGTHS.get(opcode.arg.n) or bytes(opcode.arg.n)


def hide(hidden: list[bytes]) -> bytes:
    """A body in which pickletools finds numbers and bytes only, and CPython's unpickler these instructions.

    Its frame ends inside the argument of BININT. The unpickler reads that argument behind the frame, so the head of the next
    instruction, which holds `hidden` as bytes, is part of it. Each piece of `hidden` ends with the head of a text that
    swallows the head of the next piece.
    """
    pieces, piece = [], b"0"
    for instruction in hidden:
        if len(piece) + len(instruction) > 120:
            pieces.append(piece + b"\x8c\2")
            piece = b"0"
        piece += instruction
    pieces.append(piece)
    return BEGIN + MARKED + b"\1\0" + b"".join(b"C" + bytes([len(piece)]) + piece for piece in pieces) + b"."


def instructions_of(body: bytes) -> list[bytes]:
    """The instructions of an honest body, as pickletools cuts it, without its frames."""
    starts = [(position, opcode.name) for opcode, _, position in pickletools.genops(body)]
    ends = [position for position, _ in starts[1:]] + [len(body)]
    return [body[start:end] for (start, name), end in zip(starts, ends, strict=True) if name != "FRAME"]


def golden_body(name: str) -> bytes:
    """What the golden file of that name has before its trailer."""
    return (GOLDEN / f"{name}.jaxnet").read_bytes()[: -32 - len(SEALED)]


def every_instruction() -> bytes:
    """An honest body that has every instruction there may be, those for large values with small ones."""
    parts = [None, True, False, 1, 300, -5, 2**40, 0.5, "text", b"bytes", [], {}, (), (1,), (1, 2), (1, 2, 3)]
    parts += [(1, 2, 3, 4), [1], {"a": 1}, {"a": 1, "b": [1, 2]}]
    large = [b"X" + struct.pack("<I", 3) + b"abc", b"\x8d" + struct.pack("<Q", 4) + "\xe4\xf6".encode()]
    large += [b"B" + struct.pack("<I", 3) + b"abc", b"\x8e" + struct.pack("<Q", 2) + b"\0\1"]
    whole = instructions_of(body_of([parts, "HERE"]))
    at = whole.index(b"\x8c\x04HERE")
    body = b"".join([*whole[:at], b"](", *large, b"e", *whole[at + 1 :]])
    assert {code[0] for code in instructions_of(body)} == ALLOWED - {0x95}
    return body


def framed(pieces: list[bytes]) -> bytes:
    """Pieces of a body behind its first two bytes, each a frame."""
    return BEGIN + b"".join(b"\x95" + struct.pack("<Q", len(piece)) + piece for piece in pieces)


def cut_argument(rng, parts):
    """A frame that ends inside an argument."""
    arguments = [i for i, part in enumerate(parts) if i > 0 and len(part) > 1]
    i = int(rng.choice(arguments))
    first, inside = int(rng.integers(1, i + 1)), int(rng.integers(1, len(parts[i])))
    frame = b"".join(parts[first:i]) + parts[i][:inside]
    before, behind = b"".join(parts[1:first]), parts[i][inside:] + b"".join(parts[i + 1 :])
    return BEGIN + before + framed([frame])[2:] + behind, REFUSED


def honest_frames(rng, parts):
    """Frames that end where instructions do."""
    cuts = sorted({1, len(parts), *rng.integers(1, len(parts), rng.integers(0, 6)).tolist()})
    return framed([b"".join(parts[a:b]) for a, b in pairwise(cuts)]), SAME


def frame_in_a_frame(rng, parts):
    """A frame that begins in another, and ends before, with or behind it."""
    a, b, c = np.sort(rng.integers(1, len(parts), 3))
    inner = framed([b"".join(parts[b:c])])[2:]
    whole = b"".join(parts[a:b]) + inner + b"".join(parts[c:])
    end = int(rng.integers(len(b"".join(parts[a:b])) + 1, len(whole) + 1))
    return BEGIN + b"".join(parts[1:a]) + b"\x95" + struct.pack("<Q", end) + whole, REFUSED


def frame_beyond_the_end(rng, parts):
    i = int(rng.integers(1, len(parts)))
    rest = b"".join(parts[i:])
    length = [len(rest) + 1, len(rest) + 60, 2**31, 2**63 - 1, 2**63, 2**64 - 1][rng.integers(6)]
    return BEGIN + b"".join(parts[1:i]) + b"\x95" + struct.pack("<Q", length) + rest, REFUSED


def lying_length(rng, parts):
    """A text or bytes that claim to go beyond the end."""
    widths = {0x8C: 1, 0x43: 1, 0x8A: 1, 0x58: 4, 0x42: 4, 0x8D: 8, 0x8E: 8}
    kinds = list(widths)
    if rng.integers(2):
        i = int(rng.choice([i for i, part in enumerate(parts) if part[0] in widths]))
        code = parts[i][0]
    else:
        i, code = int(rng.integers(1, len(parts))), kinds[rng.integers(len(kinds))]
    most, width = 256 ** widths[code], widths[code]
    left = sum(map(len, parts[i:]))
    length = min(most - 1, [left + 1 + int(rng.integers(99)), most // 2 - 1, most // 2, most - 1][rng.integers(4)])
    behind = parts[i][1 + width :] + b"".join(parts[i + 1 :]) if parts[i][0] == code else b"".join(parts[i:])
    body = BEGIN + b"".join(parts[1:i]) + bytes([code]) + length.to_bytes(width, "little") + behind
    return body, REFUSED if length > len(behind) else FREE


def any_instruction(rng, parts):
    """An instruction of any protocol, at any place."""
    opcode = pickletools.opcodes[rng.integers(len(pickletools.opcodes))]
    i, code = int(rng.integers(1, len(parts))), opcode.code.encode("latin-1")
    body = BEGIN + b"".join([*parts[1:i], code + argument_of(opcode), *parts[i:]])
    known = code[0] in ALLOWED and code != BEGIN[:1]
    return body, FREE if known else REFUSED


def hidden_instruction(rng, parts):
    """An instruction of any protocol where only CPython's unpickler finds it."""
    opcode = pickletools.opcodes[rng.integers(len(pickletools.opcodes))]
    i = int(rng.integers(1, min(len(parts), 9)))
    parts = [part for part in parts if len(part) < 100]
    return hide([*parts[1:i], opcode.code.encode("latin-1") + argument_of(opcode), *parts[i:]]), REFUSED


def doubled_value(rng, parts):
    """A value that is taken twice, by DUP or through the memo, in place of one that stands there."""
    i = int(rng.choice([i for i, part in enumerate(parts) if part[0] in b"]})NK"]))
    twice = [b"2", b"\x94h\0", b"q\0h\0", b"r\0\0\0\0j\0\0\0\0", b"p0\ng0\n", b"\x94a"][rng.integers(6)]
    return BEGIN + b"".join([*parts[1 : i + 1], twice, b"\x86", *parts[i + 1 :]]), REFUSED


def damage(rng, parts):
    """Bytes changed, taken out, put in, moved and repeated at random."""
    body = bytearray(b"".join(parts))
    for _ in range(rng.integers(1, 5)):
        at, length = int(rng.integers(2, len(body))), int(rng.integers(1, 12))
        other = int(rng.integers(2, len(body)))
        match rng.integers(6):
            case 0:
                body[at] = rng.integers(256)
            case 1:
                body[at] ^= 1 << int(rng.integers(8))
            case 2:
                del body[at : min(at + length, len(body) - 1)]
            case 3:
                body[at:at] = rng.bytes(length)
            case 4:
                body[at:at] = body[other : other + length]
            case _:
                body[at : at + length] = body[other : other + length]
    return bytes(body), FREE


def cut_short(rng, parts):
    body = b"".join(parts)
    return body[: rng.integers(len(body) - 1)] + b"." * int(rng.integers(2)), REFUSED


def moved_instructions(rng, parts):
    """Whole instructions taken out, exchanged and repeated: every one is known, their order is not."""
    parts = list(parts)
    for _ in range(rng.integers(1, 4)):
        a, b = (int(k) for k in rng.integers(1, len(parts), 2))
        match rng.integers(3):
            case 0:
                del parts[a]
            case 1:
                parts[a], parts[b] = parts[b], parts[a]
            case _:
                parts.insert(a, parts[b])
    return b"".join(parts), FREE


STRANGE = [
    *(
        None,
        True,
        0,
        -1,
        1,
        2,
        2**31,
        2**62,
        2**64 - 1,
        -(2**63),
        0.5,
        -0.0,
        1e308,
        float("nan"),
        float("inf"),
        "",
        "x",
        "~",
    ),
    *(
        "\ud800",
        "array",
        "x" * 5000,
        b"",
        b"\0" * 8,
        [],
        {},
        (),
        [[]],
        {"~": None},
        {"~": "array"},
        {"~": "KFold", "parts": {}},
    ),
    *({"~": "texts", "texts": ("a",)}, {"~": "scalar", "dtype": "<f8", "data": bytes(8)}),
    *(
        {"~": "array", "dtype": dtype, "shape": (2,), "data": b"\xff" * 2 * int(dtype[2])}
        for dtype in ("<f8", "<i8", "<u2")
    ),
    *({"~": "array", "dtype": "<f8", "shape": shape, "data": b""} for shape in ((0,), (0, 3), (2, 0, 2**40))),
]


def another_value(rng, parts):
    """A well-formed body in which a few parts of the content are other values."""
    envelope = pickle.loads(b"".join(parts))
    for _ in range(rng.integers(1, 4)):
        envelope["content"] = _exchanged(rng, envelope["content"])
    return body_of(**envelope), FREE


def _exchanged(rng, value):
    """`value` with something in it replaced, taken out or repeated."""
    if not isinstance(value, (list, tuple, dict)) or not value or rng.random() < 0.1:
        return STRANGE[rng.integers(len(STRANGE))]
    at, act = int(rng.integers(len(value))), rng.random()
    if isinstance(value, dict):
        key = list(value)[at]
        if act < 0.1:
            return {name: part for name, part in value.items() if name != key}
        if act < 0.15:
            return {**value, "more": STRANGE[rng.integers(len(STRANGE))]}
        return {**value, key: _exchanged(rng, value[key])}
    changed = list(value)
    if act < 0.1:
        del changed[at]
    elif act < 0.2:
        changed.append(value[at])
    else:
        changed[at] = _exchanged(rng, value[at])
    return type(value)(changed)


CRAFTS = [
    cut_argument,
    honest_frames,
    frame_in_a_frame,
    frame_beyond_the_end,
    lying_length,
    any_instruction,
    hidden_instruction,
    doubled_value,
    damage,
    cut_short,
    moved_instructions,
    another_value,
]
