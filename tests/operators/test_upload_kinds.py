"""Every kind of file, into a dataset or a folder, grouped and with metadata, against the emulator."""

from __future__ import annotations

import io
import json
import wave
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowFailException

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.flows.storage import create_folder_once
from tests.operators.test_storage import START, Intake, account, either_intake, emulator, intake, plain_network
from tests.sdk.media import mp4

__all__ = ["account", "either_intake", "emulator", "intake", "plain_network"]
pytestmark = pytest.mark.usefixtures("plain_network")


def folder_of(client: EncordClient, name: str) -> str:
    return client.run(create_folder_once(name, if_exists="new")).id


def items_in(intake: Intake, folder: str) -> dict[str, tuple[str, Any]]:
    """Name to type and client metadata."""
    with intake.account.client() as client:
        return {
            item.name: (item.item_type, json.loads(item.client_metadata or "{}"))
            for item in client.folder(folder).items()
        }


@pytest.fixture
def folder(intake: Intake) -> str:
    with intake.account.client() as client:
        return folder_of(client, "Files")


def sound() -> bytes:
    """A second of silence."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(8000)
        out.writeframes(bytes(16000))
    return file.getvalue()


def dicom(number: int) -> bytes:
    """As much of a DICOM file as shows what it is."""
    return bytes(128) + b"DICM" + bytes([number])


def every_kind(intake: Intake) -> None:
    intake.images("a.png")
    contents = {
        "drive.mp4": mp4(32, 24, frames=4, frames_per_second=2),
        "voice.wav": sound(),
        "brain.nii": bytes(352),
        "paper.pdf": b"%PDF-1.4 <</Type /Page>> %%EOF",
        "note.txt": b"Some words.\n",
    }
    for name, content in contents.items():
        (intake.folder / name).write_bytes(content)
    (intake.folder / "ct").mkdir()
    for number in range(2):
        (intake.folder / "ct" / f"{number}.dcm").write_bytes(dicom(number))


def test_a_folder_takes_every_kind_and_a_second_run_sends_nothing(intake: Intake, folder: str) -> None:
    every_kind(intake)
    source = [str(intake.folder), str(intake.folder / "note.txt")]
    result = intake.upload(source=source, dataset_id=None, folder_id=folder)
    assert (result["files"], result["created"], result["failed"], result["dataset_id"]) == (7, 7, 0, None)
    kinds = {name: kind for name, (kind, _) in items_in(intake, folder).items()}
    assert {
        name: kinds[name] for name in ("a.png", "drive.mp4", "voice.wav", "brain.nii", "paper.pdf", "note.txt", "ct")
    } == {
        "a.png": "image",
        "drive.mp4": "video",
        "voice.wav": "audio",
        "brain.nii": "nifti",
        "paper.pdf": "pdf",
        "note.txt": "plainText",
        "ct": "dicomSeries",
    }
    assert intake.upload(source=source, dataset_id=None, folder_id=folder)["unchanged"] == 7


def test_images_of_a_directory_are_a_group_in_a_dataset_and_once(intake: Intake, tmp_path: Path) -> None:
    intake.images("scene-1/1.png", "scene-1/2.png", "scene-2/1.png")
    report = tmp_path / "groups.jsonl"
    arguments = {"group_by": "directory", "client_metadata": {"scene-1": {"site": "north"}}, "report": str(report)}
    assert intake.upload(**arguments)["created"] == 2
    assert intake.titles() == ["scene-1", "scene-2"]
    with intake.account.client() as client:
        rows = client.dataset(intake.dataset).data_rows(fetch_client_metadata=True)
    assert {row.data_title: (row.data_type.upper(), row.client_metadata or {}) for row in rows} == {
        "scene-1": ("IMG_GROUP", {"site": "north"}),
        "scene-2": ("IMG_GROUP", {}),
    }
    assert [len(json.loads(line)["parts"]) for line in report.read_text().splitlines()] == [2, 1]
    assert intake.upload(**arguments)["unchanged"] == 2


def test_sidecars_become_metadata_and_are_no_data(intake: Intake, folder: str) -> None:
    (path,) = intake.images("a.png")
    (intake.folder / f"{path.name}.json").write_text('{"camera": 3}')
    assert intake.upload(dataset_id=None, folder_id=folder, client_metadata="sidecar")["created"] == 1
    assert items_in(intake, folder) == {"a.png": ("image", {"camera": 3})}


def test_a_kind_that_goes_into_folders_only_is_refused_before_anything_is_sent(intake: Intake) -> None:
    every_kind(intake)
    intake.emulator.clear_journal()
    with pytest.raises(AirflowFailException, match="only be uploaded into storage folders"):
        intake.upload()
    assert intake.requests(method="PUT") == intake.requests(**START) == 0


def test_files_without_a_meaningful_name_are_what_the_user_says(intake: Intake, folder: str) -> None:
    (intake.folder / "IM0001").write_bytes(dicom(1))
    assert intake.upload(dataset_id=None, folder_id=folder, kind="dicom")["created"] == 1
    ((kind, _),) = [one for name, one in items_in(intake, folder).items() if name == intake.folder.name]
    assert kind == "dicomSeries"


def test_half_a_job_refused_is_reported_with_its_reason_and_the_rest_is_in(intake: Intake, tmp_path: Path) -> None:
    intake.images(*[f"{number:02}.png" for number in range(20)])
    intake.emulator.jobs(fail_units=0.5, seed=1)
    report = tmp_path / "half.jsonl"
    try:
        result = intake.upload(on_error="skip", report=str(report))
    finally:
        intake.emulator.jobs(fail_units=0.0)
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert result["created"] + result["failed"] == len(lines) == 20
    assert 0 < result["failed"] < 20
    assert all(line["error"] for line in lines if line["outcome"] == "failed")
    assert intake.titles() == [line["title"] for line in lines if line["outcome"] == "created"]
    assert intake.upload()["created"] == result["failed"]
    assert len(intake.titles()) == 20


def test_encord_takes_what_is_known_of_files_and_does_not_read_them(either_intake: Intake) -> None:
    either_intake.images("a.png", "b.png", "scene/1.png", "scene/2.png")
    groups = {"scene": ["1.png", "2.png"]}
    known = {"a.png": {"width": 400, "height": 300}, "*/scene/*": {"width": 640, "height": 480}}
    assert either_intake.upload(media_metadata=known, group_by=groups)["created"] == 3
    with either_intake.account.client() as client:
        rows = {row.data_title: row for row in client.dataset(either_intake.dataset).data_rows()}
    sizes = {title: (row.width, row.height) for title, row in rows.items()}
    assert sizes == {"a.png": (400, 300), "b.png": (10, 7), "scene": (640, 480)}


SPEED = {"speed": {"label": "Speed", "hidden": False, "style": "line", "lineWidth": 2.0}}


def test_time_series_are_uploaded_with_their_channels_once(intake: Intake, folder: str, tmp_path: Path) -> None:
    (intake.folder / "signal.csv").write_text("time,speed\n0,1\n")
    arguments = {
        "dataset_id": None,
        "folder_id": folder,
        "kind": "time_series",
        "media_metadata": {"*.csv": {"channels": SPEED}},
        "report": str(tmp_path / "series.jsonl"),
    }
    assert intake.upload(**arguments)["created"] == 1
    assert intake.upload(**arguments)["unchanged"] == 1
    assert intake.upload(**{**arguments, "report": None})["matched_by_name"] == 1
    with intake.account.client() as client:
        (item,) = client.folder(folder).items()
    assert (item.item_type, item.name) == ("timeseries", "signal.csv")
    settings = item.timeseries_settings
    assert settings is not None
    assert settings["channels"]["speed"]["label"] == "Speed"


def test_the_file_of_a_scene_is_uploaded_once_with_and_without_a_report(
    intake: Intake, folder: str, tmp_path: Path
) -> None:
    for name in ("drive.mcap", "street.PCD"):
        (intake.folder / name).write_bytes(b"points" * 100)
    arguments = {"dataset_id": None, "folder_id": folder, "kind": "scene", "client_metadata": {"drive.mcap": {"k": 1}}}
    report = str(tmp_path / "scenes.jsonl")
    assert intake.upload(**arguments, report=report)["created"] == 2
    assert intake.upload(**arguments, report=report)["unchanged"] == 2
    assert intake.upload(**arguments)["matched_by_name"] == 2
    assert items_in(intake, folder) == {"drive.mcap": ("scene", {"k": 1}), "street.PCD": ("scene", {})}


def test_a_scene_of_an_unknown_format_or_for_a_dataset_is_refused_before_anything_is_sent(
    intake: Intake, folder: str
) -> None:
    intake.images("a.png")
    intake.emulator.clear_journal()
    with pytest.raises(AirflowFailException, match=r"a\.png is not the file of a scene.*\.mcap"):
        intake.upload(dataset_id=None, folder_id=folder, kind="scene")
    (intake.folder / "a.png").rename(intake.folder / "a.ply")
    with pytest.raises(AirflowFailException, match="files of kind scene can only be uploaded into storage folders"):
        intake.upload(kind="scene")
    assert intake.requests(method="PUT") == intake.requests(**START) == 0


def test_a_scene_that_encord_refuses_fails_with_its_reason(intake: Intake, folder: str) -> None:
    (intake.folder / "drive.mcap").write_bytes(b"points")
    intake.emulator.jobs(fail_units=1.0, seed=1)
    try:
        result = intake.upload(dataset_id=None, folder_id=folder, kind="scene", on_error="skip")
    finally:
        intake.emulator.jobs(fail_units=0.0)
    assert (result["created"], result["failed"]) == (0, 1)
