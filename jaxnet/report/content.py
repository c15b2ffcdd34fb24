"""What a report says, as plain data: facts, the winners of the rules, coefficients, certificates, pictures."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxnet import plots
from jaxnet.errors import InvalidInput
from jaxnet.metrics import error_name
from jaxnet.names import SIMPLEST
from jaxnet.plots.images import Picture, render
from jaxnet.plots.style import of_response, rho_row
from jaxnet.report.missing import MissingSection
from jaxnet.result import BestFit, Status, SweepResult
from jaxnet.selection.choice import notion
from jaxnet.selection.criteria import CRITERIA, Criteria
from jaxnet.selection.fits import has_fillings, same_data

RULES = {
    "min": "least held-out error",
    "1se": "simplest within one standard error",
    "percent": "simplest within {percent:g}%",
    "aicc": "least AICc",
    "bic": "least BIC",
}
Tell = Callable[[str], None]
"""Hears what comes next, and may raise."""
MOST = 2000
"""Rows of the table of coefficients."""


@dataclass(frozen=True)
class Content:
    """A report before it is a page. `rows` of `coefficients` are (rank, name, coefficient, per_sd or None); `simplest` says what
    counts as simplest, `error` what held-out errors are."""

    title: str
    facts: list[tuple[str, str]]
    winners: list[dict[str, Any]]
    simplest: str
    error: str
    refused: list[str]
    kept: BestFit
    coefficients: list[tuple[int, str, float, float | None]]
    certificate: list[tuple[str, str]]
    pictures: list[Picture]
    missing: MissingSection | None

    @property
    def has_df(self) -> bool:
        """Whether degrees of freedom of any of the models are known."""
        return any(row["df"] is not None for row in self.winners)

    @property
    def more(self) -> int:
        """Nonzero coefficients that the table leaves out."""
        return self.kept.nonzeros - len(self.coefficients)


@dataclass(frozen=True)
class Source:
    """A result with what the caller knows beside it; of several responses one.

    `X`, `y`, `weights` are the checked data of the sweep, or None; `sd` (p,) the columns' standard deviations, or None.
    `simplest` is what the rules go by throughout, and `chosen` holds, by rule, fits that were chosen before.
    """

    result: SweepResult
    response: int | None
    rule: str
    percent: float
    simplest: str
    chosen: dict[str, BestFit]
    X: np.ndarray | None
    y: np.ndarray | None
    weights: np.ndarray | None
    sd: np.ndarray | None
    criteria: Criteria | None

    @classmethod
    def of(cls, result, X, y, sample_weight, *, rule, percent, simplest, chosen, response, sd, tell) -> "Source":
        """Checks what was given. Raises InvalidInput for data that are not the sweep's, and for half of them."""
        if (X is None) != (y is None):
            raise InvalidInput(f"{'y' if y is None else 'X'} is missing: give both X and y of the sweep, or neither.")
        rho_row(result, None, response)  # refuses a response that there is not
        criteria = None
        if X is not None:
            if not has_fillings(result):
                tell(f"the degrees of freedom of {result.alphas.size:,} fits")
                criteria = result.criteria(X, y, sample_weight=sample_weight)
            data = same_data(result, X, y, sample_weight)
            X, weights = data.X, data.w
            mean = weights @ X
            sd = np.sqrt(weights @ (X - mean) ** 2)
            y = data.Y[0 if response is None else response]
        else:
            weights = None
        simplest = notion("1se", simplest, criteria)
        if simplest == "df" and criteria is None and "1se" not in chosen:
            raise InvalidInput(
                "simplest='df' needs degrees of freedom, and the data for them: give X and y, or take 'nonzeros' or 'alpha'."
            )
        return cls(result, response, rule, percent, simplest, chosen, X, y, weights, sd, criteria)

    def best(self, rule: str) -> BestFit:
        """The fit that a rule chooses, for this response."""
        if rule in self.chosen:
            return self.chosen[rule]
        fits = self.result.best(rule, percent=self.percent, criteria=self.criteria, simplest=self.simplest)
        return fits if self.response is None else fits[self.response]

    def degrees(self, fit: BestFit) -> float | None:
        """The degrees of freedom of a fit, None where they are not known."""
        df = None if self.criteria is None else float(of_response(self.criteria.df, self.response)[fit.index])
        return df if df is not None and np.isfinite(df) else None

    def names(self) -> list[str]:
        """A name for each column."""
        return list(self.result.feature_names or (f"x{j}" for j in range(self.result.n_features)))


