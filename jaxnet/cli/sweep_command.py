"""`jaxnet sweep`: a table in, a certified and cross-validated model out."""

import argparse
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from jaxnet import __version__
from jaxnet.cli.console import note, say
from jaxnet.cli.csv_text import CsvText
from jaxnet.cli.dataset import Dataset, load_dataset
from jaxnet.cli.filling_options import NAMES as FILLING
from jaxnet.cli.interrupt import Check, watched
from jaxnet.cli.one_file import check_apart
from jaxnet.cli.run_folder import check_free, write_run
from jaxnet.cli.spelling_options import NAMES as SPELLING
from jaxnet.cli.spelling_options import as_told
from jaxnet.cli.summary import Summary, coefficient_rows, cv_rows
from jaxnet.errors import InvalidInput
from jaxnet.execution.compilation import enable_compile_cache
from jaxnet.pipeline.adaptive import Adaptive
from jaxnet.resampling import GroupKFold, KFold
from jaxnet.result import SweepResult
from jaxnet.selection.criteria import CRITERIA
from jaxnet.store.entry import Entry


def run(args: argparse.Namespace, check_interrupt: Check) -> None:
    """Carry out `jaxnet sweep` as `args` ask."""
    check_apart(out=args.out, store=args.store)
    if args.out is not None:
        check_free(args.out, args.overwrite)
    dataset = load_dataset(args)
    _check_rule(args, dataset)
    folds = _folds(args, dataset)
    _announce(args, dataset, folds)
    start = time.monotonic()
    result = _sweep(args, dataset, folds, check_interrupt)
    seconds = time.monotonic() - start
    how = {"percent": args.percent, "simplest": args.simplest or "nonzeros", "seconds": seconds}
    summarise = partial(Summary.of, dataset, result, folds, **how)
    averaged = ", averaged by their rows" if args.fold_average == "rows" else ""
    told = {"standardized": not args.no_standardize, "folds": _describe(args, folds) + averaged}
    try:
        summary = summarise(rule=args.rule)
    except InvalidInput:  # a criterion with no least value, say: what the sweep found is shown all the same
        say(summarise(rule="min").text(**told, out=None) + "\n")
        raise
    text = partial(summary.text, **told)
    if args.out is not None:
        try:
            _write(args, summary, _request(args, folds, result))
        except (OSError, InvalidInput):  # a sweep can take hours: what it found is shown all the same
            say(text(out=None) + "\n")
            raise
    say(text(out=args.out) + "\n")


def _write(args: argparse.Namespace, summary: Summary, request: dict[str, Any]) -> None:
    target, result = summary.dataset.target, summary.result
    chosen = {rule: best.index for rule, best in summary.best.items()}
    csv_text = CsvText(args.raw_text)
    write_run(
        args.out,
        args.overwrite,
        model={
            "kind": "jaxnet run",
            "rule": args.rule,
            "percent": args.percent,
            "simplest": summary.simplest,
            "chosen": chosen,
            "target": target,
            "id": args.id,
            "weights": args.weights,
            "spelling": as_told(args),
            "sd": summary.sd,
            "result": result,
        },
        tables={"coefficients.csv": csv_text(coefficient_rows(summary)), "cv.csv": csv_text(cv_rows(summary))},
        summary={"jaxnet": __version__, "data": summary.data(), "request": request, **summary.outcome()},
        fingerprint=summary.dataset.fingerprint(),
    )
    csv_text.tell()


def _check_rule(args: argparse.Namespace, dataset: Dataset) -> None:
    """Refuse before the sweep a rule that cannot be followed after it."""
    if args.rule in CRITERIA and dataset.missing is not None and dataset.missing.fill.pool is not None:
        raise InvalidInput(
            f"--rule {args.rule} is of fits to one X, and --missing {args.missing} fits several: choose another rule, or fill."
        )


Folds = KFold | GroupKFold | np.ndarray  # the last of fold numbers


def _folds(args: argparse.Namespace, dataset: Dataset) -> Folds:
    if dataset.folds is not None:
        return dataset.folds
    return _dealt(args, args.cv)


def _dealt(args: argparse.Namespace, count: int) -> KFold | GroupKFold:
    """So many folds, of rows or of groups, as the options deal them."""
    shuffle = args.shuffle or args.seed is not None
    kind = KFold if args.groups is None else GroupKFold
    return kind(count, shuffle=shuffle, seed=(args.seed or 0) if shuffle else None)


def _describe(args: argparse.Namespace, folds: Folds) -> str:
    if isinstance(folds, np.ndarray):
        return f"{len(np.unique(folds[folds >= 0]))} folds of column {args.folds!r}"
    how = f"shuffled (seed {folds.seed})" if folds.shuffle else ""
    if args.groups is not None:
        return f"{folds.n_splits} folds of whole groups ({args.groups!r})" + (how and f", {how}")
    return f"{folds.n_splits} folds, {how or 'contiguous rows'}"


