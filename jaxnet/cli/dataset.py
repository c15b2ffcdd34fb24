"""From the options of a command to the table it names, and from a table to what a sweep needs."""

from __future__ import annotations

import argparse
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxnet.cli.console import note
from jaxnet.cli.filling_options import categories_of, missing_of
from jaxnet.cli.spelling_options import spelling_of
from jaxnet.data.arrays import as_weights
from jaxnet.data.batches import Stream, read_stream
from jaxnet.data.categories import settled_columns
from jaxnet.data.fingerprint import fingerprint
from jaxnet.data.groups import as_groups
from jaxnet.data.tables import Table, read_table
from jaxnet.errors import InvalidInput

if TYPE_CHECKING:  # predicting needs none of it
    from jaxnet.data.categories import Categories
    from jaxnet.data.mixed import MixedColumns
    from jaxnet.missing.options import Missing
    from jaxnet.pipeline.features import Features


@dataclass(frozen=True)
class Dataset:
    """What is fitted: X with its p column names, y (n,), row weights, labels of groups and fold numbers, (n,) or None; where
    they came from.

    X is a matrix (n, p) if all of it are numbers, of which none is missing. Else it is the columns as they were read, and
    `prepared` has what is made of them, as `missing` and `categories` ask.
    """

    source: str
    X: np.ndarray | MixedColumns
    y: np.ndarray
    weights: np.ndarray | None
    features: tuple[str, ...]
    target: str
    missing: Missing | None = None
    categories: Categories | None = None
    prepared: Features | None = None
    groups: np.ndarray | None = None
    folds: np.ndarray | None = None

    @property
    def fitted(self) -> np.ndarray | Features:
        """What a sweep takes for X."""
        return self.X if self.prepared is None else self.prepared

    def remarks(self) -> list[str]:
        """What becomes of labels, and how much is missing: a sentence each, none if there is nothing to say."""
        if self.prepared is None:
            return []
        encoding, said = self.prepared.encoding, []
        made = np.bincount(encoding.source[encoding.level >= 0], minlength=len(self.features)).tolist()
        levels = {name: made[j] for j, name in enumerate(self.features) if encoding.labelled[j]}
        if levels:
            total = counted(sum(levels.values()), "indicator")
            said.append(f"{counted(len(levels), 'column')} of labels became {total}: {listed_counts(levels)}.")
        found = zip(self.features, self.X.missing_counts().tolist(), strict=True)
        gaps = {name: count for name, count in found if count}
        if gaps:
            more = len(self.prepared.indicated)
            also = f"; {counted(more, 'indicator')} of what is missing added" if more else ""
            total = counted(sum(gaps.values()), "value")
            said.append(f"{total} missing in {counted(len(gaps), 'column')}: {listed_counts(gaps)}{also}.")
        return said

    def fingerprint(self) -> str:
        """The same for the same rows, columns and weights, whatever file they came from."""
        if self.prepared is None:
            return fingerprint(X=self.X, y=self.y, weights=self.weights)
        labels = {f"labels {j}": factor for j, factor in enumerate(self.X.factors) if factor is not None}
        levels = {f"{name} are": _bytes("\0".join(factor.labels)) for name, factor in labels.items()}
        codes = {name: factor.codes for name, factor in labels.items()}
        return fingerprint(X=self.X.numbers, y=self.y, weights=self.weights, **codes, **levels)


def load_table(
    args: argparse.Namespace, text: tuple[str, ...] = (), missing_text: bool = False, told: dict[str, Any] | None = None
) -> Table:
    """The table that DATA or --example names; `text` and `missing_text` are those of `read_table`.

    told: what a run was told of how its table is written (`spelling_of`).
    """
    if args.example is not None:
        return _example_table()
    return read_table(args.data, text=text, missing_text=missing_text, spelling=spelling_of(args, told))


def load_stream(args: argparse.Namespace, text: tuple[str, ...] = (), told: dict[str, Any] | None = None) -> Stream:
    """The same, a batch of rows at a time."""
    if args.example is not None:
        return Stream.of(_example_table())
    return read_stream(args.data, text=text, spelling=spelling_of(args, told))


