"""Scripted faults happen exactly where, when and how they are scripted; the journal and the limits are accurate."""

from __future__ import annotations

import http.client
import json
import time

import pytest

from encord_emulator.process import Emulator
from encord_emulator.state.faults import Faults, FaultScript
from encord_emulator.wire.shapes import convert
from tests.emulator.callers import Person, send

DROPPED = (http.client.RemoteDisconnected, ConnectionError)


def _hits(when: dict, requests: int) -> list[int]:
    faults = Faults()
    faults.add([convert(FaultScript, {"when": when, "do": {"status": 503}}, "fault")])
    return [number for number in range(1, requests + 1) if faults.pick("GET", "/x") is not None]


@pytest.mark.parametrize(
    ("when", "hits"),
    [
        ({}, [1, 2, 3, 4, 5, 6]),
        ({"nth": 3}, [3]),
        ({"every": 2}, [2, 4, 6]),
        ({"times": 2}, [1, 2]),
        ({"every": 2, "times": 1}, [2]),
        ({"probability": 0.0}, []),
        ({"probability": 1.0, "times": 1}, [1]),
        ({"nth": 7}, []),
    ],
)
def test_when_decides_which_of_the_matching_requests_go_wrong(when, hits):
    assert _hits(when, 6) == hits


def test_the_same_seed_makes_the_same_requests_go_wrong():
    first, second = (_hits({"probability": 0.3, "seed": 7}, 200) for _ in range(2))
    assert first == second
    assert 30 < len(first) < 90


@pytest.mark.parametrize(
    ("match", "hit"),
    [
        ({}, True),
        ({"method": "POST"}, True),
        ({"method": "GET"}, False),
        ({"path": "^/public$"}, True),
        ({"path": "user"}, False),
        ({"query_type": "labelrow"}, True),
        ({"query_type": "labelrow", "query_method": "GET"}, True),
        ({"query_type": "labelrow", "query_method": "PUT"}, False),
    ],
)
def test_match_decides_which_requests_are_meant(match, hit):
    faults = Faults()
    faults.add([convert(FaultScript, {"match": match, "do": {"status": 503}}, "fault")])
    assert (faults.pick("POST", "/public", "labelrow", "GET") is not None) is hit


def test_a_status_comes_with_its_headers_and_body(encord_emulator, owner):
    (fault,) = encord_emulator.faults(
        [
            {
                "match": {"path": "/projects$"},
                "when": {"times": 1},
                "do": {"status": 429, "headers": {"Retry-After": "7"}, "json": {"message": "slow"}},
            }
        ]
    )
    answer = owner.rest("GET", "projects")
    assert (answer.status, answer.headers["retry-after"], answer.json) == (429, "7", {"message": "slow"})
    assert owner.rest("GET", "projects").status == 200
    assert [entry["fault"] for entry in encord_emulator.journal()] == [fault, None]


def test_a_fault_may_lie_about_the_time(encord_emulator, owner):
    date = "Fri, 02 Jan 2026 02:04:05 GMT"
    encord_emulator.faults([{"do": {"status": 401, "headers": {"Date": date}, "json": {"message": "no"}}}])
    assert owner.rest("GET", "projects").headers["date"] == date


def test_a_text_is_sent_as_it_is(encord_emulator, owner):
    encord_emulator.faults([{"do": {"status": 200, "text": "<html>not json"}}])
    assert owner.rest("GET", "projects").content == b"<html>not json"


def test_a_v1_error_hides_in_http_200(encord_emulator, owner):
    encord_emulator.faults([{"do": {"v1_error": "MULTI_LABEL_LIMIT_ERROR", "payload": {"maximum_labels_allowed": 5}}}])
    answer = owner.ask("projectwithuserrole", "GET", None, {"filter": {}})
    assert (answer.status, answer.code) == (200, "MULTI_LABEL_LIMIT_ERROR")
    assert answer.json["payload"] == {"maximum_labels_allowed": 5}
    assert encord_emulator.journal()[0]["v1_status"] == answer.json["status"] != 200


def test_a_delay_holds_the_answer_and_then_gives_it(encord_emulator, owner):
    encord_emulator.faults([{"do": {"delay_s": 0.3}}])
    started = time.monotonic()
    assert owner.rest("GET", "projects").status == 200
    assert time.monotonic() - started >= 0.3


