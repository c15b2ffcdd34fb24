"""Lanes: every penalised fit of a sweep, labelled, and cut into chunks that fit a memory budget.

A lane is one fit (row weights, response, alpha, rho). Lanes that share row weights share a group; the lanes of one group
and one response over all rho share a working set, and are called a set here. A sweep of G groups and Q responses has
S = G Q sets of L = R lanes each, and walks all of them along A alphas.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from jaxtyping import Bool, Float, Int

from jaxnet.errors import InvalidInput

BAND = 8
"""At most so many rows of rho that share working sets (benchmarks/NOTES.md has the figures for others)."""


@dataclass(frozen=True)
class Groups:
    """Normalised row weights: `train` (G, n) sums to one per group, `test` (G, n) to one or (no held-out rows) to zero.

    `test_mass` (G,) is the held-out weight of each group, in units of the largest sample weight.
    """

    train: Float[np.ndarray, "G n"]
    test: Float[np.ndarray, "G n"]
    test_mass: Float[np.ndarray, " G"]

    @classmethod
    def build(cls, train: np.ndarray, test: np.ndarray, sample_weight: np.ndarray | None) -> "Groups":
        if sample_weight is not None:
            sample_weight = sample_weight / sample_weight.max()
            train, test = train * sample_weight, test * sample_weight
        fitted, mass = train.sum(axis=1), test.sum(axis=1)
        for k in range(1, len(train)):
            for name, total in (("train", fitted[k]), ("test", mass[k])):
                if not total > 0:
                    raise InvalidInput(
                        f"sample_weight is zero on every {name} row of fold {k - 1}; give such rows weight or use other folds."
                    )
        return cls(train / fitted[:, None], test / np.where(mass > 0, mass, 1.0)[:, None], mass)

    def __len__(self) -> int:
        return len(self.train)


class SetAxes(NamedTuple):
    """The sets of a sweep in their one order: response after response, and of each all groups, the full data first.

    >>> axes = SetAxes(responses=3, groups=6)
    >>> axes.count, axes.at(1), axes.at(1, 4), axes.of(10)
    (18, 6, 10, (1, 4))
    """

    responses: int
    groups: int

    @property
    def count(self) -> int:
        """S, how many there are."""
        return self.responses * self.groups

    def at(self, response, group=0):
        """The set of a response and a group; of arrays of them, all."""
        return response * self.groups + group

    def of(self, sets):
        """(response, group) of a set; of an array of them, two arrays."""
        return divmod(sets, self.groups)


def geometric_grid(top: np.ndarray, count: int, ratio: float) -> np.ndarray:
    """`count` alphas per lane from `top` (...,) down to `ratio * top`, evenly spaced in log: shape (..., count)."""
    return np.asarray(top)[..., None] * np.geomspace(1.0, ratio, count)


def lead_in(
    top: Float[np.ndarray, "S L"], first: Float[np.ndarray, "S L"], step: float = 0.6
) -> Float[np.ndarray, "S L T"]:
    """Alphas that walk from each lane's `top` (where all is zero) to its `first` requested alpha, exclusive.

    Far from zero a cold start needs a large working set and many passes; a short walk is cheaper. Each set takes as many steps
    as it needs itself, whatever others do; those with fewer wait above their tops.
    """
    reach = np.where((top > 0) & (first > 0), np.minimum(first / np.where(top > 0, top, 1.0), 1.0), 1.0)
    least = np.maximum(reach.min(axis=1), 1e-8)
    count = np.where(least < step, np.ceil(np.log(least) / np.log(step)), 0).astype(int)
    steps = np.arange(count.max(initial=0)) - count.max(initial=0) + count[:, None]  # of each set; its walk begins at 0
    share = 1.0 - (steps + 1) / (count[:, None] + 1)
    walk = first[..., None] * reach[..., None] ** -share[:, None]
    return np.where(steps[:, None] >= 0, walk, 2 * np.maximum(top, first)[..., None])


class Chunk(NamedTuple):
    """Lanes that are solved together: these sets, each at these rows of rho.

    Chunks have one shape and may overlap; a lane belongs to the one chunk that owns its set and its row, so that the result
    does not depend on which chunk ends last.
    """

    sets: Int[np.ndarray, " S"]
    rows: Int[np.ndarray, " L"]
    own_sets: Bool[np.ndarray, " S"]
    own_rows: Bool[np.ndarray, " L"]

    def halves(self) -> list["Chunk"]:
        """Two chunks of half the sets."""
        parts = zip(np.array_split(self.sets, 2), np.array_split(self.own_sets, 2), strict=True)
        return [self._replace(sets=sets, own_sets=own) for sets, own in parts]


class Limits(NamedTuple):
    """What the chunks in flight may take: how many they are, the bytes of all together, and the lanes of one."""

    workers: int
    bytes: float
    lanes: float


def chunks(n_sets: int, rows: Int[np.ndarray, " R"], bytes_per_set: float, limits: Limits) -> list[Chunk]:
    """Cut n_sets x rows into chunks of one shape, so that one compiled program serves all; ends are filled by overlap.

    `rows` come sorted by rho: a band of neighbours has supports of like size, so its shared working set wastes little. Each
    of the chunks in flight gets an equal share of the bytes; at least one set goes into a chunk. The heaviest (those of
    small rho) come first.
    """
    by_memory = limits.bytes / limits.workers / max(bytes_per_set, 1.0)
    fit = max(int(min(by_memory, limits.lanes / min(len(rows), BAND))), 1)
    pieces = _even(n_sets, min(fit, -(-n_sets // limits.workers)))
    bands = _even(len(rows), BAND)
    return [Chunk(sets, rows[band], own, own_band) for band, own_band in bands for sets, own in pieces]


def _even(count: int, most: int) -> list[tuple[Int[np.ndarray, " k"], Bool[np.ndarray, " k"]]]:
    """range(count) in the fewest pieces of one length of at most `most`, with what each owns.

    Where the length does not divide, the last piece begins with some that the one before it owns.
    """
    pieces = -(-count // most)
    size = -(-count // pieces)
    starts = [min(k * size, count - size) for k in range(pieces)]
    return [
        (np.arange(start, start + size), np.arange(start, start + size) >= k * size) for k, start in enumerate(starts)
    ]
