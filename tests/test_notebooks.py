"""The notebooks run from top to bottom, use public names only, and stay small."""

import ast
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

import jaxnet

FOLDER = Path(__file__).parents[1] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def code(notebook) -> str:
    cells = [cell.source for cell in notebook.cells if cell.cell_type == "code"]
    return "\n".join(line for cell in cells for line in cell.splitlines() if not line.startswith("%"))


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_runs(path):
    notebook = nbformat.read(path, as_version=4)
    NotebookClient(notebook, timeout=60, resources={"metadata": {"path": str(FOLDER)}}).execute()
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert outputs and not [o for o in outputs if o.output_type == "error" or o.get("name") == "stderr"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_notebook_is_small_and_uses_public_names(path):
    assert path.stat().st_size < 600_000
    for node in ast.walk(ast.parse(code(nbformat.read(path, as_version=4)))):
        if isinstance(node, ast.Attribute):
            assert not node.attr.startswith("_")
            if isinstance(node.value, ast.Name) and node.value.id == "jaxnet":
                assert node.attr in jaxnet.__all__
        if isinstance(node, ast.ImportFrom) and node.module.startswith("jaxnet"):
            assert node.module == "jaxnet" and {alias.name for alias in node.names} <= {"plots", *jaxnet.__all__}


def test_every_notebook_is_listed():
    listed = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert NOTEBOOKS and all(f"({path.name})" in listed for path in NOTEBOOKS)
