"""What a sweep returns: frozen results that are data."""

from jaxnet.result.fit import BestFit, FitOptions, Status
from jaxnet.result.imputations import Imputations
from jaxnet.result.nested_result import NestedResult
from jaxnet.result.sparse_rows import SparseRows
from jaxnet.result.sweep_result import SweepResult

__all__ = ["BestFit", "FitOptions", "Imputations", "NestedResult", "SparseRows", "Status", "SweepResult"]
