"""The m fillings of every group, laid out for the solver: side by side as groups of their own, or stacked row by row."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from jaxtyping import Bool, Float

from jaxnet.design.varied import VariedDesign
from jaxnet.missing.fill import Gapped, Layout

if TYPE_CHECKING:
    from jaxnet.missing.multiple import MultipleFill, MultipleFiller


def completed(
    fill: MultipleFill, table: Gapped, g: int, count: int
) -> tuple[MultipleFiller, Float[np.ndarray, "m n p"]]:
    """The fill as group g of `count` learns it, and its m fillings: draws in training rows, predictions of each chain in
    the others."""
    X = table.seen(g, table.modes()[g])
    filler = table.learn(g, count, lambda: fill.fit(X, table.train[g]))
    return filler, filler.training(X)


def observed_share(
    X: Float[np.ndarray, "n p"], excluded: Bool[np.ndarray, "G p"], train: Float[np.ndarray, "G n"]
) -> Float[np.ndarray, "G n"]:
    """What counts of a row in stacked imputations: the share of its values that are observed (Du et al. 2022, o_i).

    Of the columns that a group keeps; one where its training rows have no value at all.
    """
    kept = (~excluded).astype(np.float64)
    share = 1.0 - kept @ np.isnan(X).T / np.maximum(kept.sum(axis=1, keepdims=True), 1)
    nothing = np.sum(train * share, axis=1, keepdims=True) <= 0
    return np.where(nothing, 1.0, share)


def side_by_side(fill: MultipleFill, table: Gapped, *, dtype, centred: bool) -> Layout:
    """`table.train` repeats G groups m times: imputation d of group g is group d G + g."""
    G, holes = len(table.train) // fill.m, np.isnan(table.X[:, : table.width]).any(axis=0)
    each = [completed(fill, table, g, G) for g in range(G)]
    parts = [versions[:, :, holes] for _, versions in each]
    version = lambda k: parts[k % G][k // G]
    design, units = VariedDesign.build(table.X, version, len(table.train), dtype=dtype, centred=centred)
    return Layout(design, units, each[0][0])


def stacked(fill: MultipleFill, table: Gapped, *, dtype, centred: bool) -> Layout:
    """`table` repeats n rows m times, weighted by what is observed of them: filling d is in the rows from d n on.

    Rows that a group does not train on have the mean of their m fills, as new rows do.
    """
    n, holes = len(table.X) // fill.m, np.isnan(table.X[:, : table.width]).any(axis=0)
    train = table.train[:, :n]
    share = observed_share(table.X[:n, : table.width], table.excluded[:, : table.width], train)
    seen = np.divide(train, share, out=np.zeros(train.shape), where=share > 0)
    once = replace(table, X=table.X[:n], train=seen)
    fillers: list[MultipleFiller] = []

    def version(g: int) -> np.ndarray:
        filler, versions = completed(fill, once, g, len(train))
        fillers.append(filler)
        others = once.train[g] <= 0
        versions[:, others] = filler.fill(once.seen(g, once.modes()[g])[others])
        return np.concatenate(versions[:, :, holes])

    design, units = VariedDesign.build(table.X, version, len(table.train), dtype=dtype, centred=centred)
    return Layout(design, units, fillers[0])
