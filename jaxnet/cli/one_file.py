"""One file that a command writes: whether it may, and writing it whole or not at all."""

import os
from collections.abc import Iterable

from jaxnet.data.atomic import atomic_file
from jaxnet.errors import InvalidInput


def check_file(out: str, overwrite: bool, what: str, option: str = "--out") -> None:
    """Raise InvalidInput unless a file may be written to `out`."""
    if os.path.isdir(out):
        raise InvalidInput(f"{option} {out} is a folder: name a file for {what}.")
    if os.path.isfile(out) and not overwrite:
        raise InvalidInput(f"{option} {out} exists: choose another file, or add --overwrite to replace it.")
    folder = os.path.dirname(os.path.realpath(out))
    if not os.path.isdir(folder):
        raise InvalidInput(f"{option} {out}: there is no folder {folder}.")


def write_file(out: str, content: bytes | Iterable[bytes], option: str = "--out") -> None:
    """The content, or its parts one after the other. Raises OSError saying which file could not be written."""
    try:
        with atomic_file(out) as file:
            for part in [content] if isinstance(content, bytes) else content:
                file.write(part)
    except OSError as error:
        raise OSError(error.errno, f"cannot write {option} {out}: {error.strerror}") from error


def image_format(out: str, option: str = "--out") -> str:
    """The format that the name of a picture asks for."""
    ending = os.path.splitext(out)[1].lower().lstrip(".")
    if ending not in ("png", "svg", "pdf"):
        raise InvalidInput(f"{option} {out}: the name of a picture ends in .png, .svg or .pdf.")
    return ending
