"""The folder a sweep writes and `jaxnet predict` reads: written whole or not at all."""

import json
import os
import shlex
from pathlib import Path
from typing import Any, NamedTuple

from jaxnet.data.atomic import atomic_folder, check_folder_place
from jaxnet.errors import InvalidInput
from jaxnet.persistence import load, save

MODEL = "model.jaxnet"
SUMMARY = "summary.json"
REPORT = "report.html"  # jaxnet report writes it, where not told otherwise


class Contents(NamedTuple):
    """What a command writes to a folder: how messages call it and what is there, the command, all files, those always there."""

    what: str
    earlier: str
    command: str
    files: frozenset[str]
    always: frozenset[str]


RUN = Contents(
    "run",
    "another run",
    "sweep",
    frozenset((MODEL, "coefficients.csv", "cv.csv", SUMMARY, REPORT)),
    frozenset((MODEL, SUMMARY)),
)
_TABLES = frozenset(("columns.csv", "patterns.csv", "pairs.csv", "comparisons.csv"))
MISSING_TABLES = Contents("tables of missing values", "earlier tables", "missing", _TABLES, _TABLES)


def check_free(folder: str, overwrite: bool, contents: Contents = RUN) -> None:
    """Raise unless these may be written to `folder`: it is new, empty, or has earlier ones that may be overwritten."""
    path = Path(folder)
    try:
        if path.exists() or path.is_symlink():
            _check_existing(path, overwrite, contents)
        check_folder_place(path)
    except NotADirectoryError:
        raise InvalidInput(f"--out {folder}: a part of its path is a file, not a folder.") from None
    except PermissionError:
        raise InvalidInput(f"--out {folder}: no permission to write there.") from None
    except OSError as error:
        raise InvalidInput(f"--out {folder} cannot be made: {error.strerror}.") from None


def _check_existing(path: Path, overwrite: bool, contents: Contents) -> None:
    if not path.is_dir():
        raise InvalidInput(f"--out {path} is no folder: name a folder that does not exist yet.")
    # A run takes the place of the folder in one step, which then is another folder of that name.
    if os.path.realpath(path) == os.getcwd():
        raise InvalidInput(f"--out {path} is the folder you are in: name a new folder in it, such as run/.")
    if os.path.ismount(path):
        raise InvalidInput(f"--out {path} is a mount point: name a new folder in it, such as {path / 'run'}.")
    present = {entry.name for entry in path.iterdir()}
    if not present:
        return
    if not contents.always <= present:
        raise InvalidInput(
            f"--out {path} holds files but no jaxnet {contents.what}, so it is left alone: choose another folder."
        )
    if not overwrite:
        raise InvalidInput(
            f"--out {path} holds {contents.earlier}: choose another folder, or add --overwrite to replace it."
        )
    strange = sorted(present - contents.files)
    if strange:
        raise InvalidInput(
            f"--out {path} also holds {strange[0]!r}, which jaxnet {contents.command} did not write and "
            "--overwrite would delete: move it away or choose another folder."
        )


def write_run(
    folder: str,
    overwrite: bool,
    *,
    model: dict[str, Any],
    tables: dict[str, str],
    summary: dict[str, Any],
    fingerprint: str,
) -> None:
    """Write the files of a run; the tables are the texts of coefficients.csv and cv.csv, by name.

    The file of the model also tells the request and the data, of which `fingerprint` is one.
    """
    check_free(folder, overwrite)
    try:
        with atomic_folder(folder) as draft:
            data = {**summary["data"], "fingerprint": fingerprint}
            save(model, draft / MODEL, metadata={"data": data, "configuration": summary["request"]})
            _write_texts(draft, {**tables, SUMMARY: json.dumps(summary, indent=2, allow_nan=False) + "\n"})
    except OSError as error:
        raise OSError(error.errno, f"cannot write --out {folder}, nothing was written: {error.strerror}") from error


def write_tables(folder: str, overwrite: bool, texts: dict[str, str]) -> None:
    """Write the files of `jaxnet missing`, by name."""
    check_free(folder, overwrite, MISSING_TABLES)
    try:
        with atomic_folder(folder) as draft:
            _write_texts(draft, texts)
    except OSError as error:
        raise OSError(error.errno, f"cannot write --out {folder}, nothing was written: {error.strerror}") from error


def _write_texts(folder: Path, texts: dict[str, str]) -> None:
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8")


def model_file(folder: str) -> Path:
    """The model of the run in `folder`; a file is taken for one."""
    path = Path(folder)
    if not path.exists():
        raise InvalidInput(f"there is no run at {folder}: make one with jaxnet sweep ... --out {folder}.")
    if path.is_dir():
        path = path / MODEL
        if not path.exists():
            raise InvalidInput(f"{folder} holds no jaxnet run: {MODEL} is missing.")
    _refuse_store(path)
    return path


def _refuse_store(path: Path) -> None:
    from jaxnet.store.database import is_store

    if is_store(path):
        name = shlex.quote(str(path))
        raise InvalidInput(
            f"{path} is a store of sweeps, not one run: jaxnet runs {name} lists them, and jaxnet show, compare and export read "
            f"them. The command that made one, jaxnet sweep ... --store {name}, writes it to a folder with --out, at once."
        )


def read_run(folder: str) -> dict[str, Any]:
    """The model of a run, as `write_run` got it."""
    path = model_file(folder)
    model = load(path)
    if not isinstance(model, dict) or model.get("kind") != "jaxnet run":
        raise InvalidInput(f"{path} is a jaxnet file but not the model of a run.")
    return model
