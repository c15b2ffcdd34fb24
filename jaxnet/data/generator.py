"""Made-up data with known answers, shaped like genomics: correlated modules of columns, few of which matter."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import DTypeLike

from jaxnet.errors import InvalidInput
from jaxnet.scalars import is_whole


@dataclass(frozen=True)
class Genomics:
    """What `make_genomics` drew.

    X: (n, p), row-major, in the dtype asked for.
    y: (n,) float64, exactly `X @ coef + noise_sd * standard normal noise`; its expectation is 0.
    coef: (p,) float64, the true coefficients.
    module: (p,) integers, the module each column belongs to.
    noise_sd: standard deviation of the noise; the signal `x'coef` has population variance `snr * noise_sd**2`.
    """

    X: np.ndarray
    y: np.ndarray
    coef: np.ndarray
    module: np.ndarray
    noise_sd: float


def make_genomics(
    n: int,
    p: int,
    *,
    module_size: int = 25,
    correlation: float = 0.5,
    n_true: int = 40,
    snr: float = 2.0,
    seed: int = 0,
    dtype: DTypeLike = np.float64,
) -> Genomics:
    """Draw n rows of p columns in correlated modules, and a response that depends on `n_true` of them.

        x_j = sqrt(c) f_m(j) + sqrt(1 - c) e_j,   y = x'b + noise,   Var(x'b) / Var(noise) = snr

    f and e are independent standard normal and c is `correlation`, so every column has mean 0 and variance 1, columns
    of one module (`module_size` neighbours; the last module may be smaller) correlate c, others 0. The n_true nonzero
    coefficients sit at places drawn without replacement, with size uniform in [0.5, 1.5] and a random sign. `snr` is
    exact for the population (not for the sample): `Var(x'b) = (1-c) sum_j b_j^2 + c sum_m (sum_{j in m} b_j)^2`.
    With n_true = 0 the response is noise of standard deviation 1.

    X takes n*p*itemsize bytes and drawing it little more. One seed and dtype always give the same data.

    Raises `InvalidInput` for n, p or module_size < 1, correlation outside [0, 1], n_true outside [0, p], snr <= 0, a
    negative seed, counts that are no integers, or a dtype other than float32 and float64.

    >>> data = make_genomics(50, 200, n_true=5)
    >>> data.X.shape, int((data.coef != 0).sum())
    ((50, 200), 5)
    """
    _check(n, p, module_size, correlation, n_true, snr, seed)
    dtype = _float_type(dtype)
    rng = np.random.default_rng(seed)
    module = np.arange(p) // module_size
    coef = np.zeros(p)
    coef[rng.choice(p, size=n_true, replace=False)] = rng.uniform(0.5, 1.5, n_true) * rng.choice([-1.0, 1.0], n_true)

    per_module = np.bincount(module, weights=coef)
    variance = (1 - correlation) * (coef**2).sum() + correlation * (per_module**2).sum()
    noise_sd = float(np.sqrt(variance / snr)) if n_true else 1.0

    X = np.empty((n, p), dtype=dtype)
    own, shared = np.sqrt([1 - correlation, correlation], dtype=dtype)
    for row in X:  # one row at a time, so that nothing of X's size stands beside X
        rng.standard_normal(dtype=dtype, out=row)
        row *= own
        row += (shared * rng.standard_normal(len(per_module), dtype=dtype))[module]

    support = np.flatnonzero(coef)
    y = X[:, support].astype(np.float64) @ coef[support] + noise_sd * rng.standard_normal(n)
    return Genomics(X, y, coef, module, noise_sd)


def _check(n: int, p: int, module_size: int, correlation: float, n_true: int, snr: float, seed: int) -> None:
    counts = (("n", n, 1), ("p", p, 1), ("module_size", module_size, 1), ("n_true", n_true, 0), ("seed", seed, 0))
    for name, value, least in counts:
        if not is_whole(value) or value < least:
            raise InvalidInput(f"{name}={value!r} must be a whole number of at least {least}.")
    if not 0 <= correlation <= 1:
        raise InvalidInput(f"correlation={correlation} must lie between 0 and 1.")
    if n_true > p:
        raise InvalidInput(f"n_true={n_true} must lie between 0 and p={p}: it counts the columns that matter.")
    if not snr > 0:
        raise InvalidInput(f"snr={snr} must be positive; for a response of pure noise set n_true=0.")


def _float_type(dtype: DTypeLike) -> np.dtype:
    try:
        found = np.dtype(dtype)
    except TypeError:
        found = None
    if found not in (np.float32, np.float64):
        raise InvalidInput(f"dtype={dtype!r} must be float32 or float64.")
    return found
