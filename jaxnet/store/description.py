"""What a run is a sweep of: a dict of plain values that people can read, and in which two sweeps differ or do not."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxnet import __version__
from jaxnet.data.fingerprint import fingerprint
from jaxnet.store.functions import identify

if TYPE_CHECKING:  # to read a store needs no more
    from jaxnet.pipeline.features import Features
    from jaxnet.pipeline.request import Request

_SHOWN = 12  # numbers of an array that are told one by one
_LETTERS = 60


def describe(request: Request) -> dict[str, Any]:
    """Everything that the bits of the result depend on: data, folds, grid, options, and what computes."""
    import jax

    from jaxnet.execution import platform

    groups = request.groups
    return {
        "rows": len(request.X),
        "columns": request.X.shape[1],
        "responses": None if request.single else len(request.Y),
        **({} if (names := _names(request.features)) is None else {"names": names}),
        "X": f"{request.X.dtype} sha256 {fingerprint(X=request.X)}",
        "y": f"sha256 {fingerprint(y=request.Y)}",
        "folds": len(groups) - 1,
        "rows of the folds": f"sha256 {fingerprint(train=groups.train, test=groups.test, mass=groups.test_mass)}",
        "sample_weight": "given" if request.weighted else None,
        **_inner_groups(request),
        "rho": request.rho.tolist(),
        "alphas": request.alphas if isinstance(request.alphas, int) else _shown(request.alphas),
        "alpha_min_ratio": request.alpha_min_ratio if isinstance(request.alphas, int) else None,
        "fit_intercept": request.fit_intercept,
        "standardize": request.standardize,
        "penalty_factor": _unless(1.0, request.factor),
        "lower": _unless(-np.inf, request.lower),
        "upper": _unless(np.inf, request.upper),
        "tol": request.tol,
        "max_iter": request.max_iter,
        "solver": request.solver,
        "dtype": request.dtype.name,
        "max_memory": request.max_memory,
        "keep_fold_coefs": request.keep_fold_coefs,
        "metric": request.metric.name,
        "adaptive": None if request.adaptive is None else repr(request.adaptive),
        "missing": None if request.missing is None else repr(request.missing),
        "categories": None if request.features.encoding is None else repr(request.features.encoding.categories),
        "relax": None if request.relax is None else request.relax.tolist(),
        **_fold_average(request),
        **_function(request),
        "platform": platform.current().platform,
        "jaxnet": __version__,
        "jax": jax.__version__,
    }


def _inner_groups(request: Request) -> dict[str, str]:
    """Labels of rows, where they say more than the folds do: inner folds of adaptive weights keep them together."""
    if request.row_groups is None or request.adaptive is None:
        return {}
    codes = np.unique(request.row_groups, return_inverse=True)[1]
    return {"groups": f"sha256 {fingerprint(groups=codes.astype(np.int64))}"}


def _fold_average(request: Request) -> dict[str, str]:
    """How folds are averaged, where it is not as before there was a choice: by rows with sample weights, else by folds."""
    before = "rows" if request.weighted else "folds"
    return {} if request.fold_average == before else {"fold_average": request.fold_average}


def _function(request: Request) -> dict[str, str]:
    """What a metric of the caller's own computes."""
    return {} if request.metric.function is None else {"metric function": identify(request.metric.function)}


def _names(features: Features) -> str | None:
    """What the result and its preparation say of columns: names, their order, levels and words, which labels are there."""
    encoding = features.encoding
    said = [features.names, features.columns, features.given, features.source.tolist(), features.indicated.tolist()]
    if encoding is not None:
        said.append({name: _plain(value) for name, value in vars(encoding).items()})
    if features.names is None and encoding is None:
        return None
    return f"sha256 {hashlib.sha256(json.dumps(said).encode('utf-8', 'surrogatepass')).hexdigest()}"


def _plain(value: Any) -> Any:
    return (
        value.tolist() if isinstance(value, np.ndarray) else value if isinstance(value, (tuple, list)) else repr(value)
    )


def name_of(problem: dict[str, Any]) -> str:
    """SHA-256 of a description, in hexadecimal."""
    return hashlib.sha256(json.dumps(problem, sort_keys=True).encode()).hexdigest()


def differences(one: dict[str, Any], other: dict[str, Any], where: tuple[str, str] = ("there", "here")) -> list[str]:
    """What two descriptions say differently, each as a phrase."""
    names = [name for name in {**other, **one} if one.get(name) != other.get(name)]
    first, second = where
    return [f"{name} is {shown(one.get(name))} {first} and {shown(other.get(name))} {second}" for name in names]


def _shown(array: np.ndarray) -> Any:
    if array.size <= _SHOWN:
        return array.tolist()
    return f"{' x '.join(map(str, array.shape))} numbers, sha256 {fingerprint(array=array)}"


def _unless(idle: float, array: np.ndarray) -> Any:
    """None for an array that does nothing; infinities, which JSON lacks, as text."""
    if np.all(array == idle):
        return None
    return json.loads(json.dumps(_shown(array)).replace("-Infinity", '"-inf"').replace("Infinity", '"inf"'))


def shown(value: Any) -> str:
    """A plain value as a short text of ASCII letters on one line."""
    text = json.dumps(value, ensure_ascii=True)
    return text if len(text) <= _LETTERS else f"{text[: _LETTERS - 3]}..."
