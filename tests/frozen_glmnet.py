"""The frozen R glmnet results, mapped to this project's parameters."""

import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from oracles import Problem


@dataclass(frozen=True)
class GlmnetCase:
    """One R call in our dialect: `problem` at alphas[0], one rho for all alphas, answers row by row."""

    name: str
    problem: Problem
    rho: float
    alphas: np.ndarray  # (A,) decreasing
    intercepts: np.ndarray  # (A,)
    coefs: np.ndarray  # (A, p)
    folds: tuple | None  # list of (train, test)
    cv: np.ndarray | None  # (A, 4): mean, standard error, is lambda.min, is lambda.1se


@cache
def _archive() -> dict:
    with np.load(Path(__file__).parent / "frozen" / "glmnet.npz") as archive:
        return {key: archive[key] for key in archive.files}


def names() -> list[str]:
    return [case["name"] for case in json.loads(str(_archive()["cases"]))]


@cache
def load(name: str) -> GlmnetCase:
    """Map R's lambda, alpha to ours.

    glmnet rescales y to unit sd (1/n, with the weights), so its ridge weight is lambda (1 - a) / sd(y) while its L1
    weight is lambda a, and it rescales penalty factors to sum to p.
    """
    store = _archive()
    case = next(case for case in json.loads(str(store["cases"])) if case["name"] == name)
    x, y, w, v, fold, lam = (store[f"{case['data']}/{key}"] for key in ("x", "y", "w", "v", "fold", "lambda"))
    weights, factors = (w if case["weights"] else None), (v if case["factors"] else None)
    share = (w if case["weights"] else np.ones(len(y))) / (w.sum() if case["weights"] else len(y))
    sd = np.sqrt(share @ (y - share @ y) ** 2)
    stretch = 1.0 if factors is None else len(v) / v.sum()
    l1, l2 = lam * case["a"] * stretch, lam * (1 - case["a"]) / sd * stretch
    rho = float(l1[0] / (l1[0] + l2[0]))
    free = (
        np.zeros(len(x.T), bool) if factors is None else factors == 0
    )  # glmnet.R leaves unpenalised columns unbounded
    problem = Problem(
        x,
        y,
        (l1 + l2)[0],
        rho,
        weights=weights,
        factors=factors,
        lower=np.where(free, -np.inf, float(case["lower"])),
        upper=np.where(free, np.inf, float(case["upper"])),
        intercept=bool(case["intercept"]),
        standardize=bool(case["standardize"]),
    )
    folds = (
        tuple((np.flatnonzero(fold != k), np.flatnonzero(fold == k)) for k in np.unique(fold)) if case["cv"] else None
    )
    fit = store[f"{name}/fit"]
    return GlmnetCase(name, problem, rho, l1 + l2, fit[:, 0], fit[:, 1:], folds, store.get(f"{name}/cv"))


@dataclass(frozen=True)
class Choice:
    """What cv.glmnet chose of one rho, on data whose penalties need no map (frozen/make_glmnet_1se.py says why)."""

    X: np.ndarray
    y: np.ndarray
    weights: np.ndarray | None
    folds: tuple
    rho: float
    alphas: np.ndarray  # (A,) decreasing
    mean: np.ndarray  # (A,)
    se: np.ndarray  # (A,)
    least: int  # the place of lambda.min
    simplest: int  # the place of lambda.1se


@cache
def choices(weighted: bool) -> tuple[tuple[Choice, ...], ...]:
    """Those with or without weights: for each data set all rho."""
    with np.load(Path(__file__).parent / "frozen" / "glmnet_1se.npz") as archive:
        store = {key: archive[key] for key in archive.files}
    found: dict[int, list[Choice]] = {}
    for k, (data, share, has_weights) in enumerate(store["cases"]):
        if bool(has_weights) != weighted:
            continue
        x, y, w, fold = (store[f"{int(data)}/{key}"] for key in ("x", "y", "w", "fold"))
        folds = tuple((np.flatnonzero(fold != j), np.flatnonzero(fold == j)) for j in np.unique(fold))
        alphas, mean, se, least, simplest = store[str(k)].T
        places = int(np.flatnonzero(least)[0]), int(np.flatnonzero(simplest)[0])
        one = Choice(x, y, w if weighted else None, folds, float(share), alphas, mean, se, *places)
        found.setdefault(int(data), []).append(one)
    return tuple(map(tuple, found.values()))
