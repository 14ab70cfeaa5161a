"""Analytics as a task exports them: each record once over the intervals, nothing twice, nothing changed at Encord."""

from __future__ import annotations

import datetime
import gzip
import json
from pathlib import Path
from typing import Any

import msgspec
import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_encord.operators.analytics import EncordExportAnalyticsOperator
from tests.airflow_layer.bench import Account

DAY = datetime.timedelta(days=1)
WHAT = ("time_spent", "task_actions", "editor_logs")


def _midnight() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC).replace(hour=0, minute=0, second=0, microsecond=0)


class Activity:
    """A project in which somebody worked, and exports of what they did."""

    def __init__(self, account: Account, directory: Path):
        self.account, self.emulator, self.directory = account, account.emulator, directory
        self.project = account.project(rows=12, created=0.0)["project_id"]
        self.emulator.annotate(self.project, count=6, advance="submit")
        self.emulator.clear_journal()
        self.today = _midnight()

    def export(self, name: str = "export", **arguments: Any) -> dict[str, Any]:
        interval = {"start": self.today, "end": self.today + DAY}
        arguments = {"project_id": self.project, "destination": str(self.directory / name), **interval, **arguments}
        result: dict[str, Any] = EncordExportAnalyticsOperator(task_id="export", **arguments).execute({})
        return result

    def records(self, what: str, name: str = "export") -> list[dict[str, Any]]:
        files = sorted((self.directory / name).glob(f"{what}-*"))
        contents = [gzip.decompress(file.read_bytes()) if file.suffix == ".gz" else file.read_bytes() for file in files]
        return [json.loads(line) for content in contents for line in content.splitlines()]

    def truth(self, what: str) -> list[Any]:
        interval = (self.today - 40 * DAY, self.today + 2 * DAY)
        with self.account.client() as client:
            activity = client.project(self.project).activity
            return list(getattr(activity, what)(*interval))

    def changes(self) -> list[dict[str, Any]]:
        return [entry for entry in self.emulator.journal() if entry["changes"]]


@pytest.fixture
def activity(account: Account, tmp_path: Path) -> Activity:
    return Activity(account, tmp_path)


def test_a_number_that_no_column_holds_is_named(activity: Activity) -> None:
    pytest.importorskip("pyarrow")
    spent = activity.truth("time_spent")[0]
    row = msgspec.to_builtins(spent) | {"timeSpentSeconds": 10**30}
    path = activity.emulator.journal()[-1]["path"]
    answer = {"status": 200, "json": {"results": [row], "nextPageToken": None}}
    activity.emulator.faults([{"match": {"path": path}, "do": answer}])
    with pytest.raises(AirflowFailException, match=r"does not fit into a Parquet column: time_spent_seconds: 1000"):
        activity.export(record_types="time_spent", format="parquet")


def test_all_kinds_of_records_of_the_interval_are_exported(activity: Activity) -> None:
    result = activity.export()
    truth = {what: activity.truth(what) for what in WHAT}
    assert result["records"] == {what: len(truth[what]) for what in WHAT}
    assert all(truth.values()), "the emulator reports what its annotator did"
    logs = {record["id"]: record for record in activity.records("editor_logs")}
    assert {*logs} == {log.id for log in truth["editor_logs"]}
    assert [one["timestamp"] for one in activity.records("task_actions")] == [
        action.timestamp for action in truth["task_actions"]
    ]
    spent = activity.records("time_spent")
    assert sum(one["time_spent_seconds"] for one in spent) == sum(one.time_spent_seconds for one in truth["time_spent"])
    assert {one["workflow_stage_title"] for one in spent} == {one.workflow_stage.title for one in truth["time_spent"]}
    assert activity.changes() == []


