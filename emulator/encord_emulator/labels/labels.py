"""Label rows: read, created, saved. Stored as finished JSON text, which goes out without being read again.

``uid`` distinguishes one from many. Many are answered once each and not in the order of the request, which clients
must not rely on.
"""

from __future__ import annotations

import json
from typing import Any

import msgspec

from ..requests.exchange import Exchange
from ..rows import spaces as row_spaces
from ..rows.data_rows import link
from ..rows.label_rows import MAIN
from ..state.store import Row, Store
from ..wire import shapes, times
from ..wire.errors import Reason, RefusalError
from ..wire.identifiers import new_uuid
from ..wire.shapes import Strict
from . import content as label_content
from . import history as label_history

_COLUMNS = (
    "label.*, unit.title, unit.data_type, unit.dataset, unit.file_link, unit.images, datasets.title AS dataset_title"
)
OF_PROJECT = f"""
SELECT {_COLUMNS} FROM label_rows AS label JOIN data_units AS unit USING (data_hash)
JOIN datasets ON unit.dataset = datasets.uuid
WHERE label.project = ? ORDER BY label.data_hash, label.branch LIMIT ? OFFSET ?
"""  # noqa: S608 - constants
_BY_HASH = f"""
SELECT {_COLUMNS} FROM json_each(?) AS wanted CROSS JOIN label_rows AS label ON label.label_hash = wanted.value
JOIN data_units AS unit USING (data_hash) JOIN datasets ON unit.dataset = datasets.uuid WHERE label.project = ?
"""  # noqa: S608 - constants


class ReadRequest(Strict, frozen=True):
    get_signed_url: bool = False
    multi_request: bool = False
    include_object_feature_hashes: list[str] | None = None
    include_classification_feature_hashes: list[str] | None = None
    include_reviews: bool = False
    include_export_history: bool = False
    include_archived: bool = False


class CreateRequest(Strict, frozen=True):
    get_signed_url: bool = False
    multi_request: bool = False
    branch_name: str | None = None


class SaveManyRequest(Strict, frozen=True):
    labels: list[dict[str, Any]]
    multi_request: bool
    validate_before_saving: bool = False


def read(exchange: Exchange) -> msgspec.Raw:
    request: ReadRequest = exchange.payload or ReadRequest()
    wanted = _many(exchange, request.multi_request)
    rows = _stored(exchange, wanted)
    if len(rows) != len(wanted):
        raise RefusalError(Reason.NOT_FOUND, f"{len(wanted) - len(rows)} of these label rows are not in this project")
    return _answer(exchange, [_asked(exchange, row, request) for row in rows])


def create(exchange: Exchange) -> msgspec.Raw:
    request: CreateRequest = exchange.payload or CreateRequest()
    wanted = _many(exchange, request.multi_request)
    branch = request.branch_name or MAIN
    store, project = exchange.store, exchange.resource
    units = store.all(
        "SELECT data_units.* FROM tasks JOIN data_units USING (data_hash)"
        " WHERE project = ? AND data_hash IN (SELECT value FROM json_each(?))",
        project,
        json.dumps(wanted),
    )
    if len(units) != len(wanted):
        raise RefusalError(Reason.NOT_FOUND, f"{len(wanted) - len(units)} of these data units are not in this project")
    created = [insert(store, project, unit, branch, exchange.clock.stamp()) for unit in units]
    read_request = ReadRequest(get_signed_url=request.get_signed_url)
    rows = [_asked(exchange, row, read_request) for row in _stored(exchange, created)]
    return _answer(exchange, rows)


def save(exchange: Exchange) -> bool:
    payload: dict[str, Any] = exchange.payload
    if isinstance(exchange.uid, str):
        hashes, rows, validate = [exchange.uid], [payload], payload.get("validate_before_saving") is True
    else:
        request = shapes.convert(SaveManyRequest, payload, "payload")
        hashes, rows, validate = exchange.uid, request.labels, request.validate_before_saving
    exchange.emulation.limits.check_label_rows(len(hashes))
    if len(hashes) != len(rows):
        raise RefusalError(Reason.INVALID, "labels: must be as many as there are uids, in the same order")
    structure = exchange.store.value(
        "SELECT editor FROM projects JOIN ontologies ON ontology = ontologies.uuid WHERE projects.uuid = ?",
        exchange.resource,
    )
    ontology = label_content.Ontology(json.loads(structure))
    for label_hash, row in zip(hashes, rows, strict=True):
        _save_one(exchange, label_hash, row, ontology, validate=validate)
    return True


def insert(store: Store, project: str, unit: Row, branch: str, now: str) -> str:
    """Create the label row of a data unit; its hash.

    :raises RefusalError: It exists.
    """
    sql = "SELECT 1 FROM label_rows WHERE project = ? AND data_hash = ? AND branch = ?"
    if store.one(sql, project, unit["data_hash"], branch) is not None:
        raise RefusalError(Reason.EXISTS, f"data unit {unit['data_hash']} has a label row on branch {branch!r} already")
    answers, units = label_content.empty(unit, row_spaces.of_unit(store, unit))
    label_hash = new_uuid()
    store.run(
        "INSERT INTO label_rows VALUES (?, ?, ?, ?, ?, ?, 'LABEL_IN_PROGRESS', 1, ?, ?)",
        *(label_hash, project, unit["data_hash"], branch, now, now, inner(answers), text(units)),
    )
    return label_hash


