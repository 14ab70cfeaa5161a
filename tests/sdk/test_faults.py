"""Limits and faults of the emulator, as the newest SDK lives through them."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sdk.conftest import Account
from tests.sdk.environments import SSH_SDK
from tests.wire.server import Server

pytestmark = pytest.mark.sdk


@pytest.fixture(scope="module")
def project(owner: Account, server: Server) -> str:
    wanted = {"owner": owner.email, "title": "Faults", "rows": 4, "created": 1}
    return str(server.control("POST", "projects", wanted)["project_hash"])


@pytest.fixture(autouse=True)
def as_it_was(server: Server) -> Iterator[None]:
    """Every test starts without faults and with the usual limits."""
    server.control("DELETE", "journal")
    yield
    server.control("DELETE", "faults")
    server.control("POST", "limits", {"label_rows_per_request": 1000, "requests_per_minute": None})


def statuses(server: Server, query_type: str) -> list[int]:
    entries = server.control("GET", "journal")["entries"]
    return [entry["status"] for entry in entries if entry["query_type"] == query_type]


def test_too_many_rows_at_once_are_refused_with_the_number_that_is_allowed(
    owner: Account, server: Server, project: str
) -> None:
    server.control("POST", "limits", {"label_rows_per_request": 3})

    outcome = owner.run(SSH_SDK, "read_many", project=project)

    assert (outcome["rows"], outcome["raised"]) == (4, "MultiLabelLimitError")
    assert "3" in outcome["message"]


FAULTS: dict[str, dict[str, Any]] = {
    "busy": {"status": 429, "headers": {"Retry-After": "1"}},
    "cut after the work": {"cut": "after"},
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_read_that_fails_once_is_repeated_by_the_sdk(
    owner: Account, server: Server, project: str, fault: str
) -> None:
    server.control("POST", "faults", [{"match": {"query_type": "labelrow"}, "when": {"nth": 1}, "do": FAULTS[fault]}])

    outcome = owner.run(SSH_SDK, "read_many", project=project)

    assert outcome["raised"] is None
    assert len(statuses(server, "labelrow")) == 2


def test_a_scripted_v1_error_becomes_the_exception_of_its_code(owner: Account, server: Server, project: str) -> None:
    do = {"v1_error": "RATE_LIMIT_ERROR", "payload": "slow down"}
    server.control("POST", "faults", [{"match": {"query_type": "labelrow"}, "do": do}])

    outcome = owner.run(SSH_SDK, "read_many", project=project)

    assert outcome["raised"] == "RateLimitExceededError"
    assert "slow down" in outcome["message"]


def test_an_exhausted_minute_is_a_429_that_says_when_to_come_back(owner: Account, server: Server, project: str) -> None:
    server.control("POST", "limits", {"requests_per_minute": 3})
    answer = [server.send("GET", "/v2/public/user/bearer-token", {}, None) for _ in range(4)][-1]
    assert answer.status == 429
    assert int({name.lower(): value for name, value in answer.headers.items()}["retry-after"]) > 0
