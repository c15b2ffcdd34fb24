"""Estimators with scikit-learn's names, signatures and fitted attributes, on top of `jaxnet.sweep`."""

from jaxnet.estimators.crossval import ElasticNetCV, LassoCV
from jaxnet.estimators.single import ElasticNet, Lasso
from jaxnet.estimators.stability import StabilitySelection

__all__ = ["ElasticNet", "ElasticNetCV", "Lasso", "LassoCV", "StabilitySelection"]
