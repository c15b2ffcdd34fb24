"""What the benchmark asks of a solver. The parent process launches it; the worker process runs it."""

import importlib.metadata
import os
import subprocess
import sys
from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import numpy as np

from benchmarks.fits import Fits
from benchmarks.problem import Problem

REPOSITORY = Path(__file__).resolve().parents[2]


class NotInstalled(Exception):
    """A solver cannot run here; the message says how to install it."""


@dataclass(frozen=True)
class Answer:
    """What one call returns: `errors` (q, R, A), the mean held-out squared error over groups 1.. (None without folds).

    `fits` has the coefficients of all groups where they were asked for, else of the full data alone (group 0).
    """

    fits: Fits
    errors: np.ndarray | None


class Solver(ABC):
    """A solver under test, in the parent process.

    A tolerance is in the solver's own meaning; its worst gap is taken to grow like tol^`exponent` while one is searched for,
    or `exponent` is None: then the tolerance bounds the gap itself and `first_tolerance` is used as it is.
    `one_response` says that it takes the responses of a workload one at a time.
    """

    name: ClassVar[str]
    install: ClassVar[str]
    interpreter: ClassVar[str]  # the option of `benchmarks.run` and environment variable that name its executable
    one_response: ClassVar[bool] = True

    exponent: ClassVar[float | None]

    @abstractmethod
    def first_tolerance(self, target: float) -> float:
        """Where to begin looking for the loosest tolerance that meets a target."""

    @abstractmethod
    def versions(self, executable: str) -> dict[str, str]:
        """Versions of what it runs on. Raises NotInstalled."""

    @abstractmethod
    def command(self, executable: str, folder: Path, arguments: list[str]) -> list[str]:
        """The command line of a worker; `arguments` are those of `benchmarks.worker` after the solver's name."""

    @abstractmethod
    def default_executable(self) -> str:
        """Where its interpreter is if nobody says."""


class PythonSolver(Solver):
    """A solver that is called from Python, perhaps in another environment; `solve` runs in the worker."""

    packages: ClassVar[tuple[str, ...]]
    threads_from_environment: ClassVar[bool] = False  # whether its BLAS may use all cores in the worker

    @abstractmethod
    def solve(self, problem: Problem, tol: float, *, threads: int, keep_folds: bool) -> Answer:
        """Fit every group's grid, as its user would."""

    @property
    @abstractmethod
    def keeping_is_free(self) -> bool:
        """Whether the timed call keeps the fold coefficients anyway, so that it can be judged itself."""

    def versions(self, executable: str) -> dict[str, str]:
        code = f"from benchmarks.solvers.base import print_versions; print_versions({self.packages!r})"
        try:
            done = subprocess.run([executable, "-c", code], capture_output=True, text=True, env=environment())
        except OSError as error:
            raise NotInstalled(f"{error}; {self.install}") from None
        if done.returncode:
            raise NotInstalled(f"{done.stderr.strip().splitlines()[-1]}; {self.install}")
        return dict(line.split("=", 1) for line in done.stdout.split())

    def command(self, executable: str, folder: Path, arguments: list[str]) -> list[str]:
        return [executable, "-m", "benchmarks.worker", str(folder), self.name, *arguments]

    def default_executable(self) -> str:
        return sys.executable


def environment(**extra: str) -> dict[str, str]:
    """The environment of a worker: this repository is importable."""
    return {**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONWARNINGS": "ignore", **extra}


def print_versions(packages: tuple[str, ...]) -> None:
    """One line `name=version` per distribution; fails where one is missing."""
    for package in packages:
        print(f"{package}={importlib.metadata.version(package)}")
    print(f"python={sys.version.split()[0]}")