def keep(store: Store, label_hash: str, answers: dict[str, Any], units: dict[str, Any], now: str) -> None:
    """Write the content of a label row."""
    sql = "UPDATE label_rows SET answers = ?, units = ?, last_edited_at = ? WHERE label_hash = ?"
    store.run(sql, inner(answers), text(units), now, label_hash)


def whole(row: Row, answers: str | None = None, units: str | None = None) -> bytes:
    """A label row as it goes out, put together from finished pieces."""
    head = {
        "label_hash": row["label_hash"],
        "branch_name": row["branch"],
        "created_at": times.label_row(row["created_at"]),
        "last_edited_at": times.label_row(row["last_edited_at"]),
        "dataset_hash": row["dataset"],
        "dataset_title": row["dataset_title"],
        "data_title": row["title"],
        "data_hash": row["data_hash"],
        "data_type": row["data_type"],
        "label_status": row["label_status"],
        "annotation_task_status": None,
        "is_valid": bool(row["is_valid"]),
    }
    tail = f',{answers or row["answers"]},"data_units":{units or row["units"]}}}'
    return msgspec.json.encode(head)[:-1] + tail.encode()


def text(value: Any) -> str:
    """Finished JSON text."""
    return msgspec.json.encode(value).decode()


def inner(value: dict[str, Any]) -> str:
    """Finished JSON text of an object, without its braces, to be spliced into another."""
    return text(value)[1:-1]


def _many(exchange: Exchange, multi_request: bool) -> list[str]:
    uid: str | list[str] = exchange.uid
    if isinstance(uid, str) == multi_request:
        raise RefusalError(Reason.INVALID, "multi_request: must be true for a list of uids, and false for one")
    hashes = [uid] if isinstance(uid, str) else uid
    exchange.emulation.limits.check_label_rows(len(hashes))
    return list(dict.fromkeys(hashes))


def _stored(exchange: Exchange, wanted: list[str]) -> list[Row]:
    """These label rows of the project, in order of their hash. Sorted here: sorting in SQL would copy every label."""
    return exchange.store.all(_BY_HASH, json.dumps(sorted(wanted)), exchange.resource)


def _answer(exchange: Exchange, rows: list[bytes]) -> msgspec.Raw:
    return msgspec.Raw(rows[0] if isinstance(exchange.uid, str) else b"[" + b",".join(rows) + b"]")


def _asked(exchange: Exchange, row: Row, request: ReadRequest) -> bytes:
    objects, classes = request.include_object_feature_hashes, request.include_classification_feature_hashes
    extra = request.get_signed_url or request.include_export_history
    if not extra and objects is None and classes is None:
        return whole(row)
    answers, units = json.loads("{" + row["answers"] + "}"), json.loads(row["units"])
    label_content.only_features(answers, units, row["data_type"], objects, classes)
    if request.include_export_history:
        answers["export_history"] = []
    if request.get_signed_url:
        links = {row["data_hash"]: row["file_link"]}
        links |= {image["image_hash"]: image["file_link"] for image in json.loads(row["images"] or "[]")}
        for key, unit in units.items():
            unit["data_link"] = link(exchange, links.get(key))
        _sign_members(exchange, answers["spaces"])
    return whole(row, inner(answers), text(units))


def _sign_members(exchange: Exchange, spaces: dict[str, Any]) -> None:
    """Add the links of the members of a data group, whose spaces have the ids of their items."""
    sql = "SELECT uuid, file_link FROM items WHERE uuid IN (SELECT value FROM json_each(?))"
    for member in exchange.store.all(sql, json.dumps(list(spaces))):
        spaces[member["uuid"]]["child_info"]["data_link"] = link(exchange, member["file_link"])


def _save_one(
    exchange: Exchange, label_hash: str, sent: dict[str, Any], ontology: label_content.Ontology, *, validate: bool
) -> None:
    unit = exchange.store.one(
        "SELECT data_units.*, branch, answers, units FROM label_rows JOIN data_units USING (data_hash)"
        " WHERE project = ? AND label_hash = ?",
        exchange.resource,
        label_hash,
    )
    if unit is None:
        raise RefusalError(Reason.NOT_FOUND, f"there is no label row {label_hash} in this project")
    if sent.get("label_hash", label_hash) != label_hash:
        raise RefusalError(Reason.INVALID, f"labels: the row for uid {label_hash} says that it is another one")
    now = exchange.clock.stamp()
    spaces = row_spaces.of_unit(exchange.store, unit)
    answers, units = label_content.completed(sent, unit, spaces, ontology, exchange.caller.email, now)
    if validate:
        label_content.check(answers, units, unit, ontology)
    keep(exchange.store, label_hash, answers, units, now)
    before = json.loads("{" + unit["answers"] + "}"), json.loads(unit["units"])
    label_history.note_save(
        exchange.store,
        label_history.Place(exchange.resource, unit["data_hash"], unit["branch"]),
        exchange.caller.email,
        now,
        label_history.things(*before, unit["data_type"]),
        label_history.things(answers, units, unit["data_type"]),
    )
