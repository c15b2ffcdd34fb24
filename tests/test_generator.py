"""`make_genomics` keeps what it documents: module correlations, sparsity, signal-to-noise, seeds."""

import numpy as np
import pytest

from jaxnet.data.generator import make_genomics
from jaxnet.errors import InvalidInput


def test_generator_columns_are_standard_normal_and_correlate_within_modules_only():
    data = make_genomics(20_000, 30, module_size=10, correlation=0.6, n_true=5, seed=1)
    expected = np.where(data.module[:, None] == data.module, 0.6, 0.0)
    np.fill_diagonal(expected, 1.0)
    np.testing.assert_allclose(np.cov(data.X.T), expected, atol=6 / np.sqrt(20_000))
    np.testing.assert_allclose(data.X.mean(0), 0, atol=6 / np.sqrt(20_000))


@pytest.mark.parametrize("correlation", [0.0, 0.5, 1.0])
@pytest.mark.parametrize("snr", [0.25, 8.0])
def test_generator_signal_to_noise_is_exact_for_the_population(correlation, snr):
    data = make_genomics(50, 200, correlation=correlation, snr=snr, n_true=60, seed=3)
    covariance = np.where(data.module[:, None] == data.module, correlation, 0.0)
    np.fill_diagonal(covariance, 1.0)
    np.testing.assert_allclose(data.coef @ covariance @ data.coef / data.noise_sd**2, snr, rtol=1e-12)


def test_generator_signal_to_noise_shows_in_a_large_sample():
    data = make_genomics(50_000, 40, n_true=10, snr=3.0, seed=5)
    signal = data.X @ data.coef
    np.testing.assert_allclose(signal.var() / (data.y - signal).var(), 3.0, rtol=0.05)


def test_generator_coefficients_are_sparse_with_sizes_as_documented():
    data = make_genomics(10, 500, n_true=70, seed=7)
    sizes = np.abs(data.coef[data.coef != 0])
    assert len(sizes) == 70 and sizes.min() >= 0.5 and sizes.max() <= 1.5
    assert {-1.0, 1.0} == set(np.sign(data.coef[data.coef != 0]))


def test_generator_modules_are_neighbours_and_the_last_may_be_smaller():
    data = make_genomics(3, 27, module_size=10, n_true=0)
    assert np.bincount(data.module).tolist() == [10, 10, 7]
    assert np.all(np.diff(data.module) >= 0)


def test_generator_without_signal_is_noise_of_unit_variance():
    data = make_genomics(20_000, 2, n_true=0, seed=11)
    assert not data.coef.any() and data.noise_sd == 1.0
    np.testing.assert_allclose(data.y.var(), 1.0, rtol=0.06)


def test_generator_repeats_itself_by_seed_and_dtype():
    one, same, other = (make_genomics(20, 60, seed=s, dtype=np.float32) for s in (1, 1, 2))
    assert one.X.dtype == np.float32 and one.y.dtype == np.float64 and one.X.flags.c_contiguous
    np.testing.assert_array_equal(one.X, same.X)
    np.testing.assert_array_equal(one.y, same.y)
    assert not np.array_equal(one.X, other.X) and not np.array_equal(one.coef, other.coef)


@pytest.mark.parametrize(
    ("wrong", "pattern"),
    [
        ({"n": 0}, "n=0"),
        ({"n": 5.5}, "n=5.5"),
        ({"p": "ten"}, "p='ten'"),
        ({"n_true": 2.5}, "n_true=2.5"),
        ({"seed": -1}, "seed=-1"),
        ({"dtype": "quadruple"}, "dtype='quadruple'"),
        ({"p": 0}, "p=0"),
        ({"module_size": 0}, "module_size=0"),
        ({"correlation": 1.5}, "correlation=1.5"),
        ({"correlation": float("nan")}, "correlation=nan"),
        ({"n_true": 11}, "n_true=11"),
        ({"snr": 0}, "snr=0"),
        ({"dtype": np.int64}, "dtype=.*int64"),
    ],
)
def test_generator_refuses_wrong_arguments(wrong, pattern):
    with pytest.raises(InvalidInput, match=pattern):
        make_genomics(**{"n": 5, "p": 10, "n_true": 3, **wrong})
