"""What is saved loads back equal; what is damaged, foreign or hostile is refused with a sentence and runs nothing."""

import dataclasses
import hashlib
import io
import os
import pickle
import subprocess
import sys

import hypothesis
import numpy as np
import pytest
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from jaxnet import persistence
from jaxnet.errors import InvalidInput
from jaxnet.persistence import load, save
from jaxnet.result import FitOptions, SparseRows, SweepResult

DTYPES = ("bool", "int8", "uint8", "int32", "int64", "uint64", "float16", "float32", "float64", ">f8", ">i4")
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(codec="utf-8"), max_size=20)
    | st.binary(max_size=20)
)
ARRAYS = st.sampled_from(DTYPES).flatmap(lambda dtype: hnp.arrays(dtype, hnp.array_shapes(min_dims=0, min_side=0)))
TREES = st.recursive(
    SCALARS | ARRAYS,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5).filter("~".__ne__), inner, max_size=4)
    ),
    max_leaves=12,
)


def equal(a, b) -> bool:
    """Same structure, types and values; arrays by dtype (whatever the byte order), shape and bytes."""
    if isinstance(a, np.ndarray):
        a = a.astype(a.dtype.newbyteorder("<"))
        return type(b) is np.ndarray and (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(equal(a[key], b[key]) for key in a)
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(equal, a, b))
    return a == b


def seal(content: object, path, **envelope) -> None:
    """A file with a valid trailer around any picklable content, as an attacker could write it."""
    full = {"format": "jaxnet", "version": persistence.FORMAT_VERSION, "written_by": "test", "content": content}
    buffer = io.BytesIO()
    pickler = pickle.Pickler(buffer, protocol=4)
    pickler.fast = True
    pickler.dump({**full, **envelope})
    seal_bytes(buffer.getvalue(), path)


def seal_bytes(body: bytes, path) -> None:
    sealed = body + persistence._MAGIC
    path.write_bytes(sealed + hashlib.sha256(sealed).digest())


@pytest.fixture
def path(tmp_path):
    return tmp_path / "thing.jaxnet"


@hypothesis.given(tree=TREES)
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture], max_examples=60)
def test_saved_trees_load_equal(tree, path):
    save(tree, path)
    assert equal(tree, load(path))


def test_saved_arrays_come_back_writable_and_row_major(path):
    array = np.asfortranarray(np.arange(12.0).reshape(3, 4))[:, ::2]
    save(array, path)
    back = load(path)
    np.testing.assert_array_equal(back, array)
    assert back.flags.c_contiguous and back.flags.writeable


def test_saved_numpy_scalars_come_back_as_python_numbers(path):
    save([np.float64(0.1), np.int32(3), np.bool_(True)], path)
    assert equal(load(path), [0.1, 3, True])


def test_saved_file_is_an_ordinary_pickle_of_builtins(path):
    save({"a": np.ones(2), "b": (1, "x")}, path)
    plain = pickle.loads(path.read_bytes())
    assert plain["content"]["a"] == {"~": "array", "dtype": "<f8", "shape": (2,), "data": np.ones(2).tobytes()}


def test_saved_files_are_the_same_bytes_every_time(path):
    content = {"b": [1, 2.5], "a": np.arange(3)}
    save(content, path)
    first = path.read_bytes()
    save(content, path)
    assert path.read_bytes() == first


@pytest.mark.parametrize(
    ("value", "pattern"),
    [
        ({"a": [0, object()]}, r"\['a'\]\[1\]: object"),
        ({1: 2}, "key 1"),
        ({"~": 2}, "key '~'"),
        (2**64, "int"),
        (1j, "complex"),
        ({1, 2}, "set"),
        (np.array(["a"]), "dtype <U1"),
        (np.array([None]), "dtype object"),
        (np.zeros(2, [("a", float)]), r"dtype \[\('a'"),
        (type("Sneaky", (dict,), {})(), "Sneaky"),
    ],
)
def test_saving_refuses_other_kinds_and_names_the_place(value, pattern, path):
    with pytest.raises(InvalidInput, match=f"cannot save content.*{pattern}"):
        save(value, path)
    assert not path.exists()


def test_saving_refuses_endless_nesting(path):
    endless: list = []
    endless.append(endless)
    with pytest.raises(InvalidInput, match="nested more than"):
        save(endless, path)


def test_failed_save_leaves_the_old_file_and_no_other(path, monkeypatch):
    save("old", path)

    def full_disk(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        save("new", path)
    monkeypatch.undo()
    assert load(path) == "old"
    assert [entry.name for entry in path.parent.iterdir()] == [path.name]


def test_saving_to_nowhere_names_the_path_asked_for(tmp_path):
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "none" / "x.jaxnet", tmp_path / "file" / "x.jaxnet"):
        with pytest.raises(OSError, match=r"'.*/x\.jaxnet'"):
            save(1, path)


def test_saving_follows_links_and_writes_to_devices(tmp_path):
    real, link = tmp_path / "real.jaxnet", tmp_path / "link.jaxnet"
    save(1, real)
    link.symlink_to(real)
    save(2, link)
    assert link.is_symlink() and load(real) == 2
    save(3, os.devnull)
    assert not os.path.isfile(os.devnull)


