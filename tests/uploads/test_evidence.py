"""Files are recognised by what reports know of them before they are recognised by name."""

from __future__ import annotations

import dataclasses
import hashlib
import os
from pathlib import Path

import msgspec
import pytest

from airflow_provider_encord.client.api.uploads import IMAGE
from airflow_provider_encord.reports import CREATED, SCHEMA_VERSION
from airflow_provider_encord.sources.files import SourceFile, find_files
from airflow_provider_encord.uploads.evidence import Evidence
from airflow_provider_encord.uploads.grouping import group_files
from airflow_provider_encord.uploads.plan import CHECKSUM, REPORT, TITLE, TITLE_AND_SIZE, make_plan
from airflow_provider_encord.uploads.report import OPERATION, UploadLine
from tests.uploads.files import a_row


def a_file(path: Path, content: bytes) -> SourceFile:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return a_file_again(path)


def a_file_again(path: Path) -> SourceFile:
    (file,) = find_files(path, lambda uri: uri, kind=IMAGE)
    return file


def a_line(file: SourceFile, key: str, content: bytes) -> UploadLine:
    return UploadLine(
        schema_version=SCHEMA_VERSION,
        operation=OPERATION,
        source=file.uri,
        title=file.title,
        size=file.size,
        sha256=hashlib.sha256(content).hexdigest(),
        kind="image",
        id=key,
        outcome=CREATED,
        dataset_id="d",
        item_id=f"item {key}",
        error=None,
        version=file.version,
    )


def test_cameras_that_number_their_frames_alike_are_distinguished_by_the_report(tmp_path: Path) -> None:
    """Fault 2.1: cam1 was refused at first, cam2 and cam3 are in."""
    files = [a_file(tmp_path / camera / "frame_0001.bmp", camera.encode()) for camera in ("cam1", "cam2", "cam3")]
    lines = [a_line(file, f"row {number}", f"cam{number}".encode()) for number, file in enumerate(files, 1)][1:]
    rows = [a_row("frame_0001.bmp", 4, data_hash=line.id or "") for line in lines]
    plan = make_plan(files, rows, evidence=Evidence(lines))
    assert [(file.uri, row.data_hash, by) for file, row, by in plan.present] == [
        (files[1].uri, "row 2", REPORT),
        (files[2].uri, "row 3", REPORT),
    ]
    assert plan.missing == [files[0]]
    without = make_plan(files, rows)
    assert (without.present, without.missing, without.ambiguous) == ([], [], files)


def test_files_of_one_name_and_size_that_change_every_day_are_all_uploaded(tmp_path: Path) -> None:
    """Fault 2.2: at one path or in a directory for each day, with a report."""
    first = a_file(tmp_path / "day1" / "frame.bmp", b"one!")
    line, row = a_line(first, "row 1", b"one!"), a_row("frame.bmp", 4, data_hash="row 1")
    evidence = Evidence([line])
    second = a_file(tmp_path / "day2" / "frame.bmp", b"two!")
    assert make_plan([second], [row], evidence=evidence).missing == [second]
    a_file(tmp_path / "day1" / "frame.bmp", b"two!")
    os.utime(tmp_path / "day1" / "frame.bmp", (1, 1))  # a coarse clock may show the time before
    overwritten = a_file_again(tmp_path / "day1" / "frame.bmp")
    assert make_plan([overwritten], [row], evidence=Evidence([line])).missing == [overwritten]
    (plan,) = [make_plan([second], [row])]
    assert [by for _, _, by in plan.present] == [TITLE_AND_SIZE]


def test_a_file_that_was_moved_is_recognised_by_its_checksum(tmp_path: Path) -> None:
    file = a_file(tmp_path / "before" / "a.png", b"content")
    moved = a_file(tmp_path / "after" / "a.png", b"content")
    plan = make_plan(
        [moved], [a_row("a.png", 7, data_hash="row")], evidence=Evidence([a_line(file, "row", b"content")])
    )
    assert [by for _, _, by in plan.present] == [CHECKSUM]


def test_a_file_is_read_only_if_its_store_does_not_show_that_it_was_not_written_since(tmp_path: Path) -> None:
    file = a_file(tmp_path / "a.png", b"content")
    read: list[str] = []
    evidence = Evidence([a_line(file, "row", b"content")], checksum=lambda one: read.append(one.uri) or "?")
    row = a_row("a.png", 7, data_hash="row")
    assert [by for _, _, by in make_plan([file], [row], evidence=evidence).present] == [REPORT]
    assert read == []
    assert make_plan([file], [row], evidence=evidence, match_by=CHECKSUM).missing == [file]
    assert read == [file.uri]


