"""Uploads while Encord asks for fewer requests: the task leaves its slot at any of its requests, and loses nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from airflow_provider_encord import pauses as lengths
from airflow_provider_encord.operators import base
from airflow_provider_encord.operators.storage import EncordUploadFilesOperator
from airflow_provider_encord.uploads import registration
from tests.airflow_layer.bench import SSH_CONNECTION
from tests.airflow_layer.deferrals import run_deferred
from tests.client.network import plain_network
from tests.operators.test_storage import START, Intake, account, emulator, intake
from tests.sdk.media import mp4

__all__ = ["account", "emulator", "intake", "plain_network"]

pytestmark = pytest.mark.usefixtures("plain_network")


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The deferrals of a task that may leave its slot for a short wait already."""
    for module in (base, lengths):
        monkeypatch.setattr(module, "LONGEST_WAIT_IN_SLOT", 0.5)
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", "True")
    return []


def refuse(intake: Intake, nth: int) -> None:
    fault = {"status": 429, "headers": {"Retry-After": "1"}}
    intake.emulator.faults([{"match": {"path": "^/(?!object-store/)"}, "when": {"nth": nth}, "do": fault}])


def upload(intake: Intake, pauses: list[int], **more: object) -> dict[str, int]:
    def make() -> EncordUploadFilesOperator:
        where = {"dataset_id": intake.dataset, "source": f"{intake.folder}/**/*", "files_per_job": 2}
        return EncordUploadFilesOperator(task_id="upload", **{**where, **more})

    return run_deferred(make, while_deferred=pauses.append)  # type: ignore[no-any-return]


@pytest.mark.parametrize("nth", [1, 7, 8, 10])  # of about ten; each pause takes seconds
@pytest.mark.parametrize("started", ["the start is answered", "the answer to the start is lost"])
def test_a_task_that_paused_at_any_request_uploads_each_file_once(
    intake: Intake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pauses: list[int], nth: int, started: str
) -> None:
    names = ["a.png", "b.png", "c.png"]
    intake.images(*names)
    if started != "the start is answered":
        monkeypatch.setattr(registration, "_LOOKS", (0.05, 0.05))
        intake.fault(START, {"cut": "after"})
    refuse(intake, nth)
    result = upload(intake, pauses, report=str(tmp_path / "report.jsonl"))
    intake.emulator.clear_faults()
    assert intake.titles() == names
    assert (result["files"], result["failed"]) == (3, 0)
    assert intake.requests(status=429) == 1
    assert 1 <= len(pauses) <= 3  # where half a second is long, what follows a refusal may be, too
    assert len((tmp_path / "report.jsonl").read_text().splitlines()) == 3


def test_a_task_whose_api_key_gets_no_address_for_a_video_leaves_its_slot(
    intake: Intake, monkeypatch: pytest.MonkeyPatch, pauses: list[int]
) -> None:
    """With an API key, each video needs a request of its own. Nothing is sent before all have an address, so that no
    file is sent twice.
    """
    names = [f"drive_{number}.mp4" for number in range(4)]
    for number, name in enumerate(names):
        (intake.folder / name).write_bytes(mp4(32, 24, frames=4 + number, frames_per_second=2))
    monkeypatch.setenv(SSH_CONNECTION, intake.account.api_key_connection(intake.dataset, "dataset"))
    intake.fault({"query_type": "signedvideourl"}, {"status": 429, "headers": {"Retry-After": "1"}}, nth=1)
    result = upload(intake, pauses, files_per_job=4)
    assert intake.titles() == names
    assert (result["created"], result["failed"], pauses) == (4, 0, [0])
    assert intake.requests(method="PUT") == 4
