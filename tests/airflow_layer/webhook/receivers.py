"""A receiver in this process, assets in Airflow's database, and the events that deliveries lead to."""

from __future__ import annotations

import json
import uuid
from typing import Any

from airflow_provider_encord.assets import labels_uri, stage_uri
from airflow_provider_encord.webhook.settings import ReceiverSettings
from tests.webhook.signed import SECRET, body_of, headers_of

HOST = "api.encord.com"


def settings(*projects: str, **changed: Any) -> ReceiverSettings:
    """Settings of a receiver for these projects."""
    return ReceiverSettings(**{"secrets": (SECRET,), "project_ids": frozenset(projects), **changed})


def add_asset(uri: str, *, active: bool = True) -> None:
    """Store an asset, as the DAG processor does for a DAG that is scheduled on it."""
    from airflow.models.asset import AssetActive, AssetModel
    from airflow.utils.session import create_session

    with create_session() as session:
        session.add(AssetModel(name=uri, uri=uri, group="asset", extra={}))
        session.flush()
        if active:
            session.add(AssetActive(name=uri, uri=uri))


def events(uri: str) -> list[dict[str, Any]]:
    """The `extra` of the events of an asset, oldest first."""
    from airflow.models.asset import AssetEvent, AssetModel
    from airflow.utils.session import create_session
    from sqlalchemy import select

    with create_session() as session:
        query = select(AssetEvent.extra).join(AssetModel, AssetModel.id == AssetEvent.asset_id)
        return [dict(extra) for extra in session.scalars(query.where(AssetModel.uri == uri).order_by(AssetEvent.id))]


class Project:
    """A project that is only known here: ids, and active assets for a stage and for the labels.

    :param host: Host of the API.
    """

    def __init__(self, host: str = HOST) -> None:
        self.id, self.stage = str(uuid.uuid4()), str(uuid.uuid4())
        self.stage_uri, self.labels_uri = stage_uri(host, self.id, self.stage), labels_uri(host, self.id)
        add_asset(self.stage_uri)
        add_asset(self.labels_uri)


class Receiver:
    """The app, without a socket. Use it as a context manager.

    :param settings: Of the receiver.
    """

    def __init__(self, settings: ReceiverSettings):
        from starlette.testclient import TestClient

        from airflow_provider_encord.webhook.app import create_app

        self.client = TestClient(create_app(settings), raise_server_exceptions=True)

    def __enter__(self) -> Receiver:
        self.client.__enter__()
        return self

    def __exit__(self, *exception: Any) -> None:
        self.client.__exit__(*exception)

    def send(self, content: Any, headers: dict[str, str] | None = None, **signing: Any) -> tuple[int, Any]:
        """Send a body, signed unless headers are given; status and JSON of the response."""
        body = content if isinstance(content, bytes) else body_of(content)
        answer = self.client.post("/webhook", content=body, headers=headers or headers_of(body, **signing))
        return answer.status_code, answer.json()


def main() -> None:
    """In a process of its own: send what comes on standard input, and write status and answer."""
    import sys

    asked = json.load(sys.stdin)
    with Receiver(settings(*asked["projects"])) as receiver:
        print("answer:", json.dumps(receiver.send(asked["body"].encode(), asked["headers"])))


if __name__ == "__main__":
    main()
