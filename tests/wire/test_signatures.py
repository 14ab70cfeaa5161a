"""What we sign is what the vendor's SDK signs: the recorded requests, and any other; and RFC 9421 agrees."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from http_message_signatures import HTTPMessageVerifier, HTTPSignatureKeyResolver, InvalidSignature, algorithms
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from requests import Request

from airflow_provider_encord.client.credentials import ApiKey, SshKey
from tests.client import keys

HERE = Path(__file__).parent
RECORDED = {file.stem: json.loads(file.read_text()) for file in sorted((HERE / "vectors").glob("auth-*.json"))}
TEST_KEY = SshKey.parse(RECORDED["auth-keys"]["private_openssh_pem"])
V1 = [name for name, vector in RECORDED.items() if vector["kind"] == "v1-ssh"]
V2 = [name for name, vector in RECORDED.items() if vector["kind"] == "v2-ssh"]
API_KEY = [name for name, vector in RECORDED.items() if vector["kind"] == "api-key"]


def body_of(vector: dict[str, Any]) -> bytes:
    return (vector["request"]["body"] or "").encode()


def test_the_recorded_requests_are_there() -> None:
    assert (len(V1), len(V2), len(API_KEY)) == (3, 8, 2)


@pytest.mark.parametrize("name", V1)
def test_a_v1_request_is_signed_as_recorded(name: str) -> None:
    vector, sent = RECORDED[name], RECORDED[name]["request"]["headers"]
    headers = TEST_KEY.v1_headers(
        body_of(vector), resource_type=sent["ResourceType"] or None, resource_id=sent["ResourceID"] or None
    )
    assert headers == {header: sent[header] for header in ("Authorization", "ResourceType", "ResourceID")}


@pytest.mark.parametrize("name", V2)
def test_a_v2_request_is_signed_as_recorded(name: str) -> None:
    vector, request = RECORDED[name], RECORDED[name]["request"]
    headers = TEST_KEY.v2_headers(
        method=request["method"],
        target=request["target"],
        body=body_of(vector),
        created=vector["derivation"]["created"],
    )
    assert headers == {header: request["headers"][header] for header in headers}
    assert set(headers) == {"Content-Digest", "Signature-Input", "Signature"}


@pytest.mark.parametrize("name", API_KEY)
def test_an_api_key_is_sent_as_recorded(name: str) -> None:
    sent = RECORDED[name]["request"]["headers"]
    key = ApiKey(sent["Authorization"], sent["ResourceID"])
    headers = key.v1_headers(body_of(RECORDED[name]), resource_type="project", resource_id=None)
    assert headers == {header: sent[header] for header in headers}
    assert not {"ResourceType", "Authorization", "ResourceID"}.intersection(sent).symmetric_difference(headers)


# Beside the SDK

_WORDS = st.text(st.characters(exclude_categories=["Cs"]), max_size=40)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | _WORDS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_WORDS, inner, max_size=4),
    max_leaves=12,
).map(json.dumps)
_BODIES = _JSON | _WORDS
_V1_REQUESTS = st.fixed_dictionaries(
    {
        "body": _BODIES,
        "resource_type": st.sampled_from(["project", "dataset", "ontology", None]),
        "resource_id": st.uuids().map(str) | st.none(),
    }
)
_V2_REQUESTS = st.fixed_dictionaries(
    {
        "method": st.sampled_from(["GET", "POST", "PUT", "PATCH", "DELETE", "get", "Post"]),
        "path": st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12), max_size=4),
        "query": st.lists(st.tuples(_WORDS, _WORDS), max_size=4),
        "body": st.none() | _BODIES,
    }
)


def a_hundred(requests: st.SearchStrategy[dict[str, Any]]) -> list[dict[str, Any]]:
    """Random requests that are signed together, as the SDK takes a second to start."""
    drawn: list[dict[str, Any]] = []

    @settings(
        max_examples=100, phases=[Phase.generate], database=None, deadline=None, suppress_health_check=list(HealthCheck)
    )
    @given(requests)
    def draw(request: dict[str, Any]) -> None:
        drawn.append(request)

    draw()
    return drawn


def url_of(request: dict[str, Any]) -> str:
    """The URL as `requests` prepares it: what the SDK signs, and what goes out."""
    path = "/".join(["/v2/public", *request["path"]])
    prepared = Request("GET", f"https://api.encord.com{path}".replace("#", "%23"), params=request["query"]).prepare()
    assert prepared.url is not None
    return prepared.url


def sdk_python() -> str:
    """The interpreter of the environment that holds the vendor's SDK."""
    default = HERE.parents[1] / ".venvs" / "sdk-0.1.211" / "bin" / "python"
    named = os.environ.get("ENCORD_SDK_PYTHON") or str(default)
    if not Path(named).exists():
        pytest.fail(f"{named} does not exist, so the SDK cannot sign beside us: run `make test`, which builds it")
    return named


