"""How a row of the table is written, and the words that rows are made of."""

from __future__ import annotations

from typing import Any

from ..requests.operations import V1, V2, Handler, Scope
from ..wire.shapes import NoQuery, StrictCamel

READS, CHANGES = False, True
USER, PROJECT, DATASET, ONTOLOGY = Scope.USER, Scope.PROJECT, Scope.DATASET, Scope.ONTOLOGY
ANY_KEY: tuple[str, ...] = ()
LABEL_READ, LABEL_WRITE = ("label.read",), ("label.write",)
DATA_READ, DATA_WRITE, DATA_EITHER = ("dataset.read",), ("dataset.write",), ("dataset.read", "dataset.write")
ALGORITHMS = ("algo.library",)
ONE_OR_MANY = str | list[str]


def v1(
    changes: bool,
    name: str,
    place: str,
    handler: Handler,
    *on: Scope,
    uid: Any = None,
    payload: Any = None,
    key: tuple[str, ...] | None = None,
) -> V1:
    """A row of the envelope family; ``place`` is query type and verb."""
    query_type, verb = place.split()
    return V1(
        name=name,
        changes=changes,
        handler=handler,
        api_key=key,
        query_type=query_type,
        verb=verb,
        scopes=on,
        uid=uid,
        payload=payload,
    )


def v2(
    changes: bool, name: str, place: str, handler: Handler, query: type[StrictCamel] = NoQuery, body: Any = None
) -> V2:
    """A row of the REST family; ``place`` is method and path."""
    method, path = place.split()
    return V2(name=name, changes=changes, handler=handler, method=method, path=path, query=query, body=body)
