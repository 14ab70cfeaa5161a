"""Reports: JSON Lines files with one line for each item of an operator, all with the same basic fields.

=====================  ================================================================================
field                  meaning
=====================  ================================================================================
``schema_version``     ``"major.minor"``. New fields increase the minor part; readers ignore unknown fields. A removed
                       field, or one with a new meaning, increases the major part
``operation``          name of the operation, such as ``upload_files``
``source``             where the item comes from: a URI, a file and line number, a branch, or the title of a scene or of
                       a workflow stage
``id``                 id of the item in Encord; null if it has no id
``outcome``            one of `OUTCOMES`
``error``              why the item failed, was skipped, or is a conflict; else null
=====================  ================================================================================

Each operation adds more fields. A line does not refer to other lines, so a report can be split and joined. If a report
has two lines about an item, the later line is valid.
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
QUALITY_GATE = "quality_gate"
"""The operation of reports whose lines are findings about labels, and not outcomes of a change."""
OUTCOMES = (CREATED, UPDATED, UNCHANGED, SKIPPED, NOT_FOUND, REMOVED, FAILED, CONFLICT)
Outcome: TypeAlias = Literal["created", "updated", "unchanged", "skipped", "not_found", "removed", "failed", "conflict"]

_ENCODER = msgspec.json.Encoder()


class ReportLine(msgspec.Struct, frozen=True, kw_only=True):
    """The fields of every line in a report."""

    schema_version: str
    operation: str
    source: str
    id: str | None
    outcome: Outcome
    error: str | None


Line = TypeVar("Line", bound=ReportLine)


def encode_lines(lines: Iterable[ReportLine]) -> Iterator[bytes]:
    """Encode lines for the file, each with a newline."""
    for line in lines:
        yield _ENCODER.encode(line) + b"\n"


_REPORT = "report"  # the argument that most reports are


class LineReader(Generic[Line]):
    """Read the lines of reports of one operation.

    :param type_: Type of the lines.
    :param operation: The expected value of ``operation``.
    """

    def __init__(self, type_: type[Line], operation: str):
        self._decoder, self._type, self._operation = msgspec.json.Decoder(type_), type_, operation

    def decode(self, text: bytes) -> Line:
        """Decode a line from JSON.

        :raises msgspec.DecodeError: It is not a line of this operation.
        :raises InvalidArgumentError: A newer version of the provider wrote it.
        """
        try:
            line = self._decoder.decode(text)
        except msgspec.ValidationError:
            require_known_version(_VERSION.decode(text).schema_version)
            raise
        return self._checked(line, _REPORT)

    def convert(self, fields: Any, about: str = _REPORT) -> Line:
        """Create a line from its fields. Raises the same errors as `decode`.

        :param about: The argument, and if need be the file, for the message about a newer version.
        """
        try:
            line = msgspec.convert(fields, self._type)
        except msgspec.ValidationError:
            require_known_version(msgspec.convert(fields, _Version).schema_version, about)
            raise
        return self._checked(line, about)

    def _checked(self, line: Line, about: str) -> Line:
        require_known_version(line.schema_version, about)
        if line.operation != self._operation:
            raise msgspec.ValidationError(f"its operation is {line.operation!r}, not {self._operation!r}")
        return line


class _Version(msgspec.Struct):
    schema_version: str


_VERSION = msgspec.json.Decoder(_Version)


def require_known_version(version: str, about: str = _REPORT) -> None:
    """Check that this version can read a line.

    :param version: Its ``schema_version``.
    :param about: The argument, and if need be the file, for the message.
    :raises InvalidArgumentError: The line has a newer schema, whose fields may mean something else.
    """
    major = version.partition(".")[0]
    if not major.isdecimal() or int(major) > int(SCHEMA_VERSION.partition(".")[0]):
        raise InvalidArgumentError(
            f"{about}: a line has schema_version {version!r}, but this version of airflow-provider-encord "
            f"reads only up to {SCHEMA_VERSION}. Upgrade airflow-provider-encord, or pass another report."
        )
