"""ElasticNet and Lasso: one alpha, one l1_ratio, any number of responses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np

from jaxnet.data.arrays import as_response, as_weights
from jaxnet.estimators.linear import LinearModel
from jaxnet.estimators.parameters import check_l1_ratio, check_real, solver_settings
from jaxnet.estimators.path import absolute_gap, enet_path, iterations, narrow

if TYPE_CHECKING:
    from jaxnet.missing.preparation import Preparation
    from jaxnet.pipeline.features import Features


class ElasticNet(LinearModel):
    """Linear regression with L1 and L2 penalties; scikit-learn's class by changing the import.

    Minimises 1/(2 sum w) sum_i w_i (y_i - intercept - x_i'b)^2 + alpha (l1_ratio ||b||_1 + (1 - l1_ratio)/2 ||b||^2).
    Only ratios of the sample weights w matter. X is not standardised. Several responses are fitted one by one (not
    as scikit-learn's MultiTaskElasticNet does).

    Parameters
        alpha: strength, >= 0; default 1.
        l1_ratio: share of the L1 penalty, 0 (ridge) to 1 (lasso); default 0.5.
        fit_intercept: default True.
        tol: bound on the relative duality gap, above 0; default 1e-4. Relative to the objective of the null model, half
            the mean of the centred y^2, where scikit-learn takes the mean itself: twice as strict at the same value.
        max_iter: most passes of the solver; default 1000, None for 10,000. A fit that stops there warns.
        positive: coefficients must not be negative; default False. At alpha 0: non-negative least
                squares.
        missing: what to do about missing values of X: "mean", a fill with options, a `jaxnet.Missing`; default None, they
            are refused. Not of scikit-learn, as the next.
        categories: a `jaxnet.Categories` with options of columns of labels (text, truth values) and, for arrays of text,
            that they are meant; default None, frames have their labels encoded. `jaxnet.sweep` defines both.
        precompute, copy_X, warm_start, random_state, selection: scikit-learn's; accepted, without effect.

    Fitted attributes (q responses)
        coef_ (p,) or (q, p), intercept_ float or (q,), n_iter_ int or list, dual_gap_ float or (q,) in units of the
        objective, sparse_coef_, n_features_in_, feature_names_in_ if X is a frame with string names.
        coef_ has the dtype of X: float32 for float32 that can hold it, else float64. If columns were encoded or `missing`
        was given, `preparation_` (a `jaxnet.Preparation`) makes the p columns that coef_ is of, called `preparation_.names`.

    Reference: Zou and Hastie 2005, "Regularization and variable selection via the elastic net", JRSS B 67, 301-320.

    >>> from jaxnet import ElasticNet
    >>> model = ElasticNet(alpha=0.1, tol=1e-8).fit([[0, 0], [1, 1], [2, 2]], [0, 1, 2])
    >>> model.coef_.round(2), round(float(model.intercept_), 2)
    (array([0.45, 0.45]), 0.11)
    """

    _multi_output = True
    path = staticmethod(enet_path)

    def __init__(
        self,
        alpha=1.0,
        *,
        l1_ratio=0.5,
        fit_intercept=True,
        precompute=False,
        max_iter=1000,
        copy_X=True,
        tol=1e-4,
        warm_start=False,
        positive=False,
        random_state=None,
        selection="cyclic",
        missing=None,
        categories=None,
    ):
        self.alpha = alpha
        self.l1_ratio = l1_ratio
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.max_iter = max_iter
        self.copy_X = copy_X
        self.tol = tol
        self.warm_start = warm_start
        self.positive = positive
        self.random_state = random_state
        self.selection = selection
        self.missing = missing
        self.categories = categories

    def fit(self, X: Any, y: Any, sample_weight: Any = None, check_input: bool = True) -> Self:
        """Fit to X (n, p), y (n,) or (n, q), sample_weight (n,); `check_input` has no effect.

        Returns the estimator. Raises `InvalidInput` for bad data or parameters; warns `ConvergenceWarning` if the gap
        stays above `tol`.
        """
        return _fit_one(self, self.l1_ratio, X, y, sample_weight)


class Lasso(LinearModel):
    """Linear regression with an L1 penalty: `ElasticNet` with `l1_ratio=1`.

    Minimises 1/(2 sum w) sum_i w_i (y_i - intercept - x_i'b)^2 + alpha ||b||_1. Parameters and fitted attributes are
    those of `ElasticNet`, without `l1_ratio`.

    Reference: Tibshirani 1996, "Regression shrinkage and selection via the lasso", JRSS B 58, 267-288.

    >>> from jaxnet import Lasso
    >>> model = Lasso(alpha=0.1, tol=1e-8).fit([[0], [1], [2]], [0, 1, 2])
    >>> model.coef_.round(2), round(float(model.intercept_), 2)
    (array([0.85]), 0.15)
    """

    _multi_output = True
    path = staticmethod(enet_path)

    def __init__(
        self,
        alpha=1.0,
        *,
        fit_intercept=True,
        precompute=False,
        copy_X=True,
        max_iter=1000,
        tol=1e-4,
        warm_start=False,
        positive=False,
        random_state=None,
        selection="cyclic",
        missing=None,
        categories=None,
    ):
        self.alpha = alpha
        self.fit_intercept = fit_intercept
        self.precompute = precompute
        self.copy_X = copy_X
        self.max_iter = max_iter
        self.tol = tol
        self.warm_start = warm_start
        self.positive = positive
        self.random_state = random_state
        self.selection = selection
        self.missing = missing
        self.categories = categories

    def fit(self, X: Any, y: Any, sample_weight: Any = None, check_input: bool = True) -> Self:
        """Fit to X (n, p), y (n,) or (n, q), sample_weight (n,); see `ElasticNet.fit`."""
        return _fit_one(self, 1.0, X, y, sample_weight)


def _fit_one(model: Any, l1_ratio: Any, X: Any, y: Any, sample_weight: Any) -> Any:
    settings = solver_settings(model)
    alpha = check_real("alpha", model.alpha, "a number of at least 0", low=0)
    l1_ratio = check_l1_ratio(l1_ratio)
    features = model._given(X)
    y = as_response(y, len(features.matrix))
    weights = as_weights(sample_weight, len(y))
    preparation = set_fit(model, features, y, weights, (alpha, l1_ratio), settings)
    model._remember_columns(features, preparation)
    return model


def set_fit(
    model: Any,
    features: Features,
    y: np.ndarray,
    weights: Any,
    penalty: tuple[float, float],
    settings: dict[str, Any],
    closely: bool = False,
) -> Preparation | None:
    """Fit one penalty, alpha and l1_ratio, to checked data and set `coef_`, `intercept_`, `dual_gap_` and `n_iter_`.

    `closely`: as far as rounding lets it, not only to `tol`. Returns the preparation.
    """
    from jaxnet.sweeps import fit_closely, fit_path  # here, so that unpickling and predicting need no JAX

    alpha, l1_ratio = penalty
    how = {"missing": model.missing, "categories": model.categories, **settings}
    fit = fit_closely if closely else fit_path
    result = fit(features, y, rho=[l1_ratio], alphas=np.array([alpha]), sample_weight=weights, **how)
    keep_fit(model, features.matrix.dtype, y, weights, result, (0, 0))
    return result.preparation


def keep_fit(model: Any, dtype: np.dtype, y: np.ndarray, weights: Any, result: Any, index: tuple[int, int]) -> None:
    """Set the same from the full-data fit at `index` of a result."""
    i, k = index
    targets, (R, A) = y.reshape(len(y), -1), result.alphas.shape[-2:]
    q = targets.shape[1]
    here = lambda x: x.reshape(q, R, A, -1)[:, i, k, 0]
    fit_intercept = result.options.fit_intercept
    coef = np.stack([result.coefs.row((j * R + i) * A + k) for j in range(q)])
    gap = absolute_gap(here(result.gap), targets, weights, fit_intercept)
    coef, intercept, gap = (narrow(x, dtype) for x in (coef, here(result.intercepts), gap))
    counts = iterations(here(result.iterations))
    single = q == 1
    model.coef_ = coef[0] if single else coef
    model.dual_gap_ = gap[0] if single else gap
    model.n_iter_ = counts[0] if single else counts
    if fit_intercept:
        model.intercept_ = intercept[0] if y.ndim == 1 else intercept
    else:
        model.intercept_ = 0.0
