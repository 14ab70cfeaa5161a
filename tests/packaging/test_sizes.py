"""A file is read at one sitting, and a folder is seen at one look."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from tests.packaging.environments import ROOT
from tests.packaging.text_files import tracked_files

MOST_LINES = 400
MOST_FILES = 25

pytestmark = pytest.mark.skipif(not (ROOT / ".git").exists(), reason="a source distribution has no list of files")


def _python_files() -> list[Path]:
    return [path.relative_to(ROOT) for path in tracked_files() if path.suffix == ".py"]


def test_no_python_file_is_long() -> None:
    lines = {str(path): len((ROOT / path).read_text().splitlines()) for path in _python_files()}
    assert {path: count for path, count in lines.items() if count > MOST_LINES} == {}


def test_no_folder_has_many_python_files() -> None:
    files = Counter(str(path.parent) for path in _python_files())
    assert {folder: count for folder, count in files.items() if count > MOST_FILES} == {}
