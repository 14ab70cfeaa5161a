"""A response, and what can be read without decoding its content: ``Retry-After``, the server's clock, an error text."""

from __future__ import annotations

import dataclasses
import datetime
import email.utils
from collections.abc import Mapping

import msgspec

from airflow_provider_encord.client.call import SSH_KEY
from airflow_provider_encord.client.malformed import NOT_JSON
from airflow_provider_encord.client.transport.scrubbing import scrub

_LONGEST_SERVER_TEXT = 500
_LONGEST_LOOK = 20_000  # characters of a server's text that are examined
_LONGEST_RETRY_AFTER = 366 * 86_400.0  # seconds; a larger value is a mistake and would overflow dates


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The response to one attempt.

    :param headers: Headers with lower-case names.
    :param host: Host to which the request was sent, for messages.
    :param now: Time of this machine's clock when the response arrived, in seconds since 1970.
    :param proofs: Values of the headers that signed or authorised the request; they must not appear in messages.
    :param credential_kind: Kind of the credential; the advice in messages depends on it.
    :param public_key: The public key of the SSH key.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes
    host: str
    trace_id: str
    now: float
    proofs: tuple[str, ...] = dataclasses.field(default=(), repr=False)
    credential_kind: str = SSH_KEY
    public_key: str = ""

    def said(self, text: str) -> str:
        """A text of the server in a form for messages: without secrets, and not too long."""
        text = scrub(text[:_LONGEST_LOOK], self.proofs)
        return text if len(text) <= _LONGEST_SERVER_TEXT else text[:_LONGEST_SERVER_TEXT] + "..."


def retry_after(answer: Answer) -> float | None:
    """Seconds that the server asks to wait, from ``Retry-After`` in seconds or as a date; None without the header."""
    text = answer.headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return min(float(text), _LONGEST_RETRY_AFTER)
    moment = _http_date(text)
    return None if moment is None else min(max(0.0, moment - answer.now), _LONGEST_RETRY_AFTER)


def clock_skew(answer: Answer) -> float | None:
    """Seconds by which this machine's clock is ahead of the server's; None without a ``Date`` header."""
    moment = _http_date(answer.headers.get("date", ""))
    return None if moment is None else answer.now - moment


def _http_date(text: str) -> float | None:
    try:
        moment = email.utils.parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def server_text(answer: Answer) -> str:
    """The server's error text: ``message``, else ``detail`` (protocol, section 5.2); empty if it is not JSON."""
    try:
        content = msgspec.json.decode(answer.body)
    except NOT_JSON:
        return ""
    if not isinstance(content, dict):
        return ""
    text = content.get("message") or content.get("detail") or ""
    return answer.said(text if isinstance(text, str) else msgspec.json.encode(text).decode())


def is_web_page(answer: Answer) -> bool:
    """Whether the response is a web page, which Encord's API never sends."""
    return "html" in answer.headers.get("content-type", "").lower() or answer.body.lstrip()[:1] == b"<"


def looks_whole(body: bytes) -> bool:
    """Whether a body begins and ends like a JSON object or array, so that it is neither a web page nor cut off."""
    text = body.strip()
    return (text[:1], text[-1:]) in ((b"{", b"}"), (b"[", b"]"))
