"""A page of the ledger: what is found of one unit of a sweep, and where its walk stands, until both are written."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from jaxnet.persistence import pack
from jaxnet.pipeline.journal import Piece, Unit

if TYPE_CHECKING:
    from jaxnet.store.ledger import Ledger

SECONDS = 1.0
"""A unit is written down so often, if writing is quick ..."""
SHARE = 20.0
"""... and else so rarely that writing takes one part in so many of the time."""


class Page(Unit):
    """What is found of a unit waits here until it is written together with where the walk stands."""

    def __init__(self, ledger: Ledger, name: str, done: bool):
        self.done, self._ledger, self._name = done, ledger, name
        self.mark = None if done else ledger.mark_of(name)
        self.last = None if self.mark is None else pack(self.mark)
        """the mark that was written last"""
        self._waiting: list[Piece] = []
        self._arrays: Callable[[], dict[str, np.ndarray]] | None = None
        self._due = time.monotonic() + SECONDS

    def add(self, piece: Piece) -> None:
        self._waiting.append(piece)

    def forget(self) -> None:
        """What waits was written down otherwise."""
        self._waiting = []

    def keep(self, arrays: Callable[[], dict[str, np.ndarray]]) -> None:
        self._arrays = arrays
        if time.monotonic() >= self._due:
            self._write(finished=False)

    def end(self, finished: bool) -> None:
        if finished or self._arrays is not None:
            self._write(finished)

    def _write(self, finished: bool) -> None:
        start, ledger = time.monotonic(), self._ledger
        fits = sum(piece.gap.size for piece in self._waiting)
        content = pack([piece.plain() for piece in self._waiting]) if self._waiting else None
        mark = None if finished else pack(self._arrays())

        def write() -> None:
            erase = "DELETE FROM blobs WHERE run = ? AND unit = ? AND kind = 'mark'"
            ledger.database.execute(erase, ledger.run, self._name)
            if content is not None:
                ledger.put(self._name, "fits", content, fits)
            if finished:
                ledger.set_state(self._name, "done")
            else:
                ledger.put(self._name, "mark", mark)
            ledger.write_row()

        self.last, self._waiting, self._arrays = mark, [], None
        if finished:
            ledger.note_state(self._name, "done")
        ledger.commit(write, found=True)
        end = time.monotonic()
        self._due = end + max(SECONDS, SHARE * (end - start))
