"""Export label rows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.defaults import (
    MOST_PARALLEL_READS,
    MOST_ROWS_PER_REQUEST,
    PARALLEL_READS,
    ROWS_PER_REQUEST,
)
from airflow_provider_encord.links import project_url
from airflow_provider_encord.operators.arguments import (
    FAIL,
    ON_ERROR,
    SKIP,
    blank_to_none,
    check_destination,
    check_literals,
    one_of,
    parse_choice,
    parse_mapping,
    parse_positive_int,
    storage_path,
)
from airflow_provider_encord.operators.labels.lineage import counts_of, lineage_of, record_labels
from airflow_provider_encord.operators.labels.planned import PlannedExportOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath

    from airflow_provider_encord.export.labels import ExportSpec
    from airflow_provider_encord.export.manifest import Manifest
    from airflow_provider_encord.export.reading import ReadOptions


class EncordExportLabelsOperator(PlannedExportOperator):
    """Export the label rows of a project to files and a manifest.

    Only reads: rows without labels are counted, and not created. Rows go to files whose names begin with
    ``labels-``, ordered by data hash; ``manifest.json`` beside them names them, says what they hold
    (`airflow_provider_encord.export.manifest.Manifest`) and is written last: where it is, the export is whole. Memory
    is needed for the ids of the rows and the content of a few requests, not for the project.

    Safe to repeat. A retry continues the attempt before it, shard by shard, and ends with files of the same content. A
    whole export of the same logical date, with the same arguments, is not made again. A run of another logical date
    that has the same destination replaces it: the manifest is removed first, so readers never see a mix. If both run
    at once, the one that began first fails. A destination that holds any other file is refused and left as it is.
    Works with an SSH key and with the API key of a project. Encord API: ``labelrowmetadata`` and ``labelrow`` GET
    (v1).

    For a mapped export, ``EncordExportLabelsOperator.partial(task_id=...).expand(partition=...)`` takes what
    `EncordPartitionLabelsOperator` returns, and nothing else; the task that finishes last writes the manifest.

    Outlets that are the labels' asset (`airflow_provider_encord.assets.labels_asset`) or an asset alias get the counts,
    the watermark and the manifest's URI with their event.

    :param destination: See `PlannedExportOperator`; the same for `format`, `max_shard_bytes`, `incremental`,
        `history_dir`, `history_name`, `lookback_seconds` and `overwrite`.
    :param project_id: See `LabelRowsOperator`; the same for `branch`, `all_branches` and the filters.
    :param batch_size: How many label rows to ask for at once, 1 to 1000 (templated). It is an upper bound: heavy
        rows are asked for in smaller parts.
    :param max_concurrency: How many requests run at the same time, 1 to 10 (templated).
    :param on_error: What to do about a label row whose content cannot be read (``NaN``, half of a surrogate pair,
        5,000 levels, ...): ``"fail"`` the task with a message that names the row, or ``"skip"`` the row and name it in
        the manifest under ``failed`` (templated).
    :param partition: One of the partitions that `EncordPartitionLabelsOperator` returns (templated).
    :return: ``{"project_id": id, "manifest": URI or None, "rows": int, "without_labels": int, "shards": int, "bytes":
        int, "unchanged": int, "removed": int, "not_found": int, "failed": int}``. Of a partition, ``rows``, ``shards``,
        ``bytes``, ``not_found`` and ``failed`` are its own, and ``manifest`` is None until the last is finished.
    :raises AirflowFailException: The destination holds something else, an argument is wrong, or Encord refuses.
    :raises AirflowException: Encord was not reached; a retry may help.
    """

    template_fields: Sequence[str] = (
        "batch_size",
        "max_concurrency",
        "on_error",
        "partition",
        *PlannedExportOperator.template_fields,
    )

    def __init__(
        self,
        *,
        batch_size: int | str = ROWS_PER_REQUEST,
        max_concurrency: int | str = PARALLEL_READS,
        on_error: str = FAIL,
        partition: Mapping[str, Any] | str | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.batch_size = batch_size
        self.max_concurrency = max_concurrency
        self.on_error = on_error
        self.partition = partition
        if partition is None:
            check_destination(self.destination)
        check_literals(
            batch_size=(batch_size, _rows),
            max_concurrency=(max_concurrency, _parallel),
            on_error=(on_error, one_of(*ON_ERROR)),
        )
        self._exported: tuple[str, Manifest, ObjectStoragePath] | None = None

    def _execute(self, context: Context) -> dict[str, Any]:
        """Export the label rows."""
        from airflow_provider_encord.export.reading import ReadOptions

        reading = ReadOptions(
            batch_size=_rows(self.batch_size, "batch_size"),
            max_concurrency=_parallel(self.max_concurrency, "max_concurrency"),
            skip_unreadable=parse_choice(blank_to_none(self.on_error) or FAIL, "on_error", ON_ERROR) == SKIP,
        )
        partition = parse_mapping(self.partition, "partition")
        if partition is not None:
            return self._export_partition(context, partition, reading)
        target = self.target()
        return self._export(context, self.spec(context, target), target, reading)

    def get_openlineage_facets_on_complete(self, task_instance: Any) -> Any:
        """What the OpenLineage provider asks for after the task (extra ``openlineage``)."""
        return lineage_of(self._exported)

    def _export(
        self, context: Context, spec: ExportSpec, target: ObjectStoragePath, reading: ReadOptions
    ) -> dict[str, Any]:
        from airflow_provider_encord.export.labels import export_labels

        self.push_link(context, project_url, spec.selection.project_id)
        manifest = export_labels(self.client, spec, target, reading=reading)
        self._tell(context, manifest, target)
        return self._result(manifest, target)

    def _export_partition(self, context: Context, partition: Mapping[str, Any], reading: ReadOptions) -> dict[str, Any]:
        from airflow_provider_encord.export.partitions import export_partition, partition_of

        if blank_to_none(self.destination):
            from airflow_provider_encord.client.errors import InvalidArgumentError

            raise InvalidArgumentError(
                "destination, partition: a partition says where it goes. Leave `destination` and the filters to "
                "EncordPartitionLabelsOperator."
            )
        one = partition_of(partition)
        target = storage_path(one.destination, "partition")
        self.push_link(context, project_url, one.project_id)
        progress, manifest = export_partition(self.client, one, target, reading)
        if manifest:
            self._tell(context, manifest, target)
        else:
            self._warn_of_outlets(context, one.project_id)
        result = self._result(manifest, target) if manifest else {"project_id": one.project_id, "manifest": None}
        return {
            **result,
            "rows": sum(shard.rows for shard in progress.shards),
            "shards": len(progress.shards),
            "bytes": sum(shard.bytes for shard in progress.shards),
            "not_found": len(progress.not_found),
            "failed": len(progress.failed),
        }

    def _result(self, manifest: Manifest, target: ObjectStoragePath) -> dict[str, Any]:
        return {"project_id": manifest.project_id, **counts_of(manifest, target)}

    def _tell(self, context: Context, manifest: Manifest, target: ObjectStoragePath) -> None:
        self._exported = (self.client.settings.base_url, manifest, target)
        record_labels(self, context, manifest, target)

    def _warn_of_outlets(self, context: Context, project: str) -> None:
        """A part ends before the export is whole, and Airflow makes an event for each outlet all the same."""
        from airflow.providers.common.compat.sdk import AssetAlias

        if any(not isinstance(one, AssetAlias) for one in self.outlets or ()):
            self.log.warning(
                "The export of project %s is not whole yet, and this part's outlets get an event all the same. Give "
                "them to the task that ends the export, such as EncordVerifyExportOperator, or use an asset alias.",
                project,
            )


def _rows(value: Any, name: str) -> int:
    return parse_positive_int(value, name, most=MOST_ROWS_PER_REQUEST)


def _parallel(value: Any, name: str) -> int:
    return parse_positive_int(value, name, most=MOST_PARALLEL_READS)
