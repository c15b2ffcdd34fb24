"""What a sweep writes down of its finished fits, so that one that was stopped can go on; and a journal that keeps nothing.

A unit is work that goes on by itself: a chunk that walks along its alphas, or the closed-form fits of a set.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from jaxtyping import Float, Int

from jaxnet.data.fingerprint import fingerprint
from jaxnet.errors import InvalidInput
from jaxnet.lanes import Chunk, Limits
from jaxnet.missing.fill import Filler
from jaxnet.result import SweepResult

if TYPE_CHECKING:
    from jaxnet.pipeline.collect import Collector

_REAL, _WHOLE = ("gap", "kkt", "error"), ("iterations", "status")


class Piece(NamedTuple):
    """The certified fits of one alpha for S sets at L rows of rho.

    `error` is in stored units. `fits` holds, by set and row, the columns, their coefficients and the intercept, in the
    units of X and y, of the sets whose coefficients are part of the result.
    """

    alpha: int
    sets: Int[np.ndarray, " S"]
    rows: Int[np.ndarray, " L"]
    gap: Float[np.ndarray, "S L"]
    kkt: Float[np.ndarray, "S L"]
    error: Float[np.ndarray, "S L"]
    iterations: Int[np.ndarray, "S L"]
    status: Int[np.ndarray, "S L"]
    fits: dict[tuple[int, int], tuple[np.ndarray, np.ndarray, float]]

    def plain(self) -> dict[str, Any]:
        """As a number and arrays, for a file."""
        fits = list(self.fits.values())
        join = lambda parts, dtype: np.concatenate([*parts, np.zeros(0)]).astype(dtype)
        return {
            "alpha": int(self.alpha),
            **{name: np.asarray(getattr(self, name)) for name in ("sets", "rows", *_REAL, *_WHOLE)},
            "keys": np.array(list(self.fits), np.int64).reshape(-1, 2),
            "counts": np.array([len(columns) for columns, _, _ in fits], np.int64),
            "columns": join((columns for columns, _, _ in fits), np.int32),
            "values": join((values for _, values, _ in fits), np.float64),
            "levels": np.array([level for _, _, level in fits], np.float64),
        }

    @classmethod
    def of(cls, plain: Any, grid: tuple[int, int, int], n_columns: int) -> "Piece":
        """The inverse of `plain`; raises `InvalidInput` for what cannot be of a sweep of `grid` (sets, rhos, alphas)."""
        if not _is_plain(plain, grid, n_columns):
            raise InvalidInput("the store holds fits that are not this sweep's: delete that run and begin it again.")
        ends = np.cumsum(plain["counts"])
        spans = [slice(end - count, end) for end, count in zip(ends.tolist(), plain["counts"].tolist(), strict=True)]
        fits = {
            (s, row): (plain["columns"][span], plain["values"][span], level)
            for (s, row), span, level in zip(plain["keys"].tolist(), spans, plain["levels"].tolist(), strict=True)
        }
        return cls(**{name: plain[name] for name in cls._fields if name != "fits"}, fits=fits)


def _is_plain(plain: Any, grid: tuple[int, int, int], n_columns: int) -> bool:
    names = {"alpha", "sets", "rows", *_REAL, *_WHOLE, "keys", "counts", "columns", "values", "levels"}
    if not isinstance(plain, dict) or plain.keys() != names or type(plain["alpha"]) is not int:
        return False
    arrays = {name: array for name, array in plain.items() if name != "alpha"}
    reals = {*_REAL, "values", "levels"}
    if not all(
        isinstance(array, np.ndarray) and array.dtype.kind == "if"[name in reals] for name, array in arrays.items()
    ):
        return False
    within = lambda array, size: bool(((array >= 0) & (array < size)).all())
    shape, m = (plain["sets"].size, plain["rows"].size), len(np.atleast_1d(plain["counts"]))
    total = int(plain["counts"].sum()) if within(plain["counts"], n_columns + 1) else -1
    expected = {"sets": shape[:1], "rows": shape[1:], "keys": (m, 2), "counts": (m,), "levels": (m,)}
    expected |= dict.fromkeys((*_REAL, *_WHOLE), shape) | dict.fromkeys(("columns", "values"), (total,))
    return all(array.shape == expected[name] for name, array in arrays.items()) and all(
        (
            0 <= plain["alpha"] < grid[2],
            within(plain["sets"], grid[0]) and within(plain["rows"], grid[1]),
            within(plain["keys"][:, 0], grid[0]) and within(plain["keys"][:, 1], grid[1]),
            within(plain["columns"], n_columns) and within(plain["status"], 4),
        )
    )


class Unit(ABC):
    """The journal's page for one unit, written by one thread."""

    done: bool
    """it came to its end in an earlier process; all its fits are known"""
    mark: dict[str, np.ndarray] | None
    """where its walk stood when it was last written down; all fits up to there are known"""

    @abstractmethod
    def add(self, piece: Piece) -> None:
        """More of its fits are there."""

    @abstractmethod
    def keep(self, arrays: Callable[[], dict[str, np.ndarray]]) -> None:
        """This is where its walk stands, after all that was added."""

    @abstractmethod
    def end(self, finished: bool) -> None:
        """It is finished, or it was stopped where the last `keep` says."""


