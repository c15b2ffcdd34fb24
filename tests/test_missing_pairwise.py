"""Pairwise deletion: the nearest positive semidefinite matrices, the pairwise moments, and what a fit to them finds."""

import dataclasses
import itertools

import jax
import numpy as np
import pytest
from scipy.optimize import minimize

import jaxnet
from jaxnet import InvalidInput, Pairwise
from jaxnet.design.dense import DenseDesign
from jaxnet.lanes import Groups
from jaxnet.missing import pairwise
from jaxnet.missing.pairwise import pairwise_moments
from jaxnet.missing.projection import _onto_l1_ball, clip_eigenvalues, onto_ellipsoid, project_max_norm
from jaxnet.solver.moments import column_moments, gram_view

PROJECT = {"clip": clip_eigenvalues, "max-norm": project_max_norm}
BOTH = pytest.mark.parametrize("projection", PROJECT)


def holes(rng, X, share=0.3):
    return np.where(rng.random(X.shape) < share, np.nan, X)


def uneven(rng, n=40, p=60, share=0.3):
    """Pairwise correlations, with negative eigenvalues where n < p."""
    X = holes(rng, rng.normal(size=(n, p)) + rng.normal(size=(n, 1)), share)
    return naive(X, np.zeros((1, n)), np.full(n, 1 / n), X, np.full(n, 1 / n))[0]


def naive(X, Y, w, X_train, w_train, centred=True):
    """S in correlation units, c, and the root mean squares, entry by entry from the definition."""
    q, p = len(Y), X.shape[1]
    mean, y_mean = np.zeros(p), np.zeros(q)
    for j in range(p if centred else 0):
        seen = ~np.isnan(X_train[:, j])
        mean[j] = w_train[seen] @ X_train[seen, j] / w_train[seen].sum() if w_train[seen].sum() > 0 else 0
    Z = X - mean
    S, c = np.zeros((p, p)), np.zeros((q, p))
    for j, k in itertools.product(range(p), range(p)):
        both = ~np.isnan(Z[:, j]) & ~np.isnan(Z[:, k]) & (w > 0)
        S[j, k] = w[both] @ (Z[both, j] * Z[both, k]) / w[both].sum() if both.any() else 0
        if j == k and both.any():
            c[:, j] = (Y[:, both] - y_mean[:, None]) @ (w[both] * Z[both, j]) / w[both].sum()
    unit = np.sqrt(np.diag(S))
    return S / np.multiply.outer(unit, unit), c, unit


def jointly(S, c, unit, moment, projection):
    """Held-out moments: S of unit diagonal and at least zero, and the nearest c in units of correlation that it allows."""
    S = PROJECT[projection](S, 0.0).matrix
    S = S / np.sqrt(np.multiply.outer(np.diag(S), np.diag(S)))
    spread = np.sqrt(moment)[:, None]
    return S, onto_ellipsoid(S, c / unit / spread) * unit * spread


def folds(n, k=3):
    """All rows, then k folds: weights that sum to one, and none held out of the first."""
    member = np.arange(n) % k
    train = np.stack([np.ones(n), *(member != i for i in range(k))]).astype(float)
    test = np.stack([np.zeros(n), *(member == i for i in range(k))]).astype(float)
    return train / train.sum(1, keepdims=True), test / np.maximum(test.sum(1, keepdims=True), 1)


# The projections


@BOTH
def test_projection_is_symmetric_and_its_eigenvalues_are_at_least_least(rng, projection):
    for S, least in [(uneven(rng), 1e-4), (uneven(rng, 20, 30), 0.1), (np.zeros((3, 3)), 0.5), (-np.eye(2), 1e-4)]:
        found = PROJECT[projection](S, least)
        assert np.array_equal(found.matrix, found.matrix.T) and found.converged
        assert np.linalg.eigvalsh(found.matrix)[0] >= least - 1e-12
        assert found.distance == pytest.approx(np.abs(found.matrix - S).max(), abs=1e-15)
        assert 0 <= found.bound <= found.distance * (1 + 1e-12)


@BOTH
def test_positive_semidefinite_matrix_is_left_alone_bit_for_bit(rng, projection):
    A = rng.normal(size=(30, 12))
    flat = A[:5].T @ A[:5]  # of rank five, eigenvalues of zero up to rounding
    for S, least in [(A.T @ A, 1e-4), (flat, 0.0), (np.eye(4), 1.0), (np.zeros((0, 0)), 0.1), (np.zeros((2, 2)), 0.0)]:
        found = PROJECT[projection](S, least)
        assert np.array_equal(found.matrix, S) and found[1:] == (0.0, 0.0, 0, True)


