"""Who may import whom, read from the source with `ast`, and what stays out of the library altogether."""

import ast
import graphlib
from collections.abc import Callable, Collection

import pytest
from house import (
    HOUSE,
    LAYER,
    LAYERS,
    MODULES,
    ROOT,
    UP,
    arrows,
    at_import_time,
    drawn,
    imports,
    package_of,
    rooms_imported,
)

FILE_IO_ROOMS = {"execution", "data", "persistence", "store", "cli"}
FILE_MODULES = {
    "csv",
    "gzip",
    "tempfile",
    "shutil",
    "sqlite3",
    "zipfile",
    "tarfile",
    "pyarrow",
    "pickle",
    "fileinput",
    "mmap",
    "io",
}
FILE_METHODS = {
    "open",
    "read_text",
    "read_bytes",
    "write_text",
    "write_bytes",
    "mkdir",
    "makedirs",
    "unlink",
    "rmdir",
    "touch",
    "fdopen",
    "fsync",
    "tofile",
}
NUMPY_FILES = ["load", "save", "savez", "savez_compressed", "loadtxt", "savetxt", "genfromtxt", "fromfile", "memmap"]
FILE_FUNCTIONS = {("np", name) for name in NUMPY_FILES} | {("os", name) for name in ("replace", "rename", "remove")}


def forbidden_rooms(tree: ast.AST, room: str, package: tuple[str, ...]) -> list[str]:
    """Imports of rooms that are not below."""
    running, wrong = at_import_time(tree), []
    for other, node in rooms_imported(tree, package):
        up = (room, other) in UP and node not in running
        if other != room and not up and LAYER.get(other, len(LAYERS)) >= LAYER[room]:
            wrong.append(f"line {node.lineno}: {room} imports {other}")
    return wrong


def scikit_learn_at_import(tree: ast.AST) -> list[str]:
    running = at_import_time(tree)
    return [
        f"line {node.lineno}: {name}"
        for name, node in imports(tree)
        if name.split(".")[0] == "sklearn" and node in running
    ]


def global_settings(tree: ast.AST) -> list[str]:
    wrong = [
        f"line {node.lineno}: imports {name}"
        for name, node in imports(tree)
        if name.startswith(("jax._src", "jax.config"))
    ]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            dotted = ast.unparse(node)
            if "._src" in dotted or dotted.endswith(("jax.config.update", "config.jax_enable_x64", "set_printoptions")):
                wrong.append(f"line {node.lineno}: {dotted}")
        if isinstance(node, ast.Call) and ast.unparse(node.func) in (
            "warnings.simplefilter",
            "np.random.seed",
            "np.seterr",
        ):
            wrong.append(f"line {node.lineno}: {ast.unparse(node.func)}")
    return wrong


def device_questions(tree: ast.AST) -> list[str]:
    """What asks JAX which device there is, and not `execution.platform`, which knows the one that the sweep was given."""
    asks = ("default_backend", "jax.devices", "local_devices", "default_device", "device_count", "memory_stats")
    return [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute)
        and ast.unparse(node).endswith(asks)
        and not ast.unparse(node).startswith("platform.current()")
    ]


def file_access(tree: ast.AST) -> list[str]:
    wrong = [
        f"line {node.lineno}: imports {name}"
        for name, node in imports(tree)
        if name.split(".")[0] in FILE_MODULES and name != "io.BytesIO"  # which is memory
    ]
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        func = node.func
        plain = isinstance(func, ast.Name) and func.id == "open"
        method = isinstance(func, ast.Attribute) and func.attr in FILE_METHODS
        known = isinstance(func, ast.Attribute) and (ast.unparse(func.value), func.attr) in FILE_FUNCTIONS
        if plain or method or known:
            wrong.append(f"line {node.lineno}: {ast.unparse(func)}()")
    return wrong


def offences(check: Callable[[ast.AST], list[str]], *, but: Collection[str] = ()) -> list[str]:
    """What a check finds in all rooms but some."""
    return [
        f"{path.relative_to(ROOT)}, {found}" for path, room, tree in MODULES if room not in but for found in check(tree)
    ]


def test_every_room_has_a_layer_and_imports_what_is_below_it():
    assert {room for _, room, _ in MODULES} == {*LAYER, "__init__"}, "give a new room a layer"
    wrong = []
    for path, room, tree in MODULES:
        package = ("jaxnet", *path.relative_to(ROOT).parts[:-1])
        wrong += [
            f"{path.relative_to(ROOT)}, {one}" for one in forbidden_rooms(tree, room, package) if room != "__init__"
        ]
    assert not wrong


