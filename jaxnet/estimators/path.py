"""`enet_path` and `lasso_path`: one alpha path with scikit-learn's arguments and returns."""

from typing import Any

import numpy as np

from jaxnet.data.arrays import as_matrix, as_response, as_weights
from jaxnet.errors import InvalidInput
from jaxnet.estimators.parameters import MAX_ITER, check_alphas, check_flag, check_l1_ratio, check_real

OF_THE_SOLVER = {"tol": 1e-4, "max_iter": 1000, "sample_weight": None}
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
    **params: Any,
) -> tuple:
    """Elastic-net coefficients along a decreasing sequence of alphas, without intercept; scikit-learn's function.

    Minimises 1/(2 n) ||y - X b||^2 + alpha (l1_ratio ||b||_1 + (1 - l1_ratio)/2 ||b||^2): centre X and y yourself.

    Parameters
        X (n, p); y (n,), or (n, q): scikit-learn's penalty of several responses couples them, which is another problem and
            is refused, but at `l1_ratio=0`, where each is fitted on its own.
        l1_ratio: from 0 (ridge) to 1 (lasso); default 0.5.
        alphas: a count, from the smallest all-zero alpha down to `eps` (default 1e-3) times that, or values >= 0; default 100.
            At `l1_ratio=0`, which has no such alpha, a count starts where that of 1e-3 would. `n_alphas`: the count under its
            name before scikit-learn 1.9.
        positive: coefficients must not be negative; default False. Needs alphas above 0.
        verbose: above 0 shows progress. return_n_iter: also return counts of passes.
        params: what scikit-learn hands to its solver. tol, max_iter: as in `jaxnet.ElasticNet`; default 1e-4 and 1000.
            sample_weight: (n,), in the fit; default None.
        precompute, Xy, copy_X, coef_init, check_input, random_state, selection, do_screening, X_offset, X_scale:
            scikit-learn's; accepted, without effect.

    Returns `alphas` (A,), decreasing; `coefs` (p, A), or (q, p, A) for y of two axes, in the dtype of X; `dual_gaps` (A,) in
    units of the objective (summed over responses); with `return_n_iter` a list of A counts. Raises `InvalidInput` for bad
    data or parameters; warns `ConvergenceWarning` if a gap stays above `tol`.

    Reference: Friedman, Hastie and Tibshirani 2010, "Regularization paths for generalized linear models via coordinate descent".

    >>> import numpy as np
    >>> from jaxnet import enet_path
    >>> X, y = np.array([[1.0, -1.0], [-1.0, -1.0], [0.0, 2.0]]), np.array([1.0, -2.0, 1.0])
    >>> alphas, coefs, gaps = enet_path(X, y, l1_ratio=1.0, alphas=[0.5, 0.1])
    >>> alphas, coefs.shape
    (array([0.5, 0.1]), (2, 2))
    """
    from jaxnet.sweeps import fit_path

    solver = _solver(params)
    X, _ = as_matrix(X)
    y = as_response(y, len(X))
    l1_ratio, grid = check_l1_ratio(l1_ratio), check_alphas(alphas, n_alphas)
    counted = not isinstance(grid, np.ndarray)
    _check_responses(y, l1_ratio, counted)
    weights = as_weights(solver["sample_weight"], len(X))
    result = fit_path(
        X,
        y.reshape(len(y), -1),
        rho=[l1_ratio],
        alphas=grid,
        alpha_min_ratio=check_real("eps", eps, "a number in (0, 1]", low=0, high=1, above=True) if counted else None,
        sample_weight=weights,
        fit_intercept=False,
        lower=0.0 if check_flag("positive", positive) else None,
        tol=solver["tol"],
        max_iter=MAX_ITER if solver["max_iter"] is None else solver["max_iter"],
        progress=True if verbose else None,
    )
    q, _, A = result.alphas.shape
    coefs = np.stack([[result.coef_at(0, k, j) for k in range(A)] for j in range(q)]).swapaxes(1, 2)
    coefs = narrow(coefs, X.dtype)
    relative = result.gap[:, 0, :, 0].T
    gaps = absolute_gap(relative, y.reshape(len(y), -1), weights, fit_intercept=False).sum(axis=1)
    found = result.alphas[0, 0], coefs if y.ndim == 2 else coefs[0], gaps
    return (*found, iterations(result.iterations[:, 0, :, 0].max(axis=0))) if return_n_iter else found


