"""Finding the data unit of a pre-label in a project."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from airflow_provider_encord.client.api.labels import LabelRowMetadata
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.plain_json import json_key, plain_json
from airflow_provider_encord.prelabels.features import WrongLabelsError
from airflow_provider_encord.prelabels.sources import Prelabel

DATA_HASH = "data_hash"
TITLE = "title"
CLIENT_METADATA = "client_metadata."


def require_key(match_by: object) -> None:
    """Check the argument `match_by`.

    :raises InvalidArgumentError: Data units cannot be matched by this value.
    """
    named = isinstance(match_by, str) and match_by.removeprefix(CLIENT_METADATA) not in ("", match_by)
    if match_by in (DATA_HASH, TITLE) or named:
        return
    raise InvalidArgumentError(
        f"match_by: {str(match_by)[:80]!r} is not one of {DATA_HASH!r}, {TITLE!r} and 'client_metadata.<key>'."
    )


class Matching:
    """Finds data units.

    :param match_by: `DATA_HASH`, `TITLE`, or `CLIENT_METADATA` with a key.
    :param rows: The rows of the project, with their client metadata if `match_by` needs it.
    """

    def __init__(self, match_by: str, rows: Iterable[LabelRowMetadata]):
        self._match_by = match_by
        self._rows: dict[bytes, list[LabelRowMetadata]] = {}
        for row in rows:
            self._rows.setdefault(json_key(value_of_row(row, match_by)), []).append(row)
        self._taken: dict[str, str] = {}

    def row_of(self, prelabel: Prelabel) -> LabelRowMetadata:
        """Find the row of a pre-label.

        :raises WrongLabelsError: No row matches, several rows match, or an earlier line has matched the same row.
        """
        row = prelabel.row or self._found(prelabel)
        if self._taken.setdefault(row.data_hash, prelabel.place) != prelabel.place:
            value = str(value_of_row(row, self._match_by))
            raise WrongLabelsError(
                f"{self._match_by} {value[:80]!r}: {self._taken[row.data_hash]} has the same data unit."
            )
        return row

    def _found(self, prelabel: Prelabel) -> LabelRowMetadata:
        try:
            value = plain_json(self._value_of(prelabel.content), self._match_by)
        except InvalidArgumentError as error:
            raise WrongLabelsError(error.message) from None
        if value is None:
            raise WrongLabelsError(f"{self._match_by}: it is missing, but match_by needs it.")
        found = self._rows.get(json_key(value), [])
        if len(found) != 1:
            problem = f"{len(found)} data units have it; use match_by='data_hash'" if found else "no data unit has it"
            raise WrongLabelsError(f"{self._match_by} {str(value)[:80]!r}: {problem}.")
        return found[0]

    def _value_of(self, content: Mapping[str, Any]) -> Any:
        if self._match_by == DATA_HASH:
            return content.get("data_hash")
        if self._match_by == TITLE:
            return _title_of(content)
        metadata = content.get("client_metadata")
        key = self._match_by.removeprefix(CLIENT_METADATA)
        return metadata.get(key) if isinstance(metadata, Mapping) else None


def value_of_row(row: LabelRowMetadata, match_by: str) -> Any:
    """The value of a row by which it is matched."""
    if match_by == DATA_HASH:
        return row.data_hash
    if match_by == TITLE:
        return row.data_title
    return (row.client_metadata or {}).get(match_by.removeprefix(CLIENT_METADATA))


def _title_of(content: Mapping[str, Any]) -> Any:
    titles = [title for title in (content.get("title"), content.get("data_title")) if title not in (None, "")]
    if len(titles) == 2 and titles[0] != titles[1]:
        raise WrongLabelsError("title, data_title: they differ. Keep one of them.")
    return titles[0] if titles else None
