"""An import of labels whose process is killed, and the one after it."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.credentials import SshKey
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.prelabels.importing import ImportSpec, import_labels
from airflow_provider_encord.prelabels.report import ImportReport
from airflow_provider_encord.prelabels.sources import prelabels_of
from tests.airflow_layer.bench import Account
from tests.airflow_layer.pre_labels import Model, objects_of
from tests.forks.workers import start_worker


def _load(url: str, key: str, project: str, source: str) -> None:
    def lines(rows: Any) -> Any:
        return prelabels_of(Path(source))

    with EncordClient(SshKey.parse(key), Settings(base_url=url)) as client:
        import_labels(client, ImportSpec(project_id=project), lines, ImportReport(None), check_first=True)


@pytest.fixture
def large(account: Account, tmp_path: Path) -> Iterator[Model]:
    yield Model(account, tmp_path, rows=200)
    account.emulator.clear_faults()


@pytest.mark.parametrize("saved", [1, 3])
def test_an_import_that_is_killed_is_finished_by_the_next(large: Model, saved: int) -> None:
    source = large.write(*large.lines())
    large.emulator.faults([{"match": {"query_type": "labelrow"}, "do": {"delay_s": 0.2}}])
    process = start_worker(_load, large.emulator.url, large.account.private_key, large.project, source)
    deadline = time.monotonic() + 60
    try:
        while large.changes().count(("labelrow", "POST")) < saved:
            assert process.is_alive(), "it ended before it could be killed"
            assert time.monotonic() < deadline, "it did not save in time"
            time.sleep(0.02)
    finally:
        process.kill()
        process.join()
    assert process.exitcode == -signal.SIGKILL
    large.emulator.clear_faults()
    result = large.load(source)
    assert result["created"] + result["updated"] + result["unchanged"] == 200
    assert result["unchanged"] >= 50 * (saved - 1)
    assert {len(objects_of(row)) for row in large.labels().values()} == {2}
