"""How far a sweep has come: a bar on a terminal, a line now and then elsewhere."""

import sys
import time
from typing import TextIO

_SECONDS_BETWEEN_LINES = 5.0


class Progress:
    """A callable `(lanes done, lanes in all)` that shows both, the rate and the time left; also a context manager.

    On a terminal it draws a tqdm bar. Elsewhere (a log file, a batch system) it writes a line every five seconds and
    one at the end, so that logs stay readable. Leaving the `with` block ends the bar's line.

    stream: where to write; standard error by default.

    >>> with Progress(sys.stdout) as progress:
    ...     progress(600, 600)
    600 of 600 lanes (100%)
    """

    def __init__(self, stream: TextIO | None = None) -> None:
        self._stream = sys.stderr if stream is None else stream
        self._terminal = self._stream is not None and self._stream.isatty()
        self._bar = None
        self._last_line = time.monotonic()
        self._first: tuple[float, int] | None = None

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __call__(self, done: int, total: int) -> None:
        if self._terminal:
            self._draw(done, total)
        if self._terminal or self._stream is None:  # standard error may be closed
            return
        now = time.monotonic()
        # Compilation comes before the first lanes are done; counted in, it would spoil the estimate for a long while.
        since, before = self._first = self._first or (now, done)
        if done < total and now - self._last_line < _SECONDS_BETWEEN_LINES:
            return
        self._last_line = now
        line = f"{done:,} of {total:,} lanes ({done / max(total, 1):.0%})"
        if done > before:
            rate = (done - before) / max(now - since, 1e-9)
            line += f", {rate:,.0f} lanes/s"
            line += f", about {_duration((total - done) / rate)} left" if done < total else ""
        self._stream.write(line + "\n")
        self._stream.flush()

    def close(self) -> None:
        """End the bar's line, whether or not all lanes are done."""
        if self._bar is not None:
            self._bar.close()
            self._bar = None

    def _draw(self, done: int, total: int) -> None:
        if self._bar is None:
            from tqdm import tqdm

            self._bar = tqdm(total=total, unit=" lanes", file=self._stream, dynamic_ncols=True)
        self._bar.total = total
        self._bar.update(done - self._bar.n)


def _duration(seconds: float) -> str:
    minutes, seconds = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes} min"
    return f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
