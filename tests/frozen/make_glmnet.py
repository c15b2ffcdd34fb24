"""Make glmnet.npz: inputs from a seed, answers from R's glmnet (glmnet.R). Run by hand; needs Rscript.

Keys: `<data>/x|y|w|v|fold|lambda`, `<case>/fit` (lambdas, 1 + p: intercept first), `<case>/cv` (lambdas, 4: mean, se,
is lambda.min, is lambda.1se), `cases` (the table below as JSON), `version`. Everything is in R's own dialect;
tests/frozen_glmnet.py maps it.
"""

import csv
import json
import subprocess
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
COLUMNS = ("name", "data", "a", "weights", "factors", "intercept", "standardize", "lower", "upper", "cv")
CASES = [
    ("plain_mixed", "tall", 0.4, 0, 0, 1, 0, "-Inf", "Inf", 0),
    ("plain_lasso", "tall", 1.0, 0, 0, 1, 0, "-Inf", "Inf", 0),
    ("plain_ridge", "tall", 0.0, 0, 0, 1, 0, "-Inf", "Inf", 0),
    ("no_intercept", "tall", 1.0, 1, 0, 0, 0, "-Inf", "Inf", 0),
    ("weighted", "tall", 0.6, 1, 0, 1, 0, "-Inf", "Inf", 0),
    ("factors", "tall", 0.7, 0, 1, 1, 0, "-Inf", "Inf", 0),
    ("bounds", "tall", 0.7, 0, 0, 1, 0, "-0.2", "0.5", 0),
    ("positive", "tall", 0.7, 1, 0, 1, 0, "0", "Inf", 0),
    ("standardized", "tall", 0.5, 1, 0, 1, 1, "-Inf", "Inf", 0),
    ("everything", "tall", 0.8, 1, 1, 1, 1, "-0.2", "0.5", 0),
    ("wide_mixed", "wide", 0.5, 0, 0, 1, 0, "-Inf", "Inf", 0),
    ("wide_everything", "wide", 0.9, 1, 1, 1, 1, "-0.3", "Inf", 0),
    ("cv_lasso", "tall", 1.0, 0, 0, 1, 0, "-Inf", "Inf", 1),
    ("cv_weighted", "tall", 1.0, 1, 1, 1, 1, "-Inf", "Inf", 1),
    ("cv_wide", "wide", 1.0, 0, 0, 1, 0, "-Inf", "Inf", 1),
]


def make_data(seed: int, n: int, p: int) -> dict[str, np.ndarray]:
    """Correlated columns of unequal scales, a sparse signal, weights, penalty factors (one zero), uneven folds."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p)) + 0.7 * rng.normal(size=(n, 1))
    x = x * rng.uniform(0.5, 2, p) + rng.normal(size=p)
    beta = np.zeros(p)
    beta[: p // 4] = rng.choice([-1.0, -0.4, 0.3, 0.9], p // 4)
    y = 3 + x @ beta + rng.normal(size=n)
    v = rng.choice([0.5, 1.0, 2.0], p)
    v[1] = 0.0
    y, x, w = np.round(y, 6), np.round(x, 6), np.round(rng.uniform(0.2, 3, n), 3)
    top = np.max(abs((x - x.mean(0)).T @ (y - y.mean()))) / n
    fold = rng.permutation(np.minimum(np.arange(n) % 4, np.arange(n) % 7)) + 1
    return {"x": x, "y": y, "w": w, "v": v, "fold": fold, "lambda": np.round(top * np.geomspace(0.8, 0.01, 7), 6)}


def main() -> None:
    data = {"tall": make_data(1, 40, 12), "wide": make_data(2, 20, 60)}
    packed = {f"{name}/{key}": value for name, one in data.items() for key, value in one.items()}
    with tempfile.TemporaryDirectory() as folder:
        for name, one in data.items():
            for key, value in one.items():
                np.savetxt(Path(folder, f"{key}_{name}.csv"), value, delimiter=",", fmt="%.17g")
        with open(Path(folder, "cases.csv"), "w", newline="") as stream:
            csv.writer(stream).writerows([COLUMNS, *CASES])
        subprocess.run(["Rscript", str(HERE / "glmnet.R"), folder], check=True)
        for case in CASES:
            packed[f"{case[0]}/fit"] = np.loadtxt(Path(folder, f"fit_{case[0]}.csv"), delimiter=",")
            if case[-1]:
                packed[f"{case[0]}/cv"] = np.loadtxt(Path(folder, f"cv_{case[0]}.csv"), delimiter=",")
        packed["version"] = np.array(Path(folder, "version.txt").read_text().strip())
    packed["cases"] = np.array(json.dumps([dict(zip(COLUMNS, case, strict=True)) for case in CASES]))
    np.savez_compressed(HERE / "glmnet.npz", **packed)


if __name__ == "__main__":
    main()
