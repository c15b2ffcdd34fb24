"""The two ways to see the data of a chunk of sets: through the rows of X, or through Gram matrices.

Conventions of the solver: S sets (a group of row weights with one response) of L lanes each (its penalties); W slots of a
working set; n rows and p columns, padded; everything conditioned and in float64. A set's response and columns are centred
by its own training means if there is an intercept, so the intercept never appears in the inner problem.

Both views have one vector per column, its *atom*, and one per lane, its *remainder*, with the same identity:

    remainder = origin - B @ atoms      rows view: atoms are centred columns (n), the remainder is the residual;
                                        Gram view: atoms are rows of the training and of the held-out Gram matrix
                                        (2p), the remainder is the gradient x'r on the training and the held-out rows.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.tree_util import register_dataclass
from jaxtyping import Array, Bool, Float, Int

from jaxnet.design.base import Design
from jaxnet.design.combine import combine
from jaxnet.execution import platform

FULL = lax.Precision.HIGHEST


class Fit(NamedTuple):
    """What the data say about lanes with given coefficients."""

    gradient: Float[Array, "S L p"]
    rss: Float[Array, "S L"]
    """weighted mean of squared residuals on the training rows"""
    fitted: Float[Array, "S L"]
    """weighted mean of y times residual, <y, r>"""
    test_error: Float[Array, "S L"]
    """weighted mean of squared errors on the held-out rows, nan where there are none"""


class View(ABC):
    """An interface. `cross` (S, p) is x'y, `moment` (S,) the weighted mean of the centred y squared."""

    cross: Float[Array, "S p"]
    moment: Float[Array, " S"]
    usable: Bool[Array, "S p"]
    by_rows: ClassVar[bool]

    @abstractmethod
    def origin(self) -> Float[Array, "S m"]:
        """The remainder of a lane without coefficients."""

    @abstractmethod
    def explained(self, dense: Float[Array, "S L p"]) -> Float[Array, "S L m"]:
        """B @ atoms, of coefficients laid out by column."""

    @abstractmethod
    def combine(
        self, B: Float[Array, "S L W"], index: Int[Array, "S W"], used: Int[Array, " S"]
    ) -> Float[Array, "S L m"]:
        """B @ atoms, of coefficients by slot with many zeros, of which the first `used` of a set count."""

    @abstractmethod
    def atoms(self, index: Int[Array, " M"], s: Int[Array, ""]) -> Float[Array, "M m"]:
        """The atoms of columns for set s, zero for unusable columns and empty slots (index p)."""

    @abstractmethod
    def entries(self, atoms: Float[Array, "M m"], index: Int[Array, " W"], s: Int[Array, ""]) -> Float[Array, "M v"]:
        """What a restricted problem of set s over the columns `index` knows of the columns with these atoms.

        Through the rows, A: the centred columns times the roots of the row weights (v = n); else their entries in the
        Gram matrix AA' (v = W).
        """

    @abstractmethod
    def slot_gradient(
        self, remainder: Float[Array, "S L m"], atoms: Float[Array, "S W m"], index: Int[Array, "S W"]
    ) -> Float[Array, "S L W"]:
        """x'r of the columns in the slots."""

    @abstractmethod
    def fit(self, remainder: Float[Array, "S L m"], dense: Float[Array, "S L p"]) -> Fit:
        """Every gradient at once: the one large product of a step."""


@register_dataclass
@dataclass(frozen=True)
class RowView(View):
    """Through the rows of X: for wide problems and for any design."""

    design: Design
    group: Int[Array, " S"]
    y: Float[Array, "S n"]
    train: Float[Array, "S n"]
    test: Float[Array, "S n"]
    mean: Float[Array, "S p"]
    usable: Bool[Array, "S p"]
    cross: Float[Array, "S p"]
    moment: Float[Array, " S"]
    by_rows: ClassVar[bool] = True

    def origin(self):
        return self.y

    def explained(self, dense):
        fitted = self.design.matmul(dense, self.group)
        return fitted - jnp.einsum("slp,sp->sl", dense, self.mean)[..., None]

    def combine(self, B, index, used):
        if not platform.on_cpu():
            return self.explained(by_column(B, index, self.mean.shape[1]))
        at = jnp.minimum(index, self.mean.shape[1] - 1)
        level = jnp.sum(B * jnp.take_along_axis(self.mean, at, axis=1)[:, None], axis=2)
        return self.design.combine(B, at, used, self.group) - level[..., None]

    def atoms(self, index, s):
        p = self.mean.shape[1]
        at = jnp.minimum(index, p - 1)
        keep = (index < p) & self.usable[s, at]
        columns = self.design.columns(index, self.group[s]).astype(jnp.float64)
        return jnp.where(keep[:, None], columns - self.mean[s, at][:, None], 0.0)

    def entries(self, atoms, index, s):
        return atoms * jnp.sqrt(self.train[s])[None]

    def slot_gradient(self, remainder, atoms, index):
        return per_set_matmul(remainder * self.train[:, None], atoms, transpose=True)

    def fit(self, remainder, dense):
        weighted = remainder * self.train[:, None]
        gradient = self.design.rmatmul(weighted, self.group)
        gradient = gradient - jnp.sum(weighted, axis=2)[..., None] * self.mean[:, None]
        test_error = jnp.einsum("sn,sln->sl", self.test, remainder * remainder)
        has_test = jnp.sum(self.test, axis=1, keepdims=True) > 0
        return Fit(
            gradient=jnp.where(self.usable[:, None], gradient, 0.0),
            rss=jnp.sum(weighted * remainder, axis=2),
            fitted=jnp.einsum("sn,sln->sl", self.y, weighted),
            test_error=jnp.where(has_test, test_error, jnp.nan),
        )


