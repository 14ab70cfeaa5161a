"""Uploads through the operator, against the emulator, under both kinds of credential and with things going wrong."""

import hashlib
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException, ObjectStoragePath

from airflow_provider_encord.operators.storage import EncordUploadFilesOperator
from airflow_provider_encord.uploads import registration
from encord_emulator.process import Emulator
from tests.airflow_layer.bench import SSH_CONNECTION, Account
from tests.client.network import plain_network
from tests.sdk.media import mp4, png

__all__ = ["plain_network"]

START = {"query_type": "datasetdatalongpolling", "query_method": "POST"}
PUT = {"method": "PUT", "path": "^/object-store/"}
URLS = {"path": "presigned-urls"}
pytestmark = pytest.mark.usefixtures("plain_network")


@pytest.fixture(scope="module")
def emulator() -> Iterator[Emulator]:
    with Emulator.start() as emulator:
        yield emulator


@pytest.fixture(scope="module")
def account(emulator: Emulator) -> Account:
    """One for all tests: Airflow's masker takes longer with every key that it has seen."""
    return Account(emulator)


class Intake:
    """A dataset, a folder with files for it, and a connection to upload with."""

    def __init__(self, account: Account, folder: Path):
        self.emulator, self.account, self.folder = account.emulator, account, folder
        with self.account.client() as client:
            self.dataset = client.create_dataset("Intake", if_exists="new").id

    def images(self, *names: str) -> list[Path]:
        """Images in the folder, each of another size."""
        paths = [self.folder / name for name in names]
        for number, path in enumerate(paths, 1):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(png(8 + number, 5 + number))
        return paths

    def upload(self, **arguments: Any) -> dict[str, Any]:
        arguments = {"source": str(self.folder), "dataset_id": self.dataset, **arguments}
        result: dict[str, Any] = EncordUploadFilesOperator(task_id="upload", **arguments).execute({})
        return result

    def rows(self) -> list[tuple[str, int | None]]:
        """Title and size of what is in the dataset, sorted."""
        with self.account.client() as client:
            return sorted((row.data_title, row.file_size) for row in client.dataset(self.dataset).data_rows())

    def titles(self) -> list[str]:
        return [title for title, _ in self.rows()]

    def requests(self, **match: Any) -> int:
        """How many requests the emulator was sent that have these properties."""
        entries = self.emulator.journal()
        return sum(all(entry[name] == value for name, value in match.items()) for entry in entries)

    def fault(self, match: dict[str, str], do: dict[str, Any], **when: Any) -> None:
        self.emulator.faults([{"match": match, "when": when or {"times": 1}, "do": do}])


@pytest.fixture
def intake(account: Account, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Intake]:
    """A dataset that is reached with an SSH key."""
    (tmp_path / "in").mkdir()
    intake = Intake(account, tmp_path / "in")
    monkeypatch.setenv(SSH_CONNECTION, account.connection())
    account.emulator.clear_journal()
    yield intake
    account.emulator.clear_faults()
    account.emulator.jobs(hold=False, fail_units=0.0)


@pytest.fixture(params=["ssh_key", "api_key"])
def either_intake(request: pytest.FixtureRequest, intake: Intake, monkeypatch: pytest.MonkeyPatch) -> Intake:
    """A dataset that is reached with an SSH key, and with an API key of its own."""
    if request.param == "api_key":
        monkeypatch.setenv(SSH_CONNECTION, intake.account.api_key_connection(intake.dataset, "dataset"))
    intake.emulator.clear_journal()
    return intake


