"""Units into datasets, waiting for their jobs, and data rows afterwards."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.client.api import uploads
from airflow_provider_encord.client.api.core.data_items import DICOM, IMAGE, KINDS, PDF, VIDEO, UploadedFile, data_items
from airflow_provider_encord.client.api.uploads import UploadJob
from airflow_provider_encord.client.call import Call, Now, Pause, Step, run
from airflow_provider_encord.client.errors import InvalidArgumentError, PayloadTooLargeError, TransientError
from airflow_provider_encord.client.flows.datasets import MOST_ITEMS, remove_data_rows
from airflow_provider_encord.client.flows.jobs import FORGIVEN, follow_job
from airflow_provider_encord.client.flows.uploads import MOST_BYTES, LocalFile, StoredObject, unit_of
from tests.client.emulated import World, picture, world

__all__ = ["world"]

DATASET = "bbbbbbbb-0000-4000-8000-000000000001"


class Encord:
    """Answers polls from a list, on a clock of its own; the last answer stays."""

    def __init__(self, *answers: str | Exception):
        self.answers, self.now, self.holds = list(answers), 1000.0, list[float]()

    def perform(self, step: Step) -> Any:
        if isinstance(step, Now):
            return self.now
        if isinstance(step, Pause):
            self.now += step.seconds
            return None
        assert isinstance(step, Call)
        self.holds.append(step.hold_seconds)
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        self.now += step.hold_seconds if answer == "PENDING" else 0
        return UploadJob(status=answer)

    def follow(self, timeout: float) -> UploadJob:
        return run(
            follow_job(lambda hold: uploads.poll_upload(DATASET, "job", timeout_seconds=hold), timeout=timeout),
            self.perform,
        )


def test_a_job_is_followed_to_its_end_in_polls_of_a_minute_at_most():
    encord = Encord("PENDING", "PENDING", "DONE")
    assert encord.follow(3600).status == "DONE"
    assert encord.holds == [60, 60, 60]


def test_waiting_stops_at_the_deadline_with_the_last_state():
    encord = Encord("PENDING")
    assert not encord.follow(150).ended
    assert encord.holds[:3] == [60, 60, 30]
    assert encord.now == pytest.approx(1150, abs=1)


def test_lost_answers_are_forgiven_until_too_many_come_in_a_row():
    lost = [TransientError("lost")] * FORGIVEN
    assert Encord(*lost, "PENDING", *lost, "DONE").follow(10_000).status == "DONE"
    with pytest.raises(TransientError):
        Encord(*lost, TransientError("lost"), "DONE").follow(10_000)


def test_only_images_and_dicom_files_form_a_unit_and_a_file_can_be_opened():
    video = LocalFile(title="a", kind=VIDEO, size=1, open=lambda: io.BytesIO(b"a"))
    for kind in (VIDEO, IMAGE, DICOM):
        with pytest.raises(InvalidArgumentError, match=r"parts: .*do not form a unit"):
            LocalFile(kind=kind, parts=[video, video], title="a")
    image = LocalFile(title="a", kind=IMAGE, size=1, open=lambda: io.BytesIO(b"a"))
    group = LocalFile(title="g", kind=IMAGE, parts=[image])
    with pytest.raises(InvalidArgumentError, match=r"parts: .*do not form a unit"):
        LocalFile(kind=IMAGE, parts=[group, image], title="a group in a group")
    with pytest.raises(InvalidArgumentError, match="open: "):
        LocalFile(kind=IMAGE, title="a")


def test_known_properties_of_files_reach_the_job_from_single_files_and_from_parts():
    stored = StoredObject(key="k", placeholder=None)
    image = LocalFile(title="a", kind=IMAGE, size=1, open=lambda: io.BytesIO(b"a"), details={"width": 4, "height": 2})
    alone = data_items([unit_of(image, [stored])])["images"][0]
    assert alone["imageMetadata"] == {"width": 4, "height": 2}
    group = data_items([unit_of(LocalFile(title="g", kind=IMAGE, parts=[image]), [stored])])["imageGroups"][0]
    assert "imageMetadata" in str(group)


def test_a_file_that_is_empty_or_too_large_is_not_sent_and_the_others_are(world: World):
    content = picture()
    fit = LocalFile(title="fit.png", kind=IMAGE, size=len(content), open=_opener(content))
    empty = LocalFile(title="empty.png", kind=IMAGE, open=_opener(b""))
    large = LocalFile(title="large.png", kind=IMAGE, size=MOST_BYTES + 1, open=_opener(content))
    gone = LocalFile(title="gone.png", kind=IMAGE, size=4, open=Path("/nowhere/gone.png").open)
    group = LocalFile(title="group", kind=IMAGE, parts=[fit, empty])
    uploaded = world.user.dataset(world.dataset).upload([empty, fit, large, gone, group], timeout=60)
    assert [one.title for one in uploaded.state.data_hashes_with_titles] == ["fit.png"]
    reasons = [(title, str(error)) for title, error in uploaded.not_sent]
    assert [title for title, _ in reasons] == ["empty.png", "large.png", "group", "gone.png"]
    assert "empty.png is empty (0 bytes)" in reasons[0][1]
    assert "at most 5 GiB" in reasons[1][1]
    assert "empty.png is empty (0 bytes)" in reasons[2][1]
    assert "gone.png cannot be uploaded" in reasons[3][1]


def test_a_dicom_file_alone_is_refused_before_anything_is_sent(world: World):
    sent = len(world.emulator.journal())
    alone = LocalFile(title="a.dcm", kind=DICOM, size=1, open=lambda: io.BytesIO(b"a"))
    with pytest.raises(InvalidArgumentError, match=r"parts: 'a\.dcm'"):
        world.user.dataset(world.dataset).upload([alone], timeout=60)
    assert len(world.emulator.journal()) == sent


@pytest.mark.parametrize("kind", KINDS, ids=lambda one: one.list_name)
def test_each_kind_of_file_has_a_list_of_that_kind_or_is_refused(kind):
    file = UploadedFile(kind=kind, object_url="k", title="t")
    if kind.list_name in ("dicomSeries", "scenes"):
        with pytest.raises(ValueError, match="registered as"):
            data_items([file])
        return
    items = data_items([file])
    assert [name for name, entries in items.items() if entries] == [kind.list_name]
    assert items[kind.list_name][0]["externalFileType"] == kind.file_type


def test_a_kind_without_urls_for_datasets_is_refused_with_the_way_round():
    with pytest.raises(ValueError, match="storage folder"):
        uploads.signed_urls(1, PDF)


def test_what_is_too_much_is_halved_and_nothing_is_left_out():
    seen: list[str] = []

    def perform(step: Step) -> None:
        part = step.request.uid  # type: ignore[union-attr]
        if len(part) > 300:
            raise PayloadTooLargeError("too much")
        seen.extend(part)

    hashes = [str(number) for number in range(MOST_ITEMS + 5)]
    run(remove_data_rows(DATASET, hashes), perform)
    assert seen == hashes


def _opener(content: bytes) -> Callable[[], io.BytesIO]:
    return lambda: io.BytesIO(content)


@pytest.mark.parametrize("who", ["user", "dataset_key"])
def test_images_become_one_group_that_can_be_renamed_and_removed(world: World, who: str):
    dataset = getattr(world, who).dataset(world.dataset)
    content = picture()
    files = [LocalFile(title=f"{n}.png", kind=IMAGE, size=len(content), open=_opener(content)) for n in range(3)]
    unit = LocalFile(kind=IMAGE, parts=files, title=f"group of {who}")
    uploaded = dataset.upload([unit], timeout=60)
    assert (uploaded.not_sent, uploaded.state.status) == ([], "DONE")
    (made,) = uploaded.state.data_hashes_with_titles
    row = dataset.data_row(made.data_hash, images_data=True)
    assert (row.data_title, row.data_type, len(row.images_data)) == (unit.title, "IMG_GROUP", 3)

    dataset.rename_data_row(made.data_hash, "renamed")
    edited = dataset.edit_data_row(made.data_hash, client_metadata={"k": 1})
    assert (edited.updated_fields, edited.data_row.client_metadata) == (["client_metadata"], {"k": 1})
    assert dataset.data_row(made.data_hash).data_title == "renamed"

    dataset.remove_data_rows([made.data_hash, "12121212-0000-4000-8000-000000000009"])
    assert dataset.data_rows(data_hashes=[made.data_hash]) == []
