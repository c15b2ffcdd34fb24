"""A finished run, and the table it was made from where the command was given it."""

import argparse
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from jaxnet.cli.chosen import chosen_fits, simplest_of
from jaxnet.cli.dataset import load_table
from jaxnet.cli.predict_command import as_written
from jaxnet.cli.run_folder import SUMMARY, model_file, read_run
from jaxnet.data.arrays import as_weights
from jaxnet.data.mixed import MixedColumns
from jaxnet.data.regular import open_regular
from jaxnet.result import BestFit, SweepResult
from jaxnet.selection.criteria import Criteria
from jaxnet.selection.rows import predictions, result_columns


@dataclass(frozen=True)
class FinishedRun:
    """`X`, `y` and `weights` (n,) are those of DATA, None without it; `sd` (p,), None in runs of earlier versions.

    X is a matrix (n, p), or columns as they were read if the run has what prepares them.
    """

    model: dict[str, Any]
    summary: dict[str, Any]
    X: np.ndarray | MixedColumns | None
    y: np.ndarray | None
    weights: np.ndarray | None

    @classmethod
    def load(cls, args: argparse.Namespace) -> "FinishedRun":
        """The run that `args.run` names, with the data of `args.data` or `args.example`."""
        model, folder = read_run(args.run), model_file(args.run).parent
        path = folder / SUMMARY
        summary = _told(path) if Path(args.run).is_dir() and path.exists() else {}
        if "percent" not in model:  # of an earlier version
            model["percent"] = summary.get("request", {}).get("percent", 5.0)
        if args.data is None and args.example is None:
            return cls(model, summary, None, None, None)
        table = load_table(args, text=as_written(model), told=model.get("spelling"))
        preparation = model["result"].preparation
        names = model["result"].feature_names if preparation is None else preparation.columns
        for name in names:
            table.position(name, "the run's column")
        weights = model.get("weights", summary.get("request", {}).get("weights"))
        w = None if weights is None else as_weights(table.vector(weights, "--weights"), len(table), name=weights)
        labelled = None if preparation is None else preparation.encoding.labelled
        X = table.matrix(names, can_drop=False) if labelled is None else table.mixed(names, labelled)
        return cls(model, summary, X, table.vector(model["target"], "the target"), w)

    @property
    def result(self) -> SweepResult:
        return self.model["result"]

    @property
    def sd(self) -> np.ndarray | None:
        """Standard deviations of the columns."""
        return self.model.get("sd")

    @property
    def rule(self) -> str:
        """The rule that the run kept."""
        return self.model["rule"]

    def criteria(self) -> Criteria:
        """Information criteria and degrees of freedom, of the table of the run."""
        return self.result.criteria(self.X, self.y, sample_weight=self.weights)

    def chosen(self, simplest: str | None) -> dict[str, BestFit]:
        """By rule what the run chose, or would have chosen by another `simplest`; that of `rule` is the one that it kept."""
        need = simplest == "df" != simplest_of(self.model) and self.X is not None
        return chosen_fits(self.model, simplest, self.criteria() if need else None)

    def predicted(self, kept: BestFit) -> tuple[np.ndarray, np.ndarray]:
        """The response and what a model predicts, of the rows that it can predict."""
        found = predictions(result_columns(self.result, self.X), kept)
        known = ~np.isnan(found)
        return self.y[known], found[known]


def _told(path: Path) -> dict[str, Any]:
    """What summary.json says; nothing if it is none of ours."""
    with open_regular(path) as file:
        try:
            summary = json.load(file)
        except (ValueError, RecursionError):
            return {}
    return summary if isinstance(summary, dict) else {}
