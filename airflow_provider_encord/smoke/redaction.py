"""What a report must not contain is removed here, even where nothing should have put it in."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Sequence

from airflow_provider_encord.smoke.visit import Visit

ENCORDS_HOSTS = {
    "api.encord.com": "api.encord.com (default region)",
    "api.us.encord.com": "api.us.encord.com (US region)",
}
OTHER_HOST = "other host"
_ID = re.compile(r"\b[0-9a-fA-F]{8}-?(?:[0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}\b")
_EMAIL = re.compile(r"\S+@[^\s|`<>()\"]+\.\w+")
_TRACE_ID = re.compile(r"\btrace id ([0-9a-f]{32})\b")
_HEX = re.compile(r"\b[0-9a-f]{16,}\b")


def redacted(text: str, hosts: Iterable[str], keep: Collection[str] = ()) -> str:
    """The text without ids, e-mail addresses and hosts that are not Encord's.

    :param keep: Trace ids, which are random for each request and may be in a report.
    """
    for host in hosts:
        if host and host not in ENCORDS_HOSTS:
            text = text.replace(host, OTHER_HOST)

    def replaced(pattern: re.Pattern[str], by: str, text: str) -> str:
        return pattern.sub(lambda match: match[0] if match[0] in keep else by, text)

    return replaced(_HEX, "(hex)", _EMAIL.sub("(email)", replaced(_ID, "(id)", text)))


def without(secrets: Iterable[str], message: str) -> str:
    """The message without these values."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        message = message.replace(secret, "(left out)")
    return message


def trace_ids_in(message: str) -> frozenset[str]:
    """The trace ids that a message of the client names."""
    return frozenset(_TRACE_ID.findall(message))


def shown_host(host: str) -> str:
    """A host as reports show it."""
    return ENCORDS_HOSTS.get(host, OTHER_HOST)


def hosts_of(visits: Sequence[Visit]) -> list[str]:
    """The hosts that were asked, with and without ports."""
    with_ports = [visit.settings.host for visit in visits]
    return with_ports + [host.rpartition(":")[0] for host in with_ports]


def trace_ids_of(visits: Sequence[Visit]) -> frozenset[str]:
    """The trace ids of all requests."""
    replies = [reply for visit in visits for reply in (*visit.replies, *visit.probes)]
    return frozenset(reply.trace_id for reply in replies if reply.trace_id)
