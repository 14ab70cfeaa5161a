"""Who is calling, and may he: credentials are verified for real, membership is enforced.

An API key opens exactly the resource that it was made for, on ``/public`` only. A person opens what he is a member of;
being an administrator of the organisation shows more in some listings, but opens nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping

from ..state.clock import Clock
from ..state.store import Store
from ..wire import signatures
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import is_uuid
from .exchange import Caller, Exchange
from .operations import Operation, Scope

BEARER_SECONDS = 24 * 3600
"""How long a bearer token is taken. The vendor's SDK does not say how long theirs live."""

_TABLES = {"project": "projects", "dataset": "datasets", "ontology": "ontologies", "folder": "folders"}

_ROLE = "SELECT role FROM memberships WHERE email = ? AND kind = ? AND resource = ? ORDER BY rank LIMIT 1"
_ROLE_IN_FOLDER = """
WITH RECURSIVE up (uuid, parent, owner, synced_dataset) AS (
  SELECT uuid, parent, owner, synced_dataset FROM folders WHERE uuid = :folder
  UNION SELECT folders.uuid, folders.parent, folders.owner, folders.synced_dataset
    FROM folders JOIN up ON folders.uuid = up.parent)
SELECT role FROM (
  SELECT 0 AS role, 0 AS rank FROM up WHERE owner = :email
  UNION ALL SELECT role, rank FROM up JOIN memberships ON email = :email AND (
    (kind = 'folder' AND resource = uuid) OR (kind = 'dataset' AND resource = synced_dataset)))
ORDER BY rank LIMIT 1
"""


def claimed_credential(headers: Mapping[str, str]) -> str:
    """How the journal names the credential of a request, valid or not; never more than eight digits of anything."""
    authorization = headers.get("authorization", "")
    if "signature-input" in headers:
        _, found, key = headers["signature-input"].partition('keyid="')
        return f"ssh:{key[:8]}" if found else "none"
    if not authorization:
        return "none"
    if authorization.startswith("Bearer "):
        return "bearer"
    if signatures.looks_like_v1(authorization):
        return f"ssh:{authorization[:8]}"
    return f"api_key:{_sha256(authorization)[:8]}"


def authenticate_v1(store: Store, clock: Clock, headers: Mapping[str, str], body: bytes, *, user_scope: bool) -> Caller:
    """Who sent this envelope.

    :raises RefusalError: The emulator does not know the caller.
    """
    authorization = headers.get("authorization", "")
    if not authorization:
        raise RefusalError(Reason.NOT_AUTHENTICATED, "the Authorization header is missing")
    if authorization.startswith("Bearer "):
        return _bearer(store, clock, authorization)
    if signatures.looks_like_v1(authorization):
        try:
            key = signatures.verify_v1(authorization, body)
        except signatures.SignatureError as problem:
            raise _unknown_or_bad(store, authorization[:64], problem) from None
        return _person(store, key)
    if user_scope:
        raise RefusalError(
            Reason.NOT_AUTHENTICATED, "/public/user takes an SSH signature or a bearer token, no API key"
        )
    return _api_key(store, authorization, headers.get("resourceid", ""))


def authenticate_v2(
    store: Store, clock: Clock, method: str, target: str, headers: Mapping[str, str], body: bytes
) -> Caller:
    """Who sent this v2 request.

    :raises RefusalError: The emulator does not know the caller, or it is signed wrongly.
    """
    authorization = headers.get("authorization")
    if authorization is not None:
        if authorization.startswith("Bearer "):
            return _bearer(store, clock, authorization)
        raise RefusalError(Reason.NOT_AUTHENTICATED, "v2 takes an HTTP message signature or a bearer token, no API key")
    try:
        key = signatures.verify_v2(method, target, headers, body, clock.unix())
    except signatures.SignatureError as problem:
        raise RefusalError(Reason.NOT_AUTHENTICATED, f"Signature refused: {problem}") from None
    return _person(store, key)


def _unknown_or_bad(store: Store, key: str, problem: signatures.SignatureError) -> RefusalError:
    if store.one("SELECT 1 FROM public_keys WHERE key_hex = ?", key) is None:
        return RefusalError(Reason.UNKNOWN_SSH_KEY, "this public key is not registered here")
    return RefusalError(Reason.NOT_AUTHENTICATED, str(problem))


def _person(store: Store, key: str) -> Caller:
    row = store.one("SELECT email, role FROM public_keys JOIN users USING (email) WHERE key_hex = ?", key)
    if row is None:
        raise RefusalError(Reason.UNKNOWN_SSH_KEY, "this public key is not registered here")
    return Caller("ssh", row["email"], row["role"])


