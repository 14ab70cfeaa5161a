"""For each fact that reads can check, a server contradicts it once, and the report says so."""

from __future__ import annotations

import base64
import json
import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from airflow_provider_encord.smoke.facts import FACTS
from airflow_provider_encord.smoke.findings import DID_NOT_HOLD, FOUND_OUT, HELD, NOT_CHECKED
from tests.client.scripted_server import Received
from tests.smoke.changed_answers import Change, changed_answers, path, query, query_type, v1, v1_error
from tests.smoke.conftest import World, outcomes

NOT_SEEN_ON_THE_EMULATOR = {"ontology-pages"}  # it has only one page of ontologies


def refuse_old_signatures(received: Received, status: int, content: Any) -> tuple[int, Any]:
    created = re.search(r"created=(\d+)", received.headers.get("signature-input", ""))
    if created and int(created[1]) < time.time() - 20:
        return 401, {"message": "too old"}
    return status, content


class RefuseASecondSignature:
    def __init__(self) -> None:
        self.seen: dict[str, str] = {}

    def __call__(self, received: Received, status: int, content: Any) -> tuple[int, Any]:
        signature = received.headers.get("signature", "")
        if "titleEq=" in received.target and self.seen.setdefault(received.target, signature) != signature:
            return 401, {"message": "a replay"}
        return status, content


def forbid_lookup(received: Received, status: int, content: Any) -> tuple[int, Any]:
    return v1_error("OPERATION_NOT_ALLOWED") if query_type(received) == "apikeymeta" else (status, content)


def refuse_every_key_after_the_lookup(received: Received, status: int, content: Any) -> tuple[int, Any]:
    by_key = query_type(received) == "project" and ":" not in received.headers["authorization"]
    return v1_error("AUTHENTICATION_ERROR") if by_key else (status, content)


def answer_any_lookup(received: Received, status: int, content: Any) -> tuple[int, Any]:
    wanted = query_type(received) == "apikeymeta"
    return v1({"title": "k", "resource_type": "project"}) if wanted else (status, content)


def refuse_missing_ids_as_invalid(received: Received, status: int, content: Any) -> tuple[int, Any]:
    missing = isinstance(content, dict) and content.get("response") == ["RESOURCE_NOT_FOUND_ERROR"]
    return v1_error("INVALID_ARGUMENTS_ERROR") if missing else (status, content)


def refuse_missing_ids_with_400(received: Received, status: int, content: Any) -> tuple[int, Any]:
    return 400 if status == 404 else status, content


def refuse_times_with_z(received: Received, status: int, content: Any) -> tuple[int, Any]:
    return (422, {"detail": []}) if query(received).get("createdAfter", "").endswith("Z") else (status, content)


class Ignore:
    """A server that ignores times of one form: it repeats its first answer."""

    def __init__(self, place: str, form: str) -> None:
        self.place, self.form, self.before = place, form, {}  # type: ignore[var-annotated]

    def __call__(self, received: Received, status: int, content: Any) -> tuple[int, Any]:
        text = query(received).get("createdAfter", "")
        if path(received) == self.place and re.fullmatch(rf"[\d:.T-]+{re.escape(self.form)}", text):
            content = self.before.setdefault(query(received)["titleEq"], content)
        return status, content


def read_naive_times_as_later(received: Received, status: int, content: Any) -> tuple[int, Any]:
    naive = re.fullmatch(r"[\d:.T-]+", query(received).get("createdAfter", ""))
    return (200, {"results": []}) if naive else (status, content)


def answer_in_snake_case(received: Received, status: int, content: Any) -> tuple[int, Any]:
    if path(received) == "datasets/list":
        for record in content["result"]:
            record["dataset_uuid"] = record.pop("datasetUuid")
    return status, content


def omit_a_row(received: Received, status: int, content: Any) -> tuple[int, Any]:
    if query_type(received) == "labelrowmetadata" and "data_title_eq" in received.json()["values"]["payload"]:
        del content["response"][-1:]
    return status, content


def put_a_row_in_no_stage(received: Received, status: int, content: Any) -> tuple[int, Any]:
    if query_type(received) == "labelrowmetadata":
        for row in content["response"][:1]:
            row["workflow_graph_node"] = None
    return status, content


def require_every_key(received: Received, status: int, content: Any) -> tuple[int, Any]:
    few = query_type(received) == "labelrowmetadata" and len(received.json()["values"]["payload"]) < 5
    return v1_error("INVALID_ARGUMENTS_ERROR") if few else (status, content)


