"""Listings of label rows that keep little of each row, for projects with very many of them."""

from __future__ import annotations

import dataclasses
import functools
import sys
from collections.abc import Callable
from typing import Any

import msgspec

from airflow_provider_encord.client.api.core.reading import several, v1_reader
from airflow_provider_encord.client.api.labels import (
    EVERY_ROW,
    MAIN_BRANCH,
    LabelRowFilter,
    StageName,
    list_label_rows,
)
from airflow_provider_encord.client.call import Call
from airflow_provider_encord.client.item_stream import ItemStream


class LabelRowStamp(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The id and edit time of a label row. Used for large listings, because it needs less memory than the full record.

    :param label_hash: None until the row is created.
    :param last_edited_at: ISO 8601; see `LabelRowMetadata`.
    :param workflow_graph_node: The workflow stage; None unless it was requested.
    """

    data_hash: str
    label_hash: str | None
    branch_name: str = MAIN_BRANCH
    last_edited_at: str | None = None
    workflow_graph_node: StageName | None = None


class LabelRowItemStamp(LabelRowStamp, frozen=True, kw_only=True, gc=False):
    """The same, with the storage item of the row's data unit; None if Encord does not say it."""

    backing_item_uuid: str | None = None


class LabelRowStage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The stage of a label row; None in projects without a workflow."""

    workflow_graph_node: StageName | None = None


_STAMPS = several(v1_reader(list[LabelRowStamp]))
_ITEM_STAMPS = several(v1_reader(list[LabelRowItemStamp]))
_STAGES = several(v1_reader(list[LabelRowStage]))


def _stamps(
    answer: bytes, seen: dict[Any, Any] | None = None, decode: Callable[[bytes], Any] = _STAMPS
) -> list[LabelRowStamp]:
    """Decode the stamps. Equal branches and stages are in memory only once.

    :param seen: The stages of the earlier rows.
    """
    seen = {} if seen is None else seen
    stamps: list[LabelRowStamp] = decode(answer)
    for stamp in stamps:
        msgspec.structs.force_setattr(stamp, "branch_name", sys.intern(stamp.branch_name))
        node = stamp.workflow_graph_node
        if node is not None:
            msgspec.structs.force_setattr(stamp, "workflow_graph_node", seen.setdefault(node, node))
    return stamps


def _stamp_stream() -> ItemStream[LabelRowStamp]:
    return ItemStream(functools.partial(_stamps, seen={}))


def _stages(answer: bytes, seen: dict[Any, Any] | None = None) -> list[StageName | None]:
    """Decode only the stages of the rows. Equal stages are in memory only once.

    :param seen: The stages of the earlier rows.
    """
    seen = {} if seen is None else seen
    nodes = (row.workflow_graph_node for row in _STAGES(answer))
    return [None if node is None else seen.setdefault(node, node) for node in nodes]


def _stage_stream() -> ItemStream[StageName | None]:
    return ItemStream(functools.partial(_stages, seen={}))


def list_label_row_stamps(project: str, which: LabelRowFilter = EVERY_ROW) -> Call[list[LabelRowStamp]]:
    """Do the same as `list_label_rows`, but keep only ids and edit times. Needs less than half the memory."""
    rows: Call[Any] = list_label_rows(project, which)
    return dataclasses.replace(rows, read=_stamps, stream=_stamp_stream)


def list_label_row_item_stamps(project: str, which: LabelRowFilter = EVERY_ROW) -> Call[list[LabelRowItemStamp]]:
    """Do the same as `list_label_row_stamps`, and keep the storage item of each row, too."""
    read = functools.partial(_stamps, decode=_ITEM_STAMPS)
    rows: Call[Any] = list_label_rows(project, which)
    return dataclasses.replace(rows, read=read, stream=lambda: ItemStream(functools.partial(read, seen={})))


def list_label_row_stages(project: str) -> Call[list[StageName | None]]:
    """Do the same as `list_label_rows` for all rows, but keep only the stage of each row."""
    rows: Call[Any] = list_label_rows(project)
    return dataclasses.replace(rows, read=_stages, stream=_stage_stream)
