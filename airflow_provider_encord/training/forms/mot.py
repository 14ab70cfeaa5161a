"""MOTChallenge: for each video or image group a directory ``<split>/<data hash>/``, as multi-object trackers read it.

==================  =================================================================================================
file                content
==================  =================================================================================================
``img1/``           the images, numbered from 1 without gaps
``gt/gt.txt``       a line for each box: image, track, left, top, width, height, 1, class, visibility (1: not known)
``gt/labels.txt``   the name of each class; the first is class 1
``seqinfo.ini``     the size and number of the images, and the frame rate (1 if it is not known)
``frames.csv``      which frame of the video, or image of the group, an image is
==================  =================================================================================================

As in MOTChallenge, everything is counted from 1: the pixel at the top left of an image is 1, 1. A track is an object of
Encord on all its frames. ``<split>.txt`` has the names of the directories.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from typing import IO

import msgspec

from airflow_provider_encord.training.classes import Classes
from airflow_provider_encord.training.forms.boxes import boxes_of, rounded
from airflow_provider_encord.training.forms.segmentations import NO_SIZE
from airflow_provider_encord.training.forms.written import WrittenSample
from airflow_provider_encord.training.samples import Sample, left_out

_ALONE = "it is a single image, and a track needs a sequence"
_OTHER_KIND = "its file has another suffix or size than the first image of its sequence"
_TWICE = "its track is on the image already"
_UNKNOWN_RATE = 1
_BLOCK = 2**20
_MOST_IN_MEMORY = 2**22


class MotForm:
    """See `forms.Form`. The samples of a sequence are added one after the other, in its order.

    :param min_box_size: Smallest width and height of a box, in pixels.
    """

    def __init__(self, classes: Classes, splits: Sequence[str], *, min_box_size: float = 0.0):
        self._classes, self._least = classes, min_box_size
        self._sequences: dict[str, list[_Sequence]] = {split: [] for split in splits}
        self._boxes, self._frames = _Pieces(), _Pieces()
        self._current: _Sequence | None = None
        self._tracks: dict[str, int] = {}
        self.entries = (*splits, *(f"{split}.txt" for split in splits))

    def add(self, sample: Sample, split: str, suffix: str) -> WrittenSample:
        """Add an image to its sequence, with the boxes on it."""
        written = WrittenSample()
        if sample.is_alone or sample.size is None:
            written.leave_all(sample, _ALONE if sample.is_alone else NO_SIZE)
            return written
        sequence = self._sequence_of(sample, split, suffix)
        if (sequence.suffix, sequence.size) != (suffix, sample.size):
            written.leave_all(sample, _OTHER_KIND)
            return written
        written.leave_classifications(sample)
        sequence.length += 1
        written.image_paths.append(f"{sequence.directory}/img1/{sequence.length:06d}{suffix}")
        self._frames.add(f"{sequence.length},{sample.place.unit},{sample.place.frame}\n")
        self._add_boxes(sample, sequence, written)
        return written

    def finish(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """The files beside the images."""
        labels = "".join(f"{' '.join(name.split())}\n" for name in self._classes.names).encode()
        for split, sequences in self._sequences.items():
            for sequence in sequences:
                yield f"{sequence.directory}/gt/gt.txt", self._boxes.blocks(sequence.number)
                yield f"{sequence.directory}/gt/labels.txt", iter([labels])
                yield f"{sequence.directory}/seqinfo.ini", iter([sequence.information()])
                yield f"{sequence.directory}/frames.csv", self._frames.blocks(sequence.number)
            names = ["name", *(sequence.name for sequence in sequences)]  # with a head, as TrackEval reads it
            yield f"{split}.txt", iter([("\n".join(names) + "\n").encode()])

    def _sequence_of(self, sample: Sample, split: str, suffix: str) -> _Sequence:
        if self._current is None or self._current.name != sample.data_hash:
            number = sum(map(len, self._sequences.values()))
            self._current = _Sequence(
                number=number,
                split=split,
                name=sample.data_hash,
                suffix=suffix,
                size=sample.size or (0, 0),
                frame_rate=sample.frame_rate,
            )
            self._sequences[split].append(self._current)
            self._tracks = {}
            self._boxes.begin()
            self._frames.begin()
            self._frames.add("image,unit,frame\n")
        return self._current

    def _add_boxes(self, sample: Sample, sequence: _Sequence, written: WrittenSample) -> None:
        seen = set()
        for annotation, class_name, box in boxes_of(sample, self._classes, written, min_box_size=self._least):
            if annotation.hash in seen:
                written.left_out.append(left_out(annotation, _TWICE))
                continue
            seen.add(annotation.hash)
            written.classes.append(class_name)
            written.box_sizes.append(box[2:])
            track = self._tracks.setdefault(annotation.hash, len(self._tracks) + 1)
            left, top, width, height = rounded(box)
            numbers = (sequence.length, track, round(left + 1, 3), round(top + 1, 3), width, height)
            self._boxes.add(",".join(map(_text, (*numbers, 1, self._classes.number(class_name) + 1, 1))) + "\n")


class _Sequence(msgspec.Struct, kw_only=True):
    number: int
    split: str
    name: str
    suffix: str
    size: tuple[int, int]
    frame_rate: float | None
    length: int = 0

    @property
    def directory(self) -> str:
        return f"{self.split}/{self.name}"

    def information(self) -> bytes:
        """The content of ``seqinfo.ini``. Its readers take whole numbers only."""
        values = {
            "name": self.name,
            "imDir": "img1",
            "frameRate": max(_UNKNOWN_RATE, round(self.frame_rate or _UNKNOWN_RATE)),
            "seqLength": self.length,
            "imWidth": self.size[0],
            "imHeight": self.size[1],
            "imExt": self.suffix,
        }
        return "\n".join(["[Sequence]", *(f"{key}={value}" for key, value in values.items()), ""]).encode()


class _Pieces:
    """The texts of many small files, on a disk until they are written."""

    def __init__(self) -> None:
        self._file: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_MOST_IN_MEMORY)  # noqa: SIM115 - of the object
        self._starts: list[int] = []

    def begin(self) -> None:
        """Begin the next file."""
        self._starts.append(self._file.tell())

    def add(self, text: str) -> None:
        """Add to the file that was begun last."""
        self._file.write(text.encode())

    def blocks(self, number: int) -> Iterator[bytes]:
        """The content of a file. Nothing can be added afterwards."""
        start = self._starts[number]
        end = self._starts[number + 1] if number + 1 < len(self._starts) else self._file.seek(0, 2)
        while start < end:
            self._file.seek(start)
            block = self._file.read(min(_BLOCK, end - start))
            start += len(block)
            yield block


def _text(number: float) -> str:
    return f"{number:.3f}".rstrip("0").rstrip(".")
