"""Text files end in one line end, have no stray blanks or marks of conflicts, and data in them can be read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.packaging.environments import ROOT
from tests.packaging.text_files import problems, tracked_files


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="a source distribution has no list of files")
def test_every_text_file_of_the_repository_is_clean() -> None:
    assert list(problems(tracked_files())) == []


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("a.py", "x = 1", "does not end in exactly one line end"),
        ("a.py", "x = 1\n\n", "does not end in exactly one line end"),
        ("a.md", "one \ntwo\n", "line 1 ends in blanks"),
        ("a.md", "one\r\n", "has a carriage return"),
        ("a.txt", f"{'<' * 7} HEAD\n", "line 1 is the mark of a merge conflict"),
        ("a.yml", "a: [1\n", "cannot be read"),
        ("a.json", "{'a': 1}\n", "cannot be read"),
        ("a.toml", "a = \n", "cannot be read"),
    ],
)
def test_what_is_wrong_is_found(name: str, text: str, says: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(text.encode())
    assert any(says in problem for problem in problems([file]))


@pytest.mark.parametrize(
    ("name", "text"), [("a.py", ""), ("a.md", "one\n"), ("a.yml", "on: [push]\n"), ("a.png", "\r ")]
)
def test_what_is_right_is_not_found(name: str, text: str, tmp_path: Path) -> None:
    file = tmp_path / name
    file.write_bytes(text.encode())
    assert list(problems([file])) == []
