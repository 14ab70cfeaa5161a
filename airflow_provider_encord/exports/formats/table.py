"""Label rows as a flat table: one row for each object or classification on each of its frames or ranges.

`FIELDS` is the schema of the table. Parquet and JSON Lines are written from it, and the reference and the schemas for
warehouses (`airflow_provider_encord.schemas`) are made from it. New fields are added at the end.
"""

from __future__ import annotations

import collections
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import msgspec

from airflow_provider_encord.client.api.labels import LabelRow
from airflow_provider_encord.exports.formats import geometry
from airflow_provider_encord.exports.formats.annotations import Annotation, LeftOut, records_of
from airflow_provider_encord.exports.formats.answers import Names
from airflow_provider_encord.exports.formats.everywhere import annotations_everywhere
from airflow_provider_encord.exports.formats.extents import NO_EXTENT, Extent, extent_of
from airflow_provider_encord.exports.formats.values import time_of

TEXT = "text"
INTEGER = "integer"
NUMBER = "number"
BOOLEAN = "boolean"
TIME = "time"
JSON = "json"


class Item(msgspec.Struct, frozen=True):
    """What a row of the table is made of.

    :param row: The label row, decoded.
    :param project_id: The project's id; None if it is not known.
    :param stage: Title of the workflow stage of the label row; None if it is not known.
    """

    row: Mapping[str, Any]
    annotation: Annotation
    extent: Extent
    project_id: str | None
    stage: str | None


class Field(msgspec.Struct, frozen=True):
    """A column of the table.

    :param type: `TEXT`, `INTEGER` (64 bits), `NUMBER` (double precision), `BOOLEAN`, `TIME` (UTC) or `JSON`.
    :param meaning: For readers of the reference.
    :param value: Reads its value, which has the type of the field or is None; `msgspec.Raw` for `JSON`.
    """

    name: str
    type: str
    meaning: str
    value: Callable[[Item], Any]


def text(value: Any) -> str | None:
    """A text unchanged; other values as JSON, because a column has one type."""
    return value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()


def int64(value: int | None, name: str) -> int | None:
    """Check that an integer fits into a column.

    :raises ValueError: It is too large.
    """
    if value is not None and not -(2**63) <= value < 2**63:
        raise ValueError(f"{name}: {str(value)[:40]} has more than 64 bits")
    return value


def _json(value: Any) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(value))


def _unchanged(value: Any) -> Any:
    return value


def _of_row(name: str, meaning: str, key: str | None = None) -> Field:
    return Field(name, TEXT, meaning, lambda item: text(item.row.get(key or name)))


def _time_of_row(name: str, meaning: str, key: str) -> Field:
    return Field(name, TIME, meaning, lambda item: time_of(item.row.get(key)))


def _of_place(name: str, meaning: str, key: str | None = None) -> Field:
    return Field(name, TEXT, meaning, lambda item: text(getattr(item.annotation.place, key or name)))


def _size(name: str, meaning: str) -> Field:
    return Field(name, INTEGER, meaning, lambda item: int64(getattr(item.annotation.place, name), name))


def _of_span(name: str, type_: str, meaning: str, key: str) -> Field:
    def value(item: Item) -> Any:
        found = getattr(item.annotation.place.span, key, None)
        return int64(found, name) if type_ == INTEGER else found

    return Field(name, type_, meaning, value)


def _of_annotation(name: str, meaning: str, type_: str = TEXT) -> Field:
    read: Callable[[Any], Any] = {TEXT: text, JSON: _json}.get(type_, _unchanged)
    return Field(name, type_, meaning, lambda item: read(getattr(item.annotation, name)))


def _of_box(name: str, number: int, meaning: str) -> Field:
    return Field(name, NUMBER, meaning, lambda item: item.extent.box and item.extent.box[number])


