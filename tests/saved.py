"""Objects to save, files to load, and what makes two objects equal."""

import dataclasses
import hashlib
import io
import math
import pickle

import numpy as np

import jaxnet
from jaxnet import persistence
from jaxnet.estimators.protocol import Estimator
from jaxnet.missing.analysis.comparisons import Comparisons
from jaxnet.missing.analysis.hints import Sentinel
from jaxnet.missing.analysis.little import LittleTest
from jaxnet.missing.complete import Unfilled
from jaxnet.missing.iterative import IterativeFiller
from jaxnet.missing.multiple import MultipleFiller
from jaxnet.missing.neighbours import NeighbourFiller
from jaxnet.missing.simple import SimpleFiller
from jaxnet.persistence.seal import SEALED
from jaxnet.result import BestFit, FitOptions, Imputations, NestedResult, SparseRows, Status, SweepResult
from jaxnet.selection.bounds import StabilityParameters
from jaxnet.selection.criteria import Criteria
from jaxnet.selection.explanation import Explanation
from jaxnet.selection.frequencies import Frequencies, SelectionFrequencies
from jaxnet.selection.stability_result import StabilityResult

METADATA = {"written": "2026-01-01T00:00:00Z", "versions": {"jaxnet": "0.1.0"}}


def equal(a, b) -> bool:
    """Same structure, types and values; arrays by dtype (whatever the byte order), shape and bytes."""
    if isinstance(a, np.ndarray) and a.dtype == object:
        return isinstance(b, np.ndarray) and b.dtype == object and equal(a.tolist(), b.tolist())
    if isinstance(a, np.ndarray):
        a = a.astype(a.dtype.newbyteorder("<"))
        return type(b) is np.ndarray and (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(equal, a, b))
    return repr(a) == repr(b)  # so that -0.0 is not 0.0, and nan is nan


def body_of(content: object, **envelope) -> bytes:
    """What a file has before its trailer, around any picklable content, as an attacker could write it."""
    full = {
        "format": "jaxnet",
        "version": persistence.FORMAT_VERSION,
        "written_by": "test",
        "metadata": METADATA,
        "content": content,
    }
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=4)
    pickler.fast = True
    pickler.dump({**full, **envelope})
    return buffer.getvalue()


def seal(content: object, path, **envelope) -> None:
    """A file with a valid trailer around any picklable content."""
    seal_bytes(body_of(content, **envelope), path)


def sealed(body: bytes) -> bytes:
    """`body` with a valid trailer."""
    return body + SEALED + hashlib.sha256(body + SEALED).digest()


def seal_bytes(body: bytes, path) -> None:
    """A file with a valid trailer behind any bytes."""
    path.write_bytes(sealed(body))


def numbers(*shape: int) -> np.ndarray:
    """Unlike numbers from 0 to 1, the same for ever and exact in every precision."""
    return (np.arange(1, 1 + math.prod(shape)) * 7919 % 251 / 256).reshape(shape)


def result(responses: int | None = None, folds: int = 3, **changes) -> SweepResult:
    """A made-up result of 2 rho and 3 alphas on 4 columns, every optional field set."""
    grid = (2, 3) if responses is None else (responses, 2, 3)
    lanes = (*grid, folds + 1)

    def rows(count: int) -> SparseRows:
        dense = (numbers(count, 4) - 0.5) * (numbers(count, 4) < 0.6)
        at, columns = np.nonzero(dense)
        return SparseRows(dense[at, columns], columns, np.r_[0, np.cumsum(np.bincount(at, minlength=count))], 4)

    whole = SweepResult(
        rho=np.array([0.5, 1.0]),
        alphas=-np.sort(-numbers(*grid)),
        coefs=rows(int(np.prod(grid))),
        intercepts=numbers(*grid),
        errors=numbers(*grid, folds) if folds else None,
        fold_weights=numbers(folds) if folds else None,
        gap=numbers(*lanes),
        kkt=numbers(*lanes),
        iterations=np.arange(math.prod(lanes)).reshape(lanes),
        status=np.arange(math.prod(lanes)).reshape(lanes) % 4,
        feature_names=("a", "b", "c", "d"),
        tol=1e-4,
        options=FitOptions(True, False, True, numbers(4), -numbers(4), None),
        fold_coefs=rows(int(np.prod(grid)) * folds) if folds else None,
        fold_intercepts=numbers(*grid, folds) if folds else None,
    )
    return dataclasses.replace(whole, **changes)


