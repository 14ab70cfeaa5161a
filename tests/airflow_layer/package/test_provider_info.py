"""What Airflow learns about this provider, read the way Airflow reads it."""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from airflow_provider_encord.get_provider_info import (
    ADVANCED,
    CONNECTION_FIELDS,
    DEFAULT_CONNECTION_ID,
    HOOK_CLASS,
    get_provider_info,
)
from tests.airflow_layer.lines import dag_files_import

ROOT = Path(__file__).parents[3]
ENTRY_POINT = "airflow_provider_encord.get_provider_info:get_provider_info"


def test_pyproject_and_the_installed_package_name_the_same_entry_point() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    installed = importlib.metadata.distribution("airflow-provider-encord").entry_points

    assert project["entry-points"]["apache_airflow_provider"] == {"provider_info": ENTRY_POINT}
    assert [one.value for one in installed if one.group == "apache_airflow_provider"] == [ENTRY_POINT]


def test_every_entry_point_leads_to_something() -> None:
    for one in importlib.metadata.distribution("airflow-provider-encord").entry_points:
        assert one.load() is not None, one


def test_airflows_own_schema_accepts_the_provider_info() -> None:
    import airflow

    schema = json.loads((Path(airflow.__file__).parent / "provider_info.schema.json").read_text())
    jsonschema.validate(get_provider_info(), schema)


def test_the_schema_would_notice_a_wrong_field() -> None:
    import airflow

    schema = json.loads((Path(airflow.__file__).parent / "provider_info.schema.json").read_text())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**get_provider_info(), "connection-types": ["encord"]}, schema)


