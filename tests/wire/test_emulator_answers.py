"""The emulator answers what the SDKs once sent, in the shape that they once took.

Recorded requests are replayed with real ids and fresh signatures, without any client of ours. A vector that is
dropped into `vectors/` is found by the name of its operation. Operations that the emulator does not serve yet are
listed here by name: a vector of an operation that is in neither list fails the suite.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from airflow_provider_encord.emulator.process import Emulator
from tests.wire.replay import is_for_the_api, learn, loosened, send
from tests.wire.server import Answer, Server, User
from tests.wire.shapes import differences
from tests.wire.vectors import Vector, vectors
from tests.wire.world import World

SERVED = {
    ("api_key.dataset.create", "v1"),
    ("api_key.dataset.list", "v1"),
    ("api_key.lookup", "v1"),
    ("api_key.project.create", "v1"),
    ("api_key.project.list", "v1"),
    ("cloud_integrations.list", "v1"),
    ("cloud_integrations.list", "v2"),
    ("dataset.create", "v1"),
    ("dataset.create", "v2"),
    ("dataset.create_image_group", "v1"),
    ("dataset.create_image_group", "v2"),
    ("dataset.data_row.get", "v1"),
    ("dataset.delete_data", "v1"),
    ("dataset.get", "v1"),
    ("dataset.list_data_rows", "v1"),
    ("dataset.upload_image", "v1"),
    ("dataset.upload_image", "v2"),
    ("dataset.upload_video", "v1"),
    ("dataset.upload_video", "v2"),
    ("datasets.list", "v1"),
    ("datasets.list", "v2"),
    ("label_rows.create", "v1"),
    ("label_rows.get", "v1"),
    ("label_rows.list", "v1"),
    ("label_rows.save", "v1"),
    ("label_rows.workflow_complete", "v1"),
    ("label_rows.workflow_reopen", "v1"),
    ("ontology.create", "v1"),
    ("ontology.create", "v2"),
    ("ontology.get", "v1"),
    ("ontology.get", "v2"),
    ("ontology.list", "v1"),
    ("ontology.list", "v2"),
    ("ontology.update", "v1"),
    ("ontology.update", "v2"),
    ("organisation_tags.list", "v2"),
    ("project.add_datasets", "v1"),
    ("project.create", "v1"),
    ("project.get", "v1"),
    ("project.get", "v2"),
    ("project.get_data", "v1"),
    ("project.list_datasets", "v2"),
    ("project.remove_datasets", "v1"),
    ("projects.list", "v1"),
    ("projects.list", "v2"),
    ("user.get_bearer_token", "v2"),
}

NOT_SERVED_YET = {
    ("analytics.collaborator_timers", "v2"),
    ("analytics.task_actions", "v2"),
    ("analytics.time_spent", "v2"),
    ("dataset.add_group", "v2"),
    ("dataset.add_private_data", "v1"),
    ("dataset.add_private_data result", "v1"),
    ("dataset.add_private_data start", "v1"),
    ("dataset.add_users", "v1"),
    ("dataset.create_dicom_series", "v1"),
    ("dataset.create_dicom_series", "v2"),
    ("dataset.link_items", "v1"),
    ("dataset.list_groups", "v2"),
    ("dataset.list_users", "v2"),
    ("dataset.re_encode_data", "v1"),
    ("dataset.re_encode_data_status", "v1"),
    ("dataset.remove_group", "v2"),
    ("dataset.remove_users", "v2"),
    ("dataset.update_data_item", "v1"),
    ("editor_logs.list", "v2"),
    ("groups.create", "v2"),
    ("groups.list", "v2"),
    ("label_logs.list", "v1"),
    ("label_rows.classifications", "v2"),
    ("label_rows.copy_branch", "v1"),
    ("label_rows.set_status", "v1"),
    ("label_rows.submit_for_review", "v1"),
    ("label_rows.validation_state", "v2"),
    ("organisation.add_user", "v2"),
    ("organisation.list_users", "v2"),
    ("organisation.remove_user", "v2"),
    ("organisation_tags.create", "v2"),
    ("organisation_tags.delete", "v2"),
    ("project.add_group", "v2"),
    ("project.add_organisation_tag", "v2"),
    ("project.add_users", "v1"),
    ("project.copy", "v1"),
    ("project.get_organisation_tags", "v2"),
    ("project.list_branches", "v2"),
    ("project.list_groups", "v2"),
    ("project.list_users", "v2"),
    ("project.remove_group", "v2"),
    ("project.remove_organisation_tag", "v2"),
    ("project.remove_users", "v2"),
    ("project.set_status", "v2"),
    ("storage.add_private_data result", "v2"),
    ("storage.add_private_data start", "v2"),
    ("storage.cloud_sync start", "v2"),
    ("storage.create_image_group", "v2"),
    ("storage.folder.add_group", "v2"),
    ("storage.folder.create", "v2"),
    ("storage.folder.delete", "v2"),
    ("storage.folder.get", "v2"),
    ("storage.folder.items", "v2"),
    ("storage.folder.items.delete", "v2"),
    ("storage.folder.items.move", "v2"),
    ("storage.folder.list_groups", "v2"),
    ("storage.folder.subfolders", "v2"),
    ("storage.folder.summary", "v2"),
    ("storage.folder.update", "v2"),
    ("storage.folders.list", "v2"),
    ("storage.folders.search", "v2"),
    ("storage.item.get", "v2"),
    ("storage.item.summary", "v2"),
    ("storage.item.update", "v2"),
    ("storage.items.get_bulk", "v2"),
    ("storage.items.update_bulk", "v2"),
    ("storage.upload_audio", "v2"),
    ("storage.upload_image", "v2"),
    ("storage.upload_job.cancel", "v2"),
    ("storage.upload_pdf", "v2"),
    ("storage.upload_text", "v2"),
    ("workflow.task.approve", "v2"),
    ("workflow.task.assign", "v2"),
    ("workflow.task.issues.add", "v2"),
    ("workflow.task.issues.list", "v2"),
    ("workflow.task.label_review.approve", "v2"),
    ("workflow.task.label_review.reject", "v2"),
    ("workflow.task.label_review.reopen", "v2"),
    ("workflow.task.label_reviews.list", "v2"),
    ("workflow.task.move", "v2"),
    ("workflow.task.proceed", "v2"),
    ("workflow.task.reject", "v2"),
    ("workflow.task.release", "v2"),
    ("workflow.task.submit", "v2"),
    ("workflow.tasks.list", "v2"),
}

ALWAYS_EMPTY = {("organisation_tags.list", "v2")}
"""Listings of things that nobody can make yet: there is no member to compare."""

EXACT_LISTINGS = {"projectwithuserrole", "datasetwithuserrole", "ontologywithuserrole"}
"""Query types where the SDK raises on any key that it does not know."""


def _is_failure_on_purpose(recording: Vector) -> bool:
    """The stub answered with an error: that is a fault of the server, not an answer to what was asked."""
    return recording.raises is not None or recording.operation.startswith(("error:", "retry:"))


WITH_ANSWERS = [recording for recording in vectors() if not _is_failure_on_purpose(recording)]


def cases(keys: set[tuple[str, str]]) -> list[Any]:
    """The recordings of some operations, each with a name for people."""
    return [pytest.param(one, id=f"{one.operation} ({one.api}) {one.name}") for one in WITH_ANSWERS if one.key in keys]


@pytest.fixture(scope="module")
def user() -> Iterator[User]:
    with Emulator.start() as emulator:
        yield User(Server(emulator.url), "owner@example.com")


def test_every_recorded_operation_is_either_served_or_listed_as_not_served_yet() -> None:
    assert {recording.key for recording in WITH_ANSWERS} - SERVED == NOT_SERVED_YET


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
        if recording.key in ALWAYS_EMPTY:
            assert _result(answer.json()) == []
            return
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

    assert answer.status < 500, answer
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
