"""From slots to columns: exact coefficients for the unpenalised columns, remainders, and the layout by column."""

from functools import partial
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float, Int

from jaxnet.solver.view import View, by_column, per_set_matmul


def pseudo_inverse(view: View, index: Int[Array, "S u"]) -> tuple[Float[Array, "S u m"], Float[Array, "S u u"]]:
    """The atoms of the unpenalised columns `index`, and the pseudo-inverse of their Gram matrix: they may be collinear."""
    sets = jnp.arange(len(index))
    atoms = jax.vmap(view.atoms)(index, sets)
    if not index.shape[1]:
        return atoms, jnp.zeros((len(index), 0, 0))
    entries = jax.vmap(view.entries)(atoms, index, sets)
    gram = per_set_matmul(entries, entries, transpose=True) if view.by_rows else entries
    return atoms, jnp.linalg.pinv(gram, hermitian=True)


@partial(jax.jit, static_argnums=2)
def null_fit(view: View, index: Int[Array, "S u"], lanes: int) -> tuple[Float[Array, "S L p"], Float[Array, "S u u"]]:
    """With all penalised coefficients at zero: the gradients, and `pseudo_inverse` of the unpenalised columns `index`."""
    _, pinv = pseudo_inverse(view, index)
    zero = jnp.zeros((len(index), lanes, index.shape[1]))
    _, remainder, dense = place(view, index, zero, pinv, jnp.zeros(len(index), int), Base.zero(view, *zero.shape[1:]))
    return view.fit(remainder, dense).gradient, pinv


def refit(view: View, remainder: Array, atoms: Array, index: Int[Array, "S u"], pinv: Float[Array, "S u u"]):
    """Minimise exactly over the columns `index`, given all else: the new remainder and the change (S, L, u)."""
    shift = per_set_matmul(view.slot_gradient(remainder, atoms, index), pinv, transpose=False)
    return remainder - per_set_matmul(shift, atoms, transpose=False), shift


class Base(NamedTuple):
    """Coefficients by slot whose remainder is known."""

    B: Float[Array, "S L W"]
    remainder: Float[Array, "S L m"]

    @classmethod
    def zero(cls, view: View, lanes: int, width: int) -> "Base":
        """No coefficients."""
        origin = view.origin()
        sets, m = origin.shape
        return cls(np.zeros((sets, lanes, width)), jnp.broadcast_to(origin[:, None], (sets, lanes, m)))


@jax.jit
def place(
    view: View,
    index: Int[Array, "S W"],
    B: Float[Array, "S L W"],
    pinv: Array,
    used: Int[Array, " S"],
    base: Base,
):
    """Refit the unpenalised coefficients, and lay all out by column: (B, remainder, dense (S, L, p)).

    Only the first `used` slots of a set have coefficients. The remainder follows from that of the `base`.
    """
    sets, p = view.usable.shape
    remainder = base.remainder + view.combine(base.B - B, index, used)
    free = pinv.shape[1]
    if not free:
        return B, remainder, by_column(B, index, p)
    mine = index[:, :free]
    atoms = jax.vmap(view.atoms)(mine, jnp.arange(sets))
    remainder, shift = refit(view, remainder, atoms, mine, pinv)
    B = B.at[:, :, :free].add(shift)
    return B, remainder, by_column(B, index, p)