def omit_rows_without_every_key(received: Received, status: int, content: Any) -> tuple[int, Any]:
    few = query_type(received) == "labelrowmetadata" and len(received.json()["values"]["payload"]) < 5
    return v1(content["response"][:1]) if few else (status, content)


class IgnoreFilterOfEditTimes:
    def __init__(self) -> None:
        self.uncreated: list[Any] = []

    def __call__(self, received: Received, status: int, content: Any) -> tuple[int, Any]:
        if query_type(received) != "labelrowmetadata":
            return status, content
        if received.json()["values"]["payload"].get("edited_after"):
            return v1(self.uncreated)
        self.uncreated = [row for row in content["response"] if row["label_hash"] is None] or self.uncreated
        return status, content


def list_a_router(received: Received, status: int, content: Any) -> tuple[int, Any]:
    if re.fullmatch(r"projects/[0-9a-f-]{36}", path(received)) and status == 200:
        content["workflow"]["stages"].append({"stageType": "PERCENTAGE_ROUTER", "uuid": "u", "title": "t"})
    return status, content


def omit_widths(received: Received, status: int, content: Any) -> tuple[int, Any]:
    if query_type(received) == "datarows":
        for row in content["response"]:
            row["width"] = None
    return status, content


def refuse_a_second_page(received: Received, status: int, content: Any) -> tuple[int, Any]:
    if path(received) != "ontologies":
        return status, content
    if "pageToken" in query(received):
        return 422, {"detail": []}
    return status, {**content, "nextPageToken": "more"}


def use_an_unknown_status(received: Received, status: int, content: Any) -> tuple[int, Any]:
    if re.fullmatch(r"projects/[0-9a-f-]{36}", path(received)) and status == 200:
        content["status"] = "sleeping"
    return status, content


def use_another_type_of_review(received: Received, status: int, content: Any) -> tuple[int, Any]:
    if path(received).endswith("/reviews"):
        for review in content["results"]:
            review["labelType"] = "Relation"
    return status, content


Pick = Callable[[World], Any]
SSH: Pick = lambda world: world.ssh  # noqa: E731
KEY: Pick = lambda world: world.of_project  # noqa: E731

CONTRADICTIONS: list[tuple[str, Callable[[], Change], Pick, str]] = [
    ("signature-age", lambda: refuse_old_signatures, SSH, "30 s old: failed, Authentication (HTTP 401)"),
    ("sign-again", RefuseASecondSignature, SSH, "the second of two requests: failed"),
    ("api-keys-accepted", lambda: refuse_every_key_after_the_lookup, KEY, "AUTHENTICATION_ERROR"),
    ("lookup-scope", lambda: forbid_lookup, KEY, "OPERATION_NOT_ALLOWED"),
    ("api-key-elsewhere", lambda: answer_any_lookup, KEY, "answered"),
    ("missing-v1", lambda: refuse_missing_ids_as_invalid, SSH, "INVALID_ARGUMENTS_ERROR"),
    ("missing-v2", lambda: refuse_missing_ids_with_400, SSH, "HTTP 400"),
    ("time-forms", lambda: refuse_times_with_z, SSH, "with Z: failed, InvalidRequest (HTTP 422)"),
    ("time-forms", lambda: Ignore("datasets/list", "Z"), SSH, "datasets with Z: ignored, or read as an earlier time"),
    ("time-forms", lambda: Ignore("projects", "+00:00"), SSH, "projects with +00:00: ignored"),
    ("naive-times", lambda: Ignore("projects", ""), SSH, "projects: ignored, or read as an earlier time"),
    ("naive-times", lambda: read_naive_times_as_later, SSH, "projects: read as a later time"),
    ("camel-case", lambda: answer_in_snake_case, SSH, "dataset_uuid"),
    ("rows-follow-data", lambda: omit_a_row, SSH, "2 of 7 data units have no row"),
    ("rows-follow-data", lambda: put_a_row_in_no_stage, SSH, "2 of 7 rows are in no stage"),
    ("metadata-keys", lambda: require_every_key, SSH, "INVALID_ARGUMENTS_ERROR"),
    ("metadata-keys", lambda: omit_rows_without_every_key, KEY, "with two keys: 1 rows, with all keys: 5"),
    ("rows-without-times", IgnoreFilterOfEditTimes, SSH, "3 of 3 rows"),
    ("rows-without-times", IgnoreFilterOfEditTimes, KEY, "3 of 3 rows"),
    ("routers", lambda: list_a_router, SSH, "are routers"),
    ("measured", lambda: omit_widths, SSH, "7 lack width"),
    ("ontology-pages", lambda: refuse_a_second_page, SSH, "the second page: failed"),
    ("label-review-types", lambda: use_another_type_of_review, SSH, "of type Relation"),
    ("words", lambda: use_an_unknown_status, SSH, "project status: sleeping"),
]
CONSEQUENCES = {"lookup-scope": {"api-key-elsewhere"}}
"""Other facts that such a server contradicts."""