def gather(
    source: Source, title: str, facts: list[tuple[str, str]], missing: MissingSection | None, tell: Tell
) -> Content:
    """Everything a page needs; pictures that this result cannot have are left out."""
    winners, refused = _winners(source)
    kept = source.best(source.rule)
    drawings = list(_drawings(source, kept, [row["fit"] for row in winners]))
    tell(f"{len(drawings)} pictures")
    return Content(
        title=title,
        facts=[*facts, *_facts(source)],
        winners=winners,
        simplest=SIMPLEST[source.simplest],
        error=error_name(source.result.metric),
        refused=refused,
        kept=kept,
        coefficients=_coefficients(source, kept),
        certificate=_certificate(source.result),
        missing=missing,
        pictures=[_picture(*one) for one in drawings],
    )


def _facts(source: Source) -> list[tuple[str, str]]:
    result, options = source.result, source.result.options
    R, A = result.alphas.shape[-2:]
    alphas = of_response(result.alphas, source.response)
    folds = 0 if result.errors is None else result.errors.shape[-1]
    counts = "the same" if result.fold_weights is None else "by the weight of its rows"
    rows = [] if source.X is None else [("rows", f"{len(source.X):,} (of positive weight)")]
    return [
        *rows,
        ("columns", f"{result.n_features:,}"),
        *_prepared(result),
        ("grid", f"{R} rho x {A} alphas, {'all rows' if not folds else f'{folds} folds and all rows'}"),
        *([("mean over folds", f"each counts {counts}")] if folds else []),
        ("rho (L1 share)", ", ".join(f"{r:g}" for r in result.rho[:12]) + (", ..." if R > 12 else "")),
        ("alpha (strength)", f"{alphas.min():.4g} to {alphas.max():.4g}"),
        ("columns standardised for the fit", "yes" if options.standardize else "no"),
        ("intercept", "yes" if options.fit_intercept else "no"),
        ("sample weights", "yes" if options.weighted else "no"),
    ]


def _prepared(result: SweepResult) -> list[tuple[str, str]]:
    """What was done about missing values and categories."""
    preparation = result.preparation
    if preparation is None:
        return []
    encoding, asked = preparation.encoding, preparation.missing
    facts = [("columns of the table", f"{preparation.given:,}"), ("rows fitted", f"{preparation.rows:,}")]
    if encoding is not None and any(encoding.labelled):
        made = int(np.count_nonzero(encoding.level >= 0))
        facts.append(("categories", f"{sum(encoding.labelled):,} columns of labels as {made:,} indicators"))
    if asked is not None:
        extra = f", {len(preparation.indicated):,} indicators" if asked.indicators else ""
        limit = "" if asked.column_limit >= 1 else f", columns missing at most {asked.column_limit:.0%}"
        facts.append(("missing values", f"{asked.fill}{extra}{limit}"))
    return facts


def _winners(source: Source) -> tuple[list[dict[str, Any]], list[str]]:
    """A row per rule that can choose, and why the others cannot."""
    rows, refused = [], []
    for rule in dict.fromkeys((*RULES, source.rule)):
        lacking = source.criteria is None if rule in CRITERIA else source.result.errors is None
        if lacking and rule not in source.chosen:
            continue
        try:
            fit = source.best(rule)
        except InvalidInput as error:
            refused.append(str(error))
            continue
        what = RULES.get(rule, f"least {rule.upper()}").format(percent=source.percent)
        rows.append(
            {
                "rule": rule,
                "what": what + ("" if fit.simplest is None else f": {SIMPLEST[fit.simplest]}"),
                "fit": fit,
                "df": source.degrees(fit),
                "kept": rule == source.rule,
                "status": fit.status.name.lower(),
            }
        )
    return rows, refused


