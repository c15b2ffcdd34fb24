"""The registry: one file per solver, one entry here."""

from benchmarks.solvers.adelie import Adelie
from benchmarks.solvers.base import Solver
from benchmarks.solvers.celer import Celer
from benchmarks.solvers.glmnet import Glmnet
from benchmarks.solvers.jaxnet import Jaxnet
from benchmarks.solvers.scikit_learn import ScikitLearn
from benchmarks.solvers.skglm import Skglm

SOLVERS: dict[str, Solver] = {s.name: s for s in (Jaxnet(), ScikitLearn(), Glmnet(), Adelie(), Celer(), Skglm())}
