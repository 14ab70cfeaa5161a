"""Uploads that are retried, repeated every day, or run twice at once lose and double nothing."""

from __future__ import annotations

import collections
import hashlib
import json
import logging
import threading
import time
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_encord.operators.storage import EncordUploadFilesOperator
from tests.client.network import plain_network
from tests.histories.processes import FAIL, GREEN, Attempt
from tests.operators.test_storage import PUT, START, Intake, account, either_intake, emulator, intake

__all__ = ["account", "either_intake", "emulator", "intake", "plain_network"]

pytestmark = pytest.mark.usefixtures("plain_network")
NAME = "frame_0001.bmp"


def bmp(red: int) -> bytes:
    """A bitmap of one pixel; those of two colours have one size."""
    header = b"BM" + (58).to_bytes(4, "little") + bytes(4) + (54).to_bytes(4, "little")
    info = (40).to_bytes(4, "little") + (1).to_bytes(4, "little") * 2 + (1).to_bytes(2, "little")
    return header + info + (24).to_bytes(2, "little") + bytes(24) + bytes([0, 0, red, 0])


def cameras(folder: Path, *names: str) -> dict[str, bytes]:
    contents = {}
    for number, name in enumerate(names, 1):
        path = folder / name / NAME
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bmp(number))
        contents[f"file://{path}"] = path.read_bytes()
    return contents


def stored(intake: Intake) -> collections.Counter[str]:
    """Checksums of what the dataset holds, read back from Encord."""
    import requests

    from airflow_provider_encord.client.api.storage_items import get_items

    with intake.account.client() as client:
        items = [row.backing_item_uuid for row in client.dataset(intake.dataset).data_rows()]
        urls = [item.signed_url for item in client.send(get_items([one for one in items if one], sign_urls=True))]
    return collections.Counter(hashlib.sha256(requests.get(str(url), timeout=10).content).hexdigest() for url in urls)


def checksums(contents: dict[str, bytes]) -> collections.Counter[str]:
    return collections.Counter(hashlib.sha256(content).hexdigest() for content in contents.values())


def test_a_camera_that_was_refused_at_first_is_uploaded_by_the_retry(either_intake: Intake, tmp_path: Path) -> None:
    """Fault 2.1."""
    contents = cameras(either_intake.folder, "cam1", "cam2", "cam3")
    report = str(tmp_path / "report.jsonl")
    either_intake.emulator.faults([{"match": PUT, "when": {"nth": number}, "do": {"status": 403}} for number in (1, 2)])
    with pytest.raises(AirflowException, match="1 of 3 files"):
        either_intake.upload(report=report, max_concurrency=1, files_per_job=1)
    either_intake.emulator.clear_faults()
    result = either_intake.upload(report=report)
    assert (result["created"], result["unchanged"], result["matched_by_name"]) == (1, 2, 0)
    assert stored(either_intake) == checksums(contents)
    lines = [json.loads(line) for line in Path(report).read_text().splitlines()]
    assert {line["source"]: line["sha256"] for line in lines} == {
        source: hashlib.sha256(content).hexdigest() for source, content in contents.items()
    }


def test_without_a_report_files_that_cannot_be_distinguished_are_not_guessed_at(intake: Intake) -> None:
    """Fault 2.1."""
    cameras(intake.folder, "cam1")
    intake.upload()
    cameras(intake.folder, "cam2", "cam3")
    (intake.folder / "other.bmp").write_bytes(bmp(9))
    with pytest.raises(AirflowFailException, match=r"3 of 4 files .*\n.*it is not known which"):
        intake.upload()
    assert intake.titles() == [NAME, "other.bmp"]


