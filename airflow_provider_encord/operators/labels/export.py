"""Export label rows."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.defaults import ROWS_PER_REQUEST, SHARD_BYTES
from airflow_provider_encord.links import project_url
from airflow_provider_encord.operators.arguments import given, moment, several, storage_path, whole_number
from airflow_provider_encord.operators.base import EncordBaseOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath

    from airflow_provider_encord.export.listing import Question


class EncordExportLabelsOperator(EncordBaseOperator):
    """Export the label rows of a project to JSON Lines and a manifest.

    Only reads: rows that nobody has labelled yet are counted, and not created. Each row is one line, the JSON that
    Encord holds, in files ``labels-00000.jsonl``, ``labels-00001.jsonl``, ..., ordered by data hash; ``manifest.json``
    beside them says what they hold (`airflow_provider_encord.export.manifest.Manifest`) and is written last, so whoever
    finds it finds a whole export. Memory is needed for the metadata of the rows and for the content of about one
    request, not for the project.

    Safe to repeat: a retry, or a second run with the same project, branch and filters, does the export anew in its
    place. The manifest goes first, so nobody reads a mix, and files of the earlier export that are not needed any more
    are removed. A destination that holds anything else is refused and left as it is: give each run its own, such as
    ``s3://labels/{{ ds }}``. Works with an SSH key and with the API key of a project. Encord API: ``labelrowmetadata``
    and ``labelrow`` GET (v1).

    :param destination: Directory for the files (templated): a URL that Airflow's object storage knows
        (``s3://connection_id@bucket/path``), an absolute local path, or an `ObjectStoragePath`. Relative paths are
        refused: workers share no working directory.
    :param project: Id of the project (templated). With an API key it may be left out: the key's own project is taken.
    :param branch: Label branch (templated).
    :param edited_after: Only rows last edited after this time: a `datetime` or text, UTC if it has no offset
        (templated). A time filter leaves out rows without labels, so they are not counted either.
    :param edited_before: Only rows last edited before this time (templated).
    :param stage: Only rows in the workflow stage of this title (templated).
    :param label_statuses: Only rows of these annotation task statuses, or one status (templated); for projects without
        a workflow.
    :param data_title_like: Only data units whose title fits this SQL LIKE pattern, such as ``"street%.jpg"``
        (templated).
    :param data_hashes: Only these data units, or one (templated). An empty list exports nothing.
    :param rows_per_request: How many label rows to ask for at once, 1 to 1000 (templated). It is an upper bound: heavy
        rows are asked for in smaller parts.
    :param shard_bytes: Size of a file at most, in bytes, unless one row alone is larger (templated).
    :return: ``{"project": id, "manifest": URI, "rows": int, "without_labels": int, "shards": int, "bytes": int}``.
    :raises AirflowFailException: The destination holds something else, an argument is wrong, or Encord refuses.
    :raises AirflowException: Encord was not reached; a retry may help.
    """

    template_fields: Sequence[str] = (
        "destination",
        "project",
        "branch",
        "edited_after",
        "edited_before",
        "stage",
        "label_statuses",
        "data_title_like",
        "data_hashes",
        "rows_per_request",
        "shard_bytes",
        "encord_conn_id",
    )

    def __init__(
        self,
        *,
        destination: str | os.PathLike[str] | ObjectStoragePath,
        project: str | None = None,
        branch: str = "main",
        edited_after: Any = None,
        edited_before: Any = None,
        stage: str | None = None,
        label_statuses: Sequence[str] | str | None = None,
        data_title_like: str | None = None,
        data_hashes: Sequence[str] | str | None = None,
        rows_per_request: int | str = ROWS_PER_REQUEST,
        shard_bytes: int | str = SHARD_BYTES,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.destination = destination
        self.project = project
        self.branch = branch
        self.edited_after = edited_after
        self.edited_before = edited_before
        self.stage = stage
        self.label_statuses = label_statuses
        self.data_title_like = data_title_like
        self.data_hashes = data_hashes
        self.rows_per_request = rows_per_request
        self.shard_bytes = shard_bytes

    def act(self, context: Context) -> dict[str, Any]:
        """Export the label rows."""
        from airflow_provider_encord.client.api.labels import MOST_ROWS_PER_REQUEST
        from airflow_provider_encord.export.labels import export_labels
        from airflow_provider_encord.export.manifest import MANIFEST

        destination = storage_path(self.destination, "destination")
        rows_per_request = whole_number(self.rows_per_request, "rows_per_request", most=MOST_ROWS_PER_REQUEST)
        shard_bytes = whole_number(self.shard_bytes, "shard_bytes")
        client = self.client
        project = client.project(self.project or None).id
        self.show(context, project_url, project)
        manifest = export_labels(
            client,
            self._question(project),
            destination,
            rows_per_request=rows_per_request,
            shard_bytes=shard_bytes,
        )
        return {
            "project": manifest.project.id,
            "manifest": str(destination / MANIFEST),
            "rows": manifest.counts.exported,
            "without_labels": manifest.counts.without_labels,
            "shards": len(manifest.shards),
            "bytes": manifest.bytes,
        }

    def _question(self, project: str) -> Question:
        """What is asked for. A template that renders to nothing is no filter; an empty list is one."""
        from airflow_provider_encord.client.api.labels import MAIN_BRANCH
        from airflow_provider_encord.client.resources.identifiers import require_ids
        from airflow_provider_encord.export.listing import Filters, Question

        data_hashes = _filter(self.data_hashes, "data_hashes")
        filters = Filters(
            edited_after=moment(self.edited_after, "edited_after"),
            edited_before=moment(self.edited_before, "edited_before"),
            stage=self.stage or None,
            label_statuses=_filter(self.label_statuses, "label_statuses"),
            data_title_like=self.data_title_like or None,
            data_hashes=None if data_hashes is None else require_ids(data_hashes, "data_hashes"),
        )
        return Question(project=project, branch=self.branch or MAIN_BRANCH, filters=filters)


def _filter(value: Any, name: str) -> list[Any] | None:
    """What is let through; None for everything, and an empty list for nothing."""
    return None if given(value) is None else several(value, name)
