"""What is saved loads back equal, and a save that fails leaves what was there."""

import os
import pickle
import platform
from datetime import UTC, datetime
from functools import partial

import hypothesis
import numpy as np
import pytest
from checks import counted
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from saved import as_tree, equal, model, objects

import jaxnet
from jaxnet.errors import InvalidInput
from jaxnet.persistence import load, read_metadata, save
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
TEXT_ARRAYS = st.lists(st.text(st.characters(codec="utf-8")), max_size=3).map(
    lambda texts: np.array(texts, dtype=object)
)
NUMPY_SCALARS = ARRAYS.filter(np.size).map(lambda array: array.ravel()[0])
OWN = st.builds(jaxnet.KFold, st.integers(2, 9)) | st.builds(jaxnet.Lasso, SCALARS | ARRAYS)
TREES = st.recursive(
    SCALARS | ARRAYS | TEXT_ARRAYS | NUMPY_SCALARS | OWN,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text(st.characters(codec="utf-8"), max_size=5).filter("~".__ne__), inner, max_size=4)
    ),
    max_leaves=12,
)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "thing.jaxnet"


@hypothesis.given(tree=TREES)
@hypothesis.settings(suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture], max_examples=60)
def test_saved_trees_load_equal(tree, path):
    for key in (None, bytes(16)):
        save(tree, path, key=key)
        assert equal(as_tree(tree), as_tree(load(path, key=key)))


def test_saved_arrays_come_back_writable_and_row_major(path):
    array = np.asfortranarray(np.arange(12.0).reshape(3, 4))[:, ::2]
    save(array, path)
    back = load(path)
    np.testing.assert_array_equal(back, array)
    assert back.flags.c_contiguous and back.flags.writeable


def test_saved_numpy_scalars_keep_their_type(path):
    scalars = [np.float64(0.1), np.float32(0.1), np.int32(3), np.uint8(9), np.bool_(True)]
    save([*scalars, np.str_("a")], path)
    assert equal(load(path), [*scalars, "a"])


def test_saved_text_arrays_stay_arrays_of_objects(path):
    for texts in (["a", "gene 2", ""], []):
        save(np.array(texts, dtype=object), path)
        back = load(path)
        assert back.dtype == object and back.shape == (len(texts),) and back.tolist() == texts
    for shape in ((2, 3), (1, 6, 1), (0, 2)):
        texts = np.array(list("abcdef"), dtype=object)[: np.prod(shape)].reshape(shape)
        save(texts, path)
        assert equal(texts, load(path)) and load(path).shape == shape


def test_saved_device_arrays_come_back_as_numpy(path):
    import jax.numpy as jnp

    save({"a": jnp.arange(3.0)}, path)
    assert equal(load(path), {"a": np.arange(3, dtype=np.float32)})


def test_saved_file_is_an_ordinary_pickle_of_builtins(path):
    save({"a": np.ones(2), "b": (1, "x")}, path)
    plain = pickle.loads(path.read_bytes())
    assert plain["content"]["a"] == {"~": "array", "dtype": "<f8", "shape": (2,), "data": np.ones(2).tobytes()}


def test_saved_files_are_the_same_bytes_for_the_same_date(path, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    content = {"b": [1, 2.5], "a": np.arange(3)}
    save(content, path)
    first = path.read_bytes()
    save(content, path)
    assert path.read_bytes() == first and read_metadata(path)["written"] == "2023-11-14T22:13:20Z"


def test_files_say_when_and_by_what_they_were_written(path):
    import jax

    start = datetime.now(UTC).replace(microsecond=0)
    for content in (1, model("Lasso", alpha=0.5)):
        save(content, path, metadata={"source": "cells.csv", "rows": np.arange(3)})
        told = read_metadata(path)
        assert start <= datetime.fromisoformat(told["written"]) <= datetime.now(UTC)
        versions = {"jaxnet": jaxnet.__version__, "jax": jax.__version__, "numpy": np.__version__}
        assert told["versions"] == {**versions, "python": platform.python_version()}
        assert told["source"] == "cells.csv" and equal(told["rows"], np.arange(3))
    assert told["configuration"] == model("Lasso", alpha=0.5).get_params()


@pytest.mark.parametrize("metadata", [{"written": "now"}, {"versions": {}}, [1], {"a": object()}, {2: 1}])
def test_saving_refuses_unfit_metadata(metadata, path):
    with pytest.raises(InvalidInput, match="metadata"):
        save(1, path, metadata=metadata)
    assert not path.exists()


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


@pytest.mark.parametrize("name", objects())
def test_every_kind_of_object_loads_equal(name, path):
    before = objects()[name]
    save(before, path)
    after = load(path)
    assert type(after) is type(before) and equal(as_tree(before), as_tree(after))
    save({"inside": [before]}, path)
    assert equal(as_tree(before), as_tree(load(path)["inside"][0]))


def test_large_results_are_saved_without_a_call_per_nonzero_and_in_proportion_to_them(tmp_path):
    """1,000 grid points of 20,000 columns; dense they would take 160 MB."""
    rng, sizes = np.random.default_rng(0), []
    for nonzeros in (40, 400):
        columns = np.concatenate([np.sort(rng.choice(20_000, nonzeros, replace=False)) for _ in range(1000)])
        starts = np.arange(0, 1000 * nonzeros + 1, nonzeros)
        coefs = SparseRows(rng.standard_normal(len(columns)), columns.astype(np.int32), starts, 20_000)
        fits, grid = (10, 100, 6), (10, 100)
        large = SweepResult(
            rho=np.linspace(0.1, 1, 10), alphas=np.tile(np.geomspace(1, 0.01, 100), (10, 1)), coefs=coefs,
            intercepts=np.zeros(grid), errors=rng.random((10, 100, 5)), fold_weights=None, gap=np.full(fits, 1e-5),
            kkt=np.full(fits, 1e-5), iterations=np.ones(fits, np.int32), status=np.zeros(fits, np.int8),
            feature_names=None, tol=1e-4, options=FitOptions(True, False, False),
        )  # fmt: skip
        _, calls = counted(partial(save, large, tmp_path / "large.jaxnet"))
        assert calls < 20_000, "nothing is called per grid point or nonzero"
        sizes.append((tmp_path / "large.jaxnet").stat().st_size)
        assert np.array_equal(load(tmp_path / "large.jaxnet").coefs.values, coefs.values)
    per_nonzero = (sizes[1] - sizes[0]) / (1000 * 360)
    assert 12 <= per_nonzero < 12.5  # eight bytes of a value, four of its column