def test_clipped_matrix_is_nearest_in_the_frobenius_norm(rng):
    S, least = uneven(rng, 12, 10, 0.4), 0.05
    found = clip_eigenvalues(S, least).matrix
    for _ in range(200):  # the projection onto a convex set: <S - A, B - A> <= 0 for every B of the set
        R = rng.normal(size=(10, 10)) * rng.choice([0.01, 0.1, 1.0])
        assert np.vdot(S - found, R @ R.T + least * np.eye(10) - found) <= 1e-12


@pytest.mark.parametrize("seed", range(4))
def test_max_norm_projection_matches_a_general_optimiser(seed):
    rng = np.random.default_rng(seed)
    A = rng.normal(size=(3, 3))
    S, least, lower = A + A.T, 0.1, np.tril_indices(3)

    def matrix(v):
        L = np.zeros((3, 3))
        L[lower] = v[:6]
        return L @ L.T + least * np.eye(3)

    # min t subject to -t <= A - S <= t, over Cholesky factors
    room = lambda v: np.r_[v[6] - (matrix(v) - S).ravel(), v[6] + (matrix(v) - S).ravel()]
    best = np.inf
    for _ in range(6):
        start = np.r_[rng.normal(size=6), 5.0]
        constraints = {"type": "ineq", "fun": room}
        told = minimize(lambda v: v[6], start, constraints=constraints, options={"maxiter": 500, "ftol": 1e-12})
        best = min(best, np.abs(matrix(told.x) - S).max())
    found = project_max_norm(S, least, tol=1e-6, max_iter=20_000)
    assert found.converged and found.distance == pytest.approx(best, rel=1e-5)
    assert found.bound <= best * (1 + 1e-6)


def test_max_norm_projection_beats_clipping_and_says_when_it_stopped_early(rng):
    S = uneven(rng)
    clipped, found = clip_eigenvalues(S, 1e-4), project_max_norm(S, 1e-4)
    assert (
        clipped.bound <= found.bound <= found.distance <= found.bound * 1.0102
        and found.distance < 0.5 * clipped.distance
    )
    until = [project_max_norm(S, 1e-4, max_iter=k).distance for k in range(30)]
    assert until[0] == clipped.distance and np.all(np.diff(until) <= 0)
    early = project_max_norm(S, 1e-4, max_iter=3)
    assert not early.converged and early.iterations == 3 and found.distance <= early.distance <= clipped.distance
    assert np.linalg.eigvalsh(early.matrix)[0] >= 1e-4 - 1e-12


@BOTH
def test_projection_is_scale_equivariant(rng, projection):
    S = uneven(rng, 30, 20, 0.4)
    found, large = PROJECT[projection](S, 1e-3), PROJECT[projection](2.0**200 * S, 2.0**200 * 1e-3)
    np.testing.assert_allclose(large.matrix, 2.0**200 * found.matrix, rtol=1e-9, atol=2.0**200 * 1e-9)
    assert large.iterations == found.iterations


def test_l1_ball_projection_matches_the_sorted_formula(rng):
    for radius in (1e-3, 0.5, 3.0, 40.0, 1e3):
        x = np.r_[rng.normal(size=50), np.zeros(5), np.ones(5)]
        u = np.sort(np.abs(x))[::-1]
        theta = (np.cumsum(u) - radius) / np.arange(1, len(u) + 1)
        theta = max(theta[np.flatnonzero(u > theta)[-1]], 0.0)
        np.testing.assert_allclose(
            _onto_l1_ball(x, radius), np.sign(x) * np.maximum(np.abs(x) - theta, 0), rtol=0, atol=1e-13
        )


