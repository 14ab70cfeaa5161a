"""Fault 10.1: a page in a browser can neither change nor read anything of an emulator on the same machine."""

from __future__ import annotations

import json
import socket
import urllib.parse
from collections.abc import Iterator
from pathlib import Path

import pytest

from encord_emulator.process import Emulator
from tests.emulator.callers import Answer, Person
from tests.emulator.test_process import _run

JSON = "application/json"


@pytest.fixture(scope="module")
def encord_emulator() -> Iterator[Emulator]:
    with Emulator.start() as emulator:
        yield emulator


def _raw(url: str, method: str, target: str, headers: list[tuple[str, str]], body: bytes = b"") -> Answer:
    """One request with exactly these header lines, in this order, no `Host` added."""
    place = urllib.parse.urlsplit(url)
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in headers), "Connection: close"]
    if body:
        lines.append(f"Content-Length: {len(body)}")
    with socket.create_connection((place.hostname, place.port), timeout=30) as connection:
        connection.sendall("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, content = received.partition(b"\r\n\r\n")
    first, *rest = head.decode("latin-1").split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in rest)
    return Answer(int(first.split()[1]), fields, content)


def _port(emulator: Emulator) -> str:
    return emulator.url.rpartition(":")[2]


LOOPBACK = ["127.0.0.1", "localhost", "LocalHost", "localhost.", "127.0.0.2", "[::1]", "[::ffff:127.0.0.1]"]
FOREIGN = [
    "evil.example",
    "localhost.evil.com",
    "127.0.0.1.nip.io",
    "evil-localhost",
    "0.0.0.0",
    "[::]",
    "169.254.169.254",
    "10.0.0.1",
    "localhost@evil.com",
    "evil.com#localhost",
    "localhost..",
    "localhost,evil.com",
    "localhost evil.com",
    "[::1].evil.com",
    "127.1",
    "2130706433",
    "",
]


@pytest.mark.parametrize("host", LOOPBACK)
@pytest.mark.parametrize("with_port", [True, False])
def test_a_loopback_host_is_served(encord_emulator: Emulator, host: str, with_port: bool):
    host = f"{host}:{_port(encord_emulator)}" if with_port else host
    assert _raw(encord_emulator.url, "GET", "/_emulator/state", [("Host", host)]).status == 200
    assert _raw(encord_emulator.url, "GET", "/v2/public/projects", [("Host", host)]).status == 401
    assert _raw(encord_emulator.url, "GET", "/object-store/x", [("Host", host)]).status == 403


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("target", ["/_emulator/state", "/_emulator/journal", "/", "/v2/public/projects", "/nothing"])
def test_a_host_that_is_no_loopback_is_refused_everywhere(encord_emulator: Emulator, host: str, target: str):
    answer = _raw(encord_emulator.url, "GET", target, [("Host", f"{host}:{_port(encord_emulator)}" if host else "")])
    assert answer.status in (400, 403)
    assert b"users" not in answer.content


@pytest.mark.parametrize("target", ["/public", "/public/user"])
def test_v1_refuses_a_foreign_host_with_a_real_status(encord_emulator: Emulator, target: str):
    assert _raw(encord_emulator.url, "POST", target, [("Host", "evil.example"), ("Content-Type", JSON)]).status == 403


@pytest.mark.parametrize(
    "hosts", [[], ["127.0.0.1", "evil.example"], ["evil.example", "127.0.0.1"], ["127.0.0.1", "127.0.0.1"]]
)
def test_exactly_one_host_header_is_required(encord_emulator: Emulator, hosts: list[str]):
    answer = _raw(encord_emulator.url, "GET", "/_emulator/state", [("Host", host) for host in hosts])
    assert answer.status == 400


@pytest.mark.parametrize(
    ("target", "served"),
    [
        ("http://127.0.0.1{port}/_emulator/state", True),
        ("http://evil.example/_emulator/state", False),
        ("http://127.0.0.1@evil.example/_emulator/state", False),
        ("http://localhost{port}/_emulator/state", False),  # another than the Host header says
        ("//evil.example/_emulator/state", False),
    ],
)
def test_an_absolute_target_must_name_the_same_host(encord_emulator: Emulator, target: str, served: bool):
    port = f":{_port(encord_emulator)}"
    host = f"127.0.0.1{port}"
    answer = _raw(encord_emulator.url, "GET", target.format(port=port), [("Host", host)])
    assert (answer.status == 200) is served
    assert served or b"users" not in answer.content


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://127.0.0.1",  # port 80: another origin
        "http://127.0.0.1:1",
        "https://127.0.0.1:{port}",
        "http://localhost:{port}",  # a loopback too, but not the origin of this request
        "file://",
        "",
    ],
)
@pytest.mark.parametrize("target", ["/_emulator/state", "/v2/public/projects", "/object-store/x", "/"])
def test_a_foreign_origin_is_refused_everywhere(encord_emulator: Emulator, origin: str, target: str):
    port = _port(encord_emulator)
    headers = [("Host", f"127.0.0.1:{port}"), ("Origin", origin.format(port=port))]
    for method in ("GET", "POST", "OPTIONS"):
        answer = _raw(encord_emulator.url, method, target, headers)
        assert answer.status == 403
        assert "Origin" in answer.json["message"]
        assert not [name for name in answer.headers if name.startswith("access-control-")]


@pytest.mark.parametrize("host", ["127.0.0.1:{port}", "LOCALHOST:{port}", "[::1]:{port}"])
def test_the_own_origin_is_served(encord_emulator: Emulator, host: str):
    host = host.format(port=_port(encord_emulator))
    headers = [("Host", host), ("Origin", f"http://{host.lower()}"), ("Sec-Fetch-Site", "same-origin")]
    assert _raw(encord_emulator.url, "GET", "/_emulator/state", headers).status == 200


