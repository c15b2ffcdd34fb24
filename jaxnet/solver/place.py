"""From slots to columns: exact coefficients for the unpenalised columns, remainders, and the layout by column."""

from functools import partial

import jax
import jax.numpy as jnp
from jaxtyping import Array, Float, Int

from jaxnet.solver.view import View, per_set_matmul


@partial(jax.jit, static_argnums=3)
def pseudo_inverse(view: View, atoms: Array, index: Int[Array, "S W"], free: int) -> Float[Array, "S u u"]:
    """Of the Gram matrices of the first `free` slots, the unpenalised columns, which may be collinear."""
    mine = atoms[:, :free]
    gram = jax.vmap(lambda s: view.gram(mine[s], mine[s], index[s, :free], s))(jnp.arange(atoms.shape[0]))
    return jnp.linalg.pinv(gram, hermitian=True) if free else gram


@partial(jax.jit, static_argnums=2)
def null_fit(view: View, index: Int[Array, "S W"], free: int, lanes: Float[Array, " L"]):
    """With all penalised coefficients at zero: the gradients (S, L, p), and `pseudo_inverse` of the unpenalised slots.

    `index` holds the unpenalised columns in its first `free` slots; `lanes` only says how many lanes there are.
    """
    atoms = view.atoms(index[:, :free])
    pinv = pseudo_inverse(view, atoms, index, free)
    zero = jnp.zeros((len(index), len(lanes), free))
    _, remainder, dense = place(view, atoms, index[:, :free], zero, pinv)
    return view.fit(remainder, dense).gradient, pinv


def refit(view: View, remainder: Array, atoms: Array, index: Array, pinv: Float[Array, "S u u"]):
    """Minimise exactly over the first u slots, given all else: the new remainder and the change (S, L, u)."""
    free = pinv.shape[1]
    mine, at = atoms[:, :free], index[:, :free]
    shift = per_set_matmul(view.slot_gradient(remainder, mine, at), pinv, transpose=False)
    return remainder - per_set_matmul(shift, mine, transpose=False), shift


@jax.jit
def place(view: View, atoms: Array, index: Int[Array, "S W"], B: Float[Array, "S L W"], pinv: Float[Array, "S u u"]):
    """Refit the unpenalised coefficients, and lay all out by column: (B, remainder, dense (S, L, p))."""
    remainder = view.origin()[:, None] - per_set_matmul(B, atoms, transpose=False)
    if pinv.shape[1]:
        remainder, shift = refit(view, remainder, atoms, index, pinv)
        B = B.at[:, :, : pinv.shape[1]].add(shift)
    sets, lanes, _ = B.shape
    where = (jnp.arange(sets)[:, None, None], jnp.arange(lanes)[None, :, None], index[:, None])
    dense = jnp.zeros((sets, lanes, view.usable.shape[1])).at[where].set(B, mode="drop")
    return B, remainder, dense
