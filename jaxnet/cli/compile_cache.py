"""Keeps compiled programs between runs of the command, so that only the first one pays for compilation."""

import os
import sys
from pathlib import Path

VARIABLE = "JAXNET_CACHE_DIR"


def enable_compile_cache() -> None:
    """Point JAX's persistent compilation cache at the user's cache folder, unless the user has chosen otherwise.

    `JAXNET_CACHE_DIR` names another folder, or turns the cache off when empty or "off"; JAX's own variable,
    `JAX_COMPILATION_CACHE_DIR`, wins over both. Without effect once JAX is imported or where the folder cannot be
    written.
    """
    if "jax" in sys.modules or "JAX_COMPILATION_CACHE_DIR" in os.environ:
        return
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    chosen = os.environ.get(VARIABLE, os.path.join(home, "jaxnet"))
    if chosen in ("", "off"):
        return
    folder = Path(chosen)
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if os.access(folder, os.W_OK | os.X_OK):
        os.environ["JAX_COMPILATION_CACHE_DIR"] = str(folder.resolve())
        os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0.1")
