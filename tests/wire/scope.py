"""Which vectors our client answers for, and why not the others."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_encord.client.api.registry import operations
from tests.wire.vectors import OBJECT_STORE, Exchange, Key, Vector, operation_of, vectors

FLOWS: frozenset[Key] = frozenset(
    {("dataset.upload_image", "v2"), ("dataset.upload_image", "v1"), ("dataset.upload_video", "v2")}
)
"""Operations of the SDK that are several of ours."""

FORMS_OF_2022: frozenset[Key] = frozenset(
    {
        ("project.get", "v1"),
        ("dataset.get", "v1"),
        ("label_rows.list", "v1"),
        ("label_rows.get", "v1"),
        ("label_rows.create", "v1"),
        ("dataset.upload_image", "v1"),
        ("dataset.upload_video", "v1"),
    }
)
"""Forms of SDK 0.1.50 (null payloads, fewer filters, no upload jobs) that no later SDK sends, nor do we."""

REPLACED: frozenset[Key] = frozenset(
    {("projects.list", "v1"), ("datasets.list", "v1"), ("dataset.create", "v1"), ("ontology.get", "v1")}
)
"""Calls for SSH keys that have a v2 form, which we use."""

NOT_YET: frozenset[str] = frozenset(
    {
        "analytics.collaborator_timers",
        "analytics.task_actions",
        "analytics.time_spent",
        "dataset.add_group",
        "dataset.add_private_data",
        "dataset.add_private_data start",
        "dataset.add_users",
        "dataset.create_dicom_series",
        "dataset.create_image_group",
        "dataset.data_row.get",
        "dataset.delete_data",
        "dataset.link_items",
        "dataset.list_groups",
        "dataset.list_users",
        "dataset.re_encode_data",
        "dataset.re_encode_data_status",
        "dataset.remove_group",
        "dataset.remove_users",
        "dataset.update_data_item",
        "editor_logs.list",
        "groups.create",
        "groups.list",
        "label_logs.list",
        "label_rows.classifications",
        "label_rows.copy_branch",
        "label_rows.set_status",
        "label_rows.submit_for_review",
        "label_rows.validation_state",
        "label_rows.workflow_complete",
        "label_rows.workflow_reopen",
        "ontology.update",
        "organisation.add_user",
        "organisation.list_users",
        "organisation.remove_user",
        "organisation_tags.create",
        "organisation_tags.delete",
        "organisation_tags.list",
        "project.add_group",
        "project.add_organisation_tag",
        "project.add_users",
        "project.copy",
        "project.get_data",
        "project.get_organisation_tags",
        "project.list_branches",
        "project.list_groups",
        "project.list_users",
        "project.remove_group",
        "project.remove_organisation_tag",
        "project.remove_users",
        "project.set_status",
        "storage.add_private_data result",
        "storage.add_private_data start",
        "storage.cloud_sync start",
        "storage.create_image_group",
        "storage.folder.add_group",
        "storage.folder.create",
        "storage.folder.delete",
        "storage.folder.get",
        "storage.folder.items",
        "storage.folder.items.delete",
        "storage.folder.items.move",
        "storage.folder.list_groups",
        "storage.folder.subfolders",
        "storage.folder.summary",
        "storage.folder.update",
        "storage.folders.list",
        "storage.folders.search",
        "storage.item.get",
        "storage.item.summary",
        "storage.item.update",
        "storage.items.get_bulk",
        "storage.items.update_bulk",
        "storage.upload_audio",
        "storage.upload_image",
        "storage.upload_job.cancel",
        "storage.upload_pdf",
        "storage.upload_text",
        "workflow.task.approve",
        "workflow.task.assign",
        "workflow.task.issues.add",
        "workflow.task.issues.list",
        "workflow.task.label_review.approve",
        "workflow.task.label_review.reject",
        "workflow.task.label_review.reopen",
        "workflow.task.label_reviews.list",
        "workflow.task.move",
        "workflow.task.proceed",
        "workflow.task.reject",
        "workflow.task.release",
        "workflow.task.submit",
        "workflow.tasks.list",
    }
)
"""Operations of later issues."""


def is_failure(vector: Vector) -> bool:
    """Whether the vector is about an error or a retry, and not about an operation."""
    return vector.operation.startswith(("error:", "retry:"))


def is_form_of_2022(vector: Vector) -> bool:
    return vector.sdk_version == "0.1.50" and vector.key in FORMS_OF_2022


def in_scope(vector: Vector) -> bool:
    known = vector.key in operations() or vector.key in FLOWS
    return known and not is_form_of_2022(vector)


def replayed() -> Iterator[tuple[Exchange, Key]]:
    """Every exchange that is ours, with its operation, in vectors of operations in scope.

    The first exchange of a plain operation is known by the vector's name, all others by their shape.
    """
    for vector in vectors():
        if not in_scope(vector):
            continue
        for exchange in vector.exchanges:
            by_name = exchange.number == 0 and vector.key not in FLOWS
            key = vector.key if by_name else operation_of(exchange.request)
            assert key, f"{exchange.label} has a request of unknown shape"
            if key[0] != OBJECT_STORE:
                yield exchange, key
