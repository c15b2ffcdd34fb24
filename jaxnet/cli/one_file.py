"""One file that a command writes: whether it may, and writing it whole or not at all."""

import importlib.util
import os
from collections.abc import Iterable
from pathlib import Path

from jaxnet.data.atomic import atomic_file, check_file_place
from jaxnet.data.regular import is_stream
from jaxnet.errors import InvalidInput


def check_file(out: str, overwrite: bool, what: str, option: str = "--out") -> None:
    """Raise InvalidInput unless a file may be written to `out`."""
    if os.path.isdir(out):
        raise InvalidInput(f"{option} {out} is a folder: name a file for {what}.")
    if os.path.isfile(out) and not overwrite:
        raise InvalidInput(f"{option} {out} exists: choose another file, or add --overwrite to replace it.")
    folder = os.path.dirname(os.path.realpath(out))
    if not os.path.isdir(folder) and not is_stream(Path(out)):
        raise InvalidInput(f"{option} {out}: there is no folder {folder}.")
    try:
        check_file_place(out)
    except OSError as error:
        raise InvalidInput(f"{option} {out} cannot be written: {error.strerror}.") from None


def check_picture(out: str, overwrite: bool, option: str = "--out") -> str:
    """The format that the name of a picture asks for; raises InvalidInput unless one can be drawn and written to `out`."""
    ending = os.path.splitext(out)[1].lower().lstrip(".")
    if ending not in ("png", "svg", "pdf"):
        raise InvalidInput(f"{option} {out}: the name of a picture ends in .png, .svg or .pdf.")
    check_file(out, overwrite, "the picture", option)
    check_installed("a picture", "matplotlib")
    return ending


def check_page(out: str, overwrite: bool) -> None:
    """Raise InvalidInput unless a page can be made and written to `out`."""
    check_file(out, overwrite, "the page")
    check_installed("a page", "matplotlib", "jinja2")


def check_installed(what: str, *packages: str) -> None:
    """Raise InvalidInput for want of a package, which is not imported."""
    lacking = [name for name in packages if importlib.util.find_spec(name) is None]
    if lacking:
        raise InvalidInput(
            f"{what} needs {' and '.join(lacking)}, not installed here: pip install 'jaxnet-elasticnet[all]'."
        )


def check_apart(**outputs: str | None) -> None:
    """Raise InvalidInput where one option's file would be another's, or in its folder."""
    places = {name: os.path.realpath(path) for name, path in outputs.items() if path is not None}
    for name, place in places.items():
        for other, folder in places.items():
            if name != other and (place == folder or place.startswith(folder + os.sep)):
                where = "are one place" if place == folder else f"collide, as one is in the other, {outputs[other]}"
                raise InvalidInput(f"--{name} and --{other} {where}: name two places, apart from each other.")


def write_file(out: str, content: bytes | Iterable[bytes], option: str = "--out") -> None:
    """The content, or its parts one after the other. Raises OSError saying which file could not be written."""
    try:
        with atomic_file(out) as file:
            for part in [content] if isinstance(content, bytes) else content:
                file.write(part)
    except OSError as error:
        raise OSError(error.errno, f"cannot write {option} {out}: {error.strerror or error}") from error
