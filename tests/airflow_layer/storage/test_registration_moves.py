"""A registration that is cleared, corrected, retried or deferred while its source changes loses and doubles nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_encord.operators.storage import EncordRegisterCloudDataOperator
from airflow_provider_encord.registration import cloud
from tests.airflow_layer.cloud_intake import Intake
from tests.airflow_layer.deferrals import run_deferred
from tests.airflow_layer.lines import needs_task_state
from tests.airflow_layer.storage.test_jobs import Store
from tests.sdk.media import png

POLL = {"method": "GET", "path": "/data-upload-jobs/"}


def test_a_cleared_task_registers_what_its_manifest_gained(intake: Intake) -> None:
    """Fault 1.1."""
    names, context = intake.objects(6), {"task_state_store": Store()}
    intake.register(context, source=intake.manifest(names[:2]))
    assert intake.register(context, source=intake.manifest(names))["units"] == 6
    assert intake.names() == names
    assert context["task_state_store"].kept == {}


def test_a_cleared_task_goes_into_the_corrected_folder(intake: Intake) -> None:
    """Fault 1.2."""
    names, context = intake.objects(3), {"task_state_store": Store()}
    source = intake.manifest(names)
    with intake.account.client() as client:
        right = client.create_folder("Right").id
    intake.register(context, source=source)
    intake.register(context, source=source, folder_id=right)
    assert intake.names(right) == names


def test_a_cleared_task_tries_again_what_encord_refused(intake: Intake) -> None:
    """Fault 1.2."""
    names, context = intake.objects(4), {"task_state_store": Store()}
    source = intake.manifest([*names, "late.png"])
    with pytest.raises(AirflowFailException, match="1 of 5 units were not registered"):
        intake.register(context, source=source)
    (intake.bucket / "late.png").write_bytes(png(4, 4))
    assert intake.register(context, source=source)["failed"] == 0
    assert intake.names() == [*names, "late.png"]


@needs_task_state
def test_a_running_job_of_an_earlier_attempt_is_waited_for_before_other_work_starts(intake: Intake) -> None:
    names, context = intake.objects(4), {"task_state_store": Store()}
    intake.emulator.jobs(hold=True)
    with pytest.raises(AirflowException, match="job_timeout"):
        intake.register(context, source=intake.manifest(names[:2]), job_timeout=1)
    with pytest.raises(AirflowException, match="job_timeout"):
        intake.register(context, source=intake.manifest(names), job_timeout=1)
    assert intake.starts() == 1
    intake.emulator.jobs(hold=False)
    intake.register(context, source=intake.manifest(names))
    assert (intake.names(), intake.starts()) == (names, 2)


def _first_goes(intake: Intake) -> None:
    (intake.bucket / "000.png").unlink()


def _one_comes_first(intake: Intake) -> None:
    (intake.bucket / "!first.png").write_bytes(png(5, 5))


def _one_comes_last(intake: Intake) -> None:
    (intake.bucket / "zz.png").write_bytes(png(5, 5))


@pytest.mark.parametrize("deferrable", [True, False])
@pytest.mark.parametrize("change", [_first_goes, _one_comes_first, _one_comes_last])
def test_objects_that_were_there_all_the_time_are_registered_whatever_comes_and_goes(
    intake: Intake, tmp_path: Path, change: Callable[[Intake], None], deferrable: bool
) -> None:
    """Fault 1.3: while the first job runs."""
    names = intake.objects(5)
    report = tmp_path / "report"
    arguments = {
        "source": str(intake.bucket),
        "url_prefix": intake.url,
        "units_per_job": 2,
        "report": str(report),
        "on_error": "skip",  # the object that goes while its own job runs is a failure, and only that
    }

    def make() -> EncordRegisterCloudDataOperator:
        return intake.operator(deferrable=deferrable, poll_interval=5, **arguments)

    if deferrable:
        intake.emulator.jobs(hold=True)

        def meanwhile(number: int) -> None:
            intake.emulator.jobs(hold=False)
            if number == 0:
                change(intake)
            intake.emulator.jobs(units_per_second=20)

        run_deferred(make, while_deferred=meanwhile)
        intake.emulator.jobs(units_per_second=None)
    else:
        make().execute({})
        change(intake)
        make().execute({})
    registered = set(intake.names())
    assert set(names) - {"000.png"} <= registered
    known = tmp_path / "report.known"
    lines = [json.loads(line) for file in (report, known) if file.exists() for line in file.read_text().splitlines()]
    titles = [line["title"] for line in lines if line["outcome"] == "created" and line["id"]]
    assert len(titles) == len(set(titles))
    assert set(titles) <= registered
    assert not (tmp_path / "report.parts").exists()


@needs_task_state
def test_a_retry_with_a_listing_that_moved_registers_every_object_once(intake: Intake) -> None:
    """Fault 1.3: between two attempts."""
    names, context = intake.objects(5), {"task_state_store": Store()}
    arguments = {"source": str(intake.bucket), "url_prefix": intake.url, "units_per_job": 2}
    intake.emulator.jobs(hold=True)
    with pytest.raises(AirflowException, match="job_timeout"):
        intake.register(context, job_timeout=1, **arguments)
    intake.emulator.jobs(hold=False)
    _one_comes_first(intake)
    intake.register(context, **arguments)
    assert intake.names() == ["!first.png", *names]


def test_a_manifest_that_changes_while_the_task_is_deferred_is_an_error_and_a_retry_does_the_rest(
    intake: Intake,
) -> None:
    """Fault 4.7: it used to end in StopIteration when the manifest shrank."""
    names = intake.objects(6)
    source = intake.manifest(names)

    def make() -> EncordRegisterCloudDataOperator:
        return intake.deferrable(source=source, units_per_job=2)

    def meanwhile(number: int) -> None:
        intake.emulator.jobs(hold=False)
        intake.manifest(names[3:])

    intake.emulator.jobs(hold=True)
    with pytest.raises(AirflowException, match="was changed while it was being registered") as raised:
        run_deferred(make, while_deferred=meanwhile)
    assert not isinstance(raised.value, AirflowFailException)
    run_deferred(make)
    assert intake.names() == [*names[:2], *names[3:]]


@pytest.mark.parametrize("suffix", ["jsonl", "csv"])
def test_resuming_costs_the_same_for_every_part(
    intake: Intake, suffix: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Fault 7.7: each line is parsed at most twice, however many parts there are."""
    names = intake.objects(30)
    source = intake.manifests / f"all.{suffix}"
    rows = [f"{intake.url}/{name}" for name in names]
    source.write_text(
        "url\n" + "\n".join(rows) if suffix == "csv" else "".join(json.dumps({"url": url}) + "\n" for url in rows)
    )
    parsed: list[str] = []
    original = cloud.name_in
    monkeypatch.setattr(cloud, "name_in", lambda url: parsed.append(url) or original(url))
    carried: list[int] = []

    def make() -> EncordRegisterCloudDataOperator:
        return intake.deferrable(source=str(source), units_per_job=2, report=str(tmp_path / "report"))

    def meanwhile(number: int) -> None:
        carried.append(number)
        intake.emulator.jobs(hold=False)
        intake.emulator.jobs(hold=True)

    intake.emulator.jobs(hold=True)
    try:
        result = run_deferred(make, while_deferred=lambda number: (meanwhile(number), _let_go(intake))[0])
    finally:
        intake.emulator.jobs(hold=False)
    assert result["registered"] == 30
    assert intake.names() == names
    assert len(parsed) <= 2 * len(names) + len(carried)


