"""Who may import whom, read from the source with `ast`, and what stays out of the library altogether."""

import ast
from pathlib import Path

import pytest

import jaxnet

ROOT = Path(jaxnet.__file__).parent
ENGINE = {"compilation", "errors", "platform", "threads", "design", "penalty", "resampling", "lanes", "solver"}
ONE_SWEEP = {
    "sweeps",
    "features",
    "request",
    "arguments",
    "effects",
    "problem",
    "dispatch",
    "collect",
    "initial",
    "journal",
    "relaxed",
    "imputations",
    "options",
}  # the call and its parts
SWEEP = ENGINE | ONE_SWEEP | {"adaptive", "data", "metrics", "missing", "result", "progress"}
MODELS = SWEEP | {"selection"}
TOP = MODELS | {"estimators", "persistence", "store", "report", "plots"}

ROOMS = {  # room: the other rooms it may import
    "errors": set(),
    "platform": {"errors"},
    "scalars": set(),
    "threads": set(),
    "adaptive": {"errors"},
    "compilation": {"errors"},
    "data": {"errors"},
    "design": {"errors"},
    "penalty": {"errors"},
    "resampling": {"errors", "data"},  # labels of rows come in every form in which columns do
    "progress": {"errors", "compilation"},
    "metrics": {"errors", "data"},  # of arrays, shown by names; a result's sparse rows bring their own method
    "lanes": {"errors", "design", "penalty", "resampling"},
    "solver": ENGINE,
    "result": SWEEP | {"selection", "report"},  # its methods delegate
    **dict.fromkeys(ONE_SWEEP, SWEEP),
    "sweeps": SWEEP | {"store"},  # the journal of a sweep is opened there, and handed to its parts
    "selection": SWEEP,
    "missing": ENGINE | {"data"},  # learns from arrays; a sweep puts what it learnt into its design
    "persistence": {"errors", "data", "result"},
    "store": MODELS | {"persistence"},
    "estimators": MODELS | {"persistence"},
    "report": MODELS | {"plots"},
    "plots": MODELS,
    "cli": TOP,
    "__main__": {"cli"},
    "__init__": set(),
}
FILE_IO_ROOMS = {"compilation", "data", "persistence", "store", "cli"}
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


def room_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0].removesuffix(".py")


def _type_checking_only(tree: ast.AST) -> set[ast.AST]:
    blocks = [node for node in ast.walk(tree) if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)]
    return {inner for block in blocks for inner in ast.walk(block)}


def imports(tree: ast.AST, package: tuple[str, ...] = ()) -> list[tuple[str, ast.AST]]:
    """Every imported module as a dotted name (`from a import b` gives `a.b`), except under TYPE_CHECKING."""
    skipped, found = _type_checking_only(tree), []
    for node in ast.walk(tree):
        if node in skipped:
            continue
        if isinstance(node, ast.Import):
            found += [(alias.name, node) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = ".".join(package[: len(package) - node.level + 1]) if node.level else ""
            module = ".".join(part for part in (base, node.module) if part)
            found += [(f"{module}.{alias.name}", node) for alias in node.names]
        elif (
            isinstance(node, ast.Call)
            and ast.unparse(node.func).split(".")[-1] in ("import_module", "__import__")
            and node.args
        ):
            first = node.args[0]
            if isinstance(first, ast.Constant):
                found.append((str(first.value), node))
    return found


def at_import_time(tree: ast.AST) -> set[ast.AST]:
    """The nodes that run when the module is imported: all but the bodies of functions."""
    running, queue = set(), [tree]
    while queue:
        node = queue.pop()
        running.add(node)
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            queue += ast.iter_child_nodes(node)
    return running


def forbidden_rooms(tree: ast.AST, room: str, package: tuple[str, ...]) -> list[str]:
    wrong = []
    for name, node in imports(tree, package):
        parts = name.split(".")
        if parts[0] != "jaxnet":
            continue
        other = jaxnet._HOME.get(parts[1], parts[1]).split(".")[0] if len(parts) > 1 else "__init__"
        other = "errors" if other == "__version__" else other  # the version is plain text
        if other not in {room, "scalars", *ROOMS[room]}:  # what a number is, everyone may ask
            wrong.append(f"line {node.lineno}: {room} imports {name}")
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
    """What asks JAX which device there is, and not `jaxnet.platform`, which knows the one that the sweep was given."""
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


def every_module():
    return [pytest.param(path, id=str(path.relative_to(ROOT))) for path in sorted(ROOT.rglob("*.py"))]


def _parsed(path: Path) -> tuple[ast.AST, tuple[str, ...]]:
    return ast.parse(path.read_text()), ("jaxnet", *path.relative_to(ROOT).parts[:-1])


@pytest.mark.parametrize("path", every_module())
def test_module_keeps_to_its_room(path):
    room = room_of(path)
    assert room in ROOMS, f"give {path.name} a room in ROOMS and say what it may import"
    tree, package = _parsed(path)
    assert forbidden_rooms(tree, room, package) == []


@pytest.mark.parametrize("path", every_module())
def test_module_leaves_scikit_learn_and_global_settings_alone(path):
    tree, _ = _parsed(path)
    assert scikit_learn_at_import(tree) == []
    if room_of(path) != "platform":
        assert device_questions(tree) == []
    if room_of(path) != "compilation":  # whose subject is how the process compiles
        assert global_settings(tree) == []


@pytest.mark.parametrize("path", every_module())
def test_only_some_rooms_touch_files_or_matplotlib(path):
    tree, _ = _parsed(path)
    if room_of(path) not in FILE_IO_ROOMS:
        assert file_access(tree) == []
    if room_of(path) != "plots":
        assert [name for name, _ in imports(tree) if name.split(".")[0] == "matplotlib"] == []


@pytest.mark.parametrize("path", every_module())
def test_module_stays_small(path):
    """The budgets of the project: a file under 400 lines, a function under 60 lines of code."""
    text = path.read_text()
    assert len(text.splitlines()) <= 400
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            start = node.body[0].end_lineno if ast.get_docstring(node) else node.lineno
            assert node.end_lineno - start <= 60, f"{node.name} is {node.end_lineno - start} lines long"
    assert path.stem not in ("utils", "misc", "helpers", "common")


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
