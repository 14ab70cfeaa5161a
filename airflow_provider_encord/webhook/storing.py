"""Writing asset events into Airflow's database, each delivery once, whichever process of the API server it reaches.

Airflow has no public interface for this inside of the API server. This module is the only one here that uses Airflow's
models, as the endpoint ``POST /api/v2/assets/events`` does on every line of Airflow 3.
"""

from __future__ import annotations

import datetime
import logging
import time
from collections.abc import Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import msgspec

from airflow_provider_encord.webhook.announcing import Found, Target, payloads
from airflow_provider_encord.webhook.deliveries import Delivery
from airflow_provider_encord.webhook.history import DELIVERIES, AssetHistory

if TYPE_CHECKING:
    from airflow.models.asset import AssetModel
    from sqlalchemy.orm import Session

STORED = "stored"
REPEATED = "repeated"
NOTHING_NEW = "nothing new"
NO_ASSET = "no asset"
_MOST_HISTORIES = 1000
_HISTORY_SECONDS = 2 * 24 * 3600.0
_log = logging.getLogger(__name__)


class Work(msgspec.Struct, frozen=True, kw_only=True):
    """Deliveries to be stored as events of one asset.

    :param found: What was looked up for them.
    """

    target: Target
    deliveries: Sequence[Delivery]
    found: Found


class EventStore:
    """Stores asset events.

    :param tolerance_seconds: How far the time of a signature may be from now.
    """

    def __init__(self, tolerance_seconds: float):
        self._window_seconds = 2 * tolerance_seconds
        self._histories: dict[str, AssetHistory] = {}

    def store(self, works: Sequence[Work]) -> list[list[str]]:
        """Store deliveries in one transaction. Blocks.

        :return: For each work, the status of each of its deliveries.
        """
        from airflow.utils.session import create_session

        with create_session() as session:
            assets = _lock_assets({work.target.asset_uri for work in works}, session)
            self._forget_histories(keep=assets)
            for uri, asset in assets.items():
                self._read_history(uri, asset.id, session)
            seen: set[tuple[str, str]] = set()
            return [self._store(work, assets, seen, session) for work in works]

    def _store(
        self, work: Work, assets: Mapping[str, AssetModel], seen: set[tuple[str, str]], session: Session
    ) -> list[str]:
        uri = work.target.asset_uri
        asset = assets.get(uri)
        if asset is None:
            _log.warning("Asset %s is in no active DAG, so a webhook for it was ignored.", uri)
            return [NO_ASSET] * len(work.deliveries)
        history = self._histories[uri]
        new: dict[str, Delivery] = {}
        for delivery in work.deliveries:
            if not history.knows(delivery) and not {(uri, delivery.uid), (uri, delivery.digest)} & seen:
                new[delivery.digest] = delivery
                seen |= {(uri, delivery.uid), (uri, delivery.digest)}
        status = self._announce(work, list(new.values()), asset, session) if new else REPEATED
        return [status if new.get(delivery.digest) is delivery else REPEATED for delivery in work.deliveries]

    def _announce(self, work: Work, deliveries: Sequence[Delivery], asset: AssetModel, session: Session) -> str:
        history = self._histories[work.target.asset_uri]
        status = NOTHING_NEW
        for payload in payloads(work.target, deliveries, work.found, history, time.time()):
            _register(asset, {"from_trigger": False, "payload": payload, DELIVERIES: _keys(deliveries)}, session)
            status = STORED
        if status == STORED:
            _log.info("%d webhooks became an event of asset %s.", len(deliveries), work.target.asset_uri)
        return status

    def _forget_histories(self, keep: Collection[str]) -> None:
        """Forget the oldest histories if there are too many. They are read again when they are needed."""
        others = [uri for uri in self._histories if uri not in keep]
        for uri in others[: max(0, len(others) + len(keep) - _MOST_HISTORIES)]:
            del self._histories[uri]

    def _read_history(self, uri: str, asset_id: int, session: Session) -> None:
        """Read the events that were stored since the last time."""
        history, now = self._histories.setdefault(uri, AssetHistory(self._window_seconds)), time.time()
        for event_id, at, extra in _events_after(history.last_event_id, asset_id, now - _HISTORY_SECONDS, session):
            history.add(event_id, at, extra)
        history.forget(now)


def _keys(deliveries: Sequence[Delivery]) -> dict[str, str]:
    return {delivery.digest: delivery.uid for delivery in deliveries}


def _lock_assets(uris: set[str], session: Session) -> dict[str, AssetModel]:
    """Lock the assets for this transaction, so that no other process stores the same delivery, and return the active.

    An update locks rows on every database, other than ``SELECT ... FOR UPDATE``. All are locked before anything is
    read, because MySQL fixes what a transaction sees at the first read; and in order, because of deadlocks.
    """
    from airflow.models.asset import AssetModel
    from sqlalchemy import select, update

    for uri in sorted(uris):
        statement = update(AssetModel).where(AssetModel.uri == uri).values(updated_at=AssetModel.updated_at)
        session.execute(statement.execution_options(synchronize_session=False))
    found = session.scalars(select(AssetModel).where(AssetModel.uri.in_(uris), AssetModel.active.has()))
    return {asset.uri: asset for asset in found}


def _events_after(
    event_id: int, asset_id: int, since: float, session: Session
) -> list[tuple[int, float, Mapping[str, Any]]]:
    from airflow.models.asset import AssetEvent
    from sqlalchemy import select

    earliest = datetime.datetime.fromtimestamp(since, datetime.UTC)
    rows = session.execute(
        select(AssetEvent.id, AssetEvent.timestamp, AssetEvent.extra)
        .where(AssetEvent.asset_id == asset_id, AssetEvent.id > event_id, AssetEvent.timestamp > earliest)
        .order_by(AssetEvent.id)
    )
    return [(row.id, row.timestamp.timestamp(), row.extra if isinstance(row.extra, dict) else {}) for row in rows]


def _register(asset: AssetModel, extra: dict[str, Any], session: Session) -> None:
    from airflow.assets.manager import asset_manager

    asset_manager.register_asset_change(asset=asset, extra=extra, source_is_api=True, session=session)
