"""The documentation leaves nothing out: every operator, field, line of Airflow and format is on its page as it is."""

from __future__ import annotations

import ast
import inspect
import json
import re
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.exports.manifest import decode_manifest
from airflow_provider_encord.get_provider_info import CONNECTION_FIELDS, FIELD_BEHAVIOUR, get_provider_info
from airflow_provider_encord.reports import encode_lines
from airflow_provider_encord.uploads.report import read_lines
from encord_emulator.process import Emulator
from tests.airflow_layer.lines import FEATURES, LINES
from tests.docs.blocks import CHECKOUT, DOCS, DOCUMENTS, all_blocks, blocks_of
from tests.docs.runner import known_extras, same_shape

PACKAGE = CHECKOUT / "airflow_provider_encord"


def defined(folder: str, suffix: str) -> list[str]:
    """The classes that users import from a part of the package."""
    sources = "".join(path.read_text() for path in (PACKAGE / folder).rglob("*.py"))
    found = set(re.findall(rf"^class (Encord\w+{suffix})\b", sources, re.MULTILINE))
    return sorted(found - {f"EncordBase{suffix}"})


OPERATORS = defined("operators", "Operator")
SENSORS = defined("sensors", "Sensor")
WIDTH = 120  # characters of a line; the page shows some 86, and lets the rest be scrolled to
REFERENCE = "".join(page.read_text() for page in (DOCS / "api").glob("*.rst"))


@pytest.mark.parametrize("operator", [*OPERATORS, *SENSORS])
def test_an_operator_or_sensor_is_shown_in_a_dag_that_runs(operator: str) -> None:
    shown = [block for block in all_blocks() if block.language == "python" and block.runs and block.marker != "file"]
    pages = [block for block in shown if block.document.parent == DOCS / "operators"]
    assert [
        block for block in pages if "with DAG(" in block.text and re.search(rf"\b{operator}(\.partial)?\(", block.text)
    ]


def test_the_table_of_operators_names_each_and_no_other() -> None:
    named = set(re.findall(r"`(Encord\w+Operator)`", (DOCS / "operators" / "index.md").read_text()))
    assert sorted(named) == OPERATORS


def test_the_table_of_sensors_names_each_and_no_other() -> None:
    rows = re.findall(r"^\| `(Encord\w+)` \|", (DOCS / "operators" / "sensors.md").read_text(), re.MULTILINE)
    assert sorted(rows) == SENSORS


def test_the_reference_has_every_module_that_the_provider_declares() -> None:
    info = get_provider_info()
    modules = [
        module
        for kind in ("hooks", "operators", "sensors")
        for group in info[kind]
        for module in group["python-modules"]
    ]
    assert [module for module in modules if module not in REFERENCE] == []


def test_every_field_of_the_form_is_explained_by_its_name_and_label() -> None:
    text = (DOCS / "connection" / "index.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", text, re.MULTILINE)
    labels = {"host": FIELD_BEHAVIOUR["relabeling"]["host"], "port": "Port"}
    assert dict(rows) == {**labels, **{name: field["label"] for name, field in CONNECTION_FIELDS.items()}}


def lines_table() -> str:
    """Which line of Airflow has what, as the page has to show it."""
    rows = [[feature.name, *("yes" if feature.on(line) else "no" for line in LINES)] for feature in FEATURES.values()]
    table = [["", *LINES], ["---"] * (len(LINES) + 1), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in table)


def lines_details() -> str:
    """What that means, as the page has to show it."""
    return "\n\n".join(
        f"{value.name}\n: From {value.since} on: {value.with_it}\n\n  Before: {value.without_it}"
        for value in FEATURES.values()
    )


@pytest.mark.parametrize("part", [lines_table(), lines_details()], ids=["table", "details"])
def test_the_page_of_lines_shows_what_the_matrix_tests(part: str) -> None:
    assert part in (DOCS / "airflow-lines.md").read_text(), f"show this:\n{part}"


def test_a_picture_of_light_pages_has_one_of_dark_pages_beside_it() -> None:
    shown = 0
    for document in DOCUMENTS:
        text = document.read_text()
        light = re.findall(r"\(([^()]+)\.png\)\{\.only-light\}", text)
        assert re.findall(r"\(([^()]+)-dark\.png\)\{\.only-dark\}", text) == light, document
        assert all((document.parent / f"{path}-dark.png").exists() for path in light), document
        shown += len(light)
    assert shown >= 4