def signed_by_the_sdk(asked: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        [sdk_python(), HERE / "sdk_signatures.py"],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        cwd=HERE,
    )
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def beside_the_sdk() -> tuple[SshKey, dict[str, Any], dict[str, Any]]:
    """A new key, random requests, and what the SDK signed with both."""
    text = keys.openssh(keys.new_key())
    v2 = [{**request, "url": url_of(request)} for request in a_hundred(_V2_REQUESTS)]
    asked = {"private_key": text, "v1": a_hundred(_V1_REQUESTS), "v2": v2}
    return SshKey.parse(text), asked, signed_by_the_sdk(asked)


def test_v1_is_signed_as_the_sdk_signs(beside_the_sdk: tuple[SshKey, dict[str, Any], dict[str, Any]]) -> None:
    key, asked, answered = beside_the_sdk
    assert len(asked["v1"]) == len(answered["v1"]) >= 50
    for request, signed in zip(asked["v1"], answered["v1"], strict=True):
        headers = key.v1_headers(
            request["body"].encode(), resource_type=request["resource_type"], resource_id=request["resource_id"]
        )
        assert headers == signed


def test_v2_is_signed_as_the_sdk_signs(beside_the_sdk: tuple[SshKey, dict[str, Any], dict[str, Any]]) -> None:
    key, asked, answered = beside_the_sdk
    assert len(asked["v2"]) == len(answered["v2"]) >= 50
    for request, signed in zip(asked["v2"], answered["v2"], strict=True):
        created = re.search(r";created=(\d+);", signed["headers"]["Signature-Input"])
        assert created
        headers = key.v2_headers(
            method=request["method"],
            target=signed["target"],
            body=(request["body"] or "").encode(),
            created=int(created[1]),
        )
        assert headers == signed["headers"]


# Beside RFC 9421


class _Resolver(HTTPSignatureKeyResolver):  # type: ignore[misc]
    def resolve_public_key(self, key_id: str) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(bytes.fromhex(key_id))


class _Verifier(HTTPMessageVerifier):  # type: ignore[misc]
    allow_label_only_selection = True  # Encord's signature has a label and no tag


def verify(method: str, url: str, headers: dict[str, str], body: bytes) -> Any:
    verifier = _Verifier(signature_algorithm=algorithms.ED25519, key_resolver=_Resolver())
    message = Request(method, url, headers=headers, data=body or None).prepare()
    return verifier.verify(message, max_age=None, expect_label="encord-sig", body=body)


@pytest.mark.filterwarnings("ignore:Using only a label")
@given(_V2_REQUESTS, st.integers(1, 1767225600))
@settings(deadline=None, max_examples=50)
def test_v2_is_a_message_signature_by_rfc_9421(request: dict[str, Any], created: int) -> None:
    url = url_of(request)
    target = Request("GET", url).prepare().path_url
    body = (request["body"] or "").encode()
    headers = TEST_KEY.v2_headers(method=request["method"], target=target, body=body, created=created)
    (result,) = verify(request["method"], url, headers, body)
    assert result.label == "encord-sig"
    assert list(result.covered_components) == [
        '"@method"',
        '"@request-target"',
        '"content-digest"',
        '"@signature-params"',
    ]


@pytest.mark.filterwarnings("ignore:Using only a label")
@pytest.mark.parametrize("change", ["method", "url", "digest", "body", "created"])
def test_a_changed_request_no_longer_agrees_with_its_signature(change: str) -> None:
    method, target, body = "POST", "/v2/public/datasets?a=b", b"{}"
    url = f"https://api.encord.com{target}"
    headers = TEST_KEY.v2_headers(method=method, target=target, body=body, created=1767225600)
    verify(method, url, headers, body)
    match change:
        case "method":
            method = "PUT"
        case "url":
            url += "c"
        case "body":
            body += b" "
        case "digest":
            headers["Content-Digest"] = TEST_KEY.v2_headers(method=method, target=target, body=b"", created=1)[
                "Content-Digest"
            ]
            body = b""
        case "created":
            headers["Signature-Input"] = headers["Signature-Input"].replace("1767225600", "1767225601")
    with pytest.raises(InvalidSignature):
        verify(method, url, headers, body)
