"""ElasticNetCV and LassoCV: the penalty chosen by cross-validation, all folds and alphas in one sweep."""

import sys
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from jaxnet.data.arrays import as_response, as_weights
from jaxnet.errors import InvalidInput, OneWarning, warn_caller
from jaxnet.estimators.linear import LinearModel
from jaxnet.estimators.parameters import check_alphas, check_l1_ratio, check_real, solver_settings
from jaxnet.estimators.path import enet_path, lasso_path, narrow
from jaxnet.estimators.protocol import UNCHANGED, DataConversionWarning, sklearn_class
from jaxnet.estimators.single import keep_fit, set_fit


class _CrossValidated(LinearModel):
    """An estimator that chooses by folds, which can keep groups of rows together."""

    def set_fit_request(
        self, *, sample_weight: bool | str | None = UNCHANGED, groups: bool | str | None = UNCHANGED
    ) -> Self:
        """Ask scikit-learn's metadata routing to pass `sample_weight`, and `groups`, to `fit`.

        True: pass it; False: do not; None: raise if it is given; a string: pass what has that name. Has an effect in
        scikit-learn's meta-estimators only, and only with `sklearn.set_config(enable_metadata_routing=True)`. A splitter `cv`
        that takes groups asks for them itself.
        """
        return self._request("fit", sample_weight)._request("fit groups", groups)


class ElasticNetCV(_CrossValidated):
    """Elastic net with alpha and l1_ratio chosen by cross-validation; scikit-learn's class by changing the import.

    The objective is that of `ElasticNet`. Every fit of the grid on every fold is one lane of one `jaxnet.sweep`. The
    chosen pair has the smallest mean held-out squared error: weighted within a fold by `sample_weight`, unweighted over
    folds, as in scikit-learn; the first l1_ratio and the largest alpha win ties. The final fit is that of `ElasticNet`
    with the chosen pair, again as in scikit-learn.

    Parameters
        l1_ratio: one share in [0, 1] or a list of them; default 0.5. 0 is ridge, of which no alpha is the first with all zeros:
            a count of alphas starts there where that of 1e-3 would (scikit-learn refuses a count).
        eps: smallest over largest alpha of a generated grid; default 1e-3.
        alphas: a count (each l1_ratio gets its own grid) or values; default 100. None means 100.
        n_alphas: the count under its name before scikit-learn 1.9; default None.
        cv: None for 5 contiguous folds, a count (of folds of whole groups, where `fit` is given groups), an object with `split`,
            an array of n fold numbers, or an iterable of (train, test) indices.
        fit_intercept, max_iter, tol, positive: as in `ElasticNet`; what was chosen is fitted as far as rounding lets it.
        verbose: above 0 shows progress; default 0.
        adaptive: `jaxnet.Adaptive()` for adaptive weights; default None. Not of scikit-learn, as the next.
        relax: blends in [0, 1] of each fit with least squares on its support, (1.0, 0.5, 0.0) say, of which one is chosen
            together with alpha and l1_ratio; default None. `jaxnet.sweep` defines both.
        missing, categories: as in `ElasticNet`; every fold fills by its own training rows. Default None.
        precompute, copy_X, n_jobs, random_state, selection: scikit-learn's; accepted, without effect.

    Fitted attributes (R l1_ratios, A alphas, F folds)
        alpha_, l1_ratio_, coef_ (p,), intercept_, mse_path_ (R, A, F) with axes of length 1 dropped,
        alphas_ (A,) in decreasing order [(R, A) for a count and several l1_ratios], dual_gap_ in units of the
        objective, n_iter_, sparse_coef_, n_features_in_, feature_names_in_ if X is a frame with string names, preparation_
        as in `ElasticNet`. With `relax`
        also blend_, and mse_path_ is (R, B, A, F) for B blends; dual_gap_ is that of the penalised fit. With `adaptive` or
        `relax` the final fit is the sweep's own.

    >>> import numpy as np
    >>> from jaxnet import ElasticNetCV
    >>> X = np.random.default_rng(0).normal(size=(40, 3))
    >>> model = ElasticNetCV(l1_ratio=[0.5, 0.9, 1.0], alphas=20, cv=5).fit(X, X[:, 0])
    >>> model.mse_path_.shape, model.alphas_.shape, float(model.l1_ratio_)
    ((3, 20, 5), (3, 20), 1.0)
    """

    path = staticmethod(enet_path)

    def __init__(
        self,
        *,
        l1_ratio=0.5,
        eps=1e-3,
        alphas=100,
        fit_intercept=True,
        precompute="auto",
        max_iter=1000,
        tol=1e-4,
        cv=None,
        copy_X=True,
        verbose=0,
        n_jobs=None,
        positive=False,
        random_state=None,
        selection="cyclic",
        n_alphas=None,
        adaptive=None,
        relax=None,
        missing=None,
        categories=None,
    ):
        self.l1_ratio = l1_ratio
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.tol = tol
        self.cv = cv
        self.copy_X = copy_X
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.positive = positive
        self.random_state = random_state
        self.selection = selection
        self.n_alphas = n_alphas
        self.adaptive = adaptive
        self.relax = relax
        self.missing = missing
        self.categories = categories

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self:
        """Fit to X (n, p), y (n,), sample_weight (n,), `groups` (n,).

        groups: labels of rows that folds keep together, as in `jaxnet.sweep`, but not the name of a column, which `predict`
        would miss. Other arguments go to the `split` of a splitter `cv`.

        Returns the estimator. Raises `InvalidInput` for bad data or parameters; warns `ConvergenceWarning` if a gap
        stays above `tol`.
        """
        ratios = [check_l1_ratio(ratio) for ratio in np.atleast_1d(np.asarray(self.l1_ratio, dtype=object))]
        if not ratios:
            raise InvalidInput("l1_ratio is empty: pass a number between 0 (ridge) and 1 (lasso), or several.")
        with OneWarning():
            self.l1_ratio_ = _fit_grid(self, ratios, X, y, sample_weight, params)
        return self


