"""Intervals of analytics: no second and no record is lost or doubled over consecutive ones (faults 12.1 to 12.5)."""

from __future__ import annotations

import datetime
import inspect
import threading
import types
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_encord.operators.analytics import EncordExportAnalyticsOperator
from tests.airflow_layer.bench import Account, in_its_folder
from tests.airflow_layer.labels.test_analytics import Activity

DAY = datetime.timedelta(days=1)
HOUR = datetime.timedelta(hours=1)
MINUTE = datetime.timedelta(minutes=1)
START = datetime.datetime(2026, 9, 1, tzinfo=datetime.UTC)


@pytest.fixture
def activity(account: Account, tmp_path: Path) -> Activity:
    return Activity(account, tmp_path)


class Season(Activity):
    """A project in which people worked on many days, at the hours that are given."""

    def work(self, days: int, hours: tuple[int, ...]) -> None:
        for day in range(days):
            for hour in hours:
                self.at(START + day * DAY + hour * HOUR)
        self.emulator.clock(now=None)

    def at(self, moment: datetime.datetime) -> None:
        self.emulator.clock(now=moment.isoformat())
        self.emulator.annotate(self.project, count=1, seed=hash(moment) % 1000)

    def seconds(self) -> int:
        with self.account.client() as client:
            spent = client.project(self.project).activity.time_spent(START - 30 * DAY, START + 200 * DAY)
            return sum(one.time_spent_seconds for one in spent if one.period_start_time < self.today.isoformat())

    def exported(self, *names: str) -> int:
        return sum(record["time_spent_seconds"] for name in names for record in self.records("time_spent", name))


@pytest.fixture
def season(account: Account, tmp_path: Path) -> Season:
    return Season(account, tmp_path)


def test_days_of_another_timezone_have_every_second_of_time_spent_once(season: Season) -> None:
    # fault 12.1
    season.work(4, (*range(0, 24, 2), 23))
    zone = ZoneInfo("Europe/Zurich")
    first = datetime.datetime(2026, 8, 31, tzinfo=zone)
    for day in range(7):
        season.export(f"day{day}", record_types="time_spent", start=first + day * DAY, end=first + (day + 1) * DAY)
    assert season.exported(*(f"day{day}" for day in range(7))) == season.seconds() > 0


def test_hours_have_every_second_of_time_spent_once(season: Season) -> None:
    # fault 12.1
    season.work(1, (0, 5, 12, 23))
    for hour in range(25):
        season.export(f"h{hour}", record_types="time_spent", start=START + hour * HOUR, end=START + (hour + 1) * HOUR)
    assert season.exported(*(f"h{hour}" for hour in range(25))) == season.seconds() > 0


def test_a_long_interval_that_begins_in_the_morning_loses_no_seconds_where_it_is_cut(season: Season) -> None:
    # fault 12.1: windows are cut at midnight
    for day in (1, 29, 30, 31, 59, 60, 61, 70):
        for hour in (3, 9, 22):
            season.at(START + day * DAY + hour * HOUR)
    season.emulator.clock(now=None)
    season.export(record_types="time_spent", start=START + 7 * HOUR, end=START + 71 * DAY + 7 * HOUR)
    assert season.exported("export") == season.seconds() > 0


def test_an_interval_whose_last_day_is_not_over_is_refused_for_time_spent(activity: Activity) -> None:
    # fault 12.1
    noon = activity.today + 12 * HOUR
    with pytest.raises(
        AirflowFailException, match=r"the last day \(UTC\) of the interval .* is not over.*data_interval_start"
    ):
        activity.export(start=noon - DAY, end=noon)
    result = activity.export(start=noon - DAY, end=noon + DAY, record_types=["task_actions", "editor_logs"])
    assert result["records"]["task_actions"] > 0
    assert not result["final"]


