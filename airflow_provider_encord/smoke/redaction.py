"""Remove private data from a report. This is a second protection: the report should not contain any."""

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
    """Remove ids, e-mail addresses, and hosts other than Encord's from a text.

    :param hosts: The hosts to remove.
    :param keep: Trace ids to keep. They are random for each request, so a report may contain them.
    """
    for host in hosts:
        if host and host not in ENCORDS_HOSTS:
            text = text.replace(host, OTHER_HOST)

    def replaced(pattern: re.Pattern[str], by: str, text: str) -> str:
        return pattern.sub(lambda match: match[0] if match[0] in keep else by, text)

    return replaced(_HEX, "(hex)", _EMAIL.sub("(email)", replaced(_ID, "(id)", text)))


def without(secrets: Iterable[str], message: str) -> str:
    """Remove these values from a message."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        message = message.replace(secret, "(left out)")
    return message


def trace_ids_in(message: str) -> frozenset[str]:
    """The trace ids in a message of the client."""
    return frozenset(_TRACE_ID.findall(message))


def shown_host(host: str) -> str:
    """The name of a host in reports."""
    return ENCORDS_HOSTS.get(host, OTHER_HOST)


def hosts_of(visits: Sequence[Visit]) -> list[str]:
    """The hosts that got requests, with and without ports."""
    with_ports = [visit.settings.host for visit in visits]
    return with_ports + [host.rpartition(":")[0] for host in with_ports]


def trace_ids_of(visits: Sequence[Visit]) -> frozenset[str]:
    """The trace ids of all requests."""
    replies = [reply for visit in visits for reply in (*visit.replies, *visit.probes)]
    return frozenset(reply.trace_id for reply in replies if reply.trace_id)
