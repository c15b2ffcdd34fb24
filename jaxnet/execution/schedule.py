"""How much of a sweep to have in flight: chunks that fit the memory, and how many of them."""

import os

from jaxnet.execution import platform
from jaxnet.lanes import Limits

CPU_BUDGET = 4e9
DEVICE_SHARE = 0.6
CACHED_LANES = 96
"""At most so many lanes in a chunk on a CPU: more would leave the cache (benchmarks/NOTES.md)."""


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
