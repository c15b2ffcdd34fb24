"""The loosest tolerance of a solver whose worst gap meets a target, and the file that remembers it."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from math import inf, log10
from pathlib import Path

STORE = Path(__file__).with_name("tolerances.json")


@dataclass
class Tolerances:
    """Tolerances by "size/workload/solver/target", as kept in tolerances.json."""

    path: Path = STORE
    known: dict[str, float] = field(default_factory=dict)

    def __post_init__(self):
        if self.path.exists():
            self.known = json.loads(self.path.read_text())

    @staticmethod
    def key(quick: bool, workload: str, solver: str, target: float) -> str:
        """The name of an entry."""
        return f"{'quick' if quick else 'full'}/{workload}/{solver}/{target:g}"

    def remember(self, key: str, tol: float) -> None:
        """Add an entry and write the file."""
        self.known[key] = tol
        self.path.write_text(json.dumps(self.known, indent=1, sort_keys=True) + "\n")


def loosest(ladder: list[float], target: float, worst_gap: Callable[[float], float]) -> tuple[float, bool]:
    """The first rung (loosest first) whose worst gap is at most `target`, and whether there is one; else the last rung.

    Assumes that a tighter tolerance gives a smaller gap. `worst_gap` is inf where a solver failed or ran out of time.
    """
    fails, meets, rung = -1, len(ladder), len(ladder) // 3
    while meets - fails > 1:
        gap = worst_gap(ladder[rung])
        if gap <= target:
            meets = rung
            leap = 1 if gap > 0.2 * target else 2
            rung = max(fails + 1, rung - leap)
        else:
            fails = rung
            leap = 1 if gap == inf else max(1, round(log10(gap / target)))
            rung = min(meets - 1, rung + leap)
    return ladder[min(meets, len(ladder) - 1)], meets < len(ladder)
