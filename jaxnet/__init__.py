"""jaxnet fits elastic nets many at a time; the public names, nothing else.

Names load on first use, so that `import jaxnet` and `jaxnet --help` stay fast and touch no device.
"""

from importlib import import_module

__version__ = "0.1.0"

_HOME = {
    "sweep": "sweeps",
    "fit_path": "sweeps",
    "SweepResult": "result",
    "BestFit": "result",
    "Status": "result",
    "Criteria": "selection.criteria",
    "false_selection_bound": "selection.bounds",
    "stability_parameters": "selection.bounds",
    "KFold": "resampling",
    "convert_penalty": "penalty",
    "ElasticNet": "estimators",
    "Lasso": "estimators",
    "ElasticNetCV": "estimators",
    "LassoCV": "estimators",
    "enable_compile_cache": "compilation",
    "save": "persistence",
    "load": "persistence",
    "load_diabetes": "data.examples",
    "make_genomics": "data.generator",
    "InvalidInput": "errors",
    "ConvergenceWarning": "errors",
}

__all__ = [*sorted(_HOME), "__version__"]


def __getattr__(name: str):
    if name not in _HOME:
        raise AttributeError(f"module 'jaxnet' has no attribute {name!r}")
    return getattr(import_module(f"jaxnet.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__
