"""Products and powers of columns, under names that say what they are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from jaxnet.data.arrays import as_matrix, column_names
from jaxnet.data.frames import as_frame, frame_like
from jaxnet.data.terms import asked_terms, term_names
from jaxnet.errors import InvalidInput

if TYPE_CHECKING:  # a saved expansion needs no time for annotations
    from jaxtyping import Float, Int

BLOCK = 1 << 22
"""Numbers that are computed at once (32 MB in float64)."""
EPS = float(np.finfo(np.float64).eps)
SAME = 1e-9
"""Columns of length one that differ by no more anywhere are the same column."""


@dataclass(frozen=True, eq=False)
class FeatureExpansion:
    """Columns, with products and powers of them, ready for new rows; made by `expand_features`.

    `names` (p + m,): of the p columns, then of the m added ones. Row (a, b, d) of `terms` (m, 3) is the added column
    (x_a - c_a)^d (x_b - c_b), without the second factor where b is -1, c = `centre` (p,). `left_out`: pairs (name, reason) of
    what was asked for and not added. `feature_names` (p,) are the columns a frame must have, or None.
    """

    names: tuple[str, ...]
    terms: Int[np.ndarray, "m 3"]
    centre: Float[np.ndarray, " p"]
    left_out: tuple[tuple[str, str], ...]
    feature_names: tuple[str, ...] | None

    def apply(self, X: Any) -> Any:
        """The columns of X, unchanged, with the added ones behind them: (n, p + m), in one array, float32 if X is.

        For a pandas, polars or pyarrow frame a frame of the same library, whose columns are `names`; columns of X are
        matched by name, others ignored. Raises InvalidInput for other columns than the expansion was made for, for values
        that are no finite numbers, and where a product overflows.
        """
        matrix, p = self._matrix(X), len(self.centre)
        out = np.empty((len(matrix), len(self.names)), matrix.dtype, order="F")
        out[:, :p] = matrix
        for block in _blocks(len(self.terms), len(matrix)):
            into = out[:, p + block.start : p + block.stop]
            with np.errstate(over="ignore"):
                into[:] = _values(matrix, self.centre, self.terms[block])
            _refuse_overflow(into, self.names[p + block.start : p + block.stop])
        frame = None if isinstance(X, np.ndarray | list | tuple) else as_frame(X, "X")
        return out if frame is None else frame_like(frame, out, self.names)

    def _matrix(self, X: Any) -> np.ndarray:
        given, known = column_names(X), self.feature_names
        missing = [] if given is None or known is None else sorted({*known} - {*given})
        if missing:
            raise InvalidInput(
                f"X lacks {len(missing)} of the columns that were expanded, such as {missing[0]!r}; give a frame with "
                "the columns that expand_features saw."
            )
        matrix, _ = as_matrix(X, columns=known)
        if matrix.shape[1] != len(self.centre):
            raise InvalidInput(
                f"X has {matrix.shape[1]} columns, but the expansion was made for {len(self.centre)}; give the same columns."
            )
        return matrix

    def __repr__(self) -> str:
        products = int(np.count_nonzero(self.terms[:, 1] >= 0))
        text = (
            f"FeatureExpansion: {len(self.centre):,} columns, {products:,} products and {len(self.terms) - products:,} "
            f"powers of them"
        )
        if not self.left_out:
            return text
        shown = [f"{name} ({reason})" for name, reason in self.left_out[:3]]
        return f"{text}; {len(self.left_out):,} left out: {', '.join([*shown, *['...'] * (len(self.left_out) > 3)])}"


def expand_features(X, *, interactions="all", degree=1, centre=True, names=None) -> FeatureExpansion:
    """Products of two columns and powers of one, for a fit that is not additive or not linear, named `age:bmi` and `age^2`.

    - X: (n, p) array, or a pandas, polars or pyarrow frame, whose column names are used.
    - interactions: "all" (the default), p (p - 1) / 2 products; a list of columns, for the products within it; a list of
      pairs of columns; or None. Columns are named, or numbered from 0.
    - degree: the highest power of every column, 1 (none, the default) or more; or a dict of it by column.
    - centre: whether columns are centred before they are multiplied, by their means over the rows of X; default True.
      Columns of two values (indicators) are instead counted from zero, or from the value nearer to it (1 and 2 as 0 and
      1), so that products of indicators are indicators. Without centring the product of two columns far from zero is
      nearly a sum of the two, and a penalty, unlike least squares, then splits their weight between product and columns
      at random; with it, the coefficient of a column is its slope where the other is average. False gives products as
      they are written, as R's `age:bmi` and scikit-learn's do.
    - names: names of an array's columns; by default x0, x1, ... Frames have their own.

    What would add nothing is left out and reported in `left_out`: columns that do not vary, such as the product of two
    indicators that exclude each other, and columns that are another column up to shift and scale, such as the square of
    an indicator. Columns of X itself all stay.

    Returns a `FeatureExpansion`: `apply(X)` gives the columns, and for new rows the same ones, centred by the same means;
    `names` their names. Products have other units than columns: fit them with `standardize=True`. Raises InvalidInput for
    wrong arguments, values that are no finite numbers, names that would be there twice, and products that overflow.

    >>> import numpy as np
    >>> X = np.array([[52.0, 1, 20], [58, 0, 30], [40, 1, 25], [35, 0, 27], [65, 1, 33]])
    >>> expansion = expand_features(X, degree=2, names=["age", "sex", "bmi"])
    >>> expansion.names
    ('age', 'sex', 'bmi', 'age^2', 'bmi^2', 'age:sex', 'age:bmi', 'sex:bmi')
    >>> expansion.left_out
    (('sex^2', 'is sex up to shift and scale'),)
    >>> expansion.apply(X)[0].tolist()
    [52.0, 1.0, 20.0, 4.0, 49.0, 2.0, -14.0, -7.0]
    """
    matrix, found = as_matrix(X)
    if not isinstance(centre, (bool, np.bool_)):
        raise InvalidInput(f"centre={centre!r:.60} must be True or False.")
    known = found if names is None else _given_names(names, found, matrix.shape[1])
    labels = known or tuple(f"x{j}" for j in range(matrix.shape[1]))
    terms = asked_terms(labels, interactions, degree)
    added = term_names(terms, labels)
    means = _means(matrix) if centre else np.zeros(matrix.shape[1])
    kept, left_out = _worth_adding(matrix, means, terms, labels + added)
    out = labels + tuple(added[t] for t in kept)
    twice = [name for name, times in Counter(out).items() if times > 1]
    if twice:
        raise InvalidInput(f"The name {twice[0]!r} would be there twice: rename the columns of X.")
    return FeatureExpansion(out, terms[kept], means, left_out, known)


def _given_names(names, found: tuple[str, ...] | None, p: int) -> tuple[str, ...]:
    if found is not None:
        raise InvalidInput("names is for arrays, and X is a frame with names of its own; leave it out.")
    listed = () if isinstance(names, str) or not np.iterable(names) else tuple(names)
    if len(listed) != p or not all(isinstance(name, str) for name in listed):
        raise InvalidInput(f"names={names!r:.60} must be {p} texts, one for each column of X.")
    return tuple(map(str, listed))


def _blocks(count: int, n: int) -> Iterator[slice]:
    size = max(1, BLOCK // n)
    return (slice(start, min(start + size, count)) for start in range(0, count, size))


def _means(X: np.ndarray) -> Float[np.ndarray, " p"]:
    """The mean of each column; of one of at most two values zero, or what is nearest to it between the two."""
    means = np.zeros(X.shape[1])
    for block in _blocks(X.shape[1], len(X)):
        x = X[:, block]
        low, high = x.min(axis=0), x.max(axis=0)
        two = np.all((x == low) | (x == high), axis=0)
        means[block] = np.where(two, np.clip(0.0, low, high), x.mean(axis=0, dtype=np.float64))
    return means


def _values(X: np.ndarray, centre: np.ndarray, terms: Int[np.ndarray, "m 3"]) -> Float[np.ndarray, "n m"]:
    """The columns that `terms` stand for."""
    first, second, power = terms.T
    values = X[:, first].astype(np.float64) - centre[first]
    base = values.copy() if (power > 1).any() else values
    for d in range(2, int(power.max(initial=1)) + 1):  # the same bits in blocks of any size, which `**` does not give
        values[:, power >= d] *= base[:, power >= d]
    product = second >= 0
    if product.any():
        values[:, product] *= X[:, second[product]] - centre[second[product]]
    return values


def _refuse_overflow(values: np.ndarray, names: tuple[str, ...]) -> None:
    finite = np.isfinite(values).all(axis=0)
    if not finite.all():
        raise InvalidInput(
            f"{names[int(np.argmin(finite))]} overflows {values.dtype}: scale the columns of X, to unit variance say, first."
        )


def _worth_adding(X: np.ndarray, centre: np.ndarray, terms: np.ndarray, names: tuple[str, ...]):
    """Which `terms` vary and are no earlier column again, up to shift and scale; and (name, reason) of the others.

    Columns that are the same have, once centred and of length one, the same product with a random vector, up to sign.
    Those whose products agree are compared.
    """
    n, p = X.shape
    every = np.concatenate([np.stack([np.arange(p), np.full(p, -1), np.ones(p, int)], axis=1), terms])
    direction = np.random.default_rng(0).standard_normal(n)
    probe = np.empty(len(every))
    for block in _blocks(len(every), n):
        probe[block] = np.abs(direction @ _standard(X, centre, every[block], names[block]))
    reason = dict.fromkeys(np.flatnonzero(np.isnan(probe)).tolist(), "does not vary")
    order = np.argsort(probe, kind="stable")[: len(every) - len(reason)]  # nan is last
    for run in np.split(order, np.flatnonzero(np.diff(probe[order]) > SAME * np.sqrt(n)) + 1):
        if len(run) == 1:
            continue
        models: list[tuple[int, np.ndarray]] = []
        for t in np.sort(run).tolist():
            column = _standard(X, centre, every[t : t + 1], names[t : t + 1])[:, 0]
            twin = next((s for s, other in models if _same(column, other)), None)
            if twin is None:
                models.append((t, column))
            else:
                reason[t] = f"is {names[twin]} up to shift and scale"
    kept = np.array([t for t in range(len(terms)) if t + p not in reason], dtype=int)
    return kept, tuple((names[t], reason[t]) for t in sorted(reason) if t >= p)


def _standard(X: np.ndarray, centre: np.ndarray, terms: np.ndarray, names: tuple[str, ...]) -> np.ndarray:
    """The columns that `terms` stand for, centred and of length one; nan where they do not vary beyond rounding."""
    with np.errstate(over="ignore"):
        values = _values(X, centre, terms)
    _refuse_overflow(values, names)
    level = np.max(np.abs(values), axis=0)
    values -= values[0].copy()  # about one row first, so that a constant column centres to zero
    size = np.max(np.abs(values), axis=0)
    varies = size > 8 * EPS * level
    values /= np.where(varies, size, np.nan)
    values -= values.mean(axis=0)
    return values / np.sqrt(np.sum(values**2, axis=0))


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return bool(np.max(np.abs(a - np.sign(a @ b) * b)) <= SAME)
