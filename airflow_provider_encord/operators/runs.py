"""Which run of a DAG this is: the time that names what it makes, in files and branches, and its interval."""

from __future__ import annotations

import datetime
import logging
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from airflow.providers.common.compat.sdk import Context

log = logging.getLogger(__name__)


def run_moment(context: Context) -> str | None:
    """The logical date of the run, ISO 8601, UTC; of a run without one (Airflow 3) when it was due.

    :return: None outside of Airflow, such as in a unit test.
    """
    dag_run = context.get("dag_run")
    moment = (
        context.get("logical_date") or getattr(dag_run, "logical_date", None) or getattr(dag_run, "run_after", None)
    )
    return moment.astimezone(datetime.UTC).isoformat() if moment else None


def run_interval(context: Context) -> tuple[datetime.datetime, datetime.datetime] | None:
    """The interval that a run is about: its data interval if its timetable gives one that is not empty.

    Airflow 3's default timetable gives intervals that end when they start. Then the interval is from the previous run,
    or from a day before if this is the first run, to this run. So consecutive runs have consecutive intervals.

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
    """The whole days (UTC) that end in an interval. Consecutive intervals have consecutive days.

    :param interval: As `run_interval` gives it.
    :return: It may be empty; for a run that somebody triggered it is then the last day that is over.
    """
    start, end = (one.astimezone(datetime.UTC).replace(hour=0, minute=0, second=0, microsecond=0) for one in interval)
    run_type = getattr(context.get("dag_run"), "run_type", None)
    if start == end and str(getattr(run_type, "value", run_type)) == "manual":
        start = end - datetime.timedelta(days=1)
    return start, end


def _previous_end(context: Context) -> datetime.datetime | None:
    """When the interval of the previous run ended, whether that run succeeded or not; None for the first run."""
    instance: Any = context.get("ti")
    if instance is None:
        return None
    try:
        previous: Any = instance.get_previous_dagrun()
    except Exception as error:  # noqa: BLE001 - whatever the API server, or the database on Airflow 2, raises
        log.warning("The previous run of this DAG cannot be looked up: %s.", type(error).__name__)
        raise _unavailable() from None
    moments = (getattr(previous, name, None) for name in ("data_interval_end", "logical_date", "run_after"))
    return next((one for one in map(_moment, moments) if one), None)


def utc_time(value: datetime.datetime) -> datetime.datetime:
    """A time of Airflow as one of the standard library, in UTC: pendulum's lose their timezone on the way."""
    return datetime.datetime.fromisoformat(value.isoformat()).astimezone(datetime.UTC)


def _moment(value: Any) -> datetime.datetime | None:
    return utc_time(value) if isinstance(value, datetime.datetime) and value.tzinfo else None


def _unavailable() -> Exception:
    from airflow_provider_encord.client.errors import UnavailableError

    return UnavailableError(
        "start: Airflow does not say which run came before this one, so the default interval is not known. A retry may "
        "help; or pass start and end."
    )
