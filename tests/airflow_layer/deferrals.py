"""Run an operator as Airflow does when it defers: each resumption is a new operator that knows nothing."""

from __future__ import annotations

import asyncio
import functools
import importlib
import json
from collections.abc import Callable
from typing import Any

from airflow.providers.common.compat.sdk import TaskDeferred
from airflow.triggers.base import BaseTrigger


def run_deferred(
    make: Callable[[], Any],
    context: dict[str, Any] | None = None,
    *,
    while_deferred: Callable[[int], None] = lambda number: None,
) -> Any:
    """Execute an operator to its end, through all its deferrals.

    :param make: Makes the operator; called again for each resumption.
    :param while_deferred: Called during each deferral, with its number, from 0.
    :return: What the task returns.
    """
    context = context or {}
    method: str = "execute"
    arguments: dict[str, Any] = {}
    number = 0
    while True:
        try:
            return getattr(make(), method)(context, **arguments)
        except TaskDeferred as deferred:
            event = _event(deferred.trigger, functools.partial(while_deferred, number))
            method, arguments = deferred.method_name, {**(deferred.kwargs or {}), "event": event}
            number += 1


def _event(trigger: BaseTrigger, meanwhile: Callable[[], None]) -> Any:
    """The payload of the trigger's event, as Airflow stores and restores both."""
    path, stored = trigger.serialize()
    module, _, name = path.rpartition(".")
    meanwhile()
    arguments = json.loads(json.dumps(stored))
    if "poll_interval" in arguments:
        arguments["poll_interval"] = 0.05
    restored = getattr(importlib.import_module(module), name)(**arguments)

    async def first() -> Any:
        return (await anext(restored.run())).payload

    return json.loads(json.dumps(asyncio.run(asyncio.wait_for(first(), 60))))
