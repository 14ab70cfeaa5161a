"""A task and a trigger that say, on purpose, everything that their connection holds: only masking can hide it.

For the DAG in `dags/`; a module, because the triggerer imports a trigger by name.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

from airflow import __version__ as airflow_version
from airflow.providers.common.compat.sdk import BaseHook, BaseOperator
from airflow.triggers.base import BaseTrigger, TriggerEvent

from airflow_provider_encord.hooks.encord import EncordHook

AIRFLOW_3 = int(airflow_version.partition(".")[0]) >= 3
SECRET_FIELDS = ("private_key", "private_key_passphrase", "api_key")
BEGINS, ENDS = "A secret is here: <", "> and here it ends."
SAID = re.compile(re.escape(BEGINS) + ".*?" + re.escape(ENDS), re.DOTALL)
PATIENCE = 240  # seconds


def without_said(text: str) -> str:
    """A text without what was said on purpose. Several processes write to one console, a line each: what one says may
    stand within what another says, so an end belongs to the last beginning that has none.

    :raises ValueError: Beginnings and ends are not pairs.
    """
    kept, depth, at = [], 0, 0
    for mark in re.finditer(f"{re.escape(BEGINS)}|{re.escape(ENDS)}", text):
        begins = mark.group() == BEGINS
        if begins and depth == 0:
            kept.append(text[at : mark.start()])
        depth, at = depth + (1 if begins else -1), mark.end()
        if depth < 0:
            raise ValueError("A secret ends that did not begin.")
    if depth:
        raise ValueError(f"{depth} secrets begin and do not end.")
    return "".join([*kept, text[at:]])


def secrets_of(conn_id: str) -> list[str]:
    """What a connection holds, as a careless author would get at it."""
    extra = json.loads(BaseHook.get_connection(conn_id).extra or "{}")
    return [extra[field] for field in SECRET_FIELDS if extra.get(field)]


def sayings(secrets: list[str]) -> Iterator[str]:
    """Each secret, and each line of it, in every form that a log line takes without being asked to."""
    for secret in secrets:
        forms = [secret, repr(secret), json.dumps(secret), quote(secret, safe=""), quote(secret)]
        forms += [str({"private_key": secret}), repr([secret]), json.dumps({"private_key": [secret]})]
        for line in secret.splitlines():
            forms += [line, repr([line]), json.dumps(line), quote(line, safe=""), f"x={line};"]
        yield from (BEGINS + form + ENDS for form in forms)


def tell(secrets: list[str], say: Callable[[str], object]) -> None:
    """Say each of them."""
    for saying in sayings(secrets):
        say(saying)


class TellingTrigger(BaseTrigger):
    """Says the secrets of a connection in the triggerer, and waits for a file.

    :param encord_conn_id: The connection.
    :param until: The file; without it, the trigger ends after `PATIENCE` seconds and says so.
    """

    def __init__(self, *, encord_conn_id: str, until: str):
        super().__init__()  # type: ignore[no-untyped-call]
        self.encord_conn_id, self.until = encord_conn_id, until

    def serialize(self) -> tuple[str, dict[str, Any]]:
        """As Airflow stores it."""
        return "tests.leaks.telling.TellingTrigger", {"encord_conn_id": self.encord_conn_id, "until": self.until}

    async def run(self) -> AsyncIterator[TriggerEvent]:
        """Say them, then wait."""
        secrets = await asyncio.to_thread(self._open)
        tell(secrets, self.log.warning)
        deadline = time.monotonic() + PATIENCE
        while not await asyncio.to_thread(Path(self.until).exists):
            if time.monotonic() > deadline:
                yield TriggerEvent(f"{self.until} did not come")  # type: ignore[no-untyped-call]
                return
            await asyncio.sleep(0.5)
        yield TriggerEvent("said")  # type: ignore[no-untyped-call]

    def _open(self) -> list[str]:
        with EncordHook(self.encord_conn_id) as hook:
            hook.get_conn()
            return secrets_of(self.encord_conn_id)


class TellingOperator(BaseOperator):
    """Defers to a `TellingTrigger`, then says them as well."""

    template_fields = ("encord_conn_id", "until", "said")

    def __init__(self, *, encord_conn_id: str, until: str, said: str = "", **kwargs: Any):
        super().__init__(**kwargs)
        self.encord_conn_id, self.until, self.said = encord_conn_id, until, said

    def execute(self, context: Any) -> None:
        """Defer."""
        trigger = TellingTrigger(encord_conn_id=self.encord_conn_id, until=self.until)
        self.defer(trigger=trigger, method_name="resume")

    def resume(self, context: Any, event: str) -> str:
        """Tell in the task that goes on, which is a new process."""
        with EncordHook(self.encord_conn_id) as hook:
            hook.get_conn()
        tell(secrets_of(self.encord_conn_id), self.log.info)
        if event != "said":
            raise RuntimeError(event)
        return event
