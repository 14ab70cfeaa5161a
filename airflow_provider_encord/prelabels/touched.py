"""Label rows that somebody has saved since they were read. Encord has no conditional save, so look just before one."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from airflow_provider_encord.client.api.labels import LabelRowFilter
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.flows.label_rows import read_rows
from airflow_provider_encord.client.times import parse_time
from airflow_provider_encord.prelabels.labels import labels_of, substance

_JUST_NOW = 10.0  # seconds; generous, because the clocks of worker and Encord differ


def touched_since(
    client: EncordClient, project_id: str, branch: str, read: Mapping[str, Mapping[str, Any]]
) -> set[str]:
    """Return the label hashes of the rows that somebody has saved since they were read.

    The rows are listed again. Edit times may be rounded to seconds, so rows that were edited just now are read again
    and compared by their labels. An unreadable row counts as saved.

    :param read: The rows as they were read, by label hash.
    """
    if not read:
        return set()
    which = LabelRowFilter(branch_name=branch, label_hashes=list(read))
    listed = {row.label_hash: row for row in client.project(project_id).label_rows(which)}
    now = datetime.datetime.now(datetime.UTC)
    touched, recent = set(), []
    for label_hash, row in read.items():
        edited = edit_time(listed[label_hash].last_edited_at) if label_hash in listed else None
        if label_hash in listed and edited != edit_time(row.get("last_edited_at")):
            touched.add(label_hash)
        elif edited is None or abs((now - edited).total_seconds()) < _JUST_NOW:
            recent.append(label_hash)
    return touched | _changed(client, project_id, {label_hash: read[label_hash] for label_hash in recent})


def _changed(client: EncordClient, project_id: str, read: Mapping[str, Mapping[str, Any]]) -> set[str]:
    if not read:
        return set()
    again = client.run(read_rows(project_id, list(read)))
    changed = {row.label_hash for row in again.rows if not _same_labels(row.decoded(), read[row.label_hash])}
    return changed | set(again.unreadable)


def edit_time(text: Any) -> datetime.datetime | None:
    """An edit time in whole seconds, because a row and its listing may have different precision."""
    return parse_time(text).replace(microsecond=0) if isinstance(text, str) and text else None


def _same_labels(first: Mapping[str, Any], second: Mapping[str, Any]) -> bool:
    same_spaces = (first.get("spaces") or {}) == (second.get("spaces") or {})
    return same_spaces and bool(substance(labels_of(first)) == substance(labels_of(second)))
