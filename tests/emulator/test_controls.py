"""Fault 10.2: a control refuses what would break later answers, with 422 and the name of the field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from encord_emulator.process import Emulator
from tests.emulator.callers import Person, send

KIND = {"Content-Type": "application/json"}
FAULT = {"status": 503}


@pytest.fixture(scope="module")
def encord_emulator() -> Iterator[Emulator]:
    with Emulator.start() as emulator:
        yield emulator


def _fault(when: dict[str, Any] | None = None, match: dict[str, Any] | None = None, **do: Any) -> Any:
    return [{"do": do or FAULT, "when": when or {}, "match": match or {}}]


@pytest.mark.parametrize(
    ("control", "body", "named"),
    [
        ("clock", {"advance_s": 1e18}, "advance_s"),
        ("clock", {"advance_s": -1e18}, "advance_s"),
        ("clock", {"advance_s": -3e9}, "advance_s"),
        ("clock", {"advance_s": 1e308}, "advance_s"),
        ("clock", {"now": "0001-01-01T00:00:00+05:00"}, "now"),
        ("clock", {"now": "9999-12-31T23:59:59-05:00"}, "now"),
        ("clock", {"now": "9999-12-31T23:59:59Z"}, "now"),
        ("clock", {"now": "1969-12-31T00:00:00Z"}, "now"),
        ("clock", {"now": ""}, "now"),
        ("faults", _fault(status=99), "status"),
        ("faults", _fault(status=103), "status"),
        ("faults", _fault(status=600), "status"),
        ("faults", _fault(status=-1), "status"),
        ("faults", _fault(status=204, text="x"), "204"),
        ("faults", _fault(status=304, json={}), "304"),
        ("faults", _fault(status=503, headers={"": "x"}), "headers"),
        ("faults", _fault(status=503, headers={"a b": "x"}), "headers"),
        ("faults", _fault(status=503, headers={"a:": "x"}), "headers"),
        ("faults", _fault(status=503, headers={"ü": "x"}), "headers"),
        ("faults", _fault(status=503, headers={"a\r\nb": "x"}), "headers"),
        ("faults", _fault(status=503, headers={"a": "x\r\nSet-Cookie: y"}), "headers"),
        ("faults", _fault(status=503, headers={"a": "x\ny"}), "headers"),
        ("faults", _fault(status=503, headers={"a": "\x00"}), "headers"),
        ("faults", _fault(status=503, headers={"a": "\u20ac"}), "headers"),
        ("faults", _fault(status=503, headers={"Content-Length": "7"}), "Content-Length"),
        ("faults", _fault(status=503, headers={"transfer-encoding": "chunked"}), "transfer-encoding"),
        ("faults", _fault(delay_s=-1), "delay_s"),
        ("faults", _fault(delay_s=1e18), "delay_s"),
        ("faults", _fault(v1_error=""), "v1_error"),
        ("faults", _fault(when={"probability": 1.5}), "probability"),
        ("faults", _fault(when={"probability": -0.1}), "probability"),
        ("faults", _fault(when={"nth": 0}), "nth"),
        ("faults", _fault(when={"every": 0}), "every"),
        ("faults", _fault(when={"times": -1}), "times"),
        ("faults", _fault(match={"method": "get"}), "method"),
        ("faults", _fault(match={"path": "("}), "path"),
        ("jobs", {"fail_units": 1.1}, "fail_units"),
        ("jobs", {"fail_units": -0.1}, "fail_units"),
        ("jobs", {"units_per_second": 0}, "units_per_second"),
        ("jobs", {"units_per_second": -1}, "units_per_second"),
        ("limits", {"requests_per_minute": -1}, "requests_per_minute"),
        ("limits", {"page_size": 0}, "page_size"),
        ("limits", {"page_size": 10**30}, "page_size"),
        ("limits", {"label_rows_per_request": 10**30}, "label_rows_per_request"),
        ("projects", {"owner": "o@example.com", "title": "t", "rows": 10**12}, "rows"),
        ("projects", {"owner": "o@example.com", "title": "t", "rows": -1}, "rows"),
        ("projects", {"owner": "o@example.com", "title": "t", "rows": 1, "kind": "video", "frames": 10**12}, "frames"),
        ("projects", {"owner": "o@example.com", "title": "t", "rows": 1, "objects_per_row": 10**12}, "objects_per_row"),
        ("projects", {"owner": "no-address", "title": "t", "rows": 1}, "owner"),
        ("users", {"email": "", "public_key": "ssh-ed25519 AAAA"}, "email"),
        ("buckets", {"integration": "x", "url": "not a url", "directory": "/tmp"}, "url"),
        ("buckets", {"integration": "x", "url": "s3://x", "directory": "/nowhere"}, "directory"),
        ("buckets", {"integration": "x", "url": "s3://x", "directory": "\x00"}, "directory"),
        ("buckets", {"integration": "x", "url": "s3://x", "directory": ""}, "directory"),
    ],
)
def test_a_value_that_breaks_later_answers_is_refused(
    encord_emulator: Emulator, control: str, body: Any, named: str
) -> None:
    before = encord_emulator.state()
    answer = send(encord_emulator.url, "POST", f"/_emulator/{control}", KIND, json.dumps(body).encode())
    assert answer.status == 422, answer.content
    assert named in answer.content.decode()
    after = encord_emulator.state()
    assert {**before, "now": ""} == {**after, "now": ""}
    assert before["now"] <= after["now"] < "2100", "the clock goes on as before"
    assert encord_emulator.clear_faults() == 0


@pytest.mark.parametrize(
    "text", [b"", b"{", b"null", b'"x"', b"\xff", b'{"now": "\\ud800"}', b'{"advance_s": NaN}', b'{"advance_s": 1e999}']
)
def test_a_body_that_is_not_the_json_that_is_asked_for_is_refused(encord_emulator: Emulator, text: bytes) -> None:
    for control in ("clock", "faults", "users", "projects"):
        assert send(encord_emulator.url, "POST", f"/_emulator/{control}", KIND, text).status == 422


@pytest.mark.parametrize(
    "query", ["offset=-1", "limit=-2", "limit=99999999999999999999", "offset=99999999999999999999", "offset=x"]
)
def test_a_range_of_labels_that_does_not_exist_is_refused(encord_emulator: Emulator, query: str) -> None:
    made = encord_emulator.project(owner="owner@example.com", title="x", rows=1)
    answer = send(encord_emulator.url, "GET", f"/_emulator/labels/{made['project_id']}?{query}")
    assert answer.status == 422


def test_the_clock_is_set_wholly_or_not_at_all(encord_emulator: Emulator) -> None:
    body = json.dumps({"now": "2026-01-01T00:00:00Z", "advance_s": 1e18}).encode()
    assert send(encord_emulator.url, "POST", "/_emulator/clock", KIND, body).status == 422
    assert encord_emulator.state()["now"] > "2026-01-02"


def test_steps_that_add_up_to_an_impossible_time_are_refused(encord_emulator: Emulator) -> None:
    step = json.dumps({"advance_s": 2e11}).encode()
    assert send(encord_emulator.url, "POST", "/_emulator/clock", KIND, step).status == 200
    assert send(encord_emulator.url, "POST", "/_emulator/clock", KIND, step).status == 422
    owner = Person(encord_emulator.url, "later@example.com")
    encord_emulator.authorize(owner.public_key, email=owner.email)
    assert encord_emulator.clock(now=None)
    assert owner.rest("GET", "projects").status == 200


@pytest.mark.parametrize(
    "do",
    [
        {"status": 204},
        {"status": 304},
        {"status": 599, "headers": {"X-Odd": "caf\u00e9", "Retry-After": "1", "Connection": "close"}},
        {"status": 200, "text": "\u20ac"},
        {"status": 503, "json": None},
    ],
)
def test_what_a_fault_may_do_is_done_and_the_next_answer_is_whole(encord_emulator: Emulator, do: Any) -> None:
    encord_emulator.faults([{"do": do, "when": {"nth": 1}, "match": {"path": "projects"}}])
    assert send(encord_emulator.url, "GET", "/v2/public/projects").status == do["status"]
    assert send(encord_emulator.url, "GET", "/v2/public/projects").status == 401
    assert encord_emulator.clear_faults() == 1
