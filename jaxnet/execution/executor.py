"""Who carries out the chunks of a sweep. What they find goes to a desk, which alone knows of results, store and progress."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import nullcontext
from typing import Any, NamedTuple

import jax
import numpy as np

from jaxnet.execution import platform, schedule
from jaxnet.lanes import Chunk


class Job(NamedTuple):
    """A chunk, and where its walk stood when it was last kept (None: at the beginning)."""

    chunk: Chunk
    start: dict[str, np.ndarray] | None


Solve = Callable[[Job], Iterator[Any]]
"""Solves a job, and says what it finds as it goes. It locks, keeps and reports nothing; to stop it, ask for no more."""


class Work(ABC):
    """One chunk, as its desk sees it; its methods are called by one thread at a time."""

    job: Job | None
    """what there is to do; None if all is known"""

    @abstractmethod
    def take(self, found: Any) -> bool:
        """Take what was found. Whether the work may stop here: all until now is kept."""

    @abstractmethod
    def end(self, finished: bool) -> None:
        """The work came to its end, or was stopped."""


class Desk(ABC):
    """Where everything arrives, on the caller's side. Threads may use it at once."""

    @property
    @abstractmethod
    def stopped(self) -> bool:
        """Whether the owner wants all to stop."""

    @abstractmethod
    def work(self, chunk: Chunk) -> Work:
        """The work on a chunk begins."""

    @abstractmethod
    def halved(self, chunk: Chunk) -> None:
        """A chunk did not fit the memory: its halves are worked on in its stead."""


class Executor(ABC):
    """Carries out chunks, each whole or up to where it may stop. An error in one stops all, and is raised.

    Jobs are solved in double precision, on the device of the calling thread: whoever carries them to another thread enters both
    there, as `Threads` does.
    """

    @abstractmethod
    def run(self, solve: Solve, chunks: list[Chunk], desk: Desk) -> None:
        """Solve every chunk, and hand what is found to the desk."""


_one_at_a_time = threading.Lock()


class Threads(Executor):
    """A thread per core on a CPU, one on an accelerator. `alone`: no two chunks of the process at once."""

    def __init__(self, alone: bool = False):
        self._alone = alone

    def run(self, solve: Solve, chunks: list[Chunk], desk: Desk) -> None:
        stop = threading.Event()
        here = platform.carried()

        def one(chunk):
            # The 64-bit scope and the default device belong to a thread: each worker enters its caller's.
            with jax.enable_x64(True), here(), _one_at_a_time if self._alone else nullcontext():
                carry_out(solve, chunk, desk, stop.is_set)

        # Also a single worker is a thread, so that Ctrl-C, which Python raises in the main one, never tears a step apart.
        with ThreadPoolExecutor(max(min(schedule.parallelism(), len(chunks)), 1), thread_name_prefix="jaxnet") as pool:
            futures = [pool.submit(one, chunk) for chunk in chunks]
            try:
                pending = set(futures)
                while pending and not any(f.done() and f.exception() for f in futures):
                    # A timeout, so that Ctrl-C reaches the main thread on every platform.
                    _, pending = wait(pending, timeout=0.5, return_when=FIRST_EXCEPTION)
            finally:
                stop.set() if any(not f.done() for f in futures) else None
                for future in futures:
                    future.cancel()
        for future in futures:
            if not future.cancelled():
                future.result()


def carry_out(solve: Solve, chunk: Chunk, desk: Desk, stopped: Callable[[], bool]) -> None:
    """Solve a chunk until its end, or until it may stop and shall; where the memory runs out, its halves one after the other."""
    try:
        return _carry_out(solve, desk.work(chunk), desk, stopped)
    except jax.errors.JaxRuntimeError as error:
        if "RESOURCE_EXHAUSTED" not in str(error) or len(chunk.sets) == 1:
            raise
    desk.halved(chunk)  # out here the error has gone, and with it what its frames held
    for half in chunk.halves():
        carry_out(solve, half, desk, stopped)


def _carry_out(solve: Solve, work: Work, desk: Desk, stopped: Callable[[], bool]) -> None:
    if work.job is None:
        return
    shall_stop = lambda: desk.stopped or stopped()
    finished = not shall_stop()
    if finished:
        for found in solve(work.job):
            if work.take(found) and shall_stop():
                finished = False
                break
    work.end(finished)
