"""The connection form in a browser, on the newest Airflow and on the oldest: from an empty form to a green DAG run."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from airflow_provider_encord.get_provider_info import CONNECTION_FIELDS, FIELD_BEHAVIOUR
from tests.airflow_layer.bench import Account
from tests.airflow_layer.breaking_connections import Around
from tests.airflow_layer.broken_connections import CASES
from tests.deployment.processes import Deployment
from tests.e2e.browser import Visit
from tests.e2e.forms import Form, Form3

KINDS = {
    "auth_method": {"3.3": "list", "2.11": "text"},
    "private_key": {"3.3": "textarea", "2.11": "textarea"},
    "ssh_key_path": {"3.3": "text", "2.11": "text"},
    "private_key_passphrase": {"3.3": "password", "2.11": "password"},
    "api_key": {"3.3": "password", "2.11": "password"},
    "resource_id": {"3.3": "text", "2.11": "text"},
    "connect_timeout": {"3.3": "text", "2.11": "text"},
    "read_timeout": {"3.3": "text", "2.11": "text"},
    "total_timeout": {"3.3": "text", "2.11": "text"},
    "ca_bundle": {"3.3": "text", "2.11": "text"},
    "web_app_url": {"3.3": "text", "2.11": "text"},
    "allow_http": {"3.3": "checkbox", "2.11": "checkbox"},
}

INSTEAD_OF_SECRETS = {"3.3": "***", "2.11": "RATHER_LONG_SENSITIVE_FIELD_PLACEHOLDER"}
"""What a line shows in the box of a stored secret; sent back, it means that the secret stays."""


def stored(airflow: Deployment, connection_id: str) -> dict[str, Any]:
    """A connection as Airflow's database has it, its extra parsed."""
    file = airflow.home / f"{uuid.uuid4()}.json"
    airflow.cli("connections", "export", str(file), "--file-format", "json")
    connection: dict[str, Any] = json.loads(file.read_text())[connection_id]
    file.unlink()
    return {**connection, "extra": json.loads(connection["extra"])}


def host_and_port(url: str) -> dict[str, str]:
    """A server's URL, divided as the form has it. With a port, because the Test button of 3.3.2 needs one."""
    place = urlsplit(url)
    return {"host": f"{place.scheme}://{place.hostname}" if place.hostname else url, "port": str(place.port or 443)}


def as_in(line: str, key: str) -> str:
    """A pasted key as the line stores it: that of 2.11 sends what it holds as a page does, and strips it."""
    return key.strip().replace("\n", "\r\n") if line == "2.11" else key


def test_every_field_has_its_label_its_help_and_its_kind_of_box(form: Form, line: str, visit: Visit) -> None:
    form.open_new("encord_default")

    assert {name: form.seen(name).kind for name in CONNECTION_FIELDS} == {name: KINDS[name][line] for name in KINDS}
    for name, field in CONNECTION_FIELDS.items():
        assert (form.seen(name).label, form.seen(name).help) == (field["label"], field["description"])
    form.control("private_key").scroll_into_view_if_needed()
    visit.picture(f"connection-form-{line}", dark=form.has_dark_colours)


def test_of_the_standard_fields_only_those_that_mean_something_are_shown(form: Form) -> None:
    form.open_new("encord_default")

    assert form.standard_labels() == {"description": "Description", "host": "API host", "port": "Port"}
    assert form.control("host").get_attribute("placeholder") == FIELD_BEHAVIOUR["placeholders"]["host"]


def test_on_3_3_the_fields_stand_in_their_sections(form: Form) -> None:
    if not isinstance(form, Form3):
        pytest.skip("The form of 2.11 has no sections.")
    form.open_new("encord_default")

    assert form.names_in("Extra Fields") == [
        "auth_method",
        "private_key",
        "ssh_key_path",
        "private_key_passphrase",
        "api_key",
        "resource_id",
    ]
    assert form.names_in("Advanced") == [
        *("connect_timeout", "read_timeout", "total_timeout", "ca_bundle", "web_app_url", "allow_http")
    ]


