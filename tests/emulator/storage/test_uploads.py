"""From a file to a data row: upload URLs, the object store, the job that registers, and what can fail there."""

from __future__ import annotations

import io
import time
import urllib.parse
from pathlib import Path
from typing import Any

import pydicom
import pytest
from PIL import Image
from pydicom.uid import DeflatedExplicitVRLittleEndian, ExplicitVRBigEndian, ImplicitVRLittleEndian

from encord_emulator.process import Emulator
from tests.emulator.callers import KeyHolder, Person, send
from tests.emulator.movies import movie

WITHIN_SECONDS = 20


def picture(width: int = 64, height: int = 48, kind: str = "PNG") -> bytes:
    content = io.BytesIO()
    Image.new("RGB", (width, height)).save(content, kind)
    return content.getvalue()


@pytest.fixture
def dataset(owner: Person) -> str:
    uuid: str = owner.rest("POST", "datasets", {"title": "Cats"}).json["datasetUuid"]
    return uuid


def _put(owner: Person, content: bytes, kind: str = "image") -> str:
    place = owner.rest("GET", f"presigned-urls?count=1&uploadItemType={kind}").json["results"][0]
    answer = send(owner.url, "PUT", place["signedUrl"].removeprefix(owner.url), {"Cache-Control": "x"}, content)
    assert answer.status == 200
    key: str = place["objectKey"]
    return key


def _start(owner: Person, dataset: str, *, ignore: bool = False, **items: Any) -> str:
    payload = {"dataItems": items, "ignoreErrors": ignore}
    job: str = owner.get("datasetdatalongpolling", "POST", dataset, payload, dataset=dataset)["process_hash"]
    return job


def _poll(owner: Person, dataset: str, job: str, seconds: int = 10) -> dict[str, Any]:
    payload = {"process_hash": job, "timeout_seconds": seconds}
    answer: dict[str, Any] = owner.get("datasetdatalongpolling", "GET", dataset, payload, dataset=dataset)
    return answer


def _rows(owner: Person, dataset: str) -> list[dict[str, Any]]:
    return list(owner.get("dataset", "GET", None, None, dataset=dataset)["data_rows"])


def _counts(job: dict[str, Any]) -> tuple[str, int, int, int]:
    return job["status"], job["units_pending_count"], job["units_done_count"], job["units_error_count"]


def test_an_image_becomes_a_data_row_with_what_its_file_says(owner, dataset):
    content = picture(70, 50, "JPEG")
    entry = {"objectUrl": _put(owner, content), "title": "Tabby.jpg", "clientMetadata": {"site": "A"}}
    done = _poll(owner, dataset, _start(owner, dataset, images=[entry]))
    assert _counts(done) == ("DONE", 0, 1, 0)
    ((made),) = done["data_hashes_with_titles"]
    assert made["title"] == "Tabby.jpg"
    (row,) = _rows(owner, dataset)
    assert (row["data_hash"], row["backing_item_uuid"]) == (made["data_hash"], made["backing_item_uuid"])
    assert (row["width"], row["height"], row["file_type"], row["file_size"]) == (70, 50, "image/jpeg", len(content))
    more = {"additional_data": {"signed_url": True, "images_data_fetch_options": None, "client_metadata": True}}
    again = owner.get("datarow", "GET", row["data_hash"], more, dataset=dataset)
    assert again["client_metadata"] == {"site": "A"}
    assert send(owner.url, "GET", again["signed_url"].removeprefix(owner.url)).content == content


def test_a_video_shows_size_and_length_from_its_boxes(owner, dataset):
    entry = {"objectUrl": _put(owner, movie(320, 240, frames=50, seconds=2), "video"), "title": "film.mp4"}
    odd = {"objectUrl": _put(owner, b"no movie at all", "video"), "title": "odd.mp4"}
    assert _poll(owner, dataset, _start(owner, dataset, videos=[entry, odd]))["status"] == "DONE"
    film, other = _rows(owner, dataset)
    assert (film["width"], film["height"], film["frames_per_second"], film["duration"]) == (320, 240, 25.0, 2.0)
    assert (other["width"], other["duration"], other["data_type"]) == (None, None, "VIDEO")


