"""A whole run: reads with every connection, then the checks of the facts."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import UnexpectedResponseError
from airflow_provider_encord.smoke.facts import FACTS, Fact, check_fact
from airflow_provider_encord.smoke.readings import begin, read_everything
from airflow_provider_encord.smoke.summary import Checked, Run
from airflow_provider_encord.smoke.transport import Ledger
from airflow_provider_encord.smoke.visit import Reply, Visit

MOST_REQUESTS = {"ssh_key": 130, "api_key": 30}


class ConnectionFailedError(Exception):
    """The first read of a connection failed, so the run ended.

    :param connection_id: Id of the connection.
    """

    def __init__(self, message: str, connection_id: str):
        super().__init__(message)
        self.connection_id = connection_id


@dataclasses.dataclass(frozen=True)
class Selection:
    """The project and the dataset to read; None reads the first ones that are listed."""

    project_id: str | None = None
    dataset_id: str | None = None


FIRST_LISTED = Selection()


def budget(clients: Iterable[EncordClient]) -> int:
    """The highest number of requests."""
    return sum(MOST_REQUESTS[client.credential.kind] for client in clients)


def read_and_check(
    clients: Mapping[str, EncordClient], selection: Selection = FIRST_LISTED, sleep: Callable[[float], Any] = time.sleep
) -> Run:
    """Send all reads, one after the other, and check the facts.

    :param clients: By ids of their connections. Only their credentials and settings are used.
    :raises ConnectionFailedError: A connection does not work.
    """
    started = time.monotonic()
    ledger = Ledger(most=budget(clients.values()))
    visits = {name: Visit(client.credential, client.settings, ledger, sleep) for name, client in clients.items()}
    try:
        for name, visit in visits.items():
            _require_working(begin(visit), name)
            read_everything(visit, selection.project_id, selection.dataset_id)
            _require_some_answer(visit, name)
        checked = [_checked(fact, list(visits.values())) for fact in FACTS]
    finally:
        for visit in visits.values():
            visit.close()
    return Run(visits=list(visits.values()), checked=checked, requests=ledger.sent, seconds=time.monotonic() - started)


def _checked(fact: Fact, visits: Sequence[Visit]) -> Checked:
    started = time.monotonic()
    before = [len(visit.probes) for visit in visits]
    finding = check_fact(fact, visits)
    requests = [reply for visit, number in zip(visits, before, strict=True) for reply in visit.probes[number:]]
    return Checked(fact=fact, finding=finding, requests=requests, seconds=time.monotonic() - started)


def _require_working(first: Reply, connection_id: str) -> None:
    """Check the first reply. An answer of another form or a missing scope does not end the run."""
    works = first.answered or isinstance(first.error, UnexpectedResponseError) or first.code == "OPERATION_NOT_ALLOWED"
    if not works:
        raise ConnectionFailedError(f"The first read failed: {first.description}.", connection_id)


def _require_some_answer(visit: Visit, connection_id: str) -> None:
    """Check that at least one answer has the form of Encord's answers."""
    if not any(reply.answered or reply.code for reply in visit.replies):
        raise ConnectionFailedError("No answer has the form of Encord's answers.", connection_id)