def _paths(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for one in value.values():
            yield from _paths(one)
    elif isinstance(value, list):
        for one in value:
            yield from _paths(one)
    elif isinstance(value, str) and re.fullmatch(r"airflow_provider_encord(\.\w+)+", value):
        yield value


@pytest.mark.parametrize("path", sorted(_paths(get_provider_info())))
def test_every_dotted_path_can_be_imported(path: str) -> None:
    module, _, name = path.rpartition(".")
    try:
        importlib.import_module(path)
    except ModuleNotFoundError:
        assert hasattr(importlib.import_module(module), name)


def test_every_module_with_operators_sensors_triggers_or_hooks_is_listed() -> None:
    listed = set(_paths(get_provider_info()))
    package = ROOT / "airflow_provider_encord"
    for kind in ("hooks", "operators", "sensors", "triggers"):
        for file in sorted((package / kind).glob("*.py")):
            path = f"airflow_provider_encord.{kind}.{file.stem}"
            assert (path in listed) == (_offers_something(path) and not file.stem.endswith("base")), path


def _offers_something(path: str) -> bool:
    if path.endswith((".__init__", ".form")):  # form: only Airflow 2.11 can import it
        return False
    module = importlib.import_module(path)
    return any(
        name.startswith("Encord") and inspect.isclass(one) and one.__module__ == path
        for name, one in vars(module).items()
    )


def test_reading_the_provider_info_imports_nothing_but_the_version() -> None:
    script = (
        "import sys, typing; before = set(sys.modules)\n"
        "from airflow_provider_encord.get_provider_info import get_provider_info; get_provider_info()\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == [
        "__future__",
        "airflow_provider_encord",
        "airflow_provider_encord.get_provider_info",
    ]


@pytest.fixture(scope="module")
def manager() -> Any:
    """What the form, the CLI and the workers ask."""
    from airflow.providers_manager import ProvidersManager

    return ProvidersManager()


@pytest.mark.filterwarnings("ignore:ProvidersManager.hooks is deprecated")
def test_airflow_finds_the_hook_of_the_connection_type(manager: Any) -> None:
    hook = manager.hooks["encord"]

    assert (hook.connection_type, hook.hook_name) == ("encord", "Encord")
    assert (hook.hook_class_name, hook.connection_id_attribute_name) == (HOOK_CLASS, "encord_conn_id")
    assert hook.package_name == "airflow-provider-encord"
    assert hook.connection_testable


EXPECTED_TYPES = {
    "auth_method": ("string", None),
    "private_key": ("string", "multiline"),
    "ssh_key_path": ("string", None),
    "private_key_passphrase": ("string", "password"),
    "api_key": ("string", "password"),
    "resource_id": ("string", None),
    "connect_timeout": ("number", None),
    "read_timeout": ("number", None),
    "total_timeout": ("number", None),
    "ca_bundle": ("string", None),
    "web_app_url": ("string", None),
    "allow_http": ("boolean", None),
}
ADVANCED_FIELDS = {"connect_timeout", "read_timeout", "total_timeout", "ca_bundle", "web_app_url", "allow_http"}


def test_the_form_has_the_fields_of_the_design_with_their_types() -> None:
    shown = {
        name: (field["schema"]["type"][0], field["schema"].get("format")) for name, field in CONNECTION_FIELDS.items()
    }
    assert shown == EXPECTED_TYPES
    assert {name for name, field in CONNECTION_FIELDS.items() if field["schema"].get("section") == ADVANCED} == (
        ADVANCED_FIELDS
    )


@pytest.mark.parametrize("name", sorted(CONNECTION_FIELDS))
def test_no_field_of_the_form_is_required(name: str) -> None:
    schema = CONNECTION_FIELDS[name]["schema"]
    own = {key: value for key, value in schema.items() if key != "section"}

    jsonschema.validate(None, own)
    assert "default" not in schema


@pytest.mark.parametrize(
    ("name", "secret"),
    [(name, name in ("private_key", "api_key", "private_key_passphrase")) for name in EXPECTED_TYPES],
)
def test_airflow_masks_the_secret_fields_by_their_names_and_shows_the_others(name: str, secret: bool) -> None:
    from airflow.providers.common.compat.sdk import redact

    assert (redact({name: "the value"})[name] == "***") is secret


def test_the_help_texts_show_a_service_accounts_key_file_from_an_api_key() -> None:
    assert "service account" in CONNECTION_FIELDS["private_key"]["description"]
    assert "not an API key" in CONNECTION_FIELDS["private_key"]["description"].replace("and not", "not")
    assert "legacy" in CONNECTION_FIELDS["api_key"]["label"]


class _Noting(dict[str, Any]):
    """Notes which keys are asked for."""

    def __init__(self, values: dict[str, Any]) -> None:
        super().__init__(values)
        self.asked: set[str] = set()

    def get(self, key: str, default: Any = None) -> Any:
        self.asked.add(key)
        return super().get(key, default)

    def __getitem__(self, key: str) -> Any:
        self.asked.add(key)
        return super().__getitem__(key)


def test_the_connection_reads_the_fields_of_the_form_and_no_others() -> None:
    from airflow_provider_encord.hooks.connection import read_credential, read_settings, secret_values

    extra = _Noting({"api_key": "k" * 43, "resource_id": "00000000-0000-4000-8000-000000000000"})
    secret_values(extra)
    read_credential(extra)
    read_settings(extra, host=None, port=None)

    assert extra.asked == set(CONNECTION_FIELDS)


def test_the_hook_names_itself_as_the_provider_info_does() -> None:
    from airflow_provider_encord.hooks.encord import EncordHook

    assert (EncordHook.conn_type, EncordHook.hook_name) == ("encord", "Encord")
    assert (EncordHook.conn_name_attr, EncordHook.default_conn_name) == ("encord_conn_id", DEFAULT_CONNECTION_ID)


def test_importing_the_hook_loads_no_web_framework() -> None:
    script = (
        f"import sys, {dag_files_import()}; before = set(sys.modules)\n"  # Airflow 2.11 itself loads flask
        "import airflow_provider_encord.hooks.encord\n"
        "print(*sorted({'flask', 'wtforms', 'flask_appbuilder', 'flask_babel'} & (set(sys.modules) - before)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_the_older_forms_behaviour_is_the_same_in_snake_case() -> None:
    from airflow_provider_encord.hooks.encord import EncordHook

    behaviour = EncordHook.get_ui_field_behaviour()
    assert set(behaviour) == {"hidden_fields", "relabeling", "placeholders"}
    assert behaviour["hidden_fields"] == ["login", "password", "schema"]
