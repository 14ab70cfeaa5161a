"""Snapshots of labels: frozen once, never added to, and honest about when they were taken (faults 13.1 and 13.2)."""

from __future__ import annotations

import datetime
import json
import threading
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_encord.operators.labels import EncordSnapshotLabelsOperator
from tests.airflow_layer.bench import Account
from tests.airflow_layer.label_exports import Exports, context
from tests.airflow_layer.storage.test_registration_moves import Store


def test_a_snapshot_stays_as_it_is_while_people_go_on(exports: Exports) -> None:
    now = datetime.datetime.now(datetime.UTC) + datetime.timedelta(seconds=1)

    def freeze() -> dict[str, Any]:
        operator = EncordSnapshotLabelsOperator(
            task_id="freeze", project_id=exports.project, snapshot_branch="export-today"
        )
        result: dict[str, Any] = operator.execute(context(data_interval_end=now))
        return result

    first = freeze()
    assert (first["snapshot_branch"], first["rows"], first["copied"], first["taken_late"]) == (
        "export-today",
        40,
        40,
        False,
    )
    exports.export(0, branch="export-today")
    exports.emulator.annotate(exports.project, count=40, seed=5)
    exports.emulator.clear_journal()
    again = freeze()
    assert {**again, "copied": 40} == first
    assert [entry for entry in exports.journal() if entry["changes"]] == []
    exports.export(1, branch="export-today")
    assert exports.rows(0) == exports.rows(1) != exports.truth()
    assert exports.verify(0, check="content")["mismatches"] == 0


def test_a_snapshot_that_was_cut_off_is_completed_without_rows_that_came_later(
    account: Account, tmp_path: Path
) -> None:
    exports = Exports(account, tmp_path, rows=130, created=0.9)
    due = datetime.datetime.now(datetime.UTC)
    operator = EncordSnapshotLabelsOperator(task_id="freeze", project_id=exports.project, snapshot_branch="export-cut")
    copies = {"method": "POST", "path": "/copy-branch$"}
    exports.emulator.faults([{"match": copies, "when": {"nth": 2, "times": 1}, "do": {"status": 404}}])
    with pytest.raises((AirflowException, AirflowFailException)):
        operator.execute(context(data_interval_end=due))
    exports.emulator.clear_faults()
    exports.emulator.clock(advance_s=60)
    exports.emulator.annotate(exports.project, count=130)
    result = operator.execute(context(data_interval_end=due))
    assert (result["rows"], result["copied"]) == (117, 67)


def test_a_date_that_is_past_has_no_snapshot_unless_it_is_marked(exports: Exports) -> None:
    arguments = {"task_id": "freeze", "project_id": exports.project, "snapshot_branch": "export-2026-01-01"}
    past = context(data_interval_end=datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC))
    with pytest.raises(
        AirflowFailException, match=r"the snapshot 'export-2026-01-01' does not exist, and it was due on 2026-01-02"
    ):
        EncordSnapshotLabelsOperator(**arguments).execute(past)
    assert not [entry for entry in exports.journal() if entry["changes"]]
    marked = EncordSnapshotLabelsOperator(**arguments, if_late="mark")
    result = marked.execute(past)
    assert result["taken_late"]
    assert result["snapshot_branch"].startswith("export-2026-01-01-taken-2")
    assert result["rows"] == 40
    exports.emulator.annotate(exports.project, count=40, seed=9)
    assert marked.execute(past) == {**result, "copied": 0, "captured_at": marked.execute(past)["captured_at"]}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"snapshot_branch": "main"}, "snapshot_branch: 'main' is also the source"),
        ({"snapshot_branch": " "}, "snapshot_branch: it is empty"),
        ({"snapshot_branch": "b", "if_late": "perhaps"}, "if_late: 'perhaps'"),
        ({"snapshot_branch": "b", "max_lateness_seconds": "soon"}, "max_lateness_seconds: 'soon'"),
    ],
)
def test_wrong_arguments_of_a_snapshot_are_named(exports: Exports, arguments: Any, message: str) -> None:
    with pytest.raises(AirflowFailException, match=message):
        EncordSnapshotLabelsOperator(task_id="freeze", project_id=exports.project, **arguments).execute(context())
    assert exports.journal() == []


SECOND = datetime.timedelta(seconds=1)
COPIES = {"method": "POST", "path": "/copy-branch$"}
UNTIL_NOW = {"max_lateness_seconds": 0.001}


