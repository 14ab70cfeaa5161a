"""The report shows how answers differ by the names of their fields, and contains no data of the account."""

from __future__ import annotations

import json
import re
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.smoke.redaction import redacted
from airflow_provider_encord.smoke.report import render, render_failure
from airflow_provider_encord.smoke.report_json import render as render_json
from airflow_provider_encord.smoke.shapes import NAMELESS, Differences, by_id, differences, shape, shown
from airflow_provider_encord.smoke.visit import Visit
from encord_emulator.process import Emulator
from tests.airflow_layer.bench import Account
from tests.client.leaks import body_parts, parts, windows
from tests.client.scripted_server import Received
from tests.smoke.changed_answers import changed_answers, path, query_type, v1_error
from tests.smoke.conftest import EMAIL, PROJECT_TITLE, World, line, run_with


def of_one_project(received: Received, status: int) -> bool:
    return status == 200 and bool(re.fullmatch(r"projects/[0-9a-f-]{36}", path(received)))


def test_a_field_that_is_not_listed_is_reported_by_name_and_without_its_value(world: World) -> None:
    def add(received: Received, status: int, content: Any) -> tuple[int, Any]:
        if of_one_project(received, status):
            content |= {"brandNew": "worth a fortune", "alice@secret.example": 1, str(uuid.uuid4()): 2}
            content["workflow"]["stages"][0]["colourOfStage"] = "worth a fortune"
        return status, content

    with changed_answers(world.emulator.url, add) as url:
        report = render(world.run(url=url))
    found = line(report, "| project.get (v2)")
    assert f"{NAMELESS}, brandNew, workflow.stages.colourOfStage" in found
    assert not re.search("fortune|alice|secret", report)


def test_a_listed_field_that_is_absent_is_reported(world: World) -> None:
    def remove(received: Received, status: int, content: Any) -> tuple[int, Any]:
        if of_one_project(received, status):
            del content["creatorEmail"]
        return status, content

    with changed_answers(world.emulator.url, remove) as url:
        report = render(world.run(url=url))
    assert line(report, "| project.get (v2)").endswith(" |  | creatorEmail |")


def test_an_answer_that_cannot_be_read_is_reported_without_its_content(world: World) -> None:
    def break_(received: Received, status: int, content: Any) -> tuple[int, Any]:
        if of_one_project(received, status):
            content["title"] = {"worth": "a fortune"}
        if query_type(received) == "datarows":
            del content["response"][0]["data_title"]
        return status, content

    with changed_answers(world.emulator.url, break_) as url:
        report = render(world.run(url=url))
    assert "0 of 2 answered; project-1: not readable, Expected `str`, got `object`, trace id" in report
    assert "missing required field `data_title`" in line(report, "| dataset.list_data_rows")
    assert "fortune" not in report


def test_a_refusal_is_reported_by_its_code_and_without_the_servers_text(world: World) -> None:
    def refuse(received: Received, status: int, content: Any) -> tuple[int, Any]:
        if path(received) == "cloud-integrations":
            return 403, {"message": f"Dear {EMAIL}, your key {received.headers} may not look at {PROJECT_TITLE}"}
        if query_type(received) == "datasetapikey":
            status, content = v1_error("OPERATION_NOT_ALLOWED")
            return status, {**content, "payload": f"ask {EMAIL}"}
        return status, content

    with changed_answers(world.emulator.url, refuse) as url:
        report = render(world.run(url=url))
    assert "0 of 1 answered; refused, PermissionDenied (HTTP 403), trace id " in line(
        report, "cloud_integrations.list (v2)"
    )
    assert "dataset-1: refused, PermissionDenied (HTTP 200, OPERATION_NOT_ALLOWED)" in line(
        report, "| api_key.dataset.list"
    )
    assert "Dear" not in report


