"""BLAS threads, of which many small systems want one: more wait for each other, up to forty times as long as one takes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache

_lock = threading.Lock()
_inside = 0
_limit = ExitStack()


@cache
def _libraries():
    """NumPy's, which is loaded by now; to look for them takes longer than many a factorisation."""
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@contextmanager
def one_thread() -> Iterator[None]:
    """A scope in which NumPy's products and factorisations run on the calling thread.

    The number of threads belongs to the process: the first scope that is entered sets it, the last one that is left resets it.
    """
    global _inside
    with _lock:
        if _inside == 0:
            _limit.enter_context(_libraries().limit(limits=1, user_api="blas"))
        _inside += 1
    try:
        yield
    finally:
        with _lock:
            _inside -= 1
            if _inside == 0:
                _limit.close()
