"""Chained regressions: columns with missing values are regressed on all others in turn, round after round.

The order is that of the columns' missing weight, least first, of equal ones the earlier column; within a round a
regression sees what those before it have filled (Gauss and Seidel).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jaxnet.missing.regressions import Regressions
from jaxnet.missing.units import Units

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxtyping import Bool, Float, Int

BLOCK = 64
"""Columns whose predictions are brought up to date together."""

Draw = Callable[[int, np.ndarray], np.ndarray]
"""New values (m, u) of column j on the rows U (u,) where it is missing, by j and U."""


class Holes(NamedTuple):
    """The training rows in units, with zeros for missing values, and the columns to visit."""

    Z: Float[np.ndarray, "n p"]
    """of the columns that vary"""
    weights: Float[np.ndarray, " n"]
    """whose sum is one"""
    missing: Bool[np.ndarray, "n p"]
    order: Int[np.ndarray, " k"]

    @classmethod
    def of(cls, X: Float[np.ndarray, "n p"], weights: Float[np.ndarray, " n"], units: Units) -> Holes:
        """Of rows of positive weight."""
        varies = units.sd > 0
        missing = np.isnan(X[:, varies])
        share = weights / np.max(weights, initial=np.finfo(float).tiny)
        count = np.round((missing * share[:, None]).sum(axis=0), 9)  # so that rounding does not break ties
        order = np.argsort(count, kind="stable")
        order = order[missing.any(axis=0)[order]]
        return cls(units.scaled(X)[:, varies], share / max(share.sum(), 1.0), missing, order)

    def per_row(self, j: int) -> float:
        """|O| / sum_{i in O} w_i, what brings weights to one per row where column j is observed."""
        there = ~self.missing[:, j]
        return there.sum() / max(self.weights[there].sum(), np.finfo(float).tiny)

    def visits(self) -> Iterator[tuple[int, Int[np.ndarray, " u"]]]:
        """Every column of a round with its missing rows."""
        for j in self.order:
            yield int(j), np.flatnonzero(self.missing[:, j])


def run(state: Regressions, holes: Holes, draw: Draw, rounds: int, tol: float = 0.0) -> int:
    """Fill by what `draw` says until no value changes by `tol`, and return the number of rounds."""
    for count in range(1, rounds + 1):
        largest = 0.0
        state.refresh()
        for j, U in holes.visits():
            values = draw(j, U)
            largest = max(largest, np.max(np.abs(values - state.Z[:, U, j])))
            state.replace(j, U, values)
        if largest < tol or not len(holes.order):
            return count
    return rounds


class Chain(NamedTuple):
    """The regressions of m chains on their filled rows, in units of the columns' standard deviations."""

    intercepts: Float[np.ndarray, "m k"]
    coefs: Float[np.ndarray, "m k p"]

    @classmethod
    def of(cls, state: Regressions, holes: Holes) -> Chain:
        """Every regression on the rows as they are now."""
        state.refresh()
        found = [state.regress(j, U, state.Z[:, :, j]) for j, U in holes.visits()]
        if not found:
            m, _, p = state.Z.shape
            return cls(np.zeros((m, 0)), np.zeros((m, 0, p)))
        intercepts = np.stack([each.level for each in found], axis=1)
        return cls(intercepts, state.coefficients(np.stack([each.solution for each in found], axis=1), holes.order))


def iterate(
    Z: Float[np.ndarray, "r p"],
    missing: Bool[np.ndarray, "r p"],
    columns: Int[np.ndarray, " k"],
    intercepts: Float[np.ndarray, " k"],
    coefs: Float[np.ndarray, "k p"],
    stop: tuple[int, float],
) -> Float[np.ndarray, "r p"]:
    """Fill rows by given regressions, from what is in Z, each row until its change is below tol: `stop` is (rounds, tol).

    A row that has ended stays as it is. It keeps its place, as what a product rounds to may depend on the number of rows.
    """
    Z = Z.copy()
    rounds, tol = stop
    wanted = missing[:, columns]
    for _ in range(rounds):
        active = wanted.any(axis=1)
        if not active.any():
            break
        change = np.zeros(len(Z))
        for start in range(0, len(columns), BLOCK):
            part = slice(start, start + BLOCK)
            at = columns[part]
            predicted = Z @ coefs[part].T + intercepts[part]
            within = coefs[part][:, at]
            for i, j in enumerate(at):
                step = np.where(wanted[:, start + i], predicted[:, i] - Z[:, j], 0.0)
                Z[:, j] += step
                predicted[:, i + 1 :] += step[:, None] * within[i + 1 :, i]
                np.maximum(change, np.abs(step), out=change)
        wanted = wanted & ~(change < tol)[:, None]
    return Z
