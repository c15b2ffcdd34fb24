"""`jaxnet predict`: the model of a finished run applied to new rows. Needs no JAX."""

import argparse
from typing import Any

import numpy as np

from jaxnet.cli.console import note, say
from jaxnet.cli.csv_text import csv_text
from jaxnet.cli.dataset import load_table
from jaxnet.cli.interrupt import Check
from jaxnet.cli.one_file import check_file, write_file
from jaxnet.cli.run_folder import read_run
from jaxnet.data.tables import Table
from jaxnet.errors import InvalidInput


def run(args: argparse.Namespace, check_interrupt: Check) -> None:
    """Carry out `jaxnet predict` as `args` ask."""
    if args.out is not None:
        check_file(args.out, args.overwrite, "the predictions")
    model = read_run(args.run)
    table = load_table(args, text=(model["id"],) if model["id"] else ())
    prediction = predictions(model, table, args.rule or model["rule"], args.quiet)
    header, columns = ["prediction"], [prediction.tolist()]
    if model["id"] in table.names:
        header.insert(0, model["id"])
        columns.insert(0, _labels(table.raw(model["id"])))
    elif model["id"] is not None:
        note(f"{table.source} has no column {model['id']!r}: predictions have no labels.", args.quiet)
    _score(model, table, prediction, args.quiet)
    text = csv_text([header, *zip(*columns, strict=True)])
    check_interrupt()
    if args.out is None:
        say(text)
        return
    write_file(args.out, text.encode())
    note(f"wrote {len(table):,} predictions to {args.out}.", args.quiet)


def predictions(model: dict[str, Any], table: Table, rule: str, quiet: bool) -> np.ndarray:
    """Predicted responses (n,); columns are matched by name, and only those with a nonzero coefficient are read.

    Raises `InvalidInput` naming the columns that the model needs and the table lacks.
    """
    if rule not in model["chosen"]:
        raise InvalidInput(
            f"--rule {rule}: the run chose by {', '.join(model['chosen'])}; sweep again with --rule {rule}."
        )
    result, (i, k) = model["result"], model["chosen"][rule]
    coef, names = result.coef_at(i, k), result.feature_names
    used = [name for name, b in zip(names, coef, strict=True) if b != 0]
    present = set(table.names)
    missing = [name for name in used if name not in present]
    if missing:
        shown = ", ".join(map(repr, missing[:5])) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
        s = "" if len(missing) == 1 else "s"
        raise InvalidInput(f"{table.source} lacks {len(missing)} column{s} that the model needs: {shown}.")
    unused = sum(name not in present for name in names)
    if unused:
        note(f"{unused:,} of the model's columns are not in {table.source}; their coefficients are zero.", quiet)
    extra = present - set(names) - {model["target"], model["id"], ""}
    if extra:
        s = "" if len(extra) == 1 else "s"
        note(f"ignored {len(extra):,} column{s} unknown to the model, such as {min(extra)!r}.", quiet)
    prediction = np.full(len(table), float(result.intercepts[i, k]))
    if used:
        prediction += table.matrix(used, can_drop=False).astype(np.float64, copy=False) @ coef[coef != 0]
    return prediction


def _score(model: dict[str, Any], table: Table, prediction: np.ndarray, quiet: bool) -> None:
    """Where the table holds the target, say how well it was predicted."""
    if model["target"] not in table.names:
        return
    try:
        y = table.vector(model["target"])
    except InvalidInput:  # an empty or partly filled column of what is yet to be known
        return
    error, spread = np.mean((y - prediction) ** 2), np.var(y)
    share = f", {1 - error / spread:.1%} of its variance explained" if spread > 0 else ""
    note(f"{table.source} holds {model['target']!r}: mean squared error {error:.6g}{share}.", quiet)


def _labels(values: np.ndarray) -> list[Any]:
    return ["" if v is None or v != v else v for v in values.tolist()]
