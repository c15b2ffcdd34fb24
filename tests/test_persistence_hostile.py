"""What is damaged, foreign or hostile is refused with a sentence and runs nothing."""

import dataclasses
import os
import pickle

import numpy as np
import pytest
from crafted import hide, instructions_of
from saved import METADATA, body_of, nested, result, seal, seal_bytes

import jaxnet
from jaxnet.errors import InvalidInput
from jaxnet.persistence import load, read_metadata, save
from jaxnet.persistence.seal import SEALED
from jaxnet.result import FitOptions


@pytest.fixture
def path(tmp_path):
    return tmp_path / "thing.jaxnet"


class Runs:
    """Pickles to a call of `os.system`."""

    def __reduce__(self):
        return os.system, ("touch ran",)


class Built:
    def __init__(self):
        self.state = 1


def hostile_pickles() -> dict[str, bytes]:
    envelope = {"format": "jaxnet", "version": 1, "written_by": "x", "metadata": METADATA, "content": 0}
    shared = ["x"]
    bodies = {f"reduce, protocol {k}": pickle.dumps({**envelope, "content": Runs()}, protocol=k) for k in range(6)}
    bodies |= {f"instance, protocol {k}": pickle.dumps({**envelope, "content": Built()}, protocol=k) for k in range(6)}
    bodies |= {
        "array object": pickle.dumps(np.zeros(3), protocol=4),
        "a class": pickle.dumps(dict, protocol=4),
        "a set": pickle.dumps({1, 2}, protocol=4),
        "shared references": pickle.dumps([shared, shared], protocol=4),
        "old protocol": pickle.dumps(1, protocol=2),
        "new protocol": pickle.dumps(bytearray(9), protocol=5),
        "hand-written system call": b"cos\nsystem\n(S'touch ran'\ntR.",
        "persistent id": b"Pabc\n.",
        "huge memo index": b"\x80\x04]r\xff\xff\xff\x7f.",
        "huge integer": b"\x80\x04\x8b\xff\xff\xff\x7f" + b"\1" * 100 + b".",
        "nothing on the stack": b"\x80\x04.",
        "marks only": b"\x80\x04((((.",
        "append to a number": b"\x80\x04K\1K\2a.",
        "unhashable key": b"\x80\x04}]K\1s.",
        "a second pickle": pickle.dumps(1, protocol=4) * 2,
        "deep key": b"\x80\x04})" + b"\x85" * 10**6 + b"K\1s.",
        "number as a key": b"\x80\x04}(K\1K\1K\2K\2u.",
        "too many values": b"\x80\x04](" + b"}" * 5_000_001 + b"e.",
        "no stop": b"\x80\x04K\1",
        "empty": b"",
        "not a pickle": b"\xff" * 50,
        "frame beyond the end": b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7fK\1.",
        "hidden by a frame": hide(instructions_of(body_of("hidden"))[1:-1]),
        "hidden call": hide([b"cos\nsystem\n", b"\x8c\ttouch ran", b"\x85R"]),
        "hidden doubling": hide([b")", *[b"2\x86"] * 30]),
        "bytes beyond the end": b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x7fa.",
    }
    return bodies