def test_by_checksum_a_name_is_never_enough_and_by_title_the_size_does_not_count(tmp_path: Path) -> None:
    file = a_file(tmp_path / "a.png", b"content")
    same, other = a_row("a.png", 7, data_hash="same"), a_row("a.png", 99, data_hash="other")
    assert make_plan([file], [same], match_by=CHECKSUM).missing == [file]
    assert make_plan([file], [other]).missing == [file]
    assert [(row.data_hash, by) for _, row, by in make_plan([file], [other], match_by=TITLE).present] == [
        ("other", TITLE)
    ]


@pytest.mark.parametrize("match_by", [TITLE_AND_SIZE, CHECKSUM, TITLE])
def test_a_file_that_was_renamed_is_recognised_by_its_checksum(tmp_path: Path, match_by: str) -> None:
    before, kept = a_file(tmp_path / "a.png", b"content"), a_file(tmp_path / "b.png", b"content")
    lines = [a_line(before, "row a", b"content"), a_line(kept, "row b", b"content")]
    rows = [a_row("a.png", 7, data_hash="row a"), a_row("b.png", 7, data_hash="row b")]
    renamed, new = a_file(tmp_path / "c.png", b"content"), a_file(tmp_path / "d.png", b"content")
    plan = make_plan([renamed, kept, new], rows, evidence=Evidence(lines), match_by=match_by)
    assert [(file.title, row.data_hash) for file, row, _ in plan.present] == [("b.png", "row b"), ("c.png", "row a")]
    assert plan.missing == [new]


def test_a_group_is_not_recognised_as_one_of_another_kind(tmp_path: Path) -> None:
    (image,) = group_files([a_file(tmp_path / "a.png", b"content")], {"drive": ["a.png"]})
    line = msgspec.structs.replace(a_line(image, "row", b"content"), kind="imageGroup")
    rows = [a_row("drive", 7, data_hash="row", data_type="IMG_GROUP")]
    sequence = dataclasses.replace(image, create_video=True)
    assert make_plan([image], rows, evidence=Evidence([line])).missing == []
    assert make_plan([sequence], rows, evidence=Evidence([line])).missing == [sequence]


def test_names_are_compared_composed(tmp_path: Path) -> None:
    composed, decomposed = "\u00e9.png", "e\u0301.png"
    file = a_file(tmp_path / decomposed, b"content")
    row = a_row(composed, 7, data_hash="row")
    assert make_plan([file], [row]).missing == []
    assert make_plan([file], [row], match_by=TITLE).missing == []
    line = a_line(file, "row", b"content")
    known = msgspec.structs.replace(line, title=composed, source=line.source.replace(decomposed, composed))
    assert [by for _, _, by in make_plan([file], [row], evidence=Evidence([known])).present] == [REPORT]


def test_a_row_that_was_removed_is_no_evidence(tmp_path: Path) -> None:
    file = a_file(tmp_path / "a.png", b"content")
    assert make_plan([file], [], evidence=Evidence([a_line(file, "row", b"content")])).missing == [file]


def test_a_file_that_cannot_be_read_for_its_checksum_fails_alone(tmp_path: Path) -> None:
    file, other = a_file(tmp_path / "a.png", b"content"), a_file(tmp_path / "b.png", b"more")
    evidence = Evidence([a_line(file, "row", b"content")])
    (tmp_path / "a.png").unlink()
    plan = make_plan([file, other], [a_row("a.png", 7, data_hash="row")], evidence=evidence, match_by=CHECKSUM)
    assert ([one for one, _ in plan.unreadable], plan.missing) == ([file], [other])


def test_a_line_that_went_by_name_itself_is_no_evidence(tmp_path: Path) -> None:
    file = a_file(tmp_path / "a.png", b"content")
    line = a_line(file, "row", b"content")
    by_name = UploadLine(**{name: getattr(line, name) for name in line.__struct_fields__} | {"sha256": None})
    plan = make_plan([file], [a_row("a.png", 7, data_hash="row")], evidence=Evidence([by_name]))
    assert [by for _, _, by in plan.present] == [TITLE_AND_SIZE]
