"""The group elastic net over imputations: against scikit-learn, against a naive solver, and at the edges."""

from dataclasses import dataclass

import jax
import numpy as np
import pytest
from sklearn.linear_model import ElasticNet

from jaxnet.errors import InvalidInput
from jaxnet.solver import group_descent
from jaxnet.solver.grouped import _by_column, _lanes, _seal, grouped_alpha_max, solve_grouped
from jaxnet.solver.grouped_design import GroupedDesign
from jaxnet.solver.task import Status

TIGHT = 1e-15


def imputed(m: int = 3, n: int = 40, p: int = 12, seed: int = 0):
    """Imputations that agree on four of five values, and a response of some of the columns."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((n, p)) + rng.standard_normal((n, 1)) + np.arange(p)
    y = X[:, :4] @ [2.0, -1.5, 1.0, 0.5] + rng.standard_normal(n) + 3
    missing = rng.random((n, p)) < 0.2
    return np.where(missing, X + rng.standard_normal((m, n, p)), X) * rng.uniform(0.5, 2, p), y


@dataclass
class Naive:
    """The problem as grouped.py states it, in plain NumPy; columns as the penalty sees them are not rescaled."""

    X: np.ndarray
    y: np.ndarray
    weights: np.ndarray
    factor: np.ndarray
    fit_intercept: bool = True
    standardize: bool = False

    def __post_init__(self):
        self.w = self.weights / self.weights.sum()
        self.A = self.X - np.einsum("i,dij->dj", self.w, self.X)[:, None] * self.fit_intercept
        self.t = self.y - self.w @ self.y * self.fit_intercept
        sd = np.sqrt(np.einsum("i,dij->dj", self.w, self.A**2))
        self.v1 = self.factor * (np.sqrt((sd**2).mean(axis=0)) if self.standardize else 1.0)
        self.v2 = self.factor * ((sd**2).mean(axis=0) if self.standardize else 1.0)

    def design(self) -> GroupedDesign:
        options = {"fit_intercept": self.fit_intercept, "standardize": self.standardize}
        return GroupedDesign.build(self.X, self.y, self.weights / self.weights.sum(), self.factor, **options)

    def loss(self, B, b0) -> float:
        r = self.y - b0[:, None] - np.einsum("dij,dj->di", self.X, B)
        return float(0.5 * np.mean(r**2 @ self.w))

    def objective(self, B, b0, alpha: float, rho: float) -> float:
        norms = np.sqrt(np.mean(B**2, axis=0))
        return self.loss(B, b0) + alpha * (rho * self.v1 @ norms + (1 - rho) / 2 * self.v2 @ norms**2)

    def violation(self, B, b0, alpha: float, rho: float) -> float:
        """The largest distance of a column's gradient from the subdifferential, in units of y's correlation."""
        m = len(B)
        r = self.y - b0[:, None] - np.einsum("dij,dj->di", self.X, B)
        worst = np.abs(r @ self.w).max() * self.fit_intercept
        for j in range(B.shape[1]):
            b = B[:, j]
            u = np.einsum("di,di,i->d", self.A[:, :, j], r, self.w) / m - alpha * (1 - rho) * self.v2[j] * b / m
            l1, size = alpha * rho * self.v1[j] / np.sqrt(m), np.linalg.norm(b)
            wrong = np.linalg.norm(u - l1 * b / size) if size else max(np.linalg.norm(u) - l1, 0.0)
            worst = max(worst, wrong * m / max(np.linalg.norm(self.A[:, :, j] * np.sqrt(self.w)), 1e-9))
        return worst / np.sqrt(self.w @ self.t**2)

    def solve(self, alpha: float, rho: float, steps: int = 100_000):
        """Proximal gradient with momentum and restarts (as far from the method under test as can be)."""
        m = len(self.X)
        scale = np.sqrt(np.einsum("i,dij->j", self.w, self.A**2) / m)
        Z = self.A / scale
        G = np.einsum("i,dij,dik->djk", self.w, Z, Z)
        c = np.einsum("i,dij,i->dj", self.w, Z, self.t)
        l1, l2 = alpha * rho * self.v1 / scale * np.sqrt(m), alpha * (1 - rho) * self.v2 / scale**2
        step = 1.0 / (max(np.linalg.eigvalsh(g)[-1] for g in G) + l2.max())
        b = z = np.zeros_like(c)
        k = 0
        for _ in range(steps):
            forward = z + step * (c - np.einsum("djk,dk->dj", G, z) - l2 * z)
            size = np.linalg.norm(forward, axis=0)
            new = forward * np.maximum(1 - step * l1 / np.where(size > 0, size, 1), 0)
            k = 0 if np.sum((z - new) * (new - b)) > 0 else k + 1
            z, moved, b = new + k / (k + 3) * (new - b), np.abs(new - b).max(), new
            if moved < 1e-15 * np.abs(b).max() or not (b.any() or z.any()):
                break
        B = b / scale
        level = (self.w @ self.y - np.einsum("i,dij,dj->d", self.w, self.X, B)) * self.fit_intercept
        return B, level


def stated(**options) -> Naive:
    X, y = imputed()
    rng = np.random.default_rng(1)
    factor = rng.uniform(0.5, 2, X.shape[2])
    factor[[1, 7]] = 0
    return Naive(X, y, rng.uniform(0.1, 1, len(y)), options.pop("factor", factor), **options)


def fits(problem: Naive, share=(0.5, 0.1, 0.02), rho=(0.3, 1.0), tol: float = TIGHT):
    """Every fit of a small grid: (path, alphas, rho) with alphas (R, A) at shares of alpha_max."""
    design, rho = problem.design(), np.array(rho)
    alphas = grouped_alpha_max(design) * np.array(share) / rho[:, None]
    return solve_grouped(design, alphas, rho, tol=tol), alphas, rho


@pytest.mark.parametrize("copies", [1, 3])
def test_equal_imputations_give_the_elastic_net(copies):
    X, y = imputed(1)
    problem = Naive(np.tile(X, (copies, 1, 1)), y, np.ones(len(y)), np.ones(X.shape[2]))
    path, alphas, rho = fits(problem)
    for i, k in np.ndindex(alphas.shape):
        peer = ElasticNet(alpha=alphas[i, k], l1_ratio=rho[i], tol=1e-14, max_iter=1_000_000).fit(X[0], y)
        np.testing.assert_allclose(path.coefs[i, k], np.tile(peer.coef_, (copies, 1)), rtol=1e-8, atol=1e-8)
        np.testing.assert_allclose(path.intercepts[i, k], peer.intercept_, rtol=1e-8)


@pytest.mark.parametrize("options", [{}, {"standardize": True}, {"fit_intercept": False}])
def test_answers_are_those_of_a_naive_solver_and_keep_the_kkt_conditions(options):
    problem = stated(**options)
    path, alphas, rho = fits(problem)
    assert (path.gap < 1e-13).all() and (path.kkt < 1e-6).all()
    for i, k in np.ndindex(alphas.shape):
        B, b0 = problem.solve(alphas[i, k], rho[i])
        np.testing.assert_allclose(path.coefs[i, k], B, rtol=1e-7, atol=1e-7)
        np.testing.assert_allclose(path.intercepts[i, k], b0, rtol=1e-7, atol=1e-7)
        assert problem.violation(path.coefs[i, k], path.intercepts[i, k], alphas[i, k], rho[i]) < 1e-6
        moves = path.coefs[i, k] != 0
        assert (moves.all(axis=0) == moves.any(axis=0)).all()  # one support
    assert 2 < (path.coefs[1, 0] != 0).any(axis=0).sum() < moves.shape[1]


def test_from_alpha_max_on_all_penalised_coefficients_are_zero():
    problem = stated()
    path, _, _ = fits(problem, share=(3.0, 1.0, 0.98), rho=(0.3, 1.0), tol=1e-10)
    penalised = problem.factor > 0
    assert not path.coefs[:, :2, :, penalised].any() and path.coefs[:, :2, :, ~penalised].all()
    assert (path.coefs[:, 2, :, penalised] != 0).any(axis=(0, 2)).all()


def test_the_gap_bounds_what_any_point_lacks():
    """At random coefficients, near and far, the dual lies below the optimum; at the optimum they meet."""
    problem, rng = stated(factor=np.ones(12)), np.random.default_rng(2)
    design, alpha, rho = problem.design(), 0.2, np.array([0.0, 0.05, 0.6, 1.0])
    strengths = design.strengths(np.full(4, alpha), rho)
    null = 0.5 * float(design.stored.moment) * design.units.y_scale**2
    optimum = [solve_grouped(design, [alpha], rho[i : i + 1], tol=TIGHT) for i in range(4)]
    best = [problem.objective(o.coefs[0, 0], o.intercepts[0, 0], alpha, r) for o, r in zip(optimum, rho, strict=True)]
    working = np.tile(design.stored.curvature > 0, (4, 1))
    near = np.zeros((4, *design.stored.columns.shape[:2]))
    p = len(problem.factor)
    for i, o in enumerate(optimum):
        near[i, :p] = (o.coefs[0, 0] * design.units.scale * design.unit / design.units.y_scale).T
    with jax.enable_x64(True):
        data = jax.tree.map(jax.numpy.array, design.stored)
        for noise in (0.0, 1e-6, 1e-3, 0.1, 10.0):
            lanes = _lanes(near + noise * working[:, :, None] * rng.standard_normal(near.shape), working, *strengths)
            seal = _seal(data, lanes, group_descent.residual_and_gradient(data, lanes))
            coefs, levels = design.coefficients(_by_column(lanes.B, lanes, near.shape[1]))
            for i in range(4):
                excess = problem.objective(coefs[i], levels[i], alpha, rho[i]) - best[i]
                assert excess <= seal.gap[i] * null * (1 + 1e-9) + 1e-12
            assert noise or (seal.gap < 1e-12).all()


def test_loose_fits_are_as_close_as_they_say():
    problem = stated()
    tight, alphas, rho = fits(problem)
    loose, _, _ = fits(problem, tol=0.1)
    null = 0.5 * problem.w @ problem.t**2
    value = lambda path, i, k: problem.objective(path.coefs[i, k], path.intercepts[i, k], alphas[i, k], rho[i])
    excess = [value(loose, i, k) - value(tight, i, k) for i, k in np.ndindex(alphas.shape)]
    assert (loose.gap <= 0.1).all() and max(excess) > 1e-6 * null
    assert (np.array(excess) <= loose.gap.ravel() * null + 1e-12).all()


def test_weights_are_repetitions_and_rows_without_weight_are_not_seen():
    X, y = imputed()
    counts = np.random.default_rng(3).integers(0, 3, len(y))
    alphas, rho = [0.3, 0.03], np.array([0.5, 1.0])
    solve = lambda X, y, w: solve_grouped(
        GroupedDesign.build(X, y, w / w.sum(), np.ones(12), fit_intercept=True, standardize=True),
        alphas,
        rho,
        tol=TIGHT,
    )
    weighted = solve(X, y, counts.astype(float))
    repeated = solve(np.repeat(X, counts, axis=1), np.repeat(y, counts), np.ones(counts.sum()))
    # a gap bounds the square of what coefficients may be off
    np.testing.assert_allclose(weighted.coefs, repeated.coefs, rtol=1e-6, atol=1e-7)
    other, response = X.copy(), y.copy()
    other[:, counts == 0], response[counts == 0] = 1e9, -1e9
    for same in (solve(other, response, counts.astype(float)), solve(*_kept(X, y, counts))):
        for a, b in zip(weighted, same, strict=True):
            assert a.tobytes() == b.tobytes()


def _kept(X, y, counts):
    rows = counts > 0
    return X[:, rows], y[rows], counts[rows].astype(float)


def test_order_of_alphas_and_company_of_lanes_change_nothing():
    problem = stated()
    design, rho = problem.design(), np.array([0.3, 1.0])
    alphas = np.array([[0.05, 0.5, 0.2], [0.1, 0.02, 0.3]])
    path = solve_grouped(design, alphas, rho, tol=1e-6)
    falling = solve_grouped(design, -np.sort(-alphas, axis=1), rho, tol=1e-6)
    for i in range(2):
        order = np.argsort(-alphas[i])
        assert np.array_equal(path.coefs[i, order], falling.coefs[i])
        alone = solve_grouped(design, alphas[i], rho[i : i + 1], tol=1e-6)
        np.testing.assert_allclose(path.coefs[i], alone.coefs[0], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("standardize", [False, True])
def test_ridge_is_exact(standardize):
    problem = stated(standardize=standardize)
    path = solve_grouped(problem.design(), [1.0, 1e-3], np.array([0.0]), tol=1e-10)
    for k, alpha in enumerate([1.0, 1e-3]):
        for d in range(3):
            A = problem.A[d] * np.sqrt(problem.w)[:, None]
            b = np.linalg.solve(A.T @ A + alpha * np.diag(problem.v2), A.T @ (np.sqrt(problem.w) * problem.t))
            np.testing.assert_allclose(path.coefs[0, k, d], b, rtol=1e-9)
    assert (path.status == Status.CONVERGED).all() and path.gap.max() < 1e-10


def test_a_ridge_too_weak_to_count_gives_least_norm_solutions():
    X, y = imputed(3, 14, 30)
    path = solve_grouped(Naive(X, y, np.ones(14), np.ones(30)).design(), [1e-290], np.array([0.0]))
    centred = X - X.mean(axis=1, keepdims=True)
    for d in range(3):
        np.testing.assert_allclose(path.coefs[0, 0, d], np.linalg.pinv(centred[d], rcond=1e-10) @ y, rtol=1e-8)
    assert (path.status == Status.CONVERGED).all()


def test_more_columns_than_rows():
    X, y = imputed(3, 14, 30, seed=4)
    problem = Naive(X, y, np.ones(14), np.ones(30))
    path, alphas, rho = fits(problem, share=(0.3, 0.05), rho=(0.1, 1.0), tol=1e-11)
    assert (path.status == Status.CONVERGED).all()
    for i, k in np.ndindex(alphas.shape):
        assert problem.violation(path.coefs[i, k], path.intercepts[i, k], alphas[i, k], rho[i]) < 1e-5
    # What a loose fit leaves next to zero would break the conditions by twice its alpha.
    path, alphas, rho = fits(problem, share=np.geomspace(1, 0.02, 20), rho=(0.3, 0.8), tol=1e-4)
    assert (path.status == Status.CONVERGED).all() and path.kkt.max() < 0.01
    for i, k in np.ndindex(alphas.shape):
        found = problem.violation(path.coefs[i, k], path.intercepts[i, k], alphas[i, k], rho[i])
        np.testing.assert_allclose(path.kkt[i, k], found, rtol=0.02, atol=1e-9)


@pytest.mark.parametrize("scale", [1e-100, 1e-12, 1e100])
def test_scales_of_columns_and_response_do_not_matter(scale):
    X, y = imputed()
    alphas, rho = np.array([0.5, 0.05]), np.array([0.5, 1.0])
    build = lambda X, y: GroupedDesign.build(
        X, y, np.full(40, 1 / 40), np.ones(12), fit_intercept=True, standardize=True
    )
    plain = solve_grouped(build(X, y), alphas, rho, tol=1e-12)
    columns = solve_grouped(build(X * scale, y), alphas, rho, tol=1e-12)
    np.testing.assert_allclose(columns.coefs * scale, plain.coefs, rtol=1e-7, atol=1e-9)
    lasso = solve_grouped(build(X, y * scale), alphas * scale, np.array([1.0]), tol=1e-12)
    np.testing.assert_allclose(lasso.coefs[0] / scale, plain.coefs[1], rtol=1e-7, atol=1e-9)


def test_constant_columns_and_responses_get_zero():
    X, y = imputed()
    X[:, :, 3] = 1e8 + 0.1
    X[:, :, 5] = np.arange(3)[:, None]  # constant in each imputation
    X[1, :, 0] = 7.0  # constant in one
    problem = Naive(X, y, np.ones(40), np.ones(12))
    design = problem.design()
    for rho in (0.0, 0.5):
        path = solve_grouped(design, [0.01], np.array([rho]), tol=1e-10)
        assert (
            not path.coefs[..., [3, 5]].any() and not path.coefs[:, :, 1, 0].any() and path.coefs[:, :, [0, 2], 0].all()
        )
        assert np.isfinite(path.intercepts).all() and (path.status == Status.CONVERGED).all()
    flat = GroupedDesign.build(X, np.full(40, 0.1), problem.w, np.ones(12), fit_intercept=True, standardize=True)
    assert grouped_alpha_max(flat) == 0
    path = solve_grouped(flat, [1.0, 0.1], np.array([0.0, 0.5]))
    assert not path.coefs.any() and (path.intercepts == 0.1).all() and (path.status == Status.DEGENERATE).all()


def test_two_rows_and_collinear_unpenalised_columns():
    X, y = imputed()
    X[:, :, 2] = 2 * X[:, :, 1] + 1
    X[:, :, 4] = X[:, :, 1] - 5  # penalised, and nothing of it is left
    factor = np.ones(12)
    factor[[1, 2]] = 0
    few = GroupedDesign.build(X[:, :2], y[:2], np.full(2, 0.5), np.ones(12), fit_intercept=True, standardize=True)
    path = solve_grouped(few, grouped_alpha_max(few) * np.array([1.0, 0.1]) / 0.5, np.array([0.5]), tol=1e-8)
    assert (path.status == Status.CONVERGED).all() and path.coefs[0, 1].any() and not path.coefs[0, 0].any()
    problem = Naive(X, y, np.ones(40), factor)
    path = solve_grouped(problem.design(), [0.3], np.array([0.5]), tol=1e-12)
    assert not path.coefs[..., 4].any()
    assert problem.violation(path.coefs[0, 0], path.intercepts[0, 0], 0.3, 0.5) < 1e-6


def test_without_a_penalty_there_is_no_grouped_fit():
    design = stated().design()
    for alpha in (0.0, -1.0, np.nan):
        with pytest.raises(InvalidInput, match=f"alpha={alpha:g} has no grouped fit"):
            solve_grouped(design, [1.0, alpha], np.array([0.5]))
