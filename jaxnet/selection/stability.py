"""Stability selection: the columns that fits to half of the rows select again and again, with a bound on false ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from jaxnet.data.groups import as_groups, without_groups
from jaxnet.errors import InvalidInput
from jaxnet.missing.options import Missing, as_missing
from jaxnet.options import check_options, takes_options
from jaxnet.pipeline.arguments import penalised
from jaxnet.pipeline.features import Features
from jaxnet.resampling import ComplementaryPairs
from jaxnet.selection.bounds import StabilityParameters, stability_parameters
from jaxnet.selection.columns import Columns
from jaxnet.selection.entry import entry_ranks
from jaxnet.selection.stability_result import StabilityResult
from jaxnet.sweeps import sweep

if TYPE_CHECKING:
    from jaxtyping import Bool, Float

CUTOFF, FALSE_SELECTIONS = 0.75, 1.0
"""What is asked where nothing else is."""


_WITHOUT = {
    **dict.fromkeys(("cv", "keep_fold_coefs"), "it fits half-samples of its own"),
    **dict.fromkeys(("metric", "fold_average"), "no errors are measured; leave it out"),
    "relax": "refits select what the fits selected; leave it out",
}
"""The options of a sweep that it has not, and why."""


@takes_options(sweep, without=_WITHOUT, alphas=50, standardize=True)
def stability_selection(
    X,
    y,
    *,
    rho=1.0,
    n_pairs=50,
    cutoff=None,
    q=None,
    false_selections=None,
    bound="unimodal",
    seed=0,
    groups=None,
    **options,
) -> StabilityResult:
    """Select the columns that are among the first q to enter the path in at least a share `cutoff` of half-samples.

    Complementary pairs: the rows are split in two halves `n_pairs` times, and the path of one rho is fitted to all
    2 n_pairs halves at once, over one copy of X. A half selects the first q columns that get a coefficient as alpha falls;
    of those that enter at the same alpha of the grid, the ones with the largest standardised coefficients there (by the
    standard deviations of all rows, under the sample weights if there are any).

    - rho: the L1 share, above 0; default 1, the lasso. Below 1, correlated columns enter together.
    - n_pairs: B, default 50. seed: of the splits; 0 by default, None for others every time.
    - groups: labels (n,) of rows that belong together (of one patient, say), or the name of a column of a frame X, which then is
      no feature: halves are halves of the groups, G // 2 of G, with all rows of each but those of weight zero. The bound then
      takes the groups, not their rows, for independent draws.
    - cutoff, q, false_selections: give any two, and the third follows (`jaxnet.stability_parameters`, which has the formulas);
      with one of them, or none, cutoff is 0.75, and false_selections 1 where that is left open.
    - bound: "unimodal" (default), "worst-case", "meinshausen-buehlmann" or "r-concave": what the expected number of
      false selections is held below.
    - options: those of `jaxnet.sweep`, `missing` and `categories` too, but cv, keep_fold_coefs, metric, fold_average and relax;
      the columns selected from are those made. `alphas` is 50 by default here, and `standardize` True: else which column enters
      first depends on its unit. Unpenalised columns are in every fit: they are reported as selected and count neither for q nor
      for the bound.

    Returns a `StabilityResult`. Raises InvalidInput for wrong arguments, several responses, too few rows or columns to choose
    from, and where a bound says nothing or cannot be kept.

    Reference: Meinshausen and Buehlmann 2010; Shah and Samworth 2013, "Variable selection with error control" (complementary
    pairs).

    >>> import jaxnet
    >>> X, y = jaxnet.load_diabetes(return_X_y=True)
    >>> found = jaxnet.stability_selection(X, y, q=3, cutoff=0.8, bound="worst-case")
    >>> found.selected.nonzero()[0].tolist(), round(found.parameters.false_selections, 2)
    ([2, 8], 1.5)
    """
    for name, why in _WITHOUT.items():
        if name in options:
            raise InvalidInput(f"stability_selection has no {name}: {why}.")
    check_options(stability_selection, options)
    missing = as_missing(options.get("missing"))
    X, labels = without_groups(X, groups)
    features = Features.of(X, missing, options.get("categories"))
    splitter = ComplementaryPairs(n_pairs, seed)
    labels = None if labels is None else as_groups(labels, len(features.matrix))
    next(splitter.split(features.matrix, groups=labels))  # what is wrong with them is said before the fits
    candidates = _candidates(options.get("penalty_factor"), features, missing)
    parameters = _parameters(int(candidates.sum()), n_pairs, bound, cutoff, q, false_selections)
    result = sweep(
        features,
        y,
        rho=_one_rho(rho),
        cv=splitter,
        groups=labels,
        keep_fold_coefs=True,
        **{"alphas": 50, "standardize": True, **options},
    )
    if result.n_responses is not None:
        raise InvalidInput(f"y has {result.n_responses} responses; select columns for one at a time.")
    halves, p = 2 * n_pairs, result.n_features
    table = features.matrix if result.preparation is None else result.preparation.complete(features.encoded)
    spread = _spread(table, options.get("sample_weight"))
    counts, paths = np.zeros(p), np.zeros((result.alphas.shape[1], p))
    for half in range(halves):
        path = _path(result.fold_coefs, half, halves, len(paths))
        paths += path != 0
        ranks = entry_ranks(np.where(candidates, path * spread, 0.0))
        counts += ranks < parameters.q
    frequencies = np.where(candidates, counts / halves, 1.0)
    return StabilityResult(
        frequencies=frequencies,
        selected=frequencies >= parameters.cutoff * (1 - 1e-12),
        paths=paths / halves,
        alphas=result.alphas[0],
        rho=float(result.rho[0]),
        parameters=parameters,
        bound=bound,
        n_pairs=n_pairs,
        feature_names=result.feature_names,
        preparation=result.preparation,
    )


def _one_rho(rho) -> float:
    if np.ndim(rho) or isinstance(rho, (str, bool)) or rho is None or not rho > 0:
        raise InvalidInput(
            f"rho={rho!r:.60}: stability selection follows the path of one rho above 0 (1 is the lasso)."
        )
    return float(rho)


def _spread(X: Float[np.ndarray, "n p"], weights) -> Float[np.ndarray, " p"]:
    """Standard deviations under the sample weights, of complete rows if some are not."""
    w = np.ones(len(X)) if weights is None else np.asarray(weights, float)
    w = np.where(np.isnan(X).any(axis=1), 0.0, w / w.max())
    return Columns.of(np.where(w[:, None] > 0, X, 0.0), w / w.sum()).sd


def _candidates(factor, features: Features, missing: Missing | None) -> Bool[np.ndarray, " p"]:
    """The penalised columns; `sweep` says what is wrong with a factor of another form."""
    p = features.given
    try:
        factor = np.ones(p) if factor is None else np.broadcast_to(np.asarray(factor, float), (p,))
    except (TypeError, ValueError):
        factor = np.ones(p)
    factor = penalised(factor[features.source], features, missing)
    if np.count_nonzero(factor) < 2:
        raise InvalidInput(
            f"X has {np.count_nonzero(factor)} feature(s) that are penalised: there is nothing to choose from; give at least 2."
        )
    return factor != 0


def _parameters(p: int, n_pairs, bound, cutoff, q, false_selections) -> StabilityParameters:
    given = sum(x is not None for x in (cutoff, q, false_selections))
    if given < 2 and cutoff is None:
        cutoff, given = CUTOFF, given + 1
    if given < 2:
        false_selections = FALSE_SELECTIONS
    if given == 3:
        raise InvalidInput(
            "cutoff, q and false_selections are all given: two of them determine the third, leave one out."
        )
    return stability_parameters(p, cutoff=cutoff, q=q, false_selections=false_selections, B=n_pairs, bound=bound)


def _path(rows, half: int, halves: int, count: int) -> Float[np.ndarray, "A p"]:
    """The coefficients of one half-sample along the alphas."""
    return np.stack([rows.row(k * halves + half) for k in range(count)])
