"""Rules that choose from a grid: against their definitions written out, on grids with ties, gaps and unknown errors."""

import cases
import numpy as np
import pytest

import jaxnet
from jaxnet.cli import parser
from jaxnet.selection.rules import RULES, Scores, choose

TOLERANCE = {  # rule: the largest error it accepts
    "min": lambda error, se, percent: error,
    "1se": lambda error, se, percent: error + se,
    "percent": lambda error, se, percent: error * (1 + percent / 100),
}


def _grid(seed: int) -> Scores:
    """Few distinct values, so that ties abound; a tenth of the errors is not known."""
    rng = np.random.default_rng(seed)
    mean = rng.integers(10, 16, (3, 7)) / 10.0
    mean[rng.random(mean.shape) < 0.1] = np.nan
    alphas = -np.sort(-rng.integers(1, 9, (3, 7)).astype(float), axis=1)
    return Scores(mean, rng.integers(0, 4, (3, 7)) / 10.0, rng.integers(1, 5, (3, 7)).astype(float), alphas)


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("seed", range(20))
def test_rule_chooses_the_simplest_of_what_it_accepts(rule, seed):
    scores, percent = _grid(seed), 10.0
    best = min((e, at) for at, e in np.ndenumerate(scores.mean) if e == e)
    limit = TOLERANCE[rule](best[0], scores.se[best[1]], percent)
    accepted = [at for at, e in np.ndenumerate(scores.mean) if e <= limit]
    key = lambda at: (scores.complexity[at], -scores.alphas[at], scores.mean[at], at)
    expected = best[1] if rule == "min" else min(accepted, key=key)
    assert choose(rule, scores, percent) == expected


@pytest.mark.parametrize("rule", RULES)
def test_one_point_and_no_standard_error_are_enough(rule):
    one = np.array([[0.5]])
    assert choose(rule, Scores(one, np.full_like(one, np.nan), one, one)) == (0, 0)


@pytest.fixture(scope="module")
def swept():
    data = cases.data("tall")
    return jaxnet.sweep(data.X, np.stack([data.y, data.X[:, 0] - data.y], axis=1), cv=3, **cases.GRID)


@pytest.mark.parametrize("rule", RULES)
def test_winners_per_rho_are_those_of_the_rows(rule, swept):
    fits = swept.best_per_rho(rule, percent=20)
    assert len(fits) == 2 and all([fit.rho for fit in of_one] == list(swept.rho) for of_one in fits)
    for j, i in np.ndindex(2, 2):
        row = Scores(*(x[j, i : i + 1] for x in (swept.error_mean, swept.error_se, swept.nonzeros, swept.alphas)))
        assert fits[j][i].index == (i, choose(rule, row, 20)[1])
        np.testing.assert_array_equal(fits[j][i].coef, swept.coef_at(*fits[j][i].index, j))
    overall = swept.best(rule, percent=20)
    if rule == "min":
        assert [fit.cv_error for fit in overall] == [min(fit.cv_error for fit in of_one) for of_one in fits]


def test_percent_widens_what_is_accepted(swept):
    counts = [[fit.nonzeros for fit in swept.best("percent", percent=x)] for x in (0, 10, 1e6)]
    assert np.all(np.diff(counts, axis=0) <= 0) and counts[0] <= [fit.nonzeros for fit in swept.best()]
    assert counts[-1] == swept.nonzeros.min(axis=(1, 2)).tolist()


@pytest.mark.parametrize("percent", [-1, np.nan, np.inf, "5", True, None])
def test_a_wrong_percentage_is_refused(percent, swept):
    with pytest.raises(jaxnet.InvalidInput, match=r"percent=.* at least 0"):
        swept.best("percent", percent=percent)


def test_the_command_line_knows_every_rule():
    assert set(parser.RULES) >= set(RULES)
