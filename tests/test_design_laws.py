"""What a design answers is what its dense matrix says, group by group: whatever it is stored as, and however it is padded."""

from functools import cache

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxnet.design.dense import DenseDesign
from jaxnet.design.filled import FilledDesign
from jaxnet.design.varied import VariedDesign

N, P, G = 40, 22, 3
EPS = {"float32": 2.0**-23, "float64": 2.0**-50}


def table(share: float, whole: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """X (n, p) with holes, but for its `whole` first columns in reverse, and what each group sees (G, n, p)."""
    rng = np.random.default_rng([int(100 * share), whole])
    X = rng.normal(size=(N, P)) * np.geomspace(1e-3, 1e3, P) + rng.normal(size=P)
    X[:, 3] += 1e6  # an offset that is taken out
    X[:, 4] = 2.5  # constant where it is observed
    holes = rng.random(X.shape) < share
    holes[:, P - whole :] = False
    seen = np.where(holes, rng.normal(size=(G, N, P)) * np.abs(X).max(axis=0), X)
    return np.where(holes, np.nan, X), seen


def dense(dtype, centred):
    X, _ = table(0.0)
    return *DenseDesign.build(X, dtype=dtype, centred=centred), np.broadcast_to(X, (G, N, P))


def filled(share, whole=0):
    def build(dtype, centred):
        X, seen = table(share, whole)
        values = np.nan_to_num(seen[:, 0])
        return *FilledDesign.build(X, values, dtype=dtype, centred=centred), np.where(np.isnan(X), values[:, None], X)

    return build


def varied(share, whole=0):
    def build(dtype, centred):
        X, seen = table(share, whole)
        version = lambda g: seen[g][:, np.isnan(X).any(axis=0)]
        return *VariedDesign.build(X, version, G, dtype=dtype, centred=centred), seen

    return build


DESIGNS = {
    "dense": dense,
    "filled": filled(0.2, 9),
    "filled everywhere": filled(0.5),
    "filled nowhere": filled(0.0),
    "varied": varied(0.2, 9),
    "varied everywhere": varied(0.5),
    "varied nowhere": varied(0.0),
}


@cache
def stored(name: str, dtype: str, centred: bool = True):
    """The design, and by its own columns what is stored for each group (G, n', p'), padding included."""
    with jax.enable_x64(True):
        design, units, seen = DESIGNS[name](dtype, centred)
        index = np.arange(design.shape[1])
        matrices = np.stack([np.asarray(design.columns(index, np.asarray(g)), np.float64).T for g in range(G)])
    return design, units, seen, matrices


def near(found, expected, scale=None, eps=2.0**-46):
    """Equal up to rounding, relative to `scale`: what the sums are of in absolute values."""
    found = np.asarray(found)
    assert found.dtype == np.float64 and found.shape == expected.shape
    scale = np.abs(expected) if scale is None else scale
    wrong = np.abs(found - expected) > eps * scale + 1e-300
    assert not wrong.any(), (found[wrong][:3], expected[wrong][:3])


@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize("dtype", EPS)
def test_columns_are_the_data_as_each_group_sees_it(name, dtype):
    for centred in (True, False):
        design, (center, scale), seen, matrices = stored(name, dtype, centred)
        n, p = design.shape
        assert n >= N and p >= P and matrices.shape == (G, n, p)
        assert np.all(center == 0) or centred
        assert np.array_equal(np.log2(scale), np.round(np.log2(scale))), "scales are powers of two"
        off = np.abs(center + scale * matrices[:, :N, :P] - seen)
        assert np.all(off <= EPS[dtype] * np.abs(seen - center) + 2 * 2.0**-52 * np.abs(seen))
        assert not matrices[:, N:].any() and not matrices[:, :, P:].any(), "padding is zero"


@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize("dtype", EPS)
def test_products_are_those_of_the_dense_matrix(name, dtype, rng):
    design, _, _, matrices = stored(name, dtype)
    n, p = design.shape
    group = np.array([2, 0, 1, 2])
    A = matrices[group]
    B, R = rng.normal(size=(4, 3, p)), rng.normal(size=(4, 3, n))
    B[0, :, ::2] = 0.0
    with jax.enable_x64(True):
        fitted, back, squares = design.matmul(B, group), design.rmatmul(R, group), design.squares(R, group)
    near(fitted, B @ A.swapaxes(1, 2), np.abs(B) @ np.abs(A).swapaxes(1, 2))
    near(back, R @ A, np.abs(R) @ np.abs(A))
    near(squares, R @ A**2, np.abs(R) @ A**2)
    size = np.einsum("slp,slp->sl", np.abs(B), np.abs(R) @ np.abs(A))
    near(np.einsum("sln,sln->sl", fitted, R), np.einsum("slp,slp->sl", B, back), size)


@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize("dtype", EPS)
def test_sums_of_few_columns_are_those_of_the_dense_matrix(name, dtype, rng):
    """Slots beyond `used` are empty: whatever B has there, they count for nothing."""
    design, _, _, matrices = stored(name, dtype)
    n, p = design.shape
    group, width, used = np.array([1, 1, 2, 0]), 7, np.array([7, 4, 0, 5])
    index = np.stack([rng.permutation(P)[:width] for _ in group])
    index = np.where(np.arange(width) < used[:, None], index, p).astype(np.int32)
    B = rng.normal(size=(4, 3, width))
    B[0, 1] = 0.0
    with jax.enable_x64(True):
        found = design.combine(*map(jnp.asarray, (B, index, used, group)))
        batches = design.columns(index.reshape(2, 2, width), np.asarray(1))
    A = np.where(index[:, :, None] < p, matrices[group[:, None], :, np.minimum(index, p - 1)], 0.0)
    near(found, B @ A, np.abs(B) @ np.abs(A))
    A = np.where(index[:, :, None] < p, matrices[1].T[np.minimum(index, p - 1)], 0.0)
    assert np.array_equal(batches, A.reshape(2, 2, width, n)), "columns are the same one by one and at once"


@pytest.mark.parametrize("name", DESIGNS)
@pytest.mark.parametrize("dtype", EPS)
def test_moments_are_those_of_the_dense_matrix(name, dtype, rng):
    """Of some rows, a number of n standing for none, and over the columns."""
    design, _, _, matrices = stored(name, dtype)
    n, p = design.shape
    rows = np.r_[rng.permutation(N)[:14], n, n]
    at, others, weights = rng.random(16), rng.normal(size=(2, 16)), rng.random(p)
    for g in range(G):
        with jax.enable_x64(True):
            gram, cross = design.second_moments(rows, at, others, np.asarray(g))
            outer = design.outer(weights, np.asarray(g))
        A = matrices[g][rows[:14]]
        near(gram, A.T * at[:14] @ A, np.abs(A).T * at[:14] @ np.abs(A))
        near(cross, others[:, :14] * at[:14] @ A, np.abs(others[:, :14]) * at[:14] @ np.abs(A))
        A = matrices[g]
        near(outer, A * weights @ A.T, np.abs(A) * weights @ np.abs(A).T)
