"""Which vectors our client answers for, and why not the others."""

from __future__ import annotations

from collections.abc import Iterator

from airflow_provider_encord.client.api.core.registry import operations
from tests.wire.subjects import OBJECT_STORE, operation_of
from tests.wire.subjects.reading import Key
from tests.wire.vectors import Exchange, Vector, vectors

FLOWS: frozenset[Key] = frozenset(
    {
        ("dataset.upload_image", "v2"),
        ("dataset.upload_image", "v1"),
        ("dataset.upload_video", "v2"),
        ("dataset.create_image_group", "v2"),
        ("dataset.create_image_group", "v1"),
        ("dataset.create_dicom_series", "v2"),
        ("dataset.create_dicom_series", "v1"),
        ("storage.upload_image", "v2"),
        ("storage.upload_video", "v2"),
        ("storage.upload_audio", "v2"),
        ("storage.upload_pdf", "v2"),
        ("storage.upload_text", "v2"),
        ("storage.create_image_group", "v2"),
        ("storage.create_image_sequence", "v2"),
        ("storage.create_dicom_series", "v2"),
        ("storage.upload_nifti", "v2"),
        ("storage.upload_time_series", "v2"),
        ("storage.upload_scene", "v2"),
        ("storage.upload_scene_file", "v2"),
        ("label_rows.import_coco", "v1"),
        ("storage.folders.list_by_tag_names", "v2"),
    }
)
"""Operations of the SDK that are several of ours."""

LOOKS_FIRST: frozenset[Key] = frozenset(
    {
        ("project.add_organisation_tag", "v2"),
        ("storage.folder.config.set", "v2"),
        ("cvat_import.start", "v2"),
        ("label_rows.copy_branch", "v1"),  # copy_branch itself is v2
        ("dataset.update_data_item", "v1"),
    }
)
"""Operations before which the SDK asks for something else: the id that belongs to a name, the rows of a branch or of a
dataset, what is set already, a place for images."""

FORMS_OF_2022: frozenset[Key] = frozenset(
    {
        ("projects.list", "v1"),
        ("project.get", "v1"),
        ("dataset.get", "v1"),
        ("label_rows.list", "v1"),
        ("label_rows.get", "v1"),
        ("label_rows.create", "v1"),
        ("dataset.upload_image", "v1"),
        ("dataset.upload_video", "v1"),
        ("dataset.add_private_data", "v1"),
    }
)
"""Forms of SDK 0.1.50 (null payloads, fewer filters, no upload jobs) that no later SDK sends, nor do we."""

REPLACED: frozenset[Key] = frozenset({("datasets.list", "v1"), ("dataset.create", "v1"), ("ontology.get", "v1")})
"""Calls for SSH keys that have a v2 form, which we use."""


def is_failure(vector: Vector) -> bool:
    """Whether the vector is about an error or a retry, and not about an operation."""
    return vector.operation.startswith(("error:", "retry:"))


def is_form_of_2022(vector: Vector) -> bool:
    return vector.sdk_version == "0.1.50" and vector.key in FORMS_OF_2022


def in_scope(vector: Vector) -> bool:
    known = vector.key in operations() or vector.key in FLOWS | LOOKS_FIRST
    return known and not is_form_of_2022(vector)


def replayed() -> Iterator[tuple[Exchange, Key]]:
    """Every exchange that is ours, with its operation, in vectors of operations in scope.

    The first exchange of a plain operation is known by the vector's name, all others by their shape.
    """
    for vector in vectors():
        if not in_scope(vector):
            continue
        for exchange in vector.exchanges:
            by_name = exchange.number == 0 and vector.key not in FLOWS | LOOKS_FIRST
            key = vector.key if by_name else operation_of(exchange.request)
            assert key, f"{exchange.label} has a request of unknown shape"
            if key[0] != OBJECT_STORE:
                yield exchange, key
