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
from typing import Any, Generic, Literal, TypeAlias, TypeVar

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


Line = TypeVar("Line", bound=ReportLine)


def encode_lines(lines: Iterable[ReportLine]) -> Iterator[bytes]:
    """The lines as they stand in the file, each with its newline."""
    for line in lines:
        yield _ENCODER.encode(line) + b"\n"


class LineReader(Generic[Line]):
    """Reads lines of the reports of one operation, and of no other.

    :param type_: The form of the lines.
    :param operation: What they say in ``operation``.
    """

    def __init__(self, type_: type[Line], operation: str):
        self._decoder, self._type, self._operation = msgspec.json.Decoder(type_), type_, operation

    def decode(self, text: bytes) -> Line:
        """A line, from its JSON.

        :raises msgspec.DecodeError: It is not such a line.
        :raises InvalidArgumentError: A newer version of the provider wrote it.
        """
        try:
            line = self._decoder.decode(text)
        except msgspec.ValidationError:
            _require_known_version(_VERSION.decode(text))
            raise
        return self._checked(line)

    def convert(self, fields: Any) -> Line:
        """A line, from its fields; errors as of `decode`."""
        try:
            line = msgspec.convert(fields, self._type)
        except msgspec.ValidationError:
            _require_known_version(msgspec.convert(fields, _Version))
            raise
        return self._checked(line)

    def _checked(self, line: Line) -> Line:
        _require_known_version(line)
        if line.operation != self._operation:
            raise msgspec.ValidationError(f"its operation is {line.operation!r}, not {self._operation!r}")
        return line


class _Version(msgspec.Struct):
    schema_version: str


_VERSION = msgspec.json.Decoder(_Version)


def _require_known_version(line: ReportLine | _Version) -> None:
    """:raises InvalidArgumentError: The line has a newer schema, whose fields may mean something else."""
    major = line.schema_version.partition(".")[0]
    if not major.isdecimal() or int(major) > int(SCHEMA_VERSION.partition(".")[0]):
        raise InvalidArgumentError(
            f"report: a line has schema_version {line.schema_version!r}, and this version of airflow-provider-encord "
            f"reads up to {SCHEMA_VERSION}. Upgrade airflow-provider-encord, or name another report."
        )
