"""Freeze labels into a branch for a date."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.defaults import LATE_AFTER
from airflow_provider_encord.links import project_url
from airflow_provider_encord.operators.arguments import check_literals, choice, given, one_of, seconds
from airflow_provider_encord.operators.base import EncordBaseOperator

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

    from airflow_provider_encord.export.snapshot import Date

FAIL = "fail"
MARK = "mark"


class EncordSnapshotLabelsOperator(EncordBaseOperator):
    """Freeze the labels of a project, as they are on the logical date, into a branch of their own.

    A branch that nobody edits gives the same bytes at every export, while annotation goes on in the main branch. The
    snapshot has the label rows that were created by the time the run was due (the end of its data interval, else when
    it was triggered); rows without labels are not in it. Changes the project: Encord copies the labels (copy-branch).

    Safe to repeat: if the branch is there, it stays as it is, and only rows that a try before did not come to are
    copied. Labels of the past cannot be had: a run that comes more than `late_after` after it was due, and finds no
    branch, is refused; or takes them as they are now, into a branch whose name ends with ``-taken-`` and the moment.
    Use the branch that is returned. SSH keys only. Encord API: ``labels/copy-branch`` (v2).

    :param project: Id of the project (templated).
    :param branch: The branch to make (templated); by default ``export-`` and the date.
    :param source: The branch to freeze (templated).
    :param if_late: ``"fail"``, or ``"mark"`` to take the labels as they are now, and say so (templated).
    :param late_after: Seconds after which a run is late (templated).
    :return: ``{"project": id, "branch": str, "rows": int, "copied": int, "taken_late": bool, "moment": str}``.
    :raises AirflowFailException: The date is past, an argument is wrong, or Encord refuses.
    :raises AirflowException: Encord was not reached; a retry goes on with what was copied.
    """

    template_fields: Sequence[str] = (
        "project",
        "branch",
        "source",
        "if_late",
        "late_after",
        *EncordBaseOperator.template_fields,
    )

    def __init__(
        self,
        *,
        project: str,
        branch: str = "export-{{ (dag_run.logical_date or dag_run.run_after) | ds }}",
        source: str = "main",
        if_late: str = FAIL,
        late_after: float | str = LATE_AFTER,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        self.project = project
        self.branch = branch
        self.source = source
        self.if_late = if_late
        self.late_after = late_after
        check_literals(if_late=(if_late, one_of(FAIL, MARK)), late_after=(late_after, seconds))

    def act(self, context: Context) -> dict[str, Any]:
        """Take the snapshot."""
        from airflow_provider_encord.assets import labels_uri
        from airflow_provider_encord.client.api.labels import MAIN_BRANCH
        from airflow_provider_encord.client.errors import InvalidRequestError
        from airflow_provider_encord.export.snapshot import take_snapshot

        branch = given(self.branch)
        if branch is None:
            raise InvalidRequestError("branch: it is empty; name the branch to make, such as export-{{ ds }}.")
        now = datetime.datetime.now(datetime.UTC)
        date = self._date(context, now)
        project = self.client.project(self.project).id
        self.show(context, project_url, project)
        taken = take_snapshot(
            self.client, project, branch=str(branch), source=given(self.source) or MAIN_BRANCH, date=date, now=now
        )
        told = {
            "project": project,
            "branch": taken.branch,
            "rows": taken.rows,
            "copied": taken.copied,
            "taken_late": taken.taken_late,
            "moment": taken.moment,
        }
        self.tell_assets(context, labels_uri(self.client.settings.base_url, project, taken.branch), told)
        return told

    def _date(self, context: Context, now: datetime.datetime) -> Date:
        from airflow_provider_encord.export.snapshot import Date

        choice(self.if_late, "if_late", (FAIL, MARK))
        dag_run = context.get("dag_run")
        due = (
            context.get("data_interval_end")
            or context.get("logical_date")
            or getattr(dag_run, "run_after", None)
            or now
        )
        late_after = due + datetime.timedelta(seconds=seconds(self.late_after, "late_after"))
        return Date(due=due, late_after=late_after, mark_late=self.if_late == MARK)
