"""What is in the wheel and what it says of itself."""

from __future__ import annotations

import ast
import configparser
import email.message
import re
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from airflow_provider_encord import __version__
from airflow_provider_encord.get_provider_info import get_provider_info
from tests.airflow_layer.lines import LINES
from tests.packaging.environments import CONSTRAINTS, ROOT, uv
from tests.packaging.wheels import contents, declared, metadata_of, needed_by_module, required

pytestmark = pytest.mark.system

PACKAGE = "airflow_provider_encord"
INFORMATION = f"{PACKAGE}-{__version__}.dist-info"
FOR_THIS_PROJECT = {"dev", "docs", "test"}  # extras for this project only


@pytest.fixture(scope="module")
def files(wheel: Path) -> dict[str, bytes]:
    return contents(wheel)


@pytest.fixture(scope="module")
def metadata(files: dict[str, bytes]) -> email.message.Message:
    return metadata_of(files)


@pytest.fixture(scope="module")
def project() -> dict[str, Any]:
    return declared(ROOT)


def test_the_wheel_is_for_every_machine_and_named_after_the_version(wheel: Path) -> None:
    assert wheel.name == f"{PACKAGE}-{__version__}-py3-none-any.whl"


def test_the_wheel_holds_the_package_and_its_papers_and_nothing_else(
    files: dict[str, bytes], checkout: frozenset[str]
) -> None:
    papers = {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "licenses/LICENSE"}
    package = {name for name in checkout if name.startswith(f"{PACKAGE}/")}

    assert set(files) == package | {f"{INFORMATION}/{paper}" for paper in papers}
    assert {Path(file).suffix for file in package} == {".json", ".py", ".sql", ".typed"}


def test_no_module_is_in_the_name_space_of_airflow(files: dict[str, bytes]) -> None:
    assert {name.partition("/")[0] for name in files} == {PACKAGE, INFORMATION}


def test_type_checkers_see_that_the_package_is_typed(files: dict[str, bytes]) -> None:
    assert files[f"{PACKAGE}/py.typed"] == b""


def test_the_licence_is_the_projects(files: dict[str, bytes], metadata: email.message.Message) -> None:
    assert files[f"{INFORMATION}/licenses/LICENSE"] == (ROOT / "LICENSE").read_bytes()
    assert metadata["License-Expression"] == "Apache-2.0"
    assert b"Apache License" in files[f"{INFORMATION}/licenses/LICENSE"]


def test_the_entry_point_leads_to_what_airflow_looks_for(files: dict[str, bytes]) -> None:
    points = configparser.ConfigParser()
    points.read_string(files[f"{INFORMATION}/entry_points.txt"].decode())

    assert {group: dict(points[group]) for group in points.sections()} == {
        "apache_airflow_provider": {"provider_info": f"{PACKAGE}.get_provider_info:get_provider_info"},
        "airflow.plugins": {
            "encord_project_pages": f"{PACKAGE}.project_pages.plugin:EncordProjectPagesPlugin",
            "encord_webhook": f"{PACKAGE}.webhook.plugin:EncordWebhookPlugin",
        },
    }
    for group in points.sections():
        for target in points[group].values():
            assert target.partition(":")[0].replace(".", "/") + ".py" in files


def test_the_metadata_says_what_pyproject_says(metadata: email.message.Message, project: dict[str, Any]) -> None:
    assert (metadata["Name"], metadata["Version"]) == ("airflow-provider-encord", __version__)
    assert metadata["Requires-Python"] == ">=3.11"
    assert metadata["Summary"] == project["description"]
    assert metadata.get_all("Classifier") == project["classifiers"]
    assert {"Framework :: Apache Airflow :: Provider", "Typing :: Typed"} <= set(project["classifiers"])
    assert set(metadata.get_all("Provides-Extra", [])) == set(project["optional-dependencies"])
    required = {Requirement(one) for one in metadata.get_all("Requires-Dist", []) if "extra ==" not in one}
    assert required == set(map(Requirement, project["dependencies"]))
    assert metadata.get_all("Project-URL") == [f"{name}, {url}" for name, url in project["urls"].items()]


def test_the_readme_is_the_description(metadata: email.message.Message) -> None:
    assert metadata["Description-Content-Type"] == "text/markdown"
    payload = metadata.get_payload()
    assert isinstance(payload, str)
    assert payload.encode("ascii", "surrogateescape").decode().strip() == (ROOT / "README.md").read_text().strip()


def test_no_requirement_names_a_place(metadata: email.message.Message) -> None:
    # A wheel that depends on an address or on a folder cannot be published.
    assert [one for one in metadata.get_all("Requires-Dist", []) if "@" in one or "://" in one] == []


