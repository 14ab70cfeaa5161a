"""Copy the labels of a date to a branch that does not change."""

from __future__ import annotations

import datetime
import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.assets import MAIN_BRANCH, labels_uri
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.defaults import LATE_AFTER
from airflow_provider_encord.links import project_url
from airflow_provider_encord.operators.arguments import (
    blank_to_none,
    branch_name,
    parse_choice,
    parse_seconds,
    parse_url,
    storage_path,
)
from airflow_provider_encord.operators.base import EncordBaseOperator
from airflow_provider_encord.operators.literals import check_literals, one_of
from airflow_provider_encord.operators.runs import utc_time

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context, ObjectStoragePath

FAIL = "fail"
MARK = "mark"


class EncordSnapshotLabelsOperator(EncordBaseOperator):
    """Copy the labels of a project, as they are when the task runs, to a branch that does not change.

    Every export of such a branch has the same content, while annotation continues in the main branch. The snapshot
    contains the label rows that existed when the run was due: at the end of its data interval, or else at its logical
    date, or else when it was triggered. It does not contain rows without labels. Changes the project: Encord copies the
    labels (copy-branch). The copy takes some time, and people may edit labels during it: `captured_from` and
    `captured_until` are the times at which the first and the last row were copied.

    Safe to repeat: if the snapshot is complete, the task only checks it, and fails if one of its rows was edited, added
    or deleted. An incomplete snapshot is completed if the run is not late. If the branch contains other labels, the
    task fails and does not change the branch. The task recognises its snapshot by the report. Without a report it uses
    the task state (Airflow 3.3); without that, the times of the rows. It cannot see from these times whether somebody
    else made the copy after the due time.

    Encord does not keep past versions of labels. If a run starts more than `max_lateness_seconds` after it was due,
    and there is no complete snapshot, the task fails. With ``if_late="mark"`` it copies the current labels instead, to
    a branch whose name ends with ``-taken-`` and the day. So let downstream tasks use the returned branch. Needs an SSH
    key. Encord API: ``labels/copy-branch`` (v2).

    :param project_id: Id of the project (templated).
    :param snapshot_branch: Name of the branch to create (templated). Default: ``export-`` and the logical date, so
        each run creates a different branch.
    :param source_branch: The branch to copy (templated). Default: ``"main"``.
    :param if_late: What a late run does (templated): ``"fail"`` (default) fails the task; ``"mark"`` copies the current
        labels to a branch that is marked as taken late.
    :param max_lateness_seconds: Seconds after the due time from which a run is late (templated). Default: 24 hours.
    :param report: Path or URI of a JSON Lines file to write, with one line for each row of the snapshot (templated).
        Use a different file for each snapshot. Default: no report.
    :return: ``{"project_id": id, "snapshot_branch": str, "rows": int, "copied": int, "taken_late": bool,
        "captured_at": str, "captured_from": str, "captured_until": str}``.
    :raises AirflowFailException: The run is late, the branch is not this snapshot or was changed, an argument is
        wrong, or Encord rejects the request.
    :raises AirflowException: Encord could not be reached; a retry completes the snapshot.
    """

    template_fields: Sequence[str] = (
        "project_id",
        "snapshot_branch",
        "source_branch",
        "if_late",
        "max_lateness_seconds",
        "report",
        *EncordBaseOperator.template_fields,
    )

    def __init__(
        self,
        *,
        project_id: str,
        snapshot_branch: str = "export-{{ (dag_run.logical_date or dag_run.run_after) | ts_nodash }}",
        source_branch: str = "main",
        if_late: str = FAIL,
        max_lateness_seconds: float | str = LATE_AFTER,
        report: str | os.PathLike[str] | ObjectStoragePath | None = None,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.project_id = project_id
        self.snapshot_branch = snapshot_branch
        self.source_branch = source_branch
        self.if_late = if_late
        self.max_lateness_seconds = max_lateness_seconds
        self.report = report
        check_literals(
            snapshot_branch=(snapshot_branch, branch_name),
            source_branch=(source_branch, branch_name),
            if_late=(if_late, one_of(FAIL, MARK)),
            max_lateness_seconds=(max_lateness_seconds, parse_seconds),
            report=(report, parse_url),
        )

    def _execute(self, context: Context) -> dict[str, Any]:
        """Take the snapshot."""
        from airflow_provider_encord.snapshots.snapshot import snapshot_labels

        branch = branch_name(self.snapshot_branch, "snapshot_branch")
        if branch is None:
            raise InvalidArgumentError(
                "snapshot_branch: it is empty. Pass the name of the branch to create, such as export-{{ ts_nodash }}."
            )
        source = branch_name(self.source_branch, "source_branch") or MAIN_BRANCH
        mark_late = parse_choice(self.if_late, "if_late", (FAIL, MARK)) == MARK
        due = _due(context)
        max_lateness_seconds = parse_seconds(self.max_lateness_seconds, "max_lateness_seconds")
        project = self.client.project(self.project_id).id
        report = None if blank_to_none(self.report) is None else storage_path(self.report, "report")
        self.push_link(context, project_url, project)
        result = snapshot_labels(
            self.client,
            project,
            branch=branch,
            source=source,
            due=due,
            max_lateness_seconds=max_lateness_seconds,
            mark_late=mark_late,
            store=context.get("task_state_store"),
            report=report,
        )
        uri = labels_uri(self.client.settings.base_url, project, result["snapshot_branch"])
        self.record_asset_event(context, uri, result)
        self.remember_event(project, "snapshot", result, uri=uri)
        return result


def _due(context: Context) -> datetime.datetime:
    """When the run was due, in UTC; outside of Airflow, now."""

    given_times = {name: context.get(name) for name in ("data_interval_end", "logical_date")}
    given_times["run_after"] = getattr(context.get("dag_run"), "run_after", None)
    for name, value in given_times.items():
        if value is None:
            continue
        if not isinstance(value, datetime.datetime) or value.tzinfo is None:
            raise InvalidArgumentError(
                f"{name}: the run's {name} is {str(value)[:80]!r}, which is not a datetime with a timezone. Pass a "
                "datetime with a timezone."
            )
        return utc_time(value)
    return datetime.datetime.now(datetime.UTC)
