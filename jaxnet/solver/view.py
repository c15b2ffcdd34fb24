"""The two ways to see the data of a chunk of sets: through the rows of X, or through Gram matrices.

Conventions of the solver: S sets (a group of row weights with one response) of L lanes each (its penalties); W slots of a
working set; n rows and p columns, padded; everything conditioned and in float64. A set's response and columns are centred
by its own training means if there is an intercept, so the intercept never appears in the inner problem.

Both views have one vector per column, its *atom*, and one per lane, its *remainder*, with the same identity:

    remainder = origin - B @ atoms      rows view: atoms are centred columns (n), the remainder is the residual;
                                        Gram view: atoms are Gram rows (p), the remainder is the gradient x'r.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import jax
import jax.numpy as jnp
from jax import lax
from jax.tree_util import register_dataclass
from jaxtyping import Array, Bool, Float, Int

from jaxnet.design.base import Design

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

    @abstractmethod
    def origin(self) -> Float[Array, "S m"]:
        """The remainder of a lane without coefficients."""

    @abstractmethod
    def remainder(self, dense: Float[Array, "S L p"]) -> Float[Array, "S L m"]:
        """The remainder of coefficients laid out by column."""

    @abstractmethod
    def remainder_of_slots(
        self, B: Float[Array, "S L W"], index: Int[Array, "S W"], used: Int[Array, " S"], dense: Float[Array, "S L p"]
    ) -> Float[Array, "S L m"]:
        """The remainder of coefficients by slot, of which the first `used` of a set count; `dense` are the same by column."""

    @abstractmethod
    def atoms(self, index: Int[Array, " M"], s: Int[Array, ""]) -> Float[Array, "M m"]:
        """The atoms of columns for set s, zero for unusable columns and empty slots (index p)."""

    @abstractmethod
    def scaled(self, atoms: Float[Array, "M m"], s: Int[Array, ""]) -> Float[Array, "M m"]:
        """The atoms of set s in the form that `gram` takes."""

    @abstractmethod
    def gram(
        self, mine: Float[Array, "M m"], others: Float[Array, "W m"] | None, index: Int[Array, " W"]
    ) -> Float[Array, "M W"]:
        """Gram entries between slots of a set, in scaled form; `others` hold the columns `index`, all a Gram view reads."""

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
    y: Float[Array, "S n"]
    train: Float[Array, "S n"]
    test: Float[Array, "S n"]
    mean: Float[Array, "S p"]
    usable: Bool[Array, "S p"]
    cross: Float[Array, "S p"]
    moment: Float[Array, " S"]

    def origin(self):
        return self.y

    def remainder(self, dense):
        sets, lanes, p = dense.shape
        fitted = self.design.matmul(dense.reshape(sets * lanes, p)).reshape(sets, lanes, -1)
        return self.y[:, None] - (fitted - jnp.einsum("slp,sp->sl", dense, self.mean)[..., None])

    def remainder_of_slots(self, B, index, used, dense):
        # On a CPU a native loop over the nonzeros beats any product: they are few, and X stays in the cache.
        if jax.default_backend() != "cpu":
            return self.remainder(dense)
        at = jnp.minimum(index, self.mean.shape[1] - 1)
        level = jnp.sum(B * jnp.take_along_axis(self.mean, at, axis=1)[:, None], axis=2)
        return self.y[:, None] - (self.design.combine(B, at, used) - level[..., None])

    def atoms(self, index, s):
        p = self.mean.shape[1]
        at = jnp.minimum(index, p - 1)
        keep = (index < p) & self.usable[s, at]
        columns = self.design.columns(index).astype(jnp.float64)
        return jnp.where(keep[:, None], columns - self.mean[s, at][:, None], 0.0)

    def scaled(self, atoms, s):
        return atoms * jnp.sqrt(self.train[s])[None]

    def gram(self, mine, others, index):
        return jnp.matmul(mine, others.T, precision=FULL)

    def slot_gradient(self, remainder, atoms, index):
        return per_set_matmul(remainder * self.train[:, None], atoms, transpose=True)

    def fit(self, remainder, dense):
        sets, lanes, n = remainder.shape
        weighted = remainder * self.train[:, None]
        gradient = self.design.rmatmul(weighted.reshape(sets * lanes, n)).reshape(sets, lanes, -1)
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
    """Through one Gram matrix per group: for tall problems; X is never touched again."""

    group: Int[Array, " S"]
    train_gram: Float[Array, "G p p"]
    test_gram: Float[Array, "G p p"]
    test_cross: Float[Array, "S p"]
    test_moment: Float[Array, " S"]
    usable: Bool[Array, "S p"]
    cross: Float[Array, "S p"]
    moment: Float[Array, " S"]

    def origin(self):
        return self.cross

    def remainder(self, dense):
        return self.cross[:, None] - self._through(dense, self.train_gram)

    def remainder_of_slots(self, B, index, used, dense):
        return self.remainder(dense)

    def atoms(self, index, s):
        p = self.usable.shape[1]
        at = jnp.minimum(index, p - 1)
        keep = (index < p) & self.usable[s, at]
        return jnp.where(keep[:, None], self.train_gram[self.group[s], at], 0.0)

    def scaled(self, atoms, s):
        return atoms

    def gram(self, mine, others, index):
        return jnp.take(mine, index, axis=1, mode="fill", fill_value=0)

    def slot_gradient(self, remainder, atoms, index):
        at = jnp.broadcast_to(index[:, None], (*remainder.shape[:2], index.shape[1]))
        return jnp.take_along_axis(remainder, at, axis=2, mode="fill", fill_value=0)

    def _through(self, dense: Float[Array, "S L p"], gram: Float[Array, "G p p"]) -> Float[Array, "S L p"]:
        """Each set's coefficients times its group's matrix. Where there are as many groups as sets, set s is in group s."""
        if len(gram) == len(dense):
            return per_set_matmul(dense, gram, transpose=False)
        return lax.map(lambda x: jnp.matmul(x[0], gram[x[1]], precision=FULL), (dense, self.group))

    def fit(self, remainder, dense):
        inner = jnp.einsum("slp,sp->sl", dense, self.cross)
        explained = inner - jnp.einsum("slp,slp->sl", dense, remainder)
        quadratic = jnp.sum(dense * self._through(dense, self.test_gram), axis=2)
        test_error = self.test_moment[:, None] - 2 * jnp.einsum("slp,sp->sl", dense, self.test_cross) + quadratic
        return Fit(
            gradient=jnp.where(self.usable[:, None], remainder, 0.0),
            rss=self.moment[:, None] - 2 * inner + explained,
            fitted=self.moment[:, None] - inner,
            test_error=jnp.maximum(test_error, 0.0),
        )


def per_set_matmul(left: Float[Array, "S L a"], right: Array, *, transpose: bool) -> Float[Array, "S L b"]:
    """`left[s] @ right[s]` for every set, or `left[s] @ right[s].T`."""
    return jnp.einsum("sla,sba->slb" if transpose else "sla,sab->slb", left, right, precision=FULL)


CONSTANT_RESPONSE = 1e-26
"""A response whose variance is below this share of its mean square is constant up to rounding (its square, in the rows)."""


@jax.jit
def row_view(
    design: Design, train: Array, test: Array, usable: Array, mean: Array, y: Array, centred: Array
) -> RowView:
    """Centre the responses by their own training rows and take the null gradients. All per set; `centred` is 0 or 1."""
    square = jnp.sum(train * y * y, axis=1)
    y = y - centred * jnp.sum(train * y, axis=1, keepdims=True)
    varies = jnp.sum(train * y * y, axis=1) > CONSTANT_RESPONSE * square
    y = jnp.where(varies[:, None] | (train <= 0), y, 0.0)
    weighted = train * y
    cross = design.rmatmul(weighted) - jnp.sum(weighted, axis=1, keepdims=True) * mean
    return RowView(design, y, train, test, mean, usable, jnp.where(usable, cross, 0.0), jnp.sum(weighted * y, axis=1))
