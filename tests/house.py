"""The rooms of the library and who imports whom, read from the source with `ast`. `python tests/house.py` draws docs/house.md."""

import ast
from pathlib import Path

import jaxnet

ROOT = Path(jaxnet.__file__).parent
HOUSE = ROOT.parent / "docs" / "house.md"
_BEGIN, _END = "```mermaid\n", "```\n"

LAYERS = (  # from below; a room imports those below its own layer, and none beside it
    ("errors", "scalars", "names"),
    ("data", "design", "penalty", "options", "lanes"),
    ("metrics", "resampling", "execution", "persistence"),
    ("progress", "solver"),
    ("missing",),
    ("result",),
    ("pipeline",),
    ("store",),
    ("sweeps",),
    ("selection",),
    ("plots", "estimators"),
    ("report",),
    ("cli",),
    ("__main__",),
)
UP = {  # arrows that run up, and what they are for; such an import waits in a function until it is called
    ("result", "selection"): "a result's methods choose and explain",
    ("result", "report"): "and write its page",
}
LAYER = {room: k for k, layer in enumerate(LAYERS) for room in layer}


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


def rooms_imported(tree: ast.AST, package: tuple[str, ...]) -> list[tuple[str, ast.AST]]:
    """The rooms of jaxnet that a module imports; a public name counts as the room that has it."""
    found = []
    for name, node in imports(tree, package):
        parts = name.split(".")
        if parts[0] == "jaxnet" and parts[1:] != ["__version__"]:  # the version is plain text
            found.append((jaxnet._HOME.get(parts[1], parts[1]).split(".")[0] if len(parts) > 1 else "__init__", node))
    return found


def parsed() -> list[tuple[Path, str, ast.AST]]:
    """Every module of the library: its path, its room, its source."""
    return [(path, room_of(path), ast.parse(path.read_text())) for path in sorted(ROOT.rglob("*.py"))]


MODULES = parsed()


def package_of(path: Path) -> tuple[str, ...]:
    """The package that relative imports of a module start from."""
    return "jaxnet", *path.relative_to(ROOT).parts[:-1]


def arrows() -> set[tuple[str, str]]:
    """(room, a room that it imports), whenever the import is carried out."""
    found = {(room, other) for path, room, tree in MODULES for other, _ in rooms_imported(tree, package_of(path))}
    return {(room, other) for room, other in found if room != other and {room, other} <= LAYER.keys()}


def drawn(page: str) -> str:
    """The page with the map of today: the layers, and the arrows that do not follow from others."""
    down = {room: {b for a, b in arrows() if a == room and (a, b) not in UP} for room in LAYER}
    below = {}
    for room in sorted(LAYER, key=LAYER.get):
        below[room] = down[room].union(*(below[other] for other in down[room]))
    lines = ["flowchart TD"]
    for k, layer in reversed(list(enumerate(LAYERS))):
        lines += [f"  subgraph layer{k}[ ]", *(f"    {room.strip('_')}" for room in layer), "  end"]
    for room in sorted(LAYER, key=lambda room: (-LAYER[room], room)):
        direct = {other for other in down[room] if not any(other in below[third] for third in down[room])}
        lines += [f"  {room.strip('_')} --> {other}" for other in sorted(direct - set(LAYERS[0]))]
    lines += [f"  {room} -.-> {other}" for room, other in sorted(UP)]
    begin = page.index(_BEGIN) + len(_BEGIN)
    return page[:begin] + "\n".join(lines) + "\n" + page[page.index(_END, begin) :]


if __name__ == "__main__":
    HOUSE.write_text(drawn(HOUSE.read_text()))
