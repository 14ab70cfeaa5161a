"""The table: every operation that the emulator serves, once. Routing, journal, landing page and tests read it.

To add an operation: a function in the module of its subject, and a row in this package's module of the subject. A row
says whether it changes anything, its name, its place on the wire, who does it; for v1 what it may be about, and which
API keys may ask (``key``).
"""

from __future__ import annotations

import re

from ..requests.operations import V1, V2, Operation
from . import (
    analytics,
    collections,
    datasets,
    keys,
    labels,
    members,
    models,
    ontologies,
    organisation,
    project_collections,
    projects,
    storage,
    uploads,
    workflow,
)

SUBJECTS = (
    *(keys, organisation, projects, ontologies, members, labels, analytics, datasets, uploads, storage, workflow),
    *(collections, project_collections, models),
)

OPERATIONS: tuple[Operation, ...] = tuple(operation for subject in SUBJECTS for operation in subject.OPERATIONS)


def _by_type_and_verb() -> dict[tuple[str, str], list[V1]]:
    table: dict[tuple[str, str], list[V1]] = {}
    for operation in OPERATIONS:
        if isinstance(operation, V1):
            table.setdefault((operation.query_type, operation.verb), []).append(operation)
    return table


V1_OPERATIONS = _by_type_and_verb()
V2_OPERATIONS: list[tuple[re.Pattern[str], V2]] = [
    (operation.pattern(), operation) for operation in OPERATIONS if isinstance(operation, V2)
]
