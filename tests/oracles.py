"""Independent answers the tests compare against: a naive objective, a judge of any fit, a reference solver.

Everything follows one written-out problem (`Problem`), with weights scaled to sum to one:

    P(b0, b) = 1/2 sum_i w_i (y_i - b0 - x_i'b)^2 + alpha * sum_j v_j (rho |s_j b_j| + (1 - rho)/2 (s_j b_j)^2)

over lower <= b <= upper, where s_j is the weighted standard deviation of column j under `standardize` and 1 otherwise,
and b0 = 0 without an intercept.
The arithmetic is extended precision (80 bits where NumPy has it), so scales of 1e-150 and 1e150 need no care.
Nothing here imports jaxnet.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

LONG = np.longdouble


@dataclass(frozen=True)
class Problem:
    """One penalised fit, as the user states it."""

    X: np.ndarray
    y: np.ndarray
    alpha: float
    rho: float
    weights: np.ndarray | None = None
    factors: np.ndarray | None = None
    lower: np.ndarray | float = -np.inf
    upper: np.ndarray | float = np.inf
    intercept: bool = True
    standardize: bool = False

    def at(self, alpha: float, rho: float) -> "Problem":
        """The same data and constraints at another penalty."""
        other = replace(self, alpha=alpha, rho=rho)
        for name in ("w", "centres", "scales", "A", "target", "null", "unit"):  # what does not depend on the penalty
            if name in self.__dict__:
                other.__dict__[name] = self.__dict__[name]
        return other

    def rows(self, keep) -> "Problem":
        """The same problem on a subset of the rows."""
        weights = None if self.weights is None else self.weights[keep]
        return replace(self, X=self.X[keep], y=self.y[keep], weights=weights)

    @cached_property
    def w(self) -> np.ndarray:
        """(n,) weights that sum to one."""
        w = np.ones(len(self.y), LONG) if self.weights is None else np.asarray(self.weights, LONG)
        return w / w.sum()

    @cached_property
    def centres(self) -> np.ndarray:
        """(p,) weighted column means, refined once so that a constant column centres to exactly zero."""
        X = np.asarray(self.X, LONG)
        anchor = X[np.argmax(self.w)]
        return anchor + self.w @ (X - anchor)

    @cached_property
    def scales(self) -> np.ndarray:
        """(p,) weighted standard deviations under `standardize` (without an intercept, about zero); 1 if constant."""
        if not self.standardize:
            return np.ones(np.shape(self.X)[1], LONG)
        X = np.asarray(self.X, LONG)
        spread = np.sqrt(self.w @ (X - self.centres if self.intercept else X) ** 2)
        return np.where(spread > 0, spread, LONG(1))

    @cached_property
    def A(self) -> np.ndarray:
        """(n, p) columns as the penalty sees them: centred if there is an intercept, divided by their scales."""
        X = np.asarray(self.X, LONG)
        return (X - self.centres if self.intercept else X) / self.scales

    @cached_property
    def target(self) -> np.ndarray:
        """(n,) response, centred if there is an intercept."""
        y = np.asarray(self.y, LONG)
        anchor = y[np.argmax(self.w)]
        return (y - anchor) - self.w @ (y - anchor) if self.intercept else y

    @cached_property
    def null(self) -> np.longdouble:
        """Half the weighted mean of the squared target: what relative gaps are relative to."""
        return self.w @ self.target**2 / 2

    @cached_property
    def unit(self) -> np.ndarray:
        """(p,) norms of column times target: what turns a gradient into a correlation."""
        return np.sqrt(self.w @ self.A**2 * 2 * self.null)

    @property
    def v(self) -> np.ndarray:
        p = np.shape(self.X)[1]
        return np.ones(p, LONG) if self.factors is None else np.asarray(self.factors, LONG)

    @property
    def l1(self) -> np.ndarray:
        return LONG(self.alpha) * LONG(self.rho) * self.v

    @property
    def l2(self) -> np.ndarray:
        return LONG(self.alpha) * (LONG(1) - LONG(self.rho)) * self.v

    @property
    def box(self) -> tuple[np.ndarray, np.ndarray]:
        """(p,), (p,) bounds on the coefficients of the scaled columns."""
        one = np.ones(np.shape(self.X)[1], LONG)
        return np.asarray(self.lower, LONG) * one * self.scales, np.asarray(self.upper, LONG) * one * self.scales


@dataclass(frozen=True)
class Verdict:
    """What the judge says of one fit: `gap` in units of the objective, `relative` in units of the null objective."""

    primal: float
    dual: float
    gap: float
    relative: float
    kkt: float


def objective(problem: Problem, coef, intercept=0.0) -> np.longdouble:
    """P(b0, b) exactly as the module docstring writes it, on the raw columns."""
    b = np.asarray(coef, LONG)
    r = np.asarray(problem.y, LONG) - LONG(intercept) - np.asarray(problem.X, LONG) @ b
    u = problem.scales * b
    return problem.w @ r**2 / 2 + np.sum(problem.l1 * abs(u)) + np.sum(problem.l2 * u**2) / 2


def judge(problem: Problem, coef, intercept=0.0) -> Verdict:
    """Duality gap and KKT residual of a fit.

    Dual, at theta = s w r with r made orthogonal (in w) to the unpenalised columns off their bounds:
        D(s) = s a - s^2 q / 2 - sum_j g_j*(s c_j),   a = r'Wy, q = r'Wr, c = A'Wr,
        g_j*(c) = max over lower_j <= u <= upper_j of c u - l1_j |u| - l2_j u^2 / 2,
    maximised over s >= 0 by bisection on its derivative. Any s gives a lower bound: the gap is never below the truth.
    """
    u = np.asarray(coef, LONG) * problem.scales
    w, A, y = problem.w, problem.A, problem.target
    lower, upper = problem.box
    primal = objective(problem, coef, intercept)
    slack = 1e-6 * abs(u)  # bounds hold to single precision at worst
    if np.any(u < lower - slack) or np.any(u > upper + slack) or not np.all(np.isfinite(u)):
        primal = LONG(np.inf)
    inside = (u > lower + slack) & (u < upper - slack)
    free = (problem.l1 == 0) & (problem.l2 == 0) & inside
    r = _orthogonal(y - A @ u, A[:, free], w)
    c = A.T @ (w * r)
    held = ~free
    dual = _best_dual(r @ (w * y), r @ (w * r), c[held], problem.l1[held], problem.l2[held], lower[held], upper[held])
    gap = primal - dual
    relative = gap / problem.null if problem.null > 0 else (LONG(0) if gap == 0 else LONG(np.inf))
    return Verdict(primal, dual, gap, float(relative), float(_kkt(problem, u)))


def _orthogonal(r, columns, w):
    """r minus its weighted projection on the columns (modified Gram-Schmidt, twice, in extended precision)."""
    basis = []
    for column in columns.T:
        size = np.sqrt(w @ column**2)
        for _ in range(2):
            for e in basis:
                column = column - (w @ (e * column)) * e
        left = np.sqrt(w @ column**2)
        if left > 1e-12 * size:
            basis.append(column / left)
    for _ in range(2):
        for e in basis:
            r = r - (w @ (e * r)) * e
    return r


def _best_dual(a, q, c, l1, l2, lower, upper):
    """max over s >= 0 of s a - s^2 q/2 - sum g*(s c); see `judge`."""
    if q == 0:
        return LONG(0) if np.all((lower <= 0) & (upper >= 0)) else -_conjugate(0 * c, l1, l2, lower, upper).sum()
    rigid = (l2 == 0) & np.isinf(np.where(c > 0, upper, lower))
    with np.errstate(divide="ignore", invalid="ignore"):
        ceiling = np.min(np.where(rigid & (c != 0), l1 / abs(c), np.inf), initial=np.inf)
    high = min(ceiling, 2 * abs(a) / q)
    low = LONG(0)
    slope = lambda s: a - s * q - c @ _argmax(s * c, l1, l2, lower, upper)
    if slope(high) > 0:
        low = high
    for _ in range(55):
        middle = (low + high) / 2
        low, high = (middle, high) if slope(middle) > 0 else (low, middle)
    values = [
        s * a - s**2 * q / 2 - _conjugate(s * c, l1, l2, lower, upper).sum() for s in (low, min(ceiling, LONG(1)))
    ]
    return max(values)


def _argmax(c, l1, l2, lower, upper):
    """argmax over the box of c u - l1 |u| - l2 u^2/2; 0 where it runs away (the caller keeps s out of there)."""
    soft = np.sign(c) * np.maximum(abs(c) - l1, 0)
    safe = np.where(l2 > 0, l2, 1)
    edge = np.where(soft > 0, upper, lower)
    edge = np.where((soft == 0) | np.isinf(edge), 0, edge)
    return np.clip(np.where(l2 > 0, soft / safe, edge), lower, upper)


def _conjugate(c, l1, l2, lower, upper):
    u = _argmax(c, l1, l2, lower, upper)
    return c * u - l1 * abs(u) - l2 * u**2 / 2


def _kkt(problem: Problem, u):
    """Largest distance of the gradient A'Wr from the subdifferential of the penalty, as a correlation with y."""
    w, lower, upper = problem.w, *problem.box
    r = problem.target - problem.A @ u
    g = problem.A.T @ (w * r) - problem.l2 * u  # must equal l1 sign(u) off zero, lie in [-l1, l1] at zero
    edge = 1e-12 * abs(u)
    at_lower, at_upper = u <= lower + edge, u >= upper - edge
    up = g - np.where(u < 0, -problem.l1, problem.l1)  # > 0: growing u would pay
    down = np.where(u > 0, problem.l1, -problem.l1) - g  # > 0: shrinking u would pay
    wrong = np.maximum(np.where(at_upper, 0, up), np.where(at_lower, 0, down))
    unit = problem.unit
    return np.max(np.where(unit > 0, wrong, 0) / np.where(unit > 0, unit, 1), initial=0)


