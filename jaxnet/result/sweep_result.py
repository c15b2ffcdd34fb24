"""What a sweep returns: every fit, as data, and the choice of a model from them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from jaxnet.errors import InvalidInput
from jaxnet.result.averages import fold_mean, fold_se
from jaxnet.result.fit import BestFit, FitOptions, Status
from jaxnet.result.grid import grid_position
from jaxnet.result.sparse_rows import SparseRows

if TYPE_CHECKING:  # a loaded model needs no time for annotations
    from jaxtyping import Float, Int

    from jaxnet.missing.preparation import Preparation
    from jaxnet.result.imputations import Imputations
    from jaxnet.selection.criteria import Criteria
    from jaxnet.selection.explanation import Explanation


@dataclass(frozen=True, eq=False)
class SweepResult:
    """Every fit of a sweep. NumPy arrays; R values of rho, A alphas, F folds, G = 1 + F groups (the full data first).

    With q responses (y of shape (n, q)) every array but `rho`, `fold_weights` and those of `options` has a leading axis q.

    Fields: `rho` (R,); `alphas` (R, A), decreasing; `coefs`, the full-data coefficients on the scale of X, as sparse rows
    in the order of the flattened (q,) R, A; `intercepts` (R, A); `errors` (R, A, F), the held-out errors by `metric`, or
    None without folds; `fold_weights` (F,), what each fold counts for in their mean (`fold_average`), or None for the same;
    `gap` (relative duality gap), `kkt` (largest violation, in units of correlation), `iterations` (passes, 0 if interpolated) and
    `status` (codes of `Status`), each (R, A, G); `feature_names`; `tol`; `options`, a `FitOptions`; and, if they were asked
    for, `fold_coefs` (flattened (q,) R, A, F) with `fold_intercepts` (R, A, F); and `metric`, the name of what errors
    measure, the smaller the better: "mse", weighted means of squares in units of y squared; "mae", of absolute values in
    units of y; "r2", 1 - R2 without a unit; or that of the caller's function. Coefficients are in units of y per unit of
    their column.

    If X had categories, or the sweep was given `missing`, `preparation` is the `Preparation` that makes the columns of new
    rows; `feature_names` and coefficients are of the columns made. It is None otherwise. With multiple imputation
    `imputations` has the full-data fits to each filling that coefficients are the means of (None if fillings are stacked).

    With `relax` the R rows are pairs of a rho and a blend, the blends of the first rho first: `blend` (R,) has their shares
    of the penalised fit, `rho` (R,) repeats. Coefficients, intercepts and errors are those of the blends; `gap`, `kkt`,
    `iterations` and `status` those of the penalised fits that they come from. `blend` is None otherwise.

    >>> import jaxnet
    >>> X, y = jaxnet.load_diabetes(return_X_y=True)
    >>> result = jaxnet.sweep(X, y, rho=[0.5, 1.0], alphas=10, cv=3, standardize=True)
    >>> result.gap.shape, result.coef_at(1, 9).shape, result.predict(X).shape
    ((2, 10, 4), (10,), (442,))
    """

    rho: np.ndarray
    alphas: np.ndarray
    coefs: SparseRows
    intercepts: np.ndarray
    errors: np.ndarray | None
    fold_weights: np.ndarray | None
    gap: np.ndarray
    kkt: np.ndarray
    iterations: np.ndarray
    status: np.ndarray
    feature_names: tuple[str, ...] | None
    tol: float
    options: FitOptions
    fold_coefs: SparseRows | None = None
    fold_intercepts: np.ndarray | None = None
    metric: str = "mse"
    blend: np.ndarray | None = None
    preparation: Preparation | None = None
    imputations: Imputations | None = None

    @property
    def n_features(self) -> int:
        """Columns of X, as made by the `preparation` if there is one."""
        return self.coefs.n_columns

    @property
    def n_responses(self) -> int | None:
        """The q of y (n, q), or None if y was (n,)."""
        return self.alphas.shape[0] if self.alphas.ndim == 3 else None

    @property
    def nonzeros(self) -> Int[np.ndarray, "*q R A"]:
        """Number of nonzero coefficients of each full-data fit."""
        return self.coefs.counts().reshape(self.alphas.shape)

    @property
    def converged(self) -> bool:
        """Whether every fit, those of the folds included, is certified to `tol`."""
        return bool(np.isin(self.status, (Status.CONVERGED, Status.DEGENERATE)).all())

    @property
    def error_mean(self) -> Float[np.ndarray, "*q R A"]:
        """Mean held-out error over the folds, of which each counts the same, or by `fold_weights` if there are any."""
        return fold_mean(self._folds(), self.fold_weights)

    @property
    def error_se(self) -> Float[np.ndarray, "*q R A"]:
        """Standard error of `error_mean`: sqrt(sum_k w_k (e_k - mean)^2 / sum_k w_k / (F - 1)), as in glmnet; nan if F = 1.

        It takes the folds as independent. Those of one K-fold are nearly so, the training sets sharing rows; those of
        repeats and bootstraps, which hold out the same rows again, are not: there it falls as 1 / sqrt(repeats) without any
        new data, tells how far the mean depends on how the rows were dealt, and understates how far it depends on the
        rows. Times sqrt(repeats) it is again what one K-fold has.

        Reference: Bengio and Grandvalet 2004, "No unbiased estimator of the variance of K-fold cross-validation".
        """
        return fold_se(self._folds(), self.fold_weights)

    def coef_at(self, i: int, k: int, response: int | None = None) -> Float[np.ndarray, " p"]:
        """The dense coefficients of the full-data fit at `rho[i]`, `alphas[i, k]` (of one response, if there are several).

        Negative positions count from the end. Raises InvalidInput outside the grid.
        """
        return self.coefs.row(int(np.ravel_multi_index(self._at(i, k, response), self.alphas.shape, mode="wrap")))

    def fit_at(
        self, i: int, k: int, response: int | None = None, *, rule: str = "by position", simplest: str | None = None
    ) -> BestFit:
        """The full-data fit at `rho[i]`, `alphas[i, k]` as `best` returns one; `rule` and `simplest` are what the fit says it
        was chosen by.

        Raises InvalidInput outside the grid.
        """
        return self._fit(rule, (i, k), response, simplest)

    def best(
        self, rule: str = "min", *, percent: float = 5.0, criteria: Criteria | None = None, simplest: str | None = None
    ) -> BestFit | list[BestFit]:
        """The model that a rule chooses from the whole grid; with q responses a list of q.

        rule "min": the least mean held-out error; ties go to the first rho, then to the larger alpha. "1se": the simplest
        fit whose mean error is within one standard error of the least (the standard error of that winner). "percent":
        the simplest fit whose mean error is at most `percent` (default 5) per cent above the least.

        simplest says by what the simplest is found: "df", the fewest degrees of freedom, as `criteria` has them; "nonzeros",
        the fewest nonzero coefficients: the same at rho = 1, too many below (a ridge shrinks what a coefficient costs);
        "alpha", the largest alpha of the rho (and blend) of the least error, as in R's cv.glmnet (`lambda.1se`): alphas of
        different rho do not compare. Ties go to the larger alpha, then to the smaller error. By default "df" where
        `criteria` are given, else "nonzeros", for which X is not needed again. Other rules do not look for the simplest.

        "aic", "aicc", "bic", "ebic": the least value of that column of `criteria = result.criteria(X, y)`; no folds needed.

        Raises InvalidInput for another rule or `simplest`, a negative `percent`, a rule whose folds or `criteria` are
        missing, "df" without `criteria`, and where a criterion has no minimum (see `Criteria.winner`).

        The 1se rule is that of Breiman, Friedman, Olshen and Stone 1984 (section 3.4.3).

        >>> import jaxnet
        >>> X, y = jaxnet.load_diabetes(return_X_y=True)
        >>> result = jaxnet.sweep(X, y, rho=[0.5, 1.0], alphas=20, standardize=True)
        >>> [result.best(rule, percent=2).nonzeros for rule in ("min", "1se", "percent")]
        [9, 6, 6]
        """
        return self._each_response(lambda j: self._chosen(rule, percent, criteria, simplest, j))

    def best_per_rho(
        self, rule: str = "min", *, percent: float = 5.0, criteria: Criteria | None = None, simplest: str | None = None
    ) -> list[BestFit] | list[list[BestFit]]:
        """The winner of each rho, in the order of `rho`: R models, each chosen by `best`'s rule among its own alphas.

        With `relax` that is the winner of each pair of a rho and a blend.

        With q responses a list of q such lists. Raises InvalidInput as `best` does.

        >>> import jaxnet
        >>> X, y = jaxnet.load_diabetes(return_X_y=True)
        >>> result = jaxnet.sweep(X, y, rho=[0.5, 1.0], alphas=20, standardize=True)
        >>> [(fit.rho, fit.nonzeros) for fit in result.best_per_rho("1se")]
        [(0.5, 9), (1.0, 6)]
        """
        winner = lambda j, i: self._chosen(rule, percent, criteria, simplest, j, i)
        return self._each_response(lambda j: [winner(j, i) for i in range(len(self.rho))])

    def criteria(self, X, y, *, sample_weight=None, noise_variance=None, gamma: float = 0.5) -> Criteria:
        """Information criteria of every full-data fit, with degrees of freedom that know of the ridge.

        With RSS the weighted residual sum of squares (weights averaging one over the n rows of positive weight), |A| the
        number of nonzero penalised coefficients and p that of penalised columns,

            misfit = n log(RSS/n)                     (noise variance unknown: its own estimate at every fit)
                   = n log(2 pi s2) + RSS/s2          (noise variance s2 known)
            AIC  = misfit + 2 df          AICc = AIC + 2 df (df + 1) / (n - df - 1)
            BIC  = misfit + log(n) df     EBIC = BIC + 2 gamma log C(p, |A|)
            df   = tr[X_A (X_A'X_A + n alpha (1 - rho) I)^-1 X_A'] + 1

        A being the columns whose coefficients move, all centred; at rho = 1 the rank of X_A. The 1 is the intercept's;
        unpenalised columns count, coefficients at a bound do not, and penalty factors, weights and standardisation enter
        as they do in the fit. A relaxed fit has the blend of that and of the rank of X_A. `adaptive` weights are taken as
        given: what their first fit costs is not counted. Values compare fits of one result, not known and unknown variances.

        Parameters
        - X, y, sample_weight: those of the sweep, which a result does not hold. How it fitted them it does (`options`).
        - noise_variance: None, a positive number in units of y squared (or one per response), "ols" (that of least squares
          on all columns, which needs more rows than columns), or "cv": RSS/(n - df) at the least held-out error.
        - gamma: of EBIC, from 0 (BIC) to 1 (strictest, for p far above n); default 0.5.

        Returns a `Criteria`. Where df comes near n a criterion says nothing, and is nan with a `reason`: above 0.9 n
        (n - 2 with a noise variance), or with residuals that are zero up to rounding. Raises InvalidInput for data that
        cannot be the sweep's and for wrong arguments.

        Reference: Akaike 1973; Hurvich and Tsai 1989 (AICc); Schwarz 1978; Chen and Chen 2008 (EBIC); Zou, Hastie and
        Tibshirani 2007 (df of the lasso); Reid, Tibshirani and Friedman 2016 ("cv").

        >>> import jaxnet
        >>> X, y = jaxnet.load_diabetes(return_X_y=True)
        >>> result = jaxnet.fit_path(X, y, rho=[0.5, 1.0], alphas=20, standardize=True)
        >>> criteria = result.criteria(X, y)
        >>> [round(result.best(rule, criteria=criteria).alpha, 3) for rule in ("aic", "bic")]
        [0.13, 0.187]
        """
        from jaxnet.selection.criteria import information_criteria

        return information_criteria(self, X, y, sample_weight=sample_weight, noise_variance=noise_variance, gamma=gamma)

    def predict(
        self,
        X,
        rule: str = "min",
        *,
        percent: float = 5.0,
        criteria: Criteria | None = None,
        simplest: str | None = None,
    ) -> np.ndarray:
        """Predictions (n,) or (n, q) of the models that `best` chooses by the same arguments, for new rows.

        If the sweep was given a frame and X is one, columns are matched by name and others are ignored. Raises
        InvalidInput without folds, for a wrong number of columns, for infinite values, or for missing ones if the sweep was
        not told what to do about them (`missing`).
        """
        from jaxnet.selection.rows import predictions, result_columns

        X = result_columns(self, X)
        fits = self.best(rule, percent=percent, criteria=criteria, simplest=simplest)
        if isinstance(fits, BestFit):
            return predictions(X, fits)
        return np.stack([predictions(X, fit) for fit in fits], axis=1)

    def to_html(
        self,
        path,
        *,
        X=None,
        y=None,
        sample_weight=None,
        rule: str = "min",
        percent: float = 5.0,
        simplest: str | None = None,
        response: int | None = None,
        title: str = "Elastic-net sweep",
    ) -> None:
        """Write the sweep as one page of HTML that needs nothing else: grid, winners, pictures, coefficients, certificates.

        - path: the file; it is replaced in one step.
        - X, y, sample_weight: the data of the sweep. With them the page has information criteria, residuals, and
          coefficients per standard deviation.
        - rule, percent, simplest: which model's coefficients are shown, as in `best`, and by what the page finds the simplest
          throughout: by default "df" with X and y, else "nonzeros". response: which of several.

        Names of columns are escaped, and the page runs no script but its own. Raises InvalidInput without jinja2 and
        matplotlib (`pip install 'jaxnet-elasticnet[report]'`), for data that are not the sweep's, and where `best` does.

        >>> import jaxnet
        >>> X, y = jaxnet.load_diabetes(return_X_y=True)
        >>> jaxnet.sweep(X, y, alphas=10, standardize=True).to_html("diabetes.html", X=X, y=y)
        """
        from jaxnet.report import write_report

        data = {"X": X, "y": y, "sample_weight": sample_weight}
        write_report(self, path, **data, rule=rule, percent=percent, simplest=simplest, response=response, title=title)

    def explain(
        self,
        X,
        y=None,
        rule: str = "min",
        *,
        percent: float = 5.0,
        criteria: Criteria | None = None,
        simplest: str | None = None,
        sample_weight=None,
        correlated: float = 0.8,
        companions: int = 5,
    ) -> Explanation | list[Explanation]:
        """What each column does in the fit that a rule chooses: importance, share, entry, agreement of folds, companions.

        - X, sample_weight: those of the sweep, which a result does not hold; y, if given, too: it is checked and adds R2.
        - rule, percent, criteria, simplest: as in `best`.
        - correlated: the least |correlation|, above 0, at which columns are companions and form groups; default 0.8.
        - companions: how many to name for each column at most; default 5. Companions and groups are of the 1,000 most
          important columns at most; p x p correlations are never formed.

        Returns an `Explanation`, which says how everything is defined and gives a table by `rows()`; with q responses a list
        of q. How often folds agree is there if the sweep was called with keep_fold_coefs=True. Raises InvalidInput as
        `best` does, for data that cannot be the sweep's and for wrong arguments.

        >>> import jaxnet
        >>> data = jaxnet.load_diabetes()
        >>> result = jaxnet.sweep(data.X, data.y, rho=0.5, standardize=True, keep_fold_coefs=True)
        >>> row = result.explain(data.X).rows()[0]
        >>> row["name"], row["rank"], row["sign"], row["frequency"], [name for name, r in row["companions"]]
        ('x2', 1, 1, 1.0, [])
        """
        from jaxnet.selection.explanation import explain_best

        return explain_best(
            self, X, y, rule, percent=percent, criteria=criteria, simplest=simplest, sample_weight=sample_weight,
            correlated=correlated, companions=companions,
        )  # fmt: skip

    def select(
        self,
        X,
        rule: str = "min",
        *,
        threshold: float = 0.0,
        top: int | None = None,
        percent: float = 5.0,
        criteria: Criteria | None = None,
        simplest: str | None = None,
        sample_weight=None,
    ) -> Int[np.ndarray, " k"] | list[Int[np.ndarray, " k"]]:
        """The columns of the fit that a rule chooses whose standardised coefficient counts, the most important first.

        - X, sample_weight: those of the sweep; they give the standard deviations of the columns.
        - rule, percent, criteria, simplest: as in `best`.
        - threshold: the least |coefficient times standard deviation|, in units of y; by default every nonzero one counts.
        - top: at most so many; None for all.

        Returns column numbers (k,), so that `X[:, numbers]` are the columns; with q responses a list of q. Raises
        InvalidInput as `best` does and for wrong arguments. How far to trust a selection is another question:
        `jaxnet.selection_frequencies`, `jaxnet.stability_selection`.

        >>> import jaxnet
        >>> X, y = jaxnet.load_diabetes(return_X_y=True)
        >>> jaxnet.sweep(X, y, rho=0.5, standardize=True).select(X, threshold=10).tolist()
        [2, 8, 3, 1]
        """
        from jaxnet.selection.ranking import select_best

        return select_best(
            self, X, rule, threshold=threshold, top=top, percent=percent, criteria=criteria, simplest=simplest,
            sample_weight=sample_weight,
        )  # fmt: skip

    def status_counts(self) -> dict[str, int]:
        """How many fits ended how, by the names of `Status`; only those that occur."""
        codes, counts = np.unique(self.status, return_counts=True)
        return {Status(int(code)).name: int(count) for code, count in zip(codes, counts, strict=True)}

    def _folds(self) -> np.ndarray:
        if self.errors is None:
            raise InvalidInput(
                "This result has no folds (cv=None), so there are no held-out errors to choose by: sweep again with cv=5, "
                "or take a fit yourself, coef_at(i, k) and intercepts[i, k]."
            )
        return self.errors

    def _at(self, i: int, k: int, response: int | None) -> tuple[int, ...]:
        return grid_position(self.alphas.shape, i, k, response, "coef_at")

    def _each_response(self, answer):
        """`answer(None)`, or with q responses the list of `answer(j)`."""
        return answer(None) if self.n_responses is None else [answer(j) for j in range(self.n_responses)]

    def _chosen(self, rule: str, percent, criteria, simplest, response: int | None, row: int | None = None) -> BestFit:
        """What `best` returns of one response, of the whole grid or of one row."""
        from jaxnet.selection.choice import choose_fit, notion

        index = choose_fit(self, rule, percent, criteria, simplest, response, row)
        return self._fit(rule, index, response, notion(rule, simplest, criteria))

    def _fit(self, rule: str, index: tuple[int, int], response: int | None, simplest: str | None = None) -> BestFit:
        i, k = index
        at = self._at(i, k, response)
        error, se = (np.nan, np.nan) if self.errors is None else (self.error_mean[at], self.error_se[at])
        return BestFit(
            rule=rule,
            index=index,
            alpha=float(self.alphas[at]),
            rho=float(self.rho[i]),
            coef=self.coef_at(i, k, response),
            intercept=float(self.intercepts[at]),
            cv_error=float(error),
            cv_se=float(se),
            nonzeros=int(self.nonzeros[at]),
            gap=float(self.gap[at][0]),
            status=Status(int(self.status[at][0])),
            blend=1.0 if self.blend is None else float(self.blend[i]),
            simplest=simplest,
        )

    def __repr__(self) -> str:
        from jaxnet.selection.overview import overview

        return overview(self)