def test_code_is_no_wider_than_the_page() -> None:
    lines = [
        (str(block), line)
        for block in all_blocks()
        if block.document.is_relative_to(DOCS)
        for line in block.text.splitlines()
    ]
    assert [one for one in lines if len(one[1]) > WIDTH and "PRIVATE KEY" not in one[1]] == []


def test_a_dag_with_a_schedule_has_the_start_date_that_airflow_2_demands() -> None:
    new = [page for page in DOCS.rglob("*.md") if re.search(r"[Nn]eeds? Airflow\s3\.1 or newer", page.read_text())]
    blocks = [block for block in all_blocks() if block.language == "python" and block.document not in new]
    dags = [(block, call) for block in blocks for call in dags_of(block.text)]
    scheduled = [(block, call) for block, call in dags if call.get("schedule", "None") != "None"]
    assert scheduled
    assert [str(block) for block, call in scheduled if "start_date" not in call] == []


def dags_of(source: str) -> list[dict[str | None, str]]:
    """The named arguments of each DAG, as written."""
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return [
        {named.arg: ast.unparse(named.value) for named in call.keywords}
        for call in calls
        if ast.unparse(call.func) in ("DAG", "dag")
    ]


def checked(what: str) -> Any:
    """The content of the block that is checked by this name."""
    (block,) = [one for one in blocks_of(DOCS / "formats.md") if (one.marker, one.value) == ("checked", what)]
    return json.loads(block.text)


def names(value: Any) -> Any:
    """A JSON value with nothing but the names of its fields, in order."""
    if isinstance(value, dict):
        return {name: names(one) for name, one in value.items()}
    return [names(one) for one in value[:1]] if isinstance(value, list) else None


def test_the_manifest_that_is_shown_is_one() -> None:
    from msgspec import to_builtins

    shown = checked("manifest")
    real = to_builtins(decode_manifest(json.dumps(shown).encode(), "the documentation"))
    assert same_shape(shown, real)
    assert json.dumps(names(shown)) == json.dumps(names(real))
    counts = shown["counts"]
    assert counts["listed"] == counts["with_labels"] + counts["without_labels"]
    assert counts["with_labels"] == counts["exported"] + counts["not_found"] + counts["unchanged"]


def test_the_line_of_a_report_that_is_shown_is_one() -> None:
    shown = checked("report")
    (line,) = read_lines([json.dumps(shown).encode() + b"\n"])
    assert json.loads(b"".join(encode_lines([line]))) == shown
    explained = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \|", (DOCS / "formats.md").read_text(), re.MULTILINE)
    assert set(shown) <= {name for row in explained for name in re.findall(r"`(\w+)`", row)}


def test_every_extra_is_named_on_the_page_about_installing() -> None:
    named = set(re.findall(r"`(\w+)`", (DOCS / "install.md").read_text()))
    assert known_extras() <= named


def test_every_control_of_the_emulator_is_explained() -> None:
    methods = {name: method for name, method in vars(Emulator).items() if inspect.isfunction(method)}
    controls = {name for name, method in methods.items() if "self._ask(" in inspect.getsource(method)}
    assert controls >= {"faults", "journal", "annotate"}
    text = (DOCS / "testing.md").read_text()
    assert {name for name in controls if f"`{name}(" not in text} == set()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(CHECKOUT)))
def test_a_document_names_no_place_of_one_machine_and_no_registry(document: Path) -> None:
    text = document.read_text()
    assert re.findall(r"/work/|/tmp/|/root/|/home/\w|pypi\.org|files\.pythonhosted|index-url", text) == []


def pictures() -> list[Path]:
    """The pictures that the pages show."""
    return sorted(
        {
            (document.parent / name).resolve()
            for document in DOCUMENTS
            for name in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", document.read_text())
        }
    )


@pytest.mark.parametrize("picture", pictures(), ids=lambda path: path.name)
def test_a_picture_that_is_shown_is_there(picture: Path) -> None:
    assert picture.exists(), "SCREENSHOTS=docs/images make e2e makes screenshots, make reference the diagrams."
    assert picture.read_bytes().startswith((b"\x89PNG", b"<svg"))


def test_every_picture_that_is_there_is_shown() -> None:
    assert set((DOCS / "images").iterdir()) <= set(pictures())