@pytest.mark.parametrize(
    ("site", "status"), [("cross-site", 403), ("same-site", 403), ("x", 403), ("same-origin", 200), ("none", 200)]
)
def test_a_request_of_another_site_is_refused(encord_emulator: Emulator, site: str, status: int):
    headers = [("Host", f"localhost:{_port(encord_emulator)}"), ("Sec-Fetch-Site", site)]
    assert _raw(encord_emulator.url, "GET", "/_emulator/state", headers).status == status
    assert _raw(encord_emulator.url, "GET", "/", headers).status == status


@pytest.mark.parametrize(
    ("sent", "status"),
    [
        (["text/plain"], 415),
        (["application/x-www-form-urlencoded"], 415),
        (["multipart/form-data; boundary=x"], 415),
        (["text/plain; application/json"], 415),
        (["application/jsonp"], 415),
        ([], 415),
        (["text/plain", JSON], 415),
        ([JSON, "text/plain"], 415),
        ([JSON], 200),
        (["Application/JSON; charset=utf-8"], 200),
    ],
)
def test_a_control_that_changes_something_takes_json_only(encord_emulator: Emulator, sent: list[str], status: int):
    headers = [("Host", f"127.0.0.1:{_port(encord_emulator)}"), *(("Content-Type", kind) for kind in sent)]
    answer = _raw(encord_emulator.url, "POST", "/_emulator/clock", headers, b"{}")
    assert answer.status == status
    assert _raw(encord_emulator.url, "DELETE", "/_emulator/faults", headers, b"{}").status == status


def test_a_page_cannot_map_a_directory_as_a_bucket(encord_emulator: Emulator, tmp_path: Path):
    body = json.dumps({"integration": "x", "url": "s3://x", "directory": str(tmp_path)}).encode()
    for headers in (
        [("Host", "rebound.example"), ("Content-Type", JSON)],
        [("Host", "127.0.0.1"), ("Content-Type", "text/plain")],
        [("Host", "127.0.0.1"), ("Content-Type", JSON), ("Origin", "https://evil.example")],
        [("Host", "127.0.0.1"), ("Content-Type", JSON), ("Sec-Fetch-Site", "cross-site")],
    ):
        assert _raw(encord_emulator.url, "POST", "/_emulator/buckets", headers, body).status in (403, 415)
    owner = Person(encord_emulator.url, "owner@example.com")
    encord_emulator.authorize(owner.public_key, email=owner.email)
    assert owner.rest("GET", "cloud-integrations").json["result"] == []


def test_a_signed_url_holds_for_a_loopback_host_only(encord_emulator: Emulator):
    owner = Person(encord_emulator.url, "owner@example.com")
    encord_emulator.authorize(owner.public_key, email=owner.email)
    url = owner.rest("GET", "presigned-urls?count=1&uploadItemType=image").json["results"][0]["signedUrl"]
    assert url.startswith(encord_emulator.url)
    target = url.removeprefix(encord_emulator.url)
    page = b"<script>fetch('/_emulator/state')</script>"
    kind = ("Content-Type", "text/html")
    assert _raw(encord_emulator.url, "PUT", target, [("Host", "evil.example"), kind], page).status == 403
    answer = _raw(encord_emulator.url, "PUT", target, [("Host", f"127.0.0.1:{_port(encord_emulator)}"), kind], page)
    assert answer.status == 200


@pytest.mark.parametrize("target", ["/", "/_emulator/state", "/object-store/x", "/v2/public/projects"])
def test_no_answer_is_run_or_embedded_by_a_browser(encord_emulator: Emulator, target: str):
    """An uploaded page that is opened from a signed URL would else be of the controls' own origin."""
    answer = _raw(encord_emulator.url, "GET", target, [("Host", "127.0.0.1")])
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cross-origin-resource-policy"] == "same-origin"


def test_a_name_given_at_start_is_served():
    with Emulator.start(allow_hosts=["encord.test", "10.1.2.3"]) as emulator:
        for host in ("encord.test", "ENCORD.test.:99", "10.1.2.3:1"):
            assert _raw(emulator.url, "GET", "/_emulator/state", [("Host", host)]).status == 200
        assert _raw(emulator.url, "GET", "/_emulator/state", [("Host", "x.encord.test")]).status == 403


@pytest.mark.parametrize("name", ["*", "http://x", "x:80", "a b", "", "*.example.com", "ü"])
def test_a_name_that_no_host_can_have_is_refused_at_the_start(name: str):
    refused = _run("serve", "--port", "0", "--allow-host", name)
    assert refused.returncode == 2
    assert "--allow-host" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_the_same_is_refused_where_uvicorn_has_no_httptools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The extra `emulator` does not bring httptools; uvicorn then reads requests in another way."""
    (tmp_path / "httptools.py").write_text("raise ImportError('not here')\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with Emulator.start() as emulator:
        host = f"127.0.0.1:{_port(emulator)}"
        good = ("Host", host)
        path, kind = "/_emulator/state", ("Content-Type", "text/plain")
        assert _raw(emulator.url, "GET", path, [good]).status == 200
        for target, headers in (
            (path, [("Host", "evil.example")]),
            (path, []),
            (path, [good, ("Host", "evil.example")]),
            (path, [good, ("Origin", "null")]),
            (path, [good, ("Sec-Fetch-Site", "same-site")]),
            (f"http://evil.example{path}", [good]),
            (f"//evil.example{path}", [good]),
        ):
            answer = _raw(emulator.url, "GET", target, headers)
            assert answer.status in (400, 403), (target, headers)
            assert b"users" not in answer.content
        assert _raw(emulator.url, "POST", "/_emulator/clock", [good, kind], b"{}").status == 415
