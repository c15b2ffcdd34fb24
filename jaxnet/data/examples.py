"""Real data that ships with the package."""

import csv
from dataclasses import dataclass
from importlib.resources import files
from textwrap import shorten

import numpy as np


@dataclass(frozen=True)
class Example:
    """A data set: X (n, p) and y (n,) in float64, the p column names, and the name of y."""

    X: np.ndarray
    y: np.ndarray
    feature_names: tuple[str, ...]
    target: str

    def __repr__(self) -> str:
        n, p = self.X.shape
        return f"Example: X of {n:,} rows and {p:,} columns ({shorten(', '.join(self.feature_names), 60)}), y {self.target}"


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
    names, rows = _read("diabetes.csv")
    values = np.array(rows, dtype=np.float64)
    X, y = values[:, :-1].copy(), values[:, -1].copy()
    return (X, y) if return_X_y else Example(X, y, tuple(names[:-1]), names[-1])


def load_penguins() -> dict[str, np.ndarray]:
    """344 penguins of the Palmer Archipelago, Antarctica, 2007 to 2009: a table of words and numbers, with holes as they came.

    Each row is an adult of a pair at its nest. Columns of words: species (Adelie, Chinstrap or Gentoo), island (Biscoe,
    Dream or Torgersen), sex (female or male, by molecular methods; 11 missing) and clutch_complete (whether there were two
    eggs: yes or no). Columns of numbers: bill_length_mm, bill_depth_mm and flipper_length_mm (mm; 2 missing in each),
    delta_15_n and delta_13_c (per mille, isotopes of nitrogen and carbon in the blood; 14 and 13 missing, all but one
    because there was no blood sample or too little of it), body_mass_g (g; 2 missing). Rows are sorted by species: shuffle folds.

    Returns a dict of the columns (344,) by name, as `pandas.DataFrame` and `polars.DataFrame` take it: numbers in float64,
    nan where missing, words as objects, None where missing.

    Data: K. Gorman and Palmer Station LTER, public domain (CC0), as collected in Horst, Hill and Gorman (2020), the R package
    palmerpenguins. Gorman, Williams, Fraser (2014), "Ecological sexual dimorphism and environmental variability within a
    community of Antarctic penguins (genus Pygoscelis)", PLoS ONE 9(3), e90081.

    >>> penguins = load_penguins()
    >>> penguins["sex"][:4].tolist(), penguins["bill_length_mm"][:4].tolist()
    (['male', 'female', 'female', None], [39.1, 39.5, 40.3, nan])
    """
    names, rows = _read("penguins.csv")
    columns = dict(zip(names, zip(*rows, strict=True), strict=True))
    words = ("species", "island", "sex", "clutch_complete")
    return {
        name: np.array([text or None for text in column], object)
        if name in words
        else np.array([text or "nan" for text in column], np.float64)
        for name, column in columns.items()
    }


def _read(file_name: str) -> tuple[list[str], list[list[str]]]:
    """The names of the columns, and the rows, of a CSV file in this folder."""
    with files("jaxnet.data").joinpath(file_name).open(newline="", encoding="utf-8") as file:
        names, *rows = csv.reader(file)
    return names, rows
