"""Turning one entry of an upload job into storage items, and into a data row if the job is a dataset's.

In two steps: :func:`prepare` looks at the files, :func:`make` writes. Between them lies the decision of a job whose
errors count: nothing is made of it unless every entry can be. What an entry says about its file (``imageMetadata`` and
the like) is taken in place of what could be read off it, as Encord does, but the file must be there.
"""

from __future__ import annotations

import dataclasses
import json
import pathlib
from collections.abc import Callable, Collection
from typing import Any

from ..media import dicom_labels
from ..media import facts as media
from ..media.facts import Facts
from ..people import organisation
from ..state.clock import Clock
from ..state.objects import ObjectStore
from ..state.store import Row, Store
from ..storage import items, linking
from ..wire.identifiers import is_uuid, new_uuid

Made = tuple[str | None, str, str]
"""Data hash (``None`` if no dataset took it in), name and UUID of a new storage item."""


class UnitError(Exception):
    """This unit of a job fails; the text is shown to the client."""


@dataclasses.dataclass(frozen=True)
class Kind:
    """A kind of entry that is one file.

    :param given: Name of the field in which the entry itself may state the facts.
    :param usual_type: Media type if neither the content nor the upload nor a name shows another one.
    """

    item_type: str
    read: Callable[[pathlib.Path], Facts]
    given: str | None = None
    usual_type: str | None = None


SINGLE = {
    "images": Kind("image", media.image, "imageMetadata"),
    "videos": Kind("video", media.video, "videoMetadata"),
    "audio": Kind("audio", media.audio, "audioMetadata", "audio/mpeg"),
    "nifti": Kind("nifti", media.nifti),
    "text": Kind("plainText", media.text, "textMetadata", "text/plain"),
    "pdf": Kind("pdf", media.pdf, "pdfMetadata"),
    "timeSeries": Kind("timeseries", media.time_series, usual_type="text/csv"),
}
"""By the name of the list in ``dataItems``."""
_FRAMES = {"imageGroups": ("images", "image", media.image), "dicomSeries": ("dicomFiles", "dicomFile", media.dicom)}
"""Groups of new files: the field with the files, their item type, and how one is read."""
KINDS = (*SINGLE, *_FRAMES, "imageGroupsFromItems", "scenes")


@dataclasses.dataclass
class Plan:
    """What will be made of an entry: rows of the table of items (of a group also its files), the last one the item."""

    rows: list[dict[str, Any]]
    children: list[str] = dataclasses.field(default_factory=list)
    frames: list[dict[str, Any]] | None = None

    @property
    def links(self) -> list[str]:
        """The files that it is about."""
        return [row["file_link"] for row in self.rows if row.get("file_link") is not None]


def prepare(
    store: Store, objects: ObjectStore, job: Row, kind: str, entry: dict[str, Any], planned: Collection[str] = ()
) -> Plan | None:
    """Look at the files of an entry; ``None`` if it is skipped as a duplicate.

    :param kind: One of :data:`KINDS`.
    :param planned: Links and item ids of entries that are prepared, but not made yet.
    :raises UnitError: A file is not there, or not what it should be.
    """
    planner = _Planner(store, objects, job["folder"], job["integration"], job["creator"], planned)
    if kind == "imageGroupsFromItems":
        return planner.group_of_items(entry)
    if kind == "scenes":
        return planner.scene(entry)
    if kind in _FRAMES:
        return planner.group_of_files(entry, kind)
    url = entry["objectUrl"]
    if job["skip_duplicates"] and (url in planned or _is_there(store, job, url)):
        return None
    return planner.single(entry, SINGLE[kind])


def renew_metadata(store: Store, now: str, job: Row, entry: dict[str, Any]) -> None:
    """Give the item that an entry repeats the entry's client metadata, if the job is to (``upsertMetadata``)."""
    if not job["upsert_metadata"] or "clientMetadata" not in entry:
        return
    sql = "UPDATE items SET client_metadata = ?, last_edited_at = ? WHERE uuid IN ({})"
    which, *values = _duplicates(job, entry["objectUrl"])
    store.run(sql.format(which), as_text(entry["clientMetadata"]), now, *values)


