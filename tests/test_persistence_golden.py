"""Files of every released format load for ever: those of tests/golden, which `write_golden.py` made."""

import pickle

import pytest
from saved import as_tree, equal, objects, seal
from write_golden import FOLDER, KEY

from jaxnet import load, persistence, read_metadata
from jaxnet.errors import InvalidInput

FORMAT_1 = sorted(path.stem for path in (FOLDER / "format_1").glob("*.jaxnet"))


def test_golden_files_cover_every_kind_of_object():
    assert {*FORMAT_1} == {*objects(), "all_signed"}


@pytest.mark.parametrize("name", objects())
def test_golden_file_of_format_1_loads(name):
    path, expected = FOLDER / "format_1" / f"{name}.jaxnet", objects()[name]
    assert equal(as_tree(load(path)), as_tree(expected))
    told = read_metadata(path)
    assert (told["what"], told["written"]) == (name, "2025-11-24T16:00:00Z")
    assert told["versions"]["jaxnet"] == "0.1.0" and told["versions"]["python"].startswith("3.11.")


def test_golden_file_of_another_python_loads():
    path = FOLDER / "format_1" / "all_signed.jaxnet"
    loaded = load(path, key=KEY)  # objects of that time
    assert len(loaded) == 13 and equal(as_tree(loaded), as_tree({name: objects()[name] for name in loaded}))
    assert read_metadata(path, key=KEY)["versions"]["python"].startswith("3.13.")
    with pytest.raises(InvalidInput, match="is signed"):
        load(path)


@pytest.mark.parametrize("name", FORMAT_1)
def test_golden_files_are_pickles_of_builtins(name):
    def only_builtins(value):
        if isinstance(value, dict):
            return all(type(key) is str and only_builtins(part) for key, part in value.items())
        if isinstance(value, (list, tuple)):
            return all(map(only_builtins, value))
        return value is None or type(value) in (bool, int, float, str, bytes)

    assert only_builtins(pickle.loads((FOLDER / "format_1" / f"{name}.jaxnet").read_bytes()))


def test_newer_format_asks_for_an_upgrade_and_names_both_versions(tmp_path):
    path = tmp_path / "thing.jaxnet"
    seal("anything", path, version=persistence.FORMAT_VERSION + 1, written_by="9.9", more="new")
    for read in (load, read_metadata):
        with pytest.raises(InvalidInput, match=r"version 2, written by jaxnet 9.9.*up to version 1: upgrade jaxnet"):
            read(path)