@register_dataclass
@dataclass(frozen=True)
class GramView(View):
    """Through two Gram matrices per group, side by side: of its training and of its held-out rows. For tall problems; X is
    never touched again."""

    group: Int[Array, " S"]
    grams: Float[Array, "G p 2*p"]
    test_cross: Float[Array, "S p"]
    test_moment: Float[Array, " S"]
    usable: Bool[Array, "S p"]
    cross: Float[Array, "S p"]
    moment: Float[Array, " S"]
    by_rows: ClassVar[bool] = False

    @property
    def train_gram(self) -> Float[Array, "G p p"]:
        return self.grams[:, :, : self.usable.shape[1]]

    def origin(self):
        return jnp.concatenate([self.cross, self.test_cross], axis=1)

    def explained(self, dense):
        if len(self.grams) == len(dense):  # then set s is in group s (moments.subset)
            return per_set_matmul(dense, self.grams, transpose=False)
        return lax.map(lambda x: jnp.matmul(x[0], self.grams[x[1]], precision=FULL), (dense, self.group))

    def combine(self, B, index, used):
        p = self.usable.shape[1]
        if not platform.on_cpu():
            return self.explained(by_column(B, index, p))
        return combine(self.grams, self.group, jnp.minimum(index, p - 1), B, used)

    def atoms(self, index, s):
        p = self.usable.shape[1]
        at = jnp.minimum(index, p - 1)
        keep = (index < p) & self.usable[s, at]
        return jnp.where(keep[:, None], self.grams[self.group[s], at], 0.0)

    def entries(self, atoms, index, s):
        return jnp.take(atoms[:, : self.usable.shape[1]], index, axis=1, mode="fill", fill_value=0)

    def slot_gradient(self, remainder, atoms, index):
        at = jnp.broadcast_to(index[:, None], (*remainder.shape[:2], index.shape[1]))
        train = remainder[..., : self.usable.shape[1]]
        return jnp.take_along_axis(train, at, axis=2, mode="fill", fill_value=0)

    def fit(self, remainder, dense):
        p = dense.shape[2]
        train, test = remainder[..., :p], remainder[..., p:]
        inner = jnp.einsum("slp,sp->sl", dense, self.cross)
        # rss = m - <b, c> - <b, c - G b>, on the training rows and on the held-out ones.
        test_error = self.test_moment[:, None] - jnp.sum(dense * (self.test_cross[:, None] + test), axis=2)
        return Fit(
            gradient=jnp.where(self.usable[:, None], train, 0.0),
            rss=self.moment[:, None] - inner - jnp.sum(dense * train, axis=2),
            fitted=self.moment[:, None] - inner,
            test_error=jnp.maximum(test_error, 0.0),  # a square, up to rounding
        )


def by_column(B: Float[Array, "S L W"], index: Int[Array, "S W"], p: int) -> Float[Array, "S L p"]:
    """Coefficients by slot, laid out by column."""
    sets, lanes, _ = B.shape
    where = (jnp.arange(sets)[:, None, None], jnp.arange(lanes)[None, :, None], index[:, None])
    return jnp.zeros((sets, lanes, p), B.dtype).at[where].set(B, mode="drop")


def per_set_matmul(left: Float[Array, "S L a"], right: Array, *, transpose: bool) -> Float[Array, "S L b"]:
    """`left[s] @ right[s]` for every set, or `left[s] @ right[s].T`."""
    return jnp.einsum("sla,sba->slb" if transpose else "sla,sab->slb", left, right, precision=FULL)


CONSTANT_RESPONSE = 1e-26
"""A response whose variance is below this share of its mean square is constant up to rounding (its square, in the rows)."""


def row_view(
    design: Design, group: Array, train: Array, test: Array, usable: Array, mean: Array, y: Array, centred: Array
) -> RowView:
    """Centre the responses by their own training rows and take the null gradients. All per set; `centred` is 0 or 1.

    What a compiled function returns is new, X included: it is put into the view outside.
    """
    group, train, test, usable, mean = map(jnp.asarray, (group, train, test, usable, mean))
    y, cross, moment = _null_gradients(design, group, train, usable, mean, y, centred)
    return RowView(design, group, y, train, test, mean, usable, cross, moment)


@jax.jit
def _null_gradients(design: Design, group: Array, train: Array, usable: Array, mean: Array, y: Array, centred: Array):
    """The centred responses, their x'y and their moments."""
    square = jnp.sum(train * y * y, axis=1)
    y = y - centred * jnp.sum(train * y, axis=1, keepdims=True)
    varies = jnp.sum(train * y * y, axis=1) > CONSTANT_RESPONSE * square
    y = jnp.where(varies[:, None] | (train <= 0), y, 0.0)
    weighted = train * y
    cross = design.rmatmul(weighted[:, None], group)[:, 0] - jnp.sum(weighted, axis=1, keepdims=True) * mean
    return y, jnp.where(usable, cross, 0.0), jnp.sum(weighted * y, axis=1)