def _let_go(intake: Intake) -> None:
    intake.emulator.jobs(hold=False)


@pytest.mark.parametrize("status", ["ERROR", "CANCELLED"])
def test_a_job_that_fails_with_part_of_its_units_in_still_has_a_report(
    intake: Intake, tmp_path: Path, status: str
) -> None:
    """Fault 4.7."""
    report = tmp_path / "report"
    answer = {
        "status": status,
        "itemsWithNames": [{"itemUuid": intake.folder, "name": "000.png"}],
        "errors": ["out of order"],
        "unitsPendingCount": 0,
        "unitsDoneCount": 1,
        "unitsErrorCount": 0,
        "unitsCancelledCount": 1,
        "unitErrors": [],
    }
    intake.emulator.faults([{"match": POLL, "do": {"status": 200, "json": answer}}])
    try:
        with pytest.raises(AirflowFailException, match=f"ended with status {status}: out of order. 1 of its 2 units"):
            intake.register(source=intake.manifest(intake.objects(2)), report=str(report))
    finally:
        intake.emulator.clear_faults()
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    assert [(line["title"], line["outcome"], line["id"]) for line in lines] == [
        ("000.png", "created", intake.folder),
        ("001.png", "failed", None),
    ]


def test_a_job_that_is_done_with_fewer_units_than_were_sent_is_no_success(intake: Intake) -> None:
    """Fault 4.7."""
    answer = {
        "status": "DONE",
        "itemsWithNames": [],
        "errors": [],
        "unitsPendingCount": 0,
        "unitsDoneCount": 1,
        "unitsErrorCount": 0,
        "unitsCancelledCount": 0,
        "unitErrors": [],
    }
    intake.emulator.faults([{"match": POLL, "do": {"status": 200, "json": answer}}])
    try:
        with pytest.raises(AirflowFailException, match=r"has an outcome for 1 done .* of 2 units"):
            intake.register(source=intake.manifest(intake.objects(2)))
    finally:
        intake.emulator.clear_faults()