def pooled(within: bool = True) -> jaxnet.PooledCoefficients:
    """Made-up coefficients of 2 columns over 3 fillings."""
    figures = numbers(2), numbers(2), numbers(2), numbers(2) if within else None
    return jaxnet.PooledCoefficients(3, np.array([2, 0]), ("c", "a"), *figures)


def nested(responses: int | None = None, folds: int = 3, **changes) -> NestedResult:
    """A made-up result of nested cross-validation."""
    shape = (folds,) if responses is None else (responses, folds)
    whole = NestedResult(
        errors=numbers(*shape),
        inner_errors=numbers(*shape) / 2,
        baseline_errors=numbers(*shape) + 1,
        alphas=numbers(*shape),
        rho=numbers(*shape),
        indices=np.arange(2 * math.prod(shape)).reshape(*shape, 2),
        fold_weights=numbers(folds),
        rule="1se",
        metric="mae",
    )
    return dataclasses.replace(whole, **changes)


def as_tree(value):
    """An object as nested dicts, to compare."""
    if dataclasses.is_dataclass(value):
        return {f.name: as_tree(getattr(value, f.name)) for f in dataclasses.fields(value)}
    if isinstance(value, Estimator):
        return {"class": type(value), **{name: as_tree(part) for name, part in sorted(vars(value).items())}}
    if isinstance(value, dict):
        return {key: as_tree(part) for key, part in value.items()}
    return type(value)(map(as_tree, value)) if type(value) in (list, tuple) else value


def model(name: str, dtype: type = np.float64, responses: int | None = None, names: bool = True, **params):
    """A made-up fitted estimator on 4 columns, without a fit."""
    made = getattr(jaxnet, name)(**params)
    shape = () if responses is None else (responses,)
    made.coef_ = numbers(*shape, 4).astype(dtype)
    made.intercept_ = numbers(*shape).astype(dtype) if shape else dtype(0.75)
    made.dual_gap_ = numbers(*shape).astype(dtype) if shape else dtype(0.125)
    made.n_iter_ = [3] * responses if responses else 3
    made.n_features_in_ = 4
    if names:
        made.feature_names_in_ = np.array(["a", "b", "c", "d"], dtype=object)
    if name.endswith("CV"):
        made.alphas_ = -np.sort(-numbers(5))
        made.mse_path_ = numbers(5, 3).astype(dtype)
        made.alpha_ = made.alphas_[2]
    if name == "ElasticNetCV":
        made.l1_ratio_ = np.float64(0.5)
    return made


def criteria() -> Criteria:
    """Made-up criteria of two responses, with reasons."""
    parts = {name: numbers(2, 2, 3) for name in ("df", "rss", "aic", "aicc", "bic", "ebic")}
    reason = np.full((2, 2, 3), "", dtype=object)
    reason[1, 0, 2] = "the fit is not finite"
    return Criteria(
        rho=np.array([0.5, 1.0]),
        alphas=-np.sort(-numbers(2, 2, 3)),
        **parts,
        reason=reason,
        n=40,
        gamma=0.5,
        noise_variance=numbers(2),
    )


def stability(names: bool = True) -> StabilityResult:
    """A made-up selection of 4 columns."""
    return StabilityResult(
        frequencies=numbers(4),
        selected=numbers(4) > 0.5,
        paths=numbers(3, 4),
        alphas=-np.sort(-numbers(3)),
        rho=1.0,
        parameters=StabilityParameters(0.75, 2, 1.5),
        bound="unimodal",
        n_pairs=25,
        feature_names=("a", "b", "c", "d") if names else None,
    )


