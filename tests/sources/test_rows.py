"""Whatever a manifest or metadata file holds, it is read, or refused with file and line."""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

import pytest
from airflow.providers.common.compat.sdk import ObjectStoragePath
from hypothesis import given, settings
from hypothesis import strategies as st

from airflow_provider_encord.client.api.core.data_items import DicomSeries, ImageGroup, Scene, UploadedFile
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.item_metadata.by_name import read_table
from airflow_provider_encord.registration.cloud import CloudObject, list_prefix, manifest_entries, read_manifest
from airflow_provider_encord.sources.files import find_files
from tests.object_stores import attach_memory

DEEP = "[" * 5000 + "]" * 5000
ROW = '{"url": "s3://b/a.png", "client_metadata": %s}\n'


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("m.csv", "url\ns3://b/ä.png\n".encode("utf-16"), "line 1: it is not UTF-8"),
        ("m.csv", "url\ns3://b/ä.png\n".encode("cp1252"), "line 2: it is not UTF-8"),
        ("m.csv", b"url,title\ns3://b/a.png," + b"x" * 140_000, "line 2: it is not CSV: field larger"),
        ("m.csv", b"url;title\ns3://b/a.png;x\n", "separated by semicolons. Use commas instead"),
        ("m.csv", b"url\ttitle\n", "separated by tabs"),
        ("m.csv", b"", "has no header"),
        ("m.csv", b"url,url\n", "two columns are named 'url'"),
        (
            "m.csv",
            b'url,client_metadata\ns3://b/a.png,"[1]"\n',
            "client_metadata: it must be a JSON object, but it is a list",
        ),
        ("m.csv", b'url,client_metadata\ns3://b/a.png,"{""a"": 1e999}"\n', "client_metadata: it is not JSON"),
        ("m.csv", b'url\n"s3://b/a.png\n', "it is not CSV"),
        ("m.jsonl", ROW % "null" + ROW % '{"a": NaN}', "line 2: it is not JSON"),
        ("m.jsonl", ROW % '{"a": 1e999}', "line 1: it is not JSON"),
        ("m.jsonl", ROW % DEEP, "line 1: it is nested too deeply"),
        ("m.jsonl", ROW % '{"a": "\\ud83d"}', "line 1: it is not JSON"),
        ("m.jsonl", '{"url": "s3://b/\\ud83d.png"}', "line 1: it is not JSON"),
        ("m.jsonl", b'{"url": "s3://b/\xff.png"}', "line 1: it is not UTF-8"),
        ("m.jsonl", '{"url": "s3://b/a.png", "title": 3}', "line 1: title: it is not text"),
        ("m.jsonl", "null\n", "line 1: it is not an object"),
        ("m.json", '{"images": 3}', "images: it is not a list"),
        ("m.json", '{"images": [null]}', "images, entry 1: it must be a JSON object, but it is null"),
        ("m.json", '{"images": [{"objectUrl": "s3://b/a.png", "fps": 3}]}', "entry 1: the key 'fps' is not known"),
        ("m.json", '{"images": [{"objectUrl": "s3://b/a.png", "clientMetadata": 3}]}', "clientMetadata: it must be"),
        ("m.json", '{"videos": [{"objectUrl": "s3://b/a.mp4", "videoMetadata": 3}]}', "videoMetadata: it must be"),
        ("m.json", '{"image_groups": [{"title": "g"}]}', "image_groups, entry 1: it contains no files"),
        ("m.json", '{"image_groups": [{"objectUrl_0": "a"}]}', "objectUrl_0: 'a' is not a URL"),
        pytest.param(
            "m.json",
            f'{{"image_groups": [{{"objectUrl_{"1" * 5000}": "s3://b/x"}}]}}',
            "contains no files",
            id="digits",
        ),
        ("m.csv", b"url,title,kind\ns3://b/a.png,a\n", "line 2: it has 2 fields, but the header has 3"),
        ("m.csv", b"url,,title\n", "column 2 has no name"),
        ("m.csv", b"url,metadata.\n", "line 1: the column 'metadata.' names no key"),
        (
            "m.csv",
            b'url,client_metadata,metadata.a\ns3://b/a.png,"{""a"": 1}",2\n',
            "line 2: client_metadata and the column 'metadata.a' give the same key",
        ),
        ("m.jsonl", '{"url": "s3://b/a.png", "url": "s3://b/b.png"}', "line 1: the key 'url' is given twice"),
        ("m.jsonl", ROW % '{"a": 1, "a": 2}', "line 1: the key 'a' is given twice"),
        ("m.csv", b'url,client_metadata\ns3://b/a.png,"{""a"": 1, ""a"": 2}"\n', "the key 'a' is given twice"),
        ("m.json", '{"images": [], "images": []}', "the key 'images' is given twice"),
        (
            "m.json",
            '{"image_groups": [{"images": [{"url": "s3://b/a.png", "objectUrl": "s3://b/b.png"}]}]}',
            "file 1: it has both url and objectUrl",
        ),
        ("m.jsonl", '{"url": "s3://b/a.png", "title": 0}', "line 1: title: it is not text"),
        ("m.jsonl", '{"url": "s3://b/a.png", "title": false}', "line 1: title: it is not text"),
        ("m.jsonl", '{"url": "s3://b/a.png", "group": {}}', "line 1: group: it is not text"),
        ("m.jsonl", '{"url": "s3://b/a.png", "kind": []}', "line 1: kind: it is not text"),
        ("m.json", '{"images": [{"objectUrl": "s3://b/a.png", "title": 0}]}', "entry 1, title: it is not text"),
        ("m.json", '{"image_groups": [{"title": false, "objectUrl_0": "s3://b/a.png"}]}', "title: it is not text"),
        ("m.json", '{"image_groups": [{"images": [{"url": "s3://b/a.png", "title": 0}]}]}', "title: it is not text"),
        ("m.json", '{"scenes": [{"title": 0, "scene": {}}]}', "title: it is not text"),
        ("m.json", DEEP, "nested too deeply"),
        ("m.json", "{", "it is not JSON"),
    ],
)
def test_a_manifest_that_cannot_be_read_is_refused_by_file_and_line(
    tmp_path: Path, name: str, content: str | bytes, message: str
) -> None:
    """Faults 4.4 and 4.5."""
    path = tmp_path / name
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InvalidArgumentError, match=r"^source: ") as raised:
        list(read_manifest(path))
    assert message in str(raised.value)
    assert str(path) in str(raised.value)


