"""Make glmnet_1se.npz: inputs from a seed, what R's cv.glmnet chooses (glmnet_1se.R). Run by hand; needs Rscript.

glmnet divides the ridge part by the standard deviation of the response on the rows of each fit, so that for alpha < 1 its
fold fits are those of other penalties than its fit to all rows. Here y has mean 0 and (weighted) variance 1 on every fold,
and so on every union of folds: R's lambda and alpha are this project's alpha and rho, in every fit.

Keys: `<data>/x|y|w|fold`, `<case>` (lambdas, 5: lambda, mean, se, is lambda.min, is lambda.1se), `cases` (case: data, a,
weights), `version`.
"""

import csv
import subprocess
import tempfile
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
SHARES = (0.05, 0.2, 0.5, 1.0)
SETS = 6
"""The second half of them is weighted."""


def make_data(seed: int, weighted: bool, n: int = 48, p: int = 40) -> dict[str, np.ndarray]:
    """Correlated columns, so that supports shrink and grow along a path; a sparse signal, folds of very unequal size."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(n, p)) + rng.choice([1.0, 3.0]) * rng.normal(size=(n, 1))
    x[:, : p // 2] += 2 * rng.normal(size=(n, 1))
    x = np.round(x, 3)
    beta = np.where(rng.random(p) < 0.3, rng.normal(size=p), 0.0)
    y = x @ beta + 4 * rng.normal(size=n)
    w = np.round(rng.uniform(0.2, 3, n), 3) if weighted else np.ones(n)
    fold = rng.permutation(np.repeat([1, 2, 3, 4, 5], [18, 12, 8, 5, 5]))
    for k in np.unique(fold):
        at = fold == k
        y[at] -= np.average(y[at], weights=w[at])
        y[at] /= np.sqrt(np.average(y[at] ** 2, weights=w[at]))
    share = w / w.sum()
    top = np.max(abs((x - share @ x).T @ (share * y)))
    return {"x": x, "y": y, "w": w, "fold": fold, "lambda": top * np.geomspace(1.0, 0.05, 30)}


def main() -> None:
    data = [make_data(seed, seed >= SETS // 2) for seed in range(SETS)]
    cases = [(seed, share, int(seed >= SETS // 2)) for seed in range(SETS) for share in SHARES]
    packed = {f"{seed}/{key}": one[key] for seed, one in enumerate(data) for key in ("x", "y", "w", "fold")}
    with tempfile.TemporaryDirectory() as folder:
        for seed, one in enumerate(data):
            for key, value in one.items():
                np.savetxt(Path(folder, f"{key}_{seed}.csv"), value, delimiter=",", fmt="%.17g")
        with open(Path(folder, "cases.csv"), "w", newline="") as stream:
            csv.writer(stream).writerows([("data", "a", "weights"), *cases])
        subprocess.run(["Rscript", str(HERE / "glmnet_1se.R"), folder], check=True)
        for k in range(len(cases)):
            packed[str(k)] = np.loadtxt(Path(folder, f"cv_{k + 1}.csv"), delimiter=",")
        packed["version"] = np.array(Path(folder, "version.txt").read_text().strip())
    np.savez_compressed(HERE / "glmnet_1se.npz", **packed, cases=np.array(cases))


if __name__ == "__main__":
    main()
