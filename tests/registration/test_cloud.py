"""What is to be registered: read, grouped and cut into jobs, with nothing lost and limits kept."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.api.core.data_items import IMAGE, DicomSeries, ImageGroup, Unit, UploadedFile
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.registration import cloud
from airflow_provider_encord.registration.cloud import (
    CloudObject,
    placed_parts,
    placed_units,
    read_manifest,
    urls_of,
)


def units(objects: Iterable[CloudObject | Unit]) -> Iterator[Unit]:
    return (unit for unit, _ in placed_units((one, None) for one in objects))


def parts(all_units: Iterable[Unit], *, size: int) -> Iterator[list[Unit]]:
    return (part for part, _ in placed_parts(((unit, None) for unit in all_units), size=size))


def read(path: Path, content: str) -> list[CloudObject]:
    path.write_text(content, encoding="utf-8")
    return list(read_manifest(path))


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("m.jsonl", '{"url": "s3://b/a%20b.png", "client_metadata": {"site": "x"}}\n\n'),
        ("m.csv", 'url,client_metadata\ns3://b/a%20b.png,"{""site"": ""x""}"\n'),
        ("m.csv", "\ufeffurl,metadata.site,title\r\ns3://b/a%20b.png,x,\r\n"),
        ("m.json", '[{"url": "s3://b/a%20b.png", "client_metadata": {"site": "x"}}]'),
    ],
)
def test_every_format_says_the_same(tmp_path: Path, name: str, content: str) -> None:
    (one,) = read(tmp_path / name, content)
    assert one == CloudObject(url="s3://b/a%20b.png", kind=IMAGE, title="a b.png", client_metadata={"site": "x"})


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("m.csv", "url,size\nx,3\n", "line 1: the column 'size' is not known"),
        ("m.csv", "title\nx\n", "no column 'url'"),
        ("m.csv", "url\ns3://b/a.png,more\n", "line 2: it has 2 fields, but the header has 1"),
        ("m.csv", "url,title\ns3://b/a.png,\nx,\n", "line 3: url"),
        ("m.json", '{"holograms": []}', "the list 'holograms' is not known"),
        ("m.json", '{"images": [3]}', "images, entry 1"),
        ("m.json", "3", "neither a list"),
        ("m.txt", "", "neither .jsonl"),
        ("m.jsonl", json.dumps({"url": "s3://b/" + "x" * 17000 + ".png"}), "16384 bytes"),
        ("m.jsonl", json.dumps({"url": "s3://b/a.png", "title": "x" * 301}), "301 characters"),
    ],
)
def test_what_is_wrong_is_named_by_line_and_field(tmp_path: Path, name: str, content: str, message: str) -> None:
    with pytest.raises(InvalidArgumentError, match=f"source: .*{message}"):
        read(tmp_path / name, content)


def an_object(number: int, group: str | None = None) -> CloudObject:
    return CloudObject(url=f"s3://b/{number}.png", kind=IMAGE, title=f"{number}.png", group=group)


@given(st.lists(st.tuples(st.integers(0, 5), st.booleans()), max_size=30), st.integers(1, 7))
def test_no_object_is_lost_groups_stay_whole_and_jobs_keep_their_size(sizes: list[tuple[int, bool]], size: int) -> None:
    objects: list[CloudObject] = []
    for number, (count, grouped) in enumerate(sizes):
        group = f"group {number}" if grouped else None
        objects += [an_object(len(objects) + one, group) for one in range(count)]
    made = list(units(objects))
    jobs = list(parts(made, size=size))
    assert [url for job in jobs for unit in job for url in urls_of(unit)] == [one.url for one in objects]
    assert all(0 < len(job) <= size for job in jobs)
    groups = [unit for unit in made if isinstance(unit, ImageGroup)]
    assert len(groups) == sum(1 for count, grouped in sizes if grouped and count)
    assert all(isinstance(unit, UploadedFile | ImageGroup) for unit in made)
    assert list(parts(units(objects), size=size)) == jobs


def test_a_group_that_is_torn_apart_is_refused() -> None:
    with pytest.raises(InvalidArgumentError, match="are not consecutive"):
        list(units([an_object(1, "a"), an_object(2, "b"), an_object(3, "a")]))


def test_dicom_files_are_a_series_and_nothing_else_with_them(tmp_path: Path) -> None:
    series = read(
        tmp_path / "m.jsonl", '{"url": "s3://b/1.dcm", "group": "ct"}\n{"url": "s3://b/2.dcm", "group": "ct"}\n'
    )
    (unit,) = units(series)
    assert isinstance(unit, DicomSeries)
    assert (unit.title, len(unit.parts)) == ("ct", 2)
    with pytest.raises(InvalidArgumentError, match="only images, or only DICOM"):
        list(units([*series, an_object(1, "ct")]))


def test_a_job_has_no_more_urls_than_encord_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cloud, "MOST_URLS", 4)
    groups: list[Any] = [an_object(number, f"{number // 3}") for number in range(9)]
    assert [len(job) for job in parts(units(groups), size=100)] == [1, 1, 1]
    with pytest.raises(InvalidArgumentError, match="has 5 files"):
        list(parts(units([an_object(number, "all") for number in range(5)]), size=100))


def test_a_million_lines_are_counted_without_being_kept(tmp_path: Path) -> None:
    """Here with fewer; `benchmarks/register.py` measures the million."""
    path = tmp_path / "m.jsonl"
    path.write_text("".join(f'{{"url": "s3://b/{number}.png"}}\n' for number in range(2000)))
    stream = parts(units(read_manifest(path)), size=500)
    assert next(stream)[0] == UploadedFile(kind=IMAGE, object_url="s3://b/0.png", title="0.png", client_metadata={})
    assert [len(job) for job in stream] == [500, 500, 500]
