"""`path`: one alpha path with scikit-learn's arguments and returns."""

from typing import Any

import numpy as np

from jaxnet.data.arrays import as_matrix, as_response, as_weights
from jaxnet.errors import InvalidInput
from jaxnet.estimators.parameters import MAX_ITER, check_alphas, check_l1_ratio, check_real

WITHOUT_EFFECT = {"X_offset", "X_scale", "do_screening", "random_state", "selection"}


def enet_path(
    X: Any,
    y: Any,
    *,
    l1_ratio: float = 0.5,
    eps: float = 1e-3,
    n_alphas: int | str = "deprecated",
    alphas: Any = "warn",
    precompute: Any = "auto",
    Xy: Any = None,
    copy_X: bool = True,
    coef_init: Any = None,
    verbose: bool | int = False,
    return_n_iter: bool = False,
    positive: bool = False,
    check_input: bool = True,
    tol: float = 1e-4,
    max_iter: int = 1000,
    sample_weight: Any = None,
    **without_effect: Any,
) -> tuple:
    """Elastic-net coefficients along a decreasing sequence of alphas, without intercept.

    1/(2 n) ||y - X b||^2 + alpha (l1_ratio ||b||_1 + (1 - l1_ratio)/2 ||b||^2): centre X and y yourself, as with
    scikit-learn's function. `alphas` is a count (from the smallest all-zero alpha down to `eps` times that) or values.
    `precompute`, `Xy`, `copy_X`, `coef_init`, `check_input`, `random_state`, `selection`, `do_screening`, `X_offset`
    and `X_scale` steer scikit-learn's implementation and have no effect; `y` is one response, since scikit-learn's
    multi-task penalty is another problem.

    Returns `alphas` (A,), `coefs` (p, A) [(1, p, A) for y of shape (n, 1)], `dual_gaps` (A,) in units of the
    objective, and with `return_n_iter` a list of A iteration counts.
    Raises `InvalidInput` for bad data or parameters.

    >>> import numpy as np
    >>> X, y = np.array([[1.0, -1.0], [-1.0, -1.0], [0.0, 2.0]]), np.array([1.0, -2.0, 1.0])
    >>> alphas, coefs, gaps = enet_path(X, y, l1_ratio=1.0, alphas=[0.5, 0.1])
    >>> alphas, coefs.shape
    (array([0.5, 0.1]), (2, 2))
    """
    from jaxnet.sweeps import fit_path

    unknown = sorted(set(without_effect) - WITHOUT_EFFECT)
    if unknown:
        raise InvalidInput(f"path got unknown arguments {unknown}.")
    X, _ = as_matrix(X)
    y = as_response(y, len(X))
    if y.ndim == 2 and y.shape[1] > 1:
        raise InvalidInput(
            f"y has {y.shape[1]} columns but path fits one response; pass them one by one, or all to jaxnet.fit_path."
        )
    grid = check_alphas(alphas, n_alphas)
    ratio = (
        None
        if isinstance(grid, np.ndarray)
        else check_real("eps", eps, "a number in (0, 1]", low=0, high=1, above=True)
    )
    weights = as_weights(sample_weight, len(X))
    result = fit_path(
        X,
        y.reshape(len(y)),
        rho=[check_l1_ratio(l1_ratio)],
        alphas=grid,
        alpha_min_ratio=ratio,
        sample_weight=weights,
        fit_intercept=False,
        lower=0.0 if positive else None,
        tol=tol,
        max_iter=MAX_ITER if max_iter is None else max_iter,
        progress=True if verbose else None,
    )
    used = np.asarray(result.alphas[0])
    coefs = np.stack([result.coef_at(0, k) for k in range(len(used))], axis=-1).astype(X.dtype, copy=False)
    gaps = absolute_gap(np.asarray(result.gap[0, :, 0]), y.reshape(len(y)), weights, fit_intercept=False)
    found = used, coefs[None] if y.ndim == 2 else coefs, gaps
    return (*found, iterations(result.iterations[0, :, 0])) if return_n_iter else found


def lasso_path(X: Any, y: Any, **arguments: Any) -> tuple:
    """Lasso coefficients along a decreasing sequence of alphas: `enet_path` with `l1_ratio=1`, same returns."""
    return enet_path(X, y, **{**arguments, "l1_ratio": 1.0})


def absolute_gap(relative: Any, y: np.ndarray, weights: np.ndarray | None, fit_intercept: bool) -> np.ndarray:
    """A relative gap in units of the objective: times 1/2 the weighted mean of y^2, centred if there is an intercept.

    Infinite only where that product is beyond what numbers hold.
    """
    centred = y - np.average(y, axis=0, weights=weights) if fit_intercept else y
    unit = np.max(np.abs(centred), axis=0)
    scaled = centred / np.where(unit > 0, unit, 1.0)
    with np.errstate(over="ignore"):
        return relative * (0.5 * np.average(scaled**2, axis=0, weights=weights)) * unit * unit


def iterations(counts: np.ndarray) -> list[int]:
    """Iteration counts as scikit-learn reports them: at least 1, though an all-zero start may need none."""
    return [max(1, int(count)) for count in counts]