def test_every_truncation_and_bit_flip_is_refused(path):
    save({"numbers": np.arange(5.0), "text": ["a", None, True]}, path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(InvalidInput, match=r"thing\.jaxnet"):
            load(path)
    for position in range(0, len(whole), 3):
        damaged = bytearray(whole)
        damaged[position] ^= 1 << position % 8
        path.write_bytes(damaged)
        with pytest.raises(InvalidInput, match=r"thing\.jaxnet"):
            load(path)


class Runs:
    """Pickles to a call of `os.system`."""

    def __reduce__(self):
        return os.system, ("touch ran",)


class Built:
    def __init__(self):
        self.state = 1


def hostile_pickles() -> dict[str, bytes]:
    envelope = {"format": "jaxnet", "version": 1, "written_by": "x", "content": 0}
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
        "no stop": b"\x80\x04K\1",
        "empty": b"",
        "not a pickle": b"\xff" * 50,
        "frame beyond the end": b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7fK\1.",
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
    "unknown kind": {"~": "Popen", "fields": {}},
    "kind no text": {"~": ["SweepResult"], "fields": {}},
    "result without fields": {"~": "SweepResult", "fields": {}},
    "result of no dict": {"~": "SweepResult", "fields": []},
    "result with extras": {"~": "SweepResult", "fields": {}, "more": 1},
    "keys no text": {1: 2},
}


@pytest.mark.parametrize("name", HOSTILE_CONTENTS)
def test_hostile_contents_are_refused(name, path):
    seal({"inside": [HOSTILE_CONTENTS[name]]}, path)
    with pytest.raises(InvalidInput, match=r"thing.jaxnet is (refused|damaged): content\['inside'\]\[0\]"):
        load(path)


def test_deep_nesting_is_refused(path):
    deep: list = []
    for _ in range(100):
        deep = [deep]
    seal(deep, path)
    with pytest.raises(InvalidInput, match="nested more than"):
        load(path)


def test_newer_format_asks_for_an_upgrade_and_names_both_versions(path):
    seal("anything", path, version=persistence.FORMAT_VERSION + 1, written_by="9.9", more="new")
    with pytest.raises(InvalidInput, match=r"version 2, written by jaxnet 9.9.*up to version 1: upgrade jaxnet"):
        load(path)


@pytest.mark.parametrize("envelope", [{"format": "other"}, {"version": "1"}, {"version": True}, {"more": 1}])
def test_strange_envelopes_are_refused(envelope, path):
    seal(0, path, **envelope)
    with pytest.raises(InvalidInput, match="envelope"):
        load(path)


def result(responses: int | None = None, folds: int = 3, **changes) -> SweepResult:
    """A made-up result of 2 rho and 3 alphas on 4 columns, every optional field set."""
    rng = np.random.default_rng(0)
    grid = (2, 3) if responses is None else (responses, 2, 3)
    lanes = (*grid, folds + 1)

    def rows(count: int) -> SparseRows:
        dense = rng.normal(size=(count, 4)) * rng.integers(0, 2, (count, 4))
        at, columns = np.nonzero(dense)
        return SparseRows(dense[at, columns], columns, np.r_[0, np.cumsum(np.bincount(at, minlength=count))], 4)

    whole = SweepResult(
        rho=np.array([0.5, 1.0]),
        alphas=-np.sort(-rng.uniform(size=grid)),
        coefs=rows(int(np.prod(grid))),
        intercepts=rng.normal(size=grid),
        errors=rng.uniform(size=(*grid, folds)) if folds else None,
        fold_weights=rng.uniform(size=folds) if folds else None,
        gap=rng.uniform(size=lanes),
        kkt=rng.uniform(size=lanes),
        iterations=rng.integers(1, 9, lanes),
        status=rng.integers(0, 4, lanes),
        feature_names=("a", "b", "c", "d"),
        tol=1e-4,
        options=FitOptions(True, False, True, rng.uniform(size=4), -rng.uniform(size=4), None),
        fold_coefs=rows(int(np.prod(grid)) * folds) if folds else None,
        fold_intercepts=rng.normal(size=(*grid, folds)) if folds else None,
    )
    return dataclasses.replace(whole, **changes)


def as_tree(value):
    """A result as nested dicts, to compare."""
    if dataclasses.is_dataclass(value):
        return {f.name: as_tree(getattr(value, f.name)) for f in dataclasses.fields(value)}
    return value


@pytest.mark.parametrize("options", [{}, {"responses": 2}, {"folds": 0}, {"fold_coefs": None, "feature_names": None}])
def test_saved_results_load_equal(options, path):
    before = result(**options)
    save({"kind": "run", "result": before}, path)
    after = load(path)["result"]
    assert type(after) is SweepResult and equal(as_tree(before), as_tree(after))
    save(before, path)
    assert equal(as_tree(before), as_tree(load(path)))


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
    "values of another length": {"coefs": dataclasses.replace(SPARSE, values=SPARSE.values[1:])},
    "width no integer": {"coefs": dataclasses.replace(SPARSE, n_columns=4.0)},
    "fold rows of another count": {"fold_coefs": SPARSE},
    "fold intercepts of another shape": {"fold_intercepts": np.ones(3)},
}


@pytest.mark.parametrize("name", INCONSISTENT)
def test_results_whose_parts_do_not_fit_are_refused(name, path):
    save(result(**INCONSISTENT[name]), path)
    with pytest.raises(InvalidInput, match=r"content(\.coefs|\.options)? is a \w+ whose parts do not fit together"):
        load(path)


def test_loading_needs_no_jax(path):
    save(result(), path)
    code = f"import sys, jaxnet; jaxnet.load({str(path)!r}).best(); print('jax' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