def bounds_between(problem: Problem, gap_a, gap_b) -> np.longdouble:
    """How far apart, in `distance`, fits with these gaps (units of the objective) can be, P being strongly convex."""
    return np.sqrt(2 * max(LONG(gap_a), LONG(0))) + np.sqrt(2 * max(LONG(gap_b), LONG(0)))


def distance(problem: Problem, coef_a, coef_b) -> np.longdouble:
    """sqrt(d'(A'WA + diag l2)d) for d the difference in scaled coefficients: P(b) - P(b*) >= distance(b, b*)^2 / 2."""
    d = (np.asarray(coef_a, LONG) - np.asarray(coef_b, LONG)) * problem.scales
    fitted = problem.A @ d
    return np.sqrt(problem.w @ fitted**2 + np.sum(problem.l2 * d**2))


def solve(problem: Problem, start=None, passes=20_000) -> tuple[np.ndarray, float]:
    """Reference solution: cyclic coordinate descent on the Gram, polished by a Newton step on the active set.

    Returns float64 (p,) coefficients on the original scale and the intercept.
    """
    size = np.max(
        abs(problem.A) * (problem.w[:, None] > 0), axis=0, initial=0
    )  # column by column, so that no square leaves the range
    size = np.where(size > 0, size, LONG(1))
    tall = np.max(abs(problem.target), initial=0) or LONG(1)
    # u = tall/size * z, everything divided by tall^2:  l1 |u| -> l1/(size tall) |z|,  l2 u^2 -> l2/size^2 z^2
    A, y, w = (
        (problem.A / size).astype(np.float64),
        (problem.target / tall).astype(np.float64),
        problem.w.astype(np.float64),
    )
    l1 = np.minimum(problem.l1 / size / tall, 1e300).astype(np.float64)
    l2 = np.minimum(problem.l2 / size**2, 1e300).astype(np.float64)
    lower, upper = ((edge * size / tall).astype(np.float64) for edge in problem.box)
    Q, c = A.T @ (w[:, None] * A), A.T @ (w * y)
    z = np.clip(np.zeros(len(c)), lower, upper)
    if start is not None:
        z = np.clip((np.asarray(start, LONG) * problem.scales / tall * size).astype(np.float64), lower, upper)
    gradient = c - Q @ z
    for sweep in range(passes):
        before = z.copy()
        for j in range(len(c)):
            curvature = Q[j, j] + l2[j]
            if curvature <= 1e-30:
                continue
            pull = gradient[j] + Q[j, j] * z[j]
            new = min(max(np.sign(pull) * max(abs(pull) - l1[j], 0.0) / curvature, lower[j]), upper[j])
            if new != z[j]:
                gradient -= Q[:, j] * (new - z[j])
                z[j] = new
        change = np.max(abs(z - before), initial=0)
        if sweep % 25 == 24 or change < 1e-9:
            z = _polish(Q, c, l1, l2, lower, upper, z)
            gradient = c - Q @ z
        if change <= 1e-13 * max(1e-300, np.max(abs(z), initial=0)):
            break
    coef = (z * tall / size / problem.scales).astype(np.float64)
    return coef, intercept_for(problem, coef)


