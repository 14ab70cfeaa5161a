"""CSV and Parquet: a table of predictions, with a row for each box.

Columns (in any order, and of any case): the data unit, the class, and the coordinates of the box are needed; score,
frame and id may be there. A row without class and coordinates is a data unit without objects. Rows of a data unit need
not be together: they are sorted on the worker's disk.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.prelabels.features import WrongLabelsError
from airflow_provider_encord.prelabels.forms.converting import Converter
from airflow_provider_encord.prelabels.forms.files import files_of
from airflow_provider_encord.prelabels.forms.items import Entry, Item, Wrong
from airflow_provider_encord.prelabels.forms.names import Spot, Spots, images_of, without_query
from airflow_provider_encord.prelabels.forms.scale import Scale, number
from airflow_provider_encord.prelabels.forms.shapes import box, upright_box
from airflow_provider_encord.prelabels.forms.spec import PARQUET, PIXELS, FormSpec
from airflow_provider_encord.prelabels.forms.units import Units
from airflow_provider_encord.prelabels.matching import CLIENT_METADATA, TITLE
from airflow_provider_encord.prelabels.sources import Prelabel
from airflow_provider_encord.prelabels.streams.parquet_rows import parquet_columns, parquet_rows
from airflow_provider_encord.prelabels.streams.spool import Spool
from airflow_provider_encord.sources.rows import csv_columns, csv_rows
from airflow_provider_encord.storage_paths import StoragePath

log = logging.getLogger(__name__)

_TITLES = ("title", "data_title", "file_name", "filename", "image", "image_path", "path")
_CLASSES = ("class", "class_name", "label", "category")
_SCORES = ("score", "confidence")
_FRAMES = ("frame",)
_IDS = ("id", "track_id")


def _from_corners(left: float, top: float, right: float, bottom: float) -> tuple[float, ...]:
    return left, top, right - left, bottom - top


def _from_centre(x: float, y: float, width: float, height: float) -> tuple[float, ...]:
    return x - width / 2, y - height / 2, width, height


def _from_size(left: float, top: float, width: float, height: float) -> tuple[float, ...]:
    return left, top, width, height


_BOXES: dict[tuple[str, ...], Callable[..., tuple[float, ...]]] = {
    ("xmin", "ymin", "xmax", "ymax"): _from_corners,
    ("x1", "y1", "x2", "y2"): _from_corners,
    ("x_center", "y_center", "width", "height"): _from_centre,
    ("x", "y", "w", "h"): _from_size,
    ("x", "y", "width", "height"): _from_size,
    ("left", "top", "width", "height"): _from_size,
}
"""How boxes are written. The first that a table has all columns of is read: ``width`` may be that of the image."""


class _Columns(msgspec.Struct, frozen=True, kw_only=True):
    """The columns that are read."""

    unit: str
    label: str
    box: tuple[str, ...]
    from_box: Callable[..., tuple[float, ...]]
    score: str | None
    frame: str | None
    id: str | None

    @property
    def names(self) -> list[str]:
        """Their names."""
        return [name for name in (self.unit, self.label, *self.box, self.score, self.frame, self.id) if name]


def table_lines(source: StoragePath, spec: FormSpec, spots: Spots, converter: Converter) -> Iterator[Prelabel]:
    """The lines of tables, one for each data unit that a file names.

    :raises InvalidArgumentError: A file cannot be read, or a column is missing.
    """
    for name, path in files_of(source, (f".{spec.format}",)):
        with Spool() as spool:
            columns = _columns(path, spec.format, spots.match_by)
            rows = parquet_rows(path, columns.names) if spec.format == PARQUET else csv_rows(path, "source")
            for row in rows:
                unit = row.fields.get(columns.unit)
                if unit is None:
                    problem = f"{columns.unit}: it is missing, but match_by needs it."
                    yield Prelabel(place=f"{name}, {row.where}", content={}, problem=problem)
                    continue
                read = [row.fields.get(column) for column in columns.names]
                spool.add(str(unit), msgspec.json.encode([row.where, read]))
            yield from _lines(name, spool, columns, spec, spots, converter)


def _lines(
    name: str, spool: Spool, columns: _Columns, spec: FormSpec, spots: Spots, converter: Converter
) -> Iterator[Prelabel]:
    units = Units(spool.keys(), spots.find, lambda unit: f"{name}, {columns.unit} {without_query(unit)[:200]}")
    yield from units.wrong
    for place, parts in units:
        entries: list[Entry] = []
        size = 0
        for unit, spot in parts:
            for content in spool.entries(unit):
                where, read = msgspec.json.decode(content)
                size += len(content)
                entries += _entries(where, dict(zip(columns.names, read, strict=True)), columns, spec, spot)
        yield converter.line(place, parts[0][1].row, entries, size=size)


def _entries(where: str, fields: Mapping[str, Any], columns: _Columns, spec: FormSpec, spot: Spot) -> Iterator[Entry]:
    needed = [fields.get(name) for name in (columns.label, *columns.box)]
    if all(value is None for value in needed):
        return  # a data unit without objects
    try:
        yield _item(where, fields, columns, spec, spot)
    except WrongLabelsError as error:
        yield Wrong(where=where, problem=str(error))


def _item(where: str, fields: Mapping[str, Any], columns: _Columns, spec: FormSpec, spot: Spot) -> Item:
    missing = next((name for name in (columns.label, *columns.box) if fields.get(name) is None), None)
    if missing is not None:
        raise WrongLabelsError(f"{missing}: it is missing")
    frame = spot.frame if columns.frame is None else _frame(fields.get(columns.frame), spot)
    sides = columns.from_box(*(number(fields[name], name) for name in columns.box))
    scale = _scale(spec, spot, frame)
    score = fields.get(columns.score or "")
    return Item(
        where=where,
        label=str(fields[columns.label]),
        shapes={
            "bounding_box": lambda: box(scale, *sides),
            "rotatable_bounding_box": lambda: upright_box(scale, *sides),
        },
        scale=scale,
        score=None if score is None else number(score, columns.score or ""),
        frame=frame,
        track=fields.get(columns.id or ""),
    )


def _frame(value: Any, spot: Spot) -> int | None:
    if value is None:
        return spot.frame
    frame = number(value, "frame")
    if not frame.is_integer() or frame < 0:
        raise WrongLabelsError(f"frame: {str(value)[:40]!r} is not a number of a frame, from 0")
    return int(frame)


def _scale(spec: FormSpec, spot: Spot, frame: int | None) -> Scale:
    if spec.coordinates != PIXELS:
        return Scale(1, 1)
    image = dict(images_of(spot.row)).get(frame or 0)
    return Scale(spot.width, spot.height) if image is None else Scale(image.width, image.height)


def _columns(path: StoragePath, format_: str, match_by: str) -> _Columns:
    """Find the columns of a table.

    :raises InvalidArgumentError: A column is missing, or two columns have the same meaning.
    """
    names = parquet_columns(path) if format_ == PARQUET else csv_columns(path, "source")
    known = {name.lower(): name for name in names}
    units = _TITLES if match_by == TITLE else (match_by.lower(), match_by.lower().removeprefix(CLIENT_METADATA))
    drawn = next((columns for columns in _BOXES if all(column in known for column in columns)), None)
    if drawn is None:
        written = "; ".join(", ".join(columns) for columns in _BOXES)
        raise InvalidArgumentError(f"source: {path} has no columns of a box. Name them {written}.")
    columns = _Columns(
        unit=_one_of(path, known, units, "the data unit"),
        label=_one_of(path, known, _CLASSES, "the class"),
        box=tuple(known[column] for column in drawn),
        from_box=_BOXES[drawn],
        score=_some_of(path, known, _SCORES),
        frame=_some_of(path, known, _FRAMES),
        id=_some_of(path, known, _IDS),
    )
    others = [name for name in names if name not in columns.names]
    if others:
        log.info("%s: the columns %s are not read.", path.name, ", ".join(others))
    return columns


def _some_of(path: StoragePath, known: Mapping[str, str], names: Sequence[str]) -> str | None:
    found = [known[name] for name in dict.fromkeys(names) if name in known]
    if len(found) > 1:
        raise InvalidArgumentError(f"source: {path} has the columns {' and '.join(found)}. Keep one of them.")
    return found[0] if found else None


def _one_of(path: StoragePath, known: Mapping[str, str], names: Sequence[str], what: str) -> str:
    found = _some_of(path, known, names)
    if found is None:
        raise InvalidArgumentError(
            f"source: {path} has no column of {what}. Name it {' or '.join(dict.fromkeys(names))}."
        )
    return found
