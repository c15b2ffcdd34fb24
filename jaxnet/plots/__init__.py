"""Pictures of results, with matplotlib: `from jaxnet import plots`.

Every function takes `ax=`, a matplotlib Axes to draw on (a new figure by default), and returns the Axes. Colours stay apart for
colour-blind readers (Okabe and Ito 2008); of many columns a few are coloured and named, the others are grey. Needs
matplotlib: `pip install 'jaxnet-elasticnet[plots]'`.
"""

from jaxnet.plots.criteria import criteria_curves
from jaxnet.plots.errors import cv_curve, cv_map
from jaxnet.plots.fit import coefficients, predicted_against_observed, residuals
from jaxnet.plots.missing import missing_patterns
from jaxnet.plots.paths import coefficient_path, rho_path
from jaxnet.plots.stability import stability_paths

__all__ = [
    "coefficient_path",
    "coefficients",
    "criteria_curves",
    "cv_curve",
    "cv_map",
    "missing_patterns",
    "predicted_against_observed",
    "residuals",
    "rho_path",
    "stability_paths",
]
