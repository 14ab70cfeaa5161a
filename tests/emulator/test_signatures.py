"""The recorded signatures of the vendor's SDKs hold, and stop holding as soon as one byte is another."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from encord_emulator.process import Emulator
from encord_emulator.wire import signatures
from tests.emulator.callers import Person, send

VECTORS = Path(__file__).parents[1] / "wire" / "vectors"
RECORDED_KEY = bytes(range(32))


def _recorded(kind: str) -> list[dict[str, Any]]:
    vectors = [json.loads(path.read_text("utf-8")) for path in sorted(VECTORS.glob("auth-*.json"))]
    return [vector for vector in vectors if vector.get("kind") == kind]


V1, V2 = _recorded("v1-ssh"), _recorded("v2-ssh")


def _headers(vector: dict[str, Any]) -> dict[str, str]:
    return {name.lower(): value for name, value in vector["request"]["headers"].items()}


def _body(vector: dict[str, Any]) -> bytes:
    return (vector["request"]["body"] or "").encode()


def _verify_v2(vector: dict[str, Any], now: float, **changed: str) -> str:
    request, headers = vector["request"], _headers(vector)
    target, body = changed.pop("target", request["target"]), changed.pop("body", _body(vector))
    return signatures.verify_v2(request["method"], target, {**headers, **changed}, body, now)


def test_there_are_recorded_signatures_of_both_families():
    assert len(V1) >= 3
    assert len(V2) >= 8


@pytest.mark.parametrize("vector", V1, ids=lambda vector: vector["call"])
def test_a_recorded_v1_signature_holds(vector):
    key = signatures.verify_v1(_headers(vector)["authorization"], _body(vector))
    assert key == vector["derivation"]["authorization"].partition(":")[0]


@pytest.mark.parametrize("vector", V2, ids=lambda vector: vector["call"])
def test_a_recorded_v2_signature_holds(vector):
    key = _verify_v2(vector, vector["clock_unix"])
    assert f'keyid="{key}"' in vector["derivation"]["signature_params"]


@given(st.data())
@settings(max_examples=300, deadline=None)
def test_one_other_byte_of_a_v1_request_is_refused(data):
    vector = data.draw(st.sampled_from(V1))
    parts = [_headers(vector)["authorization"].encode(), _body(vector)]
    which = data.draw(st.integers(0, 1))
    parts[which] = _with_another_byte(data, parts[which])
    with pytest.raises(signatures.SignatureError):
        signatures.verify_v1(parts[0].decode("latin-1"), parts[1])


@given(st.data())
@settings(max_examples=500, deadline=None)
def test_one_other_byte_of_a_v2_request_is_refused(data):
    vector = data.draw(st.sampled_from(V2))
    texts = {name: _headers(vector)[name] for name in ("content-digest", "signature-input", "signature")}
    texts["target"] = vector["request"]["target"]
    which = data.draw(st.sampled_from(sorted(texts)))
    changed = _with_another_byte(data, texts[which].encode()).decode("latin-1")
    with pytest.raises(signatures.SignatureError):
        _verify_v2(vector, vector["clock_unix"], **{which: changed})


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_one_other_byte_of_a_v2_body_is_refused(data):
    vector = data.draw(st.sampled_from([vector for vector in V2 if vector["request"]["body"]]))
    body = _with_another_byte(data, _body(vector))
    with pytest.raises(signatures.SignatureError):
        signatures.verify_v2(
            vector["request"]["method"], vector["request"]["target"], _headers(vector), body, vector["clock_unix"]
        )


def _with_another_byte(data: st.DataObject, text: bytes) -> bytes:
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.integers(0, 255).filter(lambda value: value != text[place]))
    return text[:place] + bytes([other]) + text[place + 1 :]


@pytest.mark.parametrize(
    ("age", "refusal"),
    [(0, None), (30, None), (299, None), (301, "stale"), (-59, None), (-61, "from the future")],
)
def test_a_signature_is_taken_while_it_is_fresh(age, refusal):
    vector = next(vector for vector in V2 if vector["sdk_version"] == "0.1.211")
    now = vector["derivation"]["created"] + age
    if refusal is None:
        _verify_v2(vector, now)
    else:
        with pytest.raises(signatures.SignatureError, match=refusal):
            _verify_v2(vector, now)


@pytest.mark.parametrize(
    "order",
    [
        '("content-digest" "@method" "@request-target");keyid="{key}";alg="ed25519";created={created}',
        '("@request-target" "content-digest" "@method");created={created};alg="ed25519";keyid="{key}"',
        '("@method" "@request-target" "content-digest");created={created};keyid="{key}"',
    ],
)
def test_components_and_parameters_may_come_in_any_order(order):
    person = Person("", "somebody@example.com")
    signed = order.format(key=person.public_hex, created=1000)
    digest = signatures.content_digest(b"{}")
    values = {"@method": "POST", "@request-target": "/v2/public/x?y=1", "content-digest": digest}
    names = signed[2 : signed.index(")") - 1].split('" "')
    base = "\n".join([*(f'"{name}": {values[name]}' for name in names), f'"@signature-params": {signed}'])
    signature = base64.b64encode(person.key.sign(base.encode())).decode()
    headers = {
        "content-digest": digest,
        "signature-input": f"encord-sig={signed}",
        "signature": f"encord-sig=:{signature}:",
    }
    assert signatures.verify_v2("POST", "/v2/public/x?y=1", headers, b"{}", 1000) == person.public_hex


@pytest.mark.parametrize("missing", ["@method", "@request-target", "content-digest"])
def test_each_of_the_three_components_is_required(missing):
    names = [name for name in ("@method", "@request-target", "content-digest") if name != missing]
    text = "encord-sig=(" + " ".join(f'"{name}"' for name in names) + ');created=1;keyid="' + "0" * 64 + '"'
    with pytest.raises(signatures.SignatureError, match="must cover"):
        signatures.parse_input(text)


def test_recorded_requests_are_authenticated_over_the_wire(encord_emulator: Emulator):
    person = Person(encord_emulator.url, "recorded@example.com", Ed25519PrivateKey.from_private_bytes(RECORDED_KEY))
    encord_emulator.authorize(person.public_key, email=person.email)
    for vector in V2:
        encord_emulator.clock(now=f"2026-01-01T00:00:0{vector['clock_unix'] - 1767225600}Z")
        request = vector["request"]
        answer = send(person.url, request["method"], request["target"], request["headers"], _body(vector) or None)
        assert answer.status != 401, (vector["call"], answer.content)


def test_an_unknown_key_is_reported_in_each_family(encord_emulator: Emulator):
    stranger = Person(encord_emulator.url, "stranger@example.com")
    assert stranger.ask("projectwithuserrole", "GET", None, {"filter": {}}).code == "SSH_KEY_NOT_FOUND_ERROR"
    assert stranger.rest("GET", "projects").status == 401


def test_a_stale_signature_is_refused_by_the_emulators_own_clock(encord_emulator: Emulator, owner: Person):
    assert owner.rest("GET", "projects").status == 200
    encord_emulator.clock(advance_s=400)
    refused = owner.rest("GET", "projects")
    assert refused.status == 401
    assert "stale" in refused.json["message"]
