"""Predicting and scoring with fitted coefficients, shared by the four estimators."""

import warnings
from typing import Any

import numpy as np

from jaxnet.data.arrays import as_matrix, as_response, as_weights, column_names
from jaxnet.errors import InvalidInput
from jaxnet.estimators.protocol import Estimator, NotFittedError, sklearn_class


class LinearModel(Estimator):
    """A linear predictor: `predict`, `score`, and what `fit` remembers about the columns of X."""

    def predict(self, X: Any) -> np.ndarray:
        """X coef_ + intercept_, of shape (n,), or (n, q) for q responses.

        Raises `NotFittedError` before `fit`, and `InvalidInput` if the columns of X differ from those `fit` saw.
        """
        if not self.__sklearn_is_fitted__():
            raise sklearn_class(NotFittedError)(
                f"This {type(self).__name__} instance is not fitted yet. Call 'fit' before using this estimator."
            )
        self._check_names(column_names(X))
        X, _ = as_matrix(X)
        if X.shape[1] != self.n_features_in_:
            raise InvalidInput(
                f"X has {X.shape[1]} features, but {type(self).__name__} is expecting {self.n_features_in_} features "
                "as input."
            )
        return X @ self.coef_.T + self.intercept_

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
            warnings.warn("R^2 score is not well-defined with less than two samples.", stacklevel=2)
            return float("nan")
        missed = np.average((y - predicted.reshape(y.shape)) ** 2, axis=0, weights=weights)
        spread = np.average((y - np.average(y, axis=0, weights=weights)) ** 2, axis=0, weights=weights)
        with np.errstate(divide="ignore", invalid="ignore"):
            r2 = np.where(spread > 0, 1 - missed / spread, np.where(missed == 0, 1.0, 0.0))
        return float(r2.mean())

    @property
    def sparse_coef_(self) -> Any:
        """`coef_` as a SciPy CSR matrix of one row per response; needs SciPy."""
        from scipy.sparse import csr_matrix

        return csr_matrix(np.atleast_2d(self.coef_))

    def _remember_columns(self, X: np.ndarray, names: tuple[str, ...] | None) -> None:
        self.n_features_in_ = X.shape[1]
        if names is not None:
            self.feature_names_in_ = np.array(names, dtype=object)
        elif "feature_names_in_" in vars(self):
            del self.feature_names_in_

    def _check_names(self, names: tuple[str, ...] | None) -> None:
        """Refuse other names than `fit` saw, with the sentences scikit-learn uses; warn if one side has none."""
        seen = tuple(vars(self).get("feature_names_in_", ())) or None
        if names == seen:
            return
        who = type(self).__name__
        if names is None:
            warnings.warn(f"X does not have valid feature names, but {who} was fitted with feature names", stacklevel=3)
            return
        if seen is None:
            warnings.warn(f"X has feature names, but {who} was fitted without feature names", stacklevel=3)
            return
        unseen, missing = sorted(set(names) - set(seen)), sorted(set(seen) - set(names))
        message = "The feature names should match those that were passed during fit.\n"
        if unseen:
            message += "Feature names unseen at fit time:\n" + _bullets(unseen)
        if missing:
            message += "Feature names seen at fit time, yet now missing:\n" + _bullets(missing)
        if not unseen and not missing:
            message += "Feature names must be in the same order as they were in fit.\n"
        raise InvalidInput(message)


def _bullets(names: list[str], most: int = 5) -> str:
    return "".join(f"- {name}\n" for name in names[:most]) + ("- ...\n" if len(names) > most else "")
