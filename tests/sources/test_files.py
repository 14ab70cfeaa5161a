"""From what a user writes to the files that are meant."""

from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath

from airflow_provider_encord.client.api.core.data_items import AUDIO, DICOM, IMAGE, NIFTI, PDF, TEXT, VIDEO
from airflow_provider_encord.client.errors import EncordError, InvalidArgumentError, UnavailableError
from airflow_provider_encord.prelabels.sources import prelabels_of
from airflow_provider_encord.sources.files import find_files
from airflow_provider_encord.sources.kinds import kind_of, media_type
from airflow_provider_encord.uploads.report_writer import is_of_report


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in (
        "b.png",
        "a.jpg",
        "drive.mp4",
        "notes.txt",
        ".hidden.png",
        "deep/c.png",
        "deep/er/a.jpg",
        "odd[1]/d.png",
    ):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())
    return tmp_path


def no_uri(uri: str) -> Any:
    raise AssertionError(f"{uri} is not a URI")


def found(source: Any, folder: Path) -> list[str]:
    """The files that are meant, relative to the folder."""
    return [file.uri.removeprefix(f"file://{folder}/") for file in find_files(source, no_uri)]


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("b.png", ["b.png"]),
        ("*.jpg", ["a.jpg"]),
        ("[ab].*", ["a.jpg", "b.png"]),
        ("?.png", ["b.png"]),
        ("**/*.jpg", ["a.jpg", "deep/er/a.jpg"]),
        ("deep/**", ["deep/c.png", "deep/er/a.jpg"]),
        ("deep", ["deep/c.png", "deep/er/a.jpg"]),
        ("odd[1]", ["odd[1]/d.png"]),
        ("odd[1]/d.png", ["odd[1]/d.png"]),
        ("", ["a.jpg", "b.png", "deep/c.png", "deep/er/a.jpg", "drive.mp4", "odd[1]/d.png"]),
    ],
)
def test_a_path_a_pattern_or_a_directory_means_these_files_in_this_order(
    folder: Path, pattern: str, expected: list[str]
) -> None:
    assert found(str(folder / pattern), folder) == expected
    assert found(folder / pattern, folder) == expected


def test_several_sources_keep_their_order_and_a_file_counts_once(folder: Path) -> None:
    assert found([folder / "b.png", folder / "*.*g", str(folder / "deep")], folder)[:3] == [
        "b.png",
        ".hidden.png",
        "a.jpg",
    ]
    assert found([folder / "b.png", folder / "b.png"], folder) == ["b.png"]


def test_two_files_of_one_name_are_two_files(folder: Path) -> None:
    assert [file.title for file in find_files([folder / "a.jpg", folder / "deep/er/a.jpg"], no_uri)] == [
        "a.jpg",
        "a.jpg",
    ]


def test_what_is_known_of_a_file_is_its_name_size_and_kind(folder: Path) -> None:
    image, video = find_files([folder / "a.jpg", folder / "drive.mp4"], no_uri)
    assert (image.title, image.size, image.kind, image.media_type) == ("a.jpg", 5, IMAGE, "image/jpeg")
    assert (video.title, video.size, video.kind) == ("drive.mp4", 9, VIDEO)


@pytest.mark.parametrize(
    "name", ["with blank.png", "ünï çødé 猫.png", "100%.png", "50%20.png", "a#b?c.png", "x" * 251 + ".png"]
)
def test_odd_names_are_titles_as_they_are(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(b"1")
    (file,) = find_files(str(tmp_path / name), no_uri)
    assert (file.title, file.uri) == (name, f"file://{tmp_path}/{name}")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("gone.png", "the file or directory .*gone.png does not exist"),
        ("*.tiff", "no file matches .*tiff"),
        ("table.csv", "table.csv has no suffix of a known kind"),
        ("*", "table.csv has no suffix of a known kind"),
        ("empty", "no file in the directory .*empty has a suffix"),
    ],
)
def test_what_cannot_be_uploaded_is_an_error_that_names_argument_and_file(
    folder: Path, source: str, message: str
) -> None:
    (folder / "empty").mkdir()
    (folder / "table.csv").touch()
    with pytest.raises(InvalidArgumentError, match=f"source: .*{message}"):
        find_files(str(folder / source), no_uri)


@pytest.mark.parametrize("source", [[], "", "  ", None, 7, [None]])
def test_no_source_at_all_is_an_error(source: Any) -> None:
    with pytest.raises(InvalidArgumentError, match="source: "):
        find_files(source, no_uri)