def test_intervals_that_follow_each_other_have_every_record_once(activity: Activity) -> None:
    actions = activity.truth("task_actions")
    middle = actions[len(actions) // 2].timestamp  # the edge is the very time of a record
    for name, interval in {"first": (activity.today, middle), "second": (middle, activity.today + DAY)}.items():
        activity.export(name, record_types="task_actions", start=interval[0], end=interval[1])
    first, second = activity.records("task_actions", "first"), activity.records("task_actions", "second")
    assert sorted(one["timestamp"] for one in (*first, *second)) == sorted(action.timestamp for action in actions)
    assert middle in [one["timestamp"] for one in second]


def test_ninety_days_of_logs_are_asked_for_in_windows_of_thirty(activity: Activity) -> None:
    start = activity.today - 89 * DAY
    result = activity.export(record_types="editor_logs", start=start, end=activity.today + DAY)
    assert result["records"]["editor_logs"] == len(activity.truth("editor_logs"))
    asked = [entry for entry in activity.emulator.journal() if entry["path"].endswith("/editor-logs")]
    assert len(asked) >= 3
    assert all(one["status"] == 200 for one in asked)


def test_an_interval_that_is_over_is_read_once(activity: Activity) -> None:
    past = {"start": activity.today - 2 * DAY, "end": activity.today - DAY}
    activity.export(**past)
    before = {path.name: path.read_bytes() for path in (activity.directory / "export").iterdir()}
    activity.emulator.clear_journal()
    activity.export(**past)
    assert activity.emulator.journal() == []
    assert {path.name: path.read_bytes() for path in (activity.directory / "export").iterdir()} == before
    activity.export(**past, overwrite=True)
    assert activity.emulator.journal() != []


def test_an_interval_that_was_not_over_is_read_again(activity: Activity) -> None:
    first = activity.export()["records"]["task_actions"]
    activity.emulator.annotate(activity.project, count=2, advance="submit")
    assert activity.export()["records"]["task_actions"] > first


def test_a_try_that_was_cut_off_is_made_again(activity: Activity) -> None:
    logs = {"method": "GET", "path": "/editor-logs$"}
    activity.emulator.faults([{"match": logs, "do": {"status": 404}}])
    with pytest.raises((AirflowException, AirflowFailException)):
        activity.export()
    assert not (activity.directory / "export" / "manifest.json").exists()
    activity.emulator.clear_faults()
    activity.emulator.faults([{"match": {"method": "GET"}, "when": {"every": 3}, "do": {"status": 503}}])
    result = activity.export()
    assert result["records"]["editor_logs"] == len(activity.records("editor_logs")) > 0


def test_the_formats_hold_the_same(activity: Activity) -> None:
    import pyarrow.parquet

    for format_ in ("jsonl", "jsonl.gz", "parquet"):
        activity.export(format_, format=format_)
    for what in WHAT:
        plain = activity.records(what, "jsonl")
        assert activity.records(what, "jsonl.gz") == plain
        (file,) = (activity.directory / "parquet").glob(f"{what}-*")
        table = pyarrow.parquet.read_table(file).to_pylist()
        assert [{*one} for one in table] == [{*one} for one in plain]
        for ours, theirs in zip(table, plain, strict=True):
            for name, value in theirs.items():
                if isinstance(ours[name], datetime.datetime):
                    assert ours[name] == datetime.datetime.fromisoformat(value)
                else:
                    assert ours[name] == (
                        json.dumps(value, separators=(",", ":")) if isinstance(value, list) else value
                    )


def test_filters_let_through_what_they_name(activity: Activity) -> None:
    wanted = activity.truth("editor_logs")[0].data_unit_id
    activity.export(record_types=["editor_logs", "task_actions"], data_hashes=wanted)
    assert {record["data_unit_id"] for record in activity.records("editor_logs")} == {wanted}
    assert {one["data_unit_uuid"] for one in activity.records("task_actions")} == {wanted}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"record_types": "label_logs"},
            r"record_types: \['label_logs'\] is not allowed. Pass one or more of time_spent, task_actions, editor_logs",
        ),
        ({"record_types": []}, "record_types: "),
        ({"format": "csv"}, "format: 'csv' is not one of jsonl, jsonl.gz, parquet"),
        ({"end": "2026-01-01", "start": "2026-01-01"}, "start, end: the interval"),
        ({"start": ""}, "start: it is empty .*A run without a data interval"),
        ({"start": None, "end": None}, "start, end: this run has no data interval. Pass both"),
        ({"end": "9999-12-31T23:59:59-05:00"}, "end: 9999-12-31T23:59:59-05:00 is out of range"),
        ({"settle_seconds": "long"}, "settle_seconds: 'long' is not a number"),
        ({"user_emails": "no-address"}, "user_emails: 'no-address' is not an e-mail address"),
        ({"start": "None"}, "start: it is empty"),
        ({"end": "soon"}, "end: 'soon' is not a time"),
        ({"record_types": "time_spent", "actions": "submit"}, "actions: this filter does not work for time_spent"),
        ({"stage_ids": ["Review"]}, "stage_ids: "),
    ],
)
def test_wrong_arguments_are_named_before_anything_is_sent(activity: Activity, arguments: Any, message: str) -> None:
    with pytest.raises(AirflowFailException, match=message):
        activity.export(**arguments)
    assert activity.emulator.journal() == []


def test_a_destination_of_another_question_is_refused_and_left_alone(activity: Activity) -> None:
    activity.export(record_types="task_actions")
    before = {path.name: path.read_bytes() for path in (activity.directory / "export").iterdir()}
    for other in ({"record_types": "editor_logs"}, {"record_types": "task_actions", "start": activity.today - DAY}):
        with pytest.raises(AirflowFailException, match=r"destination: .* contains a different export"):
            activity.export(**other)
    assert {path.name: path.read_bytes() for path in (activity.directory / "export").iterdir()} == before
    (activity.directory / "export" / "notes.txt").write_text("mine")
    with pytest.raises(AirflowFailException, match=r"contains other files \(notes\.txt\)"):
        activity.export(record_types="task_actions")


def test_an_api_key_is_refused_before_anything_is_sent(activity: Activity, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_CONN_ENCORD_API_KEY", activity.account.api_key_connection(activity.project))
    activity.emulator.clear_journal()
    with pytest.raises(AirflowFailException, match="SSH key"):
        activity.export(encord_conn_id="encord_api_key")
    assert activity.emulator.journal() == []
