"""The metadata schema of the organisation, in both its forms. Everyone reads it, administrators save it [inferred].

The first form has a word for each type. A key that it names ``enum`` or ``embedding`` has no values and no size there,
so it keeps those that it had; one that had none is shown in the first form only [inferred].
"""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal, TypeAlias

import msgspec

from ..requests import access
from ..requests.exchange import Exchange
from ..state.store import Row
from ..wire import times
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import new_uuid
from ..wire.shapes import Strict

_KEY = re.compile(r"[\w. -]*[a-zA-Z0-9][\w. -]*", re.ASCII)

_Hint: TypeAlias = Literal["number", "varchar", "text", "boolean", "datetime", "uuid", "string", "long_string"]
_Word: TypeAlias = Literal[
    "number", "string", "long_string", "boolean", "datetime", "geospatial", "enum", "embedding", "uuid"
]
_WORDS = {"varchar": "string", "text": "long_string"}
"""What the first form calls a type, where it has another word."""


class Variant(Strict, frozen=True, tag_field="ty", tag="variant"):
    hint: _Hint = "text"


class Number(Strict, frozen=True, tag_field="ty", tag="number"):
    format: Literal["F32", "F64"] = "F64"


class VarChar(Strict, frozen=True, tag_field="ty", tag="varchar"):
    max_length: Annotated[int, msgspec.Meta(ge=0, le=8192)] = 8192


class DateTime(Strict, frozen=True, tag_field="ty", tag="datetime"):
    timezone: Literal["UTC"] = "UTC"


class Enumeration(Strict, frozen=True, tag_field="ty", tag="enum"):
    values: Annotated[list[str], msgspec.Meta(min_length=1, max_length=256)]


class Embedding(Strict, frozen=True, tag_field="ty", tag="embedding"):
    size: Annotated[int, msgspec.Meta(ge=1, le=4096)]
    api: dict[str, Any] | None = None


class Text(Strict, frozen=True, tag_field="ty", tag="text"):
    """A long text."""


class Boolean(Strict, frozen=True, tag_field="ty", tag="boolean"):
    """True or false."""


class Identifier(Strict, frozen=True, tag_field="ty", tag="uuid"):
    """A UUID."""


class Geospatial(Strict, frozen=True, tag_field="ty", tag="geospatial"):
    """A place."""


class User(Strict, frozen=True, tag_field="ty", tag="user"):
    """A user."""


Living: TypeAlias = (
    Variant | Number | VarChar | DateTime | Enumeration | Embedding | Text | Boolean | Identifier | Geospatial | User
)


class Tombstone(Strict, frozen=True, tag_field="ty", tag="tombstone"):
    deleted_ty: Living | None


Schema: TypeAlias = dict[
    str,
    Variant | Number | VarChar | DateTime | Enumeration | Embedding | Text | Boolean | Identifier | Geospatial | User
    | Tombstone,
]  # fmt: skip
FirstForm: TypeAlias = dict[str, _Word]


def get(exchange: Exchange) -> dict[str, Any] | None:
    """The schema, or null."""
    row = _row(exchange)
    return None if row is None else json.loads(row["types"])


def save(exchange: Exchange) -> None:
    """Replace the whole schema."""
    body: Schema = exchange.body
    _check(exchange, body)
    _write(exchange, msgspec.to_builtins(body), {})


def get_first(exchange: Exchange) -> dict[str, Any] | None:
    """The first form, or null; deleted keys are not in it."""
    row = _row(exchange)
    if row is None:
        return None
    types: dict[str, Any] = json.loads(row["types"])
    words = {key: _word(type_) for key, type_ in types.items() if type_["ty"] != "tombstone"}
    return {
        "uuid": row["uuid"],
        "metadataSchema": words | json.loads(row["words"]),
        "organisationId": 1,
        "createdAt": times.v2(row["created_at"]),
        "updatedAt": times.v2(row["updated_at"]),
    }


def save_first(exchange: Exchange) -> None:
    """Replace the whole schema, in the first form."""
    body: FirstForm = exchange.body
    _check(exchange, body)
    row = _row(exchange)
    before: dict[str, Any] = {} if row is None else json.loads(row["types"])
    kept = {key: before[key] for key, word in body.items() if key in before and _word(before[key]) == word}
    new = {key: word for key, word in body.items() if key not in kept}
    unfinished = {key: word for key, word in new.items() if word in ("enum", "embedding")}
    made = {key: _type(word) for key, word in new.items() if key not in unfinished}
    _write(exchange, {**kept, **made}, unfinished)


def _type(word: str) -> dict[str, Any]:
    return {"ty": "geospatial"} if word == "geospatial" else {"ty": "variant", "hint": _hint(word)}


def _hint(word: str) -> str:
    return {"string": "varchar", "long_string": "text"}.get(word, word)


def _word(type_: dict[str, Any]) -> str:
    name: str = type_["hint"] if type_["ty"] == "variant" else type_["ty"]
    return _WORDS.get(name, name)


def _check(exchange: Exchange, schema: dict[str, Any]) -> None:
    access.require_organisation_admin(exchange)
    for key in schema:
        if not _KEY.fullmatch(key) or key == "keyframes":
            raise RefusalError(Reason.INVALID, f"{key!r} cannot be a key of client metadata")


def _row(exchange: Exchange) -> Row | None:
    return exchange.store.one("SELECT * FROM metadata_schema")


def _write(exchange: Exchange, types: dict[str, Any], words: dict[str, Any]) -> None:
    now, row = exchange.clock.stamp(), _row(exchange)
    uuid, created = (new_uuid(), now) if row is None else (row["uuid"], row["created_at"])
    exchange.store.run(
        "INSERT OR REPLACE INTO metadata_schema VALUES (1, ?, ?, ?, ?, ?)",
        *(uuid, json.dumps(types), json.dumps(words), created, now),
    )
