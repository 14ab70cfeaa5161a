"""What is read from the body of a verified delivery."""

from __future__ import annotations

import contextlib
import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.watches.batches import EditedRow
from airflow_provider_encord.webhook.deliveries import Delivery, MalformedError, Unknown, read_delivery
from tests.webhook.signed import PROJECT, STAGE, body_of, labels, work


def read(envelope: Any) -> Delivery | Unknown:
    return read_delivery(body_of(envelope), "digest", time.time())


def known(envelope: Any) -> Delivery:
    delivery = read(envelope)
    assert isinstance(delivery, Delivery)
    return delivery


def test_an_announcement_of_work() -> None:
    envelope = work()
    assert known(envelope) == Delivery(
        digest="digest",
        uid=envelope["uid"],
        event_type="agent_stage_work_available_event",
        project_id=PROJECT,
        stage_id=STAGE,
        reason="batch_size_reached",
        created_at="2026-11-29T10:00:00.000001+00:00",
        tasks=3,
    )


def test_ids_are_written_in_one_way() -> None:
    assert known(work(project=PROJECT.upper().replace("-", ""))).project_id == PROJECT


@pytest.mark.parametrize(
    ("named", "rows"),
    [
        ({}, (EditedRow(label_hash="label-1", data_hash="data-1"),)),
        ({"data_hashes": "d", "label_hashes": "l"}, (EditedRow(label_hash="l", data_hash="d"),)),
        ({"data_hashes": None}, (EditedRow(label_hash="label-1"),)),
        ({"data_hashes": ["a", "b"]}, (EditedRow(label_hash="label-1"),)),
        ({"label_hashes": []}, ()),
    ],
)
def test_the_label_rows_of_a_submitted_task(named: dict[str, Any], rows: tuple[EditedRow, ...]) -> None:
    delivery = known(labels(**named))
    assert (delivery.rows, delivery.stage_id, delivery.reason) == (rows, None, "task_submitted")
    assert known(labels("task_completed_event", stage_uuid=STAGE)).stage_id == STAGE


@pytest.mark.parametrize(
    "envelope",
    [
        work(event_type="digest_event"),
        work(event_type=None),
        work(event_type=["x"]),
        work(event_type="x" * 1000),
        work(version=2),
        work(version=True),
        work(version="1"),
        work(version=1.0),
        work(version=10**30),
        {},
        {"version": None},
    ],
)
def test_other_events_and_versions_are_unknown_and_no_error(envelope: Any) -> None:
    unknown = read(envelope)
    assert isinstance(unknown, Unknown)
    assert len(unknown.why) < 150


@pytest.mark.parametrize("reason", ["a_new_reason", "x" * 500, None, 7, "\n"])
def test_a_reason_that_is_not_known_is_no_error(reason: Any) -> None:
    envelope = work()
    envelope["payload"]["reason"] = reason
    assert known(envelope).reason in ("a_new_reason", "")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"\xff\xfe",
        b'{"version": 1, "uid": "\xff"}',
        b"[]",
        b"null",
        b'"text"',
        b"NaN",
        b"[" * 100_000,
        b'{"a":' * 100_000,
        body_of(work(payload=None)),
        body_of(work(payload=[])),
        body_of(work(uid=None)),
        body_of(work(uid="")),
        body_of(work(uid="\x00")),
        body_of(work(uid="x" * 81)),
        body_of(work(project="no id")),
        body_of(work(stage="../x")),
        body_of(labels(project=None)),  # type: ignore[arg-type]
        body_of(labels(label_hashes={"a": 1})),
        body_of(labels(label_hashes=[1])),
        body_of(labels(stage_uuid="x")),
    ],
)
def test_what_cannot_be_read_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedError):
        read_delivery(body, "digest", time.time())


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
_FIELDS = ("project_hash", "stage_uuid", "pending_count", "reason", "data_hashes", "label_hashes")


@given(
    st.dictionaries(st.sampled_from(["uid", "version", "source", "event_type", "event_created_timestamp"]), _json),
    st.dictionaries(st.sampled_from(_FIELDS), _json),
    st.booleans(),
)
def test_whatever_is_signed_is_read_or_malformed(outer: dict[str, Any], inner: dict[str, Any], of_labels: bool) -> None:
    envelope = labels() if of_labels else work()
    changed = {**envelope, **outer, "payload": {**envelope["payload"], **inner}}
    with contextlib.suppress(MalformedError):
        read_delivery(json.dumps(changed).encode(), "digest", time.time())
