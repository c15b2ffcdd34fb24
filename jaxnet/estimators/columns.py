"""What an estimator remembers of the columns of X, and how it checks them again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from jaxnet.data.arrays import as_matrix, column_names
from jaxnet.errors import InvalidInput, warn_caller
from jaxnet.estimators.protocol import Estimator, NotFittedError, sklearn_class

if TYPE_CHECKING:
    from jaxnet.missing.preparation import Preparation
    from jaxnet.pipeline.features import Features


class ColumnEstimator(Estimator):
    """An estimator whose methods take an X with the columns that `fit` saw."""

    def _check_fitted(self) -> None:
        if not self.__sklearn_is_fitted__():
            raise sklearn_class(NotFittedError)(
                f"This {type(self).__name__} instance is not fitted yet. Call 'fit' before using this estimator."
            )

    def _columns(self, X: Any) -> np.ndarray:
        """X as the columns of the coefficients, if the estimator is fitted and X has the columns of the fit."""
        self._check_fitted()
        self._check_names(column_names(X))
        preparation: Preparation | None = vars(self).get("preparation_")
        if preparation is not None and preparation.encoding is not None:
            return preparation.transform(X)
        X, _ = as_matrix(X, missing_allowed=preparation is not None)
        if X.shape[1] != self.n_features_in_:
            raise InvalidInput(
                f"X has {X.shape[1]} features, but {type(self).__name__} is expecting {self.n_features_in_} features "
                "as input."
            )
        return X if preparation is None else preparation.complete(X)

    def _given(self, X: Any) -> Features:
        """The columns of a fit, as `missing` and `categories` make them of X."""
        from jaxnet.missing.options import as_missing
        from jaxnet.pipeline.features import Features

        return Features.of(X, as_missing(self.missing), self.categories)

    def _remember_columns(self, features: Features, preparation: Preparation | None) -> None:
        self.n_features_in_ = features.given
        names = None if features.columns is None else np.array(features.columns, dtype=object)
        for name, value in (("feature_names_in_", names), ("preparation_", preparation)):
            if value is not None:
                setattr(self, name, value)
            elif name in vars(self):  # of an earlier fit
                delattr(self, name)

    def _input_tags(self) -> Any:
        from sklearn.utils import InputTags

        labels = self.categories is not None
        return InputTags(allow_nan=self.missing is not None, categorical=labels, string=labels)

    def _check_names(self, names: tuple[str, ...] | None) -> None:
        """Refuse other names than `fit` saw, with the sentences scikit-learn uses; warn if one side has none."""
        seen = tuple(vars(self).get("feature_names_in_", ())) or None
        if names == seen:
            return
        who = type(self).__name__
        if names is None:
            warn_caller(f"X does not have valid feature names, but {who} was fitted with feature names")
            return
        if seen is None:
            warn_caller(f"X has feature names, but {who} was fitted without feature names")
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
