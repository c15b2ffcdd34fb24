"""Reading one fit: what each column does in it, when it came in, how often folds agree, and what could stand in for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jaxnet.data.layout import aligned, and_more, shown
from jaxnet.errors import InvalidInput
from jaxnet.scalars import is_number, is_whole
from jaxnet.selection.columns import BLOCK, SLACK, Columns, connected, slices
from jaxnet.selection.entry import entry_ranks
from jaxnet.selection.fits import Data, check_residuals, has_fillings, same_columns, same_responses
from jaxnet.selection.frequencies import Frequencies, frequencies_of
from jaxnet.selection.ranking import ranked

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxtyping import Float, Int

    from jaxnet.result import BestFit

LEADING = 1000
"""Companions and groups are looked for among so many of the most important columns: a ridge keeps all p."""
SHOWN = 10


@dataclass(frozen=True, eq=False)
class Explanation:
    """The columns of a chosen fit, the most important first; made by `SweepResult.explain`.

    Of the k columns with a nonzero coefficient, arrays (k,):

    - `columns`, their numbers, and `names`; `coef`, in units of y per unit of the column;
    - `per_sd`, the standardised coefficient `coef * sd`: the effect of one standard deviation, in units of y. Its size is
      the importance by which columns are ranked;
    - `share` of the fit f = b0 + X b: b_j cov(x_j, f) / var(f). Shares sum to one; that of a column which works against the
      others is negative. They are of the fit, not of y, and correlated columns split theirs as they split the weight;
    - `entry`, 1 for the first column to get a coefficient as alpha falls along the path of the fit's rho, of those that
      come at the same alpha of the grid the largest |per_sd| there; `entry_alpha`, that alpha;
    - `mean` and `sd` of the column, what `standardize` centres and scales by (divisor the sum of weights);
    - `frequencies`, None without fold coefficients: how many of the `n_resamples` fold fits at this grid point have the
      column, with Wilson's 95% interval, which describes (folds have rows in common), and the share of positive signs;
    - `companions`: pairs (name, correlation) of columns, selected or not, that correlate with it at least `correlated` in
      size, the strongest first. An elastic net shares weight among them, a lasso picks one: either could be the cause;
    - `group`: selected columns that are each other's companions, or linked by such, bear the name of the most important
      of them; "" for a column by itself.

    `fit` is the `BestFit`, `response` which of several or None, `n_features` p, `r_squared` = 1 - RSS / TSS on the rows
    given (None without y).

    >>> import jaxnet
    >>> data = jaxnet.load_diabetes()
    >>> explained = jaxnet.sweep(data.X, data.y, rho=0.5, standardize=True).explain(data.X, rule="1se")
    >>> [(row["name"], round(row["per_sd"], 1)) for row in explained.rows()[:3]]
    [('x2', 23.2), ('x8', 20.5), ('x3', 14.1)]
    """

    fit: BestFit
    response: int | None
    names: tuple[str, ...]
    columns: Int[np.ndarray, " k"]
    coef: Float[np.ndarray, " k"]
    per_sd: Float[np.ndarray, " k"]
    share: Float[np.ndarray, " k"]
    entry: Int[np.ndarray, " k"]
    entry_alpha: Float[np.ndarray, " k"]
    mean: Float[np.ndarray, " k"]
    sd: Float[np.ndarray, " k"]
    frequencies: Frequencies | None
    n_resamples: int
    companions: tuple[tuple[tuple[str, float], ...], ...]
    group: tuple[str, ...]
    correlated: float
    n_features: int
    r_squared: float | None

    @property
    def groups(self) -> dict[str, tuple[str, ...]]:
        """The groups of correlated selected columns, by the name of the most important: the names of all in it."""
        members = {leader: [] for leader in dict.fromkeys(self.group) if leader}
        for name, leader in zip(self.names, self.group, strict=True):
            if leader:
                members[leader].append(name)
        return {leader: tuple(names) for leader, names in members.items()}

    def rows(self) -> list[dict]:
        """One dict per column, the most important first, as `pandas.DataFrame` takes them: rank, column, name, coefficient,
        per_sd, sign, share, entry, entry_alpha, mean, sd, group, companions, and with fold coefficients frequency,
        frequency_lower, frequency_upper and positive."""
        parts = {
            "rank": range(1, len(self.names) + 1),
            "column": self.columns.tolist(),
            "name": self.names,
            "coefficient": self.coef.tolist(),
            "per_sd": self.per_sd.tolist(),
            "sign": np.sign(self.coef).astype(int).tolist(),
            "share": self.share.tolist(),
            "entry": self.entry.tolist(),
            "entry_alpha": self.entry_alpha.tolist(),
            "mean": self.mean.tolist(),
            "sd": self.sd.tolist(),
            "group": self.group,
            "companions": [list(pairs) for pairs in self.companions],
        }
        if self.frequencies is not None:
            names = ("frequency", "frequency_lower", "frequency_upper", "positive")
            parts |= {name: part.tolist() for name, part in zip(names, self.frequencies, strict=True)}
        return [dict(zip(parts, values, strict=True)) for values in zip(*parts.values(), strict=True)]

    def __repr__(self) -> str:
        fit = self.fit
        heading = (
            f"Explanation: {len(self.names)} of {self.n_features:,} columns (rule={fit.rule!r}, "
            f"{'' if fit.simplest is None else f'simplest={fit.simplest!r}, '}alpha={fit.alpha:.6g}"
        )
        heading += f", rho={fit.rho:g}" + ("" if self.r_squared is None else f", R2={self.r_squared:.3g}") + ")"
        if not self.names:
            return heading + "\n  No column has a coefficient."
        rows = [("column", "per unit", "per sd", "share", "entry", "folds", "companions")]
        rows += [self._cells(j) for j in range(min(len(self.names), SHOWN))]
        if self.frequencies is None:
            rows = [row[:5] + row[6:] for row in rows]
        return "\n  ".join([heading, *aligned(rows, open_end=True), *and_more(len(self.names), SHOWN)])

    def _cells(self, j: int) -> tuple[str, ...]:
        near = [f"{shown(name, 20)} {r:+.2f}" for name, r in self.companions[j]]
        folds = ""
        if self.frequencies is not None:
            folds = f"{round(self.frequencies.frequency[j] * self.n_resamples)}/{self.n_resamples}"
        numbers = f"{self.coef[j]:.4g}", f"{self.per_sd[j]:.4g}", f"{100 * self.share[j]:.1f}%", str(self.entry[j])
        return shown(self.names[j]), *numbers, folds, ", ".join([*near[:2], *["..."] * (len(near) > 2)])


def explain_best(result, X, y, rule: str, *, percent, criteria, simplest, sample_weight, correlated, companions):
    """`SweepResult.explain`, whose docstring says what the arguments mean."""
    if not is_number(correlated) or not 0 < correlated <= 1:
        raise InvalidInput(
            f"correlated={correlated!r} must be above 0 and at most 1: the least |correlation| to report."
        )
    if not is_whole(companions) or companions < 0:
        raise InvalidInput(f"companions={companions!r} must be a whole number of at least 0: how many for each column.")
    fits = result.best(rule, percent=percent, criteria=criteria, simplest=simplest)
    X, names, w = same_columns(result, X, sample_weight)
    names = result.feature_names or names or tuple(f"x{j}" for j in range(X.shape[1]))
    Y = None if y is None else same_responses(result, y, len(X))
    data = Columns.of(X, w / w.sum())
    explain = lambda fit, j: _explain(result, fit, j, data, names, Y, float(correlated), int(companions))
    return [explain(fit, j) for j, fit in enumerate(fits)] if isinstance(fits, list) else explain(fits, None)


def _explain(result, fit: BestFit, response, data: Columns, names, Y, correlated: float, most: int) -> Explanation:
    columns = ranked(fit.coef, data.sd)
    coef, leading = fit.coef[columns], columns[:LEADING]
    centred_fit = _centred_fit(data, columns, coef)
    entry, entry_alpha = _entries(result, fit.index, response, data.sd, columns)
    near = data.companions(leading, correlated, most) + [[]] * (len(columns) - len(leading))
    chosen = tuple(names[j] for j in columns)
    return Explanation(
        fit=fit,
        response=response,
        names=chosen,
        columns=columns,
        coef=coef,
        per_sd=coef * data.sd[columns],
        share=_shares(data, columns, coef, centred_fit),
        entry=entry,
        entry_alpha=entry_alpha,
        mean=data.mean[columns],
        sd=data.sd[columns],
        frequencies=_frequencies(result, fit.index, response, columns),
        n_resamples=0 if result.fold_coefs is None else result.gap.shape[-1] - 1,
        companions=tuple(tuple((names[j], r) for j, r in pairs) for pairs in near),
        group=_groups(data, leading, correlated, chosen),
        correlated=correlated,
        n_features=result.n_features,
        r_squared=None if Y is None else _r_squared(result, fit, data, Y, response or 0, centred_fit),
    )


def _centred_fit(data: Columns, columns: np.ndarray, coef: np.ndarray) -> Float[np.ndarray, " n"]:
    """X b less its mean."""
    fit = np.zeros(len(data.X))
    for block in slices(len(columns), BLOCK // len(fit)):
        fit += data.centred(columns[block]) @ coef[block]
    return fit


def _shares(data: Columns, columns: np.ndarray, coef: np.ndarray, fit: np.ndarray) -> Float[np.ndarray, " k"]:
    """b_j cov(x_j, f) / var(f), f in units of its largest value, so that no square overflows; nan where the fit is constant."""
    unit = np.max(np.abs(fit), initial=0.0)
    if not unit > 0:
        return np.full(len(columns), np.nan)
    weighted = data.w * (fit / unit)
    blocks = slices(len(columns), BLOCK // len(fit))
    together = np.concatenate([weighted @ data.centred(columns[block]) for block in blocks])
    return coef * together / (weighted @ (fit / unit)) / unit


def _entries(result, index: tuple[int, int], response: int | None, sd: np.ndarray, columns: np.ndarray):
    """When `columns` came into the path of the fit's rho: their place in the order, from 1, and the alpha."""
    at = (index[0], 0) if response is None else (response, index[0], 0)
    first, count = int(np.ravel_multi_index(at, result.alphas.shape)), result.alphas.shape[-1]
    used, path = result.coefs.block(first + np.arange(count))
    place = np.searchsorted(used, columns)
    came = (path != 0).argmax(axis=0)[place]
    return entry_ranks(path * sd[used])[place] + 1, result.alphas[at[:-1]][came]


