"""How many false selections stability selection makes at most, and the cutoff or size of selection that keeps to a number."""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.scalars import is_number, is_whole
from jaxnet.selection.concave import tail_bound


class StabilityParameters(NamedTuple):
    """`cutoff` on selection frequencies, selections `q` per half-sample, and the bound on expected `false_selections`."""

    cutoff: float
    q: float
    false_selections: float


def _worst_case(q: float, cutoff: float, p: int, B: int) -> float:
    return q * q / ((2 * cutoff - 1) * p)


def _unimodal(q: float, cutoff: float, p: int, B: int) -> float:
    theta = q / p
    lowest = min(0.5 + theta**2, 0.5 + 1 / (2 * B) + 0.75 * theta**2)
    pairs = np.ceil(2 * B * cutoff * (1 - 1e-12)) - B  # frequencies are multiples of 1/(2B)
    if theta > 3**-0.5 or cutoff <= lowest or pairs < 2:
        return np.inf
    if cutoff <= 0.75:
        return theta * q / (2 * (2 * cutoff - 1 - 1 / (2 * B)))
    return theta * q * 4 * (1 - cutoff + 1 / (2 * B)) / (1 + 1 / B)


def _r_concave(q: float, cutoff: float, p: int, B: int) -> float:
    theta = q / p
    both = tail_bound(theta**2, 2 * cutoff - 1, B, -1 / 2)
    return p * min(both, tail_bound(theta, cutoff, 2 * B, -1 / 4))


BOUNDS: dict[str, Callable[[float, float, int, int], float]] = {
    "meinshausen-buehlmann": _worst_case,
    "worst-case": _worst_case,
    "unimodal": _unimodal,
    "r-concave": _r_concave,
}
"""Functions of (q, cutoff, p, B); infinite where a bound says nothing."""


def false_selection_bound(q: float, cutoff: float, p: int, *, B: int = 50, bound: str = "unimodal") -> float:
    """At most how many of p columns stability selection selects falsely, in expectation, if each half-sample selects q.

    A column is selected if its frequency over 2B half-samples, B complementary pairs, is at least `cutoff`. With
    theta = q/p the bound is

    - "meinshausen-buehlmann": q^2 / ((2 cutoff - 1) p), of columns without signal, where those are exchangeable and no
      likelier to be selected than by chance; B is irrelevant (Meinshausen and Buehlmann 2010, theorem 1);
    - "worst-case": the same number without assumptions, of columns with a selection probability of at most theta
      (Shah and Samworth 2013, theorem 1), as are the next two;
    - "unimodal" (the default): theta q / (2 (2 cutoff - 1 - 1/(2B))) up to a cutoff of 3/4 and
      4 theta q (1 - cutoff + 1/(2B)) / (1 + 1/B) above, if the share of pairs that select a column in both halves has a
      unimodal distribution; needs theta <= 1/sqrt(3), a frequency of at least 1/2 + 1/B and
      cutoff > min(1/2 + theta^2, 1/2 + 1/(2B) + 3/4 theta^2);
    - "r-concave": p min{D(theta^2, 2 cutoff - 1, B, -1/2), D(theta, cutoff, 2B, -1/4)}, if that share and the frequency
      itself are r-concave; D is the largest tail probability under that shape.

    q is a number from above 0 to p, `cutoff` above 1/2 and at most 1, p and B (default 50) whole numbers from 1 on. Raises
    InvalidInput outside these ranges, and where the bound says nothing.

    >>> round(false_selection_bound(30, 0.75, 1000, bound="meinshausen-buehlmann"), 3)
    1.8
    >>> round(false_selection_bound(30, 0.75, 1000), 2), round(false_selection_bound(30, 0.75, 1000, bound="r-concave"), 3)
    (0.92, 0.224)
    """
    _check(q, cutoff, p, B, bound)
    value = BOUNDS[bound](float(q), float(cutoff), int(p), int(B))
    if not np.isfinite(value):
        raise InvalidInput(
            f"bound={bound!r} says nothing at q={q:g} of p={p} columns, cutoff={cutoff:g} and B={B}: take a higher cutoff, a "
            "smaller q (at most p/sqrt(3)), more pairs B, or the 'worst-case' bound."
        )
    return float(value)


