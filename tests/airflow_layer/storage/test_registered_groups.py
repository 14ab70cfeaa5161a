"""Groups, series and scenes that are registered again are recognised, and the report says by what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.client.api.core.data_items import Scene
from airflow_provider_encord.client.api.storage_items import ItemFilter
from airflow_provider_encord.registration.upload_json import upload_json_entries
from tests.airflow_layer.bench import API_KEY_CONNECTION
from tests.airflow_layer.cloud_intake import Intake


def _manifest(intake: Intake, **lists: Any) -> str:
    path = intake.manifests / "upload.json"
    path.write_text(json.dumps(lists))
    return str(path)


def _lines(report: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in report.read_text().splitlines()]


def _rows(intake: Intake) -> list[str]:
    with intake.account.client() as client:
        return sorted(row.data_title for row in client.dataset(intake.dataset).data_rows())


def _scene(name: str) -> dict[str, Any]:
    return {"title": name, "scene": {"lidar": {"type": "point_cloud", "events": []}}}


def test_an_api_key_takes_a_group_of_the_same_title_for_the_same_and_says_so(
    intake: Intake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Review of 0.1, ingest 4."""
    names, report = intake.objects(3), tmp_path / "report"
    monkeypatch.setenv(API_KEY_CONNECTION, intake.account.api_key_connection(intake.dataset, "dataset"))
    target = {"dataset_id": intake.dataset, "folder_id": None, "report": str(report)}
    first, other = (
        {"title": "drive", "objectUrl_0": f"{intake.url}/{names[0]}", "objectUrl_1": f"{intake.url}/{name}"}
        for name in names[1:]
    )
    intake.register(source=_manifest(intake, image_groups=[first]), **target)
    intake.register(source=_manifest(intake, image_groups=[first]), **target)
    assert [(line["outcome"], line["matched_by"]) for line in _lines(report)] == [("unchanged", "urls")]
    assert "title only" not in caplog.text
    intake.register(source=_manifest(intake, image_groups=[other]), encord_conn_id="encord_api_key", **target)
    assert [(line["outcome"], line["matched_by"]) for line in _lines(report)] == [("unchanged", "title")]
    assert "1 groups or scenes count as registered because of their title only, such as 'drive'" in caplog.text


