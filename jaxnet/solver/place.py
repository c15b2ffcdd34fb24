"""From slots to columns: exact coefficients for the unpenalised columns, remainders, and the layout by column."""

from functools import partial

import jax
import jax.numpy as jnp
from jax import lax
from jaxtyping import Array, Float, Int

from jaxnet.solver.restricted import SPAN
from jaxnet.solver.view import FULL, View, per_set_matmul


def pseudo_inverse(view: View, index: Int[Array, "S u"]) -> tuple[Float[Array, "S u m"], Float[Array, "S u u"]]:
    """The atoms of the unpenalised columns `index`, and the pseudo-inverse of their Gram matrix: they may be collinear."""
    sets = jnp.arange(len(index))
    atoms = jax.vmap(view.atoms)(index, sets)
    if not index.shape[1]:
        return atoms, jnp.zeros((len(index), 0, 0))
    scaled = jax.vmap(view.scaled)(atoms, sets)
    return atoms, jnp.linalg.pinv(jax.vmap(view.gram)(scaled, scaled, index), hermitian=True)


@partial(jax.jit, static_argnums=2)
def null_fit(view: View, index: Int[Array, "S u"], lanes: int) -> tuple[Float[Array, "S L p"], Float[Array, "S u u"]]:
    """With all penalised coefficients at zero: the gradients, and `pseudo_inverse` of the unpenalised columns `index`."""
    atoms, pinv = pseudo_inverse(view, index)
    zero = jnp.zeros((len(index), lanes, index.shape[1]))
    _, remainder, dense = place(view, atoms, index, zero, pinv, jnp.zeros(len(index), int))
    return view.fit(remainder, dense).gradient, pinv


def refit(view: View, remainder: Array, atoms: Array, index: Array, pinv: Float[Array, "S u u"]):
    """Minimise exactly over the first u slots, given all else: the new remainder and the change (S, L, u)."""
    free = pinv.shape[1]
    mine, at = atoms[:, :free], index[:, :free]
    shift = per_set_matmul(view.slot_gradient(remainder, mine, at), pinv, transpose=False)
    return remainder - per_set_matmul(shift, mine, transpose=False), shift


def place(
    view: View, atoms: Array, index: Int[Array, "S W"], B: Float[Array, "S L W"], pinv: Array, used: Int[Array, " S"]
):
    """Refit the unpenalised coefficients, and lay all out by column: (B, remainder, dense (S, L, p)).

    Only the first `used` slots of a set have coefficients.
    """
    remainder = view.origin()[:, None] - _image(atoms, B, used)
    if pinv.shape[1]:
        remainder, shift = refit(view, remainder, atoms, index, pinv)
        B = B.at[:, :, : pinv.shape[1]].add(shift)
    sets, lanes, _ = B.shape
    where = (jnp.arange(sets)[:, None, None], jnp.arange(lanes)[None, :, None], index[:, None])
    dense = jnp.zeros((sets, lanes, view.usable.shape[1])).at[where].set(B, mode="drop")
    return B, remainder, dense


def _image(atoms: Float[Array, "S W m"], B: Float[Array, "S L W"], used: Int[Array, " S"]) -> Float[Array, "S L m"]:
    """B @ atoms for every set, over the slots in use."""
    sets, lanes, width = B.shape
    if not width or width % SPAN:
        return per_set_matmul(B, atoms, transpose=False)

    def one(s):
        def span(i, total):
            part = lax.dynamic_slice(B, (s, 0, i * SPAN), (1, lanes, SPAN))[0]
            mine = lax.dynamic_slice(atoms, (s, i * SPAN, 0), (1, SPAN, atoms.shape[2]))[0]
            return total + jnp.matmul(part, mine, precision=FULL)

        return lax.fori_loop(0, -(-used[s] // SPAN), span, jnp.zeros((lanes, atoms.shape[2])))

    return lax.map(one, jnp.arange(sets))
