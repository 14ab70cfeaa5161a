"""Writing a training set: sample by sample, with images copied by several threads, and the record last.

All files depend only on the labels, the media and the arguments. So an attempt that follows a killed one writes the
same files again, and two builds of the same inputs are equal, byte for byte.
"""

from __future__ import annotations

import collections
import concurrent.futures
import functools
import logging
import math
import pathlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

import msgspec

from airflow_provider_encord.exports.formats.annotations import LeftOut
from airflow_provider_encord.exports.formats.answers import Names
from airflow_provider_encord.media.fetching import path_at
from airflow_provider_encord.media.layout import extension_of
from airflow_provider_encord.progress import ProgressLogger
from airflow_provider_encord.storage_paths import replacing, storage_errors, write_whole
from airflow_provider_encord.training.directory import TrainingDirectory
from airflow_provider_encord.training.forms import Form, LooksAhead
from airflow_provider_encord.training.media_index import FilesOfUnits, MediaIndex
from airflow_provider_encord.training.pulled_files import PulledFiles
from airflow_provider_encord.training.record import LEFT_OUT, SplitCounts
from airflow_provider_encord.training.samples import Filter, Sample, samples_of
from airflow_provider_encord.training.sizes import Sizes, add_boxes, add_length
from airflow_provider_encord.training.split_keys import SplitKeys
from airflow_provider_encord.training.splits import Splits
from airflow_provider_encord.training.stratified import StratifiedSplits

log = logging.getLogger(__name__)

_ROWS_AT_ONCE = 100
_LABELS_AT_ONCE = 20_000  # in these rows; a single row may have more
_SAMPLES_TOGETHER = 50
_OBJECTS_TOGETHER = 1_000  # in these samples; a single one may have more
_MOST_WAITING = 20  # parts of files that wait to be written, with what they contain


_Found: TypeAlias = tuple[Mapping[str, Any], str, Sample | LeftOut]
"""A row, its split, and a sample of it or what is left out of it."""


class LeftOutLine(msgspec.Struct, frozen=True, kw_only=True):
    """A line of `LEFT_OUT`: a label that is not in the training set, or an image that is not.

    :param reason: Why.
    :param kind: ``"object"``, ``"classification"``, ``"image"``, or another part of a label row.
    """

    data_hash: str
    label_hash: str
    unit: str | None
    frame: int | None
    hash: str
    kind: str
    shape: str | None
    reason: str


class Built(msgspec.Struct, kw_only=True):
    """What was written."""

    splits: dict[str, SplitCounts]
    left_out: collections.Counter[str] = msgspec.field(default_factory=collections.Counter)
    files: int = 0
    bytes: int = 0
    image_sizes: Sizes = msgspec.field(default_factory=collections.Counter)
    box_sizes: Sizes = msgspec.field(default_factory=collections.Counter)

    @property
    def images(self) -> int:
        """The number of images in all splits."""
        return sum(counts.images for counts in self.splits.values())


class _Progress(ProgressLogger):
    def __init__(self, built: Built, rows: int):
        super().__init__("label rows", rows, log=log.info)
        self._built = built

    def details(self) -> str:
        return f", {self._built.images} images"