@pytest.mark.parametrize("suffix", ["json", "jsonl", "csv"])
@given(content=st.binary(max_size=60) | st.text().map(lambda text: text.encode("utf-8", "surrogatepass")))
@settings(max_examples=60)
def test_no_content_at_all_ends_in_a_raw_error(suffix: str, content: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"m.{suffix}"
        path.write_bytes(content)
        with contextlib.suppress(InvalidArgumentError):
            list(read_manifest(path))
        with contextlib.suppress(InvalidArgumentError):
            read_table(str(path), Path, "metadata")


def test_a_row_of_metadata_with_more_fields_than_the_header_is_refused(tmp_path: Path) -> None:
    """Fault 4.4."""
    path = tmp_path / "m.csv"
    path.write_text("title,site\na.png,x,y\n")
    with pytest.raises(InvalidArgumentError, match="line 2: it has 3 fields, but the header has 2"):
        read_table(str(path), Path, "client_metadata")


@pytest.mark.parametrize(
    "content", ['{"a.png": {"q": 1}, "a.png": {"q": 2}}', '{"a.png": {"q": 1, "q": 2}}'], ids=["name", "key"]
)
def test_metadata_in_json_with_a_key_given_twice_is_refused(tmp_path: Path, content: str) -> None:
    path = tmp_path / "m.json"
    path.write_text(content)
    with pytest.raises(InvalidArgumentError, match=r"metadata: .*the key .* is given twice"):
        read_table(str(path), Path, "metadata")


def test_a_row_of_metadata_that_was_cut_off_is_refused(tmp_path: Path) -> None:
    """With mode="replace" its item lost all metadata."""
    path = tmp_path / "m.csv"
    path.write_text("title,keep,b\na.png,x,5\nb.png")
    with pytest.raises(InvalidArgumentError, match=r"line 3: it has 1 fields, but the header has 3.*cut off"):
        read_table(str(path), Path, "metadata")


def test_an_empty_cell_is_left_out_of_metadata_and_of_manifests(tmp_path: Path) -> None:
    table, manifest = tmp_path / "t.csv", tmp_path / "m.csv"
    table.write_text("title,keep,b\na.png,,5\n")
    manifest.write_text("url,metadata.keep,metadata.b\ns3://b/a.png,,5\n   \n")
    assert read_table(str(table), Path, "metadata") == {"a.png": {"b": "5"}}
    (one,) = read_manifest(manifest)
    assert isinstance(one, CloudObject)
    assert one.client_metadata == {"b": "5"}


@pytest.mark.parametrize("name", ["skip_duplicate_urls", "skipDuplicateUrls", "upsert_metadata"])
def test_a_switch_in_an_upload_json_is_refused_unless_the_task_says_the_same(tmp_path: Path, name: str) -> None:
    path = tmp_path / "m.json"
    used = {"skip_duplicate_urls": True, "upsert_metadata": False}
    same = not name.startswith("upsert")
    path.write_text(json.dumps({name: same, "images": [{"objectUrl": "s3://b/a.png"}]}))
    assert len(list(manifest_entries(path, switches=used))) == 1
    for value in (not same, str(same), int(same)):
        path.write_text(json.dumps({name: value, "images": [{"objectUrl": "s3://b/a.png"}]}))
        with pytest.raises(
            InvalidArgumentError, match=r"(skip_duplicate_urls|upsert_metadata): the file has the value"
        ):
            list(manifest_entries(path, switches=used))


def test_upload_json_as_encord_shows_it_is_read_whole(tmp_path: Path) -> None:
    """Fault 4.5."""
    video = {"fps": 25, "duration": 2.0, "width": 4, "height": 4, "fileSize": 9, "mimeType": "video/mp4"}
    content: dict[str, Any] = {
        "videos": [{"objectUrl": "s3://b/v.mp4", "title": "v", "videoMetadata": video}],
        "images": [{"objectUrl": "s3://b/i.png", "imageMetadata": {"width": 1}, "clientMetadata": {"site": 1}}],
        "audio": [],
        "image_groups": [
            {"title": "g", "objectUrl_0": "s3://b/0.png", "objectUrl_1": "s3://b/1.png", "createVideo": True},
            {"title": "h", "images": [{"url": "s3://b/2.png", "imageMetadata": {"width": 2}}]},
        ],
        "dicom_series": [{"title": "d", "objectUrl_0": "s3://b/0.dcm"}],
        "scenes": [{"title": "s", "scene": {"sensors": []}}],
        "nifti": None,
        "skip_duplicate_urls": True,
    }
    path = tmp_path / "m.json"
    path.write_text(json.dumps(content))
    units = list(read_manifest(path))
    assert [type(unit) for unit in units] == [UploadedFile, UploadedFile, ImageGroup, ImageGroup, DicomSeries, Scene]
    assert [getattr(unit, "details", None) for unit in units[:2]] == [video, {"width": 1}]
    assert [part.url for part in units[2].parts] == ["s3://b/0.png", "s3://b/1.png"]
    assert (units[2].create_video, units[3].create_video, units[3].parts[0].details) == (True, False, {"width": 2})
    path.write_text('{"image_groups": [], "dicom_series": null, "images": [{"objectUrl": "s3://b/a.png"}]}')
    assert len(list(read_manifest(path))) == 1


@pytest.mark.parametrize(
    ("url", "title"),
    [
        ("s3://b/a#1.png", "a#1.png"),
        ("s3://b/what?.png", "what?.png"),
        ("gs://b/x/[1.png", "[1.png"),
        ("https://h/c/a.png?sig=x#y", "a.png"),
        ("s3://b/a%20b.png", "a b.png"),
    ],
)
def test_number_signs_and_question_marks_belong_to_the_keys_of_object_stores(
    tmp_path: Path, url: str, title: str
) -> None:
    """Fault 4.6."""
    path = tmp_path / "m.jsonl"
    path.write_text(json.dumps({"url": url}))
    (one,) = read_manifest(path)
    assert isinstance(one, CloudObject)
    assert (one.url, one.title) == (url, title)


def test_every_key_of_an_object_store_is_listed_also_with_empty_parts() -> None:
    """Fault 4.6."""
    attach_memory()
    root = ObjectStoragePath("memory://keys/in")
    keys = ["a.png", "x//b.png", "x/b.png", "y///c.png", "z#1.png", "w?.png"]
    for key in keys:
        with root.fs.open(f"/keys/in/{key}", "wb") as file:
            file.write(b"1")
    listed = list(list_prefix(root, "s3://bucket/in"))
    assert [one.url for one in listed] == sorted(f"s3://bucket/in/{key}" for key in keys)
    after = list_prefix(root, "s3://bucket/in", after="x//b.png")
    assert [one.key for one in after] == sorted(key for key in keys if key > "x//b.png")
    found = find_files(root, ObjectStoragePath)
    assert sorted(file.uri for file in found) == sorted(f"memory://keys/in/{key}" for key in keys)
    assert all(file.path.read_bytes() == b"1" for file in found)


def test_a_key_is_escaped_in_a_web_address_only(tmp_path: Path) -> None:
    (tmp_path / "a #1.png").write_bytes(b"1")
    assert [one.url for one in list_prefix(tmp_path, "https://h/c")] == ["https://h/c/a%20%231.png"]
    assert [one.url for one in list_prefix(tmp_path, "s3://c/")] == ["s3://c/a #1.png"]


@pytest.mark.parametrize("read", [lambda path: list(list_prefix(path, "s3://b")), lambda path: find_files(path, Path)])
def test_a_dangling_link_and_a_name_that_is_not_utf_8_are_refused_by_name(tmp_path: Path, read: Any) -> None:
    """Fault 4.6."""
    (tmp_path / "a.png").write_bytes(b"1")
    (tmp_path / "b.png").symlink_to(tmp_path / "gone.png")
    with pytest.raises(InvalidArgumentError, match=r"b\.png is a link to a file that does not exist"):
        read(tmp_path)
    (tmp_path / "b.png").unlink()
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/c\xff.png")).write_bytes(b"1")
    with pytest.raises(InvalidArgumentError, match=r"c\\xff\.png.* is not UTF-8"):
        read(tmp_path)


def test_a_directory_means_the_same_files_in_the_same_order_for_uploads_and_registrations(tmp_path: Path) -> None:
    """Review of 0.1, ingest 17: there were two rules."""
    for name in ("a-b/x.png", "a/x.png", "a.png", "notes.txt", ".git/x.png", "a/.x.png", "Z/y.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(b"1")
    (tmp_path / "loop").symlink_to(tmp_path)
    (tmp_path / "linked.png").symlink_to(tmp_path / "a.png")
    (tmp_path / "gone.txt").symlink_to(tmp_path / "gone")  # no data, so nothing is asked of it
    Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff.txt")).write_bytes(b"1")
    keys = ["Z/y.png", "a-b/x.png", "a.png", "a/x.png", "linked.png"]
    assert [one.key for one in list_prefix(tmp_path, "s3://b")] == keys
    for given_ in (tmp_path, ObjectStoragePath(f"file://{tmp_path}")):
        found = find_files(given_, ObjectStoragePath)
        assert [file.uri for file in found] == [f"file://{tmp_path}/{key}" for key in keys]
        assert all(file.path.read_bytes() == b"1" for file in found)


@pytest.mark.parametrize("read", [lambda path: list(list_prefix(path, "s3://b")), lambda path: find_files(path, Path)])
def test_a_directory_whose_name_is_not_utf_8_is_refused_by_name(tmp_path: Path, read: Any) -> None:
    """Review of 0.1, ingest 17."""
    directory = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff"))
    directory.mkdir()
    (directory / "a.png").write_bytes(b"1")
    with pytest.raises(InvalidArgumentError, match=r"\\xff/a\.png.* is not UTF-8"):
        read(tmp_path)


@given(
    st.lists(st.text(st.characters(codec="utf-8", exclude_characters="\r\0"), max_size=20), max_size=8), st.booleans()
)
@settings(max_examples=60)
def test_reading_can_be_continued_after_any_row(titles: list[str], is_csv: bool) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("m.csv" if is_csv else "m.jsonl")
        if is_csv:
            rows = ["s3://b/a.png," + '"' + title.replace('"', '""') + '"' for title in titles]
            path.write_text("\n".join(["url,title", *rows]), newline="")
        else:
            rows = [json.dumps({"url": "s3://b/a.png", "title": title}) for title in titles]
            path.write_text("\n\n".join(rows))
        entries = list(manifest_entries(path))
        assert [one.title for one, _ in entries] == [title or "a.png" for title in titles]
        for number, (_, place) in enumerate(entries, 1):
            assert list(manifest_entries(path, start=place)) == entries[number:]
