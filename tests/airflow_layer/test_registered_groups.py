"""Groups, series and scenes that are registered again are recognised, and the receipt says by what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.client.api.data_items import Scene
from airflow_provider_encord.ingest.upload_json import upload_json_entries
from tests.airflow_layer.bench import API_KEY_CONNECTION, Account
from tests.airflow_layer.test_registration import Intake


@pytest.fixture
def intake(account: Account, tmp_path: Path) -> Any:
    return Intake(account, tmp_path)


def _manifest(intake: Intake, **lists: Any) -> str:
    path = intake.manifests / "upload.json"
    path.write_text(json.dumps(lists))
    return str(path)


def _lines(receipt: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (receipt / "part-000000.jsonl").read_text().splitlines()]


def _rows(intake: Intake) -> list[str]:
    with intake.account.client() as client:
        return sorted(row.data_title for row in client.dataset(intake.dataset).data_rows())


def _scene(name: str) -> dict[str, Any]:
    return {"title": name, "scene": {"lidar": {"type": "point_cloud", "events": []}}}


def test_an_api_key_takes_a_group_of_the_same_title_for_the_same_and_says_so(
    intake: Intake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Review of 0.1, ingest 4."""
    names, receipt = intake.objects(3), tmp_path / "receipt"
    monkeypatch.setenv(API_KEY_CONNECTION, intake.account.api_key_connection(intake.dataset, "dataset"))
    target = {"dataset": intake.dataset, "folder": None, "receipt": str(receipt)}
    first, other = (
        {"title": "drive", "objectUrl_0": f"{intake.url}/{names[0]}", "objectUrl_1": f"{intake.url}/{name}"}
        for name in names[1:]
    )
    intake.register(source=_manifest(intake, image_groups=[first]), **target)
    intake.register(source=_manifest(intake, image_groups=[first]), **target)
    assert [(line["outcome"], line["matched_by"]) for line in _lines(receipt)] == [("present", "urls")]
    assert "title alone" not in caplog.text
    intake.register(source=_manifest(intake, image_groups=[other]), encord_conn_id="encord_api_key", **target)
    assert [(line["outcome"], line["matched_by"]) for line in _lines(receipt)] == [("present", "title")]
    assert "1 groups or scenes count as registered by their title alone, such as 'drive'" in caplog.text


@pytest.mark.parametrize("into", ["folder", "dataset"])
def test_groups_without_a_title_and_scenes_are_there_once_however_often_they_are_registered(
    intake: Intake, tmp_path: Path, into: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Review of 0.1, ingest 5."""
    names, receipt = intake.objects(3), tmp_path / "receipt"
    target: dict[str, Any] = {} if into == "folder" else {"dataset": intake.dataset, "folder": None}
    groups = [
        {"objectUrl_0": f"{intake.url}/{names[0]}", "objectUrl_1": f"{intake.url}/{other}"} for other in names[1:]
    ]
    source = _manifest(intake, image_groups=groups, scenes=[_scene("junction"), _scene("tunnel")])
    for outcome, by in (("registered", (None, None)), ("present", ("urls", "title"))):
        assert intake.register(source=source, receipt=str(receipt), **target)["registered"] == 4
        lines = _lines(receipt)
        assert [(line["title"], line["outcome"], line["matched_by"]) for line in lines] == [
            (names[0], outcome, by[0]),
            (names[0], outcome, by[0]),
            ("junction", outcome, by[1]),
            ("tunnel", outcome, by[1]),
        ]
        there = _rows(intake) if into == "dataset" else intake.names()
        assert [there.count(title) for title in ("junction", "tunnel")] == [1, 1]
        if into == "dataset":
            assert there == [names[0], names[0], "junction", "tunnel"]
    assert "2 groups or scenes count as registered by their title alone, such as 'junction'" in caplog.text


def test_a_scene_without_a_title_is_refused_by_name_before_anything_is_sent(intake: Intake) -> None:
    """Review of 0.1, ingest 5: nothing else tells whether it is there already."""
    source = _manifest(intake, scenes=[{"scene": {}}])
    intake.emulator.clear_journal()
    with pytest.raises(AirflowFailException, match=r"scenes, entry 1, title: .*recognised by"):
        intake.register(source=source)
    assert intake.emulator.journal() == []
    (scene,) = upload_json_entries({"scenes": [_scene("junction")]}, "source")
    assert isinstance(scene, Scene)