def _slice(syntax: str) -> bytes:
    """A DICOM file of one frame without pixels."""
    header = pydicom.Dataset()
    header.SOPClassUID, header.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.2", "1.2.3"
    header.StudyInstanceUID, header.SeriesInstanceUID, header.PatientID = "1.2", "1.2.4", "P1"
    header.Rows, header.Columns = 64, 48
    header.file_meta = pydicom.dataset.FileMetaDataset()
    header.file_meta.TransferSyntaxUID = pydicom.uid.UID(syntax)
    content = io.BytesIO()
    header.save_as(content, enforce_file_format=True)
    return content.getvalue()


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, DeflatedExplicitVRLittleEndian])
def test_a_dicom_series_shows_the_size_of_its_files_however_these_are_written(owner, dataset, syntax):
    files = [
        {"url": _put(owner, content, "dicomFile"), "title": "a.dcm"} for content in (_slice(syntax), b"no file at all")
    ]
    series = [{"dicomFiles": [file], "title": f"series {number}"} for number, file in enumerate(files)]
    assert _poll(owner, dataset, _start(owner, dataset, dicomSeries=series))["status"] == "DONE"
    found, odd = _rows(owner, dataset)
    assert (found["width"], found["height"]) == (48, 64)
    assert (odd["width"], odd["height"], odd["data_type"]) == (None, None, "DICOM")


def test_an_image_group_holds_its_images_in_order(owner, dataset):
    images = [{"url": _put(owner, picture(width)), "title": f"{width}.png"} for width in (10, 20)]
    job = _start(owner, dataset, imageGroups=[{"images": images, "title": "grp", "createVideo": False}])
    assert _poll(owner, dataset, job)["status"] == "DONE"
    (row,) = _rows(owner, dataset)
    more = {"additional_data": {"signed_url": False, "images_data_fetch_options": {"fetch_signed_urls": True}}}
    again = owner.get("datarow", "GET", row["data_hash"], more, dataset=dataset)
    assert [(image["title"], image["width"]) for image in again["images_data"]] == [("10.png", 10), ("20.png", 20)]


@pytest.mark.parametrize(("ignore", "status"), [(True, "DONE"), (False, "ERROR")])
def test_a_file_that_is_no_image_fails_its_unit(owner, dataset, ignore, status):
    keys = [_put(owner, picture()), _put(owner, b"no image"), "encord-emulator-image/never-uploaded"]
    entries = [{"objectUrl": key, "title": key[-4:]} for key in keys]
    job = _poll(owner, dataset, _start(owner, dataset, ignore=ignore, images=entries))
    assert _counts(job) == (status, 0, 1 if ignore else 0, 2)
    assert job["units_cancelled_count"] == (0 if ignore else 1)  # without ignoreErrors it is all or nothing
    assert len(job["data_hashes_with_titles"]) == (1 if ignore else 0)
    assert "not an image" in job["errors"][0]
    assert [one["object_urls"] for one in job["data_unit_errors"]] == [[key] for key in keys[1:]]


def test_duplicates_are_skipped_when_asked_and_only_then(owner, dataset):
    entry = {"objectUrl": _put(owner, picture()), "title": "a"}
    for skip, expected in ((True, 1), (True, 1), (False, 2)):
        job = _poll(owner, dataset, _start(owner, dataset, images=[entry], skipDuplicateUrls=skip))
        assert _counts(job) == ("DONE", 0, 1, 0)
        assert len(_rows(owner, dataset)) == expected


def test_a_held_job_stays_pending_and_a_poll_returns_when_it_is_over(encord_emulator, owner, dataset):
    encord_emulator.jobs(hold=True)
    job = _start(owner, dataset, images=[{"objectUrl": _put(owner, picture()), "title": "a"}])
    started = time.monotonic()
    assert _counts(_poll(owner, dataset, job, 0)) == ("PENDING", 1, 0, 0)
    assert _counts(_poll(owner, dataset, job, 1)) == ("PENDING", 1, 0, 0)
    assert time.monotonic() - started >= 1
    encord_emulator.jobs(hold=False)
    assert _poll(owner, dataset, job, 60)["status"] == "DONE"
    assert time.monotonic() - started < WITHIN_SECONDS


