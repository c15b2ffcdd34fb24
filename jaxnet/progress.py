"""How far a sweep has come: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable
from typing import TextIO

from jaxnet.execution.compilation import seconds_compiled

_SECONDS_BETWEEN_LINES = 5.0
_LEAST_SECONDS = 1.0
"""An estimate from less time would be a guess."""
_ROWS = "sets of rows filled"


class Reporter(ABC):
    """Who hears how far a sweep has come; what it raises stops the sweep."""

    @abstractmethod
    def __call__(self, done: int, total: int) -> None:
        """So many fits are done."""

    @abstractmethod
    def filling(self, done: int, total: int) -> None:
        """Of so many sets of rows (all rows, and each fold's) the missing values are filled."""


class Counter(Reporter):
    """A function of (fits done, fits in all)."""

    def __init__(self, count: Callable[[int, int], object]) -> None:
        self._count = count

    def __call__(self, done: int, total: int) -> None:
        self._count(done, total)

    def filling(self, done: int, total: int) -> None:
        pass


class Progress(Reporter):
    """A callable `(fits done, fits in all)` that shows both, the rate and the time left; also a context manager.

    On a terminal it draws a tqdm bar. Elsewhere (a log file, a batch system) it writes a line every five seconds and
    one at the end, so that logs stay readable. Leaving the `with` block ends the bar's line.

    stream: where to write; standard error by default.

    >>> with Progress(sys.stdout) as progress:
    ...     progress(600, 600)
    600 of 600 fits (100%)
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._terminal = self._stream is not None and self._stream.isatty()
        self._bar = None
        self._last_line = time.monotonic()
        self._unit, self._pace = "fits", _Pace()

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(self, done: int, total: int) -> None:
        self._show("fits", done, total)

    def filling(self, done: int, total: int) -> None:
        self._show(_ROWS, done, total)

    def close(self) -> None:
        """End the bar's line, whether or not all is done."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _show(self, unit: str, done: int, total: int) -> None:
        if self._stream is None:  # standard error may be closed
            return
        if unit != self._unit:
            self.close()
            self._unit, self._pace = unit, _Pace()
        now = time.monotonic()
        self._pace.add(now, done)
        if self._terminal:
            self._draw(done, total)
        elif done >= total or now - self._last_line >= _SECONDS_BETWEEN_LINES:
            self._last_line = now
            line = f"{done:,} of {total:,} {unit} ({done / max(total, 1):.0%})"
            self._stream.write(", ".join([line, *self._words(total - done)]) + "\n")
            self._stream.flush()

    def _draw(self, done: int, total: int) -> None:
        if self._bar is None:
            from tqdm import tqdm

            shape = "{percentage:3.0f}%|{bar}| {n_fmt}/{total_fmt} {unit}{postfix}"
            self._bar = tqdm(total=total, unit=self._unit, file=self._stream, dynamic_ncols=True, bar_format=shape)
        self._bar.total = total
        self._bar.set_postfix_str(", ".join(self._words(total - done)), refresh=False)
        self._bar.update(done - self._bar.n)

    def _words(self, left: int) -> list[str]:
        """The rate and the time for what is left, as far as they are known."""
        rate = self._pace.rate(_LEAST_SECONDS if left else 0.0)
        if not rate:
            return []
        per_second = [f"{rate:,.0f} fits/s"] if self._unit == "fits" else []
        return per_second + ([f"about {_duration(left / rate)} left"] if left else [])


class _Pace:
    """What is done per second that nothing was compiled in: programs are compiled once, and mostly at the start.

    Of the recent half of that time, as fits are slower where the penalty is weak.
    """

    def __init__(self) -> None:
        self._marks: deque[tuple[float, int]] = deque()
        self._begun: float | None = None

    def add(self, now: float, done: int) -> None:
        """At `now` so much is done."""
        worked = now - seconds_compiled()
        if self._begun is None:
            self._begun = worked
        else:  # a compilation counts when it ends, also for the time that others worked in
            worked = max(worked, self._marks[-1][0])
        self._marks.append((worked, done))
        while len(self._marks) > 2 and self._marks[1][0] <= (self._begun + worked) / 2:
            self._marks.popleft()

    def rate(self, least: float) -> float:
        """So much per second; zero where nothing was done yet, or in no more than `least` seconds."""
        (since, before), (now, done) = self._marks[0], self._marks[-1]
        return (done - before) / (now - since) if now - since > least else 0.0


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
