"""What a file says about itself: when and by which versions it was written, and what its writer adds."""

import os
import platform
import sys
from datetime import UTC, datetime
from typing import Any

from jaxnet import __version__
from jaxnet.errors import InvalidInput

OWN = ("written", "versions")


def new_metadata(more: dict[str, Any] | None) -> dict[str, Any]:
    """`written` (UTC, to the second; SOURCE_DATE_EPOCH in its stead, for files that are the same every time) and
    `versions`, with `more` behind them."""
    more = {} if more is None else more
    if not isinstance(more, dict):
        raise InvalidInput(
            f"metadata is of type {type(more).__name__}: pass a dict, such as {{'source': 'cells.csv'}}."
        )
    for name in OWN:
        if name in more:
            raise InvalidInput(f"metadata has the key {name!r}, which jaxnet sets itself: choose another name.")
    epoch = os.environ.get("SOURCE_DATE_EPOCH", "")
    now = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdecimal() else datetime.now(UTC)
    versions = {"jaxnet": __version__, "python": platform.python_version()}
    versions |= {name: _version(name) for name in ("jax", "numpy")}
    return {"written": now.strftime("%Y-%m-%dT%H:%M:%SZ"), "versions": versions, **more}


def is_metadata(metadata: Any) -> bool:
    """Whether a file's metadata have what `new_metadata` sets."""
    if not isinstance(metadata, dict) or list(metadata)[: len(OWN)] != list(OWN):
        return False
    written, versions = (metadata[name] for name in OWN)
    return (
        type(written) is str and isinstance(versions, dict) and set(map(type, versions.values())) <= {str, type(None)}
    )


def _version(package: str) -> str | None:
    """The version of a package, which is not imported for it; None where it is not installed."""
    if package in sys.modules:
        return sys.modules[package].__version__
    from importlib.metadata import PackageNotFoundError, version  # here, as only writing needs it

    try:
        return version(package)
    except PackageNotFoundError:
        return None
