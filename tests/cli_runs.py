"""A small table for the tests of the command line, and ways to run the command on it and to read what it said."""

import csv
import gzip
import os
import subprocess
import sys
from pathlib import Path

import numpy as np

from jaxnet.cli import main
from jaxnet.execution.compilation import VARIABLE

os.environ.setdefault(VARIABLE, "off")  # tests leave the user's cache alone

N, P = 40, 12
SMALL = ["--rho", "0.5", "1", "--alphas", "6", "--cv", "3"]
FEATURES = [f"gene {j}" for j in range(P)]


def make_data() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(7)
    X = rng.normal(size=(N, P)) * np.geomspace(0.01, 100, P) + rng.normal(size=P)
    y = 3 + X[:, 0] / 0.01 - X[:, P - 1] / 50 + rng.normal(size=N)
    return X, y, rng.uniform(0.5, 2, N)


def write_csv(path: Path, columns: dict) -> Path:
    opener = gzip.open if path.suffix == ".gz" else open
    with opener(path, "wt", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, delimiter="\t" if ".tsv" in path.name else ",")
        writer.writerow(columns)
        writer.writerows(zip(*columns.values(), strict=True))
    return path


def data_columns() -> dict:
    X, y, w = make_data()
    ids = [f"{i:03d}" for i in range(N)]
    columns = {"cell": ids, **dict(zip(FEATURES, X.T.tolist(), strict=True))}
    return {**columns, "weight": w.tolist(), "response": y.tolist()}


def sweep(data, *options) -> int:
    roles = ["--target", "response", "--id", "cell", "--drop", "weight"]
    return main(["sweep", str(data), *instead(options, *roles, *SMALL)])


def instead(options, *usual: str) -> list[str]:
    """The usual options with those of `options` in place of what they repeat, as none but --drop may be given twice."""
    options, kept, flag = list(map(str, options)), [], ""
    for word in usual:
        flag = word if word.startswith("--") else flag
        kept += [word] if flag == "--drop" or flag not in options else []
    return [*kept, *options]


def read_rows(path) -> list[dict[str, str]]:
    with open(path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def sentence(capsys) -> str:
    """The single line on standard error."""
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == 1 and lines[0].startswith("jaxnet: "), lines
    return lines[0]


def start(*argv, **environment) -> subprocess.Popen:
    """The command in a process of its own."""
    env = {**os.environ, **environment}
    command = [sys.executable, "-m", "jaxnet", *map(str, argv)]
    return subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