@pytest.mark.parametrize("rank", [3, 8])
def test_cross_moments_that_a_matrix_allows_are_the_nearest(rng, rank):
    """A projection onto a convex set: <c - f, d - f> <= 0 for every d of it; and what is in the set stays."""
    A = rng.normal(size=(8, rank)) * np.geomspace(1, 1e-3, rank)
    S, c = A @ A.T, 3 * rng.normal(size=(5, 8))
    found = onto_ellipsoid(S, c)
    for wanted, nearest in zip(c, found, strict=True):
        joint = np.block([[S, nearest[:, None]], [nearest, np.ones(1)]])
        assert np.linalg.eigvalsh(joint)[0] >= -1e-12
        for _ in range(200):  # A u with |u| <= 1 is every c that S allows
            u = rng.normal(size=rank)
            assert (wanted - nearest) @ (A @ u / max(np.linalg.norm(u), 1) - nearest) <= 1e-9
    inside = np.array([A @ u / np.linalg.norm(u) * 0.999 for u in rng.normal(size=(4, rank))])
    np.testing.assert_allclose(onto_ellipsoid(S, inside), inside, rtol=0, atol=1e-12)
    assert onto_ellipsoid(np.zeros((0, 0)), np.zeros((2, 0))).shape == (2, 0)
    assert not onto_ellipsoid(np.zeros((2, 2)), np.ones((1, 2))).any()


# The moments


@BOTH
@pytest.mark.parametrize("centred", [True, False])
def test_moments_match_the_definition_entry_by_entry(rng, projection, centred):
    n, p, q = 24, 9, 2
    X, Y = holes(rng, rng.normal(size=(n, p)) * np.geomspace(0.1, 100, p) + 3), rng.normal(size=(q, n)) + 1
    train, test = (w * rng.integers(1, 4, n) for w in folds(n))
    train, test = train / train.sum(1, keepdims=True), test / np.maximum(test.sum(1, keepdims=True), 1e-9)
    options = Pairwise(projection, least=1e-3)
    found = pairwise_moments(X, Y, train, test, centred, options)
    for g in range(len(train)):
        y = Y - (Y @ train[g])[:, None] * centred
        for w, gram, cross, moment in (
            (train[g], found.gram, found.cross, found.moment),
            (test[g], found.test_gram, found.test_cross, found.test_moment),
        ):
            if not w.any():
                assert all(np.isnan(x).all() for x in (gram[g], cross[:, g], moment[:, g]))
                continue
            S, c, unit = naive(X, y, w, X, train[g], centred)
            if moment is found.moment:
                expected = PROJECT[projection](S, 1e-3).matrix
            else:
                expected, c = jointly(S, c, unit, (y * y) @ w, projection)
            np.testing.assert_allclose(gram[g] / np.multiply.outer(unit, unit), expected, rtol=0, atol=1e-8)
            np.testing.assert_allclose(cross[:, g], c, rtol=1e-11, atol=1e-13 if moment is found.moment else 1e-11)
            np.testing.assert_allclose(moment[:, g], (y * y) @ w, rtol=1e-12)
            assert np.array_equal(gram[g], gram[g].T)
    raw = np.sqrt(
        [np.nansum(w[:, None] * (X - m) ** 2, 0) / (w @ ~np.isnan(X)) for w, m in zip(train, found.mean, strict=True)]
    )
    np.testing.assert_allclose(found.sd, raw, rtol=1e-12)
    assert found.usable.all() and found.converged.all() and not found.unpaired.any()


@BOTH
@pytest.mark.parametrize("centred", [True, False])
@pytest.mark.parametrize("shape", [(30, 8), (12, 40)])
def test_without_missing_values_it_is_the_gram_view(rng, projection, centred, shape):
    n, p = shape
    X, Y = rng.normal(size=shape) + 1, rng.normal(size=(2, n))
    X[:, 1] = X[:, 0]
    X[:, 2] = 0.0
    train, test = folds(n)
    found = pairwise_moments(X, Y, train, test, centred, Pairwise(projection, least=0.5))
    with jax.enable_x64(True):
        design, conditioning = DenseDesign.build(X, dtype=np.float64, centred=False)
        stored, width = design.shape[0] - n, design.shape[1]
        train, test, Y = (np.pad(a, ((0, 0), (0, stored))) for a in (train, test, Y))
        moments = column_moments(design, train, centred)
        view = gram_view(design, Groups(train, test, test.sum(1)), Y, moments, centred)
        view = {f.name: np.asarray(getattr(view, f.name)) for f in dataclasses.fields(view)}
    scale = conditioning.scale
    square = scale[:, None] * scale
    close = {"rtol": 1e-12, "atol": 1e-12}
    assert np.array_equal(found.usable, moments.usable[:, :p]) and np.array_equal(found.usable[0], np.arange(p) != 2)
    np.testing.assert_allclose(found.mean, moments.mean[:, :p] * scale, **close)
    np.testing.assert_allclose(found.sd, moments.sd[:, :p] * scale, **close)
    np.testing.assert_allclose(found.gram, view["grams"][:, :p, :p] * square, **close)
    np.testing.assert_allclose(found.test_gram, view["grams"][:, :p, width : width + p] * square, **close)
    for name in ("cross", "test_cross"):
        np.testing.assert_allclose(getattr(found, name).reshape(-1, p), view[name][:, :p] * scale, **close)
    for name in ("moment", "test_moment"):
        np.testing.assert_allclose(getattr(found, name).ravel(), view[name], **close)
    assert np.array_equal(found.null_moment, found.moment) and not found.distance.any()