class LassoCV(_CrossValidated):
    """Lasso with alpha chosen by cross-validation: `ElasticNetCV` with `l1_ratio=1`.

    Parameters and fitted attributes are those of `ElasticNetCV`, without `l1_ratio` and `l1_ratio_`.

    >>> import numpy as np
    >>> from jaxnet import LassoCV
    >>> X = np.random.default_rng(0).normal(size=(40, 3))
    >>> model = LassoCV(alphas=20, cv=5).fit(X, X[:, 0])
    >>> model.mse_path_.shape, model.alphas_.shape
    ((20, 5), (20,))
    """

    path = staticmethod(lasso_path)

    def __init__(
        self,
        *,
        eps=1e-3,
        alphas=100,
        fit_intercept=True,
        precompute="auto",
        max_iter=1000,
        tol=1e-4,
        copy_X=True,
        cv=None,
        verbose=False,
        n_jobs=None,
        positive=False,
        random_state=None,
        selection="cyclic",
        n_alphas=None,
        adaptive=None,
        relax=None,
        missing=None,
        categories=None,
    ):
        self.eps = eps
        self.alphas = alphas
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.tol = tol
        self.copy_X = copy_X
        self.cv = cv
        self.verbose = verbose
        self.n_jobs = n_jobs
        self.positive = positive
        self.random_state = random_state
        self.selection = selection
        self.n_alphas = n_alphas
        self.adaptive = adaptive
        self.relax = relax
        self.missing = missing
        self.categories = categories

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **params: Any) -> Self:
        """Fit to X (n, p), y (n,), sample_weight (n,), `groups` (n,); see `ElasticNetCV.fit`."""
        with OneWarning():
            _fit_grid(self, [1.0], X, y, sample_weight, params)
        return self


