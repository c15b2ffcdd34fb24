"""What a sweep found: the summary a person reads, and the rows and fields of the files in --out."""

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from jaxnet.cli.console import aligned
from jaxnet.cli.dataset import Dataset, standard_deviations
from jaxnet.metrics import error_name, find_metric, null_errors
from jaxnet.names import SIMPLEST
from jaxnet.resampling import resamples
from jaxnet.result import BestFit, Status, SweepResult
from jaxnet.scalars import sum_or_zero
from jaxnet.selection.criteria import CRITERIA
from jaxnet.selection.fits import same_columns

_RULES = {"min": "smallest error", "1se": "simplest within 1 se", "percent": "simplest within {percent:g}%"}
_EXPLAINED = {  # what the share of the variance is relative to
    "mse": ["Variance explained: 1 - CV error / that of predicting each fold by the mean of its training rows."],
    "r2": ["Variance explained: 1 - CV error; each fold's is relative to the mean of its own held-out rows."],
}
_SHOWN = 10  # coefficients in the summary


@dataclass(frozen=True)
class Summary:
    """A finished sweep with what is needed to describe it.

    rule: the one whose model is kept. simplest: what its rules take for the simplest. best: the model of each rule.
    null_error: cross-validation error of predicting each fold by the mean of its training rows.
    sd: (p,) standard deviation of each column, for the effect of one standard deviation.
    """

    dataset: Dataset
    result: SweepResult
    rule: str
    percent: float
    simplest: str
    best: dict[str, BestFit]
    seconds: float
    null_error: float
    sd: np.ndarray

    @classmethod
    def of(
        cls,
        dataset: Dataset,
        result: SweepResult,
        folds: Any,
        *,
        rule: str,
        percent: float,
        simplest: str,
        seconds: float,
    ) -> "Summary":
        """The summary of `result`, the sweep of `dataset` on `folds`, a `cv` of `jaxnet.sweep`."""
        criteria = None
        if rule in CRITERIA or simplest == "df":
            criteria = result.criteria(dataset.X, dataset.y, sample_weight=dataset.weights)
        how = {"percent": percent, "criteria": criteria, "simplest": simplest}
        best = {name: result.best(name, **how) for name in _RULES}
        if rule in CRITERIA:
            best[rule] = result.best(rule, criteria=criteria)
        X, weights = dataset.X, dataset.weights
        if dataset.prepared is not None:
            X, _, weights = same_columns(result, X, weights)
        null_error = _null_error(dataset, weights, result, folds)
        return cls(dataset, result, rule, percent, simplest, best, seconds, null_error, standard_deviations(X, weights))

    @property
    def kept(self) -> BestFit:
        """The model that --rule chose."""
        return self.best[self.rule]

    def data(self) -> dict[str, Any]:
        """The `data` part of summary.json."""
        data, preparation = self.dataset, self.result.preparation
        told = {"source": data.source, "rows": len(data.y), "features": len(data.features), "target": data.target}
        made = {} if preparation is None else {"columns": preparation.width, "rows_fitted": preparation.rows}
        return {**told, **made}

    def outcome(self) -> dict[str, Any]:
        """The other parts of summary.json: the model of each rule, the certificate, the time."""
        return {
            "selected": {"rule": self.rule, **self._fit(self.rule)},
            "rules": {rule: self._fit(rule) for rule in self.best},
            "null_cv_error": _finite(self.null_error),
            "certificate": self._certificate(),
            "seconds": round(self.seconds, 3),
        }

    def text(self, *, standardized: bool, folds: str, out: str | None) -> str:
        """The summary for the terminal."""
        parts = [self._heading(standardized, folds), self._models(), self._largest(), self._checks()]
        if out is not None:
            files = "model.jaxnet, coefficients.csv, cv.csv, summary.json"
            name = shlex.quote(out)
            parts.append(f"Written to {out}: {files}\nNext: jaxnet predict {name} new.csv --out predictions.csv")
        else:
            parts.append("Nothing was written: --out DIR keeps the model.")
        return "\n\n".join(part for part in parts if part)

    def _fit(self, rule: str) -> dict[str, Any]:
        best = self.best[rule]
        return {
            **({} if best.simplest is None else {"simplest": best.simplest}),
            "alpha": float(best.alpha),
            "rho": float(best.rho),
            **({} if self.result.blend is None else {"blend": best.blend}),
            "cv_error": _finite(best.cv_error),
            "cv_se": _finite(best.cv_se),
            "variance_explained": _finite(self._explained(best.cv_error)),
            "nonzeros": int(best.nonzeros),
            "intercept": float(best.intercept),
            "gap": _finite(best.gap),
            "status": best.status.name.lower(),
        }

    def _explained(self, error: float) -> float:
        """The share of the variance of held-out rows; absolute errors do not tell."""
        if self.result.metric == "r2":
            return 1 - error
        return 1 - error / self.null_error if self.result.metric == "mse" and self.null_error > 0 else float("nan")

    def _certificate(self) -> dict[str, Any]:
        return {
            "fits": self.result.status.size,
            "tol": float(self.result.tol),
            "worst_gap": _finite(np.max(self.result.gap)),
            "status": {name.lower(): count for name, count in self.result.status_counts().items()},
        }

    def _heading(self, standardized: bool, folds: str) -> str:
        rows, features, preparation = len(self.dataset.y), len(self.dataset.features), self.result.preparation
        made = ""
        if preparation is not None:
            left = "" if preparation.rows == rows else f" of {preparation.rows:,} complete rows"
            made = f" as {preparation.width:,} columns{left}"
        count, alphas = self.result.alphas.shape
        grid = f"{count} rho" if self.result.blend is None else f"{count} (rho, blend)"
        scale = "standardised for the fit; coefficients are on their original scale"
        scale = scale if standardized else "not standardised (--no-standardize)"
        return (
            f"{self.dataset.source}: {rows:,} rows, {features:,} features{made}, target {self.dataset.target!r}\n"
            f"Columns were {scale}.\n"
            f"{self._certificate()['fits']:,} fits in {self.seconds:.1f} s: {grid} x {alphas} alphas x "
            f"(full data + {folds})"
        )

    def _models(self) -> str:
        fits = {rule: self._fit(rule) for rule in self.best}
        titles = {rule: f"{rule} ({self._what(rule)})" for rule in fits}
        lines = [("", *(title + (" *" if rule == self.rule else "") for rule, title in titles.items()))]
        explained = ("variance explained", lambda f: _percent(f["variance_explained"]))
        for label, show in (
            ("rho (L1 share)", lambda f: f"{f['rho']:.4g}"),
            *([] if self.result.blend is None else [("blend (penalised share)", lambda f: f"{f['blend']:.4g}")]),
            ("alpha (strength)", lambda f: f"{f['alpha']:.5g}"),
            (
                f"CV error ({error_name(self.result.metric)})",
                lambda f: f"{_number(f['cv_error'])} +- {_number(f['cv_se'], 3)}",
            ),
            *([] if self.result.metric == "mae" else [explained]),
            ("nonzeros", lambda f: f"{f['nonzeros']:,} of {self.result.n_features:,}"),
        ):
            lines.append((label, *(show(fit) for fit in fits.values())))
        kept = f"* the model that is kept (--rule); simplest is the {SIMPLEST[self.simplest]} (--simplest)"
        notes = [kept, *_EXPLAINED.get(self.result.metric, [])]
        return "\n".join([*aligned(lines), *self._edge_note(), *notes])

    def _what(self, rule: str) -> str:
        return _RULES.get(rule, f"least {rule.upper()}").format(percent=self.percent)

    def _edge_note(self) -> list[str]:
        best = self.kept
        path = self.result.alphas[best.index[0]]
        if len(path) > 1 and best.alpha == path[-1]:
            return ["The chosen alpha is the smallest of its grid: smaller ones (--alpha-min-ratio) may be better."]
        return []

    def _largest(self) -> str:
        best = self.kept
        effect = best.coef * self.sd
        order = [j for j in np.argsort(-np.abs(effect), kind="stable")[:_SHOWN] if best.coef[j] != 0]
        if not order:
            return f"Every coefficient is zero: the prediction is {self._intercept():.6g} for every row."
        lines = [("Largest coefficients", "per unit", "per sd")]
        lines += [(self.result.feature_names[j], f"{best.coef[j]:.5g}", f"{effect[j]:.5g}") for j in order]
        lines += [("(intercept)", f"{self._intercept():.5g}", "")]
        more = int(best.nonzeros) - len(order)
        return "\n".join([*aligned(lines), *([f"and {more:,} more"] if more > 0 else [])])

    def _intercept(self) -> float:
        """As it is printed: 0 where it is the rounding of sums of the size of the response."""
        return float(sum_or_zero(self.kept.intercept, 0.0, np.max(np.abs(self.dataset.y))))

    def _checks(self) -> str:
        certificate = self._certificate()
        counts = ", ".join(f"{count:,} {name}" for name, count in certificate["status"].items())
        return (
            f"Certificate: worst relative duality gap {_number(certificate['worst_gap'], 2)} (asked for "
            f"{certificate['tol']:.2g}); {counts}"
        )


