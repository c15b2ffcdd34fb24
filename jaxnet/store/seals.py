"""What binds the rows of a store to their run: a hash over everything that a row says, the run's own uid among it.

Whoever can write the file can make the hashes too: they find damage, and rows that came from elsewhere, not forgery.
"""

import hashlib
import json
from typing import Any, NamedTuple


class Row(NamedTuple):
    """A run: JSON texts, times (UTC, ISO 8601), how many fits it has (None: not known yet), whether it is finished."""

    uid: str
    name: str
    fingerprint: str
    problem: str
    about: str
    fits: int | None
    best: str | None
    begun: str
    written: str
    finished: int

    @property
    def seal(self) -> str:
        """Over all of it."""
        return _over("run", *self)

    @property
    def is_readable(self) -> bool:
        """Whether every value is of its type."""
        texts = (self.uid, self.name, self.fingerprint, self.problem, self.about, self.begun, self.written)
        counts = self.finished in (0, 1) and (self.fits is None or (type(self.fits) is int and self.fits > 0))
        return counts and all(type(text) is str for text in texts) and type(self.best) in (str, type(None))


def digest(content: bytes) -> str:
    """Of the content of a blob."""
    return hashlib.sha256(content).hexdigest()


def blob_seal(uid: str, unit: str, kind: str, fits: int, part: int, more: int, content: str) -> str:
    """Over a row of blobs, of which `content` is the digest."""
    return _over("blob", uid, unit, kind, fits, part, more, content)


def _over(*parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts).encode("utf-8", "surrogatepass")).hexdigest()
