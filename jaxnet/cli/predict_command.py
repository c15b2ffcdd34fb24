"""`jaxnet predict`: the model of a finished run applied to new rows, a batch at a time. Needs no JAX."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxnet.cli.chosen import check_simplest_acts, chosen_fits
from jaxnet.cli.console import note, say
from jaxnet.cli.csv_text import CsvText
from jaxnet.cli.dataset import counted, load_stream
from jaxnet.cli.interrupt import Check
from jaxnet.cli.one_file import check_file, write_file
from jaxnet.cli.run_folder import read_run
from jaxnet.data.batches import Stream
from jaxnet.data.tables import Table
from jaxnet.errors import InvalidInput
from jaxnet.selection.rows import linear

if TYPE_CHECKING:
    from jaxnet.missing.preparation import Preparation


def run(args: argparse.Namespace, check_interrupt: Check) -> None:
    """Carry out `jaxnet predict` as `args` ask."""
    if args.out is not None:
        check_file(args.out, args.overwrite, "the predictions")
    model = read_run(args.run)
    stream = load_stream(args, text=as_written(model), told=model.get("spelling"))
    predictor = Predictor.of(model, stream, args.rule or model["rule"], args.simplest, args.quiet)
    score, csv_text = Score(), CsvText(args.raw_text)
    texts = map(csv_text, _batches(model, stream, predictor, score))
    if args.out is None:
        for text in texts:
            check_interrupt()
            say(text, data=True)
    else:
        write_file(args.out, _encoded(texts, check_interrupt))
        note(f"wrote {score.rows:,} predictions to {args.out}.", args.quiet)
    csv_text.tell()
    predictor.warn(stream.source)
    if score.unknown:
        note(
            f"{counted(score.unknown, 'row')} without a prediction (nan): a value that the model needs is missing.",
            False,
        )
    if model["target"] in stream.names and score.errors is not None:
        note(f"{stream.source} holds {model['target']!r}: {score}.", args.quiet)


@dataclass(frozen=True)
class Predictor:
    """The columns that a model needs, in the order of their coefficients, and its intercept.

    With a `preparation` it needs what there is of the columns that the fit was given, for the `coef` of those it makes;
    `unseen` counts labels that the fit did not know.
    """

    columns: tuple[str, ...]
    coef: np.ndarray
    intercept: float
    preparation: Preparation | None = None
    unseen: dict[str, dict[str, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, model: dict[str, Any], stream: Stream, rule: str, simplest: str | None, quiet: bool) -> Predictor:
        """The model that `rule` chose, by `simplest` if that is not None.

        Columns are matched by name, and only those with a nonzero coefficient are read.
        Raises `InvalidInput` naming the columns that the model needs and the table lacks.
        """
        if rule not in model["chosen"]:
            raise InvalidInput(
                f"--rule {rule}: the run chose by {', '.join(model['chosen'])}; sweep again with --rule {rule}."
            )
        check_simplest_acts(simplest, rule)
        result, fit = model["result"], chosen_fits(model, simplest)[rule]
        coef, names, preparation = fit.coef, result.feature_names, result.preparation
        needed = coef != 0
        if preparation is not None:
            names, needed = preparation.columns, _needed(preparation, coef)
        used = [name for name, need in zip(names, needed, strict=True) if need]
        present = set(stream.names)
        missing = [name for name in used if name not in present]
        if missing:
            shown = ", ".join(map(repr, missing[:5])) + (f" and {len(missing) - 5} more" if len(missing) > 5 else "")
            s = "" if len(missing) == 1 else "s"
            raise InvalidInput(f"{stream.source} lacks {len(missing)} column{s} that the model needs: {shown}.")
        unused = sum(name not in present for name in names)
        if unused:
            filled = ", and they are missing to what fills others" if _fills_from_others(preparation) else ""
            note(
                f"{unused:,} of the model's columns are not in {stream.source}; their coefficients are zero{filled}.",
                quiet,
            )
        extra = present - set(names) - {model["target"], model["id"], ""}
        if extra:
            s = "" if len(extra) == 1 else "s"
            note(f"ignored {len(extra):,} column{s} unknown to the model, such as {min(extra)!r}.", quiet)
        if model["id"] is not None and model["id"] not in present:
            note(f"{stream.source} has no column {model['id']!r}: predictions have no labels.", quiet)
        intercept = fit.intercept
        if preparation is not None:
            return cls(tuple(name for name in names if name in present), coef, intercept, preparation)
        return cls(tuple(used), coef[coef != 0], intercept)

    def __call__(self, table: Table) -> np.ndarray:
        """Predicted responses (n,)."""
        if self.preparation is not None:
            return linear(self._made(table), self.coef) + self.intercept
        prediction = np.full(len(table), self.intercept)
        if self.columns:
            prediction += table.matrix(self.columns, can_drop=False).astype(np.float64, copy=False) @ self.coef
        return prediction

    def _made(self, table: Table) -> np.ndarray:
        """The columns of the coefficients; columns of the fit that the table lacks are missing."""
        encoding = self.preparation.encoding
        lacking = np.full(len(table), np.nan)
        columns = dict(zip(table.names, table.columns, strict=True))
        whole = Table(table.source, encoding.columns, tuple(columns.get(name, lacking) for name in encoding.columns),
                      table.nulls)  # fmt: skip
        unseen: dict[str, dict[str, int]] = {}
        matrix = whole.transform(encoding, unseen=unseen)
        for column, counts in unseen.items():
            if any(column == repr(name) for name in table.names):
                sums = self.unseen.setdefault(column, {})
                sums.update({label: sums.get(label, 0) + count for label, count in counts.items()})
        if self.preparation.missing is None:
            used = np.flatnonzero(self.coef)
            table.check_finite(matrix[:, used], [encoding.columns[encoding.source[j]] for j in used], can_drop=False)
            matrix = np.nan_to_num(matrix, nan=0.0)
        return self.preparation.complete(matrix)

    def warn(self, source: str) -> None:
        """Tell of labels that the fit did not know, in all batches."""
        if self.preparation is not None:
            self.preparation.encoding.warn_of(self.unseen, source)


def as_written(model: dict[str, Any]) -> tuple[str, ...]:
    """The columns that a model takes for text, whatever they look like."""
    preparation = model["result"].preparation
    return (*((model["id"],) if model["id"] else ()), *(() if preparation is None else preparation.encoding.text))


def _needed(preparation: Preparation, coef: np.ndarray) -> np.ndarray:
    """Which of the given columns have a coefficient that is not zero, of any column made of them."""
    source = preparation.encoding.source
    needed = np.zeros(preparation.given, bool)
    needed[np.concatenate([source, source[preparation.indicated]])[coef != 0]] = True
    return needed


def _fills_from_others(preparation: Preparation | None) -> bool:
    """Whether what is filled in depends on the other columns of a row."""
    simple = ("NoneType", "SimpleFiller", "Unfilled")
    return preparation is not None and type(preparation.filler).__name__ not in simple


class Score:
    """How well a response that is known was predicted, batch after batch; `unknown` counts rows without a prediction."""

    def __init__(self) -> None:
        self.rows, self.unknown = 0, 0
        self.errors: float | None = 0.0  # sum of squares; None once a response is not known
        self._mean, self._spread = 0.0, 0.0  # of the response; sum of squares about the mean

    def add(self, y: np.ndarray | None, prediction: np.ndarray) -> None:
        """More rows; `y` is None where responses are missing."""
        known = ~np.isnan(prediction)
        before, n = self.rows - self.unknown, int(np.count_nonzero(known))
        self.rows, self.unknown = self.rows + len(prediction), self.unknown + len(prediction) - n
        if y is None or self.errors is None:
            self.errors = None
            return
        if not n:
            return
        y, prediction = y[known], prediction[known]
        self.errors += float(np.sum((y - prediction) ** 2))
        # Means and sums of squares of two parts make those of the whole (Chan, Golub and LeVeque 1983, eq. 2.1).
        shift = float(np.mean(y)) - self._mean
        self._spread += float(np.var(y)) * n + shift * shift * n * before / (before + n)
        self._mean += shift * n / (before + n)

    def __str__(self) -> str:
        share = f", {1 - self.errors / self._spread:.1%} of its variance explained" if self._spread > 0 else ""
        return f"mean squared error {self.errors / max(1, self.rows - self.unknown):.6g}{share}"


def _batches(
    model: dict[str, Any], stream: Stream, predictor: Predictor, score: Score
) -> Iterator[list[Sequence[Any]]]:
    """The rows of the file of predictions, batch by batch."""
    label, target = (name if name in stream.names else None for name in (model["id"], model["target"]))
    needed = dict.fromkeys([*predictor.columns, *(name for name in (label, target) if name is not None)])
    header = [["prediction"] if label is None else [label, "prediction"]]
    for table in stream.tables(list(needed)):
        prediction = predictor(table)
        score.add(None if target is None else _known(table, target), prediction)
        labels = [] if label is None else [_labels(table.raw(label))]
        yield [*header, *zip(*labels, prediction.tolist(), strict=True)]
        header = []


def _known(table: Table, target: str) -> np.ndarray | None:
    try:
        return table.vector(target)
    except InvalidInput:  # an empty or partly filled column of what is yet to be known
        return None


def _labels(values: np.ndarray) -> list[Any]:
    return ["" if v is None or v != v else v for v in values.tolist()]


def _encoded(texts: Iterator[str], check_interrupt: Check) -> Iterator[bytes]:
    for text in texts:
        check_interrupt()
        yield text.encode()
