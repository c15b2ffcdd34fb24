"""The fits that pictures of a grid mark, and how: those that the rules min and 1se choose, or those that the caller did."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from jaxnet.errors import InvalidInput
from jaxnet.names import SIMPLEST
from jaxnet.plots.style import rho_row

_LOOKS = {"min": ("-", "o"), "1se": ("--", "s")}
_WHAT = {
    "min": "least error",
    "1se": "simplest within one standard error",
    "percent": "simplest within some per cent",
}


class Mark(NamedTuple):
    """A chosen fit (a `BestFit`), the style of a line that marks it, and the marker of a point."""

    fit: Any
    dashes: str
    marker: str

    @property
    def text(self) -> str:
        """The rule and what it chooses."""
        what = _WHAT.get(self.fit.rule)
        by = "" if self.fit.simplest is None else f" ({SIMPLEST.get(self.fit.simplest, self.fit.simplest)})"
        return self.fit.rule if what is None else f"{self.fit.rule}: {what}{by}"


def row_of(result: Any, rho: float | None, response: int | None, fits: Sequence[Any] | None) -> int:
    """The row to draw: that of `rho`, else of the first of the caller's fits, else of the winner."""
    i = rho_row(result, rho, response)
    return i if rho is not None or not fits else _index(result, fits[0])[0]


def marks(result: Any, fits: Sequence[Any] | None, response: int | None, row: int | None, **how: Any) -> list[Mark]:
    """The caller's fits, or those that min and 1se choose (`how`: criteria and simplest, as in `best`), on one row or on all."""
    given = [name for name, value in how.items() if value is not None]
    if fits is not None and given:
        raise InvalidInput(
            f"fits and {given[0]} were given: fits are chosen already, so leave out {' and '.join(given)}."
        )
    if fits is None:
        best = result.best if row is None else result.best_per_rho
        of_all = [best(rule, **how) for rule in _LOOKS]
        found = [one if response is None else one[response] for one in of_all]
        found = found if row is None else [per_rho[row] for per_rho in found]
    else:
        found = [fit for fit in fits if row is None or _index(result, fit)[0] == row]
    return [Mark(fit, *_LOOKS.get(fit.rule, (":", "D"))) for fit in {fit.rule: fit for fit in found}.values()]


def legend_title(found: Sequence[Mark]) -> str | None:
    """What the rules among these went by to find the simplest fit."""
    by = {mark.fit.simplest for mark in found} - {None}
    return "simplest: " + ", ".join(SIMPLEST.get(one, one) for one in sorted(by)) if by else None


def _index(result: Any, fit: Any) -> tuple[int, int]:
    """Where a fit is in the grid; refuses what is no fit of this result."""
    i, k = getattr(fit, "index", (-1, -1))
    R, A = result.alphas.shape[-2:]
    if not (0 <= i < R and 0 <= k < A) or fit.rho != result.rho[i]:
        raise InvalidInput(f"fits: {fit!r:.60} is no fit of this result; give what its best() returns, in a list.")
    return i, k