def selector(**params) -> jaxnet.StabilitySelection:
    """A made-up fitted selector of columns."""
    made, found = jaxnet.StabilitySelection(**params), stability()
    made.result_, made.support_, made.frequencies_ = found, found.selected, found.frequencies
    made.n_features_in_, made.feature_names_in_ = 4, np.array(found.feature_names, dtype=object)
    return made


def explanation(folds: int = 3) -> Explanation:
    """A made-up explanation of 3 columns of 4."""
    parts = {name: numbers(3) for name in ("coef", "per_sd", "share", "entry_alpha", "mean", "sd")}
    return Explanation(
        fit=BestFit("min", (0, 1), 0.25, 0.5, numbers(4), 3.5, 2.5, 0.5, 3, 1e-5, Status.CONVERGED),
        response=None,
        names=("d", "a", "b"),
        columns=np.array([3, 0, 1]),
        **parts,
        entry=np.array([1, 3, 2]),
        frequencies=Frequencies(*numbers(4, 3)) if folds else None,
        n_resamples=folds,
        companions=((("a", 0.875), ("c", -0.75)), (), ()),
        group=("d", "d", ""),
        correlated=0.75,
        n_features=4,
        r_squared=0.5 if folds else None,
    )


def frequencies() -> SelectionFrequencies:
    """Made-up counts over 5 resamples."""
    return SelectionFrequencies(
        selected=result().coefs,
        positive=result().coefs,
        n_resamples=5,
        rho=np.array([0.5, 1.0]),
        alphas=-np.sort(-numbers(2, 3)),
        confidence=0.95,
        feature_names=None,
    )


def expansion(names: bool = True) -> jaxnet.FeatureExpansion:
    """A made-up expansion of 4 columns."""
    return jaxnet.FeatureExpansion(
        names=("a", "b", "c", "d", "a^2", "a:d"),
        terms=np.array([[0, -1, 2], [0, 3, 1]]),
        centre=numbers(4),
        left_out=(("b^2", "is b up to shift and scale"),),
        feature_names=("a", "b", "c", "d") if names else None,
    )


def encoding(columns: bool = True) -> jaxnet.Encoding:
    """A made-up encoding of a column of numbers, one of three levels of which the first is left out, and one of truth values."""
    return jaxnet.Encoding(
        columns=("dose", "site", "flag") if columns else None,
        levels=(None, ("", "Leeds", "York"), ("False", "True")),
        boolean=(False, False, True),
        source=np.array([0, 1, 1, 1, 2]),
        level=np.array([-1, 1, 2, 3, 1]),
        names=("dose", "site=Leeds", "site=York", "site=(missing)", "flag=True"),
        categories=jaxnet.Categories({"site": ""}),
    )


def imputations(responses: int | None = None) -> Imputations:
    """Made-up fits to 3 fillings, over the grid of `result`."""
    return Imputations(result(responses).fold_coefs, result(responses).fold_intercepts)


def preparation(columns: bool = True) -> jaxnet.Preparation:
    """A made-up preparation: of the columns of `encoding` with an indicator, or of 3 columns and an array."""
    words = encoding() if columns else None
    m = 5 if columns else 3
    return jaxnet.Preparation(
        columns=words.columns if columns else None,
        given=3,
        names=(*words.names, "missing(dose)") if columns else None,
        encoding=words,
        missing=jaxnet.Missing(jaxnet.SimpleFill("median"), indicators=columns, column_limit=0.75),
        filler=SimpleFiller(numbers(m)),
        modes=np.array([0.0, 1.0, 0.0, 0.0, 0.0])[:m] * columns,
        categorical=np.array([False, True, True, True, True])[:m] & columns,
        left_out=np.array([False, False, True, False, False])[:m],
        indicated=np.array([0 if columns else 1]),
        rows=40,
    )


