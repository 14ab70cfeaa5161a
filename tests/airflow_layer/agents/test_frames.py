"""``@task.encord_agent`` on videos and images: the function gets their frames."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_encord.agents import EditableLabels, Frame, Frames, LocalAsset, Task
from airflow_provider_encord.operators.storage import EncordUploadFilesOperator
from tests.agents.test_frames import write_video
from tests.airflow_layer.agent_stage import CAR, AgentStage, numbers
from tests.airflow_layer.bench import Account
from tests.sdk.media import png

pytestmark = pytest.mark.airflow


@pytest.fixture
def media(account: Account, tmp_path: Path) -> AgentStage:
    """An agent stage with the tasks of a video of 12 frames, and of an image."""
    made = AgentStage(account, tmp_path, rows=1)
    files = tmp_path / "files"
    files.mkdir()
    write_video(files / "clip.mp4")
    (files / "still.png").write_bytes(png(8, 6))
    with account.client() as client:
        dataset = client.create_dataset("Media", if_exists="new").id
        EncordUploadFilesOperator(
            task_id="upload", dataset_id=dataset, source=str(files), report=str(tmp_path / "uploaded.jsonl")
        ).execute({})
        project = client.project(made.project_id)
        project.attach_datasets([dataset])
        old = [task.uuid for task in made.tasks]
        made.tasks = [task for task in project.stage("Pre-label").tasks() if task.uuid not in old]
    made.emulator.clear_journal()
    return made


def run(media: AgentStage, function: Any, **arguments: Any) -> dict[str, int]:
    return numbers(media.run(function, task_ids=[task.uuid for task in media.tasks], **arguments))


def test_the_function_gets_the_frames_of_a_video_and_one_of_an_image(media: AgentStage) -> None:
    seen: dict[str, list[tuple[int, tuple[int, ...]]]] = {}

    def prelabel(task: Task, frames: Frames) -> str:
        seen[task.data_title] = [(frame.number, frame.image.shape) for frame in frames]
        return "good"

    assert run(media, prelabel) == {"tasks": 2, "moved": 2}
    assert seen == {
        "clip.mp4": [(number, (48, 64, 3)) for number in range(12)],
        "still.png": [(0, (6, 8, 3))],
    }


def test_labels_go_to_the_frames_that_the_function_saw(media: AgentStage) -> None:
    def light(frame: Frame) -> bool:
        return bool(frame.image.mean() > 85)

    def prelabel(labels: EditableLabels, frames: Frames) -> str:
        for frame in frames:
            if light(frame):
                labels.add_object("Car", frame=frame.number, boundingBox=CAR["boundingBox"])
        return "good"

    (video,) = [task for task in media.tasks if task.data_title == "clip.mp4"]
    media.run(prelabel, task_ids=[video.uuid])
    (unit,) = media.labels()[video.data_hash]["data_units"].values()
    assert sorted(int(frame) for frame, labels in unit["labels"].items() if labels["objects"]) == [9, 10, 11]


def test_the_frames_and_the_file_are_one_download(media: AgentStage) -> None:
    kept: list[Frames] = []

    def prelabel(asset: LocalAsset, frames: Frames, again: LocalAsset) -> str:
        assert asset == again
        assert next(iter(frames)).number == 0
        kept.append(frames)
        return "good"

    assert run(media, prelabel) == {"tasks": 2, "moved": 2}
    assert sum(entry["path"].startswith("/object-store/") for entry in media.emulator.journal()) == 2
    for frames in kept:
        with pytest.raises(Exception, match="while the function runs"):
            next(iter(frames))


def test_coroutines_and_threads_get_frames_too(media: AgentStage) -> None:
    async def count(frames: Frames) -> str:
        return "good" if sum(1 for _ in frames) == 12 else "unsure"

    assert run(media, count) == {"tasks": 2, "moved": 2}
    assert media.counts() == {"Pre-label": 1, "Annotate": 1, "Complete": 1}


def test_a_file_that_cannot_be_decoded_costs_only_its_task(media: AgentStage) -> None:
    def prelabel(asset: LocalAsset, frames: Frames) -> str:
        if asset.name == "clip.mp4":
            asset.write_bytes(asset.read_bytes()[:300])
        return "good" if list(frames) else "unsure"

    with pytest.raises(AirflowException, match=r"1 tasks failed .*1 moved, 1 failed.*FramesError: clip\.mp4: frame 0"):
        run(media, prelabel)


def test_data_without_one_file_has_no_frames(account: Account, tmp_path: Path) -> None:
    """Encord has no file of an image group."""
    groups = AgentStage(account, tmp_path, rows=2, kind="img_group", frames=3)

    def prelabel(frames: Frames) -> str:
        return "good"

    with pytest.raises(AirflowException, match="frames: Encord has no Frames for this task"):
        groups.run(prelabel)

    def lenient(frames: Frames | None) -> str:
        return "good" if frames is None else "unsure"

    assert numbers(groups.run(lenient)) == {"tasks": 2, "moved": 2}


def test_without_the_extra_nothing_is_called(media: AgentStage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "av", None)
    called: list[Task] = []

    def prelabel(task: Task, frames: Frames) -> str:
        called.append(task)
        return "good"

    with pytest.raises(AirflowFailException, match=r"airflow-provider-encord\[frames\]"):
        run(media, prelabel)
    assert called == []
    assert not [entry for entry in media.emulator.journal() if entry["path"].endswith("/tasks")]
