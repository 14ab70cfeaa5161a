"""Pulling videos, their frames, and the images of sequences, on the emulator."""

from __future__ import annotations

import io
import json
from pathlib import Path

import av
import numpy
from PIL import Image

from airflow_provider_encord.client.api.core.data_items import VIDEO
from airflow_provider_encord.client.api.labels import LabelRowFilter
from airflow_provider_encord.client.flows.uploads import LocalFile
from airflow_provider_encord.operators.labels import EncordImportLabelsOperator
from airflow_provider_encord.operators.media import EncordPullMediaOperator
from airflow_provider_encord.operators.storage import EncordUploadFilesOperator
from tests.airflow_layer.bench import Account
from tests.airflow_layer.media.pulled_media import Media


def video(frames: int, width: int = 64, height: int = 48) -> bytes:
    """A video whose frame n is a grey of its own."""
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        stream = container.add_stream("mpeg4", rate=10)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(frames):
            image = numpy.full((height, width, 3), 10 * number, dtype=numpy.uint8)
            for packet in stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
    return target.getvalue()


def grey(path: Path) -> int:
    return round(float(numpy.asarray(Image.open(path)).mean()))


def _with_video(account: Account, directory: Path, frames: int = 12) -> tuple[Media, str]:
    """A project with a real video, which has a box on frames 3 and 7."""
    media = Media(account, directory, rows=1)
    content = video(frames)
    with account.client() as client:
        project = client.project(media.exports.project)
        dataset = project.datasets()[0].dataset_hash
        unit = LocalFile(title="drive.mp4", kind=VIDEO, size=len(content), open=lambda: io.BytesIO(content))
        client.dataset(dataset).upload([unit], timeout=60)
        [row] = list(project.label_rows(LabelRowFilter(data_title_eq="drive.mp4")))
    line = {
        "data_hash": row.data_hash,
        "objects": [
            {"feature": "Car", "frame": frame, "boundingBox": {"x": 0.1, "y": 0.1, "w": 0.2, "h": 0.2}}
            for frame in (3, 7)
        ],
    }
    source = directory / "lines.jsonl"
    source.write_text(json.dumps(line) + "\n")
    EncordImportLabelsOperator(task_id="import", project_id=media.exports.project, source=str(source)).execute({})
    media.exports.export(overwrite=True)
    return media, row.data_hash


def test_the_frames_with_labels_are_taken_out_of_a_video(account: Account, tmp_path: Path) -> None:
    media, data_hash = _with_video(account, tmp_path)
    result = media.pull(frames="labelled", frame_format="png")
    lines = [line for line in media.lines() if line["unit"] == data_hash]
    assert result["created"] == 1 + 2
    assert [line["frame"] for line in lines] == [3, 7]
    assert [abs(grey(media.target / line["path"]) - 10 * line["frame"]) < 5 for line in lines] == [True, True]
    assert {(line["width"], line["height"]) for line in lines} == {(64, 48)}
    again = media.pull(frames="labelled", frame_format="png")
    assert (again["created"], again["unchanged"]) == (0, 3)
    other = media.pull(frames="all", frame_step=5)
    assert [line["frame"] for line in media.lines() if line["unit"] == data_hash] == [0, 5, 10]
    assert (other["created"], other["unchanged"]) == (3, 1)


def test_the_frames_of_a_video_stay_known_when_an_incremental_export_did_not_change_it(
    account: Account, tmp_path: Path
) -> None:
    media, data_hash = _with_video(account, tmp_path)
    for day in (1, 2):
        media.exports.incremental(day)
        labels = str(tmp_path / "labels" / f"day-{day}")
        result = media.pull(labels=labels, frames="labelled")
        assert [line["frame"] for line in media.lines() if line["unit"] == data_hash] == [3, 7]
        assert (result["created"], result["unchanged"]) == ((3, 0) if day == 1 else (0, 3))


def test_a_video_is_pulled_as_it_is_without_frames(account: Account, tmp_path: Path) -> None:
    media, data_hash = _with_video(account, tmp_path)
    media.pull()
    [line] = [line for line in media.lines() if line["unit"] == data_hash]
    assert (media.target / line["path"]).read_bytes() == video(12)
    assert line["path"].endswith(".mp4")


def test_the_images_of_a_sequence_are_named_by_their_hashes_in_label_rows(account: Account, tmp_path: Path) -> None:
    """Labels are about each image, although Encord plays the sequence like a video."""
    (tmp_path / "drive").mkdir()
    for number in range(3):
        Image.new("RGB", (8 + number, 6)).save(tmp_path / "drive" / f"{number}.png")
    with account.client() as client:
        dataset = client.create_dataset("Sequence").id
        EncordUploadFilesOperator(
            task_id="upload",
            dataset_id=dataset,
            source=str(tmp_path / "drive"),
            group_by="directory",
            create_video=True,
        ).execute({})
        [row] = client.dataset(dataset).data_rows()
        [item] = client.items([row.backing_item_uuid or ""])
    assert item.item_type == "imageSequence"
    result = EncordPullMediaOperator(
        task_id="pull", dataset_id=dataset, destination=str(tmp_path / "media"), frames="all"
    ).execute({})
    lines = [json.loads(line) for line in (tmp_path / "media" / "media.jsonl").read_text().splitlines()]
    assert result["created"] == len({line["unit"] for line in lines}) == 3
    assert {line["data_hash"] for line in lines} == {row.data_hash}
    pulled = {(tmp_path / "media" / line["path"]).read_bytes() for line in lines}
    assert pulled == {path.read_bytes() for path in (tmp_path / "drive").iterdir()}
