"""Registered groups in Airflow's everyday moves: Encord skips no duplicate of them, so they are looked for."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.registration import registered_groups
from tests.airflow_layer.bench import API_KEY_CONNECTION
from tests.airflow_layer.cloud_intake import START, Intake
from tests.airflow_layer.lines import needs_task_state
from tests.airflow_layer.storage.test_jobs import Store


@pytest.mark.parametrize("into", ["folder", "dataset", "api_key"])
def test_groups_that_are_registered_again_are_there_once(
    intake: Intake, tmp_path: Path, into: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Encord skips duplicate URLs of single files only."""
    names = intake.objects(5)
    source = intake.manifests / "groups.json"
    groups = [
        {"title": "drive", "objectUrl_0": f"{intake.url}/{names[0]}", "objectUrl_1": f"{intake.url}/{names[1]}"},
        {"title": "walk", "objectUrl_0": f"{intake.url}/{names[2]}", "createVideo": into == "folder"},
    ]
    images = [{"objectUrl": f"{intake.url}/{names[4]}"}]
    source.write_text(json.dumps({"image_groups": groups, "dicom_series": [], "images": images}))
    target: dict[str, Any] = {} if into == "folder" else {"dataset_id": intake.dataset, "folder_id": None}
    if into == "api_key":
        monkeypatch.setenv(API_KEY_CONNECTION, intake.account.api_key_connection(intake.dataset, "dataset"))
        target["encord_conn_id"] = "encord_api_key"
    report = tmp_path / "report"
    with intake.account.client() as client:
        dataset = client.dataset(intake.dataset)

        def there() -> list[str]:
            if into == "folder":
                return sorted(item.name for item in client.folder(intake.folder).items() if item.item_type != "image")
            return sorted(row.data_title for row in dataset.data_rows() if row.data_type == "IMG_GROUP")

        for outcome in ("created", "unchanged", "unchanged"):
            result = intake.register(source=str(source), report=str(report), units_per_job=1, **target)
            assert (result["units"], result["registered"], there()) == (3, 3, ["drive", "walk"])
            lines = [json.loads(line) for line in report.read_text().splitlines()][:2]
            assert [line["outcome"] for line in lines] == [outcome] * 2
            assert all(line["id"] for line in lines)
        if into == "api_key":
            return  # it cannot read the files of a group: the title decides
        source.write_text(json.dumps({"image_groups": [{**groups[0], "objectUrl_2": f"{intake.url}/{names[3]}"}]}))
        intake.register(source=str(source), **target)
        assert there().count("drive") == 2


@pytest.mark.parametrize("into", ["folder", "dataset"])
@pytest.mark.parametrize("images", [0, 1], ids=["groups only", "with an image"])
@pytest.mark.parametrize("cut", ["before", "after"])
def test_groups_are_there_once_if_the_answer_to_the_start_of_their_job_is_lost(
    intake: Intake, tmp_path: Path, into: str, images: int, cut: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Review of 0.1, ingest 3: the job was started again without a look at what the first had made."""
    names = intake.objects(4)
    source = intake.manifests / "groups.json"
    groups = [
        {"title": title, "objectUrl_0": f"{intake.url}/{names[0]}", "objectUrl_1": f"{intake.url}/{other}"}
        for title, other in (("drive", names[1]), ("walk", names[2]))
    ]
    single = [{"objectUrl": f"{intake.url}/{names[3]}"}] * images
    source.write_text(json.dumps({"image_groups": groups, "images": single}))
    target: dict[str, Any] = {} if into == "folder" else {"dataset_id": intake.dataset, "folder_id": None}
    match = START if into == "folder" else {"query_type": "datasetdatalongpolling", "query_method": "POST"}
    report = tmp_path / "report"
    intake.emulator.faults([{"match": match, "when": {"nth": 1}, "do": {"cut": cut}}])
    if cut == "before":  # nothing will be there, however long it is looked for
        monkeypatch.setattr(registered_groups, "_LOOKS", (0.1, 0.2, 0.4))
    try:
        result = intake.register(source=str(source), report=str(report), **target)
    finally:
        intake.emulator.clear_faults()
    assert (result["units"], result["registered"], result["jobs"]) == (2 + images, 2 + images, 1)
    with intake.account.client() as client:
        rows = client.dataset(intake.dataset).data_rows()
        there = intake.names() if into == "folder" else sorted(row.data_title for row in rows)
    assert [title for title in there if title in ("drive", "walk")] == ["drive", "walk"]
    assert there.count(names[3]) == images
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    outcome = "unchanged" if cut == "after" else "created"
    assert {line["title"]: line["outcome"] for line in lines if line["title"] in ("drive", "walk")} == dict.fromkeys(
        ("drive", "walk"), outcome
    )


@needs_task_state
def test_groups_of_a_job_that_a_killed_attempt_did_not_note_are_waited_for_by_the_retry(intake: Intake) -> None:
    """Review of 0.1, ingest 3: the worker dies between the start of the job and the note of its id."""

    class Killed(BaseException):
        """The worker dies."""

    class Dying(Store):
        def set(self, key: str, value: Any, **more: Any) -> None:
            if key.startswith("encord_job_"):
                raise Killed
            super().set(key, value, **more)

    names = intake.objects(2)
    source = intake.manifests / "groups.json"
    group = {"title": "drive", "objectUrl_0": f"{intake.url}/{names[0]}", "objectUrl_1": f"{intake.url}/{names[1]}"}
    source.write_text(json.dumps({"image_groups": [group]}))
    dying = Dying()
    intake.emulator.jobs(hold=True)
    with pytest.raises(Killed):
        intake.register({"task_state_store": dying}, source=str(source))
    ends = threading.Timer(1.5, intake.emulator.jobs, kwargs={"hold": False})
    ends.start()
    store = Store()
    store.kept = dying.kept
    result = intake.register({"task_state_store": store}, source=str(source))
    ends.join()
    assert (result["registered"], intake.names().count("drive"), intake.starts()) == (1, 1, 1)
