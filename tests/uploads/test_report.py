"""What a report says, and what is read back from it."""

import io
import json
from collections.abc import Iterator
from pathlib import Path, PosixPath
from typing import Any, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.reports import CREATED, UNCHANGED, encode_lines
from airflow_provider_encord.storage_paths import require_writable, write_whole
from airflow_provider_encord.uploads.evidence import Evidence
from airflow_provider_encord.uploads.outcome import FileOutcome, failed
from airflow_provider_encord.uploads.report import (
    UploadLine,
    earlier_lines,
    read_lines,
    upload_line,
)
from tests.uploads.files import a_file

DATASET = "bbbbbbbb-0000-4000-8000-000000000001"


def uploaded(title: str = "a.png", sha256: str = "5a") -> FileOutcome:
    return FileOutcome(file=a_file(title), result=CREATED, data_hash=f"d {title}", backing_item_uuid="i", sha256=sha256)


def test_a_line_says_all_about_its_file_under_fixed_names() -> None:
    assert json.loads(_line()) == {
        "schema_version": "1.0",
        "operation": "upload_files",
        "source": "s3://in/a.png",
        "id": "d a.png",
        "outcome": "created",
        "error": None,
        "title": "a.png",
        "size": 10,
        "sha256": "5a",
        "kind": "image",
        "dataset_id": DATASET,
        "item_id": "i",
        "folder_id": None,
        "parts": [],
        "version": None,
        "matched_by": None,
    }


@given(st.lists(st.tuples(st.text(min_size=1, max_size=300), st.text()), max_size=5))
def test_a_line_is_a_line_whatever_the_name_and_the_reason(names: list[tuple[str, str]]) -> None:
    names = [(_encodable(title), _encodable(error)) for title, error in names]
    lines = [upload_line(failed(a_file(title), error, retryable=False), DATASET, {}) for title, error in names]
    content = b"".join(encode_lines(lines))
    assert len(content.splitlines()) == content.count(b"\n") == len(lines)
    assert list(read_lines(io.BytesIO(content))) == lines


def _encodable(text: str) -> str:
    return text.encode(errors="replace").decode()


def test_a_file_that_was_there_keeps_the_checksum_of_the_earlier_report(tmp_path: Path) -> None:
    path = tmp_path / "new" / "report.jsonl"
    assert Evidence(earlier_lines(path)).checksums == {}
    write_whole(path, encode_lines([upload_line(uploaded(), DATASET, {})]))
    again = FileOutcome(file=a_file(), result=UNCHANGED, data_hash="d a.png")
    assert upload_line(again, DATASET, Evidence(earlier_lines(path)).checksums).sha256 == "5a"


@pytest.mark.parametrize("content", ["name,size\na.png,3\n", "{}\n", '{"schema_version": 2}\n', "\xff\n"])
def test_a_file_that_is_no_report_is_not_overwritten_unawares(tmp_path: Path, content: str) -> None:
    (tmp_path / "r.jsonl").write_text(content, encoding="latin-1")
    with pytest.raises(InvalidArgumentError, match="report: line 1"):
        earlier_lines(tmp_path / "r.jsonl")


def test_a_report_of_a_newer_schema_is_not_read_as_if_it_were_ours() -> None:
    line = json.loads(_line()) | {"schema_version": "2.0"}
    with pytest.raises(InvalidArgumentError, match=r"schema_version '2\.0'"):
        list(read_lines([json.dumps(line).encode()]))


def test_fields_that_come_later_do_not_disturb() -> None:
    line = json.loads(_line()) | {"client_metadata": {"camera": 1}}
    assert next(read_lines([json.dumps(line).encode()])).title == "a.png"


def _line() -> bytes:
    return b"".join(encode_lines([upload_line(uploaded(), DATASET, {})]))


class Opened:
    """An open file as Airflow 2.11 hands it out: its methods, and items, but no iterator."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __getitem__(self, key: Any) -> Any:
        return self._file[key]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()


class PathOfAirflow2(PosixPath):
    def open(self, *arguments: Any, **options: Any) -> Any:
        return Opened(super().open(*arguments, **options))


def test_a_report_is_read_from_a_file_that_is_no_iterator(tmp_path: Path) -> None:
    path = PathOfAirflow2(tmp_path / "r.jsonl")
    for _ in range(2):
        write_whole(path, encode_lines([upload_line(uploaded(title), DATASET, {}) for title in ("a.png", "b.png")]))
        assert Evidence(earlier_lines(path)).checksums == {"d a.png": "5a", "d b.png": "5a"}


def test_a_report_that_was_cut_off_inside_a_line_is_refused(tmp_path: Path) -> None:
    """Its last file would be uploaded a second time."""
    path, line = tmp_path / "r.jsonl", _line()
    for end in range(1, len(line) - 1):
        for number, before in ((1, b""), (2, line)):
            path.write_bytes(before + line[:end])
            with pytest.raises(InvalidArgumentError, match=rf"report: it was cut off in line {number}.*r\.jsonl"):
                earlier_lines(path)
    path.write_bytes(line + line[:-1])
    assert Evidence(earlier_lines(path)).checksums == {"d a.png": "5a"}


@pytest.mark.parametrize(
    "content", [b"note to self", b'{"name": "app"}', b'{"schema_version":2,"sour', b"{}", b"\x89PNG"]
)
def test_what_has_no_newline_is_not_taken_for_a_report_that_was_cut_off(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "r.jsonl").write_bytes(_line() + content)
    with pytest.raises(InvalidArgumentError, match="report: line 2"):
        earlier_lines(tmp_path / "r.jsonl")


def test_while_a_report_is_written_the_earlier_one_stands(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    write_whole(path, encode_lines([upload_line(uploaded(), DATASET, {})]))

    def killed() -> Iterator[UploadLine]:
        yield upload_line(uploaded("b.png"), DATASET, {})
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(path, encode_lines(killed()))
    assert path.read_bytes() == _line()
    write_whole(path, encode_lines([]))
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == {"r.jsonl": b""}


def test_a_directory_is_no_report(tmp_path: Path) -> None:
    with pytest.raises(InvalidArgumentError, match=r"report: .* is a directory\. Pass a file"):
        earlier_lines(tmp_path)


def test_a_report_below_a_file_is_refused_before_it_is_needed(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert earlier_lines(tmp_path / "file" / "r.jsonl") == []
    with pytest.raises(InvalidArgumentError, match=r"report: .*file/r\.jsonl cannot be used: .* pass another path"):
        require_writable(tmp_path / "file" / "r.jsonl", "report")


def test_asking_whether_a_report_can_be_written_leaves_no_file(tmp_path: Path) -> None:
    require_writable(tmp_path / "new" / "r.jsonl", "report")
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.timeout(20)
def test_a_device_is_no_place_for_a_report() -> None:
    with pytest.raises(InvalidArgumentError, match="report: /dev/full is not a regular file"):
        earlier_lines(Path("/dev/full"))
