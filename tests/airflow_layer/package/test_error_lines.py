"""A log of a failed task: what a person reads first and last is the message."""

from __future__ import annotations

import pytest

from tests.airflow_layer.bench import Account, run_dag
from tests.airflow_layer.dags import fails_at_once

pytestmark = [pytest.mark.airflow, pytest.mark.usefixtures("airflow_database")]
MESSAGE = "project_id: 'Street' is not an id."


def test_the_message_stands_before_and_after_a_short_traceback(
    account: Account, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    assert run_dag(fails_at_once.dag).state == "failed"
    printed = "".join(capfd.readouterr())
    # Airflow 2.11 prints to the stream that was there when its logging began, which may be that of an earlier test.
    lines = (printed if MESSAGE in printed else caplog.text).splitlines()
    print(*lines, sep="\n")
    places = [number for number, line in enumerate(lines) if MESSAGE in line]
    assert len(places) >= 2
    between = lines[places[0] : places[-1]]
    assert any("Traceback" in line or "traceback" in line or "Frame" in line for line in between), between
    assert sum("/airflow_provider_encord/" in line for line in between) <= 6
