"""The keys by which label rows are assigned to splits: data hashes, or values of the client metadata."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from airflow_provider_encord.attempts import fingerprint
from airflow_provider_encord.client.api.labels import LabelRowFilter
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.client.flows.chunks import chunks
from airflow_provider_encord.plain_json import json_key

DATA_HASH = "data_hash"
CLIENT_METADATA = "client_metadata."
_ROWS_PER_REQUEST = 1000


class SplitKeys:
    """Finds the keys of label rows.

    :param split_by: `DATA_HASH`, or `CLIENT_METADATA` with a key.
    :raises InvalidArgumentError: It is neither.
    """

    def __init__(self, client: EncordClient, project_id: str, split_by: str):
        self._client, self._project_id = client, project_id
        self._name = split_by.removeprefix(CLIENT_METADATA)
        if split_by != DATA_HASH and self._name in ("", split_by):
            raise InvalidArgumentError(
                f"split_by: {split_by[:80]!r} is not one of {DATA_HASH!r} and 'client_metadata.<key>'."
            )
        self._by_hash = split_by == DATA_HASH
        self._keys: dict[str, str] = {}
        self.without_key = 0
        """Number of data units without the key. They are assigned by their data hash."""

    @property
    def fingerprint(self) -> str | None:
        """A hash of the keys; None if they are the data hashes themselves."""
        return None if self._by_hash else fingerprint(keys=self._keys)

    def read(self, data_hashes: Iterable[str]) -> None:
        """Read the keys of all data units, if they are values of the client metadata."""
        if not self._by_hash:
            for some in chunks(sorted({*data_hashes}), _ROWS_PER_REQUEST):
                self._keys |= self._of_metadata(some)

    def of(self, data_hash: str) -> str:
        """The key of a data unit."""
        return self._keys.get(data_hash, data_hash)

    def _of_metadata(self, data_hashes: Sequence[str]) -> dict[str, str]:
        which = LabelRowFilter(data_hashes=data_hashes, include_client_metadata=True, include_workflow_graph_node=False)
        keys: dict[str, str] = {}
        for row in self._client.project(self._project_id).label_rows(which):
            value = (row.client_metadata or {}).get(self._name)
            if value is not None:
                keys[row.data_hash] = json_key(value).decode()
        self.without_key += len(data_hashes) - len(keys)
        return keys