# Extras that are asked for by name where they are missing. Pycocotools and Shapely bring numpy.
OF_FORMATS = {"numpy", "pyarrow", "pycocotools", "zstandard"}
OF_SHAPES = {"numpy", "shapely"}
OF_PRELABELS = {"pillow", "pyarrow", "yaml"}  # yaml is Airflow's own
OF_FRAMES = {"av", "numpy", "pillow"}
OF_PICTURES = {"pillow"}
OF_TRAINING = {"numpy", "pillow", "pyarrow", "pycocotools", "shapely"}
OF_PACING = {"redis"}
OF_THE_API_SERVER = {"fastapi", "starlette", "sqlalchemy"}  # of Airflow 3: the two apps run only in it
OF_AIRFLOW_2 = {"flask_appbuilder", "flask_babel", "wtforms"}  # brought by it, and missing in Airflow 3


def test_every_import_is_brought_by_a_requirement_of_its_own(files: dict[str, bytes], project: dict[str, Any]) -> None:
    always = required(project["dependencies"])
    sdk = required(project["optional-dependencies"].get("sdk", []))
    agents = {name.replace("-", "_") for name in required(project["optional-dependencies"]["agents"])}
    lacking = {}
    for name, needed in needed_by_module(files, PACKAGE).items():
        brought = always | (OF_AIRFLOW_2 if name == f"{PACKAGE}/hooks/form.py" else set())
        brought = brought | (sdk if name.startswith(f"{PACKAGE}/hooks/") else set())
        brought = brought | (agents if name.startswith(f"{PACKAGE}/agents/") else set())
        in_the_api_server = (f"{PACKAGE}/webhook/", f"{PACKAGE}/project_pages/")
        brought = brought | (OF_THE_API_SERVER if name.startswith(in_the_api_server) else set())
        formats = (f"{PACKAGE}/analytics/", f"{PACKAGE}/exports/", f"{PACKAGE}/packed_lines.py")
        brought = brought | (OF_FORMATS if name.startswith(formats) else set())
        brought = brought | (OF_PRELABELS if name.startswith(f"{PACKAGE}/prelabels/") else set())
        brought = brought | (OF_SHAPES if name == f"{PACKAGE}/exports/formats/shapes.py" else set())
        brought = brought | (OF_TRAINING if name.startswith(f"{PACKAGE}/training/") else set())
        brought = brought | (OF_FRAMES if name.startswith(f"{PACKAGE}/media/") else set())
        brought = brought | (OF_PICTURES if name == f"{PACKAGE}/plot_pictures.py" else set())
        brought = brought | (OF_PACING if name == f"{PACKAGE}/client/transport/redis_pacing.py" else set())
        if needed - brought:
            lacking[name] = needed - brought
    assert lacking == {}


def test_the_source_distribution_holds_the_package_its_tests_and_the_examples(
    distributions: Path, checkout: frozenset[str]
) -> None:
    (archive,) = distributions.glob("airflow_provider_encord-*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}

    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", f"{PACKAGE}/py.typed"} <= names
    assert checkout <= names
    assert not [name for name in names if "__pycache__" in name or name.startswith((".venv", ".work"))]


def _told(value: object) -> Iterator[str]:
    """The modules and classes that the provider declares."""
    if isinstance(value, dict):
        value = [*value.values()]
    if isinstance(value, list):
        for one in value:
            yield from _told(one)
    elif isinstance(value, str) and value.startswith(f"{PACKAGE}."):
        yield value


def _defines(source: bytes, name: str) -> bool:
    return any(getattr(node, "name", None) == name for node in ast.parse(source).body)


def test_every_module_and_class_that_the_provider_declares_is_in_the_wheel(files: dict[str, bytes]) -> None:
    result = [path.rpartition(".") for path in _told(get_provider_info())]
    modules = {
        name.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for name in files if name.endswith(".py")
    }
    missing = [
        f"{module}.{name}"
        for module, _, name in result
        if f"{module}.{name}" not in modules
        and not (module in modules and _defines(files[module.replace(".", "/") + ".py"], name))
    ]

    assert missing == []
    assert ("airflow_provider_encord.hooks.encord", ".", "EncordHook") in result


@pytest.mark.parametrize("line", LINES)
def test_a_resolver_finds_the_wheel_compatible_with_every_line(line: str, wheel: Path, tmp_path: Path) -> None:
    uv("venv", "--quiet", "--python", sys.executable, tmp_path / "empty")
    constraint = CONSTRAINTS / f"airflow-{line}.txt"
    plan = uv("pip", "install", "--dry-run", "--python", tmp_path / "empty", "--constraint", constraint, wheel)

    assert re.search(rf"apache-airflow=={re.escape(line)}\.", plan)
    assert "+ airflow-provider-encord" in plan