def _announce(args: argparse.Namespace, dataset: Dataset, folds: Folds) -> None:
    n, p = len(dataset.y), len(dataset.features)
    note(f"read {dataset.source}: {n:,} rows, {p:,} features, target {dataset.target!r}.", args.quiet)
    for remark in dataset.remarks():
        note(remark, args.quiet)
    steps = np.diff(dataset.y)
    blocks = isinstance(folds, KFold) and not folds.shuffle
    if blocks and len(steps) > 2 and steps.any() and (np.all(steps >= 0) or np.all(steps <= 0)):
        note(f"the rows are sorted by {dataset.target!r}, so folds of neighbours mislead: add --shuffle.", args.quiet)


def _sweep(args: argparse.Namespace, dataset: Dataset, folds: Folds, check_interrupt: Check) -> SweepResult:
    """The whole grid, its features named."""
    enable_compile_cache()
    options = {"alpha_min_ratio": args.alpha_min_ratio, "dtype": args.dtype, "device": args.device}
    if args.adaptive is not None:
        options["adaptive"] = Adaptive(gamma=args.adaptive, cv=_dealt(args, 5))
    grid = {"rho": _floats(args.rho), "alphas": _alphas(args.alphas), "relax": _floats(args.relax)}
    chosen = {name: value for name, value in {**options, **grid}.items() if value is not None}
    from jaxnet.sweeps import sweep  # after the cache is set up: this imports JAX

    with watched(check_interrupt, args.quiet) as progress, _naming_its_options(args):
        result = sweep(
            dataset.fitted,
            dataset.y,
            cv=folds,
            groups=dataset.groups,
            metric=args.metric,
            fold_average=args.fold_average,
            sample_weight=dataset.weights,
            standardize=not args.no_standardize,
            tol=args.tol,
            max_iter=args.max_iter,
            missing=dataset.missing,
            categories=dataset.categories,
            progress=progress,
            store=_entry(args, dataset),
            run=args.run,
            **chosen,
        )
    check_interrupt()
    return result if dataset.prepared is not None else replace(result, feature_names=dataset.features)


@contextmanager
def _naming_its_options(args: argparse.Namespace) -> Iterator[None]:
    """Advice names what the command has: --shuffle, where complete cases leave nothing of some neighbours."""
    from jaxnet.missing.options import NoCompleteRows  # which may import JAX

    try:
        yield
    except NoCompleteRows as error:
        raise NoCompleteRows(error.where, "--shuffle, in place of --folds" if args.folds else "--shuffle") from None


def _entry(args: argparse.Namespace, dataset: Dataset) -> Entry | None:
    """Where the sweep is kept, and what to say of it there."""
    if args.store is None:
        return None

    def announce(name: str, fits: int, stored: int) -> None:
        there = f"{stored:,} of {fits:,} fits are there already" if stored else f"{fits:,} fits will be kept there"
        note(f"{args.store}, run {name!r}: {there}.", args.quiet)

    about = {"source": dataset.source, "target": dataset.target}
    names = dataset.features if dataset.prepared is None else None
    return Entry(args.store, about=about, features=names, resume=args.resume, announce=announce)


def _floats(parts: list[list[str]] | None) -> list[float] | None:
    return None if parts is None else [float(text) for group in parts for text in group]


def _alphas(parts: list[list[str]] | None) -> int | list[float] | None:
    """A single whole number counts strengths; anything else lists them."""
    flat = [text for group in parts or [] for text in group]
    if len(flat) == 1 and flat[0].lstrip("+-").isdigit():
        return int(flat[0])
    return _floats(parts)


def _told(args: argparse.Namespace, folds: Folds, result: SweepResult) -> dict[str, Any]:
    """The folds, for summary.json."""
    groups = {} if args.groups is None else {"groups": args.groups}
    if isinstance(folds, np.ndarray):
        return {"folds": int(result.errors.shape[-1]), "column": args.folds, **groups}
    return {"folds": folds.n_splits, "shuffle": folds.shuffle, "seed": folds.seed, **groups}


def _request(args: argparse.Namespace, folds: Folds, result: SweepResult) -> dict[str, Any]:
    """The options as they were understood, for summary.json."""
    names = ("drop", "id", "weights", "metric", "rule", "percent", "adaptive", "tol", "max_iter", "dtype", "device")
    relax = _floats(args.relax)
    simplest = args.simplest or "nonzeros"
    return {
        "rho": [float(r) for r in result.rho[:: len(relax or [1.0])]],
        "alphas_per_rho": int(result.alphas.shape[-1]),
        "cv": _told(args, folds, result),
        "standardize": not args.no_standardize,
        "relax": relax,
        "simplest": simplest,
        "fold_average": args.fold_average,
        **{name: getattr(args, name) for name in (*names, *FILLING, *SPELLING)},
    }