def test_frames_of_one_name_and_size_are_uploaded_every_day_or_a_warning_says_why_not(
    intake: Intake, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Fault 2.2."""
    report, contents = str(tmp_path / "report.jsonl"), {}
    for day in range(1, 4):
        (intake.folder / NAME).write_bytes(bmp(day))
        contents[str(day)] = bmp(day)
        assert intake.upload(report=report)["created"] == 1
    assert stored(intake) == checksums(contents)
    with caplog.at_level(logging.WARNING):
        (intake.folder / NAME).write_bytes(bmp(4))
        result = intake.upload()
    assert (result["created"], result["unchanged"], result["matched_by_name"]) == (0, 1, 1)
    by_day = str(tmp_path / "day4.jsonl")
    assert intake.upload(report=by_day, match_by="checksum")["created"] == 1
    assert intake.upload(report=by_day, match_by="checksum")["unchanged"] == 1


def test_the_title_alone_may_decide(intake: Intake) -> None:
    intake.images("a.png")
    intake.upload()
    (intake.folder / "a.png").write_bytes((intake.folder / "a.png").read_bytes() + b"\0")
    assert intake.upload(match_by="title")["matched_by_name"] == 1
    assert intake.upload()["created"] == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"match_by": "name"}, "match_by: 'name' is not one of"),
        ({"match_by": "checksum"}, "match_by: .* needs `report`"),
    ],
)
def test_a_wrong_way_to_match_is_refused(intake: Intake, arguments: dict[str, Any], message: str) -> None:
    intake.images("a.png")
    with pytest.raises(AirflowFailException, match=message):
        intake.upload(**arguments)
    assert intake.emulator.journal() == []


def test_two_uploads_at_once_with_one_report_double_nothing(intake: Intake, tmp_path: Path) -> None:
    """Fault 1.6: the second one fails, and its retry finds everything there."""
    intake.images(*(f"{number:02}.png" for number in range(30)))
    report = str(tmp_path / "report.jsonl")
    ends: list[Any] = []
    start = threading.Barrier(2)

    class Instance:
        dag_id, task_id, map_index, try_number, max_tries = "dag", "upload", -1, 1, 3

        def __init__(self, run: str):
            self.run_id = run

        def xcom_push(self, **_: Any) -> None:
            """Nothing is looked at."""

    def upload(run: str) -> None:
        operator = EncordUploadFilesOperator(
            task_id="upload", source=str(intake.folder), dataset_id=intake.dataset, report=report, files_per_job=5
        )
        start.wait()
        try:
            ends.append(operator.execute({"ti": Instance(run)})["created"])
        except AirflowException as error:
            ends.append(str(error))

    threads = [threading.Thread(target=upload, args=(run,)) for run in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert intake.upload(report=report)["failed"] == 0
    assert intake.titles() == [f"{number:02}.png" for number in range(30)]
    assert any(isinstance(end, str) and ("in use by the task" in end or "another attempt" in end) for end in ends)
    assert not (tmp_path / "report.jsonl.parts").exists()


def test_files_that_somebody_else_uploads_meanwhile_are_not_uploaded_again(either_intake: Intake) -> None:
    """Fault 1.6, without a report: rows are looked for again before each job."""
    paths = either_intake.images(*(f"{number}.png" for number in range(6)))
    either_intake.fault(START, {"delay_s": 4}, nth=2)
    results: list[dict[str, Any]] = []
    first = threading.Thread(target=lambda: results.append(either_intake.upload(files_per_job=2, max_concurrency=1)))
    first.start()
    deadline = time.monotonic() + 60
    while either_intake.requests(method="PUT") < 4 and time.monotonic() < deadline:
        time.sleep(0.02)
    other = {"source": [str(path) for path in paths[4:]], "max_concurrency": 1}
    assert either_intake.upload(**other)["created"] == 2
    first.join()
    assert (results[0]["created"], results[0]["unchanged"]) == (4, 2)
    assert either_intake.titles() == [f"{number}.png" for number in range(6)]


def test_a_run_of_an_earlier_date_recognises_its_files_by_one_report_for_all_dates(
    intake: Intake, tmp_path: Path
) -> None:
    """Fault 2.2: files of the same names every day, a backfill out of order, and the same day again."""
    report, contents = str(tmp_path / "report.jsonl"), {}
    for day in (3, 1, 2):
        contents |= cameras(tmp_path / f"day{day}", "cam")
        (tmp_path / f"day{day}" / "cam" / NAME).write_bytes(bmp(day))
        contents[f"file://{tmp_path}/day{day}/cam/{NAME}"] = bmp(day)
    uploads = [
        intake.upload(source=str(tmp_path / f"day{day}"), report=report, match_by="checksum")["created"]
        for day in (3, 1, 3, 2, 1)
    ]
    assert uploads == [1, 1, 0, 1, 0]
    assert stored(intake) == checksums(contents)
    lines = [json.loads(line) for line in Path(report).read_text().splitlines()]
    assert [line["source"] for line in lines] == [f"file://{tmp_path}/day1/cam/{NAME}"]


def test_two_uploads_at_once_without_a_report_are_not_both_successful_if_files_are_there_twice(intake: Intake) -> None:
    """Fault 1.6: both look, then both register."""
    intake.images("a.png", "b.png")
    intake.emulator.faults([{"match": START, "do": {"delay_s": 2}}])
    ends: list[Any] = []

    def upload() -> None:
        try:
            ends.append(intake.upload()["created"])
        except AirflowFailException as error:
            ends.append(str(error))

    threads = [threading.Thread(target=upload) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(intake.titles()) == 4
    assert any("exist twice now" in str(end) and "max_active_tis_per_dag=1" in str(end) for end in ends)
    intake.emulator.clear_faults()
    assert intake.upload()["unchanged"] == 2


@pytest.mark.parametrize("with_report", [True, False])
@pytest.mark.parametrize("change", ["changed", "gone"])
def test_what_a_killed_attempt_registered_is_not_taken_for_a_file_of_other_content(
    intake: Intake, tmp_path: Path, change: str, with_report: bool
) -> None:
    """Fault 2.2: the worker dies while its job runs, and the source changes before the retry. Found by `make soak`."""
    from tests.histories.moves import Run, TaskState

    cameras(intake.folder, "cam1")
    run = Run(0, TaskState(tmp_path / "state"), {})
    more = {"report": str(tmp_path / "report.jsonl")} if with_report else {}
    operator = EncordUploadFilesOperator(task_id="task", source=str(intake.folder), dataset_id=intake.dataset, **more)
    attempt = Attempt(lambda: operator.execute(run.context()), tmp_path, stop_at=1)
    while "datasetdatalongpolling POST" not in attempt.step:
        attempt.go_on(1)
    attempt.go_on(1)
    attempt.kill()
    if change == "gone":
        (intake.folder / "cam1" / NAME).unlink()
    path = intake.folder / ("cam1" if change == "changed" else "cam2") / NAME
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(bmp(7))
    result = operator.execute(run.context())
    assert (result["created"], result["matched_by_name"]) == (1, 0)
    assert stored(intake) == checksums({"before": bmp(1), "now": bmp(7)})
    assert operator.execute(run.context())["created"] == 0


def test_an_attempt_reads_the_report_only_when_no_one_else_writes_it(intake: Intake, tmp_path: Path) -> None:
    """Fault 1.6: another run ends between the moment at which this one looks at the report and its claim."""
    from tests.histories.moves import Run, TaskState

    cameras(intake.folder, "cam1", "cam2")
    operator = EncordUploadFilesOperator(
        task_id="task", source=str(intake.folder), dataset_id=intake.dataset, report=str(tmp_path / "report.jsonl")
    )
    runs = [Run(number, TaskState(tmp_path / str(number)), {}) for number in range(2)]
    attempt = Attempt(lambda: operator.execute(runs[0].context()), tmp_path, stop_at=1)
    while "claim.json" not in attempt.step:
        attempt.go_on(1)
    operator.execute(runs[1].context())
    attempt.go_on()
    assert attempt.end is not None
    assert attempt.end.kind == GREEN, attempt.end.text
    result = attempt.end.result
    assert (result["unchanged"], result["matched_by_name"]) == (2, 0)


def test_a_zombie_that_was_about_to_note_a_job_starts_none(intake: Intake, tmp_path: Path) -> None:
    """Fault 1.6: its retry does all the work between its look at the claim and its note. Found by `make soak`."""
    from tests.histories.moves import Run, TaskState

    contents = cameras(intake.folder, "cam1", "cam2")
    run = Run(0, TaskState(tmp_path / "state"), {})
    operator = EncordUploadFilesOperator(
        task_id="task", source=str(intake.folder), dataset_id=intake.dataset, report=str(tmp_path / "report.jsonl")
    )
    zombie = Attempt(lambda: operator.execute(run.context()), tmp_path, stop_at=1)
    while "notes.json" not in zombie.step:
        zombie.go_on(1)
    retry = Attempt(lambda: operator.execute(run.context()), tmp_path, stop_at=1)
    while not retry.step.startswith("os.rename report.jsonl."):
        retry.go_on(1)
    while "/" in retry.step:  # beside the report
        retry.go_on(1)
    retry.kill()
    zombie.go_on()
    assert zombie.end is not None
    assert zombie.end.kind == FAIL
    operator.execute(run.context())
    assert stored(intake) == checksums(contents)


@pytest.mark.parametrize("match_by", ["checksum", "title_and_size"])
def test_a_renamed_file_is_not_uploaded_again_and_a_copy_is(intake: Intake, tmp_path: Path, match_by: str) -> None:
    (before,) = intake.images("a.png")
    arguments = {"report": str(tmp_path / "r.jsonl"), "match_by": match_by}
    intake.upload(**arguments)
    renamed, copy = before.with_name("b.png"), before.with_name("c.png")
    before.rename(renamed)
    result = intake.upload(**arguments)
    assert (result["unchanged"], result["created"], intake.titles()) == (1, 0, ["a.png"])
    copy.write_bytes(renamed.read_bytes())
    result = intake.upload(**arguments, source=str(copy))
    assert (result["unchanged"], result["created"], intake.titles()) == (0, 1, ["a.png", "c.png"])


def test_an_image_sequence_is_uploaded_although_an_image_group_of_its_title_is_there(intake: Intake) -> None:
    intake.images("a.png", "b.png")
    intake.upload(group_by="directory")
    assert intake.upload(group_by="directory")["unchanged"] == 1
    result = intake.upload(group_by="directory", create_video=True)
    assert (result["created"], len(intake.titles())) == (1, 2)
    assert intake.upload(group_by="directory", create_video=True)["unchanged"] == 1
