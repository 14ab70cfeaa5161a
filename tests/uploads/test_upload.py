"""The flow of an upload, step by step, with scripted answers: what is sent, in which order, what is waited for."""

import collections
from typing import Any

import pytest

from airflow_provider_encord.client.api.uploads import IMAGE, VIDEO, SignedUrl, UnitError, UploadJob
from airflow_provider_encord.client.call import API_KEY, SSH_KEY, run
from airflow_provider_encord.client.errors import (
    EncordError,
    InvalidArgumentError,
    OutcomeUnknownError,
    PayloadTooLargeError,
    PermissionDeniedError,
    RefusedError,
    UnavailableError,
)
from airflow_provider_encord.client.flows.upload_target import UploadTarget
from airflow_provider_encord.client.flows.uploads import MOST_BYTES
from airflow_provider_encord.reports import CREATED, FAILED, UNCHANGED
from airflow_provider_encord.sources.files import SourceFile
from airflow_provider_encord.uploads.upload import upload_files
from tests.uploads.files import a_file, a_row
from tests.uploads.scripted_encord import POLL, PUT, ROWS, START, URLS, ScriptedEncord

DATASET = "bbbbbbbb-0000-4000-8000-000000000001"
LOST = OutcomeUnknownError("the answer was lost")


def upload(encord: ScriptedEncord, files: list[SourceFile], *, credential: str = SSH_KEY, **options: Any) -> None:
    target = UploadTarget(dataset=DATASET, credential=credential, folder=options.pop("folder", None))
    run(upload_files(target, files, on_outcomes=encord.report, **options), encord.perform)


def results(encord: ScriptedEncord) -> dict[str, int]:
    return dict(collections.Counter(outcome.result for outcome in encord.outcomes))


def some(count: int, **kwargs: Any) -> list[SourceFile]:
    return [a_file(f"{number}.png", **kwargs) for number in range(count)]


def test_files_are_sent_registered_and_seen_through_in_this_order() -> None:
    encord = ScriptedEncord()
    upload(encord, some(2))
    assert encord.log == [ROWS, URLS, PUT, PUT, ROWS, START, POLL, ROWS]
    assert [(outcome.result, outcome.data_hash, outcome.backing_item_uuid) for outcome in encord.outcomes] == [
        (CREATED, "data of key-1", "item data of key-1"),
        (CREATED, "data of key-2", "item data of key-2"),
    ]


def test_nothing_is_sent_if_all_is_there() -> None:
    encord = ScriptedEncord(a_row("0.png"), a_row("1.png"))
    upload(encord, some(2))
    assert encord.log == [ROWS]
    assert results(encord) == {UNCHANGED: 2}
    assert encord.outcomes[0].data_hash == "hash of 0.png 10"


def test_while_one_job_runs_the_next_batch_is_sent() -> None:
    encord = ScriptedEncord()
    upload(encord, some(3), files_per_job=1)
    first, further = [ROWS, URLS, PUT, ROWS, START], [URLS, PUT, ROWS, START, POLL]
    assert encord.log == [*first, *further, *further, POLL, ROWS]
    assert results(encord) == {CREATED: 3}


def test_running_it_twice_uploads_nothing_twice_also_with_equal_names_and_sizes() -> None:
    encord = ScriptedEncord()
    files = [a_file(folder="one"), a_file(folder="two"), a_file("b.png")]
    upload(encord, files, files_per_job=2)
    upload(encord, files, files_per_job=2)
    assert results(encord) == {CREATED: 3, UNCHANGED: 3}
    assert len({outcome.data_hash for outcome in encord.outcomes}) == len(encord.rows) == 3


@pytest.mark.parametrize(
    ("kind", "media_type", "own", "sent"),
    [
        (IMAGE, "image/png", None, {"Content-Type": "image/png", "Cache-Control": "max-age=86400"}),
        (IMAGE, None, {}, {"Cache-Control": "max-age=86400"}),
        (VIDEO, "video/mp4", None, {"Content-Type": "application/octet-stream", "Cache-Control": "max-age=86400"}),
        (
            IMAGE,
            "image/png",
            {"x-ms-blob-type": "BlockBlob", "Cache-Control": "no-store"},
            {"Content-Type": "image/png", "Cache-Control": "no-store", "x-ms-blob-type": "BlockBlob"},
        ),
    ],
)
def test_a_file_goes_with_these_headers(kind: Any, media_type: Any, own: Any, sent: dict[str, str]) -> None:
    encord = ScriptedEncord()
    url = SignedUrl(object_key="key-1", signed_url="https://store.example/key-1", upload_headers=own)
    encord.instead[URLS].append([url])
    upload(encord, [SourceFile(path=None, uri="u", title="a", size=1, kind=kind, media_type=media_type)])
    assert encord.transfers[0].headers == sent


