"""The API reference says of each class where to import it from, and of the others that they are internal."""

from __future__ import annotations

import importlib.util
from types import ModuleType
from typing import Any

import pytest

from airflow_provider_encord import exports
from airflow_provider_encord.client.api import projects
from airflow_provider_encord.client.resources.account import Account
from airflow_provider_encord.client.resources.projects import Project
from airflow_provider_encord.exports import labels, manifest, plan
from tests.docs.blocks import DOCS


@pytest.fixture(scope="module")
def marks() -> ModuleType:
    spec = importlib.util.spec_from_file_location("public_marks", DOCS / "public_marks.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("what", "documented", "home"),
    [
        ("class", Project, "airflow_provider_encord.client"),
        ("class", manifest.Manifest, "airflow_provider_encord.exports"),
        ("exception", manifest.ManifestError, "airflow_provider_encord.exports"),
        ("function", exports.read, "airflow_provider_encord.exports"),
    ],
)
def test_a_public_name_says_where_to_import_it_from(marks: ModuleType, what: str, documented: Any, home: str) -> None:
    assert marks.mark(what, documented) == f"*Import it from* ``{home}``."


@pytest.mark.parametrize(
    ("what", "documented"),
    [("class", plan.Plan), ("function", labels.export_labels), ("class", Account), ("module", labels)],
)
def test_anything_else_is_marked_as_internal(marks: ModuleType, what: str, documented: Any) -> None:
    assert marks.mark(what, documented) == marks.INTERNAL


def test_an_operation_of_the_api_is_provisional(marks: ModuleType) -> None:
    assert marks.mark("function", projects.list_projects) == marks.MAY_CHANGE


def test_a_module_with_public_names_and_the_members_of_a_class_have_no_mark(marks: ModuleType) -> None:
    assert marks.mark("module", exports) is None
    assert marks.mark("module", manifest) is None
    assert marks.mark("method", Project.get) is None