def make(store: Store, now: str, job: Row, plan: Plan) -> Made:
    """Make the items that were planned, and their place in the dataset."""
    times = {"created_at": now, "last_edited_at": now}
    main = plan.rows[-1]
    if plan.frames is not None:
        main["images"] = json.dumps([{**frame, **times} for frame in plan.frames])
    items.insert(store, [{**row, **times} for row in plan.rows])
    items.set_children(store, main["uuid"], plan.children)
    rows = items.added(store, now, job["folder"], [main["uuid"]])
    if job["dataset"] not in (None, items.mirror_of(store, job["folder"])):
        rows = linking.link(store, now, job["dataset"], [main["uuid"]])
    return rows.get(main["uuid"]), main["name"], main["uuid"]


def register_named(
    store: Store,
    objects: ObjectStore,
    clock: Clock,
    dataset: str,
    folder: str,
    creator: str,
    kind: str,
    data_hash: str,
    link: str,
    title: str,
) -> None:
    """Make a data unit at once, under a hash that was promised with its upload URL (SDKs of 2022 do it this way).

    :param kind: ``images`` or ``videos``.
    :raises UnitError: As :func:`prepare`.
    """
    planner, now = _Planner(store, objects, folder, None, creator), clock.stamp()
    plan = planner.single({"objectUrl": link, "title": title}, SINGLE[kind])
    items.insert(store, [{**row, "created_at": now, "last_edited_at": now} for row in plan.rows])
    linking.link(store, now, dataset, [plan.rows[-1]["uuid"]], [data_hash])


def _duplicates(job: Row, url: str) -> tuple[str, ...]:
    """The items that make a URL a duplicate, as a query with its values: those of the dataset, else of the folder."""
    if job["dataset"] is not None:
        return "SELECT item_uuid FROM data_units WHERE dataset = ? AND file_link = ?", job["dataset"], url
    return "SELECT uuid FROM items WHERE folder = ? AND file_link = ?", job["folder"], url


def _is_there(store: Store, job: Row, url: str) -> bool:
    sql, *values = _duplicates(job, url)
    return store.one(sql, *values) is not None


