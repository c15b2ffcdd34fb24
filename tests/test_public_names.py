"""The public names: importable, documented, their examples run; importing them loads little and touches no device."""

import ast
import doctest
import importlib
import inspect
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest

import jaxnet

MODULES = sorted(
    ["jaxnet", *(m.name for m in pkgutil.walk_packages(jaxnet.__path__, "jaxnet.") if not m.name.endswith("__main__"))]
)


def run_python(code: str, **environment: str) -> str:
    """stdout of a fresh interpreter; fails with its stderr."""
    env = {**os.environ, **environment}
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code], env=env, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", sorted(set(jaxnet.__all__) - {"__version__"}))
def test_public_name_is_importable_and_documented(name):
    thing = getattr(jaxnet, name)
    text = inspect.getdoc(thing)
    assert text and len(text) > 30, f"jaxnet.{name} has no docstring of its own"
    if inspect.isclass(thing):
        inherited = {inspect.getdoc(base) for base in thing.__mro__[1:]}
        assert text not in inherited and not text.startswith(f"{name}("), f"jaxnet.{name} needs its own docstring"
        members = {key: value for key, value in vars(thing).items() if not key.startswith("_")}
        for key, value in members.items():
            if inspect.isfunction(value) or isinstance(value, (property, classmethod, staticmethod)):
                assert inspect.getdoc(getattr(thing, key)), f"jaxnet.{name}.{key} has no docstring"
    assert thing.__module__.startswith("jaxnet.")


FUNCTIONS = [
    *("sweep", "fit_path", "nested_sweep", "Adaptive", "Pairwise", "convert_penalty", "expand_features"),
    *("Categories", "Missing", "SimpleFill", "prepare"),
    *("KFold", "RepeatedKFold", "GroupKFold", "StratifiedKFold", "LeaveOneGroupOut", "Bootstrap", "ComplementaryPairs"),
    *("false_selection_bound", "stability_parameters", "stability_selection", "selection_frequencies"),
    *("missing_patterns", "enet_path"),
]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_docstring_names_every_parameter(name):
    thing = getattr(jaxnet, name)
    text = inspect.getdoc(thing)
    if name in ("fit_path", "nested_sweep", "stability_selection"):
        assert re.search(r"options.*of `(jaxnet\.)?sweep`|options: those of `(jaxnet\.)?sweep`", text)
        text += inspect.getdoc(jaxnet.sweep)
    for parameter in inspect.signature(thing).parameters:
        assert parameter in text, f"{name} does not say what {parameter} is"


@pytest.mark.parametrize("name", ["criteria", "explain", "select"])
def test_method_names_every_parameter(name):
    method = getattr(jaxnet.SweepResult, name)
    for parameter in list(inspect.signature(method).parameters)[1:]:
        assert parameter in inspect.getdoc(method), f"{name} does not say what {parameter} is"


def test_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = jaxnet.no_such_name
    assert set(jaxnet.__all__) <= set(dir(jaxnet))
    assert not hasattr(jaxnet, "numpy")


def test_star_import_and_dir_give_every_name():
    code = "import jaxnet\nfrom jaxnet import *\nassert set(jaxnet.__all__) <= set(globals()) & set(dir(jaxnet))\nprint(sweep)"
    assert run_python(code).startswith("<function sweep")


def test_plots_come_with_the_package_and_without_matplotlib():
    code = "import jaxnet, sys\nprint(jaxnet.plots.__name__, 'plots' in dir(jaxnet), 'matplotlib' in sys.modules)"
    assert run_python(code).split() == ["jaxnet.plots", "True", "False"]


def test_type_checkers_see_every_name():
    tree = ast.parse(Path(jaxnet.__file__).read_text(encoding="utf-8"))
    block = next(node for node in tree.body if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")
    seen = {node.names[0].asname: node.module for node in block.body}
    modules = dict.fromkeys(jaxnet._MODULES, "jaxnet")
    assert seen == {name: f"jaxnet.{home}" for name, home in jaxnet._HOME.items()} | modules
    assert (Path(jaxnet.__file__).parent / "py.typed").exists()


@pytest.mark.parametrize("name", MODULES)
def test_doctests(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    module = importlib.import_module(name)
    results = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE | doctest.ELLIPSIS)
    assert results.failed == 0


def test_the_main_calls_show_an_example():
    for name in ("sweep", "fit_path", "KFold", "convert_penalty", "ElasticNet", "ElasticNetCV", "make_genomics"):
        assert ">>>" in inspect.getdoc(getattr(jaxnet, name)), f"{name} shows no example"


def test_import_is_light():
    heavy = ("jax", "jaxlib", "sklearn", "pandas", "numpy")
    code = f"import sys, jaxnet; jaxnet.__version__; print([m for m in {heavy} if m in sys.modules])"
    assert run_python(code).strip() == "[]"


def test_import_touches_no_device():
    """With a platform that does not exist, anything that starts a backend fails."""
    code = "import jaxnet\nfor name in jaxnet.__all__:\n    getattr(jaxnet, name)\nprint('fine')"
    assert run_python(code, JAX_PLATFORMS="no_such_platform").strip() == "fine"
    probe = "import jax.numpy as jnp\ntry:\n    jnp.zeros(1)\nexcept RuntimeError:\n    print('refused')"
    assert run_python(probe, JAX_PLATFORMS="no_such_platform").strip() == "refused"


def test_scikit_learn_is_never_loaded():
    code = """
import sys, numpy as np, jaxnet
X = np.random.default_rng(0).normal(size=(40, 12)); y = X[:, 0] + np.random.default_rng(1).normal(size=40)
result = jaxnet.sweep(X, y, rho=[0.5], alphas=4, cv=3)
result.best(); result.predict(X); repr(result)
model = jaxnet.ElasticNetCV(alphas=4, cv=3).fit(X, y); model.predict(X); model.score(X, y); repr(model)
print([m for m in ('sklearn', 'matplotlib', 'pandas', 'scipy.optimize') if m in sys.modules])
"""
    assert run_python(code).strip() == "[]"