@pytest.mark.parametrize(("fact", "change", "who", "seen"), CONTRADICTIONS)
def test_a_server_that_contradicts_a_fact_is_noticed(
    world: World, fact: str, change: Callable[[], Change], who: Pick, seen: str
) -> None:
    with changed_answers(world.emulator.url, change()) as url:
        found = outcomes(world.run(who(world), url=url))
    assert (found[fact].outcome, seen in found[fact].seen) == (DID_NOT_HOLD, True), found[fact]
    others = {name for name, finding in found.items() if finding.outcome == DID_NOT_HOLD} - {fact}
    assert others <= CONSEQUENCES.get(fact, set()), "other facts were not contradicted"


def test_every_fact_that_can_be_checked_is_contradicted_once_or_is_an_open_question() -> None:
    open_questions = {"bearer-lifetime", "rate-limits", "api-key-reach"}
    checked = {fact.id for fact in FACTS if fact.check}
    assert checked == {fact for fact, *_ in CONTRADICTIONS} | open_questions


def test_on_the_emulator_every_fact_holds_that_reading_can_check(world: World) -> None:
    found = outcomes(world.run(world.ssh, world.of_project))
    for fact in FACTS:
        allowed = (HELD, FOUND_OUT) if fact.check and fact.id not in NOT_SEEN_ON_THE_EMULATOR else (NOT_CHECKED,)
        assert found[fact.id].outcome in allowed, (fact.id, found[fact.id])


@pytest.mark.parametrize("who", [SSH, KEY, lambda world: world.of_dataset])
def test_a_fact_that_is_not_checked_has_a_reason(world: World, who: Pick) -> None:
    for finding in outcomes(world.run(who(world))).values():
        assert finding.outcome != NOT_CHECKED or len(finding.seen.split()) > 3, finding


def test_a_second_page_of_ontologies_is_read(world: World) -> None:
    def two_pages(received: Received, status: int, content: Any) -> tuple[int, Any]:
        if path(received) != "ontologies":
            return status, content
        if query(received).get("pageToken") == "more":
            return 200, {"results": [], "nextPageToken": None}
        return status, {**content, "nextPageToken": "more"}

    with changed_answers(world.emulator.url, two_pages) as url:
        found = outcomes(world.run(url=url))
    assert (found["ontology-pages"].outcome, found["ontology-pages"].seen) == (HELD, "the second page: answered")


def test_the_lifetime_in_a_bearer_token_is_reported(world: World) -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"iat": 100, "exp": 3700}).encode()).decode().rstrip("=")

    def web_token(received: Received, status: int, content: Any) -> tuple[int, Any]:
        return (200, {"token": f"e30.{claims}.c2ln"}) if path(received) == "user/bearer-token" else (status, content)

    with changed_answers(world.emulator.url, web_token) as url:
        assert outcomes(world.run(url=url))["bearer-lifetime"].seen == "3600 s, by its own claims"


def test_a_header_about_rate_limits_is_reported_by_its_name(world: World) -> None:
    limited = {"status": 429, "headers": {"X-RateLimit-Limit": "77123"}, "json": {}}
    world.emulator.faults([{"match": {"path": "/cloud-integrations$"}, "do": limited}])
    seen = outcomes(world.run())["rate-limits"].seen
    assert seen == "headers about limits: x-ratelimit-limit; 1 requests were limited"


def test_a_fact_that_does_not_hold_with_one_connection_does_not_hold(world: World) -> None:
    def only_for_keys(received: Received, status: int, content: Any) -> tuple[int, Any]:
        signed = ":" in received.headers.get("authorization", ":")
        return (status, content) if signed else require_every_key(received, status, content)

    with changed_answers(world.emulator.url, only_for_keys) as url:
        found = outcomes(world.run(world.ssh, world.of_project, url=url))["metadata-keys"]
    assert found.outcome == DID_NOT_HOLD
    assert "SSH key: with two keys: 5 rows" in found.seen
    assert "API key: with two keys: failed" in found.seen