def now() -> datetime.datetime:
    return datetime.datetime.now(datetime.UTC)


def freeze(exports: Exports, due: datetime.datetime, store: Any = None, **arguments: Any) -> dict[str, Any]:
    operator = EncordSnapshotLabelsOperator(
        **{"task_id": "freeze", "project_id": exports.project, "snapshot_branch": "export-today", **arguments}
    )
    result: dict[str, Any] = operator.execute(context(data_interval_end=due, task_state_store=store))
    return result


def on_branch(exports: Exports, branch: str = "export-today") -> list[Any]:
    from airflow_provider_encord.client.api.labels import LabelRowFilter

    with exports.account.client() as client:
        rows = client.project(exports.project).label_rows(LabelRowFilter(branch_name=branch))
        return [row for row in rows if row.label_hash]


def copy(exports: Exports, count: int, branch: str = "export-today") -> None:
    """What a colleague does."""
    with exports.account.client() as client:
        hashes = [one.label_hash or "" for one in on_branch(exports, "main")[:count]]
        client.project(exports.project).rows.copy_to_branch(hashes, target=branch)


def edit(exports: Exports, branch: str = "export-today") -> None:
    """A person saves one row of a branch."""
    row = on_branch(exports, branch)[0]
    with exports.account.client() as client:
        project = client.project(exports.project)
        (read,) = project.read_label_rows([row.label_hash])
        project.save_label_rows({row.label_hash: json.loads(bytes(read.content))})


def cut_off(exports: Exports, due: datetime.datetime, **arguments: Any) -> None:
    """An attempt that dies when half of the rows are copied."""
    exports.emulator.faults([{"match": COPIES, "when": {"nth": 2, "times": 1}, "do": {"status": 404}}])
    with pytest.raises((AirflowException, AirflowFailException)):
        freeze(exports, due, **arguments)
    exports.emulator.clear_faults()


@pytest.mark.parametrize("count", [3, 40])
@pytest.mark.parametrize("remembered", [True, False], ids=["state", "no state"])
def test_a_branch_of_somebody_else_is_refused_and_left_alone(exports: Exports, count: int, remembered: bool) -> None:
    # fault 13.1
    copy(exports, count)
    due = now() + (0 if remembered else 5) * SECOND  # without state, rows from before the due time give it away
    with pytest.raises(
        AirflowFailException, match=r"snapshot_branch: 'export-today' exists but is not this snapshot: "
    ):
        freeze(exports, due, Store() if remembered else None)
    assert len(on_branch(exports)) == count


@pytest.mark.parametrize("remembered", ["state", "report", "nothing"])
def test_an_attempt_that_was_cut_off_is_not_completed_when_it_is_late(
    account: Account, tmp_path: Path, remembered: str
) -> None:
    # fault 13.1
    exports, due = Exports(account, tmp_path, rows=130), now()
    arguments: dict[str, Any] = {"store": Store() if remembered == "state" else None}
    if remembered == "report":
        arguments["report"] = str(tmp_path / "frozen.jsonl")
    cut_off(exports, due, **arguments)
    with pytest.raises(AirflowFailException, match=r"was started at .* and interrupted\. It is too late"):
        freeze(exports, due, **arguments, **UNTIL_NOW)
    assert len(on_branch(exports)) == 50
    result = freeze(exports, due, **arguments, **UNTIL_NOW, if_late="mark")
    assert (result["taken_late"], result["rows"], result["copied"]) == (True, 130, 130)
    assert result["snapshot_branch"] == f"export-today-taken-{now():%Y%m%d}"


@pytest.mark.parametrize("remembered", ["state", "report", "nothing"])
def test_an_attempt_that_was_cut_off_is_completed_in_time(account: Account, tmp_path: Path, remembered: str) -> None:
    # fault 13.1
    exports, due = Exports(account, tmp_path, rows=130), now()
    arguments: dict[str, Any] = {"store": Store() if remembered == "state" else None}
    if remembered == "report":
        arguments["report"] = str(tmp_path / "frozen.jsonl")
    cut_off(exports, due, **arguments)
    result = freeze(exports, due, **arguments)
    assert (result["rows"], result["copied"], result["taken_late"]) == (130, 80, False)
    assert due.isoformat() <= result["captured_from"] < result["captured_until"] <= now().isoformat()
    assert freeze(exports, due, **arguments) == {**result, "copied": 0}


