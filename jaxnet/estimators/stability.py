"""StabilitySelection: stability selection as a step of a scikit-learn pipeline."""

from typing import Any, Self

import numpy as np

from jaxnet.data.arrays import as_response
from jaxnet.errors import InvalidInput, warn_caller
from jaxnet.estimators.columns import ColumnEstimator
from jaxnet.estimators.parameters import check_flag
from jaxnet.estimators.protocol import UNCHANGED


class StabilitySelection(ColumnEstimator):
    """Keeps the columns that stability selection selects: `jaxnet.stability_selection` as a feature selector.

    Parameters (those of `jaxnet.stability_selection`, which has the method and the bounds)
        l1_ratio: the L1 share of the fits, above 0; default 1, the lasso.
        n_pairs: pairs of complementary half-samples; default 50.
        cutoff, q, false_selections: any two of them give the third; by default cutoff 0.75 and false_selections 1.
        bound: "unimodal" (default), "worst-case", "meinshausen-buehlmann" or "r-concave".
        alphas: how many alphas the paths have; default 50.
        standardize: fit columns of unit variance; default True.
        random_state: None or an integer >= 0, the seed of the splits; default 0.
        missing, categories: what to do about missing values, and options of columns of labels, as in `jaxnet.sweep`; every
            half fills by its own rows. Default None.

    Fitted attributes
        support_ (p,) bool, frequencies_ (p,), result_ (a `StabilityResult`), n_features_in_, feature_names_in_ if X is a
        frame with string names. If columns were encoded or `missing` was given, `preparation_` (a `jaxnet.Preparation`)
        makes the p columns that are selected from, filled as all rows tell, and `transform` returns some of those.

    >>> from jaxnet import StabilitySelection, load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> StabilitySelection(q=3, cutoff=0.8, false_selections=None, bound="worst-case").fit(X, y).get_support(indices=True)
    array([2, 8])
    """

    _fitted = "support_"

    def __init__(
        self,
        *,
        l1_ratio=1.0,
        n_pairs=50,
        cutoff=None,
        q=None,
        false_selections=None,
        bound="unimodal",
        alphas=50,
        standardize=True,
        random_state=0,
        missing=None,
        categories=None,
    ):
        self.l1_ratio = l1_ratio
        self.n_pairs = n_pairs
        self.cutoff = cutoff
        self.q = q
        self.false_selections = false_selections
        self.bound = bound
        self.alphas = alphas
        self.standardize = standardize
        self.random_state = random_state
        self.missing = missing
        self.categories = categories

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Select columns of X (n, p) for y (n,). Returns the selector.

        groups: None, or labels (n,) of rows that halves keep together, as in `jaxnet.stability_selection`.

        Raises `InvalidInput` for bad data or parameters.
        """
        from jaxnet.selection.stability import stability_selection  # here, so that unpickling needs no JAX

        features = self._given(X)
        y = as_response(y, len(features.matrix))
        if y.ndim == 2 and y.shape[1] == 1:
            y = y[:, 0]
        self.result_ = stability_selection(
            features,
            y,
            rho=self.l1_ratio,
            n_pairs=self.n_pairs,
            cutoff=self.cutoff,
            q=self.q,
            false_selections=self.false_selections,
            bound=self.bound,
            seed=self.random_state,
            groups=groups,
            alphas=self.alphas,
            standardize=check_flag("standardize", self.standardize),
            missing=self.missing,
            categories=self.categories,
        )
        self.support_, self.frequencies_ = self.result_.selected, self.result_.frequencies
        self._remember_columns(features, self.result_.preparation)
        return self

    def get_support(self, indices: bool = False) -> np.ndarray:
        """Which columns are kept: a mask (p,), or their numbers; of the columns that `preparation_` makes, if it is there."""
        self._check_fitted()
        return np.flatnonzero(self.support_) if indices else self.support_.copy()

    def transform(self, X: Any) -> np.ndarray:
        """The kept columns of X (n, p). Warns where there are none."""
        X = self._columns(X)
        if not self.support_.any():
            warn_caller("No column was selected: allow more false selections or take a lower cutoff.")
        return X[:, self.support_]

    def fit_transform(self, X: Any, y: Any, groups: Any = None) -> np.ndarray:
        """`fit(X, y, groups).transform(X)`."""
        return self.fit(X, y, groups).transform(X)

    def set_fit_request(self, *, groups: bool | str | None = UNCHANGED) -> Self:
        """Ask scikit-learn's metadata routing to pass `groups` to `fit`; see `ElasticNetCV.set_fit_request`."""
        return self._request("fit groups", groups)

    def get_feature_names_out(self, input_features: Any = None) -> np.ndarray:
        """The names of the kept columns: those of the fit, or `input_features`, which must be the same; else x0, x1, ..."""
        self._check_fitted()
        seen = vars(self).get("feature_names_in_")
        names = seen if input_features is None else np.asarray(input_features, dtype=object)
        preparation = vars(self).get("preparation_")
        if names is None:
            names = np.array([f"x{j}" for j in range(self.n_features_in_)], dtype=object)
        if seen is not None and not np.array_equal(names, seen):
            raise InvalidInput("input_features is not equal to feature_names_in_; leave it out.")
        if len(names) != self.n_features_in_:
            raise InvalidInput(
                f"input_features should have length equal to number of features ({self.n_features_in_}), got {len(names)}."
            )
        if preparation is not None:
            names = np.array(preparation.labels, dtype=object)
        return names[self.support_]

    def __sklearn_tags__(self) -> Any:
        from sklearn.utils import Tags, TargetTags, TransformerTags

        return Tags(
            estimator_type=None,
            target_tags=TargetTags(required=True),
            transformer_tags=TransformerTags(preserves_dtype=["float64", "float32"]),
            input_tags=self._input_tags(),
        )
