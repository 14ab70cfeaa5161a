"""The page of all projects asks an object store itself: its file system may answer from what it listed last."""

from __future__ import annotations

import datetime
import uuid
from pathlib import Path
from typing import Any

from airflow.providers.common.compat.sdk import ObjectStoragePath

from airflow_provider_encord.history.records import LabelsSeen, record_of
from airflow_provider_encord.history.store import ProjectStore, new_name
from airflow_provider_encord.project_pages.catalog import Catalog
from tests.object_stores import Objects, attach_store

NOW = datetime.datetime(2026, 11, 30, 12, tzinfo=datetime.UTC)


def _add(root: Any, number: int, labelled: int) -> None:
    project_id = str(uuid.UUID(int=number))
    fact, moment = LabelsSeen(rows=10, labelled=labelled), NOW + datetime.timedelta(seconds=labelled)
    ProjectStore(root, project_id).append([record_of(project_id, fact, moment)], new_name(moment))


def _done(catalog: Catalog) -> list[int]:
    return [listed.glance.last.done for listed in catalog.all(NOW) if listed.glance.last]


def test_what_another_process_writes_is_shown_at_once() -> None:
    objects = Objects()
    for protocol in ("one", "other"):
        attach_store(objects, protocol)
    reader, writer = (ObjectStoragePath(f"{protocol}://bucket/history") for protocol in ("one", "other"))
    catalog = Catalog(reader)
    assert _done(catalog) == []
    _add(writer, 1, labelled=3)
    assert _done(catalog) == [3]
    _add(writer, 2, labelled=4)
    _add(writer, 1, labelled=5)
    assert _done(catalog) == [5, 4]
    assert catalog.one(str(uuid.UUID(int=1)), NOW) is not None
    _add(writer, 1, labelled=7)
    page = catalog.one(str(uuid.UUID(int=1)), NOW)
    assert page is not None
    assert page.progress.points[-1].done == 7


def test_a_history_that_could_not_be_read_is_read_again(tmp_path: Path) -> None:
    """Its files have the names that they had."""
    _add(tmp_path, 1, labelled=3)
    (file,) = tmp_path.rglob("new-*.jsonl")
    content = file.read_bytes()
    file.unlink()
    file.mkdir()
    catalog = Catalog(tmp_path)
    (listed,) = catalog.all(NOW)
    assert listed.glance.last is None
    file.rmdir()
    file.write_bytes(content)
    assert _done(catalog) == [3]
