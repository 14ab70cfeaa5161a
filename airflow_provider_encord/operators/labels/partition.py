"""Plan an export of label rows that mapped tasks do together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.defaults import MOST_PARTITIONS, ROWS_PER_PARTITION
from airflow_provider_encord.links import project_url
from airflow_provider_encord.operators.arguments import parse_positive_int
from airflow_provider_encord.operators.labels.planned import PlannedExportOperator
from airflow_provider_encord.operators.literals import check_literals

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class EncordPartitionLabelsOperator(PlannedExportOperator):
    """List the label rows of a project once, and return partitions of them for mapped export tasks.

    Only reads. The task writes a plan and a listing of the rows to the destination. It returns a small dictionary for
    each partition. A partition is a range of consecutive rows; all partitions have nearly the same number of rows. A
    retry of this task or of a mapped task continues the same plan. When the last partition is exported, the manifest
    replaces the plan. Pass all arguments that select the rows and the format to this operator::

        parts = EncordPartitionLabelsOperator(task_id="partition", project_id=..., destination="s3://labels/{{ ds }}")
        EncordExportLabelsPartitionOperator.partial(task_id="export").expand(partition=parts.output)

    :param destination: See `PlannedExportOperator`; the same for `format`, `max_shard_bytes`, `incremental`,
        `history_dir`, `history_name`, `lookback_seconds` and `overwrite`.
    :param project_id: See `LabelRowsOperator`; the same for `branch`, `all_branches` and the filters.
    :param rows_per_partition: Maximum number of label rows in a partition (templated). The number is raised if there
        would be more than 1000 partitions.
    :return: The partitions, in order; at least one.
    :raises AirflowFailException: The destination has other files, an argument is wrong, or Encord rejects the request.
    :raises AirflowException: Encord could not be reached; a retry may help.
    """

    template_fields: Sequence[str] = ("rows_per_partition", *PlannedExportOperator.template_fields)

    def __init__(self, *, rows_per_partition: int | str = ROWS_PER_PARTITION, **kwargs: Any):
        super().__init__(**kwargs)
        self.rows_per_partition = rows_per_partition
        check_literals(rows_per_partition=(rows_per_partition, parse_positive_int))

    def _execute(self, context: Context) -> list[dict[str, Any]]:
        """Plan the export."""
        import msgspec

        from airflow_provider_encord.exports.partitions import plan_partitions

        rows = parse_positive_int(self.rows_per_partition, "rows_per_partition")
        target = self.target()
        spec = self.spec(context, target)
        self.push_link(context, project_url, spec.selection.project_id)
        partitions = plan_partitions(self.client, spec, target, rows_per_partition=rows, most=MOST_PARTITIONS)
        self.log.info(
            "%d rows to read, in %d partitions.", sum(partition.rows for partition in partitions), len(partitions)
        )
        return [msgspec.to_builtins(partition) for partition in partitions]
