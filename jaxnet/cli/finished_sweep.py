"""Finished sweeps, wherever they are kept: in the folder of a run, in a file of their own, or in a store."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from jaxnet.cli.chosen import chosen_fits
from jaxnet.cli.console import aligned, visible
from jaxnet.cli.run_folder import model_file
from jaxnet.errors import InvalidInput
from jaxnet.metrics import error_name
from jaxnet.names import SIMPLEST
from jaxnet.persistence import load, read_metadata
from jaxnet.result import BestFit, SweepResult
from jaxnet.store.database import is_store
from jaxnet.store.reading import Store

RULES = ("min", "1se")
_RESPONSES = 3  # of which winners are shown


@dataclass(frozen=True)
class FinishedSweep:
    """A result, what to call it, what is known of the problem, in plain values, and by rule what was chosen when it was made."""

    label: str
    result: SweepResult
    problem: dict[str, Any]
    chosen: dict[str, BestFit] = field(default_factory=dict)

    def feature(self, j: int) -> str:
        """The name of column j."""
        names = self.result.feature_names
        return f"column {j}" if names is None else names[j]

    def responses(self) -> list[int | None]:
        """The responses to tell about: [None] if there is but one."""
        q = self.result.n_responses
        return [None] if q is None else list(range(min(q, _RESPONSES)))

    def winner(self, rule: str, response: int | None) -> BestFit | None:
        """The model that a rule chooses; None where there are no folds, or nothing to choose from."""
        if rule in self.chosen:
            return self.chosen[rule]
        try:
            best = self.result.best(rule)
        except InvalidInput:
            return None
        return best if response is None else best[response]


def find_sweep(place: str, run: str | None = None) -> FinishedSweep:
    """The sweep in a folder or file, or the `run` of a store; raises `InvalidInput` where there is none."""
    path = Path(place)
    if run is not None or (path.is_file() and is_store(path)):
        if run is None:
            names = ", ".join(visible(other.name) for other in Store(path).runs()[-4:]) or "none yet"
            raise InvalidInput(f"{place} is a store: name one of its runs too ({names}).")
        store = Store(path)
        return FinishedSweep(f"run {visible(run)} of {place}", store.result(run), store.run(run).problem)
    file = model_file(place)
    content = load(file)
    result = content.get("result") if isinstance(content, dict) else content
    if not isinstance(result, SweepResult):
        raise InvalidInput(f"{file} is a jaxnet file but holds no sweep.")
    told = read_metadata(file)
    is_run = isinstance(content, dict) and content.get("kind") == "jaxnet run"
    chosen = chosen_fits(content) if is_run and "chosen" in content else {}
    return FinishedSweep(place, result, {**_part(told, "data"), **_part(told, "configuration")}, chosen)


def winners(sweeps: list[FinishedSweep], response: int | None) -> list[str]:
    """Lines of a table of the models that the rules choose, one column per sweep and rule."""
    fits = {}
    for letter, sweep in zip("AB", sweeps, strict=False):
        for rule in RULES:
            best = sweep.winner(rule, response)
            if best is not None:
                title = rule if best.simplest is None else f"{rule} ({SIMPLEST.get(best.simplest, best.simplest)})"
                fits[f"{letter} {title}" if len(sweeps) > 1 else title] = best, error_name(sweep.result.metric)
    if not fits:
        return []
    names = {name for _, name in fits.values()}
    error, of_each = (f"CV error ({names.pop()})", False) if len(names) == 1 else ("CV error", True)
    rows = [("", *fits)]
    for label, show in (
        ("rho (L1 share)", lambda fit: f"{fit.rho:.4g}"),
        ("alpha (strength)", lambda fit: f"{fit.alpha:.5g}"),
        (error, lambda fit: f"{fit.cv_error:.6g} +- {fit.cv_se:.3g}"),
        ("nonzeros", lambda fit: f"{fit.nonzeros:,}"),
        ("relative gap", lambda fit: f"{fit.gap:.1e}"),
    ):
        named = of_each and label == error
        rows.append((label, *(show(fit) + (f" ({name})" if named else "") for fit, name in fits.values())))
    return aligned(rows)


def _part(told: dict[str, Any], name: str) -> dict[str, Any]:
    return told[name] if isinstance(told.get(name), dict) else {}
