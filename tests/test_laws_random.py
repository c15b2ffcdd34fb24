"""Random small problems, every option mixed with every other; and spoilt results, which the audit must catch."""

from dataclasses import replace

import cases
import numpy as np
import pytest
from checks import Request, audit
from hypothesis import given, settings
from hypothesis import strategies as st

import jaxnet

TOL = 1e-6


@st.composite
def requests(draw):
    """Up to 14 x 14: one padded size, so few compilations."""
    n, p = draw(st.integers(1, 14)), draw(st.integers(1, 14))
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    X = rng.normal(size=(n, p)) * 10.0 ** rng.integers(-draw(st.integers(0, 9)), 1, p)
    intercept = draw(st.booleans())
    if draw(st.booleans()):  # without an intercept, large offsets make columns all but collinear
        X += rng.integers(-3, 4, p) * 10.0 ** draw(st.integers(0, 6 if intercept else 1))
    if draw(st.booleans()):
        X = np.round(X)
    if p > 2 and draw(st.booleans()):
        X[:, -1] = X[:, 0] * draw(st.sampled_from([1.0, -2.0, 1e-5]))
    if p > 1 and draw(st.booleans()):
        X[:, 1] = draw(st.sampled_from([0.0, 0.1, -7e5] if intercept else [0.0, 0.1]))
    y = X @ (rng.normal(size=p) * (rng.random(p) < 0.4)) + draw(st.sampled_from([0.0, 0.3, 10.0])) * rng.normal(size=n)
    y = y * 10.0 ** draw(st.integers(-6, 6)) + draw(st.sampled_from([0.0, 5.0, -1e6]))
    options = {"tol": TOL, "fit_intercept": intercept, "standardize": draw(st.booleans())}
    if draw(st.booleans()):
        options["sample_weight"] = rng.uniform(0.1, 3, n)
    if draw(st.booleans()):
        options["penalty_factor"] = rng.choice([0.5, 1.0, 4.0], p)
        if draw(st.booleans()):
            options["penalty_factor"][-1] = 0.0
    if draw(st.booleans()):
        options["lower"] = np.full(p, draw(st.sampled_from([0.0, -0.1, -10.0])))
    if draw(st.booleans()):
        options["upper"] = rng.choice([0.0, 0.2, np.inf], p)
    free = (
        options.get("penalty_factor", np.ones(p)) == 0
    )  # in a box of their own where bounded: test_bounds_unpenalised
    for bound, none in (("lower", -np.inf), ("upper", np.inf)):
        if bound in options:
            options[bound][free] = none
    pairs = []
    if n >= 4 and draw(st.booleans()):
        order = rng.permutation(n)
        pairs = [(order[2:], order[:2]), (order[:-1], order[-1:])]
    return Request(X, y, pairs, options)


@settings(max_examples=40)
@given(
    request=requests(),
    rho=st.sampled_from([(0.0, 1.0), (0.5, 1.0), (1e-6, 0.999)]),
    solver=st.sampled_from(cases.SOLVERS),
)
@pytest.mark.filterwarnings("ignore::jaxnet.ConvergenceWarning")
def test_random_problems_are_certified(request, rho, solver):
    """Certified, or (ill-conditioned ones, by coordinate descent) honestly at the end of max_iter."""
    result = jaxnet.sweep(
        request.X,
        request.y,
        cv=request.pairs or None,
        keep_fold_coefs=bool(request.pairs),
        rho=rho,
        alphas=4,
        solver=solver,
        max_iter=5000,
        **request.options,
    )
    audit(result, request, floor=1e-9, unfinished=True)
    assert not np.any(result.status == jaxnet.Status.DIVERGED)
    missed = result.status == jaxnet.Status.MAX_ITER
    early = missed & (result.iterations < 5000)
    assert not np.any(early), (
        f"gave up early: {np.argwhere(early)}, gaps {result.gap[early]}, {result.iterations[early]}"
    )


@pytest.fixture(scope="module")
def sound():
    data = cases.data("tall")
    pairs = cases.RESAMPLINGS["uneven"](len(data.y))
    options = {"tol": TOL, "sample_weight": cases.weights(len(data.y))}
    result = jaxnet.sweep(data.X, data.y, rho=(0.5, 1.0), alphas=4, cv=pairs, keep_fold_coefs=True, **options)
    return result, Request(data.X, data.y, pairs, options)


def _nudged(array, index, by):
    array = np.array(array)
    array[index] += by
    return array


SPOILERS = {
    "a coefficient": lambda r: replace(r, coefs=replace(r.coefs, values=_nudged(r.coefs.values, -1, 0.01))),
    "a coefficient of a fold": lambda r: replace(
        r, fold_coefs=replace(r.fold_coefs, values=_nudged(r.fold_coefs.values, -1, 0.01))
    ),
    "an intercept": lambda r: replace(r, intercepts=_nudged(r.intercepts, (1, 2), 0.01)),
    "an intercept of a fold": lambda r: replace(r, fold_intercepts=_nudged(r.fold_intercepts, (1, 2, 0), 0.01)),
    "an alpha": lambda r: replace(r, alphas=r.alphas * 1.01),
    "the order of rho": lambda r: replace(r, rho=r.rho[::-1]),
    "an error": lambda r: replace(r, errors=_nudged(r.errors, (0, 1, 2), 1e-4)),
    "the order of folds": lambda r: replace(r, errors=r.errors[..., ::-1]),
    "a gap, too small": lambda r: replace(r, gap=r.gap * 0.5),
    "a gap, too large": lambda r: replace(r, gap=_nudged(r.gap, (0, 0, 0), 1e-3)),
    "the fold weights": lambda r: replace(r, fold_weights=np.ones(3)),
    "a gap of nan": lambda r: replace(r, gap=r.gap * np.nan),
}


@pytest.mark.parametrize("what", SPOILERS)
def test_the_audit_catches(what, sound):
    """The audit passes the sound result and fails it with any one number spoilt."""
    result, request = sound
    audit(result, request)
    with pytest.raises(AssertionError):
        audit(SPOILERS[what](result), request)