class Journal(ABC):
    """An interface. What was written down is the same, whatever stopped the process, as some moment of its past."""

    @abstractmethod
    def result(self) -> SweepResult | None:
        """The whole result, if the sweep had come to its end."""

    @abstractmethod
    def filler(self, g: int, fit: Callable[[], Filler]) -> Filler:
        """What fills missing values as group g does: written down in an earlier process, or fitted now."""

    @abstractmethod
    def begin(self, collector: "Collector") -> None:
        """The fits will arrive there."""

    @abstractmethod
    def pieces(self) -> Iterator[Any]:
        """All fits that are known, as `Piece.plain` gives them, in the order in which they were found."""

    @abstractmethod
    def limits(self, found: Limits) -> Limits:
        """The limits by which this sweep was first cut into chunks: `found` at its beginning."""

    @abstractmethod
    def unit(self, name: str) -> Unit:
        """The page of a unit."""

    @abstractmethod
    def halve(self, name: str) -> None:
        """This unit did not fit the memory, and its halves are units in its stead."""

    @abstractmethod
    def is_halved(self, name: str) -> bool:
        """Whether `halve` was told so, by this or an earlier process."""

    @abstractmethod
    def finish(self, result: SweepResult) -> None:
        """All fits are there."""

    def parts(self, chunk: Chunk) -> list[Chunk]:
        """The chunk, or what became of it."""
        if not self.is_halved(unit_name(chunk)):
            return [chunk]
        return [part for half in chunk.halves() for part in self.parts(half)]


def unit_name(chunk: Chunk) -> str:
    """The same in every process that cuts the sweep into the same chunks."""
    return f"walk {fingerprint(**chunk._asdict())[:16]}"


class _Blank(Unit):
    done, mark = False, None

    def add(self, piece: Piece) -> None:
        pass

    def keep(self, arrays: Callable[[], dict[str, np.ndarray]]) -> None:
        pass

    def end(self, finished: bool) -> None:
        pass


class Forgetful(Journal):
    """The journal of a sweep without a store."""

    def result(self) -> None:
        return None

    def filler(self, g: int, fit: Callable[[], Filler]) -> Filler:
        return fit()

    def begin(self, collector: "Collector") -> None:
        pass

    def pieces(self) -> Iterator[Any]:
        return iter(())

    def limits(self, found: Limits) -> Limits:
        return found

    def unit(self, name: str) -> Unit:
        return _Blank()

    def halve(self, name: str) -> None:
        pass

    def is_halved(self, name: str) -> bool:
        return False

    def finish(self, result: SweepResult) -> None:
        pass
