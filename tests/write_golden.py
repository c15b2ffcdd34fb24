"""Writes the golden files that are missing from tests/golden/: `python tests/write_golden.py`, from the repository's root.

Files that are there stay as they are: whatever a released jaxnet wrote must load for ever. Each object has a file of its
own; `all_signed.jaxnet`, which another Python wrote, holds all that there were then and is signed with KEY.
"""

import os
from pathlib import Path

from saved import objects

from jaxnet import persistence, save

FOLDER = Path(__file__).parent / "golden"
KEY = b"the key of the golden files"


def main() -> None:
    os.environ["SOURCE_DATE_EPOCH"] = "1764000000"
    folder = FOLDER / f"format_{persistence.FORMAT_VERSION}"
    folder.mkdir(parents=True, exist_ok=True)
    for name, thing in objects().items():
        if not (folder / f"{name}.jaxnet").exists():
            save(thing, folder / f"{name}.jaxnet", metadata={"what": name})
    if not (folder / "all_signed.jaxnet").exists():
        save(objects(), folder / "all_signed.jaxnet", key=KEY)


if __name__ == "__main__":
    main()
