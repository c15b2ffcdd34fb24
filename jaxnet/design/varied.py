"""An X some of whose columns each group has a copy of its own of: those whose missing values a model fills.

The other columns are stored once. Own columns cost G n numbers each.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.tree_util import register_dataclass
from jaxtyping import Array, Float, Int

from jaxnet.design.base import Conditioning, Design, size_class
from jaxnet.design.combine import combine
from jaxnet.design.condition import condition
from jaxnet.design.dense import DenseDesign
from jaxnet.design.products import moments_of, outer_of, place, take


@register_dataclass
@dataclass(frozen=True)
class VariedDesign(Design):
    """`at` and `slot` have the places of own columns, `shared_at` and `shared_slot` those of the others (products.place)."""

    shared: DenseDesign
    own: Float[Array, "G k n"]
    shared_at: Int[Array, " c"]
    shared_slot: Int[Array, " p"]
    at: Int[Array, " k"]
    slot: Int[Array, " p"]
    varies: ClassVar[bool] = True

    @classmethod
    def build(
        cls, X: np.ndarray, versions: Callable[[int], np.ndarray], count: int, *, dtype, centred: bool
    ) -> tuple["VariedDesign", Conditioning]:
        """Store X (n, p), nan where missing, of which `versions(g)` (n, c) are the filled columns with missing values as
        group g of `count` sees them. The first group's units are taken."""
        n, p = X.shape
        holes = np.isnan(X).any(axis=0)
        own_columns, others = np.flatnonzero(holes), np.flatnonzero(~holes)
        kept = X[:, others] if len(others) else np.zeros((n, 1))
        shared, units = DenseDesign.build(kept, dtype=dtype, centred=centred)
        center, scale = np.zeros(p), np.ones(p)
        if len(others):
            center[others], scale[others] = units
        wide = size_class(p)
        at, slot = place(own_columns, wide)
        shared_at, shared_slot = place(others, wide)
        own = np.zeros((count, len(at), size_class(n)), np.dtype(dtype))
        for g in range(count):
            rows = np.array(versions(g), dtype=np.float64).T
            if g == 0:
                center[own_columns], scale[own_columns] = condition(rows, centred=centred, dtype=own.dtype)
            else:
                rows = (rows - center[own_columns, None]) / scale[own_columns, None]
            own[g, : len(rows), :n] = rows
        places = map(jnp.asarray, (shared_at, shared_slot, at, slot))
        return cls(shared, jnp.asarray(own), *places), Conditioning(center, scale)

    @property
    def shape(self):
        return self.shared.shape[0], len(self.slot)

    def columns(self, index, group):
        shared, own = take(self.shared_slot, index, len(self.shared_at)), take(self.slot, index, len(self.at))
        mine = jnp.take(self.own[group], own, axis=0, mode="fill", fill_value=0)
        return self.shared.columns(shared, group) + mine

    def matmul(self, coefficients, group):
        of_own = take(coefficients, self.at, 0.0)

        def product(x):
            own = self.own[x[1]].astype(coefficients.dtype)
            return jnp.matmul(x[0], own, precision=lax.Precision.HIGHEST)

        return self.shared.matmul(take(coefficients, self.shared_at, 0.0), group) + lax.map(product, (of_own, group))

    def combine(self, B, index, used, group):
        shared, own = self.shared_slot[index], self.slot[index]
        c, k = len(self.shared_at), len(self.at)
        one = self.shared.combine(jnp.where((shared < c)[:, None], B, 0), jnp.minimum(shared, c - 1), used, group)
        return one + combine(self.own, group, jnp.minimum(own, k - 1), jnp.where((own < k)[:, None], B, 0), used)

    def rmatmul(self, rows, group):
        return self._gather(self.shared.rmatmul(rows, group), rows, group, lambda x: x)

    def squares(self, rows, group):
        return self._gather(self.shared.squares(rows, group), rows, group, lambda x: x * x)

    def second_moments(self, rows, weights, others, group):
        part = lambda x: jnp.take(x, rows, axis=-1, mode="fill", fill_value=0).astype(jnp.float64)
        shared, own = part(self.shared.stored), part(self.own[group])
        wide = jnp.take(shared, self.shared_slot, axis=0, mode="fill", fill_value=0)
        wide = wide + jnp.take(own, self.slot, axis=0, mode="fill", fill_value=0)
        return moments_of(wide, weights, others)

    def outer(self, weights, group):
        return outer_of(self, weights, group)

    def _gather(self, of_shared: Array, rows: Float[Array, "S L n"], group: Array, transform) -> Float[Array, "S L p"]:
        """Products of rows with all columns, from those with the shared ones; own columns are transformed set by set."""

        def product(x):
            own = transform(self.own[x[1]].astype(rows.dtype))
            return jnp.matmul(x[0], own.T, precision=lax.Precision.HIGHEST)

        of_own = lax.map(product, (rows, group))
        return take(of_shared, self.shared_slot, 0.0) + take(of_own, self.slot, 0.0)
