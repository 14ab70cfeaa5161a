"""What the user knows of files: by name or pattern, complete, and of the right types."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.client.api.core.data_items import AUDIO, NIFTI, PDF, TEXT, VIDEO, Kind
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.item_metadata.media_metadata import add_media_metadata
from tests.uploads.files import a_file

SIZE = {"width": 4, "height": 3}


def details(what: Any, *titles: str, kind: Kind | None = None) -> list[Any]:
    files = [a_file(title, **({"kind": kind} if kind else {})) for title in titles]
    return [file.details for file in add_media_metadata(files, what, Path)]


def test_a_uri_comes_before_a_title_and_a_title_before_a_pattern() -> None:
    table = {
        "*.png": {**SIZE, "width": 1},
        "a.png": {**SIZE, "width": 2},
        "s3://in/a.png": {**SIZE, "width": 3},
        "b.png": {**SIZE, "width": 4},
        "s3://in/*": {**SIZE, "width": 5},
    }
    found = details(table, "a.png", "b.png", "c.png", "d.jpg")
    assert [known["width"] for known in found] == [3, 4, 1, 5]


def test_size_and_type_are_added_and_files_that_are_not_named_stay_without() -> None:
    known, unknown = details({"a.png": SIZE}, "a.png", "b.png")
    assert known == {"mimeType": "image/x", "fileSize": 10, "width": 4, "height": 3}
    assert unknown is None
    assert details(None, "a.png") == [None]
    assert details({"a.png": {**SIZE, "fileSize": 7, "mimeType": "image/y"}}, "a.png") == [
        {"mimeType": "image/y", "fileSize": 7, "width": 4, "height": 3}
    ]


def test_a_csv_gives_numbers(tmp_path: Path) -> None:
    table = tmp_path / "videos.csv"
    table.write_text("title,fps,duration,width,height\na.mp4,29.97,2,640,480\n")
    assert details(str(table), "a.mp4", kind=VIDEO) == [
        {"fps": 29.97, "duration": 2.0, "width": 640, "height": 480, "fileSize": 10, "mimeType": "video/x"}
    ]


@pytest.mark.parametrize(
    ("kind", "given", "message"),
    [
        (VIDEO, {"fps": 25}, "duration, width, height is missing. Encord needs fps, duration"),
        (VIDEO, {"fps": 25, "length": 2}, "'length' is not known. Use fps"),
        (AUDIO, {**dict.fromkeys(["duration", "sampleRate", "bitDepth", "numChannels"], 1)}, "codec is missing"),
        (PDF, {"numPages": 1.5}, "numPages: '1.5' is not a whole number"),
        (PDF, {"numPages": True}, "numPages: 'True' is not a whole number"),
        (PDF, {"numPages": -1}, "numPages: '-1' is not a whole number"),
        (PDF, {"numPages": "nan"}, "numPages: 'nan' is not a whole number"),
        (TEXT, {"mimeType": 3}, "mimeType: '3' is not text"),
        (NIFTI, {"width": 4}, "Encord takes none for files of kind nifti"),
    ],
)
def test_what_encord_would_not_take_is_refused_by_file_and_property(
    kind: Kind, given: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidArgumentError, match=f"^media_metadata of 'a.x': .*{message}"):
        details({"a.x": given}, "a.x", kind=kind)


def test_a_table_about_no_file_is_refused_and_names_without_a_file_are_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(InvalidArgumentError, match="none of its 1 names"):
        details({"z.png": SIZE}, "a.png")
    with caplog.at_level(logging.WARNING):
        details({"z.png": SIZE, "*.png": SIZE}, "a.png")
    assert "media_metadata: 1 of its 2 names match no file of source, such as 'z.png'." in caplog.text
