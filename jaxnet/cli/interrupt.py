"""Ctrl-C that cannot get lost.

Python raises KeyboardInterrupt wherever the main thread happens to be. Some places drop it: callbacks of the garbage
collector (JAX has one), and pyarrow while it looks for pandas. The command would run on. So an interrupt is also
remembered, for the commands to ask after between their steps.
"""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext

from jaxnet.progress import Progress, Reporter

Check = Callable[[], None]
"""Raises KeyboardInterrupt if Ctrl-C was pressed."""


@contextmanager
def interruptible() -> Iterator[Check]:
    """Yields a function that raises KeyboardInterrupt if Ctrl-C was pressed since.

    Does nothing off the main thread, and where Ctrl-C has another meaning already (as under nohup).
    """
    pressed = threading.Event()

    def press(*_: object) -> None:
        pressed.set()
        raise KeyboardInterrupt

    def check() -> None:
        if pressed.is_set():
            raise KeyboardInterrupt

    def report(unraisable: "sys.UnraisableHookArgs") -> None:
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            hook(unraisable)

    hook = sys.unraisablehook
    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler or threading.current_thread() is not threading.main_thread():
        yield check
        return
    signal.signal(signal.SIGINT, press)
    sys.unraisablehook = report
    try:
        yield check
    finally:
        sys.unraisablehook = hook
        signal.signal(signal.SIGINT, before)


class _Watched(Reporter):
    """Asks whether Ctrl-C was pressed, and shows how far things are if there is something to show it."""

    def __init__(self, check: Check, shown: Progress | None) -> None:
        self._check, self._shown = check, shown

    def __call__(self, done: int, total: int) -> None:
        self._check()
        if self._shown is not None:
            self._shown(done, total)

    def filling(self, done: int, total: int) -> None:
        self._check()
        if self._shown is not None:
            self._shown.filling(done, total)


@contextmanager
def watched(check: Check, quiet: bool) -> Iterator[Reporter]:
    """What a command gives to a sweep as its `progress`."""
    with nullcontext() if quiet else Progress() as shown:
        yield _Watched(check, shown)
