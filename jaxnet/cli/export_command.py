"""`jaxnet export`: a finished sweep as Parquet or NPZ, for other programs. Needs no JAX."""

import argparse
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from jaxnet.cli.console import note
from jaxnet.cli.finished_sweep import find_sweep
from jaxnet.cli.interrupt import Check
from jaxnet.cli.one_file import check_file, check_installed
from jaxnet.data.atomic import atomic_file
from jaxnet.errors import InvalidInput
from jaxnet.result import SparseRows, Status, SweepResult


def run(args: argparse.Namespace, check_interrupt: Check) -> None:
    """Carry out `jaxnet export` as `args` ask."""
    kind = Path(args.out).suffix.lower()
    if kind not in (".npz", ".parquet"):
        raise InvalidInput(f"--out {args.out}: jaxnet exports to .parquet and .npz files.")
    check_file(args.out, args.overwrite, "the export")
    if kind == ".parquet":
        check_installed("a .parquet file", "pyarrow")
    result = find_sweep(args.source, args.run).result
    check_interrupt()
    try:
        with atomic_file(args.out) as file:
            if kind == ".npz":
                np.savez(file, **arrays(result))
            else:
                _write_parquet(fit_columns(result) if args.what == "fits" else coefficient_columns(result), file)
    except OSError as error:
        raise OSError(error.errno, f"cannot write --out {args.out}: {error.strerror or error}") from error
    note(f"wrote {args.out}.", args.quiet)


def arrays(result: SweepResult) -> dict[str, np.ndarray]:
    """Every array of a result, by the names of its fields; coefficients as `coefs_values`, `coefs_columns`, `coefs_starts`."""
    found = {}
    for name, value in vars(result).items():
        if isinstance(value, SparseRows):
            found |= {f"{name}_{part}": getattr(value, part) for part in ("values", "columns", "starts")}
            found["n_columns"] = np.array(value.n_columns)
        elif isinstance(value, (np.ndarray, float)):
            found[name] = np.asarray(value)
    if result.feature_names is not None:
        found["feature_names"] = np.array(result.feature_names)
    options = {name: value for name, value in vars(result.options).items() if value is not None}
    return {**found, **{name: np.asarray(value) for name, value in options.items()}}


def fit_columns(result: SweepResult) -> dict[str, Any]:
    """One row per grid point: the fit to all rows, and the held-out errors."""
    columns = _grid(result)
    columns |= {"intercept": result.intercepts.ravel(), "nonzeros": result.nonzeros.ravel()}
    whole = {"gap": result.gap, "kkt": result.kkt, "iterations": result.iterations}
    columns |= {name: value[..., 0].ravel() for name, value in whole.items()}
    columns["status"] = [Status(int(code)).name.lower() for code in result.status[..., 0].ravel()]
    if result.errors is not None:
        columns |= {"cv_error": result.error_mean.ravel(), "cv_se": result.error_se.ravel()}
        folds = result.errors.reshape(-1, result.errors.shape[-1]).T
        columns |= {f"error_{fold}": errors for fold, errors in enumerate(folds)}
        columns["worst_gap"] = result.gap.max(axis=-1).ravel()
    return columns


def coefficient_columns(result: SweepResult) -> dict[str, Any]:
    """One row per coefficient that is not zero, of the fits to all rows."""
    counts = result.coefs.counts()
    columns: dict[str, Any] = {name: np.repeat(values, counts) for name, values in _grid(result).items()}
    columns["column"] = result.coefs.columns
    if result.feature_names is not None:
        columns["feature"] = [result.feature_names[j] for j in result.coefs.columns.tolist()]
    return {**columns, "coefficient": result.coefs.values}


def _grid(result: SweepResult) -> dict[str, np.ndarray]:
    at = np.indices(result.alphas.shape).reshape(result.alphas.ndim, -1)
    responses = {} if result.n_responses is None else {"response": at[0]}
    return {**responses, "rho": result.rho[at[-2]], "alpha": result.alphas.ravel()}


def _write_parquet(columns: dict[str, Any], file: BinaryIO) -> None:
    import pyarrow
    from pyarrow import parquet

    parquet.write_table(pyarrow.table(columns), file)
