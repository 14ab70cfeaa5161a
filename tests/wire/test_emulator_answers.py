"""The emulator answers what the SDKs once sent, in the shape that they once took.

Recorded requests are replayed with real ids and fresh signatures, without any client of ours. A vector that is
dropped into `vectors/` is found by the name of its operation. Operations that the emulator does not serve yet are
listed by name in `subjects`.
"""

from collections.abc import Collection, Iterator
from typing import Any

import pytest

from encord_emulator.process import Emulator
from tests.wire.replay import is_for_the_api, learn, loosened, send
from tests.wire.server import Answer, Server, User
from tests.wire.shapes import differences
from tests.wire.subjects import NOT_SERVED_YET
from tests.wire.subjects.reading import Key
from tests.wire.vectors import Vector, vectors
from tests.wire.world import World

EXACT_LISTINGS = {"projectwithuserrole", "datasetwithuserrole", "ontologywithuserrole"}
"""Query types where the SDK raises on any key that it does not know."""


def _is_failure_on_purpose(recording: Vector) -> bool:
    """The stub answered with an error: that is a fault of the server, not an answer to what was asked."""
    return recording.raises is not None or recording.operation.startswith(("error:", "retry:"))


WITH_ANSWERS = [recording for recording in vectors() if not _is_failure_on_purpose(recording)]


SERVED = {recording.key for recording in WITH_ANSWERS} - NOT_SERVED_YET


def cases(keys: Collection[Key]) -> list[Any]:
    """The recordings of some operations, each with a name for people."""
    return [pytest.param(one, id=f"{one.operation} ({one.api}) {one.name}") for one in WITH_ANSWERS if one.key in keys]


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    with Emulator.start() as emulator:
        yield User(Server(emulator.url), "owner@example.com")


def test_only_recorded_operations_are_listed_as_not_served_yet() -> None:
    assert {recording.key for recording in WITH_ANSWERS} >= NOT_SERVED_YET


@pytest.mark.parametrize("recording", cases(SERVED))
def test_a_recorded_request_gets_an_answer_of_the_recorded_shape(
    recording: Vector, user: User, tmp_path_factory: pytest.TempPathFactory
) -> None:
    world = _world(user, recording, tmp_path_factory)
    paged = any("pageToken" in (exchange.request.get("query") or {}) for exchange in recording.exchanges)
    user.server.control("POST", "limits", {"page_size": 1 if paged else 100})

    for exchange in recording.exchanges:
        wanted = exchange.response
        answer = send(world, exchange.request)
        _assert_success(exchange.request, answer)
        if _is_empty_list(answer, wanted):
            answer = send(world, loosened(exchange.request))
            _assert_success(exchange.request, answer)
        if wanted.get("json") is not None and is_for_the_api(exchange.request):
            assert [*_shape_differences(exchange.request, wanted["json"], answer.json())] == []
            learn(world.ids, wanted["json"], answer.json())


@pytest.mark.parametrize("recording", cases(NOT_SERVED_YET))
def test_what_is_not_served_yet_is_refused_and_breaks_nothing(
    recording: Vector, user: User, tmp_path_factory: pytest.TempPathFactory
) -> None:
    answer = send(_world(user, recording, tmp_path_factory), recording.exchanges[0].request)

    assert answer.status in {200, 501}, answer  # v1 hides its status in the envelope
    assert recording.api == "v2" or answer.json()["status"] < 500, answer


def _world(user: User, recording: Vector, tmp_path_factory: pytest.TempPathFactory) -> World:
    world = World(user, recording)
    world.add_integration("aws prod", str(tmp_path_factory.mktemp("bucket")))
    if recording.auth == "api_key":
        world.use_api_key_of(recording.exchanges[0].request["headers"]["ResourceID"])
    return world


def _assert_success(request: dict[str, Any], answer: Answer) -> None:
    if request.get("path", "").startswith("/public"):
        assert (answer.status, answer.json()["status"]) == (200, 200), answer
    else:
        assert answer.status in {200, 204}, answer


def _result(content: Any) -> Any:
    """What an answer is about, without envelope or page."""
    for wrapping in ("response", "results", "result"):
        if isinstance(content, dict) and wrapping in content:
            return content[wrapping]
    return content


def _is_empty_list(answer: Answer, wanted: dict[str, Any]) -> bool:
    return bool(_result(wanted.get("json"))) and answer.status == 200 and _result(answer.json()) == []


def _shape_differences(request: dict[str, Any], recorded: Any, answered: Any) -> Iterator[str]:
    query_type = (request.get("json") or {}).get("query_type") if isinstance(request.get("json"), dict) else None
    return differences(recorded, answered, exact=query_type in EXACT_LISTINGS)