def run(end: datetime.datetime, previous: datetime.datetime | None = None, **more: Any) -> dict[str, Any]:
    """The context of a run under a timetable that gives no intervals."""
    before = types.SimpleNamespace(data_interval_end=previous) if previous else None
    instance = types.SimpleNamespace(get_previous_dagrun=lambda: before, xcom_push=lambda **_: None)
    return {"data_interval_start": end, "data_interval_end": end, "logical_date": end, "ti": instance, **more}


def intervals(activity: Activity, context: Any, name: str = "export", **arguments: Any) -> tuple[str, str]:
    operator = EncordExportAnalyticsOperator(
        task_id="export", project_id=activity.project, destination=str(activity.directory / name), **arguments
    )
    result = operator.execute(context)
    return result["start"][:16], result["end"][:16]


def test_a_run_without_an_interval_goes_back_to_the_run_before(activity: Activity) -> None:
    # fault 12.2
    morning = START + 30 * DAY + 6 * HOUR
    first = intervals(activity, run(morning), "1", record_types="task_actions")
    second = intervals(activity, run(morning + 2 * DAY, morning), "2", record_types="task_actions")
    assert (first, second) == (
        ("2026-09-30T06:00", "2026-10-01T06:00"),
        ("2026-10-01T06:00", "2026-10-03T06:00"),
    )
    assert intervals(activity, run(morning + 2 * DAY, morning), "3") == ("2026-10-01T00:00", "2026-10-03T00:00")
    assert intervals(activity, {"dag_run": types.SimpleNamespace(run_after=morning)}, "4") == (
        "2026-09-30T00:00",
        "2026-10-01T00:00",
    )


def test_an_hourly_run_fails_as_time_spent_has_whole_days(activity: Activity) -> None:
    # fault 12.2
    morning = START + 30 * DAY + 6 * HOUR
    with pytest.raises(AirflowFailException, match=r"record_types: .*no day ends in the interval.*remove time_spent"):
        intervals(activity, run(morning, morning - HOUR))
    by_hand = run(morning, morning - HOUR, dag_run=types.SimpleNamespace(run_type="manual"))
    assert intervals(activity, by_hand) == ("2026-09-30T00:00", "2026-10-01T00:00")


def test_a_record_that_arrives_late_is_exported_when_the_task_is_cleared(activity: Activity) -> None:
    # fault 12.3
    yesterday = {"start": activity.today - DAY, "end": activity.today}
    first = activity.export(**yesterday)
    assert not first["final"]
    activity.emulator.clock(now=(activity.today - HOUR).isoformat())
    activity.emulator.annotate(activity.project, count=2, advance="submit")
    activity.emulator.clock(now=None)
    assert activity.export(**yesterday)["records"]["task_actions"] == first["records"]["task_actions"] + 2


def test_whether_an_interval_is_over_is_read_from_encords_clock(activity: Activity) -> None:
    # fault 12.3: to this machine the interval is over, to Encord it is running
    end = datetime.datetime.now(datetime.UTC) - MINUTE / 3
    interval = {"start": end - DAY, "end": end, "record_types": "task_actions", "settle_seconds": 1}
    activity.emulator.clock(advance_s=-45)
    first = activity.export(**interval)
    assert not first["final"]
    activity.emulator.annotate(activity.project, count=3, advance="submit")
    assert activity.export(**interval)["records"]["task_actions"] == first["records"]["task_actions"] + 3
    activity.emulator.clock(now=None)
    assert activity.export(**interval)["final"]


