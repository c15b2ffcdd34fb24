"""Tables, a finished run and a store that tests of the command line's options share."""

import numpy as np
import pandas as pd

from jaxnet.cli import main

N = 30
USUAL = ["--target", "y", "--id", "cell", "--drop", "w", "--rho", "0.5", "1", "--alphas", "5", "--cv", "3"]


def make_frame() -> pd.DataFrame:
    """Columns that every option of a sweep has something to do with."""
    rng = np.random.default_rng(5)
    a, b, c = rng.normal(size=(3, N)) * [[1], [3], [0.1]]
    b[[3, 8, 20]] = np.nan
    thousands = [f"{v:,.1f}" for v in 1000 * rng.normal(size=N)]
    comma = [f"{v:.3f}".replace(".", ",") for v in rng.normal(size=N)]
    sites = [["York", "Leeds", None, "Bath"][i % 4] for i in range(N)]
    y = a + np.nan_to_num(b) / 9 + np.where(np.arange(N) % 4 == 0, 1.0, 0.0) + rng.normal(size=N) / 5
    marked = ["?" if i == 4 else f"{v:.3f}" for i, v in enumerate(c)]
    return pd.DataFrame(
        {"cell": range(N), "a": a, "b": b, "c": marked, "t": thousands, "d": comma, "code": np.arange(N) % 3,
         "site": sites, "w": 1 + np.arange(N) % 5, "y": y}
    )  # fmt: skip


def make_place(folder):
    """The folder with all.csv, plain.csv, d.npz, a run of plain.csv, and a store with two more."""
    frame = make_frame()
    frame.to_csv(folder / "all.csv", index=False)
    plain = frame[["cell", "a", "code", "w", "y"]]
    plain.to_csv(folder / "plain.csv", index=False)
    np.savez(folder / "d.npz", X=frame[["a", "code"]].to_numpy(), y=frame["y"])
    argv = ["sweep", str(folder / "plain.csv"), *USUAL, "--quiet"]
    assert main([*argv, "--out", str(folder / "run")]) == 0
    assert main([*argv, "--store", str(folder / "runs.db"), "--run", "first"]) == 0
    assert main([*argv, "--store", str(folder / "runs.db"), "--run", "second", "--tol", "1e-6"]) == 0
    return folder