def test_jobs_run_at_the_pace_that_is_set_while_others_are_served(encord_emulator, owner, dataset):
    key = _put(owner, picture())
    encord_emulator.jobs(units_per_second=10)
    started = time.monotonic()
    job = _start(owner, dataset, images=[{"objectUrl": key, "title": "a"}] * 5)
    assert owner.rest("GET", "projects").status == 200
    assert time.monotonic() - started < 0.4
    assert _poll(owner, dataset, job)["status"] == "DONE"
    assert time.monotonic() - started >= 0.5


def test_a_fast_pace_is_kept(encord_emulator, owner, dataset):
    key = _put(owner, picture())
    encord_emulator.jobs(units_per_second=500)
    started = time.monotonic()
    job = _start(owner, dataset, images=[{"objectUrl": key, "title": "a"}] * 100)
    assert _poll(owner, dataset, job)["status"] == "DONE"
    assert 0.2 <= time.monotonic() - started < 2


def test_the_same_seed_fails_the_same_units(encord_emulator, owner, dataset):
    key = _put(owner, picture())
    failed = []
    for _ in range(2):
        encord_emulator.jobs(fail_units=0.5, seed=4)
        entries = [{"objectUrl": key, "title": str(number)} for number in range(40)]
        job = _poll(owner, dataset, _start(owner, dataset, ignore=True, images=entries))
        failed.append(job["units_error_count"])
        titles = [one["title"] for one in job["data_hashes_with_titles"]]
        failed.append(titles)
    assert failed[:2] == failed[2:]
    assert 5 < failed[0] < 35


def test_the_way_of_api_keys_leads_to_the_same_rows(owner, dataset):
    made = owner.get(
        "datasetapikey",
        "POST",
        None,
        {"dataset_hash": dataset, "title": "k", "scopes": ["dataset.read", "dataset.write"]},
    )
    holder = KeyHolder(owner.url, dataset, made["api_key"])
    (place,) = holder.ask("signedimagesurl", "GET", ["cat.png"]).json["response"]
    assert place["title"] == "cat.png"
    send(owner.url, "PUT", place["signed_url"].removeprefix(owner.url), None, picture())
    payload = {"dataItems": {"images": [{"objectUrl": place["file_link"], "title": "cat.png"}]}, "ignoreErrors": False}
    job = holder.ask("datasetdatalongpolling", "POST", dataset, payload).json["response"]["process_hash"]
    poll = {"process_hash": job, "timeout_seconds": 10}
    assert holder.ask("datasetdatalongpolling", "GET", dataset, poll).json["response"]["status"] == "DONE"
    old = holder.ask("signedimagesurl", "GET", ["old.png"]).json["response"][0]
    send(owner.url, "PUT", old["signed_url"].removeprefix(owner.url), None, picture())
    assert holder.ask("singleimage", "POST", None, old).json["response"] == {"success": True}
    rows = holder.ask("datarows", "GET", None, {"title_like": "%.png"}).json["response"]
    assert [(row["data_title"], row["data_type"]) for row in rows] == [("cat.png", "IMAGE"), ("old.png", "IMAGE")]
    assert rows[1]["data_hash"] == old["data_hash"]


def test_a_folder_stands_for_a_bucket_and_nothing_outside_it(encord_emulator, owner, dataset, tmp_path: Path):
    (tmp_path / "bucket").mkdir()
    (tmp_path / "bucket" / "cat.png").write_bytes(picture(30, 20))
    (tmp_path / "secret.png").write_bytes(picture())
    integration = encord_emulator.bucket("my s3", "s3://cats/2026", tmp_path / "bucket")
    assert owner.rest("GET", "cloud-integrations").json == {
        "result": [{"integrationUuid": integration, "title": "my s3"}]
    }
    urls = ["s3://cats/2026/cat.png", "s3://cats/2026/../secret.png", "s3://dogs/cat.png"]
    files = {"images": [{"objectUrl": url, "clientMetadata": {"a": 1}} for url in urls], "skip_duplicate_urls": True}
    payload = {"files": files, "integrationId": integration, "ignoreErrors": True}
    job = owner.get("datasetdatalongpolling", "POST", dataset, payload, dataset=dataset)["process_hash"]
    assert _counts(_poll(owner, dataset, job)) == ("DONE", 0, 1, 2)
    (row,) = _rows(owner, dataset)
    assert (row["data_title"], row["width"], row["file_link"]) == ("cat.png", 30, urls[0])