def _coefficients(source: Source, fit: BestFit) -> list[tuple[int, str, float, float | None]]:
    size = np.abs(fit.coef if source.sd is None else fit.coef * source.sd)
    order = [j for j in np.argsort(-size, kind="stable") if fit.coef[j] != 0][:MOST]
    names = source.names()
    per_sd = lambda j: None if source.sd is None else float(fit.coef[j] * source.sd[j])
    return [(rank + 1, names[j], float(fit.coef[j]), per_sd(j)) for rank, j in enumerate(order)]


def _certificate(result: SweepResult) -> list[tuple[str, str]]:
    counts = ", ".join(f"{count:,} {name.lower()}" for name, count in result.status_counts().items())
    worst = lambda x: f"{np.nanmax(x):.2g}" if np.isfinite(x).any() else "not finite"
    return [
        ("fits", f"{result.gap.size:,}"),
        ("asked for (tol)", f"{result.tol:.2g}"),
        ("worst relative duality gap", worst(result.gap)),
        ("worst KKT violation (correlation)", worst(result.kkt)),
        ("outcomes", counts),
        ("verdict", "every fit certified" if result.converged else f"some fits missed tol: see {Status.__name__}"),
    ]


def _drawings(
    source: Source, kept: BestFit, winners: list[BestFit]
) -> Iterator[tuple[str, str, Callable[[Any], Any], float]]:
    """Title, caption, what to draw and its height."""
    result, response, sd = source.result, source.response, source.sd
    at = {"response": response}
    shown = [kept, *(fit for fit in winners if fit.rule in ("min", "1se") and fit.rule != kept.rule)]
    rules, everywhere = {**at, "fits": shown}, "; ".join(map(_where, shown))
    here = "; ".join(_where(fit) for fit in shown if fit.index[0] == kept.index[0])
    if result.errors is not None:
        text = f"Mean held-out error and its standard error; the lines are {here}."
        yield "Cross-validation", text, lambda ax: plots.cv_curve(result, **rules, ax=ax), 4.5
        if len(result.rho) > 1:
            height = 1.8 + 0.32 * min(len(result.rho), 12)
            text = f"Mean held-out error over the whole grid, a band for each L1 share; marked are {everywhere}."
            yield "The grid", text, lambda ax: plots.cv_map(result, **rules, ax=ax), max(height, 3.0)
    unit = "" if sd is None else ", per standard deviation of each column"
    text = f"Coefficients of the full-data fits as the penalty falls{unit}; the lines are {here}."
    yield "Coefficient path", text, lambda ax: plots.coefficient_path(result, **rules, sd=sd, ax=ax), 4.5
    if kept.nonzeros:
        height = 1.2 + 0.24 * max(min(kept.nonzeros, 20), 3)
        draw = lambda ax: plots.coefficients(kept, feature_names=source.names(), sd=sd, ax=ax)
        yield "Largest coefficients", f"Of {_where(kept)}{unit}.", draw, height
    if source.X is not None:
        if source.criteria is not None and np.isfinite(of_response(source.criteria.bic, response)[kept.index[0]]).any():
            draw = lambda ax: plots.criteria_curves(source.criteria, kept.rho, **at, ax=ax)
            yield (
                "Information criteria",
                "Each less its own minimum at this rho; in-sample, with the degrees of freedom on top.",
                draw,
                4.5,
            )
        predicted = source.X @ kept.coef + kept.intercept
        text = "On the rows of the fit, which flatters; the held-out error above does not."
        yield (
            "Predicted and observed",
            text,
            lambda ax: plots.predicted_against_observed(source.y, predicted, ax=ax),
            4.8,
        )
        yield "Residuals", "On the rows of the fit.", lambda ax: plots.residuals(source.y, predicted, ax=ax), 4.5


def _where(fit: BestFit) -> str:
    """A chosen fit, for a caption."""
    blend = "" if fit.blend == 1 else f", blend {fit.blend:.3g}"
    return f"{fit.rule} (rho {fit.rho:.4g}{blend}, alpha {fit.alpha:.5g})"


def _picture(title: str, caption: str, draw: Callable[[Any], Any], height: float) -> Picture:
    return Picture(title, caption, render(draw, height=height))