class Listed:
    """A path whose name no disk would take."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __str__(self) -> str:
        return f"s3://bucket/{self.name}"

    def is_dir(self) -> bool:
        return False

    def exists(self) -> bool:
        return True

    def stat(self) -> Any:
        return type("Stat", (), {"st_size": 3})


def test_a_name_of_300_characters_is_taken_and_one_of_301_is_refused() -> None:
    name = "x" * 296 + ".png"
    assert find_files("s3://bucket/long", lambda uri: Listed(name))[0].title == name
    with pytest.raises(InvalidArgumentError, match=r"has 301 characters, but Encord accepts at most 300"):
        find_files("s3://bucket/long", lambda uri: Listed("x" + name))


def test_a_uri_is_opened_by_the_function_given_and_kept_as_it_is() -> None:
    (file,) = find_files("s3://bucket/a b%20.png", lambda uri: Listed(uri.removeprefix("s3://bucket/")))
    assert (file.uri, file.title, file.size) == ("s3://bucket/a b%20.png", "a b%20.png", 3)


class Failing(Listed):
    """A path of a store that fails whatever is asked of it."""

    def __init__(self, error: Exception) -> None:
        super().__init__("x.png")
        self._error = error

    def is_dir(self) -> bool:
        raise self._error


@pytest.mark.parametrize(
    ("error", "class_", "message"),
    [
        (PermissionError(13, "Permission denied"), InvalidArgumentError, "cannot be used: Permission denied"),
        (
            ImportError("no s3fs", name="s3fs"),
            InvalidArgumentError,
            "module s3fs is not installed. Install the Airflow",
        ),
        (OSError(5, "Input/output error"), UnavailableError, "cannot be used now: Input/output error"),
        (RuntimeError("https://signed.example?signature=1"), UnavailableError, "cannot be used now: RuntimeError"),
    ],
)
def test_what_a_store_raises_becomes_an_error_that_names_argument_and_uri(
    error: Exception, class_: type[EncordError], message: str
) -> None:
    with pytest.raises(class_, match=rf"source: s3://bucket/x\.png .*{message}") as caught:
        find_files("s3://bucket/x.png", lambda uri: Failing(error))
    assert "signature" not in str(caught.value)


def test_a_directory_that_links_to_itself_is_read_once(folder: Path) -> None:
    (folder / "deep/loop").symlink_to(folder / "deep")
    assert found(folder / "deep", folder) == ["deep/c.png", "deep/er/a.jpg"]


@pytest.mark.parametrize(
    ("name", "type_", "kind"),
    [
        ("a.PNG", "image/png", IMAGE),
        ("a.jpg", "image/jpeg", IMAGE),
        ("a.webp", "image/webp", IMAGE),
        ("a.tif", "image/tiff", IMAGE),
        ("a.mp4", "video/mp4", VIDEO),
        ("a.mkv", "video/x-matroska", VIDEO),
        ("a.mov", "video/quicktime", VIDEO),
        ("a.txt", "text/plain", TEXT),
        ("a.dcm", "application/dicom", DICOM),
        ("brain.nii.gz", "application/nifti", NIFTI),
        ("a.flac", "audio/flac", AUDIO),
        ("a.PDF", "application/pdf", PDF),
        ("a.csv", "text/csv", None),
        ("a.json", "application/json", None),
        ("a.png.gz", None, None),
        ("png", None, None),
        (".png", None, None),
    ],
)
def test_the_suffix_shows_the_kind(name: str, type_: str | None, kind: Any) -> None:
    assert kind_of(name) == kind
    if type_ is not None:
        assert media_type(name) == type_


def test_a_file_is_found_once_however_its_path_is_written(tmp_path: Path) -> None:
    folder, link = tmp_path / "in", tmp_path / "link"
    folder.mkdir()
    link.symlink_to(folder)
    (folder / "a.png").write_bytes(b"1")
    spellings = [
        f"{folder}/a.png",
        f"{folder}/../in/a.png",
        f"{folder}//a.png",
        f"{link}/a.png",
        f"file://{folder}/a.png",
        f"local://{folder}/a.png",
        f"file://{folder}/../in/a.png",
    ]
    for first in spellings:
        files = find_files([first, *spellings], ObjectStoragePath)
        assert [file.title for file in files] == ["a.png"]
        if first != f"{link}/a.png":
            assert files[0].uri == f"file://{folder}/a.png"


def test_a_link_to_a_file_is_a_file_of_its_own_name(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"1")
    (tmp_path / "b.png").symlink_to(tmp_path / "a.png")
    assert [file.title for file in find_files(tmp_path, no_uri)] == ["a.png", "b.png"]


def test_two_files_whose_names_differ_in_their_composition_only_are_two(tmp_path: Path) -> None:
    for number, name in enumerate(("\u00e9.png", "e\u0301.png")):
        (tmp_path / name).write_bytes(bytes(number))
    assert len(find_files(tmp_path, no_uri)) == 2


@pytest.mark.parametrize(
    "name", ["r.jsonl", "r.jsonl.known", "r.jsonl.parts/part-000000.jsonl", "r.jsonl.0a1b2c3d.unfinished"]
)
def test_files_of_the_report_are_no_data(tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    for one in ("a.txt", "r.jsonl.txt", name):
        (tmp_path / one).write_text("x")
    for report in (tmp_path / "r.jsonl", ObjectStoragePath(f"file://{tmp_path}/r.jsonl")):
        files = find_files(tmp_path, no_uri, kind=TEXT, leave_out=is_of_report(report))
        assert [file.title for file in files] == ["a.txt", "r.jsonl.txt"]


@pytest.mark.parametrize("name", ["listing-0123abcd.jsonl.gz", "removed-0123abcd.jsonl.gz"])
def test_lists_of_rows_of_an_export_without_its_manifest_are_not_read_as_labels(tmp_path: Path, name: str) -> None:
    (tmp_path / "labels.jsonl").write_text('{"data_hash": "1"}\n')
    (tmp_path / name).write_bytes(b"")
    with pytest.raises(InvalidArgumentError, match=rf"^source: .* has {name} of an export but no manifest"):
        list(prelabels_of(tmp_path))
