"""Label rows: list their metadata; read, create and save them.

The listing is not paged: a whole project comes in one response. So its records are compact, and equal values of the
rows (dataset, stage, status) are in memory only once. The content of a label row is not parsed, except for its two ids;
it is passed on as `msgspec.Raw`.

Reading a row never creates it. Creating is a write: it moves the row to "label in progress".
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import msgspec

from airflow_provider_encord.client.api.core.leading_members import decode_leading
from airflow_provider_encord.client.api.core.listing import Time
from airflow_provider_encord.client.api.core.reading import accepted, made, several, single, v1_reader
from airflow_provider_encord.client.api.core.registry import operation
from airflow_provider_encord.client.call import SSH_OR_API_KEY, Call, Envelope, Resource
from airflow_provider_encord.client.item_stream import ItemStream
from airflow_provider_encord.client.times import write_time

MAIN_BRANCH = "main"
MOST_ROWS_PER_REQUEST = 1000  # the maximum of the vendor's SDK; the server may have a lower limit
MOST_BYTES_OF_ROWS = 512 * 2**20  # per response; an hour of labelled video can take more than 100 MB
MOST_BYTES_OF_LISTING = 2**30  # per response; a row takes about 800 bytes


class LabelRowFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which label rows to list, and which optional fields to include. The fields are sent as they are.

    :param edited_before: Only rows edited before this time. Rows that were never created have no time and are left out.
    :param label_statuses: Annotation task statuses; for projects without a workflow.
    :param include_uninitialised_labels: Include rows that have no labels yet, and therefore no `label_hash`.
    :param data_title_like: SQL LIKE pattern for the data title.
    :param workflow_graph_node_title_eq: Title of the workflow stage that the row is in.
    :param include_all_label_branches: Include the rows of all branches; not together with `branch_name`.
    :param include_children: SDK 0.1.145 does not send this field, and neither `client_metadata_as_signed_url`.
    """

    edited_before: Time | None = None
    edited_after: Time | None = None
    label_statuses: Sequence[str] | None = None
    shadow_data_state: str | None = None
    include_uninitialised_labels: bool = True
    data_hashes: Sequence[str] | None = None
    label_hashes: Sequence[str] | None = None
    data_title_eq: str | None = None
    data_title_like: str | None = None
    workflow_graph_node_title_eq: str | None = None
    workflow_graph_node_title_like: str | None = None
    include_client_metadata: bool = False
    include_images_data: bool = False
    include_children: bool | msgspec.UnsetType = False
    include_workflow_graph_node: bool = True
    include_all_label_branches: bool = False
    branch_name: str | None = None
    client_metadata_as_signed_url: bool | msgspec.UnsetType = False

    def payload(self) -> dict[str, Any]:
        """The fields in the form that is sent."""
        fields = {name: getattr(self, name) for name in self.__struct_fields__}
        fields["edited_before"] = write_time(self.edited_before)
        fields["edited_after"] = write_time(self.edited_after)
        return {name: value for name, value in fields.items() if value is not msgspec.UNSET}


EVERY_ROW = LabelRowFilter()


