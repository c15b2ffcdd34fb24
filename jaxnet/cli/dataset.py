"""From the options of a command to the table it names, and from a table to what a sweep needs."""

import argparse
from dataclasses import dataclass

import numpy as np

from jaxnet.cli.console import note
from jaxnet.data.arrays import as_weights
from jaxnet.data.batches import Stream, read_stream
from jaxnet.data.fingerprint import fingerprint
from jaxnet.data.tables import Table, read_table
from jaxnet.errors import InvalidInput


@dataclass(frozen=True)
class Dataset:
    """What is fitted: X (n, p) with its p column names, y (n,), row weights (n,) or None; where they came from."""

    source: str
    X: np.ndarray
    y: np.ndarray
    weights: np.ndarray | None
    features: tuple[str, ...]
    target: str

    def sd(self) -> np.ndarray:
        """Weighted standard deviation (divided by n, not n - 1) of each column, (p,)."""
        return np.array([_sd(column, self.weights) for column in self.X.T])  # one column of memory at a time

    def fingerprint(self) -> str:
        """The same for the same rows, columns and weights, whatever file they came from."""
        return fingerprint(X=self.X, y=self.y, weights=self.weights)


def load_table(args: argparse.Namespace, text: tuple[str, ...] = (), missing_text: bool = False) -> Table:
    """The table that DATA or --example names; `text` and `missing_text` are those of `read_table`."""
    if args.example is not None:
        return _example_table()
    return read_table(args.data, text=text, missing_text=missing_text)


def load_stream(args: argparse.Namespace, text: tuple[str, ...] = ()) -> Stream:
    """The same, a batch of rows at a time."""
    if args.example is not None:
        return Stream.of(_example_table())
    return read_stream(args.data, text=text)


def load_dataset(args: argparse.Namespace) -> Dataset:
    """The data set the options of `jaxnet sweep` describe; raises `InvalidInput` for columns that are no use."""
    table = load_table(args, text=(args.id,) if args.id else ())
    target = args.target or ("y" if args.example is None else table.names[-1])
    roles = [("--target", target), ("--weights", args.weights), ("--id", args.id), *(("--drop", d) for d in args.drop)]
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
    return Dataset(
        source=table.source,
        y=table.vector(target, "--target"),
        weights=None if args.weights is None else _weights(table, args.weights),
        X=table.matrix(features),
        features=features,
        target=target,
    )


def _weights(table: Table, name: str) -> np.ndarray:
    return as_weights(table.vector(name, "--weights"), len(table), name=f"--weights {name!r}")


def _sd(column: np.ndarray, weights: np.ndarray | None) -> float:
    deviation = column.astype(np.float64) - np.average(column, weights=weights)
    size = np.abs(deviation).max() or 1.0  # squares of 1e200 would overflow
    return float(size * np.sqrt(np.average((deviation / size) ** 2, weights=weights)))


def _example_table() -> Table:
    from jaxnet.data.examples import load_diabetes

    data = load_diabetes()
    return Table("the diabetes data", (*data.feature_names, data.target), (*data.X.T, data.y))
