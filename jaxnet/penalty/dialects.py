"""The elastic net's strength and L1 share as jaxnet and scikit-learn, R glmnet and textbooks have them."""

import numpy as np

from jaxnet.errors import InvalidInput

DIALECTS = ("sklearn", "glmnet", "unhalved")


def convert_penalty(alpha, rho, *, from_: str, to: str = "sklearn", y=None, sample_weight=None):
    """Translate (strength, L1 share) between three parametrisations of the elastic net.

    - "sklearn" (and jaxnet):  alpha (rho ||b||_1 + (1-rho)/2 ||b||^2)
    - "glmnet":  R glmnet's lambda and alpha for an unscaled response. glmnet standardises y inside, so that its
      ridge weight acts as lambda (1-a) / sd(y) while its L1 weight stays lambda a (sd with 1/n).
    - "unhalved":  alpha (rho ||b||_1 + (1-rho) ||b||^2), the form of many textbooks.

    Parameters: `alpha`, `rho` scalars or arrays that broadcast; `y` (n,) is needed for "glmnet" only, with
    `sample_weight` if the fit has weights. Returns the pair (alpha, rho) in dialect `to`. Raises InvalidInput for an
    unknown dialect, values outside alpha >= 0, 0 <= rho <= 1, or a missing or constant y.

    >>> from jaxnet import convert_penalty
    >>> alpha, rho = convert_penalty(1.0, 0.5, from_="unhalved")
    >>> round(float(alpha), 6), round(float(rho), 6)
    (1.5, 0.333333)
    """
    for label, name in (("from_", from_), ("to", to)):
        if name not in DIALECTS:
            raise InvalidInput(f"{label}={name!r} is not a dialect; choose one of {', '.join(map(repr, DIALECTS))}.")
    try:
        alpha, rho = np.broadcast_arrays(np.asarray(alpha, float), np.asarray(rho, float))
    except (TypeError, ValueError):
        raise InvalidInput(
            f"alpha={alpha!r} and rho={rho!r} must be numbers, or arrays of shapes that broadcast."
        ) from None
    if not np.all((alpha >= 0) & np.isfinite(alpha) & (rho >= 0) & (rho <= 1)):
        raise InvalidInput("convert_penalty needs finite alpha >= 0 and 0 <= rho <= 1; a value lies outside.")
    ridge_unit = {"sklearn": 1.0, "unhalved": 2.0}
    if "glmnet" in (from_, to):
        ridge_unit["glmnet"] = 1.0 / _population_sd(y, sample_weight)
    l1 = alpha * rho
    l2 = alpha * (1 - rho) * ridge_unit[from_] / ridge_unit[to]
    total = l1 + l2
    share = np.where(total > 0, l1 / np.where(total > 0, total, 1.0), rho)
    return total[()], share[()]


def _population_sd(y, sample_weight) -> float:
    if y is None:
        raise InvalidInput("y is needed to convert to or from 'glmnet', whose ridge weight depends on sd(y).")
    try:
        y = np.asarray(y, float)
        w = np.ones_like(y) if sample_weight is None else np.asarray(sample_weight, float)
    except (TypeError, ValueError):
        raise InvalidInput("y and sample_weight must be arrays of numbers.") from None
    if y.ndim != 1 or w.shape != y.shape or not (np.isfinite(y).all() and np.isfinite(w).all()):
        raise InvalidInput(f"y has shape {y.shape} and sample_weight {w.shape}: both must be (n,) and finite.")
    if (w < 0).any() or not w.sum() > 0:
        raise InvalidInput("sample_weight must be at least 0 and not all zero.")
    sd = float(np.sqrt(np.average((y - np.average(y, weights=w)) ** 2, weights=w)))
    if not sd > 0:
        raise InvalidInput("y is constant: glmnet's parametrisation is undefined for it.")
    return sd
