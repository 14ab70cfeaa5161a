"""Results of functions in an object store, so that a retry does not pay twice for a model.

There is one file for each data unit, function and arguments. Its result is used only as long as the labels of the row
are those that the function could see, or those that the result saved: a worker may die between saving and moving.
"""

from __future__ import annotations

import logging
from typing import Any

import msgspec

from airflow_provider_encord.agents.contents import version_after, version_of
from airflow_provider_encord.agents.editable import EditableLabels
from airflow_provider_encord.agents.inputs import InputReader, Prepared, branch_of
from airflow_provider_encord.agents.kinds import AgentResult
from airflow_provider_encord.attempts import fingerprint
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.prelabels.features import WrongLabelsError
from airflow_provider_encord.storage_paths import StoragePath, storage_errors, write_whole

log = logging.getLogger(__name__)

ARGUMENT = "cache"


class CachedResult(msgspec.Struct, frozen=True, kw_only=True):
    """The content of a file.

    :param version: Hash of the labels that the function could see.
    :param saved_version: Hash of the labels after the result is saved; None if it does not change labels.
    :param labels: A complete label row, or the short form.
    """

    version: str
    saved_version: str | None = None
    pathway: str | None = None
    priority: float | None = None
    labels: dict[str, Any] | None = None


class ResultCache:
    """The results of one function with the same arguments.

    :param directory: Path object of the directory.
    :param about: What else a result depends on: the name of the function, its arguments, the version that the user
        gave, the project.
    """

    def __init__(self, directory: StoragePath, about: dict[str, Any], reader: InputReader):
        self._directory, self._reader = directory, reader
        self._about = fingerprint(**about)

    def load(self, prepared: Prepared) -> AgentResult | None:
        """Return the result for a task, if there is one that still fits the labels of the row."""
        stored = self._read(self._path(prepared))
        if stored is None:
            return None
        version = version_of(prepared.label_row())
        if stored.saved_version == version:
            return AgentResult(stored.pathway, priority=stored.priority)  # the labels are there
        if stored.version == version:
            return AgentResult(stored.pathway, stored.labels, stored.priority)
        return None

    def store(self, prepared: Prepared, result: AgentResult) -> None:
        """Store a result."""
        labels = result.labels
        stored = CachedResult(
            version=version_of(prepared.label_row()),
            saved_version=None if labels is None else self._saved_version(prepared, labels),
            pathway=result.pathway,
            priority=result.priority,
            labels=_as_json(labels),
        )
        path = self._path(prepared)
        with storage_errors(ARGUMENT, path):
            write_whole(path, [msgspec.json.encode(stored)])

    def _saved_version(self, prepared: Prepared, labels: Any) -> str | None:
        try:
            return version_after(prepared, labels, lambda: self._reader.features)
        except (WrongLabelsError, InvalidArgumentError):  # the save will report it
            return None

    def _path(self, prepared: Prepared) -> StoragePath:
        task = prepared.task
        key = fingerprint(about=self._about, data_hash=task.data_hash, branch=branch_of(task))
        path: StoragePath = self._directory / f"{key}.json"
        return path

    def _read(self, path: StoragePath) -> CachedResult | None:
        with storage_errors(ARGUMENT, path):
            try:
                content = bytes(path.read_bytes())
            except FileNotFoundError:
                return None
        try:
            return msgspec.json.decode(content, type=CachedResult)
        except NOT_JSON:
            log.warning("%s is not a result of an agent and is replaced.", path)
            return None


def _as_json(labels: Any) -> dict[str, Any] | None:
    if labels is None:
        return None
    return labels.row() if isinstance(labels, EditableLabels) else dict(labels)