def test_removed_data_is_gone_from_projects_too_and_foreign_hashes_are_ignored(encord_emulator, owner):
    made = encord_emulator.project(owner=owner.email, title="x", rows=3, created=1.0)
    other = encord_emulator.project(owner=owner.email, title="y", rows=1)
    gone = [made["data_hashes"][0], other["data_hashes"][0]]
    assert owner.get("video", "DELETE", gone, None, dataset=made["dataset_id"]) is True
    assert len(_rows(owner, made["dataset_id"])) == 2
    assert len(encord_emulator.labels(made["project_id"])) == 2
    assert len(_rows(owner, other["dataset_id"])) == 1


@pytest.mark.parametrize("header", ["Authorization", "Signature", "ResourceID"])
def test_the_object_store_refuses_credentials(owner, header):
    place = owner.rest("GET", "presigned-urls?count=1&uploadItemType=image").json["results"][0]
    target = place["signedUrl"].removeprefix(owner.url)
    refused = send(owner.url, "PUT", target, {header: "anything"}, b"x")
    assert refused.status == 400
    assert header.lower().encode() in refused.content


def test_a_signed_url_holds_for_its_object_method_and_hour_only(encord_emulator: Emulator, owner: Person):
    results = owner.rest("GET", "presigned-urls?count=2&uploadItemType=image").json["results"]
    first, second = (urllib.parse.urlsplit(result["signedUrl"]) for result in results)
    target = f"{first.path}?{first.query}"
    later = first.query.replace("expires=1", "expires=2")
    for wrong in (first.path, f"{second.path}?{first.query}", f"{first.path}?{later}", target + "0", target + "&a=b"):
        assert send(owner.url, "PUT", wrong, None, b"x").status == 403, wrong
    assert send(owner.url, "GET", target).status == 403
    assert send(owner.url, "PUT", target, None, b"x").status == 200
    encord_emulator.clock(advance_s=3601)
    assert send(owner.url, "PUT", target, None, b"x").status == 403


def test_a_seeded_image_can_be_fetched_in_its_size(encord_emulator, owner):
    made = encord_emulator.project(owner=owner.email, title="x", rows=1)
    uid = {"data_hash": made["data_hashes"][0], "get_signed_url": True}
    links = owner.get("datasetdata", "GET", uid, None, project=made["project_id"])
    content = send(owner.url, "GET", links["images"][0]["file_link"].removeprefix(owner.url)).content
    (row,) = _rows(owner, made["dataset_id"])
    assert Image.open(io.BytesIO(content)).size == (row["width"], row["height"])


@pytest.mark.parametrize(
    ("stated", "title", "expected"),
    [
        ("text/html; charset=utf-8", "a.txt", "text/html"),
        ("application/octet-stream", "h.html", "text/html"),
        (None, "h.html", "text/html"),
        (None, "table.CSV", "text/csv"),
        (None, "noted", "text/plain"),
        ("nonsense", "noted", "text/plain"),
    ],
)
def test_a_text_has_the_stated_type_else_the_one_of_its_title(owner: Person, dataset: str, stated, title, expected):
    """Fault 9.2."""
    place = owner.rest("GET", "presigned-urls?count=1&uploadItemType=image").json["results"][0]
    headers = {} if stated is None else {"Content-Type": stated}
    assert send(owner.url, "PUT", place["signedUrl"].removeprefix(owner.url), headers, b"<p>kerb</p>").status == 200
    job = _start(owner, dataset, text=[{"objectUrl": place["objectKey"], "title": title}])
    assert _poll(owner, dataset, job)["status"] == "DONE"
    (row,) = _rows(owner, dataset)
    assert row["file_type"] == expected
