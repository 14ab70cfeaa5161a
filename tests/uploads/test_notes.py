"""Jobs that an earlier attempt left running are continued: whatever moment it was killed at, nothing is sent twice."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.attempts import Owner
from airflow_provider_encord.client.api.uploads import UploadJob
from airflow_provider_encord.client.call import SSH_KEY, run
from airflow_provider_encord.client.errors import EncordError, InvalidArgumentError, NotFoundError, OutcomeUnknownError
from airflow_provider_encord.client.flows.upload_target import UploadTarget
from airflow_provider_encord.reports import CREATED
from airflow_provider_encord.uploads.notes import JobCheckpoint, JobCheckpoints
from airflow_provider_encord.uploads.outcome import FileOutcome
from airflow_provider_encord.uploads.report_writer import ReportWriter
from airflow_provider_encord.uploads.task_state import task_state_checkpoints
from airflow_provider_encord.uploads.transfer import StoredFile
from airflow_provider_encord.uploads.upload import upload_files
from tests.airflow_layer.storage.test_jobs import Store
from tests.uploads.files import a_file, a_row
from tests.uploads.scripted_encord import POLL, PUT, START, ScriptedEncord

DATASET = "bbbbbbbb-0000-4000-8000-000000000001"


class KilledError(BaseException):
    """The worker is gone; nothing catches it."""


class Desk:
    """Keeps the notes of one try for the next."""

    def __init__(self) -> None:
        self.content: bytes | None = None

    def checkpoints(self) -> JobCheckpoints:
        return JobCheckpoints(read=lambda: self.content, write=self._write)

    def _write(self, content: bytes) -> None:
        self.content = content


def upload(encord: ScriptedEncord, desk: Desk, *titles: str, **options: Any) -> None:
    files = [a_file(title, len(title)) for title in titles]
    target = UploadTarget(dataset=DATASET, credential=SSH_KEY)
    run(
        upload_files(target, files, on_outcomes=encord.report, checkpoints=desk.checkpoints(), **options),
        encord.perform,
    )


def killed(step: Any) -> Any:
    raise KilledError


def _starts_and_dies(encord: ScriptedEncord) -> Any:
    def act(step: Any) -> Any:
        encord.start(step.request)
        raise KilledError

    return act


@pytest.mark.parametrize(
    ("moment", "starts"),
    [(PUT, 1), ("before the job", 2), ("after the job, without its id", 1), (POLL, 1)],
)
def test_a_try_that_is_killed_is_finished_by_the_next_with_each_file_once(moment: str, starts: int) -> None:
    encord, desk = ScriptedEncord(), Desk()
    script: dict[str, tuple[str, Any]] = {
        PUT: (PUT, killed),
        "before the job": (START, killed),
        "after the job, without its id": (START, _starts_and_dies(encord)),
        POLL: (POLL, killed),
    }
    operation, act = script[moment]
    encord.instead[operation].append(act)
    with pytest.raises(KilledError):
        upload(encord, desk, "a.png", "bc.png")
    encord.log.clear()
    upload(encord, desk, "a.png", "bc.png")
    assert sorted(row.data_title for row in encord.rows) == ["a.png", "bc.png"]
    assert [encord.result_of(title) for title in ("a.png", "bc.png")] == ["created", "created"]
    if operation != PUT:
        assert PUT not in encord.log  # the bytes are there
    assert encord.log.count(START) <= 1
    upload(encord, desk, "a.png", "bc.png")
    assert len(encord.rows) == 2


def test_the_same_job_is_followed_by_its_id() -> None:
    encord, desk = ScriptedEncord(), Desk()
    encord.instead[POLL].append(killed)
    with pytest.raises(KilledError):
        upload(encord, desk, "a.png")
    encord.log.clear()
    upload(encord, desk, "a.png")
    assert encord.log == [POLL, "dataset.list_data_rows"]


def test_rows_that_were_there_before_are_not_taken_for_those_of_a_job_that_never_started() -> None:
    encord, desk = ScriptedEncord(a_row("a.png", 4)), Desk()
    encord.instead[START].append(killed)
    files = [a_file("a.png", 5)]
    target = UploadTarget(dataset=DATASET, credential=SSH_KEY)
    for _ in range(2):
        try:
            run(upload_files(target, files, on_outcomes=encord.report, checkpoints=desk.checkpoints()), encord.perform)
        except KilledError:
            encord.outcomes.clear()
    assert [row.data_title for row in encord.rows] == ["a.png", "a.png"]
    assert [outcome.result for outcome in encord.outcomes] == ["created"]


def test_a_job_whose_time_is_over_is_followed_again_by_the_next_try() -> None:
    encord, desk = ScriptedEncord(), Desk()
    encord.instead[POLL] += [UploadJob(status="PENDING")] * 400
    upload(encord, desk, "a.png", job_timeout=60)
    (outcome,) = encord.outcomes
    assert (outcome.result, outcome.retryable, outcome.pending) == ("failed", True, True)
    encord.instead[POLL].clear()
    encord.outcomes.clear()
    encord.log.clear()
    upload(encord, desk, "a.png")
    assert encord.result_of("a.png") == "created"
    assert (START in encord.log, PUT in encord.log) == (False, False)


def test_nothing_is_noted_once_all_is_known() -> None:
    encord, desk = ScriptedEncord(), Desk()
    upload(encord, desk, "a.png")
    assert desk.checkpoints().left(DATASET) == []


def test_a_lost_answer_and_a_killed_look_for_it_do_not_double() -> None:
    encord, desk = ScriptedEncord(), Desk()

    def lost(step: Any) -> Any:
        encord.start(step.request)
        raise OutcomeUnknownError("the answer was lost")

    encord.instead[START].append(lost)
    encord.instead["pause"].append(None)
    upload(encord, desk, "a.png")
    assert len(encord.rows) == 1
    assert desk.checkpoints().left(DATASET) == []


def test_notes_about_another_dataset_or_other_files_are_no_concern() -> None:
    encord, desk = ScriptedEncord(), Desk()
    encord.instead[POLL].append(killed)
    with pytest.raises(KilledError):
        upload(encord, desk, "a.png")
    encord.log.clear()
    upload(encord, desk, "other.png")
    assert encord.log.count(START) == 1
    assert encord.result_of("other.png") == "created"


@pytest.mark.parametrize("content", [b"no notes", b'{"schema_version": 99, "notes": []}', b"[]"])
def test_what_are_no_notes_is_named_by_the_argument(content: bytes) -> None:
    with pytest.raises(InvalidArgumentError, match="report: "):
        JobCheckpoints(read=lambda: content).left(DATASET)


def test_the_place_of_the_notes_is_kept_while_files_are_sent_and_at_each_poll() -> None:
    """Review of 0.1, ingest 1: a claim ended after 15 minutes, while its owner waited for a job."""
    encord = ScriptedEncord()
    checkpoints = JobCheckpoints(
        hold=lambda seconds: encord.log.append(f"hold {seconds:.0f}"), check=lambda: encord.log.append("check")
    )
    encord.instead[POLL] += [UploadJob(status="PENDING")] * 3
    files = [a_file("a.png", 2_000_000_000)]
    run(
        upload_files(
            UploadTarget(dataset=DATASET, credential=SSH_KEY), files, on_outcomes=encord.report, checkpoints=checkpoints
        ),
        encord.perform,
    )
    steps = [one for one in encord.log if one in (PUT, POLL, "check") or one.startswith("hold")]
    assert steps == ["hold 20000", PUT, "check", *["check", POLL] * 4]


@pytest.mark.parametrize("error", [NotFoundError, InvalidArgumentError])
@pytest.mark.parametrize(("made", "starts"), [(True, 0), (False, 1)])
def test_a_noted_job_that_encord_no_longer_knows_is_started_again_for_what_is_not_there(
    made: bool, starts: int, error: type[EncordError]
) -> None:
    """Review of 0.1, ingest 7: every further attempt failed for the same job."""
    encord, desk = ScriptedEncord(), Desk()
    encord.instead[POLL].append(killed)
    with pytest.raises(KilledError):
        upload(encord, desk, "a.png", "bc.png")
    if not made:
        encord.rows.clear()
    encord.log.clear()
    encord.instead[POLL].append(error("there is no such job", operation=POLL))
    upload(encord, desk, "a.png", "bc.png")
    assert (encord.log.count(START), encord.log.count(PUT)) == (starts, 0)
    assert sorted(row.data_title for row in encord.rows) == ["a.png", "bc.png"]
    assert [encord.result_of(title) for title in ("a.png", "bc.png")] == ["created", "created"]
    assert desk.checkpoints().left(DATASET) == []
    assert all(start["skipDuplicateUrls"] for start in encord.starts[1:])


def test_jobs_that_encord_never_knows_end_in_an_error_that_a_retry_may_mend() -> None:
    """Review of 0.1, ingest 7."""
    encord, desk = ScriptedEncord(), Desk()
    encord.instead[POLL] += [NotFoundError("there is no such job", operation=POLL)] * 9
    encord.instead[START] += ["job-1"] * 9
    upload(encord, desk, "a.png")
    (outcome,) = encord.outcomes
    assert (outcome.result, outcome.retryable) == ("failed", True)
    assert encord.log.count(START) == 3


def test_a_changed_file_of_a_noted_job_that_encord_no_longer_knows_is_not_registered_as_it_was() -> None:
    """Review of 0.1, ingest 7."""
    encord, desk = ScriptedEncord(), Desk()
    encord.instead[POLL].append(killed)
    with pytest.raises(KilledError):
        upload(encord, desk, "a.png")
    encord.rows.clear()
    encord.log.clear()
    encord.instead[POLL].append(NotFoundError("there is no such job", operation=POLL))
    target = UploadTarget(dataset=DATASET, credential=SSH_KEY)
    changed = [a_file("a.png", 77)]
    run(upload_files(target, changed, on_outcomes=encord.report, checkpoints=desk.checkpoints()), encord.perform)
    assert [row.file_size for row in encord.rows] == [77]
    assert encord.log.count(START) == 1


def test_a_zombie_does_not_erase_the_notes_of_its_retry(tmp_path: Path) -> None:
    """Review of 0.1, ingest 8: the notes were erased without a look at the claim."""
    path = tmp_path / "report.jsonl"

    def record() -> ReportWriter:
        return ReportWriter(path, dataset=DATASET, folder=None, owner=Owner("dag/run/task"))

    sent = [StoredFile(file=a_file("a.png", 5), objects=("key-1",))]
    zombie, retry = record().checkpoints, record().checkpoints
    retry.open(DATASET, sent, [])
    note = JobCheckpoint(target=DATASET, job="job-1", files=[])
    zombie._open.append(note)
    with pytest.raises(InvalidArgumentError, match="another attempt took"):
        zombie.close(note)
    assert len(record().checkpoints.left(DATASET)) == 1


def test_a_part_that_a_killed_attempt_did_not_finish_is_left_aside_and_removed_in_the_end(tmp_path: Path) -> None:
    path, parts = tmp_path / "report.jsonl", tmp_path / "report.jsonl.parts"

    def record() -> ReportWriter:
        return ReportWriter(path, dataset=DATASET, folder=None, owner=Owner("dag/run/task"))

    outcome = FileOutcome(file=a_file("a.png"), result=CREATED, data_hash="d a", backing_item_uuid="i", sha256="5a")
    killed = record()
    killed.take([outcome])
    killed.flush()
    (line,) = [part.read_bytes() for part in parts.glob("part-*")]
    (parts / "part-000001.jsonl.0123abcd.unfinished").write_bytes(line[:-20])

    retry = record()
    retry.take([outcome])
    retry.flush()
    assert (parts / "part-000001.jsonl").exists()
    retry.finish([outcome], unfinished=False)
    assert path.read_bytes() == line
    assert not parts.exists()


@pytest.mark.parametrize("operation", ["set", "delete"])
def test_a_store_of_task_state_that_fails_does_not_stop_an_upload(
    operation: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Review of 0.1, ingest 9: an error while the notes were erased failed a task whose files were all in."""

    class Failing(Store):
        def set(self, key: str, value: Any, **more: Any) -> None:
            if operation == "set":
                raise RuntimeError("no database")
            super().set(key, value, **more)

        def delete(self, key: str) -> None:
            if operation == "delete":
                raise RuntimeError("no database")
            super().delete(key)

    encord = ScriptedEncord()
    checkpoints = task_state_checkpoints(Failing())
    target = UploadTarget(dataset=DATASET, credential=SSH_KEY)
    run(upload_files(target, [a_file("a.png", 5)], on_outcomes=encord.report, checkpoints=checkpoints), encord.perform)
    assert encord.result_of("a.png") == "created"
    assert caplog.text.count("RuntimeError") == 1