@pytest.mark.parametrize(("cut", "done"), [("before", 0), ("after", 1)])
def test_a_cut_connection_drops_before_or_after_the_work(encord_emulator, owner, cut, done):
    encord_emulator.faults([{"match": {"path": "/datasets$"}, "do": {"cut": cut}}])
    with pytest.raises(DROPPED):
        owner.rest("POST", "datasets", {"title": "t"})
    assert encord_emulator.state()["datasets"] == done
    (entry,) = encord_emulator.journal()
    assert (entry["changes"], entry["status"]) == (True, None)
    assert encord_emulator.clear_faults() == 1
    assert owner.rest("POST", "datasets", {"title": "t"}).status == 200


def test_a_fault_befalls_the_object_store_too(encord_emulator, owner):
    url = owner.rest("GET", "presigned-urls?count=1&uploadItemType=image").json["results"][0]["signedUrl"]
    encord_emulator.faults([{"match": {"method": "PUT"}, "when": {"nth": 1}, "do": {"status": 503}}])
    target = url.removeprefix(owner.url)
    assert send(owner.url, "PUT", target, None, b"x").status == 503
    assert send(owner.url, "PUT", target, None, b"x").status == 200


def test_the_journal_shows_what_was_asked_and_holds_no_secret(encord_emulator: Emulator, owner: Person):
    made = encord_emulator.project(owner=owner.email, title="Cats", rows=2, created=1.0)
    project = made["project_id"]
    key = owner.get("projectapikey", "POST", project, {"title": "k", "scopes": ["label.read"]})
    token = owner.rest("GET", "user/bearer-token").json["token"]
    signed = owner.rest("GET", "presigned-urls?count=1&uploadItemType=image").json["results"][0]["signedUrl"]
    target = signed.removeprefix(owner.url)
    send(owner.url, "PUT", target, {"Content-Type": "image/png"}, b"the secret bytes of a picture")
    send(owner.url, "GET", "/v2/public/projects?titleEq=x", {"Authorization": f"Bearer {token}"})
    body = b'{"query_type": "apikeymeta", "query_method": "GET", "values": {"uid": null, "payload": null}}'
    send(owner.url, "POST", "/public", {"Authorization": key, "ResourceID": project}, body)
    entries = encord_emulator.journal()
    text = json.dumps(entries)
    for secret in (key, token, target.partition("signature=")[2], "signature=", "secret bytes", owner.public_hex):
        assert secret not in text
    assert [entry["changes"] for entry in entries] == [True, False, False, True, False, False]
    kinds = [entry["credential"].partition(":")[0] for entry in entries]
    assert kinds == ["ssh", "ssh", "ssh", "none", "bearer", "api_key"]
    assert entries[0]["credential"] == f"ssh:{owner.public_hex[:8]}"
    assert entries[4]["query"] == "titleEq=x"
    assert (entries[0]["query_type"], entries[0]["query_method"], entries[0]["v1_status"]) == (
        "projectapikey",
        "POST",
        200,
    )
    assert all(entry["response_bytes"] > 0 for entry in entries if entry["method"] != "PUT")
    assert entries[3]["request_bytes"] == len(b"the secret bytes of a picture")
    assert encord_emulator.journal(since=entries[-2]["id"]) == entries[-1:]
    assert encord_emulator.clear_journal() == len(entries)
    assert encord_emulator.journal() == []


def test_too_many_requests_in_a_minute_are_a_real_429_on_both_families(encord_emulator, owner):
    encord_emulator.limits(requests_per_minute=2)
    assert [owner.rest("GET", "projects").status for _ in range(3)] == [200, 200, 429]
    refused = owner.ask("projectwithuserrole", "GET", None, {"filter": {}})
    assert refused.status == 429
    assert 1 <= int(refused.headers["retry-after"]) <= 60
    encord_emulator.clock(advance_s=61)
    assert owner.rest("GET", "projects", created=int(time.time()) + 61).status == 200
    assert encord_emulator.limits(requests_per_minute=None)["requests_per_minute"] is None


def test_the_clock_stands_still_moves_on_and_is_let_go(encord_emulator, owner):
    assert encord_emulator.clock(now="2026-01-02T03:04:05+01:00") == "2026-01-02T02:04:05.000000Z"
    answer = owner.rest("GET", "projects", created=1767319445)
    assert answer.status == 200
    assert answer.headers["date"] == "Fri, 02 Jan 2026 02:04:05 GMT"
    assert encord_emulator.clock(advance_s=3600) == "2026-01-02T03:04:05.000000Z"
    assert encord_emulator.state()["now"] == "2026-01-02T03:04:05.000000Z"
    assert encord_emulator.clock(now=None)[:4] == str(time.gmtime().tm_year)
