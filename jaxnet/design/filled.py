"""An X whose missing values each group fills by one number per column, without a copy of X per group.

With M the 0/1 pattern of what is missing and X_obs zero there, group g sees

    X_g = X_obs + M diag(fill_g),

so every product with X_g is one product with the stored E = [X_obs, M], and cheap work before or after it:
X_g b = E [b; fill_g b] and X_g'r = E_1'r + fill_g * E_2'r. Of M only the columns with missing values are there.
"""

from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
import numpy as np
from jax.tree_util import register_dataclass
from jaxtyping import Array, Float, Int

from jaxnet.design.base import Conditioning, Design, size_class
from jaxnet.design.dense import DenseDesign
from jaxnet.design.products import moments_of, outer_of, place, take


@register_dataclass
@dataclass(frozen=True)
class FilledDesign(Design):
    """`at` has the column of each of k masks, `slot` the mask of each column (k where it has none)."""

    base: DenseDesign
    at: Int[Array, " k"]
    slot: Int[Array, " p"]
    fill: Float[Array, "G k"]
    varies: ClassVar[bool] = True

    @classmethod
    def build(
        cls, X: np.ndarray, values: Float[np.ndarray, "G p"], *, dtype, centred: bool
    ) -> tuple[Design, Conditioning]:
        """Store X (n, p), nan where missing, that group g fills with `values[g]`; the first group's units are taken.

        A dense design if nothing is missing.
        """
        holes = np.flatnonzero(np.isnan(X).any(axis=0))
        base, units = DenseDesign.build(X, dtype=dtype, centred=centred, fill=values[0], masks=holes)
        if not len(holes):
            return base, units
        p = size_class(X.shape[1])
        at, slot = place(holes, p)
        fill = np.zeros((len(values), len(at)))
        fill[:, : len(holes)] = ((values - units.center) / units.scale)[:, holes]
        return cls(base, jnp.asarray(at), jnp.asarray(slot), jnp.asarray(fill)), units

    @property
    def shape(self):
        return self.base.shape[0], len(self.slot)

    def columns(self, index, group):
        p, k = len(self.slot), len(self.at)
        slot = take(self.slot, index, k)
        stored = self.base.columns(jnp.where(index < p, index, p + k), group)
        mask = self.base.columns(jnp.where(slot < k, p + slot, p + k), group)
        fill = take(self.fill[group], slot, 0.0)
        return stored.astype(jnp.float64) + mask.astype(jnp.float64) * fill[..., None]

    def matmul(self, coefficients, group):
        masked = take(coefficients, self.at, 0.0) * self.fill[group][:, None].astype(coefficients.dtype)
        return self.base.matmul(jnp.concatenate([coefficients, masked], axis=2), group)

    def combine(self, B, index, used, group):
        p, k = len(self.slot), len(self.at)
        slot = self.slot[index]
        fill = jnp.take_along_axis(self.fill[group], slot, axis=1, mode="fill", fill_value=0)
        stored = self.base.combine(B, index, used, group)
        masked = B * fill[:, None].astype(B.dtype)
        return stored + self.base.combine(masked, p + jnp.minimum(slot, k - 1), used, group)

    def rmatmul(self, rows, group):
        return self._filled(self.base.rmatmul(rows, group), self.fill[group])

    def squares(self, rows, group):  # the two parts are never both there
        return self._filled(self.base.squares(rows, group), self.fill[group] ** 2)

    def second_moments(self, rows, weights, others, group):
        both = jnp.take(self.base.stored, rows, axis=1, mode="fill", fill_value=0).astype(jnp.float64)
        p = len(self.slot)
        filled = both[:p].at[self.at].add(both[p:] * self.fill[group][:, None], mode="drop")
        return moments_of(filled, weights, others)

    def outer(self, weights, group):
        return outer_of(self, weights, group)

    def _filled(self, products: Float[Array, "S L e"], fill: Float[Array, "S k"]) -> Float[Array, "S L p"]:
        """Products with the stored columns, and with the masks times the fills, added up by column."""
        p = len(self.slot)
        return products[..., :p] + take(products[..., p:] * fill[:, None], self.slot, 0.0)
