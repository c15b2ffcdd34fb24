"""The instructions that a file may consist of, and the one reader that carries them out.

A file is a pickle, but no unpickler ever gets its bytes. An unpickler does more than build plain data, and a check in front
of it is another reader, which may find other instructions in the same bytes: where a frame ends inside an argument, those of
CPython disagree on where that argument lies. `build` reads every instruction once and does it at once: what it does not
know, it cannot do. Every step reads on by a byte at least, so that time is in proportion to the size of the file.
"""

import pickle  # for the names of instructions
import struct
from collections.abc import Callable
from typing import Any, NoReturn

from jaxnet.persistence.stack import Refuse, Stack

PROTOCOL = 4
WHOLE = range(-(2**63), 2**64)
"""The integers that a file may hold."""


def _signed(raw: bytes) -> int:
    return int.from_bytes(raw, "little", signed=True)


def _unsigned(raw: bytes) -> int:
    return int.from_bytes(raw, "little")


def _whole(raw: bytes) -> int:
    value = _signed(raw)
    if value not in WHOLE:
        raise ValueError("an integer of more than 64 bits")
    return value


def _real(raw: bytes) -> float:
    return struct.unpack(">d", raw)[0]


def _text(raw: bytes) -> str:
    try:
        return raw.decode("utf-8", "surrogatepass")  # as it is written, with halves of surrogate pairs as letters
    except UnicodeDecodeError:
        raise ValueError("a text that is not UTF-8") from None


_BEGIN = pickle.PROTO + bytes([PROTOCOL])
_MARK, _FRAME, _STOP = pickle.MARK[0], pickle.FRAME[0], pickle.STOP[0]
_LENGTH = 8  # bytes of the length of a frame

_VALUES: dict[int, tuple[int, bool, int, Callable[[bytes], Any]]] = {
    pickle.NONE[0]: (0, False, 0, lambda raw: None),
    pickle.NEWTRUE[0]: (0, False, 0, lambda raw: True),
    pickle.NEWFALSE[0]: (0, False, 0, lambda raw: False),
    pickle.EMPTY_LIST[0]: (0, False, 1, lambda raw: []),
    pickle.EMPTY_DICT[0]: (0, False, 1, lambda raw: {}),
    pickle.EMPTY_TUPLE[0]: (0, False, 1, lambda raw: ()),
    pickle.BININT1[0]: (1, False, 0, _unsigned),
    pickle.BININT2[0]: (2, False, 0, _unsigned),
    pickle.BININT[0]: (4, False, 0, _signed),
    pickle.BINFLOAT[0]: (8, False, 0, _real),
    pickle.LONG1[0]: (1, True, 0, _whole),
    pickle.SHORT_BINUNICODE[0]: (1, True, 0, _text),
    pickle.BINUNICODE[0]: (4, True, 0, _text),
    pickle.BINUNICODE8[0]: (8, True, 0, _text),
    pickle.SHORT_BINBYTES[0]: (1, True, 0, bytes),
    pickle.BINBYTES[0]: (4, True, 0, bytes),
    pickle.BINBYTES8[0]: (8, True, 0, bytes),
}
"""Of each instruction that makes a value: bytes of its argument; whether that is the length, without sign, of what follows
and is meant; how deep the value is; and how it is made."""
_FILLS: dict[int, tuple[Callable[[Stack, int | None], None], int | None]] = {
    pickle.TUPLE1[0]: (Stack.make_tuple, 1),
    pickle.TUPLE2[0]: (Stack.make_tuple, 2),
    pickle.TUPLE3[0]: (Stack.make_tuple, 3),
    pickle.TUPLE[0]: (Stack.make_tuple, None),
    pickle.APPEND[0]: (Stack.fill_list, 1),
    pickle.APPENDS[0]: (Stack.fill_list, None),
    pickle.SETITEM[0]: (Stack.fill_dict, 2),
    pickle.SETITEMS[0]: (Stack.fill_dict, None),
}
"""Of each instruction that puts values into a container: what does it, and with how many of them."""
ALLOWED = frozenset({*_BEGIN[:1], _MARK, _FRAME, _STOP, *_VALUES, *_FILLS})
"""All instructions that there may be, by their bytes."""


def build(data: bytes, size: int, refuse: Refuse) -> Any:
    """The value that the first `size` bytes of `data` say how to build: plain data, the keys of dicts text.

    They are PROTO 4, then instructions of the tables above, up to a STOP that is the last byte. Frames stand one behind the
    other, hold whole instructions, and change nothing.
    """
    if not data.startswith(_BEGIN, 0, size):
        refuse(f"is refused: its content does not begin as a pickle of protocol {PROTOCOL}")
    stack, at, end, framed = Stack(refuse), len(_BEGIN), size, False
    while True:
        if at == end:  # of a frame, or of everything
            end, framed = size, False
            if at == size:
                _refuse_end(refuse)
        code, at = data[at], at + 1
        if code in _VALUES:
            width, sized, depth, make = _VALUES[code]
            start, at = at, at + width
            if sized:
                start, at = at, at + _unsigned(data[start:at])
            if at > end and framed:
                refuse("is refused: one of its frames ends inside an instruction")
            if at > end:
                _refuse_end(refuse)
            try:
                value = make(data[start:at])
            except ValueError as error:
                refuse(f"is damaged: it holds {error}")
            stack.push(value, depth)
        elif code in _FILLS:
            fill, count = _FILLS[code]
            fill(stack, count)
        elif code == _MARK:
            stack.mark()
        elif code == _FRAME:
            start, at = at, at + _LENGTH
            if framed or _unsigned(data[start:at]) > size - at:
                refuse("is refused: one of its frames begins in another, or goes beyond the end")
            end, framed = at + _unsigned(data[start:at]), True
        elif code == _STOP:
            break
        else:
            _refuse_code(code, refuse)
    if at != size:
        _refuse_end(refuse)
    return stack.only()


def _refuse_end(refuse: Refuse) -> NoReturn:
    refuse("is damaged: its content does not end where its trailer begins")


def _refuse_code(code: int, refuse: Refuse) -> NoReturn:
    """Refuse what is not in the tables."""
    import pickletools  # for its name only, and only here

    known = pickletools.code2op.get(chr(code))
    if known is None:
        refuse(f"is damaged: it is no well-formed pickle (no instruction has the byte {code:#04x})")
    refuse(f"is refused: it holds the pickle instruction {known.name}, which jaxnet never writes")
