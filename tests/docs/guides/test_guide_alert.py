"""The alert of the guide: at the first attempt of a permanent failure, with the message of the error and no key."""

from __future__ import annotations

import pytest

from tests.airflow_layer.bench import run_dag
from tests.docs.blocks import DOCS, blocks_of
from tests.docs.runner import _dags, _module
from tests.docs.world import World


@pytest.mark.airflow
def test_the_alert_has_the_message_of_the_error_and_no_key(
    world: World, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, value in world.environment().items():
        monkeypatch.setenv(name, value)
    (block,) = [one for one in blocks_of(DOCS / "how-to" / "alert-and-branch.md") if one.language == "python"]
    world.account.emulator.faults([{"match": {"query_type": "labelrow"}, "do": {"v1_error": "AUTHORISATION_ERROR"}}])
    path = world.dags / "alert_of_the_guide.py"
    try:
        (dag,) = _dags(_module(path, world.real(block.text)))
        run = run_dag(dag)
    finally:
        path.unlink()
        world.account.emulator.clear_faults()
    printed = "".join(capfd.readouterr())
    assert (run.state, run.tries["export"]) == ("failed", 1)
    (alert,) = [line for line in printed.splitlines() if line.startswith("export failed: ")]
    assert "has no access to it" in alert
    assert "PRIVATE KEY" not in printed
