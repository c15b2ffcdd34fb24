"""A benchmark problem as plain arrays, and the folder in which solvers in other processes find it."""

import json
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np


@dataclass(frozen=True)
class Problem:
    """One grid of elastic nets over G groups of rows; every solver gets exactly these numbers.

    1/(2 n_g) ||y - b0 - X b||^2 + alpha (rho ||b||_1 + (1 - rho)/2 ||b||^2) over the n_g training rows of group g.

    `X` (n, p) in C order; `Y` (n, q), one column per response; `rho` (R,); `alphas` (q, R, A), decreasing, computed in
    float64 from the full data; `train` (G, n) bool, group 0 being all rows. The held-out rows of a group are the others.
    `keep_folds` says that the user of this workload needs the coefficients of every group, not the held-out errors alone.
    `all_responses` is the q that this problem was cut from.
    """

    name: str
    X: np.ndarray
    Y: np.ndarray
    rho: np.ndarray
    alphas: np.ndarray
    train: np.ndarray
    keep_folds: bool = False
    all_responses: int = 1

    @property
    def grid(self) -> tuple[int, int, int, int]:
        """(G, q, R, A): the shape in which the fits of this problem are ordered."""
        return (len(self.train), *self.alphas.shape)

    @property
    def pairs(self) -> list[tuple[np.ndarray, np.ndarray]]:
        """(train, test) row numbers of every group but the full data."""
        return [(np.flatnonzero(rows), np.flatnonzero(~rows)) for rows in self.train[1:]]

    def first_responses(self, count: int) -> "Problem":
        """The same problem with only the first `count` responses."""
        return replace(self, Y=self.Y[:, :count], alphas=self.alphas[:count])


def save_problem(problem: Problem, folder: Path) -> None:
    """Write the problem for `load_problem` and for the R script (which reads X.npy and the raw arrays named in meta.json)."""
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "X.npy", np.ascontiguousarray(problem.X))
    for name in ("Y", "rho", "alphas", "train"):
        np.save(folder / f"{name}.npy", np.ascontiguousarray(getattr(problem, name)))
    meta = {
        "name": problem.name,
        "keep_folds": problem.keep_folds,
        "all_responses": problem.all_responses,
        "shape": list(problem.X.shape),
        "itemsize": problem.X.dtype.itemsize,
        "grid": list(problem.grid),
    }
    (folder / "meta.json").write_text(json.dumps(meta))


def load_problem(folder: Path) -> Problem:
    """Read what `save_problem` wrote."""
    meta = json.loads((folder / "meta.json").read_text())
    arrays = {name: np.load(folder / f"{name}.npy") for name in ("X", "Y", "rho", "alphas", "train")}
    return Problem(meta["name"], **arrays, keep_folds=meta["keep_folds"], all_responses=meta["all_responses"])
