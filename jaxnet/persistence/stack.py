"""Where the instructions of a file put their values, and take them from to fill lists, tuples and dicts.

An instruction takes its values off the stack, and none copies a value or keeps it for later. So nothing is shared: what has
been built is a tree of no more parts than there were instructions, contains itself nowhere, and a container that is still
being filled is inside no other.
"""

from collections.abc import Callable
from itertools import chain
from typing import Any, NoReturn

Refuse = Callable[[str], NoReturn]
"""Raises `InvalidInput` with the file's name and this reason."""

MAX_DEPTH = 80  # of containers in one another
MAX_VALUES = 5_000_000  # each an object of 100 bytes at most, beside the bytes that the file itself holds


def count_values(value: Any) -> int:
    """How many values a stack gets to build this one: it, its parts and theirs, with the keys of dicts."""
    count, level = 0, [value]
    while level:
        dicts = [part for part in level if type(part) is dict]
        count += len(level) + sum(map(len, dicts))
        insides = chain((part for part in level if type(part) in (list, tuple)), (part.values() for part in dicts))
        level = list(chain.from_iterable(insides))
    return count


class Stack:
    """Values that wait to be put into another, and how deep each is: 0 without parts, else one more than its deepest part.

    `count`, of the methods that take it, is how many values are taken; None takes all above the last mark, and the mark.
    """

    def __init__(self, refuse: Refuse) -> None:
        self._values: list[Any] = []
        self._depths: list[int] = []
        self._below: list[tuple[list[Any], list[int]]] = []  # what stood there at each open mark
        self._made = 0
        self._refuse = refuse

    def push(self, value: Any, depth: int) -> None:
        """Put a value on top, which no other place holds."""
        self._made += 1
        if self._made > MAX_VALUES:
            self._refuse(f"is refused: it holds more than {MAX_VALUES:,} values")
        self._values.append(value)
        self._depths.append(depth)

    def mark(self) -> None:
        """Begin to collect the parts of a container, which is inside those that are being collected."""
        if len(self._below) == MAX_DEPTH:
            self._refuse_depth()
        self._below.append((self._values, self._depths))
        self._values, self._depths = [], []

    def make_tuple(self, count: int | None) -> None:
        """Put a tuple in the place of its parts."""
        parts, depth = self._take(count)
        self.push(tuple(parts), depth)

    def fill_list(self, count: int | None) -> None:
        """Put values at the end of the list below them."""
        parts, depth = self._take(count)
        self._receiver(list, depth).extend(parts)

    def fill_dict(self, count: int | None) -> None:
        """Put keys and values, in turn, into the dict below them: new keys, and texts."""
        parts, depth = self._take(count)
        filled = self._receiver(dict, depth)
        keys, values, before = parts[::2], parts[1::2], len(filled)
        if len(keys) != len(values):
            self._refuse("is damaged: it holds a key without a value")
        if not set(map(type, keys)) <= {str}:
            self._refuse("is refused: it holds a dict whose keys are not text")
        filled.update(zip(keys, values, strict=True))
        if len(filled) != before + len(keys):
            self._refuse("is refused: it holds a dict with the same key twice")

    def only(self) -> Any:
        """The one value that there is at the end."""
        if self._below or len(self._values) != 1:
            self._refuse("is damaged: its instructions do not leave one value")
        return self._values[0]

    def _take(self, count: int | None) -> tuple[list[Any], int]:
        """Parts of a container, and how deep it is at least."""
        if count is None:
            if not self._below:
                self._refuse("is damaged: it ends a container that was not begun")
            parts, depths = self._values, self._depths
            self._values, self._depths = self._below.pop()
        else:
            if len(self._values) < count:
                self._refuse("is damaged: it fills a container with what is not there")
            parts, depths = self._values[-count:], self._depths[-count:]
            del self._values[-count:], self._depths[-count:]
        depth = 1 + max(depths, default=0)
        if depth > MAX_DEPTH:
            self._refuse_depth()
        return parts, depth

    def _receiver(self, kind: type, depth: int) -> Any:
        """The container on top, which gets parts and is at least so deep."""
        if not self._values or type(self._values[-1]) is not kind:
            self._refuse(f"is damaged: it fills a {kind.__name__} where there is none")
        self._depths[-1] = max(self._depths[-1], depth)
        return self._values[-1]

    def _refuse_depth(self) -> NoReturn:
        self._refuse(f"is refused: it is nested more than {MAX_DEPTH} deep")
