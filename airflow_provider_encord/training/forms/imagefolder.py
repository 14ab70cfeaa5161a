"""An image folder as the library ``datasets`` reads it: ``<split>/`` with images and ``metadata.jsonl``.

A line of it names a file and has its objects: boxes (left, top, width, height, in pixels) and the numbers of their
classes, from 0. ``classes.json`` has the names.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec

from airflow_provider_encord.training.classes import Classes
from airflow_provider_encord.training.forms.boxes import columns_of
from airflow_provider_encord.training.forms.json_parts import JsonParts
from airflow_provider_encord.training.forms.written import WrittenSample
from airflow_provider_encord.training.samples import Sample

IMAGE_FOLDER = "imagefolder"


class ImageFolderForm:
    """See `forms.Form`.

    :param min_box_size: Smallest width and height of a box, in pixels.
    """

    def __init__(self, classes: Classes, splits: Sequence[str], *, min_box_size: float = 0.0):
        self._classes, self._least = classes, min_box_size
        self._lines = {split: JsonParts(b"\n") for split in splits}
        self._used: set[str] = set()
        self.entries = (*splits, "classes.json")

    def add(self, sample: Sample, split: str, suffix: str) -> WrittenSample:
        """Add an image and its objects."""
        written = WrittenSample([f"{split}/{sample.name}{suffix}"])
        written.leave_classifications(sample)
        objects = columns_of(sample, self._classes, written, min_box_size=self._least)
        self._lines[split].add(
            {
                "file_name": f"{sample.name}{suffix}",
                "width": sample.place.width,
                "height": sample.place.height,
                "objects": objects,
            }
        )
        self._used.add(split)
        return written

    def finish(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """``metadata.jsonl`` of each split that has images, and ``classes.json``."""
        for split, lines in self._lines.items():
            if split in self._used:
                yield f"{split}/metadata.jsonl", _ended(lines.blocks())
        names = msgspec.json.format(msgspec.json.encode(self._classes.names), indent=2)
        yield "classes.json", iter([names, b"\n"])


def _ended(blocks: Iterator[bytes]) -> Iterator[bytes]:
    yield from blocks
    yield b"\n"