def test_a_pasted_key_is_stored_as_it_is_outlives_an_edit_and_runs_a_dag(
    form: Form, airflow: Deployment, line: str, account: Account, tmp_path: Path
) -> None:
    key = account.private_key
    form.open_new("encord_default")
    form.fill(**host_and_port(account.emulator.url))
    form.paste("private_key", key)
    assert form.control("private_key").input_value() == key
    form.save()
    assert stored(airflow, "encord_default")["extra"]["private_key"] == as_in(line, key)

    form.visit.answers.clear()
    form.open_stored("encord_default")
    assert form.shown("private_key") == INSTEAD_OF_SECRETS[line]
    answered = form.visit.answered()  # before the page is left: a browser may forget what a page it has left was sent
    assert "encord_default" in answered
    form.fill(read_timeout="77")
    form.visit.answers.clear()
    form.save()
    answered += form.visit.answered()
    assert [line for line in key.splitlines()[1:-1] if line in answered] == []
    extra = stored(airflow, "encord_default")["extra"]
    assert extra["private_key"] == as_in(line, key)
    assert float(extra["read_timeout"]) == 77

    project = account.project(title="Street scenes", created=1.0)["project_id"]
    run = airflow.trigger("example_encord_export", {"destination": f"file://{tmp_path}"})
    assert airflow.wait(run) == "success", airflow.task_states(run)
    exported = [row for file in tmp_path.rglob("labels-*.jsonl") for row in file.read_text().splitlines()]
    assert [json.loads(row) for row in exported] == account.emulator.labels(project)
    form.show_run("example_encord_export", run)
    form.visit.picture(f"dag-run-{line}", dark=form.has_dark_colours)


def test_a_stored_key_can_be_replaced(form: Form, airflow: Deployment, line: str, account: Account) -> None:
    old, new = Account(account.emulator).private_key, account.private_key
    form.open_new("encord_renewed")
    form.fill(**host_and_port(account.emulator.url))
    form.paste("private_key", old)
    form.save()
    form.open_stored("encord_renewed")
    form.paste("private_key", new)
    form.save()

    assert stored(airflow, "encord_renewed")["extra"]["private_key"] == as_in(line, new)
    assert "Connection success!" in airflow.cli("connections", "test", "encord_renewed")


def test_the_test_button_says_what_the_connection_can_do(form: Form, line: str, account: Account) -> None:
    form.open_new("encord_tested")
    form.fill(**host_and_port(account.emulator.url))
    form.paste("private_key", account.private_key)
    message = form.test("encord_tested")

    form.visit.picture(f"connection-test-{line}", dark=form.has_dark_colours)
    assert "accepts this SSH key" in message


def test_airflow_3_3_2_itself_refuses_to_test_a_stored_connection_without_a_port(
    form: Form, airflow: Deployment, account: Account
) -> None:
    if airflow.version != (3, 3, 2):
        pytest.skip("The error is known in 3.3.1 and 3.3.2.")
    form.open_new("encord_without_port")
    form.fill(host=account.emulator.url)
    form.paste("private_key", account.private_key)

    assert "Bad Request" in form.test("encord_without_port")


@pytest.mark.parametrize(
    "name",
    [
        "an unregistered key",
        "an RSA key",
        "a clock that is behind",
        "an unknown API key",
        "an API key of a project that may not read",
        "a port without a listener",
    ],
)
def test_the_test_button_explains_what_is_wrong(form: Form, account: Account, tmp_path: Path, name: str) -> None:
    case = next(case for case in CASES if case.name == name)
    connection_id = f"broken_{uuid.uuid4().hex}"
    with Around(account, tmp_path) as around:
        broken = case.make(around)
        assert not isinstance(broken.extra, str)
        form.open_new(connection_id)
        form.fill(**host_and_port(broken.host))
        for field, value in broken.extra.items():
            form.paste(field, value)
        message = " ".join(form.test(connection_id).split())

    assert [words for words in case.says if words not in message] == [], message
