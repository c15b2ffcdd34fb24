"""R glmnet, run by `glmnet.R` beside this file: one `glmnet` per fold and rho, spread over cores by `mclapply`."""

import subprocess
from pathlib import Path

from benchmarks.solvers.base import NotInstalled, Solver, environment


class Glmnet(Solver):
    """`tol` is glmnet's `thresh`."""

    name = "glmnet"
    install = "apt-get install r-cran-glmnet r-cran-jsonlite, then --rscript Rscript"
    interpreter = "rscript"
    exponent = 0.5

    def first_tolerance(self, target: float) -> float:
        return 1e-10 if target > 1e-5 else 1e-14

    def versions(self, executable: str) -> dict[str, str]:
        code = (
            "suppressMessages({library(glmnet); library(jsonlite); library(parallel)});"
            'cat("glmnet=", as.character(packageVersion("glmnet")), " R=", as.character(getRversion()), sep="")'
        )
        try:
            done = subprocess.run([executable, "-e", code], capture_output=True, text=True, env=environment())
        except OSError as error:
            raise NotInstalled(f"{error}; {self.install}") from None
        if done.returncode:
            raise NotInstalled(f"{done.stderr.strip().splitlines()[0]}; {self.install}")
        return dict(pair.split("=", 1) for pair in done.stdout.split())

    def command(self, executable: str, folder: Path, arguments: list[str]) -> list[str]:
        return [executable, str(Path(__file__).with_name("glmnet.R")), str(folder), *arguments]

    def default_executable(self) -> str:
        return "Rscript"
