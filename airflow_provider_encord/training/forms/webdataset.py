"""WebDataset: tar files with samples, ``<split>/shard-<number>.tar``, as the library ``webdataset`` reads them.

A sample has files of the same name: the image, and ``.json`` with its objects (boxes: left, top, width, height, in
pixels) and its classifications. If images are classified, ``.cls`` has the number of the class. Numbers of classes
start at 0; ``classes.json`` has the names.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.training.classes import Classes
from airflow_provider_encord.training.forms.answered import Answers
from airflow_provider_encord.training.forms.boxes import boxes_of, rounded
from airflow_provider_encord.training.forms.packed import PackedImage, Packs
from airflow_provider_encord.training.forms.written import WrittenSample
from airflow_provider_encord.training.pulled_files import PulledFiles
from airflow_provider_encord.training.samples import Sample

_NO_SUFFIX = "the kind of its file is not known"
_END = bytes(2 * tarfile.BLOCKSIZE)
_NUMBER = "category"


class WebDatasetForm:
    """See `forms.Form`.

    :param question: With it, images are classified: the name of the classification, or of the attribute, whose answer
        is the class. Then objects are left out.
    :param min_box_size: Smallest width and height of a box, in pixels.
    """

    def __init__(
        self,
        classes: Classes,
        splits: Sequence[str],
        files: PulledFiles,
        *,
        question: str | None,
        max_shard_bytes: int,
        min_box_size: float = 0.0,
    ):
        self._classes, self._splits, self._least = classes, splits, min_box_size
        self._answers = None if question is None else Answers(question, classes)
        self._packs = Packs(splits, files, max_shard_bytes)
        self.entries = (*splits, "classes.json")

    def add(self, sample: Sample, split: str, suffix: str) -> WrittenSample:
        """Add an image with its labels."""
        written = WrittenSample()
        if not suffix:
            written.leave_all(sample, _NO_SUFFIX)
            return written
        label = self._objects(sample, written) if self._answers is None else self._class(self._answers, sample, written)
        if label is not None:
            written.is_packed = True
            self._packs.add(sample, split, suffix, {**_about(sample), **label})
        return written

    def finish(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """The shards, and ``classes.json``."""
        for split in self._splits:
            for shard in self._packs.shards(split):
                yield f"{split}/shard-{shard.number:06d}.tar", _tar(shard.images)
        names = msgspec.json.format(msgspec.json.encode(self._classes.names), indent=2)
        yield "classes.json", iter([names, b"\n"])

    def _objects(self, sample: Sample, written: WrittenSample) -> dict[str, Any]:
        objects = []
        for annotation, class_name, box in boxes_of(sample, self._classes, written, min_box_size=self._least):
            written.classes.append(class_name)
            written.box_sizes.append(box[2:])
            about = {"class": class_name, _NUMBER: self._classes.number(class_name), "bbox": rounded(box)}
            objects.append({**about, "object_hash": annotation.hash, "attributes": annotation.answers})
        return {"objects": objects}

    def _class(self, answers: Answers, sample: Sample, written: WrittenSample) -> dict[str, Any] | None:
        class_name = answers.only_class(sample, written)
        return None if class_name is None else {"class": class_name, _NUMBER: self._classes.number(class_name)}


def _about(sample: Sample) -> dict[str, Any]:
    place = sample.place
    return {
        "data_hash": sample.data_hash,
        "unit": place.unit,
        "frame": place.frame,
        "width": place.width,
        "height": place.height,
        "classifications": [
            {"name": annotation.name, "answers": annotation.answers} for annotation in sample.classifications
        ],
    }


def _tar(images: Iterator[tuple[PackedImage, bytes]]) -> Iterator[bytes]:
    for image, content in images:
        key = image.name.replace(".", "_")  # a reader takes what follows the first dot as the name of the field
        yield from _member(key + image.suffix, content)
        yield from _member(f"{key}.json", msgspec.json.encode(image.label))
        if _NUMBER in image.label:
            yield from _member(f"{key}.cls", str(image.label[_NUMBER]).encode())
    yield _END


def _member(name: str, content: bytes) -> Iterator[bytes]:
    """A file in a tar file. Its owner and times are zeros, so that two builds are equal."""
    about = tarfile.TarInfo(name)
    about.size = len(content)
    yield about.tobuf(tarfile.PAX_FORMAT)
    yield content
    yield bytes(-len(content) % tarfile.BLOCKSIZE)
