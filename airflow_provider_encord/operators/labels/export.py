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

    Only reads: rows without labels are counted, but not created in Encord. The rows are written to files whose names
    begin with ``labels-``, ordered by data hash. ``manifest.json`` in the same directory lists the files and their
    content (`airflow_provider_encord.exports.Manifest`). It is written last: if it exists, the export is complete. The
    task keeps only the ids of all rows and the content of a few requests in memory.

    Safe to repeat. A retry continues the previous attempt, shard by shard, and writes files with the same content. A
    complete export with the same logical date and the same arguments is not made again. A run with another logical
    date and the same destination replaces the export. It removes the manifest first, so readers never see files of two
    exports. If both run at the same time, the one that began first fails. If the destination contains any other file,
    the task fails and changes nothing. Works with an SSH key, or with the API key of a project. Encord API:
    ``labelrowmetadata`` and ``labelrow`` GET (v1).

    To export a large project with mapped tasks, see `EncordPartitionLabelsOperator`.

    Use the asset of the labels (`airflow_provider_encord.assets.labels_asset`) or an asset alias as an outlet: its
    event gets the counts, the watermark and the URI of the manifest.

    :param destination: See `PlannedExportOperator`; the same for `format`, `max_shard_bytes`, `incremental`,
        `history_dir`, `history_name`, `lookback_seconds` and `overwrite`.
    :param project_id: See `LabelRowsOperator`; the same for `branch`, `all_branches` and the filters.
    :param batch_size: Maximum number of label rows in a request, 1 to 1000 (templated). Default: 100. Large rows are
        requested in smaller batches.
    :param max_concurrency: Number of requests at the same time, 1 to 10 (templated). Default: 4.
    :param on_error: What to do if the content of a label row cannot be read, for example because it contains ``NaN``,
        half of a surrogate pair, or 5,000 nested levels (templated). ``"fail"`` (default) fails the task; the message
        names the row. ``"skip"`` leaves the row out and lists it in the manifest under ``failed``.
    :return: ``{"project_id": id, "manifest": URI, "rows": int, "without_labels": int, "shards": int, "bytes":
        int, "unchanged": int, "removed": int, "not_found": int, "failed": int}``.
    :raises AirflowFailException: The destination has other files, an argument is wrong, or Encord rejects the request.
    :raises AirflowException: Encord could not be reached; a retry may help.
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