@pytest.mark.parametrize(
    ("credential", "kind", "requests"),
    [
        (SSH_KEY, IMAGE, [("v2", 3)]),
        (SSH_KEY, VIDEO, [("v2", 3)]),
        (API_KEY, IMAGE, [("v1", ["0.png", "1.png", "2.png"])]),
        (API_KEY, VIDEO, [("v1", "0.png"), ("v1", "1.png"), ("v1", "2.png")]),
    ],
)
def test_each_credential_has_its_way_to_ask_for_urls(credential: str, kind: Any, requests: list[Any]) -> None:
    encord = ScriptedEncord()
    asked: list[Any] = []

    def note(call: Any) -> None:
        request = call.request
        asked.append((request.api, request.query["count"] if request.api == "v2" else request.uid))
        if request.api == "v1":
            assert request.resource.id == DATASET

    encord.instead[URLS].extend([note] * len(requests))
    if kind == VIDEO and credential == API_KEY:
        encord.instead[URLS].clear()
        urls = [[SignedUrl(object_key=f"k{n}", signed_url=f"https://store.example/k{n}")] for n in range(3)]
        encord.instead[URLS].extend([lambda call, url=url: note(call) or url for url in urls])
    upload(encord, some(3, kind=kind), credential=credential)
    assert asked == requests
    assert results(encord) == {CREATED: 3}


def test_a_job_names_the_folder_ignores_errors_and_skips_nothing_at_first() -> None:
    encord = ScriptedEncord()
    payloads: list[Any] = []
    encord.instead[START].append(lambda call: payloads.append(call.request.payload))
    upload(encord, some(1), folder="f0f0f0f0-0000-4000-8000-000000000001")
    assert payloads[0]["folderUuid"] == "f0f0f0f0-0000-4000-8000-000000000001"
    assert payloads[0]["ignoreErrors"] is True
    assert payloads[0]["dataItems"]["skipDuplicateUrls"] is False


@pytest.mark.parametrize("size", [0, MOST_BYTES + 1])
def test_an_empty_file_and_one_too_large_are_failures_that_are_not_sent(size: int) -> None:
    encord = ScriptedEncord()
    upload(encord, [a_file("odd.png", size), a_file("good.png")])
    assert (encord.result_of("odd.png"), encord.result_of("good.png")) == (FAILED, CREATED)
    assert [transfer.title for transfer in encord.transfers] == ["good.png"]
    assert not encord.outcomes[0].retryable


def test_a_refused_url_is_replaced_once() -> None:
    encord = ScriptedEncord()
    encord.instead[PUT].append(RefusedError("403"))
    upload(encord, some(2))
    assert encord.log == [ROWS, URLS, PUT, PUT, URLS, PUT, ROWS, START, POLL, ROWS]
    assert results(encord) == {CREATED: 2}
    assert [entry["title"] for entry in encord.starts[0]["images"]] == ["0.png", "1.png"]


@pytest.mark.parametrize(
    ("error", "puts", "retryable"),
    [
        (RefusedError("403"), 2, True),
        (UnavailableError("503"), 1, True),
        (InvalidArgumentError("a.png is no longer there"), 1, False),
    ],
)
def test_a_file_that_cannot_be_sent_does_not_stop_the_others(error: EncordError, puts: int, retryable: bool) -> None:
    encord = ScriptedEncord()
    encord.instead[PUT].append(error)
    if puts == 2:
        encord.instead[PUT].extend([None, error])
    upload(encord, [a_file("bad.png"), a_file("good.png")])
    assert (encord.result_of("bad.png"), encord.result_of("good.png")) == (FAILED, CREATED)
    (bad,) = [outcome for outcome in encord.outcomes if outcome.result == FAILED]
    assert (bad.error, bad.retryable) == (str(error), retryable)


