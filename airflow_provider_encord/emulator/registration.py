"""Turning one entry of an upload job into a data unit: the file is looked at, type and size are read off it.

What an entry says about its file (``imageMetadata``, ``videoMetadata``) is not believed: the file itself is read.
"""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable
from typing import Any

from . import media, organisation, workflow
from .clock import Clock
from .identifiers import new_uuid
from .objects import ObjectStore
from .store import Row, Store

Made = tuple[str, str, str]
"""Data hash, title and storage item of a new data unit."""


class UnitError(Exception):
    """This unit of a job fails; the text is shown to the client."""


def register(
    store: Store, objects: ObjectStore, clock: Clock, job: Row, kind: str, entry: dict[str, Any]
) -> Made | None:
    """Make a data unit of an entry; ``None`` if it was skipped as a duplicate.

    :param kind: ``images``, ``videos`` or ``imageGroups``.
    :raises UnitError: The file is not there, or not what it should be.
    """
    worker = _Worker(store, objects, clock, job["dataset"], job["integration"])
    if kind == "imageGroups":
        return worker.image_group(entry)
    url = entry["objectUrl"]
    if job["skip_duplicates"] and worker.is_there(url):
        if job["upsert_metadata"] and "clientMetadata" in entry:
            worker.renew_metadata(url, entry["clientMetadata"])
        return None
    read = media.image if kind == "images" else media.video
    return worker.single(entry, "image" if kind == "images" else "video", read)


def register_named(
    store: Store, objects: ObjectStore, clock: Clock, dataset: str, kind: str, data_hash: str, link: str, title: str
) -> None:
    """Make a data unit at once, under a hash that was promised with its upload URL (SDKs of 2022 do it this way).

    :raises UnitError: As :func:`register`.
    """
    worker = _Worker(store, objects, clock, dataset, None)
    read = media.image if kind == "image" else media.video
    worker.single({"objectUrl": link, "title": title}, kind, read, data_hash)


class _Worker:
    """Registers into one dataset."""

    def __init__(self, store: Store, objects: ObjectStore, clock: Clock, dataset: str, integration: str | None) -> None:
        self._store, self._objects, self._clock = store, objects, clock
        self._dataset, self._integration = dataset, integration

    def is_there(self, url: str) -> bool:
        sql = "SELECT 1 FROM data_units WHERE dataset = ? AND file_link = ?"
        return self._store.one(sql, self._dataset, url) is not None

    def renew_metadata(self, url: str, metadata: Any) -> None:
        sql = "UPDATE data_units SET client_metadata = ?, last_edited_at = ? WHERE dataset = ? AND file_link = ?"
        self._store.run(sql, _metadata(metadata), self._clock.stamp(), self._dataset, url)

    def single(
        self,
        entry: dict[str, Any],
        data_type: str,
        read: Callable[[pathlib.Path], media.Facts],
        data_hash: str | None = None,
    ) -> Made:
        url = entry["objectUrl"]
        facts = self._look(url, read)
        return self._insert(
            data_hash or new_uuid(), entry.get("title") or _base_name(url), data_type, facts, url, entry, None
        )

    def image_group(self, entry: dict[str, Any]) -> Made:
        now = self._clock.stamp()
        images = []
        for image in entry["images"]:
            facts = self._look(image["url"], media.image)
            images.append(
                {
                    "image_hash": new_uuid(),
                    "title": image.get("title") or _base_name(image["url"]),
                    "file_link": image["url"],
                    "file_type": facts.media_type,
                    "file_size": facts.size,
                    "storage_location": self._location(),
                    "created_at": now,
                    "last_edited_at": now,
                    "height": facts.height,
                    "width": facts.width,
                }
            )
        if not images:
            raise UnitError("an image group needs at least one image")
        first, size = images[0], sum(image["file_size"] for image in images)
        facts = media.Facts(first["file_type"], size, first["width"], first["height"], frames=len(images))
        return self._insert(new_uuid(), entry.get("title") or first["title"], "img_group", facts, None, entry, images)

    def _look(self, url: str, read: Callable[[pathlib.Path], media.Facts]) -> media.Facts:
        path = self._path(url)
        if path is None:
            raise UnitError(f"File not found: {url}")
        try:
            return read(path)
        except ValueError as problem:
            raise UnitError(f"{url}: {problem}") from None

    def _path(self, url: str) -> pathlib.Path | None:
        if self._integration is None:
            found = self._objects.find(url)
            return found[0] if found is not None else None
        path = organisation.bucket_file(self._store, self._integration, url)
        if path is not None:
            # So that a signed URL of this data unit serves the file where it lies.
            sql = "INSERT OR REPLACE INTO objects VALUES (?, NULL, ?, ?)"
            self._store.run(sql, url, path.stat().st_size, str(path))
        return path

    def _location(self) -> int:
        sql = "SELECT storage_location FROM datasets WHERE uuid = ?"
        return int(self._store.value(sql, self._dataset))

    def _insert(
        self,
        data_hash: str,
        title: str,
        data_type: str,
        facts: media.Facts,
        link: str | None,
        entry: dict[str, Any],
        images: list[dict[str, Any]] | None,
    ) -> Made:
        now, item = self._clock.stamp(), new_uuid()
        self._store.run(
            f"INSERT INTO data_units VALUES (NULL{', ?' * 18})",  # noqa: S608 - question marks
            *(data_hash, self._dataset, title, data_type, now, now),
            *(facts.width, facts.height, facts.frames, facts.fps, facts.duration),
            *(link, facts.size, facts.media_type, self._location()),
            _metadata(entry.get("clientMetadata")),
            json.dumps(images) if images is not None else None,
            item,
        )
        self._store.run("UPDATE datasets SET last_edited_at = ? WHERE uuid = ?", now, self._dataset)
        for project in self._store.column("SELECT project FROM project_datasets WHERE dataset = ?", self._dataset):
            workflow.open_tasks(self._store, project, [data_hash], now)
        return data_hash, title, item


def _metadata(metadata: Any) -> str | None:
    return json.dumps(metadata) if metadata else None


def _base_name(url: str) -> str:
    return url.rstrip("/").rpartition("/")[2]