def test_a_later_run_with_the_same_branch_adds_nothing(account: Account, tmp_path: Path) -> None:
    # fault 13.1
    exports = Exports(account, tmp_path, rows=20, created=0.5)
    due = now()
    assert freeze(exports, due)["rows"] == 10
    exports.emulator.annotate(exports.project, count=20)
    for store in (None, Store()):
        with pytest.raises(AirflowFailException, match="exists but is not this snapshot"):
            freeze(exports, now() + SECOND, store)
    assert len(on_branch(exports)) == 10
    assert freeze(exports, due)["rows"] == 10


def test_the_default_branch_is_one_for_each_run() -> None:
    # fault 13.1
    operator = EncordSnapshotLabelsOperator(task_id="freeze", project_id="11111111-2222-4333-8444-555555555555")
    assert "ts_nodash" in operator.snapshot_branch


@pytest.mark.parametrize("remembered", ["state", "report", "nothing"])
def test_a_row_that_a_person_edited_is_noticed(exports: Exports, tmp_path: Path, remembered: str) -> None:
    # fault 13.1
    arguments: dict[str, Any] = {"store": Store() if remembered == "state" else None}
    if remembered == "report":
        arguments["report"] = str(tmp_path / "frozen.jsonl")
    due = now()
    freeze(exports, due, **arguments)
    edit(exports)
    with pytest.raises(AirflowFailException, match=r"of its rows were edited"):
        freeze(exports, due, **arguments)


def test_a_report_has_every_row_and_belongs_to_one_snapshot(exports: Exports, tmp_path: Path) -> None:
    # fault 13.1
    report, due = tmp_path / "frozen.jsonl", now()
    result = freeze(exports, due, report=str(report))
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert {line["id"] for line in lines} == {row.label_hash for row in on_branch(exports)}
    assert {line["source_label_hash"] for line in lines} == {row.label_hash for row in on_branch(exports, "main")}
    assert {(line["operation"], line["outcome"], line["source"]) for line in lines} == {
        ("snapshot_labels", "created", "main")
    }
    (tmp_path / "frozen.jsonl.parts").mkdir()
    (tmp_path / "frozen.jsonl.parts" / "encord_snapshot.json").write_text("{}")  # left by a kill at the last moment
    assert freeze(exports, due, report=str(report)) == {**result, "copied": 0}
    assert [path.name for path in tmp_path.glob("frozen*")] == ["frozen.jsonl"]
    assert freeze(exports, due, report=str(report), **UNTIL_NOW) == {**result, "copied": 0}
    with pytest.raises(AirflowFailException, match=r"report: .* is not the report of this snapshot"):
        freeze(exports, due + SECOND, report=str(report))


def test_an_unknown_source_is_refused_with_the_branches_that_there_are(exports: Exports) -> None:
    # fault 13.1
    copy(exports, 2, "golden")
    with pytest.raises(
        AirflowFailException, match=r"source_branch: the project has no branch 'mian'. It has: 'main', 'golden'"
    ):
        freeze(exports, now(), source_branch="mian")
    assert freeze(exports, now(), source_branch="golden")["rows"] == 2


@pytest.mark.parametrize("store", [None, Store()], ids=["no state", "state"])
def test_a_project_without_labels_gives_the_same_when_cleared(account: Account, tmp_path: Path, store: Any) -> None:
    # fault 13.1
    exports, due = Exports(account, tmp_path, created=0.0), now()
    first = freeze(exports, due, store)
    assert (first["rows"], first["taken_late"], first["snapshot_branch"]) == (0, False, "export-today")
    assert freeze(exports, due, store, **UNTIL_NOW) == first