def test_a_unit_that_failed_is_known_by_its_object_although_another_has_its_name() -> None:
    encord = ScriptedEncord()
    files = [a_file(folder="one"), a_file(folder="two", size=11)]

    def judged(call: Any) -> UploadJob:
        job = encord.jobs["job-1"]
        error = UnitError(object_urls=["key-1"], error="not an image")
        made = [one for one in job.data_hashes_with_titles if one.data_hash != "data of key-1"]
        return UploadJob(status="DONE", data_hashes_with_titles=made, data_unit_errors=[error], units_error_count=1)

    encord.instead[POLL].append(judged)
    upload(encord, files)
    by_uri = {outcome.file.uri: outcome for outcome in encord.outcomes}
    assert by_uri["s3://one/a.png"].result == FAILED
    assert "not an image" in str(by_uri["s3://one/a.png"].error)
    assert not by_uri["s3://one/a.png"].retryable
    assert by_uri["s3://two/a.png"].data_hash == "data of key-2"


@pytest.mark.parametrize(("status", "retryable"), [("DONE", True), ("ERROR", True), ("CANCELLED", False)])
def test_a_file_of_which_the_job_says_nothing_is_looked_for_in_the_rows(status: str, retryable: bool) -> None:
    encord = ScriptedEncord()

    def silent(call: Any) -> UploadJob:
        encord.rows = encord.rows[:1]
        return UploadJob(status=status, errors=["out of order"])

    encord.instead[POLL].append(silent)
    upload(encord, some(2))
    assert (encord.result_of("0.png"), encord.result_of("1.png")) == (CREATED, FAILED)
    assert f"ended with status {status} without s3://in/1.png: out of order" in str(encord.outcomes[-1].error)
    assert encord.outcomes[-1].retryable is retryable


def test_a_lost_answer_of_a_job_that_started_registers_nothing_again() -> None:
    encord = ScriptedEncord()

    def start_and_cut(call: Any) -> EncordError:
        encord.start(call.request)
        return LOST

    encord.instead[START].append(start_and_cut)
    upload(encord, some(3), files_per_job=2)
    assert encord.log.count(START) == 2
    assert results(encord) == {CREATED: 3}
    assert len(encord.rows) == 3


def test_a_lost_answer_of_a_job_that_did_not_start_registers_the_same_objects_with_duplicates_skipped() -> None:
    encord = ScriptedEncord()
    encord.instead[START].append(LOST)
    upload(encord, some(2))
    assert [items["skipDuplicateUrls"] for items in encord.starts] == [True]
    assert [entry["objectUrl"] for entry in encord.starts[0]["images"]] == ["key-1", "key-2"]
    assert encord.log.count(PUT) == 2
    assert results(encord) == {CREATED: 2}


def test_a_job_that_comes_late_after_a_lost_answer_doubles_nothing() -> None:
    encord = ScriptedEncord()
    late: list[Any] = []
    encord.instead[START].append(lambda call: late.append(call.request) or LOST)
    encord.instead[START].append(lambda call: encord.start(late[0]) and None)  # the first comes just before the second
    upload(encord, some(2))
    assert results(encord) == {CREATED: 2}
    assert len(encord.rows) == 2


def test_rows_that_were_there_before_are_not_taken_for_those_of_a_lost_job() -> None:
    encord = ScriptedEncord(a_row("other.png"), a_row("0.png", 99, data_hash="before"))
    encord.instead[START].extend([LOST] * 9)
    upload(encord, [a_file("0.png")])
    assert results(encord) == {FAILED: 1}
    assert encord.outcomes[-1].retryable
    assert encord.log.count(START) == 3


def test_rows_of_one_batch_are_not_taken_for_those_of_a_lost_job_before_or_after_it() -> None:
    encord = ScriptedEncord()
    encord.instead[START].extend([None, LOST, LOST, LOST])
    upload(encord, [a_file(folder=name) for name in ("first", "lost", "last")], files_per_job=1)
    assert [(outcome.file.uri.split("/")[2], outcome.result) for outcome in encord.outcomes] == [
        ("first", CREATED),
        ("lost", FAILED),
        ("last", CREATED),
    ]
    assert len({one.data_hash for one in encord.outcomes}) == 3


