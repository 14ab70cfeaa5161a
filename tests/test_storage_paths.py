"""The lock of a directory: one at a time where the disk has locks, and never a wait without an end."""

from __future__ import annotations

import logging
import threading
from pathlib import Path

import pytest

from airflow_provider_encord import storage_paths
from airflow_provider_encord.storage_paths import locked


def test_one_waits_until_the_other_has_left_the_directory(tmp_path: Path) -> None:
    inside, steps = threading.Event(), list[str]()

    def other() -> None:
        inside.wait(30)
        with locked(tmp_path):
            steps.append("the other")

    thread = threading.Thread(target=other)
    thread.start()
    with locked(tmp_path):
        inside.set()
        thread.join(0.3)
        assert thread.is_alive()
        steps.append("the first")
    thread.join(30)
    assert steps == ["the first", "the other"]


def test_a_lock_that_a_stopped_process_keeps_is_waited_for_only_so_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(storage_paths, "LOCK_SECONDS", 0.2)
    entered = []
    with caplog.at_level(logging.WARNING), locked(tmp_path), locked(tmp_path):
        entered.append(True)
    assert entered
    assert f"held the lock of {tmp_path}" in caplog.text


def test_a_lock_goes_with_an_error(tmp_path: Path) -> None:
    with pytest.raises(KeyError), locked(tmp_path):
        raise KeyError
    with locked(tmp_path):
        assert list(tmp_path.iterdir()) == []


def test_a_directory_that_is_not_there_has_no_lock(tmp_path: Path) -> None:
    with locked(tmp_path / "nothing"):
        assert not (tmp_path / "nothing").exists()
