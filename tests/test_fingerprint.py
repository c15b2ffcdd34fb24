"""Fingerprints: equal for equal data in any memory order, different for any difference."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from jaxnet.data import fingerprint as module
from jaxnet.data.fingerprint import fingerprint


@given(hnp.arrays(st.sampled_from(["f4", "f8", "i8"]), hnp.array_shapes(max_dims=2, min_side=0)))
def test_fingerprint_ignores_memory_and_byte_order(array):
    twins = (
        np.asfortranarray(array),
        array.astype(array.dtype.newbyteorder(">")),
        np.repeat(array[None], 2, axis=0)[1],
    )
    assert {fingerprint(X=twin) for twin in twins} == {fingerprint(X=array)}


def test_fingerprint_does_not_depend_on_blocks(rng, monkeypatch):
    X = rng.normal(size=(50, 7))
    whole = fingerprint(X=X)
    monkeypatch.setattr(module, "_BLOCK", 100)
    assert fingerprint(X=X) == whole


def test_fingerprint_tells_data_apart(rng):
    X, w = rng.normal(size=(6, 4)), np.ones(6)
    changed = X.copy()
    changed[5, 3] = np.nextafter(changed[5, 3], 9)
    others = [
        *({"X": X}, {"X": X, "w": w}, {"y": X}, {"X": X, "v": w}, {"X": changed}, {"X": X.T}, {"X": X[::-1]}),
        *({"X": X.astype("f4")}, {"X": X.reshape(4, 6)}, {"X": X.view("i8")}, {"X": X[:5]}),
    ]
    assert len({fingerprint(**other) for other in others}) == len(others)
    assert fingerprint(X=X, w=None) == fingerprint(X=X)
