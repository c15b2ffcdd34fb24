"""jaxnet's own classes that a file may hold: how each comes apart into named parts and is built from them.

A new class is one entry of `KINDS`. Files name a class without its module, so that a class can move.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import MISSING, dataclass, fields
from importlib import import_module
from typing import Any

from jaxnet.errors import InvalidInput
from jaxnet.persistence import checks, encoding_checks, missing_checks


@dataclass(frozen=True)
class Kind(ABC):
    """One class: the module it lives in, and whether the parts of a built object `fit` together."""

    home: str
    fit: Callable[[Any], bool]

    @abstractmethod
    def parts(self, value: Any, place: str) -> dict[str, Any]:
        """What is saved of `value`, by name; raises `InvalidInput` naming `place` if that is not all of it."""

    @abstractmethod
    def names(self, cls: type) -> tuple[set[str], set[str]]:
        """The names of the parts a file must have, and of those it may have besides."""

    @abstractmethod
    def build(self, cls: type, parts: dict[str, Any]) -> Any:
        """The object from its parts, whose names are right."""


class Data(Kind):
    """A dataclass: its fields. Files may lack a field with a default, as one added in a later version must have."""

    def parts(self, value: Any, place: str) -> dict[str, Any]:
        return {field.name: getattr(value, field.name) for field in fields(value)}

    def names(self, cls: type) -> tuple[set[str], set[str]]:
        everything = {field.name for field in fields(cls)}
        optional = {field.name for field in fields(cls) if field.default is not MISSING}
        return everything - optional, optional

    def build(self, cls: type, parts: dict[str, Any]) -> Any:
        return cls(**parts)


class Record(Kind):
    """A named tuple: its fields."""

    def parts(self, value: Any, place: str) -> dict[str, Any]:
        return value._asdict()

    def names(self, cls: type) -> tuple[set[str], set[str]]:
        optional = set(cls._field_defaults)
        return set(cls._fields) - optional, optional

    def build(self, cls: type, parts: dict[str, Any]) -> Any:
        return cls(**parts)


class Member(Kind):
    """A member of an enumeration: its name."""

    def parts(self, value: Any, place: str) -> dict[str, Any]:
        return {"name": value.name}

    def names(self, cls: type) -> tuple[set[str], set[str]]:
        return {"name"}, set()

    def build(self, cls: type, parts: dict[str, Any]) -> Any:
        return cls.__members__.get(parts["name"]) if isinstance(parts["name"], str) else None


class Estimator(Kind):
    """An estimator, fitted or not: its parameters, fitted attributes and metadata requests, nothing else."""

    def parts(self, value: Any, place: str) -> dict[str, Any]:
        everything = vars(value)
        own = sorted(everything.keys() - set().union(*self.names(type(value))))
        if own:
            raise InvalidInput(
                f"cannot save {place}: {type(value).__name__} has an attribute {own[0]!r} that is not jaxnet's; delete it, "
                "or save it beside the model, {'model': model, 'more': ...}."
            )
        return dict(everything)

    def names(self, cls: type) -> tuple[set[str], set[str]]:
        optional = {*cls._defaults(), *checks.FITTED[cls.__name__], *checks.SOMETIMES, "_requests"}
        return set(), optional

    def build(self, cls: type, parts: dict[str, Any]) -> Any:
        parameters = cls._defaults().keys()
        model = cls(**{name: value for name, value in parts.items() if name in parameters})
        for name in parts.keys() - parameters:
            setattr(model, name, parts[name])
        return model


def class_of(name: str) -> type:
    """The class that a file calls `name`."""
    return getattr(import_module(KINDS[name].home), name)


def kind_of(value: Any) -> Kind | None:
    """The kind of an object, None if jaxnet has no such class (a subclass is another class)."""
    cls = type(value)
    kind = KINDS.get(cls.__name__)
    return kind if kind is not None and kind.home == cls.__module__ else None


KINDS: dict[str, Kind] = {
    "SweepResult": Data("jaxnet.result.sweep_result", checks.is_sweep_result),
    "Imputations": Data("jaxnet.result.imputations", checks.is_imputations),
    "PooledCoefficients": Data("jaxnet.selection.pooled", checks.is_pooled_coefficients),
    "FitOptions": Data("jaxnet.result.fit", checks.is_fit_options),
    "SparseRows": Data("jaxnet.result.sparse_rows", checks.is_sparse_rows),
    "BestFit": Data("jaxnet.result.fit", checks.is_best_fit),
    "Status": Member("jaxnet.result.fit", lambda value: value is not None),
    "NestedResult": Data("jaxnet.result.nested_result", checks.is_nested_result),
    "KFold": Data("jaxnet.resampling.splits", checks.is_kfold),
    "RepeatedKFold": Data("jaxnet.resampling.splits", checks.is_repeated_kfold),
    "Bootstrap": Data("jaxnet.resampling.splits", checks.is_bootstrap),
    "GroupKFold": Data("jaxnet.resampling.grouped", checks.is_kfold),
    "LeaveOneGroupOut": Data("jaxnet.resampling.grouped", lambda splitter: True),
    "StratifiedKFold": Data("jaxnet.resampling.stratified", checks.is_stratified_kfold),
    "Criteria": Data("jaxnet.selection.criteria", checks.is_criteria),
    "StabilityResult": Data("jaxnet.selection.stability_result", checks.is_stability_result),
    "StabilityParameters": Record("jaxnet.selection.bounds", checks.is_stability_parameters),
    "SelectionFrequencies": Data("jaxnet.selection.frequencies", checks.is_selection_frequencies),
    "Frequencies": Record("jaxnet.selection.frequencies", checks.is_frequencies),
    "Explanation": Data("jaxnet.selection.explanation", checks.is_explanation),
    "FeatureExpansion": Data("jaxnet.data.expansion", checks.is_feature_expansion),
    "Categories": Data("jaxnet.data.categories", encoding_checks.is_categories),
    "Encoding": Data("jaxnet.data.encoding", encoding_checks.is_encoding),
    "ComplementaryPairs": Data("jaxnet.resampling.grouped", checks.is_complementary_pairs),
    "MissingPatterns": Data("jaxnet.missing.analysis.patterns", missing_checks.is_missing_patterns),
    "Comparisons": Record("jaxnet.missing.analysis.comparisons", missing_checks.is_comparisons),
    "LittleTest": Record("jaxnet.missing.analysis.little", missing_checks.is_little_test),
    "Sentinel": Record("jaxnet.missing.analysis.hints", missing_checks.is_sentinel),
    "Adaptive": Data("jaxnet.pipeline.adaptive", checks.is_adaptive),
    "Pairwise": Data("jaxnet.missing.pairwise", missing_checks.is_fill),
    "NeighbourFill": Data("jaxnet.missing.neighbours", missing_checks.is_fill),
    "NeighbourFiller": Data("jaxnet.missing.neighbours", missing_checks.is_neighbour_filler),
    "IterativeFill": Data("jaxnet.missing.iterative", missing_checks.is_fill),
    "IterativeFiller": Data("jaxnet.missing.iterative", missing_checks.is_iterative_filler),
    "MultipleFill": Data("jaxnet.missing.multiple", missing_checks.is_fill),
    "MultipleFiller": Data("jaxnet.missing.multiple", missing_checks.is_multiple_filler),
    "Missing": Data("jaxnet.missing.options", missing_checks.is_missing),
    "SimpleFill": Data("jaxnet.missing.simple", missing_checks.is_fill),
    "SimpleFiller": Data("jaxnet.missing.simple", missing_checks.is_simple_filler),
    "CompleteCases": Data("jaxnet.missing.complete", lambda value: True),
    "Unfilled": Data("jaxnet.missing.complete", lambda value: True),
    "Preparation": Data("jaxnet.missing.preparation", missing_checks.is_preparation),
    "ElasticNet": Estimator("jaxnet.estimators.single", checks.is_estimator),
    "Lasso": Estimator("jaxnet.estimators.single", checks.is_estimator),
    "ElasticNetCV": Estimator("jaxnet.estimators.crossval", checks.is_estimator),
    "LassoCV": Estimator("jaxnet.estimators.crossval", checks.is_estimator),
    "StabilitySelection": Estimator("jaxnet.estimators.stability", checks.is_selector),
}
