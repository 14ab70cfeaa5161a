"""Training sets of tracks, from a video, an image group and a single image."""

from __future__ import annotations

import configparser
import io
import json
from pathlib import Path
from typing import Any

import numpy
import pytest
from PIL import Image

from airflow_provider_encord.client.api.core.data_items import VIDEO
from airflow_provider_encord.client.flows.uploads import LocalFile
from airflow_provider_encord.operators.labels import EncordExportLabelsOperator, EncordImportLabelsOperator
from airflow_provider_encord.operators.media import EncordPullMediaOperator
from airflow_provider_encord.operators.storage import EncordUploadFilesOperator
from airflow_provider_encord.operators.training import EncordBuildTrainingSetOperator
from tests.airflow_layer.bench import Account
from tests.airflow_layer.media.test_pull_videos import video
from tests.airflow_layer.training.training_sets import STAGES, contents

STRUCTURE = {
    "objects": [{"name": "Car", "shape": "bounding_box"}, {"name": "Lane", "shape": "polyline"}],
    "classifications": [{"attributes": [{"name": "Blurred", "type": "checklist", "options": [{"label": "Yes"}]}]}],
}
FRAMES = (10, 2, 3)  # their order in the labels is not that of the video


class Drive:
    """A project with a video of 64 by 48 pixels, a group of three images, of which one is larger, and an image."""

    def __init__(self, account: Account, directory: Path):
        self.directory = directory
        with account.client() as client:
            dataset = client.create_dataset("Drive").id
            content = video(12)
            unit = LocalFile(title="drive.mp4", kind=VIDEO, size=len(content), open=lambda: io.BytesIO(content))
            client.dataset(dataset).upload([unit], timeout=60)
            self._upload_images(dataset)
            ontology = client.create_ontology("Drive", structure=STRUCTURE).id
            template = account.emulator.template("plain", STAGES)["uuid"]
            self.project = client.create_project(
                "Drive", dataset_ids=[dataset], ontology_id=ontology, workflow_template_id=template
            ).id
            self.hashes = {row.data_title: row.data_hash for row in client.project(self.project).label_rows()}
        self._label()

    def _upload_images(self, dataset: str) -> None:
        for name, sizes in (("group", [(32, 24), (32, 24), (40, 24)]), ("alone", [(32, 24)])):
            (self.directory / name).mkdir()
            for number, size in enumerate(sizes):
                Image.new("RGB", size, (10 * number, 0, 0)).save(self.directory / name / f"{name}-{number}.png")
            EncordUploadFilesOperator(
                task_id=name,
                dataset_id=dataset,
                source=str(self.directory / name),
                group_by="directory" if name == "group" else None,
            ).execute({})

    def _label(self) -> None:
        box = {"x": 0.5, "y": 0.25, "w": 0.25, "h": 0.5}
        lane = {"0": {"x": 0.1, "y": 0.1}, "1": {"x": 0.9, "y": 0.9}}
        car = {"feature": "Car", "id": "car", "boundingBox": box}
        drawn = [{**car, "frame": frame} for frame in FRAMES]
        drawn += [{**car, "id": "other", "frame": 3}, {"feature": "Lane", "frame": 2, "polyline": lane}]
        lines = [
            {
                "data_hash": self.hashes["drive.mp4"],
                "objects": drawn,
                "classifications": [{"feature": "Blurred", "answer": ["Yes"], "frames": [[1, 1]]}],
            },
            {"data_hash": self.hashes["group"], "objects": [{**car, "frame": frame} for frame in (0, 1, 2)]},
            {"data_hash": self.hashes["alone-0.png"], "objects": [car]},
        ]
        source = self.directory / "lines.jsonl"
        source.write_text("".join(json.dumps(line) + "\n" for line in lines))
        EncordImportLabelsOperator(task_id="import", project_id=self.project, source=str(source)).execute({})

    def inputs(self) -> dict[str, Any]:
        result = EncordExportLabelsOperator(
            task_id="export", project_id=self.project, destination=str(self.directory / "labels"), overwrite=True
        ).execute({})
        pulled = EncordPullMediaOperator(
            task_id="pull",
            labels=result["manifest"],
            destination=str(self.directory / "media"),
            frames="labelled",
            frame_format="png",
        ).execute({})
        return {"labels": result["manifest"], "media": pulled["report"]}

    def build(self, name: str = "set", **arguments: Any) -> dict[str, Any]:
        arguments = {"split": {"train": 1.0}, "format": "mot", **arguments}
        result: dict[str, Any] = EncordBuildTrainingSetOperator(
            task_id="build", destination=str(self.directory / name), **arguments
        ).execute({})
        return result


