"""Pulling the files behind data units, on the emulator."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import AirflowException, AirflowFailException

from airflow_provider_encord import pauses
from airflow_provider_encord.operators import base
from airflow_provider_encord.operators.media import EncordPullMediaOperator
from tests.airflow_layer.bench import Account
from tests.airflow_layer.cloud_intake import Intake
from tests.airflow_layer.deferrals import run_deferred
from tests.airflow_layer.media.pulled_media import OBJECTS, Media


@pytest.fixture
def media(account: Account, tmp_path: Path) -> Media:
    return Media(account, tmp_path)


def test_each_file_of_an_export_is_pulled_once_and_reported(media: Media) -> None:
    result = media.pull()
    files, lines = media.files(), media.lines()
    assert {name: result[name] for name in ("created", "unchanged", "failed", "skipped", "not_found")} == {
        "created": 6,
        "unchanged": 0,
        "failed": 0,
        "skipped": 0,
        "not_found": 0,
    }
    assert {line["path"] for line in lines} == files.keys()
    assert {line["sha256"] for line in lines} == {hashlib.sha256(content).hexdigest() for content in files.values()}
    assert {line["unit"] for line in lines} == {row["data_hash"] for row in media.exports.rows()}
    assert result["bytes"] == sum(map(len, files.values()))
    assert not [entry for entry in media.emulator.journal() if entry["changes"]]


def test_a_second_run_fetches_nothing(media: Media) -> None:
    media.pull()
    before = media.files()
    media.emulator.clear_journal()
    result = media.pull()
    assert (result["created"], result["unchanged"], result["bytes"]) == (0, 6, 0)
    assert media.files() == before
    assert not [entry for entry in media.emulator.journal() if "get-bulk" in entry["path"]]


def test_a_file_that_was_changed_or_removed_at_the_destination_is_fetched_again(media: Media) -> None:
    media.pull()
    before = media.files()
    first, second, *_ = sorted(before)
    (media.target / first).unlink()
    (media.target / second).write_bytes(b"another file")
    result = media.pull()
    assert (result["created"], result["unchanged"]) == (2, 4)
    assert media.files() == before


def test_a_copy_of_the_destination_is_recognised_by_its_content(media: Media) -> None:
    media.pull()
    copy = shutil.copytree(media.target, media.directory / "copy")
    first = sorted(path for path in copy.iterdir() if path.suffix == ".png")[0]
    content = first.read_bytes()
    first.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    media.target = copy
    media.emulator.clear_journal()
    result = media.pull()
    assert (result["created"], result["unchanged"]) == (1, 5)
    assert first.read_bytes() == content


def test_the_layout_gives_paths(media: Media) -> None:
    media.pull(layout="images/{data_hash}/{stem}-of-encord{extension}")
    hashes = {row["data_hash"] for row in media.exports.rows()}
    assert {path.split("/")[1] for path in media.files()} == hashes
    assert all(path.startswith("images/") and path.endswith("-of-encord.png") for path in media.files())


def test_parts_pull_each_file_in_one_of_them(media: Media) -> None:
    results = [media.pull(part=part, parts=3) for part in range(3)]
    assert sum(result["created"] for result in results) == len(media.files()) == 6
    paths = [line["path"] for part in range(3) for line in media.lines(f"media-{part}-of-3.jsonl")]
    assert sorted(paths) == sorted(media.files())


def test_a_data_unit_that_was_removed_meanwhile_is_reported(media: Media) -> None:
    dataset = media.exports.rows()[0]["dataset_hash"]
    with media.account.client() as client:
        client.dataset(dataset).remove_data_rows([media.exports.rows()[0]["data_hash"]])
    result = media.pull()
    assert (result["created"], result["not_found"]) == (5, 1)
    [line] = [line for line in media.lines() if line["outcome"] == "not_found"]
    assert line["data_hash"] == media.exports.rows()[0]["data_hash"]
    assert "not in the project any more" in line["error"]


def test_a_dataset_a_folder_and_a_list_give_the_same_files(media: Media) -> None:
    dataset = media.exports.rows()[0]["dataset_hash"]
    media.pull(dataset_id=dataset)
    of_dataset, ids = media.files(), [line["id"] for line in media.lines()]
    with media.account.client() as client:
        folder = client.items(ids[:1])[0].parent
        collection = client.create_collection(folder, "Chosen").id
        client.collection(collection).add_items(ids)
    sources = ({"folder_id": folder}, {"item_ids": ids}, {"item_ids": str(ids)}, {"collection_id": collection})
    for number, source in enumerate(sources):
        media.target = media.directory / f"media-{number}"
        assert media.pull(**source)["created"] == 6
        assert media.files() == of_dataset


def test_a_task_that_gets_no_new_url_now_leaves_its_slot_and_continues(
    media: Media, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIRFLOW__OPERATORS__DEFAULT_DEFERRABLE", "True")
    for module in (base, pauses):  # so that a short wait is long enough for a pause
        monkeypatch.setattr(module, "LONGEST_WAIT_IN_SLOT", 0.5)
    refused = {"status": 429, "headers": {"Retry-After": "1"}}
    media.emulator.faults(
        [
            {"match": {"path": f"^{OBJECTS}"}, "when": {"times": 1}, "do": {"status": 403}},
            {"match": {"path": "get-bulk$"}, "when": {"nth": 2}, "do": refused},
        ]
    )
    made: list[int] = []
    arguments = {"task_id": "pull", "labels": media.labels, "destination": str(media.target)}
    result = run_deferred(lambda: EncordPullMediaOperator(**arguments), while_deferred=made.append)
    assert made == [0]
    assert result["failed"] == 0
    assert len(media.files()) == 6
    assert {line["path"] for line in media.lines()} == media.files().keys()


def test_a_url_that_expired_is_renewed(media: Media) -> None:
    media.emulator.faults([{"match": {"path": f"^{OBJECTS}"}, "when": {"times": 1}, "do": {"status": 403}}])
    result = media.pull(max_concurrency=1)
    assert (result["created"], result["failed"]) == (6, 0)


def test_a_file_that_cannot_be_fetched_fails_the_task_after_the_others(media: Media) -> None:
    path = _path_of_first_download(media)
    media.emulator.faults([{"match": {"path": f"^{path}$"}, "do": {"status": 404}}])
    with pytest.raises(AirflowFailException, match=r"1 of 6 files could not be pulled:\n- image-.*HTTP 404"):
        media.pull()
    assert len(media.files()) == 5
    assert [line["outcome"] for line in media.lines()].count("failed") == 1
    result = media.pull(on_error="skip")
    assert (result["created"], result["unchanged"], result["failed"]) == (0, 5, 1)


def test_an_outage_fails_for_a_retry_which_fetches_the_rest(media: Media, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.sleep", lambda seconds: None)
    path = _path_of_first_download(media)
    media.emulator.faults([{"match": {"path": f"^{path}$"}, "do": {"status": 503}}])
    with pytest.raises(AirflowException, match="1 of 6 files could not be pulled") as raised:
        media.pull()
    assert not isinstance(raised.value, AirflowFailException)
    media.emulator.clear_faults()
    result = media.pull()
    assert (result["created"], result["unchanged"]) == (1, 5)


def test_a_file_of_another_size_than_encord_states_is_refused(media: Media) -> None:
    path = _path_of_first_download(media)
    media.emulator.faults([{"match": {"path": f"^{path}$"}, "do": {"status": 200, "text": "short"}}])
    with pytest.raises(AirflowFailException, match=r"The file has 5 bytes, but Encord states \d+"):
        media.pull()
    assert b"short" not in media.files().values()
    assert media.pull(verify_size=False)["created"] == 1


def test_signed_urls_are_in_no_report_and_in_no_message(media: Media, caplog: pytest.LogCaptureFixture) -> None:
    media.emulator.faults([{"match": {"path": f"^{OBJECTS}"}, "do": {"status": 404}}])
    with caplog.at_level("DEBUG"), pytest.raises(AirflowFailException) as raised:
        media.pull()
    written = caplog.text + str(raised.value) + (media.target / "media.jsonl").read_text()
    assert "signature=" not in written
    assert "expires=" not in written
    assert OBJECTS not in str(raised.value) + (media.target / "media.jsonl").read_text()


def test_the_images_of_a_group_are_named_by_their_hashes_in_label_rows(account: Account, tmp_path: Path) -> None:
    media = Media(account, tmp_path, rows=2, kind="img_group")
    result = media.pull()
    units = {unit for row in media.exports.rows() for unit in row["data_units"]}
    assert result["created"] == len(units) == 6
    assert {line["unit"] for line in media.lines()} == units
    assert media.pull()["unchanged"] == 6


def test_files_are_read_from_a_bucket_without_encord(account: Account, tmp_path: Path) -> None:
    intake = Intake(account, tmp_path)
    intake.register(source=intake.manifest(intake.objects(3)))
    account.emulator.clear_journal()
    result = EncordPullMediaOperator(
        task_id="pull",
        folder_id=intake.folder,
        destination=str(tmp_path / "media"),
        layout="{stem}-{item_id}.png",
        bucket_paths={f"{intake.url}/": str(intake.bucket)},
    ).execute({})
    assert result["created"] == 3
    pulled = {path.name[:3]: path.read_bytes() for path in (tmp_path / "media").glob("*.png")}
    assert pulled == {path.stem: path.read_bytes() for path in intake.bucket.iterdir()}
    assert not [entry for entry in account.emulator.journal() if entry["path"].startswith(OBJECTS)]


PULL = """
import sys
from airflow_provider_encord.operators.media import EncordPullMediaOperator
labels, destination = sys.argv[1:]
EncordPullMediaOperator(task_id="pull", labels=labels, destination=destination, layout="all/{item_id}.png").execute({})
"""


def _kill_a_pull(media: Media) -> None:
    """Start a pull in a process, and kill it while it receives a file."""
    media.emulator.faults([{"match": {"path": OBJECTS}, "when": {"nth": 4}, "do": {"delay_s": 20}}])
    process = subprocess.Popen([sys.executable, "-c", PULL, media.labels, str(media.target)])
    try:
        deadline = time.monotonic() + 60
        while not [path for path in unfinished(media.target) if path.parent.name == "all"]:
            assert time.monotonic() < deadline
            assert process.poll() is None
            time.sleep(0.02)
        time.sleep(0.2)  # so that some files are whole
    finally:
        process.kill()
        process.wait()
        media.emulator.faults([])


def unfinished(directory: Path) -> list[Path]:
    return list(directory.rglob("*.unfinished"))


def test_what_a_killed_pull_did_not_finish_is_removed_by_the_next_but_nothing_of_others(media: Media) -> None:
    _kill_a_pull(media)
    assert unfinished(media.target)
    others = media.target / "all" / f"{uuid.uuid4()}.png.0123abcd.unfinished"
    others.write_bytes(b"another pull is writing this")
    result = media.pull(layout="all/{item_id}.png")
    assert result["created"] + result["unchanged"] == 6
    assert unfinished(media.target) == [others]
    assert not (media.target / "media.jsonl.parts").exists()


def test_what_a_killed_pull_did_not_finish_is_kept_while_another_report_pulls(media: Media) -> None:
    """It may still be writing."""
    _kill_a_pull(media)
    left = unfinished(media.target / "all")
    media.pull(layout="all/{item_id}.png", report=str(media.target / "media-of-another.jsonl"))
    assert unfinished(media.target / "all") == left


def _path_of_first_download(media: Media) -> str:
    with media.account.client() as client:
        dataset = media.exports.rows()[0]["dataset_hash"]
        row = client.dataset(dataset).data_rows()[0]
        [item] = client.items([row.backing_item_uuid or ""], sign_urls=True)
    assert item.signed_url is not None
    return item.signed_url.partition("?")[0].removeprefix(media.emulator.url)


def test_an_item_that_may_not_be_read_fails_and_one_that_is_gone_is_not_found(media: Media) -> None:
    media.emulator.faults([{"match": {"path": "get-bulk$"}, "do": {"status": 403}}])
    with pytest.raises(AirflowFailException, match=r"6 of 6 files could not be pulled:\n- image-.*could not be read"):
        media.pull()
    assert {line["outcome"] for line in media.lines()} == {"failed"}


def test_a_list_of_items_does_not_forget_whose_data_units_they_are(media: Media) -> None:
    media.pull()
    before = {line["path"]: line["unit"] for line in media.lines()}
    assert media.pull(item_ids=[line["id"] for line in media.lines()])["unchanged"] == 6
    assert {line["path"]: line["unit"] for line in media.lines()} == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layout": "{title}"}, r"Add \{item_id\} or \{data_hash\}"),
        ({"layout": "../{item_id}"}, "not a path below the destination"),
        ({"layout": "{item_id}{size}"}, "has the field 'size'"),
        ({"layout": "{item_id:>3}"}, "has a format"),
        ({"layout": "{item_id"}, "cannot be read"),
        ({"part": 3, "parts": 3}, "part: 3 is not a part of 3"),
        ({"frames": "labelled", "dataset_id": "{}", "labels": None}, "Pass exactly one of|needs `labels`|not a UUID"),
        ({"folder_id": "00000000-0000-4000-8000-000000000000", "labels": "/data/x"}, "Pass exactly one of"),
        ({"labels": None}, "Pass exactly one of"),
        ({"bucket_paths": {"s3://bucket": "/data"}}, "does not end with a slash"),
    ],
)
def test_a_wrong_argument_is_named_before_anything_is_pulled(
    media: Media, arguments: dict[str, Any], message: str
) -> None:
    media.emulator.clear_journal()
    with pytest.raises(AirflowFailException, match=message):
        media.pull(**arguments)
    assert not media.downloads()
    assert not media.target.exists()
