"""Metadata of the user's own: by mapping, by a file beside each, by one file about all."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.item_metadata.client_metadata import add_client_metadata
from airflow_provider_encord.sources.files import find_files
from tests.uploads.files import a_file


def metadata(what: Any, *titles: str) -> list[dict[str, Any]]:
    return [dict(one.client_metadata) for one in add_client_metadata([a_file(title) for title in titles], what, Path)]


def test_a_mapping_names_files_by_title_or_uri_and_the_uri_comes_first() -> None:
    result = {"a.png": {"n": 1}, "s3://in/a.png": {"n": 2}, "b.png": {"n": 3}}
    assert metadata(result, "a.png", "b.png", "c.png") == [{"n": 2}, {"n": 3}, {}]
    assert metadata(None, "a.png") == [{}]


def test_a_sidecar_stands_beside_its_file(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"1")
    (tmp_path / "b.png").write_bytes(b"1")
    (tmp_path / "a.png.json").write_text('{"site": "x"}')
    files = add_client_metadata(find_files(str(tmp_path), Path), "sidecar", Path)
    assert [dict(file.client_metadata) for file in files] == [{"site": "x"}, {}]


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("all.json", json.dumps({"a.png": {"n": "1"}})),
        ("all.jsonl", '{"title": "a.png", "n": "1"}\n\n{"source": "s3://in/z.png", "n": "2"}\n'),
        ("all.csv", "title,n\r\na.png,1\r\n"),
        ("all.csv", "\ufefftitle,n\na.png,1\n"),
    ],
)
def test_one_file_shows_all(tmp_path: Path, name: str, content: str) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    assert metadata(str(path), "a.png", "b.png") == [{"n": "1"}, {}]


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("all.json", "[]", "must be a JSON object"),
        ("all.json", "{", "is not JSON"),
        ("all.json", '{"a.png": 3}', "is not a dictionary"),
        ("all.jsonl", '{"title": "a.png"}\n{"n": 1}\n', "line 2 names no file"),
        ("all.jsonl", '{"title": "a.png"}\nx\n', "line 2: it is not JSON"),
        ("all.csv", "n\n1\n", "line 2 names no file"),
        ("all.txt", "", "neither .json, .jsonl nor .csv"),
        ("gone.json", None, "cannot be used"),
    ],
)
def test_what_cannot_be_read_is_named_by_file_and_line(
    tmp_path: Path, name: str, content: str | None, message: str
) -> None:
    if content is not None:
        (tmp_path / name).write_text(content)
    with pytest.raises(InvalidArgumentError, match=f"client_metadata: .*{message}"):
        metadata(str(tmp_path / name), "a.png")


def test_metadata_that_is_about_none_of_the_files_is_not_dropped_in_silence() -> None:
    """Fault 11.2, for uploads."""
    with pytest.raises(InvalidArgumentError, match=r"^client_metadata: none of its 2 names, such as 'a', .*'a\.png'"):
        metadata({"a": {"n": 1}, "b": {"n": 1}}, "a.png", "b.png")


def test_a_decomposed_name_means_its_file(tmp_path: Path) -> None:
    composed, decomposed = "\u00e9.png", "e\u0301.png"
    assert metadata({decomposed: {"n": 1}}, composed) == [{"n": 1}]
    assert metadata({composed: {"n": 1}}, decomposed) == [{"n": 1}]
    with pytest.raises(InvalidArgumentError, match="there twice, in composed and decomposed"):
        metadata({composed: {"n": 1}, decomposed: {"n": True}}, composed)


def test_names_that_fit_no_file_are_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    assert metadata({"a.png": {"n": 1}, "a.PNG": {"n": 2}}, "a.png") == [{"n": 1}]
    assert "client_metadata: 1 of its 2 names match no file of source, such as 'a.PNG'." in caplog.text


@pytest.mark.parametrize("content", ["source,title,w\ns3://in/a.png,,rain\n", "source,title,w\n,a.png,rain\n"])
def test_an_empty_cell_of_a_name_is_no_metadata(tmp_path: Path, content: str) -> None:
    path = tmp_path / "m.csv"
    path.write_text(content)
    assert metadata(str(path), "a.png") == [{"w": "rain"}]
    lines = tmp_path / "m.jsonl"
    lines.write_text('{"source": "s3://in/a.png", "title": "", "w": "rain"}\n')
    assert metadata(str(lines), "a.png") == [{"w": "rain"}]


def test_one_and_true_are_other_metadata(tmp_path: Path) -> None:
    path = tmp_path / "m.jsonl"
    path.write_text('{"title": "a.png", "ok": 1}\n{"title": "a.png", "ok": true}\n')
    with pytest.raises(InvalidArgumentError, match=r"line 2: 'a\.png' is there a second time, with different metadata"):
        metadata(str(path), "a.png")
