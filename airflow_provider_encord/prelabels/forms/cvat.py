"""CVAT's XML 1.1, for images and for videos.

An image is found by its name; if that is a frame of a video task (``frame_000012``), by the video of the task and the
id of the image. A track is an object of the video of its task, which is named by ``source`` or ``name`` in ``meta``.
Its shapes outside of the image (``outside="1"``) are not there. Attributes become answers, tags become classifications.
Attributes that change within a track need a dynamic attribute in the ontology.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.packed_lines import DamagedFileError, unpacked
from airflow_provider_encord.prelabels.features import WrongLabelsError
from airflow_provider_encord.prelabels.forms.converting import Converter
from airflow_provider_encord.prelabels.forms.cvat_shapes import shapes_of
from airflow_provider_encord.prelabels.forms.files import files_of
from airflow_provider_encord.prelabels.forms.items import Entry, Item, Tag, Wrong
from airflow_provider_encord.prelabels.forms.names import Spot, Spots, without_query
from airflow_provider_encord.prelabels.forms.scale import Scale, number
from airflow_provider_encord.prelabels.forms.spec import FormSpec
from airflow_provider_encord.prelabels.forms.units import Units
from airflow_provider_encord.prelabels.sources import Prelabel
from airflow_provider_encord.prelabels.streams.spool import Spool
from airflow_provider_encord.prelabels.streams.xml_stream import Node, parts
from airflow_provider_encord.storage_paths import StoragePath

_SUFFIXES = (".xml", ".xml.gz", ".xml.zst")
_ATTRIBUTE = "attribute"
_NO_SHAPES = b"null"
_MOST_DIGITS = 9  # of the number of a frame
_TRUE = ("1", "true", "True")


class _Task(msgspec.Struct, frozen=True):
    """A task of CVAT: the names of its video, and the size of its frames."""

    names: list[str]
    width: str | None
    height: str | None


class _Picture(msgspec.Struct, frozen=True):
    """An image of the document; or the video of a task, for its tracks."""

    task: str | None
    id: str | None = None
    name: str | None = None
    width: str | None = None
    height: str | None = None


class _Document:
    """The tasks of a document. Its images and tracks are in the spool, by picture."""

    def __init__(self, path: StoragePath, spool: Spool) -> None:
        self.name, self._spool = path.name, spool
        self.tasks: dict[str | None, _Task] = {}
        try:
            for part in parts(unpacked(path, "source"), "annotations", f"source: {path}"):
                self._take(part)
        except DamagedFileError as error:
            raise InvalidArgumentError(f"source: {error.message}") from None

    def _take(self, part: Node) -> None:
        task = part.attributes.get("task_id")
        if part.name == "meta":
            self._tasks(part)
        elif part.name == "image":
            values = (part.attributes.get(name) for name in ("id", "name", "width", "height"))
            self._add(_Picture(task, *values), part.children)
        elif part.name == "track":
            shared = [child for child in part.children if child.name == _ATTRIBUTE]
            shapes = [child for child in part.children if child.name != _ATTRIBUTE]
            drawn = [child for child in shapes if child.attributes.get("outside") not in _TRUE]
            for child in drawn:
                child.children = [*shared, *child.children]
                child.attributes |= {"label": part.attributes.get("label", ""), "track": part.attributes.get("id", "")}
            self._add(_Picture(task), drawn)

    def _add(self, picture: _Picture, nodes: list[Node]) -> None:
        key = msgspec.json.encode(picture).decode()
        self._spool.add(key, _NO_SHAPES)
        for node in nodes:
            self._spool.add(key, msgspec.json.encode(node))

    def _tasks(self, meta: Node) -> None:
        """The tasks that the head of the document describes: one, or those of a project."""
        project = meta.child("project", "tasks")
        single = meta.child("task")
        for task in [*(project.children if project else ()), *([single] if single else ())]:
            texts = {child.name: child.text.strip() for child in task.children}
            size = task.child("original_size") or meta.child("original_size") or Node("", {})
            sides = {child.name: child.text.strip() for child in size.children}
            names = [texts[name] for name in ("source", "name") if texts.get(name)]
            self.tasks[texts.get("id")] = _Task(names, sides.get("width"), sides.get("height"))
            if single is not None:
                self.tasks[None] = self.tasks[texts.get("id")]


def cvat_lines(source: StoragePath, spec: FormSpec, spots: Spots, converter: Converter) -> Iterator[Prelabel]:  # noqa: ARG001 - as for other forms
    """The lines of CVAT's files, one for each data unit that a file shows.

    :raises InvalidArgumentError: A file is not XML of CVAT.
    """
    for _, path in files_of(source, _SUFFIXES):
        with Spool() as spool:
            document = _Document(path, spool)
            yield from _lines(document, spool, spots, converter)


def _lines(document: _Document, spool: Spool, spots: Spots, converter: Converter) -> Iterator[Prelabel]:
    keys = [(key, msgspec.json.decode(key, type=_Picture)) for key in spool.keys()]  # noqa: SIM118 - not a dictionary
    units = Units(keys, lambda key: _spot(document, key[1], spots), lambda key: _place(document, key[1]))
    yield from units.wrong
    for place, shown in units:
        entries: list[Entry] = []
        size = 0
        for (key, picture), spot in shown:
            for content in spool.entries(key):
                size += len(content)
                if content != _NO_SHAPES:
                    node = msgspec.json.decode(content, type=Node)
                    entries.append(_entry(document, picture, node, spot, converter))
        yield converter.line(place, shown[0][1].row, entries, size=size)


def _place(document: _Document, picture: _Picture) -> str:
    if picture.id is None:
        return f"{document.name}, tracks of task {picture.task or 'without id'}"
    return f"{document.name}, image {picture.id} ({without_query(str(picture.name))[:200]})"


def _spot(document: _Document, picture: _Picture, spots: Spots) -> Spot:
    task = document.tasks.get(picture.task)
    if picture.name is None:
        if task is None or not task.names:
            raise WrongLabelsError("meta: it has no task with a source or a name, which names the video of tracks.")
        return _first(spots, task.names)
    try:
        return spots.find(picture.name)
    except WrongLabelsError:
        if task is None or not task.names or not _is_frame(picture.id or ""):
            raise
        spot = _first(spots, task.names, otherwise=picture.name)
        return msgspec.structs.replace(spot, frame=int(picture.id or 0))


def _first(spots: Spots, names: list[str], otherwise: str | None = None) -> Spot:
    """The data unit with the first of these names that one has.

    :param otherwise: The name for the message, if none has.
    """
    for name in names:
        try:
            return spots.find(name)
        except WrongLabelsError:
            continue
    return spots.find(otherwise or names[0])


def _entry(document: _Document, picture: _Picture, node: Node, spot: Spot, converter: Converter) -> Entry:
    attributes = {child.attributes.get("name", ""): child.text for child in node.children if child.name == _ATTRIBUTE}
    answers = {name: text for name, text in attributes.items() if text.strip()}
    label = node.attributes.get("label", "")
    frame = node.attributes.get("frame")
    where = f"{node.name} {label!r}" + (f" of track {node.attributes['track']}" if "track" in node.attributes else "")
    where += "" if frame is None else f" on frame {frame}"
    try:
        if node.name == "tag":
            frames = None if spot.frame is None else [[spot.frame, spot.frame]]
            return Tag(where=where, label=label, attributes=answers, frames=frames)
        scale = _scale(document, picture, spot)
        score = node.attributes.get("score")
        return Item(
            where=where,
            label=label,
            shapes=shapes_of(node, scale, spot, converter.template_of(label)),
            scale=scale,
            score=None if score is None else number(score, "score"),
            frame=spot.frame if frame is None else _frame(frame),
            track=node.attributes.get("track") or None,
            attributes=answers,
        )
    except WrongLabelsError as error:
        return Wrong(where=where, problem=str(error))


def _is_frame(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= _MOST_DIGITS


def _frame(text: str) -> int:
    if not _is_frame(text):
        raise WrongLabelsError(f"frame: {text[:40]!r} is not a number of a frame")
    return int(text)


def _scale(document: _Document, picture: _Picture, spot: Spot) -> Scale:
    task: Any = document.tasks.get(picture.task)
    width, height = picture.width or (task and task.width), picture.height or (task and task.height)
    if width and height:
        return Scale(number(width, "width"), number(height, "height"))
    return Scale(spot.width, spot.height)
