"""Degrees of freedom by factors of Gram matrices are those by singular values, and singular values are taken rarely."""

import cases
import numpy as np
import pytest

import jaxnet
from jaxnet.selection.degrees import EPS, Hat, triangular_inverse

RIDGES = np.array([0.0, 1e-12, 1e-8, 1e-5, 1e-3, 0.1, 10.0])


def _near(distance):
    def columns(rng, n, k):
        X = rng.normal(size=(n, k))
        X[:, k // 2 : 2 * (k // 2)] = X[:, : k // 2] + distance * rng.normal(size=(n, k // 2))
        return X

    return columns


def _repeated_rows(rng, n, k):
    return np.tile(rng.normal(size=(-(-n // 3), k)), (3, 1))[:n]


def _low_rank(rng, n, k):
    return rng.normal(size=(n, 3)) @ rng.normal(size=(3, k))


DESIGNS = {
    "plain": lambda rng, n, k: rng.normal(size=(n, k)),
    "duplicated columns": _near(0.0),
    "columns 1e-4 apart": _near(1e-4),
    "columns 1e-7 apart": _near(1e-7),  # nearer ones leave directions to rounding
    "constant columns": lambda rng, n, k: rng.normal(size=(n, k)) * (np.arange(k) % 3 > 0) + 2.0,
    "repeated rows": _repeated_rows,
    "of rank three": _low_rank,
    "units from 1e-3 to 1e3": lambda rng, n, k: rng.normal(size=(n, k)) * np.geomspace(1e-3, 1e3, k),
}
PENALTIES = {
    "plain": lambda rng, k: {"factor": np.ones(k), "intercept": True, "standardize": False},
    "standardized": lambda rng, k: {"factor": np.ones(k), "intercept": True, "standardize": True},
    "no intercept": lambda rng, k: {"factor": np.ones(k), "intercept": False, "standardize": False},
    "factors": lambda rng, k: {"factor": rng.uniform(0.1, 3, k), "intercept": True, "standardize": True},
    "unpenalised": lambda rng, k: {"factor": np.arange(k) % 4 / 2.0, "intercept": True, "standardize": True},
}


def by_singular_values(X, w, free, ridge, *, factor, intercept, standardize):
    """tr of the map from y to the fit: the rank of what no ridge shrinks, and of the rest sum s^2 / (s^2 + ridge)."""
    mean = w @ X if intercept else np.zeros(X.shape[1])
    Z = np.sqrt(w)[:, None] * (X - mean)
    sd, size = np.sqrt(np.sum(Z**2, axis=0)), np.sqrt(w @ X**2)
    varies = sd > 1e-7 * size
    with np.errstate(divide="ignore"):
        weight = np.where(varies, (1.0 if standardize else sd**2) / factor, 0.0)
    free = free & varies
    unit = Z / np.where(varies, sd, 1.0)
    loose = free & (ridge <= EPS * weight)
    U, s, _ = np.linalg.svd(unit[:, loose], full_matrices=False)
    U = U[:, s > EPS * max(unit[:, loose].shape) * np.max(s, initial=0.0)]
    rest = unit[:, free & ~loose]
    s = np.linalg.svd((rest - U @ (U.T @ rest)) * np.sqrt(weight[free & ~loose]), compute_uv=False)
    return intercept + U.shape[1] + np.sum(s**2 / (s**2 + ridge))


@pytest.mark.parametrize("penalty", PENALTIES)
@pytest.mark.parametrize("design", DESIGNS)
def test_degrees_of_freedom_are_those_of_singular_values(design, penalty):
    rng = np.random.default_rng(sum(map(ord, design + penalty)))
    for n, k in ((40, 8), (40, 30), (40, 41), (30, 90), (3, 5)):
        X, w = DESIGNS[design](rng, n, k), rng.uniform(0.2, 1.0, n)
        w, options = w / w.sum(), PENALTIES[penalty](rng, k)
        hat, free = Hat(X, w, **options), rng.random((len(RIDGES), k)) < rng.uniform(0.2, 1.0, (len(RIDGES), 1))
        df = hat.degrees_of_freedom(free, RIDGES)
        expected = [by_singular_values(X, w, a, r, **options) for a, r in zip(free, RIDGES, strict=True)]
        np.testing.assert_allclose(df, expected, rtol=0, atol=1e-9, err_msg=f"{n} x {k}")
        np.testing.assert_array_equal(Hat(X, w, **options).degrees_of_freedom(free[::-1], RIDGES[::-1])[::-1], df)


@pytest.mark.parametrize("name", ["tall", "correlated", "very_wide"])
def test_singular_values_are_taken_for_few_supports(name, monkeypatch):
    """A factor for every fit: singular values took nearly a minute of 360 fits to 700 x 788."""
    data, calls = cases.data(name), []
    result = jaxnet.fit_path(data.X, data.y, rho=[0.3, 1.0], alphas=30, alpha_min_ratio=0.01, standardize=True)
    real = np.linalg.svd
    monkeypatch.setattr(np.linalg, "svd", lambda *a, **k: calls.append(1) or real(*a, **k))
    assert np.isfinite(result.criteria(data.X, data.y).df).all()
    assert len(calls) <= 6


@pytest.mark.parametrize("size", [0, 1, 64, 65, 200])
def test_the_inverse_of_a_triangle(size):
    rng = np.random.default_rng(size)
    L = np.tril(rng.normal(size=(size, size))) / max(size, 1) + np.eye(size)
    np.testing.assert_allclose(triangular_inverse(L) @ L, np.eye(size), atol=1e-12)
