"""Checks about who may ask: signatures, API keys, what is missing or foreign."""

from __future__ import annotations

import base64
import json
import uuid
from collections.abc import Sequence
from typing import Any

from airflow_provider_encord.client.api import datasets, keys, ontologies, projects
from airflow_provider_encord.client.api.listing import Filter
from airflow_provider_encord.client.call import API_KEY, Call
from airflow_provider_encord.client.credentials import Credential
from airflow_provider_encord.client.errors import AuthenticationError
from airflow_provider_encord.smoke.findings import Finding, did_not_hold, found_out, not_checked, verdict
from airflow_provider_encord.smoke.visit import Reply, Visit

_AGES = (-30, 30, -300)  # seconds; the vendor's SDK signed 30 s back for years


def _smallest_read() -> Call[Any]:
    """Projects of a title that no project has."""
    return projects.list_projects(Filter(title_eq=str(uuid.uuid4())))


def signature_age(visit: Visit) -> Finding:
    """Signatures as old as the SDK made them are accepted; the finding says how much older ones are."""
    replies = {age: visit.probe(_smallest_read(), seconds_off=age) for age in _AGES}
    findings = [f"{abs(age)} s {'ahead' if age > 0 else 'old'}: {one.description}" for age, one in replies.items()]
    return verdict(replies[-30].answered, ", ".join(findings))


def signed_again(visit: Visit) -> Finding:
    """The same request, sent twice with two signatures."""
    call = _smallest_read()
    first, second = visit.probe(call), visit.probe(call, seconds_off=-1)
    if not first.answered:
        return not_checked(f"the first of two requests: {first.description}")
    return verdict(second.answered, f"the second of two requests: {second.description}")


def missing_on_v1(visit: Visit) -> Finding:
    """Ids that nothing has, asked for by v1."""
    nobody = str(uuid.uuid4())
    return _missing(
        [visit.probe(projects.get_project_v1(nobody)), visit.probe(datasets.get_dataset(nobody))],
        ("RESOURCE_NOT_FOUND_ERROR", "AUTHORISATION_ERROR"),
    )


def missing_on_v2(visit: Visit) -> Finding:
    """Ids that nothing has, asked for by v2."""
    nobody = str(uuid.uuid4())
    return _missing(
        [visit.probe(projects.get_project(nobody)), visit.probe(ontologies.get_ontology(nobody))], (403, 404)
    )


def _missing(replies: Sequence[Reply], expected: tuple[str | int, ...]) -> Finding:
    if any(one.status is None for one in replies):
        return not_checked("there was no answer")
    holds = all((one.code if isinstance(expected[0], str) else one.status) in expected for one in replies)
    return verdict(holds, ", ".join(f"{one.operation}: {one.description}" for one in replies))


def api_keys_accepted(visit: Visit) -> Finding:
    """No request with an API key is called not authenticated. (A missing scope is another matter.)"""
    refused = [one for one in visit.replies if isinstance(one.error, AuthenticationError)]
    findings = [f"{one.operation}: {one.description}" for one in refused]
    return verdict(not refused, ", ".join(findings) or f"{len(visit.replies)} requests, none called not authenticated")


def lookup_needs_no_scope(visit: Visit) -> Finding:
    """Encord says what a key belongs to, whatever its scopes are."""
    (reply, *_) = visit.of("api_key.lookup", "v1")
    if reply.answered:
        return verdict(True, "answered, whatever scopes this key has (a key does not tell them)")
    if reply.code == "OPERATION_NOT_ALLOWED":
        return did_not_hold(reply.description)
    return not_checked(f"the lookup: {reply.description}")


class _Elsewhere:
    """An API key, sent with the id of something that does not exist."""

    kind = API_KEY

    def __init__(self, key: Credential):
        self._key = key
        self.resource_id = str(uuid.uuid4())

    def v1_headers(self, body: bytes, *, resource_type: str | None, resource_id: str | None) -> dict[str, str]:  # noqa: ARG002
        own = self._key.v1_headers(body, resource_type=None, resource_id=None)
        return own | {"ResourceID": self.resource_id}


def key_for_something_else(visit: Visit) -> Finding:
    """The key's own secret with another resource's id."""
    elsewhere: Any = _Elsewhere(visit.credential)
    reply = visit.probe(keys.get_key_resource(), credential=elsewhere)
    if reply.status is None:
        return not_checked(reply.description)
    return verdict(
        reply.code in ("AUTHENTICATION_ERROR", "AUTHORISATION_ERROR"), f"api_key.lookup: {reply.description}"
    )


def reach_of_keys(visit: Visit) -> Finding:
    """Which reads the key may do."""
    tried = [one for one in visit.replies if one.status is not None]
    refused = [f"{one.operation} ({one.code or one.status})" for one in tried if not one.answered]
    allowed = sorted({one.operation for one in tried if one.answered})
    return found_out(
        f"may: {', '.join(allowed) or 'nothing'}; may not: {', '.join(refused) or 'nothing that was tried'}"
    )


def bearer_token_lifetime(visit: Visit) -> Finding:
    """The lifetime that a token states, if it is a JSON Web Token."""
    for _, token in visit.values("user.get_bearer_token", "v2"):
        try:
            part = token.split(".")[1]
            claims = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
            seconds = int(claims["exp"]) - int(claims["iat"])
        except (LookupError, TypeError, ValueError):
            return found_out("the token does not tell (it is no JSON Web Token with iat and exp)")
        return found_out(f"{seconds} s, by its own claims")
    return not_checked("no token was given")


def limits_told(visit: Visit) -> Finding:
    """Whether answers speak of rate limits."""
    names = {name for one in visit.replies for name in one.header_names}
    limits = sorted(name for name in names if "ratelimit" in name.replace("-", "") or name == "retry-after")
    limited = sum(one.status == 429 or one.code == "RATE_LIMIT_ERROR" for one in visit.replies)
    return found_out(f"headers that speak of limits: {', '.join(limits) or 'none'}; {limited} requests were limited")