@pytest.fixture
def drive(account: Account, tmp_path: Path) -> Drive:
    return Drive(account, tmp_path)


def grey(path: Path) -> int:
    """The number of the frame of the video that a picture is."""
    return round(float(numpy.asarray(Image.open(path)).mean()) / 10)


def test_the_frames_of_a_video_are_numbered_from_1_in_their_order(drive: Drive, tmp_path: Path) -> None:
    drive.build(**drive.inputs())
    sequence = tmp_path / "set" / "train" / drive.hashes["drive.mp4"]
    pictures = sorted((sequence / "img1").iterdir())
    assert [path.name for path in pictures] == [f"{number:06d}.png" for number in (1, 2, 3, 4)]
    assert [grey(path) for path in pictures] == [1, 2, 3, 10]
    unit = drive.hashes["drive.mp4"]
    assert (
        sequence / "frames.csv"
    ).read_text() == f"image,unit,frame\n1,{unit},1\n2,{unit},2\n3,{unit},3\n4,{unit},10\n"
    assert (sequence / "gt" / "gt.txt").read_text() == (
        "2,1,33,13,16,24,1,1,1\n3,1,33,13,16,24,1,1,1\n3,2,33,13,16,24,1,1,1\n4,1,33,13,16,24,1,1,1\n"
    )
    assert (sequence / "gt" / "labels.txt").read_text() == "Car\nLane\n"


def test_the_information_of_a_sequence_is_that_of_its_video(drive: Drive, tmp_path: Path) -> None:
    drive.build(**drive.inputs())
    directory = tmp_path / "set" / "train"
    names = (tmp_path / "set" / "train.txt").read_text().splitlines()
    assert names[0] == "name"
    assert (
        {*names[1:]}
        == {path.name for path in directory.iterdir()}
        == {drive.hashes["drive.mp4"], drive.hashes["group"]}
    )
    information = configparser.ConfigParser()
    information.optionxform = str  # type: ignore[assignment, method-assign] - as its readers do
    information.read(directory / drive.hashes["drive.mp4"] / "seqinfo.ini")
    assert dict(information["Sequence"]) == {
        "name": drive.hashes["drive.mp4"],
        "imDir": "img1",
        "frameRate": "10",
        "seqLength": "4",
        "imWidth": "64",
        "imHeight": "48",
        "imExt": ".png",
    }


def test_what_is_in_no_sequence_is_listed(drive: Drive, tmp_path: Path) -> None:
    result = drive.build(**drive.inputs())
    record = json.loads((tmp_path / "set" / "training_set.json").read_text())
    assert record["left_out"] == {
        "its file has another suffix or size than the first image of its sequence": 2,
        "it is a single image, and a track needs a sequence": 2,
        "classification": 1,
        "polyline without an area": 1,
    }
    group = tmp_path / "set" / "train" / drive.hashes["group"]
    assert len(list((group / "img1").iterdir())) == 2
    assert "frameRate=1\n" in (group / "seqinfo.ini").read_text()
    assert (result["images"], result["objects"]) == (6, 6)


def test_two_builds_of_tracks_are_equal(drive: Drive, tmp_path: Path) -> None:
    inputs = drive.inputs()
    drive.build(**inputs)
    drive.build("other", **inputs)
    assert contents(tmp_path / "set") == contents(tmp_path / "other")
    drive.build(format="coco", overwrite=True, **inputs)
    assert not (tmp_path / "set" / "train").exists()
    assert not (tmp_path / "set" / "train.txt").exists()
