"""Sensors on label rows."""

from __future__ import annotations

import datetime
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.operators.arguments import (
    blank_to_none,
    parse_datetime,
    parse_positive_int,
    parse_url,
    storage_path,
)
from airflow_provider_encord.operators.literals import InvalidLiteralError, check_literals
from airflow_provider_encord.sensors.base import EncordBaseSensor

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    from airflow_provider_encord.exports.manifest import Manifest
    from airflow_provider_encord.waits.conditions import EditedRowsCondition

_EITHER = "Pass either since or manifest, the manifest of an export."


class EncordLabelsChangedSensor(EncordBaseSensor):
    """Wait until label rows of a project were edited after a time, or after they were listed for an export.

    A row counts once, however often it was edited. Rows that were deleted or only moved to another stage do not count.
    With `manifest`, the rows are those that the export would contain: its branch and its filters apply. A row that was
    edited just before the export listed it does not count unless it was edited again.

    Only reads. Works with the API key of a project. Each poll takes one request, whose response lists the edited rows.

    :param project_id: Id of the project (templated). Optional with `manifest`, and with an API key.
    :param since: Count rows that were edited after this time, a string or `datetime`; no offset means UTC (templated).
    :param manifest: Path or URI of the manifest of an export, or of its directory (templated), such as the ``manifest``
        that `EncordExportLabelsOperator` returns. It is read when the task starts. Pass either this or `since`.
    :param min_rows: How many rows to wait for (templated). Default: 1.
    :return: ``{"project_id", "edited_after": time, "rows": int, "label_hashes": [at most 100], "last_edited_at": time
        of the latest edit}``.
    :raises AirflowFailException: The project or the manifest does not exist, the connection has no access to it, or an
        argument is wrong. It is not retried.
    :raises AirflowSensorTimeout: The condition was not met within `timeout`. It is not retried.
    """

    template_fields: Sequence[str] = (
        "project_id",
        "since",
        "manifest",
        "min_rows",
        *EncordBaseSensor.template_fields,
    )

    def __init__(
        self,
        *,
        project_id: str | None = None,
        since: datetime.datetime | str | None = None,
        manifest: str | os.PathLike[str] | ObjectStoragePath | None = None,
        min_rows: int | str = 1,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.project_id = project_id
        self.since = since
        self.manifest = manifest
        self.min_rows = min_rows
        check_literals(
            since=(since, parse_datetime),
            manifest=(manifest, parse_url),
            min_rows=(min_rows, parse_positive_int),
        )
        if (since is None) == (manifest is None):
            raise InvalidLiteralError(_EITHER)

    def prepare(self) -> EditedRowsCondition:
        """Return the condition."""
        from airflow_provider_encord.waits.conditions import EditedRowsCondition

        since, manifest = parse_datetime(self.since, "since"), blank_to_none(self.manifest)
        if (since is None) == (manifest is None):
            raise InvalidArgumentError(f"{_EITHER} Check the rendered templates.")
        min_rows = parse_positive_int(self.min_rows, "min_rows")
        if manifest is not None:
            return self._after_export(manifest, min_rows)
        project_id = self.client.project(blank_to_none(self.project_id)).id
        return EditedRowsCondition(project_id=project_id, edited_after=str(since), min_rows=min_rows)

    def _after_export(self, source: Any, min_rows: int) -> EditedRowsCondition:
        from airflow_provider_encord.exports.manifest import MANIFEST, read_manifest
        from airflow_provider_encord.exports.since_export import rows_since
        from airflow_provider_encord.storage_paths import storage_errors
        from airflow_provider_encord.waits.conditions import MOST_CARRIED, EditedRowsCondition

        path = storage_path(source, "manifest")
        directory = path.parent if path.name == MANIFEST else path
        with storage_errors("manifest", directory):
            manifest = read_manifest(directory)
            since = rows_since(directory, manifest, most_known=MOST_CARRIED)
        return EditedRowsCondition(
            project_id=self._project_of(manifest),
            edited_after=since.edited_after,
            min_rows=min_rows,
            which=since.which,
            known=since.known,
        )

    def _project_of(self, manifest: Manifest) -> str:
        """The project of the export.

        :raises InvalidArgumentError: `project_id` is another project.
        """

        project_id = self.client.project(blank_to_none(self.project_id) or manifest.project_id).id
        if project_id != manifest.project_id:
            raise InvalidArgumentError(
                f"project_id: {project_id} is not the project of the export ({manifest.project_id}). Leave it out, or "
                "pass the manifest of another export."
            )
        return project_id
