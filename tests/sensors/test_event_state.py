"""What a watcher does if Airflow cannot keep its state."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from airflow_provider_encord.triggers import event_state
from airflow_provider_encord.triggers.event_state import WatchState
from airflow_provider_encord.watches.stage_watch import StageMemory
from tests.airflow_layer.lines import needs_asset_state


class Failing:
    """A state that fails some times, and then is empty."""

    def __init__(self, *errors: Exception) -> None:
        self.errors = list(errors)

    async def aget(self, _: str) -> Any:
        if self.errors:
            raise self.errors.pop(0)
        return {"first_seen": {"a": 1.0}}


def loaded(store: Any) -> tuple[StageMemory, bool]:
    state = WatchState(store, "key", StageMemory)
    return asyncio.run(asyncio.wait_for(state.load(StageMemory()), 20)), state.keeps


def test_a_state_that_cannot_be_read_for_a_while_is_read_later(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(event_state, "_AGAIN", 0.01)
    memory, keeps = loaded(Failing(RuntimeError("locked"), ValueError("not a reference of this backend")))
    assert (memory.first_seen, keeps) == ({"a": 1.0}, True)
    assert "not a reference of this backend" in caplog.text


@needs_asset_state
def test_equal_watchers_of_several_assets_go_on_without_a_state(caplog: pytest.LogCaptureFixture) -> None:
    from airflow.sdk import Asset
    from airflow.sdk.execution_time.context import AssetStateStoreAccessors

    store = AssetStateStoreAccessors(inlets=[Asset("one"), Asset("two")])
    assert loaded(store) == (StageMemory(), False)
    assert "Pass asset_name to the trigger of each asset" in caplog.text
