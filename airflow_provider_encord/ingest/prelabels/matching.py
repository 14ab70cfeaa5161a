"""Which data unit of a project a pre-label is about."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow_provider_encord.client.api.labels import LabelRowMetadata
from airflow_provider_encord.client.errors import InvalidRequestError
from airflow_provider_encord.ingest.prelabels.features import WrongLabelsError
from airflow_provider_encord.ingest.prelabels.sources import Prelabel

DATA_HASH = "data_hash"
TITLE = "title"
CLIENT_METADATA = "client_metadata."


def require_key(match_by: object) -> None:
    """Check that data units can be matched so.

    :raises InvalidRequestError: They cannot.
    """
    named = isinstance(match_by, str) and match_by.removeprefix(CLIENT_METADATA) not in ("", match_by)
    if match_by in (DATA_HASH, TITLE) or named:
        return
    raise InvalidRequestError(
        f"match_by: {str(match_by)[:80]!r} is none of {DATA_HASH!r}, {TITLE!r} and 'client_metadata.<key>'."
    )


class Matching:
    """Finds data units.

    :param match_by: `DATA_HASH`, `TITLE`, or `CLIENT_METADATA` and a key.
    :param rows: Of the project, listed with their client metadata if that is matched by.
    """

    def __init__(self, match_by: str, rows: Iterable[LabelRowMetadata]):
        self._match_by = match_by
        self._rows: dict[Any, list[LabelRowMetadata]] = {}
        for row in rows:
            self._rows.setdefault(self._key_of_row(row), []).append(row)
        self._taken: dict[str, str] = {}

    def row_of(self, prelabel: Prelabel) -> LabelRowMetadata:
        """The row that a pre-label is about.

        :raises WrongLabelsError: No row, or several rows match, or an earlier line is about the row.
        """
        key = self._key_of(prelabel.content)
        if key is None:
            raise WrongLabelsError(f"{self._match_by}: it is missing, and rows are matched by it.")
        found = self._rows.get(key, [])
        if len(found) != 1:
            problem = f"{len(found)} data units have it; match by data_hash" if found else "no data unit has it"
            raise WrongLabelsError(f"{self._match_by} {str(key)[:80]!r}: {problem}.")
        row = found[0]
        if self._taken.setdefault(row.data_hash, prelabel.place) != prelabel.place:
            raise WrongLabelsError(
                f"{self._match_by} {str(key)[:80]!r}: {self._taken[row.data_hash]} is about it, too."
            )
        return row

    def _key_of_row(self, row: LabelRowMetadata) -> Any:
        if self._match_by == DATA_HASH:
            return row.data_hash
        if self._match_by == TITLE:
            return row.data_title
        return _hashable((row.client_metadata or {}).get(self._match_by.removeprefix(CLIENT_METADATA)))

    def _key_of(self, content: Mapping[str, Any]) -> Any:
        if self._match_by == DATA_HASH:
            return _hashable(content.get("data_hash"))
        if self._match_by == TITLE:
            return _hashable(content.get("title") or content.get("data_title"))
        metadata = content.get("client_metadata")
        key = self._match_by.removeprefix(CLIENT_METADATA)
        return _hashable(metadata.get(key)) if isinstance(metadata, Mapping) else None


def _hashable(value: Any) -> Any:
    return str(value) if isinstance(value, list | dict) else value