def test_nothing_leaks_between_groups(rng):
    n, p = 30, 12
    X, Y = holes(rng, rng.normal(size=(n, p))), rng.normal(size=(2, n))
    train, test = folds(n)
    found = pairwise_moments(X, Y, train, test, True, Pairwise("max-norm"))
    held_out = test[1] > 0
    other, other_y = X.copy(), Y.copy()
    other[held_out] = holes(rng, 1e6 * rng.normal(size=(held_out.sum(), p)), 0.6)
    other_y[:, held_out] = 1e9
    again = pairwise_moments(other, other_y, train, test, True, Pairwise("max-norm"))
    alone = pairwise_moments(X, Y, train[[1]], test[[1]], True, Pairwise("max-norm"))
    for name in ("mean", "sd", "usable", "gram", "unpaired"):
        assert np.array_equal(getattr(found, name)[1], getattr(again, name)[1]), name
        assert np.array_equal(getattr(found, name)[1], getattr(alone, name)[0]), name
        assert name in ("usable", "unpaired") or not np.array_equal(getattr(found, name)[0], getattr(again, name)[0])
    for name in ("cross", "moment", "null_moment"):
        assert np.array_equal(getattr(found, name)[:, 1], getattr(again, name)[:, 1]), name
    assert np.array_equal(found.test_gram[1], alone.test_gram[0])
    assert not np.array_equal(found.test_gram[1], again.test_gram[1])


def test_integer_weights_are_repeated_rows(rng):
    n, p = 20, 6
    X, Y, times = holes(rng, rng.normal(size=(n, p))), rng.normal(size=(1, n)), rng.integers(0, 4, n)
    weighted = pairwise_moments(X, Y, (times / times.sum())[None], np.zeros((1, n)), True, Pairwise())
    rows = np.repeat(np.arange(n), times)
    even = np.full((1, len(rows)), 1 / len(rows))
    repeated = pairwise_moments(X[rows], Y[:, rows], even, 0 * even, True, Pairwise())
    for name in ("mean", "sd", "gram", "cross", "moment", "null_moment"):
        np.testing.assert_allclose(getattr(weighted, name), getattr(repeated, name), rtol=1e-9, atol=1e-12)


@BOTH
def test_units_change_nothing_else(rng, projection):
    n, p = 25, 30
    X, Y = holes(rng, rng.normal(size=(n, p))), rng.normal(size=(1, n))
    train, test = folds(n, 2)
    scale = np.ldexp(1.0, rng.integers(-499, 499, p))  # some 1e-150 to 1e150
    plain, scaled = (pairwise_moments(A, Y, train, test, True, Pairwise(projection)) for A in (X, X * scale))
    assert np.array_equal(plain.mean * scale, scaled.mean) and np.array_equal(plain.sd * scale, scaled.sd)
    for name in ("gram", "test_gram"):
        expected = getattr(plain, name) * scale[:, None] * scale
        assert np.array_equal(expected, getattr(scaled, name), equal_nan=True), name
    assert np.array_equal(plain.cross * scale, scaled.cross) and np.array_equal(plain.null_moment, scaled.null_moment)


def test_offsets_change_nothing_else(rng):
    n, p = 25, 6
    X, Y = holes(rng, np.round(rng.normal(size=(n, p)) * 2**15) / 2**15), rng.normal(size=(1, n))
    train, test = folds(n, 2)
    plain, shifted = (pairwise_moments(A, Y, train, test, True, Pairwise()) for A in (X, X + 2.0**30))  # exact
    for name in ("gram", "test_gram", "cross", "test_cross", "sd"):
        np.testing.assert_allclose(getattr(shifted, name), getattr(plain, name), rtol=0, atol=1e-11)


