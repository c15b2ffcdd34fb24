"""Running a sweep's sets: chunks that fit the memory budget, a thread per core on a CPU, halves when memory runs out."""

import os
import threading
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import nullcontext

import jax

from jaxnet.execution import platform
from jaxnet.lanes import Chunk, Limits

CPU_BUDGET = 4e9
DEVICE_SHARE = 0.6
CACHED_LANES = 96
"""At most so many lanes in a chunk on a CPU: more would leave the cache (benchmarks/NOTES.md)."""

Solve = Callable[[Chunk, Callable[[], bool]], None]
"""(chunk, stopped): solve these lanes to the end, or until `stopped()`."""


_alone = threading.Lock()


def run(
    solve: Solve, plan: list[Chunk], halved: Callable[[Chunk], None] = lambda chunk: None, alone: bool = False
) -> None:
    """Call `solve` on every chunk. An error or Ctrl-C stops all chunks at their next alpha and is raised.

    `halved` hears of a chunk whose halves will be solved in its stead. `alone`: no two such chunks of the process at once.
    """
    stop = threading.Event()
    here = platform.carried()

    def one(chunk):
        # The 64-bit scope and the default device belong to a thread: each worker enters its caller's.
        with jax.enable_x64(True), here(), _alone if alone else nullcontext():
            _halving(solve, chunk, stop.is_set, halved)

    # Also a single worker is a thread, so that Ctrl-C, which Python raises in the main one, never tears a step apart.
    with ThreadPoolExecutor(max(min(parallelism(), len(plan)), 1), thread_name_prefix="jaxnet") as pool:
        futures = [pool.submit(one, chunk) for chunk in plan]
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


def _halving(solve: Solve, chunk: Chunk, stopped: Callable[[], bool], halved: Callable[[Chunk], None]) -> None:
    """Solve; where the device runs out of memory, solve the two halves one after the other."""
    try:
        solve(chunk, stopped)
    except jax.errors.JaxRuntimeError as error:
        if "RESOURCE_EXHAUSTED" not in str(error) or len(chunk.sets) == 1:
            raise
        halved(chunk)
        for half in chunk.halves():
            _halving(solve, half, stopped, halved)


def parallelism() -> int:
    """Chunks to have in flight: one per core on a CPU (coordinate steps are serial), one on an accelerator."""
    if not platform.on_cpu():
        return 1
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def limits(max_memory: float | None) -> Limits:
    """How much to have in flight: within `max_memory` bytes, or within the device's where the caller sets none."""
    on_cpu = platform.on_cpu()
    stats = None if on_cpu else platform.current().memory_stats()
    free = DEVICE_SHARE * (stats["bytes_limit"] - stats["bytes_in_use"]) if stats else CPU_BUDGET
    return Limits(parallelism(), max_memory or free, CACHED_LANES if on_cpu else float("inf"))