def missing(test: bool = True) -> jaxnet.MissingPatterns:
    """Made-up missing values of 3 columns."""
    return jaxnet.MissingPatterns(
        names=("a", "b", "c"),
        n_rows=20,
        n_missing=np.array([0, 5, 2]),
        rows_by_missing=np.array([14, 5, 1, 0]),
        patterns=np.array([[False, False, False], [False, True, False]]),
        counts=np.array([14, 4]),
        n_patterns=4,
        monotone=False,
        pair_columns=np.array([1, 2]),
        pairs=np.array([[5, 1], [1, 2]]),
        comparisons=Comparisons(
            np.array([1, 1]), np.array([0, 2]), ("", "yes"), np.array([5, 4]), np.array([15, 14]), *numbers(6, 2)
        ),
        n_comparisons=3,
        little=LittleTest(3.5, 2, 0.25, 20, 4, 3) if test else None,
        little_reason="" if test else "There is only one numeric column that varies.",
        sentinels=(Sentinel("a", -999.0, 3, 0.0, 10.5),) if test else (),
        hints=("Column 'a' holds -999 in 3 rows.",) if test else (),
    )


def regressions(*m: int) -> dict[str, np.ndarray]:
    """Made-up regressions of 2 columns of 4, of which one is constant."""
    return {
        "mean": numbers(4),
        "sd": np.array([0.5, 0.25, 0.0, 0.125]),
        "observed": np.array([True, True, True, True]),
        "columns": np.array([3, 0]),
        "intercepts": numbers(*m, 2),
        "coefs": numbers(*m, 2, 4) / 8,
    }


