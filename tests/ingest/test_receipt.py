"""What a receipt says, and what is read back from it."""

import io
import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.errors import InvalidRequestError
from airflow_provider_encord.ingest.outcome import PRESENT, UPLOADED, Outcome, failed
from airflow_provider_encord.ingest.receipt import known_checksums, read_lines, receipt_line, write_lines, write_receipt
from tests.ingest.files import a_file

DATASET = "bbbbbbbb-0000-4000-8000-000000000001"


def uploaded(title: str = "a.png", sha256: str = "5a") -> Outcome:
    return Outcome(file=a_file(title), result=UPLOADED, data_hash=f"d {title}", backing_item_uuid="i", sha256=sha256)


def test_a_line_says_all_about_its_file_under_fixed_names() -> None:
    file = io.BytesIO()
    write_lines(file, [receipt_line(uploaded(), DATASET, {})])
    assert json.loads(file.getvalue()) == {
        "schema_version": 1,
        "source": "s3://in/a.png",
        "title": "a.png",
        "size": 10,
        "sha256": "5a",
        "kind": "image",
        "outcome": "uploaded",
        "dataset": DATASET,
        "data_hash": "d a.png",
        "backing_item_uuid": "i",
        "error": None,
    }


@given(st.lists(st.tuples(st.text(min_size=1, max_size=300), st.text()), max_size=5))
def test_a_line_is_a_line_whatever_the_name_and_the_reason(names: list[tuple[str, str]]) -> None:
    names = [(_encodable(title), _encodable(error)) for title, error in names]
    lines = [receipt_line(failed(a_file(title), error, retryable=False), DATASET, {}) for title, error in names]
    file = io.BytesIO()
    write_lines(file, lines)
    assert len(file.getvalue().splitlines()) == file.getvalue().count(b"\n") == len(lines)
    assert list(read_lines(io.BytesIO(file.getvalue()))) == lines


def _encodable(text: str) -> str:
    return text.encode(errors="replace").decode()


def test_a_file_that_was_there_keeps_the_checksum_of_the_earlier_receipt(tmp_path: Path) -> None:
    path = tmp_path / "new" / "receipt.jsonl"
    assert known_checksums(path) == {}
    write_receipt(path, [receipt_line(uploaded(), DATASET, {})])
    again = Outcome(file=a_file(), result=PRESENT, data_hash="d a.png")
    assert receipt_line(again, DATASET, known_checksums(path)).sha256 == "5a"


@pytest.mark.parametrize("content", ["name,size\na.png,3\n", "{}\n", '{"schema_version": 2}\n', "\xff\n"])
def test_a_file_that_is_no_receipt_is_not_overwritten_unawares(tmp_path: Path, content: str) -> None:
    (tmp_path / "r.jsonl").write_text(content, encoding="latin-1")
    with pytest.raises(InvalidRequestError, match="receipt: line 1"):
        known_checksums(tmp_path / "r.jsonl")


def test_a_receipt_of_a_newer_schema_is_not_read_as_if_it_were_ours() -> None:
    line = json.loads(_line()) | {"schema_version": 2}
    with pytest.raises(InvalidRequestError, match="schema_version 2"):
        list(read_lines([json.dumps(line).encode()]))


def test_fields_that_come_later_do_not_disturb() -> None:
    line = json.loads(_line()) | {"client_metadata": {"camera": 1}}
    assert next(read_lines([json.dumps(line).encode()])).title == "a.png"


def _line() -> bytes:
    file = io.BytesIO()
    write_lines(file, [receipt_line(uploaded(), DATASET, {})])
    return file.getvalue()