def _bearer(store: Store, clock: Clock, authorization: str) -> Caller:
    row = store.one(
        "SELECT email, role, issued_unix FROM bearer_tokens JOIN users USING (email) WHERE token_sha256 = ?",
        _sha256(authorization.removeprefix("Bearer ")),
    )
    if row is None or clock.unix() - row["issued_unix"] > BEARER_SECONDS:
        raise RefusalError(Reason.NOT_AUTHENTICATED, "this bearer token is unknown or has expired")
    return Caller("bearer", row["email"], row["role"])


def _api_key(store: Store, api_key: str, resource: str) -> Caller:
    row = store.one(
        "SELECT kind, resource, scopes, creator, role FROM api_keys JOIN users ON email = creator WHERE api_key = ?",
        api_key,
    )
    if row is None:
        raise RefusalError(Reason.NOT_AUTHENTICATED, "this API key is unknown")
    if row["resource"] != resource:
        raise RefusalError(Reason.NOT_YOURS, "ResourceID is not the resource that this API key belongs to")
    scopes = frozenset(json.loads(row["scopes"]))
    return Caller("api_key", row["creator"], row["role"], api_key, row["kind"], row["resource"], scopes)


def check_api_key(caller: Caller, operation: Operation, scopes: tuple[Scope, ...]) -> None:
    """Refuse what an API key may not do: another kind of resource, or no scope that covers it."""
    if caller.kind != "api_key":
        return
    if operation.api_key is None or caller.key_kind not in scopes:
        raise RefusalError(Reason.OUT_OF_SCOPE, f"a {caller.key_kind} API key cannot do this: {operation.name}")
    if operation.api_key and not caller.key_scopes & set(operation.api_key):
        raise RefusalError(Reason.OUT_OF_SCOPE, f"{operation.name} needs the scope {' or '.join(operation.api_key)}")


def role_in(exchange: Exchange, kind: str, resource: str) -> int:
    """The caller's role in a project, dataset, ontology or folder; an API key is administrator of its own resource.

    :raises RefusalError: There is no such thing, or he is not a member.
    """
    role = _role_or_none(exchange, kind, resource)
    if role is None:
        raise RefusalError(Reason.NOT_YOURS, f"you have no access to {kind} {resource}")
    return role


def has_role(exchange: Exchange, kind: str, resource: str) -> bool:
    """Whether the caller has any role in something that is there."""
    return _role_or_none(exchange, kind, resource) is not None


def enter(exchange: Exchange, kind: str, resource: str, *, changes: bool) -> int | None:
    """Let in who has a role in a resource; to read an ontology, also who has one in a project that uses it.

    :return: The role, ``None`` for who came by way of a project.
    :raises RefusalError: As :func:`role_in`.
    """
    if kind == "ontology" and not changes and _role_or_none(exchange, kind, resource) is None:
        sql = (
            "SELECT 1 FROM projects JOIN memberships ON kind = 'project' AND resource = uuid"
            " WHERE ontology = ? AND email = ?"
        )
        if exchange.store.one(sql, resource, exchange.caller.email) is not None:
            return None
    return role_in(exchange, kind, resource)


def _role_or_none(exchange: Exchange, kind: str, resource: str) -> int | None:
    caller, store = exchange.caller, exchange.store
    if not is_uuid(resource):
        raise RefusalError(Reason.MALFORMED, f"{kind}: this is not a UUID")
    if store.one(f"SELECT 1 FROM {_TABLES[kind]} WHERE uuid = ?", resource) is None:  # noqa: S608 - a constant
        # A missing folder and one of somebody else get the same answer (protocol, section 5.2).
        reason = Reason.NOT_YOURS if kind == "folder" else Reason.NOT_FOUND
        raise RefusalError(reason, f"there is no {kind} {resource}")
    if (caller.key_kind, caller.key_resource) == (kind, resource):
        return 0
    role: int | None = (
        store.named(_ROLE_IN_FOLDER, folder=resource, email=caller.email)
        if kind == "folder"
        else store.value(_ROLE, caller.email, kind, resource)
    )
    return role


def require_manager(exchange: Exchange, kind: str, resource: str) -> None:
    """Refuse anyone but an administrator (or, in projects, a team manager).

    :raises RefusalError: As :func:`role_in`, or the role is too low.
    """
    managers = {0, 4} if kind == "project" else {0}
    if role_in(exchange, kind, resource) not in managers:
        raise RefusalError(Reason.NOT_YOURS, f"only an administrator of {kind} {resource} may do this")


def require_organisation_admin(exchange: Exchange) -> None:
    """:raises RefusalError: The caller is not an administrator of the organisation."""
    if exchange.caller.role != "ADMIN":
        raise RefusalError(Reason.NOT_YOURS, "only an administrator of the organisation may do this")


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