def objects() -> dict[str, object]:
    """One object of every kind a file may hold, and of every form it takes; the same on every machine."""
    pairs = [([0, 1], [2, 3]), (np.array([2, 3]), np.array([0, 1]))]
    return {
        "result": result(),
        "result_of_two_responses": result(responses=2),
        "result_without_folds": result(folds=0, feature_names=None),
        "result_of_another_metric": result(metric="r2"),
        "imputations": imputations(),
        "pooled_coefficients": pooled(),
        "pooled_coefficients_without_data": pooled(within=False),
        "nested_result": nested(),
        "nested_result_of_two_responses": nested(responses=2, fold_weights=None, metric="mse"),
        "best_fit": BestFit(
            "1se", (1, 2), 0.25, 0.5, numbers(4) - 0.5, 3.5, 2.5, float("nan"), 4, 1e-5, Status.CONVERGED
        ),
        "best_fit_by_largest_alpha": BestFit(
            "1se", (1, 2), 0.25, 0.5, numbers(4) - 0.5, 3.5, 2.5, 0.5, 4, 1e-5, Status.CONVERGED, 0.5, "alpha"
        ),
        "nested_result_by_nonzeros": nested(simplest="nonzeros"),
        "criteria": criteria(),
        "stability_result": stability(),
        "explanation": explanation(),
        "explanation_without_folds": explanation(folds=0),
        "selection_frequencies": frequencies(),
        "expansion": expansion(),
        "expansion_without_names": expansion(names=False),
        "categories_declared": jaxnet.Categories(columns=("site", "ward")),
        "categories": jaxnet.Categories("frequent", missing="mode", unseen="error", max_levels=np.int64(20)),
        "encoding": encoding(),
        "encoding_of_an_array": encoding(columns=False),
        "missing_patterns": missing(),
        "missing_patterns_without_test": missing(test=False),
        "stability_selection": selector(n_pairs=25, q=2, cutoff=0.75),
        "complementary_pairs": jaxnet.ComplementaryPairs(25, seed=None),
        "relaxed_result": result(
            rho=np.array([0.5, 0.5]),
            blend=np.array([1.0, 0.25]),
            options=FitOptions(True, True, False, adaptive_weights=1 / numbers(4)),
        ),
        "adaptive": jaxnet.Adaptive(2, rho=np.float64(1.0), cv=jaxnet.KFold(3)),
        "pairwise": jaxnet.Pairwise("max-norm", least=np.float64(0.25)),
        "missing": jaxnet.Missing("mode", np.bool_(True), False, np.float64(0.5)),
        "fills": [
            jaxnet.SimpleFill("constant", np.float64(-1.5)),
            jaxnet.CompleteCases(),
            Unfilled(),
            SimpleFiller(numbers(3)),
        ],
        "preparation": preparation(),
        "preparation_of_an_array": preparation(columns=False),
        "prepared_result": result(preparation=preparation(columns=False)),
        "imputed_result": result(imputations=imputations()),
        "imputed_result_of_two_responses": result(responses=2, imputations=imputations(responses=2)),
        "prepared_model": _changed(
            model("Lasso", missing="median", categories=jaxnet.Categories()),
            n_features_in_=3,
            feature_names_in_=np.array(["dose", "site", "flag"], dtype=object),
            coef_=numbers(6),
            preparation_=preparation(),
        ),
        "relaxed_adaptive_cv": _changed(
            model("ElasticNetCV", adaptive=jaxnet.Adaptive(alpha=0.5), relax=(1.0, 0.0)), blend_=np.float64(0.0)
        ),
        "neighbour_fill": jaxnet.NeighbourFill(np.int64(3), weights="distance"),
        "neighbour_filler": NeighbourFiller(3, "distance", np.where(numbers(5, 4) > 0.8, np.nan, 1.0), numbers(5)),
        "iterative_fill": jaxnet.IterativeFill(alpha=0.5, rho=np.float64(0.25)),
        "iterative_filler": IterativeFiller(**regressions(), rounds=10, tol=1e-3, taken=4),
        "multiple_fill": jaxnet.MultipleFill(m=3, draws="posterior"),
        "multiple_filler": MultipleFiller(**regressions(3), rows=np.array([0, 2]), n_rows=4, drawn=numbers(3, 2)),
        "folds": jaxnet.KFold(4, shuffle=True, seed=np.int64(3)),
        "repeated_folds": jaxnet.RepeatedKFold(4, np.int64(2), seed=None),
        "bootstrap": jaxnet.Bootstrap(20, seed=1),
        "group_folds": jaxnet.GroupKFold(np.int64(4), shuffle=True, random_state=7),
        "one_group_out": jaxnet.LeaveOneGroupOut(),
        "stratified_folds": jaxnet.StratifiedKFold(4, bins=np.int64(6)),
        "grouped_cv": jaxnet.LassoCV(cv=jaxnet.GroupKFold(3)).set_fit_request(sample_weight=True, groups="patient"),
        "unfitted": jaxnet.ElasticNet(alpha=0.25, max_iter=None),
        "elastic_net": model("ElasticNet", alpha=np.float64(0.1), positive=True),
        "elastic_net_float32": model("ElasticNet", np.float32, names=False),
        "lasso_of_two_responses": model("Lasso", responses=2),
        "lasso_without_intercept": _changed(model("Lasso", np.float32, fit_intercept=False), intercept_=0.0),
        "elastic_net_cv": model("ElasticNetCV", l1_ratio=[0.1, 0.5], alphas=np.array([0.1, 1.0]), cv=pairs),
        "lasso_cv": model("LassoCV", np.float32, cv=jaxnet.KFold(3)).set_fit_request(sample_weight=True),
        "tree": {
            "arrays": [
                np.arange(6).reshape(2, 3).astype(kind) for kind in ("?", "i1", "u2", "i4", "u8", "f2", "f4", "f8")
            ],
            "scalars": (np.float32(0.1), np.int8(-3), np.bool_(True), Status.MAX_ITER),
            "builtins": (None, True, -(2**63), 2**64 - 1, 0.1, -0.0, float("inf"), "naïve ☃", b"\0\xff", (), [], {}),
            "texts": np.array(["a", ""], dtype=object),
            "empty": np.zeros((0, 3)),
        },
    }


def _changed(made, **attributes):
    for name, value in attributes.items():
        setattr(made, name, value)
    return made