class _Planner:
    """Plans items of one folder."""

    def __init__(
        self,
        store: Store,
        objects: ObjectStore,
        folder: str,
        integration: str | None,
        creator: str,
        planned: Collection[str] = (),
    ) -> None:
        self._store, self._objects, self._planned = store, objects, planned
        self._folder, self._integration, self._creator = folder, integration, creator

    def single(self, entry: dict[str, Any], kind: Kind) -> Plan:
        url = entry["objectUrl"]
        facts = self._look(url, kind.read, entry.get(kind.given) if kind.given else None)
        if facts.media_type is None and kind.usual_type is not None:
            found, names = self._objects.find(url), (_name(entry, url), url)
            stated = media.type_of(found[1] if found is not None else None, names)
            facts = dataclasses.replace(facts, media_type=stated or kind.usual_type)
        settings = entry.get("settings")
        more = {"settings": json.dumps(settings)} if settings is not None else {}
        return Plan([{**self._row(entry, kind.item_type, _name(entry, url), url, facts), **more}])

    def group_of_files(self, entry: dict[str, Any], kind: str) -> Plan:
        field, item_type, read = _FRAMES[kind]
        files = [self._file(file, item_type, read) for file in entry[field]]
        if not files:
            raise UnitError(f"{kind}: {field} needs at least one file")
        return self._group(entry, kind, files, new=files)

    def group_of_items(self, entry: dict[str, Any]) -> Plan:
        which = "SELECT * FROM items WHERE uuid = ? AND item_type = 'image'"
        files = []
        for uuid in entry["imageItems"]:
            row = self._store.one(which, uuid)
            if row is None:
                raise UnitError(f"imageItems: there is no image {uuid}")
            files.append(dict(row))
        if not files:
            raise UnitError("imageItems: needs at least one image")
        return self._group(entry, "imageGroups", files, new=[])

    def scene(self, entry: dict[str, Any]) -> Plan:
        """A scene; if it is one file that was uploaded, the file must be there."""
        content, url = json.dumps(entry["scene"]), entry["scene"].get("url")
        alone = self._integration is None and isinstance(url, str)
        facts = self._look(url, media.text, None) if alone else Facts("application/json", len(content))
        row = self._row(entry, "scene", entry["title"], None, facts)
        return Plan([{**row, "settings": content}])

    def _file(self, file: dict[str, Any], item_type: str, read: Callable[[pathlib.Path], Facts]) -> dict[str, Any]:
        url = file["url"]
        facts = self._look(url, read, file.get("imageMetadata"))
        if (tags := (file.get("dicomMetadata") or {}).get("tags")) is not None:
            facts = media.dicom_of_tags(tags, facts)
        row = self._row(file, item_type, _name(file, url), url, facts)
        return {**row, "dicom_frames": json.dumps(dicom_labels.frames([row]))} if item_type == "dicomFile" else row

    def _group(self, entry: dict[str, Any], kind: str, files: list[dict[str, Any]], new: list[dict[str, Any]]) -> Plan:
        first, size = files[0], sum(file["file_size"] or 0 for file in files)
        facts = Facts(first["file_type"], size, first["width"], first["height"], frames=len(files))
        if kind == "dicomSeries":
            item_type = "dicomSeries"
            shared = {name: first[name] for name in ("dicom_study", "dicom_series", "dicom_patient")}
            facts = dataclasses.replace(facts, frames=sum(file["frames"] for file in files), **shared)
        else:
            item_type = "imageSequence" if entry.get("createVideo") else "imageGroup"
        row = self._row({**entry, "placeholderItemUuid": None}, item_type, _name(entry, first["name"]), None, facts)
        if kind == "dicomSeries":
            row["dicom_frames"] = json.dumps(dicom_labels.frames(files))
        frames = None if kind == "dicomSeries" else [_frame(file) for file in files]
        return Plan([*new, row], [file["uuid"] for file in files], frames)

    def _row(self, entry: dict[str, Any], item_type: str, name: str, link: str | None, facts: Facts) -> dict[str, Any]:
        return {
            "uuid": self._uuid(entry.get("placeholderItemUuid")),
            "folder": self._folder,
            "item_type": item_type,
            "name": name,
            "client_metadata": as_text(entry.get("clientMetadata")),
            "owner": self._creator,
            "storage_location": items.location_of(link, self._integration),
            "integration": self._integration,
            "file_link": link,
            **facts.columns(),
        }

    def _uuid(self, placeholder: str | None) -> str:
        """The UUID that came with the upload URL, if one did: the item then has it."""
        if placeholder is None:
            return new_uuid()
        if not is_uuid(placeholder):
            raise UnitError("placeholderItemUuid: this is not a UUID")
        there = self._store.one("SELECT 1 FROM items WHERE uuid = ?", placeholder) is not None
        if there or placeholder in self._planned:
            raise UnitError(f"placeholderItemUuid: there is an item {placeholder} already")
        return placeholder

    def _look(self, url: str, read: Callable[[pathlib.Path], Facts], given: dict[str, Any] | None) -> Facts:
        path = self._path(url)
        if path is None:
            raise UnitError(f"File not found: {url}")
        try:
            return media.stated(given, path.stat().st_size) if given else read(path)
        except ValueError as problem:
            raise UnitError(f"{url}: {problem}") from None

    def _path(self, url: str) -> pathlib.Path | None:
        if self._integration is None:
            found = self._objects.find(url)
            return found[0] if found is not None else None
        path = organisation.bucket_file(self._store, self._integration, url)
        if path is not None:
            # So that a signed URL of this item serves the file where it lies.
            sql = "INSERT OR REPLACE INTO objects VALUES (?, NULL, ?, ?)"
            self._store.run(sql, url, path.stat().st_size, str(path))
        return path


def _frame(file: dict[str, Any]) -> dict[str, Any]:
    """An image of a group as data rows and labels show it."""
    return {
        "image_hash": new_uuid(),
        "title": file["name"],
        "file_link": file["file_link"],
        "file_type": file["file_type"],
        "file_size": file["file_size"],
        "storage_location": file["storage_location"],
        "height": file["height"],
        "width": file["width"],
    }


def as_text(metadata: Any) -> str | None:
    """Client metadata as it is stored."""
    return json.dumps(metadata) if metadata else None


def _name(entry: dict[str, Any], url: str) -> str:
    return entry.get("title") or url.rstrip("/").rpartition("/")[2]
