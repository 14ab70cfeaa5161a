"""Images that are packed into large files, shard by shard.

What is said of them waits on a disk until all samples were added. Then the shards are written one after the other, and
the images are read while they are written, so no image is stored twice.
"""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from collections.abc import Iterator, Sequence
from typing import IO, Any

import msgspec

from airflow_provider_encord.training.pulled_files import PulledFiles
from airflow_provider_encord.training.samples import File, Sample

_MOST_IN_MEMORY = 2**22


class PackedImage(msgspec.Struct, frozen=True):
    """An image, and what is said of it.

    :param name: Name of the sample; see `Sample`.
    :param suffix: Suffix of the image's file, with its dot.
    :param label: What the form says of it, as JSON.
    """

    name: str
    suffix: str
    file: File
    label: dict[str, Any]


class Shard(msgspec.Struct, frozen=True):
    """A file of many images.

    :param number: Its number in the split, from 0.
    :param of: How many shards the split has.
    :param images: Its images with their contents. They can be read once, and before those of the next shard.
    """

    number: int
    of: int
    images: Iterator[tuple[PackedImage, bytes]]


class Packs:
    """The images of all splits.

    :param max_shard_bytes: The most bytes of images in a shard. A larger image has a shard for itself.
    """

    def __init__(self, splits: Sequence[str], files: PulledFiles, max_shard_bytes: int):
        self._files, self._most = files, max_shard_bytes
        self._splits = {split: _Split() for split in splits}

    def add(self, sample: Sample, split: str, suffix: str, label: dict[str, Any]) -> None:
        """Add an image."""
        self._splits[split].add(PackedImage(sample.name, suffix, sample.file, label), self._most)

    def shards(self, split: str) -> Iterator[Shard]:
        """The shards of a split; none if it has no images."""
        counts = self._splits[split].counts
        images, ahead = itertools.tee(self._splits[split].images())
        with contextlib.closing(self._files.contents(image.file for image in ahead)) as contents:
            pairs = zip(images, contents, strict=True)
            for number, count in enumerate(counts):
                yield Shard(number, len(counts), itertools.islice(pairs, count))


class _Split:
    def __init__(self) -> None:
        self._lines: IO[bytes] = tempfile.SpooledTemporaryFile(max_size=_MOST_IN_MEMORY)  # noqa: SIM115 - see `images`
        self.counts: list[int] = []
        self._bytes = 0

    def add(self, image: PackedImage, most: int) -> None:
        size = image.file.bytes or 0
        if not self.counts or self._bytes + size > most:
            self.counts.append(0)
            self._bytes = 0
        self.counts[-1] += 1
        self._bytes += size
        self._lines.write(msgspec.json.encode(image) + b"\n")

    def images(self) -> Iterator[PackedImage]:
        """All images, once. The file is deleted afterwards."""
        self._lines.seek(0)
        decoder = msgspec.json.Decoder(PackedImage)
        yield from map(decoder.decode, iter(self._lines.readline, b""))
        self._lines.close()
