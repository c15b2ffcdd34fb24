"""The loosest tolerance of a solver whose worst gap meets a target, and the file that remembers it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf, log
from pathlib import Path

STORE = Path(__file__).with_name("tolerances.json")
NEAR = 0.7  # a worst gap between NEAR times the target and the target is close enough to stop searching
CLOSE = 1.5  # nor is a search worth going on between tolerances this factor apart
RUNS = 7


@dataclass
class Tolerances:
    """Tolerances by "size/workload/solver/target", as kept in tolerances.json."""

    path: Path = STORE
    known: dict[str, float] = field(default_factory=dict)

    def __post_init__(self):
        self._read()

    def _read(self) -> None:
        if self.path.exists():
            self.known |= json.loads(self.path.read_text())

    @staticmethod
    def key(quick: bool, workload: str, solver: str, target: float) -> str:
        """The name of an entry."""
        return f"{'quick' if quick else 'full'}/{workload}/{solver}/{target:g}"

    def similar(self, key: str) -> float | None:
        """The tolerance of the same solver and target on another workload, if there is one: a place to start."""
        tail = key.split("/")[2:]
        found = [tol for other, tol in self.known.items() if other.split("/")[2:] == tail]
        return sorted(found)[len(found) // 2] if found else None

    def remember(self, key: str, tol: float) -> None:
        """Add an entry and write the file, keeping what other runs have added to it meanwhile."""
        self._read()
        self.known[key] = tol
        self.path.write_text(json.dumps(self.known, indent=1, sort_keys=True) + "\n")


def loosest(start: float, exponent: float, target: float, worst_gap: Callable[[float], float]) -> tuple[float, bool]:
    """The loosest tolerance tried whose worst gap is at most `target`, and whether there is one; else the tightest tried.

    Steps assume gap ~ tol^exponent until the target is bracketed, then interpolate between its neighbours on a log scale.
    `worst_gap` is inf where the solver failed or ran out of time; the search ends there.
    """
    gaps: dict[float, float] = {}
    tol = start
    for _ in range(RUNS):
        gap = gaps[tol] = worst_gap(tol)
        if gap == inf or NEAR * target <= gap <= target:
            break
        tol = float(f"{_next(gaps, exponent, target):.2g}")
        if tol in gaps or not tol > 1e-25 or _bracketed(gaps, target):
            break
    good = [tol for tol, gap in gaps.items() if gap <= target]
    return (max(good), True) if good else (min(gaps), False)


def _bracketed(gaps: dict[float, float], target: float) -> bool:
    """Whether a tolerance that meets the target and one that fails it are within a factor of CLOSE."""
    met = max((tol for tol, gap in gaps.items() if gap <= target), default=0.0)
    failed = min((tol for tol, gap in gaps.items() if gap > target), default=inf)
    return failed <= CLOSE * met


def _next(gaps: dict[float, float], exponent: float, target: float) -> float:
    """Where to look next; aims at 0.85 of the target."""
    aim = log(0.85 * target)
    met = max(((tol, gap) for tol, gap in gaps.items() if gap <= target), default=None)
    failed = min(((tol, gap) for tol, gap in gaps.items() if gap > target), default=None)
    nearest, gap = met or failed
    if met is None or failed is None or not failed[0] > met[0] or met[1] <= 0:
        leap = (0.85 * target / max(gap, 1e-4 * target)) ** (1 / exponent)
        return nearest * min(max(leap, 1e-4), 1e4)
    share = (aim - log(met[1])) / (log(failed[1]) - log(met[1]))
    return met[0] * (failed[0] / met[0]) ** min(max(share, 0.1), 0.9)