def load_dataset(args: argparse.Namespace) -> Dataset:
    """The data set the options of `jaxnet sweep` describe; raises `InvalidInput` for columns that are no use."""
    missing = missing_of(args)
    table = load_table(args, text=(*((args.id,) if args.id else ()), *args.categories))
    target = args.target or ("y" if args.example is None else table.names[-1])
    folds = getattr(args, "folds", None)  # which a sweep has
    roles = [("--target", target), ("--weights", args.weights), ("--id", args.id), *(("--drop", d) for d in args.drop)]
    roles += [("--groups", args.groups), ("--folds", folds)]
    taken: dict[str, str] = {}
    for role, name in roles:
        if name is None:
            continue
        table.position(name, role)
        if taken.get(name, role) != role:
            raise InvalidInput(f"column {name!r} is given to both {taken[name]} and {role}: it can serve one purpose.")
        taken[name] = role
    features = tuple(name for name in table.names if name and name not in taken)
    if not features:
        raise InvalidInput(f"{table.source} has no columns left to fit on beside {', '.join(map(repr, taken))}.")
    if "" in table.names:
        note(f"{table.source} has a column without a name, taken for row labels and left out.", args.quiet)
    categories = categories_of(args, features)
    categories.check()
    named = args.categories or isinstance(categories.reference, dict)
    plain = missing is None and not named and not table.has_labels(features)
    dataset = Dataset(
        source=table.source,
        y=table.vector(target, "--target"),
        weights=None if args.weights is None else _weights(table, args.weights),
        X=table.matrix(features) if plain else _settled(table, features, categories),
        features=features,
        target=target,
        missing=missing,
        groups=None
        if args.groups is None
        else as_groups(table.raw(args.groups), len(table), name=f"--groups {args.groups!r}"),
        folds=None if folds is None else table.vector(folds, "--folds"),
    )
    return dataset if plain else _prepared(dataset, table, categories)


def _settled(table: Table, features: tuple[str, ...], categories: Categories) -> MixedColumns:
    return settled_columns(table.mixed(features, declared=categories.columns), categories, name=table.source)


def _prepared(dataset: Dataset, table: Table, categories: Categories) -> Dataset:
    """With labels encoded; refuses missing values if nothing was asked for about them."""
    from jaxnet.pipeline.features import Features

    found = dataset.X
    if dataset.missing is None:
        numeric = [name for name, factor in zip(found.names, found.factors, strict=True) if factor is None]
        table.check_finite(found.numbers, numeric)
        if categories.missing == "mode" and found.missing_counts().any():
            raise InvalidInput(
                "--missing-level mode needs --missing: say how other missing values are filled, such as mean."
            )
    return replace(dataset, categories=categories, prepared=Features.of(found, dataset.missing, categories))


def counted(count: int, noun: str) -> str:
    """A number of things, such as "1 column"."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def listed_counts(counts: dict[str, int], most: int = 5) -> str:
    """Names with their numbers, the largest first."""
    order = sorted(counts.items(), key=lambda pair: -pair[1])
    more = f" and {len(order) - most} more" if len(order) > most else ""
    return ", ".join(f"{name!r} ({count:,})" for name, count in order[:most]) + more


def _bytes(text: str) -> np.ndarray:
    return np.frombuffer(text.encode(), np.uint8)


def _weights(table: Table, name: str) -> np.ndarray:
    return as_weights(table.vector(name, "--weights"), len(table), name=f"--weights {name!r}")


def standard_deviations(X: np.ndarray, weights: np.ndarray | None) -> np.ndarray:
    """Weighted standard deviation (divided by n, not n - 1) of each column, (p,)."""
    return np.array([_sd(column, weights) for column in X.T])  # one column of memory at a time


def _sd(column: np.ndarray, weights: np.ndarray | None) -> float:
    deviation = column.astype(np.float64) - np.average(column, weights=weights)
    size = np.abs(deviation).max() or 1.0  # squares of 1e200 would overflow
    return float(size * np.sqrt(np.average((deviation / size) ** 2, weights=weights)))


def _example_table() -> Table:
    from jaxnet.data.examples import load_diabetes

    data = load_diabetes()
    return Table("the diabetes data", (*data.feature_names, data.target), (*data.X.T, data.y))