def _fit_grid(
    model: Any, ratios: list[float], X: Any, y: Any, sample_weight: Any, params: dict[str, Any]
) -> np.float64:
    """Sweep, choose, and set the fitted attributes; returns the chosen l1_ratio."""
    from jaxnet.sweeps import sweep  # here, so that unpickling and predicting need no JAX

    settings = solver_settings(model)
    grid = check_alphas(model.alphas, model.n_alphas)
    eps = check_real("eps", model.eps, "a number above 0 and below 1", low=0, high=1, above=True)
    features = model._given(X)
    X = features.matrix
    y = _one_response(model, as_response(y, len(X)))
    weights = as_weights(sample_weight, len(X))
    blends = 1 if model.relax is None else np.size(model.relax)
    cv, groups = _folds(model, X, weights, params)
    result = sweep(
        features,
        y,
        rho=ratios,
        alphas=grid,
        cv=cv,
        groups=groups,
        alpha_min_ratio=None if isinstance(grid, np.ndarray) else eps,
        sample_weight=weights,
        progress=True if model.verbose else None,
        adaptive=model.adaptive,
        relax=model.relax,
        missing=model.missing,
        categories=model.categories,
        **settings,
    )
    errors, alphas = np.asarray(result.errors), np.asarray(result.alphas)
    i, k = result.best("min").index
    if model.adaptive is None and model.relax is None:
        set_fit(model, features, y, weights, (alphas[i, k], result.rho[i]), settings, closely=True)
    else:
        keep_fit(model, X.dtype, y, weights, result, (i, k))
    model._remember_columns(features, result.preparation)
    model.mse_path_ = narrow(np.squeeze(errors.reshape(len(ratios), blends, *errors.shape[1:])), X.dtype)
    model.alphas_ = alphas[::blends] if len(ratios) > 1 and not isinstance(grid, np.ndarray) else alphas[0]
    model.alpha_ = alphas[i, k]
    _set_blend(model, result.blend, i)
    return np.float64(result.rho[i])


def _set_blend(model: Any, blend: np.ndarray | None, i: int) -> None:
    if blend is not None:
        model.blend_ = np.float64(blend[i])
    elif "blend_" in vars(model):  # of an earlier fit
        del model.blend_


def _one_response(model: Any, y: np.ndarray) -> np.ndarray:
    if y.ndim == 1:
        return y
    if y.shape[1] > 1:
        raise InvalidInput(
            f"{type(model).__name__} chooses a penalty for one response, but y has {y.shape[1]} columns: fit one "
            "estimator per column, or pass all of y to jaxnet.sweep, which chooses for each."
        )
    warn_caller(
        "A column-vector y was passed when a 1d array was expected. Please change the shape of y to (n_samples, ), for "
        "example using ravel().",
        sklearn_class(DataConversionWarning),
    )
    return y.ravel()


def _folds(model: Any, X: np.ndarray, weights: Any, params: dict[str, Any]) -> tuple[Any, Any]:
    """What `sweep` takes as cv and as groups."""
    cv = 5 if model.cv is None else model.cv
    if len(X) < 2:
        raise InvalidInput(f"{type(model).__name__} needs at least two rows to hold some out, got n_samples=1.")
    if callable(getattr(cv, "split", None)) and not isinstance(cv, str):
        params = _routed(model, cv, weights, params)
        more = {name: value for name, value in params.items() if name != "groups"}
        cv = _Asked(cv, more) if more else cv
    elif params.keys() - {"groups"}:
        named = sorted(params.keys() - {"groups"})
        raise InvalidInput(f"fit got {named}, which only a splitter object can use, but cv is {model.cv!r:.100}.")
    groups = params.get("groups")
    if isinstance(groups, str):
        raise InvalidInput(
            f"groups={groups!r:.60} is a text: give {type(model).__name__} one label per row, groups=X[{groups!r:.60}], "
            "and leave that column out of X, so that predict needs none."
        )
    return cv, groups


def _routed(model: Any, splitter: Any, weights: Any, params: dict[str, Any]) -> dict[str, Any]:
    """What of `params` scikit-learn's metadata routing, where that is on, lets through to the splitter, under its names."""
    on = "sklearn" in sys.modules and sys.modules["sklearn"].get_config().get("enable_metadata_routing")
    if not params or not on or not hasattr(splitter, "get_metadata_routing"):
        return params
    from sklearn.utils.metadata_routing import process_routing

    try:
        return dict(process_routing(model, "fit", sample_weight=weights, **params).splitter.split)
    except TypeError as error:
        raise InvalidInput(f"fit got {sorted(params)}, and cv={splitter!r:.100} did not ask for it: {error}") from error


@dataclass(frozen=True)
class _Asked:
    """A splitter that is given further arguments of its own."""

    splitter: Any
    more: dict[str, Any]

    def split(self, X: Any, y: Any, **groups: Any) -> Any:
        return self.splitter.split(X, y, **self.more, **groups)

    def __repr__(self) -> str:
        return repr(self.splitter)
