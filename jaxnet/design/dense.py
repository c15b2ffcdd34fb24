"""A dense X: one feature-major copy on one device, in float32 or float64."""

from dataclasses import dataclass
from functools import partial
from typing import ClassVar

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax
from jax.tree_util import register_dataclass

from jaxnet.design.base import Conditioning, Design, size_class
from jaxnet.design.combine import combine
from jaxnet.design.condition import condition
from jaxnet.design.products import moments_of

_BLOCK = 1024


@register_dataclass
@dataclass(frozen=True)
class DenseDesign(Design):
    """`stored` is (p, n), C-ordered; the full precision of every product is asked for."""

    stored: jax.Array
    varies: ClassVar[bool] = False

    @classmethod
    def build(
        cls, X: np.ndarray, *, dtype, centred: bool, fill: np.ndarray | None = None, masks: np.ndarray | None = None
    ) -> tuple["DenseDesign", Conditioning]:
        """Condition and transpose X (n, p) into device memory, a block of columns at a time: one copy in all.

        `centred` allows offsets to be moved into the intercept. A column's offset is removed only where it is so large
        against the column's spread that digits would be lost, so that ordinary columns do not depend on other rows.

        X may hold nan if `fill` (p,) says what stands there while columns are conditioned; stored they are zeros. `masks`
        (k,) are columns whose patterns of nan, as ones, follow behind the (padded) columns of X.
        """
        n, p = X.shape
        first, behind = size_class(p), 0 if masks is None else size_class(len(masks))
        masks = np.zeros(0, int) if masks is None else masks
        stored = jnp.zeros((first + behind, size_class(n)), np.dtype(dtype))
        center, scale = np.zeros(p), np.ones(p)

        def put(stored, block, start):
            padded = np.zeros((min(_BLOCK, len(stored) - start), stored.shape[1]), stored.dtype)
            padded[: len(block), :n] = block
            return _put(stored, padded, start)

        for start in range(0, p, _BLOCK):
            at = slice(start, min(start + _BLOCK, p))
            block = np.array(X[:, at], dtype=np.float64).T
            holes = None if fill is None else np.isnan(block)
            if holes is not None:
                block = np.where(holes, fill[at, None], block)
            center[at], scale[at] = condition(block, centred=centred, dtype=stored.dtype)
            if holes is not None:
                block[holes] = 0.0
            stored = put(stored, block, start)
        for start in range(0, len(masks), _BLOCK):
            stored = put(stored, np.isnan(X[:, masks[start : start + _BLOCK]]).T, first + start)
        return cls(jax.block_until_ready(stored)), Conditioning(center, scale)

    @property
    def shape(self):
        return self.stored.shape[1], self.stored.shape[0]

    def columns(self, index, group):
        return jnp.take(self.stored, index, axis=0, mode="fill", fill_value=0)

    def matmul(self, coefficients, group):
        sets, lanes, p = coefficients.shape
        return self._matmul(coefficients.reshape(sets * lanes, p)).reshape(sets, lanes, -1)

    def _matmul(self, coefficients):
        p, n = self.stored.shape
        size = _block_size(p, self.stored.dtype == coefficients.dtype)

        def add(i, total):
            part = lax.dynamic_slice(self.stored, (i * size, 0), (size, n)).astype(coefficients.dtype)
            chosen = lax.dynamic_slice_in_dim(coefficients, i * size, size, 1)
            return total + jnp.matmul(chosen, part, precision=lax.Precision.HIGHEST)

        return lax.fori_loop(0, p // size, add, jnp.zeros((coefficients.shape[0], n), coefficients.dtype))

    def combine(self, B, index, used, group):
        return combine(self.stored[None], jnp.zeros(len(B), jnp.int32), index, B, used)

    def rmatmul(self, rows, group):
        return self._by_blocks(rows)

    def squares(self, rows, group):
        return self._by_blocks(rows, lambda block: block * block)

    def second_moments(self, rows, weights, others, group):
        wide = jnp.take(self.stored, rows, axis=1, mode="fill", fill_value=0).astype(jnp.float64)
        return moments_of(wide, weights, others)

    def outer(self, weights, group):
        p, n = self.stored.shape
        size = _block_size(p, False)

        def add(i, total):
            part = lax.dynamic_slice(self.stored, (i * size, 0), (size, n)).astype(weights.dtype)
            weighted = part * lax.dynamic_slice_in_dim(weights, i * size, size)[:, None]
            return total + jnp.matmul(part.T, weighted, precision=lax.Precision.HIGHEST)

        return lax.fori_loop(0, p // size, add, jnp.zeros((n, n), weights.dtype))

    def _by_blocks(self, rows, transform=None):
        """rows @ transform(stored).T; a narrower or transformed store is made block by block, never as a whole."""
        p, n = self.stored.shape
        sets, lanes, _ = rows.shape
        rows = rows.reshape(sets * lanes, n)
        size = _block_size(p, transform is None and self.stored.dtype == rows.dtype)

        def block(i):
            part = lax.dynamic_slice(self.stored, (i * size, 0), (size, n)).astype(rows.dtype)
            part = part if transform is None else transform(part)
            return jnp.matmul(rows, part.T, precision=lax.Precision.HIGHEST)

        parts = block(0) if size == p else jnp.moveaxis(lax.map(block, jnp.arange(p // size)), 0, 1)
        return parts.reshape(sets, lanes, p)


@partial(jax.jit, donate_argnums=0)
def _put(stored, block, start):
    """Write a block of columns in place: X is never on the device, nor on the host, a second time."""
    return lax.dynamic_update_slice(stored, block, (start, 0))


def _block_size(p: int, whole: bool) -> int:
    """Columns per block: all, or a divisor of the padded p (m 2^k with m < 16, so halving finds one)."""
    size = p
    while not whole and size > 4 * _BLOCK and size % 2 == 0:
        size //= 2
    return size