def _frequencies(result, index: tuple[int, int], response: int | None, columns: np.ndarray) -> Frequencies | None:
    """Over the folds, at the fit's own grid point."""
    if result.fold_coefs is None:
        return None
    folds = result.gap.shape[-1] - 1
    at = index if response is None else (response, *index)
    order = np.argsort(columns)
    first = int(np.ravel_multi_index(at, result.alphas.shape)) * folds
    fits = result.fold_coefs.block(first + np.arange(folds), columns[order])[1]
    fits = fits[:, np.argsort(order)]
    selected = (fits != 0) & np.isfinite(fits)
    return frequencies_of(selected.sum(axis=0), (selected & (fits > 0)).sum(axis=0), folds)


def _groups(data: Columns, leading: np.ndarray, correlated: float, names: tuple[str, ...]) -> tuple[str, ...]:
    """For each column the name of the most important one that it is linked with, "" if there is no other."""
    label = connected(np.abs(data.correlations(leading, leading)) >= correlated * (1 - SLACK))
    alone = np.bincount(label, minlength=len(label)) == 1
    grouped = ["" if alone[first] else names[first] for first in label]
    return tuple(grouped + [""] * (len(names) - len(leading)))


def _r_squared(result, fit: BestFit, data: Columns, Y: np.ndarray, j: int, centred_fit: np.ndarray) -> float:
    """Raises InvalidInput where the residuals show that y is not the sweep's."""
    centre = data.w @ Y[j]
    unit = np.max(np.abs(Y[j] - centre)) or 1.0
    level = fit.intercept + fit.coef @ data.mean
    residual = (Y[j] - level - centred_fit) / unit
    if not has_fillings(result):
        check_residuals(residual[None], Data(data.X, Y, data.w), j, result.options.fit_intercept, unit)
    total = data.w @ ((Y[j] - centre) / unit) ** 2
    return float(1 - data.w @ residual**2 / total) if total > 0 else float("nan")
