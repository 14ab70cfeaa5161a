"""The table of annotations as JSON Lines: one JSON object for each row, with the fields of `table.FIELDS`.

Times are ISO 8601 in UTC. The geometry and the answers are JSON values, not text.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from airflow_provider_encord.client.api.labels import LabelRow
from airflow_provider_encord.exports.formats.table import FIELDS, TableReader
from airflow_provider_encord.storage_paths import BinaryWriter

_NAMES = tuple(field.name for field in FIELDS)


class AnnotationLinesEncoder:
    """See `formats.Encoder`.

    :param structure: Structure of the ontology.
    """

    def __init__(self, file: BinaryWriter, structure: Mapping[str, Any], project_id: str | None = None):
        self._file = file
        self._reader = TableReader(structure, project_id)
        self._encoder = msgspec.json.Encoder()

    def write(self, row: LabelRow) -> None:
        """Add the annotations of a label row."""
        for values in self._reader.rows(row):
            self._file.write(self._encoder.encode(dict(zip(_NAMES, values, strict=True))) + b"\n")

    def finish(self) -> dict[str, int]:
        """Return what the lines do not contain."""
        return self._reader.left_out