class StageName(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The workflow stage that a label row is in."""

    uuid: str
    title: str


class GroupImage(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """An image of an image group.

    :param index: Its frame in the group, from 0; None if the images are in their order.
    :param width: Width in pixels.
    """

    index: int | None = None
    title: str | None = None
    image_hash: str | None = None
    width: float | None = None
    height: float | None = None


class LabelRowMetadata(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One label row, without its labels.

    :param label_hash: None until the row is created.
    :param data_type: ``"IMAGE"``, ``"VIDEO"``, ``"IMG_GROUP"``, ..., in upper case.
    :param label_status: Meaningless in workflow projects; use `workflow_graph_node` there.
    :param last_edited_at: ISO 8601 time of the last creation or save.
    :param priority: From 0 (last) to 1 (first).
    :param width: Width in pixels; None for data without pixels. Of an image group, see `images_data`.
    :param client_metadata: None unless it was requested.
    :param images_data: The images of an image group; None unless they were requested.
    """

    label_hash: str | None
    data_hash: str
    dataset_hash: str
    data_title: str
    data_type: str
    dataset_title: str | None = None
    branch_name: str = MAIN_BRANCH
    created_at: str | None = None
    last_edited_at: str | None = None
    label_status: str | None = None
    annotation_task_status: str | None = None
    workflow_graph_node: StageName | None = None
    number_of_frames: int | None = None
    width: float | None = None
    height: float | None = None
    task_uuid: str | None = None
    priority: float | None = None
    is_valid: bool | None = None
    backing_item_uuid: str | None = None
    client_metadata: dict[str, Any] | None = None
    images_data: list[GroupImage] | None = None
    assigned_user_email: str | None = None


class LabelRowIds(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """The two ids of a label row whose content is not parsed."""

    label_hash: str
    data_hash: str


class LabelRow(msgspec.Struct, frozen=True, kw_only=True):
    """A label row with its labels.

    :param content: The JSON object, exactly as Encord sent it.
    :param stage: Title of the workflow stage in which it was listed, if that is known; it is not in the content.
    """

    label_hash: str
    data_hash: str
    content: msgspec.Raw
    stage: str | None = None

    def decoded(self) -> dict[str, Any]:
        """The content as a dictionary."""
        return msgspec.json.decode(self.content, type=dict[str, Any])


_METADATA = several(v1_reader(list[LabelRowMetadata]))
_ONE_METADATA = msgspec.json.Decoder(LabelRowMetadata)
_COMMON = (
    "dataset_hash",
    "dataset_title",
    "data_type",
    "branch_name",
    "label_status",
    "annotation_task_status",
    "workflow_graph_node",
    "assigned_user_email",
)
"""The fields that have few different values. Times and the row's own ids and title do not belong here."""
_RAW_ROWS = several(v1_reader(list[msgspec.Raw]))
_IDS = msgspec.json.Decoder(LabelRowIds)


def _metadata(answer: bytes, seen: dict[Any, Any] | None = None) -> list[LabelRowMetadata]:
    """Decode the rows one after another, so that equal values are in memory only once.

    :param seen: The values of the earlier rows.
    """
    seen = {} if seen is None else seen
    try:
        return [_sharing(_ONE_METADATA.decode(row), seen) for row in _RAW_ROWS(answer)]
    except msgspec.ValidationError:
        _METADATA(answer)  # fails too, but with an error that names the row
        raise


def _metadata_stream() -> ItemStream[LabelRowMetadata]:
    return ItemStream(functools.partial(_metadata, seen={}))


def _sharing(row: LabelRowMetadata, seen: dict[Any, Any]) -> LabelRowMetadata:
    """A row that shares equal values with the rows before it. The row is changed in place; no other code has it yet."""
    for name in _COMMON:
        value = getattr(row, name)
        if value is not None:
            msgspec.structs.force_setattr(row, name, seen.setdefault(value, value))
    return row


def _row(content: msgspec.Raw) -> LabelRow:
    ids = decode_leading(_IDS, content)
    str(content, "utf-8")  # raises if it is not UTF-8; `msgspec` does not check this in content that it skips
    return LabelRow(label_hash=ids.label_hash, data_hash=ids.data_hash, content=content)


def _rows(answer: bytes) -> list[LabelRow]:
    return _rows_of(_RAW_ROWS(answer))


def _rows_of(contents: Sequence[msgspec.Raw]) -> list[LabelRow]:
    return [_row(content) for content in contents]


def _one_row(answer: bytes) -> list[LabelRow]:
    return [_row(msgspec.Raw(answer))]


_ONE_ROW = single(_one_row)
_NEW_ROW = made(_one_row)
_NEW_ROWS = made(_rows)


def _project(project: str) -> Resource:
    return Resource("project", project)


def _uid(ids: Sequence[str] | str) -> list[str] | str:
    return ids if isinstance(ids, str) else list(ids)


@operation("label_rows.list", "v1")
def list_label_rows(project: str, which: LabelRowFilter = EVERY_ROW) -> Call[list[LabelRowMetadata]]:
    """List the metadata of a project's label rows, in one response."""
    request = Envelope("labelrowmetadata", "GET", _project(project), payload=which.payload())
    return Call(
        request=request,
        credentials=SSH_OR_API_KEY,
        read=_metadata,
        most_bytes=MOST_BYTES_OF_LISTING,
        stream=_metadata_stream,
    )


@operation("label_rows.get", "v1")
def get_label_rows(
    project: str,
    label_hashes: Sequence[str] | str,
    *,
    get_signed_url: bool = False,
    include_object_feature_hashes: Sequence[str] | None = None,
    include_classification_feature_hashes: Sequence[str] | None = None,
    include_reviews: bool = False,
    include_export_history: bool = False,
    include_archived: bool | None = None,
) -> Call[list[LabelRow]]:
    """Read label rows. They are not in the order of the request, so match them by `label_hash`.

    :param label_hashes: Several hashes (at most `MOST_ROWS_PER_REQUEST`), or one as a string.
    :param include_object_feature_hashes: Include only objects with these feature hashes; None for all. Never save rows
        that were read with it: the other objects would be lost.
    :param include_archived: Sent since SDK 0.1.181; None leaves it out.
    """
    payload: dict[str, Any] = {
        "get_signed_url": get_signed_url,
        "multi_request": not isinstance(label_hashes, str),
        "include_object_feature_hashes": include_object_feature_hashes,
        "include_classification_feature_hashes": include_classification_feature_hashes,
        "include_reviews": include_reviews,
        "include_export_history": include_export_history,
    }
    if include_archived is not None:
        payload["include_archived"] = include_archived
    single = isinstance(label_hashes, str)
    return Call(
        request=Envelope("labelrow", "GET", _project(project), uid=_uid(label_hashes), payload=payload),
        credentials=SSH_OR_API_KEY,
        read=_ONE_ROW if single else _rows,
        read_items=None if single else _rows_of,
        most_bytes=MOST_BYTES_OF_ROWS,
        rows=(str(label_hashes),) if single else tuple(label_hashes),
    )


@operation("label_rows.create", "v1")
def create_label_rows(
    project: str, data_hashes: Sequence[str] | str, *, get_signed_url: bool = False, branch: str | None = None
) -> Call[list[LabelRow]]:
    """Create the label rows of data units. A row that exists already is an error.

    :param data_hashes: Several hashes, or one as a string.
    :param branch: None lets Encord choose its main branch.
    """
    several_wanted = not isinstance(data_hashes, str)
    payload: dict[str, Any] = {"get_signed_url": get_signed_url}
    if several_wanted:
        payload |= {"multi_request": True, "branch_name": branch}
    request = Envelope("labelrow", "PUT", _project(project), uid=_uid(data_hashes), payload=payload)
    return Call(
        request=request,
        credentials=SSH_OR_API_KEY,
        changes=True,
        repeatable=False,
        read=_NEW_ROWS if several_wanted else _NEW_ROW,
    )


@operation("label_rows.save", "v1")
def save_label_rows(
    project: str,
    label_hashes: Sequence[str] | str,
    rows: Sequence[Any] | Any,
    *,
    validate_before_saving: bool = False,
) -> Call[None]:
    """Save label rows. The sent labels replace all labels of these rows.

    :param label_hashes: Several hashes, or one as a string.
    :param rows: The complete rows in the same order; a single row if `label_hashes` is a string.
    :param validate_before_saving: Let Encord refuse labels that do not match the ontology.
    """
    if isinstance(label_hashes, str):
        payload: Any = rows
        if validate_before_saving:
            payload = {**_content(rows), "validate_before_saving": True}
    else:
        payload = {"multi_request": True, "labels": list(rows), "validate_before_saving": validate_before_saving}
    request = Envelope("labelrow", "POST", _project(project), uid=_uid(label_hashes), payload=payload)
    return Call(request=request, credentials=SSH_OR_API_KEY, changes=True, repeatable=True, read=accepted)


def _content(row: Any) -> dict[str, Any]:
    return dict(row) if isinstance(row, dict) else msgspec.json.decode(row, type=dict[str, Any])
