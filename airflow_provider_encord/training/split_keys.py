"""The keys by which label rows are assigned to splits: data hashes, or values of the client metadata."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence

from airflow_provider_encord.client.api.labels import LabelRowFilter
from airflow_provider_encord.client.client import EncordClient
from airflow_provider_encord.client.errors import InvalidArgumentError
from airflow_provider_encord.plain_json import json_key

log = logging.getLogger(__name__)

DATA_HASH = "data_hash"
CLIENT_METADATA = "client_metadata."


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
        self.without_key = 0
        """Number of data units without the key. They are assigned by their data hash."""

    def of(self, data_hashes: Sequence[str]) -> Mapping[str, str]:
        """The keys of some data units, by data hash."""
        if self._by_hash:
            return {data_hash: data_hash for data_hash in data_hashes}
        wanted = list(dict.fromkeys(data_hashes))
        which = LabelRowFilter(data_hashes=wanted, include_client_metadata=True, include_workflow_graph_node=False)
        rows = self._client.project(self._project_id).label_rows(which)
        metadata = {row.data_hash: row.client_metadata or {} for row in rows}
        keys = {}
        for data_hash in wanted:
            value = metadata.get(data_hash, {}).get(self._name)
            self.without_key += value is None
            keys[data_hash] = data_hash if value is None else json_key(value).decode()
        return keys
