"""Newton steps on a support: they end at the optimum of its orthant, or where that is left."""

import os
import subprocess
import sys

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxnet.solver.inner import newton
from jaxnet.solver.restricted import Restricted

SETS, LANES, SLOTS, ROWS = 2, 3, 9, 40
SUPPORT = np.array([True] * 4 + [False] * 5)
FORMS, BOUNDS = ("scaled", "gram"), (None, 2.5)


def problem(form: str, bound: float | None, seed: int = 0):
    """A restricted problem, and coefficients (S, L, W) on SUPPORT at which all its gradients vanish there."""
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((SETS, SLOTS, ROWS)) / np.sqrt(ROWS)
    gram = A @ A.transpose(0, 2, 1)
    best = np.where(SUPPORT, rng.choice([-1, 1], (SETS, 1, SLOTS)) * rng.uniform(1, 2, (SETS, LANES, SLOTS)), 0.0)
    lam1, lam2 = rng.uniform(0.1, 0.2, (2, SETS, LANES))
    gradient = lam2[..., None] * best + lam1[..., None] * np.sign(best)
    cross = np.einsum("slw,swv->slv", best, gram) + gradient
    limit = None if bound is None else np.full((SETS, SLOTS), bound)
    given = Restricted(
        scaled=A if form == "scaled" else None,
        gram=gram if form == "gram" else None,
        diagonal=np.diagonal(gram, axis1=1, axis2=2),
        cross=cross[:, 0],
        moment=np.ones(SETS),
        lam1=lam1,
        lam2=lam2,
        factor1=np.ones((SETS, SLOTS)),
        factor2=np.ones((SETS, SLOTS)),
        lo=None if limit is None else -limit,
        hi=limit,
        used=np.full(SETS, SLOTS),
    )
    return jax.tree.map(jnp.asarray, given), best, gram, cross


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("bound", BOUNDS)
def test_step_ends_at_the_optimum_of_the_orthant(form, bound):
    with jax.enable_x64(True):
        given, best, gram, cross = problem(form, bound)
        start = best * np.random.default_rng(1).uniform(0.9, 1.1, best.shape)
        q = cross - np.einsum("slw,swv->slv", start, gram)
        wanted = np.ones((SETS, LANES), bool)
        wanted[1, 2] = False
        for candidate in newton.step(given, jnp.asarray(start), jnp.asarray(q), jnp.asarray(wanted)):
            np.testing.assert_allclose(candidate, np.where(wanted[..., None], best, start), atol=1e-12)


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("bound", BOUNDS)
def test_step_stops_where_signs_or_bounds_are_left(form, bound):
    """From beyond the optimum of another problem the whole step would cross: nothing does, and the second candidate lies
    on the way to it, where the first coefficient crosses."""
    with jax.enable_x64(True):
        given, best, gram, cross = problem(form, bound)
        signs = np.sign(best) * np.where(np.arange(SLOTS) == 1, -1, 1)
        start = np.where(SUPPORT, 0.5 * signs, 0.0)
        q = cross - np.einsum("slw,swv->slv", start, gram)
        held, way = newton.step(given, *map(jnp.asarray, (start, q)), jnp.ones((SETS, LANES), bool))
        most = np.inf if bound is None else bound
        for candidate in (held, way):
            assert np.all((candidate == 0) | (np.sign(candidate) == signs * SUPPORT))
            assert np.all(np.abs(candidate) <= most * (1 + 1e-12))
        assert np.all(np.isclose(way[..., SUPPORT], 0, atol=1e-12).sum(axis=2) == 1)


def test_supports_beyond_the_largest_stay(monkeypatch):
    monkeypatch.setattr(newton, "LARGEST", 3)
    with jax.enable_x64(True):
        given, best, *_ = problem("gram", None)
        for candidate in newton.step(given, jnp.asarray(best * 1.1), jnp.asarray(best), jnp.ones((SETS, LANES), bool)):
            np.testing.assert_array_equal(candidate, best * 1.1)


def test_newton_shortens_the_tail_of_an_interpolating_lasso():
    """As many nonzeros as rows: the steps of proximal gradient alone to this gap are 4,070 at the worst alpha, 21,540 in all."""
    import jaxnet

    rng = np.random.default_rng(0)
    X = rng.standard_normal((20, 3)) @ rng.standard_normal((3, 60)) + 0.3 * rng.standard_normal((20, 60))
    y = X[:, :5].sum(axis=1) + rng.standard_normal(20)
    options = {"rho": 1.0, "alphas": 20, "alpha_min_ratio": 1e-4, "tol": 1e-9, "max_iter": 20_000}
    result = jaxnet.fit_path(X, y, solver="proximal", **options)
    assert result.converged
    assert result.iterations.sum() < 10_000


def test_sweeps_of_the_proximal_solver_do_not_wait_for_each_other_for_ever():
    """In a process with one CPU device, chunks and callers side by side: factorisations must not starve XLA's pool."""
    code = """
import threading, numpy as np, jaxnet
rng = np.random.default_rng(0)
X = rng.standard_normal((20, 60)); y = 2 * X[:, 0] + rng.standard_normal(20)
done = []
sweep = lambda: done.append(jaxnet.sweep(X, y, cv=3, solver="proximal", alphas=5).converged)
callers = [threading.Thread(target=sweep) for _ in range(2)]
[t.start() for t in callers]; [t.join() for t in callers]
print(done)
"""
    plain = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    done = subprocess.run([sys.executable, "-c", code], env=plain, capture_output=True, text=True, timeout=240)
    assert done.stdout.strip() == "[True, True]", done.stderr
