"""The floors of the house: what may import what, read from the source without running it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import airflow_provider_encord

PACKAGE = "airflow_provider_encord"
ROOT = Path(airflow_provider_encord.__file__).parent

MAY_IMPORT = {
    "client": set[str](),
    "history": {"client"},
    "project_progress": {"client", "history"},
    "sources": {"client"},
    "item_metadata": {"client", "sources"},
    "uploads": {"client", "item_metadata", "sources"},
    "registration": {"client", "item_metadata", "sources"},
    "prelabels": {"client", "exports", "sources"},
    "agents": {"client", "media", "prelabels", "sources"},
    "exports": {"client", "history"},
    "media": {"client", "exports", "sources"},
    "training": {"client", "exports", "gates", "media"},
    "analytics": {"client", "exports", "history"},
    "datasets": {"client"},
    "snapshots": {"client"},
    "gates": {"client", "exports"},
    "task_actions": {"client", "exports", "sources"},
    "waits": {"client", "exports", "history"},
    "watches": {"client", "waits"},
    "hooks": {"client", "history"},
    "triggers": {"assets", "client", "hooks", "links", "waits", "watches"},
}
"""The floors below each of the lower floors; those above may import all of them."""
FLOORS = (
    *MAY_IMPORT,
    "assets",
    "links",
    "retries",
    "sensors",
    "decorators",
    "operators",
    "events",
    "webhook",
    "project_pages",
)
BELOW_AIRFLOW = {*MAY_IMPORT} - {"hooks", "triggers"}
GROUND = (
    *(
        "attempts",
        "counts",
        "defaults",
        "fresh_listings",
        "get_provider_info",
        "html_pages",
        "job_parts",
        "object_storage",
        "packed_lines",
        "pauses",
    ),
    *("plain_json", "plot_pictures", "plots", "progress", "report_files", "reports", "storage_paths"),
)
"""Modules beside the floors, on which all stand."""

CLIENT_FLOORS = [
    {
        "errors",
        "item_stream",
        "malformed",
        "times",
        "key_refusals",
        "pem",
        "key_file",
        "private_key",
        "masking",
        "placeholders",
        "regions",
        "web_app",
        "strict_json",
        "identifiers",
    },
    {"credentials", "call", "structure", "structure_differences"},
    {"client_protocol"},
    {"api", "transport"},
    {"flows"},
    {"resources"},
    {"client", "async_client"},
]
"""Inside the client, from the ground up; only on the ground floor do modules import their neighbours."""


def modules(folder: Path) -> Iterator[tuple[str, ast.Module]]:
    """Each module's dotted name and its syntax tree."""
    for path in sorted(folder.rglob("*.py")):
        parts = path.relative_to(ROOT.parent).with_suffix("").parts
        name = ".".join(part for part in parts if part != "__init__")
        yield name, ast.parse(path.read_text())


