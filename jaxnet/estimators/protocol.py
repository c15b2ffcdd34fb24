"""What scikit-learn asks of an estimator, without importing scikit-learn.

Pipelines, searches, `clone`, metadata routing and the notebook display work by duck typing. The methods that must
return scikit-learn's own objects import them inside, because only scikit-learn calls those methods.
"""

import copy
import html
import inspect
import sys
from typing import Any, Self

import numpy as np

from jaxnet.errors import InvalidInput

UNCHANGED = "$UNCHANGED$"  # scikit-learn's marker for "leave this request as it is"


class Estimator:
    """Parameters, printing, cloning and metadata requests of an estimator.

    A subclass lists its parameters in `__init__`, stores each under its own name and does nothing else there.
    """

    _multi_output = False
    _fitted: str  # an attribute that `fit` sets
    _routed: tuple[str, ...] = ()  # methods that take sample weights

    @classmethod
    def _defaults(cls) -> dict[str, Any]:
        parameters = list(inspect.signature(cls.__init__).parameters.values())[1:]
        return {p.name: p.default for p in parameters}

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The constructor's parameters and their present values; `deep` has no effect, as none is an estimator."""
        return {name: getattr(self, name) for name in sorted(self._defaults())}

    def set_params(self, **params: Any) -> Self:
        """Set constructor parameters by name and return the estimator; values are checked in `fit`."""
        valid = sorted(self._defaults())
        for name in params:
            if name not in valid:
                raise InvalidInput(
                    f"Invalid parameter {name!r} for estimator {type(self).__name__}. Valid parameters are: {valid!r}."
                )
        for name, value in params.items():
            setattr(self, name, value)
        return self

    def __repr__(self) -> str:
        defaults = self._defaults()
        with np.printoptions(threshold=6, edgeitems=3):
            shown = [f"{k}={v!r}" for k, v in self.get_params().items() if not _same(v, defaults[k])]
        return f"{type(self).__name__}({', '.join(shown)})"

    def _repr_html_(self) -> str:
        if "sklearn" in sys.modules:
            from sklearn.utils import estimator_html_repr

            return estimator_html_repr(self)
        return f"<pre>{html.escape(repr(self))}</pre>"

    def __sklearn_is_fitted__(self) -> bool:
        return self._fitted in vars(self)

    def __sklearn_clone__(self) -> Self:
        from sklearn.base import clone

        params = {name: clone(value, safe=False) for name, value in self.get_params().items()}
        twin = type(self)(**params)
        if "_requests" in vars(self):
            twin._requests = copy.deepcopy(self._requests)
        return twin

    def get_metadata_routing(self) -> Any:
        """The requests as scikit-learn's own objects, with those of a splitter `cv`; only scikit-learn calls this."""
        from sklearn.utils.metadata_routing import MetadataRequest, MetadataRouter, MethodMapping

        requests = MetadataRequest(owner=self)
        for method in self._routed:
            alias = vars(self).get("_requests", {}).get(method)
            getattr(requests, method).add_request(param="sample_weight", alias=alias)
        if "fit groups" in vars(self).get("_requests", {}):  # else they are a splitter's affair
            requests.fit.add_request(param="groups", alias=self._requests["fit groups"])
        splitter = vars(self).get("cv")
        if not callable(getattr(splitter, "split", None)):
            return requests
        mapping = MethodMapping().add(caller="fit", callee="split")
        return MetadataRouter(owner=self).add_self_request(requests).add(splitter=splitter, method_mapping=mapping)

    def _request(self, name: str, alias: bool | str | None) -> Self:
        """Remember a request: for the weights of a method under its name, for the groups of `fit` under "fit groups"."""
        if alias != UNCHANGED:
            self._requests = {**vars(self).get("_requests", {}), name: alias}
        return self


class DataConversionWarning(UserWarning):
    """Stands in for scikit-learn's class of that name where scikit-learn is not loaded."""


class NotFittedError(ValueError, AttributeError):
    """Stands in for scikit-learn's class of that name where scikit-learn is not loaded."""


def sklearn_class(own: type) -> type:
    """scikit-learn's exception or warning of the same name if it is loaded, so that callers can catch it, else `own`.

    Whoever catches scikit-learn's class has loaded it.
    """
    loaded = sys.modules.get("sklearn.exceptions")
    return own if loaded is None else getattr(loaded, own.__name__)


def _same(value: Any, default: Any) -> bool:
    if value is default:
        return True
    return type(value) is type(default) and not isinstance(value, np.ndarray) and bool(value == default)
