"""Label rows as a table of annotations in Parquet; needs the extra ``parquet``.

One row for each object or classification on each frame. Columns:

====================  ============  ==============================================================================
column                type          meaning
====================  ============  ==============================================================================
``label_hash``        string        of the label row
``data_hash``         string        of the data unit that the row is of
``data_title``        string        its title
``dataset_hash``      string        the dataset that it is in
``branch``            string        the label branch
``data_type``         string        ``image``, ``video``, ``img_group``, ...
``unit``              string        data hash of the image within an image group; else as ``data_hash``
``frame``             int64         number of the frame, or of the image in its group; 0 for an image; null for a
                                    classification of the whole data unit
``width, height``     int64         pixels; null where there are none
``kind``              string        ``object`` or ``classification``
``hash``              string        of the object or classification; the same on all frames
``feature_hash``      string        of the ontology's object or classification
``name``              string        its name
``shape``             string        of an object
``geometry``          string        JSON of the geometry as Encord has it, fractions of width and height
``box_x, box_y``      double        left and top of the box around the object, pixels; null where it has none
``box_w, box_h``      double        its width and height
``answers``           string        JSON: attributes and their answers on this frame, by name
``confidence``        double        0 to 1
``manual``            bool          whether a person drew it
``created_by``        string        who
``created_at``        timestamp     UTC, microseconds
``last_edited_by``    string        who
``last_edited_at``    timestamp     UTC, microseconds
====================  ============  ==============================================================================
"""

from __future__ import annotations

import collections
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from airflow_provider_encord.client.api.labels import LabelRow
from airflow_provider_encord.exports.formats import geometry
from airflow_provider_encord.exports.formats.annotations import Annotation, LeftOut, annotations_of, records_of
from airflow_provider_encord.exports.formats.answers import Names
from airflow_provider_encord.storage_paths import BinaryWriter

_ROWS_PER_GROUP = 20_000  # the most rows of a file in memory
_TEXTS = ("label_hash", "data_hash", "data_title", "dataset_hash", "branch", "data_type", "unit")


class ParquetEncoder:
    """See `formats.Encoder`.

    :param structure: Structure of the ontology.
    """

    def __init__(self, file: BinaryWriter, structure: Mapping[str, Any]):
        import pyarrow
        import pyarrow.parquet

        self._names = Names(structure)
        self._pyarrow = pyarrow
        self._schema = _schema(pyarrow)
        self._writer: Any = pyarrow.parquet.ParquetWriter(Sink(file), self._schema, compression="zstd")
        self._rows: list[dict[str, Any]] = []
        self._left_out: collections.Counter[str] = collections.Counter()

    def write(self, row: LabelRow) -> None:
        """Add the annotations of a label row."""
        for record in records_of(row, self._records):
            if isinstance(record, str):
                self._left_out[record] += 1
            else:
                self._rows.append(record)
                if len(self._rows) >= _ROWS_PER_GROUP:
                    self._flush()

    def finish(self) -> dict[str, int]:
        """Finish the file."""
        self._flush()
        self._writer.close()
        return dict(sorted(self._left_out.items()))

    def _records(self, document: Mapping[str, Any]) -> Iterator[dict[str, Any] | str]:
        """The rows, and the reasons for items that are left out. Malformed geometry is kept as JSON, without a box."""
        for annotation in annotations_of(document, self._names):
            if isinstance(annotation, LeftOut):
                yield f"{annotation.kind}: {annotation.reason}"
                continue
            box = None
            try:
                box = geometry.box_of(annotation) if annotation.place.width and annotation.place.height else None
            except geometry.MalformedGeometryError:
                yield f"{annotation.kind}: box of {geometry.MALFORMED}"
            yield _record(document, annotation, box)

    def _flush(self) -> None:
        rows, self._rows = self._rows, []
        if rows:
            self._writer.write_table(self._pyarrow.Table.from_pylist(rows, schema=self._schema))


class Sink:
    """A file object for pyarrow on top of an object that can only write."""

    closed = False

    def __init__(self, file: BinaryWriter):
        self._file = file
        self._written = 0

    def write(self, data: Any) -> int:
        content = bytes(data)
        self._file.write(content)
        self._written += len(content)
        return len(content)

    def tell(self) -> int:
        return self._written

    def flush(self) -> None:
        """Do nothing: the caller flushes the file."""

    def close(self) -> None:
        self.closed = True

    def readable(self) -> bool:
        return False

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False


def _schema(pyarrow: Any) -> Any:
    text, number, moment = pyarrow.string(), pyarrow.float64(), pyarrow.timestamp("us", tz="UTC")
    whole = pyarrow.int64()
    return pyarrow.schema(
        [
            *((name, text) for name in _TEXTS),
            *((name, whole) for name in ("frame", "width", "height")),
            *((name, text) for name in ("kind", "hash", "feature_hash", "name", "shape", "geometry")),
            *((name, number) for name in ("box_x", "box_y", "box_w", "box_h")),
            ("answers", text),
            ("confidence", number),
            ("manual", pyarrow.bool_()),
            ("created_by", text),
            ("created_at", moment),
            ("last_edited_by", text),
            ("last_edited_at", moment),
        ]
    )


def _record(row: Mapping[str, Any], annotation: Annotation, box: geometry.Box | None) -> dict[str, Any]:
    x, y, w, h = box or (None, None, None, None)
    return {
        "label_hash": _text(row.get("label_hash")),
        "data_hash": _text(row.get("data_hash")),
        "data_title": _text(row.get("data_title")),
        "dataset_hash": _text(row.get("dataset_hash")),
        "branch": _text(row.get("branch_name")),
        "data_type": _text(row.get("data_type")),
        "unit": annotation.place.unit,
        "frame": int64(annotation.place.frame, "frame"),
        "width": int64(annotation.place.width, "width"),
        "height": int64(annotation.place.height, "height"),
        "kind": annotation.kind,
        "hash": annotation.hash,
        "feature_hash": _text(annotation.feature_hash),
        "name": _text(annotation.name),
        "shape": _text(annotation.shape),
        "geometry": msgspec.json.encode(annotation.geometry).decode() if annotation.geometry else None,
        "box_x": x,
        "box_y": y,
        "box_w": w,
        "box_h": h,
        "answers": msgspec.json.encode(annotation.answers).decode(),
        "confidence": annotation.confidence,
        "manual": annotation.manual if isinstance(annotation.manual, bool) else None,
        "created_by": _text(annotation.created_by),
        "created_at": annotation.created_at,
        "last_edited_by": _text(annotation.last_edited_by),
        "last_edited_at": annotation.last_edited_at,
    }


def _text(value: Any) -> str | None:
    """A text unchanged; other values as JSON, because a column has one type."""
    return value if value is None or isinstance(value, str) else msgspec.json.encode(value).decode()


def int64(value: int | None, name: str) -> int | None:
    """Check that an integer fits into a column.

    :raises ValueError: It is too large.
    """
    if value is not None and not -(2**63) <= value < 2**63:
        raise ValueError(f"{name}: {str(value)[:40]} has more than 64 bits")
    return value
