"""Coefficients pooled over the fillings of a multiple imputation: means, how often selected, and Rubin's two variances."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jaxnet.data.arrays import as_weights
from jaxnet.data.layout import aligned, and_more, shown
from jaxnet.errors import InvalidInput
from jaxnet.selection.degrees import Hat
from jaxnet.selection.fits import same_responses

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxtyping import Float, Int

SHOWN = 10


@dataclass(frozen=True, eq=False)
class PooledCoefficients:
    """Of a fit to m fillings, the k columns that any of them selects, those selected most often first.

    `columns` (k,) their positions and `names`; `coef` the mean over fillings, in units of y per unit of the column; `frequency`
    the share of fillings that select it; `between` the variance of its m coefficients. With X and y also `within`, the mean
    over fillings of the variance of the coefficient of one (None without), `total` = within + (1 + 1/m) between, and
    `missing_share`, what (1 + 1/m) between is of the total.

    These describe how far coefficients depend on what was filled in, and on the noise of y, given the supports. They are
    not inference: a penalised coefficient is biased, its support was chosen by the same data, and supports differ between
    fillings; intervals of +- 2 sqrt(total) do not cover.

    Reference: Rubin 1987, section 3.3 (the rules, for estimators that are nearly normal and unbiased).
    """

    m: int
    columns: Int[np.ndarray, " k"]
    names: tuple[str, ...]
    coef: Float[np.ndarray, " k"]
    frequency: Float[np.ndarray, " k"]
    between: Float[np.ndarray, " k"]
    within: Float[np.ndarray, " k"] | None

    @property
    def total(self) -> Float[np.ndarray, " k"] | None:
        """within + (1 + 1/m) between."""
        return None if self.within is None else self.within + (1 + 1 / self.m) * self.between

    @property
    def missing_share(self) -> Float[np.ndarray, " k"] | None:
        """(1 + 1/m) between / total."""
        if self.within is None:
            return None
        return np.divide(
            (1 + 1 / self.m) * self.between, self.total, out=np.zeros_like(self.total), where=self.total > 0
        )

    def __repr__(self) -> str:
        heading = f"PooledCoefficients: {len(self.names):,} columns that any of {self.m} fillings selects"
        if not self.names:
            return heading
        missing = self.missing_share
        rows = [("column", "coef", "selected", "between", *["total", "of it missing"] * (missing is not None))]
        for j in range(min(len(self.names), SHOWN)):
            cells = shown(self.names[j]), f"{self.coef[j]:.4g}", f"{self.frequency[j]:.0%}", f"{self.between[j]:.3g}"
            rows.append((*cells, *[f"{self.total[j]:.3g}", f"{missing[j]:.0%}"]) if missing is not None else cells)
        return "\n  ".join([heading, *aligned(rows), *and_more(len(self.names), SHOWN)])

    def rows(self) -> list[dict]:
        """One dict per column, as `pandas.DataFrame` takes them."""
        parts = {"column": self.columns.tolist(), "name": self.names}
        for name in ("coef", "frequency", "between", "within", "total", "missing_share"):
            values = getattr(self, name)
            if values is not None:
                parts[name] = values.tolist()
        return [dict(zip(parts, values, strict=True)) for values in zip(*parts.values(), strict=True)]


def pooled_coefficients(
    result, X=None, y=None, rule: str = "min", *, simplest: str | None = None, sample_weight=None
) -> PooledCoefficients | list[PooledCoefficients]:
    """How the coefficients of the fit that a rule chooses vary over the fillings of a multiple imputation.

    With Q_d the coefficient of a column in the fit to filling d, and U_d its variance given the support A of that fit,

        coef = mean Q_d,  between = sum (Q_d - coef)^2 / (m - 1),  within = mean U_d,  total = within + (1 + 1/m) between,
        U_d = (s^2/n) [H^-1 G H^-1]_jj,  G = X_A'WX_A,  H = G + alpha (1 - rho) D,  s^2 = RSS / (1 - df/n),

    for weights W that sum to one, D the penalty factors (times variances under `standardize`), RSS the weighted mean squared
    residual, df the trace degrees of freedom. `PooledCoefficients` says what they are good for, and what not.

    - result: of `jaxnet.sweep(..., missing=jaxnet.MultipleFill(pool="average"))`, or "grouped".
    - X, y, sample_weight: those of the sweep, for `within`; without them it is None.
    - rule, simplest: as in `SweepResult.best`.

    Returns a `PooledCoefficients`; with q responses a list of q. Raises InvalidInput for a result of another kind of sweep,
    for other data, and for the variances of a relaxed fit. Reference: Rubin 1987, section 3.3.

    >>> import jaxnet, numpy as np
    >>> X, y = jaxnet.load_diabetes(return_X_y=True)
    >>> X[::5, 2] = np.nan
    >>> result = jaxnet.sweep(X, y, rho=1.0, alphas=10, standardize=True, missing=jaxnet.MultipleFill(m=3))
    >>> row = pooled_coefficients(result, X, y).rows()[0]
    >>> row["frequency"], row["within"] > 0
    (1.0, True)
    """
    if result.imputations is None:
        raise InvalidInput(
            "result has no fits to several fillings: sweep with missing=jaxnet.MultipleFill(), pooled by 'average' or 'grouped'."
        )
    if (X is None) != (y is None):
        raise InvalidInput("X and y go together: give the data of the sweep, or neither.")
    fits = result.best(rule, simplest=simplest)
    each = fits if isinstance(fits, list) else [fits]
    if X is not None and any(fit.blend not in (None, 1.0) for fit in each):
        raise InvalidInput(
            "The variances are of penalised fits, and the rule chose a relaxed one: leave out X and y, or sweep without relax."
        )
    versions = Y = weights = None
    if X is not None:
        versions = result.preparation.fillings(X)
        Y, given = same_responses(result, y, versions.shape[1]), as_weights(sample_weight, versions.shape[1])
        weights = np.ones(versions.shape[1]) if given is None else given
    pooled = []
    for j, fit in enumerate(each):
        response = j if result.n_responses is not None else None
        B = result.imputations.at(*fit.index, response)
        data = None if versions is None else (versions, Y[j], weights / weights.sum())
        pooled.append(_pooled(result, fit, B, data))
    return pooled if isinstance(fits, list) else pooled[0]


def _pooled(result, fit, B: Float[np.ndarray, "m p"], data) -> PooledCoefficients:
    m, frequency, coef = len(B), (B != 0).mean(axis=0), B.mean(axis=0)
    columns = np.flatnonzero(frequency)
    columns = columns[np.lexsort((-np.abs(coef[columns]), -frequency[columns]))]
    names = result.feature_names or tuple(f"x{j}" for j in range(B.shape[1]))
    within = None
    if data is not None:
        versions, y, w = data
        within = np.mean([_variances(result, fit, x, y, w, b) for x, b in zip(versions, B, strict=True)], axis=0)[
            columns
        ]
    between = B[:, columns].var(axis=0, ddof=1) if m > 1 else np.zeros(len(columns))
    label = tuple(names[j] for j in columns)
    return PooledCoefficients(m, columns, label, coef[columns], frequency[columns], between, within)


def _variances(result, fit, X: Float[np.ndarray, "n p"], y, w, b) -> Float[np.ndarray, " p"]:
    """U_d of every column; zero off the support."""
    options, support, n = result.options, np.flatnonzero(b), np.count_nonzero(w)
    out = np.zeros(len(b))
    if not len(support):
        return out
    factor = np.ones(len(support)) if options.penalty_factor is None else options.penalty_factor[support]
    Z = X[:, support] - options.fit_intercept * (w @ X[:, support])
    G = Z.T @ (w[:, None] * Z)
    ridge = fit.alpha * (1 - fit.rho) * factor * (np.diagonal(G) if options.standardize else 1.0)
    residual = y - X @ b
    residual = residual - options.fit_intercept * (w @ residual)
    hat = Hat(X[:, support], w, factor, intercept=options.fit_intercept, standardize=options.standardize)
    df = float(hat.degrees_of_freedom(np.ones((1, len(support)), bool), np.array([fit.alpha * (1 - fit.rho)]))[0])
    if df >= n:
        return np.where(b != 0, np.nan, 0.0)
    inverse = np.linalg.pinv(G + np.diag(ridge), hermitian=True)
    noise = (w @ residual**2) / (1 - df / n)
    out[support] = noise / n * np.sum(inverse @ G * inverse, axis=1)
    return out
