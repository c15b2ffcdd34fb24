"""The words that options take, each list once; what carries them out is a registry under the same names. Imports nothing."""

RULES = ("min", "1se", "percent")
"""By held-out errors (selection/rules.py)."""
SEEKING = frozenset(("1se", "percent"))
"""The rules that look for the simplest fit."""
SIMPLEST = {"df": "fewest degrees of freedom", "nonzeros": "fewest nonzeros", "alpha": "largest alpha"}
"""What a rule that wants the simplest fit can go by."""
CRITERIA = ("aic", "aicc", "bic", "ebic")
"""Information criteria, which are rules too (selection/criteria.py)."""
METRICS = {"mse": "MSE", "mae": "MAE", "r2": "1 - R2"}
"""Of held-out errors, with what tables and pictures call them (metrics.py)."""
FOLD_AVERAGES = ("folds", "rows")
"""What counts alike in the mean over folds."""
POOLS = ("average", "stacked", "grouped")
"""How fits to several fillings are pooled."""
BOUNDS = ("unimodal", "worst-case", "meinshausen-buehlmann", "r-concave")
"""On the false selections of stability selection (selection/bounds.py)."""
