"""Bounds on false selections: published values, order, inverses, and distributions that none may exceed."""

import math

import numpy as np
import pytest

import jaxnet
from jaxnet.selection.bounds import BOUNDS
from jaxnet.selection.concave import tail_bound

P = 1000
CHECK_VALUES = {"meinshausen-buehlmann": 1.8, "worst-case": 1.8, "unimodal": 0.9 / 0.98}


@pytest.mark.parametrize("bound", CHECK_VALUES)
def test_bound_at_its_check_value(bound):
    assert jaxnet.false_selection_bound(30, 0.75, P, bound=bound) == pytest.approx(CHECK_VALUES[bound], rel=1e-12)


@pytest.mark.parametrize("B", [10, 50])
@pytest.mark.parametrize("q", [5, 30, 100])
def test_more_shape_gives_sharper_bounds(q, B):
    """Each assumption includes the one before it, and every bound falls with the cutoff."""
    cutoffs = [k / (2 * B) for k in range(B + math.ceil(B / 10) + 1, 2 * B + 1)]
    values = [[BOUNDS[b](q, c, P, B) for c in cutoffs] for b in ("worst-case", "unimodal", "r-concave")]
    assert np.all(np.diff(values, axis=0) <= 1e-12) and np.all(np.diff(values, axis=1) <= 1e-12)


@pytest.mark.parametrize("bound", BOUNDS)
def test_any_two_give_the_third(bound):
    q, cutoff, B = 25, 0.8, 50
    value = jaxnet.stability_parameters(P, q=q, cutoff=cutoff, bound=bound).false_selections
    assert value == jaxnet.false_selection_bound(q, cutoff, P, bound=bound)
    by_q = jaxnet.stability_parameters(P, q=q, false_selections=value, bound=bound)
    by_cutoff = jaxnet.stability_parameters(P, cutoff=cutoff, false_selections=value, bound=bound)
    assert by_q == by_cutoff == (cutoff, q, value)
    less = jaxnet.stability_parameters(P, q=q, false_selections=0.999 * value, bound=bound)
    assert less.cutoff == pytest.approx(cutoff + 1 / (2 * B)) and less.false_selections < value
    assert jaxnet.stability_parameters(P, cutoff=cutoff, false_selections=0.999 * value, bound=bound).q == q - 1


@pytest.mark.parametrize(("B", "tail", "mean", "r"), [(6, 4, 0.05, -0.5), (8, 5, 0.02, -0.25), (20, 12, 0.1, -0.5)])
def test_no_concave_distribution_exceeds_the_tail_bound(B, tail, mean, r):
    """f^r convex: random ones, and the best of two parameters (a, k) with the last mass that the mean asks for."""
    rng, limit, i = np.random.default_rng(B), tail_bound(mean, tail / B, B, r), np.arange(B + 1)
    for _ in range(2000):
        slopes = np.sort(rng.normal(size=B) * 10 ** rng.uniform(-2, 2) + 10 ** rng.uniform(-1, 2))
        convex = np.concatenate([[0], np.cumsum(slopes)])
        f = (convex - convex.min() + 10 ** rng.uniform(-3, 1)) ** (1 / r) * (i <= rng.integers(1, B + 1))
        f /= f.sum()
        if f @ i <= mean * B:
            assert f[tail:].sum() <= limit + 1e-12
    best = 0.0
    for k in range(tail - 1, B):
        a = np.geomspace(1e-3, 1e2, 100_000)[:, None]
        h = (a + np.arange(k + 1)) ** (1 / r)
        last = (mean * B * h.sum(axis=1) - h @ np.arange(k + 1)) / (k + 1 - mean * B)
        fits = (last >= 0) & (last <= (a[:, 0] + k + 1) ** (1 / r))
        shares = (h[:, tail:].sum(axis=1) + last) / (h.sum(axis=1) + last)
        best = max(best, np.max(shares[fits], initial=0))
    assert limit == pytest.approx(best, rel=1e-3)


@pytest.mark.parametrize("theta", [0.01, 0.05, 0.2])
def test_independent_selections_keep_to_the_tail_bound(theta):
    """Binomial frequencies are log-concave, so r-concave for every r < 0; Markov's inequality is never sharper."""
    n = 40
    for tail in (0.55, 0.75, 1.0):
        exact = sum(math.comb(n, k) * theta**k * (1 - theta) ** (n - k) for k in range(math.ceil(tail * n), n + 1))
        assert exact <= tail_bound(theta, tail, n, -0.25) <= theta / tail
    assert tail_bound(theta, 1.0, 1, -0.5) == pytest.approx(theta)  # two points: the mean itself


WRONG = {
    "cutoff of a half": ({"q": 30, "cutoff": 0.5}, r"cutoff=0.5 must be above 0.5"),
    "cutoff above one": ({"q": 30, "cutoff": 1.2}, r"cutoff=1.2 must be"),
    "q of zero": ({"q": 0, "cutoff": 0.75}, r"q=0 must be above 0"),
    "q above p": ({"q": 1001, "cutoff": 0.75}, r"q=1001 must be above 0 and at most p=1000"),
    "B of zero": ({"q": 30, "cutoff": 0.75, "B": 0}, r"B=0 must be a whole number"),
    "an unknown bound": ({"q": 30, "cutoff": 0.75, "bound": "convex"}, r"bound='convex' is not known"),
    "B too small": ({"q": 30, "cutoff": 0.6, "B": 2}, r"says nothing .* B=2: .* more pairs B"),
    "a bound that says nothing": ({"q": 700, "cutoff": 0.75}, r"says nothing at q=700 .*: take a higher cutoff"),
    "one of three": ({"q": 30}, r"got q of cutoff, q and false_selections: give exactly two"),
    "all three": ({"q": 30, "cutoff": 0.75, "false_selections": 1}, r"give exactly two"),
    "negative": ({"q": 30, "false_selections": -1}, r"false_selections=-1 must be a positive number"),
    "too few to allow": ({"q": 300, "false_selections": 0.01}, r"cannot be kept with q=300 .* even by cutoff=1"),
    "too low a cutoff": ({"cutoff": 0.505, "false_selections": 1e-4}, r"cannot be kept at cutoff=0.505"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_cannot_be_is_refused(name):
    options, message = WRONG[name]
    with pytest.raises(jaxnet.InvalidInput, match=message):
        jaxnet.stability_parameters(P, **options)