@BOTH
def test_null_moment_keeps_the_quadratic_at_least_zero(rng, projection):
    n, p = 25, 40
    X, Y = holes(rng, rng.normal(size=(n, p))), rng.normal(size=(3, n))
    train, test = folds(n)
    found = pairwise_moments(X, Y, train, test, True, Pairwise(projection))
    assert (found.null_moment > found.moment).all()  # with more columns than rows; or this test shows nothing
    for g, k in itertools.product(range(len(train)), range(3)):
        S, c, m = found.gram[g], found.cross[k, g], found.null_moment[k, g]
        best = np.linalg.solve(S, c)
        value = lambda b: (b @ S @ b - 2 * c @ b + m) / m  # noqa: B023
        assert abs(value(best)) < 1e-8  # none smaller will do
        assert all(value(best + rng.normal(size=p) * 10.0**e) >= 0 for e in range(-3, 3))
    tall = pairwise_moments(
        holes(rng, rng.normal(size=(400, 5))), rng.normal(size=(1, 400)), *folds(400), True, Pairwise()
    )
    assert np.array_equal(tall.null_moment, tall.moment)


def test_degenerate_columns_rows_and_responses(rng):
    n = 12
    X, Y = holes(rng, rng.normal(size=(n, 8)), 0.1), rng.normal(size=(3, n))
    train, test = folds(n, 2)
    X[:, 0] = np.nan  # never observed
    X[:, 1] = np.where(test[1] > 0, X[:, 1], np.nan)  # not on the training rows of fold 1
    X[:, 2] = np.choose(np.arange(n) % 3, [np.nan, 0.1, np.nextafter(0.1, 1)])  # constant up to rounding where observed
    X[:, 3] = np.where(np.arange(n) < 6, rng.normal(size=n), np.nan)
    X[:, 4] = np.where(np.arange(n) >= 6, rng.normal(size=n), np.nan)  # never together with 3
    X[:, 5] = np.where(np.arange(n) == 0, 7.0, np.nan)  # once
    Y[1] = 0.1
    Y[2] = np.where(train[1] > 0, 5.0, rng.normal(size=n))  # constant on the training rows of fold 1
    for projection in PROJECT:
        found = pairwise_moments(X, Y, train, test, True, Pairwise(projection))
        assert found.usable.tolist()[0] == [False, True, False, True, True, False, True, True]
        assert found.usable.tolist()[1] == [False, False, False, True, True, False, True, True]
        assert found.unpaired.tolist()[0] == 1
        assert np.isnan(found.grams[0, :, 8:]).all() and np.isfinite(found.grams[1:]).all()
        assert (
            not found.mean[:, 0].any() and not found.gram[:, [0, 2, 5]].any() and not found.gram[:, :, [0, 2, 5]].any()
        )
        assert not found.cross[1].any() and not found.moment[1].any() and not found.null_moment[1].any()
        assert not found.moment[2, 1] and not found.cross[2, 1].any() and found.moment[2, 2] > 0
        assert found.test_moment[2, 1] > 1  # about the training mean
        for g in range(3):
            keep = found.usable[g]
            S = found.gram[g][np.ix_(keep, keep)] / found.sd[g, keep] / found.sd[g, keep, None]
            assert np.linalg.eigvalsh(S)[0] >= 1e-4 - 1e-12
    plain = pairwise_moments(X, Y, train, test, False, Pairwise())
    assert plain.usable[0].tolist() == [False, *[True] * 7] and not plain.mean.any()


@pytest.mark.parametrize("n", [1, 2])
def test_one_or_two_rows(n):
    X, Y = np.array([[1.0, np.nan, 0.0], [2.0, 3.0, np.nan]])[:n], np.array([[1.0, 2.0]])[:, :n]
    found = pairwise_moments(X, Y, np.full((1, n), 1 / n), np.zeros((1, n)), True, Pairwise())
    assert found.usable[0].tolist() == [n == 2, False, False]
    np.testing.assert_allclose(found.cross[0, 0], [0.25 * (n == 2), 0, 0])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (Pairwise("cocolasso"), r"projection='cocolasso' of Pairwise must be 'clip' \(eigenvalues\) or 'max-norm'"),
        (Pairwise(["clip"]), r"projection=\['clip'\] of Pairwise"),
        *((Pairwise(least=least), "of Pairwise must be in") for least in (0, -1, 0.6, np.nan, "small", None, True)),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(InvalidInput, match=message):
        options.check()
    Pairwise("max-norm", least=np.float64(0.5)).check()


