"""Checks of access: signatures, API keys, ids that do not exist or belong to another resource."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Sequence
from typing import Any

from airflow_provider_encord.client.api import (
    datasets,
    keys,
    ontologies,
    projects,
)
from airflow_provider_encord.client.api.core.listing import Filter
from airflow_provider_encord.client.call import API_KEY, Call
from airflow_provider_encord.client.credentials import Credential
from airflow_provider_encord.client.errors import AuthenticationError
from airflow_provider_encord.smoke.findings import Finding, did_not_hold, found_out, not_checked, verdict
from airflow_provider_encord.smoke.visit import Reply, Visit

_AGES = (-30, 30, -300)  # seconds; for years, Encord's SDK dated its signatures 30 s back


def _smallest_read() -> Call[Any]:
    """A listing of projects with a title that no project has."""
    return projects.list_projects(Filter(title_eq=str(uuid.uuid4())))


def signature_age(visit: Visit) -> Finding:
    """A signature that is 30 s old, as in the SDK, is accepted. The finding also gives the outcome for other ages."""
    replies = {age: visit.probe(_smallest_read(), seconds_off=age) for age in _AGES}
    findings = [f"{abs(age)} s {'ahead' if age > 0 else 'old'}: {reply.description}" for age, reply in replies.items()]
    return verdict(replies[-30].answered, ", ".join(findings))


def signed_again(visit: Visit) -> Finding:
    """The same request is accepted twice, with two signatures."""
    call = _smallest_read()
    first, second = visit.probe(call), visit.probe(call, seconds_off=-1)
    if not first.answered:
        return not_checked(f"the first of two requests: {first.description}")
    return verdict(second.answered, f"the second of two requests: {second.description}")


def missing_on_v1(visit: Visit) -> Finding:
    """v1 rejects ids that do not exist with the expected codes."""
    unknown_id = str(uuid.uuid4())
    return _missing(
        [visit.probe(projects.get_project_v1(unknown_id)), visit.probe(datasets.get_dataset(unknown_id))],
        ("RESOURCE_NOT_FOUND_ERROR", "AUTHORISATION_ERROR"),
    )


def missing_on_v2(visit: Visit) -> Finding:
    """v2 rejects ids that do not exist with the expected statuses."""
    unknown_id = str(uuid.uuid4())
    return _missing(
        [visit.probe(projects.get_project(unknown_id)), visit.probe(ontologies.get_ontology(unknown_id))], (403, 404)
    )


def _missing(replies: Sequence[Reply], expected: tuple[str | int, ...]) -> Finding:
    if any(reply.status is None for reply in replies):
        return not_checked("no answer arrived")
    holds = all((reply.code if isinstance(expected[0], str) else reply.status) in expected for reply in replies)
    return verdict(holds, ", ".join(f"{reply.operation}: {reply.description}" for reply in replies))


def api_keys_accepted(visit: Visit) -> Finding:
    """No request with an API key is refused as not authenticated. A missing scope does not count."""
    refused = [reply for reply in visit.replies if isinstance(reply.error, AuthenticationError)]
    findings = [f"{reply.operation}: {reply.description}" for reply in refused]
    return verdict(
        not refused, ", ".join(findings) or f"{len(visit.replies)} requests, none refused as not authenticated"
    )


def lookup_needs_no_scope(visit: Visit) -> Finding:
    """Encord returns the resource of a key, independent of the key's scopes."""
    (reply, *_) = visit.of("api_key.lookup", "v1")
    if reply.answered:
        return verdict(True, "answered (the scopes of this key are unknown)")
    if reply.code == "OPERATION_NOT_ALLOWED":
        return did_not_hold(reply.description)
    return not_checked(f"the lookup: {reply.description}")


class _OtherResource:
    """An API key that is sent with the id of a resource that does not exist."""

    kind = API_KEY

    def __init__(self, key: Credential):
        self._key = key
        self.resource_id = str(uuid.uuid4())

    def v1_headers(self, body: bytes, *, resource_type: str | None, resource_id: str | None) -> dict[str, str]:  # noqa: ARG002
        own = self._key.v1_headers(body, resource_type=None, resource_id=None)
        return own | {"ResourceID": self.resource_id}


def key_for_something_else(visit: Visit) -> Finding:
    """A key that is sent with the id of another resource is refused."""
    other_resource: Any = _OtherResource(visit.credential)
    reply = visit.probe(keys.get_key_resource(), credential=other_resource)
    if reply.status is None:
        return not_checked(reply.description)
    return verdict(
        reply.code in ("AUTHENTICATION_ERROR", "AUTHORISATION_ERROR"), f"api_key.lookup: {reply.description}"
    )


def reach_of_keys(visit: Visit) -> Finding:
    """Which reads the key may send."""
    tried = [reply for reply in visit.replies if reply.status is not None]
    refused = [f"{reply.operation} ({reply.code or reply.status})" for reply in tried if not reply.answered]
    allowed = sorted({reply.operation for reply in tried if reply.answered})
    return found_out(
        f"allowed: {', '.join(allowed) or 'none'}; not allowed: {', '.join(refused) or 'none of those tried'}"
    )


def bearer_token_lifetime(visit: Visit) -> Finding:
    """The lifetime that a bearer token states, if it is a JSON Web Token."""
    for _, token in visit.values("user.get_bearer_token", "v2"):
        try:
            part = token.split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
            seconds = int(claims["exp"]) - int(claims["iat"])
        except (LookupError, TypeError, ValueError):
            return found_out("unknown: the token is not a JSON Web Token with iat and exp")
        return found_out(f"{seconds} s, by its own claims")
    return not_checked("no token was received")


def rate_limits(visit: Visit) -> Finding:
    """Which response headers contain rate limits."""
    names = {name for reply in visit.replies for name in reply.header_names}
    limits = sorted(name for name in names if "ratelimit" in name.replace("-", "") or name == "retry-after")
    limited = sum(reply.status == 429 or reply.code == "RATE_LIMIT_ERROR" for reply in visit.replies)
    return found_out(f"headers about limits: {', '.join(limits) or 'none'}; {limited} requests were limited")
