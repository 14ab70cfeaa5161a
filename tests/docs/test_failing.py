"""Each connection that is broken on purpose is explained on the page where users look it up, and nothing else is."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from airflow_provider_encord.hooks.encord import EncordHook
from encord_emulator.process import Emulator
from tests.airflow_layer.bench import SSH_CONNECTION, Account
from tests.airflow_layer.breaking_connections import Around
from tests.airflow_layer.broken_connections import CASES, Case
from tests.docs.blocks import DOCS

NOBODY = 65534
_ROWS = re.findall(
    r"^\| ([^|]+?) \| [^|]+ \| [^|]+ \|$", (DOCS / "connection" / "failing.md").read_text(), re.MULTILINE
)
EXPLAINED = [row for row in _ROWS if row != "message"]
seen: dict[str, list[str]] = {}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_message_of_a_broken_connection_is_explained(
    case: Case, emulator: Emulator, plain_network: None, tmp_path: Path
) -> None:
    message = message_of(case, emulator, tmp_path)
    seen[case.name] = [row for row in EXPLAINED if fits(row, message)]
    assert seen[case.name], f"no row of connection/failing.md says: {message}"


def test_every_message_that_is_explained_is_one_that_is_said() -> None:
    if len(seen) < len(CASES):
        pytest.skip("the tests above did not all run")
    said = {row for rows in seen.values() for row in rows}
    assert [row for row in EXPLAINED if row not in said] == []


def fits(row: str, message: str) -> bool:
    """Whether a message has the words of a row; ``...`` stands for anything."""
    parts = (re.escape(part.strip()) for part in row.split("..."))
    return re.search(".*".join(parts), message) is not None


def message_of(case: Case, emulator: Emulator, folder: Path) -> str:
    """What the hook says of a broken connection."""
    try:
        with Around(Account(emulator), folder) as around, pytest.MonkeyPatch.context() as variables:
            broken = case.make(around)
            for name, value in {**broken.environment, SSH_CONNECTION: broken.as_variable()}.items():
                variables.setenv(name, value)
            with _not_root() if "chmod" in case.says else contextlib.nullcontext():
                works, message = EncordHook().test_connection()
    finally:
        emulator.clear_faults()
        emulator.clock(now=None)
    assert not works
    return message


@contextlib.contextmanager
def _not_root() -> Iterator[None]:
    """Root may read every file."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