def test_two_late_snapshots_at_once_are_one(exports: Exports) -> None:
    # fault 13.1
    exports.emulator.faults([{"match": COPIES, "do": {"delay_s": 0.3}}])
    results: list[Any] = []
    threads = [
        threading.Thread(
            target=lambda: results.append(freeze(exports, now(), **UNTIL_NOW, if_late="mark", store=Store()))
        )
        for _ in range(2)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({result["snapshot_branch"] for result in results}) == 1
    assert len(on_branch(exports, results[0]["snapshot_branch"])) == 40


def test_rows_that_encord_leaves_out_fail_the_task(exports: Exports) -> None:
    # fault 13.1
    exports.emulator.faults([{"match": COPIES, "do": {"status": 200, "json": {"copiedCount": 40}}}])
    with pytest.raises(AirflowFailException, match=r"Snapshot export-today has an outcome for 0 copied \+ 0 deleted"):
        freeze(exports, now())


@pytest.mark.parametrize(
    ("arguments", "times", "message"),
    [
        ({"max_lateness_seconds": "1e12"}, {}, "max_lateness_seconds: 1e12 seconds is more than ten years"),
        ({}, {"data_interval_end": now().replace(tzinfo=None)}, "data_interval_end: .* not a datetime with a timezone"),
        ({}, {"data_interval_end": "2026-01-01"}, "data_interval_end: .* not a datetime with a timezone"),
    ],
)
def test_times_that_are_none_are_named(exports: Exports, arguments: Any, times: Any, message: str) -> None:
    # fault 13.2
    def run() -> None:
        EncordSnapshotLabelsOperator(task_id="freeze", project_id=exports.project, **arguments).execute(
            context(**times)
        )

    with pytest.raises(AirflowFailException, match=message):
        run()
    assert exports.journal() == []


PAST = datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC)


@pytest.mark.parametrize("if_late", ["fail", "mark"])
@pytest.mark.parametrize("remembered", ["state", "report", "nothing"])
def test_a_late_run_in_a_project_without_labels_takes_an_empty_snapshot(
    account: Account, tmp_path: Path, remembered: str, if_late: str
) -> None:
    exports = Exports(account, tmp_path, created=0.0)
    arguments: dict[str, Any] = {"store": Store() if remembered == "state" else None, "if_late": if_late}
    if remembered == "report":
        arguments["report"] = str(tmp_path / "frozen.jsonl")
    result = freeze(exports, PAST, **arguments)
    assert (result["rows"], result["taken_late"], result["snapshot_branch"]) == (0, False, "export-today")
    assert freeze(exports, PAST, **arguments) == result


def _lasting(remembered: str, directory: Path) -> dict[str, Any]:
    return {"store": Store()} if remembered == "state" else {"report": str(directory / "frozen.jsonl")}


def _cut_off_before_the_first_row(exports: Exports, due: datetime.datetime, **arguments: Any) -> None:
    exports.emulator.faults([{"match": COPIES, "when": {"nth": 1, "times": 1}, "do": {"status": 404}}])
    with pytest.raises((AirflowException, AirflowFailException)):
        freeze(exports, due, **arguments)
    exports.emulator.clear_faults()


@pytest.mark.parametrize("late", [True, False], ids=["begun late", "begun in time"])
@pytest.mark.parametrize("remembered", ["state", "report"])
def test_a_snapshot_that_was_cut_off_before_the_first_row_is_begun_again_when_it_is_late(
    exports: Exports, tmp_path: Path, remembered: str, late: bool
) -> None:
    """One that was begun late was refused for ever."""
    arguments, due = _lasting(remembered, tmp_path), now()
    more = {**UNTIL_NOW, "if_late": "mark"}
    _cut_off_before_the_first_row(exports, due, **arguments, **(more if late else {}))
    with pytest.raises(
        AirflowFailException, match=r"snapshot_branch: the snapshot 'export-today' does not exist, and it was due on"
    ):
        freeze(exports, due, **arguments, **UNTIL_NOW)
    result = freeze(exports, due, **arguments, **more)
    assert (result["rows"], result["copied"], result["taken_late"]) == (40, 40, True)
    assert freeze(exports, due, **arguments, **more) == {**result, "copied": 0}


@pytest.mark.parametrize("remembered", ["state", "report"])
def test_a_snapshot_whose_rows_were_all_deleted_before_they_were_copied_is_empty_when_it_is_late(
    account: Account, tmp_path: Path, remembered: str
) -> None:
    exports, due = Exports(account, tmp_path, rows=1), now()
    arguments = _lasting(remembered, tmp_path)
    _cut_off_before_the_first_row(exports, due, **arguments)
    with account.client() as client:
        (row,) = on_branch(exports, "main")
        client.dataset(row.dataset_hash or "").remove_data_rows([row.data_hash])
    result = freeze(exports, due, **arguments, **UNTIL_NOW)
    assert (result["rows"], result["taken_late"], result["snapshot_branch"]) == (0, False, "export-today")