def test_the_report_contains_no_data_of_the_account(world: World) -> None:
    report = render(world.run(world.ssh, world.of_project, world.of_dataset))
    shown = windows(report)
    assert not shown & body_parts(world.account.private_key)
    for key in (world.of_project, world.of_dataset):
        secret = key.v1_headers(b"", resource_type=None, resource_id=None)["Authorization"]
        assert not shown & parts(secret)
    with world.account.client() as client:
        rows = client.project(world.project).label_rows()
        every = [one for _, one in _texts(json.loads(json.dumps(world.emulator.labels(world.project))))]
        private = {record.title for record in (*client.projects(), *client.datasets())}
        private |= {row.data_title for row in rows} | {row.dataset_title for row in rows if row.dataset_title}
        ids = {project.project_hash for project in client.projects()} | {
            dataset.dataset_hash for dataset in client.datasets()
        }
        ids |= {row.label_hash for row in rows if row.label_hash} | {row.data_hash for row in rows}
    private |= {EMAIL, *ids, world.emulator.url, world.emulator.url.rpartition("/")[2], world.ssh.public_key_hex}
    private |= {text for text in every if len(text) > 12 and " " in text}
    assert len(private) > 20
    assert [value for value in private if value in report] == []


def test_the_report_in_json_contains_no_data_of_the_account(world: World) -> None:
    report = render_json(world.run(world.ssh, world.of_dataset))
    with world.account.client() as client:
        private = {value for project in client.projects() for value in (project.title, project.project_hash)}
        private |= {value for dataset in client.datasets() for value in (dataset.title, dataset.dataset_hash)}
    private |= {EMAIL, world.emulator.url, world.emulator.url.rpartition("/")[2], world.ssh.public_key_hex}
    assert [value for value in private if value in report] == []


def test_the_report_in_json_has_outcome_status_trace_id_and_seconds_of_every_request(world: World) -> None:
    run = world.run()
    content = json.loads(render_json(run))
    requests = [request for part in ("facts", "reads") for entry in content[part] for request in entry["requests"]]
    assert len(requests) == run.requests
    for request in requests:
        assert (request["http_status"] or 0) >= 200
        assert re.fullmatch(r"[0-9a-f]{32}", request["trace_id"])
        assert request["seconds"] > 0
    traces = [request["trace_id"] for request in requests]
    assert len(set(traces)) == len(traces)


def test_the_summary_in_json_counts_what_the_rest_lists(world: World) -> None:
    content = json.loads(render_json(world.run(world.of_project)))
    summary = content["summary"]
    assert sum(summary["facts"].values()) == len(content["facts"])
    assert sum(summary["replies"].values()) == sum(len(read["requests"]) for read in content["reads"])
    assert summary["not_tried"] == sum(read["not_tried"] is not None for read in content["reads"])
    assert {bool(read["requests"]) == (read["not_tried"] is None) for read in content["reads"]} == {True}


def _texts(value: Any, name: str = "") -> list[tuple[str, str]]:
    if isinstance(value, dict):
        return [found for key, one in value.items() for found in _texts(one, key)]
    if isinstance(value, list):
        return [found for item in value for found in _texts(item, name)]
    return [(name, value)] if isinstance(value, str) else []


def test_the_report_has_versions_credentials_and_the_number_of_requests(world: World) -> None:
    report = render(world.run(world.ssh, world.of_dataset))
    for wanted in (
        "airflow-provider-encord ",
        "Airflow ",
        "Python ",
        "platform ",
        "requests ",
        "httpx ",
        "cryptography ",
        "Encord SDK ",
        "Every answer was as expected.",
        "SSH key at other host",
        "API key at other host, of a dataset",
    ):
        assert wanted in report
    requests = len(world.emulator.journal())
    assert re.search(rf"^- {requests} requests, all of them reads, in \d+\.\d s$", report, re.MULTILINE)


def test_every_line_of_a_table_has_as_many_cells_as_its_head(world: World) -> None:
    _, facts, reads, _ = render(world.run()).split("\n## ")
    for table, columns in ((facts, 5), (reads, 6)):
        rows = [line for line in table.splitlines() if line.startswith("|")]
        assert len(rows) > 30
        assert {row.count("|") for row in rows} == {columns + 1}


@pytest.mark.parametrize(
    ("host", "shown"),
    [
        ("api.encord.com", "default region"),
        ("api.us.encord.com", "US region"),
        ("encord.hospital.example:8443", "other"),
    ],
)
def test_only_encords_own_hosts_are_named(host: str, shown: str) -> None:
    report = render_failure(f"{host} does not answer.", [host], [], None)
    assert (host in report) == ("region" in shown)


