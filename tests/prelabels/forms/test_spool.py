"""What is put in under keys comes out by key, in order, and leaves nothing on the disk."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.client.errors import UnavailableError
from airflow_provider_encord.prelabels.streams import spool as module
from airflow_provider_encord.prelabels.streams.spool import Spool


@given(st.lists(st.tuples(st.text(max_size=3), st.binary(max_size=5)), max_size=40))
def test_entries_come_out_by_key_in_their_order(entries: list[tuple[str, bytes]]) -> None:
    entries = [(key.encode("utf-8", "replace").decode(), content) for key, content in entries]
    expected: dict[str, list[bytes]] = {}
    for key, content in entries:
        expected.setdefault(key, []).append(content)
    with Spool() as spool:
        for key, content in entries:
            spool.add(key, content)
        assert [(key, spool.entries(key)) for key in spool.keys()] == [*expected.items()]  # noqa: SIM118


def test_many_entries_are_written_as_they_arrive_and_removed_at_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    with Spool() as spool:
        for number in range(25_000):
            spool.add(str(number % 7), b"x" * 100)
        (file,) = tmp_path.glob("*/entries")
        assert file.stat().st_size > 2_000_000
        assert sum(len(spool.entries(key)) for key in spool.keys()) == 25_000  # noqa: SIM118
    assert [*tmp_path.iterdir()] == []


def test_a_full_disk_is_an_error_that_a_retry_may_mend() -> None:
    with Spool() as spool:
        spool._database.execute("PRAGMA max_page_count = 10")
        for _ in range(module._AT_ONCE - 1):
            spool.add("key", b"x" * 1000)
        with pytest.raises(UnavailableError, match="it cannot be sorted in the temporary directory"):
            spool.add("key", b"x" * 1000)
