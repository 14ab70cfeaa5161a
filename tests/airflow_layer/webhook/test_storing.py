"""Two processes that store the same delivery at the same moment."""

from __future__ import annotations

import concurrent.futures
import threading

import pytest

from airflow_provider_encord.webhook import storing
from airflow_provider_encord.webhook.announcing import NOTHING_LOOKED_UP, Target
from airflow_provider_encord.webhook.deliveries import Delivery, read_delivery
from airflow_provider_encord.webhook.storing import REPEATED, STORED, EventStore, Work
from tests.airflow_layer.webhook.receivers import Project, events
from tests.webhook.signed import body_of, labels, work

pytestmark = pytest.mark.airflow
ROUNDS = 15


def test_the_same_delivery_at_two_processes_at_once_is_stored_once(project: Project) -> None:
    target = Target(asset_uri=project.stage_uri, project_id=project.id, stage_id=project.stage, project_url=None)
    stores = [EventStore(300), EventStore(300)]  # they share only the database, as two processes do
    barrier = threading.Barrier(len(stores))

    def store(own: EventStore, delivery: Delivery) -> str:
        barrier.wait(30)
        ((status,),) = own.store([Work(target=target, deliveries=[delivery], found=NOTHING_LOOKED_UP)])
        return status

    with concurrent.futures.ThreadPoolExecutor(len(stores)) as threads:
        for number in range(ROUNDS):
            delivery = read_delivery(body_of(work(project.id, project.stage)), f"digest {number}", 0.0)
            assert isinstance(delivery, Delivery)
            statuses = list(threads.map(store, stores, [delivery] * len(stores)))
            assert sorted(statuses) == [REPEATED, STORED]
    assert len(events(project.stage_uri)) == ROUNDS


def test_more_assets_than_histories_are_kept_fit_into_one_transaction(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "_MOST_HISTORIES", 1)
    stage = Target(asset_uri=project.stage_uri, project_id=project.id, stage_id=project.stage, project_url=None)
    rows = Target(asset_uri=project.labels_uri, project_id=project.id, stage_id=None, project_url=None)
    store = EventStore(300)

    def send(*targets: Target) -> list[list[str]]:
        works = []
        for target in targets:
            envelope = work(project.id, project.stage) if target.stage_id else labels(project=project.id)
            delivery = read_delivery(body_of(envelope), f"digest of {envelope['uid']}", 0.0)
            assert isinstance(delivery, Delivery)
            works.append(Work(target=target, deliveries=[delivery], found=NOTHING_LOOKED_UP))
        return store.store(works)

    for first, second in ((stage, rows), (rows, stage)):
        assert send(first) == [[STORED]]
        assert send(first, second) == [[STORED], [STORED]]