def test_the_report_of_a_failure_contains_no_values_of_the_connection() -> None:
    trace_id, other = uuid.uuid4().hex, uuid.uuid4()
    message = f"The file of ssh_key_path (/home/waltraud/key) for {EMAIL}, trace id {trace_id}, {other}, {other.hex}"
    report = render_failure(message, [], ["/home/waltraud/key", ""], None)
    assert f"The file of ssh_key_path ((left out)) for (email), trace id {trace_id}, (id), (id)" in report


@given(st.uuids(), st.emails(), st.text())
def test_redaction_removes_every_id_and_email_address(id_: uuid.UUID, email: str, around: str) -> None:
    shown = redacted(f"{around} {id_} {id_.hex} {email.lower()} {around}", [])
    assert str(id_) not in shown
    assert id_.hex not in shown
    assert email.lower() not in shown


@given(st.from_regex(r"\A[0-9a-f]{8}\Z") | st.uuids().map(str) | st.emails() | st.from_regex(r"\A\S+ \S+\Z"))
def test_a_key_that_can_be_a_value_is_not_shown(name: str) -> None:
    assert shown(name) == NAMELESS or name.isalpha()


def test_differences_are_found_at_every_depth_and_in_every_member() -> None:
    listed = shape("results next?", results=shape("a b? inner?", inner=shape("x")))
    content = {"results": [{"a": 1, "c": 2}, {"b": 1, "inner": {"y": {"z": 1}}}], "next": None}
    found = differences(content, listed, camel=True)
    assert found.unknown == {"results.c", "results.inner.y"}
    assert found.absent == {"results.a", "results.inner.x"}


def test_objects_by_id_are_compared_without_showing_the_ids() -> None:
    listed = shape("units", units=by_id(shape("a")))
    found = differences({"units": {"Ybr0V5Vu": {"a": 1, "b": 2}, "secret": {}}}, listed, camel=False)
    assert (sorted(found.unknown), sorted(found.absent)) == (["units.b"], ["units.a"])


def test_the_emulator_answers_with_the_listed_fields_and_no_others(world: World) -> None:
    replies = [reply for visit in world.run(world.ssh, world.of_dataset).visits for reply in visit.replies]
    differing = {reply.operation: reply.differences for reply in replies if reply.differences != Differences()}
    assert (len(replies) > 20, differing) == (True, {})


def test_snake_case_is_a_difference_on_v1_but_not_on_v2() -> None:
    listed = shape("createdAt")
    assert not differences({"created_at": 1}, listed, camel=True).unknown
    assert differences({"created_at": 1}, listed, camel=False).unknown == {"created_at"}


def test_each_id_has_one_alias_and_no_other_id_has_it(world: World) -> None:
    visit: Visit = world.run().visits[0]
    first, second = visit.alias("thing", "a"), visit.alias("thing", "b")
    assert (first, second, visit.alias("thing", "a")) == ("thing-1", "thing-2", "thing-1")
    assert isinstance(visit.credential, SshKey)


def test_a_read_without_something_to_read_says_what_was_not_found() -> None:
    with Emulator.start() as emulator:
        account = Account(emulator)
        report = render(run_with(emulator.url, SshKey.parse(account.private_key)))
    for operation, reason in {
        "groups.get (v2)": "a group of users was not found",
        "storage.item.get (v2)": "a storage item was not found",
        "workflow.tasks.list (v2)": "a project with a workflow was not found",
        "editor_logs.list (v2)": "a project was not found",
        "dataset.list_users (v2)": "a dataset was not found",
        "api_key.lookup (v1)": "it needs a connection with an API key",
        "upload.signed_urls (v2)": "it prepares an upload: the answer contains permission to write",
    }.items():
        assert f"not tried, because {reason}" in line(report, f"| {operation}")


def test_with_an_api_key_the_report_says_which_reads_need_an_ssh_key(world: World) -> None:
    report = render(world.run(world.of_project))
    assert "not tried, because it needs a connection with an SSH key" in line(report, "| projects.list (v1)")
    assert "not tried, because it needs a connection with an SSH key" in line(report, "| groups.list (v2)")
    assert "1 of 1 answered" in line(report, "| label_logs.list (v1)")