@pytest.mark.parametrize("answer", [None, [], "soon"])
def test_one_poll_that_cannot_be_read_does_not_fail_a_registration(intake: Intake, answer: Any) -> None:
    """Fault 4.7."""
    names = intake.objects(2)
    intake.emulator.faults([{"match": POLL, "when": {"nth": 1}, "do": {"status": 200, "json": answer}}])
    try:
        assert intake.register(source=intake.manifest(names))["registered"] == 2
    finally:
        intake.emulator.clear_faults()
    assert intake.names() == names


def test_units_of_one_title_keep_the_ids_that_their_urls_have(intake: Intake, tmp_path: Path) -> None:
    for camera in ("cam1", "cam2", "cam3"):
        (intake.bucket / camera).mkdir()
        (intake.bucket / camera / "frame.png").write_bytes(png(4, 4))
    report = tmp_path / "report"
    intake.register(source=str(intake.bucket), url_prefix=intake.url, report=str(report))
    lines = [json.loads(line) for line in report.read_text().splitlines()]
    with intake.account.client() as client:
        truth = {item.uuid: item.url for item in client.folder(intake.folder).items()}
    assert {line["id"]: line["urls"][0] for line in lines} == truth


def test_a_report_in_the_directory_that_is_listed_is_refused(intake: Intake) -> None:
    intake.objects(1)
    source = str(intake.bucket)
    for report, more in (("/report.png", {}), ("/../bucket/report.png", {}), ("/report", {"kind": "image"})):
        with pytest.raises(AirflowFailException, match="report: it is in the directory that is listed as source"):
            intake.register(source=source, url_prefix=intake.url, report=f"{source}{report}", **more)
    for same in (source, intake.manifest(["000.png"])):
        with pytest.raises(AirflowFailException, match=r"^report: it is the source itself"):
            intake.register(source=same, url_prefix=intake.url, report=same)
    assert intake.starts() == 0
    for report in ("report.jsonl", "report.txt"):  # no listing takes these for objects
        assert intake.register(source=source, url_prefix=intake.url, report=f"{source}/{report}")["units"] == 1