FIELDS: tuple[Field, ...] = (
    _of_row("label_hash", "hash of the label row"),
    _of_row("data_hash", "data hash of the data unit that the label row is about"),
    _of_row("data_title", "title of that data unit"),
    _of_row("dataset_hash", "the dataset that the data unit is in"),
    _of_row("branch", "the label branch", "branch_name"),
    _of_row("data_type", "`image`, `video`, `img_group`, `audio`, `plain_text`, `group`, `scene`, ..."),
    _of_place("unit", "data hash of the image in an image group, or of the file in a data group; else as `data_hash`"),
    _size(
        "frame",
        "number of the frame, of the image in its group, of the page or of the slice; 0 for an image; null for a "
        "range, and for a classification of the whole data unit",
    ),
    _size("width", "width of the image in pixels; null where there are none"),
    _size("height", "height of the image in pixels"),
    _of_annotation("kind", "`object` or `classification`"),
    _of_annotation("hash", "hash of the object or classification; the same on all frames and ranges"),
    _of_annotation("feature_hash", "hash of the ontology's object or classification"),
    _of_annotation("name", "name of the ontology's object or classification: the class"),
    _of_annotation("shape", "shape of an object, such as `bounding_box`, `audio` or `text`"),
    Field(
        "geometry",
        JSON,
        "geometry as Encord has it, by its key, in fractions of width and height; null without one",
        lambda item: _json(item.annotation.geometry) if item.annotation.geometry else None,
    ),
    _of_box("box_x", 0, "left of the box around the object, parallel to the axes, in pixels; null where it has none"),
    _of_box("box_y", 1, "top of that box"),
    _of_box("box_w", 2, "width of that box"),
    _of_box("box_h", 3, "height of that box"),
    _of_annotation("answers", "attributes and their answers here, by name", JSON),
    _of_annotation("confidence", "0 to 1", NUMBER),
    Field(
        "manual",
        BOOLEAN,
        "whether a person drew it",
        lambda item: item.annotation.manual if isinstance(item.annotation.manual, bool) else None,
    ),
    _of_annotation("created_by", "who made it"),
    _of_annotation("created_at", "when it was made", TIME),
    _of_annotation("last_edited_by", "who edited it last"),
    _of_annotation("last_edited_at", "when it was edited last", TIME),
    Field("project_id", TEXT, "the project's id", lambda item: item.project_id),
    _of_row("dataset_title", "title of the dataset"),
    _of_place("unit_title", "title of the image or file that `unit` names"),
    Field(
        "area",
        NUMBER,
        "pixels that the object covers, without holes; null where it has no area",
        lambda item: item.extent.area,
    ),
    Field("rotation", NUMBER, "degrees clockwise, of shapes that can be rotated", lambda item: item.extent.rotation),
    _of_span("range_start", INTEGER, "first position of a range, in `range_unit`; null on frames", "start"),
    _of_span("range_end", INTEGER, "last position of the range, included; null if it has no end", "end"),
    _of_span(
        "range_unit",
        TEXT,
        "`milliseconds` (audio), `characters` (text, HTML), `nanoseconds` (from the start of a recorded scene) or "
        "`axis` (as the axis of the time series counts)",
        "unit",
    ),
    _of_span("range_start_xpath", TEXT, "in HTML, the node in which `range_start` counts", "start_xpath"),
    _of_span("range_end_xpath", TEXT, "in HTML, the node in which `range_end` counts", "end_xpath"),
    _of_place("space", "id of the space, in data groups and scenes; null outside of spaces"),
    _of_place("space_type", "`image`, `video`, `audio`, `point_cloud`, ..."),
    _of_place("layout_key", "key of the file in the layout of its data group"),
    _of_place("stream", "id of the sensor's stream, in scenes"),
    _of_annotation("interpolation", "in recorded scenes, how the object moves until its next row: `hold` or `linear`"),
    _of_place("instance_uid", "DICOM instance UID of the slice"),
    _of_row("label_status", "status of the label row; meaningless in projects with a workflow"),
    _of_row("annotation_task_status", "status of the task of the label row, in projects without a workflow"),
    _time_of_row("label_row_created_at", "when the label row was created", "created_at"),
    _time_of_row("label_row_last_edited_at", "when the label row was last saved", "last_edited_at"),
    Field(
        "stage",
        TEXT,
        "title of the workflow stage that the label row was in when the export listed it",
        lambda item: item.stage,
    ),
)


class TableReader:
    """Makes the rows of the table: tuples of values in the order of `FIELDS`.

    :param structure: Structure of the ontology.
    """

    def __init__(self, structure: Mapping[str, Any], project_id: str | None = None):
        self._names = Names(structure)
        self._project_id = project_id
        self._left_out: collections.Counter[str] = collections.Counter()

    def rows(self, row: LabelRow) -> Iterator[tuple[Any, ...]]:
        """The rows of a label row; none before it is known that all of them can be made.

        :raises UnexpectedResponseError: The content cannot be read; the error names the label row.
        """
        for record in records_of(row, functools.partial(self._records, stage=row.stage)):
            if isinstance(record, str):
                self._left_out[record] += 1
            else:
                yield record

    @property
    def left_out(self) -> dict[str, int]:
        """The number of items that the rows do not contain, by reason."""
        return dict(sorted(self._left_out.items()))

    def _records(self, document: Mapping[str, Any], stage: str | None) -> Iterator[tuple[Any, ...] | str]:
        """The rows, and the reasons for items that are left out. Malformed geometry is kept as JSON, without a box."""
        for annotation in annotations_everywhere(document, self._names):
            if isinstance(annotation, LeftOut):
                yield f"{annotation.kind}: {annotation.reason}"
                continue
            extent = NO_EXTENT
            try:
                extent = extent_of(annotation)
            except geometry.MalformedGeometryError:
                yield f"{annotation.kind}: box of {geometry.MALFORMED}"
            item = Item(document, annotation, extent, self._project_id, stage)
            yield tuple(field.value(item) for field in FIELDS)