def test_files_import_each_other_in_no_circle():
    names = {path: ".".join(("jaxnet", *path.relative_to(ROOT).with_suffix("").parts)) for path, *_ in MODULES}
    names = {path: name.removesuffix(".__init__") for path, name in names.items()}
    known, graph = set(names.values()), {}
    for path, _, tree in MODULES:
        running = at_import_time(tree)
        found = {name for name, node in imports(tree, package_of(path)) if node in running}
        found = {name if name in known else name.rpartition(".")[0] for name in found}
        graph[names[path]] = (found & known) - {names[path]}
    assert len(list(graphlib.TopologicalSorter(graph).static_order())) >= len(MODULES)  # raises for a circle


def test_every_arrow_that_runs_up_is_there():
    assert arrows() >= UP.keys() and len(UP) <= 8


def test_the_map_of_the_house_is_that_of_the_imports():
    """`python tests/house.py` draws it."""
    assert drawn(HOUSE.read_text()) == HOUSE.read_text()


def test_scikit_learn_and_global_settings_are_left_alone():
    assert not offences(scikit_learn_at_import)
    assert not [found for found in offences(device_questions) if not found.startswith("execution/platform.py")]
    assert not [found for found in offences(global_settings) if not found.startswith("execution/compilation.py")]


def test_only_some_rooms_touch_files_or_matplotlib():
    assert not offences(file_access, but=FILE_IO_ROOMS)
    pictures = lambda tree: [name for name, _ in imports(tree) if name.split(".")[0] == "matplotlib"]
    assert not offences(pictures, but=["plots"])


def too_large(tree: ast.AST) -> list[str]:
    """Functions of over 60 lines of code."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            start = node.body[0].end_lineno if ast.get_docstring(node) else node.lineno
            found += [f"{node.name} is {node.end_lineno - start} lines long"] * (node.end_lineno - start > 60)
    return found


def test_modules_stay_small():
    """The budgets of the project: a file under 400 lines, a function under 60 lines of code."""
    assert not offences(too_large)
    assert not [path for path, *_ in MODULES if len(path.read_text().splitlines()) > 400]
    assert not [path for path, *_ in MODULES if path.stem in ("utils", "misc", "helpers", "common")]


def test_modules_have_docstrings():
    for path in sorted(ROOT.rglob("*.py")):
        text = path.read_text()
        assert not text.strip() or ast.get_docstring(ast.parse(text)), f"{path} has no docstring"


@pytest.mark.parametrize(
    ("check", "source"),
    [
        (lambda tree: forbidden_rooms(tree, "penalty", ("jaxnet",)), "from jaxnet.resampling import KFold"),
        (lambda tree: forbidden_rooms(tree, "penalty", ("jaxnet",)), "def f():\n    from .resampling import KFold"),
        (lambda tree: forbidden_rooms(tree, "solver", ("jaxnet", "solver")), "from jaxnet import sweep"),
        (lambda tree: forbidden_rooms(tree, "solver", ("jaxnet", "solver")), "from ..result import Status"),
        (lambda tree: forbidden_rooms(tree, "design", ("jaxnet", "design")), "import jaxnet.lanes"),
        (scikit_learn_at_import, "try:\n    import sklearn.base\nexcept ImportError:\n    pass"),
        (scikit_learn_at_import, "class A:\n    from sklearn.base import BaseEstimator"),
        (global_settings, "import jax\njax.config.update('jax_enable_x64', True)"),
        (global_settings, "from jax.config import config"),
        (global_settings, "from jax._src import core"),
        (global_settings, "import jax\njax._src.core"),
        (device_questions, "import jax\nif jax.default_backend() == 'cpu':\n    pass"),
        (device_questions, "import jax\njax.config.jax_default_device or jax.local_devices()[0]"),
        (file_access, "def f(path):\n    return open(path)"),
        (file_access, "def f(path):\n    return path.read_text()"),
        (file_access, "import numpy as np\nnp.save('x', 1)"),
        (file_access, "import os\nos.replace('a', 'b')"),
        (file_access, "def f():\n    import pyarrow.csv"),
    ],
)
def test_the_rules_catch_offenders(check, source):
    assert check(ast.parse(source))


def test_the_rules_let_good_code_pass():
    good = ast.parse(
        "from typing import TYPE_CHECKING\n"
        "from jaxnet.errors import InvalidInput\n"
        "if TYPE_CHECKING:\n    from jaxnet.result import Status\n"
        "def tags():\n    from sklearn.utils import Tags\n    return 'a'.replace('a', 'b')"
    )
    assert not forbidden_rooms(good, "penalty", ("jaxnet",)) and not scikit_learn_at_import(good)
    assert not file_access(good) and not global_settings(good)
