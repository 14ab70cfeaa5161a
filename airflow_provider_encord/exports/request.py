"""What a user asks an export for, checked before anything is listed: the rows, the files and the history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.times import parse_time
from airflow_provider_encord.exports.collection_items import known_collection
from airflow_provider_encord.exports.formats import require_format
from airflow_provider_encord.exports.incremental import Chain
from airflow_provider_encord.exports.listing import Filters, RowSelection
from airflow_provider_encord.exports.manifest import Layout
from airflow_provider_encord.exports.planning import ExportSpec
from airflow_provider_encord.exports.stages import with_known_stages


def select_rows(
    client: EncordClient, project_id: str | None, *, branch: str | None, filters: Mapping[str, Any]
) -> RowSelection:
    """Make the selection of an export.

    :param project_id: Id of the project; None for the project of the API key.
    :param branch: The label branch; None for the rows of all branches.
    :param filters: The fields of `Filters`.
    :raises InvalidArgumentError: Two filters contradict each other, or the project does not have the stage.
    :raises UnsupportedByCredentialError: An API key cannot read the collection.
    """
    wanted = Filters(**filters)
    after, before = wanted.edited_after, wanted.edited_before
    if after and before and not parse_time(after) < parse_time(before):
        raise InvalidArgumentError(
            f"edited_after, edited_before: {after} is not before {before}, so no row can match both. Check the "
            "rendered templates."
        )
    wanted = msgspec.structs.replace(wanted, collection_id=known_collection(client, wanted.collection_id))
    selection = RowSelection(project_id=client.project(project_id).id, branch=branch, filters=wanted)
    return with_known_stages(client, selection)


def layout_of(format: str, max_shard_bytes: int) -> Layout:  # noqa: A002 - the word for it
    """Make the layout of an export.

    :raises InvalidArgumentError: The format does not exist, or its extra is not installed.
    """
    require_format(format)
    return Layout(format=format, max_shard_bytes=max_shard_bytes)


def specify_export(
    selection: RowSelection,
    layout: Layout,
    *,
    logical_date: str | None,
    history: Mapping[str, Any] | None,
    overwrite: bool,
) -> ExportSpec:
    """Make the specification of an export.

    :param history: The fields of `Chain`, for an incremental export; else None.
    :raises InvalidArgumentError: An incremental export has a filter that contradicts it.
    """
    if history is not None and selection.filters.edited_after:
        raise InvalidArgumentError(
            "edited_after, incremental: an incremental export already selects the rows that changed since the "
            "previous export. Remove one of the two arguments."
        )
    return ExportSpec(
        selection=selection,
        layout=layout,
        logical_date=logical_date,
        history=None if history is None else Chain(**history),
        overwrite=overwrite,
    )
