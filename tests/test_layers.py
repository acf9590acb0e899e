"""The picture in docs/architecture.md: four packages, imports one way, and no circles of files."""

import ast
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
LAYERS = ("models", "sweeps", "analysis", "orchestrator")
FILES = [path for layer in LAYERS for path in sorted((ROOT / layer).rglob("*.py"))]


def module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


NAMES = {module(path) for path in FILES}


def imported(path: Path) -> set[str]:
    """Modules of ours that a file imports when it runs, inside functions too; not those for types alone."""
    found: set[str] = set()
    tree = ast.parse(path.read_text())
    typed = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
    ]
    left_out = {id(inner) for node in typed for inner in ast.walk(node)}
    for node in ast.walk(tree):
        if id(node) in left_out:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found & NAMES


def at_start(path: Path) -> set[str]:
    """Modules of ours that a file imports when it is itself imported."""
    body = ast.parse(path.read_text()).body
    found: set[str] = set()
    for node in body:
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {f"{node.module}.{alias.name}" for alias in node.names} | {node.module}
    return found & NAMES


@pytest.mark.parametrize("layer", LAYERS)
def test_imports_go_one_way(layer: str) -> None:
    above = LAYERS[LAYERS.index(layer) + 1 :]
    wrong = [
        f"{module(path)} imports {name}"
        for path in FILES
        if module(path).split(".")[0] == layer
        for name in imported(path)
        if name.split(".")[0] in above
    ]
    assert not wrong, wrong


def test_no_circles_of_files() -> None:
    graph = {module(path): at_start(path) - {module(path)} for path in FILES}
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as circle:
        pytest.fail(f"a circle of imports: {circle.args[1]}")


def test_no_code_in_init() -> None:
    assert [str(path) for path in FILES if path.name == "__init__.py" and path.read_text().strip()] == []


def test_one_idea_a_file() -> None:
    assert [str(path) for path in FILES if len(path.read_text().splitlines()) > 350] == []
