"""Who works on a run: a row in the store, which the system need not lock, and which tells whether its writer still lives.

On one machine a process lives while its number belongs to a process of the same birth: a number that was used again, a
child that was forked, or a file that somebody removed change nothing. On another machine (a shared disk) a claim holds
while its beat, renewed once a minute, is younger than `STALE`.
"""

import os
import platform
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

BEAT, STALE = 60.0, 600.0
"""Seconds between two beats, and after which a process elsewhere is taken for dead."""

_held: set[str] = set()
"""Tokens of claims of this process: one that is not among them was left behind by something that failed."""


class Claim(NamedTuple):
    """A row: `place` is the machine (and, on Linux, the space of its process numbers)."""

    token: str
    place: str
    writer: str
    pid: int
    birth: str
    beat: float

    @classmethod
    def new(cls) -> "Claim":
        """This process's."""
        pid, writer = os.getpid(), f"process {os.getpid()} on {platform.node() or 'this machine'}"
        return cls(os.urandom(16).hex(), _place(), writer, pid, _birth(pid) or "", time.time())

    @property
    def lives(self) -> bool:
        """Whether whoever made it still works."""
        if self.place != _place():
            return time.time() - self.beat < STALE
        if self.pid == os.getpid() and self.birth == (_birth(self.pid) or ""):
            return self.token in _held
        return _birth(self.pid) in (self.birth, "")

    @contextmanager
    def held(self) -> Iterator[None]:
        """While it is this process's work."""
        _held.add(self.token)
        try:
            yield
        finally:
            _held.discard(self.token)


@contextmanager
def beating(beat) -> Iterator[None]:
    """Call `beat` once a minute, from a thread of its own, while the block runs."""
    over = threading.Event()

    def run() -> None:
        while not over.wait(BEAT):
            with suppress(Exception):  # the next write finds out what is wrong
                beat()

    thread = threading.Thread(target=run, name="jaxnet store", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def _place() -> str:
    name = platform.node() or "this machine"
    with suppress(OSError):
        return f"{name} {os.readlink('/proc/self/ns/pid')}"
    return name


def _birth(pid: int) -> str | None:
    """When the process of that number was born, in whatever unit: "" if that may not be known, None if there is none (or
    it only waits to be reaped)."""
    if os.path.exists("/proc/self/stat"):
        try:
            with open(f"/proc/{pid}/stat", "rb") as file:
                state, *fields = file.read().rpartition(b")")[2].split()
            with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
                boot = file.read().strip()
        except OSError:
            return None
        return None if state in (b"Z", b"X") else f"{boot} {int(fields[18])}"
    import psutil

    try:
        process = psutil.Process(pid)
        return None if process.status() == psutil.STATUS_ZOMBIE else f"{process.create_time():.0f}"
    except psutil.NoSuchProcess:
        return None
    except psutil.AccessDenied:
        return ""
