"""Where a sweep is stored, and what else its store shall say about it."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Entry:
    """A path for `sweep(store=...)` with more to say.

    `about`: plain values to keep beside the run, such as where the data came from. `features`: names of the columns of an
    array X. `resume`: the run must be there already. `announce` hears, before anything is solved, the name of the run, how
    many fits it has, and how many it had in the store.
    """

    path: str | Path
    about: dict[str, Any] = field(default_factory=dict)
    features: tuple[str, ...] | None = None
    resume: bool = False
    announce: Callable[[str, int, int], None] | None = None
