"""Real data that ships with the package."""

import csv
from dataclasses import dataclass
from importlib.resources import files

import numpy as np


@dataclass(frozen=True)
class Example:
    """A data set: X (n, p) and y (n,) in float64, the p column names, and the name of y."""

    X: np.ndarray
    y: np.ndarray
    feature_names: tuple[str, ...]
    target: str


def load_diabetes(*, return_X_y: bool = False) -> Example | tuple[np.ndarray, np.ndarray]:
    """442 diabetes patients: ten baseline measurements and the progression of the disease one year later.

    Columns, in the units they were measured in: age (years), sex (1 or 2), bmi (kg/m^2), bp (mean arterial pressure,
    mmHg), and six blood serum values s1 to s6 (total cholesterol, LDL, HDL, cholesterol/HDL ratio, log triglycerides,
    glucose). y, `progression`, is a quantitative measure between 25 and 346. scikit-learn's `load_diabetes()` holds
    the same data with every column centred and divided by its norm.

    Returns an `Example`, or only the pair (X, y) if `return_X_y`.

    Efron, Hastie, Johnstone, Tibshirani (2004), "Least angle regression", Annals of Statistics 32, 407-499.

    >>> load_diabetes().X.shape
    (442, 10)
    """
    with files("jaxnet.data").joinpath("diabetes.csv").open(newline="", encoding="utf-8") as file:
        names, *rows = csv.reader(file)
    values = np.array(rows, dtype=np.float64)
    X, y = values[:, :-1].copy(), values[:, -1].copy()
    return (X, y) if return_X_y else Example(X, y, tuple(names[:-1]), names[-1])