def test_too_many_columns_are_refused_before_anything_is_allocated(monkeypatch):
    wide = np.lib.stride_tricks.as_strided(np.zeros(1), (2, 5000), (0, 0))
    weights = np.full((1, 2), 0.5)
    with pytest.raises(InvalidInput, match=r"5000 columns, .* fill the missing values instead"):
        pairwise_moments(wide, np.zeros((1, 2)), weights, 0 * weights, True, Pairwise())
    with pytest.raises(InvalidInput, match=r"for each of 40 groups of rows, 10.2 GB; it takes"):
        pairwise_moments(
            wide[:, :4000], np.zeros((1, 2)), np.tile(weights, (40, 1)), np.zeros((40, 2)), True, Pairwise()
        )
    monkeypatch.setattr(pairwise, "MOST_BYTES", 16 * 5 * 5)
    pairwise_moments(wide[:, :5], np.zeros((1, 2)), weights, 0 * weights, True, Pairwise())


# What a fit finds


def descend(S, c, l1, l2=0.0, sweeps=500):
    """argmin of b'Sb/2 - c'b + l1 |b|_1 + l2/2 |b|^2 by coordinate descent."""
    b, gradient = np.zeros(len(c)), c.copy()
    for _ in range(sweeps):
        before = b.copy()
        for j in np.flatnonzero(np.diag(S) > 0):
            u = gradient[j] + S[j, j] * b[j]
            new = np.sign(u) * max(abs(u) - l1, 0) / (S[j, j] + l2)
            gradient, b[j] = gradient - S[:, j] * (new - b[j]), new
        if np.abs(b - before).max() < 1e-8:
            break
    return b


@BOTH
def test_fit_recovers_the_truth_where_complete_cases_are_too_few(projection):
    """Known truth, 30% missing at random: the alpha is chosen by the held-out quadratic of pairwise deletion."""
    n, p, truth = 120, 12, np.r_[2.0, -1.5, 1.0, np.zeros(9)]
    errors, few, hits, false = [], [], 0, 0
    for seed in range(6):
        rng = np.random.default_rng(seed)
        full = rng.normal(size=(n, p)) @ np.linalg.cholesky(0.3 ** abs(np.subtract.outer(range(p), range(p)))).T
        Y, X = (full @ truth + 0.5 * rng.normal(size=n))[None], holes(rng, full)
        train, test = folds(n)
        found = pairwise_moments(X, Y, train, test, True, Pairwise(projection))
        alphas = 2 * np.geomspace(1, 0.02, 12)
        held_out = np.zeros(len(alphas))
        for i, g in itertools.product(range(len(alphas)), range(1, 4)):
            b = descend(found.gram[g], found.cross[0, g], alphas[i])
            held_out[i] += b @ found.test_gram[g] @ b - 2 * found.test_cross[0, g] @ b
        best = alphas[np.argmin(held_out)]
        b = descend(found.gram[0], found.cross[0, 0], best)
        complete = ~np.isnan(X).any(axis=1)
        A, a = full[complete] - full[complete].mean(0), Y[0, complete] - Y[0, complete].mean()
        m = complete.sum()
        assert m < 8
        grid = [descend(A.T @ A / m, A.T @ a / m, alpha) for alpha in alphas]
        few.append(min(np.sum((x - truth) ** 2) for x in grid))  # its best alpha, in hindsight
        errors.append(np.sum((b - truth) ** 2))
        hits += np.count_nonzero(b[:3])
        false += np.count_nonzero(abs(b[3:]) > 0.3)
    assert hits == 18 and false <= 2
    assert np.mean(errors) < 0.7 and np.mean(errors) < 0.3 * np.mean(few), (errors, few)


# What a sweep reports


def drawn(n, how, share, seed, p=12, noise=0.3):
    """X without holes, X with holes ("mcar": at random; "blocks": quarters of the columns go together), and y."""
    rng = np.random.default_rng(seed)
    full = rng.normal(size=(n, p)) + 0.7 * rng.normal(size=(n, 1))
    y = full[:, :3] @ [2.0, -1.5, 1.0] + noise * rng.normal(size=n)
    lost = rng.random((n, p)) < share
    if how == "blocks":
        lost = (rng.random((n, 4)) < share)[:, np.arange(p) % 4]
    return full, np.where(lost, np.nan, full), y


