"""Verify an export of label rows."""

from __future__ import annotations

import itertools
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.defaults import EXPORT_CHECKS
from airflow_provider_encord.operators.arguments import FAIL, blank_to_none, parse_choice, parse_url, storage_path
from airflow_provider_encord.operators.base import EncordBaseOperator
from airflow_provider_encord.operators.labels.lineage import counts_of, record_labels
from airflow_provider_encord.operators.literals import check_literals, one_of

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath

    from airflow_provider_encord.exports.verify import Mismatch
    from airflow_provider_encord.storage_paths import StoragePath

REPORT = "report"
MOST_NAMED = 20


class EncordVerifyExportOperator(EncordBaseOperator):
    """Check an export of label rows against its manifest, and optionally against the current labels in Encord.

    The check of the files: every file of the manifest exists and has the right size and checksum; the directory has no
    other files; in JSON Lines files, the rows are the rows of the listing, in the same order. Optionally the task also
    reads Encord: it finds rows that were added, deleted or edited since the export, or compares all labels with the
    exported labels. Only reads. Files are streamed.

    Use the asset of the labels (`airflow_provider_encord.assets.labels_asset`) or an asset alias as an outlet: its
    event gets the counts of the export and the URI of the manifest. If an export is split into partitions, give the
    outlet to this task and not to the export tasks: then the event is created once, when the export is complete.

    :param manifest: Path or URI of the manifest, or of its directory (templated), such as the ``manifest`` that
        `EncordExportLabelsOperator` returns.
    :param check: ``"files"`` (default) checks the files. ``"listing"`` also compares them with the label rows that
        Encord lists now. ``"content"`` checks the files and reads all labels again (templated).
    :param on_error: What to do about mismatches (templated): ``"fail"`` (default) fails the task, ``"report"`` only
        logs and reports them.
    :param report: Path or URI of a JSON Lines file for the mismatches (templated). It replaces an earlier report, but
        no other file. It must not be in the directory of the export. Default: no report.
    :return: ``{"manifest": URI, "rows": int, "mismatches": int, "report": URI or None}``.
    :raises AirflowFailException: There are mismatches (the message names the first 20), the manifest does not exist,
        or an argument is wrong.
    :raises AirflowException: Encord or the storage could not be reached; a retry may help.
    """

    template_fields: Sequence[str] = (
        "manifest",
        "check",
        "on_error",
        "report",
        *EncordBaseOperator.template_fields,
    )

    def __init__(
        self,
        *,
        manifest: str | os.PathLike[str] | ObjectStoragePath,
        check: str = "files",
        on_error: str = FAIL,
        report: str | os.PathLike[str] | ObjectStoragePath | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.manifest = manifest
        self.check = check
        self.on_error = on_error
        self.report = report
        check_literals(
            manifest=(manifest, parse_url),
            check=(check, one_of(*EXPORT_CHECKS)),
            on_error=(on_error, one_of(FAIL, REPORT)),
            report=(report, parse_url),
        )

    def _execute(self, context: Context) -> dict[str, Any]:
        """Verify the export."""
        from airflow_provider_encord.exports.verify import read_export, verify_export

        check = parse_choice(self.check, "check", EXPORT_CHECKS)
        parse_choice(self.on_error, "on_error", (FAIL, REPORT))
        path = storage_path(self.manifest, "manifest")
        report = storage_path(self.report, "report") if blank_to_none(self.report) else None
        directory, manifest = read_export(path, report)
        self.push_project_links(context, manifest.host, manifest.project_id)
        mismatches = verify_export(lambda: self.client, directory, manifest, check, report=report)
        for mismatch in itertools.islice(mismatches, MOST_NAMED):
            self.log.error("%s", mismatch)
        if mismatches and self.on_error == FAIL:
            raise InvalidArgumentError(_words(directory, mismatches))
        if not mismatches:
            record_labels(self, context, manifest, directory)
        return {
            "manifest": counts_of(manifest, directory)["manifest"],
            "rows": manifest.counts.exported,
            "mismatches": len(mismatches),
            "report": str(report) if report else None,
        }


def _words(directory: StoragePath, mismatches: Sequence[Mismatch]) -> str:
    named = "; ".join(map(str, mismatches[:MOST_NAMED]))
    more = f"; and {len(mismatches) - MOST_NAMED} more" if len(mismatches) > MOST_NAMED else ""
    return f"The export in {directory} has {len(mismatches)} mismatches: {named}{more}. Export it again."
