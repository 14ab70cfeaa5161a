"""Operators on label rows: export."""

from __future__ import annotations

import os
import urllib.parse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

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
        rows_per_request: int | str = 100,
        shard_bytes: int | str = 64 * 2**20,
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

        destination = _object_storage(self.destination)
        rows_per_request = _whole_number("rows_per_request", self.rows_per_request, most=MOST_ROWS_PER_REQUEST)
        shard_bytes = _whole_number("shard_bytes", self.shard_bytes)
        client = self.client
        manifest = export_labels(
            client,
            self._question(client.project(self.project or None).id),
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

        data_hashes = _several(self.data_hashes)
        filters = Filters(
            edited_after=_time("edited_after", self.edited_after),
            edited_before=_time("edited_before", self.edited_before),
            stage=self.stage or None,
            label_statuses=_several(self.label_statuses),
            data_title_like=self.data_title_like or None,
            data_hashes=None if data_hashes is None else require_ids(data_hashes, "data_hashes"),
        )
        return Question(project=project, branch=self.branch or MAIN_BRANCH, filters=filters)


def _object_storage(destination: Any) -> ObjectStoragePath:
    """The directory that was named.

    :raises InvalidRequestError: It is relative, or of a scheme that this deployment has no file system for.
    """
    from airflow.providers.common.compat.sdk import ObjectStoragePath

    from airflow_provider_encord.client.errors import InvalidRequestError

    if isinstance(destination, ObjectStoragePath):
        return destination
    text = str(destination).strip()
    url = urllib.parse.urlsplit(text if "://" in text else f"file://{text}")
    if not text or (url.scheme == "file" and url.netloc.rpartition("@")[2]):
        raise InvalidRequestError(
            f"destination: {text!r} is not absolute, and workers share no working directory. Give an absolute path, or "
            "a URL such as s3://connection_id@bucket/path."
        )
    try:
        path = ObjectStoragePath(text if "://" in text else f"file://{text}")
        path.fs  # noqa: B018 - looks for the file system now, so that a missing one is named before anything is read
    except (ValueError, ImportError) as error:
        raise InvalidRequestError(
            f"destination: {url.scheme}:// cannot be used here ({error}). Install the Airflow provider for it, or give "
            "another destination."
        ) from None
    return path


def _several(value: Sequence[str] | str | None) -> list[str] | None:
    """A list as it is, one text as a list of it, and nothing as None."""
    if value is None or value == "":
        return None
    return [value] if isinstance(value, str) else list(value)


def _time(name: str, value: Any) -> str | None:
    """The time as Encord is asked for it.

    :raises InvalidRequestError: It is no time.
    """
    from airflow_provider_encord.client.errors import InvalidRequestError
    from airflow_provider_encord.client.times import write_time

    try:
        return write_time(value or None)
    except (ValueError, TypeError):
        raise InvalidRequestError(
            f"{name}: {str(value)[:80]!r} is not a time. Write it as 2026-11-23T08:00:00+00:00; where a template may "
            "have none, let it render to nothing: {{ ... or '' }}."
        ) from None


def _whole_number(name: str, value: Any, *, most: int | None = None) -> int:
    """A number of at least 1, perhaps as text.

    :raises InvalidRequestError: It is none, or more than `most`.
    """
    from airflow_provider_encord.client.errors import InvalidRequestError

    text = str(value).strip()
    number = int(text) if text.isdecimal() else 0
    if number < 1 or (most and number > most):
        wanted = f"from 1 to {most}" if most else "of at least 1"
        raise InvalidRequestError(f"{name}: {text[:80]!r} is not a whole number {wanted}.")
    return number
