"""BLAS threads, of which many small systems want one: more wait for each other, up to forty times as long as one takes."""

from __future__ import annotations

from contextlib import AbstractContextManager


def one_thread() -> AbstractContextManager:
    """A scope in which NumPy's products and factorisations run on the calling thread."""
    from threadpoolctl import threadpool_limits

    return threadpool_limits(limits=1, user_api="blas")
