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
        from airflow_provider_encord.waits.edited_rows import edited_since, edited_since_export

        since, manifest = parse_datetime(self.since, "since"), blank_to_none(self.manifest)
        if (since is None) == (manifest is None):
            raise InvalidArgumentError(f"{_EITHER} Check the rendered templates.")
        min_rows = parse_positive_int(self.min_rows, "min_rows")
        project_id = blank_to_none(self.project_id)
        if manifest is None:
            return edited_since(self.client, project_id, str(since), min_rows=min_rows)
        return edited_since_export(self.client, project_id, storage_path(manifest, "manifest"), min_rows=min_rows)