def stability_parameters(
    p: int,
    *,
    cutoff: float | None = None,
    q: float | None = None,
    false_selections: float | None = None,
    B: int = 50,
    bound: str = "unimodal",
) -> StabilityParameters:
    """Any two of cutoff, q and false_selections give the third; p, B and `bound` are those of `false_selection_bound`.

    - cutoff and q: the bound on the expected number of false selections.
    - cutoff and false_selections: the largest whole q whose bound is at most that.
    - q and false_selections: the smallest cutoff k/(2B), a frequency that can occur, whose bound is at most that.

    Returns `StabilityParameters`; its `false_selections` is the bound at the cutoff and q returned, so at most what was asked.
    Raises InvalidInput unless exactly two are given, outside their ranges, and if no third keeps to the bound.

    Reference: Meinshausen and Buehlmann 2010, section 2.4; Shah and Samworth 2013, section 3.

    >>> stability_parameters(1000, q=30, false_selections=1.0)
    StabilityParameters(cutoff=0.73, q=30, false_selections=1.0)
    >>> stability_parameters(1000, cutoff=0.75, false_selections=1.0).q
    31
    """
    given = {"cutoff": cutoff, "q": q, "false_selections": false_selections}
    named = [name for name, value in given.items() if value is not None]
    if len(named) != 2:
        raise InvalidInput(
            f"stability_parameters got {' and '.join(named) or 'none'} of cutoff, q and false_selections: give exactly two."
        )
    _check(1 if q is None else q, 1.0 if cutoff is None else cutoff, p, B, bound)
    if false_selections is None:
        return StabilityParameters(cutoff, q, false_selection_bound(q, cutoff, p, B=B, bound=bound))
    if not is_number(false_selections) or not 0 < false_selections < np.inf:
        raise InvalidInput(
            f"false_selections={false_selections!r} must be a positive number: how many to allow at most."
        )
    if q is None:
        q = _largest_q(cutoff, false_selections, p, B, bound)
    else:
        cutoff = _smallest_cutoff(q, false_selections, p, B, bound)
    return StabilityParameters(cutoff, q, false_selection_bound(q, cutoff, p, B=B, bound=bound))


def _largest_q(cutoff: float, limit: float, p: int, B: int, bound: str) -> int:
    """By bisection: every bound grows with q."""
    keeps = lambda q: BOUNDS[bound](float(q), float(cutoff), int(p), int(B)) <= limit
    if not keeps(1):
        raise InvalidInput(
            f"false_selections={limit:g} cannot be kept at cutoff={cutoff:g} with B={B}, even by q=1 of p={p} columns: take a "
            "higher cutoff, more pairs B, or allow more."
        )
    low, high = 1, int(p) + 1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if keeps(middle) else (low, middle)
    return low


def _smallest_cutoff(q: float, limit: float, p: int, B: int, bound: str) -> float:
    """By bisection over the frequencies above 1/2: every bound falls with the cutoff."""
    keeps = lambda k: BOUNDS[bound](float(q), k / (2 * B), int(p), int(B)) <= limit
    if not keeps(2 * B):
        raise InvalidInput(
            f"false_selections={limit:g} cannot be kept with q={q:g} of p={p} columns and B={B} even by cutoff=1: take a "
            "smaller q, more pairs B, or allow more."
        )
    low, high = int(B), 2 * int(B)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if keeps(middle) else (middle, high)
    return high / (2 * B)


def _check(q, cutoff, p, B, bound) -> None:
    if not isinstance(bound, str) or bound not in BOUNDS:
        raise InvalidInput(f"bound={bound!r} is not known; choose one of {', '.join(map(repr, BOUNDS))}.")
    for name, value in (("p", p), ("B", B)):
        if not is_whole(value) or value < 1:
            raise InvalidInput(f"{name}={value!r} must be a whole number of at least 1.")
    if not is_number(q) or not 0 < q <= p:
        raise InvalidInput(f"q={q!r} must be above 0 and at most p={p}: how many columns a half-sample selects.")
    if not is_number(cutoff) or not 0.5 < cutoff <= 1:
        raise InvalidInput(f"cutoff={cutoff!r} must be above 0.5 and at most 1: the frequency from which on to select.")
