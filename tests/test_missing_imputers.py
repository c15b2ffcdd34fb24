"""Model-based fills: what they compute, that draws have the right spread, and that rows of weight zero are not looked at."""

import dataclasses
import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.experimental import enable_iterative_imputer  # noqa: F401
from sklearn.impute import IterativeImputer, KNNImputer
from sklearn.linear_model import ElasticNet, Ridge

import jaxnet
from jaxnet import InvalidInput, IterativeFill, MultipleFill, NeighbourFill
from jaxnet.missing.chains import Holes, run
from jaxnet.missing.regressions import GramRidge, KernelRidge
from jaxnet.missing.units import Units

FILLS = [
    NeighbourFill(3),
    NeighbourFill(2, weights="distance"),
    IterativeFill(alpha=0.05, rounds=4),
    IterativeFill(alpha=0.05, rho=0.5, rounds=2),
    MultipleFill(m=3, alpha=0.05, rounds=2),
    MultipleFill(m=5, draws="posterior", rounds=2, seed=4),
]
NAMES = ["neighbours", "near", "ridge", "elastic", "noise", "posterior"]


def factors(n: int, p: int, share: float = 0.2, seed: int = 0, noise: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Rows of a model with three factors, complete and with holes at random."""
    rng = np.random.default_rng(seed)
    X = rng.normal(size=(n, 3)) @ rng.normal(size=(3, p)) + noise * rng.normal(size=(n, p)) + rng.normal(size=p)
    return X, np.where(rng.random((n, p)) < share, np.nan, X)


def chained(X: np.ndarray, weights: np.ndarray, fit, rounds: int) -> np.ndarray:
    """Chained regressions written out: `fit(T, z, w)` gives a function that predicts z from the columns T."""
    missing, w = np.isnan(X), weights / weights.sum()
    mean = np.array([np.average(x[~m], weights=w[~m]) for x, m in zip(X.T, missing.T, strict=True)])
    square = [np.average((x[~m] - c) ** 2, weights=w[~m]) for x, m, c in zip(X.T, missing.T, mean, strict=True)]
    Z = np.where(missing, 0.0, (X - mean) / np.sqrt(square))
    for _ in range(rounds):
        for j in np.argsort(weights @ missing, kind="stable"):
            seen, T = ~missing[:, j], np.delete(Z, j, axis=1)
            if not seen.all():
                Z[~seen, j] = fit(T[seen], Z[seen, j], w[seen])(T[~seen])
    return mean + np.sqrt(square) * Z


def naive_ridge(alpha: float):
    return lambda T, z, w: Ridge(alpha).fit(T, z, sample_weight=w).predict


@pytest.mark.parametrize("weights", ["uniform", "distance"])
@pytest.mark.parametrize("k", [1, 4, 100])
def test_neighbours_equal_scikit_learn(weights, k):
    _, holes = factors(60, 7, share=0.4)
    _, new = factors(25, 7, share=0.5, seed=1)
    holes[3], new[2] = np.nan, np.nan  # rows without a distance
    peer = KNNImputer(n_neighbors=k, weights=weights).fit(holes)
    filler = NeighbourFill(k, weights).fit(holes, np.ones(60))
    for rows in (holes, new):
        np.testing.assert_allclose(filler.fill(rows), peer.transform(rows), rtol=0, atol=1e-10)


def test_a_neighbour_at_distance_zero_takes_all():
    X, holes = factors(60, 7)
    holes[5], holes[4] = X[4] + 1e6, np.where(np.arange(7) < 3, np.nan, X[4] + 1e6)
    np.testing.assert_array_equal(NeighbourFill(weights="distance").fit(holes, np.ones(60)).fill(holes)[4], X[4] + 1e6)


def test_neighbours_count_once_and_by_weight():
    X = np.array([[0.0, 1.0], [0.1, 5.0], [0.2, 100.0], [0.05, np.nan]])
    filled = NeighbourFill(2).fit(X, np.array([3.0, 1.0, 1.0, 1.0])).fill(X)
    assert filled[3, 1] == pytest.approx((3 * 1.0 + 5.0) / 4, rel=1e-14)
    tied = np.array([[1.0, 7.0], [1.0, 9.0], [0.0, np.nan]])
    assert NeighbourFill(1).fit(tied, np.ones(3)).fill(tied)[2, 1] == 7.0


@pytest.mark.parametrize("shape", [(30, 12), (12, 30), (20, 20), (15, 1), (14, 2)])
def test_ridge_rounds_equal_chained_regressions(shape):
    _, X = factors(*shape, share=0.3)
    X[0] = np.where(np.isnan(X[0]), 0.5, X[0])
    weights = np.random.default_rng(2).uniform(0.2, 3.0, len(X))
    units = Units.of(X, weights)
    holes = Holes.of(X, weights, units)
    expected = chained(X, weights, naive_ridge(0.05), 4) if shape[1] > 1 else np.where(np.isnan(X), units.mean, X)
    for form in (KernelRidge, GramRidge):
        state = form(holes.Z[None].copy(), holes.weights, 0.05)
        run(state, holes, lambda j, U, s=state: s.regress(j, U, s.Z[:, :, j]).fitted, 4)
        np.testing.assert_allclose(units.filled(X, state.Z[0]), expected, rtol=0, atol=1e-11)
        state.refresh()
    assert len(holes.order)


def test_forms_agree_on_figures_of_a_regression():
    _, X = factors(25, 10)
    units = Units.of(X, np.ones(25))
    holes = Holes.of(X, np.arange(1.0, 26.0), units)
    j, U = next(holes.visits())
    seen, w = np.setdiff1d(np.arange(25), U), holes.weights
    T = np.insert(np.delete(holes.Z, j, axis=1), 0, 1.0, axis=1)[seen]
    P = 0.05 * np.diag(np.arange(10) > 0)
    hat = T @ np.linalg.solve((T.T * w[seen]) @ T + P, T.T * w[seen])
    r = holes.Z[seen, j] - hat @ holes.Z[seen, j]
    for form in (KernelRidge, GramRidge):
        found = form(holes.Z[None].copy(), w, 0.05).regress(j, U, holes.Z[None, :, j], traced=True)
        assert found.free[0] == pytest.approx(len(seen) - np.trace(hat), rel=1e-10)
        assert found.rss[0] == pytest.approx(w[seen] @ r**2, rel=1e-10)
        assert found.energy[0] == pytest.approx(w[seen] @ (r * holes.Z[seen, j]), rel=1e-10)  # y'W(y - Hy)


@pytest.mark.parametrize("shape", [(60, 8), (24, 30)])
def test_ridge_converges_to_scikit_learn(shape):
    _, X = factors(*shape)
    alpha, n = 0.5, len(X)
    units = Units.of(X, np.ones(n))
    peer = IterativeImputer(Ridge(alpha * n), max_iter=60, tol=0.0, imputation_order="ascending")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        expected = peer.fit_transform((X - units.mean) / units.sd)
    filler = IterativeFill(alpha=alpha, rounds=500, tol=1e-11).fit(X, np.ones(n))
    assert filler.taken < 500
    np.testing.assert_allclose((filler.fill(X) - units.mean) / units.sd, expected, rtol=0, atol=1e-7)


def test_elastic_net_rounds_equal_scikit_learn():
    _, X = factors(24, 10)

    def fit(T, z, w):
        return ElasticNet(alpha=0.1 / w.sum(), l1_ratio=0.5, tol=1e-13, max_iter=100_000).fit(T, z).predict

    filler = IterativeFill(alpha=0.1, rho=0.5, rounds=15, tol=0.0).fit(X, np.ones(24))
    assert 0 < np.mean(filler.coefs == 0) - 0.1 < 0.9  # beside its own column
    np.testing.assert_allclose(filler.fill(X), chained(X, np.ones(24), fit, 15), rtol=0, atol=1e-4)


@pytest.mark.parametrize("shape", [(150, 20), (60, 150)])
def test_chained_ridge_beats_the_mean(shape):
    X, holes = factors(*shape)
    new_X, new = factors(*shape, seed=0)  # the same factors
    error = lambda filled: np.sqrt(np.mean((filled - X)[np.isnan(holes)] ** 2))
    mean = error(np.where(np.isnan(holes), np.nanmean(holes, axis=0), holes))
    assert error(IterativeFill().fit(holes, np.ones(len(X))).fill(holes)) < 0.5 * mean
    assert error(NeighbourFill().fit(holes, np.ones(len(X))).fill(holes)) < 0.8 * mean
    half = np.arange(len(X)) % 2.0  # and on rows that were not seen
    held = IterativeFill().fit(new, half).fill(new)
    out = (half == 0)[:, None] & np.isnan(new)
    assert np.sqrt(np.mean((held - new_X)[out] ** 2)) < 0.7 * mean


@pytest.mark.parametrize(
    "fill, shape",
    [
        pytest.param(fill, shape, id=f"{name}-{shape}")
        for fill, name in zip(FILLS, NAMES, strict=True)
        for shape in ((20, 6), (12, 20))
        if shape == (20, 6) or not getattr(fill, "rho", 0)  # the elastic net compiles a program per shape
    ],
)
def test_rows_of_weight_zero_are_not_looked_at(fill, shape):
    _, X = factors(*shape)
    weights = np.where(np.arange(len(X)) % 3 == 1, 0.0, 1.0 + np.arange(len(X)) % 2)
    other = X.copy()
    rng, out = np.random.default_rng(5), weights == 0
    other[out] = np.where(rng.random(X[out].shape) < 0.5, np.nan, 1e6 * rng.normal(size=X[out].shape))
    one, two = fill.fit(X, weights), fill.fit(other, weights)
    for field in dataclasses.fields(one):
        np.testing.assert_array_equal(getattr(one, field.name), getattr(two, field.name))
    keep = weights > 0
    np.testing.assert_array_equal(one.fill(X)[keep], two.fill(other)[keep])
    short = fill.fit(X[keep], weights[keep])
    np.testing.assert_array_equal(one.fill(X), short.fill(X))
    if hasattr(one, "training"):
        np.testing.assert_array_equal(one.training(X)[:, keep], two.training(other)[:, keep])


@pytest.mark.parametrize("fill", FILLS, ids=NAMES)
def test_filled_rows_are_rows_by_themselves(fill):
    _, X = factors(20, 6)
    before = X.copy()
    filler = fill.fit(X, np.ones(20))
    whole = filler.fill(X)
    np.testing.assert_array_equal(X, before)
    np.testing.assert_array_equal(whole[~np.isnan(X)], X[~np.isnan(X)])
    assert np.isfinite(whole).all()
    for i in (0, 7):
        np.testing.assert_allclose(filler.fill(X[i : i + 1])[0], whole[i], rtol=1e-10)
    scaled = fill.fit(X, np.full(20, 0.3)).fill(X)
    np.testing.assert_allclose(scaled, whole, rtol=1e-9)


@pytest.mark.parametrize("fill", [f for f in FILLS if not isinstance(f, MultipleFill)], ids=NAMES[:4])
def test_integer_weights_are_repeated_rows(fill):
    if isinstance(fill, NeighbourFill):
        fill = NeighbourFill(100, fill.weights)  # where all count, it does not matter how often
    _, X = factors(20, 6)
    weights = np.arange(20) % 3
    repeated = np.repeat(X, weights, axis=0)
    filled = fill.fit(repeated, np.ones(len(repeated))).fill(X)
    np.testing.assert_allclose(fill.fit(X, weights.astype(float)).fill(X), filled, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("fill", FILLS, ids=NAMES)
def test_degenerate_columns(fill):
    _, X = factors(16, 6)
    weights = np.where(np.arange(16) < 10, 1.0, 0.0)
    X[:10, 0] = np.nan  # seen only in other rows
    X[:, 1] = 0.1
    X[3, 1] = np.nan
    X[:9, 2], X[9, 2] = np.nan, 4.0  # one value
    filler = fill.fit(X, weights)
    filled = filler.fill(X)
    assert (filled[:, 0] == 0).all() and np.isfinite(filled).all()
    np.testing.assert_allclose(filled[3, 1], 0.1, rtol=1e-14)
    np.testing.assert_allclose(filled[:9, 2], 4.0, rtol=1e-14)
    if hasattr(filler, "training"):
        assert (filler.training(X)[:, :, 0] == 0).all() and np.isfinite(filler.training(X)).all()


@pytest.mark.parametrize("fill", FILLS, ids=NAMES)
@pytest.mark.parametrize("shape", [(1, 4), (6, 1), (3, 8)])
def test_few_rows_or_columns(fill, shape):
    _, X = factors(*shape, share=0.6)
    assert np.isfinite(fill.fit(X, np.ones(len(X))).fill(X)).all()
    assert np.isfinite(fill.fit(np.full(shape, np.nan), np.ones(len(X))).fill(X)).all()
    assert (fill.fit(X, np.zeros(len(X))).fill(X) == 0).all()


@pytest.mark.parametrize("fill", FILLS[2:], ids=NAMES[2:])
@pytest.mark.parametrize("size", [1e150, 1e-150])
def test_units_of_columns_do_not_matter(fill, size):
    _, X = factors(20, 6)
    units = np.array([1.0, size, 1.0, 1 / size, 1.0, size])
    filled = fill.fit(X * units, np.ones(20)).fill(X * units)
    np.testing.assert_allclose(filled / units, fill.fit(X, np.ones(20)).fill(X), rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("size", [1e200, 1e-200])
def test_neighbours_at_extreme_scales(size):
    _, X = factors(20, 6)
    filled = NeighbourFill(3, "distance").fit(size * X, np.ones(20)).fill(size * X)
    np.testing.assert_allclose(filled / size, NeighbourFill(3, "distance").fit(X, np.ones(20)).fill(X), rtol=1e-10)


@pytest.mark.parametrize("draws", ["noise", "posterior"])
def test_draws_have_the_right_mean_and_variance(draws):
    """y = 2 + 0.6 x + 0.8 e, and columns of noise: given x the missing y are normal with those figures."""
    rng = np.random.default_rng(0)
    X = rng.normal(size=(800, 3))
    X[:, 1] = 2 + 0.6 * X[:, 0] + 0.8 * X[:, 1]
    X[::4, 1] = np.nan
    filler = MultipleFill(m=40, draws=draws, alpha=1e-4, rounds=1).fit(X, np.ones(800))
    drawn = filler.training(X)[:, ::4, 1]
    away = drawn - 2 - 0.6 * X[::4, 0]
    assert abs(away.mean()) < 0.1 and abs(away.std() - 0.8) < 0.05
    assert abs(np.polyfit(X[::4, 0], drawn.mean(axis=0), 1)[0] - 0.6) < 0.1
    # Where rows with weight say as much as repeated ones, the noise of a cell is the same.
    weighted = MultipleFill(m=40, draws=draws, alpha=1e-4, rounds=1).fit(X, np.where(np.arange(800) % 8 == 0, 9.0, 1.0))
    away = weighted.training(X)[:, ::8, 1] - 2 - 0.6 * X[::8, 0]
    assert abs(away.std() - 0.8) < 0.08


@pytest.mark.parametrize("shape", [(16, 5), (16, 30)])
def test_posterior_draws_follow_the_posterior(shape):
    """One column with missing values: Student's predictive distribution, written out."""
    X, _ = factors(*shape, seed=3)
    X[:4, 1] = np.nan
    n, alpha, m = len(X), 0.2, 4000
    noise, posterior = (
        MultipleFill(m=m, draws=d, alpha=alpha, rounds=1).fit(X, np.ones(n)).training(X)[:, :4, 1]
        for d in ("noise", "posterior")
    )
    units = Units.of(X, np.ones(n))
    T = np.insert(np.delete(units.scaled(X), 1, axis=1), 0, 1.0, axis=1)
    y = units.scaled(X)[4:, 1]
    A = T[4:].T @ T[4:] + n * alpha * np.diag(np.arange(shape[1]) > 0)
    b = np.linalg.solve(A, T[4:].T @ y)
    energy = y @ y - y @ T[4:] @ b
    df = len(y) - 1
    spread = energy / df * (1 + np.einsum("ij,jk,ik->i", T[:4], np.linalg.inv(A), T[:4])) * df / (df - 2)
    z = (posterior - units.mean[1]) / units.sd[1]
    np.testing.assert_allclose(z.mean(axis=0), T[:4] @ b, atol=5 * np.sqrt(spread.max() / m))
    np.testing.assert_allclose(z.var(axis=0), spread, rtol=0.15)
    assert (posterior.var(axis=0) > noise.var(axis=0)).all()


@pytest.mark.parametrize("draws", ["noise", "posterior"])
def test_chains_differ_and_come_again(draws):
    _, X = factors(30, 6)
    fill = MultipleFill(m=6, draws=draws, rounds=2)
    one, again = fill.fit(X, np.ones(30)).training(X), fill.fit(X, np.ones(30)).training(X)
    np.testing.assert_array_equal(one, again)
    assert len({chain.tobytes() for chain in one}) == 6
    np.testing.assert_allclose(dataclasses.replace(fill, m=2).fit(X, np.ones(30)).training(X), one[:2], rtol=1e-9)
    assert not np.array_equal(dataclasses.replace(fill, seed=1).fit(X, np.ones(30)).training(X), one)


def test_other_rows_get_the_mean_of_a_chain():
    _, X = factors(30, 6)
    weights = np.where(np.arange(30) < 20, 1.0, 0.0)
    filler = MultipleFill(m=3).fit(X, weights)
    np.testing.assert_allclose(filler.training(X)[:, 20:].mean(axis=0), filler.fill(X)[20:], rtol=1e-12)
    assert np.abs(filler.training(X)[:, :20].mean(axis=0) - filler.fill(X)[:20]).max() > 0.01
    for rows in (X[:25], np.nan_to_num(X)):
        with pytest.raises(InvalidInput, match="For other rows"):
            filler.training(rows)


@pytest.mark.parametrize(
    ("fill", "word"),
    [
        (NeighbourFill(0), "k=0"),
        (NeighbourFill(2.0), "k=2.0"),
        (NeighbourFill(weights="near"), "weights='near'"),
        (IterativeFill(alpha=0), "alpha=0"),
        (IterativeFill(alpha=np.nan), "alpha=nan"),
        (IterativeFill(rho=1.5), "rho=1.5"),
        (IterativeFill(rounds=0), "rounds=0"),
        (IterativeFill(tol=-1.0), "tol=-1"),
        (MultipleFill(m=True), "m=True"),
        (MultipleFill(draws="some"), "draws='some'"),
        (MultipleFill(pool=None), "pool=None"),
        (MultipleFill(seed=-1), "seed=-1"),
    ],
)
def test_options_out_of_range(fill, word):
    with pytest.raises(InvalidInput, match=f"{word}.* of {type(fill).__name__}"):
        fill.fit(np.ones((2, 2)), np.ones(2))


@pytest.mark.parametrize("fill", FILLS, ids=NAMES)
def test_saved_fillers_fill_alike(fill, tmp_path):
    _, X = factors(20, 6)
    filler = fill.fit(X, np.ones(20))
    jaxnet.save({"fill": fill, "filler": filler}, tmp_path / "fill.jaxnet")
    back = jaxnet.load(tmp_path / "fill.jaxnet")
    assert back["fill"] == fill
    np.testing.assert_array_equal(back["filler"].fill(X), filler.fill(X))
