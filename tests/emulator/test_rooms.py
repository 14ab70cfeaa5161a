"""The rooms of the emulator: what each may import, from the ground up, and that nothing goes in a circle."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import encord_emulator

ROOT = Path(encord_emulator.__file__).parent
MAY_IMPORT = {
    "wire": set[str](),
    "media": set[str](),
    "state": {"media", "wire"},
    "requests": {"state", "wire"},
    "people": {"requests", "state", "wire"},
    "rows": {"requests", "state", "wire"},
    "analytics": {"requests", "state", "wire"},
    "labels": {"media", "requests", "rows", "state", "wire"},
    "workflow": {"requests", "rows", "state", "wire"},
    "storage": {"people", "requests", "rows", "state", "wire", "workflow"},
    "datasets": {"people", "requests", "rows", "state", "storage", "wire"},
    "models": {"requests", "rows", "state", "wire"},
    "uploads": {"datasets", "media", "models", "people", "requests", "state", "storage", "wire"},
    "projects": {"datasets", "requests", "rows", "state", "storage", "uploads", "wire", "workflow"},
    "collections": {"labels", "requests", "rows", "state", "storage", "wire"},
    "webhooks": {"state", "wire"},
    "fixtures": {
        *("datasets", "labels", "media", "people", "projects", "requests", "rows", "state", "storage", "wire"),
        "workflow",
    },
    "routes": {
        *("analytics", "collections", "datasets", "labels", "models", "people", "projects", "requests", "rows"),
        *("storage", "uploads", "wire", "workflow"),
    },
    "pages": {"media", "state", "workflow"},
    "http": {
        *("fixtures", "labels", "pages", "people", "requests", "routes", "state", "uploads", "webhooks", "wire"),
        "workflow",
    },
}
"""The map: a room imports only rooms above it in this table."""
ALONE = {"__init__", "__main__", "control_client", "process", "pytest_plugin", "webhook_controls"}
"""Modules outside of the rooms: what starts and controls an emulator from another process."""


def _rooms(module: Path) -> set[str]:
    """The other rooms that a module imports, also for types only."""
    nodes = [node for node in ast.walk(ast.parse(module.read_text())) if isinstance(node, ast.ImportFrom)]
    return {node.module.partition(".")[0] for node in nodes if node.level == 2 and node.module}


def test_the_map_shows_every_room() -> None:
    assert {path.parent.name for path in ROOT.glob("*/__init__.py")} == MAY_IMPORT.keys()
    assert {path.stem for path in ROOT.glob("*.py")} == ALONE


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_what_it_may(room: str) -> None:
    imported = set[str]().union(*map(_rooms, (ROOT / room).glob("*.py")))
    assert imported == MAY_IMPORT[room]


def test_no_arrow_goes_up() -> None:
    order = [*MAY_IMPORT]
    assert all(order.index(below) < order.index(room) for room, rooms in MAY_IMPORT.items() for below in rooms)


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_inside_a_room_nothing_goes_in_a_circle(room: str) -> None:
    arrows = {path.stem: _neighbours(path) for path in (ROOT / room).glob("*.py")}
    while free := [module for module, needed in arrows.items() if not needed & arrows.keys()]:
        for module in free:
            del arrows[module]
    assert arrows == {}


def _neighbours(module: Path) -> set[str]:
    found = set[str]()
    for node in ast.walk(ast.parse(module.read_text())):
        if isinstance(node, ast.ImportFrom) and node.level == 1:
            found |= {node.module} if node.module else {alias.name for alias in node.names}
    return found - {module.stem}


def test_nothing_of_the_provider_and_of_airflow_is_imported() -> None:
    imported = [
        name.partition(".")[0]
        for path in ROOT.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        for name in _absolute(node)
    ]
    assert not {"airflow", "airflow_provider_encord", "requests", "encord"} & {*imported}
    assert {"starlette", "msgspec"} <= {*imported}


def _absolute(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) and not node.level else []