@pytest.mark.parametrize("into", ["folder", "dataset"])
def test_groups_without_a_title_and_scenes_are_there_once_however_often_they_are_registered(
    intake: Intake, tmp_path: Path, into: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Review of 0.1, ingest 5."""
    names, report = intake.objects(3), tmp_path / "report"
    target: dict[str, Any] = {} if into == "folder" else {"dataset_id": intake.dataset, "folder_id": None}
    groups = [
        {"objectUrl_0": f"{intake.url}/{names[0]}", "objectUrl_1": f"{intake.url}/{other}"} for other in names[1:]
    ]
    source = _manifest(intake, image_groups=groups, scenes=[_scene("junction"), _scene("tunnel")])
    for outcome, by in (("created", (None, None)), ("unchanged", ("urls", "title"))):
        assert intake.register(source=source, report=str(report), **target)["registered"] == 4
        lines = _lines(report)
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
    assert "2 groups or scenes count as registered because of their title only, such as 'junction'" in caplog.text


def test_a_scene_without_a_title_is_refused_by_name_before_anything_is_sent(intake: Intake) -> None:
    """Review of 0.1, ingest 5: nothing else identifies it."""
    source = _manifest(intake, scenes=[{"scene": {}}])
    intake.emulator.clear_journal()
    with pytest.raises(AirflowFailException, match=r"scenes, entry 1, title: it is missing"):
        intake.register(source=source)
    assert intake.emulator.journal() == []
    (scene,) = upload_json_entries({"scenes": [_scene("junction")]}, "source")
    assert isinstance(scene, Scene)


def _group(intake: Intake, names: list[str], **more: Any) -> dict[str, Any]:
    urls = {f"objectUrl_{number}": f"{intake.url}/{name}" for number, name in enumerate(names)}
    return {"title": "drive", **urls, **more}


def _types(intake: Intake) -> list[str]:
    with intake.account.client() as client:
        return sorted(item.item_type for item in client.folder(intake.folder).items() if item.name == "drive")


@pytest.mark.parametrize("into", ["folder", "dataset"])
def test_a_video_of_the_files_of_an_image_group_is_registered_beside_it(intake: Intake, into: str) -> None:
    names = intake.objects(2)
    target: dict[str, Any] = {} if into == "folder" else {"dataset_id": intake.dataset}
    for _ in range(2):
        for create_video in (False, True):
            source = _manifest(intake, image_groups=[_group(intake, names, createVideo=create_video)])
            assert intake.register(source=source, **target)["registered"] == 1
    assert _types(intake) == ["imageGroup", "imageSequence"]


@pytest.mark.parametrize("into", ["folder", "dataset"])
def test_an_image_group_in_another_order_is_there_and_the_report_says_so(
    intake: Intake, into: str, tmp_path: Path
) -> None:
    """Encord documents no order in which it lists the files of a group: no retry may fail for it, or double a group."""
    names, report = intake.objects(3), tmp_path / "report"
    target: dict[str, Any] = {} if into == "folder" else {"dataset_id": intake.dataset}
    first, other = _group(intake, names[::-1]), _group(intake, names)
    for _ in range(2):
        intake.register(source=_manifest(intake, image_groups=[first]), **target)
    intake.register(source=_manifest(intake, image_groups=[other]), report=str(report), **target)
    (line,) = map(json.loads, report.read_text().splitlines())
    assert (line["outcome"], line["matched_by"]) == ("unchanged", "urls")
    assert "another order" in line["note"]
    assert _types(intake) == ["imageGroup"]
    intake.register(source=_manifest(intake, image_groups=[first]), report=str(report), **target)
    (line,) = map(json.loads, report.read_text().splitlines())
    assert line["note"] is None


@pytest.mark.parametrize("which", [0, 1])
def test_of_two_groups_with_the_same_files_each_finds_the_one_in_its_order(
    intake: Intake, tmp_path: Path, which: int
) -> None:
    """Another group came first, and took the one that was there in this order."""
    names, report = intake.objects(3), tmp_path / "report"
    groups = [_group(intake, names), _group(intake, names[::-1])]
    for group in groups:
        intake.register(source=_manifest(intake, image_groups=[group]), skip_duplicate_urls=False)
    turned = _group(intake, [names[1], names[0], names[2]])
    intake.register(source=_manifest(intake, image_groups=[turned, groups[which]]), report=str(report))
    first, second = map(json.loads, report.read_text().splitlines())
    assert ("another order" in first["note"], second["note"]) == (True, None)


@pytest.mark.parametrize("into", ["folder", "dataset"])
def test_upsert_metadata_updates_groups_and_scenes_that_are_there(intake: Intake, into: str) -> None:
    names = intake.objects(2)
    target: dict[str, Any] = {} if into == "folder" else {"dataset_id": intake.dataset}

    def register(metadata: dict[str, Any], **arguments: Any) -> dict[str, Any]:
        lists = {
            "image_groups": [_group(intake, names, clientMetadata=metadata)],
            "scenes": [{**_scene("tunnel"), "clientMetadata": metadata}],
        }
        intake.register(source=_manifest(intake, **lists), **target, **arguments)
        with intake.account.client() as client:
            items = client.folder(intake.folder).items(ItemFilter(client_metadata=True))
            return {
                item.name: json.loads(item.client_metadata or "{}")
                for item in items
                if item.name in ("drive", "tunnel")
            }

    register({"a": 1, "b": 1})
    assert register({"a": 2}) == {"drive": {"a": 1, "b": 1}, "tunnel": {"a": 1, "b": 1}}
    assert register({"a": 2}, upsert_metadata=True) == {"drive": {"a": 2}, "tunnel": {"a": 2}}
    assert register({}, upsert_metadata=True) == {"drive": {"a": 2}, "tunnel": {"a": 2}}


def test_metadata_of_a_group_that_an_api_key_cannot_update_is_named(
    intake: Intake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    names, report = intake.objects(2), tmp_path / "report"
    monkeypatch.setenv(API_KEY_CONNECTION, intake.account.api_key_connection(intake.dataset, "dataset"))
    target = {"dataset_id": intake.dataset, "folder_id": None, "report": str(report)}
    intake.register(source=_manifest(intake, image_groups=[_group(intake, names, clientMetadata={"a": 1})]), **target)
    source = _manifest(intake, image_groups=[_group(intake, names, clientMetadata={"a": 2})])
    intake.register(source=source, upsert_metadata=True, encord_conn_id="encord_api_key", **target)
    assert [line["note"] for line in _lines(report)] == [
        "Its metadata was not updated: an API key cannot change items."
    ]
    assert (
        "upsert_metadata: the metadata of 1 registered groups or scenes was not updated, such as 'drive'" in caplog.text
    )
