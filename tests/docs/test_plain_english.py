"""The check of words finds them where people read, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.plain_english import QUOTED, checked_files, found_in

FORBIDDEN = "anew"  # quoted


@pytest.mark.parametrize(
    ("name", "text", "found"),
    [
        ("a.py", f'"""Say it {FORBIDDEN}."""\n', [(1, FORBIDDEN)]),
        ("a.py", f"x = 1  # {FORBIDDEN}\n", [(1, FORBIDDEN)]),
        ("a.py", f'x = 1\nraise ValueError(f"{{x}} {FORBIDDEN}")\n', [(2, FORBIDDEN)]),
        ("a.py", f"{FORBIDDEN} = 1\n", []),
        ("a.py", f"def test_it_is_made_{FORBIDDEN}(): ...\n", [(1, FORBIDDEN)]),
        ("a.py", f'x = "{FORBIDDEN}"  {QUOTED}\n', []),
        ("a.py", '"""\nThe job is under\nway.\n"""\n', [(2, "under\nway")]),
        ("a.md", f"One\n{FORBIDDEN.upper()}\n", [(2, FORBIDDEN.upper())]),
        ("a.md", f"{FORBIDDEN}er\n", []),
    ],
)
def test_a_word_is_found_in_what_people_read(
    tmp_path: Path, name: str, text: str, found: list[tuple[int, str]]
) -> None:
    (tmp_path / name).write_text(text)
    assert list(found_in(tmp_path / name)) == found


def test_the_package_and_the_documents_are_checked() -> None:
    names = {file.name for file in checked_files()}
    assert {"README.md", "CHANGELOG.md", "everyday-moves.md", "encord.py", "attempts.py"} <= names
