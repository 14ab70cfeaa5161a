"""Which run of a DAG this is: the moment that names what it makes, in files and branches."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context


def run_moment(context: Context) -> str | None:
    """The logical date of the run, ISO 8601, UTC; of a run without one (Airflow 3) when it was due.

    :return: None outside of Airflow, such as in a test of one's own.
    """
    dag_run = context.get("dag_run")
    moment = (
        context.get("logical_date") or getattr(dag_run, "logical_date", None) or getattr(dag_run, "run_after", None)
    )
    return moment.astimezone(datetime.UTC).isoformat() if moment else None