SMALL = {"rho": [0.5, 1.0], "alphas": 12, "alpha_min_ratio": 1e-3, "cv": 5}


@pytest.mark.filterwarnings("ignore::jaxnet.ConvergenceWarning")  # a fit that went astray has an error all the same
@BOTH
@pytest.mark.parametrize("how", ["mcar", "blocks"])
@pytest.mark.parametrize("n", [20, 40, 80, 200])
@pytest.mark.parametrize("share", [0.1, 0.4])
def test_held_out_errors_are_at_least_zero_and_those_of_nothing_are_plain(projection, how, n, share):
    """Mean squared errors, whatever is missing; a fit without coefficients has that of the training mean."""
    _, X, y = drawn(n, how, share, n)
    result = jaxnet.sweep(X, y, missing=Pairwise(projection), tol=1e-3, max_iter=200, **SMALL)
    assert (result.errors >= 0).all() and np.isfinite(result.errors).all()
    rows = np.array_split(np.arange(n), 5)
    means = [np.mean((y[test] - np.delete(y, test).mean()) ** 2) for test in rows]
    empty = jaxnet.sweep(X, y, missing=Pairwise(projection), rho=[0.5, 1.0], alphas=[1e3], cv=5)
    np.testing.assert_allclose(empty.errors[0, 0], means, rtol=1e-12)


def test_no_coefficients_have_a_negative_error(rng):
    """Not only fits: the quadratic is at least zero everywhere, for every response."""
    X, Y = holes(rng, rng.normal(size=(40, 12)), 0.4), rng.normal(size=(3, 40))
    train, test = folds(40, 5)
    found = pairwise_moments(X, Y, train, test, True, Pairwise())
    alone = pairwise_moments(X, Y[1:2], train, test, True, Pairwise())
    np.testing.assert_allclose(alone.test_cross[0, 1:], found.test_cross[1, 1:], rtol=1e-12, atol=1e-14)
    for g, k in itertools.product(range(1, 6), range(3)):
        c, m = found.test_cross[k, g], found.test_moment[k, g]
        whole = np.block([[found.test_gram[g], c[:, None]], [c, m]])
        assert np.linalg.eigvalsh(whole)[0] >= -1e-12 * np.trace(whole)


def test_held_out_errors_of_many_rows_are_those_of_complete_rows():
    """Nothing need be replaced then: the error of the same coefficients on rows without a hole, to sampling error."""
    n = 30_000
    full, X, y = drawn(n, "mcar", 0.2, 1, p=6, noise=2.0)
    given = {"rho": [0.5, 1.0], "alphas": [1.0, 0.3, 0.03], "cv": 5, "keep_fold_coefs": True}
    result = jaxnet.sweep(X, y, missing="pairwise", **given)
    for f, test in enumerate(np.array_split(np.arange(n), 5)):
        Z, r = full[test] - np.nanmean(np.delete(X, test, axis=0), axis=0), y[test] - np.delete(y, test).mean()
        for i, k in np.ndindex(2, 3):
            complete = np.mean((r - Z @ result.fold_coefs.row((3 * i + k) * 5 + f)) ** 2)
            assert result.errors[i, k, f] == pytest.approx(complete, rel=0.06)
    np.testing.assert_allclose(result.error_mean, jaxnet.sweep(full, y, **given).error_mean, rtol=0.03)


@BOTH
@pytest.mark.parametrize("shape", [(60, 8), (12, 15)])
def test_nothing_missing_equals_plain(projection, shape):
    """To the last bit: it is the plain problem. (A group without a hole, among others, has the plain moments: above.)"""
    rng = np.random.default_rng(4)
    X, y = rng.normal(size=shape), rng.normal(size=shape[0])
    result, plain = (jaxnet.sweep(X, y, missing=m, **SMALL, keep_fold_coefs=True) for m in (Pairwise(projection), None))
    for name in ("errors", "intercepts", "fold_intercepts"):
        assert np.array_equal(getattr(result, name), getattr(plain, name)), name
    for name in ("coefs", "fold_coefs"):
        assert np.array_equal(getattr(result, name).values, getattr(plain, name).values), name