def coefficient_rows(summary: Summary) -> Iterator[tuple[Any, ...]]:
    """coefficients.csv: the kept model; per unit of each column, and per standard deviation of it."""
    best = summary.kept
    yield "feature", "coefficient", "per_sd"
    yield "(intercept)", float(best.intercept), ""
    yield from zip(summary.result.feature_names, best.coef.tolist(), (best.coef * summary.sd).tolist(), strict=True)


def cv_rows(summary: Summary) -> Iterator[tuple[Any, ...]]:
    """cv.csv: one row per grid point (and blend); gap and status are the worst of its fits, on the full data and on each fold."""
    result = summary.result
    relaxed = result.blend is not None
    yield "alpha", "rho", *(["blend"] if relaxed else []), "mean", "se", "nonzeros", "gap", "status"
    mean, se, nonzeros = result.error_mean, result.error_se, result.nonzeros
    gap = np.max(result.gap, axis=-1)
    for i, k in np.ndindex(result.alphas.shape):
        blend = [result.blend[i]] if relaxed else []
        numbers = (float(a) for a in (result.alphas[i, k], result.rho[i], *blend, mean[i, k], se[i, k]))
        yield *numbers, int(nonzeros[i, k]), float(gap[i, k]), _worst_status(result.status[i, k])


def _null_error(dataset: Dataset, weights: np.ndarray | None, result: SweepResult, folds: Any) -> float:
    """Weighted over folds as the sweep weighs them; `weights` are those of the rows that were fitted."""
    y = dataset.y
    rows = resamples(folds, y, y, groups=dataset.groups, weight=dataset.weights)
    w = 1.0 if weights is None else weights
    share = lambda times: times * w / (times * w).sum(axis=1, keepdims=True)
    errors = null_errors(find_metric(result.metric), y[None], share(rows.train[1:]), share(rows.test[1:]))
    return float(np.average(errors[0], weights=result.fold_weights))


def _worst_status(codes: np.ndarray) -> str:
    from_worst = (Status.DIVERGED, Status.MAX_ITER, Status.DEGENERATE, Status.CONVERGED)
    return next(status.name.lower() for status in from_worst if status in codes)


def _finite(value: Any) -> float | None:
    """A float that JSON can hold."""
    return float(value) if np.isfinite(value) else None


def _number(value: float | None, digits: int = 6) -> str:
    return "not known" if value is None else f"{value:.{digits}g}"


def _percent(value: float | None) -> str:
    return "not known" if value is None else f"{value:.1%}"
