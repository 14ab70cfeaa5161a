"""The receiver: what is refused, what is acknowledged, and what is stored."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from tests.airflow_layer.webhook.receivers import Project, Receiver, add_asset, events, settings
from tests.webhook.signed import SECRET, body_of, headers_of, labels, signature, work

pytestmark = pytest.mark.airflow
LIMIT = 1024 * 1024


def announcement(project: Project, **changed: Any) -> dict[str, Any]:
    return work(project.id, project.stage, **changed)


def test_an_announcement_becomes_an_event_of_the_stage(project: Project, receiver: Receiver) -> None:
    envelope = announcement(project)
    assert receiver.send(envelope) == (200, {"status": "stored"})
    (extra,) = events(project.stage_uri)
    assert extra["from_trigger"] is False
    assert {
        name: extra["payload"][name] for name in ("kind", "project_id", "stage_id", "tasks", "task_ids", "reason")
    } == {
        "kind": "tasks",
        "project_id": project.id,
        "stage_id": project.stage,
        "tasks": 3,
        "task_ids": None,
        "reason": "batch_size_reached",
    }
    assert [*extra["encord_deliveries"].values()] == [envelope["uid"]]


@pytest.mark.parametrize("event_type", ["task_submitted_event", "task_completed_event"])
def test_a_submitted_or_completed_task_becomes_an_event_of_the_labels(
    project: Project, receiver: Receiver, event_type: str
) -> None:
    assert receiver.send(labels(event_type, project.id)) == (200, {"status": "stored"})
    (extra,) = events(project.labels_uri)
    assert extra["payload"]["label_rows"] == [{"label_hash": "label-1", "data_hash": "data-1", "last_edited_at": None}]
    assert extra["payload"]["reason"] == event_type.removesuffix("_event")
    assert events(project.stage_uri) == []


def test_a_task_whose_stage_is_named_becomes_an_event_of_both_assets(project: Project, receiver: Receiver) -> None:
    envelope = labels(project=project.id, stage_uuid=project.stage)
    assert receiver.send(envelope) == (200, {"status": "stored"})
    assert (len(events(project.labels_uri)), len(events(project.stage_uri))) == (1, 1)
    assert receiver.send(envelope) == (200, {"status": "repeated"})
    assert (len(events(project.labels_uri)), len(events(project.stage_uri))) == (1, 1)


def _altered_timestamp(body: bytes) -> dict[str, str]:
    headers = headers_of(body)
    return headers | {"X-Encord-Timestamp": str(int(headers["X-Encord-Timestamp"]) - 1)}


@pytest.mark.parametrize(
    "wrong",
    [
        lambda body: headers_of(body, secret="another"),
        lambda body: headers_of(body, age=301),
        lambda body: headers_of(body, age=-310),
        lambda body: headers_of(body + b" "),
        _altered_timestamp,
        lambda body: {"X-Encord-Signature": headers_of(body)["X-Encord-Signature"]},
        lambda body: {"X-Encord-Timestamp": headers_of(body)["X-Encord-Timestamp"]},
        lambda body: {"X-Other": "x"},
        lambda body: {"X-Encord-Timestamp": "soon", "X-Encord-Signature": signature(body, "soon")},
    ],
)
def test_what_encord_did_not_sign_now_is_refused(project: Project, receiver: Receiver, wrong: Any) -> None:
    body = body_of(announcement(project))
    status, answer = receiver.send(body, wrong(body))
    assert (status, answer.keys()) == (401, {"message"})
    assert events(project.stage_uri) == []


def test_a_new_secret_works_beside_the_old_one_and_the_old_one_until_it_is_removed(project: Project) -> None:
    with Receiver(settings(project.id, secrets=("old", "new"))) as both:
        assert both.send(announcement(project), secret="old")[0] == 200
        assert both.send(announcement(project), secret="new")[0] == 200
    with Receiver(settings(project.id, secrets=("new",))) as rotated:
        assert rotated.send(announcement(project), secret="old")[0] == 401


def test_other_signature_headers_are_ignored(project: Project, receiver: Receiver) -> None:
    body = body_of(announcement(project))
    assert receiver.send(body, headers_of(body) | {"X-Encord-Signature-Ed25519": "x"})[0] == 200


def test_a_replayed_delivery_is_acknowledged_and_stored_once(project: Project, receiver: Receiver) -> None:
    body = body_of(announcement(project))
    headers = headers_of(body)
    assert receiver.send(body, headers)[1] == {"status": "stored"}
    assert receiver.send(body, headers) == (200, {"status": "repeated"})
    assert receiver.send(body, headers_of(body, age=60)) == (200, {"status": "repeated"}), "Encord signs a retry again"
    assert len(events(project.stage_uri)) == 1
    assert receiver.send(announcement(project))[1] == {"status": "stored"}


def test_a_delivery_that_another_process_stored_is_repeated_here(project: Project, receiver: Receiver) -> None:
    body = body_of(announcement(project))
    headers = headers_of(body)
    asked = {"projects": [project.id], "body": body.decode(), "headers": headers}

    def elsewhere() -> Any:
        done = subprocess.run(
            [sys.executable, "-m", "tests.airflow_layer.webhook.receivers"],
            input=json.dumps(asked),
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
        return json.loads(done.stdout.rpartition("answer: ")[2])

    assert receiver.send(announcement(project))[1] == {
        "status": "stored"
    }  # the history is read before the other stores
    assert elsewhere() == [200, {"status": "stored"}]
    assert receiver.send(body, headers) == (200, {"status": "repeated"})
    assert elsewhere() == [200, {"status": "repeated"}]
    assert len(events(project.stage_uri)) == 2


def _unsized(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 65536):
        yield body[start : start + 65536]


@pytest.mark.parametrize("sized", [True, False])
def test_a_body_that_is_too_long_is_refused_before_the_signature_is_looked_at(
    project: Project, receiver: Receiver, sized: bool
) -> None:
    body = b" " * (LIMIT + 1)
    answer = receiver.client.post("/webhook", content=body if sized else _unsized(body))
    assert answer.status_code == 413
    just = body_of(announcement(project)).ljust(LIMIT)
    content = just if sized else _unsized(just)
    assert receiver.client.post("/webhook", content=content, headers=headers_of(just)).status_code == 200


def test_the_log_says_that_a_body_was_too_long(project: Project, caplog: pytest.LogCaptureFixture) -> None:
    with Receiver(settings(project.id, max_body_bytes=200)) as receiver:
        assert receiver.send(work(project.id, project.stage))[0] == 413
    assert "The body has more than 200 bytes." in caplog.text


def test_reading_stops_where_a_body_is_too_long(project: Project) -> None:
    given_out = 0

    def endless() -> Iterator[bytes]:
        nonlocal given_out
        while given_out < 100:
            given_out += 1
            yield b" " * 65536

    with Receiver(settings(project.id, max_body_bytes=100_000)) as receiver:
        assert receiver.client.post("/webhook", content=endless()).status_code == 413


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"event_type": "digest_event"}, "ignored"),
        ({"version": 2}, "ignored"),
        ({"reason": "brand_new"}, "stored"),
        ({"project_hash": str(uuid.uuid4())}, "ignored"),
        ({"stage_uuid": str(uuid.uuid4())}, "no asset"),
    ],
)
def test_what_is_genuine_and_not_for_us_is_acknowledged(
    project: Project, receiver: Receiver, changed: dict[str, Any], status: str
) -> None:
    envelope = announcement(project)
    outer = {name: value for name, value in changed.items() if name in envelope}
    envelope |= outer | {"payload": {**envelope["payload"], **{k: v for k, v in changed.items() if k not in outer}}}
    assert receiver.send(envelope) == (200, {"status": status})
    assert len(events(project.stage_uri)) == (status == "stored")


def test_without_a_list_of_projects_nothing_is_stored(project: Project) -> None:
    with Receiver(settings()) as receiver:
        assert receiver.send(announcement(project)) == (200, {"status": "ignored"})
    assert events(project.stage_uri) == []


def test_an_asset_of_which_no_dag_is_active_gets_no_event(project: Project, receiver: Receiver) -> None:
    stage = str(uuid.uuid4())
    uri = project.stage_uri.replace(project.stage, stage)
    add_asset(uri, active=False)
    assert receiver.send(work(project.id, stage)) == (200, {"status": "no asset"})
    assert events(uri) == []


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="empty"),
        pytest.param(b"{", id="cut"),
        pytest.param(b"\xff", id="not UTF-8"),
        pytest.param(b"[]", id="list"),
        pytest.param(b"null", id="null"),
        pytest.param(b"7", id="number"),
        pytest.param(b"[" * 200_000, id="deep list"),
        pytest.param(b'{"a":' * 100_000, id="deep object"),
        pytest.param(body_of(work(payload=[])), id="payload"),
    ],
)
def test_what_is_signed_and_cannot_be_read_is_refused(receiver: Receiver, body: bytes) -> None:
    assert receiver.send(body)[0] == 400


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [("GET", "/webhook", 405), ("POST", "/", 404), ("GET", "/docs", 404), ("GET", "/openapi.json", 404)],
)
def test_nothing_else_is_served(receiver: Receiver, method: str, path: str, status: int) -> None:
    assert receiver.client.request(method, path).status_code == status


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(
    st.one_of(st.binary(max_size=300), st.text(max_size=100).map(str.encode)),
    st.dictionaries(
        st.sampled_from(["X-Encord-Signature", "X-Encord-Timestamp", "Content-Type"]),
        st.text(st.characters(min_codepoint=33, max_codepoint=126), max_size=70),
    ),
    st.booleans(),
)
@example(b"{}", {}, True)
def test_no_bytes_make_the_receiver_fail(
    receiver: Receiver, body: bytes, headers: dict[str, str], signed: bool
) -> None:
    answer = receiver.client.post("/webhook", content=body, headers=headers_of(body) if signed else headers)
    if signed and answer.status_code == 200:  # of an event that is not known: {}
        assert answer.json() == {"status": "ignored"}
        assert isinstance(json.loads(body), dict)
    else:
        assert answer.status_code == (400 if signed else 401)


def test_no_secret_signature_or_body_is_logged(
    project: Project, receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    body = body_of(announcement(project, uid="a-uid-of-the-body"))
    headers = headers_of(body)
    with caplog.at_level(logging.DEBUG, logger="airflow_provider_encord"):
        receiver.send(body, headers)
        receiver.send(body, headers)
        receiver.send(body + b"altered", headers)
        receiver.send(b"{ altered", headers_of(b"{ altered"))
        receiver.send(announcement(project, event_type="one that is not known"))
    lines = "\n".join(record.getMessage() for record in caplog.records)
    assert "[encord] webhook_secrets" in lines
    for private in (SECRET, headers["X-Encord-Signature"], "altered", "a-uid-of-the-body"):
        assert private not in lines


def test_a_flood_of_refusals_is_one_line(receiver: Receiver, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING, logger="airflow_provider_encord.webhook.app"):
        for _ in range(20):
            receiver.send(b"{}", {"X-Other": "x"})
    assert len(caplog.records) == 1


def test_a_database_that_cannot_be_used_is_said_so_that_encord_sends_again(
    project: Project, receiver: Receiver
) -> None:
    from airflow import settings as airflow_settings
    from sqlalchemy import text

    envelope = announcement(project)
    with airflow_settings.engine.begin() as connection:
        connection.execute(text("ALTER TABLE asset_event RENAME TO asset_event_away"))
    try:
        status, answer = receiver.send(envelope)
    finally:
        with airflow_settings.engine.begin() as connection:
            connection.execute(text("ALTER TABLE asset_event_away RENAME TO asset_event"))
    assert (status, answer.keys()) == (503, {"message"})
    assert receiver.send(envelope) == (200, {"status": "stored"})
