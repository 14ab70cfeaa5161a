"""Export label rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.links import project_url
from airflow_provider_encord.operators.labels.planned import PlannedExportOperator
from airflow_provider_encord.operators.labels.reading import ReadLabelRowsOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


class EncordExportLabelsOperator(ReadLabelRowsOperator, PlannedExportOperator):
    """Export the label rows of a project to files and a manifest.

    Only reads: rows without labels are counted, and not created. Rows go to files whose names begin with
    ``labels-``, ordered by data hash; ``manifest.json`` beside them names them, says what they hold
    (`airflow_provider_encord.exports.Manifest`) and is written last: where it is, the export is whole. Memory
    is needed for the ids of the rows and the content of a few requests, not for the project.

    Safe to repeat. A retry continues the attempt before it, shard by shard, and ends with files of the same content. A
    whole export of the same logical date, with the same arguments, is not made again. A run of another logical date
    that has the same destination replaces it: the manifest is removed first, so readers never see a mix. If both run
    at once, the one that began first fails. A destination that holds any other file is refused and left as it is.
    Works with an SSH key and with the API key of a project. Encord API: ``labelrowmetadata`` and ``labelrow`` GET
    (v1).

    A large project can be exported by mapped tasks: see `EncordPartitionLabelsOperator`.

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
    :return: ``{"project_id": id, "manifest": URI, "rows": int, "without_labels": int, "shards": int, "bytes":
        int, "unchanged": int, "removed": int, "not_found": int, "failed": int}``.
    :raises AirflowFailException: The destination holds something else, an argument is wrong, or Encord refuses.
    :raises AirflowException: Encord was not reached; a retry may help.
    """

    template_fields: Sequence[str] = tuple(
        dict.fromkeys((*ReadLabelRowsOperator.template_fields, *PlannedExportOperator.template_fields))
    )

    def _execute(self, context: Context) -> dict[str, Any]:
        """Export the label rows."""
        from airflow_provider_encord.exports.labels import export_labels

        options = self.read_options()
        target = self.target()
        spec = self.spec(context, target)
        self.push_link(context, project_url, spec.selection.project_id)
        manifest = export_labels(self.client, spec, target, reading=options)
        return self.record_export(context, manifest, target)
