"""jaxnet fits elastic nets many at a time; the public names, nothing else.

Names load on first use, so that `import jaxnet` and `jaxnet --help` stay fast and touch no device.
"""

from importlib import import_module
from typing import TYPE_CHECKING

__version__ = "0.1.0"

_HOME = {
    "sweep": "sweeps",
    "fit_path": "sweeps",
    "Adaptive": "pipeline.adaptive",
    "Pairwise": "missing.pairwise",
    "SweepResult": "result.sweep_result",
    "BestFit": "result.fit",
    "nested_sweep": "selection.nested",
    "NestedResult": "result.nested_result",
    "Status": "result.fit",
    "Criteria": "selection.criteria",
    "false_selection_bound": "selection.bounds",
    "stability_parameters": "selection.bounds",
    "stability_selection": "selection.stability",
    "StabilityResult": "selection.stability_result",
    "selection_frequencies": "selection.frequencies",
    "SelectionFrequencies": "selection.frequencies",
    "pooled_coefficients": "selection.pooled",
    "PooledCoefficients": "selection.pooled",
    "Explanation": "selection.explanation",
    "KFold": "resampling",
    "RepeatedKFold": "resampling",
    "Bootstrap": "resampling",
    "ComplementaryPairs": "resampling",
    "GroupKFold": "resampling",
    "StratifiedKFold": "resampling",
    "LeaveOneGroupOut": "resampling",
    "NeighbourFill": "missing.neighbours",
    "IterativeFill": "missing.iterative",
    "MultipleFill": "missing.multiple",
    "convert_penalty": "penalty.dialects",
    "ElasticNet": "estimators",
    "Lasso": "estimators",
    "ElasticNetCV": "estimators",
    "LassoCV": "estimators",
    "StabilitySelection": "estimators",
    "enet_path": "estimators.path",
    "lasso_path": "estimators.path",
    "enable_compile_cache": "execution.compilation",
    "save": "persistence",
    "load": "persistence",
    "read_metadata": "persistence",
    "expand_features": "data.expansion",
    "FeatureExpansion": "data.expansion",
    "Missing": "missing.options",
    "SimpleFill": "missing.simple",
    "CompleteCases": "missing.complete",
    "Preparation": "missing.preparation",
    "prepare": "pipeline.features",
    "Categories": "data.categories",
    "Encoding": "data.encoding",
    "missing_patterns": "missing.analysis.patterns",
    "MissingPatterns": "missing.analysis.patterns",
    "Store": "store.reading",
    "StoredRun": "store.reading",
    "load_diabetes": "data.examples",
    "load_penguins": "data.examples",
    "make_genomics": "data.generator",
    "InvalidInput": "errors",
    "ConvergenceWarning": "errors",
}
_MODULES = ("plots",)
"""Modules of public names of their own."""

if TYPE_CHECKING:  # for editors and type checkers, which do not see what loads on first use
    from jaxnet import plots as plots
    from jaxnet.data.categories import Categories as Categories
    from jaxnet.data.encoding import Encoding as Encoding
    from jaxnet.data.examples import load_diabetes as load_diabetes
    from jaxnet.data.examples import load_penguins as load_penguins
    from jaxnet.data.expansion import FeatureExpansion as FeatureExpansion
    from jaxnet.data.expansion import expand_features as expand_features
    from jaxnet.data.generator import make_genomics as make_genomics
    from jaxnet.errors import ConvergenceWarning as ConvergenceWarning
    from jaxnet.errors import InvalidInput as InvalidInput
    from jaxnet.estimators import ElasticNet as ElasticNet
    from jaxnet.estimators import ElasticNetCV as ElasticNetCV
    from jaxnet.estimators import Lasso as Lasso
    from jaxnet.estimators import LassoCV as LassoCV
    from jaxnet.estimators import StabilitySelection as StabilitySelection
    from jaxnet.estimators.path import enet_path as enet_path
    from jaxnet.estimators.path import lasso_path as lasso_path
    from jaxnet.execution.compilation import enable_compile_cache as enable_compile_cache
    from jaxnet.missing.analysis.patterns import MissingPatterns as MissingPatterns
    from jaxnet.missing.analysis.patterns import missing_patterns as missing_patterns
    from jaxnet.missing.complete import CompleteCases as CompleteCases
    from jaxnet.missing.iterative import IterativeFill as IterativeFill
    from jaxnet.missing.multiple import MultipleFill as MultipleFill
    from jaxnet.missing.neighbours import NeighbourFill as NeighbourFill
    from jaxnet.missing.options import Missing as Missing
    from jaxnet.missing.pairwise import Pairwise as Pairwise
    from jaxnet.missing.preparation import Preparation as Preparation
    from jaxnet.missing.simple import SimpleFill as SimpleFill
    from jaxnet.penalty.dialects import convert_penalty as convert_penalty
    from jaxnet.persistence import load as load
    from jaxnet.persistence import read_metadata as read_metadata
    from jaxnet.persistence import save as save
    from jaxnet.pipeline.adaptive import Adaptive as Adaptive
    from jaxnet.pipeline.features import prepare as prepare
    from jaxnet.resampling import Bootstrap as Bootstrap
    from jaxnet.resampling import ComplementaryPairs as ComplementaryPairs
    from jaxnet.resampling import GroupKFold as GroupKFold
    from jaxnet.resampling import KFold as KFold
    from jaxnet.resampling import LeaveOneGroupOut as LeaveOneGroupOut
    from jaxnet.resampling import RepeatedKFold as RepeatedKFold
    from jaxnet.resampling import StratifiedKFold as StratifiedKFold
    from jaxnet.result.fit import BestFit as BestFit
    from jaxnet.result.fit import Status as Status
    from jaxnet.result.nested_result import NestedResult as NestedResult
    from jaxnet.result.sweep_result import SweepResult as SweepResult
    from jaxnet.selection.bounds import false_selection_bound as false_selection_bound
    from jaxnet.selection.bounds import stability_parameters as stability_parameters
    from jaxnet.selection.criteria import Criteria as Criteria
    from jaxnet.selection.explanation import Explanation as Explanation
    from jaxnet.selection.frequencies import SelectionFrequencies as SelectionFrequencies
    from jaxnet.selection.frequencies import selection_frequencies as selection_frequencies
    from jaxnet.selection.nested import nested_sweep as nested_sweep
    from jaxnet.selection.pooled import PooledCoefficients as PooledCoefficients
    from jaxnet.selection.pooled import pooled_coefficients as pooled_coefficients
    from jaxnet.selection.stability import stability_selection as stability_selection
    from jaxnet.selection.stability_result import StabilityResult as StabilityResult
    from jaxnet.store.reading import Store as Store
    from jaxnet.store.reading import StoredRun as StoredRun
    from jaxnet.sweeps import fit_path as fit_path
    from jaxnet.sweeps import sweep as sweep

__all__ = [*sorted(_HOME), "__version__"]


def __getattr__(name: str):
    if name in _MODULES:
        return import_module(f"jaxnet.{name}")
    if name not in _HOME:
        raise AttributeError(f"module 'jaxnet' has no attribute {name!r}")
    return getattr(import_module(f"jaxnet.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, *_MODULES]