@pytest.mark.parametrize("name", hostile_pickles())
def test_hostile_pickles_are_refused_and_run_nothing(name, path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    seal_bytes(hostile_pickles()[name], path)
    with pytest.raises(InvalidInput, match=r"thing.jaxnet is (refused|damaged|no jaxnet file)"):
        load(path)
    assert not (tmp_path / "ran").exists()


ARRAY = {"~": "array", "dtype": "<f8", "shape": (2,), "data": bytes(16)}
HOSTILE_CONTENTS = {
    "object dtype": {**ARRAY, "dtype": "|O"},
    "dtype with fields": {**ARRAY, "dtype": "<f8,<f8"},
    "dtype no text": {**ARRAY, "dtype": ["<f8"]},
    "wrong size": {**ARRAY, "data": bytes(15)},
    "negative shape": {**ARRAY, "shape": (-2, -1)},
    "fractional shape": {**ARRAY, "shape": (2.0,)},
    "boolean shape": {**ARRAY, "shape": (True, 2)},
    "list shape": {**ARRAY, "shape": [2]},
    "impossible empty shape": {**ARRAY, "shape": (0, 2**47, 2**47), "data": b""},
    "too many axes": {**ARRAY, "shape": (1,) * 17 + (2,)},
    "missing part": {key: ARRAY[key] for key in ("~", "dtype", "shape")},
    "extra part": {**ARRAY, "more": 1},
    "text data": {**ARRAY, "data": "x" * 16},
    "booleans beyond 0 and 1": {"~": "array", "dtype": "|b1", "shape": (1,), "data": b"\2"},
    "scalar with a shape": {**ARRAY, "~": "scalar"},
    "scalar of two": {"~": "scalar", "dtype": "<f8", "data": bytes(16)},
    "texts no text": {"~": "texts", "texts": ("a", 1)},
    "texts a text": {"~": "texts", "texts": "abc"},
    "texts with extras": {"~": "texts", "texts": (), "more": 1},
    "texts of another shape": {"~": "texts", "texts": ("a", "b"), "shape": (3, 1)},
    "texts of no shape": {"~": "texts", "texts": ("a", "b"), "shape": 2},
    "texts of an impossible shape": {"~": "texts", "texts": (), "shape": (0, 2**47, 2**47)},
    "unknown kind": {"~": "Popen", "parts": {}},
    "kind no text": {"~": ["SweepResult"], "parts": {}},
    "result without fields": {"~": "SweepResult", "parts": {}},
    "result of no dict": {"~": "SweepResult", "parts": []},
    "result with extras": {"~": "SweepResult", "parts": {}, "more": 1},
}


@pytest.mark.parametrize("name", HOSTILE_CONTENTS)
def test_hostile_contents_are_refused(name, path):
    seal({"inside": [HOSTILE_CONTENTS[name]]}, path)
    with pytest.raises(InvalidInput, match=r"thing.jaxnet is (refused|damaged): content\['inside'\]\[0\]"):
        load(path)


@pytest.mark.parametrize("depth", [40, 100, 10**6])
@pytest.mark.parametrize("kind", ["list", "tuple", "dict"])
def test_deep_nesting_is_refused(kind, depth, path):
    """Also where it would overflow the stack of the C code that builds, prints or hashes it."""
    body = {
        "list": b"]" * depth + b"a" * (depth - 1),
        "tuple": b")" + b"\x85" * (depth - 1),
        "dict": b"}\x8c\x01a" * (depth - 1) + b"}" + b"s" * (depth - 1),
    }[kind]
    seal("HERE", path)
    envelope = path.read_bytes()[11 : -32 - len(SEALED)]  # without protocol and frame, whose length would be another
    seal_bytes(b"\x80\x04" + envelope.replace(b"\x8c\x04HERE", body), path)
    with pytest.raises(InvalidInput, match="nested more than"):
        load(path)


@pytest.mark.parametrize(
    "envelope", [{"format": "other"}, {"version": "1"}, {"version": True}, {"version": 0}, {"more": 1}]
)
def test_strange_envelopes_are_refused(envelope, path):
    seal(0, path, **envelope)
    with pytest.raises(InvalidInput, match="envelope"):
        load(path)


@pytest.mark.parametrize(
    "metadata",
    [
        None,
        {},
        {"more": 1},
        {**METADATA, "written": 3},
        {**METADATA, "versions": {"jaxnet": 1}},
        {**METADATA, "versions": "1"},
    ],
)
def test_strange_metadata_are_refused(metadata, path):
    seal(0, path, metadata=metadata)
    for read in (load, read_metadata):
        with pytest.raises(InvalidInput, match="metadata lack"):
            read(path)


SPARSE = result().coefs
INCONSISTENT = {
    "rho of another length": {"rho": np.ones(3)},
    "rho a number": {"rho": 1.0},
    "alphas of one axis": {"alphas": np.ones(6)},
    "alphas no array": {"alphas": [[1.0]]},
    "intercepts transposed": {"intercepts": np.ones((3, 2))},
    "errors missing": {"errors": None},
    "errors of other folds": {"errors": np.ones((2, 3, 2))},
    "fold weights of other folds": {"fold_weights": np.ones(2)},
    "gap of another grid": {"gap": np.ones((3, 3, 4))},
    "kkt of other groups": {"kkt": np.ones((2, 3, 3))},
    "status unknown": {"status": np.full((2, 3, 4), 7)},
    "status no integer": {"status": np.zeros((2, 3, 4))},
    "too few names": {"feature_names": ("a", "b")},
    "names no text": {"feature_names": (1, 2, 3, 4)},
    "tol no float": {"tol": "small"},
    "metric no text": {"metric": 1},
    "options of other columns": {"options": FitOptions(True, False, True, np.ones(3))},
    "options missing": {"options": None},
    "a flag no boolean": {"options": FitOptions(True, "no", True)},
    "bounds of two axes": {"options": FitOptions(True, False, True, lower=np.zeros((2, 2)))},
    "coefs an array": {"coefs": np.ones((6, 4))},
    "too few rows": {"coefs": dataclasses.replace(SPARSE, starts=SPARSE.starts[[0, -1]])},
    "columns out of range": {"coefs": dataclasses.replace(SPARSE, columns=SPARSE.columns + 4)},
    "columns negative": {"coefs": dataclasses.replace(SPARSE, columns=-1 - SPARSE.columns)},
    "starts descending": {"coefs": dataclasses.replace(SPARSE, starts=SPARSE.starts[[0, 2, 1, 3, 4, 5, 6]])},
    "starts beyond the end": {"coefs": dataclasses.replace(SPARSE, starts=SPARSE.starts + 1)},
    "width beyond reason": {
        "coefs": dataclasses.replace(SPARSE, n_columns=2**50),
        "fold_coefs": None,
        "feature_names": None,
    },
    "no alphas": {
        **{name: np.ones((2, 0, 4)) for name in ("gap", "kkt", "iterations")},
        "alphas": np.ones((2, 0)),
        "intercepts": np.ones((2, 0)),
        "errors": np.ones((2, 0, 3)),
        "status": np.ones((2, 0, 4), int),
        "fold_coefs": None,
        "fold_intercepts": None,
        "coefs": dataclasses.replace(SPARSE, starts=np.zeros(1, int), values=np.zeros(0), columns=np.zeros(0, int)),
    },
    "values of another length": {"coefs": dataclasses.replace(SPARSE, values=SPARSE.values[1:])},
    "width no integer": {"coefs": dataclasses.replace(SPARSE, n_columns=4.0)},
    "fold rows of another count": {"fold_coefs": SPARSE},
    "fold intercepts of another shape": {"fold_intercepts": np.ones(3)},
}


@pytest.mark.parametrize(
    "thing",
    [
        nested(errors=np.ones((1, 1, 3))),
        nested(errors=np.ones(0)),
        nested(alphas=np.ones(2)),
        nested(indices=np.ones((3, 2))),
        nested(indices=np.ones((3, 3), int)),
        nested(fold_weights=np.ones(2)),
        nested(metric=None),
        jaxnet.RepeatedKFold(2, "many"),
        jaxnet.RepeatedKFold(2.0),
        jaxnet.Bootstrap(5, seed="one"),
    ],
)
def test_other_objects_whose_parts_do_not_fit_are_refused(thing, path):
    save(thing, path)
    with pytest.raises(InvalidInput, match="has parts that do not fit together"):
        load(path)


@pytest.mark.parametrize("name", INCONSISTENT)
def test_results_whose_parts_do_not_fit_are_refused(name, path):
    save(result(**INCONSISTENT[name]), path)
    with pytest.raises(
        InvalidInput, match=r"content(\.coefs|\.options)?, of kind \w+, has parts that do not fit together"
    ):
        load(path)
