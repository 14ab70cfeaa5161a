"""People and what opens doors to them: users and their public keys, API keys, bearer tokens.

Scopes of API keys come back as a JSON text when just made and as a list when listed, because clients meet both.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
import secrets
import struct
from typing import Any

from ..requests import access
from ..requests.exchange import Exchange
from ..state.clock import Clock
from ..state.store import Row, Store
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import new_uuid
from ..wire.shapes import Strict

PROJECT_SCOPES = {"label.read", "label.write", "model.inference", "model.train", "label_logs.read", "algo.library"}
DATASET_SCOPES = {"dataset.read", "dataset.write"}


class ProjectKeyRequest(Strict, frozen=True):
    title: str
    scopes: list[str]


class DatasetKeyRequest(Strict, frozen=True):
    dataset_hash: str
    title: str
    scopes: list[str]


class DatasetKeyQuestion(Strict, frozen=True):
    dataset_hash: str


def public_key_hex(line: str) -> str:
    """The 32 bytes of a public key in the one-line OpenSSH form, as hex.

    :raises RefusalError: It is no ``ssh-ed25519`` key.
    """
    words = line.split()
    if len(words) < 2 or words[0] != "ssh-ed25519":
        raise RefusalError(
            Reason.MALFORMED, "public_key: must be `ssh-ed25519 AAAA...`; other algorithms are not taken"
        )
    try:
        content = base64.b64decode(words[1], validate=True)
        (length,) = struct.unpack(">I", content[:4])
        name, rest = content[4 : 4 + length], content[4 + length :]
        (size,) = struct.unpack(">I", rest[:4])
    except (binascii.Error, struct.error):
        raise RefusalError(Reason.MALFORMED, "public_key: this text is not a whole public key") from None
    if name != b"ssh-ed25519" or size != 32 or len(rest) != 36:
        raise RefusalError(Reason.MALFORMED, "public_key: this text is not a whole public key")
    return rest[4:].hex()


def authorize(store: Store, clock: Clock, email: str, public_key: str, role: str | None) -> None:
    """Register a person's key; the person too, if new. The same key again changes nothing.

    :param role: Role in the organisation; ``None`` leaves it, or decides as :func:`ensure_user` does.
    :raises RefusalError: No such key form, or the key is somebody else's.
    """
    key = public_key_hex(public_key)
    owner = store.value("SELECT email FROM public_keys WHERE key_hex = ?", key)
    if owner not in (None, email):
        raise RefusalError(Reason.EXISTS, f"public_key: this key is registered for {owner}")
    ensure_user(store, clock, email, role)
    store.run("INSERT OR IGNORE INTO public_keys VALUES (?, ?)", key, email)


def ensure_user(store: Store, clock: Clock, email: str, role: str | None = None) -> None:
    """Make a person known, or set the role of one who is. The first of all is the organisation's administrator."""
    if store.one("SELECT 1 FROM users WHERE email = ?", email) is None:
        usual = "MEMBER" if store.one("SELECT 1 FROM users") else "ADMIN"
        now = clock.stamp()
        store.run("INSERT INTO users VALUES (?, ?, ?, ?)", email, secrets.token_hex(14), role or usual, now)
        store.run("INSERT OR IGNORE INTO organisation_users VALUES (?, 'internal', ?, ?)", email, now, now)
    if role is not None:
        store.run("UPDATE users SET role = ? WHERE email = ?", role, email)


def user_hash(store: Store, email: str) -> str:
    """The identifier that old v1 answers give for a person."""
    return str(store.value("SELECT user_hash FROM users WHERE email = ?", email))


def bearer_token(exchange: Exchange) -> dict[str, str]:
    """A fresh token; only its digest is kept."""
    token = secrets.token_urlsafe(32)
    digest = hashlib.sha256(token.encode()).hexdigest()
    exchange.store.run(
        "INSERT INTO bearer_tokens VALUES (?, ?, ?)", digest, exchange.caller.email, exchange.clock.unix()
    )
    return {"token": token}


def api_key_meta(exchange: Exchange) -> dict[str, str]:
    """What the calling API key belongs to."""
    caller = exchange.caller
    if caller.api_key is None:
        raise RefusalError(Reason.INVALID, "apikeymeta is a question of an API key")
    title = exchange.store.value("SELECT title FROM api_keys WHERE api_key = ?", caller.api_key)
    return {"title": title, "resource_type": caller.key_kind or ""}


def create_project_key(exchange: Exchange) -> str:
    request: ProjectKeyRequest = exchange.payload
    return _create_key(exchange, "project", exchange.uid, request.title, request.scopes, PROJECT_SCOPES)


def list_project_keys(exchange: Exchange) -> list[dict[str, Any]]:
    access.require_manager(exchange, "project", exchange.uid)
    rows = _keys_of(exchange, "project", exchange.uid)
    return [{"api_key": row["api_key"], "title": row["title"], "scopes": json.loads(row["scopes"])} for row in rows]


def create_dataset_key(exchange: Exchange) -> dict[str, Any]:
    request: DatasetKeyRequest = exchange.payload
    key = _create_key(exchange, "dataset", request.dataset_hash, request.title, request.scopes, DATASET_SCOPES)
    row = exchange.store.one("SELECT * FROM api_keys WHERE api_key = ?", key)
    assert row is not None  # noqa: S101 - inserted just now
    return {**_dataset_key(row), "scopes": row["scopes"]}


def list_dataset_keys(exchange: Exchange) -> list[dict[str, Any]]:
    request: DatasetKeyQuestion = exchange.payload
    access.require_manager(exchange, "dataset", request.dataset_hash)
    return [_dataset_key(row) for row in _keys_of(exchange, "dataset", request.dataset_hash)]


def _dataset_key(row: Row) -> dict[str, Any]:
    return {
        "resource_hash": row["resource"],
        "api_key": row["api_key"],
        "title": row["title"],
        "key_hash": row["key_hash"],
        "scopes": json.loads(row["scopes"]),
    }


def _create_key(exchange: Exchange, kind: str, resource: str, title: str, scopes: list[str], known: set[str]) -> str:
    access.require_manager(exchange, kind, resource)
    unknown = sorted(set(scopes) - known)
    if unknown:
        raise RefusalError(Reason.INVALID, f"scopes: no {kind} scope is called {', '.join(unknown)}")
    key = secrets.token_urlsafe(32)
    exchange.store.run(
        "INSERT INTO api_keys VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        key,
        new_uuid(),
        kind,
        resource,
        title,
        json.dumps(scopes),
        exchange.caller.email,
        exchange.clock.stamp(),
    )
    return key


def _keys_of(exchange: Exchange, kind: str, resource: str) -> list[Row]:
    sql = "SELECT * FROM api_keys WHERE kind = ? AND resource = ? ORDER BY rowid"
    return exchange.store.all(sql, kind, resource)
