"""An agent while people work on the same tasks, while Encord refuses or is cut off, and after a kill."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_encord.agents import AgentResult, EditableLabels, LabelRowJson, LocalAsset, SignedUrl, Task
from tests.airflow_layer.agent_stage import CAR, MOVES, SAVES, AgentStage, numbers
from tests.forks.workers import start_worker

pytestmark = pytest.mark.airflow

WRONG = {"v1_error": "AUTHORISATION_ERROR"}


def _with_car(labels: EditableLabels) -> str:
    labels.add_object("Car", boundingBox=CAR["boundingBox"])
    return "good"


def test_an_edit_of_a_person_is_not_overwritten(stage: AgentStage) -> None:
    edited = stage.tasks[1]

    def prelabel(task: Task, labels: EditableLabels) -> str:
        if task == edited:
            stage.emulator.annotate(stage.project_id, data_hashes=[edited.data_hash], objects_per_row=3)
        return _with_car(labels)

    result = stage.run(prelabel, report=stage.path("report.jsonl"))
    assert numbers(result) == {"tasks": 4, "moved": 3, "conflict": 1, "labels_saved": 3}
    assert stage.objects() == [1, 3, 1, 1]
    assert stage.counts() == {"Pre-label": 1, "Complete": 3}
    assert [line["outcome"] for line in stage.lines("report.jsonl")] == ["updated", "conflict", "updated", "updated"]

    assert numbers(stage.run(_with_car)) == {"tasks": 1, "moved": 1, "labels_saved": 1}
    assert stage.objects() == [1, 4, 1, 1]


def test_labels_that_were_not_asked_for_are_added_to_those_of_people(stage: AgentStage) -> None:
    stage.emulator.annotate(stage.project_id, objects_per_row=2)
    stage.run(lambda: AgentResult("good", {"objects": [CAR]}))
    assert stage.objects() == [3, 3, 3, 3]


def test_a_task_that_somebody_takes_away_is_skipped_and_not_labelled(stage: AgentStage) -> None:
    taken = stage.tasks[2]

    def prelabel(task: Task, labels: EditableLabels) -> str:
        if task == taken:
            stage.project(lambda project: project.stage("Pre-label").move(taken, "Annotate"))
        return _with_car(labels)

    assert numbers(stage.run(prelabel)) == {"tasks": 4, "moved": 3, "skipped": 1, "labels_saved": 3}
    assert stage.objects() == [1, 1, 0, 1]
    assert stage.counts() == {"Annotate": 1, "Complete": 3}


def test_a_task_that_is_taken_away_without_labels_to_save_is_skipped(stage: AgentStage) -> None:
    def prelabel(task: Task) -> str:
        if task == stage.tasks[2]:
            stage.project(lambda project: project.stage("Pre-label").move(task, "Annotate"))
        return "good"

    assert numbers(stage.run(prelabel)) == {"tasks": 4, "moved": 3, "skipped": 1}


def test_labels_that_encord_refuses_do_not_cost_the_other_tasks(stage: AgentStage) -> None:
    def prelabel(task: Task, row: LabelRowJson) -> AgentResult:
        if task == stage.tasks[0]:
            (unit,) = row["data_units"].values()
            unit["labels"] = {"objects": [{"objectHash": "abc", "featureHash": "unknown"}], "classifications": []}
            return AgentResult("good", row)
        return AgentResult("good", {"objects": [CAR]})

    with pytest.raises(AirflowException, match=r"1 tasks failed .*Encord refused the labels"):
        stage.run(prelabel)
    assert stage.counts() == {"Pre-label": 1, "Complete": 3}
    assert stage.objects() == [0, 1, 1, 1]


def test_an_answer_that_is_lost_after_the_move_counts_as_moved(stage: AgentStage) -> None:
    stage.emulator.faults([{"match": MOVES, "when": {"times": 1}, "do": {"cut": "after"}}])
    assert numbers(stage.run(_with_car)) == {"tasks": 4, "moved": 4, "labels_saved": 4}
    assert stage.changes().count("actions") == 1


def _lose_the_outcome_of_the_move(stage: AgentStage, cut: str) -> None:
    """The connection is cut at the move, and then nothing more can be asked, as if the worker was killed."""
    busy = {"status": 503, "headers": {"Retry-After": "900"}}
    stage.emulator.faults(
        [
            {"match": MOVES, "when": {"nth": 1}, "do": {"cut": cut}},
            {"match": {"path": "/tasks$", "method": "GET"}, "when": {"nth": 3}, "do": busy},
        ]
    )
    with pytest.raises(AirflowException):
        stage.run(_with_car, report=stage.path("report.jsonl"))
    stage.emulator.clear_faults()


def test_tasks_that_an_attempt_moved_before_it_was_lost_are_in_the_report_of_the_retry(stage: AgentStage) -> None:
    _lose_the_outcome_of_the_move(stage, "after")
    assert stage.counts() == {"Complete": 4}
    assert numbers(stage.run(_with_car, report=stage.path("report.jsonl"))) == {}
    assert [line["id"] for line in stage.lines("report.jsonl")] == [task.uuid for task in stage.tasks]
    for line in stage.lines("report.jsonl"):
        assert (line["outcome"], line["pathway"], line["labels_saved"]) == ("updated", "good", True)


def test_tasks_that_a_lost_attempt_moved_and_people_moved_on_are_in_the_report(stage: AgentStage) -> None:
    _lose_the_outcome_of_the_move(stage, "after")
    stage.project(lambda project: project.stage("Complete").move(stage.tasks[:2], "Annotate"))
    stage.run(_with_car, report=stage.path("report.jsonl"))
    assert [line["outcome"] for line in stage.lines("report.jsonl")] == ["updated"] * 4


def test_a_task_that_somebody_took_before_a_lost_attempt_could_move_it_is_not_reported_as_moved(
    stage: AgentStage,
) -> None:
    """Encord moves all tasks of a request or none: where one is left, the request was not carried out."""
    _lose_the_outcome_of_the_move(stage, "before")
    assert stage.counts() == {"Pre-label": 4}
    stage.project(lambda project: project.stage("Pre-label").move(stage.tasks[:1], "Annotate"))
    assert numbers(stage.run(_with_car, report=stage.path("report.jsonl"))) == {"tasks": 3, "moved": 3}
    outcomes = {line["id"]: line["outcome"] for line in stage.lines("report.jsonl")}
    assert [outcomes[task.uuid] for task in stage.tasks] == ["skipped", *["updated"] * 3]


def test_a_move_that_encord_refuses_for_one_task_is_done_for_the_others(stage: AgentStage) -> None:
    refusal = {"status": 400, "json": {"message": "not this bundle"}}
    stage.emulator.faults([{"match": MOVES, "when": {"times": 2}, "do": refusal}])  # the bundle, and the first alone
    with pytest.raises(AirflowException, match=r"1 tasks failed .*Encord refused to move it") as raised:
        stage.run(_with_car)
    assert not isinstance(raised.value, AirflowFailException)
    assert stage.counts() == {"Pre-label": 1, "Complete": 3}
    assert numbers(stage.run(_with_car)) == {"tasks": 1, "moved": 1}  # its labels are there


def test_encord_that_is_away_fails_the_task_and_keeps_what_was_committed(stage: AgentStage) -> None:
    def prelabel(task: Task, labels: EditableLabels) -> str:
        if task == stage.tasks[2]:
            stage.emulator.faults([{"match": MOVES, "do": {"status": 503}}])
        return _with_car(labels)

    with pytest.raises(AirflowException) as raised:
        stage.run(prelabel, commit_every=2, report=stage.path("report.jsonl"))
    assert not isinstance(raised.value, AirflowFailException)
    assert stage.counts() == {"Pre-label": 2, "Complete": 2}
    stage.emulator.clear_faults()
    result = stage.run(_with_car, commit_every=2, report=stage.path("report.jsonl"))
    assert numbers(result) == {"tasks": 2, "moved": 2}
    assert [line["outcome"] for line in stage.lines("report.jsonl")] == ["updated"] * 4


def test_a_permission_that_is_missing_is_not_retried(stage: AgentStage) -> None:
    stage.emulator.faults([{"match": SAVES, "do": WRONG}])
    with pytest.raises(AirflowFailException):
        stage.run(_with_car)
    assert stage.counts() == {"Pre-label": 4}


class TestCache:
    def test_a_retry_does_not_call_the_model_again(self, stage: AgentStage) -> None:
        calls: list[str] = []

        def prelabel(task: Task, labels: EditableLabels) -> AgentResult:
            calls.append(task.uuid)
            labels.add_object("Car", boundingBox=CAR["boundingBox"])
            return AgentResult("good", priority=0.5)

        # The first time, Encord is away before the save; the second time, between save and move.
        for match in (SAVES, MOVES):
            stage.emulator.faults([{"match": match, "do": {"status": 503}}])
            with pytest.raises(AirflowException):
                stage.run(prelabel, cache=stage.path("cache"))
            stage.emulator.clear_faults()
        result = stage.run(prelabel, cache=stage.path("cache"))
        assert numbers(result) == {"tasks": 4, "moved": 4, "cached": 4}
        assert sorted(calls) == sorted(task.uuid for task in stage.tasks)
        assert stage.objects() == [1, 1, 1, 1]

    @pytest.mark.parametrize("change", ["version", "argument", "labels"])
    def test_a_result_that_no_longer_fits_is_not_used(self, stage: AgentStage, change: str) -> None:
        calls: list[float] = []

        def prelabel(threshold: float) -> AgentResult:
            calls.append(threshold)
            return AgentResult(labels={"objects": [CAR]}, priority=threshold)

        stage.run(prelabel, {"threshold": 0.5}, cache=stage.path("cache"), cache_version="1")
        assert (
            numbers(stage.run(prelabel, {"threshold": 0.5}, cache=stage.path("cache"), cache_version=1))["cached"] == 4
        )
        if change == "labels":
            stage.emulator.annotate(stage.project_id)
        again = {"threshold": 0.25 if change == "argument" else 0.5}
        version = "2" if change == "version" else "1"
        result = stage.run(prelabel, again, cache=stage.path("cache"), cache_version=version)
        assert (result["cached"], len(calls)) == (0, 8)

    def test_tasks_that_are_left_or_fail_are_asked_again(self, stage: AgentStage) -> None:
        def prelabel(task: Task) -> str | None:
            if task == stage.tasks[0]:
                raise ValueError("no")
            return None

        with pytest.raises(AirflowException):
            stage.run(prelabel, cache=stage.path("cache"))
        assert not list(Path(stage.path("cache")).glob("*")) if Path(stage.path("cache")).exists() else True


def test_signed_urls_are_in_no_log_report_or_error(stage: AgentStage, caplog: pytest.LogCaptureFixture) -> None:
    urls: list[str] = []

    def prelabel(url: SignedUrl, asset: LocalAsset) -> str:
        urls.append(url)
        raise RuntimeError(f"GET {url} failed with 403")

    with pytest.raises(AirflowException) as raised:
        stage.run(prelabel, report=stage.path("report.jsonl"))
    written = caplog.text + str(raised.value) + Path(stage.path("report.jsonl")).read_text()
    assert len(urls) == 4
    assert not [url for url in urls if url in written or url.partition("?")[2] in written]
    assert "failed with 403" in written


def test_a_file_that_cannot_be_downloaded_fails_for_its_task(stage: AgentStage) -> None:
    def prelabel(asset: LocalAsset) -> str:
        return "good"

    def first_url(url: SignedUrl) -> None:
        urls.append(url)

    urls: list[str] = []
    stage.run(first_url)
    path = urls[0].partition("?")[0].removeprefix(stage.emulator.url)
    stage.emulator.faults([{"match": {"path": f"^{path}$"}, "do": {"status": 404}}])
    with pytest.raises(AirflowException, match=r"1 tasks failed .*HTTP 404 to the download of image-"):
        stage.run(prelabel)


def _slow(url: str, key: str, project_id: str, report: str) -> None:
    import os

    from tests.airflow_layer.bench import SSH_CONNECTION, connection

    os.environ[SSH_CONNECTION] = connection(url, private_key=key)
    from airflow_provider_encord.decorators.agent import encord_agent_task

    def prelabel(labels: EditableLabels) -> str:
        time.sleep(0.1)
        return _with_car(labels)

    decorate = encord_agent_task(
        task_id="agent", project_id=project_id, stage="Pre-label", commit_every=2, report=report
    )
    decorate(prelabel)().operator.execute({})


def test_after_a_kill_the_retry_does_the_rest(account: Any, tmp_path: Path) -> None:
    stage = AgentStage(account, tmp_path, rows=20)
    arguments = (stage.emulator.url, account.private_key, stage.project_id, stage.path("report.jsonl"))
    process = start_worker(_slow, *arguments)
    deadline = time.monotonic() + 60
    try:
        while stage.changes().count("actions") < 2:
            assert process.is_alive(), "it ended before it could be killed"
            assert time.monotonic() < deadline, "it did not move tasks in time"
            time.sleep(0.02)
    finally:
        process.kill()
        process.join()
    assert process.exitcode == -signal.SIGKILL
    before = stage.counts()
    result = stage.run(_with_car, report=stage.path("report.jsonl"))
    assert result["moved"] == before["Pre-label"] < 20
    assert stage.counts() == {"Complete": 20}
    assert stage.objects() == [1] * 20
    lines = stage.lines("report.jsonl")
    assert len(lines) >= 18  # a worker can die between a move and its line
    assert {line["outcome"] for line in lines} == {"updated"}


def test_labels_that_an_attempt_saved_late_are_no_conflict(stage: AgentStage) -> None:
    """A worker that was killed may have sent its save; it arrives while the retry runs."""

    def same_without_move(labels: EditableLabels) -> AgentResult:
        _with_car(labels)
        return AgentResult(priority=0.5)

    def prelabel(task: Task, labels: EditableLabels) -> str:
        if task == stage.tasks[1]:
            stage.run(same_without_move, task_ids=[task.uuid])
        return _with_car(labels)

    assert numbers(stage.run(prelabel)) == {"tasks": 4, "moved": 4, "labels_saved": 3}
    assert stage.objects() == [1, 1, 1, 1]


@pytest.mark.parametrize("concurrency", [1, 2])
def test_a_time_out_keeps_what_was_committed(stage: AgentStage, concurrency: int) -> None:
    from airflow.exceptions import AirflowTaskTimeout

    def prelabel(task: Task) -> str:
        if task == stage.tasks[3]:
            time.sleep(0.5)
            raise AirflowTaskTimeout("Timeout")
        return "good"

    with pytest.raises(AirflowTaskTimeout):
        stage.run(prelabel, commit_every=1, max_concurrency=concurrency)
    assert stage.counts() == {"Pre-label": 1, "Complete": 3}