def imports(name: str, tree: ast.Module, *, is_package: bool = False, types: bool = False) -> Iterator[str]:
    """The dotted names that a module imports, anywhere in it.

    :param types: Also what only type checkers see.
    """
    for node in ast.walk(tree) if types else _executed(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                package = name.split(".")[: None if is_package else -1]
                package = package[: len(package) - node.level + 1]
                base = ".".join([*package, base] if base else package)
            yield from (f"{base}.{alias.name}" for alias in node.names)


def _executed(tree: ast.AST) -> Iterator[ast.AST]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            continue
        yield node
        yield from _executed(node)


def edges(folder: str) -> list[tuple[str, str]]:
    found = []
    for name, tree in modules(ROOT / folder):
        is_package = (ROOT.parent / Path(*name.split("."))).is_dir()
        found += [(name, target) for target in imports(name, tree, is_package=is_package)]
    return found


def floor_of(target: str) -> str | None:
    """The floor of one of our modules; None for others, and for the ground on which all stand."""
    parts = target.split(".")
    return parts[1] if parts[0] == PACKAGE and len(parts) > 1 and parts[1] in FLOORS else None


@pytest.mark.parametrize("folder", sorted(BELOW_AIRFLOW))
def test_nothing_below_the_line_imports_airflow(folder):
    found = edges(folder)
    assert found
    assert [edge for edge in found if edge[1].split(".")[0] == "airflow"] == []


def test_no_other_part_of_the_package_imports_the_smoke_command():
    users = {
        name
        for name, tree in modules(ROOT)
        for target in imports(name, tree)
        if target.startswith(f"{PACKAGE}.smoke") and not name.startswith(f"{PACKAGE}.smoke")
    }
    assert users == set()


def test_the_smoke_command_imports_only_the_client_and_the_hook():
    targets = {target for _, target in edges("smoke") if target.startswith(f"{PACKAGE}.")}
    assert targets
    assert {target.split(".")[1] for target in targets} <= {"smoke", "client", "hooks", "__version__"}
    assert not {target.split(".")[0] for _, target in edges("smoke")} & {"tests", "demo", "benchmarks"}


def test_the_pages_of_airflow_read_the_history_and_send_nothing():
    targets = {floor_of(target) for _, target in edges("project_pages")} - {None, "project_pages"}
    assert targets == {"client", "history", "hooks", "project_progress"}
    assert {target.rpartition(".")[0] for _, target in edges("project_pages") if ".client." in target} == {
        f"{PACKAGE}.client.errors"
    }


@pytest.mark.parametrize(
    "module",
    [
        "attempts",
        "counts",
        "fresh_listings",
        "html_pages",
        "job_parts",
        "packed_lines",
        "pauses",
        "plain_json",
        "plot_pictures",
        "plots",
        "report_files",
        "storage_paths",
    ],
)
def test_the_modules_beside_the_floors_below_the_line_import_no_airflow(module):
    name = f"{PACKAGE}.{module}"
    found = list(imports(name, ast.parse((ROOT / f"{module}.py").read_text())))
    assert found
    assert [target for target in found if target.split(".")[0] == "airflow"] == []


@pytest.mark.parametrize("folder", sorted(MAY_IMPORT))
def test_each_floor_imports_only_floors_below_it(folder):
    found = edges(folder)
    assert found
    above = [
        edge for edge in found if (floor := floor_of(edge[1])) and floor != folder and floor not in MAY_IMPORT[folder]
    ]
    assert above == []
    imported = {floor_of(target) for _, target in found} - {None, folder}
    assert imported == MAY_IMPORT[folder], "the map allows what nothing uses"


def test_the_map_shows_every_part_of_the_package():
    parts = {path.stem for path in ROOT.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()}
    assert parts - {"__init__", "public", "schemas", "smoke"} == {*FLOORS, *GROUND}


def _client_floor(module: str) -> int | None:
    part = module.split(".")[2] if module.startswith(f"{PACKAGE}.client.") else None
    return next((number for number, names in enumerate(CLIENT_FLOORS) if part in names), None)


def test_every_module_of_the_client_has_a_floor():
    names = {name.split(".")[2] for name, _ in modules(ROOT / "client") if name.count(".") > 1}
    assert names == set().union(*CLIENT_FLOORS)


def test_inside_the_client_imports_go_down():
    compared = 0
    for name, target in edges("client"):
        above, below = _client_floor(name), _client_floor(target)
        if above is None or below is None or name.split(".")[2] == target.split(".")[2]:
            continue
        assert below < above or above == 0, f"{name} imports {target}"
        compared += 1
    assert compared > 100


def test_operations_know_neither_transport_nor_resources_nor_client():
    assert len(edges("client/api")) > 100
    for name, target in edges("client/api"):
        for forbidden in ("transport", "flows", "resources", "client", "credentials"):
            assert not target.startswith(f"{PACKAGE}.client.{forbidden}."), f"{name} imports {target}"
        assert target.split(".")[0] not in ("requests", "httpx", "urllib3")


def test_handles_leave_flows_to_the_floor_below():
    """Methods of a handle may be flows of its own; what stands beside a handle is one for all callers."""
    beside = [
        f"{name}.{node.name}"
        for name, tree in modules(ROOT / "client" / "resources")
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.returns and ast.unparse(node.returns).startswith("Flow[")
    ]
    assert beside == []


def test_what_operations_are_made_of_knows_no_operation():
    core = f"{PACKAGE}.client.api.core"
    found = [(name, target) for name, target in edges("client/api/core") if ".client.api" in target]
    assert found
    for name, target in found:
        assert target == core or target.startswith(f"{core}."), f"{name} imports {target}"


@pytest.mark.parametrize(
    ("libraries", "users"),
    [
        (("requests", "urllib3"), {"sync", "sync_connections", "sync_failures", "asynchronous", "network_environment"}),
        (("httpx", "httpcore"), {"asynchronous", "async_failures"}),
    ],
)
def test_the_libraries_that_send_are_imported_by_their_transports_alone(libraries, users):
    found = {name for name, target in edges("client") if target.split(".")[0] in libraries}
    assert found == {f"{PACKAGE}.client.transport.{user}" for user in users}


def _imported_when_called(nodes: list[ast.stmt]) -> set[str]:
    """The modules of the package that functions import when they are called. `TYPE_CHECKING` is not a function."""
    functions = [node for top in nodes for node in ast.walk(top) if isinstance(node, ast.FunctionDef)]
    found = [node for function in functions for node in ast.walk(function) if isinstance(node, ast.ImportFrom)]
    return {node.module for node in found if node.module and node.module.startswith(f"{PACKAGE}.")}


@pytest.mark.parametrize("folder", ["operators", "sensors"])
def test_an_operator_imports_one_module_when_it_runs(folder):
    """Its work stands in that module. The trigger that it defers to is another one.

    What needs no more than the standard library stands at the top of modules, so it is not counted. The functions
    beside the classes of a module count together, like a class.
    """
    compared = 0
    for name, tree in modules(ROOT / folder):
        classes = [[node] for node in tree.body if isinstance(node, ast.ClassDef)]
        for owner in [*classes, [node for node in tree.body if isinstance(node, ast.FunctionDef)]]:
            found = _imported_when_called(owner)
            triggers = {module for module in found if module.startswith(f"{PACKAGE}.triggers.")}
            assert len(triggers) <= 1, f"{name}: {sorted(triggers)}"
            assert len(found - triggers) <= 1, f"{name}: {sorted(found)}"
            compared += len(found)
    assert compared


def test_no_module_imports_itself_in_a_circle():
    """Between modules, not only floors; imports inside functions and for types count, too."""
    graph: dict[str, set[str]] = {}
    trees = dict(modules(ROOT))
    for name, tree in trees.items():
        is_package = (ROOT.parent / Path(*name.split("."))).is_dir()
        for target in imports(name, tree, is_package=is_package, types=True):
            known = next((one for one in (target, target.rpartition(".")[0]) if one in trees), None)
            if known and known != name:
                graph.setdefault(name, set()).add(known)
    done: set[str] = set()

    def visit(name: str, way: tuple[str, ...]) -> None:
        assert name not in way, " -> ".join([*way, name])
        if name in done:
            return
        for target in sorted(graph.get(name, ())):
            visit(target, (*way, name))
        done.add(name)

    for name in sorted(graph):
        visit(name, ())


def test_the_check_sees_an_import_that_it_should_see():
    tree = ast.parse("def f():\n    from ..transport import sync\n    import airflow.models")
    assert list(imports("a.client.api.x", tree)) == ["a.client.transport.sync", "airflow.models"]


@pytest.mark.parametrize("module", ["client.client", "uploads.upload", "exports.labels", "exports"])
def test_below_the_line_airflow_is_not_even_imported_by_way_of_others(module):
    program = f"import sys, {PACKAGE}.{module}; print([one for one in sys.modules if one.split('.')[0] == 'airflow'])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
