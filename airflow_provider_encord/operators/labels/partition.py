"""Plan an export of label rows in parts."""

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

    Only reads. What is to be read is written to the destination, a plan and a listing; XCom gets a
    small dictionary for each part. Parts are ranges of the rows in their order, of nearly the same number of rows.
    A retry, of this task or of a mapped one, continues the same plan. When the last part is finished, the manifest
    takes the place of the plan. All arguments about what is exported, and how, are given here::

        parts = EncordPartitionLabelsOperator(task_id="partition", project_id=..., destination="s3://labels/{{ ds }}")
        EncordExportLabelsPartitionOperator.partial(task_id="export").expand(partition=parts.output)

    :param destination: See `PlannedExportOperator`; the same for `format`, `max_shard_bytes`, `incremental`,
        `history_dir`, `history_name`, `lookback_seconds` and `overwrite`.
    :param project_id: See `LabelRowsOperator`; the same for `branch`, `all_branches` and the filters.
    :param rows_per_partition: Label rows in a part, at most (templated). If that makes more than 1000 parts, they are
        larger.
    :return: The partitions, in order; at least one.
    :raises AirflowFailException: The destination holds something else, an argument is wrong, or Encord refuses.
    :raises AirflowException: Encord was not reached; a retry may help.
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
