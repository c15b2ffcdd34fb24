"""Resampling schemes become row weights: what a group of lanes trains on and what it is scored on."""

from jaxnet.resampling.grouped import ComplementaryPairs, GroupKFold, LeaveOneGroupOut
from jaxnet.resampling.multiplicities import Resamples, resamples
from jaxnet.resampling.splits import Bootstrap, KFold, RepeatedKFold
from jaxnet.resampling.stratified import StratifiedKFold

__all__ = [
    "Bootstrap",
    "ComplementaryPairs",
    "GroupKFold",
    "KFold",
    "LeaveOneGroupOut",
    "RepeatedKFold",
    "Resamples",
    "StratifiedKFold",
    "resamples",
]
