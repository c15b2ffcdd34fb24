"""Writing objects to files and reading them back."""

from pathlib import Path
from typing import Any, NoReturn

from jaxnet import __version__
from jaxnet.data.atomic import atomic_file
from jaxnet.errors import InvalidInput
from jaxnet.persistence.seal import read_sealed, write_sealed
from jaxnet.persistence.tree import decode, encode

FORMAT_VERSION = 1


def save(obj: Any, path: str | Path) -> None:
    """Write `obj` to `path`, in one step: an interrupted or failed write leaves what was there before.

    obj: a `SweepResult`, `BestFit`, `KFold`, an estimator (fitted or not), or builtins and arrays of booleans, integers,
    reals or text; also nested in dicts (with text keys), lists and tuples. Everything comes back with its own type and the
    same bits, except that arrays become row-major NumPy arrays in the byte order of the machine.

    Raises `InvalidInput` naming the place of what cannot be saved, and `OSError` if the file cannot be written.

    >>> import numpy as np
    >>> save({"alpha": 0.1, "coef": np.zeros(3)}, "example.jaxnet")
    """
    content = encode(obj, "content")
    envelope = {"format": "jaxnet", "version": FORMAT_VERSION, "written_by": __version__, "content": content}
    with atomic_file(path) as file:
        write_sealed(envelope, file)


def load(path: str | Path) -> Any:
    """What `save` wrote to `path`, whole and unchanged.

    Raises `InvalidInput` if the file is damaged, is no jaxnet file or comes from a newer jaxnet, and `OSError` if it
    cannot be read.

    >>> save([1, 2.5], "example.jaxnet"); load("example.jaxnet")
    [1, 2.5]
    """
    path = Path(path)
    data = path.read_bytes()

    def refuse(reason: str) -> NoReturn:
        raise InvalidInput(f"{path} {reason}.")

    envelope = read_sealed(data, refuse)
    if envelope["version"] > FORMAT_VERSION:
        refuse(
            f"has format version {envelope['version']}, written by jaxnet {envelope.get('written_by')}; jaxnet "
            f"{__version__} reads up to version {FORMAT_VERSION}: upgrade jaxnet"
        )
    if envelope.keys() != {"format", "version", "written_by", "content"}:
        refuse("is damaged: its envelope has unexpected parts")
    return decode(envelope["content"], "content", refuse)
