"""A whole import, as a task does it: check the arguments, import, write the report, and promote the rows."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from airflow_provider_encord.attempts import Owner
from airflow_provider_encord.client.api.label_actions import copy_labels_to_branch
from airflow_provider_encord.client.api.labels import LabelRowMetadata
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.defaults import JSON_LINES_FORMATS
from airflow_provider_encord.exports.whole_shards import whole_shards
from airflow_provider_encord.prelabels.forms.reading import converted_lines
from airflow_provider_encord.prelabels.forms.spec import FormSpec, class_map_of, require_spec
from airflow_provider_encord.prelabels.importing import FAIL, import_labels
from airflow_provider_encord.prelabels.matching import require_key
from airflow_provider_encord.prelabels.report import KEPT, OUTCOMES_OF_IMPORTS, ImportReport
from airflow_provider_encord.prelabels.rows import MERGE, ImportSpec
from airflow_provider_encord.prelabels.sources import Prelabel, Target, prelabels_of, require_apart
from airflow_provider_encord.reports import CONFLICT, FAILED
from airflow_provider_encord.storage_paths import StoragePath

log = logging.getLogger(__name__)

Prelabels: TypeAlias = Callable[[Target], Iterable[Prelabel]]


def lines_of_files(source: StoragePath, report: StoragePath | None) -> Prelabels:
    """The labels in the files of a path, or of an export.

    :raises InvalidArgumentError: The report is one of the files.
    """
    if report is not None:
        require_apart(source, report)

    def lines(target: Target) -> Iterator[Prelabel]:  # noqa: ARG001 - a function needs the rows
        return prelabels_of(source, whole_shards(source, "source", JSON_LINES_FORMATS))

    return lines


def specify_form(format_: str | None, *, class_map: Mapping[Any, Any] | None, **more: Any) -> FormSpec | None:
    """Check the form of the source.

    :param format_: One of `defaults.PRELABEL_FORMATS`; None for JSON Lines.
    :param class_map: Features by class of the source.
    :param more: The other fields of `FormSpec`.
    :raises InvalidArgumentError: An argument is wrong, or does not apply to the format.
    """
    if format_ is not None:
        spec = FormSpec(format=format_, class_map=class_map_of(class_map), **more)
        require_spec(spec)
        return spec
    given = next((name for name, value in {"class_map": class_map, **more}.items() if value is not None), None)
    if given is not None:
        raise InvalidArgumentError(f"{given}: it applies only if `format` is given. Pass `format`, or leave it out.")
    return None


def lines_of_form(source: StoragePath, spec: FormSpec, match_by: str, report: StoragePath | None) -> Prelabels:
    """The labels in files of another form than JSON Lines.

    :param match_by: See `names.Spots`.
    :raises InvalidArgumentError: The report is the source. In a directory it is not read, because it is JSON Lines.
    """
    if report is not None:
        require_apart(source, report, suffixes=())
    return lambda target: converted_lines(source, spec, match_by, target)


def lines_of_function(function: Callable[[LabelRowMetadata], Any]) -> Prelabels:
    """The labels that a function returns, row by row."""

    def lines(target: Target) -> Iterator[Prelabel]:
        for row in target.rows:
            content = function(row)
            if content is None:
                continue
            about = {"data_hash": row.data_hash, "title": row.data_title}
            if isinstance(content, Mapping):
                yield Prelabel(place=row.data_title, content={**content, **about})
            else:
                problem = (
                    f"python_callable: the function returned a {type(content).__name__}; return a dictionary or None."
                )
                yield Prelabel(place=row.data_title, content=about, problem=problem)

    return lines


def specify_import(
    client: EncordClient, project_id: str | None, *, branch: str, promote_to: str | None, match_by: str, **more: Any
) -> ImportSpec:
    """Check how labels are to be imported.

    :param project_id: Id of the project; None for the project of the API key.
    :param promote_to: The branch to copy the rows to afterwards; None for none.
    :param match_by: See `Matching`.
    :param more: The other fields of `ImportSpec`.
    :raises InvalidArgumentError: An argument is wrong.
    :raises UnsupportedByCredentialError: The credential cannot copy rows to a branch.
    """
    require_key(match_by)
    project = client.project(project_id).id
    if promote_to is not None:
        if promote_to == branch:
            raise InvalidArgumentError(
                f"promote_to: {branch!r} is also the branch of the import. Pass a different branch, or do not "
                "pass `promote_to`."
            )
        client.require_possible(copy_labels_to_branch(project, [], target=promote_to))
    return ImportSpec(project_id=project, branch=branch, match_by=match_by, **more)


def import_and_promote(
    client: EncordClient,
    spec: ImportSpec,
    prelabels: Prelabels,
    *,
    report_path: StoragePath | None,
    owner: Owner,
    check_first: bool,
    promote_to: str | None,
    overwrite: bool,
) -> dict[str, Any]:
    """Import labels, write the report, and copy the rows to another branch.

    :param report_path: Path of the report; None for none.
    :param owner: The task, as the owner of the report.
    :param check_first: Check all lines before anything is sent, if one that is wrong fails the import.
    :param promote_to: The branch to copy the rows to; None for none.
    :param overwrite: Replace rows on that branch.
    :return: The ids, the counts of rows by outcome, and the URI of the report.
    :raises InvalidArgumentError: Rows were not imported, and `on_error` is `FAIL`.
    """
    report = ImportReport(report_path, owner)
    try:
        done = import_labels(client, spec, prelabels, report, check_first=check_first and spec.on_error == FAIL)
    except Exception:
        if report.begun:  # otherwise keep the report of an earlier import
            report.finish()
        else:
            report.release()
        raise
    report.finish()
    _warn(spec, report, has_report=report_path is not None)
    if report.counts[FAILED] and spec.on_error == FAIL:
        raise InvalidArgumentError(_failures(report))
    promoted = 0
    if promote_to is not None and done:
        rows = client.project(spec.project_id).rows
        promoted = rows.copy_to_branch(done, target=promote_to, source=spec.branch, overwrite=overwrite)
    return {
        "project_id": spec.project_id,
        "branch": spec.branch,
        **{outcome: report.counts[outcome] for outcome in OUTCOMES_OF_IMPORTS},
        "promoted": promoted,
        "dropped": dict(sorted((reason, count) for reason, count in report.dropped.items() if count)),
        "report": None if report_path is None else str(report_path),
    }


def _warn(spec: ImportSpec, report: ImportReport, *, has_report: bool) -> None:
    """Log which rows were not changed, and why."""
    if report.counts[CONFLICT]:
        log.warning(
            "%d rows were not changed, because somebody edited their labels. %s.",
            report.counts[CONFLICT],
            "The report lists them" if has_report else "Pass `report` to list them in a file",
        )
    if report.counts[KEPT]:
        log.warning(
            "%d rows already have some of these labels with different content; those labels were not changed.",
            report.counts[KEPT],
        )
    if spec.if_exists == MERGE and not has_report:
        log.warning(
            "Labels were merged without a report. So the next import cannot update these labels, and adds them "
            "again if somebody deletes them. Pass the same `report` at every run."
        )


def _failures(report: ImportReport) -> str:
    named = " ".join(f"{failure.source}: {failure.error}" for failure in report.failures)
    counts = ", ".join(f"{count} {name}" for name, count in sorted(report.counts.items()) if count)
    return f"{report.counts[FAILED]} rows were not imported ({counts}). {named}"
