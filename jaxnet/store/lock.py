"""A lock on a run of a store that ends with the process that holds it, however that ends."""

import os
import time
from contextlib import suppress
from pathlib import Path

from jaxnet.errors import InvalidInput

_TRIES, _PAUSE = 5, 0.02


class RunLock:
    """Held by at most one `RunLock` of all processes of this machine: an empty file beside the store, locked by the system.

    The file goes when the lock is released; after a kill it stays, and means nothing.
    """

    def __init__(self, store: Path, run: int):
        self.path = Path(f"{os.path.realpath(store)}.{run}.lock")
        self._descriptor: int | None = None

    def acquire(self) -> bool:
        """Whether it is ours now. Raises `OSError` where no file can be made."""
        for _ in range(
            _TRIES
        ):  # a look of `is_held` takes it for a moment; and whoever held it may just remove the file
            if self._try():
                return True
            time.sleep(_PAUSE)
        return False

    def release(self) -> None:
        """Let others have it."""
        if self._descriptor is not None:
            with suppress(OSError):
                self.path.unlink()
            os.close(self._descriptor)
            self._descriptor = None

    def is_held(self) -> bool:
        """Whether a process holds it; leaves nothing behind."""
        fcntl = _fcntl()
        try:
            descriptor = os.open(self.path, os.O_RDONLY)
        except OSError:
            return False
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return True
        finally:
            os.close(descriptor)
        return False

    def _try(self) -> bool:
        fcntl = _fcntl()
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.path.samestat(os.fstat(descriptor), os.stat(self.path)):
                self._descriptor = descriptor
        except (BlockingIOError, FileNotFoundError):
            pass
        finally:
            if self._descriptor is None:
                os.close(descriptor)
        return self._descriptor is not None


def _fcntl():
    try:
        import fcntl
    except ImportError:  # Windows
        raise InvalidInput("a store needs the file locks of Linux or macOS, which this system lacks.") from None
    return fcntl