def test_a_slow_job_whose_answer_was_lost_is_waited_for_as_long_as_rows_come() -> None:
    encord = ScriptedEncord()
    coming: list[Any] = []

    def start_and_cut(call: Any) -> EncordError:
        encord.start(call.request)
        coming.extend(encord.rows)
        encord.rows.clear()
        return LOST

    def one_more(call: Any) -> None:
        encord.rows.append(coming.pop(0))

    encord.instead[START].append(start_and_cut)
    encord.instead[ROWS].extend([None, None] + [one_more] * 8)
    upload(encord, some(8))
    assert encord.log.count(START) == 1
    assert results(encord) == {CREATED: 8}


def test_a_job_is_polled_with_long_holds_and_never_in_a_busy_loop() -> None:
    encord = ScriptedEncord()
    holds: list[int] = []

    def pending(call: Any) -> UploadJob:
        holds.append(call.request.payload["timeout_seconds"])
        return UploadJob(status="PENDING")

    encord.instead[POLL].extend([pending] * 1000)
    upload(encord, some(1), job_timeout=600)
    assert max(holds) == 60
    assert all(0 < seconds <= 5 for seconds in encord.pauses)
    assert len(holds) < 200
    assert encord.now == pytest.approx(600, abs=5)


def test_no_pause_follows_a_poll_that_was_held() -> None:
    encord = ScriptedEncord()

    def held(call: Any) -> UploadJob:
        encord.now += call.request.payload["timeout_seconds"]
        return UploadJob(status="PENDING")

    encord.instead[POLL].extend([held] * 3)
    upload(encord, some(1))
    assert encord.pauses == []
    assert results(encord) == {CREATED: 1}


def test_a_job_that_does_not_end_fails_permanently_as_a_retry_would_send_its_files_again() -> None:
    encord = ScriptedEncord()
    encord.instead[POLL].extend([UploadJob(status="PENDING")] * 1000)
    upload(encord, some(1), job_timeout=60)
    assert encord.outcomes[0].result == FAILED
    assert not encord.outcomes[0].retryable
    assert "job-1 has not ended in time (job_timeout is 60 s)" in str(encord.outcomes[0].error)


def test_failed_polls_are_forgiven_with_the_wait_that_is_asked_for() -> None:
    encord = ScriptedEncord()
    encord.instead[POLL].extend([UnavailableError("503", retry_after=90), UnavailableError("503")])
    upload(encord, some(1))
    assert encord.pauses == [90, 10]
    assert results(encord) == {CREATED: 1}


def test_a_job_that_is_too_large_is_halved_and_nothing_is_sent_again() -> None:
    encord = ScriptedEncord()
    encord.instead[START].append(PayloadTooLargeError("413"))
    upload(encord, some(5))
    assert [len(items["images"]) for items in encord.starts] == [2, 3]
    assert encord.log.count(PUT) == 5
    assert results(encord) == {CREATED: 5}


def test_what_one_batch_meets_does_not_stop_the_others() -> None:
    encord = ScriptedEncord()
    encord.instead[START].append(InvalidArgumentError("a title that it does not like"))
    upload(encord, some(3), files_per_job=1)
    assert results(encord) == {FAILED: 1, CREATED: 2}


def test_failures_that_are_not_in_a_row_do_not_end_the_upload() -> None:
    encord = ScriptedEncord()
    encord.instead[START].extend([UnavailableError("503"), None] * 4)
    upload(encord, some(8), files_per_job=1)
    assert results(encord) == {FAILED: 4, CREATED: 4}


@pytest.mark.parametrize(("error", "starts"), [(PermissionDeniedError("403"), 1), (UnavailableError("503"), 3)])
def test_what_all_would_meet_ends_the_upload_and_every_file_is_reported(error: EncordError, starts: int) -> None:
    encord = ScriptedEncord()
    encord.instead[START].extend([None] + [error] * 9)
    with pytest.raises(type(error)):
        upload(encord, some(9), files_per_job=1)
    assert encord.log.count(START) == 1 + starts
    assert results(encord) == {CREATED: 1, FAILED: 8}


@pytest.mark.parametrize("number", [0, 201])
def test_more_files_than_encord_gives_urls_for_are_refused_before_anything_is_sent(number: int) -> None:
    encord = ScriptedEncord()
    with pytest.raises(InvalidArgumentError, match=f"files_per_job: {number} is not between 1 and 200"):
        upload(encord, some(1), files_per_job=number)
    assert encord.log == []
