"""What goes over the wire is what the vendor's SDK sent, but for what we differ in on purpose.

Each recorded request is made again by our function for it, sent by our transport to a scripted server, and compared as
it arrives there.
"""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import io
import json
import pathlib
import re
import urllib.parse
from typing import Any

import pytest

from airflow_provider_encord.client.api.core.data_items import (
    AUDIO,
    IMAGE,
    NIFTI,
    PDF,
    SCENE,
    TEXT,
    TIME_SERIES,
    VIDEO,
)
from airflow_provider_encord.client.call import Gather, Transfer
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import EncordError
from airflow_provider_encord.client.flows.upload_target import UploadTarget
from airflow_provider_encord.client.transport.results import result
from airflow_provider_encord.client.transport.settings import Settings
from airflow_provider_encord.client.transport.sync import SyncTransport
from airflow_provider_encord.sources.files import find_files
from airflow_provider_encord.uploads.transfer import send_files
from tests.client.network import plain_network
from tests.client.scripted_server import Received, ScriptedServer, answer
from tests.wire.answers import answer_of
from tests.wire.arguments import call_of
from tests.wire.scope import FLOWS, in_scope, replayed
from tests.wire.subjects import operation_of
from tests.wire.vectors import Exchange, Vector, ssh_key, vectors

__all__ = ["plain_network"]
pytestmark = pytest.mark.usefixtures("plain_network")

REPLAYED = [pytest.param(exchange, key, id=exchange.label) for exchange, key in replayed()]

OURS_ALWAYS = {
    "user-agent": "a client names itself (protocol, 2.6)",
    "x-cloud-trace-context": "sent under API keys too: Encord's support asks for it",
    "accept": "sent on v2 too",
    "accept-encoding": "gzip on v2 too: answers are large",
}
"""Headers in which we differ on purpose, with the reason."""

OF_HTTP = {"host", "connection", "content-length"}  # left out of the vectors

VOLATILE = {
    "<public key hex>:<v1 signature hex>": r"[0-9a-f]{64}:[0-9a-f]{128}",
    "<sha-256 digest of the body bytes>": r"sha-256=:[A-Za-z0-9+/]{43}=:",
    "<v2 signature input>": r'encord-sig=\("@method" "@request-target" "content-digest"\);created=\d+;keyid=".*',
    "<v2 signature>": r"encord-sig=:[A-Za-z0-9+/]{86}==:",
}


def _sent(exchange: Exchange, key: tuple[str, str]) -> Received:
    """What our transport makes of our call."""
    with ScriptedServer() as server:
        server.will(answer(exchange.response["status"], text=exchange.body))
        transport = SyncTransport(exchange.credential, Settings(base_url=server.url), sleep=lambda seconds: None)
        with contextlib.closing(transport), contextlib.suppress(EncordError):  # some of the answers are errors
            transport.send(call_of(exchange, key))
        return server.requests[0]


def _without_deliberate_differences(value: Any) -> Any:
    """A time without an offset means UTC, which we say."""
    if isinstance(value, dict):
        return {
            name: _in_utc(one) if name.endswith(("_before", "_after")) else _without_deliberate_differences(one)
            for name, one in value.items()
        }
    return value


def _in_utc(text: str | None) -> datetime.datetime | None:
    if text is None:
        return None
    moment = datetime.datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)


@pytest.mark.parametrize(("exchange", "key"), REPLAYED)
def test_a_request_is_the_recorded_one(exchange, key):
    recorded, sent = exchange.request, _sent(exchange, key)
    path, _, query = sent.target.partition("?")
    assert (sent.method, path) == (recorded["method"], recorded["path"])
    assert urllib.parse.parse_qs(query) == recorded["query"]
    assert sent.target == recorded.get("target", recorded["path"])
    body = json.loads(sent.body) if sent.body else None
    assert _without_deliberate_differences(_payload(body)) == _without_deliberate_differences(
        _payload(recorded["json"])
    )
    assert _frame(body) == _frame(recorded["json"])


def _payload(body: Any) -> Any:
    return body["values"]["payload"] if isinstance(body, dict) and "values" in body else body


def _frame(body: Any) -> Any:
    """The envelope around the payload."""
    if not (isinstance(body, dict) and "values" in body):
        return None
    return body | {"values": body["values"] | {"payload": None}}, list(body["values"])


@pytest.mark.parametrize(("exchange", "key"), REPLAYED)
def test_the_headers_are_the_recorded_ones(exchange, key):
    recorded = {name.lower(): value for name, value in exchange.request["headers"].items()}
    sent = _sent(exchange, key).headers
    assert sent.keys() - recorded.keys() <= OURS_ALWAYS.keys() | OF_HTTP
    assert recorded.keys() <= sent.keys()
    for name in recorded.keys() - {"user-agent", "x-cloud-trace-context"}:
        pattern = VOLATILE.get(recorded[name])
        if pattern:
            assert re.fullmatch(pattern, sent[name]), f"{name}: {sent[name]}"
        else:
            assert sent[name] == recorded[name], name


