"""Which deliveries are genuine. The vendor's own verifier is the judge where it is installed."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from airflow_provider_encord.webhook.signature import UnverifiedError, verify
from tests.webhook.signed import SECRET, body_of, headers_of, signature, work

BODY = body_of(work())


def digest(body: bytes, headers: dict[str, str], secrets: tuple[str, ...] = (SECRET,), tolerance: int = 300) -> str:
    raw = [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()]
    return verify(raw, body, secrets=secrets, tolerance_seconds=tolerance, now=time.time())


@pytest.mark.parametrize("age", [0, 290, -290])
def test_a_genuine_delivery_is_accepted(age: float) -> None:
    assert len(digest(BODY, headers_of(BODY, age=age))) == 32


@pytest.mark.parametrize("secrets", [("old", SECRET), (SECRET, "new"), ("a", "b", SECRET)])
def test_any_of_several_secrets_fits(secrets: tuple[str, ...]) -> None:
    assert digest(BODY, headers_of(BODY), secrets)


def test_the_same_request_has_the_same_digest_and_another_one_has_not() -> None:
    first = headers_of(BODY)
    assert digest(BODY, first) == digest(BODY, first)
    assert digest(BODY, first) != digest(BODY, headers_of(BODY, age=1))


def _without(name: str) -> dict[str, str]:
    return {header: value for header, value in headers_of(BODY).items() if header != name}


@pytest.mark.parametrize(
    ("body", "headers", "why"),
    [
        (BODY, headers_of(BODY, secret="another"), "does not fit"),
        (BODY + b" ", headers_of(BODY), "does not fit"),
        (b"", headers_of(BODY), "does not fit"),
        (BODY, headers_of(BODY, age=301), "old"),
        (BODY, headers_of(BODY, age=-86400), "old"),
        (BODY, headers_of(BODY) | {"X-Encord-Timestamp": str(int(time.time()) + 7)}, "does not fit"),
        (BODY, headers_of(BODY) | {"X-Encord-Signature": ""}, "does not fit"),
        (BODY, headers_of(BODY) | {"X-Encord-Signature": "\xe9" * 64}, "does not fit"),
        (BODY, headers_of(BODY) | {"X-Encord-Signature": headers_of(BODY)["X-Encord-Signature"].upper()}, "not fit"),
        (BODY, _without("X-Encord-Signature"), "x-encord-signature is there 0 times"),
        (BODY, _without("X-Encord-Timestamp"), "x-encord-timestamp is there 0 times"),
        (BODY, {}, "0 times"),
    ],
)
def test_anything_else_is_refused(body: bytes, headers: dict[str, str], why: str) -> None:
    with pytest.raises(UnverifiedError, match=why):
        digest(body, headers)


@pytest.mark.parametrize("timestamp", ["", " 1", "1e9", "-1", "+1", "1.5", "x", "9" * 13, "\xb2"])
def test_a_signed_timestamp_that_is_no_time_is_refused(timestamp: str) -> None:
    headers = {"X-Encord-Timestamp": timestamp, "X-Encord-Signature": signature(BODY, timestamp)}
    with pytest.raises(UnverifiedError):
        digest(BODY, headers)


def test_a_signature_header_that_is_there_twice_is_refused() -> None:
    raw = [(name.lower().encode(), value.encode()) for name, value in headers_of(BODY).items()]
    with pytest.raises(UnverifiedError, match="2 times"):
        verify([*raw, raw[1]], BODY, secrets=[SECRET], tolerance_seconds=300, now=time.time())


def test_newer_signature_headers_beside_the_known_one_are_ignored() -> None:
    assert digest(BODY, headers_of(BODY) | {"X-Encord-Signature-V2": "anything", "X-Encord-Signature-256": ""})


def test_no_message_contains_a_secret_or_a_signature() -> None:
    headers = headers_of(BODY, secret="another")
    with pytest.raises(UnverifiedError) as caught:
        digest(BODY, headers)
    assert SECRET not in str(caught.value)
    assert headers["X-Encord-Signature"] not in str(caught.value)


_bodies = st.binary(max_size=200)


@given(_bodies, st.sampled_from([SECRET, "another"]), st.sampled_from([0, 200, -200, 400, -400]), st.booleans())
def test_the_vendors_verifier_decides_the_same(body: bytes, secret: str, age: int, altered: bool) -> None:
    webhooks = pytest.importorskip("encord_agents.core.webhooks", reason="needs encord-agents")
    headers, came = headers_of(body, secret=secret, age=age), body + b"." * altered

    def accepted_by_vendor() -> bool:
        try:
            webhooks.verify_signature(
                came,
                signature=headers["X-Encord-Signature"],
                timestamp=headers["X-Encord-Timestamp"],
                secret=SECRET,
            )
        except webhooks.WebhookVerificationError:
            return False
        return True

    def accepted_here() -> bool:
        try:
            return bool(digest(came, headers))
        except UnverifiedError:
            return False

    assert accepted_here() == accepted_by_vendor()


@given(
    st.dictionaries(
        st.sampled_from(["X-Encord-Signature", "X-Encord-Timestamp", "X-Other"]),
        st.text(st.characters(codec="latin-1"), max_size=80),
    ),
    _bodies,
)
def test_whatever_is_sent_unsigned_is_refused_and_nothing_else_is_raised(headers: dict[str, str], body: bytes) -> None:
    with pytest.raises(UnverifiedError):
        digest(body, headers)
