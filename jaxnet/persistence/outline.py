"""What is inside a file, told without building it: for people who do not trust it, or cannot load it."""

from collections.abc import Iterator
from typing import Any

from jaxnet.errors import InvalidInput
from jaxnet.persistence.files import Opened, open_file
from jaxnet.persistence.stack import Refuse
from jaxnet.persistence.tree import TAG, decode

_MOST_LINES = 200
_MOST_ENTRIES = 6  # of a list, or numbers of an array
_MOST_LETTERS = 60
_NOTHING = object()


def outline(path: str, key: bytes | None = None) -> list[str]:
    """Lines that name everything in the file `path`: who wrote it, then names, kinds, shapes and dtypes, and small values.

    None of jaxnet's objects is built, and letters that steer terminals are written as escapes. A signed file needs no `key`
    here, but is not verified without. Raises `InvalidInput` for damaged and foreign files, as `load` does.
    """
    opened = open_file(path, key, verify=key is not None)
    lines = [f"{_cut(str(path))}: jaxnet format {opened.version}, {opened.size:,} bytes", _signature(opened, key)]
    for name, value in (*opened.metadata.items(), ("content", opened.content)):
        for line in _lines(name, value, 0, opened.refuse):
            if len(lines) == _MOST_LINES:
                return [*lines, "... and more"]
            lines.append(line)
    return lines


def _signature(opened: Opened, key: bytes | None) -> str:
    if not opened.signed:
        return "not signed: the checksum finds damage, but does not tell who wrote it"
    return "signed with this key" if key is not None else "signed, not verified without the key"


def _lines(name: str, value: Any, level: int, refuse: Refuse) -> Iterator[str]:
    """`value` under its name, and what is in it indented below."""
    what, inside = _describe(value, refuse)
    yield "  " * level + f"{_name(name):<{max(1, 20 - 2 * level)}} {what}".rstrip()
    for part, more in inside:
        yield from _lines(part, more, level + 1, refuse)


def _describe(value: Any, refuse: Refuse) -> tuple[str, list[tuple[str, Any]]]:
    """What to say of `value` on its line, and its named parts for the lines below."""
    if isinstance(value, (list, tuple)):
        return _describe_sequence(value)
    if not isinstance(value, dict):
        return "" if value is _NOTHING else _shown(value), []
    if TAG not in value:
        return "" if value else "{}", list(value.items())
    tag = value[TAG]
    if tag in ("array", "scalar", "texts"):
        try:
            return _describe_array(decode(value, "it", refuse)), []
        except InvalidInput:
            return f"{tag} whose dtype, shape and data do not fit together", []
    parts = value.get("parts")
    return _name(str(tag)), list(parts.items()) if isinstance(parts, dict) else []


def _describe_sequence(values: list | tuple) -> tuple[str, list[tuple[str, Any]]]:
    kind, shown, more = type(values).__name__, values[:_MOST_ENTRIES], len(values) > _MOST_ENTRIES
    if any(isinstance(value, (list, tuple, dict)) for value in shown):
        parts = [(f"[{i}]", value) for i, value in enumerate(shown)]
        return f"{kind} of {len(values):,}", parts + [("...", _NOTHING)] * more
    texts = ", ".join([*map(_shown, shown), *["..."] * more])
    return f"{kind} of {len(values):,}: {texts}" if values else f"empty {kind}", []


def _describe_array(array: Any) -> str:
    kind = "text" if array.dtype == object else array.dtype.name
    if array.ndim == 0:
        return f"{kind} {array[()]}"
    values = [_shown(value) for value in array.ravel()[:_MOST_ENTRIES].tolist()]
    dots = ["..."] * (array.size > len(values))
    few = f": {', '.join([*values, *dots])}" if array.size and array.ndim == 1 else ""
    return f"{kind} {array.shape}{few}"


def _shown(value: Any) -> str:
    """A value as Python writes it; whatever is not printable as an escape."""
    if isinstance(value, bytes):
        return f"{len(value):,} bytes"
    if isinstance(value, str):
        return repr(value[:_MOST_LETTERS]) + "..." * (len(value) > _MOST_LETTERS)
    return f"{value:.6g}" if isinstance(value, float) else f"{value!r:.{_MOST_LETTERS}}"


def _name(name: str) -> str:
    return _cut(name) if name.isprintable() and name.strip() == name != "" else _shown(name)


def _cut(name: str) -> str:
    return name if len(name) <= _MOST_LETTERS else name[:_MOST_LETTERS] + "..."
