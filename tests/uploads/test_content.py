"""Reading a file on its way, with its checksum."""

import hashlib
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.client.errors import EncordError, InvalidArgumentError, UnavailableError
from airflow_provider_encord.sources.files import find_files
from airflow_provider_encord.uploads.content import Content

BYTES = bytes(range(256)) * 9000  # more than two blocks


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.png"
    path.write_bytes(BYTES)
    return path


def content_of(path: Any) -> Content:
    return Content(find_files(path, str)[0])


def read(content: Content, size: int, pieces: int = 10**9) -> bytes:
    got = b""
    with content.open() as file:
        while pieces and (piece := file.read(size)):
            got += piece
            pieces -= 1
    return got


@pytest.mark.parametrize("size", [1 << 14, 1 << 20, 1 << 30, 1_000_003])
def test_the_bytes_and_their_checksum_do_not_depend_on_how_they_are_read(path: Path, size: int) -> None:
    content = content_of(path)
    assert read(content, size) == BYTES
    assert content.sha256 == hashlib.sha256(BYTES).hexdigest()


def test_the_checksum_is_of_the_last_attempt_and_none_if_that_broke_off(path: Path) -> None:
    content = content_of(path)
    read(content, 1 << 14)
    read(content, 1 << 14, pieces=3)
    assert content.sha256 is None
    path.write_bytes(BYTES[::-1])
    read(content, 1 << 14)
    assert content.sha256 == hashlib.sha256(BYTES[::-1]).hexdigest()


class Broken:
    """A stored file that fails when it is read."""

    name = "a.png"

    def __init__(self, error: Exception) -> None:
        self.error = error

    def __str__(self) -> str:
        return "s3://bucket/a.png"

    def is_dir(self) -> bool:
        return False

    def exists(self) -> bool:
        return True

    def stat(self) -> Any:
        return type("Stat", (), {"st_size": 3})

    def open(self, mode: str) -> Any:
        raise self.error


@pytest.mark.parametrize(
    ("error", "class_", "message"),
    [
        (FileNotFoundError(), InvalidArgumentError, "does not exist any more"),
        (PermissionError(), InvalidArgumentError, "may not be read"),
        (OSError(5, "Input/output error"), UnavailableError, "Input/output error"),
        (RuntimeError("GET https://store/?X-Sig=secret failed"), UnavailableError, "RuntimeError"),
    ],
)
def test_a_file_that_cannot_be_read_is_an_error_of_ours_that_quotes_no_url(
    error: Exception, class_: type[EncordError], message: str
) -> None:
    with pytest.raises(class_, match=f"s3://bucket/a.png .*{message}") as caught:
        content_of(Broken(error)).open()
    assert "secret" not in str(caught.value)
    assert caught.value.__cause__ is None