class Builder:
    """Writes a training set.

    :param files: Reads the media.
    :param keys: The keys by which samples are assigned to splits.
    :param filters: What is filtered out.
    :param max_concurrency: How many images are copied at once.
    """

    def __init__(
        self,
        directory: TrainingDirectory,
        form: Form,
        *,
        files: PulledFiles,
        index: MediaIndex,
        names: Names,
        splits: Splits | StratifiedSplits,
        keys: SplitKeys,
        filters: Filter,
        max_concurrency: int,
    ):
        self._directory, self._form, self._files, self._index = directory, form, files, index
        self._names, self._splits, self._keys, self._most = names, splits, keys, max_concurrency
        self._filters = filters
        self._waiting: collections.deque[concurrent.futures.Future[list[int]]] = collections.deque()
        self._to_write: list[Callable[[], int]] = []
        self.built = Built(splits={name: SplitCounts() for name in splits.names})

    def write(self, rows: Iterable[Mapping[str, Any]], number: int) -> Built:
        """Write everything but the record.

        :param number: How many rows there are, for the log; fewer if some could not be exported.
        :raises EncordError: A file cannot be read or written.
        """
        progress = _Progress(self.built, number)
        pool = concurrent.futures.ThreadPoolExecutor(max_workers=self._most)
        path = self._directory.path / LEFT_OUT
        try:
            with storage_errors("destination", path):
                write_whole(path, self._lines(rows, pool, progress))
            for name, blocks in self._form.finish():
                self._write(name, blocks)
                progress.log_at_intervals()
        finally:
            pool.shutdown(cancel_futures=True)
        self.built.files += 1
        progress.log_line()
        return self.built

    def _lines(
        self, rows: Iterable[Mapping[str, Any]], pool: concurrent.futures.Executor, progress: _Progress
    ) -> Iterator[bytes]:
        """Write the samples of all rows; the lines of what is left out."""
        for some in batches_of(rows):
            self._directory.check()
            files = self._index.of([unit for row in some for unit in row.get("data_units") or ()])
            for together in _together(self._samples(some, files)):
                if isinstance(self._form, LooksAhead):
                    self._form.look_ahead([sample for _, _, sample in together if isinstance(sample, Sample)])
                for row, split, sample in together:
                    self._directory.keep()
                    for left_out in self._sample(sample, split):
                        self.built.left_out[left_out.reason] += 1
                        yield msgspec.json.encode(_line(row, left_out)) + b"\n"
                progress.log_at_intervals()
                self._start_writing(pool)
                self._finish_writing(_MOST_WAITING)
            progress.add(len(some))
        self._finish_writing(0)
        self._directory.check()

    def _start_writing(self, pool: concurrent.futures.Executor) -> None:
        """Let each thread write several files: waking one up takes as long as writing a small file."""
        number = math.ceil(len(self._to_write) / self._most)
        while self._to_write:
            self._waiting.append(pool.submit(_all_of, self._to_write[:number]))
            del self._to_write[:number]

    def _finish_writing(self, most_waiting: int) -> None:
        """Wait until no more than so many parts wait to be written."""
        while len(self._waiting) > most_waiting:
            sizes = self._waiting.popleft().result()
            self.built.bytes += sum(sizes)
            self.built.files += len(sizes)

    def _samples(self, rows: Iterable[Mapping[str, Any]], files: FilesOfUnits) -> Iterator[_Found]:
        for row in rows:
            split = self._splits.of(self._keys.of(str(row.get("data_hash"))))
            for sample in samples_of(row, self._names, files, self._filters):
                yield row, split, sample

    def _sample(self, sample: Sample | LeftOut, split: str) -> Iterator[LeftOut]:
        if isinstance(sample, LeftOut):
            yield sample
            return
        name = pathlib.PurePosixPath(sample.file.path).name
        written = self._form.add(sample, split, extension_of(name, sample.file.mime_type))
        yield from written.left_out
        self._count(split, written.classes, images=written.has_image)
        if written.has_image and sample.size is not None:
            add_length(self.built.image_sizes, max(sample.size))
        add_boxes(self.built.box_sizes, written.box_sizes)
        self._to_write += [functools.partial(self._copy, sample, path) for path in written.image_paths]
        self._to_write += [functools.partial(self._write_small, *file) for file in written.files.items()]

    def _count(self, split: str, classes: Sequence[str], *, images: bool) -> None:
        counts = self.built.splits[split]
        counts.images += images
        counts.empty_images += images and not classes
        for name in classes:
            counts.objects[name] = counts.objects.get(name, 0) + 1

    def _copy(self, sample: Sample, relative: str) -> int:
        """Copy an image, unless it is not the file that was pulled."""
        target, size = path_at(self._directory.path, relative), 0
        with storage_errors("destination", target), replacing(target) as writer:
            for block in self._files.blocks(sample.file):
                size += len(block)
                writer.write(block)
        return size

    def _write_small(self, relative: str, content: bytes) -> int:
        target = path_at(self._directory.path, relative)
        with storage_errors("destination", target):
            write_whole(target, [content])
        return len(content)

    def _write(self, relative: str, blocks: Iterator[bytes]) -> None:
        target = path_at(self._directory.path, relative)
        with storage_errors("destination", target):
            write_whole(target, self._counted(blocks))
        self.built.files += 1

    def _counted(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        for block in blocks:
            self._directory.keep()
            self.built.bytes += len(block)
            yield block


def _all_of(writing: Iterable[Callable[[], int]]) -> list[int]:
    """Write several files; their sizes."""
    return [write() for write in writing]


def _line(row: Mapping[str, Any], left_out: LeftOut) -> LeftOutLine:
    return LeftOutLine(
        data_hash=str(row.get("data_hash")),
        label_hash=str(row.get("label_hash")),
        unit=left_out.unit,
        frame=left_out.frame,
        hash=left_out.hash,
        kind=left_out.kind,
        shape=left_out.shape,
        reason=left_out.reason,
    )


def _labels_of(unit: Any) -> int:
    """About how many labels a data unit has: of a video, those of all frames."""
    labels = unit.get("labels") if isinstance(unit, Mapping) else None
    if not isinstance(labels, Mapping):
        return 0
    frames = [labels] if "objects" in labels else [frame for frame in labels.values() if isinstance(frame, Mapping)]
    return sum(len(frame.get("objects") or ()) for frame in frames)


def batches_of(rows: Iterable[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    """Rows whose files are looked up together: few enough that they need little memory."""
    batch: list[Mapping[str, Any]] = []
    labels = 0
    for row in rows:
        batch.append(row)
        labels += sum(map(_labels_of, (row.get("data_units") or {}).values()))
        if len(batch) == _ROWS_AT_ONCE or labels >= _LABELS_AT_ONCE:
            yield batch
            batch, labels = [], 0
    if batch:
        yield batch


def _together(found: Iterable[_Found]) -> Iterator[list[_Found]]:
    """Some samples whose objects a form may compute together."""
    some: list[_Found] = []
    objects = 0
    for item in found:
        some.append(item)
        objects += len(item[2].objects) if isinstance(item[2], Sample) else 0
        if len(some) == _SAMPLES_TOGETHER or objects >= _OBJECTS_TOGETHER:
            yield some
            some, objects = [], 0
    if some:
        yield some
