"""Predicting and scoring with fitted coefficients, shared by the four estimators."""

from typing import Any, Self

import numpy as np

from jaxnet.data.arrays import as_response, as_weights
from jaxnet.errors import InvalidInput, warn_caller
from jaxnet.estimators.columns import ColumnEstimator
from jaxnet.estimators.protocol import UNCHANGED
from jaxnet.selection.rows import linear


class LinearModel(ColumnEstimator):
    """A linear predictor: `predict` and `score`."""

    _fitted = "coef_"
    _routed = ("fit", "score")

    def predict(self, X: Any) -> np.ndarray:
        """X coef_ + intercept_, of shape (n,), or (n, q) for q responses; X as `preparation_` prepares it, if there is one.

        Raises `NotFittedError` before `fit`, and `InvalidInput` if the columns of X differ from those `fit` saw.
        """
        X = self._columns(X)
        return linear(X, self.coef_) + self.intercept_

    def score(self, X: Any, y: Any, sample_weight: Any = None) -> float:
        """R^2 = 1 - sum w (y - predict(X))^2 / sum w (y - ybar)^2, averaged over responses.

        A constant y scores 1 if it is predicted exactly, else 0; fewer than two rows score NaN.
        """
        predicted = self.predict(X)
        y = as_response(y, len(predicted)).reshape(len(predicted), -1)
        if y.size != predicted.size:
            raise InvalidInput(f"y has shape {y.shape}, but the predictions have shape {predicted.shape}.")
        weights = as_weights(sample_weight, len(y))
        if len(y) < 2:
            warn_caller("R^2 score is not well-defined with less than two samples.")
            return float("nan")
        residual, centred = y - predicted.reshape(y.shape), y - np.average(y, axis=0, weights=weights)
        unit = np.max(np.abs(np.concatenate([residual, centred])), axis=0)  # in which squares do not overflow
        unit = np.where((unit > 0) & np.isfinite(unit), unit, 1.0)
        missed, spread = (np.average((part / unit) ** 2, axis=0, weights=weights) for part in (residual, centred))
        with np.errstate(divide="ignore", invalid="ignore"):
            r2 = np.where(spread > 0, 1 - missed / spread, np.where(missed == 0, 1.0, 0.0))
        return float(r2.mean())

    def set_fit_request(self, *, sample_weight: bool | str | None = UNCHANGED) -> Self:
        """Ask scikit-learn's metadata routing to pass `sample_weight` to `fit`.

        True: pass it; False: do not; None: raise if it is given; a string: pass what has that name. Has an effect in
        scikit-learn's meta-estimators only, and only with `sklearn.set_config(enable_metadata_routing=True)`.
        """
        return self._request("fit", sample_weight)

    def set_score_request(self, *, sample_weight: bool | str | None = UNCHANGED) -> Self:
        """The same as `set_fit_request` for the `sample_weight` of `score`."""
        return self._request("score", sample_weight)

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import RegressorTags, Tags, TargetTags

        return Tags(
            estimator_type="regressor",
            target_tags=TargetTags(required=True, multi_output=self._multi_output),
            regressor_tags=RegressorTags(),
            input_tags=self._input_tags(),
        )

    @property
    def sparse_coef_(self) -> Any:
        """`coef_` as a SciPy CSR matrix of one row per response; needs SciPy."""
        from scipy.sparse import csr_matrix

        return csr_matrix(np.atleast_2d(self.coef_))
