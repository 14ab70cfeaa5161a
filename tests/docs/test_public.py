"""What is public exists, is documented, and is all that README, documentation and examples use."""

from __future__ import annotations

import ast
import importlib
import importlib.metadata
import inspect
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider_encord.client.api.core.registry import operations
from airflow_provider_encord.get_provider_info import get_provider_info
from airflow_provider_encord.public import COMMANDS, EMULATOR, FIXTURES, MODULES, PACKAGE, PROVISIONAL, PublicModule
from tests.docs.blocks import CHECKOUT, DOCS, DOCUMENTS, all_blocks
from tests.docs.pages.arguments_page import classes
from tests.docs.pages.public_page import PAGE, page, summary

NAMES = {module.path: {*module.names} for module in MODULES}
CODE = {str(block): block.text for block in all_blocks() if block.language == "python"} | {
    str(path.relative_to(CHECKOUT)): path.read_text() for path in (CHECKOUT / "example_dags").glob("*.py")
}
GENERATED = {PAGE, DOCS / "changelog.md"}
TEXTS = [path for path in DOCUMENTS if path not in GENERATED and path.parent != DOCS / "api"]


def foreign(code: str) -> list[str]:
    """What the code imports from our packages that is not public."""
    return [name for name in _imported(ast.parse(code)) if not _is_public(name)]


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name.split(".")[0] in (PACKAGE, EMULATOR))
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in (PACKAGE, EMULATOR):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _is_public(dotted: str) -> bool:
    """Whether it is a public module, a public name, or a provisional operation."""
    module, _, name = dotted.rpartition(".")
    return dotted in NAMES or name in NAMES.get(module, ()) or dotted in _provisional()


def _provisional() -> set[str]:
    made = [value.function for value in operations().values()]
    return {f"{one.__module__}.{one.__name__}" for one in made if one.__module__.startswith(f"{PROVISIONAL}.")}


@pytest.mark.parametrize("where", CODE)
def test_code_that_users_copy_imports_what_is_public(where: str) -> None:
    assert foreign(CODE[where]) == [], "see airflow_provider_encord/public.py"


def test_the_check_finds_an_import_of_something_internal() -> None:
    code = f"def f():\n    from {PACKAGE}.client.call import Call\nimport {PACKAGE}.ingest.cloud"
    assert foreign(code) == [f"{PACKAGE}.ingest.cloud", f"{PACKAGE}.client.call.Call"]
    assert foreign(f"from {PROVISIONAL}.projects import get_project") == []
    assert len(CODE) > 50


@pytest.mark.parametrize("document", TEXTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_a_document_names_no_internal_module(document: Path) -> None:
    text = document.read_text()
    for command in COMMANDS:
        text = text.replace(command, "")
    text = re.sub(r"^.*\bimport\b.*$", "", text, flags=re.MULTILINE)
    named = re.findall(rf"(?<!/){PACKAGE}(?:\.\w+)+", text)
    assert [one for one in named if not _is_public(one)] == []


@pytest.mark.parametrize("module", MODULES, ids=lambda one: one.path)
def test_a_public_name_exists_and_is_explained(module: PublicModule) -> None:
    there = importlib.import_module(module.path)
    assert module.about
    for name in module.names:
        value = getattr(there, name)
        if inspect.isclass(value) or inspect.isfunction(value):
            assert "__doc__" in vars(value) or inspect.isfunction(value)
            assert summary(name, value).endswith((".", ":")), name
    exported = getattr(there, "__all__", None)
    assert exported is None or {*module.names} <= {*exported}


def test_modules_that_say_what_they_export_export_what_is_public() -> None:
    for module in MODULES:
        exported = getattr(importlib.import_module(module.path), "__all__", None)
        if exported is not None:
            assert sorted(exported) == sorted(module.names), module.path


def test_every_operator_trigger_and_hook_is_public() -> None:
    public = {name for names in NAMES.values() for name in names}
    assert {class_.__name__ for class_ in classes()} <= public
    info = get_provider_info()
    assert {one["hook-class-name"].rpartition(".")[2] for one in info["connection-types"]} <= public
    assert {one.rpartition(".")[2] for one in info["extra-links"]} <= public


def test_the_commands_and_fixtures_exist() -> None:
    scripts = {one.name for one in importlib.metadata.entry_points(group="console_scripts")}
    for command in COMMANDS:
        first, *others = command.split()
        if first == "python":
            done = subprocess.run([sys.executable, *others, "--help"], capture_output=True, check=False, timeout=120)
            assert done.returncode == 0
        else:
            assert first in scripts
    from encord_emulator import pytest_plugin

    assert all(hasattr(pytest_plugin, name) for name in FIXTURES)


def test_the_page_is_the_one_that_the_table_makes() -> None:
    assert PAGE.read_text() == page(), "run: make reference"


def test_reading_the_table_imports_nothing_costly() -> None:
    program = (
        f"import sys, {PACKAGE}.public\n"
        "print(*sorted({'requests', 'httpx', 'msgspec', 'cryptography', 'airflow'} & {*sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout.strip() == ""