def test_a_directory_is_uploaded_once_however_often_it_is_run(either_intake: Intake, tmp_path: Path) -> None:
    either_intake.images("a.png", "with blank %20 ü.png", "deep/a.png", "deep/b.png")
    (either_intake.folder / "drive.mp4").write_bytes(mp4(32, 24, frames=4, frames_per_second=2))
    first = either_intake.upload(report=str(tmp_path / "reports" / "first.jsonl"), files_per_job=2)
    size = sum(path.stat().st_size for path in either_intake.folder.rglob("*.*"))
    report = f"{tmp_path}/reports/first.jsonl"
    assert first | {"report": first["report"].removeprefix("file://")} == {
        "dataset_id": either_intake.dataset,
        "folder_id": None,
        "files": 5,
        "created": 5,
        "unchanged": 0,
        "matched_by_name": 0,
        "failed": 0,
        "bytes": size,
        "report": report,
    }
    second = either_intake.upload()
    assert (second["created"], second["unchanged"], second["bytes"], second["report"]) == (0, 5, 0, None)
    assert either_intake.titles() == ["a.png", "a.png", "b.png", "drive.mp4", "with blank %20 ü.png"]


def test_the_report_names_every_file_with_its_checksum_and_keeps_that_on_a_retry(
    either_intake: Intake, tmp_path: Path
) -> None:
    paths = either_intake.images("a.png", "b.png")
    uri = f"file://{tmp_path}/report.jsonl"
    for outcome in ("created", "unchanged"):
        either_intake.upload(report=uri)
        lines = [json.loads(line) for line in (tmp_path / "report.jsonl").read_text().splitlines()]
        assert [line["outcome"] for line in lines] == [outcome] * 2
        assert [line["sha256"] for line in lines] == [hashlib.sha256(path.read_bytes()).hexdigest() for path in paths]
        assert [line["source"] for line in lines] == [f"file://{path}" for path in paths]
    with either_intake.account.client() as client:
        rows = {row.data_title: row for row in client.dataset(either_intake.dataset).data_rows()}
    for line in lines:
        row = rows[line["title"]]
        assert (line["id"], line["item_id"]) == (row.data_hash, row.backing_item_uuid)


def test_files_of_one_name_and_size_are_all_uploaded_and_once(either_intake: Intake) -> None:
    for part in "xyz":
        either_intake.images(f"{part}/same.png")
    assert either_intake.upload(files_per_job=1)["created"] == 3
    assert either_intake.upload()["unchanged"] == 3
    assert either_intake.titles() == ["same.png"] * 3