def test_two_intervals_with_one_destination_at_once_never_mix(activity: Activity) -> None:
    # fault 12.4
    outcomes: dict[str, Any] = {}

    def export(name: str, start: datetime.datetime) -> None:
        try:
            outcomes[name] = activity.export(record_types="editor_logs", start=start, end=activity.today + DAY)
        except (AirflowException, AirflowFailException) as error:
            outcomes[name] = error

    activity.emulator.faults([{"match": {"path": "/editor-logs$"}, "do": {"delay_s": 0.4}}])
    threads = [
        threading.Thread(target=export, args=("short", activity.today)),
        threading.Thread(target=export, args=("long", activity.today - DAY)),
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    won = [value for value in outcomes.values() if isinstance(value, dict)]
    assert len(won) == 1, outcomes
    assert won[0]["records"]["editor_logs"] == len(activity.records("editor_logs")) > 0


def test_a_directory_with_a_file_that_only_looks_like_ours_is_refused(activity: Activity) -> None:
    # fault 12.4
    mine = activity.directory / "export" / "task_actions-00000.jsonl"
    mine.parent.mkdir()
    mine.write_text("mine")
    with pytest.raises(AirflowFailException, match="contains other files"):
        activity.export(record_types="task_actions")
    assert mine.read_text() == "mine"


UNKNOWN = "99999999-0000-4000-8000-000000000009"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"stage_ids": UNKNOWN}, r"stage_ids: the project has no stage 99999999.*It has: 'Annotate'"),
        ({"data_hashes": [UNKNOWN]}, r"data_hashes: the project has no data unit 99999999.*1 of 1"),
        ({"user_emails": "stranger@example.com"}, r"user_emails: 'stranger@example.com' is not a user.*@example.com"),
        (
            {"record_types": "task_actions", "actions": "sumbit"},
            r"actions: none of sumbit is an action on a task\. .*submit",
        ),
        (
            {"record_types": "editor_logs", "actions": ["submit", "sumbit"]},
            r"actions: unknown action sumbit\. .*submit_task",
        ),
        (
            {"record_types": "task_actions", "actions": "add_object"},
            r"actions: none of add_object is an action on a task",
        ),
    ],
)
def test_a_filter_that_names_nothing_is_refused_with_the_valid_values(
    activity: Activity, arguments: Any, message: str
) -> None:
    # fault 12.5
    with pytest.raises(AirflowFailException, match=message):
        activity.export(**arguments)
    assert not (activity.directory / "export").exists()


@pytest.mark.parametrize(
    ("nth", "in_interval"),
    [(1, [True, True]), (2, [True, True, True]), (3, [True, True, False, True])],
    ids=["in the interval", "there in capitals", "in the last 30 days"],
)
def test_an_action_that_is_not_in_our_list_is_looked_for_in_the_interval_and_in_the_last_days(
    activity: Activity, nth: int, in_interval: list[bool]
) -> None:
    """It was looked for in the last 30 days only, so an export of an earlier interval failed."""
    page = {"results": [msgspec.to_builtins(activity.truth("editor_logs")[0])], "nextPageToken": None}
    fault = {"match": {"path": "editor-logs"}, "when": {"nth": nth, "times": 1}, "do": {"status": 200, "json": page}}
    activity.emulator.faults([fault])
    activity.emulator.clear_journal()
    start = activity.today - 100 * DAY
    assert activity.export(record_types="editor_logs", actions="zoom", start=start, end=start + DAY)["records"] == {
        "editor_logs": 0
    }
    asked = [entry["query"] for entry in activity.emulator.journal() if "editor-logs" in entry["path"]]
    assert [f"{start:%Y-%m-%d}" in str(query) for query in asked] == in_interval


def test_an_address_in_another_case_is_the_same_user(activity: Activity) -> None:
    # fault 12.5
    actor = activity.truth("task_actions")[0].actor_email
    result = activity.export(user_emails=actor.upper())
    assert result["records"] == activity.export("plain", user_emails=actor)["records"]
    assert all(result["records"].values())


def test_a_user_who_belongs_to_a_group_of_the_project_is_known(activity: Activity) -> None:
    # fault 12.5
    account = activity.account
    activity.emulator.authorize(account.public_key, email=account.email, role="ADMIN")
    colleague = Account(activity.emulator).email
    with activity.account.client() as client:
        group = client.organisation.create_group(f"Group of {colleague}").group_hash
        client.organisation.group(group).add_users([colleague])
        client.project(activity.project).add_groups([group], "annotator")
    result = activity.export(user_emails=colleague.upper())
    assert not any(result["records"].values())


