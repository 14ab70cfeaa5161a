"""Base of the operators that write label rows to files: arguments for reading, the asset event and the lineage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.client.times import parse_time
from airflow_provider_encord.defaults import (
    MOST_PARALLEL_READS,
    MOST_ROWS_PER_REQUEST,
    PARALLEL_READS,
    ROWS_PER_REQUEST,
)
from airflow_provider_encord.operators.arguments import (
    FAIL,
    ON_ERROR,
    SKIP,
    blank_to_none,
    parse_choice,
    parse_positive_int,
)
from airflow_provider_encord.operators.base import EncordBaseOperator
from airflow_provider_encord.operators.labels.lineage import counts_of, lineage_of, record_labels
from airflow_provider_encord.operators.literals import check_literals, one_of

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath

    from airflow_provider_encord.exports.manifest import Manifest
    from airflow_provider_encord.exports.reading import ReadOptions


class ReadLabelRowsOperator(EncordBaseOperator):
    """Base of operators that read label rows into files.

    :param batch_size: Maximum number of label rows in a request, 1 to 1000 (templated). Default: 100. Large rows are
        requested in smaller batches.
    :param max_concurrency: Number of requests at the same time, 1 to 10 (templated). Default: 4.
    :param on_error: What to do if the content of a label row cannot be read, for example because it contains ``NaN``,
        half of a surrogate pair, or 5,000 nested levels (templated). ``"fail"`` (default) fails the task; the message
        names the row. ``"skip"`` leaves the row out and lists it in the manifest under ``failed``.
    """

    template_fields: Sequence[str] = (
        "batch_size",
        "max_concurrency",
        "on_error",
        *EncordBaseOperator.template_fields,
    )

    def __init__(
        self,
        *,
        batch_size: int | str = ROWS_PER_REQUEST,
        max_concurrency: int | str = PARALLEL_READS,
        on_error: str = FAIL,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.batch_size = batch_size
        self.max_concurrency = max_concurrency
        self.on_error = on_error
        check_literals(
            batch_size=(batch_size, _rows),
            max_concurrency=(max_concurrency, _requests),
            on_error=(on_error, one_of(*ON_ERROR)),
        )
        self._exported: tuple[str, Manifest, ObjectStoragePath] | None = None

    def read_options(self) -> ReadOptions:
        """Return the options for reading rows.

        :raises InvalidArgumentError: An argument is wrong.
        """
        from airflow_provider_encord.exports.reading import ReadOptions

        return ReadOptions(
            batch_size=_rows(self.batch_size, "batch_size"),
            max_concurrency=_requests(self.max_concurrency, "max_concurrency"),
            skip_unreadable=parse_choice(blank_to_none(self.on_error) or FAIL, "on_error", ON_ERROR) == SKIP,
        )

    def record_export(self, context: Context, manifest: Manifest, target: ObjectStoragePath) -> dict[str, Any]:
        """Add a complete export to the asset event and the lineage.

        :return: The counts for XCom.
        """
        self._exported = (self.client.settings.base_url, manifest, target)
        record_labels(self, context, manifest, target)
        result = {"project_id": manifest.project_id, **counts_of(manifest, target)}
        listed_at = parse_time(manifest.listed_at)
        self.remember(manifest.project_id, manifest.labels_seen(), at=listed_at)
        self.remember_event(manifest.project_id, "export", result, uri=result["manifest"], at=listed_at)
        return result

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """Return the lineage; the OpenLineage provider calls this after the task (extra ``openlineage``)."""
        return lineage_of(self._exported)


def _rows(value: Any, name: str) -> int:
    return parse_positive_int(value, name, most=MOST_ROWS_PER_REQUEST)


def _requests(value: Any, name: str) -> int:
    return parse_positive_int(value, name, most=MOST_PARALLEL_READS)
