"""The logical date and the data interval of a DAG run."""

from __future__ import annotations

import datetime
import logging
from typing import TYPE_CHECKING, Any

from airflow_provider_encord.client.errors import UnavailableError

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

log = logging.getLogger(__name__)


def run_moment(context: Context) -> str | None:
    """Return the logical date of the run, in ISO 8601 and UTC. A run without one (Airflow 3) has its `run_after` date.

    :return: None outside of Airflow, such as in a unit test.
    """
    dag_run = context.get("dag_run")
    moment = (
        context.get("logical_date") or getattr(dag_run, "logical_date", None) or getattr(dag_run, "run_after", None)
    )
    return moment.astimezone(datetime.UTC).isoformat() if moment else None


def run_interval(context: Context) -> tuple[datetime.datetime, datetime.datetime] | None:
    """Return the data interval of the run, unless it is empty.

    With Airflow 3's default timetable, data intervals are empty. Then the interval begins at the previous run and ends
    at this run; for the first run, it is the day before. So consecutive runs have consecutive intervals.

    :return: None outside of Airflow.
    """
    dag_run: Any = context.get("dag_run")
    start, end = (_moment(context.get(name)) for name in ("data_interval_start", "data_interval_end"))
    end = end or _moment(context.get("logical_date")) or _moment(getattr(dag_run, "run_after", None))
    if end is None:
        return None
    if start is None or start >= end:
        start = _previous_end(context)
    if start is None or start >= end:
        start = end - datetime.timedelta(days=1)
    return start, end


def whole_days(
    interval: tuple[datetime.datetime, datetime.datetime], context: Context
) -> tuple[datetime.datetime, datetime.datetime]:
    """Return the whole days (UTC) that end in an interval. Consecutive intervals have consecutive days.

    :param interval: From `run_interval`.
    :return: May be empty. For a run that was triggered manually, an empty interval is replaced by the last complete
        day.
    """
    start, end = (
        moment.astimezone(datetime.UTC).replace(hour=0, minute=0, second=0, microsecond=0) for moment in interval
    )
    run_type = getattr(context.get("dag_run"), "run_type", None)
    if start == end and str(getattr(run_type, "value", run_type)) == "manual":
        start = end - datetime.timedelta(days=1)
    return start, end


def _previous_end(context: Context) -> datetime.datetime | None:
    """The end of the previous run's interval, even if that run failed; None for the first run."""
    instance: Any = context.get("ti")
    if instance is None:
        return None
    try:
        previous: Any = instance.get_previous_dagrun()
    except Exception as error:  # noqa: BLE001 - whatever the API server, or the database on Airflow 2, raises
        log.warning("The previous run of this DAG could not be read: %s.", type(error).__name__)
        raise _unavailable() from None
    moments = (getattr(previous, name, None) for name in ("data_interval_end", "logical_date", "run_after"))
    return next((moment for moment in map(_moment, moments) if moment), None)


def utc_time(value: datetime.datetime) -> datetime.datetime:
    """Convert a pendulum time to a standard `datetime` in UTC. It goes through ISO text, to keep the timezone."""
    return datetime.datetime.fromisoformat(value.isoformat()).astimezone(datetime.UTC)


def _moment(value: Any) -> datetime.datetime | None:
    return utc_time(value) if isinstance(value, datetime.datetime) and value.tzinfo else None


def _unavailable() -> Exception:
    return UnavailableError(
        "start: Airflow did not return the previous run of this DAG, so the default interval is unknown. A retry may "
        "help. Or pass `start` and `end`."
    )
