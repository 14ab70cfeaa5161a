"""Checks that a tag may be released: it is the version of the provider, and both changelogs are written.

The emulator, which a release publishes too, has a version of its own. A release may leave it as it is.

Usage: ``python .github/check_release.py v0.1.0``. It imports nothing but the standard library.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
VERSION = r'^__version__ = "(.+)"$'


def problems(tag: str, root: Path = ROOT) -> Iterator[str]:
    """What stands against a release, one sentence each.

    :param tag: The name of the tag, such as ``v0.1.0``.
    :param root: The checkout.
    """
    version = _match(VERSION, root / "airflow_provider_encord" / "__init__.py")
    if tag != f"v{version}":
        yield f"The tag {tag!r} is not v{version}, the version in airflow_provider_encord/__init__.py."
    yield from _in_changelog(version, root, "CHANGELOG.md")
    emulator = _match(VERSION, root / "emulator" / "encord_emulator" / "__init__.py")
    yield from _in_changelog(emulator, root, "emulator/CHANGELOG.md")
    fragments = sorted(file.name for file in (root / "newsfragments").glob("*.*.md"))
    if fragments:
        yield f"newsfragments/ still has {', '.join(fragments)}. Run towncrier build."


def _in_changelog(version: str, root: Path, name: str) -> Iterator[str]:
    title = _match(r"^## (.+)$", root / name)
    if not version or not re.fullmatch(rf"{re.escape(version)} \(\d{{4}}-\d\d-\d\d\)", title):
        yield f"The first section of {name} is '{title}', not '{version} (<year>-<month>-<day>)'."


def _match(pattern: str, file: Path) -> str:
    found = re.search(pattern, file.read_text(), re.MULTILINE)
    return found[1] if found else ""


def main(arguments: list[str]) -> int:
    """Print the problems of the tag that the one argument names; the exit status is 1 if there are any."""
    if len(arguments) != 1:
        print("usage: check_release.py TAG", file=sys.stderr)
        return 2
    found = list(problems(arguments[0]))
    print("\n".join(found) if found else f"{arguments[0]} can be released.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