def intercept_for(problem: Problem, coef) -> float:
    """The best b0 given b: weighted mean of y - Xb, or 0 without an intercept."""
    if not problem.intercept:
        return 0.0
    return float(problem.w @ np.asarray(problem.y, LONG) - problem.centres @ np.asarray(coef, LONG))


def _polish(Q, c, l1, l2, lower, upper, z):
    """Solve the stationarity equations on the active set; accept an answer in the same orthant that is no worse."""
    active = (z != 0) & (z > lower) & (z < upper) | ((l1 == 0) & (z > lower) & (z < upper))
    if not active.any():
        return z
    value = lambda b: b @ Q @ b / 2 - c @ b + l1 @ abs(b) + l2 @ b**2 / 2
    H = Q[np.ix_(active, active)] + np.diag(l2[active])
    new = z.copy()
    rhs = c[active] - l1[active] * np.sign(z[active]) - Q[np.ix_(active, ~active)] @ z[~active]
    new[active] = np.linalg.lstsq(H, rhs, rcond=1e-14)[0]
    same = np.all((np.sign(new) == np.sign(z)) | (l1 == 0)) and np.all(new >= lower) and np.all(new <= upper)
    return new if same and value(new) <= value(z) + 1e-18 else z


def sklearn_fit(problem: Problem) -> tuple[np.ndarray, float]:
    """scikit-learn's coordinate descent at tol 1e-12 (its gap is then <= 1e-12 of ||y||^2/n); plain problems only."""
    from sklearn.linear_model import ElasticNet

    if problem.factors is not None or np.any(np.isfinite(problem.upper)) or problem.standardize or problem.rho == 0:
        raise ValueError(
            "this oracle knows neither penalty factors, bounds above, standardisation nor ridge; use solve"
        )
    model = ElasticNet(
        alpha=float(problem.alpha),
        l1_ratio=float(problem.rho),
        fit_intercept=problem.intercept,
        positive=bool(np.all(np.asarray(problem.lower) == 0)),
        tol=1e-12,
        max_iter=1_000_000,
    )
    model.fit(problem.X, problem.y, sample_weight=problem.weights)
    return model.coef_, float(model.intercept_)


def alpha_max(problem: Problem, rho: float) -> np.longdouble:
    """The smallest alpha without a penalised coefficient: max_j |c_j| / (rho v_j) over columns that may move that way.

    c is the gradient at the fit of the unpenalised columns (bounds on those must be absent).
    """
    w, lower, upper = problem.w, *problem.box
    free = problem.v == 0
    r = _orthogonal(problem.target, problem.A[:, free], w)
    c = problem.A.T @ (w * r)
    pull = np.where(c > 0, np.where(upper > 0, c, 0), np.where(lower < 0, -c, 0))[~free]
    return np.max(pull / problem.v[~free], initial=0) / LONG(rho)
