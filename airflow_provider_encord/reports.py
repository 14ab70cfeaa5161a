"""Reports: JSON Lines, one line for each item that an operator worked on, in one schema.

=====================  ================================================================================
field                  meaning
=====================  ================================================================================
``schema_version``     ``"major.minor"``. The minor part grows with new fields, which readers skip; the major part when
                       a field changes its meaning or goes
``operation``          what was done, such as ``upload_files``
``source``             where the item comes from: a URI, a file and its line, a branch, the title of a scene
``id``                 the item in Encord; null if it has no id
``outcome``            one of `OUTCOMES`
``error``              why it failed, was skipped, or is a conflict; else null
=====================  ================================================================================

Each operation adds fields of its own. Every line says all about its item, so reports may be cut into parts and joined
again. If an item is in a report twice, the later line holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Literal, TypeAlias

import msgspec

from airflow_provider_encord.client.errors import InvalidArgumentError

SCHEMA_VERSION = "1.0"

CREATED: Literal["created"] = "created"
UPDATED: Literal["updated"] = "updated"
UNCHANGED: Literal["unchanged"] = "unchanged"
SKIPPED: Literal["skipped"] = "skipped"
NOT_FOUND: Literal["not_found"] = "not_found"
REMOVED: Literal["removed"] = "removed"
FAILED: Literal["failed"] = "failed"
CONFLICT: Literal["conflict"] = "conflict"
OUTCOMES = (CREATED, UPDATED, UNCHANGED, SKIPPED, NOT_FOUND, REMOVED, FAILED, CONFLICT)
Outcome: TypeAlias = Literal["created", "updated", "unchanged", "skipped", "not_found", "removed", "failed", "conflict"]

_ENCODER = msgspec.json.Encoder()


class ReportLine(msgspec.Struct, frozen=True, kw_only=True):
    """What every line of a report says about its item."""

    schema_version: str
    operation: str
    source: str
    id: str | None
    outcome: Outcome
    error: str | None


def encode_lines(lines: Iterable[ReportLine]) -> Iterator[bytes]:
    """The lines as they stand in the file, each with its newline."""
    for line in lines:
        yield _ENCODER.encode(line) + b"\n"


def require_readable(version: str, where: str) -> None:
    """Check that this version of the provider can read a line.

    :param where: Begins the message, such as ``report: line 7``.
    :raises InvalidArgumentError: A newer version of the provider wrote it.
    """
    major = version.partition(".")[0]
    if not major.isdecimal() or int(major) > int(SCHEMA_VERSION.partition(".")[0]):
        raise InvalidArgumentError(
            f"{where} has schema_version {version!r}, and this version of airflow-provider-encord reads up to "
            f"{SCHEMA_VERSION}. Upgrade airflow-provider-encord, or name another report."
        )
