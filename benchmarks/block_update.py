"""How fast one pass of block coordinate descent runs, by block size, precision and the form of the block update.

    python -m benchmarks.block_update

Prints milliseconds per pass for S sets of L lanes on working sets of W slots. The figures in NOTES.md come from here.
"""

import time
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax


def problem(sets, width, lanes, dtype, rows=500):
    rng = np.random.default_rng(0)
    atoms = rng.standard_normal((sets, width, rows)) / np.sqrt(rows)
    gram = np.einsum("swn,svn->swv", atoms, atoms)
    return jnp.asarray(gram, dtype), jnp.asarray(rng.standard_normal((sets, lanes, width)), dtype)


@partial(jax.jit, static_argnums=(2, 3, 4))
def run_passes(gram, q, passes, block, update):
    """Lasso passes at l1 = 0.8, ridge 0.1, in the layout (S, L, W)."""
    width = q.shape[2]
    diagonal = jnp.diagonal(gram, axis1=1, axis2=2)

    def one_block(i, state):
        q, B = state
        rows = lax.dynamic_slice_in_dim(gram, i * block, block, 1)
        square = lax.dynamic_slice_in_dim(rows, i * block, block, 2)
        part = lambda x: jnp.swapaxes(lax.dynamic_slice_in_dim(x, i * block, block, 2), 1, 2)
        d = lax.dynamic_slice_in_dim(diagonal, i * block, block, 1)
        old = part(B)
        ahead = part(q) + d[..., None] * old

        def coordinate(k, change):
            at = lambda x: lax.dynamic_index_in_dim(x, k, 1, keepdims=False)
            u = at(ahead) - jnp.sum(at(square)[..., None] * change, axis=1)
            new = (u - jnp.clip(u, -0.8, 0.8)) / (at(d)[:, None] + 0.1)
            return lax.dynamic_update_index_in_dim(change, new - at(old), k, 1)

        change = jnp.swapaxes(lax.fori_loop(0, block, coordinate, jnp.zeros_like(old)), 1, 2)
        B = lax.dynamic_update_slice_in_dim(B, jnp.swapaxes(old, 1, 2) + change, i * block, 2)
        if update == "a product per set":
            q = q - jnp.stack([c @ r for c, r in zip(change, rows, strict=True)])
        elif update == "one batched product":
            q = q - jnp.einsum("slk,skw->slw", change, rows)
        return q, B

    def one(_, state):
        return lax.fori_loop(0, width // block, one_block, state)

    return lax.fori_loop(0, passes, one, (q, jnp.zeros_like(q)))


def milliseconds(gram, q, block, update, passes=10, repeats=5):
    jax.block_until_ready(run_passes(gram, q, passes, block, update))
    times = []
    for _ in range(repeats):
        start = time.perf_counter()
        jax.block_until_ready(run_passes(gram, q, passes, block, update))
        times.append(time.perf_counter() - start)
    return 1e3 * float(np.median(times)) / passes


def main():
    with jax.enable_x64(True):
        for sets, width, lanes in ((6, 512, 7), (3, 512, 7), (50, 256, 1), (3, 512, 1)):
            for dtype in (jnp.float64, jnp.float32):
                gram, q = problem(sets, width, lanes, dtype)
                for block, update in ((16, "a product per set"), (32, "a product per set"), (64, "a product per set"),
                                      (32, "one batched product"), (32, "no update (steps alone)")):  # fmt: skip
                    took = milliseconds(gram, q, block, update)
                    print(
                        f"S={sets} W={width} L={lanes} {dtype.__name__} block {block}, {update}: {took:.2f} ms a pass"
                    )


if __name__ == "__main__":
    main()
