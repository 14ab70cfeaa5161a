"""Parquet with the images inside, as the library ``datasets`` reads it: ``data/<split>-<number>-of-<count>.parquet``.

A row has the image and its objects: boxes (left, top, width, height, in pixels) and the numbers of their classes, from
0. If images are classified, it has the number of the class instead. The schema says that to the library, with the names
of the classes.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import pyarrow
import pyarrow.parquet

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.exports.formats.parquet import Sink
from airflow_provider_encord.training.classes import Classes
from airflow_provider_encord.training.forms.answered import Answers
from airflow_provider_encord.training.forms.boxes import columns_of
from airflow_provider_encord.training.forms.packed import PackedImage, Packs
from airflow_provider_encord.training.forms.written import WrittenSample
from airflow_provider_encord.training.pulled_files import PulledFiles
from airflow_provider_encord.training.samples import Sample

_ROWS_PER_GROUP = 100
_BYTES_PER_GROUP = 2**25  # of images, which are in memory together
_SPLIT = re.compile(r"\w+", re.ASCII)

_IMAGE = pyarrow.struct({"bytes": pyarrow.binary(), "path": pyarrow.string()})
_OBJECTS = pyarrow.struct(
    {"bbox": pyarrow.list_(pyarrow.list_(pyarrow.float64())), "categories": pyarrow.list_(pyarrow.int64())}
)


class ParquetForm:
    """See `forms.Form`.

    :param question: With it, images are classified: the name of the classification, or of the attribute, whose answer
        is the class. Then objects are left out.
    :param min_box_size: Smallest width and height of a box, in pixels.
    :raises InvalidArgumentError: The library does not take the name of a split.
    """

    entries = ("data",)

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
        for split in splits:
            if not _SPLIT.fullmatch(split):
                raise InvalidArgumentError(
                    f"split: {split!r} is not a name that the library datasets takes: letters, digits and _."
                )
        self._classes, self._splits, self._least = classes, splits, min_box_size
        self._answers = None if question is None else Answers(question, classes)
        self._packs = Packs(splits, files, max_shard_bytes)
        self._schema = _schema(classes.names, classified=question is not None)

    def add(self, sample: Sample, split: str, suffix: str) -> WrittenSample:
        """Add an image with its objects, or with its class."""
        written = WrittenSample()
        label = self._objects(sample, written) if self._answers is None else self._class(self._answers, sample, written)
        if label is not None:
            written.is_packed = True
            size = {"width": sample.place.width, "height": sample.place.height}
            self._packs.add(sample, split, suffix, {**size, **label})
        return written

    def finish(self) -> Iterator[tuple[str, Iterator[bytes]]]:
        """The shards."""
        for split in self._splits:
            for shard in self._packs.shards(split):
                name = f"data/{split}-{shard.number:05d}-of-{shard.of:05d}.parquet"
                yield name, _file(self._schema, shard.images)

    def _objects(self, sample: Sample, written: WrittenSample) -> dict[str, Any]:
        written.leave_classifications(sample)
        return {"objects": columns_of(sample, self._classes, written, min_box_size=self._least)}

    def _class(self, answers: Answers, sample: Sample, written: WrittenSample) -> dict[str, Any] | None:
        written.leave_other_answers(sample, answers.question)
        class_name = answers.only_class(sample, written)
        return None if class_name is None else {"label": self._classes.number(class_name)}


def _file(schema: Any, images: Iterable[tuple[PackedImage, bytes]]) -> Iterator[bytes]:
    """A file in Parquet, block by block."""
    taken = _Taken()
    # Images are compressed already, and no two are equal.
    writer: Any = pyarrow.parquet.ParquetWriter(
        Sink(taken), schema, compression="snappy", use_dictionary=False, write_statistics=False
    )
    for rows in _groups(images):
        writer.write_table(pyarrow.Table.from_pylist(rows, schema=schema))
        yield from taken.blocks()
    writer.close()
    yield from taken.blocks()


def _groups(images: Iterable[tuple[PackedImage, bytes]]) -> Iterator[list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    size = 0
    for image, content in images:
        about = {"bytes": content, "path": image.name + image.suffix}
        rows.append({"image": about, "image_id": image.name, **image.label})
        size += len(content)
        if len(rows) == _ROWS_PER_GROUP or size >= _BYTES_PER_GROUP:
            yield rows
            rows, size = [], 0
    if rows:
        yield rows


class _Taken:
    """A file that keeps what is written until it is taken."""

    def __init__(self) -> None:
        self._blocks: list[bytes] = []

    def write(self, data: bytes, /) -> None:
        self._blocks.append(data)

    def close(self) -> None:
        """Do nothing: there is no file."""

    def blocks(self) -> list[bytes]:
        """What was written since the last call."""
        blocks, self._blocks = self._blocks, []
        return blocks


def _schema(class_names: Sequence[str], *, classified: bool) -> Any:
    """The columns. What the library makes of them is in the metadata, in words that its older versions read, too."""
    label = {"names": list(class_names), "_type": "ClassLabel"}
    number, text = {"dtype": "int64", "_type": "Value"}, {"dtype": "string", "_type": "Value"}
    box = _list_of({"dtype": "float64", "_type": "Value"})
    features: dict[str, Any] = {"image": {"_type": "Image"}, "image_id": text, "width": number, "height": number}
    columns = {"image": _IMAGE, "image_id": pyarrow.string(), "width": pyarrow.int64(), "height": pyarrow.int64()}
    if classified:
        features["label"] = label
        columns["label"] = pyarrow.int64()
    else:
        features["objects"] = {"bbox": _list_of(box), "categories": _list_of(label)}
        columns["objects"] = _OBJECTS
    metadata = {"huggingface": json.dumps({"info": {"features": features}}, ensure_ascii=False)}
    return pyarrow.schema(columns, metadata=metadata)


def _list_of(feature: dict[str, Any]) -> dict[str, Any]:
    return {"feature": feature, "length": -1, "_type": "Sequence"}
