"""What the function asked for, read in bulk for several tasks: label rows, storage items."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec

from airflow_provider_encord.agents.parameters import Input
from airflow_provider_encord.agents.sdk_objects import SdkObjects
from airflow_provider_encord.client.api.labels import MAIN_BRANCH, LabelRowFilter, LabelRowMetadata
from airflow_provider_encord.client.api.projects import ProjectRecord
from airflow_provider_encord.client.api.storage_items import StorageItemRecord
from airflow_provider_encord.client.api.workflow import Task
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import RefusedError
from airflow_provider_encord.client.flows.label_rows import read_rows
from airflow_provider_encord.media.frames import require_frames
from airflow_provider_encord.media.readable_items import Readable, each_readable, readable_items, unreadable
from airflow_provider_encord.prelabels.creating import create_rows
from airflow_provider_encord.prelabels.features import Features

_WITH_URL = frozenset({Input.URL, Input.ASSET, Input.FRAMES})
_OF_ITEMS = _WITH_URL | {Input.ITEM}
_OF_METADATA = _OF_ITEMS | {Input.SDK_ITEM}
_OF_ROWS = frozenset({Input.LABEL_ROW, Input.LABELS, Input.SDK_ROW})


class Prepared(msgspec.Struct, frozen=True, kw_only=True):
    """A task and what was read about it. What was not asked for is None.

    :param row: The metadata of the label row.
    :param content: The label row as Encord sent it.
    :param item: The storage item of the data unit.
    :param sdk_row: The label row as an object of Encord's SDK.
    :param sdk_task: The task as an object of Encord's SDK.
    :param sdk_item: The storage item as an object of Encord's SDK.
    :param problem: Why something that was asked for could not be read.
    :param gone: The task has left the stage since it was listed.
    """

    task: Task
    row: LabelRowMetadata | None = None
    content: msgspec.Raw | None = None
    item: StorageItemRecord | None = None
    sdk_row: Any = None
    sdk_task: Any = None
    sdk_item: Any = None
    problem: str | None = None
    gone: bool = False

    def label_row(self) -> dict[str, Any] | None:
        """A new copy of the label row; None if it was not read or does not exist."""
        return None if self.content is None else msgspec.json.decode(self.content, type=dict[str, Any])


def branch_of(task: Task) -> str:
    """The label branch of a task."""
    return task.label_branch_name or MAIN_BRANCH


class InputReader:
    """Reads what a function asks for.

    :param inputs: What the function asks for.
    :param contents: Also read the label rows that exist, for the cache.
    :param sdk: Reads objects of Encord's SDK.
    :raises InvalidArgumentError: The function asks for what needs an extra that is not installed.
    """

    def __init__(
        self,
        client: EncordClient,
        project_id: str,
        inputs: frozenset[Input],
        *,
        contents: bool = False,
        sdk: SdkObjects,
    ):
        self._client, self._project_id, self._inputs, self._contents = client, project_id, inputs, contents
        self.sdk = sdk
        if Input.FRAMES in inputs:
            require_frames("Frames: the function asks for frames")

    @functools.cached_property
    def project(self) -> ProjectRecord:
        """The record of the project, read once."""
        return self._client.project(self._project_id).get()

    @functools.cached_property
    def features(self) -> Features:
        """The features of the project's ontology, read once."""
        return Features(self._client.project(self._project_id).ontology().editor_ontology)

    def read_shared(self) -> None:
        """Read what is the same for all tasks, before functions run in threads."""
        if Input.PROJECT in self._inputs:
            _ = self.project
        if Input.LABELS in self._inputs:
            _ = self.features
        if Input.SDK_PROJECT in self._inputs:
            _ = self.sdk.project
        if Input.SDK_STAGE in self._inputs:
            _ = self.sdk.stage

    def read(self, tasks: Sequence[Task]) -> list[Prepared]:
        """Read what the function asks for, with few requests for all tasks.

        If the function asks for label rows, missing ones are created.
        """
        prepared = [Prepared(task=task) for task in tasks]
        if self._inputs & _OF_ROWS:
            prepared = self.with_rows(prepared)
        elif self._contents:
            prepared = self._with_contents(self._with_metadata(prepared))
        elif self._inputs & _OF_METADATA:
            prepared = self._with_metadata(prepared)
        if Input.SDK_ROW in self._inputs:
            prepared = self._by_branch(prepared, lambda one: one.content is not None, self._sdk_rows)
        if Input.SDK_TASK in self._inputs:
            prepared = self._with_sdk_tasks(prepared)
        if Input.SDK_ITEM in self._inputs:
            prepared = self._with_sdk_items(prepared)
        return self._with_items(prepared) if self._inputs & _OF_ITEMS else prepared

    def with_rows(self, prepared: Sequence[Prepared]) -> list[Prepared]:
        """Add the label rows that were not read yet. Missing rows are created."""
        return self._with_contents(self._with_created(self._with_metadata(prepared)))

    def _with_metadata(self, prepared: Sequence[Prepared]) -> list[Prepared]:
        return self._by_branch(prepared, lambda one: one.row is None, self._metadata)

    def _metadata(self, branch: str, some: Sequence[Prepared]) -> list[Prepared]:
        which = LabelRowFilter(branch_name=branch, data_hashes=[one.task.data_hash for one in some])
        rows = {row.data_hash: row for row in self._client.project(self._project_id).label_rows(which)}
        return [_found(one, rows.get(one.task.data_hash)) for one in some]

    def _with_created(self, prepared: Sequence[Prepared]) -> list[Prepared]:
        return self._by_branch(prepared, lambda one: one.row is not None and one.row.label_hash is None, self._created)

    def _created(self, branch: str, some: Sequence[Prepared]) -> list[Prepared]:
        made = create_rows(self._client, self._project_id, branch, [one.task.data_hash for one in some])
        return [
            msgspec.structs.replace(
                one, row=msgspec.structs.replace(one.row, label_hash=made.get(one.task.data_hash)) if one.row else None
            )
            for one in some
        ]

    def _by_branch(
        self,
        prepared: Sequence[Prepared],
        which: Callable[[Prepared], bool],
        change: Callable[[str, Sequence[Prepared]], Iterable[Prepared]],
    ) -> list[Prepared]:
        """Change those that need it, with one call for each branch. The order is kept."""
        branches: dict[str, list[Prepared]] = {}
        for one in prepared:
            if one.problem is None and which(one):
                branches.setdefault(branch_of(one.task), []).append(one)
        changed = {one.task.uuid: one for branch, some in branches.items() for one in change(branch, some)}
        return [changed.get(one.task.uuid, one) for one in prepared]

    def _with_contents(self, prepared: Sequence[Prepared]) -> list[Prepared]:
        wanted = [
            one.row.label_hash
            for one in prepared
            if one.problem is None and one.content is None and one.row and one.row.label_hash
        ]
        if not wanted:
            return list(prepared)
        read = self._client.run(read_rows(self._project_id, wanted))
        contents = {row.label_hash: row.content for row in read.rows}
        unreadable = {label_hash: error.message for label_hash, error in read.unreadable.items()}
        return [_filled(one, contents, unreadable) for one in prepared]

    def _sdk_rows(self, branch: str, some: Sequence[Prepared]) -> list[Prepared]:
        contents = {one.task.data_hash: row for one in some if (row := one.label_row()) is not None}
        rows, problems = self.sdk.rows(branch, contents)
        return [
            msgspec.structs.replace(one, sdk_row=rows.get(one.task.data_hash), problem=problems.get(one.task.data_hash))
            for one in some
        ]

    def _with_sdk_tasks(self, prepared: Sequence[Prepared]) -> list[Prepared]:
        tasks = self.sdk.tasks([one.task.data_hash for one in prepared])
        return [
            msgspec.structs.replace(one, sdk_task=tasks.get(one.task.uuid), gone=one.task.uuid not in tasks)
            for one in prepared
        ]

    def _with_sdk_items(self, prepared: Sequence[Prepared]) -> list[Prepared]:
        wanted = {one.row.backing_item_uuid for one in prepared if one.row and one.row.backing_item_uuid}
        items, problems = each_readable(sorted(wanted), self.sdk.items)
        return [_with_item(one, "sdk_item", items, problems) for one in prepared]

    def _with_items(self, prepared: Sequence[Prepared]) -> list[Prepared]:
        wanted = {one.row.backing_item_uuid for one in prepared if one.row and one.row.backing_item_uuid}
        sign = bool(self._inputs & _WITH_URL)
        items, problems = self._items(sorted(wanted), sign=sign)
        return [_with_item(one, "item", items, problems) for one in prepared]

    def _items(self, wanted: list[str], *, sign: bool) -> Readable[StorageItemRecord]:
        return readable_items(self._client, wanted, sign_urls=sign)


def _found(one: Prepared, row: LabelRowMetadata | None) -> Prepared:
    problem = None if row else "its data unit is not in the project any more"
    return msgspec.structs.replace(one, row=row, problem=problem)


def _filled(one: Prepared, contents: Mapping[str, msgspec.Raw], unreadable: Mapping[str, str]) -> Prepared:
    label_hash = one.row.label_hash if one.row else None
    if label_hash is None or one.problem is not None or one.content is not None:
        return one
    problem = unreadable.get(label_hash) or (None if label_hash in contents else "its label row was deleted")
    return msgspec.structs.replace(one, content=contents.get(label_hash), problem=problem)


def _with_item(one: Prepared, field: str, items: Mapping[str, Any], problems: Mapping[str, RefusedError]) -> Prepared:
    uuid = one.row.backing_item_uuid if one.row else None
    if one.problem is not None or uuid is None:
        return one
    problem = unreadable(problems[uuid]) if uuid in problems else None
    return msgspec.structs.replace(one, **{field: items.get(uuid), "problem": problem})
