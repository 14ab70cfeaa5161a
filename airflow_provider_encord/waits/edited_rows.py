"""What a wait for edited label rows waits for: rows edited after a time, or after they were listed for an export."""

from __future__ import annotations

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.exports.manifest import MANIFEST, read_manifest
from airflow_provider_encord.exports.since_export import rows_since
from airflow_provider_encord.storage_paths import StoragePath, storage_errors
from airflow_provider_encord.waits.conditions import MOST_CARRIED, EditedRowsCondition


def edited_since(client: EncordClient, project_id: str | None, since: str, *, min_rows: int) -> EditedRowsCondition:
    """Rows that were edited after a time.

    :param project_id: Id of the project; None for the project of the API key.
    :param since: ISO 8601 with an offset.
    :param min_rows: How many rows to wait for.
    """
    return EditedRowsCondition(project_id=client.project(project_id).id, edited_after=since, min_rows=min_rows)


def edited_since_export(
    client: EncordClient, project_id: str | None, path: StoragePath, *, min_rows: int
) -> EditedRowsCondition:
    """Rows that were edited after they were listed for an export.

    :param project_id: Id of the project; None for the project of the export.
    :param path: The manifest of the export, or its directory.
    :raises InvalidArgumentError: The manifest cannot be read, or the project is not that of the export.
    """
    directory = path.parent if path.name == MANIFEST else path
    with storage_errors("manifest", directory):
        manifest = read_manifest(directory)
        since = rows_since(directory, manifest, most_known=MOST_CARRIED)
    found = client.project(project_id or manifest.project_id).id
    if found != manifest.project_id:
        raise InvalidArgumentError(
            f"project_id: {found} is not the project of the export ({manifest.project_id}). Leave it out, or pass the "
            "manifest of another export."
        )
    return EditedRowsCondition(
        project_id=found,
        edited_after=since.edited_after,
        min_rows=min_rows,
        which=since.which,
        known=since.known,
    )
