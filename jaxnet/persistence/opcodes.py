"""What a pickle would do, found out by reading it: only plain data, little nested, with text keys, may pass.

Python's unpickler, written in C, follows a pickle blindly. A tuple nested a million deep as the key of a dict, for
instance, overflows its stack and ends the process. So the depth and the keys are worked out beforehand, from the
instructions alone. That is possible because values are never shared: whatever is inside another value stays as it is.
"""

import pickletools
from collections.abc import Callable
from typing import NoReturn

from jaxnet.errors import InvalidInput

Refuse = Callable[[str], NoReturn]
"""Raises `InvalidInput` with the file's name and this reason."""

PROTOCOL = 4
MAX_DEPTH = 80
MAX_OPCODES = 5_000_000  # each makes an object of 64 bytes at most, beside the bytes that the file itself holds
_TEXT = -1  # stands for a text among depths

# No GLOBAL, REDUCE, BUILD and their like; no memo either, so that a small file cannot unfold into a huge object.
_NO_VALUE = {"PROTO", "FRAME", "STOP"}
_TEXTS = {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"}
_SCALARS = {
    *("NONE", "NEWTRUE", "NEWFALSE", "BININT", "BININT1", "BININT2", "LONG1", "BINFLOAT"),
    *("SHORT_BINBYTES", "BINBYTES", "BINBYTES8"),
}
_EMPTY = {"EMPTY_LIST", "EMPTY_DICT", "EMPTY_TUPLE"}
_TUPLES = {"TUPLE1": 1, "TUPLE2": 2, "TUPLE3": 3}
_FILLING = {"APPEND", "APPENDS", "SETITEM", "SETITEMS", "TUPLE"}
_ALLOWED = {"MARK", *_NO_VALUE, *_TEXTS, *_SCALARS, *_EMPTY, *_TUPLES, *_FILLING}


def check_opcodes(data: bytes, size: int, refuse: Refuse) -> None:
    """Refuse the pickle at the start of `data` unless it builds plain data, and ends after `size` bytes.

    Plain: instructions of the list above, at most MAX_OPCODES of them; at most MAX_DEPTH containers in one another; every
    key of a dict a text.
    """
    stack, end = _Stack(refuse), 0
    try:
        for count, (opcode, argument, position) in enumerate(pickletools.genops(data), start=1):
            if opcode.name not in _ALLOWED or (opcode.name == "PROTO" and argument != PROTOCOL):
                refuse(f"is refused: it holds the pickle instruction {opcode.name}, which jaxnet never writes")
            if count > MAX_OPCODES:
                refuse(f"is refused: it holds more than {MAX_OPCODES:,} values")
            stack.follow(opcode.name)
            end = position + 1
    except InvalidInput:
        raise
    except Exception as error:  # genops meets arbitrary bytes here
        refuse(f"is damaged: it is no well-formed pickle ({type(error).__name__}: {error})")
    if end != size:
        refuse("is damaged: its content does not end where its trailer begins")


class _Stack:
    """The unpickler's stack, of which only depths are kept: 0 for a number, one more than what is inside for a container."""

    def __init__(self, refuse: Refuse) -> None:
        self.depths: list[int] = []
        self.marks: list[int] = []
        self.refuse = refuse

    def follow(self, name: str) -> None:
        """Do to the depths what the instruction does to the values."""
        if name in _TEXTS:
            self.depths.append(_TEXT)
        elif name in _SCALARS:
            self.depths.append(0)
        elif name in _EMPTY:
            self.depths.append(1)
        elif name == "MARK":
            self.marks.append(len(self.depths))
        elif name in _TUPLES:
            inside = [self.depths.pop() for _ in range(_TUPLES[name])]
            self._nest(1, inside)
        elif name == "TUPLE":
            self._nest(1, self._above_mark())
        elif name == "APPEND":
            inside = [self.depths.pop()]
            self._nest(self.depths.pop(), inside)
        elif name == "APPENDS":
            inside = self._above_mark()
            self._nest(self.depths.pop(), inside)
        elif name in ("SETITEM", "SETITEMS"):
            inside = [self.depths.pop() for _ in "kv"][::-1] if name == "SETITEM" else self._above_mark()
            if any(key != _TEXT for key in inside[::2]):
                self.refuse("is refused: it holds a dict whose keys are not text")
            self._nest(self.depths.pop(), inside)

    def _above_mark(self) -> list[int]:
        start = self.marks.pop()
        inside = self.depths[start:]
        del self.depths[start:]
        return inside

    def _nest(self, container: int, inside: list[int]) -> None:
        depth = max(container, 1 + max(inside, default=0))
        if depth > MAX_DEPTH:
            self.refuse(f"is refused: it is nested more than {MAX_DEPTH} deep")
        self.depths.append(depth)