@pytest.mark.parametrize(("exchange", "key"), REPLAYED)
def test_only_the_kind_of_credential_that_was_recorded_is_needed(exchange, key):
    assert exchange.credential.kind in call_of(exchange, key).credentials


def test_a_request_names_us_and_not_the_sdk():
    exchange, key = next(replayed())
    headers = _sent(exchange, key).headers
    assert headers["user-agent"].startswith("airflow-provider-encord/")
    assert "encord-sdk" not in headers["user-agent"]


UPLOADS = [
    vector
    for vector in vectors()
    if vector.key in FLOWS and in_scope(vector) and vector.operation.startswith("dataset.upload_")
]


@pytest.mark.parametrize("vector", UPLOADS, ids=lambda one: one.name)
def test_a_file_is_put_as_the_sdk_put_it(vector, tmp_path):
    urls, put = vector.exchanges[0], vector.exchanges[1].request
    path = tmp_path / _title(vector)
    path.write_text(put["body_text"])
    target = UploadTarget(dataset="bbbbbbbb-0000-4000-8000-000000000001", credential=urls.credential.kind)
    flow = send_files(target, find_files(str(path), pathlib.Path))
    call = next(flow)
    together = flow.send(result(call, answer_of(urls)))
    assert isinstance(together, Gather)
    (transfer,) = together.steps
    with transfer.open() as file:
        assert file.read(1000) == put["body_text"].encode()
    assert (transfer.url, transfer.size) == (put["url"], put["body_bytes"])
    assert transfer.headers == put["headers"]


@pytest.mark.parametrize("vector", UPLOADS, ids=lambda one: one.name)
def test_a_put_adds_to_the_headers_of_the_transfer_only_our_name_and_what_http_needs(vector):
    put = vector.exchanges[1].request
    content = put["body_text"].encode()
    with ScriptedServer() as server, EncordClient(ssh_key(), Settings(base_url=server.url)) as client:
        server.will(answer(200))
        transfer = Transfer(
            url=server.url + "/bucket/1?X-Sig=1",
            open=lambda: io.BytesIO(content),
            size=len(content),
            headers=put["headers"],
            title="cat.jpg",
        )
        client.run(iter(transfer))
    (sent,) = server.requests
    recorded = {name.lower(): value for name, value in put["headers"].items()}
    extra = sent.headers.items() - recorded.items()
    assert recorded.items() <= sent.headers.items()
    assert {name for name, _ in extra} <= OF_HTTP | {"user-agent", "accept", "accept-encoding"}
    assert (sent.method, sent.target, sent.body) == ("PUT", "/bucket/1?X-Sig=1", content)


FOLDER_UPLOADS = [
    vector for vector in vectors() if vector.operation.startswith("storage.upload_") and vector.key in FLOWS
    and vector.exchanges[1].to_object_store
]  # fmt: skip
KINDS_BY_NAME = {"pdf": PDF, "text": TEXT, "nifti": NIFTI, "time_series": TIME_SERIES, "scene_file": SCENE}
KINDS_BY_NAME |= {"image": IMAGE, "video": VIDEO, "audio": AUDIO}


@pytest.mark.parametrize("vector", FOLDER_UPLOADS, ids=lambda one: one.name)
def test_a_file_of_a_folder_is_put_and_registered_as_the_sdk_did_it(vector, tmp_path):
    urls, put, start = (exchange.request for exchange in vector.exchanges[:3])
    ((_, (entry,)),) = [(name, one) for name, one in start["json"]["dataItems"].items() if one and one is not True]
    path = tmp_path / entry["title"]
    path.write_bytes(put["body_text"].encode() if "body_text" in put else bytes(put["body_bytes"]))
    (file,) = find_files(str(path), pathlib.Path, kind=KINDS_BY_NAME[vector.operation.removeprefix("storage.upload_")])
    details = next(
        (entry[name] for name in entry if name.endswith(("Metadata", "settings")) and "client" not in name), None
    )
    file = dataclasses.replace(file, client_metadata=entry["clientMetadata"], details=details)
    target = UploadTarget(folder="dddddddd-0000-4000-8000-000000000001", credential="ssh_key")

    flow = send_files(target, [file])
    call = next(flow)
    assert (call.request.method, call.request.path) == (urls["method"], urls["path"])
    together = flow.send(result(call, answer_of(vector.exchanges[0])))
    (transfer,) = together.steps
    assert (transfer.url, transfer.size, dict(transfer.headers)) == (put["url"], put["body_bytes"], put["headers"])
    with transfer.open() as opened:
        opened.read(put["body_bytes"])
    with pytest.raises(StopIteration) as ended:
        flow.send([None])
    ((stored,), failures) = ended.value.value
    assert failures == []
    sent = dict(target.start([stored.entry], skip_duplicate_urls=False).request.json)
    assert sent == {**start["json"], "ignoreErrors": True}


def _title(vector: Vector) -> str:
    for exchange in vector.exchanges:
        if operation_of(exchange.request) == ("upload.start", "v1"):
            items = exchange.request["json"]["values"]["payload"]["dataItems"]
            return str((items["images"] or items["videos"])[0]["title"])
    return "cat.jpg"
