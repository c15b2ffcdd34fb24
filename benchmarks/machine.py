"""What a figure was measured on, without names: processor, cores, memory, system."""

import os
import platform
from pathlib import Path


def machine() -> dict:
    """Processor model, usable cores, memory in GiB, operating system and architecture."""
    return {
        "processor": _processor(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "avx512": "avx512f" in _cpuinfo(),
    }


def _cpuinfo() -> str:
    path = Path("/proc/cpuinfo")
    return path.read_text() if path.exists() else ""


def _processor() -> str:
    models = [line.split(":", 1)[1].strip() for line in _cpuinfo().splitlines() if line.startswith("model name")]
    return models[0] if models else platform.processor() or "unknown"
