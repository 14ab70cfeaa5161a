"""Export one partition of a planned export."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.links import project_url
from airflow_provider_encord.operators.arguments import parse_mapping, storage_path
from airflow_provider_encord.operators.labels.reading import ReadLabelRowsOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class EncordExportLabelsPartitionOperator(ReadLabelRowsOperator):
    """Export one of the partitions that `EncordPartitionLabelsOperator` returns.

    The partition contains the selection and the destination. Use mapped tasks to export all partitions; the task that
    finishes last writes the manifest::

        EncordExportLabelsPartitionOperator.partial(task_id="export").expand(partition=partitions.output)

    Safe to repeat, like `EncordExportLabelsOperator`: a finished partition is not exported again.

    Do not give the asset of the labels as an outlet to these tasks: each of them would create an event, also before
    the export is complete. Give it to the task after them, such as `EncordVerifyExportOperator`, or use an asset
    alias.

    :param partition: One of the partitions (templated).
    :param batch_size: See `EncordExportLabelsOperator`; the same for `max_concurrency` and `on_error`.
    :return: The same keys as `EncordExportLabelsOperator`, but ``rows``, ``shards``, ``bytes``, ``not_found`` and
        ``failed`` are counts of this partition. Until the last partition is finished, the other counts are missing and
        ``manifest`` is None.
    :raises AirflowFailException: The destination contains a different export now, an argument is wrong, or Encord
        rejects the request.
    :raises AirflowException: Encord could not be reached; a retry may help.
    """

    template_fields: Sequence[str] = ("partition", *ReadLabelRowsOperator.template_fields)

    def __init__(self, *, partition: Mapping[str, Any] | str, **kwargs: Any):
        super().__init__(**kwargs)
        self.partition = partition

    def _execute(self, context: Context) -> dict[str, Any]:
        """Export the partition."""
        from airflow_provider_encord.exports.partitions import export_partition, partition_of

        options = self.read_options()
        wanted = parse_mapping(self.partition, "partition")
        if wanted is None:
            raise InvalidArgumentError(
                "partition: it is empty. Pass one of the partitions that EncordPartitionLabelsOperator returns."
            )
        partition = partition_of(wanted)
        target = storage_path(partition.destination, "partition")
        self.push_link(context, project_url, partition.project_id)
        progress, manifest = export_partition(self.client, partition, target, options)
        if manifest:
            result = self.record_export(context, manifest, target)
        else:
            self._warn_of_outlets(context, partition.project_id)
            result = {"project_id": partition.project_id, "manifest": None}
        return {
            **result,
            "rows": sum(shard.rows for shard in progress.shards),
            "shards": len(progress.shards),
            "bytes": sum(shard.bytes for shard in progress.shards),
            "not_found": len(progress.not_found),
            "failed": len(progress.failed),
        }

    def _warn_of_outlets(self, context: Context, project: str) -> None:
        """Warn if Airflow will create an asset event although the export is not complete."""
        from airflow.providers.common.compat.sdk import AssetAlias

        if any(not isinstance(outlet, AssetAlias) for outlet in self.outlets or ()):
            self.log.warning(
                "The export of project %s is not complete yet, but Airflow creates an event for the outlets of this "
                "task. Give the outlets to the task that runs after the export, such as EncordVerifyExportOperator, "
                "or use an asset alias.",
                project,
            )