def test_submit_is_the_same_action_in_both_kinds_of_record(activity: Activity) -> None:
    # fault 12.5
    for name in ("submit", "submit_task", "Submit"):
        result = activity.export(name, record_types=["task_actions", "editor_logs"], actions=name)
        assert result["records"] == {"task_actions": 6, "editor_logs": 6}


def test_records_that_people_add_while_pages_are_read_come_once(activity: Activity) -> None:
    # fault 12.5
    activity.emulator.limits(page_size=3)
    activity.emulator.faults([{"match": {"path": "task-actions|editor-logs|time-spent"}, "do": {"delay_s": 0.1}}])
    before = {what: activity.truth(what) for what in ("task_actions", "editor_logs")}
    stop = threading.Event()

    def act() -> None:
        while not stop.wait(0.05):
            activity.emulator.annotate(activity.project, count=1, advance="submit")

    thread = threading.Thread(target=act)
    thread.start()
    try:
        activity.export()
    finally:
        stop.set()
        thread.join()
        activity.emulator.limits(page_size=100)
    for what, key in (("task_actions", lambda one: tuple(one.items())), ("editor_logs", lambda one: one["id"])):
        records = activity.records(what)
        assert len({key(record) for record in records}) == len(records) >= len(before[what])
    spent = activity.records("time_spent")
    keys = {(one["user_email"], one["workflow_task_uuid"], one["period_start_time"]) for one in spent}
    assert len(keys) == len(spent)


def test_an_interval_up_to_the_year_9999_asks_for_the_past_only(activity: Activity) -> None:
    # fault 12.5
    result = activity.export(start="2026-01-01", end="9999-01-01")
    assert result["records"]["task_actions"] == 6
    activity.export("old", start="0001-01-01", end="2018-02-01")
    with activity.account.client() as client:
        list(client.project(activity.project).activity.editor_logs("2026-11-01", "9999-12-31"))
    assert len(activity.emulator.journal()) < 100
    with pytest.raises(AirflowFailException, match=r"start: 2090-01-01.* is in the future"):
        activity.export("future", start="2090-01-01", end="2090-01-02")


def date_argument(dag: Any) -> str:
    """How `dag.test` calls the date of a run."""
    names = inspect.signature(dag.test).parameters
    return "logical_date" if "logical_date" in names else "execution_date"


@pytest.mark.usefixtures("airflow_database")
def test_the_default_interval_works_in_real_runs_under_the_default_timetable(
    activity: Activity, monkeypatch: pytest.MonkeyPatch
) -> None:
    # fault 12.2
    from tests.airflow_layer.dags.analytics_in_a_dag import dag

    monkeypatch.setenv("AIRFLOW_VAR_ENCORD_ANALYTICS_PROJECT", activity.project)
    monkeypatch.setenv("AIRFLOW_VAR_ENCORD_ANALYTICS_DESTINATION", f"file://{activity.directory}")
    found = []
    for day in (10, 12):
        date = datetime.datetime(2026, 11, day, 6, tzinfo=datetime.UTC)
        with in_its_folder(dag):
            done = dag.test(**{date_argument(dag): date})
        assert str(done.state) == "success"
        results = {
            instance.task_id: instance.xcom_pull(task_ids=instance.task_id) for instance in done.get_task_instances()
        }
        found.append({name: (result["start"][5:13], result["end"][5:13]) for name, result in results.items()})
    assert found[0] == {"all": ("11-09T00", "11-10T00"), "actions": ("11-09T06", "11-10T06")}
    if found[1]["actions"][0] == "11-11T06":  # Airflow 2.11 gives each run the interval of a day
        return
    assert found[1] == {"all": ("11-10T00", "11-12T00"), "actions": ("11-10T06", "11-12T06")}
