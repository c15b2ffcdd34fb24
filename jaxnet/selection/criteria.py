"""Information criteria of every fit of a sweep, and the choice by them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import lgamma
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from jaxnet.data.layout import aligned
from jaxnet.errors import InvalidInput, advice
from jaxnet.execution.threads import one_thread
from jaxnet.scalars import is_number
from jaxnet.selection.fits import Fits, examine, has_fillings, same_data
from jaxnet.selection.fits import noise_variance as estimate

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxtyping import Float

RESPONSES_SHOWN = 3
LARGEST_SHARE = 0.9
"""Without a known noise variance the criteria are defined up to so many degrees of freedom per row."""


class Terms(NamedTuple):
    """What criteria are made of: `misfit` is minus twice the log-likelihood, `models` the log number of supports this large."""

    misfit: np.ndarray
    df: np.ndarray
    n: int
    models: np.ndarray
    gamma: float


def _aicc(t: Terms) -> np.ndarray:
    return CRITERIA["aic"](t) + 2 * t.df * (t.df + 1) / (t.n - t.df - 1)


CRITERIA: dict[str, Callable[[Terms], np.ndarray]] = {
    "aic": lambda t: t.misfit + 2 * t.df,
    "aicc": _aicc,
    "bic": lambda t: t.misfit + np.log(t.n) * t.df,
    "ebic": lambda t: CRITERIA["bic"](t) + 2 * t.gamma * t.models,
}


@dataclass(frozen=True, eq=False)
class Criteria:
    """Information criteria of the full-data fits of a sweep; made by `SweepResult.criteria`, which gives the formulas.

    Arrays are (R, A), with several responses (q, R, A): `alphas`; `df`, the degrees of freedom; `rss`, the weighted
    residual sum of squares (weights averaging one) in units of y squared; `aic`, `aicc`, `bic`, `ebic`, nan where they are not
    defined; `reason`, which says why not and is empty elsewhere. `rho` (R,); `n` rows of positive weight; `gamma` of
    EBIC; `noise_variance` () or (q,), known or estimated, None where the fits' own residuals were used; `blend` (R,) of
    relaxed fits, or None.

    >>> import jaxnet
    >>> X, y = jaxnet.load_diabetes(return_X_y=True)
    >>> table = jaxnet.fit_path(X, y, rho=1.0, alphas=[20.0, 2.0], standardize=True).criteria(X, y)
    >>> table.df.round(6).tolist(), table.bic.round(1).tolist()
    ([[4.0, 8.0]], [[3660.8, 3574.0]])
    """

    rho: np.ndarray
    alphas: np.ndarray
    df: np.ndarray
    rss: np.ndarray
    aic: np.ndarray
    aicc: np.ndarray
    bic: np.ndarray
    ebic: np.ndarray
    reason: np.ndarray
    n: int
    gamma: float
    noise_variance: np.ndarray | None
    blend: np.ndarray | None = None

    def rows(self) -> list[dict]:
        """One dict per fit (response, rho, blend, alpha, df, rss, the criteria, reason), as `pandas.DataFrame` takes them."""
        names = ("df", "rss", *CRITERIA)
        table = []
        for at in np.ndindex(self.alphas.shape):
            response = {"response": at[0]} if len(at) == 3 else {}
            blend = {} if self.blend is None else {"blend": float(self.blend[at[-2]])}
            point = {"rho": float(self.rho[at[-2]]), **blend, "alpha": float(self.alphas[at])}
            values = {name: float(getattr(self, name)[at]) for name in names}
            table.append({**response, **point, **values, "reason": str(self.reason[at])})
        return table

    def __repr__(self) -> str:
        R, A = self.alphas.shape[-2:]
        noise = "of each fit's own residuals" if self.noise_variance is None else "known or estimated once"
        lines = [f"Criteria: {R} rho x {A} alphas, n={self.n:,}, noise variance {noise}"]
        q = len(self.alphas) if self.alphas.ndim == 3 else None
        rows = [(*["response"] * (q is not None), "least", "rho", "alpha", "df", "value")]
        for j in [None] if q is None else range(min(q, RESPONSES_SHOWN)):
            rows += [(*[str(j)] * (q is not None), rule.upper(), *self._cells(rule, j)) for rule in CRITERIA]
        lines += aligned(rows) + ["..."] * ((q or 1) > RESPONSES_SHOWN)
        refused = int(np.count_nonzero(self.reason != ""))
        lines += [f"not defined for {refused:,} of {self.reason.size:,} fits: `reason` says why"] * (refused > 0)
        return "\n  ".join(lines)

    def _cells(self, rule: str, response: int | None) -> tuple[str, ...]:
        try:
            i, k = self.winner(rule, response)
        except InvalidInput:
            return "", "", "", "no minimum"
        at = (i, k) if response is None else (response, i, k)
        rho = f"{self.rho[i]:g}" if self.blend is None else f"{self.rho[i]:g} (blend {self.blend[i]:g})"
        return rho, f"{self.alphas[at]:.4g}", f"{self.df[at]:.4g}", f"{getattr(self, rule)[at]:.6g}"

    def winner(self, rule: str, response: int | None = None, rows: slice = slice(None)) -> tuple[int, int]:
        """The grid point (i, k), i counted within `rows` of rho, of the least value of criterion `rule`.

        Raises InvalidInput where no value is defined, or where the least one stands next to a smaller alpha at which the
        criterion is not defined: there it falls because the fit has used up the rows, and the winner would be where
        that was cut off.
        """
        pick = lambda x: x[rows] if response is None else x[response, rows]
        values, reasons = pick(getattr(self, rule)), pick(self.reason)
        remedy = advice(
            "Give criteria() a noise_variance (a number, 'ols' or 'cv'), use larger alphas, or choose by held-out errors.",
            "Use larger alphas, or choose by held-out errors.",
        )
        if not np.isfinite(values).any():
            raise InvalidInput(f"rule={rule!r}: the criterion is defined for no fit; {reasons.flat[0]}. {remedy}")
        i, k = np.unravel_index(int(np.nanargmin(values)), values.shape)
        if k + 1 < values.shape[1] and reasons[i, k + 1]:
            rho, alpha = self.rho[rows][i], pick(self.alphas)[i, k]
            raise InvalidInput(
                f"rule={rule!r}: the criterion is least at rho={rho:g}, alpha={alpha:.6g}, next to where it is not defined "
                f"({reasons[i, k + 1]}), so this is no minimum. {remedy}"
            )
        return int(i), int(k)


def information_criteria(result, X, y, *, sample_weight, noise_variance, gamma) -> Criteria:
    """`SweepResult.criteria`, whose docstring says what the arguments mean."""
    if not is_number(gamma) or not 0 <= gamma <= 1:
        raise InvalidInput(f"gamma={gamma!r} must be a number from 0 (EBIC is BIC) to 1.")
    if has_fillings(result):
        raise InvalidInput(
            "Information criteria are of fits to one X, and multiple imputation has several: choose by held-out errors, or "
            "sweep with a single fill."
        )
    data = same_data(result, X, y, sample_weight)
    with one_thread():
        fits = examine(result, data)
    noise = estimate(noise_variance, result, data, fits)
    return _build(result, fits, noise, float(gamma))


def _build(result, fits: Fits, noise: Float[np.ndarray, " q"] | None, gamma: float) -> Criteria:
    limit = min(fits.n - 2.0, np.inf if noise is not None else LARGEST_SHARE * fits.n)
    reason = _reasons(fits, limit)
    with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
        if noise is None:
            misfit = fits.n * (np.log(fits.mean_square) + 2 * np.log(fits.unit)[:, None, None])
        else:
            s2 = noise[:, None, None]
            misfit = fits.n * (np.log(2 * np.pi * s2) + fits.mean_square * fits.unit[:, None, None] ** 2 / s2)
        rss = fits.n * fits.mean_square * fits.unit[:, None, None] ** 2
        terms = Terms(misfit, fits.df, fits.n, _log_choose(fits.candidates, fits.nonzeros), gamma)
        values = {name: np.where(reason == "", criterion(terms), np.nan) for name, criterion in CRITERIA.items()}
    shape = lambda x: x.reshape(result.alphas.shape)
    return Criteria(
        rho=result.rho,
        alphas=result.alphas,
        df=shape(fits.df),
        rss=shape(rss),
        **{name: shape(value) for name, value in values.items()},
        reason=shape(reason),
        n=fits.n,
        gamma=gamma,
        noise_variance=noise if noise is None else noise.reshape(result.alphas.shape[:-2]),
        blend=result.blend,
    )


def _reasons(fits: Fits, limit: float) -> np.ndarray:
    """Why a criterion is not defined, per fit; empty where it is."""
    reason = np.full(fits.df.shape, "", dtype=object)
    for at in np.argwhere(fits.mean_square <= fits.rounding):
        reason[tuple(at)] = "its residuals are zero up to rounding"
    for at in np.argwhere(fits.df > limit):
        reason[tuple(at)] = f"its {fits.df[tuple(at)]:.4g} degrees of freedom approach the {fits.n} rows"
    reason[~np.isfinite(fits.df) | ~np.isfinite(fits.mean_square)] = "the fit is not finite"
    return reason


def _log_choose(total: int, chosen: np.ndarray) -> np.ndarray:
    """log C(total, k) for each k of `chosen`."""
    counts, back = np.unique(chosen, return_inverse=True)
    logs = [lgamma(total + 1) - lgamma(k + 1) - lgamma(total - k + 1) for k in map(int, counts)]
    return np.array(logs)[back].reshape(chosen.shape)
