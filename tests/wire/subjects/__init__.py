"""From a recorded request back to our operation and its arguments: one module per subject, with four tables each.

``ARGUMENTS`` reads the arguments of our function from a recorded request: a new operation needs one reader, a new
vector of a known operation none. ``V1_SHAPES`` and ``V2_SHAPES`` tell the operation of a request inside a flow.
``NOT_YET`` names recorded operations that the client does not have, ``NOT_SERVED_YET`` those that the emulator does not
serve.
"""

from __future__ import annotations

import re
from typing import Any

from tests.wire.subjects import (
    analytics,
    collections,
    datasets,
    keys,
    labels,
    models,
    ontologies,
    organisation,
    project_collections,
    projects,
    storage,
    uploads,
    workflow,
)
from tests.wire.subjects.reading import Key, Read

_SUBJECTS = (
    *(keys, organisation, projects, ontologies, labels, analytics, workflow, datasets, uploads, storage),
    *(collections, project_collections, models),
)

ARGUMENTS: dict[Key, Read] = {key: read for subject in _SUBJECTS for key, read in subject.ARGUMENTS.items()}
NOT_YET: frozenset[str] = frozenset(name for subject in _SUBJECTS for name in subject.NOT_YET)
NOT_SERVED_YET: frozenset[Key] = frozenset(key for subject in _SUBJECTS for key in subject.NOT_SERVED_YET)

OBJECT_STORE = "object store"

_V1_SHAPES = {shape: name for subject in _SUBJECTS for shape, name in subject.V1_SHAPES.items()}
_V2_SHAPES = [row for subject in _SUBJECTS for row in subject.V2_SHAPES]


def arguments_of(request: dict[str, Any], key: Key) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Positional and named arguments of our function for a recorded request."""
    return ARGUMENTS[key](request)


def operation_of(request: dict[str, Any]) -> Key | None:
    """The operation that a request belongs to, by its shape; None if none of ours has it."""
    if "url" in request:
        return OBJECT_STORE, request["method"]
    if request["path"].startswith("/v2/public/"):
        path = request["path"].removeprefix("/v2/public/")
        named = (name for method, form, name in _V2_SHAPES if method == request["method"] and re.fullmatch(form, path))
        by_content = workflow.operation_by_action(request) or collections.operation_by_query(request)
        name = by_content or next(named, None)
        return (name, "v2") if name else None
    envelope = request["json"]
    name = _V1_SHAPES.get((envelope["query_type"], envelope["query_method"])) or _by_payload(request["path"], envelope)
    return (name, "v1") if name else None


def _by_payload(path: str, envelope: dict[str, Any]) -> str | None:
    at_user_scope = path.endswith("/user")
    kind = envelope["query_type"], envelope["query_method"]
    if kind == ("project", "POST"):
        return "project.create" if at_user_scope else "project.replace_ontology"
    if kind == ("project", "GET") and not at_user_scope:
        return "project.get"
    if kind == ("labelworkflowgraphnode", "POST"):
        return f"label_rows.workflow_{envelope['values']['payload']['action']}"
    if kind == ("datasetdatalongpolling", "POST"):
        in_a_bucket = "integrationId" in envelope["values"]["payload"]
        return "dataset.add_private_data start" if in_a_bucket else "upload.start"
    return None
