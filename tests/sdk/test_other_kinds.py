"""Faults 9.1 to 9.4: the newest SDK reads label rows of audio, text, HTML and DICOM, and metadata in every form."""

from pathlib import Path
from typing import Any

import pytest

from tests.sdk import media
from tests.sdk.conftest import Account
from tests.sdk.data.test_storage import _sound
from tests.sdk.environments import SSH_SDK

pytestmark = pytest.mark.sdk


@pytest.fixture(scope="module")
def read(owner: Account, tmp_path_factory: pytest.TempPathFactory) -> Any:
    files: Path = tmp_path_factory.mktemp("files")
    _sound(files / "horn.wav")
    (files / "h.html").write_text("<p>kerb</p>")
    (files / "notes.txt").write_text("mind the kerb")
    for number in range(2):
        (files / f"{number}.dcm").write_bytes(media.dicom(f"1.2.3.{number}"))
    return owner.run(SSH_SDK, "read_other_kinds", files=files)


@pytest.mark.parametrize("when", ["first", "saved"])
def test_the_label_row_of_a_sound_says_how_it_was_recorded(read: Any, when: str) -> None:
    assert read[when]["horn.wav"]["audio"] == ["pcm_s16le", 8000, 16, 1]


def test_a_text_keeps_the_type_that_its_upload_or_its_title_states(read: Any) -> None:
    assert read["types"] == {
        "sound": "audio/wav",
        "page": "text/html",
        "titled": "text/html",
        "text": "text/plain",
    }
    assert read["first"]["h.html"]["file_type"] == "text/html"


@pytest.mark.parametrize("when", ["first", "saved"])
def test_the_label_row_of_a_series_knows_patient_study_and_frames(read: Any, when: str) -> None:
    row = read[when]["CT"]
    assert row["metadata"] == {"patientId": "P1", "studyUid": "1.2", "seriesUid": "1.2.4"}
    assert [frame["dicomInstanceUid"] for frame in row["frames"]] == ["1.2.3.0", "1.2.3.1"]
    assert {(frame["width"], frame["height"], frame.get("multiframeFrameNumber")) for frame in row["frames"]} == {
        (48, 64, None)
    }


@pytest.mark.parametrize(
    ("how", "text", "sound"), [("inline", {"k": 1}, {}), ("by url", {"k": 1}, {}), ("without", {}, {})]
)
def test_an_item_without_metadata_has_an_empty_object(read: Any, how: str, text: Any, sound: Any) -> None:
    assert read["listed"][how]["notes.txt"] == text
    assert read["listed"][how]["horn.wav"] == sound


def test_what_is_not_emulated_says_so_to_the_user_of_the_sdk(read: Any) -> None:
    assert "does not serve" in read["unserved"]