def test_under_an_api_key_the_dataset_is_the_keys_own(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(SSH_CONNECTION, intake.account.api_key_connection(intake.dataset, "dataset"))
    intake.images("a.png")
    assert intake.upload(dataset_id=None)["dataset_id"] == intake.dataset
    assert intake.titles() == ["a.png"]


def test_uris_and_path_objects_are_sources_too(intake: Intake) -> None:
    intake.images("a.png", "b[1].png", "deep/c.png", "d.png")
    base = f"file://{intake.folder}"
    source = [f"{base}/a*.png", ObjectStoragePath(f"{base}/deep"), f"{base}/b[1].png", intake.folder / "d.png"]
    assert intake.upload(source=source)["created"] == 4
    assert intake.upload(source=f"{base}/**/*.png")["unchanged"] == 4


@pytest.mark.parametrize(
    ("match", "do"),
    [
        (START, {"cut": "after"}),
        (PUT, {"status": 503}),
        (PUT, {"cut": "before"}),
        (PUT, {"cut": "after"}),
        (PUT, {"status": 403, "text": "SignatureDoesNotMatch"}),
        ({"query_type": "datasetdatalongpolling", "query_method": "GET"}, {"cut": "after"}),
        ({"query_type": "datasetdatalongpolling"}, {"status": 429, "headers": {"Retry-After": "1"}}),
        ({"query_type": "datarows"}, {"status": 502}),
    ],
)
def test_a_fault_neither_loses_nor_doubles_a_file(either_intake: Intake, match: Any, do: Any) -> None:
    either_intake.images("a.png", "b.png", "c.png")
    either_intake.fault(match, do)
    assert either_intake.upload()["created"] == 3
    assert either_intake.titles() == ["a.png", "b.png", "c.png"]


def test_a_job_that_did_not_start_is_started_again(intake: Intake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registration, "_LOOKS", (0.1, 0.2, 0.4))  # nothing will be there, however long it is looked for
    intake.images("a.png", "b.png")
    intake.fault(START, {"cut": "before"})
    assert intake.upload()["created"] == 2
    assert intake.requests(**START) == 2
    assert intake.requests(method="PUT") == 2


def test_a_corrupt_image_fails_permanently_and_the_others_are_uploaded(either_intake: Intake, tmp_path: Path) -> None:
    either_intake.images("a.png", "c.png")
    (either_intake.folder / "b.png").write_bytes(b"not an image")
    (either_intake.folder / "empty.png").write_bytes(b"")
    with pytest.raises(AirflowFailException, match=r"(?s)2 of 4 files.*- b\.png: .*- empty\.png: .*is empty"):
        either_intake.upload(report=str(tmp_path / "r.jsonl"))
    assert either_intake.titles() == ["a.png", "c.png"]
    lines = [json.loads(line) for line in (tmp_path / "r.jsonl").read_text().splitlines()]
    assert [line["outcome"] for line in lines] == ["created", "failed", "created", "failed"]
    assert "not an image" in lines[1]["error"]
    skipped = either_intake.upload(on_error="skip")
    assert (skipped["unchanged"], skipped["failed"]) == (2, 2)


def test_a_failure_that_may_pass_is_one_to_retry_and_the_retry_sends_only_what_is_missing(intake: Intake) -> None:
    intake.images("a.png", "b.png")
    intake.fault(PUT, {"status": 403}, nth=1)
    intake.fault(PUT, {"status": 403}, nth=3)  # the second turn of that file
    with pytest.raises(AirflowException, match=r"1 of 2 files.*") as caught:
        intake.upload(max_concurrency=1)
    assert not isinstance(caught.value, AirflowFailException)
    again = intake.upload()
    assert (again["created"], again["unchanged"]) == (1, 1)
    assert intake.titles() == ["a.png", "b.png"]


def test_a_long_list_of_failures_is_cut_and_counted(intake: Intake) -> None:
    for number in range(25):
        (intake.folder / f"{number:02}.png").write_bytes(b"no image" + bytes(number))
    with pytest.raises(AirflowFailException) as caught:
        intake.upload()
    assert str(caught.value).count("\n- ") == 21
    assert "and 5 more. Pass `report`" in str(caught.value)


def test_no_signed_url_and_no_key_reaches_the_log_or_an_error(
    intake: Intake, caplog: pytest.LogCaptureFixture, capsys: pytest.CaptureFixture[str]
) -> None:
    intake.images("a.png", "b.png")
    intake.fault(PUT, {"status": 403}, times=4)
    with caplog.at_level(logging.DEBUG), pytest.raises(AirflowException) as caught:
        intake.upload()
    outputs = capsys.readouterr()
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("urllib3")]
    text = "\n".join([*ours, str(caught.value), outputs.out, outputs.err])
    assert "2 failed" in text
    assert "object-store" not in text
    assert "signature=" not in text
    assert not any(line in text for line in intake.account.private_key.splitlines()[1:-1])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"source": "/nowhere/*.png"}, "source: no file matches"),
        ({"source": ""}, "source: it contains an empty string"),
        ({"dataset_id": "Intake"}, "dataset_id: 'Intake' is not an id"),
        ({"dataset_id": None}, "dataset_id: it is missing"),
        ({"folder_id": "f"}, "folder_id: 'f' is not an id"),
        ({"on_error": "ignore"}, "on_error: 'ignore' is not one of fail, skip"),
        ({"source": "['/a.png', "}, r"source: .* is not a list"),
        ({"source": "nowhere://bucket/a.png"}, "source: nowhere:// paths cannot be used here"),
        ({"source": "s3://no-connection@bucket/a.png"}, "source: s3://"),
        ({"files_per_job": 1000}, "files_per_job: '1000' is not a whole number from 1 to 200"),
        ({"files_per_job": 2.7}, "files_per_job: '2.7' is not a whole number"),
        ({"files_per_job": "many"}, "files_per_job: 'many' is not a whole number"),
        ({"max_concurrency": 0}, "max_concurrency: '0' is not a whole number of at least 1"),
        ({"max_concurrency": "inf"}, "max_concurrency: 'inf' is not a whole number of at least 1"),
        ({"job_timeout": -1}, "job_timeout: '-1' is not a number of seconds over 0"),
        ({"job_timeout": "inf"}, "job_timeout: 'inf' is not a number of seconds over 0"),
        ({"job_timeout": "nan"}, "job_timeout: 'nan' is not a number of seconds over 0"),
        ({"job_timeout": 10**400}, "job_timeout: '10"),
        ({"report": "report.jsonl"}, "report: 'report.jsonl' is not an absolute path"),
        ({"report": "~/report.jsonl"}, "report: '~/report.jsonl' is not an absolute path"),
        ({"report": "nowhere://bucket/r.jsonl"}, "report: nowhere:// paths cannot be used here"),
        ({"report": "/"}, "report: file:/+ is a directory. Pass a file"),
        ({"report": "/proc/nowhere/r.jsonl"}, "report: file:///proc/nowhere/r.jsonl cannot be used"),
    ],
)
def test_a_wrong_argument_is_named_by_name_when_the_task_runs_and_nothing_is_sent_or_logged(
    intake: Intake, arguments: Any, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    intake.images("a.png")
    with caplog.at_level(logging.INFO), pytest.raises(AirflowFailException, match=message):
        intake.upload(**arguments)
    assert intake.emulator.journal() == []
    assert "files:" not in caplog.text


def test_numbers_and_lists_may_be_the_text_that_a_template_makes_of_them(intake: Intake) -> None:
    paths = [str(path) for path in intake.images("a.png", "b.png")]
    assert intake.upload(source=str(paths), files_per_job="1", max_concurrency="2.0", job_timeout="60")["files"] == 2
    assert intake.upload(source=json.dumps(paths))["unchanged"] == 2


@pytest.mark.parametrize("match_by", ["checksum", "title_and_size"])
@pytest.mark.parametrize("suffix", ["", ".known"])
def test_a_report_that_was_cut_off_is_refused_and_left_as_it_is(
    intake: Intake, tmp_path: Path, suffix: str, match_by: str
) -> None:
    report, cut = tmp_path / "r.jsonl", tmp_path / f"r.jsonl{suffix}"
    for path in intake.images("a.png", "b.png"):
        intake.upload(report=str(report), match_by=match_by, source=str(path))
    whole = cut.read_bytes()
    cut.write_bytes(whole[:-20])
    there = intake.rows()
    with pytest.raises(AirflowFailException, match=rf"report: it was cut off in line 1.*{cut.name}"):
        intake.upload(report=str(report), match_by=match_by)
    assert (intake.rows(), cut.read_bytes()) == (there, whole[:-20])
    cut.write_bytes(whole)
    assert intake.upload(report=str(report), match_by=match_by)["unchanged"] == 2


def test_a_file_that_is_no_report_is_not_overwritten(intake: Intake, tmp_path: Path) -> None:
    intake.images("a.png")
    (tmp_path / "notes.txt").write_text("mine\n")
    with pytest.raises(AirflowFailException, match="report: line 1 is not a line of a report"):
        intake.upload(report=str(tmp_path / "notes.txt"))
    assert (tmp_path / "notes.txt").read_text() == "mine\n"
    assert intake.rows() == []


def test_everything_a_user_passes_is_templated() -> None:
    import inspect

    arguments = set(inspect.signature(EncordUploadFilesOperator.__init__).parameters) - {"self", "kwargs"}
    assert set(EncordUploadFilesOperator.template_fields) == arguments | {"encord_conn_id"}
