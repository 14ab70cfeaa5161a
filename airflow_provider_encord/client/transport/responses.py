"""An answer as it arrived, and what can be read off it before its content is: the wait it asks for, the server's clock,
what the server says.
"""

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
_LONGEST_LOOK = 20_000  # characters of a server's text that are looked at
_LONGEST_RETRY_AFTER = 366 * 86_400.0  # seconds; more is a mistake, and overflows dates


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What came back for one attempt.

    :param headers: With lower-case names.
    :param host: Whom we asked, for messages.
    :param now: Our clock when it arrived, in seconds.
    :param proofs: What was sent to prove who we are, to be kept out of messages.
    :param credential_kind: With what it was asked; the advice differs.
    :param public_key: The public half of the SSH key with which it was asked.
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
        """What the server said, fit to be shown: without secrets, and not too long."""
        text = scrub(text[:_LONGEST_LOOK], self.proofs)
        return text if len(text) <= _LONGEST_SERVER_TEXT else text[:_LONGEST_SERVER_TEXT] + "..."


def retry_after(answer: Answer) -> float | None:
    """Seconds that the server asks us to wait: ``Retry-After`` as seconds or as a date; None if it does not say."""
    text = answer.headers.get("retry-after", "").strip()
    if not text:
        return None
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return min(float(text), _LONGEST_RETRY_AFTER)
    moment = _http_date(text)
    return None if moment is None else min(max(0.0, moment - answer.now), _LONGEST_RETRY_AFTER)


def clock_skew(answer: Answer) -> float | None:
    """Seconds by which our clock is ahead of the server's; None if the answer does not say."""
    moment = _http_date(answer.headers.get("date", ""))
    return None if moment is None else answer.now - moment


def _http_date(text: str) -> float | None:
    try:
        moment = email.utils.parsedate_to_datetime(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=datetime.UTC)).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def server_text(answer: Answer) -> str:
    """What the server says: ``message``, else ``detail`` (protocol, section 5.2); nothing if it is not JSON."""
    try:
        content = msgspec.json.decode(answer.body)
    except NOT_JSON:
        return ""
    if not isinstance(content, dict):
        return ""
    text = content.get("message") or content.get("detail") or ""
    return answer.said(text if isinstance(text, str) else msgspec.json.encode(text).decode())


def is_web_page(answer: Answer) -> bool:
    """Whether it is a page for people, which Encord's API never sends."""
    return "html" in answer.headers.get("content-type", "").lower() or answer.body.lstrip()[:1] == b"<"


def looks_whole(body: bytes) -> bool:
    """Whether it begins and ends as a JSON object or array does, so that it is not a page and not cut off."""
    text = body.strip()
    return (text[:1], text[-1:]) in ((b"{", b"}"), (b"[", b"]"))