def lasso_path(
    X: Any,
    y: Any,
    *,
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
    **params: Any,
) -> tuple:
    """Lasso coefficients along a decreasing sequence of alphas: `enet_path` with `l1_ratio=1`, same returns.

    >>> import numpy as np
    >>> from jaxnet import lasso_path
    >>> X, y = np.array([[1, 2, 3.1], [2.3, 5.4, 4.3]]).T, np.array([1, 2, 3.1])
    >>> lasso_path(X, y, alphas=[5.0, 1.0, 0.5], tol=1e-9)[1].round(3)
    array([[0.   , 0.   , 0.469],
           [0.216, 0.443, 0.237]])
    """
    own = {"eps": eps, "n_alphas": n_alphas, "alphas": alphas, "verbose": verbose, "return_n_iter": return_n_iter}
    given = {"precompute": precompute, "Xy": Xy, "copy_X": copy_X, "coef_init": coef_init}
    return enet_path(X, y, l1_ratio=1.0, positive=positive, **own, **given, **_solver(params))


def _solver(params: dict[str, Any]) -> dict[str, Any]:
    """The arguments that scikit-learn hands to its solver, as far as they have an effect."""
    unknown = sorted(set(params) - set(OF_THE_SOLVER) - WITHOUT_EFFECT)
    if unknown:
        known = ", ".join(sorted({*OF_THE_SOLVER, *WITHOUT_EFFECT}))
        raise InvalidInput(f"Unexpected parameters in params: {', '.join(unknown)}; the solver takes {known}.")
    return {name: params.get(name, default) for name, default in OF_THE_SOLVER.items()}


def _check_responses(y: np.ndarray, l1_ratio: float, counted: bool) -> None:
    if y.ndim == 1 or y.shape[1] == 1:
        return
    if l1_ratio > 0:
        raise InvalidInput(
            f"y has {y.shape[1]} columns, whose coefficients scikit-learn penalises together (the multi-task elastic net); this "
            "fits one response: pass the columns one by one, or all to jaxnet.fit_path, which fits each on its own."
        )
    if counted:
        raise InvalidInput(f"y has {y.shape[1]} columns, which share no grid at l1_ratio=0: give the values of alphas.")


def absolute_gap(relative: Any, y: np.ndarray, weights: np.ndarray | None, fit_intercept: bool) -> np.ndarray:
    """A relative gap in units of the objective: times 1/2 the weighted mean of y^2, centred if there is an intercept.

    Infinite only where that product is beyond what numbers hold.
    """
    centred = y - np.average(y, axis=0, weights=weights) if fit_intercept else y
    unit = np.max(np.abs(centred), axis=0)
    scaled = centred / np.where(unit > 0, unit, 1.0)
    with np.errstate(over="ignore"):
        return relative * (0.5 * np.average(scaled**2, axis=0, weights=weights)) * unit * unit


def narrow(values: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """Values in the dtype of X if it can hold the largest of them; in float64, as they were computed, if not."""
    largest = np.max(np.abs(values), initial=0.0, where=np.isfinite(values))
    holds = largest == 0 or np.finfo(dtype).tiny <= largest <= np.finfo(dtype).max
    return np.asarray(values).astype(dtype if holds else np.float64, copy=False)


def iterations(counts: np.ndarray) -> list[int]:
    """Iteration counts as scikit-learn reports them: at least 1, though an all-zero start may need none."""
    return [max(1, int(count)) for count in counts]
